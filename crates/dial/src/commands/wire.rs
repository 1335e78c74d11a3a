//! `cargo dial wire`: runs programs on two hosts, with rules on the cable between.

use std::fs;
use std::time::SystemTime;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use exercise::Course;
use switchboard::Mode;
use timeline::cable::Side;
use wire::Wire;
use wire::rules::Rules;
use xray::{Program, Recording};

use crate::board;
use crate::commands::xray::{enough, programs};
use crate::files::Files;
use crate::look::Look;
use crate::screen::Screen;
use kernel::terminal;

#[derive(Args, Debug)]
pub(crate) struct WireArgs {
    #[command(flatten)]
    look: Look,

    /// What becomes of which packets, as in "syn drop once"; may be repeated
    #[arg(long = "rule", value_name = "RULE", value_parser = rules)]
    rules: Vec<Rules>,

    /// The same from a file, one rule on each line; may be repeated
    #[arg(long = "rules", value_name = "FILE", value_parser = file)]
    files: Vec<Rules>,

    /// Where chance begins: the same seed and packets have the same fate
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// A value of the kernel, for both hosts or, with HOST:, for server or client
    #[arg(long, value_name = "[HOST:]NAME=VALUE", value_parser = value)]
    set: Vec<Value>,

    /// No full screen: write line by line, as into a pipe
    #[arg(long)]
    no_screen: bool,

    /// How packets cross when the screen opens
    #[arg(long, value_enum, default_value_t)]
    mode: Start,

    /// A lesson, such as lesson-2, for its server and its client
    #[arg(conflicts_with = "programs")]
    lesson: Option<String>,

    /// The server, then :: and a client, then :: and further clients
    #[arg(
        last = true,
        required_unless_present = "lesson",
        value_name = "SERVER … :: CLIENT …"
    )]
    programs: Vec<String>,
}

/// How packets cross when the screen opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Start {
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

/// A value of the kernel, and on which host; None: on both.
#[derive(Clone, Debug)]
struct Value {
    host: Option<Side>,
    name: String,
    value: String,
}

fn rules(text: &str) -> Result<Rules, String> {
    Rules::parse(text).map_err(|error| format!("\n{error}"))
}

fn file(path: &str) -> Result<Rules, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("read {path}: {error}"))?;
    rules(&text)
}

fn value(text: &str) -> Result<Value, String> {
    let pair = text.split_once('=');
    let form = "a name, \"=\" and a value, as in client:net.ipv4.tcp_syn_retries=2";
    let (name, value) = pair.ok_or(form)?;
    let (host, name) = match name.split_once(':') {
        None => (None, name),
        Some((host, name)) => {
            let side = Side::BOTH.into_iter().find(|side| side.name() == host);
            let side = side.ok_or_else(|| format!("\"{host}\" is no host: server or client"))?;
            (Some(side), name)
        }
    };
    Ok(Value {
        host,
        name: name.to_string(),
        value: value.to_string(),
    })
}

/// Runs the programs and shows what passes between them.
pub(crate) fn run(args: &WireArgs) -> Result<()> {
    let programs = match &args.lesson {
        Some(lesson) => of_lesson(lesson)?,
        None => programs(&args.programs)?,
    };
    let files = Files::create(&args.look)?;
    let written = args.rules.iter().chain(&args.files);
    let rules = written.flat_map(Rules::iter).cloned().collect();
    let seed = args.seed.unwrap_or_else(any_seed);
    let rules = Rules::new(rules).with_seed(seed);
    // In namespaces of our own also as root, so that nothing outside can change.
    // Where they are forbidden, `Wire::new` says so, or does without.
    let _ = kernel::network::enter_private();
    let wire = Wire::new().context("no wire here")?;
    for Value { host, name, value } in &args.set {
        for side in Side::BOTH {
            if host.is_none_or(|host| host == side) {
                let set = wire.host(side).set(name, value);
                set.with_context(|| format!("on the host {}", side.name()))?;
            }
        }
    }
    let enough = enough()?;
    let on_screen = !args.no_screen && terminal::is_interactive();
    let options = xray::Watching {
        step: false,
        alone: true,
        keyboard: on_screen,
        keep: args.look.bytes.max(4096),
    };
    let told = told(&rules, seed);
    let settings = rules.settings();
    let recording = Recording::on_wire(&options, wire, rules, settings)?;
    if let Some(told) = told {
        recording.note(&told);
    }
    if on_screen {
        let look = switchboard::Look {
            colour: terminal::colour(),
            ascii: args.look.ascii,
        };
        return board::play(recording, &programs, args.mode.into(), look, files, enough);
    }
    let mut screen = Screen::new(&args.look, false, &programs, files, enough);
    let recorded = recording.play(&programs, &mut screen);
    screen.finish()?;
    recorded
}

/// The server and the client of a lesson such as `lesson-2`, which is built now.
fn of_lesson(name: &str) -> Result<Vec<(String, Program)>> {
    let number = name.strip_prefix("lesson-");
    let number = number.and_then(|number| number.parse().ok());
    let number = number.with_context(|| {
        format!("\"{name}\" is no lesson: write lesson-2, or -- and two programs")
    })?;
    let executable = Course::here()?.lesson(number)?.build()?;
    let program = |side: &str| (side.to_string(), Program::new(&executable).args([side]));
    Ok(["server", "client"].map(program).to_vec())
}

/// What is done to the packets, so that it can be done again.
fn told(rules: &Rules, seed: u64) -> Option<String> {
    let mut told: Vec<String> = rules.iter().map(ToString::to_string).collect();
    if rules.need_seed() {
        told.push(format!("--seed {seed}"));
    }
    (!told.is_empty()).then(|| format!("On the cable: {}", told.join("; ")))
}

/// Short, so that it can be typed.
fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::from(now.unwrap_or_default().subsec_nanos()) / 7 % 100_000
}
