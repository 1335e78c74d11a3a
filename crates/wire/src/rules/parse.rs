//! From words to rules, with errors that help.

use std::cmp::Ordering;
use std::mem::discriminant;
use std::ops::Range;
use std::time::Duration;

use super::error::{RuleError, nearest};
use super::lex::{Kind, Token, tokens};
use super::{CableSetting, Matching, Rule, Sort, Then};
use crate::hand::{Cut, Side};

/// Words that say which packets, before anything that says what becomes of them.
const WHICH: &str = "client→server, client->server, server→client, server->client, tcp, udp, icmp, \
                     syn, syn-ack, ack, data, fin, rst, length, port, connection, again, every, 10 %";
const THEN: &str = "pass, drop, delay, hold, double, swap, corrupt, cut";
const CABLE: &str = "latency, loss, rate";

/// The words of a list.
fn words(list: &'static str) -> impl Iterator<Item = &'static str> + Clone {
    list.split(", ")
}

/// All rules of a text: one a line, or several with `;` between them.
pub(super) fn rules(text: &str) -> Result<Vec<Rule>, RuleError> {
    let mut rules = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        // What stands behind a "#" is for people.
        let line = line.split('#').next().unwrap_or_default();
        for part in line.split(';').filter(|part| !part.trim().is_empty()) {
            let error = |error: RuleError| RuleError {
                line: number,
                ..error
            };
            rules.push(rule(part).map_err(error)?);
        }
    }
    Ok(rules)
}

pub(super) fn rule(text: &str) -> Result<Rule, RuleError> {
    let text = text.trim();
    let mut parser = Parser {
        text,
        tokens: tokens(text),
        at: 0,
    };
    let rule = parser.rule()?;
    match parser.next() {
        None => Ok(rule),
        Some(token) => Err(parser.wrong(&token, "here the rule ends, but more follows")),
    }
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token<'a>>,
    pub(super) at: usize,
}

pub(super) type Parsed<T> = Result<T, RuleError>;

impl<'a> Parser<'a> {
    pub(super) fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    /// The kind of the next word, or of the one that is so many behind it.
    pub(super) fn kind(&self, ahead: usize) -> Option<&Kind<'a>> {
        self.tokens.get(self.at + ahead).map(|token| &token.what)
    }

    pub(super) fn number_follows(&self) -> bool {
        matches!(self.kind(0), Some(Kind::Number(_)))
    }

    fn word_is(&self, ahead: usize, wanted: &str) -> bool {
        matches!(self.kind(ahead), Some(Kind::Word(word)) if word.eq_ignore_ascii_case(wanted))
    }

    /// Takes the next word if it is this one.
    pub(super) fn takes(&mut self, wanted: &str) -> bool {
        let found = self.word_is(0, wanted);
        self.at += usize::from(found);
        found
    }

    /// Takes the next word, whatever it is.
    fn word(&mut self) -> String {
        let word = self
            .next()
            .map(|token| self.text[token.place].to_lowercase());
        word.unwrap_or_default()
    }

    pub(super) fn wrong(&self, token: &Token, what: impl Into<String>) -> RuleError {
        self.error(token.place.clone(), what.into())
    }

    fn error(&self, place: Range<usize>, what: String) -> RuleError {
        RuleError {
            line: 1,
            text: self.text.to_string(),
            place,
            what,
        }
    }

    /// At the next word, or at the end if there is none.
    pub(super) fn expected(&self, what: &str) -> RuleError {
        match self.peek() {
            Some(token) => {
                let found = &self.text[token.place.clone()];
                self.wrong(token, format!("{what} is expected here, not \"{found}\""))
            }
            None => {
                let end = self.text.len();
                self.error(
                    end..end,
                    format!("{what} is expected here, but the rule ends"),
                )
            }
        }
    }

    fn rule(&mut self) -> Parsed<Rule> {
        let mut which = Vec::new();
        loop {
            let Some(token) = self.peek().cloned() else {
                return Err(self.expected(&format!("what becomes of the packet ({THEN})")));
            };
            match token.what {
                Kind::Word(word) => {
                    let word = word.to_lowercase();
                    if words(CABLE).any(|known| known == word) {
                        return self.setting(&which, &token);
                    }
                    if words(THEN).any(|known| known == word) {
                        return self.then(which);
                    }
                    self.at += 1;
                    self.which(&word, &token, &mut which)?;
                }
                Kind::Number(_) => which.push(Matching::Percent(self.percent()?)),
                Kind::Sign(_) => return Err(self.expected("a word of the rules")),
            }
        }
    }

    fn which(&mut self, word: &str, token: &Token, which: &mut Vec<Matching>) -> Parsed<()> {
        let sort = match word {
            "client→server" | "client->server" => {
                return self.add(which, Matching::From(Side::Client), token);
            }
            "server→client" | "server->client" => {
                return self.add(which, Matching::From(Side::Server), token);
            }
            "length" => return self.length().map(|length| which.push(length)),
            "port" => {
                let port = self.whole("the number of a port", 0, u16::MAX.into())?;
                which.push(Matching::Port(port as u16));
                return Ok(());
            }
            "connection" => {
                let number = self.whole("the number of a connection", 1, u32::MAX)?;
                return self.add(which, Matching::Connection(number), token);
            }
            "again" => return self.add(which, Matching::Again, token),
            "every" => {
                let number = self.whole("a number, as in \"every 3rd\",", 1, u32::MAX)?;
                let _ = ["st", "nd", "rd", "th"].iter().any(|end| self.takes(end));
                return self.add(which, Matching::Every(number), token);
            }
            _ => Sort::WORDS.iter().find(|(_, known)| *known == word),
        };
        let Some((sort, _)) = sort else {
            return Err(self.unknown(token));
        };
        which.push(Matching::Sort(*sort));
        // A number that is no percentage says which of them.
        if self.number_follows() && self.kind(1) != Some(&Kind::Sign('%')) {
            let number = self.whole("a number, as in \"data 2\",", 1, u32::MAX)?;
            self.add(which, Matching::Nth(number), token)?;
        }
        Ok(())
    }

    /// What can be said only once.
    fn add(&self, which: &mut Vec<Matching>, new: Matching, token: &Token) -> Parsed<()> {
        let same = |other| discriminant(other) == discriminant(&new);
        if which.iter().any(same) {
            return Err(self.wrong(token, "this is said already, and can be said only once"));
        }
        which.push(new);
        Ok(())
    }

    fn length(&mut self) -> Parsed<Matching> {
        let compare = match self.kind(0) {
            Some(Kind::Sign('>')) => Ordering::Greater,
            Some(Kind::Sign('<')) => Ordering::Less,
            Some(Kind::Sign('=')) => Ordering::Equal,
            _ => return Err(self.expected("\">\", \"<\" or \"=\"")),
        };
        self.at += 1;
        let length = self.whole("a number of bytes", 0, u32::MAX)?;
        let _ = self.takes("bytes") || self.takes("byte");
        Ok(Matching::Length(compare, length))
    }

    fn then(&mut self, which: Vec<Matching>) -> Parsed<Rule> {
        let then = match self.word().as_str() {
            "pass" => Then::Pass,
            "drop" => Then::Drop,
            "double" => Then::Double,
            "swap" => Then::Swap,
            "corrupt" => Then::Corrupt,
            "delay" => Then::Delay(self.time()?),
            "hold" if self.number_follows() && !self.word_is(1, "times") => {
                Then::Hold(Some(self.time()?))
            }
            "hold" => Then::Hold(None),
            "cut" if which.is_empty() => return self.cut(),
            _ => Then::Cut(self.lasts()?),
        };
        let times = self.times()?;
        Ok(Rule::Packets { which, then, times })
    }

    fn cut(&mut self) -> Parsed<Rule> {
        if !self.takes("after") {
            return Err(self.expected("\"after\" and a time"));
        }
        let after = self.time()?;
        let lasts = self.lasts()?;
        Ok(Rule::Cut(Cut { after, lasts }))
    }

    fn lasts(&mut self) -> Parsed<Option<Duration>> {
        if self.takes("for") {
            self.time().map(Some)
        } else {
            Ok(None)
        }
    }

    fn times(&mut self) -> Parsed<Option<u32>> {
        if self.takes("once") {
            return Ok(Some(1));
        }
        if !self.number_follows() {
            return Ok(None);
        }
        let times = self.whole("how many times", 1, u32::MAX)?;
        if self.takes("times") || self.takes("time") {
            Ok(Some(times))
        } else {
            Err(self.expected("\"times\""))
        }
    }

    fn setting(&mut self, which: &[Matching], token: &Token) -> Parsed<Rule> {
        let from = match which {
            [] => None,
            [Matching::From(side)] => Some(*side),
            _ => {
                let what = "this is a setting of the whole cable: before it can stand only \
                            client→server or server→client";
                return Err(self.wrong(token, what));
            }
        };
        let setting = match self.word().as_str() {
            "latency" => CableSetting::Latency(self.time()?),
            "loss" => CableSetting::Loss(self.percent()?),
            _ => CableSetting::Rate(self.rate()?),
        };
        Ok(Rule::Cable { from, setting })
    }

    fn unknown(&self, token: &Token) -> RuleError {
        let word = &self.text[token.place.clone()];
        let known = words(WHICH).chain(words(THEN)).chain(words(CABLE));
        let near = nearest(word, known);
        let what = if near.is_empty() {
            format!(
                "\"{word}\" is no word of the rules; known are {WHICH}; then {THEN}; and for the \
                 cable {CABLE}"
            )
        } else {
            let near = near.join("\" or \"");
            format!("\"{word}\" is no word of the rules; did you mean \"{near}\"?")
        };
        self.wrong(token, what)
    }
}
