//! Reading: stricter than JSON is, because what is read twice must be read alike.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, Map, Number, Value};

use super::Resource;
use crate::outcome::{IssueCode, Outcome};

/// How deep objects and lists may lie in each other.
pub const DEPTH_MAX: usize = 64;
/// The most objects, lists, texts, numbers and flags of what is read: in memory each takes up to
/// hundreds of bytes, however short it is written.
pub const VALUES_MAX: usize = 500_000;
/// The most of them in one resource that is sent by itself.
pub const RESOURCE_VALUES_MAX: usize = 200_000;

/// The key under which `serde_json` hands on a number with its digits (of an exponent only the
/// spelling is its own: `e+5`). Whole numbers of 64 bits come without.
///
/// An object with this one key is therefore read as a number too, which no element of FHIR minds.
const NUMBER: &str = "$serde_json::private::Number";

/// Reads one resource of at most [`VALUES_MAX`] values; see [`parse_within`].
pub fn parse(bytes: &[u8]) -> Result<Resource, Outcome> {
    parse_within(bytes, VALUES_MAX)
}

/// Reads one resource.
///
/// Refused are: what is not JSON in UTF-8, a key that an object holds twice, more than [`DEPTH_MAX`]
/// levels, more than `values_max` values, characters that FHIR forbids in a string (below U+0020 other than tab, line feed and
/// carriage return), and what is not an object with the name of a resource of R4 as `resourceType`.
/// That the resource is valid is not looked at.
pub fn parse_within(bytes: &[u8], values_max: usize) -> Result<Resource, Outcome> {
    let (refused, left) = (Cell::new(None), Cell::new(values_max));
    let mut reader = Deserializer::from_slice(bytes);
    let read = Tree { depth: 0, refused: &refused, left: &left }.deserialize(&mut reader);
    let read = read.and_then(|value| reader.end().map(|()| value));
    match read {
        Ok(value) => Resource::from_value(value),
        Err(error) => Err(outcome(&error, refused.get())),
    }
}

fn outcome(error: &serde_json::Error, refused: Option<Refused>) -> Outcome {
    let place = format!("line {}, column {}", error.line(), error.column());
    let (code, what) = match refused {
        Some(Refused::Deep) => {
            (IssueCode::TooCostly, "objects and lists lie too deep in each other")
        }
        Some(Refused::Many) => {
            (IssueCode::TooLong, "there are too many values; send them in several parts")
        }
        Some(Refused::Twice) => (IssueCode::Structure, "an object holds the same key twice"),
        Some(Refused::Character) => {
            (IssueCode::Value, "a string holds a control character that FHIR forbids")
        }
        None => (IssueCode::Invalid, "this is not JSON in UTF-8"),
    };
    Outcome::error(code, format!("{what} ({place})"))
}

/// Why good JSON was not read.
#[derive(Clone, Copy)]
enum Refused {
    Deep,
    Many,
    Twice,
    Character,
}

/// Reads one value at a depth.
#[derive(Clone, Copy)]
struct Tree<'a> {
    depth: usize,
    refused: &'a Cell<Option<Refused>>,
    /// How many values there may still be.
    left: &'a Cell<usize>,
}

impl Tree<'_> {
    fn refuse<E: de::Error>(self, why: Refused) -> E {
        self.refused.set(Some(why));
        E::custom("refused")
    }

    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(self.refuse(Refused::Deep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn allowed<E: de::Error>(self, text: &str) -> Result<(), E> {
        let forbidden = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
        if text.bytes().any(forbidden) { Err(self.refuse(Refused::Character)) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Some(left) = self.left.get().checked_sub(1) else {
            return Err(self.refuse(Refused::Many));
        };
        self.left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        self.allowed(&text)?;
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(deeper)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            if key == NUMBER && map.is_empty() {
                let text = object.next_value::<String>()?;
                return text.parse::<Number>().map(Value::Number).map_err(de::Error::custom);
            }
            self.allowed(&key)?;
            if map.contains_key(&key) {
                return Err(self.refuse(Refused::Twice));
            }
            let value = object.next_value_seed(self.deeper()?)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
