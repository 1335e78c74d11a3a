//! What a worker tells the process that started it: JSON, on one line.

use std::fmt;

use nojson::{DisplayJson, Json, JsonFormatter, JsonParseError, RawJsonValue};
use timeline::Stream;

use crate::fault::Contrast;
use crate::program::{Line, Said};
use crate::run::{Result, Seen};

pub(crate) fn write(seen: &Seen) -> String {
    Json(seen).to_string()
}

pub(crate) fn read(told: &str) -> std::result::Result<Seen, JsonParseError> {
    told.parse::<Json<Seen>>().map(|Json(seen)| seen)
}

type Parsed<T> = std::result::Result<T, JsonParseError>;

/// A member that must be there.
fn member<'text, 'raw, T>(value: RawJsonValue<'text, 'raw>, name: &str) -> Parsed<T>
where
    T: TryFrom<RawJsonValue<'text, 'raw>, Error = JsonParseError>,
{
    value.to_member(name)?.required()?.try_into()
}

impl DisplayJson for Seen {
    fn fmt(&self, f: &mut JsonFormatter<'_, '_>) -> fmt::Result {
        f.object(|f| {
            f.member("result", &self.result)?;
            f.member("steps", &self.steps)?;
            f.member("said", &self.said)?;
            f.member("xray", &self.xray)
        })
    }
}

impl<'text, 'raw> TryFrom<RawJsonValue<'text, 'raw>> for Seen {
    type Error = JsonParseError;

    fn try_from(value: RawJsonValue<'text, 'raw>) -> Parsed<Self> {
        Ok(Self {
            result: member(value, "result")?,
            steps: member(value, "steps")?,
            said: member(value, "said")?,
            xray: member(value, "xray")?,
        })
    }
}

impl DisplayJson for Result {
    fn fmt(&self, f: &mut JsonFormatter<'_, '_>) -> fmt::Result {
        f.object(|f| match self {
            Self::Passed => f.member("kind", "passed"),
            Self::Untested(why) => {
                f.member("kind", "untested")?;
                f.member("why", why)
            }
            Self::Failed(Contrast::Words {
                expected,
                seen,
                cause,
            }) => {
                f.member("kind", "words")?;
                f.member("expected", expected)?;
                f.member("seen", seen)?;
                f.member("cause", cause)
            }
            Self::Failed(Contrast::Bytes {
                expected,
                seen,
                then,
            }) => {
                f.member("kind", "bytes")?;
                f.member("expected", expected)?;
                f.member("seen", seen)?;
                f.member("then", then)
            }
        })
    }
}

impl<'text, 'raw> TryFrom<RawJsonValue<'text, 'raw>> for Result {
    type Error = JsonParseError;

    fn try_from(value: RawJsonValue<'text, 'raw>) -> Parsed<Self> {
        let kind: String = member(value, "kind")?;
        Ok(match kind.as_str() {
            "passed" => Self::Passed,
            "untested" => Self::Untested(member(value, "why")?),
            "words" => Self::Failed(Contrast::Words {
                expected: member(value, "expected")?,
                seen: member(value, "seen")?,
                cause: member(value, "cause")?,
            }),
            "bytes" => Self::Failed(Contrast::Bytes {
                expected: member(value, "expected")?,
                seen: member(value, "seen")?,
                then: member(value, "then")?,
            }),
            _ => return Err(value.invalid("a result of another version")),
        })
    }
}

impl DisplayJson for Said {
    fn fmt(&self, f: &mut JsonFormatter<'_, '_>) -> fmt::Result {
        f.object(|f| {
            f.member("name", &self.name)?;
            f.member("lines", &self.lines)
        })
    }
}

impl<'text, 'raw> TryFrom<RawJsonValue<'text, 'raw>> for Said {
    type Error = JsonParseError;

    fn try_from(value: RawJsonValue<'text, 'raw>) -> Parsed<Self> {
        Ok(Self {
            name: member(value, "name")?,
            lines: member(value, "lines")?,
        })
    }
}

impl DisplayJson for Line {
    fn fmt(&self, f: &mut JsonFormatter<'_, '_>) -> fmt::Result {
        f.object(|f| {
            f.member("on_stderr", self.stream == Stream::Stderr)?;
            f.member("text", &self.text)
        })
    }
}

impl<'text, 'raw> TryFrom<RawJsonValue<'text, 'raw>> for Line {
    type Error = JsonParseError;

    fn try_from(value: RawJsonValue<'text, 'raw>) -> Parsed<Self> {
        let stream = match member(value, "on_stderr")? {
            true => Stream::Stderr,
            false => Stream::Stdout,
        };
        let text = member(value, "text")?;
        Ok(Self { stream, text })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ODD: &str = "a\0\u{1}\u{1b}[1m\"\\/\n\u{2028}你好🎉\u{7f}";

    #[rstest]
    #[case::passed(Result::Passed)]
    #[case::untested(Result::Untested(ODD.into()))]
    #[case::words(Result::Failed(Contrast::Words {
        expected: ODD.into(),
        seen: String::new(),
        cause: None,
    }))]
    #[case::words_with_a_cause(Result::Failed(Contrast::Words {
        expected: String::new(),
        seen: ODD.into(),
        cause: Some(ODD.into()),
    }))]
    #[case::bytes(Result::Failed(Contrast::Bytes {
        expected: (0..=255).collect(),
        seen: vec![],
        then: ODD.into(),
    }))]
    fn what_is_told_is_read_as_it_was(#[case] result: Result) {
        let seen = Seen {
            result,
            steps: vec![ODD.into(), String::new()],
            said: vec![Said {
                name: "server".into(),
                lines: [Stream::Stdout, Stream::Stderr]
                    .map(|stream| Line {
                        stream,
                        text: ODD.into(),
                    })
                    .into(),
            }],
            xray: vec![ODD.into()],
        };
        let told = write(&seen);
        assert_eq!(told.lines().count(), 1);
        assert_eq!(read(&told).unwrap(), seen);
    }

    #[rstest]
    #[case("")]
    #[case("{}")]
    #[case(r#"{"result":{"kind":"perhaps"},"steps":[],"said":[],"xray":[]}"#)]
    fn what_is_no_result_is_an_error(#[case] told: &str) {
        assert!(read(told).is_err());
    }
}
