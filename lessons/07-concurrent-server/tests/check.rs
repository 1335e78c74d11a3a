//! The lesson's own programs pass the checks that others have to pass, and the
//! checks tell wrong programs from right ones.

use std::process::Command;

use house::Matrix;

#[test]
fn our_own_server_and_client_pass_all_checks() {
    let check = Command::new(env!("CARGO_BIN_EXE_lesson-7")).arg("check").output().unwrap();
    let report = String::from_utf8_lossy(&check.stdout);
    let errors = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success(), "{report}\n{errors}");
}

#[test]
#[ignore = "needs python3, cc and namespaces"]
fn each_wrong_program_is_caught_and_each_right_one_passes() {
    Matrix::of(env!("CARGO_MANIFEST_DIR"), env!("CARGO_BIN_EXE_lesson-7")).check();
}
