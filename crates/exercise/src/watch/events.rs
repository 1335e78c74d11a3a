//! What can happen while somebody watches: a save, a key, Ctrl-C.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use notify::{EventKind, RecursiveMode, Watcher};

use super::keys::Keys;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Something in the folder was touched. Whether it was saved, the files tell.
    Touched,
    /// Enter.
    Again,
    /// h
    Hint,
    /// q or Ctrl-C.
    Quit,
}

/// Editors save in several steps. This long after the last one they are done.
const SETTLED: Duration = Duration::from_millis(40);

/// All of them, in the order in which they happened.
pub(super) struct Events {
    queue: Receiver<Event>,
    // Both end when they are dropped.
    _watcher: notify::RecommendedWatcher,
    _keys: Option<Keys>,
}

impl Events {
    pub(super) fn start(folder: &Path, keys: bool) -> Result<Self> {
        let (send, queue) = mpsc::channel();
        let touched = send.clone();
        let noticed = move |event: notify::Result<notify::Event>| {
            // To read a file is not to save it.
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                let _ = touched.send(Event::Touched);
            }
        };
        let subject = || format!("watch {}", folder.display());
        let mut watcher = notify::recommended_watcher(noticed).with_context(subject)?;
        let watched = watcher.watch(folder, RecursiveMode::Recursive);
        watched.with_context(subject)?;
        let quit = send.clone();
        ctrlc::set_handler(move || _ = quit.send(Event::Quit)).context("handle Ctrl-C")?;
        let pressed = move |key| event_of(key).is_none_or(|event| send.send(event).is_ok());
        let keys = keys.then(|| Keys::start(pressed)).transpose()?;
        Ok(Self {
            queue,
            _watcher: watcher,
            _keys: keys,
        })
    }

    /// The next one, if it comes within this time.
    pub(super) fn within(&self, time: Duration) -> Option<Event> {
        match self.queue.recv_timeout(time) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            // The watcher holds a sender as long as we live.
            Err(RecvTimeoutError::Disconnected) => Some(Event::Quit),
        }
    }

    /// The next one, whenever it comes.
    pub(super) fn next(&self) -> Event {
        self.queue.recv().unwrap_or(Event::Quit)
    }

    /// Waits until nothing more is touched; anything else ends the wait at once.
    pub(super) fn settle(&self) -> Option<Event> {
        let mut end = Instant::now() + SETTLED;
        loop {
            match self.within(end.saturating_duration_since(Instant::now())) {
                Some(Event::Touched) => end = Instant::now() + SETTLED,
                other => return other,
            }
        }
    }
}

/// None for a key that means nothing. Without a terminal nobody is there any more.
fn event_of(key: Option<u8>) -> Option<Event> {
    match key {
        Some(b'\n' | b'\r') => Some(Event::Again),
        Some(b'h' | b'H') => Some(Event::Hint),
        Some(b'q' | b'Q') | None => Some(Event::Quit),
        Some(_) => None,
    }
}
