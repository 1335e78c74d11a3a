//! Where events come from: what programs write ([`output`]) and their socket calls
//! ([`calls`]).
//!
//! A source knows how to watch something and when it happened. It knows no
//! lesson and no view. What it asks of the system is in `kernel`; packets and TCP
//! states, which the kernel tells by itself, are there as a whole.

pub mod calls;
pub mod output;
