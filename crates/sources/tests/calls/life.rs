//! How programs begin, are held, are interrupted and end.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use sources::calls::{Deed, TaskEvent};
use timeline::call::Outcome;
use timeline::{Actor, Ending};

use super::stage::{FIRST, SECOND, Stage, client, first_line, listener, part, piped};

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;
const SIGCONT: i32 = 18;
const SIGSTOP: i32 = 19;

fn is_there(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Waits until a process has ended: it was killed, but not by the one who waits.
fn gone(pid: u32) -> bool {
    kernel::process::has_ended(pid, Duration::from_secs(30)).unwrap()
}

#[test]
fn a_program_that_does_not_exist_is_an_error_and_no_event() {
    let mut stage = Stage::new();
    let error = stage.tracer.start(FIRST, Command::new("/no/such/program"));
    let error = error.expect_err("it does not exist");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    stage.start(FIRST, part("say hello"));
    assert_eq!(stage.ending(FIRST), Ending::Status(0));
    assert!(matches!(stage.events[0].what, Deed::Started { .. }));
}

#[test]
fn a_directory_that_does_not_exist_is_an_error() {
    let stage = Stage::new();
    let mut command = part("say hello");
    command.current_dir("/no/such/directory");
    let error = stage.tracer.start(FIRST, command);
    let error = error.expect_err("it cannot go there");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn many_programs_start_at_once_and_those_that_cannot_disturb_none() {
    const PROGRAMS: usize = 8;
    let mut stage = Stage::new();
    thread::scope(|scope| {
        for number in 0..PROGRAMS {
            let tracer = &stage.tracer;
            scope.spawn(move || {
                tracer
                    .start(Actor(number + PROGRAMS), Command::new("/no/such/program"))
                    .expect_err("it does not exist");
                tracer
                    .start(Actor(number), part("say hello"))
                    .expect("it exists");
                // Children of other threads are theirs.
                let status = part("say hello").status().expect("it exists");
                assert!(status.success());
            });
        }
    });
    let mut ended = HashSet::new();
    while ended.len() < PROGRAMS {
        let is_end = |event: &TaskEvent| matches!(event.what, Deed::ProgramEnded(_));
        let event = stage.until("an end", is_end);
        assert_eq!(event.what, Deed::ProgramEnded(Ending::Status(0)));
        ended.insert(event.actor);
    }
    assert!(ended.iter().all(|actor| actor.0 < PROGRAMS));
}

#[test]
fn a_program_keeps_its_exit_status_and_sockets_that_only_the_end_closes_show_no_close() {
    let mut stage = Stage::new();
    stage.start(FIRST, part("exit without close"));
    assert_eq!(stage.ending(FIRST), Ending::Status(7));
    assert_eq!(
        stage.names(FIRST),
        "socket setsockopt bind listen getsockname"
    );
    let exiting = Deed::Exiting(Ending::Status(7));
    assert!(stage.events.iter().any(|event| event.what == exiting));
}

#[test]
fn a_signal_reaches_the_program() {
    let mut stage = Stage::new();
    let mut program = stage.start(FIRST, piped("wait for input"));
    assert_eq!(first_line(&mut program), "ready");
    stage.tracer.signal(FIRST, SIGTERM).expect("it runs");
    assert_eq!(stage.ending(FIRST), Ending::Signal(SIGTERM));
    let told = |event: &TaskEvent| event.what == Deed::Signal(SIGTERM);
    assert!(stage.events.iter().any(told));
}

#[test]
fn a_program_killed_in_mid_send_dies_in_the_call() {
    let (_listener, address) = listener();
    let mut stage = Stage::new();
    let mut command = part("sender");
    command.arg(address.to_string());
    stage.start(FIRST, command);
    stage.until_call("sendto");
    stage.tracer.signal(FIRST, SIGKILL).expect("it runs");
    assert_eq!(stage.ending(FIRST), Ending::Signal(SIGKILL));
    assert_eq!(*stage.call(FIRST, "sendto").outcome(), Outcome::Died);
}

#[test]
fn a_stopped_program_goes_on_with_the_call_in_which_it_waited() {
    let mut stage = Stage::new();
    let mut server = stage.start(FIRST, piped("server"));
    let address = first_line(&mut server);
    let accept = stage.until_call("accept4");
    stage.tracer.signal(FIRST, SIGSTOP).expect("it runs");
    stage.until("the signal", |event| event.what == Deed::Signal(SIGSTOP));
    stage.tracer.signal(FIRST, SIGCONT).expect("it is there");
    let again = stage.until_call("accept4");
    drop(TcpStream::connect(address).expect("it listens"));
    assert_eq!(stage.ending(FIRST), Ending::Status(0));
    let mut calls = stage.calls();
    calls.retain(|call| [accept, again].contains(&call.start.id));
    let Outcome::Interrupted(note) = calls[0].outcome() else {
        panic!("{:?}", calls[0]);
    };
    assert_eq!(note.name.as_deref(), Some("ERESTARTSYS"));
    assert_eq!(calls[1].start.resumes, Some(accept));
    assert!(calls[1].returned().is_some());
}

#[test]
#[ignore = "needs python3"]
fn a_stopped_poll_goes_on_with_what_is_left_of_its_time() {
    let script = "import select, socket; one, other = socket.socketpair(); \
                  poll = select.poll(); poll.register(one, select.POLLIN); \
                  print('ready', flush=True); poll.poll(600_000)";
    let mut command = Command::new("python3");
    command.args(["-c", script]).stdout(Stdio::piped());
    let mut stage = Stage::new();
    let mut program = stage.start(FIRST, command);
    assert_eq!(first_line(&mut program), "ready");
    let poll = stage.until_call("poll");
    stage.tracer.signal(FIRST, SIGSTOP).expect("it runs");
    stage.until("the signal", |event| event.what == Deed::Signal(SIGSTOP));
    stage.tracer.signal(FIRST, SIGCONT).expect("it is there");
    // That is another system call.
    stage.until_call("restart_syscall");
    let again = stage.call(FIRST, "restart_syscall");
    assert_eq!(again.start.resumes, Some(poll));
    let Outcome::Interrupted(note) = stage.call(FIRST, "poll").outcome().clone() else {
        panic!("{:?}", stage.call(FIRST, "poll"));
    };
    assert_eq!(note.number, 516);
    // Its end would take ten minutes: it dies in the call.
    stage.tracer.kill(FIRST).expect("the tracer works");
    assert_eq!(stage.ending(FIRST), Ending::Signal(SIGKILL));
    assert_eq!(
        *stage.call(FIRST, "restart_syscall").outcome(),
        Outcome::Died
    );
}

#[test]
fn exec_from_a_thread_ends_the_calls_of_all_others() {
    let mut stage = Stage::new();
    let mut program = stage.start(FIRST, piped("exec from a thread"));
    let mut output = BufReader::new(program.stdout.take().expect("a pipe"));
    let mut line = String::new();
    output.read_line(&mut line).expect("it says its address");
    stage.until_call("accept4");
    let mut stdin = program.stdin.take().expect("a pipe");
    stdin.write_all(b"x").expect("it reads");
    assert_eq!(stage.ending(FIRST), Ending::Status(0));
    line.clear();
    output.read_line(&mut line).expect("it says hello");
    assert_eq!(line, "hello\n");
    assert_eq!(*stage.call(FIRST, "accept4").outcome(), Outcome::Died);
    let exec =
        |event: &TaskEvent| matches!(event.what, Deed::Exec { .. }) && event.tid == program.pid;
    assert!(stage.events.iter().any(exec));
    // The thread that called exec is now the first one, and is not looked for
    // under its former number.
    stage.start(SECOND, part("say hello"));
    assert_eq!(stage.ending(SECOND), Ending::Status(0));
    let lost = Deed::TaskEnded(Ending::Status(-1));
    assert!(stage.events.iter().all(|event| event.what != lost));
}

#[test]
fn a_held_call_begins_when_it_is_told_and_others_go_on() {
    let mut stage = Stage::holding();
    let mut server = stage.start(FIRST, piped("server"));
    for expected in ["socket", "setsockopt", "bind", "listen", "getsockname"] {
        let call = stage.until_held();
        let begun = stage.calls().pop().expect("it has begun");
        assert_eq!(begun.start.name, expected);
        // The other program needs no one's leave to begin and to end.
        let actor = Actor(call.0 as usize + 10);
        stage.start(actor, part("say hello"));
        assert_eq!(stage.ending(actor), Ending::Status(0));
        assert_eq!(stage.calls().last().expect("it has begun").end, None);
        stage.tracer.go(call).expect("the tracer works");
    }
    stage.tracer.hold(false).expect("the tracer works");
    stage.start(SECOND, client(first_line(&mut server)));
    assert_eq!(stage.ending(FIRST), Ending::Status(0));
}

#[test]
fn a_program_that_is_held_can_be_killed() {
    let mut stage = Stage::holding();
    stage.start(FIRST, piped("server"));
    stage.until_held();
    stage.tracer.kill(FIRST).expect("the tracer works");
    assert_eq!(stage.ending(FIRST), Ending::Signal(SIGKILL));
    assert_eq!(*stage.call(FIRST, "socket").outcome(), Outcome::Died);
}

#[test]
fn what_still_runs_ends_with_the_tracer() {
    let stage = Stage::new();
    let mut program = stage.start(FIRST, piped("wait for input"));
    assert_eq!(first_line(&mut program), "ready");
    assert!(is_there(program.pid));
    drop(stage);
    assert!(!is_there(program.pid));
}

#[test]
fn what_a_program_has_started_ends_with_it_when_it_is_killed() {
    let mut stage = Stage::new();
    let mut program = stage.start(FIRST, piped("superserver"));
    let _client = TcpStream::connect(first_line(&mut program)).expect("it listens");
    stage.until_call("read");
    let child = stage.call(FIRST, "read").start.pid;
    assert_ne!(child, program.pid);
    stage.tracer.kill(FIRST).expect("the tracer works");
    let ended = |event: &TaskEvent| {
        event.pid == child && event.what == Deed::TaskEnded(Ending::Signal(SIGKILL))
    };
    stage.until("the child's end", ended);
    assert!(gone(child));
}

#[test]
fn nothing_survives_the_death_of_the_process_that_observes() {
    let mut tracer = piped("tracer").spawn().expect("it exists");
    let mut output = BufReader::new(tracer.stdout.take().expect("a pipe"));
    let mut line = String::new();
    output.read_line(&mut line).expect("it can be read");
    let pid = line.trim_end().parse().expect("a number");
    assert!(is_there(pid));
    tracer.kill().expect("it runs");
    tracer.wait().expect("it was killed");
    assert!(gone(pid));
}
