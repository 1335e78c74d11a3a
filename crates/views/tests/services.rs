//! What the C library asks the system takes one line.

use rstest::rstest;
use timeline::call::{Address, Arg, End, Socket, Start};
use timeline::{Ending, Kind, Place};
use views::only::Only;
use views::reading::{Row, rows};

use crate::sample::*;

fn unix_or_netlink(inode: u64) -> Socket {
    let protocol = None;
    Socket { inode, protocol }
}

/// Calls, each with its end.
#[derive(Default)]
struct Talk(Story);

impl Talk {
    /// A call; and a socket that it makes, if it does.
    fn call(&mut self, place: Place, call: Start, made: Option<u64>) {
        let made = made.map(|inode| (3, unix_or_netlink(inode)));
        let id = self.0.asks(0, place, call);
        let back = End {
            sockets: made.into_iter().collect(),
            ..end(id, returned(3))
        };
        self.0.at(0, place, Kind::Return(back));
    }

    fn socket(&mut self, place: Place, family: &'static str, made: Option<u64>) {
        let args = vec![Arg::Symbol(symbol(0, family))];
        self.call(place, start("socket", args), made);
    }

    /// A call on socket 3.
    fn on(&mut self, place: Place, name: &'static str, more: Option<Arg>, inode: u64) {
        let args = std::iter::once(Arg::Descriptor(3)).chain(more).collect();
        let socket = Some(unix_or_netlink(inode));
        let call = Start {
            socket,
            ..start(name, args)
        };
        self.call(place, call, None);
    }

    fn ended(&mut self, place: Place, status: i32) {
        self.0.at(0, place, Kind::Ended(Ending::Status(status)));
    }

    /// What is said of it.
    fn told(&self, only: Only) -> Vec<String> {
        let rows = rows(&self.0.timeline, reading(only));
        let texts = rows.iter().map(Row::text);
        texts.filter(|text| !text.is_empty()).collect()
    }
}

/// As `if_nameindex` asks for the names of the interfaces.
fn netlink() -> Talk {
    let mut talk = Talk::default();
    talk.socket(CLIENT, "AF_NETLINK", Some(7));
    talk.on(CLIENT, "sendto", None, 7);
    talk.on(CLIENT, "recvmsg", None, 7);
    talk.on(CLIENT, "close", None, 7);
    talk
}

/// The program itself connects to this path, or the C library does.
fn connects_to(path: &str) -> Talk {
    let mut talk = Talk::default();
    talk.socket(SERVER, "AF_UNIX", Some(7));
    let address = Address::Path(path.into());
    talk.on(SERVER, "connect", Some(Arg::Address(address)), 7);
    talk.on(SERVER, "close", None, 7);
    talk
}

const ASKS_NETWORK: &str = "(asks about the network: 4 calls)";

#[test]
fn a_talk_with_the_system_is_one_line_when_it_ends() {
    assert_eq!(netlink().told(Only::default()), [ASKS_NETWORK]);
}

#[test]
fn with_all_each_call_is_shown() {
    let (services, all) = (true, Only::default());
    let told = netlink().told(Only { services, ..all });
    let expected = [
        "socket(AF_NETLINK) → 3",
        "send(3) → 3",
        "recvmsg(3) → 3",
        "close(3) → 3",
    ];
    assert_eq!(told, expected);
}

#[rstest]
#[case::name_service_cache("/var/run/nscd/socket")]
#[case::its_other_name("/run/nscd/socket")]
#[case::systemd("/run/systemd/resolve/io.systemd.Resolve")]
fn a_question_for_a_name_is_one_line_from_its_connect_on(#[case] path: &str) {
    let told = connects_to(path).told(Only::default());
    let expected = ["socket(AF_UNIX) → 3", "(asks the name service: 2 calls)"];
    assert_eq!(told, expected);
}

#[rstest]
#[case::a_socket_of_its_own("/tmp/socket")]
#[case::a_longer_name("/run/nscd/socket2")]
#[case::another_service("/run/docker.sock")]
fn what_the_program_itself_is_about_is_shown(#[case] path: &str) {
    let told = connects_to(path).told(Only::default());
    let connect = format!("connect(3, {path}) → 3");
    assert_eq!(told, ["socket(AF_UNIX) → 3", &connect, "close(3) → 3"]);
}

#[test]
fn talks_of_two_programs_and_other_calls_are_kept_apart() {
    let mut talk = Talk::default();
    talk.socket(SERVER, "AF_NETLINK", Some(7));
    talk.socket(CLIENT, "AF_NETLINK", Some(8));
    talk.on(SERVER, "bind", None, 7);
    talk.on(CLIENT, "listen", None, 9);
    talk.on(CLIENT, "close", None, 8);
    talk.on(SERVER, "bind", None, 7);
    talk.on(SERVER, "close", None, 7);
    // The number of the socket means another one from here on.
    talk.on(SERVER, "shutdown", None, 10);
    let expected = [
        "listen(3) → 3",
        "(asks about the network: 2 calls)",
        ASKS_NETWORK,
        "shutdown(3) → 3",
    ];
    assert_eq!(talk.told(Only::default()), expected);
}

#[test]
fn a_talk_that_is_not_closed_is_told_when_the_program_ends() {
    let mut talk = Talk::default();
    talk.socket(SERVER, "AF_NETLINK", Some(7));
    talk.ended(CLIENT, 0);
    talk.ended(SERVER, 7);
    let expected = [
        "(ended)",
        "(asks about the network: 1 call)",
        "(ended with status 7)",
    ];
    assert_eq!(talk.told(Only::default()), expected);
}

#[test]
fn a_socket_that_could_not_be_made_is_told_at_once() {
    let mut talk = Talk::default();
    talk.socket(SERVER, "AF_NETLINK", None);
    talk.on(SERVER, "listen", None, 9);
    let expected = ["(asks about the network: 1 call)", "listen(3) → 3"];
    assert_eq!(talk.told(Only::default()), expected);
}

#[test]
fn where_no_calls_are_shown_talks_are_not_told_either() {
    let mut talk = netlink();
    talk.socket(SERVER, "AF_NETLINK", Some(8));
    talk.ended(SERVER, 0);
    let (calls, all) = (false, Only::default());
    assert_eq!(talk.told(Only { calls, ..all }), ["(ended)"]);
}

#[test]
fn read_live_it_is_the_same_and_each_call_says_whether_it_is_folded() {
    let mut talk = netlink();
    talk.on(CLIENT, "listen", None, 9);
    let mut live = reading(Only::default());
    let mut folded = Vec::new();
    let mut told = Vec::new();
    for event in talk.0.timeline.events() {
        told.extend(live.read(event, None).iter().map(Row::text));
        if let Kind::Call(call) = &event.kind {
            folded.push(live.folds(call.id));
        }
    }
    assert_eq!(folded, [true, true, true, true, false]);
    assert_eq!(told[0], ASKS_NETWORK);
}
