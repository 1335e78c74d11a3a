//! The board of the wire: one thread records, another one has the terminal.

use std::io::{self, IsTerminal, Write};
use std::process::ChildStdin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::files::Files;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use scene::Program;
use scene::xray::{Audience, Recording};
use switchboard::{Board, Command, Desk, Keyboard, Look, Mode, Screen};
use timeline::cable::Line;
use timeline::{Event, Kind, Timeline};
use wire::Control;
use wire::rules::Setting;

/// Events that the board has not seen yet. When there are more, the recording
/// waits.
const UNSEEN: usize = 10_000;

/// How long the screen may take to close.
const PATIENCE: Duration = Duration::from_secs(2);

/// How packets cross when the screen opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Start {
    /// At once
    Run,
    /// Each takes a second, and can be caught on its way
    #[default]
    Slow,
    /// Each waits for a key
    Step,
}

impl From<Start> for Mode {
    fn from(start: Start) -> Self {
        match start {
            Start::Run => Mode::Run,
            Start::Slow => Mode::Slow,
            Start::Step => Mode::Step,
        }
    }
}

/// Whether there is a keyboard and a screen.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The standard input of the client program, until it is closed.
type Input = Arc<Mutex<Option<ChildStdin>>>;

/// Runs the programs before the board, until the person leaves.
pub(crate) fn play(
    recording: Recording,
    programs: &[(String, Program)],
    start: Start,
    look: Look,
    files: Files,
    enough: Arc<AtomicBool>,
) -> Result<()> {
    let control = recording.cable().cloned().context("find the cable")?;
    // Before any packet comes.
    control.hold(start != Start::Run);
    let (sender, events) = mpsc::sync_channel(UNSEEN);
    let input = Input::default();
    let operator = Operator {
        control,
        input: Arc::clone(&input),
        note: Box::new(recording.notes()),
        began: recording.start(),
        stop: Arc::clone(&enough),
    };
    let screen = Screen::open(Arc::clone(&enough)).context("take the terminal over")?;
    let mut watcher = Watcher {
        events: sender,
        files,
        last: String::new(),
        input,
        enough: Arc::clone(&enough),
    };
    let (done, shown) = mpsc::channel();
    thread::spawn(move || {
        let shown = operator.work(screen, events, start.into(), look);
        operator.stop.store(true, Ordering::Relaxed);
        // It fails when nobody waits for us any more.
        let _ = done.send(shown);
    });
    let recorded = recording.play(programs, &mut watcher);
    if recorded.is_err() {
        enough.store(true, Ordering::Relaxed);
    }
    let Watcher {
        mut files, last, ..
    } = watcher;
    // From a terminal that is gone, the thread may not come back.
    let shown = loop {
        match shown.recv_timeout(PATIENCE) {
            Err(RecvTimeoutError::Timeout) if !enough.load(Ordering::Relaxed) => {}
            Err(_) => bail!("the screen does not come back"),
            Ok(shown) => break shown,
        }
    };
    files.finish()?;
    recorded?;
    shown.context("show the board")?;
    // What is left on the terminal when the screen is closed.
    crate::paper::print(&format!("{}\n", crate::paper::wrap(&last, 0)))
}

/// Hands all that happens to the board and to the files.
struct Watcher {
    events: SyncSender<Event>,
    files: Files,
    /// What was noted last: how many packets came.
    last: String,
    input: Input,
    enough: Arc<AtomicBool>,
}

impl Audience for Watcher {
    fn begins(&mut self, start: Duration) -> Result<()> {
        self.files.begin(start)
    }

    fn see(&mut self, timeline: &Timeline, event: &Event, next: Option<&Event>) -> Result<()> {
        self.files.event(timeline, event, next)?;
        if let Kind::Note(text) = &event.kind {
            self.last.clone_from(text);
        }
        // It fails when the board is closed; what comes now is recorded all the same.
        let _ = self.events.send(event.clone());
        Ok(())
    }

    fn go_on(&mut self, _: &str) -> Result<()> {
        Ok(())
    }

    fn enough(&self) -> bool {
        self.enough.load(Ordering::Relaxed)
    }

    fn input_of_last(&mut self, input: ChildStdin) {
        // A program that reads nothing must not stop the board.
        let ready = sources::output::set_nonblocking(&input);
        *lock(&self.input) = ready.is_ok().then_some(input);
    }
}

/// Does what the board commands.
struct Operator {
    control: Control,
    input: Input,
    /// Puts what was done into the timeline, where the cable does not do it.
    note: Box<dyn Fn(&str) + Send>,
    /// When the timeline begins, since 1970.
    began: Duration,
    stop: Arc<AtomicBool>,
}

impl Operator {
    fn work(
        &self,
        mut screen: Screen,
        events: Receiver<Event>,
        mode: Mode,
        look: Look,
    ) -> Result<()> {
        let clock = || {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            now.unwrap_or_default().saturating_sub(self.began)
        };
        let lines = self.control.settings().lines;
        let mut desk = Desk {
            board: Board::new(mode, lines, look.ascii),
            look,
            events,
            clock: &clock,
            stop: &self.stop,
        };
        let act = |command| self.act(command);
        desk.show(&mut screen.terminal, &mut Keyboard, act)
    }

    fn act(&self, command: Command) -> Result<(), String> {
        let control = &self.control;
        match command {
            Command::Decide(frame, verdict) => control.decide(frame, verdict),
            Command::Hold(hold) => control.hold(hold),
            Command::Cut(cut) => control.cut(cut),
            Command::Latency(latency) => {
                let told = Setting::Latency(latency).to_string();
                self.set(&told, move |line| line.latency = latency);
            }
            Command::Loss(loss) => {
                let told = Setting::Loss(loss).to_string();
                self.set(&told, move |line| line.loss = loss);
            }
            Command::Rate(rate) => {
                let told = rate.map(|rate| Setting::Rate(rate).to_string());
                let told = told.unwrap_or("no limit of the rate".to_string());
                self.set(&told, move |line| line.rate = rate);
            }
            Command::Say(line) => return self.say(&line),
            Command::EndOfInput => {
                drop(lock(&self.input).take());
                (self.note)("the client's input ends, by hand");
            }
            Command::Quit => self.stop.store(true, Ordering::Relaxed),
        }
        Ok(())
    }

    /// Changes the cable in both directions.
    fn set(&self, what: &str, set: impl Fn(&mut Line) + Send + 'static) {
        self.control.change(move |settings| settings.both(&set));
        (self.note)(&format!("the cable is set by hand: {what}"));
    }

    fn say(&self, line: &str) -> Result<(), String> {
        let mut input = lock(&self.input);
        let pipe = input.as_mut();
        let pipe = pipe.ok_or("the client's input has ended already")?;
        let written = pipe.write_all(format!("{line}\n").as_bytes());
        written.map_err(|error| format!("write to the client's input: {error}"))?;
        (self.note)(&format!("typed to the client: {line}"));
        Ok(())
    }
}

fn lock(input: &Input) -> std::sync::MutexGuard<'_, Option<ChildStdin>> {
    input.lock().unwrap_or_else(PoisonError::into_inner)
}
