//! What a server must do.

use check::{Bench, Calls, Change, Fault, Folder, Peer, Tested, Verdict, Which, errno};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::cut as cut_calls;
use super::speak::{accepted, expect_error, expect_file, frame, get as request, pattern};
use lesson_6::framing::header::hexadecimal;

/// What is in the folder that is handed out.
const SHORT: &[u8] = b"one";
const NAME: &str = "你好.txt";

fn offered(bench: &mut Bench) -> Verdict<Folder> {
    let folder = bench.folder()?;
    folder.write("short.txt", SHORT)?;
    folder.write("empty.txt", b"")?;
    folder.write(NAME, "再见".as_bytes())?;
    bench.step("the folder has short.txt, empty.txt and 你好.txt");
    Ok(folder)
}

/// A server and a caller. The folder is gone when it is dropped.
fn called(bench: &mut Bench) -> Verdict<(Folder, Tested, Peer)> {
    let folder = offered(bench)?;
    let server = bench.server()?;
    let call = bench.call(&server)?;
    Ok((folder, server, call))
}

fn short(call: &mut Peer) -> Verdict {
    expect_file(call, "short.txt", SHORT)
}

/// Whoever calls now is served.
fn next_is_served(bench: &mut Bench, server: &Tested) -> Verdict {
    let mut next = bench.call_as(server, "the next caller")?;
    next.send(&request("short.txt"))?;
    short(&mut next)
}

pub fn says_where(bench: &mut Bench) -> Verdict {
    let _folder = offered(bench)?;
    let server = bench.server()?;
    bench.says_where(&server, "listening on")
}

pub fn get(bench: &mut Bench) -> Verdict {
    let (_folder, _server, mut call) = called(bench)?;
    call.send(&request("short.txt"))?;
    short(&mut call)
}

pub fn list(bench: &mut Bench) -> Verdict {
    let (_folder, _server, mut call) = called(bench)?;
    call.send(&frame(br#"{"request":"list"}"#))?;
    let list = format!("0 empty.txt\n3 short.txt\n6 {NAME}\n");
    expect_file(&mut call, "list", list.as_bytes())
}

pub fn empty_file(bench: &mut Bench) -> Verdict {
    let (_folder, _server, mut call) = called(bench)?;
    call.send(&request("empty.txt"))?;
    expect_file(&mut call, "empty.txt", b"")?;
    call.send(&request("short.txt"))?;
    short(&mut call)
}

pub fn chinese_name(bench: &mut Bench) -> Verdict {
    let (_folder, _server, mut call) = called(bench)?;
    call.send(&request(NAME))?;
    expect_file(&mut call, NAME, "再见".as_bytes())?;
    call.send(&request("short.txt"))?;
    short(&mut call)
}

/// So large that it cannot hide in the memory of a program.
const LARGE: usize = 64 << 20;
/// And so much more a program may have than before.
const ROOM: u64 = 32 << 20;

pub fn large(bench: &mut Bench) -> Verdict {
    let folder = offered(bench)?;
    let piece = pattern(1 << 20);
    let mut digest = Sha256::new();
    for _ in 0..LARGE >> 20 {
        digest.update(&piece);
    }
    folder.write("large.bin", &piece.repeat(LARGE >> 20))?;
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.send(&request("short.txt"))?;
    short(&mut call)?;
    let before = bench.memory_now();
    call.send(&request("large.bin"))?;
    accepted(
        &mut call,
        "large.bin",
        LARGE,
        &hexadecimal(&digest.finalize()),
    )?;
    let mut received = 0;
    // A part that begins in one piece ends in the next.
    let two = piece.repeat(2);
    while received < LARGE {
        let part = call.receive_quietly((LARGE - received).min(1 << 16))?;
        let at = received % piece.len();
        if part.is_empty() || part != two[at..at + part.len()] {
            let seen = format!("other bytes, or the end, after {received}");
            return Err(Fault::program(format!("{LARGE} bytes of the file"), seen));
        }
        received += part.len();
    }
    bench.step("we received 64 MiB");
    let more = bench.memory_peak().saturating_sub(before);
    if more > ROOM {
        return Err(Fault::program(
            "no more memory than before, but for 32 MiB",
            format!("{} MiB more", more >> 20),
        ));
    }
    Ok(())
}

pub fn one_byte_at_a_time(bench: &mut Bench) -> Verdict {
    let (_folder, _server, mut call) = called(bench)?;
    call.send_in_pieces(&request("short.txt"), 1)?;
    short(&mut call)
}

fn cut(bench: &mut Bench, message: &[u8], place: usize, name: &str, body: &[u8]) -> Verdict {
    let (_folder, _server, mut call) = called(bench)?;
    call.send_cut(message, &[place])?;
    expect_file(&mut call, name, body)
}

pub fn cut_in_length(bench: &mut Bench) -> Verdict {
    cut(bench, &request("short.txt"), 2, "short.txt", SHORT)
}

pub fn cut_in_header(bench: &mut Bench) -> Verdict {
    cut(bench, &request("short.txt"), 14, "short.txt", SHORT)
}

pub fn cut_in_character(bench: &mut Bench) -> Verdict {
    let message = request(NAME);
    let character = NAME.as_bytes()[..3].to_vec();
    let place = message.windows(3).position(|part| part == character);
    let place = place.expect("the name is in its request") + 1;
    cut(bench, &message, place, NAME, "再见".as_bytes())
}

pub fn glued(bench: &mut Bench) -> Verdict {
    let (_folder, _server, mut call) = called(bench)?;
    call.send(&[request("short.txt"), request("empty.txt")].concat())?;
    short(&mut call)?;
    expect_file(&mut call, "empty.txt", b"")
}

pub fn one_and_a_half(bench: &mut Bench) -> Verdict {
    let (_folder, _server, mut call) = called(bench)?;
    let first = request("short.txt");
    let both = [first.clone(), request("empty.txt")].concat();
    call.send_cut(&both, &[first.len() + 9])?;
    short(&mut call)?;
    expect_file(&mut call, "empty.txt", b"")
}

pub fn hundred_at_once(bench: &mut Bench) -> Verdict {
    let (_folder, _server, mut call) = called(bench)?;
    call.send(&request("short.txt").repeat(100))?;
    for _ in 0..100 {
        short(&mut call)?;
    }
    Ok(())
}

pub fn random_cuts(bench: &mut Bench) -> Verdict {
    let (_folder, _server, mut call) = called(bench)?;
    let all = request("short.txt").repeat(5);
    let mut places: Vec<usize> = (0..12).map(|_| bench.random(all.len())).collect();
    places.sort_unstable();
    places.dedup();
    call.send_cut(&all, &places)?;
    for _ in 0..5 {
        short(&mut call)?;
    }
    Ok(())
}

/// A request that is padded with spaces, which mean nothing in JSON.
fn padded(length: usize) -> Vec<u8> {
    let mut header = json!({ "request": "get", "name": "short.txt" }).to_string();
    header.extend(std::iter::repeat_n(' ', length - header.len()));
    frame(header.as_bytes())
}

pub fn longest_header(bench: &mut Bench) -> Verdict {
    let (_folder, _server, mut call) = called(bench)?;
    call.send(&padded(65_536))?;
    short(&mut call)
}

pub fn too_long_header(bench: &mut Bench) -> Verdict {
    let (_folder, server, mut call) = called(bench)?;
    call.send(&padded(65_537)[..4])?;
    expect_error(&mut call)?;
    call.expect_end()?;
    call.hang_up();
    next_is_served(bench, &server)
}

pub fn four_gigabytes(bench: &mut Bench) -> Verdict {
    let (_folder, server, mut call) = called(bench)?;
    call.send(&u32::MAX.to_be_bytes())?;
    expect_error(&mut call)?;
    call.hang_up();
    next_is_served(bench, &server)
}

/// Messages that cannot be understood, and one that can.
fn errors_then_short(bench: &mut Bench, headers: &[&[u8]]) -> Verdict {
    let (_folder, _server, mut call) = called(bench)?;
    for header in headers {
        call.send(&frame(header))?;
        expect_error(&mut call)?;
    }
    call.send(&request("short.txt"))?;
    short(&mut call)
}

pub fn broken_json(bench: &mut Bench) -> Verdict {
    errors_then_short(bench, &[br#"{"request": "get", "name": "sho"#, b""])
}

pub fn no_text(bench: &mut Bench) -> Verdict {
    errors_then_short(bench, &[b"\xff\xfe{}\x80"])
}

pub fn other_json(bench: &mut Bench) -> Verdict {
    let no_name = br#"{"request":"get"}"#;
    let unknown = br#"{"request":"sing"}"#;
    errors_then_short(bench, &[b"7", no_name, unknown])
}

/// A stream that ends after these bytes.
fn end_after(bench: &mut Bench, bytes: &[u8]) -> Verdict {
    let (_folder, server, mut call) = called(bench)?;
    call.send(&request("short.txt"))?;
    short(&mut call)?;
    if !bytes.is_empty() {
        call.send(bytes)?;
    }
    call.half_close()?;
    call.receive_to_end(1 << 16)?;
    call.hang_up();
    next_is_served(bench, &server)
}

pub fn end_between(bench: &mut Bench) -> Verdict {
    end_after(bench, b"")
}

pub fn end_in_length(bench: &mut Bench) -> Verdict {
    end_after(bench, &[0, 0])
}

pub fn end_in_header(bench: &mut Bench) -> Verdict {
    end_after(bench, &request("short.txt")[..20])
}

pub fn reset_in_header(bench: &mut Bench) -> Verdict {
    let (_folder, server, mut call) = called(bench)?;
    call.send(&request("short.txt")[..20])?;
    call.until_taken();
    call.reset()?;
    next_is_served(bench, &server)
}

pub fn gone_in_body(bench: &mut Bench) -> Verdict {
    let folder = offered(bench)?;
    folder.write("large.bin", &pattern(16 << 20))?;
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.small_buffers()?;
    call.send(&request("large.bin"))?;
    call.receive(1000, "the beginning of the answer")?;
    call.hang_up();
    next_is_served(bench, &server)
}

/// A name that must be refused, and the call goes on.
fn refused(bench: &mut Bench, called: (Folder, Tested, Peer), name: &str) -> Verdict {
    let (_folder, server, mut call) = called;
    call.send(&request(name))?;
    if let Err(fault) = expect_error(&mut call) {
        // We leave when all has come that does, so that two runs tell the same story.
        bench.settle();
        return Err(fault);
    }
    call.send(&request("short.txt"))?;
    short(&mut call)?;
    bench.still_runs(&server)
}

pub fn name_parent(bench: &mut Bench) -> Verdict {
    let called = called(bench)?;
    std::fs::write(called.0.outside().join("secret.txt"), "secret")?;
    refused(bench, called, "../secret.txt")
}

pub fn name_absolute(bench: &mut Bench) -> Verdict {
    let called = called(bench)?;
    let secret = called.0.outside().join("secret.txt");
    std::fs::write(&secret, "secret")?;
    refused(bench, called, &secret.to_string_lossy())
}

pub fn name_link(bench: &mut Bench) -> Verdict {
    let called = called(bench)?;
    let secret = called.0.outside().join("secret.txt");
    std::fs::write(&secret, "secret")?;
    called.0.link("harmless.txt", &secret)?;
    bench.step("harmless.txt is a link to a file outside of the folder");
    refused(bench, called, "harmless.txt")
}

pub fn name_fifo(bench: &mut Bench) -> Verdict {
    let called = called(bench)?;
    called.0.fifo("pipe")?;
    bench.step("pipe is a FIFO");
    refused(bench, called, "pipe")
}

pub fn name_missing(bench: &mut Bench) -> Verdict {
    let called = called(bench)?;
    refused(bench, called, "missing.txt")
}

pub fn short_reads(bench: &mut Bench) -> Verdict {
    cut_calls(bench, Calls::Receive, 1)?;
    glued(bench)
}

pub fn short_writes(bench: &mut Bench) -> Verdict {
    cut_calls(bench, Calls::Send, 3)?;
    glued(bench)
}

pub fn interrupted(bench: &mut Bench) -> Verdict {
    let fails = Change::fail(Calls::Receive, Which::Every(2), errno::EINTR);
    bench.change(
        "each second receive will be interrupted (EINTR)",
        vec![fails],
    )?;
    glued(bench)
}
