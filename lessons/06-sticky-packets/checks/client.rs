//! What a client must do.

use check::{Bench, Calls, Change, Fault, Folder, Listener, Peer, Tested, Verdict, Which, errno};
use serde_json::json;

use super::cut;
use super::speak::{
    answer, answer_with_digest, digest, frame, header, nothing_saved, pattern, saved,
};

const BODY: &[u8] = b"one\n\xe5\x86\x8d\xff\0";

/// A client that was told to ask so, and our server, which takes its call.
struct Asking {
    folder: Folder,
    client: Tested,
    call: Peer,
    _ours: Listener,
}

fn asking(bench: &mut Bench, lines: &[&str]) -> Verdict<Asking> {
    let folder = bench.folder()?;
    let ours = bench.listen()?;
    let client = bench.client(lines)?;
    let call = bench.accept(&ours, &client)?;
    Ok(Asking {
        folder,
        client,
        call,
        _ours: ours,
    })
}

impl Asking {
    /// Receives a request for this file.
    fn asked(&mut self, name: &str) -> Verdict {
        let request = header(&mut self.call)?;
        let expected = json!({ "request": "get", "name": name });
        if request == expected {
            return Ok(());
        }
        Err(Fault::program(expected.to_string(), request.to_string()))
    }
}

/// The client asks for a file and is answered; then it is there.
fn fetched(
    bench: &mut Bench,
    body: &[u8],
    send: impl FnOnce(&mut Bench, &mut Peer, &[u8]) -> Verdict,
) -> Verdict {
    let mut asking = asking(bench, &["get file.txt"])?;
    asking.asked("file.txt")?;
    send(bench, &mut asking.call, &answer("file.txt", body))?;
    bench.ends_with_status(&asking.client, 0)?;
    saved(&asking.folder, "file.txt", body)
}

pub fn get(bench: &mut Bench) -> Verdict {
    fetched(bench, BODY, |_, call, answer| call.send(answer))
}

pub fn one_byte_at_a_time(bench: &mut Bench) -> Verdict {
    fetched(bench, BODY, |_, call, answer| {
        call.send_in_pieces(answer, 1)
    })
}

pub fn random_cuts(bench: &mut Bench) -> Verdict {
    fetched(bench, &pattern(3000), |bench, call, answer| {
        let mut places: Vec<usize> = (0..12).map(|_| bench.random(answer.len())).collect();
        places.sort_unstable();
        places.dedup();
        call.send_cut(answer, &places)
    })
}

pub fn empty_file(bench: &mut Bench) -> Verdict {
    fetched(bench, b"", |_, call, answer| call.send(answer))
}

pub fn glued(bench: &mut Bench) -> Verdict {
    let mut asking = asking(bench, &["get one.txt", "get two.txt"])?;
    asking.asked("one.txt")?;
    let both = [answer("one.txt", b"1"), answer("two.txt", b"22")].concat();
    asking.call.send(&both)?;
    asking.asked("two.txt")?;
    bench.ends_with_status(&asking.client, 0)?;
    saved(&asking.folder, "one.txt", b"1")?;
    saved(&asking.folder, "two.txt", b"22")
}

pub fn large(bench: &mut Bench) -> Verdict {
    let mut asking = asking(bench, &["get file.txt"])?;
    asking.asked("file.txt")?;
    let body = pattern(1 << 20).repeat(64);
    let answer = answer("file.txt", &body);
    let before = bench.memory_now();
    asking.call.send(&answer)?;
    bench.ends_with_status(&asking.client, 0)?;
    let more = bench.memory_peak().saturating_sub(before);
    if more > 32 << 20 {
        return Err(Fault::program(
            "no more memory than before, but for 32 MiB",
            format!("{} MiB more", more >> 20),
        ));
    }
    saved(&asking.folder, "file.txt", &body)
}

pub fn refusal(bench: &mut Bench) -> Verdict {
    let mut asking = asking(bench, &["get none.txt", "get one.txt"])?;
    asking.asked("none.txt")?;
    let refusal = json!({ "status": "error", "reason": "no such file" });
    asking.call.send(&frame(refusal.to_string().as_bytes()))?;
    asking.asked("one.txt")?;
    asking.call.send(&answer("one.txt", b"1"))?;
    bench.ends_with_status(&asking.client, 1)?;
    saved(&asking.folder, "one.txt", b"1")?;
    match asking.folder.read("none.txt")? {
        None => Ok(()),
        Some(_) => Err(Fault::program("no file none.txt", "there is one")),
    }
}

/// The client meets an answer that it must not keep.
fn not_kept(bench: &mut Bench, answer: &[u8]) -> Verdict {
    let mut asking = asking(bench, &["get file.txt"])?;
    asking.asked("file.txt")?;
    asking.call.send(answer)?;
    asking.call.half_close()?;
    bench.ends_with_one_line(&asking.client)?;
    nothing_saved(&asking.folder)
}

pub fn wrong_digest(bench: &mut Bench) -> Verdict {
    let answer = answer_with_digest("file.txt", BODY, &digest(b"something else"));
    not_kept(bench, &answer)
}

pub fn end_in_body(bench: &mut Bench) -> Verdict {
    let answer = answer("file.txt", &pattern(3000));
    not_kept(bench, &answer[..answer.len() - 1000])
}

pub fn end_in_length(bench: &mut Bench) -> Verdict {
    not_kept(bench, &[0, 0])
}

pub fn four_gigabytes(bench: &mut Bench) -> Verdict {
    not_kept(bench, &u32::MAX.to_be_bytes())
}

pub fn refused(bench: &mut Bench) -> Verdict {
    let _folder = bench.folder()?;
    bench.step("nobody listens");
    let client = bench.client(&["list"])?;
    bench.ends_with_one_line(&client).map(drop)
}

pub fn short_reads(bench: &mut Bench) -> Verdict {
    cut(bench, Calls::Receive, 1)?;
    glued(bench)
}

pub fn short_writes(bench: &mut Bench) -> Verdict {
    cut(bench, Calls::Send, 3)?;
    glued(bench)
}

pub fn interrupted(bench: &mut Bench) -> Verdict {
    let fails = Change::fail(Calls::Receive, Which::Every(2), errno::EINTR);
    let what = "each second receive will be interrupted (EINTR)";
    bench.change(what, vec![fails])?;
    glued(bench)
}
