//! Reserved ports, seen without privilege. The one test of this file plays as
//! another user when it is root. It is alone here because it executes a copy of
//! a program: while another thread starts a process, a file that was written
//! until now can still be busy.
#![cfg(target_os = "linux")]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

mod common;

use common::{SCENE, finish, fresh};

/// By custom this user owns nothing.
const NOBODY: u32 = 65534;

#[test]
fn below_the_first_unprivileged_port_bind_is_denied_and_from_it_on_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let open_to_all = Permissions::from_mode(0o755);
    fs::set_permissions(folder.path(), open_to_all.clone()).unwrap();
    let program = folder.path().join("lesson-4");
    fs::copy(SCENE, &program).unwrap();
    fs::set_permissions(&program, open_to_all).unwrap();

    let setting = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    let first_free: u16 = fs::read_to_string(setting).unwrap().trim().parse().unwrap();
    if first_free > 1 {
        let addr = SocketAddr::new(fresh().ip(), first_free - 1);
        let output = finish(unprivileged(
            &program,
            &["server", "--addr", &addr.to_string()],
        ));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(
            error.starts_with(&format!("bind {addr}: permission denied")),
            "{error}"
        );
        assert!(error.contains("1024 up"), "{error}");
    }

    let addr = SocketAddr::new(fresh().ip(), first_free.max(1));
    let mut server = unprivileged(&program, &["server", "--addr", &addr.to_string()]);
    let mut said = String::new();
    let mut stdout = BufReader::new(server.stdout.take().unwrap());
    stdout.read_line(&mut said).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(said, format!("listening on {addr}\n"));

    // The scene says what it found, so without privilege it says something else.
    let scene = finish(unprivileged(&program, &["--xray", "off"]));
    assert!(scene.status.success());
    let scene = String::from_utf8(scene.stdout).unwrap();
    assert_eq!(scene.contains("permission denied (os"), first_free > 1);
    assert_eq!(scene.contains("are reserved: bind"), first_free > 1);
    assert_eq!(scene.contains("Port 1 is no error"), first_free <= 1);
}

/// As root, run it as nobody; otherwise as who we are.
fn unprivileged(program: &Path, args: &[&str]) -> Child {
    let spawn = |command: &mut Command| {
        command.args(args).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn()
    };
    match spawn(Command::new(program).uid(NOBODY).gid(NOBODY)) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            spawn(&mut Command::new(program)).unwrap()
        }
        child => child.unwrap(),
    }
}
