//! Where packets come from.

use std::process::Command;
use std::time::Duration;

use kernel::packets::Gauge;
use timeline::Actor;
use wire::{CableControl, Side, Wire};

/// Something that tells the recorder each packet: the loopback, on which all
/// programs play, or the cable between two hosts.
pub(crate) trait PacketSource {
    /// All packets up to this stamp are told.
    fn told_until(&self) -> Duration;

    /// Tells whether packets come faster than they are told. None where that
    /// cannot be, or where it was taken already.
    fn gauge(&mut self) -> Option<Gauge> {
        None
    }

    /// Has a program play on its host, before it starts.
    fn place(&self, _actor: Actor, _host: Option<Side>, _command: &mut Command) {}

    /// Whether no packet can come any more after such a pause.
    fn is_quiet_for(&self, _time: Duration) -> bool {
        true
    }

    /// The two hosts and a hand on the cable, where there are two.
    fn wire(&self) -> Option<(&Wire, &CableControl)> {
        None
    }

    /// Tells what is still on its way, and what could not be seen. Nothing comes
    /// after it.
    fn end(&mut self);
}
