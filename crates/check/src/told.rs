//! What a worker is told by the process that starts it, and what it tells in
//! return: JSON, on one line each.

use std::fmt;

use nojson::{DisplayJson, Json, JsonFormatter, JsonParseError, RawJsonValue};

use crate::fault::Contrast;
use crate::log::{Printed, Said};
use crate::outcome::{Account, Finding};
use crate::setup::Setup;

/// What a worker is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// The address of the check.
    pub(crate) check: String,
    /// What is under test, and how.
    pub(crate) setup: Setup,
}

pub(crate) fn write(told: &impl DisplayJson) -> String {
    Json(told).to_string()
}

pub(crate) fn read<T>(told: &str) -> Parsed<T>
where
    T: for<'text, 'raw> TryFrom<RawJsonValue<'text, 'raw>, Error = JsonParseError>,
{
    told.parse::<Json<T>>().map(|Json(told)| told)
}

type Parsed<T> = Result<T, JsonParseError>;

/// A member that must be there.
fn member<'text, 'raw, T>(value: RawJsonValue<'text, 'raw>, name: &str) -> Parsed<T>
where
    T: TryFrom<RawJsonValue<'text, 'raw>, Error = JsonParseError>,
{
    value.to_member(name)?.required()?.try_into()
}

/// Writes and reads a struct as an object that has a member for each of these fields.
macro_rules! object {
    ($type:ident { $($field:ident),+ }) => {
        impl DisplayJson for $type {
            fn fmt(&self, f: &mut JsonFormatter<'_, '_>) -> fmt::Result {
                f.object(|f| {
                    $(f.member(stringify!($field), &self.$field)?;)+
                    Ok(())
                })
            }
        }

        impl<'text, 'raw> TryFrom<RawJsonValue<'text, 'raw>> for $type {
            type Error = JsonParseError;

            fn try_from(value: RawJsonValue<'text, 'raw>) -> Parsed<Self> {
                Ok(Self {
                    $($field: member(value, stringify!($field))?),+
                })
            }
        }
    };
}

object!(Order { check, setup });
object!(Setup {
    server,
    client,
    port,
    private,
    observed,
    seed,
    memory,
    scratch
});
object!(Account {
    finding,
    steps,
    said,
    xray
});
object!(Said { name, lines });
object!(Printed { on_stderr, text });

impl DisplayJson for Finding {
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

impl<'text, 'raw> TryFrom<RawJsonValue<'text, 'raw>> for Finding {
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ODD: &str = "a\0\u{1}\u{1b}[1m\"\\/\n\u{2028}你好🎉\u{7f}";

    #[rstest]
    #[case::passed(Finding::Passed)]
    #[case::untested(Finding::Untested(ODD.into()))]
    #[case::words(Finding::Failed(Contrast::Words {
        expected: ODD.into(),
        seen: String::new(),
        cause: None,
    }))]
    #[case::words_with_a_cause(Finding::Failed(Contrast::Words {
        expected: String::new(),
        seen: ODD.into(),
        cause: Some(ODD.into()),
    }))]
    #[case::bytes(Finding::Failed(Contrast::Bytes {
        expected: (0..=255).collect(),
        seen: vec![],
        then: ODD.into(),
    }))]
    fn what_is_told_is_read_as_it_was(#[case] finding: Finding) {
        let account = Account {
            finding,
            steps: vec![ODD.into(), String::new()],
            said: vec![Said {
                name: "server".into(),
                lines: [false, true]
                    .map(|on_stderr| Printed {
                        on_stderr,
                        text: ODD.into(),
                    })
                    .into(),
            }],
            xray: vec![ODD.into()],
        };
        let told = write(&account);
        assert_eq!(told.lines().count(), 1);
        assert_eq!(read::<Account>(&told).unwrap(), account);
    }

    #[test]
    fn an_order_is_read_as_it_was_given() {
        let order = Order {
            check: "2/server/echo".into(),
            setup: Setup {
                server: Some(ODD.into()),
                client: None,
                port: 8081,
                private: true,
                observed: false,
                seed: u64::MAX,
                memory: 1 << 50,
                scratch: "/tmp/a folder".into(),
            },
        };
        let told = write(&order);
        assert_eq!(told.lines().count(), 1);
        assert_eq!(read::<Order>(&told).unwrap(), order);
    }

    #[rstest]
    #[case("")]
    #[case("{}")]
    #[case(r#"{"finding":{"kind":"perhaps"},"steps":[],"said":[],"xray":[]}"#)]
    fn what_is_no_result_is_an_error(#[case] told: &str) {
        assert!(read::<Account>(told).is_err());
    }
}
