//! What a server must do.

use check::{Bench, Calls, Change, Fault, Launch, Peer, Tested, Verdict, Which, errno};

use super::{SECOND, cut, million};

pub fn says_where(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    bench.says_where(&server, "listening on")
}

/// A message to a fresh server, and its answer.
fn echo(bench: &mut Bench, message: &[u8]) -> Verdict<(Tested, Peer)> {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.send(message)?;
    call.expect(&message.to_ascii_uppercase())?;
    Ok((server, call))
}

/// Whoever calls now is served.
fn next_is_served(bench: &mut Bench, server: &Tested) -> Verdict {
    let mut next = bench.call_as(server, "the next caller")?;
    next.send(b"next")?;
    next.expect(b"NEXT")
}

pub fn hello(bench: &mut Bench) -> Verdict {
    echo(bench, b"hello, World 1").map(drop)
}

pub fn several(bench: &mut Bench) -> Verdict {
    let (_server, mut call) = echo(bench, b"one")?;
    // A server that closes now has closed before the next message comes.
    bench.settle();
    for message in ["second", "the third, which is longer", "4"] {
        call.send(message.as_bytes())?;
        call.expect(message.to_ascii_uppercase().as_bytes())?;
    }
    Ok(())
}

pub fn one_byte_at_a_time(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.send_in_pieces(b"byte by byte", 1)?;
    call.expect(b"BYTE BY BYTE")
}

pub fn cut_in_a_character(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    let message = "a你b".as_bytes();
    call.send_cut(message, &[2, 3])?;
    call.expect(&message.to_ascii_uppercase())
}

pub fn no_text(bench: &mut Bench) -> Verdict {
    let message: Vec<u8> = (0..=255).rev().collect();
    echo(bench, &message).map(drop)
}

pub fn a_million_bytes(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    let message = million();
    call.exchange(&message, &message.to_ascii_uppercase())
}

pub fn half_close(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.send_last(b"over and out")?;
    call.expect(b"OVER AND OUT")?;
    call.expect_end()
}

pub fn end_of_stream(bench: &mut Bench) -> Verdict {
    let (_server, mut call) = echo(bench, b"bye")?;
    call.half_close()?;
    call.expect_end()
}

pub fn next_caller(bench: &mut Bench) -> Verdict {
    let (server, call) = echo(bench, b"first")?;
    call.hang_up();
    next_is_served(bench, &server)
}

pub fn without_a_word(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    bench.call(&server)?.hang_up();
    next_is_served(bench, &server)
}

pub fn reset(bench: &mut Bench) -> Verdict {
    let (server, call) = echo(bench, b"hello")?;
    call.reset()?;
    next_is_served(bench, &server)
}

pub fn reset_in_mid_message(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.send(b"half of a mess")?;
    call.until_taken();
    call.reset()?;
    next_is_served(bench, &server)
}

/// What a send meets when its caller has left depends on how far the program has
/// come by then, so one caller alone may do no harm.
const LEAVERS: u32 = 5;

pub fn never_receives(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    bench
        .step("callers, one after the other, sent 60000 bytes each, received nothing, and hung up");
    for _ in 0..LEAVERS {
        let mut call = bench.call_quietly(&server, "a caller")?;
        call.small_buffers()?;
        // Who does not take all of it is not wrong here.
        if let Err(Fault::Checker(error)) = call.send_quietly(&[b'x'; 60_000]) {
            return Err(Fault::Checker(error));
        }
        drop(call);
        bench.settle();
    }
    next_is_served(bench, &server)
}

/// Fewer than the callers, and more than a runtime such as Node needs to start.
const FILES: u32 = 64;

pub fn hundred_in_a_row(bench: &mut Bench) -> Verdict {
    bench.step("the limit of open files was set to 64 (ulimit -n)");
    let server = bench.server_as(Launch::server().files(FILES))?;
    for number in 1..=100 {
        let who = format!("caller {number}");
        let mut call = bench.call_quietly(&server, &who)?;
        let served = call.send_quietly(b"x").and_then(|()| call.expect_quietly(b"X"));
        if served.is_err() {
            let before = number - 1;
            bench.step(format!(
                "callers 1 to {before} sent \"x\", received \"X\", and hung up"
            ));
            bench.step(format!("{who} connected and sent \"x\""));
        }
        served?;
    }
    Ok(())
}

pub fn short_reads(bench: &mut Bench) -> Verdict {
    cut(bench, Calls::Receive, 1)?;
    hello(bench)
}

pub fn short_writes(bench: &mut Bench) -> Verdict {
    cut(bench, Calls::Send, 3)?;
    hello(bench)
}

pub fn accept_fails(bench: &mut Bench) -> Verdict {
    let second = Which::Nth(2);
    let fails = Change::fail(Calls::Accept, second, errno::ECONNABORTED).in_the_program();
    let what = "the second accept will fail: the caller is gone (ECONNABORTED)";
    bench.change(what, vec![fails])?;
    let (server, call) = echo(bench, b"first")?;
    call.hang_up();
    next_is_served(bench, &server)
}

pub fn receive_fails(bench: &mut Bench) -> Verdict {
    let fails = Change::fail(Calls::Receive, SECOND, errno::ECONNRESET).in_the_program();
    let what = "the second receive will fail: the caller has reset the connection (ECONNRESET)";
    bench.change(what, vec![fails])?;
    let (server, call) = echo(bench, b"x")?;
    call.hang_up();
    next_is_served(bench, &server)
}

/// A program without a handler of signals may end the call in which it was
/// interrupted; lesson 5 asks for more. The next caller is to be served.
pub fn interrupted(bench: &mut Bench) -> Verdict {
    let interrupt = |calls, which| Change::fail(calls, which, errno::EINTR).in_the_program();
    let changes = vec![
        interrupt(Calls::Accept, Which::Every(2)),
        interrupt(Calls::Receive, SECOND),
        interrupt(Calls::Send, SECOND),
    ];
    let what = "each second accept, the second receive and the second send will be interrupted \
                (EINTR)";
    bench.change(what, changes)?;
    let (server, call) = echo(bench, b"x")?;
    call.hang_up();
    let mut second = bench.call_as(&server, "a second caller")?;
    // It may be the one whose answer is interrupted.
    second.send(b"y")?;
    second.half_close()?;
    second.receive_to_end(1)?;
    second.hang_up();
    next_is_served(bench, &server)
}
