//! How a timeline is shown: the same for a live and a recorded one.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use views::ladder::Style;
use views::only::Only;
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
    pub(crate) hex: bool,

    /// Draw with ASCII only, for terminals in which arrows take two cells
    #[arg(long)]
    pub(crate) ascii: bool,

    /// Write the timeline to a file: .txt, .jsonl, .svg or .pcapng; may be repeated
    #[arg(long, value_name = "FILE", value_parser = with_known_ending)]
    pub(crate) out: Vec<PathBuf>,

    /// Draw the first N events in an .svg; the other files have no such limit
    #[arg(long, default_value_t = 2000, value_name = "N")]
    pub(crate) keep: usize,
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

    pub(crate) fn only(&self) -> Only {
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

pub(crate) fn ending(file: &Path) -> &str {
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
