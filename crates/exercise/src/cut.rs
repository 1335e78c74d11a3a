//! From one source to two texts: the solution, and the starter with gaps.
//!
//! ```text
//!     // gap: Make a TCP socket, bind it, and listen.      what to do
//!     // Calls: Socket::new, bind, listen. Lesson 1.       all comment lines below, too
//!     let phone = Socket::new(…)?;                         how: only in the solution
//!     // end of gap
//! ```
//!
//! In the starter the text stays, and a line that fails with the number of the
//! gap stands in place of the code. Gaps do not stand in each other.

use anyhow::{Result, bail};

use crate::language::Language;

const BEGIN: &str = "gap:";
const END: &str = "end of gap";

/// A gap that is being read.
struct Gap {
    line: usize,
    indent: String,
    text: Vec<String>,
    code: Vec<String>,
}

/// The text without marks: all of the code, and what to do as a comment.
///
/// # Errors
/// When a mark cannot be understood, with its line.
pub fn solution(source: &str, language: Language) -> Result<String> {
    each_gap(source, language, |gap, _| {
        let comment = language.comment();
        let text = gap.text.iter().map(|line| comment_line(gap, comment, line));
        text.chain(gap.code.iter().map(|line| format!("{line}\n")))
            .collect()
    })
}

/// The text with gaps, each with its number, what to do, and a line that fails.
///
/// # Errors
/// When a mark cannot be understood, with its line.
pub fn starter(source: &str, language: Language) -> Result<String> {
    each_gap(source, language, |gap, number| {
        let comment = language.comment();
        let mut text = String::new();
        for (index, line) in gap.text.iter().enumerate() {
            let line = match index {
                0 => format!("GAP {number}: {line}"),
                _ => line.clone(),
            };
            text += &comment_line(gap, comment, &line);
        }
        let message = format!("gap {number}: {}", short(&gap.text.join(" ")));
        text + &format!("{}{}\n", gap.indent, language.failing(&message))
    })
}

fn comment_line(gap: &Gap, comment: &str, line: &str) -> String {
    format!("{}{comment} {line}\n", gap.indent)
}

/// What to do in a few words: up to the first pause that is not in quotes.
fn short(text: &str) -> String {
    let mut quoted = false;
    let pause = |letter: char| {
        quoted ^= letter == '"';
        !quoted && ['.', ':', ',', ';'].contains(&letter)
    };
    let end = text.find(pause).unwrap_or(text.len());
    let text = &text[..end];
    // It stands in a string of the program, and in Rust in a format string.
    text.replace('"', "'").replace(['{', '}', '\\'], "")
}

/// Puts something in place of each gap.
fn each_gap(
    source: &str,
    language: Language,
    replace: impl Fn(&Gap, usize) -> String,
) -> Result<String> {
    let mut out = String::new();
    let mut number = 0;
    let mut open: Option<Gap> = None;
    for (index, line) in source.lines().enumerate() {
        let at = index + 1;
        let said = comment(line, language);
        let begins = said.and_then(|said| said.strip_prefix(BEGIN));
        let ends = said == Some(END);
        match &mut open {
            None if ends => bail!("line {at}: a gap ends that has not begun"),
            None => match begins.map(str::trim) {
                None => out += &format!("{line}\n"),
                Some("") => bail!("line {at}: a gap that does not say what to do"),
                Some(text) => open = Some(Gap::new(at, line, text)),
            },
            Some(_) if begins.is_some() => bail!("line {at}: a gap begins in another gap"),
            Some(gap) if ends => {
                if gap.code.is_empty() {
                    bail!("line {at}: a gap without code");
                }
                number += 1;
                out += &replace(gap, number);
                open = None;
            }
            Some(gap) => match said {
                Some(said) if gap.code.is_empty() => gap.text.push(said.to_string()),
                _ => gap.code.push(line.to_string()),
            },
        }
    }
    match open {
        None => Ok(out),
        Some(gap) => bail!("line {}: this gap has no end", gap.line),
    }
}

impl Gap {
    fn new(line: usize, first: &str, text: &str) -> Self {
        let indent = &first[..first.len() - first.trim_start().len()];
        Self {
            line,
            indent: indent.to_string(),
            text: vec![text.to_string()],
            code: Vec::new(),
        }
    }
}

/// The text of a line that is a comment and nothing else.
fn comment(line: &str, language: Language) -> Option<&str> {
    let rest = line.trim().strip_prefix(language.comment())?;
    rest.strip_prefix(' ')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SOURCE: &str = "\
fn f() -> u8 {
    // gap: Give \"one\", as {one}, and go.
    // Call: one. Lesson 1.
    let one = 1;
    // It is small.
    one
    // end of gap
}
/// kept
// kept
";

    #[test]
    fn a_starter_says_what_to_do_and_fails_there() {
        let expected = "\
fn f() -> u8 {
    // GAP 1: Give \"one\", as {one}, and go.
    // Call: one. Lesson 1.
    todo!(\"gap 1: Give 'one'\");
}
/// kept
// kept
";
        assert_eq!(starter(SOURCE, Language::Rust).unwrap(), expected);
    }

    #[rstest]
    #[case::an_order("Wait, and take the call.", "Wait")]
    #[case::a_quotation(
        "Print \"on IP:PORT\" with the port, at once.",
        "Print 'on IP:PORT' with the port"
    )]
    #[case::no_pause("Hang up", "Hang up")]
    fn a_gap_is_named_up_to_its_first_pause_and_no_quotation_is_cut(
        #[case] text: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(short(text), expected);
    }

    #[test]
    fn a_solution_has_the_code_and_no_mark() {
        let expected = SOURCE
            .replace("gap: ", "")
            .replace("    // end of gap\n", "");
        assert_eq!(solution(SOURCE, Language::Rust).unwrap(), expected);
    }

    #[test]
    fn gaps_are_counted_and_keep_their_indent_in_python() {
        let source =
            "# gap: One\na = 1\n# end of gap\nif a:\n    # gap: Two\n    b = 2\n    # end of gap\n";
        let expected = "# GAP 1: One\nraise NotImplementedError(\"gap 1: One\")\nif a:\n    \
                        # GAP 2: Two\n    raise NotImplementedError(\"gap 2: Two\")\n";
        assert_eq!(starter(source, Language::Python).unwrap(), expected);
    }

    #[rstest]
    #[case::nested(
        "x\n# gap: a\ny\n# gap: b\nz\n# end of gap\n# end of gap\n",
        4,
        "in another gap"
    )]
    #[case::unclosed("x\n# gap: a\ny\n", 2, "has no end")]
    #[case::not_begun("x\n# end of gap\n", 2, "has not begun")]
    #[case::no_code("# gap: a\n# b\n# end of gap\n", 3, "without code")]
    #[case::no_text("# gap:\nx\n# end of gap\n", 1, "does not say what to do")]
    fn a_wrong_mark_is_an_error_with_its_line(
        #[case] source: &str,
        #[case] line: usize,
        #[case] what: &str,
    ) {
        for cut in [starter, solution] {
            let wrong = cut(source, Language::Python).unwrap_err().to_string();
            let in_line = wrong.starts_with(&format!("line {line}: "));
            assert!(in_line && wrong.contains(what), "{wrong}");
        }
    }
}
