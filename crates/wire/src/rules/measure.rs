//! Numbers and what they are numbers of.

use std::time::Duration;

use super::lex::{Kind, Token};
use super::parse::{Parsed, Parser};

impl<'a> Parser<'a> {
    fn number(&mut self, what: &str) -> Parsed<(f64, Token<'a>)> {
        let Some(token) = self.peek().filter(|_| self.number_follows()).cloned() else {
            return Err(self.expected(what));
        };
        self.at += 1;
        let number = self.text[token.place.clone()].parse().unwrap_or(f64::MAX);
        Ok((number, token))
    }

    pub(super) fn whole(&mut self, what: &str, least: u32, most: u32) -> Parsed<u32> {
        let (number, token) = self.number(what)?;
        let fits = (f64::from(least)..=f64::from(most)).contains(&number) && number.fract() == 0.0;
        if !fits {
            let what = format!("{what} must be a whole number from {least} to {most}");
            return Err(self.wrong(&token, what.replace(", must", " must")));
        }
        Ok(number as u32)
    }

    pub(super) fn percent(&mut self) -> Parsed<f64> {
        let (number, token) = self.number("a number with %")?;
        if self.kind(0) != Some(&Kind::Sign('%')) {
            return Err(self.expected("\"%\""));
        }
        self.at += 1;
        if number > 100.0 {
            return Err(self.wrong(&token, "at most 100 % are possible"));
        }
        Ok(number)
    }

    pub(super) fn time(&mut self) -> Parsed<Duration> {
        const UNITS: [(&str, f64); 8] = [
            ("ns", 1.0),
            ("us", 1e3),
            ("µs", 1e3),
            ("ms", 1e6),
            ("s", 1e9),
            ("second", 1e9),
            ("seconds", 1e9),
            ("min", 60e9),
        ];
        let nanoseconds = self.measure("a time, as in \"200 ms\",", &UNITS)?;
        Ok(Duration::from_nanos(nanoseconds))
    }

    pub(super) fn rate(&mut self) -> Parsed<u64> {
        const UNITS: [(&str, f64); 4] = [
            ("bit/s", 1.0),
            ("kbit/s", 1e3),
            ("Mbit/s", 1e6),
            ("Gbit/s", 1e9),
        ];
        let start = self.at;
        let rate = self.measure("a rate, as in \"1 Mbit/s\",", &UNITS)?;
        if rate == 0 {
            let token = self.tokens[start].clone();
            let what = "nothing would ever arrive: at least 1 bit/s, or cut the cable";
            return Err(self.wrong(&token, what));
        }
        Ok(rate)
    }

    /// A number and its unit, at most a year in nanoseconds.
    fn measure(&mut self, what: &str, units: &[(&str, f64)]) -> Parsed<u64> {
        const MOST: f64 = 365.0 * 86_400e9;
        let (number, token) = self.number(what)?;
        let factor = units.iter().find(|(unit, _)| self.takes(unit));
        let Some((_, factor)) = factor else {
            let names: Vec<&str> = units.iter().map(|(unit, _)| *unit).collect();
            return Err(self.expected(&format!("a unit ({})", names.join(", "))));
        };
        let value = (number * factor).round();
        if value > MOST {
            return Err(self.wrong(&token, "this is too much"));
        }
        Ok(value as u64)
    }
}
