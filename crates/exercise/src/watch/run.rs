//! A program with all that it starts, which can be ended at any time.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How long a program and its children may take to end.
const LAST: Duration = Duration::from_secs(1);

/// It is the first of a process group of its own: so Ctrl-C reaches us alone,
/// and we end it and its children together.
pub(super) struct Run {
    child: Child,
    output: Option<JoinHandle<io::Result<Vec<u8>>>>,
    errors: Option<JoinHandle<io::Result<Vec<u8>>>>,
}

impl Run {
    /// With `captured`, what it writes is kept; otherwise it is seen at once.
    pub(super) fn start(mut command: Command, captured: bool) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null());
        if captured {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().with_context(|| format!("start {name}"))?;
        let output = child.stdout.take().map(read_all);
        let errors = child.stderr.take().map(read_all);
        Ok(Self {
            child,
            output,
            errors,
        })
    }

    /// Its status, when it has ended.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("wait for a program")
    }

    /// What it wrote to stdout and stderr, if that was kept.
    pub(super) fn wrote(&mut self) -> (Vec<u8>, String) {
        let all = |thread: &mut Option<JoinHandle<_>>| {
            let read = thread.take().and_then(|thread| thread.join().ok());
            read.and_then(io::Result::ok).unwrap_or_default()
        };
        let errors = all(&mut self.errors);
        let errors = String::from_utf8_lossy(&errors).into_owned();
        (all(&mut self.output), errors)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        #[cfg(unix)]
        if let Some(pid) = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            use rustix::process::{Signal, kill_process_group, test_kill_process_group};
            // Checks clear away what they have made. Each of these calls fails when
            // all of the group have ended.
            let _ = kill_process_group(pid, Signal::TERM);
            let late = Instant::now() + LAST;
            while test_kill_process_group(pid).is_ok() && Instant::now() < late {
                // Our own child stays in the group until it is waited for.
                let _ = self.child.try_wait();
                thread::sleep(Duration::from_millis(1));
            }
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_all(mut pipe: impl Read + Send + 'static) -> JoinHandle<io::Result<Vec<u8>>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        pipe.read_to_end(&mut all).map(|_| all)
    })
}
