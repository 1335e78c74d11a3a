//! What a client must do.

use check::{Bench, Calls, Change, Ending, Fault, Launch, Verdict, errno};

use super::{SECOND, cut, million};

pub fn answer(bench: &mut Bench) -> Verdict {
    let ours = bench.listen()?;
    let client = bench.client(&["hello", "again"])?;
    let mut call = bench.accept(&ours, &client)?;
    for (message, answer) in [("hello", "QWERT"), ("again", "ZUIOP")] {
        call.expect(message.as_bytes())?;
        call.send(answer.as_bytes())?;
        bench.says(&client, answer)?;
    }
    bench.ends_with_status(&client, 0)
}

pub fn client_one_byte(bench: &mut Bench) -> Verdict {
    let ours = bench.listen()?;
    let client = bench.client(&["byte by byte"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.expect(b"byte by byte")?;
    call.send_in_pieces(b"BYTE BY BYTE", 1)?;
    bench.says(&client, "BYTE BY BYTE")?;
    bench.ends_with_status(&client, 0)
}

pub fn two_at_once(bench: &mut Bench) -> Verdict {
    let ours = bench.listen()?;
    let client = bench.client(&["one", "seven"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.expect(b"one")?;
    call.send(b"ONESEVEN")?;
    call.expect(b"seven")?;
    bench.says_what(
        &client,
        "the answer ONE, and nothing else in its line",
        |line| line.contains("ONE") && !line.contains("ONES"),
    )?;
    bench.says(&client, "SEVEN")?;
    bench.ends_with_status(&client, 0)
}

pub fn client_million(bench: &mut Bench) -> Verdict {
    let ours = bench.listen()?;
    let mut line = million();
    line.push(b'\n');
    let client = bench.start(Launch::client().input(line))?;
    let mut call = bench.accept(&ours, &client)?;
    call.small_buffers()?;
    bench.step("our server answers each piece before it takes the next one");
    let mut taken = 0;
    while taken < 1 << 20 {
        let piece = call.receive_quietly(1024)?;
        if piece.is_empty() {
            let seen = format!("the end of the stream after {taken} bytes");
            return Err(Fault::program("1048576 bytes", seen));
        }
        taken += piece.len();
        call.send_quietly(&piece.to_ascii_uppercase())?;
    }
    bench.ends_with_status(&client, 0)
}

pub fn end_in_mid_answer(bench: &mut Bench) -> Verdict {
    let ours = bench.listen()?;
    let client = bench.client(&["a message"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.expect(b"a message")?;
    call.send(b"A ME")?;
    call.until_taken();
    call.hang_up();
    bench.ends_with_one_line(&client).map(drop)
}

pub fn client_reset(bench: &mut Bench) -> Verdict {
    let ours = bench.listen()?;
    let client = bench.client(&["a message"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.expect(b"a message")?;
    call.send(b"A ME")?;
    call.until_taken();
    call.reset()?;
    let line = bench.ends_with_one_line(&client)?;
    if line.to_lowercase().contains("reset") {
        return Ok(());
    }
    let seen = format!("the line {line:?}");
    Err(Fault::program("a line on stderr with the word reset", seen))
}

pub fn refused(bench: &mut Bench) -> Verdict {
    bench.step("nobody listens");
    let client = bench.client(&["hello"])?;
    bench.ends_with_one_line(&client).map(drop)
}

pub fn short_reads_of_client(bench: &mut Bench) -> Verdict {
    cut(bench, Calls::Receive, 1)?;
    answer(bench)
}

pub fn short_writes_of_client(bench: &mut Bench) -> Verdict {
    cut(bench, Calls::Send, 3)?;
    answer(bench)
}

pub fn interrupted_client(bench: &mut Bench) -> Verdict {
    let interrupt = |calls| Change::fail(calls, SECOND, errno::EINTR);
    let what = "the second send and the second receive of the client will be interrupted (EINTR)";
    bench.change(
        what,
        vec![interrupt(Calls::Send), interrupt(Calls::Receive)],
    )?;
    let ours = bench.listen()?;
    let client = bench.client(&["hello", "again"])?;
    let mut call = bench.accept(&ours, &client)?;
    for message in [b"hello", b"again"] {
        let talked = call.receive(message.len(), "a message of the client");
        let talked = talked.and_then(|heard| call.send(&heard.to_ascii_uppercase()));
        // It may end at any place: then it has to say so.
        if talked.is_err() {
            break;
        }
    }
    call.half_close()?;
    match bench.ends(&client)? {
        Ending::Status(0) => {
            bench.says(&client, "HELLO")?;
            bench.says(&client, "AGAIN").map(drop)
        }
        Ending::Status(1) => Ok(()),
        Ending::Status(other) => Err(wrong_end(format!("it ended with status {other}"))),
        Ending::Signal(number) => Err(wrong_end(format!("it was ended by signal {number}"))),
    }
}

fn wrong_end(seen: String) -> Fault {
    Fault::program(
        "your client ends with status 0, or says why not with status 1",
        seen,
    )
}
