//! One packet, and what is known of its way.

use std::time::Duration;

use timeline::cable::{Fate, Later, Passage, Side};
use timeline::packet::{Content, Packet, TcpFlags};
use views::flow::Relative;
use views::reading::{self, Meaning, Piece, Subject};

/// How long a packet that has arrived is seen to slide.
pub(crate) const SLIDE: Duration = Duration::from_millis(150);

/// Where a packet is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    /// It waits until somebody says what becomes of it.
    Waits,
    /// It waits for the next one, or for a time that is not known.
    Stands,
    /// On its way, up to this time.
    Travels { since: Duration, until: Duration },
    /// It was handed to the other host, from this part of its way.
    Arrived { at: Duration, from: f64 },
    /// It never arrives.
    Lost,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) frame: u64,
    pub(crate) from: Side,
    pub(crate) came: Duration,
    pub(crate) packet: Packet,
    pub(crate) relative: Option<Relative>,
    /// What is said of it: what it is, and then what becomes of it.
    pub(crate) said: Vec<Piece>,
    pub(crate) place: Place,
    /// Who decided that.
    pub(crate) by: Option<String>,
    /// The first frame that repeats it.
    pub(crate) repeated_by: Option<(u64, Duration)>,
    /// The frame that it answers, and the first that answers it.
    pub(crate) answers: Option<u64>,
    pub(crate) answered_by: Option<u64>,
    /// Packets that repeat it, and wait with it.
    pub(crate) copies: Vec<Row>,
    /// A delay that we have asked for.
    pub(crate) asked: Option<Duration>,
    /// Whether it waits for the next one of its direction, to go behind it.
    pub(crate) swaps: bool,
}

impl Row {
    /// How many bytes stand in a row.
    pub(crate) const WIDTH: usize = 16;

    pub(crate) fn new(frame: u64, from: Side, packet: Packet, said: &reading::Row) -> Self {
        let passage = packet.passage.clone().unwrap_or_default();
        let relative = match said.about {
            Subject::Packet { relative, .. } => relative,
            _ => None,
        };
        Self {
            frame,
            from,
            came: said.time,
            relative,
            said: said.words.clone(),
            place: at_first(&passage, said.time),
            by: passage.by,
            repeated_by: None,
            answers: None,
            answered_by: None,
            copies: Vec::new(),
            asked: None,
            swaps: false,
            packet,
        }
    }

    /// Something became of it later.
    pub(crate) fn later(&mut self, said: &reading::Row, later: &Later, part: f64) {
        let time = said.time;
        self.place = match later.fate {
            Fate::Passed | Fate::Doubled | Fate::Corrupted { .. } => Place::Arrived {
                at: time,
                from: part,
            },
            Fate::Dropped => Place::Lost,
            Fate::Held => Place::Waits,
            Fate::Delayed => match self.asked {
                Some(asked) => Place::Travels {
                    since: time,
                    until: time + asked,
                },
                None => Place::Stands,
            },
            Fate::Swapped => Place::Stands,
        };
        self.by = later.by.clone();
        self.said.extend(said.words.iter().cloned());
    }

    /// What became of it, and what it repeats.
    pub(crate) fn fates(&self) -> impl Iterator<Item = &Piece> {
        let fates = self.said.iter();
        fates.filter(|piece| piece.meaning == Meaning::Fate)
    }

    /// How many bytes of data it carries.
    pub(crate) fn data(&self) -> u32 {
        match &self.packet.content {
            Content::Tcp(segment) => segment.length,
            Content::Udp(datagram) => datagram.length,
            _ => 0,
        }
    }

    /// Where its data begins, from the IP header on; its end where there is none.
    pub(crate) fn data_at(&self) -> usize {
        self.packet.length.saturating_sub(self.data()) as usize
    }

    pub(crate) fn waits(&self) -> bool {
        self.place == Place::Waits
    }

    /// Data, a SYN or a FIN: what asks for an answer.
    pub(crate) fn wants_answer(&self) -> bool {
        match &self.packet.content {
            Content::Tcp(_) => self.relative.is_some_and(|it| it.end != it.seq),
            Content::Udp(_) => true,
            _ => false,
        }
    }

    /// Whether it answers that one: by its acknowledgement number, or by its ends.
    pub(crate) fn is_answer_to(&self, other: &Row) -> bool {
        if other.from == self.from || !other.wants_answer() {
            return false;
        }
        if let Content::Icmp { about, .. } = &self.packet.content {
            let about = about
                .as_ref()
                .map(|about| (about.source, about.destination));
            return about.is_some() && about == other.packet.ends();
        }
        let back = other.packet.ends().map(|(source, to)| (to, source));
        if self.packet.ends() != back {
            return false;
        }
        match (self.relative, other.relative) {
            (Some(own), Some(other)) => own.ack == Some(other.end),
            (own, other) => own.is_none() && other.is_none(),
        }
    }
}

fn at_first(passage: &Passage, came: Duration) -> Place {
    match passage.fate {
        Fate::Dropped => Place::Lost,
        Fate::Held => Place::Waits,
        Fate::Swapped => Place::Stands,
        _ if passage.late > Duration::ZERO => Place::Travels {
            since: came,
            until: came + passage.late,
        },
        _ => Place::Arrived {
            at: came,
            from: 0.0,
        },
    }
}

/// Whether a person would miss it among thousands.
pub(crate) fn is_special(packet: &Packet) -> bool {
    let control = TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST;
    let opens_or_closes = matches!(&packet.content,
        Content::Tcp(segment) if segment.flags.0 & control != 0);
    let passage = packet.passage.as_ref();
    let touched = |it: &Passage| it.again.is_some() || it.fate != Fate::Passed;
    opens_or_closes || passage.is_some_and(touched)
}
