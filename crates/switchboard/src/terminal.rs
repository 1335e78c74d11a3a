//! The terminal, taken over and given back.

use std::io::{self, Stdout, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{panic, thread};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

/// Whether the terminal is taken over.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Held while a thread that has panicked says so.
static SPEAKS: Mutex<()> = Mutex::new(());

/// How long it takes to draw a picture, at most.
const LAST_PICTURE: Duration = Duration::from_millis(50);

/// The whole terminal, until it is dropped. A panic, in any thread, gives the
/// terminal back before it says what happened.
#[derive(Debug)]
pub struct Screen {
    /// What is drawn on.
    pub terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal over. `stop` is set when any thread panics.
    ///
    /// # Errors
    /// When stdout is no terminal, or is gone.
    pub fn open(stop: Arc<AtomicBool>) -> io::Result<Self> {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let _speaks = SPEAKS.lock();
            stop.store(true, Ordering::Relaxed);
            // Another thread may be drawing its last picture.
            thread::sleep(LAST_PICTURE);
            give_back();
            before(panic);
        }));
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::Relaxed);
        // From here on the terminal is given back, whatever happens.
        let terminal = execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)
            .and_then(|()| Terminal::new(CrosstermBackend::new(stdout())));
        match terminal {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A thread that has panicked is heard before the process can end.
        let _speaks = SPEAKS.lock();
        give_back();
    }
}

/// Once only: the second time, the cursor would go back to where it was, over
/// what was said since. It fails only when the terminal is gone, and then nobody
/// needs it.
fn give_back() {
    if !TAKEN.swap(false, Ordering::Relaxed) {
        return;
    }
    let _ = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}
