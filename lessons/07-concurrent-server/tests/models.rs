//! The models can be laid side by side, as the README says.

use std::fs;

use rstest::rstest;

fn source(model: &str) -> String {
    let path = format!("{}/src/models/{model}.rs", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).unwrap()
}

fn region<'a>(source: &'a str, name: &str) -> &'a str {
    let (_, rest) = source.split_once(&format!("// ANCHOR: {name}\n")).unwrap();
    rest.split_once("// ANCHOR_END").unwrap().0
}

#[rstest]
fn each_has_serve_handle_and_converse_in_this_order(
    #[values("one_at_a_time", "thread_per_client", "thread_pool", "event_loop", "async_tasks")]
    model: &str,
) {
    let source = source(model);
    let places = ["fn serve(", "fn handle(", "fn converse("].map(|name| source.find(name));
    let [Some(serve), Some(handle), Some(converse)] = places else {
        panic!("{places:?}");
    };
    assert!(serve < handle && handle < converse);
}

#[rstest]
fn the_conversation_in_a_thread_is_the_same_letter_for_letter(
    #[values("thread_per_client", "thread_pool")] model: &str,
) {
    let first = source("one_at_a_time");
    assert_eq!(
        region(&source(model), "converse"),
        region(&first, "converse")
    );
}

#[test]
fn the_conversation_of_a_task_differs_in_async_and_await_only() {
    let without = |source: &str| {
        let code = region(source, "converse").lines();
        let code = code.filter(|line| !line.starts_with("///"));
        let code: String = code.collect();
        code.replace("async ", "")
            .replace(".await", "")
            .replace("connection: &mut TcpStream", "mut connection: &TcpStream")
    };
    let (task, thread) = (source("async_tasks"), source("one_at_a_time"));
    assert_eq!(without(&task), without(&thread));
}
