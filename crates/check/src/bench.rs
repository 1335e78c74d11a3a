//! Where a check works: it starts the program, gives out peers, and waits.

mod observe;
mod start;
#[cfg(all(test, target_os = "linux"))]
mod tests;
mod wait;

use std::cell::RefCell;
use std::iter;
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use xray::{Cast, Listened};

use crate::address::Endpoint;
use crate::command::Settings;
use crate::datagram::Datagrams;
use crate::evidence::last_rows;
use crate::fault::{Fault, Verdict};
use crate::folder::Folder;
use crate::ground::{self, Sight, Watch, end_all, reap_orphans};
use crate::launch::Tested;
use crate::listen::Listener;
use crate::log::{Log, Said};
use crate::peer::{Peer, lower};
use crate::setup::Setup;
use crate::story::{PATIENCE, Story};

/// How many bytes of each output of a program are kept.
const OUTPUT: u64 = 256 * 1024;

/// How long to wait for the end of programs that were ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How long a program may take to start: a virtual machine warms up, a slow program
/// rests first.
const STARTS: Duration = Duration::from_secs(5);

/// A work bench for one check.
pub struct Bench {
    setup: Setup,
    story: Story,
    sight: Rc<RefCell<Sight>>,
    cast: Box<dyn Cast>,
    log: Log,
    settings: Settings,
    address: Option<SocketAddr>,
    random: u64,
    watch: Watch,
    /// Whether somebody has called the server.
    called: bool,
    /// The calls of clients that our server has taken.
    taken: Vec<Weak<TcpStream>>,
    /// How many folders were made.
    folders: u32,
}

impl Bench {
    pub(crate) fn new(setup: &Setup, story: Story, name: &str) -> anyhow::Result<Self> {
        let cast = cast(setup)?;
        // Each check has its own row of random numbers, whatever runs before it.
        let random = name.bytes().fold(setup.seed, |seed, byte| {
            (seed ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Ok(Self {
            setup: setup.clone(),
            story,
            sight: Rc::new(RefCell::new(Sight::open())),
            cast,
            log: Log::new(setup.observed),
            settings: Settings::new(),
            address: None,
            random,
            watch: Watch::start(setup.memory),
            called: false,
            taken: Vec::new(),
            folders: 0,
        })
    }

    /// What the programs are told beside the address: `{name}` in the command
    /// line, NAME in the environment. It holds for programs started later.
    pub fn tell(&mut self, name: &'static str, value: impl Into<String>) {
        let value = value.into();
        let shown = name.to_uppercase();
        self.story.step(format!("we set {shown}={value}"));
        self.settings.insert(name, value);
    }

    /// A fresh folder, which the programs are told as FOLDER.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn folder(&mut self) -> Verdict<Folder> {
        let outer = match self.folders {
            0 => self.setup.scratch.clone(),
            count => self.setup.scratch.join(count.to_string()),
        };
        self.folders += 1;
        let folder = Folder::new(outer)?;
        let path = folder.path().to_string_lossy().into_owned();
        self.settings.insert("folder", path);
        Ok(folder)
    }

    /// Writes a step into the story.
    pub fn step(&self, text: impl Into<String>) {
        self.story.step(text);
    }

    /// "we" call the server.
    ///
    /// # Errors
    /// When it is not there.
    pub fn call(&mut self, server: &Tested) -> Verdict<Peer> {
        self.call_as(server, "we")
    }

    /// A caller with a name calls the server.
    ///
    /// # Errors
    /// When it is not there.
    pub fn call_as(&mut self, server: &Tested, who: &str) -> Verdict<Peer> {
        if std::mem::replace(&mut self.called, true) {
            // What the one before did is over: its fault is not met half-way.
            self.settle();
        }
        let peer = self.call_quietly(server, who)?;
        self.story.step(format!("{who} connected"));
        Ok(peer)
    }

    /// Like `call_as`, but it is no step of the story.
    ///
    /// # Errors
    /// When it is not there.
    pub fn call_quietly(&mut self, server: &Tested, who: &str) -> Verdict<Peer> {
        let time = self.story.at_most(PATIENCE);
        match TcpStream::connect_timeout(&server.address, time) {
            Ok(stream) => Ok(Peer::new(stream, who, &self.story, &self.sight)?),
            Err(error) => {
                self.settle();
                let state = self.state(server);
                Err(Fault::program(
                    format!("a connection to {}", server.address),
                    format!("{}; {state}", lower(&error)),
                ))
            }
        }
    }

    /// Our own server, for a client that is started later.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn listen(&mut self) -> Verdict<Listener> {
        self.listen_with_backlog(128)
    }

    /// Like `listen`, with room for this many callers in the accept queue.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn listen_with_backlog(&mut self, backlog: i32) -> Verdict<Listener> {
        let address = self.address()?;
        let listener = Listener::open(address, self.setup.usual(), backlog, &self.story)?;
        self.story
            .step(format!("our server listens on {}", listener.address()));
        Ok(listener)
    }

    /// A UDP socket that is where a client is told to write to.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn datagram_server(&mut self) -> Verdict<Datagrams> {
        let address = self.address()?;
        let told = UdpSocket::bind(address)?;
        let usual = |port| UdpSocket::bind(SocketAddr::new(address.ip(), port));
        let usual = self.setup.usual().with(usual)?;
        self.story.step(format!("our server is bound to {address}"));
        let sockets = iter::once(told).chain(usual).collect();
        Ok(Datagrams::new(sockets, "our server", &self.story))
    }

    /// A UDP socket on a port of its own.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn datagrams(&mut self, who: &str) -> Verdict<Datagrams> {
        let ip = self.address()?.ip();
        let socket = UdpSocket::bind((ip, 0))?;
        Ok(Datagrams::new(vec![socket], who, &self.story))
    }

    /// Like `datagrams`, on another address of this host, such as 127.0.0.2.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn datagrams_at(&mut self, who: &str, ip: [u8; 4]) -> Verdict<Datagrams> {
        let socket = UdpSocket::bind((IpAddr::from(ip), 0))?;
        Ok(Datagrams::new(vec![socket], who, &self.story))
    }

    /// Callers that fill the accept queue of our own server: the next one has to
    /// wait. It has room for one more than its backlog.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn fill(&mut self, listener: &Listener) -> Verdict<Vec<TcpStream>> {
        self.story
            .step("its accept queue is full, and it accepts nobody");
        let connect = |address| TcpStream::connect_timeout(address, Duration::from_secs(1));
        Ok(listener
            .addresses()?
            .iter()
            .map(connect)
            .collect::<Result<_, _>>()?)
    }

    /// The next call of a client.
    ///
    /// # Errors
    /// When it ends without one, or none comes.
    pub fn accept(&mut self, listener: &Listener, client: &Tested) -> Verdict<Peer> {
        let accepted = self.until(STARTS, |bench| match listener.try_accept() {
            Ok(None) => bench.has_ended(client).then_some(Ok(None)),
            other => Some(other),
        });
        if accepted.is_none() {
            self.story.step("no call came");
        }
        if let Some(stream) = accepted.transpose()?.flatten() {
            self.story.meet();
            self.story.step("our server took the call");
            let peer = Peer::new(stream, "our server", &self.story, &self.sight)?;
            self.taken.push(peer.connection());
            return Ok(peer);
        }
        let state = self.state(client);
        Err(Fault::program(format!("a call to {}", client.told), state))
    }

    /// A number below `limit`, the same in each run with the same seed.
    pub fn random(&mut self, limit: usize) -> usize {
        // SplitMix64, by Steele, Lea and Flood (2014).
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        usize::try_from(z % limit.max(1) as u64).unwrap_or(0)
    }

    /// The most memory that the programs had so far, in bytes; 0 where it
    /// cannot be seen.
    pub fn memory_peak(&self) -> u64 {
        // What came since the last look counts, too.
        self.watch.peak().max(ground::memory())
    }

    /// The memory that the programs have now, in bytes.
    pub fn memory_now(&self) -> u64 {
        ground::memory()
    }

    /// How long the programs had a processor so far; zero where it cannot be seen.
    pub fn processor_time(&self) -> Duration {
        ground::activity().processor
    }

    /// Where programs are told to be: the same for all programs of a check.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn address(&mut self) -> Verdict<SocketAddr> {
        if let Some(address) = self.address {
            return Ok(address);
        }
        let address = Endpoint::Free.choose(self.setup.private)?;
        self.address = Some(address);
        Ok(address)
    }

    /// Ends all programs, and gives back what was seen of them.
    pub(crate) fn end(mut self) -> Left {
        let too_much = self.watch.too_much();
        let xray = self.xray();
        // What is on its way belongs to it.
        self.pump(Duration::from_millis(1));
        for actor in self.log.running() {
            // It fails when the program has ended in this moment.
            let _ = self.cast.kill(actor);
        }
        end_all();
        // What they wrote last is still on its way.
        let deadline = Instant::now() + LAST_WORDS;
        while self.log.running().next().is_some() && Instant::now() < deadline {
            self.pump(Duration::from_millis(1));
        }
        drop(self.cast);
        reap_orphans();
        self.story.dropped().reset();
        Left {
            said: self.log.into_said(),
            xray,
            too_much,
        }
    }

    fn xray(&mut self) -> Vec<String> {
        if !self.setup.observed {
            return Vec::new();
        }
        // If it could not catch up: what there is is better than nothing.
        let _ = self.catch_up();
        self.log.timeline().map_or_else(Vec::new, last_rows)
    }
}

/// What is left of a check when it is over.
pub(crate) struct Left {
    pub(crate) said: Vec<Said>,
    /// The last rows of the X-ray.
    pub(crate) xray: Vec<String>,
    /// Whether the programs took too much memory.
    pub(crate) too_much: bool,
}

fn cast(setup: &Setup) -> anyhow::Result<Box<dyn Cast>> {
    #[cfg(target_os = "linux")]
    if setup.observed {
        let watching = xray::Watching {
            keep: 256,
            ..Default::default()
        };
        return Ok(Box::new(xray::Seen::new(&watching)?));
    }
    let _ = setup;
    Ok(Box::new(Listened::at_most(OUTPUT)))
}
