//! How a timeline is shown and written: the same for a live and a recorded one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use timeline::Timeline;
use views::ladder::{Only, Style, ladder};
use views::svg;
use views::text::Paper;

/// How a timeline is shown: the same for a live one and a recorded one.
#[derive(Args, Clone, Debug)]
pub(crate) struct Look {
    /// Show only this; may be repeated
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    only: Vec<What>,

    /// Show also how the C library asks the system for names and addresses
    #[arg(long)]
    all: bool,

    /// How many bytes of data to show
    #[arg(long, default_value_t = 32, value_name = "N")]
    pub(crate) bytes: usize,

    /// Show data as hexadecimal numbers
    #[arg(long)]
    hex: bool,

    /// Draw with ASCII only, for terminals in which arrows take two cells
    #[arg(long)]
    ascii: bool,

    /// Write the timeline to a file: .txt, .jsonl, .svg or .pcapng; may be repeated
    #[arg(long, value_name = "FILE", value_parser = with_known_ending)]
    out: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// TCP segments
    Tcp,
    /// Socket calls
    Calls,
    /// Packets of all protocols
    Packets,
    /// TCP states and queues
    States,
    /// What the programs print
    Output,
}

impl Look {
    pub(crate) fn style(&self, paper: Paper) -> Style {
        let paper = Paper {
            ascii: self.ascii || paper.ascii,
            ..paper
        };
        Style {
            paper,
            only: self.only(),
            bytes: self.bytes,
            hex: self.hex,
            inquiries: true,
        }
    }

    fn only(&self) -> Only {
        let has = |what| self.only.is_empty() || self.only.contains(&what);
        let packets = has(What::Packets) || has(What::Tcp);
        Only {
            output: has(What::Output),
            calls: has(What::Calls),
            packets,
            tcp: packets && !has(What::Packets),
            states: has(What::States),
            services: self.all,
        }
    }
}

/// To each file in the form that its ending names.
pub(crate) fn write_all(timeline: &Timeline, look: &Look, start: Duration) -> Result<()> {
    for file in &look.out {
        let bytes = match ending(file) {
            "jsonl" => views::json::write(timeline).into_bytes(),
            "svg" => {
                let style = svg::Style {
                    only: look.only(),
                    bytes: look.bytes,
                    hex: look.hex,
                };
                svg::svg(timeline, style).into_bytes()
            }
            "pcapng" => views::pcapng::pcapng(timeline, "lo", start),
            _ => {
                let paper = Paper {
                    width: 120,
                    colour: false,
                    ascii: look.ascii,
                };
                ladder(timeline, look.style(paper)).into_bytes()
            }
        };
        fs::write(file, bytes).with_context(|| format!("write {}", file.display()))?;
    }
    Ok(())
}

fn ending(file: &Path) -> &str {
    file.extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default()
}

fn with_known_ending(text: &str) -> Result<PathBuf, String> {
    let file = PathBuf::from(text);
    match ending(&file) {
        "txt" | "jsonl" | "svg" | "pcapng" => Ok(file),
        _ => Err("the ending says what is written: .txt, .jsonl, .svg or .pcapng".to_string()),
    }
}
