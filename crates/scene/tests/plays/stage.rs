//! A stage without an audience.

use std::time::Duration;

use scene::{Ending, Program, Stage};
use timeline::Kind;

fn shell(script: &str) -> Program {
    Program::new("sh").args(["-c", script])
}

#[test]
fn a_server_that_ends_before_it_is_ready_is_an_error_that_tells_what_it_said() {
    let mut stage = Stage::rehearsal();
    let server = stage
        .start("server", &shell("echo no such port >&2; exit 1"))
        .unwrap();
    let error = stage.ready(server).unwrap_err().to_string();
    assert!(error.contains("\"listening on\""), "{error}");
    assert!(
        error.contains("Status(1)") && error.contains("no such port"),
        "{error}"
    );
}

#[test]
fn a_wait_ends_at_its_deadline_and_names_what_was_awaited() {
    let mut stage = Stage::rehearsal();
    let actor = stage
        .start("server", &shell("echo one; read line"))
        .unwrap();
    stage.wait_line(actor, "one").unwrap();
    stage.deadline(Duration::from_millis(50));
    let error = stage.wait_line(actor, "two").unwrap_err().to_string();
    assert!(
        error.contains("a line with \"two\"") && error.contains("50ms"),
        "{error}"
    );
    assert!(error.contains("one"), "{error}");
}

#[test]
fn each_wait_goes_on_behind_the_line_that_the_one_before_found() {
    let mut stage = Stage::rehearsal();
    let actor = stage
        .start("a", &shell("echo got 1; echo other; echo got 2"))
        .unwrap();
    assert_eq!(stage.wait_line(actor, "got").unwrap(), "got 1");
    assert_eq!(stage.wait_line(actor, "got").unwrap(), "got 2");
    assert!(stage.wait_line(actor, "got").is_err());
    assert_eq!(stage.lines(actor), ["got 1", "other", "got 2"]);
}

#[test]
fn a_program_hears_what_it_is_told_until_its_input_ends() {
    let mut stage = Stage::rehearsal();
    let actor = stage.start("cat", &Program::new("cat")).unwrap();
    stage.tell(actor, "hello").unwrap();
    assert_eq!(stage.wait_line(actor, "").unwrap(), "hello");
    stage.end_input(actor);
    assert_eq!(stage.wait_exit(actor).unwrap(), Ending::Status(0));
    assert!(stage.tell(actor, "again").is_err());
}

#[test]
#[cfg(unix)]
fn an_interrupt_and_a_kill_end_a_program() {
    let mut stage = Stage::rehearsal();
    let (one, other) = (shell("exec sleep 1000"), shell("exec sleep 1000"));
    let one = stage.start("one", &one).unwrap();
    let other = stage.start("other", &other).unwrap();
    stage.interrupt(one).unwrap();
    stage.kill(other).unwrap();
    assert_eq!(stage.wait_exit(one).unwrap(), Ending::Signal(2));
    assert_eq!(stage.wait_exit(other).unwrap(), Ending::Signal(9));
}

#[test]
fn what_was_written_before_an_explanation_stands_before_it() {
    let mut stage = Stage::rehearsal();
    let actor = stage
        .start("a", &shell("echo done; exec sleep 1000"))
        .unwrap();
    stage.wait_line(actor, "done").unwrap();
    stage.note("explained");
    let kinds: Vec<&Kind> = stage
        .timeline()
        .events()
        .iter()
        .map(|event| &event.kind)
        .collect();
    assert!(matches!(
        kinds[..],
        [Kind::Started { .. }, Kind::Line { .. }, Kind::Note(_)]
    ));
}

#[test]
fn a_program_that_cannot_be_started_is_named() {
    let mut stage = Stage::rehearsal();
    let error = stage
        .start("a", &Program::new("/no/such/program"))
        .unwrap_err();
    assert!(
        format!("{error:#}").starts_with("start /no/such/program: "),
        "{error:#}"
    );
}
