//! What a scene waits for: a line, an end, a server that is ready.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use timeline::{Actor, Ending, Kind, Place};

use super::Stage;
use crate::Sign;

impl Stage {
    /// Waits until a server said `listening on` or `bound to`, and gives the
    /// address that it said.
    ///
    /// # Errors
    /// When it says something else, ends, or says nothing within the deadline.
    pub fn ready(&mut self, server: Actor) -> Result<SocketAddr> {
        let line = self.wait_for(
            server,
            "the line \"listening on\" or \"bound to\"",
            |line| line.starts_with("listening on ") || line.starts_with("bound to "),
        )?;
        let address = line.rsplit(' ').next().unwrap_or_default();
        address
            .parse()
            .with_context(|| format!("no address in the line {line:?}"))
    }

    /// Waits for the actor's next line that contains the fragment. Each call
    /// goes on behind the line that the call before it found.
    ///
    /// # Errors
    /// When the actor ends without it, or the deadline passes.
    pub fn wait_line(&mut self, actor: Actor, fragment: &str) -> Result<String> {
        let wanted = format!("a line with {fragment:?}");
        self.wait_for(actor, &wanted, |line| line.contains(fragment))
    }

    /// Waits until the actor has ended.
    ///
    /// # Errors
    /// When it still runs after the deadline.
    pub fn wait_exit(&mut self, actor: Actor) -> Result<Ending> {
        let deadline = Instant::now() + self.deadline;
        while !self.endings.contains_key(&actor) {
            if !self.pump(deadline)? {
                bail!(self.missed(actor, "its end"));
            }
        }
        Ok(self.endings[&actor])
    }

    /// Waits until this happens under the X-ray, and gives its time. Each call goes
    /// on behind the event that the call before it found, but not before the last
    /// headline.
    ///
    /// # Errors
    /// When the deadline passes without it.
    pub fn wait_sign(&mut self, sign: &Sign) -> Result<Duration> {
        let deadline = Instant::now() + self.deadline;
        loop {
            while let Some(event) = self.timeline.events().get(self.searched) {
                self.searched += 1;
                if sign.fits(&self.timeline, event) {
                    return Ok(event.time);
                }
            }
            if !self.pump(deadline)? {
                bail!(
                    "waited {:?} for {sign:?}, and it did not happen",
                    self.deadline
                );
            }
        }
    }

    /// When this has happened since the last headline, each time.
    pub fn seen(&self, sign: &Sign) -> Vec<Duration> {
        let events = self.timeline.events()[self.part..].iter();
        let such = events.filter(|event| sign.fits(&self.timeline, event));
        such.map(|event| event.time).collect()
    }

    fn wait_for(
        &mut self,
        actor: Actor,
        wanted: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Result<String> {
        let deadline = Instant::now() + self.deadline;
        let mut at = self.heard.get(&actor).copied().unwrap_or(0);
        loop {
            // Each event is looked at once, however many there are.
            while let Some(event) = self.timeline.events().get(at) {
                at += 1;
                if event.place != Place::Actor(actor) {
                    continue;
                }
                if let Kind::Line { text, .. } = &event.kind
                    && fits(text)
                {
                    let text = text.clone();
                    self.heard.insert(actor, at);
                    return Ok(text);
                }
            }
            if self.endings.contains_key(&actor) || !self.pump(deadline)? {
                bail!(self.missed(actor, wanted));
            }
        }
    }

    /// What was awaited, and what was there instead.
    fn missed(&self, actor: Actor, wanted: &str) -> String {
        let lane = self.timeline.lane(actor);
        let ended = self
            .endings
            .get(&actor)
            .map(|ending| format!("it ended: {ending:?}"));
        let state = ended.unwrap_or_else(|| format!("{:?} have passed", self.deadline));
        let said = self.lines(actor).join("\n  ");
        format!("waited for {wanted} of {lane}, but {state}. It has said:\n  {said}")
    }
}
