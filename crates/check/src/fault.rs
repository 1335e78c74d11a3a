//! Why a check is not passed: a fault of the program, or one of ours.

use std::io;

use crate::bytes::counted;

/// What a check comes to.
pub type Verdict<T = ()> = Result<T, Fault>;

/// Why it is not passed.
#[derive(Debug)]
pub enum Fault {
    /// The program did something else than it should.
    Program(Box<Contrast>),
    /// We could not find out: a fault of the checker or of the machine.
    Checker(anyhow::Error),
}

/// What was expected, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contrast {
    /// In words.
    Words {
        /// What a right program does.
        expected: String,
        /// What this one did.
        seen: String,
        /// The usual cause, if it is not that of the check.
        cause: Option<String>,
    },
    /// Bytes, which differ somewhere.
    Bytes {
        /// All that should have come.
        expected: Vec<u8>,
        /// What came.
        seen: Vec<u8>,
        /// What came then, such as "the end of the stream"; empty when the
        /// bytes that came are wrong already.
        then: String,
    },
}

impl Contrast {
    /// In words; the cause is the check's.
    pub(crate) fn words(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::Words {
            expected: expected.into(),
            seen: seen.into(),
            cause: None,
        }
    }

    /// What was seen, in words.
    pub(crate) fn seen(&self) -> String {
        match self {
            Contrast::Words { seen, .. } => seen.clone(),
            Contrast::Bytes { seen, .. } => counted(seen),
        }
    }

    /// Whether the same was expected. What was seen can differ in its detail,
    /// such as in how much had come when the time was over.
    pub(crate) fn is_like(&self, other: &Contrast) -> bool {
        match (self, other) {
            (Contrast::Words { expected, .. }, Contrast::Words { expected: same, .. }) => {
                expected == same
            }
            (Contrast::Bytes { expected, .. }, Contrast::Bytes { expected: same, .. }) => {
                expected == same
            }
            _ => false,
        }
    }
}

impl Fault {
    /// The program did something else than it should; in words.
    pub fn program(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::Program(Box::new(Contrast::words(expected, seen)))
    }

    /// The program did not even come to the matter of the check.
    pub(crate) fn before(expected: &str, seen: String, cause: &str) -> Self {
        Self::Program(Box::new(Contrast::Words {
            expected: expected.into(),
            seen,
            cause: Some(cause.into()),
        }))
    }

    /// Other bytes came than those that should.
    pub fn bytes(
        expected: impl Into<Vec<u8>>,
        seen: impl Into<Vec<u8>>,
        then: impl Into<String>,
    ) -> Self {
        Self::Program(Box::new(Contrast::Bytes {
            expected: expected.into(),
            seen: seen.into(),
            then: then.into(),
        }))
    }
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Self::Checker(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Checker(error.into())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Contrast as C;
    use super::*;

    fn bytes(expected: &[u8], seen: &[u8]) -> Contrast {
        Contrast::Bytes {
            expected: expected.into(),
            seen: seen.into(),
            then: String::new(),
        }
    }

    #[rstest]
    #[case::seen_differs(C::words("an end", "a reset"), C::words("an end", "silence"), true)]
    #[case::expected_differs(C::words("an end", "x"), C::words("a call", "x"), false)]
    #[case::bytes_came_differ(bytes(b"abc", b"a"), bytes(b"abc", b""), true)]
    #[case::bytes_expected_differ(bytes(b"abc", b"a"), bytes(b"abd", b"a"), false)]
    #[case::words_and_bytes(C::words("abc", "a"), bytes(b"abc", b"a"), false)]
    fn two_failures_are_alike_when_the_same_was_expected(
        #[case] one: Contrast,
        #[case] other: Contrast,
        #[case] alike: bool,
    ) {
        assert_eq!(one.is_like(&other), alike);
    }
}
