//! What the C library asks the system takes one line.

use std::borrow::Cow;
use std::time::Duration;

use roxmltree::Document;
use rstest::rstest;
use timeline::call::{Address, Arg, CallId, End, Outcome, Socket, Start, Symbol};
use timeline::{Actor, Ending, Event, Kind, Place, Timeline};
use views::ladder::{Ladder, Style, ladder};
use views::only::Only;
use views::svg;
use views::text::Paper;

const SERVER: Place = Place::Actor(Actor(0));
const CLIENT: Place = Place::Actor(Actor(1));

const NSCD: &str = "/var/run/nscd/socket";

fn unix_or_netlink(inode: u64) -> Socket {
    let protocol = None;
    Socket { inode, protocol }
}

/// Calls, each with its end, a millisecond apart.
#[derive(Default)]
struct Talk {
    events: Vec<Event>,
    calls: u64,
}

impl Talk {
    fn add(&mut self, place: Place, kind: Kind) {
        let time = Duration::from_millis(self.events.len() as u64);
        self.events.push(Event { time, place, kind });
    }

    fn call(&mut self, place: Place, name: &'static str, args: Vec<Arg>, inode: Option<u64>) {
        self.calls += 1;
        self.add(
            place,
            Kind::Call(Start {
                id: CallId(self.calls),
                pid: 1,
                tid: 1,
                name: name.into(),
                args,
                socket: inode.map(unix_or_netlink),
                resumes: None,
                changed: None,
            }),
        );
    }

    fn back(&mut self, place: Place, result: i64, made: Option<u64>) {
        let made = made.map(|inode| (result as i32, unix_or_netlink(inode)));
        self.add(
            place,
            Kind::Return(End {
                id: CallId(self.calls),
                outcome: Outcome::Returned(result),
                outputs: Vec::new(),
                sockets: made.into_iter().collect(),
            }),
        );
    }

    fn socket(&mut self, place: Place, family: &'static str, inode: u64) {
        let symbol = |number, name| {
            Arg::Symbol(Symbol {
                number,
                name: Some(Cow::Borrowed(name)),
            })
        };
        let args = vec![symbol(0, family), symbol(0, "SOCK_RAW")];
        self.call(place, "socket", args, None);
        self.back(place, 3, Some(inode));
    }

    /// A call on socket 3.
    fn on(&mut self, place: Place, name: &'static str, more: Option<Arg>, inode: u64) {
        let args = std::iter::once(Arg::Descriptor(3)).chain(more).collect();
        self.call(place, name, args, Some(inode));
        self.back(place, 0, None);
    }

    fn connect(&mut self, place: Place, path: &str, inode: u64) {
        let path = Arg::Address(Address::Path(path.into()));
        self.on(place, "connect", Some(path), inode);
    }

    fn timeline(self) -> Timeline {
        let mut timeline = Timeline::default();
        for (place, lane) in [(SERVER, "server"), (CLIENT, "client")] {
            let kind = Kind::Started {
                lane: lane.to_string(),
                command: Vec::new(),
            };
            let time = Duration::ZERO;
            timeline.push(Event { time, place, kind });
        }
        self.events
            .into_iter()
            .for_each(|event| timeline.push(event));
        timeline
    }
}

/// As `if_nameindex` asks for the names of the interfaces.
fn netlink() -> Talk {
    let mut talk = Talk::default();
    talk.socket(CLIENT, "AF_NETLINK", 7);
    talk.on(CLIENT, "sendto", None, 7);
    talk.on(CLIENT, "recvmsg", None, 7);
    talk.on(CLIENT, "close", None, 7);
    talk
}

fn style(only: Only) -> Style {
    let paper = Paper {
        width: 80,
        colour: false,
        ascii: false,
    };
    Style {
        only,
        ..Style::on(paper)
    }
}

/// In all forms that people look at, each as one line.
fn drawn(timeline: &Timeline, only: Only) -> [String; 2] {
    let picture = svg::PictureStyle {
        only,
        bytes: 32,
        hex: false,
    };
    let picture = svg::svg(timeline, picture);
    let document = Document::parse(&picture).expect("it is XML");
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    let texts: Vec<&str> = texts.filter_map(|text| text.text()).collect();
    [ladder(timeline, style(only)), texts.join(" ")].map(|text| one_line(&text))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const ASKS_NETWORK: &str = "(asks about the network: 4 calls)";
const ASKS_NAMES: &str = "(asks the name service: 2 calls)";

#[test]
fn a_talk_with_the_system_is_one_line_when_it_ends() {
    for text in drawn(&netlink().timeline(), Only::default()) {
        assert_eq!(text.matches(ASKS_NETWORK).count(), 1, "{text}");
        for gone in ["AF_NETLINK", "send(3", "recvmsg", "close(3"] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
    }
}

#[test]
fn with_all_each_call_is_shown() {
    let all = Only {
        services: true,
        ..Only::default()
    };
    for text in drawn(&netlink().timeline(), all) {
        for there in ["AF_NETLINK", "send(3", "recvmsg(3", "close(3"] {
            assert!(text.contains(there), "{there}: {text}");
        }
        assert!(!text.contains("asks"), "{text}");
    }
}

#[rstest]
#[case::name_service_cache(NSCD)]
#[case::its_other_name("/run/nscd/socket")]
#[case::systemd("/run/systemd/resolve/io.systemd.Resolve")]
fn a_question_for_a_name_is_one_line_from_its_connect_on(#[case] path: &str) {
    let mut talk = Talk::default();
    talk.socket(SERVER, "AF_UNIX", 7);
    talk.connect(SERVER, path, 7);
    talk.on(SERVER, "close", None, 7);
    for text in drawn(&talk.timeline(), Only::default()) {
        assert_eq!(text.matches("AF_UNIX").count(), 1, "{text}");
        assert_eq!(text.matches(ASKS_NAMES).count(), 1, "{text}");
        assert!(!text.contains(path) && !text.contains("close"), "{text}");
    }
}

#[rstest]
#[case::a_socket_of_its_own("/tmp/socket")]
#[case::a_longer_name("/run/nscd/socket2")]
#[case::another_service("/run/docker.sock")]
fn what_the_program_itself_is_about_is_shown(#[case] path: &str) {
    let mut talk = Talk::default();
    talk.socket(SERVER, "AF_UNIX", 7);
    talk.connect(SERVER, path, 7);
    talk.on(SERVER, "close", None, 7);
    for text in drawn(&talk.timeline(), Only::default()) {
        assert!(text.contains(path) && text.contains("close(3"), "{text}");
        assert!(!text.contains("asks"), "{text}");
    }
}

#[test]
fn talks_of_two_programs_and_other_calls_are_kept_apart() {
    let mut talk = Talk::default();
    talk.socket(SERVER, "AF_NETLINK", 7);
    talk.socket(CLIENT, "AF_NETLINK", 8);
    talk.on(SERVER, "bind", None, 7);
    talk.on(CLIENT, "listen", None, 9);
    talk.on(CLIENT, "close", None, 8);
    talk.on(SERVER, "bind", None, 7);
    talk.on(SERVER, "close", None, 7);
    // The number of the socket means another one from here on.
    talk.on(SERVER, "shutdown", None, 10);
    for text in drawn(&talk.timeline(), Only::default()) {
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
        let order = [
            "listen(3",
            "network: 2 calls",
            "network: 4 calls",
            "shutdown(3",
        ]
        .map(at);
        assert!(order.is_sorted(), "{text}");
        assert!(!text.contains("bind"), "{text}");
    }
}

#[test]
fn a_talk_that_is_not_closed_is_told_when_the_program_ends() {
    let mut talk = Talk::default();
    talk.socket(SERVER, "AF_NETLINK", 7);
    talk.add(CLIENT, Kind::Ended(Ending::Status(0)));
    talk.add(SERVER, Kind::Ended(Ending::Status(7)));
    for text in drawn(&talk.timeline(), Only::default()) {
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
        let order = ["(ended)", "network: 1 call)", "status 7"].map(at);
        assert!(order.is_sorted(), "{text}");
    }
}

#[test]
fn a_socket_that_could_not_be_made_is_told_at_once() {
    let mut talk = Talk::default();
    let family = Arg::Symbol(Symbol {
        number: 16,
        name: Some(Cow::Borrowed("AF_NETLINK")),
    });
    talk.call(SERVER, "socket", vec![family], None);
    talk.back(SERVER, -1, None);
    talk.on(SERVER, "listen", None, 9);
    for text in drawn(&talk.timeline(), Only::default()) {
        assert!(
            text.find("network: 1 call)") < text.find("listen("),
            "{text}"
        );
        assert!(text.contains("network: 1 call)"), "{text}");
    }
}

#[test]
fn where_no_calls_are_shown_talks_are_not_told_either() {
    let only = Only {
        calls: false,
        ..Only::default()
    };
    let mut talk = netlink();
    talk.socket(SERVER, "AF_NETLINK", 8);
    talk.add(SERVER, Kind::Ended(Ending::Status(0)));
    for text in drawn(&talk.timeline(), only) {
        assert!(!text.contains("asks"), "{text}");
    }
}

#[test]
fn drawn_live_it_is_the_same_and_each_call_says_whether_it_is_folded() {
    let mut talk = netlink();
    talk.on(CLIENT, "listen", None, 9);
    let timeline = talk.timeline();
    let mut live = Ladder::new(style(Only::default()));
    let mut folded = Vec::new();
    let mut text = String::new();
    for event in timeline.events() {
        text += &live.draw(event, None);
        if let Kind::Call(call) = &event.kind {
            folded.push(live.folds(call.id));
        }
    }
    assert_eq!(folded, [true, true, true, true, false]);
    assert_eq!(one_line(&text).matches(ASKS_NETWORK).count(), 1, "{text}");
    assert!(!text.contains("AF_NETLINK"), "{text}");
}
