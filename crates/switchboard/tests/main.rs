//! What the board shows and what its keys do, as one program: to link one takes
//! longer than to run it.

mod agreement;
mod flood;
mod keys;
mod screens;
mod story;
