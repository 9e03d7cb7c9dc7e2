//! By what resources are sorted, where no database does it (<https://hl7.org/fhir/R4/search.html#sort>).

use serde::{Deserialize, Serialize};

use super::{Found, found, text, values};
use crate::chart::Value;
use crate::here::Here;
use crate::json::Resource;
use crate::search::{Kind, ParamKind, Parameter};

/// What a resource says under a parameter, as it is compared with what others say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortKey {
    /// An instant in milliseconds since 1970-01-01T00:00Z.
    Time(i64),
    /// A text without regard to capitals, accents and script; a code, an id.
    Text(String),
}

/// By what the resource is sorted: the least of all that it says, of a name or an address the first.
/// None if it says nothing, or if nothing is sorted by the parameter ([`sorts`]).
pub fn sort_key(resource: &Resource, parameter: &Parameter, here: Here<'_>) -> Option<SortKey> {
    if !sorts(parameter) {
        return None;
    }
    let first = found(resource, parameter, here).into_iter().next()?;
    let Found { kind, json } = first;
    if matches!(kind, Kind::HumanName | Kind::Address) {
        return Some(SortKey::Text(text::words_of(kind, json).join(" ")));
    }
    let key = |value: Value| match value {
        Value::Date { from, to: _ } => SortKey::Time(from),
        Value::Token { system: _, code } => SortKey::Text(code.unwrap_or_default()),
        Value::Contact { system: _, place: text }
        | Value::Reference { type_: _, id: text }
        | Value::Text(text)
        | Value::Uri(text) => SortKey::Text(text),
    };
    values(resource, parameter, here).into_iter().map(key).min()
}

/// Whether resources can be sorted by a parameter.
pub fn sorts(parameter: &Parameter) -> bool {
    match parameter.kind {
        ParamKind::Token
        | ParamKind::Reference
        | ParamKind::Date
        | ParamKind::String
        | ParamKind::Uri => true,
        ParamKind::Number => false,
    }
}
