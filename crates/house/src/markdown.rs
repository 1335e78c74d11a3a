//! The parts of a README that can be wrong: commands with their output, and
//! quoted code.

use std::ops::Range;

/// A part of a README, with the lines (from 0) that it stands on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// `##` or `###`: what is run below it is on its own.
    Heading,
    /// A fence `console`: a command and what it prints.
    Console {
        command: String,
        output: Range<usize>,
    },
    /// A comment `<!-- quote FILE#REGION -->` and the fence below it.
    Quote {
        file: String,
        region: String,
        code: Range<usize>,
    },
}

/// Finds the parts. A fence that is never closed ends with the file.
pub(crate) fn parts(lines: &[String]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut quote: Option<(String, String)> = None;
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim_end();
        if line.starts_with("## ") || line.starts_with("### ") {
            parts.push(Part::Heading);
        } else if let Some(target) = quoted_target(line) {
            quote = Some(target);
        } else if let Some(info) = line.strip_prefix("```") {
            let inside = at + 1..fence_end(lines, at + 1);
            at = inside.end;
            if let Some((file, region)) = quote.take() {
                parts.push(Part::Quote {
                    file,
                    region,
                    code: inside,
                });
            } else if info == "console" {
                let command = lines.get(inside.start).map_or("", String::as_str);
                let command = command.strip_prefix("$ ").unwrap_or(command).to_string();
                let output = (inside.start + 1).min(inside.end)..inside.end;
                parts.push(Part::Console { command, output });
            }
        }
        at += 1;
    }
    parts
}

fn quoted_target(line: &str) -> Option<(String, String)> {
    let target = line.strip_prefix("<!-- quote ")?.strip_suffix(" -->")?;
    let (file, region) = target.split_once('#')?;
    Some((file.to_string(), region.to_string()))
}

fn fence_end(lines: &[String], from: usize) -> usize {
    let rest = &lines[from.min(lines.len())..];
    from + rest
        .iter()
        .position(|line| line.trim_end() == "```")
        .unwrap_or(rest.len())
}

/// The lines that a name stands for, moved to the left: those between
/// `ANCHOR: name` and `ANCHOR_END: name`, or else the function of that name with
/// the comment above it.
pub fn region(source: &str, name: &str) -> Option<Vec<String>> {
    let code = marked(source, name).or_else(|| function(source, name))?;
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let filled = code.iter().filter(|line| !line.is_empty());
    let margin = filled.map(indent).min().unwrap_or(0);
    let moved = code.iter().map(|line| line.get(margin..).unwrap_or(""));
    Some(moved.map(str::to_string).collect())
}

fn marked<'a>(source: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let marks = |line: &str, mark: &str| line.trim() == format!("// {mark}: {name}");
    let mut lines = source.lines().skip_while(|line| !marks(line, "ANCHOR"));
    lines.next()?;
    let lines: Vec<&str> = lines.collect();
    let end = lines.iter().position(|line| marks(line, "ANCHOR_END"))?;
    let code = lines[..end].iter().copied();
    Some(
        code.filter(|line| !line.trim_start().starts_with("// ANCHOR"))
            .collect(),
    )
}

fn function<'a>(source: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let lines: Vec<&str> = source.lines().collect();
    let begins = |line: &&str| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line);
        let rest = line
            .strip_prefix("fn ")
            .and_then(|line| line.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with(['(', '<']))
    };
    let head = lines.iter().position(begins)?;
    let above = lines[..head].iter().rev();
    let comment = above
        .take_while(|line| line.trim_start().starts_with(['/', '#']))
        .count();
    let indent = lines[head].len() - lines[head].trim_start().len();
    let closes = |line: &&str| line.trim_end() == format!("{}}}", " ".repeat(indent));
    let length = lines[head..].iter().position(closes)?;
    Some(lines[head - comment..=head + length].to_vec())
}
