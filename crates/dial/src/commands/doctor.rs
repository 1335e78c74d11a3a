//! What this machine offers, and what follows from it.

use std::fmt::Write;
use std::io::{self, ErrorKind};
use std::process::{Command, Stdio};

use colored::Colorize;
use kernel::probe;

use crate::paper::wrap;

/// One thing that was tried.
struct Finding {
    name: &'static str,
    /// What works with it, or the error.
    result: Result<&'static str, String>,
    /// What follows when it is missing, and the way out.
    otherwise: String,
}

pub(crate) fn run() -> String {
    let mut text = format!(
        "This machine: {} on {}\n\n",
        system(),
        std::env::consts::ARCH
    );
    for Finding {
        name,
        result,
        otherwise,
    } in findings()
    {
        let (mark, what) = match &result {
            Ok(good) => ("yes".green(), *good),
            Err(error) => ("no ".yellow(), error.as_str()),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<16}{mark}  {what}");
        if result.is_err() {
            let _ = writeln!(text, "{}", wrap(&otherwise, 7));
        }
    }
    text
}

impl Finding {
    /// `otherwise` is what follows from the error.
    fn new(
        name: &'static str,
        tried: io::Result<()>,
        good: &'static str,
        otherwise: impl FnOnce(&io::Error) -> String,
    ) -> Self {
        Self {
            name,
            otherwise: tried.as_ref().err().map(otherwise).unwrap_or_default(),
            result: tried
                .map(|()| good)
                .map_err(|error| error.to_string().to_lowercase()),
        }
    }
}

fn findings() -> Vec<Finding> {
    let always = |text: &'static str| move |_: &io::Error| text.to_string();
    vec![
        Finding::new(
            "loopback IPv4",
            probe::loopback_v4(),
            "127.0.0.1 can be called: all lessons run",
            always(
                "No lesson can run without it. Is the interface lo up? See \"ip address show lo\".",
            ),
        ),
        Finding::new(
            "loopback IPv6",
            probe::loopback_v6(),
            "[::1] can be called: --addr '[::1]:0' works",
            always("The lessons run on IPv4. Only --addr with an IPv6 address fails."),
        ),
        Finding::new(
            "own network",
            probe::private_network(),
            "namespaces for network and user, without root",
            advice_for_namespaces,
        ),
        wire(),
        Finding::new(
            "call tracing",
            probe::tracing(),
            "ptrace of programs that we start ourselves",
            advice_for_tracing,
        ),
        Finding::new(
            "python3",
            starts("python3", "--version"),
            "the tests with Python programs can run",
            always("The tests that need it stay ignored. Everything else works."),
        ),
        Finding::new(
            "tmux",
            starts("tmux", "-V"),
            "scripts/classroom.sh can show both sides at once",
            always("scripts/classroom.sh needs it. Two terminals do as well."),
        ),
    ]
}

/// Two hosts and a cable, made and taken away again.
#[cfg(target_os = "linux")]
fn wire() -> Finding {
    let made = wire::Wire::new();
    Finding {
        name: "wire",
        otherwise: made
            .as_ref()
            .err()
            .map(|refused| format!("There is no \"cargo dial wire\". {}", refused.advice()))
            .unwrap_or_default(),
        result: match made {
            Ok(_) => Ok("two hosts, and a cable that loses packets at will"),
            Err(refused) => Err(refused.error().to_string().to_lowercase()),
        },
    }
}

#[cfg(not(target_os = "linux"))]
fn wire() -> Finding {
    Finding {
        name: "wire",
        result: Err("not on this system".to_string()),
        otherwise: "Two hosts on one machine need the namespaces of Linux. In a virtual machine \
                    with Linux there is \"cargo dial wire\"."
            .to_string(),
    }
}

/// In the words of the system that forbids it.
fn advice_for_namespaces(error: &io::Error) -> String {
    let way_out = match error.kind() {
        ErrorKind::Unsupported => "On this system there is nothing in its place.",
        ErrorKind::StorageFull => {
            "The number of namespaces is limited to none: \
             sudo sysctl user.max_user_namespaces=10000 allows them."
        }
        _ => {
            "On Ubuntu 23.10 and later, AppArmor forbids them: sudo sysctl \
             kernel.apparmor_restrict_unprivileged_userns=0 allows them. In Docker, start the \
             container with --security-opt seccomp=unconfined. As root they are allowed."
        }
    };
    format!("The lessons run all the same, on the machine's own loopback. {way_out}")
}

/// Like [`advice_for_namespaces`], for ptrace.
fn advice_for_tracing(error: &io::Error) -> String {
    let way_out = match error.kind() {
        ErrorKind::Unsupported => "On this system there is nothing in its place.",
        _ => {
            "In a container, start it with --cap-add=SYS_PTRACE; elsewhere see \
             /proc/sys/kernel/yama/ptrace_scope."
        }
    };
    format!("The system calls of a program cannot be watched. {way_out}")
}

/// Whether there is such a program: with this flag it ends at once, with status 0.
fn starts(program: &str, flag: &str) -> io::Result<()> {
    let mut command = Command::new(program);
    command.arg(flag).stdin(Stdio::null());
    let status = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("{program}: {status}"))),
    }
}

/// The name and version that the kernel tells of itself.
fn system() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease");
    let release = release
        .map(|text| format!(" {}", text.trim()))
        .unwrap_or_default();
    format!("{}{release}", std::env::consts::OS)
}
