//! The X-ray as text: a lane for each side, and the wire between them.
//!
//! On the left plays the program that was started first, on the right all
//! others. Between them are the packets. What the rows say is decided in
//! [`reading`](crate::reading). The legend is `docs/notation.md`.

mod row;

use timeline::call::CallId;
use timeline::{Event, Timeline};

use crate::only::Only;
use crate::reading::{Reading, Row, Subject, with_next};
use crate::text::{self, Paper};
use crate::words::Words;
use row::Columns;

/// How the ladder is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// What it is drawn on.
    pub paper: Paper,
    /// What is drawn.
    pub only: Only,
    /// How many bytes of data are shown.
    pub bytes: usize,
    /// Whether data is shown as hexadecimal numbers.
    pub hex: bool,
    /// Whether calls are drawn that only ask, such as `getsockname`, and were
    /// answered.
    pub inquiries: bool,
}

impl Style {
    /// Everything, with the first 32 bytes of data.
    pub fn on(paper: Paper) -> Self {
        Self {
            paper,
            only: Only::default(),
            bytes: 32,
            hex: false,
            inquiries: true,
        }
    }

    pub(crate) fn reading(self) -> Reading {
        let (bytes, hex, ascii) = (self.bytes, self.hex, self.paper.ascii);
        let words = Words { bytes, hex, ascii };
        Reading::new(self.only, words, self.inquiries)
    }
}

/// The whole timeline.
pub fn ladder(timeline: &Timeline, style: Style) -> String {
    let mut ladder = Ladder::new(style);
    with_next(timeline)
        .map(|(event, next)| ladder.draw(event, next))
        .collect()
}

/// Draws one event after the other, for a timeline that still grows.
pub struct Ladder {
    paper: Paper,
    only: Only,
    reading: Reading,
    columns: Columns,
    /// The lanes that a scene has named, from left to right.
    lanes: Vec<String>,
    /// The explanations of a scene.
    story: text::Columns,
    /// Whether an explanation was drawn last.
    told: bool,
    /// Whether the names of the lanes are still to be drawn.
    unnamed: bool,
}

impl Ladder {
    /// Begins an empty page.
    pub fn new(style: Style) -> Self {
        let Style { paper, only, .. } = style;
        Self {
            paper,
            only,
            reading: style.reading(),
            columns: Columns::new(paper, true),
            lanes: Vec::new(),
            story: text::Columns::new(paper),
            told: false,
            unnamed: false,
        }
    }

    /// From here on these kinds of events are drawn. Where packets come or go, the
    /// columns change, and the next row has their names above it.
    pub fn show(&mut self, only: Only) {
        if only.packets != self.only.packets {
            self.columns = Columns::new(self.paper, only.packets);
            self.unnamed = !self.lanes.is_empty();
        }
        self.only = only;
        self.reading.show(only);
    }

    /// Whether this call, which has begun and not ended, is not drawn itself: it
    /// will be told with others in one line.
    pub fn folds(&self, call: CallId) -> bool {
        self.reading.folds(call)
    }

    /// The names of the lanes, and what the columns mean.
    pub fn header(&self, names: &[&str]) -> String {
        let left = names.first().copied().unwrap_or_default().to_string();
        let right = names.get(1..).unwrap_or_default().join(", ");
        self.columns.header(&left, &right)
    }

    /// The rows that this event adds. `next` is the event after it, if it is known
    /// already: a call whose end comes next is drawn in one row.
    pub fn draw(&mut self, event: &Event, next: Option<&Event>) -> String {
        let rows = self.reading.read(event, next);
        rows.iter().map(|row| self.row(row)).collect()
    }

    fn row(&mut self, row: &Row) -> String {
        if let Subject::Lanes(names) = &row.about {
            self.lanes.clone_from(names);
            self.unnamed = true;
        }
        if row.words.is_empty() {
            return String::new();
        }
        if let Some(told) = self.story.narrate(row) {
            self.told = true;
            return told;
        }
        let drawn = self.columns.draw(row);
        // The names stand where they are needed: above the first row.
        if std::mem::take(&mut self.unnamed) {
            self.told = false;
            let names: Vec<&str> = self.lanes.iter().map(String::as_str).collect();
            return format!("\n{}{drawn}", self.header(&names));
        }
        // An empty row where an explanation ends.
        if std::mem::take(&mut self.told) {
            return format!("\n{drawn}");
        }
        drawn
    }
}
