//! A README that keeps its word passes, and one that does not is told where.

use std::fs;

use house::Readme;
use rstest::rstest;

/// A lesson made of shell: the server tells its port and waits for its input to
/// end, the client repeats its arguments. It is not written by the test: a file
/// that is still open for writing, in a child of another test, cannot be executed.
const LESSON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lesson.sh");

fn check(readme: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("README.md"), readme).unwrap();
    fs::write(
        folder.path().join("code.rs"),
        "// ANCHOR: a\n    one\n\n      two\n// ANCHOR_END: a\n\
         mod m {\n    /// Says c.\n    pub fn c(x: u8) {\n        x\n    }\n}\n",
    )
    .unwrap();
    let readme = Readme::of(folder.path()).lesson(LESSON);
    let checked = std::panic::catch_unwind(|| readme.check());
    checked.map_err(|panic| *panic.downcast::<String>().unwrap())
}

const SERVER: &str = "## Part\n```console\n$ cargo run -q -p lesson-9 server\n\
                      listening on 127.0.0.1:8081\ntook 3 ms\n```\n";

#[rstest]
#[case::a_server_with_other_ports_and_times(SERVER.to_string())]
#[case::a_client_gets_the_port_of_the_server(format!(
    "{SERVER}```console\n$ cargo run -q -p lesson-9 client --addr 127.0.0.1:8081\n\
     client --addr 127.0.0.1:8081\n```\n"
))]
#[case::a_client_without_an_address_gets_the_servers(format!(
    "{SERVER}```console\n$ cargo run -q -p lesson-9 client\nclient --addr 127.0.0.1:8081\n```\n"
))]
#[case::input_from_printf(
    "```console\n$ printf 'a b\\nc\\n' | cargo run -q -p lesson-9 client --addr x\n\
     client --addr x\na b\nc\n```\n".to_string()
)]
#[case::a_folder_to_save_into_is_empty_in_each_section(
    "## One\n```console\n$ cargo run -q -p lesson-9 client --addr x --into target\n\
     client --addr x --into target\n```\n\
     ```console\n$ cargo run -q -p lesson-9 client --addr y --into target\n\
     client --addr y --into target\nsaved\n```\n\
     ## Two\n```console\n$ cargo run -q -p lesson-9 client --addr x --into target\n\
     client --addr x --into target\n```\n".to_string()
)]
#[case::lines_left_out("```console\n$ cargo run -p lesson-9\n[…]\n```\n".to_string())]
#[case::a_quote("<!-- quote code.rs#a -->\n```rust\none\n\n  two\n```\n".to_string())]
#[case::a_function(
    "<!-- quote code.rs#c -->\n```rust\n/// Says c.\npub fn c(x: u8) {\n    x\n}\n```\n".to_string()
)]
#[case::a_fence_of_another_kind("```sh\n$ rm -rf nothing\n```\n".to_string())]
fn it_passes(#[case] readme: String) {
    check(&readme).unwrap();
}

#[rstest]
#[case::other_output(
    "```console\n$ cargo run -p lesson-9\nan opera\n```\n",
    "-an opera\n+a scene"
)]
#[case::a_line_too_few("```console\n$ cargo run -p lesson-9\n```\n", "+a scene")]
#[case::another_quote("<!-- quote code.rs#a -->\n```rust\none\n```\n", "code.rs#a")]
#[case::another_function("<!-- quote code.rs#c -->\n```rust\n```\n", "code.rs#c")]
#[case::a_region_that_is_gone("<!-- quote code.rs#b -->\n```rust\n```\n", "no region b")]
#[case::no_command_of_ours("```console\n$ rm -rf nothing\n```\n", "not run by cargo")]
fn it_is_told_where_it_is_wrong(#[case] readme: &str, #[case] expected: &str) {
    let told = check(readme).unwrap_err();
    assert!(told.contains(expected), "{told}");
}
