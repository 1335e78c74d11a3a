//! Colours, and the characters that are drawn with.

use ratatui::style::{Color, Modifier, Style};
use timeline::cable::Side;

/// How the board is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are welcome.
    pub colour: bool,
    /// Whether the drawing may use ASCII alone. Some terminals give lines such
    /// as `│` two cells.
    pub ascii: bool,
}

/// The characters of lines and arrows.
pub(crate) struct Glyphs {
    pub(crate) line: &'static str,
    pub(crate) bar: &'static str,
    pub(crate) right: &'static str,
    pub(crate) left: &'static str,
    pub(crate) lost: &'static str,
    pub(crate) waits: &'static str,
    pub(crate) chosen: &'static str,
    pub(crate) to: &'static str,
    pub(crate) more: &'static str,
}

impl Look {
    pub(crate) fn glyphs(self) -> Glyphs {
        if self.ascii {
            Glyphs {
                line: "-",
                bar: "|",
                right: ">",
                left: "<",
                lost: "X",
                waits: "#",
                chosen: "*",
                to: "->",
                more: "...",
            }
        } else {
            Glyphs {
                line: "─",
                bar: "│",
                right: "▶",
                left: "◀",
                lost: "✗",
                waits: "■",
                chosen: "›",
                to: "→",
                more: "…",
            }
        }
    }

    fn ink(self, colour: Color) -> Style {
        if self.colour {
            Style::new().fg(colour)
        } else {
            Style::new()
        }
    }

    /// What matters less.
    pub(crate) fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What matters more.
    pub(crate) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What went wrong, or never arrived.
    pub(crate) fn bad(self) -> Style {
        self.ink(Color::Red)
    }

    /// What waits for a key.
    pub(crate) fn waiting(self) -> Style {
        self.ink(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// What this host sends.
    pub(crate) fn side(self, side: Side) -> Style {
        self.ink(match side {
            Side::Server => Color::Cyan,
            Side::Client => Color::Green,
        })
    }

    /// The keys themselves.
    pub(crate) fn key(self) -> Style {
        self.ink(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// Bars over the whole width.
    pub(crate) fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}
