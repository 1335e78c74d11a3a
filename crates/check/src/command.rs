//! A command line with places for an address.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};

/// What a program is told, by name: `{name}` in its command line, and NAME in
/// its environment.
pub(crate) type Settings = BTreeMap<&'static str, String>;

/// The address, in every usual way.
pub(crate) fn tell_address(settings: &mut Settings, address: SocketAddr) {
    settings.insert("host", address.ip().to_string());
    settings.insert("port", address.port().to_string());
    settings.insert("addr", address.to_string());
}

/// The words of a command line as a shell would cut it, with what is in braces
/// filled in. It is not run by a shell: for that, write `sh -c '…'`.
///
/// # Errors
/// When a quote is not closed, or there is no word.
pub(crate) fn words(line: &str, settings: &Settings) -> Result<Vec<String>> {
    let words = shell_words::split(line).with_context(|| format!("read the command {line:?}"))?;
    if words.is_empty() {
        bail!("the command is empty: name a program");
    }
    let fill = |word: &String| {
        settings.iter().fold(word.clone(), |word, (name, value)| {
            word.replace(&format!("{{{name}}}"), value)
        })
    };
    Ok(words.iter().map(fill).collect())
}

/// Whether there is such a program, as far as that can be seen before it is told
/// anything.
///
/// # Errors
/// Those of [`words`], and when there is no such file, or none to execute.
pub(crate) fn probe(line: &str) -> Result<()> {
    let words = words(line, &Settings::new())?;
    // What the program is may be told only later.
    match words[0].contains('{') {
        true => Ok(()),
        false => xray::find(&words[0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_program_that_is_not_there_is_known_before_it_is_told_anything() {
        assert!(probe("sh -c 'exit 1'").is_ok());
        assert!(probe("{port}/may-be-anything").is_ok());
        assert!(probe("./nonexistent x").is_err());
    }

    #[test]
    fn what_is_in_braces_is_filled_in_and_other_braces_stay() {
        let mut settings = Settings::new();
        tell_address(&mut settings, "127.0.0.1:80".parse().unwrap());
        let words = words("x '{host} y' --at={addr} {other} {port}", &settings).unwrap();
        assert_eq!(
            words,
            ["x", "127.0.0.1 y", "--at=127.0.0.1:80", "{other}", "80"]
        );
    }
}
