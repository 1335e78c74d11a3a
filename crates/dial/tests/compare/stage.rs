//! Where programs are run under observation: networks of their own.

use std::fs;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use timeline::Timeline;

use super::line::KEEP;
use super::packets::{Connections, captured};
use super::strace::TRACED;
use crate::said::Said;

const BESIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compare/beside.sh");
const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compare/programs");

const PATIENCE: Duration = Duration::from_secs(20);
/// How long a server may go on when its client has ended.
const GRACE: Duration = Duration::from_secs(1);

/// What the X-ray records, and what tcpdump captures beside it.
pub struct Recorded {
    pub timeline: Timeline,
    /// What tshark reads in the X-ray's .pcapng.
    pub exported: (Connections, Vec<f64>),
    /// What tshark reads in tcpdump's file.
    pub captured: (Connections, Vec<f64>),
}

pub fn xray(programs: &[Vec<String>]) -> Recorded {
    let folder = tempfile::tempdir().expect("there is room");
    let record = folder.path().join("record.jsonl");
    let export = folder.path().join("record.pcapng");
    let packets = folder.path().join("packets.pcap");
    let mut dial = Command::new("timeout");
    dial.args(["60", "sh", BESIDE]).arg(&packets);
    dial.arg(env!("CARGO_BIN_EXE_dial"));
    dial.args(["xray", "--here", "--out"]).arg(&record);
    dial.arg("--out").arg(&export);
    for (index, words) in programs.iter().enumerate() {
        dial.arg(if index == 0 { "--" } else { "::" }).args(words);
    }
    at_home(&mut dial, folder.path());
    Said::by(&mut dial).ended_with(0);
    let timeline = views::json::read(fs::read(record).unwrap()).unwrap();
    let mut captured = captured(&packets);
    // The last packet alone has this address.
    let last = IpAddr::from([127, 0, 0, 2]);
    let (packets, times) = &mut captured;
    packets.retain(|(one, other), _| one.ip() != last && other.ip() != last);
    // It, and the error that answers it.
    let count: usize = packets.values().map(Vec::len).sum();
    times.truncate(count);
    Recorded {
        timeline,
        exported: super::packets::captured(&export),
        captured,
    }
}

/// The home is empty: a shell script that stands before a program finds nothing
/// to do in it.
fn at_home(command: &mut Command, folder: &Path) {
    command
        .env("HOME", folder)
        .env("TALK", folder.join("talk"))
        .current_dir(folder)
        .stdin(Stdio::null());
}

/// A network that exists as long as the one who holds it.
pub struct Network {
    holder: Child,
    /// For the files of the programs.
    folder: TempDir,
}

impl Network {
    pub fn new() -> Self {
        let script = "ip link set lo mtu 1500 up && echo ready && cat";
        let holder = Command::new("unshare")
            .args(["-rn", "sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut holder = holder.expect("unshare is installed");
        assert_eq!(first_line(&mut holder), "ready");
        let folder = tempfile::tempdir().expect("there is room");
        Self { holder, folder }
    }

    /// The process of the command becomes the program.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--preserve-credentials", "-U", "-n", "-t"])
            .arg(self.holder.id().to_string())
            .arg(program);
        at_home(&mut command, self.folder.path());
        command
    }

    /// The folders into which strace has written, one for each program.
    pub fn strace(&self, programs: &[Vec<String>]) -> Vec<TempDir> {
        let mut running = Vec::new();
        for (index, words) in programs.iter().enumerate() {
            let mut traced = Traced::start(self, words);
            if index + 1 < programs.len() {
                traced.listens();
            }
            running.push(traced);
        }
        // The last is the client and ends by itself; a server perhaps not.
        let mut at_most = PATIENCE;
        for traced in running.iter_mut().rev() {
            traced.finish(at_most);
            at_most = GRACE;
        }
        running.into_iter().map(|traced| traced.folder).collect()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

struct Traced {
    /// The program itself: strace is beside it.
    program: Child,
    /// It ends when strace ends.
    stderr: ChildStderr,
    folder: TempDir,
}

impl Traced {
    fn start(network: &Network, words: &[String]) -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        let mut command = network.command("strace");
        command.args(["-D", "-ff", "-y", "-e", "signal=none", "-e", TRACED]);
        command.args(["-s", &KEEP.to_string(), "-o"]);
        command.arg(folder.path().join("task")).args(words);
        // The X-ray does so too.
        command.env("PYTHONUNBUFFERED", "1");
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = command.spawn().expect("strace is installed");
        let stderr = program.stderr.take().unwrap();
        Self {
            program,
            stderr,
            folder,
        }
    }

    /// It says so on its first line.
    fn listens(&mut self) {
        let line = first_line(&mut self.program);
        let says_so = line.starts_with("listening") || line.starts_with("bound");
        assert!(says_so, "{line:?}");
    }

    /// Waits for its end, and ends it when that takes too long.
    fn finish(&mut self, at_most: Duration) {
        let deadline = Instant::now() + at_most;
        while self.program.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                self.program.kill().unwrap();
            }
            thread::sleep(Duration::from_millis(1));
        }
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
    }
}

/// Byte by byte: what follows stays in the pipe.
fn first_line(child: &mut Child) -> String {
    let pipe = child.stdout.as_mut().expect("a pipe");
    let mut line = Vec::new();
    let mut byte = [0];
    while pipe.read(&mut byte).expect("it can be read") == 1 && byte != [b'\n'] {
        line.extend(byte);
    }
    String::from_utf8_lossy(&line).into_owned()
}

fn words(program: &str, args: &[&str]) -> Vec<String> {
    let all = [program].into_iter().chain(args.iter().copied());
    all.map(str::to_string).collect()
}

/// By a Python that is no shell script.
fn python_file(file: &str, args: &[&str]) -> Vec<String> {
    words(exercise::python(), &[&[file], args].concat())
}

/// One of our programs.
pub fn python(name: &str, args: &[&str]) -> Vec<String> {
    python_file(&format!("{PROGRAMS}/{name}.py"), args)
}

/// One of the programs with which the tracer is tested.
pub fn talk(name: &str) -> Vec<String> {
    let talks = "../../../../sources/tests/calls/talks";
    python_file(&format!("{PROGRAMS}/{talks}/{name}.py"), &[])
}

/// One of our C programs, compiled into the folder.
pub fn compiled(folder: &Path, name: &str) -> String {
    let program = folder.join(name);
    let source = format!("{PROGRAMS}/{name}.c");
    let mut cc = Command::new("cc");
    Said::by(cc.arg("-o").arg(&program).arg(source)).ended_with(0);
    program.to_string_lossy().into_owned()
}

/// One side of a lesson: its program stands beside that of the command line.
pub fn lesson(number: &str, side: &str, args: &[&str]) -> Vec<String> {
    let dial = Path::new(env!("CARGO_BIN_EXE_dial"));
    let program = dial.with_file_name(format!("lesson-{number}-{side}"));
    let way_out = "build it first: cargo build --workspace --bins";
    let name = program.to_str().unwrap();
    assert!(program.exists(), "{name} is missing; {way_out}");
    words(name, args)
}
