//! Writes a timeline into a file, event by event: except for a picture, a long run
//! needs no more memory than a short one.

use std::path::Path;
use std::time::Duration;

use timeline::{Event, Kind, Place, Timeline};

use crate::ladder::{Ladder, Style};
use crate::text::Paper;
use crate::{json, pcapng, svg};

/// How wide a page is that nobody watches growing, in cells.
const WIDTH: usize = 120;

/// What a file holds. The ending of its name says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.txt`: the X-ray as in the terminal.
    Page,
    /// `.jsonl`: a recording, which can be shown again.
    Recording,
    /// `.svg`: a picture.
    Picture,
    /// `.pcapng`: the packets, for Wireshark.
    Capture,
}

impl Format {
    /// That of a file with this name; None when its ending means nothing here.
    pub fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "txt" => Some(Self::Page),
            "jsonl" => Some(Self::Recording),
            "svg" => Some(Self::Picture),
            "pcapng" => Some(Self::Capture),
            _ => None,
        }
    }
}

/// Gives the bytes of one file, in the order in which they are written.
pub struct Export(Form);

enum Form {
    Page(Box<Ladder>),
    Recording,
    Picture(Picture),
    Capture(Box<pcapng::Writer>),
}

/// A picture is drawn with more than ASCII, and leaves no calls out.
fn in_picture(style: Style) -> Style {
    let paper = Paper {
        ascii: false,
        ..style.paper
    };
    let inquiries = true;
    Style {
        paper,
        inquiries,
        ..style
    }
}

/// It needs all its events at once, to know how large it is.
struct Picture {
    style: Style,
    timeline: Timeline,
    /// How many events it may have.
    most: usize,
    /// How many events did not fit, and when the first of them happened.
    left_out: usize,
    since: Duration,
}

impl Export {
    /// Nothing is written yet. A picture has no more than `most` events, because it
    /// is kept until it is whole.
    pub fn new(format: Format, style: Style, most: usize) -> Self {
        Self(match format {
            Format::Page => {
                let paper = Paper {
                    width: WIDTH,
                    colour: false,
                    ..style.paper
                };
                Form::Page(Box::new(Ladder::new(Style { paper, ..style })))
            }
            Format::Recording => Form::Recording,
            Format::Picture => Form::Picture(Picture {
                style: in_picture(style),
                timeline: Timeline::default(),
                most,
                left_out: 0,
                since: Duration::ZERO,
            }),
            Format::Capture => Form::Capture(Box::new(pcapng::Writer::new(Duration::ZERO))),
        })
    }

    /// The bytes before all events. The timeline starts at this time since 1970.
    pub fn begin(&mut self, start: Duration) -> Vec<u8> {
        match &mut self.0 {
            Form::Recording => json::header().into_bytes(),
            Form::Capture(writer) => {
                **writer = pcapng::Writer::new(start);
                pcapng::header("lo")
            }
            Form::Page(_) | Form::Picture(_) => Vec::new(),
        }
    }

    /// The next event, which the timeline has already; and the one after it, if it
    /// is known.
    pub fn event(&mut self, timeline: &Timeline, event: &Event, next: Option<&Event>) -> Vec<u8> {
        match &mut self.0 {
            Form::Page(ladder) => ladder.draw(event, next).into_bytes(),
            Form::Recording => json::event(event).into_bytes(),
            Form::Picture(picture) => {
                picture.event(event);
                Vec::new()
            }
            Form::Capture(writer) => writer.event(timeline, event),
        }
    }

    /// The bytes after all events.
    pub fn finish(&mut self) -> Vec<u8> {
        match &mut self.0 {
            Form::Page(_) | Form::Recording => Vec::new(),
            Form::Picture(picture) => picture.finish(),
            Form::Capture(writer) => writer.finish(),
        }
    }

    /// How many events are drawn and how many there were, where not all are drawn.
    pub fn cut_short(&self) -> Option<(usize, usize)> {
        match &self.0 {
            Form::Picture(picture) if picture.left_out > 0 => {
                Some((picture.most, picture.most + picture.left_out))
            }
            _ => None,
        }
    }
}

impl Picture {
    fn event(&mut self, event: &Event) {
        // An event that is not drawn needs no room.
        if !self.style.only.draws(&event.kind) {
            return;
        }
        if self.timeline.events().len() < self.most {
            self.timeline.push(event.clone());
        } else {
            if self.left_out == 0 {
                self.since = event.time;
            }
            self.left_out += 1;
        }
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
        svg::svg(&self.timeline, self.style.reading()).into_bytes()
    }
}
