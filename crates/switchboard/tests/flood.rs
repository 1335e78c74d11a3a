//! More packets than anybody can read: the loop goes on answering keys.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::story::*;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use switchboard::{Board, Desk, Input, Look, Mode};
use timeline::cable::Line;

const KEYS: usize = 20;

/// How many events wait for the board at most.
const ROOM: usize = 10_000;

/// A loop that answers no keys does not end by itself.
const DEADLINE: Duration = Duration::from_secs(60);

/// What the keyboard, the terminal and the flood know of each other.
#[derive(Default)]
struct Room {
    pictures: AtomicU64,
    /// The last picture that says how packets cross in another way than the one
    /// before.
    changed: AtomicU64,
    flood: AtomicU64,
    stop: AtomicBool,
}

/// A terminal that counts pictures.
struct Watched<'a> {
    picture: Vec<u8>,
    room: &'a Room,
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.picture.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // That the cursor is hidden is no picture.
        if self.picture.len() > 20 {
            let pictures = self.room.pictures.fetch_add(1, Ordering::Relaxed) + 1;
            // What stays as it is is not written again.
            let picture = String::from_utf8_lossy(&self.picture);
            if picture.contains("STEP") || picture.contains("RUN") {
                self.room.changed.store(pictures, Ordering::Relaxed);
            }
        }
        self.picture.clear();
        Ok(())
    }
}

/// Presses s and r in turns, each when a picture has shown what the one before did.
struct Hand<'a> {
    room: &'a Room,
    /// Events that must be on their way before the first press.
    flood: u64,
    /// The last picture before the key was pressed.
    pressed: Option<u64>,
    /// For each key, how many pictures later one has shown what it did.
    answers: Vec<u64>,
    never: Receiver<()>,
}

impl Input for Hand<'_> {
    fn next(&mut self, wait: Duration) -> io::Result<Option<Event>> {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let changed = load(&self.room.changed);
        let ready = match self.pressed {
            None => changed > 0 && load(&self.room.flood) >= self.flood,
            Some(pressed) => changed > pressed,
        };
        if !ready {
            let _ = self.never.recv_timeout(wait);
            return Ok(None);
        }
        self.answers
            .extend(self.pressed.map(|pressed| changed - pressed));
        self.pressed = Some(load(&self.room.pictures));
        let done = self.answers.len();
        self.room.stop.fetch_or(done == KEYS, Ordering::Relaxed);
        let key = if done.is_multiple_of(2) { 's' } else { 'r' };
        let key = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        Ok(Some(Event::Key(key)))
    }
}

/// Packets without a pause, until nobody wants them.
fn flood(room: &Room, events: &SyncSender<timeline::Event>, began: Instant) {
    let mut packets = Packets::default();
    while !room.stop.load(Ordering::Relaxed) {
        if events.send(packets.next(began.elapsed())).is_err() {
            return;
        }
        room.flood.store(packets.count, Ordering::Relaxed);
    }
}

/// For each key, how many pictures later one shows what it has done.
fn answers(flooded: bool) -> Vec<u64> {
    let room = &Room::default();
    let (sender, events) = mpsc::sync_channel(ROOM);
    let began = Instant::now();
    let clock = || {
        let now = began.elapsed();
        room.stop.fetch_or(now > DEADLINE, Ordering::Relaxed);
        now
    };
    let viewport = Viewport::Fixed(Rect::new(0, 0, 120, 40));
    let picture = Vec::new();
    let backend = CrosstermBackend::new(Watched { picture, room });
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
    let (_silent, never) = mpsc::channel();
    let colour = true;
    let mut hand = Hand {
        room,
        flood: if flooded { ROOM as u64 } else { 0 },
        pressed: None,
        answers: Vec::new(),
        never,
    };
    thread::scope(|scope| {
        // Without a flood the channel stays open, and nothing comes.
        let sender = &sender;
        if flooded {
            scope.spawn(move || flood(room, sender, began));
        }
        let mut desk = Desk {
            board: Board::new(Mode::Run, [Line::default(); 2], false),
            look: Look { colour, ..PLAIN },
            events,
            clock: &clock,
            stop: &room.stop,
        };
        desk.show(&mut terminal, &mut hand, |_| Ok(())).unwrap();
    });
    let pictures = room.pictures.load(Ordering::Relaxed) as u32;
    let elapsed = began.elapsed();
    assert_eq!(
        hand.answers.len(),
        KEYS,
        "keys are answered in {DEADLINE:?}"
    );
    assert!(
        elapsed >= Duration::from_millis(33) * (pictures - 1),
        "{pictures} pictures in {elapsed:?}"
    );
    hand.answers
}

#[test]
fn in_a_flood_a_key_is_answered_as_soon_as_when_nothing_happens() {
    // Pictures are counted: how long one takes is the machine's matter.
    let quiet = answers(false);
    assert_eq!(
        quiet, [1; KEYS],
        "the next picture shows what a key has done"
    );
    assert_eq!(answers(true), quiet);
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
