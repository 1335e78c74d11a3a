//! Thousands of packets in a second: the loop goes on answering keys.

mod story;

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use story::*;
use switchboard::{Board, Desk, Input, Look, Mode};
use timeline::cable::Line;

const LOOK: Look = Look {
    colour: true,
    ascii: false,
};

/// A keyboard on which another thread types.
struct Typed(mpsc::Receiver<char>);

impl Input for Typed {
    fn next(&mut self, wait: Duration) -> io::Result<Option<Event>> {
        let key = self.0.recv_timeout(wait).ok();
        let event = |key| Event::Key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE));
        Ok(key.map(event))
    }
}

/// A terminal that counts pictures, and tells when one says that the cable is
/// cut.
struct Watched {
    picture: Vec<u8>,
    cut: mpsc::Sender<Instant>,
    pictures: Arc<AtomicUsize>,
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.picture.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // That the cursor is hidden is no picture.
        if self.picture.len() > 20 {
            self.pictures.fetch_add(1, Ordering::Relaxed);
        }
        if self.picture.windows(3).any(|bytes| bytes == b"CUT") {
            let _ = self.cut.send(Instant::now());
        }
        self.picture.clear();
        Ok(())
    }
}

/// How long it takes until a picture shows what a key has done, 10 times, sorted;
/// and how many pictures there were in a second, at so many packets a second.
fn answers(rate: u64) -> (Vec<Duration>, f64) {
    let stop = AtomicBool::new(false);
    let (keyboard, keys) = mpsc::channel();
    let (flood, events) = mpsc::sync_channel(10_000);
    let (cut, shown) = mpsc::channel();
    let pictures = Arc::new(AtomicUsize::new(0));
    let watched = Watched {
        picture: Vec::new(),
        cut,
        pictures: Arc::clone(&pictures),
    };
    let began = Instant::now();
    let clock = || began.elapsed();
    let mut answers = Vec::new();
    thread::scope(|scope| {
        let (clock, stop) = (&clock, &stop);
        let flooding = scope.spawn(move || {
            let mut packets = Packets::default();
            while !stop.load(Ordering::Relaxed) {
                let due = began.elapsed().as_micros() as u64 * rate / 1_000_000;
                for _ in packets.count..due {
                    let _ = flood.send(packets.next(began.elapsed()));
                }
                thread::sleep(Duration::from_millis(1));
            }
            packets.count as f64 / began.elapsed().as_secs_f64()
        });
        scope.spawn(move || {
            let backend = CrosstermBackend::new(watched);
            let viewport = Viewport::Fixed(Rect::new(0, 0, 120, 40));
            let options = TerminalOptions { viewport };
            let mut terminal = Terminal::with_options(backend, options).unwrap();
            let mut desk = Desk {
                board: Board::new(Mode::Run, [Line::default(); 2], false),
                look: LOOK,
                events,
                clock,
                stop,
            };
            let keyboard = &mut Typed(keys);
            desk.show(&mut terminal, keyboard, |_| Ok(())).unwrap();
        });
        for _ in 0..10 {
            thread::sleep(Duration::from_millis(37));
            let pressed = Instant::now();
            keyboard.send('c').unwrap();
            let deadline = Duration::from_secs(5);
            let shown = shown.recv_timeout(deadline).unwrap_or(pressed + deadline);
            answers.push(shown - pressed);
            // Mended again, for the next time.
            keyboard.send('c').unwrap();
            thread::sleep(Duration::from_millis(80));
        }
        stop.store(true, Ordering::Relaxed);
        let reached = flooding.join().unwrap();
        assert!(
            reached >= rate as f64 * 0.9,
            "{reached:.0} packets a second"
        );
    });
    answers.sort();
    let pictures = pictures.load(Ordering::Relaxed) as f64;
    (answers, pictures / began.elapsed().as_secs_f64())
}

#[test]
fn at_10_000_packets_a_second_a_key_is_answered_as_soon_as_when_nothing_happens() {
    // What other programs of the machine cost, both pay.
    let (quiet, _) = answers(0);
    let (flooded, pictures) = answers(10_000);
    let (quiet, median, slowest) = (quiet[5], flooded[5], flooded[9]);
    println!("{quiet:?} in quiet, {median:?} in a flood, {slowest:?} at most");
    println!("{pictures:.0} pictures a second");
    assert!(median < quiet + Duration::from_millis(50), "{flooded:?}");
    assert!(pictures < 31.0, "{pictures:.0} pictures a second");
}

#[test]
fn memory_stays_bounded_however_much_happens() {
    let mut board = Board::new(Mode::Run, [Line::default(); 2], false);
    let mut packets = Packets::default();
    let mut sizes = Vec::new();
    for second in 0..30 {
        for n in 0..2_000 {
            let time = Duration::from_micros(second * 1_000_000 + n * 500);
            board.see(&packets.next(time));
        }
        if second % 5 == 4 {
            sizes.push(format!("{board:?}").len());
        }
    }
    // After 10 s there are about as many as are kept before some are forgotten.
    let most = sizes.iter().max().copied().unwrap_or(0);
    assert!(most < sizes[1] * 11 / 10, "{sizes:?}");
}
