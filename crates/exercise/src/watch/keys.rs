//! Single keys, without Enter, where the system allows it.

use std::io::Read;
use std::thread;

use anyhow::Result;

/// The terminal gives each key at once, and does not show it. When this is
/// dropped it is as before.
pub(super) struct Keys {
    #[cfg(unix)]
    before: rustix::termios::Termios,
}

impl Keys {
    /// Hands out each key, and None when the terminal is gone; until nobody wants
    /// them any more, which is false.
    #[cfg(unix)]
    pub(super) fn start(pressed: impl Fn(Option<u8>) -> bool + Send + 'static) -> Result<Self> {
        use anyhow::Context;
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).context("ask for the settings of the terminal")?;
        let mut settings = before.clone();
        // Ctrl-C stays a signal, and output stays as it is.
        settings.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        tcsetattr(&stdin, OptionalActions::Now, &settings).context("set up the terminal")?;
        thread::spawn(move || read(pressed));
        Ok(Self { before })
    }

    /// Here a key is taken with the Enter after it.
    #[cfg(not(unix))]
    pub(super) fn start(pressed: impl Fn(Option<u8>) -> bool + Send + 'static) -> Result<Self> {
        thread::spawn(move || read(pressed));
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

fn read(pressed: impl Fn(Option<u8>) -> bool) {
    let keys = std::io::stdin().lock().bytes();
    for key in keys.map_while(Result::ok) {
        if !pressed(Some(key)) {
            return;
        }
    }
    pressed(None);
}
