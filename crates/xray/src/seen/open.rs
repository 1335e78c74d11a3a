//! Where programs are seen: on one loopback, or on two hosts.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use kernel::states::States;
use sources::calls::{Deed, Tracer, Tracing};
use timeline::order::Order;
use wire::{Hand, Open, Settings, Side, Wire};

use super::Seen;
use super::backlog::{Backlog, wait_while};
use super::cable::Cable;
use super::loopback::Loopback;
use super::packets::PacketSource;
use super::recorder::{Recorder, Shared};

/// How programs are seen.
#[derive(Clone, Debug)]
pub struct Watching {
    /// Whether each call is held until [`crate::Audience::go_on`] comes back.
    pub step: bool,
    /// How many bytes of what a call sends or receives are kept.
    pub keep: usize,
    /// Whether the programs are alone in their network. Where they are not,
    /// packets of others are left out.
    pub alone: bool,
    /// Whether the audience has the keyboard: then the last program reads what
    /// the audience writes, and it ends only when the audience has seen enough.
    pub keyboard: bool,
}

impl Default for Watching {
    /// Programs that are alone in their network; nothing is held.
    fn default() -> Self {
        Self {
            step: false,
            keep: 4096,
            alone: true,
            keyboard: false,
        }
    }
}

impl Seen {
    /// Begins to look at programs on the loopback of the network in which this
    /// process is. That packets or states cannot be seen is no error: it is told.
    ///
    /// # Errors
    /// When calls cannot be watched: ptrace(2) is forbidden.
    pub fn new(watching: &Watching) -> Result<Self> {
        let states = States::open().map(|states| vec![states]);
        Self::with(watching, watching.alone, states, |recorder| {
            Ok(Box::new(Loopback::listen(recorder, watching.alone)))
        })
    }

    /// Begins to look at programs on two hosts. `hand` decides about each frame on
    /// the cable between them.
    ///
    /// # Errors
    /// When calls cannot be watched, or the cable cannot be plugged in.
    pub fn on_wire(
        watching: &Watching,
        wire: Wire,
        hand: Box<dyn Hand>,
        settings: Settings,
    ) -> Result<Self> {
        let states = Side::BOTH.into_iter().map(|side| wire.host(side).states());
        let states = states.collect();
        Self::with(watching, true, states, |recorder| {
            Ok(Box::new(Cable::plug(wire, hand, settings, recorder)?))
        })
    }

    /// Begins to look at programs that have a network of their own: the whole
    /// process moves into it. To be called before there is a second thread.
    ///
    /// # Errors
    /// When namespaces or ptrace(2) are forbidden.
    pub fn alone(watching: &Watching) -> Result<Self> {
        let entered = kernel::network::enter_private();
        entered.context("no network of their own for the programs")?;
        kernel::probe::tracing().context("calls cannot be watched")?;
        Self::new(watching)
    }

    /// Begins to look at programs on two hosts that are made for them, with a
    /// cable that passes everything on. To be called before there is a second
    /// thread.
    ///
    /// # Errors
    /// When there cannot be two hosts, or calls cannot be watched.
    pub fn on_two_hosts(watching: &Watching) -> Result<Self> {
        // In namespaces of our own also as root, so that nothing outside can change.
        // Where they are forbidden, `Wire::new` says so, or does without.
        let _ = kernel::network::enter_private();
        let wire = Wire::new().map_err(|refused| {
            anyhow!("no wire here: {refused} \"cargo dial doctor\" says more.")
        })?;
        Self::on_wire(watching, wire, Box::new(Open), Settings::default())
    }

    fn with(
        watching: &Watching,
        alone: bool,
        states: io::Result<Vec<States>>,
        packets: impl FnOnce(&Shared) -> Result<Box<dyn PacketSource>>,
    ) -> Result<Self> {
        let (news, arrivals) = mpsc::channel();
        let backlog = Backlog::default();
        let recorder = Recorder::shared(news, backlog.clone(), alone, states);
        let mut packets = packets(&recorder)?;
        let start = recorder.lock().start;
        let options = Tracing {
            keep: watching.keep,
            hold: watching.step,
            ..Tracing::default()
        };
        let (seen, behind, gauge) = (recorder.clone(), backlog.clone(), packets.gauge());
        let tracer = Tracer::new(options, move |event| {
            // The programs wait where we are too slow: so nothing gets lost.
            wait_while(|| behind.is_too_much());
            if let (Deed::Call(_), Some(gauge)) = (&event.what, &gauge) {
                wait_while(|| gauge.is_filling());
            }
            seen.lock().call(event);
        });
        let tracer = tracer.context("observe the calls of programs")?;
        Ok(Self {
            tracer,
            packets,
            recorder,
            arrivals,
            order: Order::default(),
            settled: Duration::ZERO,
            start,
            backlog,
            ready: VecDeque::new(),
            held: VecDeque::new(),
            listens: false,
            alive: Vec::new(),
            pids: Vec::new(),
        })
    }
}
