//! What a lesson's checks are: plain values.

use std::time::Duration;

use crate::bench::Bench;
use crate::fault::Verdict;
use crate::setup::Of;

/// All checks of one lesson.
#[derive(Debug)]
pub struct Lesson {
    /// Its number; the addresses of its checks begin with it.
    pub number: u32,
    /// The port that its programs take when nobody names one. A program under
    /// test that ignores the address it was given will be there.
    pub port: u16,
    /// How the lesson's own server is started: arguments of the own executable.
    pub server: &'static str,
    /// How the lesson's own client is started.
    pub client: &'static str,
    /// The checks, in the order in which they are run: easy ones first.
    pub checks: &'static [Check],
}

/// One check.
#[derive(Debug)]
pub struct Check {
    /// `LESSON/GROUP/NAME`, such as `6/frames/one-byte-at-a-time`.
    pub address: &'static str,
    /// What a right program does, as a sentence.
    pub behaviour: &'static str,
    /// Whom it is about.
    pub of: Of,
    /// What is done.
    pub run: fn(&mut Bench) -> Verdict,
    /// Why programs usually fail it.
    pub cause: &'static str,
    /// Where it is taught: a file, and a place in it.
    pub taught: &'static str,
    /// Hints, from where to look to how.
    pub hints: &'static [&'static str],
    /// How long all of it may take.
    pub limit: Duration,
    /// Whether it is about calls themselves, and needs the X-ray.
    pub observed: bool,
}

impl Check {
    /// How long a check may take if nothing else is said.
    pub const LIMIT: Duration = Duration::from_secs(20);

    /// A check of a server, without explanations yet.
    pub const fn server(
        address: &'static str,
        behaviour: &'static str,
        run: fn(&mut Bench) -> Verdict,
    ) -> Self {
        Self {
            address,
            behaviour,
            of: Of::Server,
            run,
            cause: "",
            taught: "",
            hints: &[],
            limit: Self::LIMIT,
            observed: false,
        }
    }

    /// A check of a client.
    pub const fn client(
        address: &'static str,
        behaviour: &'static str,
        run: fn(&mut Bench) -> Verdict,
    ) -> Self {
        Self {
            of: Of::Client,
            ..Self::server(address, behaviour, run)
        }
    }

    /// A check of a server and a client that talk with each other.
    pub const fn both(
        address: &'static str,
        behaviour: &'static str,
        run: fn(&mut Bench) -> Verdict,
    ) -> Self {
        Self {
            of: Of::Both,
            ..Self::server(address, behaviour, run)
        }
    }

    /// The usual cause of a failure, and where the matter is taught.
    #[must_use]
    pub const fn because(mut self, cause: &'static str, taught: &'static str) -> Self {
        self.cause = cause;
        self.taught = taught;
        self
    }

    /// Hints for those who ask, from where to look to how.
    #[must_use]
    pub const fn hints(mut self, hints: &'static [&'static str]) -> Self {
        self.hints = hints;
        self
    }

    /// A check that needs more time than others.
    #[must_use]
    pub const fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// A check that looks at the calls of a program, or changes them.
    #[must_use]
    pub const fn observed(mut self) -> Self {
        self.observed = true;
        self
    }

    /// Whether `part` names this check or a group that it is in.
    pub fn is_in(&self, part: &str) -> bool {
        let part = part.trim_end_matches('/');
        self.address
            .strip_prefix(part)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::itself("6/frames/glued", true)]
    #[case::group("6/frames", true)]
    #[case::group_with_a_slash("6/frames/", true)]
    #[case::lesson("6", true)]
    #[case::half_a_word("6/fra", false)]
    #[case::more("6/frames/glued/x", false)]
    #[case::other("6/forced", false)]
    fn a_part_names_a_check_or_a_group_by_whole_words(#[case] part: &str, #[case] is_in: bool) {
        let check = Check::server("6/frames/glued", "two messages in one piece", |_| Ok(()));
        assert_eq!(check.is_in(part), is_in);
    }
}
