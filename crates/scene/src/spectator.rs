use std::io::{self, BufRead, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use timeline::{Event, Kind, Timeline};
use views::ladder::{Ladder, Style};
use views::text::{Columns, Paper};

use crate::focus::Focus;
use crate::options::{Options, Speed};

/// The person before whom a scene is played: sees each event at once, and says
/// when it goes on.
pub(crate) struct Spectator {
    page: Page,
    step: bool,
    pause: Duration,
}

/// What programs say, or the X-ray.
enum Page {
    Columns(Columns),
    Ladder(Box<Ladder>),
}

impl Spectator {
    pub(crate) fn new(options: &Options, observed: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let colour = !options.plain && kernel::terminal::colour();
        // The paper has decided; the library is not to decide again.
        colored::control::set_override(colour);
        let paper = Paper {
            width: kernel::terminal::width(),
            colour,
            ascii: options.plain,
        };
        // A pause is for somebody who reads along, and who could press a key.
        let keyboard = io::stdin().is_terminal();
        let usual = if terminal && keyboard {
            Speed::Normal
        } else {
            Speed::Fast
        };
        let page = if observed {
            Page::Ladder(Box::new(Ladder::new(Style {
                bytes: 16,
                inquiries: false,
                ..Style::on(paper)
            })))
        } else {
            Page::Columns(Columns::new(paper))
        };
        Self {
            page,
            step: options.step && keyboard,
            pause: options.speed.unwrap_or(usual).pause(),
        }
    }

    /// From here on this is shown of the X-ray.
    pub(crate) fn focus(&mut self, focus: Focus) {
        if let Page::Ladder(ladder) = &mut self.page {
            ladder.show(focus.only());
        }
    }

    pub(crate) fn see(
        &mut self,
        timeline: &Timeline,
        event: &Event,
        next: Option<&Event>,
    ) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        let text = match &mut self.page {
            Page::Columns(columns) => columns.draw(timeline, event),
            Page::Ladder(ladder) => ladder.draw(event, next),
        };
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
        match event.kind {
            Kind::Beat if self.step => wait_for_enter(&mut stdout),
            Kind::Beat => {
                thread::sleep(self.pause);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The prompt goes away again, so that the screen shows the scene alone.
fn wait_for_enter(stdout: &mut impl Write) -> io::Result<()> {
    write!(stdout, "\n  [Enter] ")?;
    stdout.flush()?;
    let typed = io::stdin().lock().skip_until(b'\n')?;
    if kernel::terminal::moves() {
        // Up to the prompt, clear it, and up over the empty row before it. Ctrl-D
        // leaves the cursor behind the prompt.
        let to_the_prompt = if typed == 0 { "\r" } else { "\x1b[1A" };
        write!(stdout, "{to_the_prompt}\x1b[2K\x1b[1A")?;
    }
    stdout.flush()
}
