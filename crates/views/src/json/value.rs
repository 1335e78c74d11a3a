//! How single values are written as JSON, and read back.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use crate::units::fitting;

/// Something that has one form in JSON. What is written reads back as the same.
pub(super) trait Json: Sized {
    fn write(&self, out: &mut String);

    fn read(value: &Value) -> Result<Self, Wrong>;

    /// Several of it. Bytes have a form of their own.
    fn write_list(items: &[Self], out: &mut String) {
        out.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            item.write(out);
        }
        out.push(']');
    }

    fn read_list(value: &Value) -> Result<Vec<Self>, Wrong> {
        let items = expect(value.as_array(), "a list", value)?;
        let read =
            |(index, item)| Self::read(item).map_err(|wrong| wrong.below(&format!("[{index}]")));
        items.iter().enumerate().map(read).collect()
    }

    /// Whether the member of an object that holds this is left out.
    fn is_absent(&self) -> bool {
        false
    }

    /// What a member that was left out stands for.
    fn absent() -> Option<Self> {
        None
    }
}

/// Why a value cannot be read.
#[derive(Debug)]
pub(super) struct Wrong {
    /// Where in the line, such as `call.args[1]`.
    pub(super) path: String,
    pub(super) what: String,
    /// Whether it is a word that a newer version may have brought.
    pub(super) is_unknown_word: bool,
}

impl Wrong {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            what: what.into(),
            is_unknown_word: false,
        }
    }

    fn expected(what: &str, value: &Value) -> Self {
        Self::new(format!("{what} is expected, not {}", excerpt(value)))
    }

    pub(super) fn unknown_word(word: &str, known: &[&str]) -> Self {
        let what = format!("{word:?} is not known; known are {}", known.join(", "));
        Self {
            is_unknown_word: true,
            ..Self::new(what)
        }
    }

    pub(super) fn below(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(out, "{}{colon}{}", self.path, self.what)
    }
}

/// What a value holds, if it is what is expected.
pub(super) fn expect<T>(found: Option<T>, what: &str, value: &Value) -> Result<T, Wrong> {
    found.ok_or_else(|| Wrong::expected(what, value))
}

/// A text that means something.
fn parsed<T: FromStr>(value: &Value, what: &str) -> Result<T, Wrong> {
    let found = value.as_str().and_then(|text| text.parse().ok());
    expect(found, what, value)
}

fn excerpt(value: &Value) -> String {
    const LONGEST: usize = 40;
    let text = value.to_string();
    match fitting(&text, LONGEST) {
        whole if whole == text => text,
        first => format!("{first}…"),
    }
}

/// An object that is being written, member after member.
pub(super) struct Object<'a> {
    out: &'a mut String,
    is_empty: bool,
}

impl<'a> Object<'a> {
    pub(super) fn begin(out: &'a mut String) -> Self {
        out.push('{');
        Self {
            out,
            is_empty: true,
        }
    }

    /// Writes the name of a member; its value is to follow.
    pub(super) fn name(&mut self, name: &str) -> &mut String {
        if !self.is_empty {
            self.out.push(',');
        }
        self.is_empty = false;
        write_text(name, self.out);
        self.out.push(':');
        self.out
    }

    pub(super) fn member(&mut self, name: &str, value: &impl Json) {
        if !value.is_absent() {
            value.write(self.name(name));
        }
    }

    pub(super) fn end(self) {
        self.out.push('}');
    }
}

pub(super) fn member<T: Json>(value: &Value, name: &str) -> Result<T, Wrong> {
    let object = expect(value.as_object(), "an object", value)?;
    match object.get(name) {
        Some(value) => T::read(value).map_err(|wrong| wrong.below(name)),
        None => T::absent().ok_or_else(|| Wrong::new(format!("the member {name:?} is missing"))),
    }
}

/// The only member of an object.
pub(super) fn only_member(value: &Value) -> Result<(&str, &Value), Wrong> {
    let object = value.as_object().filter(|object| object.len() == 1);
    let only = object.and_then(|object| object.iter().next());
    let only = only.map(|(name, value)| (name.as_str(), value));
    expect(only, "an object with one member", value)
}

macro_rules! integers {
    ($($type:ident),+) => {$(
        impl Json for $type {
            fn write(&self, out: &mut String) {
                let _ = write!(out, "{self}");
            }

            fn read(value: &Value) -> Result<Self, Wrong> {
                let signed = value.as_i64().and_then(|number| Self::try_from(number).ok());
                let unsigned = || value.as_u64().and_then(|number| Self::try_from(number).ok());
                let range = || format!("a whole number from {} to {}", Self::MIN, Self::MAX);
                signed.or_else(unsigned).ok_or_else(|| Wrong::expected(&range(), value))
            }
        }
    )+};
}

integers!(u16, u32, u64, usize, i32, i64);

impl Json for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }

    fn read(value: &Value) -> Result<Self, Wrong> {
        expect(value.as_bool(), "true or false", value)
    }
}

pub(super) fn write_text(text: &str, out: &mut String) {
    // Nearly always; the other way takes ten times as long.
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

impl Json for String {
    fn write(&self, out: &mut String) {
        write_text(self, out);
    }

    fn read(value: &Value) -> Result<Self, Wrong> {
        expect(value.as_str(), "a text", value).map(str::to_string)
    }
}

impl Json for Cow<'static, str> {
    fn write(&self, out: &mut String) {
        write_text(self, out);
    }

    fn read(value: &Value) -> Result<Self, Wrong> {
        String::read(value).map(Cow::Owned)
    }
}

impl<T: Json> Json for Vec<T> {
    fn write(&self, out: &mut String) {
        T::write_list(self, out);
    }

    fn read(value: &Value) -> Result<Self, Wrong> {
        T::read_list(value)
    }
}

impl<T: Json> Json for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }

    fn read(value: &Value) -> Result<Self, Wrong> {
        match value {
            Value::Null => Ok(None),
            _ => T::read(value).map(Some),
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// Nanoseconds. A program may name a timeout that no JSON number of 64 bits
/// holds; that one stands as text.
impl Json for Duration {
    fn write(&self, out: &mut String) {
        let nanoseconds = self.as_nanos();
        let is_number = u64::try_from(nanoseconds).is_ok();
        let quote = if is_number { "" } else { "\"" };
        let _ = write!(out, "{quote}{nanoseconds}{quote}");
    }

    fn read(value: &Value) -> Result<Self, Wrong> {
        const SECOND: u128 = 1_000_000_000;
        let text = || value.as_str().and_then(|text| text.parse::<u128>().ok());
        let nanoseconds = value.as_u64().map(u128::from).or_else(text);
        let duration = nanoseconds.and_then(|nanoseconds| {
            let seconds = u64::try_from(nanoseconds / SECOND).ok()?;
            let rest = u32::try_from(nanoseconds % SECOND).ok()?;
            Some(Self::new(seconds, rest))
        });
        expect(duration, "a number of nanoseconds", value)
    }
}

impl Json for IpAddr {
    fn write(&self, out: &mut String) {
        write_text(&self.to_string(), out);
    }

    fn read(value: &Value) -> Result<Self, Wrong> {
        parsed(value, "an IP address")
    }
}

/// `127.0.0.1:8081` or `[::1%2]:8081`; an IPv6 flow label, which almost nobody
/// sets and which has no place in that form, makes it an object.
impl Json for SocketAddr {
    fn write(&self, out: &mut String) {
        match self {
            SocketAddr::V6(v6) if v6.flowinfo() != 0 => {
                let mut object = Object::begin(out);
                object.member("address", &self.to_string());
                object.member("flowinfo", &v6.flowinfo());
                object.end();
            }
            _ => write_text(&self.to_string(), out),
        }
    }

    fn read(value: &Value) -> Result<Self, Wrong> {
        const WHAT: &str = "an IP address with a port";
        if !value.is_object() {
            return parsed(value, WHAT);
        }
        let mut address = parsed(&value["address"], WHAT)?;
        if let SocketAddr::V6(v6) = &mut address {
            v6.set_flowinfo(member(value, "flowinfo")?);
        }
        Ok(address)
    }
}

/// Bytes are `text` where they are printable UTF-8, for human readers, and `hex`
/// otherwise, because nothing may be lost.
impl Json for u8 {
    fn write(&self, out: &mut String) {
        let _ = write!(out, "{self}");
    }

    fn read(value: &Value) -> Result<Self, Wrong> {
        let byte = u16::read(value)?.try_into().ok();
        expect(byte, "a whole number from 0 to 255", value)
    }

    fn write_list(bytes: &[Self], out: &mut String) {
        let mut object = Object::begin(out);
        let text = std::str::from_utf8(bytes).ok();
        match text.filter(|text| !text.chars().any(is_not_printable)) {
            Some(text) => write_text(text, object.name("text")),
            None => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
                let digits: String = digits
                    .map(|digit| char::from(DIGITS[usize::from(digit)]))
                    .collect();
                write_text(&digits, object.name("hex"));
            }
        }
        object.end();
    }

    fn read_list(value: &Value) -> Result<Vec<Self>, Wrong> {
        match (value.get("text"), value.get("hex")) {
            (Some(Value::String(text)), None) => Ok(text.clone().into_bytes()),
            (None, Some(hex)) => read_hex(hex).map_err(|wrong| wrong.below("hex")),
            _ => Err(Wrong::expected(
                "an object with a \"text\" or a \"hex\"",
                value,
            )),
        }
    }
}

fn is_not_printable(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r')
}

fn read_hex(value: &Value) -> Result<Vec<u8>, Wrong> {
    const WHAT: &str = "a text of hexadecimal digits, two for each byte";
    let digits = expect(value.as_str(), WHAT, value)?.as_bytes();
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16)?).ok();
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    });
    expect(pairs.collect(), WHAT, value)
}
