//! The X-ray of two hosts: their packets come from the cable between them, with
//! what became of each.

use std::collections::HashMap;
use std::process::Command;
use std::time::{Duration, Instant};

use timeline::cable::Fate;
use timeline::{Actor, Kind, Place};
use wire::{Frame, Report, Side, Wire};

use super::backlog::Counting;
use super::recorder::{News, Recorder};
use super::session::{Session, lock};
use crate::cast::Cast;

/// What is known where there are two hosts.
#[derive(Debug, Default)]
pub(super) struct OnWire {
    /// The programs on each host.
    actors: [Vec<Actor>; 2],
    /// Frames that have not gone on yet, and between whom.
    late: HashMap<u64, Place>,
    /// When the last packet came, or went on.
    busy: Option<Instant>,
}

impl OnWire {
    fn on(&mut self, side: Side) -> &mut Vec<Actor> {
        match side {
            Side::Server => &mut self.actors[0],
            Side::Client => &mut self.actors[1],
        }
    }

    /// Whether nothing has crossed the cable for so long.
    pub(super) fn is_quiet_for(&self, time: Duration) -> bool {
        self.busy.is_none_or(|busy| busy.elapsed() >= time)
    }
}

impl Recorder {
    /// A recorder of both hosts.
    pub(super) fn of_wire(news: Counting<News>, wire: &Wire) -> Self {
        let states = Side::BOTH.into_iter().map(|side| wire.host(side).states());
        let states = states.collect();
        Self::with(news, true, states)
    }

    /// Explains something.
    pub(super) fn note(&self, text: &str) {
        self.tell(self.now(), Place::Narrator, Kind::Note(text.to_string()));
    }

    /// This program plays on this host.
    pub(super) fn plays_on(&mut self, actor: Actor, side: Side) {
        self.wire.on(side).push(actor);
    }

    /// The cable's report. It comes before the frame goes on, so states are those
    /// that the sender has, and not yet those that the receiver will have.
    pub(super) fn report(&mut self, report: Report) {
        match report {
            Report::Packet(frame) => self.frame(frame),
            Report::Later { at, later, .. } => {
                self.wire.busy = Some(Instant::now());
                let waits = matches!(later.fate, Fate::Held | Fate::Delayed | Fate::Swapped);
                let frame = later.frame;
                let known = match waits {
                    true => self.wire.late.get(&frame).copied(),
                    false => self.wire.late.remove(&frame),
                };
                let nobody = Place::Wire {
                    from: None,
                    to: None,
                };
                let time = self.since_start(at);
                self.tell(time, known.unwrap_or(nobody), Kind::Fate(later));
                self.look_at_states();
            }
            Report::Cable { at, what } => {
                self.tell(self.since_start(at), Place::Narrator, Kind::Note(what));
            }
        }
    }

    fn frame(&mut self, frame: Frame) {
        self.wire.busy = Some(Instant::now());
        let (from, to) = self.find_ends(&frame.packet);
        let from = from.or_else(|| self.only_one_on(frame.from));
        let to = to.or_else(|| self.only_one_on(frame.from.other()));
        let place = Place::Wire { from, to };
        let late = frame.packet.passage.as_ref().is_some_and(|passage| {
            !passage.late.is_zero() || matches!(passage.fate, Fate::Held | Fate::Swapped)
        });
        if late {
            self.wire.late.insert(frame.id, place);
        }
        self.show_packet(self.since_start(frame.at), place, frame.packet);
    }

    /// Where no socket tells: a program that is alone on its host.
    fn only_one_on(&mut self, side: Side) -> Option<Actor> {
        match self.wire.on(side)[..] {
            [actor] => Some(actor),
            _ => None,
        }
    }
}

impl Session {
    /// Has a program play on its host, where there are two.
    pub(super) fn place(&self, actor: Actor, host: Option<Side>, command: &mut Command) {
        let first = match actor {
            Actor(0) => Side::Server,
            _ => Side::Client,
        };
        let host = host.unwrap_or(first);
        if let Some(wire) = self.wire() {
            wire.host(host).place(command);
            lock(&self.recorder).plays_on(actor, host);
        }
    }

    /// Whether nothing has crossed the cable for so long. Without a cable: yes.
    pub(super) fn is_quiet_for(&self, time: Duration) -> bool {
        self.wire.is_none() || lock(&self.recorder).wire.is_quiet_for(time)
    }

    /// No packet crosses any more. Says what did, and what could not be shown.
    pub(super) fn unplug(&mut self) {
        let Some((wire, control)) = &mut self.wire else {
            return;
        };
        wire.unplug();
        let recorder = lock(&self.recorder);
        let mut told = Vec::new();
        for side in Side::BOTH {
            let (counts, from) = (control.counts(side), side.name());
            told.push(format!(
                "from the {from} {} packets came, {} went on, {} were dropped",
                counts.came, counts.delivered, counts.dropped
            ));
            if counts.lost > 0 {
                recorder.unseen(&format!("{} frames of the {from}, lost by us", counts.lost));
            }
            if counts.chatter > 0 {
                let many = counts.chatter;
                recorder.unseen(&format!("{many} frames of the {from}'s own housekeeping"));
            }
            if counts.waiting > 0 {
                let many = counts.waiting;
                recorder.unseen(&format!("what becomes of {many} packets on the cable"));
            }
        }
        recorder.note(&format!("On the cable: {}.", told.join("; ")));
    }
}
