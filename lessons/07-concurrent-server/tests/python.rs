//! Two Python programs call at the same time.

use rstest::rstest;
use scene::{Ending, Program};

use crate::common::{server, stage};

#[rstest]
#[ignore = "needs python3"]
fn two_python_clients_talk_to_our_server_at_the_same_time(
    #[values("thread-per-client", "thread-pool", "event-loop", "async")] model: &str,
) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--model", model]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/client.py");
    let words = [script, &addr.ip().to_string(), &addr.port().to_string()];
    let client = Program::new("python3").args(words);
    let clients = [(); 2].map(|()| stage.start("client", &client).unwrap());
    for word in ["hello", "你好 a"] {
        for client in clients {
            stage.tell(client, word).unwrap();
            stage.wait_line(client, &word.to_ascii_uppercase()).unwrap();
        }
    }
    for client in clients {
        stage.tell(client, "quit").unwrap();
        assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    }
}
