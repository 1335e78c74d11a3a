//! The tables of `docs/claims.md`, read without any help of a Markdown library:
//! the form is narrow on purpose, and whatever leaves it is an error with its
//! line number.
//!
//! ```text
//! ## Time
//!
//! | claim | verdict | why | test |
//! |---|---|---|---|
//! | <a id="clocks-stop"></a>Clocks stop. | **false** (Linux) | They go on. | `clocks_stop` |
//! ```

use anyhow::{Context, Result, bail, ensure};

use crate::Judgement;

/// One claim of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRow {
    /// Line of the document, counted from 1.
    pub line: usize,
    /// The heading above the table.
    pub theme: String,
    /// What tutorials say.
    pub claim: String,
    /// What is to be thought of it.
    pub verdict: Judgement,
    /// Where the fact was found, and where its test is built.
    pub platform: Platform,
    /// The reason for the verdict.
    pub why: String,
    /// The test that shows it.
    pub test: String,
}

/// Where a claim can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// The row carries no mark.
    Any,
    /// The row is marked `(Unix)`: what it needs is missing elsewhere.
    Unix,
    /// The row is marked `(Linux)`: the fact is one of Linux.
    Linux,
}

const HEADER: [&str; 4] = ["claim", "verdict", "why", "test"];

/// Reads all rows of all tables.
///
/// # Errors
///
/// The first line that has not the form: a table without a heading, with other
/// columns, a row with other cells, a verdict that is none, an anchor that does
/// not follow from the test's name, or a test that has a row already.
pub fn parse(text: &str) -> Result<Vec<ClaimRow>> {
    let mut rows: Vec<ClaimRow> = Vec::new();
    let mut theme = None;
    // How many lines of the present table were seen: the first is its header,
    // the second the rule under it.
    let mut depth = 0;
    for (line, content) in (1..).zip(text.lines()) {
        if let Some(heading) = content.strip_prefix("## ") {
            theme = Some(heading.trim());
        }
        if !content.starts_with('|') {
            depth = 0;
            continue;
        }
        depth += 1;
        let found = match (theme, depth) {
            (None, _) => bail!("line {line}: a table before the first `## ` heading"),
            (_, 1) => header(content),
            (_, 2) => rule(content),
            (Some(theme), _) => row(line, theme, content).and_then(|row| add(&mut rows, row)),
        };
        found.map_err(|problem| problem.context(format!("line {line}")))?;
    }
    Ok(rows)
}

fn add(rows: &mut Vec<ClaimRow>, row: ClaimRow) -> Result<()> {
    if let Some(twin) = rows.iter().find(|other| other.test == row.test) {
        bail!("`{}` has a row already, in line {}", row.test, twin.line);
    }
    rows.push(row);
    Ok(())
}

fn header(line: &str) -> Result<()> {
    let (usual, cells) = (HEADER.join(", "), cells(line).join(", "));
    ensure!(cells == usual, "the columns are {usual}, not {cells}");
    Ok(())
}

fn rule(line: &str) -> Result<()> {
    let ruled = |cell: &String| !cell.is_empty() && cell.chars().all(|c| c == '-' || c == ':');
    let cells = cells(line);
    let is_rule = cells.len() == HEADER.len() && cells.iter().all(ruled);
    ensure!(is_rule, "expected `|---|---|---|---|` under the header");
    Ok(())
}

fn row(line: usize, theme: &str, content: &str) -> Result<ClaimRow> {
    let cells = cells(content);
    let [claim, verdict, why, test] = cells.as_slice() else {
        bail!("a row has 4 cells, this one {}", cells.len());
    };
    ensure!(!why.is_empty(), "the reason is missing");
    let test = test_name(test)?;
    let (anchor, claim) = anchor_and_claim(claim)?;
    let expected = test.replace('_', "-");
    ensure!(
        anchor == expected,
        "the anchor of `{test}` is {expected:?}, not {anchor:?}"
    );
    let (verdict, platform) = verdict_and_platform(verdict)?;
    Ok(ClaimRow {
        line,
        theme: theme.into(),
        claim,
        verdict,
        platform,
        why: why.clone(),
        test,
    })
}

fn test_name(cell: &str) -> Result<String> {
    cell.strip_prefix('`')
        .and_then(|rest| rest.strip_suffix('`'))
        .filter(|name| !name.is_empty())
        .filter(|name| name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()))
        .map(String::from)
        .with_context(|| format!("expected a test's name in code font, not {cell:?}"))
}

fn anchor_and_claim(cell: &str) -> Result<(String, String)> {
    cell.strip_prefix("<a id=\"")
        .and_then(|rest| rest.split_once("\"></a>"))
        .map(|(anchor, claim)| (anchor.to_string(), claim.trim().to_string()))
        .filter(|(_, claim)| !claim.is_empty())
        .with_context(|| format!("expected `<a id=\"…\"></a>` and a claim, not {cell:?}"))
}

fn verdict_and_platform(cell: &str) -> Result<(Judgement, Platform)> {
    let (verdict, mark) = cell.split_once(' ').unwrap_or((cell, ""));
    let verdict = match verdict {
        "**true**" => Judgement::True,
        "**false**" => Judgement::False,
        "**depends**" => Judgement::Depends,
        _ => bail!("a verdict is **true**, **false** or **depends**, not {verdict:?}"),
    };
    let platform = match mark {
        "" => Platform::Any,
        "(Unix)" => Platform::Unix,
        "(Linux)" => Platform::Linux,
        _ => bail!("a mark is (Linux) or (Unix), not {mark:?}"),
    };
    Ok((verdict, platform))
}

/// The cells of a table line, trimmed. A bar inside a cell is written `\|`, as
/// GitHub wants it.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim_end();
    let inner = line.strip_prefix('|').unwrap_or(line);
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    inner
        .replace("\\|", "\0")
        .split('|')
        .map(|cell| cell.trim().replace('\0', "|"))
        .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const GOOD: &str =
        r#"| <a id="clocks-stop"></a>Clocks stop. | **false** | No. | `clocks_stop` |"#;

    fn document(row: &str) -> String {
        format!(
            "# Claims\n\n## Time\n\n| claim | verdict | why | test |\n|---|:-:|---|---|\n{row}\n"
        )
    }

    #[test]
    fn a_row_is_read_with_its_line_and_its_theme() {
        let rows = parse(&document(GOOD)).unwrap();
        let expected = ClaimRow {
            line: 7,
            theme: "Time".into(),
            claim: "Clocks stop.".into(),
            verdict: Judgement::False,
            platform: Platform::Any,
            why: "No.".into(),
            test: "clocks_stop".into(),
        };
        assert_eq!(rows, [expected]);
    }

    #[rstest]
    #[case::on_any("**true**", Judgement::True, Platform::Any)]
    #[case::on_unix("**depends** (Unix)", Judgement::Depends, Platform::Unix)]
    #[case::on_linux("**false** (Linux)", Judgement::False, Platform::Linux)]
    fn a_verdict_may_carry_a_mark(
        #[case] cell: &str,
        #[case] verdict: Judgement,
        #[case] platform: Platform,
    ) {
        let rows = parse(&document(&GOOD.replace("**false**", cell))).unwrap();
        assert_eq!((rows[0].verdict, rows[0].platform), (verdict, platform));
    }

    #[test]
    fn a_bar_inside_a_cell_is_escaped() {
        let rows = parse(&document(&GOOD.replace("No.", r"a \| b"))).unwrap();
        assert_eq!(rows[0].why, "a | b");
    }

    #[test]
    fn each_table_stands_under_its_own_heading() {
        let second = document(&GOOD.replace("stop", "run")).replace("## Time", "## Space");
        let rows = parse(&(document(GOOD) + &second)).unwrap();
        assert_eq!((&*rows[0].theme, &*rows[1].theme), ("Time", "Space"));
    }

    #[rstest]
    #[case::three_cells("| a | b | c |", "a row has 4 cells, this one 3")]
    #[case::no_anchor(
        "| Clocks stop. | **false** | No. | `clocks_stop` |",
        "expected `<a id=\"…\"></a>` and a claim, not \"Clocks stop.\""
    )]
    #[case::other_anchor(
        "| <a id=\"clocks\"></a>Clocks stop. | **false** | No. | `clocks_stop` |",
        "the anchor of `clocks_stop` is \"clocks-stop\", not \"clocks\""
    )]
    #[case::no_verdict(
        "| <a id=\"clocks-stop\"></a>Clocks stop. | false | No. | `clocks_stop` |",
        "a verdict is **true**, **false** or **depends**, not \"false\""
    )]
    #[case::other_mark(
        "| <a id=\"clocks-stop\"></a>Clocks stop. | **false** (Mars) | No. | `clocks_stop` |",
        "a mark is (Linux) or (Unix), not \"(Mars)\""
    )]
    #[case::no_reason(
        "| <a id=\"clocks-stop\"></a>Clocks stop. | **false** | | `clocks_stop` |",
        "the reason is missing"
    )]
    #[case::no_code_font(
        "| <a id=\"clocks-stop\"></a>Clocks stop. | **false** | No. | clocks_stop |",
        "expected a test's name in code font, not \"clocks_stop\""
    )]
    fn a_row_of_another_form_is_an_error_with_its_line(#[case] row: &str, #[case] problem: &str) {
        let error = parse(&document(row)).unwrap_err();
        assert_eq!(format!("{error:#}"), format!("line 7: {problem}"));
    }

    #[rstest]
    #[case::a_second_row_names_the_first(
        document(&format!("{GOOD}\n{GOOD}")),
        "line 8: `clocks_stop` has a row already, in line 7"
    )]
    #[case::other_columns(
        document(GOOD).replace("| why |", "| reason |"),
        "line 5: the columns are claim, verdict, why, test, not claim, verdict, reason, test"
    )]
    #[case::no_rule_under_the_header(
        document(GOOD).replace("|---|:-:|---|---|\n", ""),
        "line 6: expected `|---|---|---|---|` under the header"
    )]
    #[case::no_heading(
        document(GOOD).replace("## Time", "Time"),
        "line 5: a table before the first `## ` heading"
    )]
    fn a_table_of_another_form_is_an_error_with_its_line(
        #[case] text: String,
        #[case] problem: &str,
    ) {
        assert_eq!(format!("{:#}", parse(&text).unwrap_err()), problem);
    }
}
