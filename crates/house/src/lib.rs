//! Keeps the house true: what a README shows is run, and what it quotes exists.
//!
//! The house rules themselves are the tests of this package.

mod compare;
mod group;
mod markdown;
mod mask;
mod matrix;
mod readme;

pub use matrix::Matrix;
pub use readme::Readme;
