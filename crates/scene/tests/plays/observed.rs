//! A stage whose programs are observed, on the machine's own loopback: the calls
//! need no network of their own.

use std::time::Duration;

use scene::{Program, Sign, Stage};
use timeline::{Event, Kind};
use xray::Watching;

const LISTENS: &str = "\
import socket
listener = socket.create_server(('127.0.0.1', 0))
print('listening on 127.0.0.1:%d' % listener.getsockname()[1])
";

fn python(script: &str) -> Program {
    Program::new("python3").args(["-c", script])
}

fn observed() -> Stage {
    let watching = Watching {
        keep: 64,
        alone: false,
        ..Watching::default()
    };
    let mut stage = Stage::observed(&watching).unwrap();
    // Under the X-ray, a python3 takes its time to start on a busy machine.
    stage.deadline(Duration::from_secs(60));
    stage
}

fn name(event: &Event) -> &str {
    match &event.kind {
        Kind::Call(call) => &call.name,
        Kind::Return(_) => "a return",
        Kind::Note(text) | Kind::Headline(text) => text,
        _ => "something else",
    }
}

/// What stands right before the explanation, and how often that stands there.
fn before<'a>(stage: &'a Stage, note: &str) -> (Option<&'a Event>, usize) {
    let events = stage.timeline().events();
    let fits = |event: &&Event| matches!(&event.kind, Kind::Note(text) if text == note);
    let at = events.iter().position(|event| fits(&event));
    let before = at.and_then(|at| events.get(at.checked_sub(1)?));
    (before, events.iter().filter(fits).count())
}

#[test]
#[ignore = "needs ptrace and python3"]
fn an_explanation_stands_once_right_behind_the_call_that_it_waits_for() {
    let mut stage = observed();
    stage.when(Sign::Calls("server", "bind"), "it binds");
    stage.when(Sign::Returns("server", "listen"), "it listens");
    stage.when(Sign::Fails("other", "bind"), "the other fails");
    let server = stage
        .start("server", &python(&format!("{LISTENS}\ninput()")))
        .unwrap();
    let addr = stage.ready(server).unwrap();
    let taken = format!(
        "import socket\nsocket.socket().bind(('127.0.0.1', {}))",
        addr.port()
    );
    let other = stage.start("other", &python(&taken)).unwrap();
    stage.wait_exit(other).unwrap();

    let (bind, notes) = before(&stage, "it binds");
    assert_eq!((bind.map(name), notes), (Some("bind"), 1));
    let (listens, notes) = before(&stage, "it listens");
    let Some(Kind::Return(end)) = listens.map(|event| &event.kind) else {
        panic!("{listens:?}");
    };
    let events = stage.timeline().events();
    let started = |event: &&Event| matches!(&event.kind, Kind::Call(call) if call.id == end.id);
    let of = events.iter().find(started).map(name);
    assert_eq!((of, notes), (Some("listen"), 1));
    let (fails, notes) = before(&stage, "the other fails");
    assert_eq!((fails.map(name), notes), (Some("a return"), 1));
}

#[test]
#[ignore = "needs ptrace and python3"]
fn an_explanation_whose_part_is_over_is_forgotten() {
    let mut stage = observed();
    stage.headline("one");
    stage.when(Sign::Calls("server", "listen"), "of part one");
    stage.headline("two");
    stage.when(Sign::Calls("server", "listen"), "of part two");
    let server = stage.start("server", &python(LISTENS)).unwrap();
    stage.wait_exit(server).unwrap();
    assert_eq!(before(&stage, "of part one").1, 0);
    assert_eq!(before(&stage, "of part two").1, 1);
}
