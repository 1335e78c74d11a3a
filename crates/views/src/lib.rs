//! From a timeline to something to look at.
//!
//! [`reading`] says what is told of a timeline, row by row. [`ladder`] and [`svg`]
//! place it, and the board of the wire does in a room of its own; [`text`] shows
//! what programs say alone. `json` and [`pcapng`] are for programs.
//!
//! A view is a function of a timeline and of nothing else: it knows no source,
//! no file, and no clock.

#[cfg(feature = "json")]
pub mod export;
pub mod flow;
mod fold;
#[cfg(feature = "json")]
pub mod json;
pub mod ladder;
pub mod only;
pub mod pcapng;
pub mod reading;
pub mod said;
pub mod svg;
pub mod text;
pub mod units;
pub mod words;
