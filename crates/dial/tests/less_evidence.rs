//! Checks where the machine allows less: no namespaces, no ptrace, no sock_diag.
//!
//! Namespaces are forbidden as an administrator does it, by their number; that
//! number belongs to the user namespace of the test alone. What a system call
//! would do is forbidden by a seccomp filter, as a container does it.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use rstest::rstest;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// What a machine forbids.
#[derive(Clone, Copy, Debug, Default)]
struct Forbids {
    namespaces: bool,
    ptrace: bool,
    netlink: bool,
}

const NO_NAMESPACES: Forbids = Forbids {
    namespaces: true,
    ptrace: false,
    netlink: false,
};
const NO_PTRACE: Forbids = Forbids {
    namespaces: false,
    ptrace: true,
    netlink: false,
};
const NEITHER: Forbids = Forbids {
    namespaces: true,
    ptrace: true,
    netlink: false,
};
/// sock_diag is a kind of netlink: without it nobody sees whose socket is where.
const NOTHING: Forbids = Forbids {
    namespaces: true,
    ptrace: true,
    netlink: true,
};

/// In a network and with a count of namespaces of its own, whose last is the one
/// that it is in.
const WITHOUT_NAMESPACES: &str = "ip link set lo up && \
    echo 0 > /proc/sys/user/max_user_namespaces && \
    echo 0 > /proc/sys/user/max_net_namespaces && exec \"$@\"";

impl Forbids {
    /// Runs it as this machine would.
    fn run(self, words: &[String]) -> Output {
        let words = words.to_vec();
        // A filter holds for a thread and all that it starts.
        let run = thread::spawn(move || {
            let mut command = match self.namespaces {
                true => Command::new("unshare"),
                false => Command::new(&words[0]),
            };
            match self.namespaces {
                true => command
                    .args(["--user", "--map-root-user", "--net"])
                    .args(["sh", "-c", WITHOUT_NAMESPACES, "sh"])
                    .args(&words),
                false => command.args(&words[1..]),
            };
            command.current_dir(root());
            if self.ptrace || self.netlink {
                seccompiler::apply_filter(&self.filter()).expect("seccomp is there");
            }
            command.output().expect("unshare is installed")
        });
        run.join().expect("the filter is made")
    }

    fn filter(self) -> BpfProgram {
        let mut rules = BTreeMap::new();
        if self.ptrace {
            rules.insert(libc::SYS_ptrace, Vec::new());
        }
        if self.netlink {
            // NETLINK_SOCK_DIAG alone: "ip link" needs NETLINK_ROUTE.
            let is = |argument, value: i32| {
                let equal = SeccompCmpOp::Eq;
                let value = u64::try_from(value).expect("it is positive");
                SeccompCondition::new(argument, SeccompCmpArgLen::Dword, equal, value).unwrap()
            };
            let family = is(0, libc::AF_NETLINK);
            let protocol = is(2, libc::NETLINK_SOCK_DIAG);
            let rule = SeccompRule::new(vec![family, protocol]).unwrap();
            rules.insert(libc::SYS_socket, vec![rule]);
        }
        let allow = SeccompAction::Allow;
        let forbid = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let architecture = ARCH.try_into().expect("an architecture with seccomp");
        let filter = SeccompFilter::new(rules, allow, forbid, architecture).unwrap();
        filter.try_into().unwrap()
    }

    /// The sentence in the head of a report.
    fn note(self) -> Vec<&'static str> {
        let mut parts = vec!["no X-ray of a failure", "cargo dial doctor"];
        if self.namespaces {
            parts.push("without a network of their own (no space left on device");
            parts.push("on this machine's network, one at a time");
        }
        if self.ptrace {
            parts.push("without ptrace (operation not permitted");
        }
        parts
    }
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

/// The program `lesson-N`, built.
fn lesson(number: u32) -> String {
    let name = format!("lesson-{number}");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--package", &name])
        .current_dir(root())
        .status();
    assert!(built.unwrap().success());
    let program = Path::new(env!("CARGO_BIN_EXE_dial")).with_file_name(name);
    program.to_str().unwrap().to_string()
}

/// What the checks of a lesson say on such a machine, its lines joined, and their
/// status.
fn checked(forbids: Forbids, number: u32, args: &[&str]) -> (String, Option<i32>) {
    let mut words = vec![lesson(number), "check".to_string()];
    words.extend(args.iter().map(|arg| arg.to_string()));
    let output = forbids.run(&words);
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let words: Vec<&str> = said.split_whitespace().collect();
    (words.join(" ") + &errors, output.status.code())
}

#[rstest]
#[case::lesson_1_no_namespaces(1, NO_NAMESPACES)]
#[case::lesson_1_no_ptrace(1, NO_PTRACE)]
#[case::lesson_1_neither(1, NEITHER)]
#[case::lesson_1_nothing(1, NOTHING)]
#[case::lesson_3_no_ptrace(3, NO_PTRACE)]
#[case::lesson_3_neither(3, NEITHER)]
#[case::lesson_3_nothing(3, NOTHING)]
#[case::lesson_4_no_namespaces(4, NO_NAMESPACES)]
#[case::lesson_4_neither(4, NEITHER)]
#[case::lesson_4_nothing(4, NOTHING)]
#[case::lesson_6_no_ptrace(6, NO_PTRACE)]
#[case::lesson_6_nothing(6, NOTHING)]
#[ignore = "needs unshare, ip and namespaces"]
fn right_programs_pass_with_less_evidence_and_it_is_said(
    #[case] number: u32,
    #[case] forbids: Forbids,
) {
    let (said, status) = checked(forbids, number, &[]);
    assert_eq!(status, Some(0), "{said}");
    for part in forbids.note() {
        assert!(said.contains(part), "{part}: {said}");
    }
    let count = left_out(&said);
    assert!(
        count > 0,
        "each of these lessons has checks of calls: {said}"
    );
    let counted = format!(" passed, {count} left out, in ");
    assert!(said.contains(&counted), "{said}");
}

/// As the head of a report tells it.
fn left_out(said: &str) -> usize {
    let (head, _) = said.split_once(" of calls ").expect("a note");
    let count = head.strip_suffix(" checks").or(head.strip_suffix(" check"));
    let count = count.expect("a number of checks").rsplit(' ').next();
    count.unwrap().parse().expect("a number")
}

#[rstest]
#[case::stream(1, "01-bare-connect/checks/wrong/small-buffer")]
#[case::datagrams(3, "03-udp-bind/checks/wrong/decodes")]
#[case::restart(4, "04-so-reuseaddr/checks/wrong/no-option")]
#[case::frames(6, "06-sticky-packets/checks/wrong/host-byte-order")]
#[ignore = "needs python3, unshare, ip and namespaces"]
fn a_wrong_program_is_caught_with_less_evidence(
    #[case] number: u32,
    #[case] folder: &str,
    #[values(NO_NAMESPACES, NO_PTRACE, NEITHER, NOTHING)] forbids: Forbids,
) {
    let file = root().join("lessons").join(folder).join("server.py");
    let text = fs::read_to_string(&file).unwrap();
    let first = text.lines().next().unwrap();
    let address = first.rsplit("caught by ").next().unwrap();
    let command = format!("python3 {}", file.display());
    let args = ["--server", &command, "--only", address];
    let (said, status) = checked(forbids, number, &args);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains(&format!("FAILED {address}")), "{said}");
    assert!(!said.contains("the X-ray, at its end"), "{said}");
}

/// Servers and clients that know one port only.
const FIXED: [(u32, &str, &str); 4] = [
    (
        1,
        "--server",
        "import socket\n\
         s = socket.socket()\n\
         s.bind(('127.0.0.1', 8081))\n\
         s.listen(5)\n\
         print('listening on %s:%d' % s.getsockname(), flush=True)\n\
         call, _ = s.accept()\n\
         try:\n    call.sendall(call.recv(1024).upper())\n\
         except OSError:\n    pass\n\
         call.close()\n",
    ),
    (
        1,
        "--client",
        "import socket, sys\n\
         try:\n    s = socket.create_connection(('127.0.0.1', 8081))\n\
         \x20   s.sendall(b'hello')\n    answer = s.recv(1024)\n\
         except OSError as error:\n    sys.exit(str(error))\n\
         print(answer) if answer else sys.exit('no answer')\n",
    ),
    (
        3,
        "--server",
        "import socket\n\
         s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
         s.bind(('127.0.0.1', 7788))\n\
         print('bound to %s:%d' % s.getsockname(), flush=True)\n\
         message = b''\n\
         while message != b'bye':\n    message, peer = s.recvfrom(65535)\n\
         \x20   if message != b'bye':\n        s.sendto(message, peer)\n",
    ),
    (
        3,
        "--client",
        "import socket, sys, time\n\
         s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
         s.connect(('127.0.0.1', 7788))\n\
         for line in sys.stdin.buffer:\n    end = time.monotonic() + 2\n\
         \x20   s.send(line.rstrip(b'\\n'))\n\
         \x20   s.settimeout(max(0.01, end - time.monotonic()))\n\
         \x20   try:\n        data = s.recv(65535)\n\
         \x20   except OSError as error:\n        sys.exit(str(error))\n\
         \x20   print(len(data), data[:100])\n",
    ),
];

#[rstest]
#[ignore = "needs python3, unshare, ip and namespaces"]
fn a_program_that_knows_the_usual_port_only_is_tested_all_the_same(
    #[values(0, 1, 2, 3)] which: usize,
    #[values(Forbids::default(), NEITHER, NOTHING)] forbids: Forbids,
) {
    let (number, side, text) = FIXED[which];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("program.py");
    fs::write(&file, text).unwrap();
    let command = format!("python3 {}", file.display());
    let (said, status) = checked(forbids, number, &[side, &command]);
    assert_eq!(status, Some(0), "{said}");
}

#[rstest]
#[ignore = "needs python3, unshare, ip and namespaces"]
fn where_another_program_has_the_usual_port_it_is_not_tested_and_that_is_said(
    #[values(0, 1, 2, 3)] which: usize,
) {
    let (number, side, text) = FIXED[which];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("program.py");
    fs::write(&file, text).unwrap();
    let command = format!("python3 {}", file.display());
    let holder = "import socket, subprocess, sys\n\
        s, u = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
        for one in s, u:\n    one.bind(('127.0.0.1', int(sys.argv[1])))\n\
        sys.exit(subprocess.call(sys.argv[2:]))\n";
    let port = if number == 1 { "8081" } else { "7788" };
    let lesson = lesson(number);
    let check = [&lesson, "check", side, &command, "--first"];
    let words = ["python3", "-c", holder, port].into_iter().chain(check);
    let words: Vec<String> = words.map(str::to_string).collect();
    let output = NEITHER.run(&words);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("NOT TESTED") && !said.contains("FAILED"),
        "{said}"
    );
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains(&format!("port {port}, the lesson's usual one, was taken")),
        "{said}"
    );
}

#[test]
#[ignore = "needs unshare, ip and namespaces"]
fn when_all_that_was_asked_for_is_left_out_nothing_was_tested() {
    let (said, status) = checked(NO_PTRACE, 6, &["--only", "6/forced"]);
    assert_eq!(status, Some(2), "{said}");
    let counted = format!("0 passed, {} left out", left_out(&said));
    assert!(said.contains(&counted), "{said}");
}
