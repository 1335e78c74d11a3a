//! What the tests share: an address of their own, and a good end.

use std::net::Ipv4Addr;

use house::Rehearsal;
use scene::{Actor, Ending};

/// Port 0 on an address that nobody else uses, so that no other program gets
/// the port between an end and a restart. Scenes take 127.1 and upwards by
/// their process id, tests 127.128 and upwards.
pub fn fresh() -> String {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let ip = if cfg!(target_os = "linux") {
        Ipv4Addr::new(127, 128 | (high % 127), middle, low)
    } else {
        Ipv4Addr::LOCALHOST
    };
    format!("{ip}:0")
}

/// These programs come to a good end.
pub fn end_well(stage: &mut Rehearsal, actors: &[Actor]) {
    for actor in actors {
        let (ending, lines) = stage.ended(*actor);
        assert_eq!(ending, Ending::Status(0), "{lines:?}");
    }
}
