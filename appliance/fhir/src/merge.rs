//! A resource that was edited in two places, brought together element by element.
//!
//! What only one side changed is taken. What both changed, each otherwise, stays as it is here, and both
//! are told, so that a person can decide. Lists whose entries stand for different things are looked at
//! entry by entry kind: `telecom` and `identifier` by `system`, `extension` by `url`; so a new e-mail
//! address does not collide with a new telephone number.
//!
//! Invariant: an element of which one side says something else than before is either in the result, or
//! among what is disputed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::json::Resource;

/// Lists that are looked at by kind of entry, and what tells the kind.
const BY_KIND: [(&str, &str); 3] =
    [("extension", "url"), ("identifier", "system"), ("telecom", "system")];
/// What says which resource and version it is, not what it says.
const NOT_SAID: [&str; 3] = ["resourceType", "id", "meta"];

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The resource as it is to be here.
    pub resource: Resource,
    /// What both changed, each otherwise.
    pub disputed: Vec<Disputed>,
}

/// What two sides say of one element; null where it is not there.
#[derive(Clone, PartialEq)]
pub struct Disputed {
    /// The element, and where there are several kinds of it the kind: `telecom:phone`.
    pub field: String,
    /// What both had before.
    pub base: Value,
    /// What is said here.
    pub here: Value,
    /// What is said there.
    pub there: Value,
}

impl std::fmt::Debug for Disputed {
    /// The values are personal: logs never show them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Disputed({})", self.field)
    }
}

/// Brings together what is here and what was edited there, each of which began as `base`.
pub fn merge(base: &Resource, here: &Resource, there: &Resource) -> Merged {
    let (mut resource, mut disputed) = (here.clone(), Vec::new());
    for it in changed(base, here, there) {
        if it.here == it.base {
            resource = with(&resource, &it.field, &it.there);
        } else if it.here != it.there {
            disputed.push(it);
        }
    }
    Merged { resource, disputed }
}

/// What was changed there, and what is said of it here.
pub fn changed(base: &Resource, here: &Resource, there: &Resource) -> Vec<Disputed> {
    let (base, here, there) = (parts(base), parts(here), parts(there));
    let fields: BTreeSet<&String> = base.keys().chain(there.keys()).collect();
    let of = |parts: &BTreeMap<String, Value>, field: &String| {
        parts.get(field).cloned().unwrap_or(Value::Null)
    };
    let each = fields.into_iter().map(|field| Disputed {
        field: field.clone(),
        base: of(&base, field),
        here: of(&here, field),
        there: of(&there, field),
    });
    each.filter(|it| it.there != it.base).collect()
}

/// The resource with another value of an element, or of one kind of it; without it if the value is null.
pub fn with(resource: &Resource, field: &str, value: &Value) -> Resource {
    let mut next = resource.clone();
    let (name, kind) = field.split_once(':').unwrap_or((field, ""));
    let value = match (BY_KIND.iter().find(|(list, _)| *list == name), resource.get(name)) {
        (Some((_, key)), Some(Value::Array(entries))) => {
            Value::Array(replaced(entries, (key, kind), value))
        }
        (_, _) => value.clone(),
    };
    let is_nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    if NOT_SAID.contains(&name) {
        return next;
    }
    if is_nothing {
        next.remove(name);
    } else {
        next.set(name, value);
    }
    next
}

/// The entries with others of one kind, which stand where the first of that kind stood.
fn replaced(entries: &[Value], (key, kind): (&str, &str), value: &Value) -> Vec<Value> {
    let is_of = |entry: &Value| kind_of(entry, key) == kind;
    let at = entries.iter().position(is_of).unwrap_or(entries.len());
    let before = entries.iter().take(at).cloned();
    let new = value.as_array().cloned().unwrap_or_default();
    let after = entries.iter().skip(at).filter(|entry| !is_of(entry)).cloned();
    before.chain(new).chain(after).collect()
}

/// What a resource says, by element and kind.
fn parts(resource: &Resource) -> BTreeMap<String, Value> {
    let mut parts = BTreeMap::new();
    for (name, value) in resource.map() {
        if NOT_SAID.contains(&name.as_str()) {
            continue;
        }
        let list = BY_KIND.iter().find(|(list, _)| list == name);
        let (Some((_, key)), Value::Array(entries)) = (list, value) else {
            parts.insert(name.clone(), value.clone());
            continue;
        };
        let mut kinds: Map<String, Value> = Map::new();
        for entry in entries {
            let of = kinds
                .entry(kind_of(entry, key).to_owned())
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(of) = of {
                of.push(entry.clone());
            }
        }
        parts.extend(kinds.into_iter().map(|(kind, of)| (format!("{name}:{kind}"), of)));
    }
    parts
}

fn kind_of<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
