use etherparse::PacketBuilder;
use rstest::rstest;

use super::*;
use crate::hand::{Cut, Open};

/// A datagram from the client, with its number as its data.
fn datagram(number: u8) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2; 6], [3; 6])
        .ipv4([10, 0, 0, 2], [10, 0, 0, 1], 64)
        .udp(5000, 7788);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, &[number]).unwrap();
    bytes
}

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// A cable, and what went over it: the number of each datagram, and when.
struct Play {
    traffic: Traffic,
    arrived: Vec<(u8, u64)>,
    reports: Vec<Report>,
}

impl Play {
    fn new(hand: impl Hand + 'static, settings: Settings) -> Self {
        Self {
            traffic: Traffic::new(Box::new(hand), settings),
            arrived: Vec::new(),
            reports: Vec::new(),
        }
    }

    /// As the cable's thread does it: first what was due before.
    fn send(&mut self, number: u8, at: u64) {
        self.until(at);
        let bytes = datagram(number);
        let reports = &mut self.reports;
        let mut report = |report| reports.push(report);
        let way = self
            .traffic
            .enter(Side::Client, ms(at), &bytes, &mut report);
        match way {
            Way::Now(copies) => {
                let copies = std::iter::repeat_n((number, at), copies);
                self.arrived.extend(copies);
            }
            Way::Changed(bytes) => self.arrived.push((*bytes.last().unwrap(), at)),
            Way::NotNow => {}
        }
        self.until(at);
    }

    fn send_all(&mut self, sent: &[(u8, u64)]) {
        sent.iter().for_each(|&(number, at)| self.send(number, at));
    }

    /// Time goes on, and everything goes on at the very moment that `next` names.
    fn until(&mut self, end: u64) {
        let reports = &mut self.reports;
        let mut report = |report| reports.push(report);
        while let Some(next) = self.traffic.next().filter(|next| *next <= ms(end)) {
            let leaving = self.traffic.leave(Side::Client, next, &mut report);
            self.traffic.tell_cuts(next, &mut report);
            let at = next.as_millis() as u64;
            let numbers = leaving.iter().map(|bytes| (*bytes.last().unwrap(), at));
            self.arrived.extend(numbers);
        }
    }

    fn numbers(&self) -> Vec<u8> {
        self.arrived.iter().map(|(number, _)| *number).collect()
    }
}

/// Does this with the first frame, and lets the others pass.
fn first_frame(what: Action) -> impl Fn(&Frame) -> Decision + Send {
    move |frame| Decision {
        what: if frame.id == 1 { what } else { Action::Pass },
        by: None,
    }
}

fn latency(time: u64) -> Settings {
    let mut settings = Settings::default();
    settings.both(|line| line.latency = ms(time));
    settings
}

fn rate(rate: u64) -> Settings {
    let mut settings = Settings::default();
    settings.both(|line| line.rate = Some(rate));
    settings
}

/// What is done with the first frame; the number of each that is sent, and when; and
/// what arrives, and when.
#[rstest]
#[case::latency_keeps_the_order(
    latency(50), Action::Pass, &[(1, 0), (2, 10)], &[(1, 50), (2, 60)])]
// 43 bytes are 344 bits: at 344,000 bit/s, a millisecond.
#[case::a_rate_lets_frames_wait_for_each_other_and_not_for_the_past(
    rate(344_000), Action::Pass, &[(1, 0), (2, 0), (3, 10)], &[(1, 1), (2, 2), (3, 11)])]
#[case::a_delayed_frame_is_overtaken(
    latency(0), Action::Delay(ms(20)), &[(1, 0), (2, 1)], &[(2, 1), (1, 20)])]
#[case::a_stopped_frame_stops_what_comes_behind_it(
    latency(0), Action::Stop(ms(20)), &[(1, 0), (2, 1), (3, 30)], &[(1, 20), (2, 20), (3, 30)])]
#[case::a_swapped_frame_goes_directly_behind_the_next(
    latency(0), Action::Swap, &[(1, 1), (2, 2), (3, 3)], &[(2, 2), (1, 2), (3, 3)])]
#[case::a_swapped_frame_goes_behind_one_that_has_latency_too(
    latency(50), Action::Swap, &[(1, 1), (2, 2), (3, 3)], &[(2, 52), (1, 52), (3, 53)])]
#[case::a_swapped_frame_that_nobody_follows_goes_after_a_second(
    latency(0), Action::Swap, &[(1, 0)], &[(1, 1000)])]
#[case::a_doubled_frame_arrives_twice(latency(0), Action::Double, &[(1, 0)], &[(1, 0), (1, 0)])]
#[case::a_dropped_frame_never_arrives(latency(0), Action::Drop, &[(1, 0)], &[])]
// The data is the 29th byte from the IP header on.
#[case::a_flipped_bit_is_the_one_that_is_named(
    latency(0), Action::Corrupt(28 * 8 + 7), &[(6, 0)], &[(7, 0)])]
#[case::a_bit_that_the_packet_does_not_have_counts_round(
    latency(0), Action::Corrupt(29 * 8 + 28 * 8 + 7), &[(6, 0)], &[(7, 0)])]
fn frames_arrive(
    #[case] settings: Settings,
    #[case] first: Action,
    #[case] sent: &[(u8, u64)],
    #[case] arrived: &[(u8, u64)],
) {
    let mut play = Play::new(first_frame(first), settings);
    play.send_all(sent);
    play.until(5000);
    assert_eq!(play.arrived, arrived);
    let dropped = u64::from(first == Action::Drop);
    assert_eq!(play.traffic.counts[1].dropped, dropped);
}

#[test]
fn a_latency_that_becomes_less_lets_nobody_overtake() {
    let mut play = Play::new(Open, latency(50));
    play.send(1, 0);
    play.traffic.settings.both(|line| line.latency = ms(0));
    play.send(2, 10);
    play.until(100);
    assert_eq!(play.arrived, [(1, 50), (2, 50)]);
}

#[test]
fn a_planned_cut_counts_from_the_first_frame_and_is_told() {
    let settings = Settings {
        cuts: vec![Cut {
            after: ms(10),
            lasts: Some(ms(20)),
        }],
        ..Settings::default()
    };
    let mut play = Play::new(Open, settings);
    play.send_all(&[(1, 1000), (2, 1015), (3, 1040)]);
    assert_eq!(play.numbers(), [1, 3]);
    play.reports
        .retain(|report| matches!(report, Report::Cable { .. }));
    let told = |at, what: &str| Report::Cable {
        at: ms(at),
        what: what.to_string(),
    };
    let cut = told(1010, "the cable is cut, by \"cut after 10 ms for 20 ms\"");
    assert_eq!(play.reports, [cut, told(1030, "the cable is mended")]);
}

#[test]
fn a_cable_that_is_full_says_so_and_takes_no_more_memory() {
    let mut play = Play::new(Open, latency(1000));
    let mut bytes = datagram(1);
    bytes.resize(60_000, 0);
    let mut fates = Vec::new();
    for _ in 0..1200 {
        let mut report = |report| {
            if let Report::Packet(frame) = report {
                fates.push(frame.packet.passage.unwrap().fate);
            }
        };
        play.traffic.enter(Side::Client, ms(1), &bytes, &mut report);
    }
    assert_eq!(fates[0], Fate::Passed);
    assert_eq!(fates[1199], Fate::Dropped);
}

#[test]
fn what_hosts_do_for_themselves_is_let_through_and_not_shown() {
    let mut play = Play::new(first_frame(Action::Drop), Settings::default());
    let arp = [&[0xff; 12][..], &[0x08, 0x06], &[0; 28]].concat();
    let mut report = |_| panic!("shown");
    let way = play.traffic.enter(Side::Client, ms(0), &arp, &mut report);
    assert_eq!(way, Way::Now(1));
    assert_eq!(play.traffic.counts[1].chatter, 1);
}
