//! How structs and enums are written as JSON: said once, for both directions.

use serde_json::Value;

use super::value::{Json, Object, Wrong};

/// An enum whose variants have names.
pub(super) trait Choice: Json {
    /// The names of all variants.
    const NAMES: &[&str];

    /// Writes the member that stands for the variant.
    fn write_into(&self, object: &mut Object);

    /// Reads the member of this name.
    fn read_named(name: &str, value: &Value) -> Result<Self, Wrong>;
}

/// A struct: an object with a member for each field.
macro_rules! record {
    ($type:ident: $($field:ident),+ $(,)?) => {
        impl Json for $type {
            fn write(&self, out: &mut String) {
                // Without `..`: a field that is forgotten here does not compile.
                let Self { $($field),+ } = self;
                let mut object = Object::begin(out);
                $(object.member(stringify!($field), $field);)+
                object.end();
            }

            fn read(value: &Value) -> Result<Self, Wrong> {
                Ok(Self { $($field: member(value, stringify!($field))?),+ })
            }
        }
    };
}

/// An enum: an object with one member, whose name is that of the variant and
/// whose value is what the variant holds; `true` where it holds nothing.
macro_rules! choice {
    ($type:ident
        $(holding nothing { $($none:ident $none_name:literal),* $(,)? })?
        $(holding one { $($one:ident $one_name:literal),* $(,)? })?
        $(holding fields { $($many:ident $many_name:literal { $($field:ident),+ }),* $(,)? })?
    ) => {
        impl Choice for $type {
            const NAMES: &[&str] = &[$($($none_name,)*)? $($($one_name,)*)? $($($many_name,)*)?];

            fn write_into(&self, object: &mut Object) {
                match self {
                    $($(Self::$none => true.write(object.name($none_name)),)*)?
                    $($(Self::$one(it) => it.write(object.name($one_name)),)*)?
                    $($(Self::$many { $($field),+ } => {
                        let mut inner = Object::begin(object.name($many_name));
                        $(inner.member(stringify!($field), $field);)+
                        inner.end();
                    })*)?
                }
            }

            fn read_named(name: &str, value: &Value) -> Result<Self, Wrong> {
                let read = match name {
                    $($($none_name => bool::read(value).map(|_| Self::$none),)*)?
                    $($($one_name => Json::read(value).map(Self::$one),)*)?
                    $($($many_name => (|| {
                        Ok(Self::$many { $($field: member(value, stringify!($field))?),+ })
                    })(),)*)?
                    _ => return Err(Wrong::unknown_word(name, Self::NAMES)),
                };
                read.map_err(|wrong| wrong.below(name))
            }
        }

        impl Json for $type {
            fn write(&self, out: &mut String) {
                let mut object = Object::begin(out);
                self.write_into(&mut object);
                object.end();
            }

            fn read(value: &Value) -> Result<Self, Wrong> {
                let (name, value) = only_member(value)?;
                Self::read_named(name, value)
            }
        }
    };
}

/// An enum without content, or a number with names: a word.
macro_rules! words {
    ($type:ty { $($variant:path = $name:expr),+ $(,)? }) => {
        impl Json for $type {
            fn write(&self, out: &mut String) {
                let name = match self { $($variant => $name),+ };
                write_text(name, out);
            }

            fn read(value: &Value) -> Result<Self, Wrong> {
                let word = expect(value.as_str(), "a word", value)?;
                $(if word == $name { return Ok($variant); })+
                Err(Wrong::unknown_word(word, &[$($name),+]))
            }
        }
    };
}

/// A number that has a type of its own.
macro_rules! number {
    ($type:ident($number:ident)) => {
        impl Json for $type {
            fn write(&self, out: &mut String) {
                self.0.write(out);
            }

            fn read(value: &Value) -> Result<Self, Wrong> {
                $number::read(value).map(Self)
            }
        }
    };
}

pub(super) use {choice, number, record, words};
