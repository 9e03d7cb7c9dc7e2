//! Looking into JSON objects: the elements of a resource as they were given.
//!
//! Nothing here fails on a wrong shape: that is what [`crate::structure`] refuses beforehand. What
//! is not of the shape that is looked for is not there.

use serde_json::{Map as JsonMap, Value};

use crate::json::Resource;
use crate::outcome::{Issue, IssueCode, Outcome};

/// A JSON object: a resource, or an element that has elements.
pub(crate) type Map = JsonMap<String, Value>;

/// A primitive that is text.
pub(crate) fn text<'a>(map: &'a Map, name: &str) -> Option<&'a str> {
    map.get(name)?.as_str()
}

/// A primitive that is true or false.
pub(crate) fn flag(map: &Map, name: &str) -> Option<bool> {
    map.get(name)?.as_bool()
}

/// A primitive that is a whole number.
pub(crate) fn whole(map: &Map, name: &str) -> Option<i64> {
    map.get(name)?.as_i64()
}

/// An element that has elements.
pub(crate) fn object<'a>(map: &'a Map, name: &str) -> Option<&'a Map> {
    map.get(name)?.as_object()
}

/// The entries of an element that repeats; none if it is not there.
pub(crate) fn list<'a>(map: &'a Map, name: &str) -> &'a [Value] {
    map.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The entries of a list that have elements, each with its place in the list.
pub(crate) fn objects(list: &[Value]) -> impl Iterator<Item = (usize, &Map)> {
    list.iter().enumerate().filter_map(|(place, entry)| Some((place, entry.as_object()?)))
}

/// The entries of a primitive that repeats.
pub(crate) fn texts<'a>(map: &'a Map, name: &str) -> impl Iterator<Item = &'a str> {
    list(map, name).iter().filter_map(Value::as_str)
}

/// An object of these elements, those without a value left out.
pub(crate) fn of<const N: usize>(elements: [(&str, Option<Value>); N]) -> Value {
    let there = elements.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect())
}

/// Refuses what would change the meaning of what is read and is not understood here:
/// `modifierExtension` of the resource or of the elements named in `acted_on`, and `implicitRules`.
///
/// Source: <https://hl7.org/fhir/R4/extensibility.html#modifierExtension>.
pub(crate) fn understood(resource: &Resource, acted_on: &[&str]) -> Result<(), Outcome> {
    let root = resource.resource_type();
    let mut issues = Vec::new();
    let mut refuse = |path: String| {
        let what = "this element changes the meaning of others and is not understood here; \
                    leave it out";
        issues.push(Issue::at(path, IssueCode::NotSupported, what));
    };
    for name in ["implicitRules", MODIFIER] {
        if resource.get(name).is_some() {
            refuse(format!("{root}.{name}"));
        }
    }
    for name in acted_on {
        for (place, entry) in objects(list(resource.map(), name)) {
            if entry.contains_key(MODIFIER) {
                refuse(format!("{root}.{name}[{place}].{MODIFIER}"));
            }
        }
    }
    if issues.is_empty() { Ok(()) } else { Err(Outcome { issues }) }
}

/// The extensions that change the meaning of the element that they stand in.
const MODIFIER: &str = "modifierExtension";

/// Refuses a resource of another type than the one that is read.
pub(crate) fn is_a(resource: &Resource, resource_type: &'static str) -> Result<(), Outcome> {
    if resource.resource_type() == resource_type {
        return Ok(());
    }
    let what = format!("a {resource_type} is needed here");
    Err(Outcome::error(IssueCode::Structure, what))
}
