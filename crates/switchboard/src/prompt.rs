//! Questions to the person: what is typed, and what it means.

use std::time::Duration;

use crate::command::{Command, What};

/// Longer answers are no answers.
const LONGEST: usize = 500;
/// Beyond this, TCP has given up long ago.
const LONGEST_TIME: Duration = Duration::from_secs(3600);

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// How much later the frame is to go on.
    Delay(u64),
    /// Which bit of the frame is turned over, of how many, and which is proposed.
    Bit {
        frame: u64,
        bits: u32,
        proposed: u32,
    },
    /// Of the cable.
    Latency,
    Loss,
    Rate,
    /// A line for the client program.
    Say,
}

/// A question, and what was typed up to now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) question: Question,
    pub(crate) typed: String,
}

impl Prompt {
    pub(crate) fn new(question: Question) -> Self {
        let typed = String::new();
        Self { question, typed }
    }

    /// What stands before the cursor.
    pub(crate) fn label(&self) -> String {
        match &self.question {
            Question::Delay(frame) => format!("delay packet {frame} by (200 ms, 1.5 s):"),
            Question::Bit {
                frame,
                bits,
                proposed,
            } => {
                let last = bits.saturating_sub(1);
                format!("flip which bit of packet {frame}, 0 to {last} (Enter: {proposed}):")
            }
            Question::Latency => "latency of the cable (20 ms, 0):".to_string(),
            Question::Loss => "packets lost of 100 (5 %, 0):".to_string(),
            Question::Rate => "rate of the cable (1 Mbit/s, 56 kbit/s, off):".to_string(),
            Question::Say => "to the client (Ctrl-D: end of input):".to_string(),
        }
    }

    pub(crate) fn push(&mut self, text: &str) {
        let text = text.chars().filter(|c| !c.is_control());
        for character in text {
            if self.typed.len() + character.len_utf8() <= LONGEST {
                self.typed.push(character);
            }
        }
    }

    pub(crate) fn delete(&mut self) {
        self.typed.pop();
    }

    /// What is to be done.
    ///
    /// # Errors
    /// A sentence, when the answer makes no sense.
    pub(crate) fn answer(&self) -> Result<Command, String> {
        let text = self.typed.trim();
        Ok(match &self.question {
            Question::Delay(frame) => Command::Decide(*frame, What::Delay(time(text)?)),
            Question::Bit {
                frame,
                bits,
                proposed,
            } => {
                let bit = if text.is_empty() {
                    *proposed
                } else {
                    bit(text, *bits)?
                };
                Command::Decide(*frame, What::Flip(bit))
            }
            Question::Latency => Command::Latency(time(text)?),
            Question::Loss => Command::Loss(percent(text)?),
            Question::Rate => Command::Rate(rate(text)?),
            Question::Say => Command::Say(self.typed.clone()),
        })
    }
}

/// A number, and the word behind it in small letters.
fn number(text: &str) -> Option<(f64, String)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let number: f64 = digits.parse().ok()?;
    Some((number, unit.trim().to_lowercase()))
}

/// Milliseconds, where no unit stands.
fn time(text: &str) -> Result<Duration, String> {
    let nonsense = || format!("{text:?} is no time: write 200, 200 ms or 1.5 s");
    let (number, unit) = number(text).ok_or_else(nonsense)?;
    let seconds = match unit.as_str() {
        "" | "ms" => number / 1e3,
        "us" | "µs" => number / 1e6,
        "s" => number,
        _ => return Err(nonsense()),
    };
    let time = Duration::try_from_secs_f64(seconds).map_err(|_| nonsense())?;
    if time > LONGEST_TIME {
        return Err(format!("{text} is too long: at most 3600 s"));
    }
    Ok(time)
}

fn percent(text: &str) -> Result<f64, String> {
    let nonsense = || format!("{text:?} is no part of 100: write 5, 5 % or 0.1 %");
    match number(text).ok_or_else(nonsense)? {
        (percent, unit) if matches!(unit.as_str(), "" | "%") => {
            if percent > 100.0 {
                return Err(format!("{text} is more than all: 0 to 100 packets of 100"));
            }
            Ok(percent)
        }
        _ => Err(nonsense()),
    }
}

/// None: the cable is as fast as it can be.
fn rate(text: &str) -> Result<Option<u64>, String> {
    let nonsense = || format!("{text:?} is no rate: write 1 Mbit/s, 56 kbit/s or off");
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let (number, unit) = number(text).ok_or_else(nonsense)?;
    let bits = match unit.as_str() {
        "bit/s" => number,
        "kbit/s" => number * 1e3,
        "mbit/s" => number * 1e6,
        "gbit/s" => number * 1e9,
        "" => {
            return Err(format!(
                "{text} of what? Write {text} kbit/s or {text} Mbit/s"
            ));
        }
        _ => return Err(nonsense()),
    };
    if bits < 1.0 {
        return Err("that lets nothing through: press c to cut the cable".to_string());
    }
    if bits > 1e12 {
        return Err(format!("{text} is too much: at most 1000 Gbit/s, or off"));
    }
    Ok(Some(bits as u64))
}

fn bit(text: &str, bits: u32) -> Result<u32, String> {
    let bit: u32 = text
        .parse()
        .map_err(|_| format!("{text:?} is no bit: write its number, such as 160"))?;
    if bit >= bits {
        return Err(format!("the packet has bits 0 to {}", bits - 1));
    }
    Ok(bit)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn answer(question: Question, typed: &str) -> Result<Command, String> {
        let typed = typed.to_string();
        Prompt { question, typed }.answer()
    }

    #[rstest]
    #[case("200", 200_000)]
    #[case(" 200 ms ", 200_000)]
    #[case("1.5 s", 1_500_000)]
    #[case("1.5s", 1_500_000)]
    #[case("0", 0)]
    #[case("250 us", 250)]
    fn a_time_is_a_number_with_or_without_a_unit(#[case] typed: &str, #[case] microseconds: u64) {
        let time = Duration::from_micros(microseconds);
        assert_eq!(answer(Question::Latency, typed), Ok(Command::Latency(time)));
    }

    #[rstest]
    #[case(Question::Latency, "", "\"\" is no time: write 200, 200 ms or 1.5 s")]
    #[case(
        Question::Latency,
        "soon",
        "\"soon\" is no time: write 200, 200 ms or 1.5 s"
    )]
    #[case(
        Question::Latency,
        "-5",
        "\"-5\" is no time: write 200, 200 ms or 1.5 s"
    )]
    #[case(
        Question::Delay(1),
        "2 h",
        "\"2 h\" is no time: write 200, 200 ms or 1.5 s"
    )]
    #[case(Question::Delay(1), "4000 s", "4000 s is too long: at most 3600 s")]
    #[case(
        Question::Loss,
        "many",
        "\"many\" is no part of 100: write 5, 5 % or 0.1 %"
    )]
    #[case(Question::Loss, "101", "101 is more than all: 0 to 100 packets of 100")]
    #[case(Question::Rate, "5", "5 of what? Write 5 kbit/s or 5 Mbit/s")]
    #[case(
        Question::Rate,
        "fast",
        "\"fast\" is no rate: write 1 Mbit/s, 56 kbit/s or off"
    )]
    #[case(
        Question::Rate,
        "0 Mbit/s",
        "that lets nothing through: press c to cut the cable"
    )]
    fn nonsense_is_refused_with_a_sentence(
        #[case] question: Question,
        #[case] typed: &str,
        #[case] sentence: &str,
    ) {
        assert_eq!(answer(question, typed), Err(sentence.to_string()));
    }

    #[rstest]
    #[case("1 Mbit/s", Some(1_000_000))]
    #[case("56kbit/s", Some(56_000))]
    #[case("1.5 gbit/s", Some(1_500_000_000))]
    #[case("off", None)]
    fn a_rate_has_a_unit_or_is_off(#[case] typed: &str, #[case] rate: Option<u64>) {
        assert_eq!(answer(Question::Rate, typed), Ok(Command::Rate(rate)));
    }

    #[test]
    fn a_bit_is_one_that_the_packet_has_and_enter_takes_the_proposed_one() {
        let question = |typed| {
            let question = Question::Bit {
                frame: 4,
                bits: 320,
                proposed: 199,
            };
            answer(question, typed)
        };
        assert_eq!(question(""), Ok(Command::Decide(4, What::Flip(199))));
        assert_eq!(question("319"), Ok(Command::Decide(4, What::Flip(319))));
        assert_eq!(
            question("320"),
            Err("the packet has bits 0 to 319".to_string())
        );
        assert!(question("first").is_err());
    }

    #[test]
    fn what_is_typed_holds_no_control_characters_and_does_not_grow_without_end() {
        let mut prompt = Prompt::new(Question::Say);
        prompt.push("你好\x1b[31m\n");
        assert_eq!(prompt.typed, "你好[31m");
        prompt.push(&"x".repeat(10_000));
        assert_eq!(prompt.typed.len(), LONGEST);
    }
}
