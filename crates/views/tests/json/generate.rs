//! Timelines of every kind of event, with every kind of value in them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use timeline::cable::*;
use timeline::call::*;
use timeline::packet::*;
use timeline::state::*;
use timeline::{Actor, Ending, Event, Kind, Place, Stream, Timeline};

pub fn timelines() -> impl Strategy<Value = Timeline> {
    vec(events(), 0..12).prop_map(|events| {
        let mut timeline = Timeline::default();
        events.into_iter().for_each(|event| timeline.push(event));
        timeline
    })
}

fn events() -> impl Strategy<Value = Event> {
    (any::<u64>(), places(), kinds()).prop_map(|(nanoseconds, place, kind)| Event {
        time: Duration::from_nanos(nanoseconds),
        place,
        kind,
    })
}

fn places() -> impl Strategy<Value = Place> {
    let actor = || any::<usize>().prop_map(Actor);
    prop_oneof![
        actor().prop_map(Place::Actor),
        (of(actor()), of(actor())).prop_map(|(from, to)| Place::Wire { from, to }),
        Just(Place::Narrator),
    ]
}

fn kinds() -> impl Strategy<Value = Kind> {
    let lines = (any::<bool>(), text()).prop_map(|(is_error, text)| Kind::Line {
        stream: if is_error {
            Stream::Stderr
        } else {
            Stream::Stdout
        },
        text,
    });
    let spoken = prop_oneof![
        text().prop_map(Kind::Unseen),
        vec(text(), 0..3).prop_map(Kind::Lanes),
        text().prop_map(Kind::Headline),
        text().prop_map(Kind::Note),
        text().prop_map(Kind::Rows),
        vec(text(), 0..3).prop_map(Kind::Next),
        Just(Kind::Beat),
    ];
    prop_oneof![
        (text(), vec(text(), 0..3)).prop_map(|(lane, command)| Kind::Started { lane, command }),
        lines,
        any::<i32>().prop_map(|status| Kind::Ended(Ending::Status(status))),
        any::<i32>().prop_map(|signal| Kind::Ended(Ending::Signal(signal))),
        starts().prop_map(Kind::Call),
        ends().prop_map(Kind::Return),
        packets().prop_map(Kind::Packet),
        laters().prop_map(Kind::Fate),
        changes().prop_map(Kind::State),
        spoken,
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        vec(any::<char>(), 0..8).prop_map(String::from_iter),
        Just("<script> & \"quotes\" \\ \u{1b}[31m \0 你好".to_string()),
    ]
}

fn constant() -> impl Strategy<Value = Text> {
    text().prop_map(Text::Owned)
}

/// Some are text, most are no UTF-8.
fn data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..8), text().prop_map(String::into_bytes)]
}

fn bytes() -> impl Strategy<Value = Bytes> {
    (data(), any::<u64>()).prop_map(|(first, length)| Bytes { first, length })
}

fn starts() -> impl Strategy<Value = Start> {
    let numbers = (any::<u64>(), any::<u32>(), any::<u32>());
    let rest = (
        constant(),
        vec(args(), 0..4),
        of(sockets()),
        of(any::<u64>()),
        of(forced()),
    );
    (numbers, rest).prop_map(
        |((id, pid, tid), (name, args, socket, resumes, changed))| Start {
            id: CallId(id),
            pid,
            tid,
            name,
            args,
            socket,
            resumes: resumes.map(CallId),
            changed,
        },
    )
}

fn forced() -> impl Strategy<Value = Changed> {
    prop_oneof![
        any::<u64>().prop_map(Changed::CutTo),
        symbols().prop_map(Changed::Failed),
    ]
}

fn ends() -> impl Strategy<Value = End> {
    let outcomes = prop_oneof![
        any::<i64>().prop_map(Outcome::Returned),
        symbols().prop_map(Outcome::Failed),
        symbols().prop_map(Outcome::Interrupted),
        Just(Outcome::Died),
    ];
    let sockets = vec((any::<i32>(), sockets()), 0..3);
    (any::<u64>(), outcomes, vec(outputs(), 0..3), sockets).prop_map(
        |(id, outcome, outputs, sockets)| End {
            id: CallId(id),
            outcome,
            outputs,
            sockets,
        },
    )
}

fn args() -> impl Strategy<Value = Arg> {
    prop_oneof![
        any::<i32>().prop_map(Arg::Descriptor),
        vec(any::<i32>(), 0..3).prop_map(Arg::Descriptors),
        addresses().prop_map(Arg::Address),
        bytes().prop_map(Arg::Bytes),
        any::<u64>().prop_map(Arg::Room),
        prop_oneof![Just(Arg::Wanted), Just(Arg::Null)],
        any::<i64>().prop_map(Arg::Number),
        symbols().prop_map(Arg::Symbol),
        flags().prop_map(Arg::Flags),
        prop_oneof![
            settings().prop_map(Arg::Setting),
            any::<u64>().prop_map(Arg::Unreadable)
        ],
        vec(messages(), 0..3).prop_map(Arg::Messages),
        vec(watches(), 0..3).prop_map(Arg::Watched),
        of(durations()).prop_map(Arg::Timeout),
    ]
}

fn outputs() -> impl Strategy<Value = Output> {
    prop_oneof![
        bytes().prop_map(Output::Bytes),
        addresses().prop_map(Output::Address),
        vec(messages(), 0..3).prop_map(Output::Messages),
        vec(watches(), 0..3).prop_map(Output::Watched),
        vec(any::<i32>(), 0..3).prop_map(Output::Descriptors),
        settings().prop_map(Output::Setting),
        any::<i64>().prop_map(Output::Number),
        any::<u64>().prop_map(Output::Unreadable),
    ]
}

fn settings() -> impl Strategy<Value = Setting> {
    prop_oneof![
        any::<i64>().prop_map(Setting::Number),
        durations().prop_map(Setting::Time),
        of(durations()).prop_map(Setting::Linger),
        text().prop_map(Setting::Text),
        bytes().prop_map(Setting::Bytes),
    ]
}

/// A program may ask for more than 64 bits of nanoseconds.
fn durations() -> impl Strategy<Value = Duration> {
    (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(seconds, rest)| Duration::new(seconds, rest))
}

fn symbols() -> impl Strategy<Value = Symbol> {
    (any::<i64>(), of(constant())).prop_map(|(number, name)| Symbol { number, name })
}

fn flags() -> impl Strategy<Value = Flags> {
    (any::<u64>(), vec(constant(), 0..3), any::<u64>()).prop_map(|(bits, names, unnamed)| Flags {
        bits,
        names,
        unnamed,
    })
}

fn sockets() -> impl Strategy<Value = Socket> {
    (any::<u64>(), of(constant())).prop_map(|(inode, protocol)| Socket { inode, protocol })
}

fn addresses() -> impl Strategy<Value = Address> {
    prop_oneof![
        ends_of_sockets().prop_map(Address::Ip),
        data().prop_map(Address::Path),
        data().prop_map(Address::Abstract),
        Just(Address::Unnamed),
        (of(any::<u16>()), data()).prop_map(|(family, bytes)| Address::Other { family, bytes }),
    ]
}

fn ends_of_sockets() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        (any::<u32>(), any::<u16>())
            .prop_map(|(ip, port)| SocketAddr::new(Ipv4Addr::from(ip).into(), port)),
        (
            ipv6(),
            any::<u16>(),
            prop_oneof![Just(0), any::<u32>()],
            any::<u32>()
        )
            .prop_map(|(ip, port, flow, scope)| SocketAddrV6::new(ip, port, flow, scope).into()),
    ]
}

fn ipv6() -> impl Strategy<Value = Ipv6Addr> {
    let mapped = any::<u32>().prop_map(|ip| Ipv4Addr::from(ip).to_ipv6_mapped());
    prop_oneof![
        any::<u128>().prop_map(Ipv6Addr::from),
        Just(Ipv6Addr::LOCALHOST),
        mapped
    ]
}

fn ips() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|ip| Ipv4Addr::from(ip).into()),
        ipv6().prop_map(IpAddr::from)
    ]
}

fn messages() -> impl Strategy<Value = Message> {
    let control = (symbols(), symbols(), vec(any::<i32>(), 0..3), any::<u64>()).prop_map(
        |(level, kind, descriptors, length)| Control {
            level,
            kind,
            descriptors,
            length,
        },
    );
    (of(addresses()), bytes(), vec(control, 0..2), flags()).prop_map(
        |(address, bytes, control, flags)| Message {
            address,
            bytes,
            control,
            flags,
        },
    )
}

fn watches() -> impl Strategy<Value = Watch> {
    (any::<i64>(), flags()).prop_map(|(descriptor, events)| Watch { descriptor, events })
}

fn packets() -> impl Strategy<Value = Packet> {
    let icmp = (any::<u8>(), any::<u8>(), of(abouts()))
        .prop_map(|(kind, code, about)| Content::Icmp { kind, code, about });
    let contents = prop_oneof![
        segments().prop_map(Content::Tcp),
        datagrams().prop_map(Content::Udp),
        icmp,
        (any::<u8>(), any::<u32>())
            .prop_map(|(protocol, offset)| Content::Fragment { protocol, offset }),
        any::<u8>().prop_map(|protocol| Content::Other { protocol }),
        text().prop_map(|reason| Content::Broken { reason }),
    ];
    let parts = (ips(), ips(), contents, data(), any::<u32>(), of(passages()));
    parts.prop_map(
        |(source, destination, content, bytes, length, passage)| Packet {
            source,
            destination,
            content,
            bytes,
            length,
            passage,
        },
    )
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Passed),
        Just(Fate::Dropped),
        Just(Fate::Delayed),
        Just(Fate::Held),
        Just(Fate::Doubled),
        Just(Fate::Swapped),
        any::<u32>().prop_map(|bit| Fate::Corrupted { bit }),
    ]
}

fn passages() -> impl Strategy<Value = Passage> {
    let parts = (
        any::<u64>(),
        fates(),
        of(text()),
        durations(),
        of(any::<u64>()),
    );
    parts.prop_map(|(frame, fate, by, late, again)| Passage {
        frame,
        fate,
        by,
        late,
        again,
    })
}

fn laters() -> impl Strategy<Value = Later> {
    let parts = (any::<u64>(), fates(), of(text()), durations());
    parts.prop_map(|(frame, fate, by, after)| Later {
        frame,
        fate,
        by,
        after,
    })
}

fn segments() -> impl Strategy<Value = Segment> {
    let sack = vec(any::<(u32, u32)>(), 0..3);
    let options = (of(any::<u16>()), of(any::<u8>()), any::<bool>(), sack).prop_map(
        |(maximum_segment_size, window_scale, sack_permitted, sack)| TcpOptions {
            maximum_segment_size,
            window_scale,
            sack_permitted,
            sack,
        },
    );
    let numbers = any::<(u16, u16, u32, u32, u8, u16, u32)>();
    (numbers, options, data()).prop_map(|(numbers, options, data)| {
        let (source_port, destination_port, seq, ack, flags, window, length) = numbers;
        let flags = TcpFlags(flags);
        Segment {
            source_port,
            destination_port,
            seq,
            ack,
            flags,
            window,
            options,
            length,
            data,
        }
    })
}

fn datagrams() -> impl Strategy<Value = Datagram> {
    (any::<(u16, u16, u32)>(), data()).prop_map(
        |((source_port, destination_port, length), data)| Datagram {
            source_port,
            destination_port,
            length,
            data,
        },
    )
}

fn abouts() -> impl Strategy<Value = About> {
    (ends_of_sockets(), ends_of_sockets(), any::<u8>()).prop_map(
        |(source, destination, protocol)| About {
            source,
            destination,
            protocol,
        },
    )
}

fn changes() -> impl Strategy<Value = Transition> {
    let states = || {
        proptest::sample::select(vec![
            TcpState::Listen,
            TcpState::SynSent,
            TcpState::SynReceived,
            TcpState::Established,
            TcpState::FinWait1,
            TcpState::FinWait2,
            TcpState::CloseWait,
            TcpState::Closing,
            TcpState::LastAck,
            TcpState::TimeWait,
            TcpState::Closed,
        ])
    };
    let ends = (ends_of_sockets(), ends_of_sockets(), of(any::<u64>()));
    (ends, of(states()), states(), any::<(u32, u32)>()).prop_map(
        |((local, peer, inode), from, to, (receive, send))| Transition {
            local,
            peer,
            inode,
            from,
            to,
            queues: Queues { receive, send },
        },
    )
}
