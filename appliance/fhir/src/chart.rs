//! What a chart is searched by: for a resource of any type the values that its search parameters find in
//! it, so that a database can narrow a search before each resource is looked at ([`crate::matching`]).
//!
//! `chart/parameters.txt` is made by `npm run tables` in `tests/fhir` from HL7's search parameters of
//! 4.0.1; the parameters beside those of every chart are in `search/parameters.txt`.
//!
//! Absent: numbers, references that are only an identifier, words beside codes, text of narratives.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use uuid::Uuid;

use crate::here::Here;
use crate::json::Resource;
use crate::kept::Kept;
use crate::matching;
use crate::search::{ID, LAST_UPDATED, Parameter, parameter, parameters};

/// The most values that one resource is found by; more are only in the codes that a code system or a
/// value set lists, and those behind are not found.
pub const ENTRIES_MAX: usize = prm::given::KEYS_MAX;

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
    /// A telephone number by its digits without zeros at the beginning, or another address in small
    /// letters.
    Contact {
        /// `phone`, `email`.
        system: Option<String>,
        /// The number or the address.
        place: String,
    },
    /// A reference.
    Reference {
        /// The type of resource, where it is one of this box.
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
    /// A text, or a word of a name or an address, folded as texts are compared; to be found by its
    /// sound, the sound.
    Text(String),
    /// A URI.
    Uri(String),
}

impl std::fmt::Debug for Value {
    /// Identifiers and texts are personal: logs show only of which kind a value is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Token { .. } => "Token(…)",
            Self::Contact { .. } => "Contact(…)",
            Self::Reference { .. } => "Reference(…)",
            Self::Date { .. } => "Date(…)",
            Self::Text(_) => "Text(…)",
            Self::Uri(_) => "Uri(…)",
        })
    }
}

/// The values by which the resource is found, each once, at most [`ENTRIES_MAX`]. Dates without a
/// zone are those of the clinic's.
pub fn index(resource: &Resource, here: Here<'_>) -> Vec<Entry> {
    let is_own = |it: &&Parameter| it.name != ID && it.name != LAST_UPDATED;
    let all = parameters(resource.resource_type()).iter().filter(is_own);
    let mut found: Vec<Vec<Entry>> = Vec::new();
    for parameter in all {
        let mut entries: Vec<Entry> = Vec::new();
        for value in matching::values(resource, parameter, here) {
            let entry = Entry { parameter: parameter.name, value };
            if !entries.contains(&entry) && entries.len() < ENTRIES_MAX {
                entries.push(entry);
            }
        }
        found.push(entries);
    }
    fairly(found)
}

/// So many of all that no parameter takes the room of the others.
fn fairly(found: Vec<Vec<Entry>>) -> Vec<Entry> {
    if found.iter().map(Vec::len).sum::<usize>() <= ENTRIES_MAX {
        return found.into_iter().flatten().collect();
    }
    let mut found: Vec<_> = found.into_iter().map(Vec::into_iter).collect();
    let mut entries = Vec::with_capacity(ENTRIES_MAX);
    loop {
        let before = entries.len();
        for rest in &mut found {
            entries.extend(rest.next().filter(|_| entries.len() < ENTRIES_MAX));
        }
        if entries.len() == before || entries.len() == ENTRIES_MAX {
            return entries;
        }
    }
}

/// The patient of this box whom the resource is about, as far as its references say.
pub fn patient(resource: &Resource, here: Here<'_>) -> Option<Uuid> {
    let all = ["patient", "subject"].into_iter();
    let all = all.filter_map(|name| parameter(resource.resource_type(), name));
    let mut found = all.flat_map(|parameter| matching::references(resource, parameter, here));
    found.find_map(|(type_, id)| Uuid::try_parse(&id).ok().filter(|_| type_ == "Patient"))
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
