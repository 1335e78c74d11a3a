//! Programs that play, and all that is known of what they do, in one timeline.
//!
//! A [`Cast`] starts programs and hands out what happens to them, event by event.
//! There are two of them: [`Listened`] knows what programs print and how they
//! end, on any system and without a privilege; `Seen` knows their socket calls,
//! the packets between them and the TCP states, too, on Linux. [`until`] is the
//! loop in which scenes, checks and recordings take the events.
//!
//! Data flows one way. The tracer tells each call, and a packet source (the
//! loopback, or the cable between two hosts) each packet, to the recorder. It
//! adds whose they are and which TCP states they have led to, and sends it all
//! to the cast, which puts it in order.
//!
//! Read it in this order: `cast.rs`, `listened.rs`, `take.rs`, `seen.rs`; in its
//! folder `open.rs`, `recorder.rs` with `pipes.rs`, `owners.rs` and `looks.rs`, and
//! `packets.rs` with the two sources `loopback.rs` and `cable.rs`; then
//! `recording.rs`.

mod cast;
mod find;
mod listened;
mod program;
mod take;

#[cfg(target_os = "linux")]
mod recording;
#[cfg(target_os = "linux")]
mod seen;

pub use cast::Cast;
pub use find::find;
pub use listened::Listened;
pub use program::Program;
pub use take::{Take, catch_up, pass, until};
pub use {sources::calls::Change, wire::Side};

#[cfg(target_os = "linux")]
pub use {
    recording::{Audience, Recording},
    seen::{Seen, Watching},
};
