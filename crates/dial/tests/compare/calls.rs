//! The calls of each task as lines, from a timeline and from strace's files.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use timeline::call::{CallId, End};
use timeline::{Actor, Kind, Place, Timeline};

use super::line::line;
use super::strace::strace_line;

/// The lines of each task that has made calls, in an order that no run changes.
pub type Tasks = Vec<Vec<String>>;

pub fn observed(timeline: &Timeline, actor: usize) -> Tasks {
    let events = timeline.events();
    let ends = events.iter().filter_map(|event| match &event.kind {
        Kind::Return(end) => Some((end.id, end)),
        _ => None,
    });
    let ends: HashMap<CallId, &End> = ends.collect();
    let mut tasks: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for event in events {
        if let (Kind::Call(start), Place::Actor(Actor(number))) = (&event.kind, event.place)
            && number == actor
        {
            let text = line(start, ends.get(&start.id).copied());
            tasks.entry(start.tid).or_default().extend(comparable(text));
        }
    }
    sorted(tasks.into_values())
}

/// The folder has a file of each task.
pub fn witnessed(folder: &Path) -> Tasks {
    let files = fs::read_dir(folder).expect("the folder is there");
    let tasks = files.map(|file| {
        let bytes = fs::read(file.expect("a file").path()).expect("it can be read");
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().filter_map(strace_line);
        lines.filter_map(comparable).collect()
    });
    sorted(tasks)
}

/// A call in which a task has died has no more than its name and descriptor. What
/// a signal has interrupted, and how much time is left, depend on the moment.
fn comparable(line: String) -> Option<String> {
    if line.ends_with("= interrupted") {
        return None;
    }
    if let Some((before, _)) = line.split_once("SO_RCVTIMEO, ") {
        return Some(format!("{before}SO_RCVTIMEO)"));
    }
    if !line.ends_with("= died") {
        return Some(line);
    }
    let end = line.find([',', ')']).unwrap_or(line.len());
    Some(format!("{} ... died", &line[..end]))
}

pub fn sorted(tasks: impl Iterator<Item = Vec<String>>) -> Tasks {
    let mut tasks: Tasks = tasks.filter(|lines| !lines.is_empty()).collect();
    tasks.sort();
    tasks
}
