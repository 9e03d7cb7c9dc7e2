//! What a chart is searched by: for a resource of any type the values that the search parameters
//! `identifier`, `patient`, `subject`, `date`, `code`, `status` and `category` find in it.
//!
//! `chart/parameters.txt` is made by `npm run tables` in `tests/fhir` from HL7's search parameters of
//! 4.0.1, which say where in each type the values lie. Source of what each type of element means to a
//! search: <https://hl7.org/fhir/R4/search.html>.
//!
//! Absent: references that are only an identifier, and text of narratives.

mod read;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::here::Here;
use crate::json::Resource;
use crate::kept::Kept;
use crate::structure::target::Contained;

/// The most values that one resource is found by; more are only in the codes that a code system or a
/// value set lists, and those behind are not found.
pub const ENTRIES_MAX: usize = 256;

/// One value by which a resource is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The search parameter, such as `code`.
    pub parameter: &'static str,
    /// The value.
    pub value: Value,
}

/// A value in the form in which it is compared.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A code or an identifier; at least one of the two is there.
    Token {
        /// The system, as a URI.
        system: Option<String>,
        /// The code, or the value of the identifier.
        code: Option<String>,
    },
    /// A reference.
    Reference {
        /// The type of resource, where the reference says it.
        type_: Option<&'static str>,
        /// The id of `Type/id`; of an absolute reference and of `urn:uuid:…` the whole. A version is
        /// left out.
        id: String,
    },
    /// A time, half-open, in milliseconds since 1970-01-01T00:00Z; [`i64::MIN`] and [`i64::MAX`] where
    /// a period has no end.
    Date {
        /// The first instant.
        from: i64,
        /// The first instant that no longer is meant.
        to: i64,
    },
    /// The text of a code, for a search by `:text`.
    Text(String),
}

impl std::fmt::Debug for Value {
    /// Identifiers and texts are personal: logs show only of which kind a value is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Token { .. } => "Token(…)",
            Self::Reference { .. } => "Reference(…)",
            Self::Date { .. } => "Date(…)",
            Self::Text(_) => "Text(…)",
        })
    }
}

/// The values by which the resource is found, each once, at most [`ENTRIES_MAX`]. Dates without a
/// zone are those of `zone`.
pub fn index(resource: &Resource, zone: &TimeZone) -> Vec<Entry> {
    let places = PLACES.get(resource.resource_type()).map(Vec::as_slice).unwrap_or_default();
    let contained = Contained::of(resource.map());
    let mut found = read::Found { zone, contained, entries: Vec::new() };
    for place in places {
        found.place(place, resource.map());
    }
    found.entries
}

/// A resource that is stored as it was given, under the id by which it is known here.
pub fn write(
    given: &Resource,
    id: &str,
    version: i64,
    updated: Timestamp,
    here: Here<'_>,
) -> Resource {
    Kept::begin(given.resource_type(), id, here.meta(version, updated), Some(given)).end()
}

/// Where values of a parameter lie.
struct Place {
    parameter: &'static str,
    /// The keys on the way there.
    keys: Vec<&'static str>,
    kind: Kind,
    /// The type of resource that a reference must point to.
    only: Option<&'static str>,
}

/// The type of what lies there, as far as a search tells it apart.
#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Coding,
    Concept,
    Identifier,
    Reference,
    Canonical,
    Date,
    Period,
    Timing,
}

static PLACES: LazyLock<HashMap<&'static str, Vec<Place>>> =
    LazyLock::new(|| places(include_str!("chart/parameters.txt")));

/// The file: a type, then a line for each of its parameters.
fn places(text: &'static str) -> HashMap<&'static str, Vec<Place>> {
    let mut all: HashMap<&'static str, Vec<Place>> = HashMap::new();
    let mut resource_type = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some(parameter) = line.strip_prefix(' ') else {
            resource_type = line;
            continue;
        };
        let mut words = parameter.split(' ');
        let name = words.next().unwrap_or_default();
        all.entry(resource_type).or_default().extend(words.filter_map(|word| place(name, word)));
    }
    all
}

/// `subject:Reference=Patient`
fn place(parameter: &'static str, word: &'static str) -> Option<Place> {
    let (path, kind) = word.split_once(':')?;
    let (kind, only) = match kind.split_once('=') {
        Some((kind, only)) => (kind, Some(only)),
        None => (kind, None),
    };
    let kind = match kind {
        "boolean" | "code" | "id" | "string" | "uri" => Kind::Plain,
        "Coding" => Kind::Coding,
        "CodeableConcept" => Kind::Concept,
        "Identifier" => Kind::Identifier,
        "Reference" => Kind::Reference,
        "canonical" => Kind::Canonical,
        "date" | "dateTime" | "instant" => Kind::Date,
        "Period" => Kind::Period,
        "Timing" => Kind::Timing,
        _ => return None,
    };
    Some(Place { parameter, keys: path.split('.').collect(), kind, only })
}
