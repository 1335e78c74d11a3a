//! The number of a lesson.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of a lesson, by which lessons are ordered.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Number(pub u32);

impl Number {
    /// That of the lesson after this one, if there is one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// As a person types it.
impl FromStr for Number {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let said = "write the number of a lesson, such as 1: see \"cargo dial list\"";
        text.parse().map(Self).map_err(|_| said)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // With its width, as in a table.
        self.0.fmt(f)
    }
}
