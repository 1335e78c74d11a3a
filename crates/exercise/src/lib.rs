//! Exercises: a starter and a solution from one source, the folder `my/` in which
//! a learner works, and what was begun and passed.
//!
//! The source stands in `lessons/NN/exercise/LANGUAGE/`: a right server and a
//! right client, with marks around the parts that a learner is to write. See
//! [`cut`], then [`Sources`], [`My`] and [`Progress`].

pub mod cut;
mod language;
mod my;
mod progress;
mod sources;
mod trial;

pub use language::Language;
pub use my::My;
pub use progress::{Progress, Row};
pub use sources::{Part, Sources};
pub use trial::Trial;
