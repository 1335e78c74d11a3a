//! Datagrams: one a call against many a call.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};
use std::{fs, mem};

use anyhow::{Context, Result, ensure};
use lesson_7::say;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};
use serde::Serialize;
use serde_json::json;

use super::entrant::{Entrant, Server};
use super::result::{micros, middle};
use super::text::Text;
use super::{Setting, chart, in_turns, machine};

const SIZE: usize = 64;

/// So many datagrams are on their way at the same time.
const ON_THE_WAY: [usize; 3] = [1, 16, 128];

/// Sent at once, while nobody receives: what a burst is.
const BURST: usize = 2000;

/// After this time an answer is taken for lost, and its place sends the next.
const LOST: Duration = Duration::from_millis(100);

/// At most so many a call, on this side.
const MANY: usize = 64;

/// What one measurement says, or the medians of several, by the names in the JSON.
#[derive(Serialize)]
struct Figures {
    per_second: f64,
    cpu_us: f64,
    crowd_cpu_us: f64,
    /// For a datagram; none are known of somebody else's server.
    system_calls: Option<f64>,
    lost: f64,
    wrong: f64,
}

impl Figures {
    fn medians(rounds: &[Self]) -> Self {
        let median = |figure: fn(&Self) -> f64| middle(rounds.iter().map(figure).collect());
        let calls = median(|round| round.system_calls.unwrap_or(f64::NAN));
        Self {
            per_second: median(|round| round.per_second).round(),
            cpu_us: median(|round| round.cpu_us),
            crowd_cpu_us: median(|round| round.crowd_cpu_us),
            system_calls: Some(calls).filter(|calls| !calls.is_nan()),
            lost: median(|round| round.lost),
            wrong: median(|round| round.wrong),
        }
    }
}

/// The medians of one server.
#[derive(Serialize)]
struct Row {
    name: String,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Serialize)]
struct Cell {
    on_the_way: usize,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Burst {
    name: String,
    sent: usize,
    answered: usize,
    /// What the kernel counted for the server's socket: /proc/net/udp, drops.
    dropped: u64,
}

/// Races the two ways of the lesson's server, and others.
pub fn race(json: bool, setting: &Setting, also: &[Entrant]) -> Result<()> {
    let mut entrants = vec![
        Entrant::ours("one-a-call", "--udp")?,
        Entrant::ours("many-a-call", "--udp --many")?,
    ];
    entrants.extend(also.iter().cloned());
    let cells = ON_THE_WAY.map(|on_the_way| cell(&entrants, on_the_way, setting));
    let bursts = entrants.iter().map(|entrant| burst(entrant, setting));
    let bursts: Vec<Burst> = bursts.collect::<Result<_>>()?;
    say(match json {
        true => {
            let value = json!({ "format": 1, "size": SIZE, "cells": cells, "bursts": bursts });
            format!("{value:#}")
        }
        false => table(setting, &cells, &bursts),
    });
    Ok(())
}

/// Everybody in turns, with so many datagrams on their way.
fn cell(entrants: &[Entrant], on_the_way: usize, setting: &Setting) -> Cell {
    let measured = in_turns(entrants, setting, |entrant| {
        measure(entrant, on_the_way, setting)
    });
    let rows = measured.map(|(name, rounds)| {
        let figures = Figures::medians(&rounds);
        Row { name, figures }
    });
    let rows = rows.collect();
    Cell { on_the_way, rows }
}

fn measure(entrant: &Entrant, on_the_way: usize, setting: &Setting) -> Result<Figures> {
    let server = Server::start(entrant, &setting.server_cores)?;
    let mut crowd = Crowd::new(&server, on_the_way)?;
    let beginning = Instant::now();
    crowd.run_until(beginning + setting.plan.warm_up)?;
    (crowd.answered, crowd.lost) = (0, 0);
    let before = machine::Moment::now(&server.family)?;
    crowd.run_until(before.time + setting.plan.time)?;
    let used = machine::Moment::now(&server.family)?.since(&before);
    let (answered, all) = (crowd.answered, crowd.all);
    ensure!(answered > 0, "no datagram was answered");
    let calls = server.system_calls()?;
    Ok(Figures {
        per_second: answered as f64 / used.time.as_secs_f64(),
        cpu_us: micros(used.server_cpu / answered as u32),
        crowd_cpu_us: micros(used.crowd_cpu / answered as u32),
        system_calls: calls.map(|calls| calls as f64 / all as f64),
        lost: crowd.lost as f64,
        wrong: crowd.wrong as f64,
    })
}

/// One socket, and places: each has one datagram on its way.
struct Crowd {
    socket: UdpSocket,
    text: Text,
    /// The number of the message of each place, and when it was sent.
    places: Vec<(u64, Instant)>,
    /// Who sends next.
    free: Vec<usize>,
    memory: Vec<u8>,
    next_look: Instant,
    answered: u64,
    all: u64,
    lost: u64,
    wrong: u64,
}

impl Crowd {
    fn new(server: &Server, places: usize) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").context("bind")?;
        socket.connect(server.addr).context("connect")?;
        socket.set_nonblocking(true).context("set non-blocking")?;
        Ok(Self {
            socket,
            text: Text::new(SIZE - 8, super::text::Dialect::Echo),
            places: vec![(0, Instant::now()); places],
            free: (0..places).collect(),
            memory: vec![0; MANY * 2 * SIZE],
            next_look: Instant::now() + LOST,
            answered: 0,
            all: 0,
            lost: 0,
            wrong: 0,
        })
    }

    /// A place, the number of its message, and text that belongs to both.
    fn datagram(&self, place: usize) -> Vec<u8> {
        let (number, _) = self.places[place];
        let mut datagram = format!("{place:04X}{:04X}", number % 0x1_0000).into_bytes();
        datagram.extend(self.text.asked(place, number, &mut Vec::new()));
        datagram
    }

    fn run_until(&mut self, end: Instant) -> Result<()> {
        while Instant::now() < end {
            self.send_all()?;
            self.receive_some()?;
            self.give_up_the_lost();
        }
        Ok(())
    }

    fn send_all(&mut self) -> Result<()> {
        let now = Instant::now();
        for places in mem::take(&mut self.free).chunks(MANY) {
            for place in places {
                self.places[*place].0 += 1;
                self.places[*place].1 = now;
            }
            let datagrams: Vec<Vec<u8>> =
                places.iter().map(|place| self.datagram(*place)).collect();
            send_together(&self.socket, &datagrams)?;
        }
        Ok(())
    }

    fn receive_some(&mut self) -> Result<()> {
        let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::from(5_u8)).context("poll")?;
        let mut memory = mem::take(&mut self.memory);
        let lengths = receive_together(&self.socket, &mut memory)?;
        for (room, length) in memory.chunks(2 * SIZE).zip(lengths) {
            self.check(&room[..length]);
        }
        self.memory = memory;
        Ok(())
    }

    /// Every byte is compared. What was given up before comes too late.
    fn check(&mut self, answer: &[u8]) {
        let place = answer
            .get(..4)
            .and_then(|digits| str::from_utf8(digits).ok());
        let place = place.and_then(|digits| usize::from_str_radix(digits, 16).ok());
        match place.filter(|place| *place < self.places.len()) {
            Some(place) if answer == self.datagram(place) => {
                self.answered += 1;
                self.all += 1;
                self.free.push(place);
            }
            _ => self.wrong += 1,
        }
    }

    fn give_up_the_lost(&mut self) {
        let now = Instant::now();
        if now < self.next_look {
            return;
        }
        self.next_look = now + LOST;
        for place in 0..self.places.len() {
            if now - self.places[place].1 > LOST && !self.free.contains(&place) {
                self.lost += 1;
                self.free.push(place);
            }
        }
    }
}

/// How long the datagrams are that have come.
fn receive_together(socket: &UdpSocket, memory: &mut [u8]) -> Result<Vec<usize>> {
    let rooms = memory.chunks_mut(2 * SIZE);
    let mut rooms: Vec<_> = rooms.map(|room| [IoSliceMut::new(room)]).collect();
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(MANY, None);
    let flags = MsgFlags::MSG_DONTWAIT;
    match recvmmsg(socket.as_raw_fd(), &mut headers, &mut rooms, flags, None) {
        Ok(received) => Ok(received.map(|one| one.bytes).collect()),
        Err(Errno::EAGAIN | Errno::ECONNREFUSED) => Ok(Vec::new()),
        Err(error) => Err(io::Error::from(error)).context("recvmmsg"),
    }
}

fn send_together(socket: &UdpSocket, datagrams: &[Vec<u8>]) -> Result<()> {
    let mut sent = 0;
    while sent < datagrams.len() {
        let left = &datagrams[sent..datagrams.len().min(sent + MANY)];
        let slices: Vec<_> = left
            .iter()
            .map(|datagram| [IoSlice::new(datagram)])
            .collect();
        let nobody: Vec<Option<SockaddrStorage>> = vec![None; left.len()]; // it is connected
        let mut headers = MultiHeaders::preallocate(left.len(), None);
        let result = sendmmsg(
            socket.as_raw_fd(),
            &mut headers,
            &slices,
            &nobody,
            [],
            MsgFlags::empty(),
        );
        match result {
            Ok(results) => sent += results.count(),
            Err(Errno::EAGAIN) => {
                let mut fds = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
                poll(&mut fds, PollTimeout::from(100_u8)).context("poll")?;
            }
            Err(error) => return Err(io::Error::from(error)).context("sendmmsg"),
        }
    }
    Ok(())
}

/// The server is held, as if it had something else to do, and gets a burst.
fn burst(entrant: &Entrant, setting: &Setting) -> Result<Burst> {
    let server = Server::start(entrant, &setting.server_cores)?;
    let mut crowd = Crowd::new(&server, BURST)?;
    socket2::SockRef::from(&crowd.socket)
        .set_recv_buffer_size(8 << 20)
        .context("setsockopt")?;
    server.hold()?;
    let sent = crowd.send_all();
    server.release()?;
    sent?;
    let quiet = Duration::from_millis(200);
    let mut last = (0, Instant::now());
    while last.1.elapsed() < quiet {
        crowd.receive_some()?;
        if crowd.answered > last.0 {
            last = (crowd.answered, Instant::now());
        }
    }
    Ok(Burst {
        name: entrant.name.clone(),
        sent: BURST,
        answered: crowd.answered as usize,
        dropped: drops(server.addr.port()),
    })
}

/// How many datagrams found no room in the receive buffer of this port.
fn drops(port: u16) -> u64 {
    let line = machine::udp_socket(port).unwrap_or_default();
    let drops = line.split_whitespace().last();
    drops.and_then(|drops| drops.parse().ok()).unwrap_or(0)
}

fn table(setting: &Setting, cells: &[Cell], bursts: &[Burst]) -> String {
    let place = chart::placement(setting);
    let mut text = format!("\nDatagrams of {SIZE} bytes; {place}\n");
    for Cell { on_the_way, rows } in cells {
        text += &format!(
            "\n{:<17} {:>11} {:>8} {:>10} {:>14} {:>6} {:>6}\n",
            format!("{on_the_way} on the way"),
            "datagrams/s",
            "CPU, µs",
            "crowd, µs",
            "calls/datagram",
            "lost",
            "wrong"
        );
        for Row { name, figures } in rows {
            text += &format!(
                "{name:<17} {:>11} {:>8} {:>10} {:>14} {:>6} {:>6}\n",
                chart::thousands(figures.per_second),
                chart::figure(figures.cpu_us),
                chart::figure(figures.crowd_cpu_us),
                figures.system_calls.map_or("-".into(), chart::figure),
                figures.lost,
                figures.wrong,
            );
        }
    }
    text += &format!("\nA burst of {BURST} datagrams while the server does something else:\n");
    for burst in bursts {
        text += &format!(
            "{:<17} {} answered; its receive buffer dropped {}\n",
            burst.name, burst.answered, burst.dropped
        );
    }
    let room = fs::read_to_string("/proc/sys/net/core/rmem_default").unwrap_or_default();
    text += &format!(
        "The default receive buffer, net.core.rmem_default, has {} bytes. A small\n\
         datagram takes much more room in it than its own bytes.",
        room.trim()
    );
    text
}
