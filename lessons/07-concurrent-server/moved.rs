//! What measures, and what needs unsafe code, is beyond the lesson.

use std::{env, process};

use crate::complain;

/// Ends the program with one line on stderr, the command to type instead, and
/// with status 2, as for all arguments that a program does not take.
pub fn to_the_race() -> ! {
    let words = env::args_os().map(|word| word.to_string_lossy().into_owned());
    let command = command(&words.collect::<Vec<_>>());
    complain(format!("this is in beyond/race; run: {command}"));
    process::exit(2)
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
