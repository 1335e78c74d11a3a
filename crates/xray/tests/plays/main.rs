//! Programs that play, and the events that are taken from them.

mod listened;
#[cfg(target_os = "linux")]
mod seen;

use anyhow::Result;
use timeline::{Actor, Event, Kind, Place};
use xray::Take;

/// All that was taken.
#[derive(Default)]
struct Events(Vec<Event>);

impl Take for Events {
    fn take(&mut self, event: Event, _: Option<&Event>) -> Result<()> {
        self.0.push(event);
        Ok(())
    }
}

impl Events {
    fn has_ended(&self, actor: Actor) -> bool {
        let ended = |event: &Event| matches!(event.kind, Kind::Ended(_));
        self.0
            .iter()
            .any(|event| event.place == Place::Actor(actor) && ended(event))
    }
}
