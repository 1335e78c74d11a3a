//! What has happened on stage so far, and what is to be said about it.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use anyhow::{Context, Result};
use timeline::{Actor, Ending, Event, Kind, Place, Timeline};
use xray::Take;

use crate::focus::Focus;
use crate::sign::Sign;
use crate::spectator::Spectator;

/// The timeline, whoever sees it grow, and what waits for a sign in it.
#[derive(Default)]
pub(crate) struct Story {
    pub(crate) timeline: Timeline,
    spectator: Option<Spectator>,
    endings: HashMap<Actor, Ending>,
    /// For each actor: how many events the script has gone through for it.
    heard: HashMap<Actor, usize>,
    /// How many events have been searched for signs that the script awaits.
    searched: usize,
    /// With which event the part began.
    part: usize,
    /// Explanations that wait for what they explain.
    pub(crate) hints: Vec<(Sign, String)>,
    /// What the spectator is to see from a sign on.
    pub(crate) turns: Vec<(Sign, Focus)>,
    /// The first error of the spectator; the script meets it at its next wait.
    broken: Option<io::Error>,
}

impl Story {
    pub(crate) fn new(spectator: Option<Spectator>) -> Self {
        Self {
            spectator,
            ..Self::default()
        }
    }

    /// A part begins here. What an explanation of an earlier one waited for is
    /// over: it is forgotten.
    pub(crate) fn begin_part(&mut self) {
        self.hints.clear();
        self.turns.clear();
        self.part = self.timeline.events().len();
        self.searched = self.part;
    }

    pub(crate) fn focus(&mut self, focus: Focus) {
        if let Some(spectator) = &mut self.spectator {
            spectator.focus(focus);
        }
    }

    /// When the last thing happened.
    pub(crate) fn last(&self) -> Duration {
        let last = self.timeline.events().last();
        last.map_or(Duration::ZERO, |event| event.time)
    }

    /// How an actor has ended, if it has.
    pub(crate) fn ending(&self, actor: Actor) -> Option<Ending> {
        self.endings.get(&actor).copied()
    }

    /// The actor's next line that fits, behind the one that was found before. Each
    /// event is looked at once, however many there are.
    pub(crate) fn next_line(
        &mut self,
        actor: Actor,
        fits: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let at = self.heard.entry(actor).or_default();
        for event in &self.timeline.events()[*at..] {
            *at += 1;
            if let (Place::Actor(who), Kind::Line { text, .. }) = (event.place, &event.kind)
                && who == actor
                && fits(text)
            {
                return Some(text.clone());
            }
        }
        None
    }

    /// When the next such event happened, behind the one that was found before.
    pub(crate) fn next_sign(&mut self, sign: &Sign) -> Option<Duration> {
        while let Some(event) = self.timeline.events().get(self.searched) {
            self.searched += 1;
            if sign.fits(&self.timeline, event) {
                return Some(event.time);
            }
        }
        None
    }

    /// When this has happened in this part, each time.
    pub(crate) fn seen(&self, sign: &Sign) -> Vec<Duration> {
        let events = self.timeline.events()[self.part..].iter();
        let such = events.filter(|event| sign.fits(&self.timeline, event));
        such.map(|event| event.time).collect()
    }

    /// Puts an event at the end, and shows it.
    fn push(&mut self, event: Event, next: Option<&Event>) {
        self.timeline.push(event);
        if let (Some(spectator), Some(event)) = (&mut self.spectator, self.timeline.events().last())
        {
            let seen = spectator.see(&self.timeline, event, next);
            self.broken = self.broken.take().or(seen.err());
        }
    }

    /// Puts something that no program did at the end, and shows it.
    pub(crate) fn narrate(&mut self, time: Duration, kind: Kind, next: Option<&Event>) {
        let place = Place::Narrator;
        self.push(Event { time, place, kind }, next);
    }

    /// Whether nobody sees any more what is pushed.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// That the spectator still sees. The error is handed out once.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.broken.take() {
            Some(error) => Err(error).context("write the scene to standard output"),
            None => Ok(()),
        }
    }
}

impl Take for Story {
    /// The event, and right behind it what waited for it.
    fn take(&mut self, event: Event, next: Option<&Event>) -> Result<()> {
        if let (Place::Actor(actor), Kind::Ended(ending)) = (event.place, &event.kind) {
            self.endings.insert(actor, *ending);
        }
        let hint = position(&self.hints, &self.timeline, &event);
        let turn = position(&self.turns, &self.timeline, &event);
        let time = event.time;
        self.push(event, next);
        if let Some(index) = hint {
            let (_, text) = self.hints.remove(index);
            self.narrate(time, Kind::Note(text), next);
        }
        if let Some(index) = turn {
            let (_, focus) = self.turns.remove(index);
            self.focus(focus);
        }
        Ok(())
    }
}

/// The first that waits for this event.
fn position<T>(waiting: &[(Sign, T)], timeline: &Timeline, event: &Event) -> Option<usize> {
    waiting
        .iter()
        .position(|(sign, _)| sign.fits(timeline, event))
}
