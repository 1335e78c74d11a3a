//! Programs that are listened to.

use std::time::{Duration, Instant};

use timeline::Kind;
use xray::{Cast, Listened, Program, pass, until};

use crate::Events;

fn shell(script: &str) -> Program {
    Program::new("sh").args(["-c", script])
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[test]
fn the_loop_ends_at_what_was_looked_for_and_leaves_the_rest_for_the_next_one() {
    let (mut cast, mut events) = (Listened::new().unwrap(), Events::default());
    let (actor, _) = cast.start("a", &shell("echo one; echo two")).unwrap();
    for wanted in ["one", "two"] {
        let found = until(&mut cast, &mut events, soon(), |events, _| {
            let last = events.0.last().map(|event| &event.kind);
            matches!(last, Some(Kind::Line { text, .. }) if text == wanted).then_some(())
        });
        assert!(found.unwrap().is_some());
        assert!(!events.has_ended(actor));
    }
    let ended = until(&mut cast, &mut events, soon(), |events, _| {
        events.has_ended(actor).then_some(events.0.len())
    });
    assert_eq!(ended.unwrap(), Some(4));
}

#[test]
fn a_deadline_that_has_passed_is_not_waited_for() {
    let (mut cast, mut events) = (Listened::new().unwrap(), Events::default());
    let (actor, _) = cast.start("a", &shell("exec sleep 1000")).unwrap();
    pass(&mut cast, &mut events, Instant::now()).unwrap();
    let kinds: Vec<&Kind> = events.0.iter().map(|event| &event.kind).collect();
    assert!(matches!(kinds[..], [Kind::Started { .. }]), "{kinds:?}");
    cast.kill(actor).unwrap();
    let ended = until(&mut cast, &mut events, soon(), |events, _| {
        events.has_ended(actor).then_some(())
    });
    assert!(ended.unwrap().is_some());
    // What has ended is no error to end.
    cast.kill(actor).unwrap();
}
