//! A server is started again: when it can, when it cannot, and what is in the
//! way. These are the rules of Linux.
#![cfg(target_os = "linux")]

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use rstest::rstest;
use scene::{Actor, Ending};
use timeline::{Kind, Place, Timeline};

use crate::common::{
    call, client, exchange, fresh, in_time_wait, one_run, restarted, server, stage, start,
    time_wait, wait_for_rows,
};

const REUSE: &[&str] = &["--reuse-addr"];
const SHARE: &[&str] = &["--reuse-port"];

fn is_in_use(said: &str, call: &str, addr: SocketAddr) -> bool {
    said.starts_with(&format!("{call} {addr}: address already in use (os error"))
}

#[rstest]
#[case::neither_run_has_the_option(&[], &[], false)]
#[case::the_restart_alone_has_it(&[], REUSE, false)]
#[case::the_first_run_alone_has_it(REUSE, &[], false)]
#[case::both_have_it(REUSE, REUSE, true)]
#[case::the_other_option_in_both_helps_too(SHARE, SHARE, true)]
#[case::the_two_options_do_not_go_together(SHARE, REUSE, false)]
fn after_a_call_that_the_server_closed_first(
    #[case] first: &[&str],
    #[case] second: &[&str],
    #[case] listens: bool,
) {
    let mut stage = stage();
    let addr = one_run(&mut stage, first, &[]);
    let said = restarted(&mut stage, addr, second);
    if listens {
        assert_eq!(said, format!("listening on {addr}"));
    } else {
        assert!(is_in_use(&said, "bind", addr), "{said}");
    }
}

#[test]
fn a_restart_with_the_option_succeeds_twenty_times_in_a_row() {
    let mut stage = stage();
    let mut addr = fresh();
    for _ in 0..20 {
        let server = start(&mut stage, addr, REUSE);
        addr = stage.ready(server).unwrap();
        assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
        assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    }
}

#[test]
fn when_the_client_closed_first_nothing_is_in_the_way() {
    let mut stage = stage();
    let order = ["--close-first", "client"];
    let addr = one_run(&mut stage, &order, &order);
    assert_eq!(
        restarted(&mut stage, addr, &[]),
        format!("listening on {addr}")
    );
}

#[rstest]
#[case::the_server("server")]
#[case::the_client("client")]
fn time_wait_belongs_to_whoever_closes_first(#[case] first: &str) {
    let mut stage = stage();
    let order = ["--close-first", first];
    let addr = one_run(&mut stage, &order, &order);
    let row = in_time_wait(addr);
    let server_has_it = row.local == addr;
    assert_eq!(server_has_it, first == "server");
    assert_eq!(row.remote == addr, !server_has_it);
    assert!(row.left <= Duration::from_secs(60), "{:?}", row.left);
    assert!(row.left > Duration::from_secs(50), "{:?}", row.left);
}

#[rstest]
#[case::the_server("server")]
#[case::the_client("client")]
fn the_lines_tell_the_order_of_the_closes(#[case] first: &str) {
    let mut stage = stage();
    let order = ["--close-first", first];
    one_run(&mut stage, &order, &order);
    let (server, client) = (Actor(0), Actor(1));
    let (one, other) = if first == "server" {
        (server, client)
    } else {
        (client, server)
    };
    let told = stage.timeline();
    assert!(at(told, one, "closing the connection") < at(told, other, "end of stream"));
    assert!(at(told, other, "end of stream") < at(told, other, "closing the connection"));
    let lines = stage.lines(one);
    assert!(
        !lines.iter().any(|line| line.starts_with("end of stream")),
        "who closes first does not wait for the other's end: {lines:?}"
    );
}

/// The place of an actor's line among all events.
fn at(told: &Timeline, actor: Actor, start: &str) -> usize {
    let found = told.events().iter().position(|event| {
        let of_actor = event.place == Place::Actor(actor);
        of_actor && matches!(&event.kind, Kind::Line { text, .. } if text.starts_with(start))
    });
    found.unwrap_or_else(|| panic!("no line {start:?}"))
}

#[test]
fn each_side_can_wait_for_the_other_until_one_is_killed() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--close-first", "client"]);
    let client = client(
        &mut stage,
        addr,
        &["--close-first", "server", "--say", "hello"],
    );
    stage.wait_line(client, "received 5 bytes").unwrap();
    wait_for_rows(addr, &["ESTABLISHED", "ESTABLISHED"]);

    stage.kill(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Signal(9));
    stage.wait_line(client, "end of stream").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
}

#[test]
fn killing_a_server_in_a_call_does_not_free_its_port() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--close-first", "client"]);
    let client = client(&mut stage, addr, &["--say", "hello"]);
    stage.wait_line(client, "received 5 bytes").unwrap();
    stage.kill(server).unwrap();
    stage.wait_exit(server).unwrap();
    stage.wait_exit(client).unwrap();

    assert_eq!(in_time_wait(addr).local, addr);
    let said = restarted(&mut stage, addr, &[]);
    assert!(is_in_use(&said, "bind", addr), "{said}");
}

#[test]
fn killing_a_server_that_nobody_called_frees_its_port() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &[]);
    stage.kill(server).unwrap();
    stage.wait_exit(server).unwrap();
    assert_eq!(
        restarted(&mut stage, addr, &[]),
        format!("listening on {addr}")
    );
}

#[test]
fn a_call_that_ended_with_a_reset_leaves_no_time_wait() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &[]);
    let said = "x".repeat(2000);
    let client = client(&mut stage, addr, &["--say", &said]);
    stage.wait_line(client, "connection reset").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    assert!(time_wait::rows(addr).unwrap().is_empty());
    assert_eq!(
        restarted(&mut stage, addr, &[]),
        format!("listening on {addr}")
    );
}

#[test]
fn a_server_that_listens_is_not_displaced_and_the_error_comes_from_bind() {
    let mut stage = stage();
    let (first, addr) = server(&mut stage, REUSE);
    let said = restarted(&mut stage, addr, REUSE);
    assert!(is_in_use(&said, "bind", addr), "{said}");
    assert_eq!(exchange(&call(addr), b"still here"), b"STILL HERE");
    assert_eq!(stage.wait_exit(first).unwrap(), Ending::Status(0));
}

#[test]
fn of_two_that_are_bound_one_can_listen_and_the_error_comes_from_listen() {
    let mut stage = stage();
    let (finder, addr) = server(&mut stage, &[]);
    stage.kill(finder).unwrap();
    stage.wait_exit(finder).unwrap();

    let bound = start(&mut stage, addr, &["--reuse-addr", "--hold"]);
    stage.wait_line(bound, "bound, but not listening: press Enter").unwrap();
    let listening = start(&mut stage, addr, REUSE);
    assert_eq!(stage.ready(listening).unwrap(), addr);
    stage.tell(bound, "").unwrap();
    let said = stage.wait_line(bound, "").unwrap();
    assert!(is_in_use(&said, "listen on", addr), "{said}");
    assert_eq!(stage.wait_exit(bound).unwrap(), Ending::Status(1));
    assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
}

#[test]
fn a_bound_socket_without_the_option_is_in_the_way_although_nobody_listens() {
    let mut stage = stage();
    let (finder, addr) = server(&mut stage, &[]);
    stage.kill(finder).unwrap();
    stage.wait_exit(finder).unwrap();

    let bound = start(&mut stage, addr, &["--hold"]);
    stage.wait_line(bound, "bound").unwrap();
    let said = restarted(&mut stage, addr, REUSE);
    assert!(is_in_use(&said, "bind", addr), "{said}");
}

#[test]
fn with_reuse_port_two_servers_share_the_calls() {
    const CALLS: usize = 64;
    let mut stage = stage();
    let shared = ["--reuse-port", "--calls", "65"];
    let (first, addr) = server(&mut stage, &shared);
    let second = start(&mut stage, addr, &shared);
    assert_eq!(stage.ready(second).unwrap(), addr);
    for _ in 0..CALLS {
        assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
    }
    let took = [first, second].map(|server| {
        stage.kill(server).unwrap();
        stage.wait_exit(server).unwrap();
        let lines = stage.lines(server);
        lines.iter().filter(|line| line.starts_with("accepted")).count()
    });
    assert_eq!(took[0] + took[1], CALLS);
    // By chance, one gets all in one of 2^63 runs.
    assert!(took[0] > 0 && took[1] > 0, "{took:?}");
}

#[rstest]
#[case::only_the_first(SHARE, &[])]
#[case::only_the_second(&[], SHARE)]
#[case::the_second_asks_for_something_else(SHARE, REUSE)]
fn a_port_is_shared_only_if_both_ask_for_it(#[case] first: &[&str], #[case] second: &[&str]) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, first);
    let said = restarted(&mut stage, addr, second);
    assert!(is_in_use(&said, "bind", addr), "{said}");
}

#[test]
fn the_listener_of_the_standard_library_has_set_the_option_unasked() {
    let mut stage = stage();
    let listener = TcpListener::bind(fresh()).unwrap();
    let addr = listener.local_addr().unwrap();
    let calling = call(addr);
    let (connection, _) = listener.accept().unwrap();
    drop(connection);
    drop(calling);
    drop(listener);
    assert_eq!(in_time_wait(addr).local, addr);
    assert_eq!(
        restarted(&mut stage, addr, REUSE),
        format!("listening on {addr}")
    );
}

#[test]
fn an_ipv6_call_is_found_in_the_list_too() {
    let mut stage = stage();
    let server = start(&mut stage, "[::1]:0".parse().unwrap(), &[]);
    let addr = stage.ready(server).unwrap();
    assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
    stage.wait_exit(server).unwrap();
    assert_eq!(in_time_wait(addr).local, addr);
    let said = restarted(&mut stage, addr, &[]);
    assert!(is_in_use(&said, "bind", addr), "{said}");
}
