//! What the board asks of the cable and of the programs.

use std::time::Duration;

/// One of the two hosts, and with it the direction of what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Drawn on the left.
    Server,
    /// Drawn on the right.
    Client,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Side::Server => Side::Client,
            Side::Client => Side::Server,
        }
    }

    /// Its name, which is a host name on the wire too.
    pub fn name(self) -> &'static str {
        match self {
            Side::Server => "server",
            Side::Client => "client",
        }
    }
}

/// What is to become of a packet that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It goes on as it is.
    Pass,
    /// It never arrives.
    Drop,
    /// It goes on so much later; others may overtake it.
    Delay(Duration),
    /// It arrives twice.
    Double,
    /// It goes on behind the next one of its direction.
    Swap,
    /// This bit of it is turned over; counted from the IP header on, from the
    /// highest bit of each byte to the lowest.
    Flip(u32),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// With the frame of this number, which waits.
    Decide(u64, What),
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
