//! The report of a wrong program, as it is in each run and on each machine.

use std::sync::LazyLock;

use regex::Regex;

/// The report without what differs.
pub(crate) fn mask(report: &str) -> String {
    let mut text = report.to_string();
    for (pattern, mask) in MASKS.iter() {
        text = pattern.replace_all(&text, *mask).into_owned();
    }
    once(&text)
}

/// The report without what the program itself wrote. How far it came before it was
/// ended, and whether it noticed that its peer was gone, depends on the moment.
pub(crate) fn without_words_of_the_program(report: &[String]) -> Vec<String> {
    let text = report.join("\n");
    WORDS
        .replace_all(&text, "")
        .lines()
        .map(str::to_string)
        .collect()
}

static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?m)^ +your \w+ wrote\n(?: +\|[^\n]*\n)+\n";
    Regex::new(pattern).expect("a pattern")
});

/// What a program says again and again stands there once. How often it came to
/// say it depends on the machine, and so does which of its first lines are left.
fn once(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut first = 0;
    for line in text.lines() {
        if !line.trim_start().starts_with("| ") {
            first = lines.len() + 1;
        } else if lines.last() == Some(&line) {
            if first + 1 < lines.len() && FIRST.is_match(lines[first]) {
                lines.remove(first);
            }
            continue;
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// With what the output of a server begins, or what is left of it.
static FIRST: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"^ +\| (\(lines before\)|(listening on|bound to) \S+)$";
    Regex::new(pattern).expect("a pattern")
});

/// What differs from run to run, and from machine to machine.
static MASKS: LazyLock<[(Regex, &str); 11]> = LazyLock::new(|| {
    let mask = |pattern: &str| Regex::new(pattern).expect("the masks are patterns");
    [
        (mask(r"thread 'main' \(\d+\)"), "thread 'main'"),
        // A port that the system chose. In a network of our own, others are fixed.
        (mask(r"(\d\.\d\.\d\.\d:|\bport )[3-6]\d{4}\b"), "${1}PORT"),
        // The stack trace of a particular Python, which may begin too early to be shown.
        (
            mask(concat!(
                r"(?ms)^( +\| )(?:(?:listening on|bound to) \S+\n +\| )?(?:Traceback|\(\d+ lines before\)\n +\|  ).*?",
                r"^( +\| [\w.]+(?:Error|error|timeout|Interrupt)\b)"
            )),
            "$1(a stack trace)\n$2",
        ),
        // Which of the two a send is told when the peer has left depends on the moment.
        (
            mask(r"\[Errno 32\] Broken pipe"),
            "[Errno 104] Connection reset by peer",
        ),
        // What stands in the X-ray depends on the moment.
        (mask(r"(?m)^ +the X-ray, at its end\n(?: +[^\n]*\n)+\n"), ""),
        // How much of a long answer came depends on the buffers of the moment.
        (
            mask(concat!(
                r"(?m)^( +expected +\d{4,} bytes) .*\n",
                r"( +seen +)\d{5,} bytes .*\n.* byte \d+ is "
            )),
            "$1 …\n$2… bytes\n      byte … is ",
        ),
        (mask(r"\d+ MiB more"), "… MiB more"),
        (mask(r"\(\d+ lines before\)"), "(lines before)"),
        (mask(r"/[^ ]*/dialtone-\w+"), "TEMPORARY"),
        // On a busy machine the time of the check can be over first.
        (mask(r";\s+the\s+check's\s+\d+\s+s\s+are\s+over"), ""),
        // How many descriptors are left depends on those that were open before.
        (mask(r"\b(callers 1 to|caller) \d\d\b"), "$1 …"),
    ]
});

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn that_a_machine_was_too_busy_for_a_check_is_masked() {
        assert_eq!(
            mask("seen  nothing for 2 s; the check's 12 s are over"),
            "seen  nothing for 2 s"
        );
    }

    #[test]
    fn how_many_callers_a_limit_of_descriptors_let_in_is_masked() {
        let masked = mask("4. callers 1 to 59 came\n5. caller 60 came\n6. caller 2 came");
        assert_eq!(
            masked,
            "4. callers 1 to … came\n5. caller … came\n6. caller 2 came"
        );
    }

    #[test]
    fn what_a_program_wrote_is_left_out_and_nothing_else() {
        let text =
            "  seen  no\n\n  your server wrote\n  | one\n  |\n  | two\n\n  usual cause  none";
        let lines: Vec<String> = text.lines().map(str::to_string).collect();
        let left = ["  seen  no", "", "  usual cause  none"];
        assert_eq!(without_words_of_the_program(&lines), left);
    }

    #[rstest]
    #[case::any_count("  | no\n  | no\n  | no", "  | no")]
    #[case::the_first_line("  | listening on 127.0.0.1:80\n  | no\n  | no", "  | no")]
    #[case::what_is_left_of_it("  | (7 lines before)\n  | no\n  | no", "  | no")]
    #[case::other_lines("  | yes\n  | no\n  | no\n  | yes", "  | yes\n  | no\n  | yes")]
    #[case::a_line_that_came_once(
        "  | bound to 127.0.0.1:80\n  | no",
        "  | bound to 127.0.0.1:80\n  | no"
    )]
    #[case::what_is_no_output("same\nsame", "same\nsame")]
    fn what_is_said_again_and_again_stands_there_once(#[case] report: &str, #[case] masked: &str) {
        assert_eq!(mask(report), masked);
    }
}
