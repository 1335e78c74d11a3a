//! The board before a wire: what happens goes to it, and what it commands is done.

use std::io::Write;
use std::process::ChildStdin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use switchboard::{Board, Command, Console, Look, Mode};
use timeline::cable::Line;
use timeline::{Event, Kind, Timeline};
use wire::CableControl;
use wire::rules::CableSetting;
use xray::{Audience, Program, Recording};

use crate::files::Files;
use crate::paper;

/// The standard input of the client program, until it is closed.
type Input = Arc<Mutex<Option<ChildStdin>>>;

/// Runs the programs before the board, until the person leaves.
pub(crate) fn play(
    recording: Recording,
    programs: &[(String, Program)],
    mode: Mode,
    look: Look,
    files: Files,
    enough: Arc<AtomicBool>,
) -> Result<()> {
    let control = recording.cable().cloned().context("find the cable")?;
    // Before any packet comes.
    control.hold(mode != Mode::Run);
    let board = Board::new(mode, control.settings().lines, look.ascii);
    let input = Input::default();
    let operator = Operator {
        control,
        input: Arc::clone(&input),
        note: Box::new(recording.notes()),
    };
    let act = move |command| operator.act(command);
    let began = recording.start();
    let mut watcher = Watcher {
        board: Console::open(board, look, began, Arc::clone(&enough), act)?,
        files,
        last: String::new(),
        input,
        enough: Arc::clone(&enough),
    };
    let recorded = recording.play(programs, &mut watcher);
    if recorded.is_err() {
        enough.store(true, Ordering::Relaxed);
    }
    let shown = watcher.board.close();
    watcher.files.finish()?;
    recorded?;
    shown?;
    // What is left on the terminal when the screen is closed.
    paper::print(&format!("{}\n", paper::wrap(&watcher.last, 0)))
}

/// Hands all that happens to the board and to the files.
struct Watcher {
    board: Console,
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
        self.board.see(event);
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
        let ready = kernel::file::set_nonblocking(&input);
        *lock(&self.input) = ready.is_ok().then_some(input);
    }
}

/// Does what the board commands.
struct Operator {
    control: CableControl,
    input: Input,
    /// Puts what was done into the timeline, where the cable does not do it.
    note: Box<dyn Fn(&str) + Send>,
}

impl Operator {
    fn act(&self, command: Command) -> Result<(), String> {
        let control = &self.control;
        match command {
            Command::Decide(frame, action) => control.decide(frame, action),
            Command::Hold(hold) => control.hold(hold),
            Command::Cut(cut) => control.cut(cut),
            Command::Latency(latency) => {
                let told = CableSetting::Latency(latency).to_string();
                self.set(&told, move |line| line.latency = latency);
            }
            Command::Loss(loss) => {
                let told = CableSetting::Loss(loss).to_string();
                self.set(&told, move |line| line.loss = loss);
            }
            Command::Rate(rate) => {
                let told = rate.map(|rate| CableSetting::Rate(rate).to_string());
                let told = told.unwrap_or("no limit of the rate".to_string());
                self.set(&told, move |line| line.rate = rate);
            }
            Command::Say(line) => return self.say(&line),
            Command::EndOfInput => {
                drop(lock(&self.input).take());
                (self.note)("the client's input ends, by hand");
            }
            // The board ends by itself, and with it all.
            Command::Quit => {}
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

fn lock(input: &Input) -> MutexGuard<'_, Option<ChildStdin>> {
    input.lock().unwrap_or_else(PoisonError::into_inner)
}
