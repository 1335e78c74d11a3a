//! Single keys, without Enter, where the system allows it.

use std::io::Read;
use std::sync::mpsc::Sender;
use std::thread;

use anyhow::Result;

use super::events::Event;

/// The terminal gives each key at once, and does not show it. When this is
/// dropped it is as before.
pub(super) struct Keys {
    #[cfg(unix)]
    before: rustix::termios::Termios,
}

impl Keys {
    #[cfg(unix)]
    pub(super) fn start(events: Sender<Event>) -> Result<Self> {
        use anyhow::Context;
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).context("ask for the settings of the terminal")?;
        let mut settings = before.clone();
        // Ctrl-C stays a signal, and output stays as it is.
        settings.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        tcsetattr(&stdin, OptionalActions::Now, &settings).context("set up the terminal")?;
        thread::spawn(move || read(&events));
        Ok(Self { before })
    }

    /// Here a key is taken with the Enter after it.
    #[cfg(not(unix))]
    pub(super) fn start(events: Sender<Event>) -> Result<Self> {
        thread::spawn(move || read(&events));
        Ok(Self {})
    }
}

#[cfg(unix)]
impl Drop for Keys {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // When the terminal is gone there is nothing to restore.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}

fn read(events: &Sender<Event>) {
    for key in std::io::stdin().lock().bytes() {
        let event = match key {
            Ok(b'\n' | b'\r') => Event::Again,
            Ok(b'h' | b'H') => Event::Hint,
            Ok(b'q' | b'Q') | Err(_) => Event::Quit,
            Ok(_) => continue,
        };
        if events.send(event).is_err() {
            return;
        }
    }
    // The terminal is gone.
    let _ = events.send(Event::Quit);
}
