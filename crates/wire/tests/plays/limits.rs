//! How much it bears, and as whom it works.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use wire::{Open, Settings, Side, Wire};

use super::counters::counters;
use super::lab::again;
use crate::harness::{PLAY, Play, plays};

pub const PLAYS: &[Play] = plays![
    no_frame_is_lost_by_us_among_very_many,
    it_works_without_any_privilege,
    it_works_without_being_prepared,
];

/// How many frames are sent; for a million: `DIALTONE_PACKETS=1000000`.
const PACKETS: &str = "DIALTONE_PACKETS";

fn no_frame_is_lost_by_us_among_very_many() {
    kernel::network::enter_private().unwrap();
    let wanted = std::env::var(PACKETS).ok();
    let wanted: usize = wanted.map_or(100_000, |text| text.parse().unwrap());
    let mut wire = Wire::new().unwrap();
    let control = wire.plug(Open, Settings::default(), |_| {}).unwrap();
    let host = |side| wire.host(side).clone();
    let listen = || TcpListener::bind("10.0.0.1:8081");
    let listener = host(Side::Server).inside(listen).unwrap();
    let connect = || TcpStream::connect("10.0.0.1:8081");
    let mut client = host(Side::Client).inside(connect).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let reader = thread::spawn(move || {
        let mut buffer = vec![0; 1 << 20];
        while again(|| server.read(&mut buffer)).unwrap() > 0 {}
    });
    let block = vec![0; 1448 * 100];
    for _ in 0..wanted.div_ceil(100) {
        client.write_all(&block).unwrap();
    }
    client.shutdown(std::net::Shutdown::Write).unwrap();
    reader.join().unwrap();
    let of = |side, name| counters(wire.host(side))[name];
    // The last acknowledgement is on its way when the reader ends.
    let deadline = Instant::now() + Duration::from_secs(5);
    // RFC 4022: what is only sent again does not count as OutSegs. On a busy machine an
    // acknowledgement can be late enough for that.
    let kernels = |from: Side| {
        let sent = of(from, "Tcp.OutSegs") + of(from, "Tcp.RetransSegs");
        (sent, of(from.other(), "Tcp.InSegs"))
    };
    let cables = |from| {
        let counts = control.counts(from);
        (counts.came, counts.delivered)
    };
    while Side::BOTH
        .into_iter()
        .any(|from| kernels(from) != cables(from))
    {
        assert!(
            Instant::now() < deadline,
            "{:?}, {:?}",
            Side::BOTH.map(kernels),
            Side::BOTH.map(cables)
        );
    }
    for counts in Side::BOTH.map(|from| control.counts(from)) {
        assert_eq!((counts.lost, counts.dropped, counts.waiting), (0, 0, 0));
    }
    assert!(control.counts(Side::Client).came >= wanted as u64);
}

/// Another play, as a user that may do nothing.
fn it_works_without_any_privilege() {
    if kernel::process::user() != 0 {
        return super::hosts::a_talk_crosses_the_cable_and_nothing_else_does();
    }
    // Where nobody may read our folder, nobody may start our program either.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("plays");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    for play in [
        "a_talk_crosses_the_cable_and_nothing_else_does",
        "the_names_server_and_client_are_known_on_both_hosts",
        "a_program_that_says_127_0_0_1_runs_unchanged",
        "a_dropped_segment_comes_again_after_its_timeout",
        "a_value_is_set_on_one_host_alone",
    ] {
        let mut nobody = Command::new("setpriv");
        nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
        let output = nobody.arg(&copy).env(PLAY, play).current_dir("/").output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{play}: {said}");
    }
}

fn it_works_without_being_prepared() {
    let mut wire = Wire::new().unwrap();
    wire.plug(Open, Settings::default(), |_| {}).unwrap();
    let bind = |addr: &'static str| move || UdpSocket::bind(addr);
    let server = wire.host(Side::Server).inside(bind("10.0.0.1:7788"));
    let client = wire.host(Side::Client).inside(bind("0.0.0.0:0")).unwrap();
    let server = server.unwrap();
    let patience = Some(Duration::from_secs(20));
    server.set_read_timeout(patience).unwrap();
    client.send_to(b"x", "10.0.0.1:7788").unwrap();
    assert_eq!(again(|| server.recv(&mut [0; 9])).unwrap(), 1);
}
