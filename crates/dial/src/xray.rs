//! `cargo dial xray`: runs programs and shows all that passes between them.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use scene::Program;
use scene::xray::{self, Audience};
use timeline::{Event, Kind, Place, Timeline};
use views::ladder::Ladder;

use crate::files::Files;
use crate::look::Look;

/// The page is brought up to date at least so often.
const REFRESH: Duration = Duration::from_millis(10);

#[derive(Args, Debug)]
pub(crate) struct XrayArgs {
    #[command(flatten)]
    look: Look,

    /// Both programs stop before each socket call and go on at Enter; after Ctrl-D
    /// nobody is asked any more
    #[arg(long)]
    step: bool,

    /// On the machine's own loopback instead of a network of their own
    #[arg(long)]
    here: bool,

    /// The server, then :: and a client, then :: and further clients
    #[arg(last = true, required = true, value_name = "SERVER … :: CLIENT …")]
    programs: Vec<String>,
}

/// Runs the programs and shows what passes between them.
pub(crate) fn run(args: &XrayArgs) -> Result<()> {
    let programs = programs(&args.programs)?;
    let files = Files::create(&args.look)?;
    let alone = !args.here && enter_private_network();
    let enough = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&enough);
    ctrlc::set_handler(move || stop.store(true, Ordering::Relaxed)).context("catch Ctrl-C")?;
    let mut screen = Screen::new(&args.look, args.step, &programs, files, enough);
    let options = xray::Options {
        step: args.step,
        alone,
        keyboard: false,
        keep: args.look.bytes.max(4096),
    };
    let recorded = xray::record(&programs, &options, &mut screen);
    screen.finish()?;
    recorded
}

/// `SERVER … :: CLIENT … :: CLIENT …`, each with a name for its lane.
pub(crate) fn programs(words: &[String]) -> Result<Vec<(String, Program)>> {
    let sides: Vec<&[String]> = words.split(|word| word == "::").collect();
    let count = sides.len();
    let mut programs = Vec::new();
    for (index, side) in sides.into_iter().enumerate() {
        let Some((executable, args)) = side.split_first() else {
            bail!("\"::\" stands between two programs, and one of them is missing");
        };
        let name = match (index, count) {
            (_, 1) => "program".to_string(),
            (0, _) => "server".to_string(),
            (_, 2) => "client".to_string(),
            _ => format!("client{index}"),
        };
        scene::find(executable).with_context(|| format!("start {executable}"))?;
        programs.push((name, Program::new(executable).args(args)));
    }
    Ok(programs)
}

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
        let text = self.ladder.draw(timeline, event, next);
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

/// Whether it was possible; where it was not, the reason is said.
fn enter_private_network() -> bool {
    let entered = sources::network::enter_private();
    if let Err(error) = &entered {
        eprintln!(
            "no network of their own: {}; going on with the machine's loopback, where packets \
             are seen by root alone: see \"cargo dial doctor\"",
            error.to_string().to_lowercase()
        );
    }
    entered.is_ok()
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
