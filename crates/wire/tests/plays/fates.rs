//! What becomes of frames, and what the kernels on both sides make of it.

use std::io::{ErrorKind, Read, Write};
use std::net::UdpSocket;
use std::time::Duration;

use timeline::cable::Fate;
use timeline::packet::Content;
use wire::rules::Rules;
use wire::{Action, Frame, Report, Side};

use super::lab::{Lab, again, fate, label, passage, talk};
use crate::harness::{Play, plays};

pub const PLAYS: &[Play] = plays![
    a_held_syn_stays_syn_sent_and_comes_again_in_the_kernels_times,
    a_syn_that_is_never_answered_ends_as_the_kernel_ends_it,
    a_dropped_segment_comes_again_after_its_timeout,
    with_later_data_sack_tells_and_it_comes_again_at_once,
    a_cable_cut_in_mid_talk_ends_as_the_kernel_ends_it,
    nobody_repairs_lost_doubled_and_swapped_datagrams,
    a_doubled_segment_is_answered_by_dsack,
    a_swapped_segment_waits_in_the_out_of_order_queue,
    a_flipped_bit_fails_the_checksum_of_tcp_and_of_udp,
    a_delayed_frame_is_overtaken_and_a_held_one_is_not,
    with_latency_no_frame_is_there_sooner,
    a_rate_makes_frames_wait_for_each_other,
    a_person_decides_about_each_frame_that_is_held,
    a_cable_is_cut_and_mended_by_hand,
    the_same_seed_and_packets_have_the_same_fate,
    the_last_ack_dropped_is_answered_from_time_wait,
];

fn of_label<'a>(frames: &'a [Frame], wanted: &str) -> Vec<&'a Frame> {
    let fits = |frame: &&Frame| label(&frame.packet) == wanted;
    frames.iter().filter(fits).collect()
}

fn data_of(frames: &[Frame], side: Side) -> Vec<&Frame> {
    let carries = |frame: &&Frame| {
        frame.from == side && matches!(&frame.packet.content, Content::Tcp(tcp) if tcp.length > 0)
    };
    frames.iter().filter(carries).collect()
}

fn seconds(from: &Frame, to: &Frame) -> f64 {
    (to.at - from.at).as_secs_f64()
}

fn a_held_syn_stays_syn_sent_and_comes_again_in_the_kernels_times() {
    let lab = Lab::new("syn hold 2 times");
    let (mut server, mut client) = lab.pair();
    assert_eq!(lab.states(Side::Client)[0], "SYN-SENT");
    let frames = lab.frames();
    let syns = of_label(&frames, "SYN");
    assert_eq!(syns.len(), 3);
    assert_eq!((fate(syns[0]), fate(syns[2])), (Fate::Held, Fate::Passed));
    assert_eq!(passage(syns[0]).by.as_deref(), Some("syn hold 2 times"));
    assert_eq!(passage(syns[1]).again, Some(1));
    assert_eq!(passage(syns[2]).again, Some(2));
    // RFC 6298: a second at first. A busy machine can be later, and never earlier.
    assert!(seconds(syns[0], syns[1]) > 0.9);
    assert!(seconds(syns[1], syns[2]) > 0.9);
    assert_eq!(lab.control.held(), [1, 2]);
    lab.control.decide(1, Action::Pass);
    lab.control.decide(2, Action::Drop);
    let mut laters = lab.wait_laters(2);
    laters.sort_by_key(|later| later.frame);
    let fates = laters.iter().map(|later| (later.fate, later.by.as_deref()));
    let hand = Some("the hand");
    assert!(fates.eq([(Fate::Passed, hand), (Fate::Dropped, hand)]));
    talk(&mut client, &mut server, b"as if nothing had happened");
}

fn a_syn_that_is_never_answered_ends_as_the_kernel_ends_it() {
    let lab = Lab::with("syn drop", |wire| {
        let client = wire.host(Side::Client);
        client.set("net.ipv4.tcp_syn_retries", "1").unwrap();
        // Since Linux 6.5 there are more of them at first; older ones do not know it.
        let _ = client.set("net.ipv4.tcp_syn_linear_timeouts", "0");
    });
    let _listener = lab.listener();
    let error = lab.connect().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let frames = lab.frames();
    assert_eq!(of_label(&frames, "SYN").len(), 2);
    assert_eq!(frames.len(), 2);
    lab.wait_counts(Side::Client, (2, 0, 2));
}

fn a_dropped_segment_comes_again_after_its_timeout() {
    let lab = Lab::new("client→server data 2 drop");
    let (mut server, mut client) = lab.pair();
    talk(&mut client, &mut server, b"one");
    talk(&mut client, &mut server, b"two");
    talk(&mut client, &mut server, b"three");
    let frames = lab.frames();
    let data = data_of(&frames, Side::Client);
    let fates: Vec<Fate> = data.iter().map(|frame| fate(frame)).collect();
    let expected = [Fate::Passed, Fate::Dropped, Fate::Passed, Fate::Passed];
    assert_eq!(fates[..4], expected);
    assert_eq!(passage(data[2]).again, Some(data[1].id));
    let waited = seconds(data[1], data[2]);
    assert!(waited > 0.1, "{waited}");
    // On a busy machine an acknowledgement can be late, so that more comes again.
    let again = data.iter().filter(|frame| passage(frame).again.is_some());
    let counted = lab.counters(Side::Client)["Tcp.RetransSegs"];
    assert_eq!(counted, again.count() as u64, "{}", lab.story().join("\n"));
}

fn with_later_data_sack_tells_and_it_comes_again_at_once() {
    let lab = Lab::with("client→server data 2 drop", |wire| {
        // Only SACK is to bring it again, however late an answer is: no timeout
        // (since Linux 6.11 it can be made long), and no probe of the last segment.
        let client = wire.host(Side::Client);
        let _ = client.set("net.ipv4.tcp_rto_min_us", "30000000");
        client.set("net.ipv4.tcp_early_retrans", "0").unwrap();
    });
    let (mut server, mut client) = lab.pair();
    talk(&mut client, &mut server, &[b'x'; 14_480]);
    let frames = lab.frames();
    let place = |fits: &dyn Fn(&Frame) -> bool| frames.iter().position(fits).unwrap();
    let lost = place(&|frame| fate(frame) == Fate::Dropped);
    let again = place(&|frame| passage(frame).again == Some(frames[lost].id));
    let tells = |frame: &Frame| matches!(&frame.packet.content, Content::Tcp(tcp) if !tcp.options.sack.is_empty());
    assert!(
        frames[lost..again].iter().any(tells),
        "{}",
        lab.story().join("\n")
    );
    let counters = lab.counters(Side::Client);
    assert_eq!(counters["TcpExt.TCPSackRecovery"], 1);
    assert_eq!(
        counters["TcpExt.TCPTimeouts"], 0,
        "it waited for its timeout"
    );
}

fn a_cable_cut_in_mid_talk_ends_as_the_kernel_ends_it() {
    let lab = Lab::with("client→server data 2 cut", |wire| {
        let client = wire.host(Side::Client);
        client.set("net.ipv4.tcp_retries2", "2").unwrap();
    });
    let (mut server, mut client) = lab.pair();
    talk(&mut client, &mut server, b"one");
    client.write_all(b"two").unwrap();
    let error = again(|| client.read(&mut [0])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let frames = lab.frames();
    let data = data_of(&frames, Side::Client);
    assert!(data.len() >= 4, "two, and at least two more of it");
    assert!(data[1..].iter().all(|frame| fate(frame) == Fate::Dropped));
    let by = passage(data[2]).by.unwrap();
    assert_eq!(by, "client→server data 2 cut");
    let told = lab.reports().into_iter().any(
        |report| matches!(report, Report::Cable { what, .. } if what.starts_with("the cable is cut")),
    );
    assert!(told);
    // The other side knows nothing of it.
    assert_eq!(lab.states(Side::Server).last(), Some(&"ESTABLISHED"));
}

/// A datagram for each byte.
fn send_each(socket: &UdpSocket, bytes: &[u8]) {
    for byte in bytes {
        socket.send(&[*byte]).unwrap();
    }
}

/// So many datagrams of one byte, in the order in which they arrive.
fn received(socket: &UdpSocket, count: usize) -> Vec<u8> {
    let one = || {
        let mut datagram = [0; 2];
        let length = again(|| socket.recv(&mut datagram)).expect("one more");
        assert_eq!(length, 1, "{datagram:?}");
        datagram[0]
    };
    std::iter::repeat_with(one).take(count).collect()
}

fn nobody_repairs_lost_doubled_and_swapped_datagrams() {
    let lab = Lab::new("udp 1 swap; udp 3 drop; udp 4 double");
    let (server, client) = lab.datagrams();
    send_each(&client, b"12345");
    assert_eq!(received(&server, 5), b"21445");
    let fates: Vec<Fate> = lab.frames().iter().map(fate).collect();
    let (swapped, doubled, passed) = (Fate::Swapped, Fate::Doubled, Fate::Passed);
    assert_eq!(fates, [swapped, passed, Fate::Dropped, doubled, passed]);
    lab.wait_counts(Side::Client, (5, 5, 1));
}

fn a_doubled_segment_is_answered_by_dsack() {
    let lab = Lab::new("client→server data 1 double");
    let (mut server, mut client) = lab.pair();
    talk(&mut client, &mut server, b"twice");
    talk(&mut server, &mut client, b"once");
    let counters = lab.counters(Side::Server);
    assert_eq!(counters["TcpExt.TCPDSACKOldSent"], 1);
}

fn a_swapped_segment_waits_in_the_out_of_order_queue() {
    let lab = Lab::new("client→server data 1 swap");
    let (mut server, mut client) = lab.pair();
    talk(&mut client, &mut server, &[b'x'; 2 * 1448]);
    let counters = lab.counters(Side::Server);
    assert_eq!(counters["TcpExt.TCPOFOQueue"], 1);
    let (frames, laters) = (lab.frames(), lab.wait_laters(1));
    let data = data_of(&frames, Side::Client);
    assert_eq!(laters[0].frame, data[0].id);
    let next = data[1].at - data[0].at;
    assert!(laters[0].after >= next, "it did not wait for the next");
}

fn a_flipped_bit_fails_the_checksum_of_tcp_and_of_udp() {
    let lab = Lab::new("client→server data 1 corrupt\nudp 1 corrupt");
    let (mut server, mut client) = lab.pair();
    talk(&mut client, &mut server, b"a bit");
    let counters = lab.counters(Side::Server);
    assert_eq!(counters["Tcp.InCsumErrors"], 1);
    let frames = lab.frames();
    let data = data_of(&frames, Side::Client);
    let Fate::Corrupted { bit } = fate(data[0]) else {
        panic!("{:?}", lab.story())
    };
    assert!((52 * 8..57 * 8).contains(&bit), "a bit of its data");
    assert_eq!(passage(data[1]).again, Some(data[0].id));
    let (server, client) = lab.datagrams();
    send_each(&client, b"12");
    assert_eq!(received(&server, 1), b"2");
    assert_eq!(lab.counters(Side::Server)["Udp.InCsumErrors"], 1);
}

fn a_delayed_frame_is_overtaken_and_a_held_one_is_not() {
    let lab = Lab::new("udp 1 delay 100 ms; udp 4 hold 100 ms");
    let (server, client) = lab.datagrams();
    send_each(&client, b"123");
    assert_eq!(received(&server, 3), b"231");
    send_each(&client, b"456");
    assert_eq!(received(&server, 3), b"456");
    let frames = lab.frames();
    assert_eq!(fate(&frames[0]), Fate::Delayed);
    assert_eq!(passage(&frames[0]).late, Duration::from_millis(100));
    let late = passage(&frames[0]).late;
    assert!(lab.wait_laters(4)[0].after >= late);
}

fn with_latency_no_frame_is_there_sooner() {
    let lab = Lab::new("latency 20 ms");
    let (server, client) = lab.datagrams();
    for _ in 0..50 {
        client.send(b"x").unwrap();
        again(|| server.recv(&mut [0])).unwrap();
    }
    let laters = lab.wait_laters(50);
    let late = laters.iter().map(|later| later.after);
    assert!(late.min() >= Some(Duration::from_millis(20)));
}

fn a_rate_makes_frames_wait_for_each_other() {
    let lab = Lab::new("client→server rate 1 Mbit/s");
    let (server, client) = lab.datagrams();
    for _ in 0..20 {
        client.send(&[0; 958]).unwrap();
    }
    for _ in 0..20 {
        assert_eq!(again(|| server.recv(&mut [0; 1000])).unwrap(), 958);
    }
    // A frame of 1,000 bytes is 8 ms on the cable.
    let laters = lab.wait_laters(20);
    let after: Vec<Duration> = laters.iter().map(|later| later.after).collect();
    assert!(after[0] >= Duration::from_millis(8));
    let all = lab.frames()[0].at + Duration::from_millis(160);
    let last = lab.frames()[19].at + after[19];
    assert!(last >= all, "{after:?}");
}

fn a_person_decides_about_each_frame_that_is_held() {
    let lab = Lab::new("");
    let (server, client) = lab.datagrams();
    lab.control.hold(true);
    send_each(&client, b"12345");
    lab.wait("five held", |lab| {
        let waiting = lab.control.counts(Side::Client).waiting;
        (lab.control.held().len() == 5 && waiting == 5).then_some(())
    });
    lab.control.decide(3, Action::Pass);
    lab.control.decide(1, Action::Double);
    lab.control.decide(2, Action::Drop);
    lab.control.decide(4, Action::Corrupt(8 * 28));
    lab.control.decide(77, Action::Drop);
    assert_eq!(received(&server, 3), b"311");
    assert_eq!(lab.control.held(), [5]);
    lab.control.hold(false);
    assert_eq!(received(&server, 1), b"5");
    client.send(b"6").unwrap();
    assert_eq!(received(&server, 1), b"6");
    let fates: Vec<Fate> = lab.wait_laters(5).iter().map(|later| later.fate).collect();
    let corrupted = Fate::Corrupted { bit: 8 * 28 };
    let (passed, doubled, dropped) = (Fate::Passed, Fate::Doubled, Fate::Dropped);
    for wanted in [passed, doubled, dropped, corrupted] {
        assert!(fates.contains(&wanted), "{fates:?}");
    }
    assert_eq!(lab.counters(Side::Server)["Udp.InCsumErrors"], 1);
}

fn a_cable_is_cut_and_mended_by_hand() {
    let lab = Lab::new("");
    let (server, client) = lab.datagrams();
    lab.control.cut(true);
    lab.wait("cut", |lab| (!lab.reports().is_empty()).then_some(()));
    client.send(b"1").unwrap();
    lab.wait("the end of the first", |lab| {
        (lab.control.counts(Side::Client).dropped == 1).then_some(())
    });
    lab.control.cut(false);
    lab.wait("mended", |lab| {
        let mended = |report: &Report| {
            matches!(report, Report::Cable { what, .. } if what == "the cable is mended")
        };
        lab.reports().iter().any(mended).then_some(())
    });
    client.send(b"2").unwrap();
    assert_eq!(received(&server, 1), b"2");
    assert_eq!(passage(&lab.frames()[0]).by.as_deref(), Some("the hand"));
}

fn the_same_seed_and_packets_have_the_same_fate() {
    kernel::network::enter_private().unwrap();
    let play = |seed| {
        let mut lab = Lab::further("", |_| {});
        let rules = Rules::parse("udp 30 % drop; loss 10 %").unwrap();
        let rules = rules.with_seed(seed);
        let settings = rules.settings();
        let (told, frames) = std::sync::mpsc::channel();
        let report = move |report| {
            if let Report::Packet(frame) = report {
                told.send(fate(&frame)).unwrap();
            }
        };
        lab.control = lab.wire.plug(rules, settings, report).unwrap();
        let (_server, client) = lab.datagrams();
        for _ in 0..60 {
            client.send(b"x").unwrap();
        }
        frames.iter().take(60).collect::<Vec<Fate>>()
    };
    let first = play(1);
    assert!(first.contains(&Fate::Dropped) && first.contains(&Fate::Passed));
    assert_eq!(first, play(1));
    assert_ne!(first, play(2));
}

fn the_last_ack_dropped_is_answered_from_time_wait() {
    // The client closes first; the server's FIN is answered by the last ACK.
    let lab = Lab::new("client→server ack 2 drop");
    let (mut server, mut client) = lab.pair();
    // The ACK of the handshake was the first.
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(again(|| server.read(&mut [0])).unwrap(), 0);
    drop(server);
    assert_eq!(again(|| client.read(&mut [0])).unwrap(), 0);
    drop(client);
    let closed = |lab: &Lab| {
        let frames = lab.frames();
        let mut fins = of_label(&frames, "FIN ACK");
        fins.retain(|fin| fin.from == Side::Server);
        let second = fins.get(1)?;
        let again = passage(second).again == Some(fins[0].id);
        let answer = frames.iter().find(|frame| frame.id > second.id)?;
        Some((again, label(&answer.packet)))
    };
    let (again, answer) = lab.wait("second FIN and its answer", closed);
    assert!(again);
    assert_eq!(answer, "ACK");
    assert!(lab.states(Side::Server).contains(&"LAST-ACK"));
    assert_eq!(lab.states(Side::Client).last(), Some(&"TIME-WAIT"));
}
