//! The models can be laid side by side, as the README says.

use std::fs;

use rstest::rstest;

fn source(model: &str) -> String {
    let path = format!("{}/models/{model}.rs", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).unwrap()
}

/// The function of a model that serves one call.
fn converse(model: &str) -> Vec<String> {
    house::region(&source(model), "converse").unwrap()
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
    assert_eq!(converse(model), converse("one_at_a_time"));
}

#[test]
fn the_conversation_of_a_task_differs_in_async_and_await_only() {
    let without = |model: &str| {
        let code = converse(model).into_iter();
        let code: String = code.filter(|line| !line.starts_with("///")).collect();
        code.replace("async ", "")
            .replace(".await", "")
            .replace("connection: &mut TcpStream", "mut connection: &TcpStream")
    };
    assert_eq!(without("async_tasks"), without("one_at_a_time"));
}
