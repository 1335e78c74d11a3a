//! Where events come from. Today: what programs write ([`output`]).
//!
//! A source knows how to watch something and when it happened. It knows no
//! lesson and no view. All code that the compiler cannot check is in `os.rs`.

pub mod calls;
#[cfg(target_os = "linux")]
pub mod network;
mod os;
pub mod output;
#[cfg(target_os = "linux")]
pub mod packets;
pub mod probe;
#[cfg(target_os = "linux")]
pub mod states;
