//! Checks where the machine allows less: no namespaces, no ptrace, no sock_diag.
//!
//! Namespaces are forbidden as an administrator does it, by their number; that
//! number belongs to the user namespace of the test alone. What a system call
//! would do is forbidden by a seccomp filter, as a container does it.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use rstest::rstest;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use super::said::{Said, has, has_not, lesson};

/// What a machine forbids.
#[derive(Clone, Copy, Debug, Default)]
struct Forbids {
    namespaces: bool,
    ptrace: bool,
    netlink: bool,
}

const NO_NAMESPACES: Forbids = Forbids::these(true, false, false);
const NO_PTRACE: Forbids = Forbids::these(false, true, false);
const NEITHER: Forbids = Forbids::these(true, true, false);
/// sock_diag is a kind of netlink: without it nobody sees whose socket is where.
const NOTHING: Forbids = Forbids::these(true, true, true);

/// In a network and with a count of namespaces of its own, whose last is the one
/// that it is in.
const WITHOUT_NAMESPACES: &str = "ip link set lo up && \
    echo 0 > /proc/sys/user/max_user_namespaces && \
    echo 0 > /proc/sys/user/max_net_namespaces && exec \"$@\"";

impl Forbids {
    const fn these(namespaces: bool, ptrace: bool, netlink: bool) -> Self {
        Self {
            namespaces,
            ptrace,
            netlink,
        }
    }

    /// Runs it as this machine would.
    fn run(self, words: &[&str]) -> Said {
        let mut command = Command::new(words[0]);
        if self.namespaces {
            command = Command::new("unshare");
            command.args(["--user", "--map-root-user", "--net"]);
            command.args(["sh", "-c", WITHOUT_NAMESPACES, "sh", words[0]]);
        }
        command.args(&words[1..]).current_dir(root());
        // A filter holds for a thread and all that it starts.
        let run = thread::spawn(move || {
            if self.ptrace || self.netlink {
                seccompiler::apply_filter(&self.filter()).expect("seccomp is there");
            }
            Said::by(&mut command)
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

/// What the checks of a lesson say on such a machine.
fn checked(forbids: Forbids, number: u32, args: &[&str]) -> Said {
    let lesson = lesson(number);
    forbids.run(&[&[&lesson, "check"], args].concat())
}

/// The report, its lines joined.
fn joined(said: &Said) -> String {
    said.out.split_whitespace().collect::<Vec<_>>().join(" ")
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
    let said = joined(&checked(forbids, number, &[]).ended_with(0));
    has(&said, &forbids.note());
    let count = left_out(&said);
    assert!(count > 0, "each of these lessons has checks of calls");
    has(&said, &[&format!(" passed, {count} left out, in ")]);
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
    let said = joined(&checked(forbids, number, &args).ended_with(1));
    has(&said, &[&format!("FAILED {address}")]);
    has_not(&said, &["the X-ray, at its end"]);
}

/// Servers and clients that know one port only, of which lesson.
const KNOW_ONE_PORT: [(u32, &str, &str); 4] = [
    (1, "--server", "knows_port_8081"),
    (1, "--client", "calls_port_8081"),
    (3, "--server", "knows_port_7788"),
    (3, "--client", "asks_port_7788"),
];

fn command(name: &str) -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs");
    format!("python3 {file}/{name}.py")
}

#[rstest]
#[ignore = "needs python3, unshare, ip and namespaces"]
fn a_program_that_knows_the_usual_port_only_is_tested_as_well(
    #[values(0, 1, 2, 3)] which: usize,
    #[values(Forbids::default(), NEITHER, NOTHING)] forbids: Forbids,
) {
    let (number, side, program) = KNOW_ONE_PORT[which];
    checked(forbids, number, &[side, &command(program)]).ended_with(0);
}

#[rstest]
#[ignore = "needs python3, unshare, ip and namespaces"]
fn where_another_program_has_the_usual_port_it_is_not_tested_and_that_is_said(
    #[values(0, 1, 2, 3)] which: usize,
) {
    let (number, side, program) = KNOW_ONE_PORT[which];
    let holder = include_str!("programs/holds_a_port.py");
    let (_, port) = program.rsplit_once('_').unwrap();
    let (lesson, command) = (lesson(number), command(program));
    let check = [&lesson, "check", side, &command, "--first"];
    let said = NEITHER.run(&[&["python3", "-c", holder, port][..], &check].concat());
    let said = joined(&said.ended_with(2));
    let taken = format!("port {port}, the lesson's usual one, was taken");
    has(&said, &["NOT TESTED", &taken]);
    has_not(&said, &["FAILED"]);
}

#[test]
#[ignore = "needs unshare, ip and namespaces"]
fn when_all_that_was_asked_for_is_left_out_nothing_was_tested() {
    let said = checked(NO_PTRACE, 6, &["--only", "6/forced"]).ended_with(2);
    let said = joined(&said);
    has(&said, &[&format!("0 passed, {} left out", left_out(&said))]);
}
