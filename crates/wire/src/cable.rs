//! The cable: one thread that takes each frame from one host, and hands it to
//! the other when it is due. It never sleeps: it waits for frames, for the next
//! one that is due, and for what it is told.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kernel::clock::now;
use kernel::packets::drops_since_last_asked;
use kernel::packets::ring::{Ring, send_all};
use kernel::wait::{Bell, readable};

use crate::hand::{Action, Hand, Settings, Side};
use crate::traffic::{Counts, Report, Traffic, Way};

/// How many frames are taken at a time, so that both directions have their turn.
const BATCH: usize = 64;

/// One end of the cable.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) socket: Arc<OwnedFd>,
    pub(crate) ring: Ring,
}

/// What the cable is told.
enum Order {
    Decide(u64, Action),
    ReleaseAll,
    Change(Box<dyn FnOnce(&mut Settings) + Send>),
    Hand(Box<dyn Hand>),
    Cut(bool),
    Held(Sender<Vec<u64>>),
}

/// A hand on the cable, from any thread. Clones are hands on the same cable.
#[derive(Clone, Debug)]
pub struct CableControl {
    orders: Sender<Order>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bell: Bell,
    stop: AtomicBool,
    hold: AtomicBool,
    counts: Mutex<[Counts; 2]>,
    sockets: [Arc<OwnedFd>; 2],
    settings: Mutex<Settings>,
}

impl CableControl {
    /// Decides about a frame that is held. For one that is not held any more,
    /// nothing happens.
    pub fn decide(&self, frame: u64, what: Action) {
        self.give(Order::Decide(frame, what));
    }

    /// From now on each frame that nothing else happens to is held, until
    /// [`CableControl::decide`]; or is not. When it is not, those that are held go on.
    pub fn hold(&self, hold: bool) {
        self.shared.hold.store(hold, Ordering::Relaxed);
        if !hold {
            self.give(Order::ReleaseAll);
        }
    }

    /// The frames that are held, oldest first.
    pub fn held(&self) -> Vec<u64> {
        let (answer, held) = mpsc::channel();
        self.give(Order::Held(answer));
        held.recv().unwrap_or_default()
    }

    /// From now on this hand decides about each frame, such as other
    /// [`Rules`](crate::rules::Rules). What they say of the cable itself is set by
    /// [`CableControl::change`].
    pub fn give_to(&self, hand: impl Hand + 'static) {
        self.give(Order::Hand(Box::new(hand)));
    }

    /// Changes what the cable itself does: latency, rate, loss. Frames that are
    /// on their way are not touched.
    pub fn change(&self, change: impl FnOnce(&mut Settings) + Send + 'static) {
        self.give(Order::Change(Box::new(change)));
    }

    /// What the cable itself does, as it was last changed.
    pub fn settings(&self) -> Settings {
        lock(&self.shared.settings).clone()
    }

    /// Cuts the cable, or mends it; mending ends all cuts that are planned, too.
    /// What is on its way still arrives.
    pub fn cut(&self, cut: bool) {
        self.give(Order::Cut(cut));
    }

    /// What has crossed the cable so far, in the direction in which this side
    /// sends. It is as of a moment ago: at most a batch of frames.
    pub fn counts(&self, from: Side) -> Counts {
        self.shared.ask_for_drops();
        lock(&self.shared.counts)[from.index()]
    }

    fn give(&self, order: Order) {
        // It fails only when the cable is gone, and then there is nothing to do.
        let _ = self.orders.send(order);
        self.shared.bell.ring();
    }
}

impl Shared {
    fn ask_for_drops(&self) {
        let mut counts = lock(&self.counts);
        for (socket, counts) in self.sockets.iter().zip(counts.iter_mut()) {
            // The kernel starts again from 0 each time it is asked.
            counts.lost += drops_since_last_asked(socket).unwrap_or(0);
        }
    }
}

/// The cable while it works. When it is dropped, frames cross no more.
#[derive(Debug)]
pub(crate) struct Cable {
    pub(crate) control: CableControl,
    thread: Option<JoinHandle<[Port; 2]>>,
}

impl Cable {
    pub(crate) fn start(
        ports: [Port; 2],
        hand: Box<dyn Hand>,
        settings: Settings,
        report: impl FnMut(Report) + Send + 'static,
    ) -> io::Result<Self> {
        let (orders, arrivals) = mpsc::channel();
        let shared = Arc::new(Shared {
            bell: Bell::new()?,
            stop: AtomicBool::new(false),
            hold: AtomicBool::new(false),
            counts: Mutex::default(),
            sockets: [0, 1].map(|index: usize| Arc::clone(&ports[index].socket)),
            settings: Mutex::new(settings.clone()),
        });
        let forwarder = Forwarder {
            ports,
            traffic: Traffic::new(hand, settings),
            arrivals,
            shared: Arc::clone(&shared),
            report: Box::new(report),
        };
        let builder = thread::Builder::new().name("cable".to_string());
        let thread = builder.spawn(move || forwarder.run())?;
        let control = CableControl { orders, shared };
        Ok(Self {
            control,
            thread: Some(thread),
        })
    }

    /// Ends the thread, and gives the ends of the cable back.
    pub(crate) fn end(&mut self) -> Option<[Port; 2]> {
        self.control.shared.stop.store(true, Ordering::Relaxed);
        self.control.shared.bell.ring();
        // It fails only when the thread has panicked, and then it has said so.
        self.thread.take()?.join().ok()
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.end();
    }
}

struct Forwarder {
    ports: [Port; 2],
    traffic: Traffic,
    arrivals: Receiver<Order>,
    shared: Arc<Shared>,
    report: Box<dyn FnMut(Report) + Send>,
}

impl Forwarder {
    fn run(mut self) -> [Port; 2] {
        // The usual 50 µs by which a wait may end too late are too many.
        let _ = kernel::process::set_timer_slack(Duration::from_nanos(1));
        while !self.shared.stop.load(Ordering::Relaxed) {
            let mut busy = false;
            for from in Side::BOTH {
                busy |= self.forward(from);
            }
            self.obey();
            self.settle();
            if !busy {
                self.wait();
            }
        }
        self.settle();
        self.ports
    }

    /// Takes the frames that have come from a host. Whether there were any.
    fn forward(&mut self, from: Side) -> bool {
        let Self {
            ports,
            traffic,
            report,
            shared,
            ..
        } = self;
        /// A frame as it lies in the ring, or one that was kept.
        enum Out<'a> {
            Lies(&'a [u8]),
            Kept(Vec<u8>),
        }
        let ring = &ports[from.index()].ring;
        let mut out = Vec::with_capacity(BATCH);
        let mut taken = 0;
        for slot in ring.waiting(BATCH) {
            taken += 1;
            // What was due before it came goes before it, and what waited for it
            // behind it.
            traffic.hold = shared.hold.load(Ordering::Relaxed);
            let before = traffic.leave(from, slot.at, report);
            out.extend(before.into_iter().map(Out::Kept));
            match traffic.enter(from, slot.at, slot.bytes, report) {
                Way::Now(copies) => out.extend((0..copies).map(|_| Out::Lies(slot.bytes))),
                Way::Changed(bytes) => out.push(Out::Kept(bytes)),
                Way::NotNow => {}
            }
            let behind = traffic.leave(from, slot.at, report);
            out.extend(behind.into_iter().map(Out::Kept));
        }
        let late = traffic.leave(from, now(), report);
        out.extend(late.into_iter().map(Out::Kept));
        let frames: Vec<&[u8]> = out
            .iter()
            .map(|frame| match frame {
                Out::Lies(bytes) => bytes,
                Out::Kept(bytes) => bytes.as_slice(),
            })
            .collect();
        let lost = send(&ports[from.other().index()].socket, &frames);
        if lost > 0 {
            lock(&self.shared.counts)[from.index()].lost += lost;
        }
        self.ports[from.index()].ring.give_back(taken);
        taken > 0
    }

    fn obey(&mut self) {
        while let Ok(order) = self.arrivals.try_recv() {
            let (now, report) = (now(), &mut self.report);
            match order {
                Order::Decide(frame, what) => {
                    self.traffic.release(frame, what, now, report);
                }
                Order::ReleaseAll => {
                    for frame in self.traffic.held() {
                        self.traffic.release(frame, Action::Pass, now, report);
                    }
                }
                Order::Change(change) => {
                    change(&mut self.traffic.settings);
                    *lock(&self.shared.settings) = self.traffic.settings.clone();
                }
                Order::Hand(hand) => self.traffic.hand = hand,
                Order::Cut(cut) => self.traffic.cut(cut),
                Order::Held(answer) => drop(answer.send(self.traffic.held())),
            }
            self.traffic.tell_cuts(now, report);
        }
    }

    /// Makes known what was counted, and what happened to the cable.
    fn settle(&mut self) {
        self.traffic.tell_cuts(now(), &mut self.report);
        let mut counts = lock(&self.shared.counts);
        for (known, new) in counts.iter_mut().zip(&self.traffic.counts) {
            let lost = known.lost;
            *known = Counts { lost, ..*new };
        }
    }

    fn wait(&self) {
        let next = self.traffic.next();
        let limit = next.map(|next| next.saturating_sub(now()));
        let [one, other] = [0, 1].map(|index: usize| self.ports[index].socket.as_fd());
        // A signal, or an error that a read will show: then there is nothing to hear.
        let found = readable(&[one, other, self.shared.bell.as_fd()], limit);
        if found.is_ok_and(|found| found[2]) {
            self.shared.bell.heard();
        }
    }
}

/// Hands frames over, in their order. How many of them the other side did not
/// take.
fn send(socket: &OwnedFd, mut frames: &[&[u8]]) -> u64 {
    let mut lost = 0;
    while !frames.is_empty() {
        match send_all(socket, frames) {
            Ok(sent) => frames = &frames[sent..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => {
                lost += 1;
                frames = &frames[1..];
            }
        }
    }
    lost
}

/// What a thread that has panicked had counted still counts.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
