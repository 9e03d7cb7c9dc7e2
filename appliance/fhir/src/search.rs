//! Searching: what a client asks for, read into conditions that a database or [`crate::matching`]
//! can answer.
//!
//! Source: <https://hl7.org/fhir/R4/search.html>.
//! Invariant: what is read is bounded: conditions, values, bytes.
//!
//! What R4 leaves open is decided thus:
//! - Codes, identifiers and systems are compared letter by letter; texts without regard to case,
//!   accents, punctuation and script.
//! - `name` and `address` ask for words: each must begin a word of one name or one address, in any of
//!   its parts.
//! - A telephone number fits if one of the two ends with the other, from [`PHONE_DIGITS_MIN`] digits on.
//! - A date about which `ap` asks reaches once its own length to either side.
//! - A code that stands alone (`status`) has no system of its own, so a system before it is left out.
//!
//! Absent: `_text`, `_content`, `_list`, `_filter`, `_query`, `_contained`; the modifiers `:above`,
//! `:below`, `:in`, `:not-in`, `:of-type`; chains of more than one step, `_has` within `_has`;
//! quantities, composites, `near`.

mod date;
mod escape;
mod included;
mod parse;
mod query_string;
mod table;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

use crate::summary::Summary;

pub(crate) use date::range as date_range;
pub use included::{INCLUDED_MAX, Seen};
pub use parse::{criteria, parse};
pub use query_string::{encoded, pairs};
pub use table::{ID, LAST_UPDATED, ParamKind, Parameter, parameter, parameters};
pub(crate) use table::{Kind, Place};

/// The most conditions of one search, chained and reversed ones among them.
pub const CONDITIONS_MAX: usize = 32;
/// The most values of one condition.
pub const VALUES_MAX: usize = 64;
/// The longest text after one `=`, in bytes.
pub const VALUE_BYTES_MAX: usize = 4096;
/// The longest name of a parameter with its modifier and chain, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// The most pairs of name and value in one search.
pub const PAIRS_MAX: usize = 64;
/// The most resources of one page; who asks for more gets these.
pub const COUNT_MAX: usize = 1000;
/// The most parameters that a search is sorted by.
pub const SORTS_MAX: usize = 4;
/// The most `_include` and `_revinclude` of one search.
pub const INCLUDES_MAX: usize = 16;
/// Fewer digits than these are a whole number or none.
pub const PHONE_DIGITS_MIN: usize = 7;
/// The parameter by which names are found that sound alike.
pub(crate) const PHONETIC: &str = "phonetic";
/// The name under which the `next` link of a page says where to go on.
pub const CURSOR: &str = "_cursor";

/// A search that was read: everything in it must hold.
#[derive(Clone, Debug)]
pub struct Query {
    /// The type of resource that is looked for.
    pub type_: &'static str,
    /// What the resource itself must say.
    pub conditions: Vec<Condition>,
    /// What resources must say that it points to.
    pub chained: Vec<Chained>,
    /// What resources must say that point to it.
    pub reversed: Vec<Reversed>,
    /// By what to sort, the first first; the order of the database if empty.
    pub sort: Vec<Sort>,
    /// How many resources a page holds at most, up to [`COUNT_MAX`]; none if it is not said.
    pub count: Option<usize>,
    /// Whether all are to be counted; none if it is not said.
    pub total: Option<Total>,
    /// Which part of the resources is wanted.
    pub summary: Summary,
    /// The elements that are wanted; all if empty.
    pub elements: Vec<&'static str>,
    /// What else is wanted of what they point to.
    pub includes: Vec<Include>,
    /// What else is wanted of what points to them.
    pub revincludes: Vec<Include>,
    /// Where to go on, as the link to this page said it.
    pub cursor: Option<String>,
    /// The names of parameters that were not looked at, each once; letters, digits and `_-.:` only.
    pub ignored: Vec<String>,
}

impl Query {
    /// A search for the resources of a type that fit these conditions.
    pub fn of(type_: &'static str, conditions: Vec<Condition>) -> Self {
        Self {
            type_,
            conditions,
            chained: Vec::new(),
            reversed: Vec::new(),
            sort: Vec::new(),
            count: None,
            total: None,
            summary: Summary::False,
            elements: Vec::new(),
            includes: Vec::new(),
            revincludes: Vec::new(),
            cursor: None,
            ignored: Vec::new(),
        }
    }
}

/// One condition: at least one of the values fits (with `:not`: none of them).
#[derive(Clone, Debug)]
pub struct Condition {
    /// What is looked at.
    pub parameter: &'static Parameter,
    /// How it is looked at.
    pub modifier: Option<Modifier>,
    /// The values, at least one, at most [`VALUES_MAX`]; with [`Modifier::Missing`] one flag.
    pub any: Vec<Value>,
}

/// A condition on a resource that the one looked for points to (`patient.name=`).
#[derive(Clone, Debug)]
pub struct Chained {
    /// The parameter that points there.
    pub by: &'static Parameter,
    /// The types that it may point to, each with the condition; one of them must hold. At least one.
    pub any: Vec<(&'static str, Condition)>,
}

/// A condition on a resource that points to the one looked for (`_has:Observation:patient:code=`).
#[derive(Clone, Debug)]
pub struct Reversed {
    /// The type that points here.
    pub type_: &'static str,
    /// By which parameter of that type.
    pub by: &'static Parameter,
    /// What it must say.
    pub condition: Condition,
}

/// How a parameter is looked at (<https://hl7.org/fhir/R4/search.html#modifiers>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modifier {
    /// The whole text, letter by letter. Its values are [`Value::Text`].
    Exact,
    /// Anywhere in the text. Its values are [`Value::Text`].
    Contains,
    /// Whether there is no value. Its value is a [`Value::Flag`].
    Missing,
    /// None of the values. They are [`Value::Token`].
    Not,
    /// The words beside a code. Its values are [`Value::Text`].
    Text,
    /// The identifier in a reference. Its values are [`Value::Token`].
    Identifier,
    /// References to this type. Its values are [`Value::Reference`] that name it, too.
    Type(&'static str),
}

/// A value that is looked for.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A code or an identifier.
    Token {
        /// Its system; none if any will do, none within if it must have none.
        system: Option<Option<String>>,
        /// The code, the value of an identifier, a telephone number, `true`; none if any of the system
        /// will do. At least one of the two is there.
        code: Option<String>,
    },
    /// A resource of this box.
    Reference {
        /// Its type; none if any will do.
        type_: Option<&'static str>,
        /// Its id.
        id: String,
    },
    /// A resource elsewhere, or one of another bundle: the whole reference.
    Url(String),
    /// A time.
    Date {
        /// How it is compared.
        prefix: Prefix,
        /// The first instant, in milliseconds since 1970-01-01T00:00Z.
        from_ms: i64,
        /// The first instant that no longer is meant.
        to_ms: i64,
    },
    /// A text.
    Text {
        /// How it is compared.
        how: How,
        /// The text without space at its ends; never empty.
        text: String,
    },
    /// A number.
    Number {
        /// How it is compared.
        prefix: Prefix,
        /// The number as it was written, such as `0.80` or `1e3`.
        decimal: String,
    },
    /// A URI, compared letter by letter.
    Uri(String),
    /// Yes or no, to [`Modifier::Missing`].
    Flag(bool),
}

/// How a text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The text begins so; of a name or an address: each word asked for begins one of its words.
    Starts,
    /// Somewhere in it.
    Contains,
    /// Letter by letter.
    Exact,
    /// Each word asked for sounds like one of its words (`phonetic`).
    Sounds,
}

/// How a date or number is compared (<https://hl7.org/fhir/R4/search.html#prefix>).
///
/// A resource says a range of time, too. With the asked one as `[from, to)` and the resource's as
/// `[start, end)`:
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// `from <= start && end <= to`
    Eq,
    /// Not [`Self::Eq`].
    Ne,
    /// `end > to`
    Gt,
    /// `start < from`
    Lt,
    /// [`Self::Gt`] or [`Self::Eq`].
    Ge,
    /// [`Self::Lt`] or [`Self::Eq`].
    Le,
    /// `start >= to`
    Sa,
    /// `end <= from`
    Eb,
    /// `start < to && end > from`; the asked range is already that much longer.
    Ap,
}

/// By what to sort.
#[derive(Clone, Copy, Debug)]
pub struct Sort {
    /// The parameter.
    pub parameter: &'static Parameter,
    /// Whether the last comes first.
    pub descending: bool,
}

/// Whether all that fit are to be counted (<https://hl7.org/fhir/R4/search.html#total>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// No.
    None,
    /// About.
    Estimate,
    /// Each.
    Accurate,
}

/// Which other resources are wanted, too (<https://hl7.org/fhir/R4/search.html#revinclude>).
#[derive(Clone, Copy, Debug)]
pub struct Include {
    /// The type that has the reference.
    pub source: &'static str,
    /// The parameter that finds it.
    pub by: &'static Parameter,
    /// The type that it must point to; none if any will do.
    pub target: Option<&'static str>,
    /// Whether what is included is looked at, too.
    pub iterate: bool,
}

impl fmt::Debug for Value {
    /// What is looked for is personal: logs show only of which kind a value is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { .. } => f.write_str("Token(…)"),
            Self::Reference { .. } => f.write_str("Reference(…)"),
            Self::Url(_) => f.write_str("Url(…)"),
            Self::Date { prefix, .. } => write!(f, "Date({prefix:?} …)"),
            Self::Text { how, .. } => write!(f, "Text({how:?} …)"),
            Self::Number { prefix, .. } => write!(f, "Number({prefix:?} …)"),
            Self::Uri(_) => f.write_str("Uri(…)"),
            Self::Flag(is) => write!(f, "Flag({is})"),
        }
    }
}
