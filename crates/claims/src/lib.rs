//! What tutorials assert about sockets, run and judged.
//!
//! `docs/claims.md` holds one row for each claim: what is said, the verdict,
//! the reason, and the name of a test. The tests of this package are the
//! experiments. None of them knows its verdict: it runs real sockets, says case
//! by case whether the claim held, and hands the cases to [`judge!`], which
//! compares them with the document. So a wrong word in the document and a
//! kernel that behaves differently are found in the same way.
//!
//! Reading order: [`Judgement`], [`Case`] and [`judge!`] here, the table's parser
//! in [`table`], what the experiments share in [`lab`], then `tests/`.

pub mod lab;
pub mod table;

use std::{fmt, path::PathBuf};

use anyhow::{Context, Result};

/// What is to be thought of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The claim held in every case that was run.
    True,
    /// The claim held in no case that was run.
    False,
    /// The claim held in some cases and not in others.
    Depends,
}

impl Judgement {
    /// The verdict that follows from the cases. This is the only place where
    /// one is made.
    ///
    /// # Panics
    ///
    /// When there is no case: then nothing was observed.
    pub fn of(cases: &[Case]) -> Self {
        assert!(!cases.is_empty(), "a verdict needs at least one case");
        match cases.iter().filter(|case| case.held).count() {
            0 => Judgement::False,
            held if held == cases.len() => Judgement::True,
            _ => Judgement::Depends,
        }
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Judgement::True => "true",
            Judgement::False => "false",
            Judgement::Depends => "depends",
        })
    }
}

/// One thing that was run, and whether the claim held in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Whether what happened is what the claim says.
    pub held: bool,
    /// What happened, for the person who reads a failure.
    pub seen: String,
}

/// A [`Case`]: `held` is computed from the run, `seen` says what was observed.
pub fn case(held: bool, seen: impl Into<String>) -> Case {
    Case {
        held,
        seen: seen.into(),
    }
}

/// A [`Case`] whose `seen` is put together as by `format!`.
#[macro_export]
macro_rules! case {
    ($held:expr, $($seen:tt)+) => {
        $crate::case($held, format!($($seen)+))
    };
}

/// Compares what an experiment saw with the verdict in `docs/claims.md`: with that
/// of the row which names the function that judges.
#[macro_export]
macro_rules! judge {
    ($cases:expr) => {{
        // Its full name begins with that of the function in which it stands.
        fn here() {}
        $crate::judge(std::any::type_name_of_val(&here), $cases)
    }};
}

/// Does the work of [`judge!`]; `place` is the full name of something in the test.
///
/// # Errors
///
/// When the document gives another verdict for this test, does not know the
/// test, or has another form. The message tells what was observed.
pub fn judge(place: &str, cases: impl IntoIterator<Item = Case>) -> Result<()> {
    let cases: Vec<Case> = cases.into_iter().collect();
    let rows = table::parse(&document()).context("docs/claims.md")?;
    let test = place.rsplit("::").nth(1).unwrap_or(place);
    compare(&rows, test, &cases).map_err(anyhow::Error::msg)
}

/// The text of `docs/claims.md`. It is read when a test runs, so that an edited
/// document is judged without a new build.
///
/// # Panics
///
/// When the file cannot be read.
pub fn document() -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "docs", "claims.md"]
        .iter()
        .collect();
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

fn compare(rows: &[table::ClaimRow], test: &str, cases: &[Case]) -> Result<(), String> {
    let row = rows
        .iter()
        .find(|row| row.test == test)
        .ok_or_else(|| format!("docs/claims.md has no row for the test `{test}`"))?;
    let observed = Judgement::of(cases);
    if observed == row.verdict {
        return Ok(());
    }
    let mut difference = format!(
        "docs/claims.md:{line} calls this claim {written}, but this run shows {observed}.\n\
         claim: {claim}\nobserved:\n",
        line = row.line,
        written = row.verdict,
        claim = row.claim,
    );
    for case in cases {
        let held = if case.held { "held    " } else { "not held" };
        difference.push_str(&format!("  {held}  {}\n", case.seen));
    }
    Err(difference)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn row(verdict: Judgement) -> table::ClaimRow {
        table::ClaimRow {
            line: 7,
            theme: "Time".into(),
            claim: "Clocks stop.".into(),
            verdict,
            platform: table::Platform::Any,
            why: "They do not.".into(),
            test: "clocks_stop".into(),
        }
    }

    #[rstest]
    #[case::in_every_case(true, true, Judgement::True)]
    #[case::in_no_case(false, false, Judgement::False)]
    #[case::in_some_cases(true, false, Judgement::Depends)]
    fn the_verdict_says_in_which_cases_a_claim_held(
        #[case] one: bool,
        #[case] other: bool,
        #[case] verdict: Judgement,
    ) {
        assert_eq!(Judgement::of(&[case(one, "a"), case(other, "b")]), verdict);
    }

    const AS_WRITTEN: &str = "";
    const OTHERWISE: &str = "docs/claims.md:7 calls this claim true, but this run shows false.\n\
                             claim: Clocks stop.\n\
                             observed:\n  not held  the clock went on\n";
    const NO_ROW: &str = "docs/claims.md has no row for the test `clocks_run`";

    #[rstest]
    #[case::the_same_verdict(Judgement::False, "clocks_stop", AS_WRITTEN)]
    #[case::another_with_its_line_and_what_was_seen(Judgement::True, "clocks_stop", OTHERWISE)]
    #[case::no_row(Judgement::True, "clocks_run", NO_ROW)]
    fn a_run_is_compared_with_the_document(
        #[case] written: Judgement,
        #[case] test: &str,
        #[case] difference: &str,
    ) {
        let compared = compare(&[row(written)], test, &[case(false, "the clock went on")]);
        assert_eq!(compared.err().unwrap_or_default(), difference);
    }
}
