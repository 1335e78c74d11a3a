//! The options of a TCP segment: RFC 9293, section 3.2, and the RFC of each.

use timeline::packet::TcpOptions;

use super::{half, word};

/// Those before the first that is broken; what follows it cannot be read.
pub(super) fn options(mut bytes: &[u8]) -> TcpOptions {
    let mut options = TcpOptions::default();
    while let [kind, rest @ ..] = bytes {
        match kind {
            0 => break,        // the end
            1 => bytes = rest, // nothing, so that the next one begins at a word
            _ => match option(bytes) {
                Some((value, rest)) => {
                    note(&mut options, *kind, value);
                    bytes = rest;
                }
                None => break,
            },
        }
    }
    options
}

/// The value of the first option, and what follows it. Its length, which stands
/// behind its kind, counts both.
fn option(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(*bytes.get(1)?);
    Some((bytes.get(2..length)?, bytes.get(length..)?))
}

fn note(options: &mut TcpOptions, kind: u8, value: &[u8]) {
    match (kind, value.len()) {
        (2, 2) => options.maximum_segment_size = Some(half(value, 0)),
        // RFC 7323.
        (3, 1) => options.window_scale = Some(value[0]),
        // RFC 2018.
        (4, 0) => options.sack_permitted = true,
        (5, _) => {
            let blocks = value.chunks_exact(8);
            options.sack = blocks
                .map(|block| (word(block, 0), word(block, 4)))
                .collect();
        }
        _ => {}
    }
}
