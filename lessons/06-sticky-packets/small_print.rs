//! What both sides of lesson 6 use, and what its tests and its fuzz target
//! call directly. Read [`framing`] first: it is what the lesson is about.

pub mod download;
pub mod folder;
pub mod framing;
pub mod message;
pub mod text;
