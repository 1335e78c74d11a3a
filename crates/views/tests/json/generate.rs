//! Timelines of every kind of event, with every kind of value in them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use timeline::cable::*;
use timeline::call::*;
use timeline::packet::*;
use timeline::state::*;
use timeline::{Actor, Ending, Event, Kind, Place, Stream, Timeline};

/// Any struct of this type, each of its fields by a strategy of its own.
macro_rules! any_of {
    ($($type:ident)::+: $($field:ident in $values:expr),+ $(,)?) => {
        ($($values,)+).prop_map(|($($field,)+)| $($type)::+ { $($field),+ })
    };
}

pub fn timelines() -> impl Strategy<Value = Timeline> {
    vec(events(), 0..12).prop_map(|events| {
        let mut timeline = Timeline::default();
        events.into_iter().for_each(|event| timeline.push(event));
        timeline
    })
}

fn events() -> impl Strategy<Value = Event> {
    let time = any::<u64>().prop_map(Duration::from_nanos);
    any_of!(Event: time in time, place in places(), kind in kinds())
}

fn places() -> impl Strategy<Value = Place> {
    let actor = || any::<usize>().prop_map(Actor);
    prop_oneof![
        actor().prop_map(Place::Actor),
        any_of!(Place::Wire: from in of(actor()), to in of(actor())),
        Just(Place::Narrator),
    ]
}

fn kinds() -> impl Strategy<Value = Kind> {
    let streams = prop_oneof![Just(Stream::Stdout), Just(Stream::Stderr)];
    let spoken = prop_oneof![
        text().prop_map(Kind::Unseen),
        texts().prop_map(Kind::Lanes),
        text().prop_map(Kind::Headline),
        text().prop_map(Kind::Note),
        text().prop_map(Kind::Rows),
        texts().prop_map(Kind::Next),
        Just(Kind::Beat),
    ];
    prop_oneof![
        any_of!(Kind::Started: lane in text(), command in texts()),
        any_of!(Kind::Line: stream in streams, text in text()),
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

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(text(), 0..3)
}

fn constant() -> impl Strategy<Value = Text> {
    text().prop_map(Text::Owned)
}

/// Some are text, most are no UTF-8.
fn data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..8), text().prop_map(String::into_bytes)]
}

fn bytes() -> impl Strategy<Value = Bytes> {
    any_of!(Bytes: first in data(), length in any::<u64>())
}

fn ids() -> impl Strategy<Value = CallId> {
    any::<u64>().prop_map(CallId)
}

fn descriptors() -> impl Strategy<Value = Vec<i32>> {
    vec(any::<i32>(), 0..3)
}

fn starts() -> impl Strategy<Value = Start> {
    let changed = prop_oneof![
        any::<u64>().prop_map(Changed::CutTo),
        symbols().prop_map(Changed::Failed),
    ];
    any_of!(Start:
        id in ids(), pid in any::<u32>(), tid in any::<u32>(), name in constant(),
        args in vec(args(), 0..4), socket in of(sockets()), resumes in of(ids()),
        changed in of(changed),
    )
}

fn ends() -> impl Strategy<Value = End> {
    let outcomes = prop_oneof![
        any::<i64>().prop_map(Outcome::Returned),
        symbols().prop_map(Outcome::Failed),
        symbols().prop_map(Outcome::Interrupted),
        Just(Outcome::Died),
    ];
    let sockets = vec((any::<i32>(), sockets()), 0..3);
    any_of!(End:
        id in ids(), outcome in outcomes, outputs in vec(outputs(), 0..3), sockets in sockets,
    )
}

fn args() -> impl Strategy<Value = Arg> {
    prop_oneof![
        any::<i32>().prop_map(Arg::Descriptor),
        descriptors().prop_map(Arg::Descriptors),
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
        descriptors().prop_map(Output::Descriptors),
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
    any_of!(Symbol: number in any::<i64>(), name in of(constant()))
}

fn flags() -> impl Strategy<Value = Flags> {
    any_of!(Flags:
        bits in any::<u64>(), names in vec(constant(), 0..3), unnamed in any::<u64>(),
    )
}

fn sockets() -> impl Strategy<Value = Socket> {
    any_of!(Socket: inode in any::<u64>(), protocol in of(constant()))
}

fn addresses() -> impl Strategy<Value = Address> {
    prop_oneof![
        ends_of_sockets().prop_map(Address::Ip),
        data().prop_map(Address::Path),
        data().prop_map(Address::Abstract),
        Just(Address::Unnamed),
        any_of!(Address::Other: family in of(any::<u16>()), bytes in data()),
    ]
}

fn ends_of_sockets() -> impl Strategy<Value = SocketAddr> {
    let flow = prop_oneof![Just(0), any::<u32>()];
    let v6 = (ipv6(), any::<u16>(), flow, any::<u32>());
    prop_oneof![
        any::<([u8; 4], u16)>().prop_map(SocketAddr::from),
        v6.prop_map(|(ip, port, flow, scope)| SocketAddrV6::new(ip, port, flow, scope).into()),
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
        any::<[u8; 4]>().prop_map(IpAddr::from),
        ipv6().prop_map(IpAddr::from)
    ]
}

fn messages() -> impl Strategy<Value = Message> {
    let control = any_of!(Control:
        level in symbols(), kind in symbols(), descriptors in descriptors(), length in any::<u64>(),
    );
    any_of!(Message:
        address in of(addresses()), bytes in bytes(), control in vec(control, 0..2),
        flags in flags(),
    )
}

fn watches() -> impl Strategy<Value = Watch> {
    any_of!(Watch: descriptor in any::<i64>(), events in flags())
}

fn packets() -> impl Strategy<Value = Packet> {
    let contents = prop_oneof![
        segments().prop_map(Content::Tcp),
        datagrams().prop_map(Content::Udp),
        any_of!(Content::Icmp: kind in any::<u8>(), code in any::<u8>(), about in of(abouts())),
        any_of!(Content::Fragment: protocol in any::<u8>(), offset in any::<u32>()),
        any::<u8>().prop_map(|protocol| Content::Other { protocol }),
        text().prop_map(|reason| Content::Broken { reason }),
    ];
    any_of!(Packet:
        source in ips(), destination in ips(), content in contents, bytes in data(),
        length in any::<u32>(), passage in of(passages()),
    )
}

fn fates() -> impl Strategy<Value = Fate> {
    let damaged = any::<u32>().prop_map(|bit| Fate::Corrupted { bit });
    let others = [
        Fate::Passed,
        Fate::Dropped,
        Fate::Delayed,
        Fate::Held,
        Fate::Doubled,
        Fate::Swapped,
    ];
    prop_oneof![6 => select(others.to_vec()), 1 => damaged]
}

fn passages() -> impl Strategy<Value = Passage> {
    any_of!(Passage:
        frame in any::<u64>(), fate in fates(), by in of(text()), late in durations(),
        again in of(any::<u64>()),
    )
}

fn laters() -> impl Strategy<Value = Later> {
    any_of!(Later:
        frame in any::<u64>(), fate in fates(), by in of(text()), after in durations(),
    )
}

fn segments() -> impl Strategy<Value = Segment> {
    let options = any_of!(TcpOptions:
        maximum_segment_size in of(any::<u16>()), window_scale in of(any::<u8>()),
        sack_permitted in any::<bool>(), sack in vec(any::<(u32, u32)>(), 0..3),
    );
    any_of!(Segment:
        source_port in any::<u16>(), destination_port in any::<u16>(), seq in any::<u32>(),
        ack in any::<u32>(), flags in any::<u8>().prop_map(TcpFlags), window in any::<u16>(),
        options in options, length in any::<u32>(), data in data(),
    )
}

fn datagrams() -> impl Strategy<Value = Datagram> {
    any_of!(Datagram:
        source_port in any::<u16>(), destination_port in any::<u16>(), length in any::<u32>(),
        data in data(),
    )
}

fn abouts() -> impl Strategy<Value = About> {
    any_of!(About:
        source in ends_of_sockets(), destination in ends_of_sockets(), protocol in any::<u8>(),
    )
}

fn changes() -> impl Strategy<Value = Transition> {
    let states = || {
        select(vec![
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
    let queues = any_of!(Queues: receive in any::<u32>(), send in any::<u32>());
    any_of!(Transition:
        local in ends_of_sockets(), peer in ends_of_sockets(), inode in of(any::<u64>()),
        from in of(states()), to in states(), queues in queues,
    )
}
