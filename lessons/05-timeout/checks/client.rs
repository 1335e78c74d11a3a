//! What a client must do.

use check::{Bench, Calls, Change, Fault, Peer, Tested, Verdict, Which, errno};

use super::settings;

/// A client that has said hello to us.
fn called(bench: &mut Bench) -> Verdict<(Tested, Peer)> {
    settings(bench, "5", "receive", "3600");
    let ours = bench.listen()?;
    let client = bench.client(&["hello"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.expect(b"hello")?;
    Ok((client, call))
}

pub fn answer(bench: &mut Bench) -> Verdict {
    let (client, mut call) = called(bench)?;
    call.send(b"QWERT")?;
    call.hang_up();
    bench.says(&client, "QWERT")?;
    bench.ends_with_status(&client, 0)
}

pub fn client_cut(bench: &mut Bench) -> Verdict {
    let (client, mut call) = called(bench)?;
    call.send_in_pieces(b"QWERT", 1)?;
    call.hang_up();
    bench.ends_with_status(&client, 0)?;
    // Some show the answer as it comes, in pieces, others as a whole.
    let shown = bench.stdout(&client).join(" ");
    match shown.contains('T') {
        true => Ok(()),
        false => Err(Fault::program("the last letter of QWERT is shown", shown)),
    }
}

pub fn silent_server(bench: &mut Bench) -> Verdict {
    settings(bench, "0.3", "receive", "3600");
    let ours = bench.listen()?;
    let client = bench.client(&["hello"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.expect(b"hello")?;
    bench.step("our server said nothing");
    bench.ends_with_one_line(&client).map(drop)
}

pub fn full_queue(bench: &mut Bench) -> Verdict {
    settings(bench, "0.3", "receive", "3600");
    let ours = bench.listen_with_backlog(0)?;
    let _first = bench.fill(&ours)?;
    // It listens as long as the client calls: the kernel calls again and again, and
    // would be refused in the moment between our end and that of the client.
    std::mem::forget(ours);
    let client = bench.client(&["hello"])?;
    bench.ends_with_one_line(&client).map(drop)
}

pub fn no_answer(bench: &mut Bench) -> Verdict {
    let (client, call) = called(bench)?;
    call.hang_up();
    bench.ends_with_one_line(&client).map(drop)
}

pub fn refused(bench: &mut Bench) -> Verdict {
    settings(bench, "5", "receive", "3600");
    bench.step("nobody listens");
    let client = bench.client(&["hello"])?;
    bench.ends_with_one_line(&client).map(drop)
}

pub fn interrupted_client(bench: &mut Bench) -> Verdict {
    let fails = Change::fail(Calls::Receive, Which::Every(2), errno::EINTR).in_the_program();
    let what = "each second receive will be interrupted (EINTR)";
    bench.change(what, vec![fails])?;
    answer(bench)
}
