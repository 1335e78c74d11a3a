//! What measures, and what needs unsafe code, is beyond the lesson.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

/// One line on stderr with the command to type instead, and status 2, as for
/// all arguments that a program does not take.
pub fn to_the_race() -> ExitCode {
    let words = env::args_os().map(|word| word.to_string_lossy().into_owned());
    let command = command(&words.collect::<Vec<_>>());
    let _ = writeln!(io::stderr(), "this is in beyond/race; run: {command}");
    ExitCode::from(2)
}

/// The same arguments for the other program.
fn command(words: &[String]) -> String {
    let (first, flags) = match words {
        [_, side, flags @ ..] if side == "race" => ("--", flags),
        [_, side, flags @ ..] if side == "server" => ("server", flags),
        // This is lesson-7-server.
        [_, flags @ ..] => ("server", flags),
        [] => ("server", words),
    };
    let mut command = format!("cargo run --release -p race {first}");
    for flag in flags {
        command += " ";
        command += &shell(flag);
    }
    command
}

/// One word, as a shell takes it.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,:/".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.into(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
