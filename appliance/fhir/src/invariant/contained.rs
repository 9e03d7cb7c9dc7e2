//! The invariants of contained resources (those of `DomainResource`).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Focus, Place, rule};

pub(super) const RULES: &[Place] = &[
    (
        &["DomainResource"],
        rule(
            "dom-2",
            "If the resource is contained in another resource, it SHALL NOT contain nested Resources",
            |it| it.each("contained").all(|contained| contained.lacks("contained")),
        ),
    ),
    (
        &["DomainResource"],
        rule(
            "dom-3",
            "If the resource is contained in another resource, it SHALL be referred to from elsewhere \
             in the resource or SHALL refer to the containing resource",
            each_is_referred_to,
        ),
    ),
    (
        &["DomainResource"],
        rule(
            "dom-4",
            "If a resource is contained in another resource, it SHALL NOT have a meta.versionId or a \
             meta.lastUpdated",
            |it| {
                let mut metas = it.each("contained").filter_map(|it| it.child("meta"));
                metas.all(|meta| !meta.has_any(&["versionId", "lastUpdated"]))
            },
        ),
    ),
    (
        &["DomainResource"],
        rule(
            "dom-5",
            "If a resource is contained in another resource, it SHALL NOT have a security label",
            |it| {
                let mut metas = it.each("contained").filter_map(|it| it.child("meta"));
                metas.all(|meta| meta.lacks("security"))
            },
        ),
    ),
];

fn each_is_referred_to(it: &Focus<'_>) -> bool {
    if it.lacks("contained") {
        return true;
    }
    let mut local = HashSet::new();
    local_references(it.map, &mut local);
    it.each("contained").all(|contained| {
        let is_meant = contained.text("id").is_some_and(|id| local.contains(id));
        is_meant || {
            let mut own = HashSet::new();
            local_references(contained.map, &mut own);
            own.contains("")
        }
    })
}

/// The ids of all local references: what stands behind the `#` of any string that begins with one.
///
/// Which strings are references, and which URIs, is not told apart: a text that is `#` and the id of
/// a contained resource is no accident.
fn local_references<'a>(map: &'a Map<String, Value>, found: &mut HashSet<&'a str>) {
    for value in map.values() {
        local_references_of(value, found);
    }
}

fn local_references_of<'a>(value: &'a Value, found: &mut HashSet<&'a str>) {
    match value {
        Value::String(text) => found.extend(text.strip_prefix('#')),
        Value::Array(list) => list.iter().for_each(|it| local_references_of(it, found)),
        Value::Object(map) => local_references(map, found),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
