//! From a timeline to something to look at.
//!
//! [`reading`] says what is told of a timeline, row by row. [`ladder`] and `svg`
//! place it, and the board of the wire does in a room of its own; [`text`] shows
//! what programs say alone. `json` and `pcapng` are for programs,
//! and `export` writes all of them. The feature `files` has what only files need:
//! a lesson is built without it.
//!
//! A view is a function of a timeline and of nothing else: it knows no source,
//! no file, and no clock.

#[cfg(feature = "files")]
pub mod export;
pub mod flow;
mod fold;
#[cfg(feature = "files")]
pub mod json;
pub mod ladder;
pub mod only;
#[cfg(feature = "files")]
pub mod pcapng;
pub mod reading;
pub mod said;
#[cfg(feature = "files")]
pub mod svg;
pub mod text;
pub mod units;
pub mod words;
