//! The terminal on which a run is seen line by line, and the files beside it.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use timeline::{Event, Kind, Place, Timeline};
use views::ladder::Ladder;
use xray::{Audience, Program};

use crate::files::Files;
use crate::look::Look;

/// The page is brought up to date at least so often.
const REFRESH: Duration = Duration::from_millis(10);

/// The terminal, on which the ladder grows, and the files.
pub(crate) struct Screen {
    ladder: Ladder,
    /// The names above the columns. They are drawn with the first event, which is
    /// that a program has started.
    header: Option<String>,
    /// The lanes whose last call is not drawn itself: nobody is asked about it.
    folded: HashSet<String>,
    /// What is drawn and not yet written, and when that was done last.
    page: String,
    written: Instant,
    files: Files,
    /// A message for each Enter; None where nobody is asked.
    keys: Option<Receiver<()>>,
    enough: Arc<AtomicBool>,
}

impl Screen {
    pub(crate) fn new(
        look: &Look,
        step: bool,
        programs: &[(String, Program)],
        files: Files,
        enough: Arc<AtomicBool>,
    ) -> Self {
        let ladder = Ladder::new(look.style());
        let names: Vec<&str> = programs.iter().map(|(name, _)| name.as_str()).collect();
        let header = Some(ladder.header(&names));
        let asked = step && io::stdin().is_terminal();
        Self {
            ladder,
            header,
            folded: HashSet::new(),
            page: String::new(),
            written: Instant::now(),
            files,
            keys: asked.then(enter_keys),
            enough,
        }
    }

    /// Ends the files.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.files.finish()
    }

    /// Waits for Enter; false when something else has ended the waiting.
    fn is_answered(&mut self) -> bool {
        // In turns, so that Ctrl-C ends the waiting, too.
        while let Some(keys) = &self.keys
            && !self.enough.load(Ordering::Relaxed)
        {
            match keys.recv_timeout(Duration::from_millis(50)) {
                Ok(()) => return true,
                Err(RecvTimeoutError::Timeout) => {}
                // Ctrl-D: nobody wants to be asked any more.
                Err(RecvTimeoutError::Disconnected) => self.keys = None,
            }
        }
        false
    }

    fn print(&mut self, text: &str) -> Result<()> {
        self.page.push_str(text);
        self.refresh()
    }

    fn refresh(&mut self) -> Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(self.page.as_bytes())?;
        self.page.clear();
        self.written = Instant::now();
        Ok(stdout.flush()?)
    }
}

impl Audience for Screen {
    fn begins(&mut self, start: Duration) -> Result<()> {
        self.files.begin(start)
    }

    fn see(&mut self, timeline: &Timeline, event: &Event, next: Option<&Event>) -> Result<()> {
        self.files.event(timeline, event, next)?;
        self.page += &self.header.take().unwrap_or_default();
        let text = self.ladder.draw(event, next);
        if let (Kind::Call(call), Place::Actor(actor)) = (&event.kind, event.place) {
            let lane = timeline.lane(actor);
            self.folded.remove(lane);
            if self.ladder.folds(call.id) {
                self.folded.insert(lane.to_string());
            }
        }
        self.page.push_str(&text);
        // What comes close together is written together.
        if next.is_none() || self.written.elapsed() > REFRESH {
            self.refresh()?;
        }
        Ok(())
    }

    fn go_on(&mut self, lane: &str) -> Result<()> {
        let Some(keys) = &self.keys else {
            return Ok(());
        };
        if self.folded.contains(lane) {
            return Ok(());
        }
        // Whoever pressed Enter before has not seen this question.
        while keys.try_recv().is_ok() {}
        self.print(&format!(
            "         [Enter] {lane} is about to make this call "
        ))?;
        if !self.is_answered() {
            // No Enter has ended the row.
            self.print("\n")?;
        }
        Ok(())
    }

    fn enough(&self) -> bool {
        self.enough.load(Ordering::Relaxed)
    }
}

/// The thread ends with the process: a read of the terminal cannot be called off.
fn enter_keys() -> Receiver<()> {
    let (pressed, keys) = mpsc::channel();
    thread::spawn(move || {
        for _ in io::stdin().lines().map_while(Result::ok) {
            if pressed.send(()).is_err() {
                return;
            }
        }
    });
    keys
}
