//! The files into which a timeline is written, as it comes: a long run needs no
//! more memory than a short one, and what was written is there whatever happens.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use timeline::{Event, Kind, Place, Timeline};
use views::ladder::Ladder;
use views::text::Paper;
use views::{json, pcapng, svg};

use crate::look::{Look, ending};

/// All files of a run.
pub(crate) struct Files(Vec<Output>);

struct Output {
    path: PathBuf,
    file: BufWriter<File>,
    form: Form,
}

enum Form {
    Lines,
    Page(Box<Ladder>),
    Capture(Box<pcapng::Writer>),
    Picture(Picture),
}

/// It needs all its events at once, to know how large it is.
struct Picture {
    style: svg::Style,
    timeline: Timeline,
    /// How many events it may have.
    most: usize,
    /// How many events did not fit, and when the first of them happened.
    left_out: usize,
    since: Duration,
}

impl Files {
    /// Makes the files, each in the form that its ending names.
    pub(crate) fn create(look: &Look) -> Result<Self> {
        let outputs = look.out.iter().map(|path| {
            let file = File::create(path).with_context(|| format!("write {}", path.display()))?;
            Ok(Output {
                path: path.clone(),
                file: BufWriter::new(file),
                form: Form::new(ending(path), look),
            })
        });
        Ok(Self(outputs.collect::<Result<_>>()?))
    }

    /// The timeline starts at this time since 1970.
    pub(crate) fn begin(&mut self, start: Duration) -> Result<()> {
        self.write(|form| match form {
            Form::Lines => json::header().into_bytes(),
            Form::Capture(writer) => {
                **writer = pcapng::Writer::new(start);
                pcapng::header("lo")
            }
            Form::Page(_) | Form::Picture(_) => Vec::new(),
        })
    }

    /// The next event, and the one after it, if it is known already.
    pub(crate) fn event(
        &mut self,
        timeline: &Timeline,
        event: &Event,
        next: Option<&Event>,
    ) -> Result<()> {
        self.write(|form| match form {
            Form::Lines => json::event(event).into_bytes(),
            Form::Page(ladder) => ladder.draw(timeline, event, next).into_bytes(),
            Form::Capture(writer) => writer.event(timeline, event),
            Form::Picture(picture) => picture.event(event),
        })
    }

    /// Nothing follows.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.write(|form| match form {
            Form::Lines | Form::Page(_) => Vec::new(),
            Form::Capture(writer) => writer.finish(),
            Form::Picture(picture) => picture.finish(),
        })?;
        for Output { path, file, form } in &mut self.0 {
            let path = path.display();
            file.flush().with_context(|| format!("write {path}"))?;
            if let Form::Picture(Picture { left_out, most, .. }) = form
                && *left_out > 0
            {
                let all = *most + *left_out;
                eprintln!(
                    "{path} has the first {most} of {all} events; --keep {all} draws all of them, \
                     and .txt and .jsonl have no such limit"
                );
            }
        }
        Ok(())
    }

    fn write(&mut self, bytes: impl Fn(&mut Form) -> Vec<u8>) -> Result<()> {
        for Output { path, file, form } in &mut self.0 {
            let written = file.write_all(&bytes(form));
            written.with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }
}

impl Form {
    fn new(ending: &str, look: &Look) -> Self {
        let paper = Paper {
            width: 120,
            colour: false,
            ascii: false,
        };
        match ending {
            "jsonl" => Form::Lines,
            "pcapng" => Form::Capture(Box::new(pcapng::Writer::new(Duration::ZERO))),
            "svg" => Form::Picture(Picture {
                style: svg::Style {
                    only: look.only(),
                    bytes: look.bytes,
                    hex: look.hex,
                },
                timeline: Timeline::default(),
                most: look.keep,
                left_out: 0,
                since: Duration::ZERO,
            }),
            _ => Form::Page(Box::new(Ladder::new(look.style(paper)))),
        }
    }
}

impl Picture {
    fn event(&mut self, event: &Event) -> Vec<u8> {
        // What is not drawn needs no room.
        if !self.style.only.has(&event.kind) {
            return Vec::new();
        }
        if self.timeline.events().len() < self.most {
            self.timeline.push(event.clone());
        } else {
            if self.left_out == 0 {
                self.since = event.time;
            }
            self.left_out += 1;
        }
        Vec::new()
    }

    fn finish(&mut self) -> Vec<u8> {
        if self.left_out > 0 {
            let what = format!("the {} events after this", self.left_out);
            self.timeline.push(Event {
                time: self.since,
                place: Place::Narrator,
                kind: Kind::Unseen(what),
            });
        }
        svg::svg(&self.timeline, self.style).into_bytes()
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
