//! A server is started again: when it can, when it cannot, and what is in the
//! way. These are the rules of Linux.
#![cfg(target_os = "linux")]

use std::net::{SocketAddr, TcpListener};

use house::Rehearsal;
use house::raw::call;
use rstest::rstest;
use scene::{Actor, Ending};

use crate::common::{end_well, fresh};
use crate::lesson::stage;

const REUSE: &[&str] = &["--reuse-addr"];
const SHARE: &[&str] = &["--reuse-port"];

/// A server on this address; it need not come to listen.
fn start(stage: &mut Rehearsal, addr: SocketAddr, args: &[&str]) -> Actor {
    stage.start_server(&[&["--addr", &addr.to_string()], args].concat())
}

/// What a server says that is started at once on a port with a past: that it
/// listens, or that bind finds the port in use.
fn listens(stage: &mut Rehearsal, addr: SocketAddr, args: &[&str]) -> bool {
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

#[rstest]
#[case::the_other_option_in_both_helps_too(SHARE, SHARE, true)]
#[case::the_two_options_do_not_go_together(SHARE, REUSE, false)]
fn after_a_call_that_the_server_closed_first(
    #[case] first: &[&str],
    #[case] second: &[&str],
    #[case] expected: bool,
) {
    let mut stage = stage();
    let (server, addr) = stage.server_at(&fresh(), first);
    let client = stage.client(addr, &["--say", "hello"]);
    end_well(&mut stage, &[server, client]);
    assert_eq!(listens(&mut stage, addr, second), expected);
}

#[test]
fn ctrl_c_ends_a_server_and_frees_the_port_when_nobody_has_called() {
    let mut stage = stage();
    let (server, addr) = stage.server_at(&fresh(), &[]);
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Signal(2));
    assert!(listens(&mut stage, addr, &[]));
}

#[test]
fn a_bound_socket_without_the_option_is_in_the_way_although_nobody_listens() {
    let mut stage = stage();
    let addr = TcpListener::bind(fresh()).unwrap().local_addr().unwrap();
    let bound = start(&mut stage, addr, &["--hold"]);
    stage.wait_line(bound, "bound").unwrap();
    assert!(!listens(&mut stage, addr, REUSE));
}

#[rstest]
#[case::only_the_first(SHARE, &[])]
#[case::only_the_second(&[], SHARE)]
#[case::the_second_asks_for_something_else(SHARE, REUSE)]
fn a_port_is_shared_only_if_both_ask_for_it(#[case] first: &[&str], #[case] second: &[&str]) {
    let mut stage = stage();
    let (_, addr) = stage.server_at(&fresh(), first);
    assert!(!listens(&mut stage, addr, second));
}

#[test]
fn the_listener_of_the_standard_library_has_set_the_option_unasked() {
    let mut stage = stage();
    let listener = TcpListener::bind(fresh()).unwrap();
    let addr = listener.local_addr().unwrap();
    let calling = call(addr);
    drop(listener.accept().unwrap());
    drop(calling);
    drop(listener);
    assert!(!listens(&mut stage, addr, &[]));
    assert!(listens(&mut stage, addr, REUSE));
}
