//! Text in columns: a lane for each program, explanations across all of them.

use colored::Colorize;
use textwrap::WrapAlgorithm;
use textwrap::core::Word;
use timeline::{Event, Kind, Place, Stream, Timeline};
use unicode_width::UnicodeWidthStr;

use crate::reading::{Meaning, Row, Subject, narrated};
use crate::{fold, said, units};

/// Left of everything, in cells.
const MARGIN: usize = 2;
/// Between two lanes, in cells.
const GAP: usize = 2;
/// Wider lines are hard to read.
const WIDEST: usize = 120;
/// An explanation is no wider than this.
const WIDEST_NOTE: usize = 92;
/// Below this nothing can be laid out.
const NARROWEST: usize = 40;

/// What the text is written on.
#[derive(Clone, Copy, Debug)]
pub struct Paper {
    /// Its width in cells; a Chinese character takes two.
    pub width: usize,
    /// Whether colours are welcome.
    pub colour: bool,
    /// Whether the drawing may use more than ASCII. Some terminals give lines
    /// such as `│` two cells.
    pub ascii: bool,
}

impl Paper {
    /// In the colour of what it means.
    pub(crate) fn paint(self, text: &str, meaning: Meaning) -> String {
        let painted = match meaning {
            _ if !self.colour || text.trim().is_empty() => return text.to_string(),
            Meaning::Output => text.bold(),
            Meaning::Faint => text.dimmed(),
            Meaning::Bad => text.red(),
            _ => return text.to_string(),
        };
        painted.to_string()
    }

    /// Left of what is said across the lanes.
    pub(crate) fn bar(self) -> &'static str {
        if self.ascii { "|" } else { "│" }
    }

    /// A line under the name of a lane.
    pub(crate) fn rule(self, width: usize) -> String {
        (if self.ascii { "-" } else { "─" }).repeat(width)
    }
}

/// The whole timeline as text.
pub fn text(timeline: &Timeline, paper: Paper) -> String {
    let mut columns = Columns::new(paper);
    let drawn = timeline.events().iter();
    drawn.map(|event| columns.draw(timeline, event)).collect()
}

/// Draws one event after the other, for a scene that is still being played.
#[derive(Debug)]
pub struct Columns {
    paper: Paper,
    lanes: Vec<String>,
    /// Whether the last thing drawn was in a lane, or nothing was drawn yet.
    in_lanes: bool,
}

impl Columns {
    /// Begins an empty page.
    pub fn new(paper: Paper) -> Self {
        let width = paper.width.clamp(NARROWEST, WIDEST);
        let paper = Paper { width, ..paper };
        Self {
            paper,
            lanes: Vec::new(),
            in_lanes: true,
        }
    }

    /// The rows that this event adds, each with its line end. Calls, packets and
    /// states add none: they belong to the X-ray.
    pub fn draw(&mut self, timeline: &Timeline, event: &Event) -> String {
        match &event.kind {
            Kind::Unseen(what) => self.note(&format!("Not seen: {what}")),
            Kind::Line { stream, text } => {
                let meaning = match stream {
                    Stream::Stdout => Meaning::Plain,
                    Stream::Stderr => Meaning::Bad,
                };
                self.in_lane(timeline, event.place, text, meaning)
            }
            Kind::Ended(how) => {
                let text = said::ending(*how);
                self.in_lane(timeline, event.place, &text, Meaning::Faint)
            }
            Kind::Lanes(names) => {
                self.lanes.clone_from(names);
                self.header()
            }
            _ => {
                let narrated = narrated(event).and_then(|row| self.narrate(&row));
                narrated.unwrap_or_default()
            }
        }
    }

    /// What the one who explains says; None for a row of anybody else.
    pub(crate) fn narrate(&mut self, row: &Row) -> Option<String> {
        let texts = row.words.iter().map(|piece| piece.text.as_str());
        Some(match row.about {
            Subject::Headline => self.headline(&row.text()),
            Subject::Note => self.note(&row.text()),
            Subject::Table => self.table(texts),
            Subject::Next => self.next(texts),
            _ => return None,
        })
    }

    fn in_lane(
        &mut self,
        timeline: &Timeline,
        place: Place,
        text: &str,
        meaning: Meaning,
    ) -> String {
        let Place::Actor(actor) = place else {
            return self.note(text);
        };
        let name = timeline.lane(actor);
        let Some(lane) = self.lanes.iter().position(|lane| lane == name) else {
            return self.note(&format!("{name}: {text}"));
        };
        let left = " ".repeat(MARGIN + lane * (self.lane_width() + GAP));
        let rows = wrap(&printable(text), self.lane_width()).into_iter();
        let rows = rows.map(|row| format!("{left}{}\n", self.paper.paint(&row, meaning)));
        let rows: String = rows.collect();
        // An empty row where explanations end and lanes go on.
        match std::mem::replace(&mut self.in_lanes, true) {
            true => rows,
            false => format!("\n{rows}"),
        }
    }

    fn header(&mut self) -> String {
        let width = self.lane_width();
        let cells = self.lanes.iter().map(|name| {
            let name = wrap(name, width).swap_remove(0);
            self.paper.paint(&pad(&name, width), Meaning::Output)
        });
        let names = cells.collect::<Vec<_>>().join("  ");
        let rules = vec![self.paper.rule(width); self.lanes.len()].join("  ");
        self.in_lanes = true;
        let names = names.trim_end();
        format!(
            "\n{0}{names}\n{0}{1}\n",
            " ".repeat(MARGIN),
            self.paper.paint(&rules, Meaning::Faint)
        )
    }

    fn headline(&mut self, text: &str) -> String {
        let paper = self.paper;
        let rows = wrap(&printable(text), paper.width).into_iter();
        self.block(rows.map(|row| paper.paint(&row, Meaning::Output)))
    }

    fn note(&mut self, text: &str) -> String {
        let bar = match self.paper.colour {
            true => self.paper.bar().cyan().to_string(),
            false => self.paper.bar().to_string(),
        };
        let width = self.paper.width.min(WIDEST_NOTE) - 2 * MARGIN;
        let rows = wrap(&printable(text), width);
        self.block(rows.iter().map(|row| format!("  {bar} {row}")))
    }

    fn table<'a>(&mut self, rows: impl Iterator<Item = &'a str>) -> String {
        self.block(rows.map(|row| format!("  {}", printable(row))))
    }

    fn next<'a>(&mut self, things: impl Iterator<Item = &'a str>) -> String {
        let width = self.paper.width.min(WIDEST_NOTE) - 2 * MARGIN;
        let title = self.paper.paint("Try next", Meaning::Output);
        let mut rows = vec![format!("  {title}")];
        for thing in things {
            for (index, row) in wrap(&printable(thing), width).into_iter().enumerate() {
                let mark = if index == 0 { "- " } else { "  " };
                rows.push(format!("  {mark}{row}"));
            }
        }
        self.block(rows.into_iter())
    }

    /// Rows across all lanes, with an empty row before them.
    fn block(&mut self, rows: impl Iterator<Item = String>) -> String {
        let rows: String = rows.map(|row| format!("{}\n", row.trim_end())).collect();
        self.in_lanes = false;
        format!("\n{rows}")
    }

    fn lane_width(&self) -> usize {
        let lanes = self.lanes.len().max(1);
        (self.paper.width - MARGIN - GAP * (lanes - 1)) / lanes
    }
}

/// Cuts between words; what is indented stays indented. A word that is wider
/// than the lane is cut, because nothing may be lost; no escape and no character
/// is.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    // Most texts are short; to find places for breaks takes long.
    if text.trim() == text && text.width() <= width {
        return vec![text.to_string()];
    }
    let body = text.trim_start_matches(' ');
    let lead = (text.len() - body.len()).min(width / 2);
    let next = if lead > 0 { lead + 2 } else { 0 };
    let widths = [lead, next].map(|indent| width.saturating_sub(indent));
    let words = fold::pieces(body).flat_map(|word| units::parts(word, widths[1]));
    let mut words: Vec<Word> = words.collect();
    fold::no_lonely_mark(&mut words, width);
    let rows = WrapAlgorithm::FirstFit.wrap(&words, &widths);
    let indents = std::iter::once(lead).chain(std::iter::repeat(next));
    let rows = indents.zip(rows);
    rows.map(|(indent, row)| row_of(indent, row)).collect()
}

/// A row has no gap at its end.
fn row_of(indent: usize, words: &[Word]) -> String {
    let mut row = " ".repeat(indent);
    for (index, word) in words.iter().enumerate() {
        row += word.word;
        if index + 1 < words.len() {
            row += word.whitespace;
        }
    }
    row
}

/// What a program wrote must not move the cursor or change colours here.
pub fn printable(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_string();
    }
    let mut shown = String::new();
    for character in text.chars() {
        match character {
            '\t' => shown.push_str("    "),
            control if control.is_control() => shown.extend(control.escape_default()),
            other => shown.push(other),
        }
    }
    shown
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
