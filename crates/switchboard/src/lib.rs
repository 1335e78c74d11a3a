//! The operator's board: a full screen with two hosts, the cable between them,
//! and the keys that work it.
//!
//! Events of a timeline go in, [`Command`]s for the cable come out. The board
//! knows no cable and no program: what it shows, it has from the timeline alone,
//! and how that reads, from `views::reading`.
//!
//! Read it in this order: `board.rs` (what is known), `board/packets.rs` (what
//! is on the cable), `board/keys.rs` (what a key does), `draw.rs` (how it looks),
//! `show.rs` (the loop), `terminal.rs`, `console.rs` (all of it in its own thread).

mod board;
mod command;
mod console;
mod draw;
mod keyboard;
mod look;
mod prompt;
mod show;
mod terminal;

pub use board::{Board, Mode};
pub use command::Command;
pub use console::Console;
pub use draw::draw;
pub use keyboard::Keyboard;
pub use look::Look;
pub use show::{Desk, Input};
pub use terminal::Screen;
