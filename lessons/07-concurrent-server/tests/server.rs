//! The server as a program: its flags, its first line, what it refuses, and what
//! has left the lesson and says where it is.

use std::io::Read;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use house::raw::again;
use rstest::rstest;
use scene::Ending;

use crate::common::{call, exchange, program, stage, text};
use crate::{SERVER, lesson};

const LESSON: &str = env!("CARGO_BIN_EXE_lesson-7");

#[rstest]
#[case::calls(&["--addr", "127.0.0.1:0"], "listening on 127.0.0.1:")]
#[case::datagrams(&["--addr", "127.0.0.1:0", "--udp"], "bound to 127.0.0.1:")]
#[case::datagrams_ipv6(&["--addr", "[::1]:0", "--udp"], "bound to [::1]:")]
fn the_first_line_tells_the_real_address_and_ctrl_c_ends_it(
    #[case] args: &[&str],
    #[case] line: &str,
) {
    let mut stage = stage();
    let server = stage.start("server", &program().args(args)).unwrap();
    let addr = stage.ready(server).unwrap();
    assert_ne!(addr.port(), 0);
    assert_eq!(stage.lines(server), [format!("{line}{}", addr.port())]);
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}

/// Its side of the cut call is left in TIME-WAIT. An address of its own, so
/// that no other test can take the port meanwhile.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs all of 127.0.0.0/8")]
fn it_can_be_restarted_at_once_on_the_same_port() {
    let mut stage = stage();
    let start = |addr: &str| program().args(["--addr", addr, "--grace", "0"]);
    let first = stage.start("server", &start("127.84.0.1:0")).unwrap();
    let addr: SocketAddr = stage.ready(first).unwrap();
    let mut caller = call(addr);
    assert_eq!(exchange(&caller, b"hello"), b"HELLO");
    stage.interrupt(first).unwrap();
    assert_eq!(again(|| caller.read(&mut [0])).unwrap(), 0);
    stage.wait_exit(first).unwrap();
    drop(caller);
    let second = stage.start("server", &start(&addr.to_string())).unwrap();
    assert_eq!(stage.ready(second).unwrap(), addr);
}

#[rstest]
#[case::an_unknown_model(&["--model", "magic"], "--model")]
#[case::an_unknown_reply(&["--reply", "lower"], "--reply")]
#[case::nobody_may_call(&["--max-clients", "0"], "--max-clients")]
#[case::a_pool_of_nobody(&["--workers", "0"], "--workers")]
#[case::a_grace_below_zero(&["--grace=-1"], "--grace")]
#[case::a_grace_without_an_end(&["--grace", "inf"], "--grace")]
#[case::a_panic_on_nothing(&["--panic-on", ""], "--panic-on")]
#[case::datagrams_have_no_model(&["--udp", "--model", "async"], "--model")]
fn wrong_usage_is_status_2(#[case] args: &[&str], #[case] named: &str) {
    lesson::server().refuses(args, named);
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /dev/full")]
fn a_closed_stdout_ends_it_without_a_panic_with_datagrams_too() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(SERVER[0]);
    let command = command.args(["--addr", "127.0.0.1:0", "--udp"]);
    let output = command.stdin(Stdio::null()).stdout(full).output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1));
}

#[rstest]
#[case::the_race(LESSON, &["race", "--quick", "--also", "mine=./it {port}"], "-- --quick --also 'mine=./it {port}'")]
#[case::its_help(LESSON, &["race", "--help"], "-- --help")]
#[case::io_uring(LESSON, &["server", "--model", "io-uring", "--room", "9"], "server --model io-uring --room 9")]
#[case::io_uring_alone(SERVER[0], &["--model", "io-uring"], "server --model io-uring")]
#[case::many_datagrams(SERVER[0], &["--udp", "--many", "--quiet"], "server --udp --many --quiet")]
#[case::a_quote_in_a_word(SERVER[0], &["--udp", "--many", "--panic-on", "it's"], r"server --udp --many --panic-on 'it'\''s'")]
fn the_command_of_its_new_place_is_told(
    #[case] program: &str,
    #[case] args: &[&str],
    #[case] command: &str,
) {
    let output = Command::new(program).args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let line = format!("this is in beyond/race; run: cargo run --release -p race {command}\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), line);
    assert!(output.stdout.is_empty());
}
