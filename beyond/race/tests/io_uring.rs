//! The model io-uring keeps what all models of lesson 7 promise.

use std::fs;
use std::net::SocketAddr;
use std::thread;

use rstest::rstest;
use scene::{Ending, Program};

use crate::common::{call, exchange, server, stage};

crate::promises::keep!(all: ("io-uring"), concurrent: ("io-uring"));

/// As the models of the lesson, so that they can be laid side by side.
#[test]
fn it_has_serve_handle_and_converse_in_this_order() {
    let path = format!("{}/src/models/io_uring.rs", env!("CARGO_MANIFEST_DIR"));
    let source = fs::read_to_string(path).unwrap();
    let places = ["fn serve(", "fn handle(", "fn converse("].map(|name| source.find(name));
    let [Some(serve), Some(handle), Some(converse)] = places else {
        panic!("{places:?}");
    };
    assert!(serve < handle && handle < converse);
}

#[rstest]
fn a_crowd_is_answered(
    #[values("upper", "echo")] reply: &str,
    #[values(1, 64, 70_000)] size: usize,
) {
    let mut stage = stage();
    let args = ["--model", "io-uring", "--reply", reply, "--quiet"];
    let (server, addr) = server(&mut stage, &args);
    thread::scope(|scope| {
        for number in 0..20 {
            scope.spawn(move || talk(addr, number, size, reply));
        }
    });
    stage.interrupt(server).unwrap();
    let sum = stage.wait_line(server, "stopped: ").unwrap();
    assert_eq!(sum, format!("stopped: 20 calls, {} bytes", 100 * size));
}

/// Five messages, each with bytes of its own.
fn talk(addr: SocketAddr, caller: u8, size: usize, reply: &str) {
    let line = call(addr);
    for number in 0..5 {
        let letters = (b'a'..=b'z').cycle().skip(usize::from(caller + number));
        let message: Vec<u8> = letters.take(size).collect();
        let wanted = match reply {
            "upper" => message.to_ascii_uppercase(),
            _ => message.clone(),
        };
        assert!(exchange(&line, &message) == wanted, "caller {caller}");
    }
}

#[test]
#[ignore = "needs python3"]
fn two_python_clients_talk_to_it_at_the_same_time() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--model", "io-uring"]);
    let script = "../../lessons/07-concurrent-server/tests/python/client.py";
    let path = format!("{}/{script}", env!("CARGO_MANIFEST_DIR"));
    let words = [path, addr.ip().to_string(), addr.port().to_string()];
    let client = Program::new("python3").args(words);
    let clients = [(); 2].map(|()| stage.start("client", &client).unwrap());
    for word in ["hello", "你好 a"] {
        for client in clients {
            stage.tell(client, word).unwrap();
            stage.wait_line(client, &word.to_ascii_uppercase()).unwrap();
        }
    }
    for client in clients {
        stage.tell(client, "quit").unwrap();
        assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    }
}
