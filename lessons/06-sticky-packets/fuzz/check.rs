// What must hold for any bytes that arrive. The fuzz target calls it with bytes
// of its own invention, and a test of the lesson with those of the corpus.

use std::io::Read;

use lesson_6::framing::{Cut, header};
use lesson_6::message::Request;

/// However the bytes are cut, the same comes of them; and what was understood
/// can be written and is understood again.
pub fn check(data: &[u8]) {
    let asked = requests(data, usize::MAX);
    assert_eq!(asked, requests(data, 1));
    assert_eq!(asked, requests(data, 7));
    for request in asked.iter().filter_map(|asked| asked.as_ref().ok()) {
        let mut bytes = Vec::new();
        header::send_request(&mut bytes, request, |_| {}).unwrap();
        assert_eq!(requests(&bytes, usize::MAX)[0].as_ref(), Ok(request));
    }
    let answered = answers(data, usize::MAX);
    assert_eq!(answered, answers(data, 1));
    assert_eq!(answered, answers(data, 7));
}

/// What a server takes the bytes for, up to where it hangs up.
fn requests(data: &[u8], most: usize) -> Vec<Result<Request, String>> {
    let mut call = Cut::new(data, most);
    let mut asked = Vec::new();
    loop {
        match header::receive_request(&mut call, |_| {}) {
            Ok(Some(request)) => asked.push(request),
            Ok(None) => return asked,
            Err(error) => {
                asked.push(Err(error.to_string()));
                return asked;
            }
        }
    }
}

/// What a client takes the bytes for, up to where it hangs up.
fn answers(data: &[u8], most: usize) -> Vec<String> {
    let mut call = Cut::new(data, most);
    let mut answered = Vec::new();
    loop {
        let said = match header::receive_answer(&mut call, u64::MAX, |_| {}) {
            Ok(Ok(mut incoming)) => {
                let mut body = Vec::new();
                incoming.body.read_to_end(&mut body).unwrap();
                let (name, size, sha256) = (incoming.name, incoming.size, incoming.sha256);
                format!("{name:?} {size} {sha256:?} {body:?}")
            }
            Ok(Err(reason)) => format!("refused: {reason}"),
            Err(error) => {
                answered.push(error.to_string());
                return answered;
            }
        };
        answered.push(said);
    }
}
