//! What is answered, and to whom.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

use house::raw::again;
use scene::Ending;

use crate::common::{call, exchange, nothing_comes, read, server, stage, text};

pub fn the_answer_is_as_the_flag_says(model: &str) {
    for (reply, answer) in [("upper", "HELLO, WöRLD 1\n"), ("echo", "Hello, wörld 1\n")] {
        let mut stage = stage();
        let (_, addr) = server(&mut stage, &["--model", model, "--reply", reply]);
        let answered = exchange(&call(addr), "Hello, wörld 1\n".as_bytes());
        assert_eq!(text(&answered), answer);
    }
}

pub fn each_message_of_a_call_is_answered_also_bytes_that_are_no_text(model: &str) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model]);
    let caller = call(addr);
    for (message, answer) in [("one", "ONE"), ("two", "TWO")] {
        assert_eq!(text(&exchange(&caller, message.as_bytes())), answer);
    }
    assert_eq!(exchange(&caller, b"\xff\x00a\x1b"), b"\xff\x00A\x1b");
    stage.wait_line(server, r#"#1 received 4 bytes: "\xff\0a\u{1b}""#).unwrap();
}

pub fn a_caller_that_has_finished_sending_still_gets_all_answers(model: &str) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model]);
    let mut caller = call(addr);
    caller.write_all(b"last words").unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    caller.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "LAST WORDS");
    stage.wait_line(server, "#1 end of stream: the client hung up").unwrap();
    stage.wait_line(server, "#1 closed the connection").unwrap();
}

pub fn two_mebibytes_of_all_byte_values_come_back_unchanged(model: &str) {
    let mut stage = stage();
    let args = ["--model", model, "--reply", "echo", "--quiet"];
    let (_, addr) = server(&mut stage, &args);
    // A period that is no power of two: a part at a wrong place shows.
    let message: Vec<u8> = (0..=250).chain(0..=255).cycle().take(2 << 20).collect();
    let caller = call(addr);
    let mut sender = caller.try_clone().unwrap();
    let bytes = message.clone();
    let sending = thread::spawn(move || sender.write_all(&bytes).unwrap());
    assert!(read(&caller, message.len()) == message);
    sending.join().unwrap();
}

pub fn eight_callers_are_served_at_the_same_time_in_any_order(model: &str) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--model", model]);
    let callers: Vec<TcpStream> = (0..8).map(|_| call(addr)).collect();
    for round in ["one", "two"] {
        for caller in callers.iter().rev() {
            assert_eq!(
                exchange(caller, round.as_bytes()),
                round.to_ascii_uppercase().as_bytes()
            );
        }
    }
}

pub fn one_caller_too_many_is_left_waiting_until_a_place_is_free(model: &str) {
    let mut stage = stage();
    let args = ["--model", model, "--max-clients", "2"];
    let (server, addr) = server(&mut stage, &args);
    let (first, second) = (call(addr), call(addr));
    assert_eq!(exchange(&first, b"first"), b"FIRST");
    assert_eq!(exchange(&second, b"second"), b"SECOND");
    stage.wait_line(server, "2 calls running: no accept").unwrap();
    let mut third = call(addr);
    third.write_all(b"third").unwrap();
    assert!(nothing_comes(&third));
    assert_eq!(exchange(&second, b"again"), b"AGAIN");
    drop(first);
    assert_eq!(read(&third, 5), b"THIRD");
}

pub fn quiet_leaves_the_first_line_and_the_end(model: &str) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model, "--quiet"]);
    let caller = call(addr);
    assert_eq!(exchange(&caller, b"hello"), b"HELLO");
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(again(|| (&caller).read(&mut [0])).unwrap(), 0);
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    let lines = stage.lines(server);
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(lines[0], format!("listening on {addr}"));
    assert!(lines[1].starts_with("asked to stop"), "{lines:?}");
    assert_eq!(
        lines[2..],
        ["closed the listener", "stopped: 1 call, 5 bytes"]
    );
}
