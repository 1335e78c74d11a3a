//! A program that panics in another thread while it has the screen: what a test
//! looks at.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use switchboard::{Board, Desk, Keyboard, Look, Mode, Screen};
use timeline::cable::Line;

fn main() {
    let stop = Arc::new(AtomicBool::new(false));
    let mut screen = Screen::open(Arc::clone(&stop)).expect("a terminal");
    let began = Instant::now();
    let (_nobody, events) = mpsc::channel();
    let mut desk = Desk {
        board: Board::new(Mode::Run, [Line::default(); 2], false),
        look: Look {
            colour: true,
            ascii: false,
        },
        events,
        clock: &|| began.elapsed(),
        stop: &stop,
    };
    thread::spawn(|| {
        thread::sleep(Duration::from_millis(300));
        panic!("on purpose");
    });
    desk.show(&mut screen.terminal, &mut Keyboard, |_| Ok(()))
        .expect("a terminal");
}
