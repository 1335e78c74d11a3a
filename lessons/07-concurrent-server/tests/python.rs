//! A Python program can take either side.

use std::net::SocketAddr;

use rstest::rstest;
use scene::{Ending, Program};

use crate::common::{self, exchange, server, stage};
use crate::our_client::client;

fn python(script: &str, addr: SocketAddr) -> Program {
    let path = format!("{}/tests/python/{script}", env!("CARGO_MANIFEST_DIR"));
    let (host, port) = (addr.ip().to_string(), addr.port().to_string());
    Program::new("python3").args([path, host, port])
}

#[rstest]
#[ignore = "needs python3"]
fn two_python_clients_talk_to_our_server_at_the_same_time(
    #[values("thread-per-client", "thread-pool", "event-loop", "async")] model: &str,
) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--model", model]);
    let clients = [(); 2].map(|()| stage.start("client", &python("client.py", addr)).unwrap());
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

#[rstest]
#[case::with_a_thread_per_client("server_threads.py")]
#[case::with_socketserver("server_socketserver.py")]
#[ignore = "needs python3"]
fn our_client_and_our_crowd_talk_to_a_python_server(#[case] script: &str) {
    let mut stage = stage();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let server = stage.start("server", &python(script, any)).unwrap();
    let addr = stage.ready(server).unwrap();
    let silent = common::call(addr);
    let one = client(&mut stage, addr, &["--say", "hello"]);
    assert_eq!(stage.wait_exit(one).unwrap(), Ending::Status(0));
    stage.wait_line(one, "received 5 bytes: \"HELLO\"").unwrap();
    let crowd = client(&mut stage, addr, &["--clients", "20", "--size", "5000"]);
    assert_eq!(stage.wait_exit(crowd).unwrap(), Ending::Status(0));
    stage.wait_line(crowd, "answered: 200 of 200 messages").unwrap();
    assert_eq!(exchange(&silent, b"still here"), b"STILL HERE");
}

#[test]
#[ignore = "needs python3"]
fn our_client_listens_first_where_a_python_server_greets() {
    let mut stage = stage();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let server = stage.start("server", &python("server_greeting.py", any)).unwrap();
    let addr = stage.ready(server).unwrap();
    let client = client(&mut stage, addr, &["--listen-first", "--say", "hello"]);
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    let said = stage.lines(client).join("\n");
    let greeting = "received 22 bytes: \"成功连接服务器!\"";
    let answer = "received 5 bytes: \"HELLO\"";
    assert!(
        said.find(greeting).unwrap() < said.find(answer).unwrap(),
        "{said}"
    );
}

#[test]
#[ignore = "needs python3"]
fn a_python_client_sends_datagrams_to_our_server() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--udp"]);
    let client = stage.start("client", &python("client_udp.py", addr)).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert_eq!(stage.lines(client), ["HELLO"]);
}
