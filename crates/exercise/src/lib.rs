//! Exercises: a starter and a solution from one source, the folder `my/` in which
//! a learner works, what was begun and passed, and the checks at every save.
//!
//! The source stands in `lessons/NN/exercise/LANGUAGE/`: a right server and a
//! right client, with marks around the parts that a learner is to write. See
//! `cut.rs`, then [`Course`], [`Sources`], [`My`], [`Progress`] and [`watch`].

mod aside;
mod cargo;
mod course;
mod cut;
mod language;
mod my;
mod number;
mod progress;
mod sources;
mod trial;
pub mod watch;

pub use cargo::cargo;
pub use course::{Course, Manifest};
pub use language::{Language, python};
pub use my::My;
pub use number::Number;
pub use progress::{Progress, Standing};
pub use sources::{Part, Sources};
pub use trial::Trial;
