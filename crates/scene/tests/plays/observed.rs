//! A stage whose programs are observed, on the machine's own loopback: the calls
//! need no network of their own.

use std::time::Duration;

use scene::{Program, Sign, Stage};
use timeline::Kind;
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

#[test]
#[ignore = "needs ptrace and python3"]
fn an_explanation_stands_once_in_its_part_right_behind_what_it_waits_for() {
    let mut stage = observed();
    stage.headline("one");
    stage.when(Sign::Calls("server", "listen"), "of part one");
    stage.headline("two");
    stage.when(Sign::Calls("server", "listen"), "of part two");
    let twice = [LISTENS, LISTENS].concat();
    let server = stage.start("server", &python(&twice)).unwrap();
    stage.wait_exit(server).unwrap();
    let events = stage.timeline().events();
    let notes = events.windows(2).filter_map(|pair| match &pair[1].kind {
        Kind::Note(text) => Some((&pair[0].kind, text.as_str())),
        _ => None,
    });
    let notes: Vec<_> = notes.collect();
    let [(Kind::Call(call), "of part two")] = notes[..] else {
        panic!("{notes:?}");
    };
    assert_eq!(call.name, "listen");
}
