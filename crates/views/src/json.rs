//! JSON lines: all of a timeline, for other people's programs, and to be read
//! back. `docs/timeline.md` describes each member.
//!
//! The first line is the [`header`]; each line after it is an [`event`]. So a
//! recording can be written while it grows, and one that was cut off can be read
//! up to there.

mod schema;
mod shapes;
mod value;

use std::collections::HashMap;
use std::fmt;

use serde_json::Value;
use timeline::{Actor, Event, Kind, Place, Timeline};

use self::shapes::Choice;
use self::value::{Object, Wrong, member};

/// What the header calls the format.
pub const FORMAT: &str = "dialtone timeline";
/// Raised when a line may hold what an older reader does not know.
pub const VERSION: u64 = 1;

/// The members of an event that say when and where; the other one says what.
const TIME: &str = "time";
const ACTOR: &str = "actor";
const WIRE: &str = "wire";

/// The whole timeline, each line with its end.
pub fn write(timeline: &Timeline) -> String {
    let events = timeline.events().iter().map(event);
    std::iter::once(header()).chain(events).collect()
}

/// The first line.
pub fn header() -> String {
    let mut line = String::new();
    let mut object = Object::begin(&mut line);
    object.member("format", &FORMAT.to_string());
    object.member("version", &VERSION);
    object.end();
    line.push('\n');
    line
}

/// The line of one event.
pub fn event(event: &Event) -> String {
    let mut line = String::new();
    let mut object = Object::begin(&mut line);
    object.member(TIME, &event.time);
    match event.place {
        Place::Actor(actor) => object.member(ACTOR, &actor),
        Place::Wire { from, to } => {
            let mut wire = Object::begin(object.name(WIRE));
            wire.member("from", &from);
            wire.member("to", &to);
            wire.end();
        }
        Place::Narrator => {}
    }
    event.kind.write_into(&mut object);
    object.end();
    line.push('\n');
    line
}

/// Reads what [`write()`] has written. Empty lines do not count.
///
/// In a recording of a newer version, events of unknown kinds are counted: the
/// first of each kind becomes a [`Kind::Unseen`] that says how many there are.
///
/// # Errors
///
/// The first line that is no event of the format, or is not whole.
pub fn read(recorded: impl AsRef<[u8]>) -> Result<Timeline, ReadError> {
    let lines = recorded.as_ref().split(|byte| *byte == b'\n').zip(1..);
    let mut lines = lines.filter(|(line, _)| !line.trim_ascii().is_empty());
    let (first, number) = lines.next().unwrap_or((b"", 1));
    let version = read_header(first).map_err(|wrong| ReadError::new(number, wrong, NO_HEADER))?;

    let mut events = Vec::new();
    // How often each unknown thing came, and which event stands for it.
    let mut unknown: HashMap<String, (usize, u64)> = HashMap::new();
    for (line, number) in lines {
        match read_event(line, version > VERSION) {
            Ok(Line::Known(event)) => events.push(event),
            Ok(Line::Unknown(event, what)) => {
                let (_, count) = unknown.entry(what).or_insert((events.len(), 0));
                if *count == 0 {
                    events.push(event);
                }
                *count += 1;
            }
            Err(wrong) => return Err(ReadError::new(number, wrong, BROKEN)),
        }
    }
    for (what, (index, count)) in unknown {
        events[index].kind = Kind::Unseen(format!(
            "{count} × {what}: recorded by a newer version, and not known to this one"
        ));
    }
    let mut timeline = Timeline::default();
    events.into_iter().for_each(|event| timeline.push(event));
    Ok(timeline)
}

enum Line {
    Known(Event),
    /// Its kind is to be filled in; the text says what is not known.
    Unknown(Event, String),
}

fn read_header(line: &[u8]) -> Result<u64, Wrong> {
    let header = parse(line)?;
    if header["format"] != FORMAT {
        return Err(Wrong::new(format!(
            "this is no header of a recorded timeline; it has no \"format\":\"{FORMAT}\""
        )));
    }
    member(&header, "version")
}

fn read_event(line: &[u8], newer: bool) -> Result<Line, Wrong> {
    let value = parse(line)?;
    let time = member(&value, TIME)?;
    let place = read_place(&value)?;
    let members = value.as_object().into_iter().flatten();
    let mut rest = members.filter(|(name, _)| ![TIME, ACTOR, WIRE].contains(&name.as_str()));
    let mut known = rest.clone();
    let known = known.find(|(name, _)| Kind::NAMES.contains(&name.as_str()));
    let Some((name, content)) = known.or_else(|| rest.next()) else {
        return Err(Wrong::new(format!(
            "nothing says what happened; one of {} is expected",
            Kind::NAMES.join(", ")
        )));
    };
    let event = |kind| Event { time, place, kind };
    match Kind::read_named(name, content) {
        Ok(kind) => Ok(Line::Known(event(kind))),
        Err(wrong) if newer && wrong.is_unknown_word => Ok(Line::Unknown(
            event(Kind::Beat),
            format!("an event {name:?} ({wrong})"),
        )),
        Err(wrong) => Err(wrong),
    }
}

fn read_place(event: &Value) -> Result<Place, Wrong> {
    if let Some(wire) = event.get(WIRE) {
        let end = |name| member::<Option<Actor>>(wire, name).map_err(|wrong| wrong.below(WIRE));
        return Ok(Place::Wire {
            from: end("from")?,
            to: end("to")?,
        });
    }
    let actor = member::<Option<Actor>>(event, ACTOR)?;
    Ok(actor.map_or(Place::Narrator, Place::Actor))
}

fn parse(line: &[u8]) -> Result<Value, Wrong> {
    serde_json::from_slice(line).map_err(|error| {
        if error.is_eof() {
            let what = format!("the line ends in the middle, after {} bytes", line.len());
            return Wrong::new(what);
        }
        // Its own text ends with "at line 1 column N": the line is known better here.
        let text = error.to_string();
        let what = text
            .rsplit_once(" at line ")
            .map_or(&*text, |(what, _)| what);
        Wrong::new(format!(
            "this is no JSON: {what}, at column {}",
            error.column()
        ))
    })
}

const NO_HEADER: &str =
    "Give a file that was recorded as JSON lines (--out NAME.jsonl), from its first line on.";
const BROKEN: &str = "Delete the line to read the rest, or record the run again.";

/// Why a recording cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    line: usize,
    what: String,
    way_out: &'static str,
}

impl ReadError {
    fn new(line: usize, wrong: Wrong, way_out: &'static str) -> Self {
        let what = wrong.to_string();
        Self {
            line,
            what,
            way_out,
        }
    }

    /// The number of the line; the first is 1.
    pub fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "line {}: {}. {}", self.line, self.what, self.way_out)
    }
}

impl std::error::Error for ReadError {}
