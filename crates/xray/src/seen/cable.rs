//! The packets on the cable between two hosts, with what became of each.

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use timeline::cable::Fate;
use timeline::{Actor, Kind, Place};
use wire::{CableControl, Frame, Hand, Report, Settings, Side, Wire};

use super::owners::Ends;
use super::packets::PacketSource;
use super::recorder::{Recorder, Shared};

/// The cable between two hosts, on which the programs play. Each packet is told
/// before it goes on.
pub(crate) struct Cable {
    wire: Wire,
    control: CableControl,
    recorder: Shared,
    crossing: Arc<Mutex<Crossing>>,
}

impl Cable {
    /// Plugs the cable in.
    pub(crate) fn plug(
        mut wire: Wire,
        hand: Box<dyn Hand>,
        settings: Settings,
        recorder: &Shared,
    ) -> Result<Self> {
        let crossing = Arc::new(Mutex::new(Crossing::default()));
        let (seen, told) = (Arc::clone(&crossing), recorder.clone());
        let plugged = wire.plug(hand, settings, move |report| {
            lock(&seen).tell(report, &mut told.lock());
        });
        let control = plugged.context("plug the cable in")?;
        if !wire.host(Side::Server).knows_names() {
            let why = "the names server and client: nothing can be mounted here";
            recorder.lock().unseen(why);
        }
        Ok(Self {
            wire,
            control,
            recorder: recorder.clone(),
            crossing,
        })
    }
}

impl PacketSource for Cable {
    /// Nothing is on its way to the recorder.
    fn told_until(&self) -> Duration {
        Duration::MAX
    }

    /// If nothing is said, the first program plays on the server's host, and all
    /// that follow on the client's.
    fn place(&self, actor: Actor, host: Option<Side>, command: &mut Command) {
        let first = match actor {
            Actor(0) => Side::Server,
            _ => Side::Client,
        };
        let side = host.unwrap_or(first);
        self.wire.host(side).place(command);
        lock(&self.crossing).actors[side.index()].push(actor);
    }

    fn is_quiet_for(&self, time: Duration) -> bool {
        let busy = lock(&self.crossing).busy;
        busy.is_none_or(|busy| busy.elapsed() >= time)
    }

    fn wire(&self) -> Option<(&Wire, &CableControl)> {
        Some((&self.wire, &self.control))
    }

    /// Says how many packets have crossed, and what could not be shown.
    fn end(&mut self) {
        self.wire.unplug();
        let recorder = self.recorder.lock();
        let mut told = Vec::new();
        for side in Side::BOTH {
            let (counts, from) = (self.control.counts(side), side.name());
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

/// What is known of the cable beside its packets.
#[derive(Debug, Default)]
struct Crossing {
    /// The programs on each host.
    actors: [Vec<Actor>; 2],
    /// Frames that have not gone on yet, and between whom.
    late: HashMap<u64, Ends>,
    /// When the last packet came, or went on.
    busy: Option<Instant>,
}

impl Crossing {
    /// The cable's report. It comes before the frame goes on, so states are those
    /// that the sender has, and not yet those that the receiver will have.
    fn tell(&mut self, report: Report, recorder: &mut Recorder) {
        match report {
            Report::Packet(frame) => self.frame(frame, recorder),
            Report::Later { at, later, .. } => {
                self.busy = Some(Instant::now());
                let waits = matches!(later.fate, Fate::Held | Fate::Delayed | Fate::Swapped);
                let known = match waits {
                    true => self.late.get(&later.frame).copied(),
                    false => self.late.remove(&later.frame),
                };
                let (from, to) = known.unwrap_or_default();
                let time = recorder.since_start(at);
                recorder.tell(time, Place::Wire { from, to }, Kind::Fate(later));
                recorder.look_at_states();
            }
            Report::Cable { at, what } => {
                let time = recorder.since_start(at);
                recorder.tell(time, Place::Narrator, Kind::Note(what));
            }
        }
    }

    fn frame(&mut self, frame: Frame, recorder: &mut Recorder) {
        self.busy = Some(Instant::now());
        let (from, to) = recorder.ends(&frame.packet);
        let from = from.or_else(|| self.only_one_on(frame.from));
        let to = to.or_else(|| self.only_one_on(frame.from.other()));
        let late = frame.packet.passage.as_ref().is_some_and(|passage| {
            !passage.late.is_zero() || matches!(passage.fate, Fate::Held | Fate::Swapped)
        });
        if late {
            self.late.insert(frame.id, (from, to));
        }
        let time = recorder.since_start(frame.at);
        recorder.packet(time, (from, to), frame.packet);
    }

    /// Where no socket tells: a program that is alone on its host.
    fn only_one_on(&self, side: Side) -> Option<Actor> {
        match self.actors[side.index()][..] {
            [actor] => Some(actor),
            _ => None,
        }
    }
}

/// A thread that has panicked has said so; what it knew still counts.
fn lock(crossing: &Mutex<Crossing>) -> MutexGuard<'_, Crossing> {
    crossing.lock().unwrap_or_else(PoisonError::into_inner)
}
