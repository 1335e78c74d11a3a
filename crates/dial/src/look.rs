//! How a timeline is shown: the arguments that `show`, `xray` and `wire` share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use views::export::{Export, Format};
use views::ladder::Style;
use views::only::Only;
use views::text::Paper;

use crate::paper::paper;

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
    pub(crate) ascii: bool,

    /// Write the timeline to a file: .txt, .jsonl, .svg or .pcapng; may be repeated
    #[arg(long, value_name = "FILE", value_parser = with_known_ending)]
    out: Vec<PathBuf>,

    /// Draw the first N events in an .svg; the other files have no such limit
    #[arg(long, default_value_t = 2000, value_name = "N")]
    keep: usize,
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
    /// On the paper that the terminal is.
    pub(crate) fn style(&self) -> Style {
        Style {
            paper: Paper {
                ascii: self.ascii,
                ..paper()
            },
            only: self.only(),
            bytes: self.bytes,
            hex: self.hex,
            inquiries: true,
        }
    }

    /// The files that are to be written, and what is written into them.
    pub(crate) fn exports(&self) -> impl Iterator<Item = (&PathBuf, Export)> {
        let style = self.style();
        self.out.iter().filter_map(move |path| {
            let format = Format::of(path)?;
            Some((path, Export::new(format, style, self.keep)))
        })
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

fn with_known_ending(text: &str) -> Result<PathBuf, &'static str> {
    let file = PathBuf::from(text);
    let known = Format::of(&file).is_some();
    let said = "the ending says what is written: .txt, .jsonl, .svg or .pcapng";
    known.then_some(file).ok_or(said)
}
