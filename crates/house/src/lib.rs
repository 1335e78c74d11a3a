//! Keeps the house true: what a README shows is run, what it quotes exists, and
//! every lesson has the same tests.
//!
//! Begin with `lesson.rs`: it names what a lesson is held against. The house rules
//! themselves are the tests of this package.

mod compare;
mod group;
mod lesson;
mod markdown;
mod mask;
mod matrix;
pub mod raw;
mod readme;
mod rehearsal;
mod scene;
mod sides;

pub use exercise::{Language, Trial};
pub use markdown::region;
pub use matrix::Matrix;
pub use readme::Readme;
pub use rehearsal::Rehearsal;
pub use scene::{Scene, a_reader_may_go_away};
pub use sides::{LessonSide, our_own_programs_pass};
