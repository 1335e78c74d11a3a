//! A server is started again: when it can, when it cannot, and what is in the
//! way. These are the rules of Linux.
#![cfg(target_os = "linux")]

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use rstest::rstest;
use scene::{Ending, Stage};

use crate::common::{call, client, end_well, fresh, server, start};

#[path = "../scene/time_wait.rs"]
mod time_wait;

const REUSE: &[&str] = &["--reuse-addr"];
const SHARE: &[&str] = &["--reuse-port"];

/// A whole call of the real client to the real server, until both have ended;
/// gives back the address of the server.
fn one_run(stage: &mut Stage, of_server: &[&str], of_client: &[&str]) -> SocketAddr {
    let (server, addr) = server(stage, of_server);
    let client = client(stage, addr, &[&["--say", "hello"], of_client].concat());
    end_well(stage, &[server, client]);
    addr
}

/// What a server says that is started at once on a port with a past: that it
/// listens, or that bind finds the port in use.
fn listens(stage: &mut Stage, addr: SocketAddr, args: &[&str]) -> bool {
    let server = start(stage, addr, args);
    let said = stage.wait_line(server, "").unwrap();
    let listens = said == format!("listening on {addr}");
    if listens {
        stage.kill(server).unwrap();
        stage.wait_exit(server).unwrap();
    } else {
        let in_use = format!("bind {addr}: address already in use (os error");
        assert!(said.starts_with(&in_use), "{said}");
        assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(1));
    }
    listens
}

/// Waits until the kernel lists this address in TIME-WAIT, at one end only. No
/// event tells when the last segment is in, and a list that is read while sockets
/// come and go can miss one.
fn in_time_wait(addr: SocketAddr) -> time_wait::Row {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut rows = time_wait::rows(addr).unwrap();
        let found: Vec<&str> = rows.iter().map(|row| row.state).collect();
        if found == ["TIME-WAIT"] {
            return rows.remove(0);
        }
        assert!(Instant::now() < deadline, "{addr}: {found:?}");
        std::thread::yield_now();
    }
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
    #[case] expected: bool,
) {
    let mut stage = Stage::rehearsal();
    let addr = one_run(&mut stage, first, &[]);
    assert_eq!(listens(&mut stage, addr, second), expected);
}

#[rstest]
#[case::the_server("server")]
#[case::the_client("client")]
fn time_wait_belongs_to_whoever_closes_first(#[case] first: &str) {
    let mut stage = Stage::rehearsal();
    let order = ["--close-first", first];
    let addr = one_run(&mut stage, &order, &order);
    let row = in_time_wait(addr);
    let server_has_it = row.local == addr;
    assert_eq!(server_has_it, first == "server");
    assert_eq!(row.remote == addr, !server_has_it);
    assert!(row.left <= Duration::from_secs(60), "{:?}", row.left);
    assert!(row.left > Duration::from_secs(50), "{:?}", row.left);
    assert_eq!(listens(&mut stage, addr, &[]), !server_has_it);
}

#[test]
fn ctrl_c_ends_a_server_and_frees_the_port_when_nobody_has_called() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Signal(2));
    assert!(listens(&mut stage, addr, &[]));
}

#[test]
fn a_call_that_ended_with_a_reset_leaves_no_time_wait() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let client = client(&mut stage, addr, &["--say", &"x".repeat(2000)]);
    stage.wait_line(client, "connection reset").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    end_well(&mut stage, &[server]);
    assert!(time_wait::rows(addr).unwrap().is_empty());
    assert!(listens(&mut stage, addr, &[]));
}

#[test]
fn a_bound_socket_without_the_option_is_in_the_way_although_nobody_listens() {
    let mut stage = Stage::rehearsal();
    let (finder, addr) = server(&mut stage, &[]);
    stage.kill(finder).unwrap();
    stage.wait_exit(finder).unwrap();
    let bound = start(&mut stage, addr, &["--hold"]);
    stage.wait_line(bound, "bound").unwrap();
    assert!(!listens(&mut stage, addr, REUSE));
}

#[rstest]
#[case::only_the_first(SHARE, &[])]
#[case::only_the_second(&[], SHARE)]
#[case::the_second_asks_for_something_else(SHARE, REUSE)]
fn a_port_is_shared_only_if_both_ask_for_it(#[case] first: &[&str], #[case] second: &[&str]) {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, first);
    assert!(!listens(&mut stage, addr, second));
}

#[test]
fn the_listener_of_the_standard_library_has_set_the_option_unasked() {
    let mut stage = Stage::rehearsal();
    let listener = TcpListener::bind(fresh()).unwrap();
    let addr = listener.local_addr().unwrap();
    let calling = call(addr);
    drop(listener.accept().unwrap());
    drop(calling);
    drop(listener);
    assert_eq!(in_time_wait(addr).local, addr);
    assert!(listens(&mut stage, addr, REUSE));
}
