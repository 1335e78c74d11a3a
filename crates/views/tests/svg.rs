//! The sequence diagram is whole XML, shows what happened, and lets nothing out.

use roxmltree::{Document, Node};
use timeline::{Actor, Ending, Kind, Place, Timeline};
use views::only::Only;
use views::reading::Reading;
use views::svg::svg;
use views::words::Words;

use crate::sample::{self, ACK, CLIENT, SERVER, SYN, Story, reading};

fn drawn(timeline: &Timeline) -> String {
    svg(timeline, reading(Only::default()))
}

/// The texts of a picture, from top to bottom, with their classes.
fn texts(picture: &str) -> Vec<(String, String)> {
    let document = Document::parse(picture).unwrap_or_else(|error| panic!("{error}\n{picture}"));
    let mut found: Vec<Node> = elements(&document, "text").collect();
    found.sort_by_key(|text| number(text, "y"));
    let of = |text: &str| text.to_string();
    let each = found.iter().map(|text| {
        let class = text.attribute("class").unwrap_or_default();
        (of(class), of(text.text().unwrap_or_default()))
    });
    each.collect()
}

fn elements<'a>(document: &'a Document, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    document
        .descendants()
        .filter(move |node| node.has_tag_name(name))
}

fn number(node: &Node, name: &str) -> i32 {
    node.attribute(name)
        .and_then(|value| value.parse().ok())
        .expect("a number")
}

fn shows(picture: &str, text: &str) -> bool {
    texts(picture).iter().any(|(_, shown)| shown == text)
}

#[test]
fn it_shows_lines_calls_with_their_results_packets_states_and_explanations() {
    let picture = drawn(&sample::echo());
    for text in [
        "server",
        "./server --port 8081",
        "socket(AF_INET, SOCK_STREAM) → 3",
        "bind(3, 127.0.0.1:8081)",
        "> listening on 127.0.0.1:8081",
        "[:8081 LISTEN]",
        "The server waits in accept. Nothing is on the wire yet.",
        "accept(3) …",
        "SYN  seq 0",
        "SYN ACK  seq 0  ack 1",
        "PSH ACK 14 bytes  1:15  ack 1",
        "\"hello, 世界\\n\"",
        "recv(3) → 14 \"hello, 世界\\n\", 1000.100 ms",
        "+1000.050",
        "not seen: 2 packets: the capture was too slow",
        "(ended by SIGTERM)",
    ] {
        assert!(
            shows(&picture, text),
            "{text} is not shown in {:#?}",
            texts(&picture)
        );
    }
}

#[test]
fn a_waiting_call_is_a_bar_as_long_as_the_rows_between_its_start_and_its_end() {
    let mut story = Story::default();
    story.started(SERVER, "server");
    let wait = story.call(10, SERVER, "accept", Vec::new());
    for time in 1..=5 {
        story.line(10 + time, SERVER, "tick");
    }
    story.back(20, SERVER, wait, sample::returned(4));
    story.done(30, SERVER, "close", Vec::new(), 0);
    let picture = drawn(&story.timeline);
    let document = Document::parse(&picture).unwrap();
    let bars = elements(&document, "rect").filter(|rect| rect.attribute("class") == Some("bar"));
    let heights: Vec<i32> = bars.map(|bar| number(&bar, "height")).collect();
    assert_eq!(heights, [7 * 16 - 4, 16 - 4]);
}

#[test]
fn a_call_that_never_returns_is_an_open_bar_until_its_program_ends() {
    let mut story = Story::default();
    story.started(SERVER, "server");
    story.call(10, SERVER, "accept", Vec::new());
    story.at(20, SERVER, Kind::Ended(Ending::Signal(9)));
    let picture = drawn(&story.timeline);
    let document = Document::parse(&picture).unwrap();
    let open = |rect: &Node| rect.attribute("class") == Some("open");
    assert_eq!(elements(&document, "rect").filter(open).count(), 1);
}

#[test]
fn an_arrow_goes_from_the_lifeline_that_sent_to_the_one_that_receives() {
    let mut story = Story::default();
    story.started(SERVER, "server");
    story.started(CLIENT, "client");
    story.packet(10, CLIENT, SYN, 1_000, 0, b"");
    story.packet(20, SERVER, SYN | ACK, 5_000, 1_001, b"");
    story.line(30, SERVER, "end");
    let picture = drawn(&story.timeline);
    let document = Document::parse(&picture).unwrap();
    let lives: Vec<i32> = elements(&document, "line")
        .map(|line| number(&line, "x1"))
        .collect();
    let [server, client] = lives[..] else {
        panic!("{lives:?}")
    };
    let arrows: Vec<(i32, i32)> = elements(&document, "path")
        .filter(|path| path.attribute("class") == Some("arrow"))
        .filter_map(|path| {
            let (from, to) = path.attribute("d")?.strip_prefix('M')?.split_once(" H")?;
            Some((from.split_once(' ')?.0.parse().ok()?, to.parse().ok()?))
        })
        .collect();
    assert!(server < client);
    assert_eq!(arrows, [(client, server), (server, client)]);
}

#[test]
fn nothing_that_a_program_prints_can_break_out() {
    let evil = "</text><script>alert(1)</script>&amp;<![CDATA[ ]]> \" ' \u{0}\u{7}\u{1b}[31m\u{fffe}\u{202e}\u{9b}";
    let mut story = Story::default();
    let (lane, command) = (evil.to_string(), vec![evil.to_string()]);
    story.at(0, SERVER, Kind::Started { lane, command });
    story.line(10, SERVER, evil);
    story.note(20, evil);
    story.at(30, Place::Narrator, Kind::Rows(evil.to_string()));
    story.at(40, Place::Narrator, Kind::Unseen(evil.to_string()));
    story.packet(50, SERVER, ACK, 1, 1, evil.as_bytes());
    let data = vec![timeline::call::Arg::Bytes(sample::bytes(evil.as_bytes()))];
    story.done(60, SERVER, "sendto", data, 5);
    let (bytes, hex, ascii) = (1_000, false, false);
    let words = Words { bytes, hex, ascii };
    let all = Reading::new(Only::default(), words, true);
    let picture = svg(&story.timeline, all);
    let document = Document::parse(&picture).unwrap_or_else(|error| panic!("{error}\n{picture}"));
    let known = [
        "svg", "title", "style", "rect", "line", "path", "circle", "text",
    ];
    for node in document.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        assert!(known.contains(&name), "an element {name}");
        let names = node.attributes().map(|attribute| attribute.name());
        assert!(
            !names
                .into_iter()
                .any(|name| name.starts_with("on") || name.contains("href"))
        );
    }
    assert!(!picture.contains('\u{202e}') && !picture.contains('\u{9b}'));
    let (_, shown) = texts(&picture)
        .into_iter()
        .find(|(_, text)| text.contains("[31m"))
        .unwrap();
    assert!(
        shown.contains("u{1b}") || shown.contains("\\x1b"),
        "{shown}"
    );
}

#[test]
fn it_refers_to_nothing_outside_and_follows_light_and_dark() {
    let picture = drawn(&sample::echo());
    let references = picture.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    assert!(
        !references.contains("http")
            && !references.contains("url(")
            && !references.contains("@import")
    );
    assert!(picture.contains("@media (prefers-color-scheme: dark)"));
}

#[test]
fn chinese_text_stays_within_its_lane() {
    let mut story = Story::default();
    story.started(SERVER, "server");
    story.started(CLIENT, "client");
    story.line(10, CLIENT, &"网络编程".repeat(20));
    let picture = drawn(&story.timeline);
    let rows = texts(&picture)
        .into_iter()
        .filter(|(class, _)| class == "output");
    let widths: Vec<usize> = rows
        .map(|(_, row)| unicode_width::UnicodeWidthStr::width(&*row))
        .collect();
    let shown: String = texts(&picture).into_iter().map(|(_, row)| row).collect();
    assert_eq!(shown.matches('网').count(), 20);
    // A lane is 300 wide, a cell 7.2.
    assert!(widths.iter().all(|width| *width <= 41), "{widths:?}");
}

#[test]
fn the_same_timeline_gives_the_same_picture() {
    let pictures: Vec<String> = (0..5).map(|_| drawn(&sample::echo())).collect();
    assert!(pictures.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn only_what_is_asked_for_is_drawn() {
    let (calls, all) = (false, Only::default());
    let only = Only { calls, ..all };
    let picture = svg(&sample::echo(), reading(only));
    assert!(shows(&picture, "SYN  seq 0"));
    let calls = |text: &String| text.contains("accept(");
    assert!(!texts(&picture).iter().any(|(_, text)| calls(text)));
}

#[test]
fn a_recording_that_names_unknown_programs_and_calls_is_drawn_too() {
    let mut story = Story::default();
    let ghost = Place::Actor(Actor(usize::MAX));
    story.line(10, ghost, "who am I?");
    story.back(20, ghost, timeline::call::CallId(99), sample::returned(0));
    let wire = Place::Wire {
        from: Some(Actor(usize::MAX)),
        to: None,
    };
    story.at(
        30,
        wire,
        Kind::Packet(sample::segment(SERVER, SYN, 1, 0, b"")),
    );
    let picture = drawn(&story.timeline);
    assert!(
        shows(&picture, &format!("program {}: > who am I?", usize::MAX)),
        "{:?}",
        texts(&picture)
    );
}
