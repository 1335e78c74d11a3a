//! `cargo dial show`: a timeline that was recorded.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use views::ladder::ladder;

use crate::files::write_all;
use crate::look::Look;
use crate::paper;

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// A timeline that was recorded with --out FILE.jsonl
    file: PathBuf,

    #[command(flatten)]
    look: Look,
}

/// Shows a recorded timeline.
pub(crate) fn run(args: &ShowArgs) -> Result<()> {
    let name = args.file.display();
    let text = fs::read_to_string(&args.file).with_context(|| format!("read {name}"))?;
    let timeline = views::json::read(&text).with_context(|| format!("read {name}"))?;
    paper::print(&ladder(&timeline, args.look.style()))?;
    write_all(&timeline, &args.look)
}
