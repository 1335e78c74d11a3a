//! From a timeline to something to look at. Today: text in columns ([`text`]).
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
mod passage;
pub mod pcapng;
pub mod said;
pub mod services;
pub mod svg;
pub mod text;
pub mod units;
pub mod words;
