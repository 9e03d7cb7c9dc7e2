//! The primitive types of R4: what a value of each must look like.
//!
//! Source: <https://hl7.org/fhir/R4/datatypes.html#primitive>, whose regular expressions are written
//! out here as scanners.

mod date;
mod text;
mod time;

use serde_json::{Number, Value};

pub use date::{Date, Precision};
pub use time::DateTime;

/// The most characters that a string of FHIR may have (1 Mi).
pub const STRING_CHARACTERS_MAX: usize = 1024 * 1024;

/// A primitive type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Primitive {
    Base64Binary,
    Boolean,
    Canonical,
    Code,
    Date,
    DateTime,
    Decimal,
    /// The id of an element: any string without a space.
    ElementId,
    Id,
    Instant,
    Integer,
    Markdown,
    Oid,
    PositiveInt,
    String,
    Time,
    UnsignedInt,
    Uri,
    Url,
    Uuid,
    /// The text of a narrative; looked at by `structure`.
    Xhtml,
}

/// Why a value is not one of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another kind of JSON is wanted: the word for it.
    Kind(&'static str),
    /// The value is not in the form of its type: what to write.
    Form(&'static str),
}

impl Primitive {
    /// The type by the name that R4 gives it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "base64Binary" => Self::Base64Binary,
            "boolean" => Self::Boolean,
            "canonical" => Self::Canonical,
            "code" => Self::Code,
            "date" => Self::Date,
            "dateTime" => Self::DateTime,
            "decimal" => Self::Decimal,
            "element-id" => Self::ElementId,
            "id" => Self::Id,
            "instant" => Self::Instant,
            "integer" => Self::Integer,
            "markdown" => Self::Markdown,
            "oid" => Self::Oid,
            "positiveInt" => Self::PositiveInt,
            "string" => Self::String,
            "time" => Self::Time,
            "unsignedInt" => Self::UnsignedInt,
            "uri" => Self::Uri,
            "url" => Self::Url,
            "uuid" => Self::Uuid,
            "xhtml" => Self::Xhtml,
            _ => return None,
        })
    }

    /// Whether the value is one of this type.
    pub(crate) fn check(self, value: &Value) -> Result<(), Fault> {
        match self {
            Self::Boolean => {
                if value.is_boolean() {
                    Ok(())
                } else {
                    Err(Fault::Kind("true or false"))
                }
            }
            Self::Decimal => number(value).map(|_| ()),
            Self::Integer => whole(value, i32::MIN),
            Self::UnsignedInt => whole(value, 0),
            Self::PositiveInt => whole(value, 1),
            Self::Base64Binary
            | Self::Canonical
            | Self::Code
            | Self::Date
            | Self::DateTime
            | Self::ElementId
            | Self::Id
            | Self::Instant
            | Self::Markdown
            | Self::Oid
            | Self::String
            | Self::Time
            | Self::Uri
            | Self::Url
            | Self::Uuid
            | Self::Xhtml => self.check_text(value.as_str().ok_or(Fault::Kind("a string"))?),
        }
    }

    fn check_text(self, text: &str) -> Result<(), Fault> {
        if text.is_empty() {
            return Err(Fault::Form("a string is never empty; leave the element out"));
        }
        let (good, says) = match self {
            Self::Date => (Date::parse(text).is_some(), "a date is 2026, 2026-11 or 2026-11-23"),
            Self::DateTime => (
                DateTime::parse(text).is_some(),
                "a time is a date, or a date, a time with seconds and a zone: \
                 2026-11-23T10:00:00+05:30",
            ),
            Self::Instant => (
                time::is_instant(text),
                "an instant has a date, a time with seconds and a zone: 2026-11-23T10:00:00+05:30",
            ),
            Self::Time => (time::is_time(text), "a time of day is 10:00:00, without a zone"),
            Self::Base64Binary => (text::is_base64(text), "binary content is written in base64"),
            Self::Code => (
                text::is_code(text),
                "a code has no space at its ends and one at most between words",
            ),
            Self::Id => {
                (text::is_id(text), "an id has 1 to 64 letters (A-Z, a-z), digits, `-` and `.`")
            }
            Self::ElementId => (!text.contains(char::is_whitespace), "this id has no spaces"),
            Self::Oid => (text::is_oid(text), "an OID is urn:oid: and numbers with dots between"),
            Self::Uuid => (text::is_uuid(text), "a UUID is urn:uuid: and the UUID in lower case"),
            Self::Canonical | Self::Uri | Self::Url => {
                (!text.contains(char::is_whitespace), "a URI has no spaces")
            }
            // A narrative may be as long as the message that brings it.
            Self::Xhtml => (true, "a narrative is a string"),
            Self::Markdown | Self::String => (
                text.len() <= STRING_CHARACTERS_MAX
                    || text.chars().count() <= STRING_CHARACTERS_MAX,
                "a string has at most 1048576 characters",
            ),
            // These are no strings.
            Self::Boolean
            | Self::Decimal
            | Self::Integer
            | Self::PositiveInt
            | Self::UnsignedInt => (false, "this is not a string"),
        };
        if good { Ok(()) } else { Err(Fault::Form(says)) }
    }
}

fn number(value: &Value) -> Result<&Number, Fault> {
    value.as_number().ok_or(Fault::Kind("a number"))
}

fn whole(value: &Value, least: i32) -> Result<(), Fault> {
    let text = number(value)?.as_str();
    let says = match least {
        1 => "a whole number from 1 to 2147483647 is wanted",
        0 => "a whole number from 0 to 2147483647 is wanted",
        _ => "a whole number of 32 bits is wanted",
    };
    match text.parse::<i32>() {
        Ok(number) if number >= least && text != "-0" => Ok(()),
        Ok(_) | Err(_) => Err(Fault::Form(says)),
    }
}

#[cfg(test)]
mod tests;
