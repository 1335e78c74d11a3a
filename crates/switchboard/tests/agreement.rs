//! Ladder, picture and board show what the reading says: the same words, and
//! nothing else.

use ratatui::crossterm::event::KeyCode;
use roxmltree::Document;
use switchboard::Mode;
use timeline::Kind;
use timeline::state::TcpState;
use views::json;
use views::ladder::{Style, ladder};
use views::only::Only;
use views::reading::{Layer, Meaning, Reading, Row, Stand, Subject, rows};
use views::said;
use views::svg::svg;
use views::text::{Paper, printable};
use views::words::Words;

use crate::story::*;

/// So large that the board shows all that it knows.
const SCREEN: (u16, u16) = (400, 120);

/// How many bytes of data are shown: as many as on the board.
const BYTES: usize = 24;

/// A recording in which everything happens that can be said.
///
/// While a call waits, something else stands in its lane: then each view gives its
/// end a row of its own.
fn recording() -> Story {
    let timeline = json::read(include_str!("recording.jsonl")).unwrap();
    let mut story = Story::new(Mode::Run);
    for event in timeline.events() {
        story.saw(event.clone());
    }
    story
}

fn reading() -> Reading {
    let (bytes, hex, ascii) = (BYTES, false, false);
    Reading::new(Only::default(), Words { bytes, hex, ascii }, true)
}

/// Rows that are written.
fn written(story: &Story) -> Vec<Row> {
    let mut rows = rows(&story.timeline, reading());
    rows.retain(|row| !row.words.is_empty());
    rows
}

/// A text without gaps, and without what lines and arrows are drawn with: how it
/// was wrapped makes no difference.
fn squeezed(text: &str) -> String {
    let drawn = |c: &char| "─┄│▶◀╳✗■".contains(*c);
    let kept = |c: &char| *c != ' ' && !drawn(c);
    printable(&text.replace('\n', ""))
        .chars()
        .filter(kept)
        .collect()
}

/// Whether these texts, and nothing else, stand there in this order.
fn same(name: &str, shown: &str, expected: impl Iterator<Item = String>) {
    let shown = squeezed(shown);
    let mut rest = shown.as_str();
    for text in expected {
        let text = squeezed(&text);
        let behind = rest.strip_prefix(&text);
        rest = behind.unwrap_or_else(|| panic!("{name} lacks {text:?} before {rest:?}"));
    }
    assert_eq!(rest, "", "{name} shows more");
}

/// Of several programs in the right lane, each row says whose it is.
fn with_name(row: &Row) -> String {
    let name = match &row.stand {
        Stand::Lane(lane) => lane.name.as_ref(),
        _ => None,
    };
    let name = name.map(|name| format!("{name}: "));
    format!("{}{}", name.unwrap_or_default(), row.text())
}

#[test]
fn the_ladder_shows_what_the_reading_says_and_nothing_else() {
    let story = recording();
    let paper = Paper {
        width: 160,
        colour: false,
        ascii: false,
    };
    let style = Style {
        bytes: BYTES,
        ..Style::on(paper)
    };
    let drawn = ladder(&story.timeline, style);
    let without_time = drawn.lines().map(|line| {
        let end = line.char_indices().nth(8).map_or(line.len(), |(at, _)| at);
        let (time, rest) = line.split_at(end);
        let is_time = time.trim().parse::<f64>().is_ok();
        if is_time { rest } else { line }
    });
    let expected = written(&story);
    let expected = expected.iter().map(|row| match row.about {
        Subject::Next => {
            let things = row.words.iter().map(|thing| format!("- {}", thing.text));
            format!("Try next {}", things.collect::<String>())
        }
        _ => with_name(row),
    });
    same("the ladder", &without_time.collect::<String>(), expected);
}

#[test]
fn the_picture_shows_what_the_reading_says_and_nothing_else() {
    let story = recording();
    let picture = svg(&story.timeline, reading());
    let document = Document::parse(&picture).unwrap();
    let texts = document.descendants().filter(|it| it.has_tag_name("text"));
    // Above the unit of time stand the names of the programs.
    let texts = texts.skip_while(|text| text.text() != Some("ms")).skip(1);
    let texts = texts.filter(|text| text.attribute("class") != Some("time"));
    let texts: String = texts.filter_map(|text| text.text()).collect();
    let expected = written(&story);
    same("the picture", &texts, expected.iter().map(Row::text));
}

/// The screen's columns, without the headers: server, cable, client, and below
/// them the details of the chosen packet.
fn columns(story: &Story) -> ([String; 3], String) {
    let screen = story.screen(10_000, SCREEN);
    let lines: Vec<&str> = screen.lines().collect();
    let below = lines.iter().position(|line| line.starts_with("packet "));
    let below = below.unwrap_or(lines.len() - 10);
    let mut columns = [const { String::new() }; 3];
    for line in &lines[2..below] {
        for (column, part) in columns.iter_mut().zip(line.split('│')) {
            *column += &format!("{}\n", part.trim_end());
        }
    }
    (columns, lines[below..].join("\n"))
}

/// Sockets stand above a line, and below it what programs say.
fn parts(column: &str) -> (&str, &str) {
    column.split_once("\n─").unwrap_or(("", column))
}

#[test]
fn each_host_of_the_board_shows_what_the_reading_says_and_nothing_else() {
    let story = recording();
    let ([server, _, client], _) = columns(&story);
    let rows = written(&story);
    for (name, column, is_left) in [("server", server, true), ("client", client, false)] {
        let here = rows.iter().filter(|row| match &row.stand {
            Stand::Lane(lane) => lane.left == is_left && !matches!(row.about, Subject::State(_)),
            _ => false,
        });
        same(name, parts(&column).1, here.map(with_name));
    }
}

#[test]
fn the_cable_of_the_board_shows_what_the_reading_says_and_nothing_else() {
    let story = recording();
    let ([_, cable, _], _) = columns(&story);
    let rows = written(&story);
    let mut expected = Vec::new();
    let mut number = 0;
    for row in &rows {
        match (&row.stand, &row.about) {
            (Stand::Across, _) => expected.push(row.text()),
            (Stand::Wire(_), Subject::Packet { .. }) => {
                number += 1;
                expected.push(on_cable(number, row, &rows));
            }
            _ => {}
        }
    }
    let cable = cable.replace('›', "");
    same("the cable", &cable, expected.into_iter());
}

/// A row of the cable: number, time, what it is, in short what became of it, data
/// and numbers.
fn on_cable(number: u64, row: &Row, rows: &[Row]) -> String {
    let pieces = |row: &Row, meaning| {
        let pieces = row.words.clone().into_iter();
        pieces.filter(move |piece| piece.meaning == meaning)
    };
    let fates = about_frame(number, rows).flat_map(|row| pieces(row, Meaning::Fate));
    let shorts: String = fates.filter_map(|piece| piece.short).collect();
    let data: String = pieces(row, Meaning::Data).map(|piece| piece.text).collect();
    let numbers: String = pieces(row, Meaning::Number)
        .map(|piece| piece.text)
        .collect();
    let (time, head) = (said::milliseconds(row.time), &row.words[0].text);
    format!("{number} {time} {head} {shorts} {data} {numbers}")
}

fn about_frame(number: u64, rows: &[Row]) -> impl Iterator<Item = &Row> {
    rows.iter().filter(move |row| match row.about {
        Subject::Packet { frame, .. } => frame == Some(number),
        Subject::Fate { frame, .. } => frame == number,
        _ => false,
    })
}

#[test]
fn a_packet_that_is_chosen_on_the_board_tells_all_that_the_reading_says_of_it() {
    let mut story = recording();
    let rows = written(&story);
    let mut seen = 0;
    loop {
        let (_, details) = columns(&story);
        let head = details.strip_prefix("packet ").unwrap();
        let number: u64 = head[..head.find(':').unwrap()].parse().unwrap();
        let details = squeezed(&details);
        for piece in about_frame(number, &rows).flat_map(|row| &row.words) {
            let text = squeezed(&piece.text);
            assert!(details.contains(&text), "{text:?} is not in {details:?}");
            seen += 1;
        }
        if number == 1 {
            break;
        }
        story.code(KeyCode::Up);
    }
    let all = rows
        .iter()
        .filter(|row| matches!(row.stand, Stand::Wire(_)));
    assert_eq!(seen, all.map(|row| row.words.len()).sum::<usize>());
}

#[test]
fn the_board_shows_each_state_that_the_reading_says_as_long_as_it_is_true() {
    let whole = recording();
    let rows = written(&whole);
    let mut states = rows.iter().filter(|row| row.layer() == Layer::State);
    let mut story = Story::new(Mode::Run);
    for event in whole.timeline.events() {
        story.board.see(event);
        let Kind::State(change) = &event.kind else {
            continue;
        };
        let ([server, ..], _) = columns(&story);
        let sockets = squeezed(parts(&server).0);
        if said::state(change).is_none() {
            assert!(!sockets.contains('Q'), "queues are empty: {sockets}");
            continue;
        }
        let text = states.next().unwrap().text();
        let text = text.trim_matches(['[', ']']).replacen(":8081 ", "", 1);
        if change.to == TcpState::Closed {
            assert!(!sockets.contains("LISTEN"), "{text}: {sockets}");
            continue;
        }
        for part in text.split(", ").map(squeezed) {
            assert!(sockets.contains(&part), "{part} is not in {sockets}");
        }
    }
    assert!(states.next().is_none());
}
