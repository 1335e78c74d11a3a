//! Questions to the person: what is typed, and what it means.

use std::time::Duration;

use timeline::cable::Action;

use crate::command::Command;

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
            Question::Delay(frame) => Command::Decide(*frame, Action::Delay(time(text)?)),
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
                Command::Decide(*frame, Action::Corrupt(bit))
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
    let nonsense = || "that is no time".to_string();
    let (number, unit) = number(text).ok_or_else(nonsense)?;
    let seconds = match unit.as_str() {
        "" | "ms" => number / 1e3,
        "us" | "µs" => number / 1e6,
        "s" => number,
        _ => return Err(nonsense()),
    };
    let time = Duration::try_from_secs_f64(seconds).map_err(|_| nonsense())?;
    if time > LONGEST_TIME {
        return Err("at most 3600 s".to_string());
    }
    Ok(time)
}

fn percent(text: &str) -> Result<f64, String> {
    let nonsense = || "that is no part of 100".to_string();
    match number(text).ok_or_else(nonsense)? {
        (percent, unit) if matches!(unit.as_str(), "" | "%") => {
            if percent > 100.0 {
                return Err("at most 100".to_string());
            }
            Ok(percent)
        }
        _ => Err(nonsense()),
    }
}

/// None: the cable is as fast as it can be.
fn rate(text: &str) -> Result<Option<u64>, String> {
    let nonsense = || "that is no rate".to_string();
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
            return Err("kbit/s or Mbit/s?".to_string());
        }
        _ => return Err(nonsense()),
    };
    if bits < 1.0 {
        return Err("to cut it: Esc, then c".to_string());
    }
    if bits > 1e12 {
        return Err("at most 1000 Gbit/s".to_string());
    }
    Ok(Some(bits as u64))
}

fn bit(text: &str, bits: u32) -> Result<u32, String> {
    let bit: u32 = text.parse().map_err(|_| "that is no bit".to_string())?;
    if bit >= bits {
        return Err(format!("at most {}", bits - 1));
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

    /// In 80 columns there is room for it beside the question, which has examples.
    #[rstest]
    #[case(Question::Latency, "", "that is no time")]
    #[case(Question::Latency, "soon, perhaps", "that is no time")]
    #[case(Question::Latency, "-5", "that is no time")]
    #[case(Question::Delay(12_345), "2 h", "that is no time")]
    #[case(Question::Delay(12_345), "4000 s", "at most 3600 s")]
    #[case(Question::Loss, "many", "that is no part of 100")]
    #[case(Question::Loss, "101", "at most 100")]
    #[case(Question::Rate, "5", "kbit/s or Mbit/s?")]
    #[case(Question::Rate, "fast", "that is no rate")]
    #[case(Question::Rate, "0 Mbit/s", "to cut it: Esc, then c")]
    #[case(Question::Rate, "2000 Gbit/s", "at most 1000 Gbit/s")]
    fn nonsense_is_refused_with_words_that_are_not_cut(
        #[case] question: Question,
        #[case] typed: &str,
        #[case] words: &str,
    ) {
        let label = Prompt::new(question.clone()).label();
        assert_eq!(answer(question, typed), Err(words.to_string()));
        assert!(label.len() + 1 + typed.len() + 2 + words.len() <= 80);
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
        assert_eq!(question(""), Ok(Command::Decide(4, Action::Corrupt(199))));
        assert_eq!(
            question("319"),
            Ok(Command::Decide(4, Action::Corrupt(319)))
        );
        assert_eq!(question("320"), Err("at most 319".to_string()));
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
