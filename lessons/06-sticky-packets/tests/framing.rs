//! Bytes in, messages out: the framings without a network.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use lesson_6::framing::header::LIMIT;
use lesson_6::framing::{Cut, Framing, ack, header, none};
use lesson_6::message::{Content, Reply, Request, entries};
use proptest::collection::vec;
use proptest::prelude::*;
use rstest::rstest;

#[path = "../fuzz/check.rs"]
mod check;

fn get(name: &str) -> Request {
    Request::Get { name: name.into() }
}

/// An answer that can be compared: a name with a body, or a reason.
type Said = Result<(String, Vec<u8>), String>;

/// All that a server sends for these answers.
fn answers_as_bytes(answers: &[Said]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for answer in answers {
        let answer = answer.clone();
        let answer = answer.map(|(name, body)| Content::new(name, body));
        header::send_answer(&mut bytes, answer, |_| {}).unwrap();
    }
    bytes
}

fn requests_as_bytes(requests: &[Request]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for request in requests {
        header::send_request(&mut bytes, request, |_| {}).unwrap();
    }
    bytes
}

fn requests_from(mut call: impl Read) -> Vec<Request> {
    let mut requests = Vec::new();
    while let Some(request) = header::receive_request(&mut call, |_| {}).unwrap() {
        requests.push(request.unwrap());
    }
    requests
}

/// The next `count` answers, after which there is nothing more.
fn answers_from(mut call: impl Read, count: usize) -> Vec<Said> {
    let said =
        (0..count).map(|_| said(header::receive_answer(&mut call, u64::MAX, |_| {}).unwrap()));
    let answers = said.collect();
    let end = header::receive_answer(&mut call, u64::MAX, |_| {}).err();
    assert_eq!(end.unwrap().kind(), ErrorKind::UnexpectedEof);
    answers
}

fn said(reply: Reply) -> Said {
    let mut incoming = reply?;
    let mut body = Vec::new();
    incoming.body.read_to_end(&mut body).unwrap();
    assert_eq!(body.len() as u64, incoming.size);
    Ok((incoming.name.unwrap_or_default(), body))
}

/// Bytes that come in parts of these sizes, again and again.
struct Parts<'a> {
    rest: &'a [u8],
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl<'a> Parts<'a> {
    fn new(rest: &'a [u8], sizes: Vec<usize>) -> Self {
        let sizes = sizes.into_iter().cycle();
        Self { rest, sizes }
    }
}

impl Read for Parts<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.sizes.next().unwrap().min(buffer.len());
        self.rest.read(&mut buffer[..most])
    }
}

fn any_request() -> impl Strategy<Value = Request> {
    prop_oneof![Just(Request::List), ".{0,300}".prop_map(|name| get(&name))]
}

fn any_answer() -> impl Strategy<Value = Said> {
    prop_oneof![
        (".{0,40}", vec(any::<u8>(), 0..6000)).prop_map(Ok),
        ".{0,200}".prop_map(Err)
    ]
}

proptest! {
    #[test]
    fn however_requests_are_cut_the_same_requests_come_out(
        requests in vec(any_request(), 0..8),
        sizes in vec(1_usize..=4096, 1..8),
    ) {
        let bytes = requests_as_bytes(&requests);
        prop_assert_eq!(requests_from(Parts::new(&bytes, sizes)), requests);
    }

    #[test]
    fn however_answers_are_cut_the_same_answers_come_out(
        answers in vec(any_answer(), 0..6),
        sizes in vec(1_usize..=4096, 1..8),
    ) {
        let bytes = answers_as_bytes(&answers);
        prop_assert_eq!(answers_from(Parts::new(&bytes, sizes), answers.len()), answers);
    }

    #[test]
    fn no_bytes_at_all_make_the_header_parser_panic_or_depend_on_the_cuts(
        data in vec(any::<u8>(), 0..200),
        length in 0_u32..80,
    ) {
        check::check(&data);
        // Nearly all such bytes announce too long a header. These do not.
        check::check(&[&length.to_be_bytes(), data.as_slice()].concat());
    }

    #[test]
    fn with_ack_the_body_may_be_cut_anywhere(
        body in vec(any::<u8>(), 0..6000).prop_filter("no error", |body| !body.starts_with(b"error: ")),
        sizes in vec(1_usize..=4096, 1..8),
    ) {
        let mut parts = vec![body.len().to_string().into_bytes()];
        let mut rest = body.as_slice();
        for size in sizes.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (part, more) = rest.split_at(size.min(rest.len()));
            parts.push(part.to_vec());
            rest = more;
        }
        let mut call = Script::new(parts);
        let reply = ack::receive_answer(&mut call, u64::MAX, |_| {}).unwrap();
        prop_assert_eq!(said(reply), Ok((String::new(), body)));
    }
}

/// Every receive size, not only those that a property test happens to choose.
#[test]
fn for_each_receive_size_from_1_to_4096_the_same_conversation_comes_out() {
    let requests = [
        Request::List,
        get("long.txt"),
        get(""),
        get("你好\n\"\\"),
        get(&"x".repeat(5000)),
    ];
    let answers: Vec<Said> = vec![
        Ok(("list".into(), b"5 a\n0 b\n".to_vec())),
        Ok(("b".into(), Vec::new())),
        Err("\"c\": no such file".into()),
        Ok(("long.txt".into(), (0..5000_u32).map(|n| n as u8).collect())),
        Ok(("你好".into(), message_in_a_body())),
    ];
    let asked = requests_as_bytes(&requests);
    let answered = answers_as_bytes(&answers);
    for most in 1..=4096 {
        assert_eq!(requests_from(Cut::new(&*asked, most)), requests, "{most}");
        assert_eq!(
            answers_from(Cut::new(&*answered, most), 5),
            answers,
            "{most}"
        );
    }
}

/// A body may look like a message: nobody looks into it.
fn message_in_a_body() -> Vec<u8> {
    requests_as_bytes(&[Request::List])
}

#[test]
fn the_bytes_on_the_wire_are_those_of_the_lesson() {
    assert_eq!(
        requests_as_bytes(&[Request::List]),
        b"\0\0\0\x12{\"request\":\"list\"}"
    );
    assert_eq!(
        requests_as_bytes(&[get("a")]),
        b"\0\0\0\x1c{\"request\":\"get\",\"name\":\"a\"}"
    );
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let header = format!("{{\"status\":\"ok\",\"name\":\"a\",\"size\":3,\"sha256\":\"{abc}\"}}");
    assert_eq!(
        answers_as_bytes(&[Ok(("a".into(), b"abc".to_vec()))]),
        [b"\0\0\0\x6f", header.as_bytes(), b"abc"].concat()
    );
    assert_eq!(
        answers_as_bytes(&[Err("no".into())]),
        b"\0\0\0\x20{\"status\":\"error\",\"reason\":\"no\"}"
    );
}

#[test]
fn a_header_over_the_limit_is_not_even_sent() {
    let mut bytes = Vec::new();
    let error = header::send_request(&mut bytes, &get(&"x".repeat(LIMIT)), |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(bytes.is_empty());
}

#[rstest]
#[case::in_the_length(&[0, 0], "end of stream after 2 of 4 bytes")]
#[case::before_the_header(&[0, 0, 0, 18], "end of stream after 0 of 18 bytes of a header")]
#[case::in_the_header(b"\0\0\0\x12{\"request\"", "end of stream after 10 of 18 bytes of a header")]
fn the_end_of_the_stream_in_mid_message_is_no_orderly_end(
    #[case] bytes: &[u8],
    #[case] reason: &str,
) {
    let error = header::receive_request(&mut &*bytes, |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(error.to_string(), reason);
}

#[test]
fn the_reason_for_a_refusal_fits_into_a_header_whatever_was_asked() {
    let name = "\\u0001".repeat(9000);
    let broken = format!(r#"{{"request":"{name}"}}"#);
    let bytes = [&(broken.len() as u32).to_be_bytes(), broken.as_bytes()].concat();
    let request = header::receive_request(&mut &*bytes, |_| {}).unwrap().unwrap();
    let reason = request.unwrap_err();
    assert!(answers_as_bytes(&[Err(reason)]).len() < 4096);
}

/// Two short sends in a row would wait for each other's acknowledgement.
#[test]
fn the_header_and_a_short_body_leave_in_one_send() {
    struct Sends(Cell<usize>);
    impl Write for Sends {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.set(self.0.get() + 1);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut sends = Sends(Cell::new(0));
    header::send_answer(&mut sends, Ok(Content::new("a", "abc")), |_| {}).unwrap();
    assert_eq!(sends.0.get(), 1);
}

#[test]
fn a_file_that_became_shorter_meanwhile_ends_the_call_instead_of_shifting_the_stream() {
    let mut content = Content::new("a", "abc");
    content.size = 4;
    let error = header::send_answer(&mut Vec::new(), Ok(content), |_| {}).unwrap_err();
    assert_eq!(error.to_string(), "\"a\" became shorter meanwhile");
}

#[test]
fn a_file_that_grows_meanwhile_is_sent_as_long_as_was_promised() {
    let mut content = Content::new("a", "abcdef");
    content.size = 3;
    let mut bytes = Vec::new();
    header::send_answer(&mut bytes, Ok(content), |_| {}).unwrap();
    assert_eq!(
        answers_from(&*bytes, 1),
        [Ok(("a".to_string(), b"abc".to_vec()))]
    );
}

/// A connection of which each receive is written down, and what was sent.
struct Script {
    receives: VecDeque<Vec<u8>>,
    sent: Vec<u8>,
}

impl Script {
    fn new(receives: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        let receives = receives.into_iter().map(Into::into).collect();
        let sent = Vec::new();
        Self { receives, sent }
    }
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut part) = self.receives.pop_front() else {
            return Ok(0);
        };
        let length = part.len().min(buffer.len());
        buffer[..length].copy_from_slice(&part[..length]);
        if length < part.len() {
            self.receives.push_front(part.split_off(length));
        }
        Ok(length)
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sent.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn without_framing_two_requests_in_one_receive_are_no_request() {
    let mut call = Script::new(["listget long.txt"]);
    let request = none::receive_request(&mut call, |_| {}).unwrap().unwrap();
    assert!(request.is_err());
}

#[test]
fn without_framing_half_a_request_is_taken_for_a_whole_one() {
    let mut call = Script::new(["get long", ".txt"]);
    let request = none::receive_request(&mut call, |_| {}).unwrap().unwrap();
    assert_eq!(request, Ok(get("long")));
}

#[test]
fn without_framing_an_answer_is_as_long_as_one_receive() {
    let mut call = Script::new([vec![b'a'; 1024], vec![b'b'; 10]]);
    let first = said(none::receive_answer(&mut call, u64::MAX, |_| {}).unwrap());
    assert_eq!(first.unwrap().1, [b'a'; 1024]);
    let second = said(none::receive_answer(&mut call, u64::MAX, |_| {}).unwrap());
    assert_eq!(second.unwrap().1, [b'b'; 10]);
}

#[test]
fn without_framing_an_answer_that_begins_with_error_is_a_refusal() {
    let mut call = Script::new(["error: no such file"]);
    let reply = none::receive_answer(&mut call, u64::MAX, |_| {}).unwrap();
    assert_eq!(said(reply), Err("no such file".into()));
}

#[test]
fn the_end_of_the_stream_is_no_answer_in_any_framing() {
    let mut over = Script::new([""; 0]);
    for framing in [Framing::None, Framing::Ack, Framing::Header] {
        let reply = framing.receive_answer(&mut over, u64::MAX, |_| {});
        let error = reply.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(error.to_string(), "end of stream: the server hung up");
    }
}

/// The flaw that stays: the digits have no end that could be seen.
#[test]
fn with_ack_digits_that_come_in_two_receives_make_a_wrong_length() {
    let mut call = Script::new(["3", "200"]);
    let reply = ack::receive_answer(&mut call, u64::MAX, |_| {}).unwrap();
    assert_eq!(said(reply), Ok((String::new(), b"200".to_vec())));
}

#[rstest]
#[case::nothing_but_digits_counts("+12")]
#[case::too_large_for_any_file("99999999999999999999")]
#[case::a_word("error")]
fn with_ack_what_is_no_length_is_refused(#[case] length: &str) {
    let mut call = Script::new([length]);
    let error = ack::receive_answer(&mut call, u64::MAX, |_| {}).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}

#[rstest]
#[case::something_else(b"nope!", ErrorKind::InvalidData)]
#[case::the_end(b"rea", ErrorKind::UnexpectedEof)]
fn with_ack_the_body_is_not_sent_before_ready(#[case] said: &[u8], #[case] kind: ErrorKind) {
    let mut call = Script::new([said]);
    let error = ack::send_answer(&mut call, Ok(Content::new("a", "abc")), |_| {}).unwrap_err();
    assert_eq!(error.kind(), kind);
    assert_eq!(call.sent, b"3", "the length, and not the body");
}

/// Another flaw that stays; `header` has none of it.
#[test]
fn with_ack_a_short_file_that_begins_with_error_is_taken_for_one() {
    let file = b"error: 12 tests failed".to_vec();
    let mut call = Script::new([b"22".to_vec(), file.clone()]);
    let reply = ack::receive_answer(&mut call, u64::MAX, |_| {}).unwrap();
    assert_eq!(said(reply), Err("12 tests failed".into()));

    let bytes = answers_as_bytes(&[Ok(("log".into(), file.clone()))]);
    assert_eq!(answers_from(&*bytes, 1), [Ok(("log".into(), file))]);
}

#[test]
fn with_ack_a_long_file_that_begins_with_error_is_a_file() {
    let file = [b"error: ".to_vec(), vec![b'x'; 3000]].concat();
    let mut call = Script::new([b"3007".to_vec(), file.clone()]);
    let reply = ack::receive_answer(&mut call, u64::MAX, |_| {}).unwrap();
    assert_eq!(said(reply), Ok((String::new(), file)));
}

#[rstest]
#[case("list", Some(Request::List))]
#[case("get a b", Some(get("a b")))]
#[case("get 你好.txt", Some(get("你好.txt")))]
#[case("get  a ", Some(get(" a ")))]
#[case("list ", None)]
#[case("LIST", None)]
#[case("get", None)]
#[case("get ", None)]
#[case("", None)]
fn a_request_as_text_is_list_or_get_with_a_name(
    #[case] text: &str,
    #[case] expected: Option<Request>,
) {
    let request = Request::from_text(text.as_bytes());
    assert_eq!(request.clone().ok(), expected);
    if let Ok(request) = request {
        assert_eq!(request.to_text(), text);
    }
}

#[rstest]
#[case::nothing("", Ok(vec![]))]
#[case::two("5 a\n0 b c\n", Ok(vec!["5 a", "0 b c"]))]
#[case::no_size("5 a\nb\n", Err("b\n"))]
#[case::an_empty_size(" b\n", Err(" b\n"))]
#[case::no_number("x b\n", Err("x b\n"))]
#[case::no_name("5 \n", Err("5 \n"))]
#[case::no_line_end("5 a\n7 b", Err("7 b"))]
#[case::an_empty_line("\n", Err("\n"))]
fn a_list_has_lines_of_size_and_name(
    #[case] list: &str,
    #[case] expected: Result<Vec<&str>, &str>,
) {
    let expected = match &expected {
        Ok(lines) => Ok(lines.iter().map(|line| line.as_bytes()).collect()),
        Err(line) => Err(line.as_bytes()),
    };
    assert_eq!(entries(list.as_bytes()), expected);
}

/// What the fuzzer is fed with, and what it has found.
#[test]
fn the_corpus_of_the_fuzz_target_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/header");
    let mut count = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        check::check(&fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 20, "only {count} files");
}
