//! What has left the lesson says where it is.

use std::process::Command;

use rstest::rstest;

const LESSON: &str = env!("CARGO_BIN_EXE_lesson-7");
const SERVER: &str = env!("CARGO_BIN_EXE_lesson-7-server");

#[rstest]
#[case::the_race(LESSON, &["race", "--quick", "--also", "mine=./it {port}"], "-- --quick --also 'mine=./it {port}'")]
#[case::its_help(LESSON, &["race", "--help"], "-- --help")]
#[case::io_uring(LESSON, &["server", "--model", "io-uring", "--room", "9"], "server --model io-uring --room 9")]
#[case::io_uring_alone(SERVER, &["--model", "io-uring"], "server --model io-uring")]
#[case::many_datagrams(SERVER, &["--udp", "--many", "--quiet"], "server --udp --many --quiet")]
#[case::a_quote_in_a_word(SERVER, &["--udp", "--many", "--panic-on", "it's"], r"server --udp --many --panic-on 'it'\''s'")]
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
