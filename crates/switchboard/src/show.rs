//! The loop: keys in, pictures out, until somebody wants to leave.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use anyhow::Result as Anyhow;
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::crossterm::event::Event;

use crate::board::Board;
use crate::command::Command;
use crate::draw::draw;
use crate::look::Look;

/// At most 30 pictures in a second.
const PICTURE: Duration = Duration::from_millis(33);
/// When nothing happens, the clock on the screen goes on so often.
const CLOCK: Duration = Duration::from_millis(100);
/// How often events are looked for.
const NEWS_YET: Duration = Duration::from_millis(10);
/// How long events are taken at a time.
const TURN: Duration = Duration::from_millis(10);
/// So many keys are taken at a time.
const KEYS: usize = 64;

/// Where keys come from.
pub trait Input {
    /// The next event, if one comes within this time.
    ///
    /// # Errors
    /// When the terminal is gone.
    fn next(&mut self, wait: Duration) -> io::Result<Option<Event>>;
}

/// What the loop works with.
pub struct Desk<'a> {
    /// What is shown.
    pub board: Board,
    /// How it is drawn.
    pub look: Look,
    /// What happens. When its other end is gone, nothing happens any more.
    pub events: Receiver<timeline::Event>,
    /// The time by the clock of the events.
    pub clock: &'a dyn Fn() -> Duration,
    /// Set when all is to end, as by a signal.
    pub stop: &'a AtomicBool,
}

impl Desk<'_> {
    /// Shows the board, and hands out what it commands, until [`Command::Quit`]
    /// was handed out or `stop` is set. A command that cannot be done is answered
    /// with a sentence, which is shown.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn show<B: Backend>(
        &mut self,
        terminal: &mut Terminal<B>,
        input: &mut impl Input,
        mut act: impl FnMut(Command) -> Result<(), String>,
    ) -> Anyhow<()>
    where
        B::Error: Send + Sync + 'static,
    {
        let mut shown: Option<(u64, Instant)> = None;
        while !self.stop.load(Ordering::Relaxed) {
            self.take_events();
            for command in self.board.tick((self.clock)()) {
                let quit = command == Command::Quit;
                if let Err(sentence) = act(command) {
                    self.board.refuse(&sentence);
                }
                if quit {
                    return Ok(());
                }
            }
            let now = (self.clock)();
            let left = shown.map_or(Duration::ZERO, |(changes, at)| {
                let changed = self.board.changes() != changes || self.board.moves(now);
                let pause = if changed { PICTURE } else { CLOCK };
                pause.saturating_sub(at.elapsed())
            });
            if left.is_zero() {
                terminal.draw(|frame| draw(frame, &self.board, self.look, now))?;
                shown = Some((self.board.changes(), Instant::now()));
                continue;
            }
            self.take_keys(input, left)?;
        }
        Ok(())
    }

    /// For a short time only, so that keys have their turn.
    fn take_events(&mut self) {
        let began = Instant::now();
        while !self.board.finished && began.elapsed() < TURN {
            match self.events.try_recv() {
                Ok(event) => self.board.see_at(&event, (self.clock)()),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => self.board.finish(),
            }
        }
    }

    /// Waits for keys, but not longer than this, and not longer than until
    /// something is due.
    fn take_keys(&mut self, input: &mut impl Input, wait: Duration) -> Anyhow<()> {
        let due = self.board.next_due();
        let due = due.map(|(_, due)| due.saturating_sub((self.clock)()));
        // Events do not wake us.
        let wait = wait.min(due.unwrap_or(NEWS_YET)).min(NEWS_YET);
        let mut event = input.next(wait)?;
        for _ in 0..KEYS {
            match event {
                Some(Event::Key(key)) => self.board.key(key, (self.clock)()),
                Some(Event::Paste(text)) => self.board.paste(&text),
                Some(Event::Resize(..)) => self.board.resized(),
                Some(_) => {}
                None => break,
            }
            event = input.next(Duration::ZERO)?;
        }
        Ok(())
    }
}
