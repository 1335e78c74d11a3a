//! The files into which a timeline is written as it comes: what was written is
//! there, whatever happens.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use timeline::{Event, Timeline};
use views::export::Export;

use crate::look::Look;

/// All files of a run.
pub(crate) struct Files(Vec<Output>);

struct Output {
    path: PathBuf,
    file: BufWriter<File>,
    export: Export,
}

impl Files {
    /// Makes the files that were asked for.
    pub(crate) fn create(look: &Look) -> Result<Self> {
        let outputs = look.exports().map(|(path, export)| {
            let file = File::create(path).with_context(|| format!("write {}", path.display()))?;
            Ok(Output {
                path: path.clone(),
                file: BufWriter::new(file),
                export,
            })
        });
        Ok(Self(outputs.collect::<Result<_>>()?))
    }

    /// The timeline starts at this time since 1970.
    pub(crate) fn begin(&mut self, start: Duration) -> Result<()> {
        self.write(|export| export.begin(start))
    }

    /// The next event, and the one after it, if it is known already.
    pub(crate) fn event(
        &mut self,
        timeline: &Timeline,
        event: &Event,
        next: Option<&Event>,
    ) -> Result<()> {
        self.write(|export| export.event(timeline, event, next))
    }

    /// Nothing follows.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.write(Export::finish)?;
        for Output { path, file, export } in &mut self.0 {
            let path = path.display();
            file.flush().with_context(|| format!("write {path}"))?;
            if let Some((most, all)) = export.cut_short() {
                eprintln!(
                    "{path} has the first {most} of {all} events; --keep {all} draws all of them, \
                     and .txt and .jsonl have no such limit"
                );
            }
        }
        Ok(())
    }

    fn write(&mut self, bytes: impl Fn(&mut Export) -> Vec<u8>) -> Result<()> {
        for Output { path, file, export } in &mut self.0 {
            let written = file.write_all(&bytes(export));
            written.with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }
}

/// A timeline that is there as a whole.
pub(crate) fn write_all(timeline: &Timeline, look: &Look) -> Result<()> {
    let mut files = Files::create(look)?;
    files.begin(Duration::ZERO)?;
    let events = timeline.events();
    let nexts = events.iter().skip(1).map(Some).chain([None]);
    for (event, next) in events.iter().zip(nexts) {
        files.event(timeline, event, next)?;
    }
    files.finish()
}
