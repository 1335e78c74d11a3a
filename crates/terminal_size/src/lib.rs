//! What clap asks to wrap its help at words: how large the terminal is.
//!
//! It takes the place of the crate of the same name, which brings rustix and the
//! bindings below it along. Every lesson would wait for them, the longest of all.

/// In columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width(pub u16);

/// In rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Height(pub u16);

/// The size of the terminal; None where there is none, as in a pipe.
pub fn terminal_size() -> Option<(Width, Height)> {
    let (columns, rows) = kernel::terminal::size()?;
    Some((Width(columns), Height(rows)))
}
