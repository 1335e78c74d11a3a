//! What a server for many callers must do.

use check::{Bench, Calls, Change, Fault, Peer, Tested, Verdict, Which, errno};

pub fn says_where(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    bench.says_where(&server, "listening on")
}

fn talk(call: &mut Peer, message: &str) -> Verdict {
    call.send(message.as_bytes())?;
    call.expect(message.to_ascii_uppercase().as_bytes())
}

pub fn hello(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    for message in ["hello, World 1", "x", "straße, 你好"] {
        talk(&mut call, message)?;
    }
    Ok(())
}

pub fn one_byte(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.send_in_pieces(b"byte by byte", 1)?;
    call.expect(b"BYTE BY BYTE")
}

/// Bytes in which each place looks different from its neighbourhood.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| b'a' + ((i * i / 7 + i) % 26) as u8).collect()
}

pub fn large(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    let message = pattern(20_000_000);
    call.exchange(&message, &message.to_ascii_uppercase())
}

/// Within a second, somebody else is served.
fn next_is_served(bench: &mut Bench, server: &Tested) -> Verdict {
    let mut next = bench.call_as(server, "the next caller")?;
    talk(&mut next, "next")
}

pub fn one_silent(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let _silent = bench.call_as(&server, "a silent caller")?;
    next_is_served(bench, &server)
}

/// Callers that are one step of the story together.
fn crowd(bench: &mut Bench, server: &Tested, count: usize, what: &str) -> Verdict<Vec<Peer>> {
    let callers = (0..count).map(|_| bench.call_quietly(server, "one of them"));
    let callers = callers.collect::<Verdict<Vec<Peer>>>()?;
    bench.step(format!("{count} {what}"));
    Ok(callers)
}

pub fn hundred_silent(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let _silent = crowd(bench, &server, 100, "silent callers connected")?;
    next_is_served(bench, &server)
}

pub fn two_hundred(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut callers = crowd(bench, &server, 200, "callers connected")?;
    for (number, call) in callers.iter_mut().enumerate() {
        call.send_quietly(format!("this is caller number {number}").as_bytes())?;
    }
    bench.step("each sent a message of its own, before any answer was received");
    for (number, call) in callers.iter_mut().enumerate() {
        let expected = format!("THIS IS CALLER NUMBER {number}");
        call.expect_quietly(expected.as_bytes())?;
    }
    Ok(())
}

pub fn in_mid_message(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut slow = bench.call_as(&server, "a slow caller")?;
    talk(&mut slow, "half of a mess")?;
    next_is_served(bench, &server)?;
    talk(&mut slow, "age")
}

pub fn reset(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut other = bench.call_as(&server, "another caller")?;
    talk(&mut other, "before")?;
    let mut call = bench.call_as(&server, "a caller")?;
    talk(&mut call, "hello")?;
    call.send(b"half of a")?;
    call.reset()?;
    bench.settle();
    talk(&mut other, "after")?;
    next_is_served(bench, &server)
}

pub fn hang_up(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    drop(crowd(
        bench,
        &server,
        50,
        "callers connected, and hung up without a word",
    )?);
    bench.come_to_rest()?;
    next_is_served(bench, &server)
}

/// More than any buffer between two programs holds.
const MUCH: usize = 64 << 20;

pub fn never_receives(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    next_is_served(bench, &server)?;
    let before = bench.memory_now();
    let mut call = bench.call(&server)?;
    let message = pattern(1_000_003).repeat(MUCH / 1_000_003);
    let sent = call.send_as_much_as_it_takes(&message)?;
    next_is_served(bench, &server)?;
    let more = bench.memory_peak().saturating_sub(before);
    if more > 32 << 20 {
        return Err(Fault::program(
            "no more memory than before, but for 32 MiB",
            format!("{} MiB more", more >> 20),
        ));
    }
    bench.step("now we received");
    call.expect(&message[..sent].to_ascii_uppercase())
}

pub fn accept_fails(bench: &mut Bench) -> Verdict {
    let second = Which::Nth(2);
    let fails = Change::fail(Calls::Accept, second, errno::ECONNABORTED).in_the_program();
    bench.change(
        "the second accept will fail: the caller is gone (ECONNABORTED)",
        vec![fails],
    )?;
    let server = bench.server()?;
    for who in ["the first caller", "the second caller", "the third caller"] {
        let mut call = bench.call_as(&server, who)?;
        bench.settle();
        talk(&mut call, "hello")?;
    }
    Ok(())
}

pub fn interrupted(bench: &mut Bench) -> Verdict {
    let interrupt = |calls| Change::fail(calls, Which::Every(2), errno::EINTR).in_the_program();
    let what = "each second accept, and each second poll, will be interrupted (EINTR)";
    bench.change(what, vec![interrupt(Calls::Accept), interrupt(Calls::Wait)])?;
    let server = bench.server()?;
    for who in ["the first caller", "the second caller", "the third caller"] {
        let mut call = bench.call_as(&server, who)?;
        // The server has been interrupted by now, or will be later: not while we send.
        bench.settle();
        talk(&mut call, "hello")?;
    }
    Ok(())
}
