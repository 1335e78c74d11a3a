//! What the callers say, and which answer is right.

use super::Plan;

/// After so many bytes the text repeats itself.
const PERIOD: usize = 65_536;

/// What the callers say: one long text of letters and digits, in which each
/// message of each caller begins at another place. So a byte that is lost,
/// doubled, or someone else's does not fit, and nothing has to be stored.
pub struct Text {
    asked: Vec<u8>,
    wanted: Vec<u8>,
}

impl Text {
    pub fn new(plan: &Plan) -> Self {
        let letters = b"abcdefghijklmnopqrstuvwxyz234567";
        let length = PERIOD + plan.size.min(PERIOD);
        let asked: Vec<u8> = (0..length)
            .map(|place| letters[(mix(place % PERIOD) % letters.len() as u64) as usize])
            .collect();
        let wanted = match plan.upper {
            true => asked.to_ascii_uppercase(),
            false => asked.clone(),
        };
        Self { asked, wanted }
    }

    /// The rest of a message from this place on, or as much as lies together.
    pub fn asked(&self, client: usize, message: usize, place: usize, size: usize) -> &[u8] {
        let start = start(client, message, place);
        let end = self.asked.len().min(start + (size - place));
        &self.asked[start..end]
    }

    /// Are these bytes the answer from this place on?
    pub fn fits(&self, client: usize, message: usize, mut place: usize, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let start = start(client, message, place);
            let length = bytes.len().min(self.wanted.len() - start);
            let (now, later) = bytes.split_at(length);
            if now != &self.wanted[start..start + length] {
                return false;
            }
            bytes = later;
            place += length;
        }
        true
    }
}

fn start(client: usize, message: usize, place: usize) -> usize {
    let shift = mix(client.wrapping_mul(1_000_003).wrapping_add(message));
    (shift as usize).wrapping_add(place) % PERIOD
}

/// SplitMix64: the same number in, the same disorder out, in each run.
fn mix(number: usize) -> u64 {
    let mut mixed = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn text(size: usize, upper: bool) -> Text {
        Text::new(&Plan {
            addr: ([127, 0, 0, 1], 1).into(),
            udp: false,
            clients: 1,
            messages: 1,
            size,
            upper,
            think: Duration::ZERO,
            deadline: Duration::ZERO,
        })
    }

    /// A whole message, put together from pieces.
    fn message(text: &Text, client: usize, number: usize, size: usize) -> Vec<u8> {
        let mut message = Vec::new();
        while message.len() < size {
            message.extend(text.asked(client, number, message.len(), size));
        }
        message
    }

    #[test]
    fn the_right_answer_fits_however_it_is_cut_also_over_the_end_of_the_period() {
        let size = 3 * PERIOD + 5;
        let text = text(size, true);
        let answer = message(&text, 7, 3, size).to_ascii_uppercase();
        assert_eq!(answer.len(), size);
        for length in [1, 4096, PERIOD, size] {
            let mut place = 0;
            for piece in answer.chunks(length) {
                assert!(text.fits(7, 3, place, piece));
                place += piece.len();
            }
        }
    }

    #[test]
    fn another_byte_another_message_and_another_client_do_not_fit() {
        let text = text(64, false);
        let mut answer = message(&text, 7, 3, 64);
        assert!(text.fits(7, 3, 0, &answer));
        assert!(!text.fits(7, 4, 0, &answer));
        assert!(!text.fits(8, 3, 0, &answer));
        assert!(!text.fits(7, 3, 1, &answer));
        answer[63] ^= 1;
        assert!(!text.fits(7, 3, 0, &answer));
    }
}
