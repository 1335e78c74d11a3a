//! The lesson's own programs pass the checks that others have to pass.

use std::process::Command;

#[test]
fn our_own_server_and_client_pass_all_checks() {
    let check = Command::new(env!("CARGO_BIN_EXE_lesson-2"))
        .arg("check")
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&check.stdout);
    let errors = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success(), "{report}\n{errors}");
}
