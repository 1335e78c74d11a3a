//! What an SVG file is made of. Nothing that is written on it can break out.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use crate::text::{printable, wrap};

/// The height of a line of text.
pub(super) const LINE: i32 = 16;

/// Which way a text runs from its place.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture that is being drawn, in three layers: explanations cover lifelines,
/// and nothing covers a text or an arrow.
#[derive(Default)]
pub(super) struct Paper {
    under: String,
    between: String,
    over: String,
}

impl Paper {
    pub(super) fn line(&mut self, x: i32, from: i32, to: i32, class: &str) {
        let _ = writeln!(
            self.under,
            r#"<line class="{class}" x1="{x}" y1="{from}" x2="{x}" y2="{to}"/>"#
        );
    }

    /// A bar, centred at `x`.
    pub(super) fn bar(&mut self, x: i32, from: i32, to: i32, class: &str) {
        const WIDTH: i32 = 7;
        let (left, height) = (x - WIDTH / 2, (to - from).max(4));
        let _ = writeln!(
            self.under,
            r#"<rect class="{class}" x="{left}" y="{from}" width="{WIDTH}" height="{height}" rx="2"/>"#
        );
    }

    pub(super) fn area(&mut self, x: i32, y: i32, width: i32, height: i32, class: &str) {
        let _ = writeln!(
            self.between,
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>"#
        );
    }

    /// An arrow; from a place to itself it is a loop on the given side.
    pub(super) fn arrow(&mut self, from: i32, to: i32, y: i32, loop_to_right: bool, class: &str) {
        let out = &mut self.over;
        let _ = if from == to {
            let side = if loop_to_right { 40 } else { -40 };
            writeln!(
                out,
                r#"<path class="{class}" d="M{from} {} h{side} v8 h{}"/>"#,
                y - 8,
                -side
            )
        } else {
            writeln!(out, r#"<path class="{class}" d="M{from} {y} H{to}"/>"#)
        };
        let comes_from_left = if from == to {
            !loop_to_right
        } else {
            from < to
        };
        let back = if comes_from_left { -8 } else { 8 };
        let _ = writeln!(
            out,
            r#"<path class="{class} head" d="M{to} {y} l{back} -4 v8 z"/>"#
        );
    }

    /// A line without a head.
    pub(super) fn stroke(&mut self, from: i32, to: i32, y: i32, class: &str) {
        let _ = writeln!(
            self.over,
            r#"<path class="{class}" d="M{from} {y} H{to}"/>"#
        );
    }

    /// Here something got lost.
    pub(super) fn cross(&mut self, x: i32, y: i32) {
        let (left, right, top, bottom) = (x - 5, x + 5, y - 5, y + 5);
        let _ = writeln!(
            self.over,
            r#"<path class="cross" d="M{left} {top} L{right} {bottom} M{left} {bottom} L{right} {top}"/>"#
        );
    }

    /// An end that nobody knows.
    pub(super) fn ring(&mut self, x: i32, y: i32, class: &str) {
        let _ = writeln!(
            self.over,
            r#"<circle class="{class} ring" cx="{x}" cy="{y}" r="4"/>"#
        );
    }

    /// Lines of text, the first of which stands on `y`.
    pub(super) fn text(&mut self, x: i32, y: i32, anchor: Anchor, class: &str, lines: &[String]) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        for (line, index) in lines.iter().zip(0..) {
            let y = y + index * LINE;
            let line = escaped(line);
            let _ = writeln!(
                self.over,
                r#"<text class="{class}" x="{x}" y="{y}" text-anchor="{anchor}">{line}</text>"#
            );
        }
    }

    pub(super) fn finish(self, title: &str, width: i32, height: i32) -> String {
        let title = escaped(&printable(title));
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" xml:space="preserve">
<title>{title}</title>
<style>{STYLE}</style>
<rect class="paper" width="{width}" height="{height}"/>
{}{}{}</svg>
"#,
            self.under, self.between, self.over
        )
    }
}

/// Cuts a text into lines of so many cells; a Chinese character takes two.
pub(super) fn lines(text: &str, cells: usize) -> Vec<String> {
    wrap(&printable(text), cells)
}

/// The cells of the widest of these lines.
pub(super) fn widest(lines: &[String]) -> usize {
    lines.iter().map(|line| line.width()).max().unwrap_or(0)
}

/// How many there are, as coordinates are counted.
pub(super) fn count(rows: &[String]) -> i32 {
    i32::try_from(rows.len()).unwrap_or(i32::MAX / LINE)
}

/// Nothing in it is markup, and nothing in it is forbidden in XML or turns the
/// direction of what follows.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                out.extend(character.escape_unicode());
            }
            other if other.is_control() => out.extend(other.escape_default()),
            other => out.push(other),
        }
    }
    out
}

/// Readers without `prefers-color-scheme` show the light one.
const STYLE: &str = r#"
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono CJK SC", monospace; white-space: pre; fill: #1f2328 }
.paper { fill: #ffffff }
.name { font-size: 14px; font-weight: bold }
.spoken { font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans CJK SC", sans-serif }
.headline { font-weight: bold }
.faint, .time { fill: #6e7781 }
.output { font-weight: bold }
.bad { fill: #cf222e }
.state { fill: #8250df }
.life { stroke: #d0d7de; stroke-width: 2 }
.bar { fill: #80ccff }
.open { fill: #80ccff; stroke: #cf222e; stroke-dasharray: 3 2 }
.note { fill: #fff8c5 }
.arrow { stroke: #0550ae; stroke-width: 1.5; fill: none }
.reset { stroke: #cf222e; stroke-width: 1.5; fill: none }
.arrow.head { fill: #0550ae }
.reset.head { fill: #cf222e }
.late { stroke-dasharray: 3 3 }
.cross { stroke: #cf222e; stroke-width: 2; fill: none }
.ring { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.paper, .ring { fill: #0d1117 }
.faint, .time { fill: #8b949e }
.bad { fill: #ff7b72 }
.state { fill: #d2a8ff }
.life { stroke: #30363d }
.bar { fill: #1f6feb }
.open { fill: #1f6feb; stroke: #ff7b72 }
.note { fill: #2d2a16 }
.arrow { stroke: #79c0ff }
.reset, .cross { stroke: #ff7b72 }
.arrow.head { fill: #79c0ff }
.reset.head { fill: #ff7b72 }
}
"#;
