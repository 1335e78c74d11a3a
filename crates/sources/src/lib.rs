//! Where events come from: what programs write ([`output`]), their socket calls
//! ([`calls`]), and on Linux packets (`packets`) and TCP states (`states`).
//!
//! A source knows how to watch something and when it happened. It knows no
//! lesson and no view. All code that the compiler cannot check is in `os.rs` and
//! the folder `os`.

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
