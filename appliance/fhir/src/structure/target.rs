//! What a reference says about the type of resource that it points to.
//!
//! Source: <https://hl7.org/fhir/R4/references.html>.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::table::table;

/// The ids of the resources that a resource contains, and what each is. Made once for a resource,
/// because it may contain many and refer to each.
#[derive(Default)]
pub(crate) struct Contained<'a>(HashMap<&'a str, Option<&'static str>>);

impl<'a> Contained<'a> {
    /// Those in `contained` of this resource.
    pub(crate) fn of(root: &'a Map<String, Value>) -> Self {
        let all = root.get("contained").and_then(Value::as_array).into_iter().flatten();
        let named = |it: &'a Value| Some((it["id"].as_str()?, it["resourceType"].as_str()));
        Self(all.filter_map(named).map(|(id, name)| (id, name.and_then(resource))).collect())
    }

    /// Whether there is one of this id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }
}

/// The type that the reference certainly points to, if it says one: by a literal reference that ends
/// in `Type/id`, by a search `Type?…`, by the resource it is contained in, or by its `type`.
pub(crate) fn target(
    reference: &Map<String, Value>,
    contained: &Contained<'_>,
) -> Option<&'static str> {
    let literal = reference.get("reference").and_then(Value::as_str);
    let said = reference.get("type").and_then(Value::as_str).and_then(resource);
    literal.and_then(|literal| of_literal(literal, contained)).or(said)
}

fn of_literal(literal: &str, contained: &Contained<'_>) -> Option<&'static str> {
    if let Some(id) = literal.strip_prefix('#') {
        return contained.0.get(id).copied().flatten();
    }
    if let Some((name, _)) = literal.split_once('?') {
        return resource(name);
    }
    parts(literal).map(|(name, _)| name)
}

/// Type and id at the end of a relative or absolute reference; its version is left out.
pub(crate) fn parts(literal: &str) -> Option<(&'static str, &str)> {
    let literal = literal.split("/_history/").next().unwrap_or(literal);
    let (before, id) = literal.rsplit_once('/')?;
    let name = before.rsplit('/').next().unwrap_or(before);
    Some((resource(name)?, id)).filter(|(_, id)| !id.is_empty())
}

fn resource(name: &str) -> Option<&'static str> {
    table().resource(name).map(|(name, _)| name)
}
