//! The whole X-ray against strace and tcpdump.
//!
//! The packets are compared in one and the same run: tcpdump watches beside the
//! X-ray. A program cannot be traced twice, so the calls are those of two runs of
//! the same programs; each task must have made the same, in the same order, with
//! the same results. Ports, times, and which task comes first are left out.

mod calls;
#[path = "../../../sources/tests/calls/line.rs"]
mod line;
mod packets;
mod stage;
#[path = "../../../sources/tests/calls/strace.rs"]
mod strace;

use rstest::rstest;

use self::calls::{Tasks, observed, witnessed};
use self::stage::{Network, Recorded, compiled, lesson, python, talk};

/// What both must agree on.
fn compare(programs: &[Vec<String>], comparable: fn(Tasks) -> Tasks) {
    let Recorded {
        timeline,
        exported,
        captured,
    } = stage::xray(programs);
    packets::assert_same(&packets::ours(&timeline), &captured.0);
    packets::assert_same(&exported.0, &captured.0);
    packets::assert_same_times(&exported.1, &captured.1);
    let witnesses = Network::new().strace(programs);
    assert_eq!(witnesses.len(), programs.len());
    for (actor, folder) in witnesses.iter().enumerate() {
        let ours = comparable(observed(&timeline, actor));
        let theirs = comparable(witnessed(folder.path()));
        assert!(!ours.is_empty(), "no calls of program {actor}");
        assert_eq!(
            ours, theirs,
            "calls of program {actor}: ours left, strace right"
        );
    }
}

fn as_they_are(tasks: Tasks) -> Tasks {
    tasks
}

/// Which descriptor is free depends on which thread comes first.
fn without_numbers(tasks: Tasks) -> Tasks {
    let task = |lines: Vec<String>| {
        let lines = lines.iter().map(|line| line::without_numbers(line));
        lines.collect()
    };
    calls::sorted(tasks.into_iter().map(task))
}

#[rstest]
#[case("1", &[], &["--say", "hello"])]
#[case("2", &[], &["--say", "hello", "--say", "你好"])]
#[case("3", &["--once"], &["--say", "hello"])]
#[case("4", &["--reuse-addr", "--calls", "1"], &["--say", "hello"])]
#[case("5", &[], &["--think", "0", "--say", "hello"])]
#[case("6", &["--framing", "ack"], &["--framing", "ack", "--say", "list"])]
#[case("7", &["--model", "thread-per-client"], &["--say", "hello", "--say", "world"])]
#[case("7", &["--udp"], &["--udp", "--say", "hello"])]
#[ignore = "needs strace, tcpdump, tshark, namespaces and the lessons: cargo build --workspace"]
fn the_pair_of_a_lesson(#[case] number: &str, #[case] server: &[&str], #[case] client: &[&str]) {
    let server = lesson(number, "server", server);
    let client = lesson(number, "client", client);
    compare(&[server, client], as_they_are);
}

#[test]
#[ignore = "needs strace, tcpdump, tshark, cc, python3 and namespaces"]
fn a_forking_server_in_c() {
    let folder = tempfile::tempdir().unwrap();
    let server = compiled(folder.path(), "forking");
    let clients = python("client", &["127.0.0.1", "5", "in-turn"]);
    compare(&[vec![server], clients], as_they_are);
}

#[rstest]
#[case::udp("udp", &["server"], "udp", &["client"], as_they_are)]
#[case::unix("unix", &["server"], "unix", &["client"], as_they_are)]
#[case::closing_by_exit("exits", &["server"], "exits", &["client"], as_they_are)]
#[case::inetd("inetd", &[], "client", &["127.0.0.1", "2", "in-turn"], as_they_are)]
#[case::epoll("epoll", &[], "client", &["127.0.0.1", "3", "in-turn"], as_they_are)]
#[case::threads(
    "threaded", &["127.0.0.1", "20"], "client", &["127.0.0.1", "20", "at-once"], without_numbers
)]
#[case::ipv6("threaded", &["::1", "2"], "client", &["::1", "2", "in-turn"], without_numbers)]
#[case::a_thread_that_calls_while_another_waits(
    "waiting", &[], "client", &["127.0.0.1", "1", "in-turn"], without_numbers
)]
#[ignore = "needs strace, tcpdump, tshark, python3 and namespaces"]
fn a_pair(
    #[case] server: &str,
    #[case] its_words: &[&str],
    #[case] client: &str,
    #[case] words: &[&str],
    #[case] comparable: fn(Tasks) -> Tasks,
) {
    let (server, client) = (python(server, its_words), python(client, words));
    compare(&[server, client], comparable);
}

/// How often it finds nothing to do depends on the moment.
#[test]
#[ignore = "needs strace, tcpdump, tshark, namespaces and the lessons: cargo build --workspace"]
fn the_event_loop_of_lesson_7() {
    let server = lesson("7", "server", &["--model", "event-loop"]);
    let client = lesson("7", "client", &["--say", "hello", "--say", "world"]);
    compare(&[server, client], |tasks| {
        let asks = |line: &String| line.ends_with("= EAGAIN") || line.starts_with("epoll_wait(");
        let others = |lines: Vec<String>| lines.into_iter().filter(|line| !asks(line)).collect();
        calls::sorted(tasks.into_iter().map(others))
    });
}

/// Programs that play both sides themselves.
#[rstest]
#[case("exits")]
#[case("forking")]
#[case("inherited")]
#[case("killed")]
#[case("refused")]
#[case("selecting")]
#[case("signals")]
#[case("wild")]
#[ignore = "needs strace, tcpdump, tshark, python3 and namespaces"]
fn one_program(#[case] name: &str) {
    compare(&[talk(name)], as_they_are);
}
