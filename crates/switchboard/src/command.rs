//! What the board asks of the cable and of the programs.

use std::time::Duration;

use timeline::cable::Action;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// With the frame of this number, which waits.
    Decide(u64, Action),
    /// From now on each frame waits that nothing else happens to; or none does,
    /// and those that wait go on.
    Hold(bool),
    /// The cable is cut, or mended.
    Cut(bool),
    /// How long a packet is on its way, in each direction.
    Latency(Duration),
    /// How many of 100 packets are lost, in each direction.
    Loss(f64),
    /// How many bits go onto the cable in a second, in each direction; None: at
    /// once.
    Rate(Option<u64>),
    /// The client program reads this line from its standard input.
    Say(String),
    /// The client program finds the end of its standard input.
    EndOfInput,
    /// All is to end.
    Quit,
}
