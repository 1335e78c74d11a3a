//! The crowd against small servers, right and wrong ones; and the pictures.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rstest::rstest;

use super::crowd::{Crowd, Plan, Seen, Way};
use super::entrant::Entrant;
use super::limit::{Limit, one_thread_one_pair};
use super::machine::Family;
use super::result::{Cell, Race, Round, Row, starved};
use super::text::{Dialect, Text};
use super::{Memory, Place, Setting, chart, json, svg};

const SIZE: usize = 64;

/// Changes an answer, or clears it, and the server hangs up; it is told the number
/// of the message.
type Spoil = fn(usize, &mut Vec<u8>);

fn server(places: usize, spoil: Spoil) -> (SocketAddr, Arc<AtomicUsize>) {
    server_of(SIZE, places, spoil)
}

/// A server with a thread for each of the first callers, whose messages have this
/// size.
fn server_of(size: usize, places: usize, spoil: Spoil) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = accepted.clone();
    thread::spawn(move || {
        for call in listener.incoming().take(places) {
            count.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || converse(call.unwrap(), size, spoil));
        }
        loop {
            thread::park(); // the others stay in the queue
        }
    });
    (addr, accepted)
}

fn converse(mut call: TcpStream, size: usize, spoil: Spoil) {
    let mut buffer = vec![0; size];
    for number in 0.. {
        if call.read_exact(&mut buffer).is_err() {
            return;
        }
        let mut answer = buffer.clone();
        spoil(number, &mut answer);
        if answer.is_empty() || call.write_all(&answer).is_err() {
            return;
        }
    }
}

fn plan() -> Plan {
    Plan {
        warm_up: Duration::from_millis(20),
        time: Duration::from_millis(200),
        rate: None,
        churn: None,
    }
}

fn measure(addr: SocketAddr, clients: usize, plan: &Plan, way: Way) -> Seen {
    measure_long(addr, SIZE, clients, plan, way)
}

/// With messages of this size.
fn measure_long(addr: SocketAddr, size: usize, clients: usize, plan: &Plan, way: Way) -> Seen {
    let text = Text::new(size, Dialect::Echo);
    let mut crowd = Crowd::new(addr, &text, way).unwrap();
    crowd.connect(clients).unwrap();
    let family = Family::new(process::id());
    crowd.measure(clients, plan, &family).unwrap()
}

#[rstest]
fn who_answers_rightly_has_no_error_and_starves_nobody(
    #[values(Way::Epoll, Way::IoUring)] way: Way,
) {
    let (addr, _) = server(10, |_, _| ());
    let seen = measure(addr, 10, &plan(), way);
    assert_eq!((seen.errors, seen.first_error), (0, None));
    assert!(seen.messages > 100 && seen.messages == seen.served.iter().sum::<u64>());
    assert_eq!(seen.latencies.len(), seen.messages);
    assert_eq!(starved(&seen.served), 0);
    assert!(seen.used.crowd_cpu > Duration::ZERO && seen.used.server_cpu >= seen.used.crowd_cpu);
}

#[rstest]
#[case::one_wrong_byte(|number, answer: &mut Vec<u8>| answer[63] ^= u8::from(number == 9), "wrong bytes")]
#[case::the_bytes_of_another_message(|_, answer: &mut Vec<u8>| answer.rotate_left(1), "wrong bytes")]
#[case::one_byte_too_many(|_, answer: &mut Vec<u8>| answer.push(b'X'), "wrong bytes")]
fn a_wrong_answer_is_an_error(
    #[case] spoil: Spoil,
    #[case] error: &str,
    #[values(Way::Epoll, Way::IoUring)] way: Way,
) {
    let (addr, _) = server(1, spoil);
    let seen = measure(addr, 1, &plan(), way);
    assert_eq!(seen.errors, 1);
    assert!(seen.first_error.unwrap().contains(error));
}

#[rstest]
fn an_answer_with_a_byte_too_few_is_never_counted(#[values(Way::Epoll, Way::IoUring)] way: Way) {
    let (addr, _) = server(1, |_, answer| answer.truncate(SIZE - 1));
    assert_eq!(measure(addr, 1, &plan(), way).messages, 0);
}

#[rstest]
fn a_server_that_hangs_up_is_an_error(#[values(Way::Epoll, Way::IoUring)] way: Way) {
    let (addr, _) = server(1, |_, answer| answer.clear());
    let seen = measure(addr, 1, &plan(), way);
    assert_eq!((seen.errors, seen.messages), (1, 0));
    assert!(seen.first_error.unwrap().contains("end of stream"));
}

/// Longer than what is received at once, and than what the kernel takes at once.
#[rstest]
fn a_long_message_is_checked_to_its_end(
    #[values(Way::Epoll, Way::IoUring)] way: Way,
    #[values(false, true)] is_wrong: bool,
) {
    const LONG: usize = 1_048_576;
    let spoil: Spoil = match is_wrong {
        true => |_, answer| answer[LONG - 1] ^= 1,
        false => |_, _| (),
    };
    let (addr, _) = server_of(LONG, 1, spoil);
    let seen = measure_long(addr, LONG, 1, &plan(), way);
    assert_eq!(seen.errors, u64::from(is_wrong), "{:?}", seen.first_error);
    assert_eq!(seen.messages > 0, !is_wrong);
}

#[rstest]
fn who_waits_behind_the_last_place_is_starved(#[values(Way::Epoll, Way::IoUring)] way: Way) {
    let (addr, _) = server(2, |_, _| ());
    let seen = measure(addr, 10, &plan(), way);
    assert_eq!(starved(&seen.served), 8);
}

#[test]
fn with_churn_each_message_is_a_call_of_its_own() {
    let (addr, accepted) = server(usize::MAX, |_, _| ());
    let plan = Plan {
        warm_up: Duration::ZERO,
        churn: Some(50),
        ..plan()
    };
    let seen = measure(addr, 5, &plan, Way::Epoll);
    assert_eq!(seen.errors, 0, "{:?}", seen.first_error);
    assert!((50..55).contains(&seen.messages), "{}", seen.messages);
    assert!(accepted.load(Ordering::SeqCst) as u64 >= seen.messages);
}

#[rstest]
fn an_open_loop_counts_also_the_time_in_which_nothing_could_be_sent(
    #[values(Way::Epoll, Way::IoUring)] way: Way,
) {
    // One message stalls for 100 ms. Ten more were due in that time, and each
    // waited: a closed loop would have seen one late answer.
    let (addr, _) = server(1, |number, _| {
        if number == 5 {
            thread::sleep(Duration::from_millis(100));
        }
    });
    let plan = Plan {
        warm_up: Duration::ZERO,
        time: Duration::from_millis(600),
        rate: Some(100.0),
        ..plan()
    };
    let seen = measure(addr, 1, &plan, way);
    // Not more than were due, however long the machine took; that is known to a
    // tenth of a second.
    let due = seen.used.time.as_secs_f64() * 100.0;
    let answered = seen.messages as f64;
    assert!(answered <= due + 10.0, "{answered} of {due}");
    let late = seen.latencies.iter_recorded();
    let late = late.filter(|value| value.value_iterated_to() > 15_000_000);
    let late: u64 = late.map(|value| value.count_at_value()).sum();
    assert!(late >= 6, "{late} of {} were late", seen.messages);
}

#[test]
fn redis_is_asked_and_understood_in_its_own_protocol() {
    let text = Text::new(5, Dialect::Redis);
    let (mut asked, mut wanted) = (Vec::new(), Vec::new());
    let asked = text.asked(1, 1, &mut asked);
    let wanted = text.wanted(1, 1, &mut wanted);
    assert_eq!(text.lengths(), (asked.len(), wanted.len()));
    let message = &wanted[4..9];
    let expected = [b"*2\r\n$4\r\nPING\r\n$5\r\n", message, b"\r\n"].concat();
    assert_eq!(asked, expected);
    assert!(wanted.starts_with(b"$5\r\n") && wanted.ends_with(b"\r\n"));
}

#[test]
fn no_message_costs_more_processor_time_than_time() {
    let limit = one_thread_one_pair(SIZE, Duration::from_millis(40)).unwrap();
    assert!(limit.cpu > Duration::ZERO && limit.cpu <= limit.time);
}

#[test]
fn a_name_and_a_command_with_a_port_are_needed() {
    assert!(Entrant::parse("mine=./server {port}").is_ok());
    for wrong in ["mine", "=x {port}", "mine=./server", "a&b=./s {port}"] {
        assert!(Entrant::parse(wrong).is_err(), "{wrong}");
    }
}

/// A race as large as it gets, with figures as long as they get.
fn finished() -> (Race, Setting) {
    let setting = Setting {
        place: Place::Split,
        server_cores: vec![0],
        crowd_cores: vec![127],
        rounds: 3,
        plan: plan(),
    };
    let entrant = Entrant::parse("seventeen-letters=a <b> & c {port}").unwrap();
    let mut race = Race::new(&setting, &[entrant]);
    let (addr, _) = server(1, |_, _| ());
    let memory = Memory {
        process: 9_000,
        kernel: 9_000,
        machine: 0,
    };
    let round = Round {
        rate: 9_999_999.0,
        p50: Duration::from_micros(999_400),
        p99: Duration::from_secs(99),
        starved: 4095,
        crowd_busy: 1.0,
        server_busy: 0.1,
        ..Round::new(&measure(addr, 1, &plan(), Way::IoUring), memory, 256)
    };
    race.cells.push(Cell {
        clients: 4096,
        size: 16_384,
        limit: Limit {
            time: Duration::from_nanos(300),
            cpu: Duration::from_nanos(200),
        },
        rows: Vec::from_iter(Row::of("seventeen-letters", vec![round; 3])),
    });
    (race, setting)
}

#[test]
fn no_line_is_wider_than_80_columns() {
    let (race, setting) = finished();
    let text = chart::cell(&race.cells[0], &setting) + &chart::ending(&race);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(text.contains("the crowd had no time left"), "{text}");
}

#[test]
fn the_chart_is_xml_and_the_json_is_json() {
    let (race, _) = finished();
    let picture = svg::race(&race);
    let picture = roxmltree::Document::parse(&picture).unwrap();
    let words = picture.descendants().filter_map(|node| node.text());
    assert!(words.into_iter().any(|word| word == "seventeen-letters"));
    let figures: serde_json::Value = serde_json::from_str(&json::race(&race)).unwrap();
    assert_eq!(figures["cells"][0]["rows"][0]["starved"], 4095.0);
    assert_eq!(figures["place"], "split");
    assert_eq!(figures["commands"]["seventeen-letters"], "a <b> & c {port}");
}
