//! What a server must do.

use std::time::{Duration, Instant};

use check::{
    Bench, Calls, Change, Endpoint, Fault, Launch, Peer, PeerEnding, Tested, Verdict, Which, errno,
};

use super::settings;

const WELCOME: &[u8] = b"welcome to server!";
const GO: &[u8] = b"please go out!";

/// A server that waits so long for each caller.
pub fn start(bench: &mut Bench, timeout: &str) -> Verdict<Tested> {
    settings(bench, timeout, "receive", "3600");
    bench.server()
}

pub fn says_where(bench: &mut Bench) -> Verdict {
    let server = start(bench, "5")?;
    bench.says_where(&server, "listening on")
}

pub fn long_timeout(bench: &mut Bench) -> Verdict {
    let server = start(bench, "3600")?;
    let mut call = bench.call(&server)?;
    call.expect_silence(Duration::from_millis(150))?;
    call.send(b"1")?;
    call.expect(WELCOME)
}

pub fn no_timeout(bench: &mut Bench) -> Verdict {
    for wrong in ["0", "-1", "soon"] {
        settings(bench, wrong, "receive", "3600");
        let server = bench.start(Launch::server().at(Endpoint::Zero))?;
        let ending = bench.ends(&server)?;
        if ending.success() {
            return Err(Fault::program("a status that is not 0", "status 0"));
        }
        if let Some(line) = bench.stdout(&server).first() {
            return Err(Fault::program(
                "it does not listen",
                format!("it said {line:?}"),
            ));
        }
    }
    Ok(())
}

fn ask(bench: &mut Bench, request: &[u8], answer: &[u8]) -> Verdict {
    let server = start(bench, "5")?;
    let mut call = bench.call(&server)?;
    call.send(request)?;
    call.expect(answer)?;
    call.expect_end()
}

pub fn one(bench: &mut Bench) -> Verdict {
    ask(bench, b"1", WELCOME)
}

pub fn other(bench: &mut Bench) -> Verdict {
    ask(bench, b"11", GO)
}

pub fn no_text(bench: &mut Bench) -> Verdict {
    ask(bench, b"\xff\xfe1\x80", GO)
}

pub fn late(bench: &mut Bench) -> Verdict {
    let server = start(bench, "1.5")?;
    let mut call = bench.call(&server)?;
    call.expect_silence(Duration::from_millis(400))?;
    bench.step("we said nothing for 0.4 s");
    call.send(b"1")?;
    call.expect(WELCOME)
}

/// A caller that says nothing until the server hangs up.
/// Long enough that on a busy machine, too, it is seen who hung up before.
fn silent(bench: &mut Bench) -> Verdict<Tested> {
    let server = start(bench, "0.6")?;
    let mut call = bench.call(&server)?;
    bench.step("we said nothing");
    let start = Instant::now();
    call.expect_end()?;
    if start.elapsed() < Duration::from_millis(500) {
        let seen = format!("the end of the stream after {:?}", start.elapsed());
        return Err(Fault::program("0.6 s of patience", seen));
    }
    Ok(server)
}

pub fn is_ended(bench: &mut Bench) -> Verdict {
    silent(bench).map(drop)
}

pub fn is_said(bench: &mut Bench) -> Verdict {
    let server = silent(bench)?;
    bench.says(&server, "time out").map(drop)
}

fn next_is_served(bench: &mut Bench, server: &Tested) -> Verdict {
    let mut next = bench.call_as(server, "the next caller")?;
    next.send(b"1")?;
    next.expect(WELCOME)
}

pub fn after_silence(bench: &mut Bench) -> Verdict {
    let server = silent(bench)?;
    next_is_served(bench, &server)
}

pub fn hangs_up(bench: &mut Bench) -> Verdict {
    let server = start(bench, "3600")?;
    let mut call = bench.call(&server)?;
    call.half_close()?;
    call.expect_end()?;
    next_is_served(bench, &server)
}

pub fn reset(bench: &mut Bench) -> Verdict {
    let server = start(bench, "5")?;
    bench.call(&server)?.reset()?;
    next_is_served(bench, &server)
}

pub fn million(bench: &mut Bench) -> Verdict {
    let server = start(bench, "5")?;
    let mut call = bench.call(&server)?;
    call.send_as_much_as_it_takes(&[b'1'; 1_000_000])?;
    call.hang_up();
    next_is_served(bench, &server)
}

fn lines(bench: &mut Bench, deadline: &str) -> Verdict<(Tested, Peer)> {
    settings(bench, "5", "newline", deadline);
    let server = bench.server()?;
    let call = bench.call(&server)?;
    Ok((server, call))
}

pub fn line_whole(bench: &mut Bench) -> Verdict {
    let (_server, mut call) = lines(bench, "10")?;
    call.send(b"1\n")?;
    call.expect(WELCOME)?;
    call.expect_end()
}

pub fn line_cut(bench: &mut Bench) -> Verdict {
    let (_server, mut call) = lines(bench, "10")?;
    call.send_in_pieces(b"let me in\n", 1)?;
    call.expect(GO)
}

pub fn line_end_late(bench: &mut Bench) -> Verdict {
    let (_server, mut call) = lines(bench, "10")?;
    call.send_cut(b"11\n", &[1])?;
    call.expect(GO)
}

pub fn carriage_return(bench: &mut Bench) -> Verdict {
    let (_server, mut call) = lines(bench, "10")?;
    call.send(b"1\r\n")?;
    call.expect(WELCOME)
}

pub fn drip(bench: &mut Bench) -> Verdict {
    let (server, mut call) = lines(bench, "0.6")?;
    bench.step("we sent one byte every 0.1 s, and no line end");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        if call.send_quietly(b"x").is_err() || call.expect_silence(DROP).is_err() {
            return next_is_served_with_lines(bench, &server);
        }
    }
    Err(Fault::program(
        "the call is ended 0.6 s after it began",
        "it goes on after 3 s",
    ))
}

/// The time between two drops.
const DROP: Duration = Duration::from_millis(100);

fn next_is_served_with_lines(bench: &mut Bench, server: &Tested) -> Verdict {
    let mut next = bench.call_as(server, "the next caller")?;
    next.send(b"1\n")?;
    next.expect(WELCOME)
}

pub fn without_end(bench: &mut Bench) -> Verdict {
    let (server, mut call) = lines(bench, "3600")?;
    call.send_as_much_as_it_takes(&[b'x'; 1_000_000])?;
    let (_, ending) = call.receive_to_end(1024)?;
    if ending == PeerEnding::Silence {
        return Err(Fault::program(
            "an end of the call after 1,024 bytes",
            "it goes on",
        ));
    }
    call.hang_up();
    next_is_served_with_lines(bench, &server)
}

pub fn interrupted(bench: &mut Bench) -> Verdict {
    let fails = Change::fail(Calls::Receive, Which::Nth(1), errno::EINTR);
    let what = "the first receive of each call will be interrupted (EINTR)";
    bench.change(what, vec![fails])?;
    let server = start(bench, "5")?;
    let mut call = bench.call(&server)?;
    // It was interrupted before there was anything to receive.
    bench.settle();
    call.send(b"1")?;
    call.expect(WELCOME)?;
    call.expect_end()
}
