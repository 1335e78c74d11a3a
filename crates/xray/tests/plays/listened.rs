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
    for lane in ["a", "b"] {
        cast.start(lane, &shell("exec sleep 1000")).unwrap();
    }
    for count in 1..=2 {
        let found = until(&mut cast, &mut events, Instant::now(), |events, _| {
            (events.0.len() == count).then_some(())
        });
        assert!(found.unwrap().is_some());
    }
    let found = until(&mut cast, &mut events, Instant::now(), |events, _| {
        (events.0.len() == 3).then_some(())
    });
    assert!(found.unwrap().is_none());
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
