//! Two hosts and the cable between them, in the hand of a person or of rules.
//!
//! A [`Wire`] is two network namespaces with a cable between them that runs
//! through this process. Programs run on the hosts unchanged, with the kernel's
//! own TCP; a [`Hand`] decides what becomes of each frame, such as [`rules`], and
//! every frame is told in a [`Report`]. A [`CableControl`] works the cable from
//! outside: it decides about single frames that are held, and cuts and mends.
//!
//! ```no_run
//! # #[cfg(target_os = "linux")] {
//! use std::process::Command;
//! use wire::{Side, Wire};
//! use wire::rules::Rules;
//!
//! let rules = Rules::parse("syn drop 2 times\nlatency 20 ms").expect("rules");
//! let settings = rules.settings();
//! let mut wire = Wire::new().expect("two hosts");
//! let control = wire.plug(rules, settings, |report| println!("{report:?}")).expect("a cable");
//! let mut command = Command::new("python3");
//! command.arg("server.py");
//! wire.host(Side::Server).place(&mut command);
//! let _server = command.spawn().expect("a program");
//! control.cut(true);
//! # }
//! ```
//!
//! Read it in this order: `hand.rs`, `traffic.rs` (which frame goes on when),
//! `cable.rs` (the thread that carries them), `host.rs`, `setup.rs`, `rules.rs`.

mod chance;
mod hand;
pub mod rules;

#[cfg(target_os = "linux")]
mod again;
#[cfg(target_os = "linux")]
mod cable;
#[cfg(target_os = "linux")]
mod host;
#[cfg(target_os = "linux")]
mod setup;
#[cfg(target_os = "linux")]
mod traffic;

pub use hand::{Action, Cut, Decision, Frame, Hand, Line, Open, Settings, Side};

#[cfg(target_os = "linux")]
pub use {
    cable::CableControl,
    host::Host,
    setup::{MTU, Refused, Wire},
    traffic::{Counts, Report},
};
