//! The board on the person's terminal, in a thread of its own: beside it, events
//! are recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use timeline::Event;

use crate::board::Board;
use crate::command::Command;
use crate::keyboard::Keyboard;
use crate::look::Look;
use crate::show::Desk;
use crate::terminal::Screen;

/// How many events may wait for the board. When there are more,
/// [`Console::see`] waits.
const UNSEEN: usize = 10_000;

/// How long the screen may take to close.
const PATIENCE: Duration = Duration::from_secs(2);

/// The board on the terminal, until the person leaves.
pub struct Console {
    events: SyncSender<Event>,
    shown: Receiver<Result<()>>,
    stop: Arc<AtomicBool>,
}

impl Console {
    /// Takes the terminal over. `began` is the time since 1970 from which events
    /// count. `act` does what the board commands, in the board's thread. `stop` is
    /// set when the person has left, and may be set to send them away.
    ///
    /// # Errors
    /// When stdout is no terminal, or is gone.
    pub fn open(
        board: Board,
        look: Look,
        began: Duration,
        stop: Arc<AtomicBool>,
        act: impl FnMut(Command) -> Result<(), String> + Send + 'static,
    ) -> Result<Self> {
        let mut screen = Screen::open(Arc::clone(&stop)).context("take the terminal over")?;
        let (events, seen) = mpsc::sync_channel(UNSEEN);
        let (done, shown) = mpsc::channel();
        let ours = Arc::clone(&stop);
        thread::spawn(move || {
            let clock = || {
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                now.unwrap_or_default().saturating_sub(began)
            };
            let mut desk = Desk {
                board,
                look,
                events: seen,
                clock: &clock,
                stop: &ours,
            };
            let shown = desk.show(&mut screen.terminal, &mut Keyboard, act);
            drop(screen);
            ours.store(true, Ordering::Relaxed);
            // It fails when nobody waits for us any more.
            let _ = done.send(shown);
        });
        Ok(Self {
            events,
            shown,
            stop,
        })
    }

    /// Hands an event to the board.
    pub fn see(&self, event: &Event) {
        // It fails when the board is closed; what comes now is recorded all the same.
        let _ = self.events.send(event.clone());
    }

    /// No event follows. Comes back when the person has left.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn close(self) -> Result<()> {
        drop(self.events);
        // From a terminal that is gone, the thread may not come back.
        loop {
            match self.shown.recv_timeout(PATIENCE) {
                Err(RecvTimeoutError::Timeout) if !self.stop.load(Ordering::Relaxed) => {}
                Err(_) => bail!("the screen does not come back"),
                Ok(shown) => return shown.context("show the board"),
            }
        }
    }
}
