//! Parts of resources: `_summary` and `_elements`.
//!
//! Source: <https://hl7.org/fhir/R4/search.html#summary>, <https://hl7.org/fhir/R4/search.html#elements>.
//! Invariant: what is left is valid. `id`, `meta`, what R4 demands and what changes the meaning of the
//! rest always stay, and `meta.tag` says SUBSETTED.
//!
//! `summary/elements.txt` is made by `npm run tables` in `tests/fhir` from HL7's definitions of 4.0.1.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::json::Resource;
use crate::reference;
use crate::structure::{self, Element};

/// Which part of a resource is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summary {
    /// All of it.
    False,
    /// The elements that R4 marks as summary.
    True,
    /// The narrative.
    Text,
    /// All but the narrative.
    Data,
    /// Nothing but how many there are; of a resource that is answered all the same all of it.
    Count,
}

impl Summary {
    /// By FHIR's code (<https://hl7.org/fhir/R4/valueset-summary.html>).
    pub fn named(code: &str) -> Option<Self> {
        Some(match code {
            "false" => Self::False,
            "true" => Self::True,
            "text" => Self::Text,
            "data" => Self::Data,
            "count" => Self::Count,
            _ => return None,
        })
    }
}

/// The part that a summary is.
pub fn summarised(resource: Resource, summary: Summary) -> Resource {
    match summary {
        Summary::False | Summary::Count => resource,
        Summary::True => short(resource),
        Summary::Text => part(resource, |element| element.name == "text"),
        Summary::Data => part(resource, |element| element.name != "text"),
    }
}

/// The part that these elements are; all of it if none is named.
pub fn with_elements(resource: Resource, elements: &[&str]) -> Resource {
    if elements.is_empty() {
        return resource;
    }
    part(resource, |element| elements.contains(&element.name))
}

/// What always stays, beside what must be there.
const STAYS: [&str; 4] = ["id", "meta", "implicitRules", "modifierExtension"];

fn part(resource: Resource, wanted: impl Fn(&Element) -> bool) -> Resource {
    let elements = structure::elements(resource.resource_type());
    let stays =
        |element: &Element| element.required || STAYS.contains(&element.name) || wanted(element);
    let keys: Vec<String> = resource.map().keys().cloned().collect();
    let mut resource = resource;
    let contained = resource.get(CONTAINED).cloned();
    for key in keys {
        let is_known =
            elements.iter().find(|element| is_key_of(&key, element.name, element.choice));
        if is_known.is_some_and(|element| !stays(element)) {
            resource.remove(&key);
        }
    }
    if let Some(Value::Array(contained)) = contained.filter(|_| resource.get(CONTAINED).is_none()) {
        keep_what_is_pointed_to(&mut resource, contained);
    }
    tagged(resource)
}

const CONTAINED: &str = "contained";

/// Puts back the contained resources that what is left points to, also through one another.
fn keep_what_is_pointed_to(resource: &mut Resource, mut contained: Vec<Value>) {
    let mut kept: Vec<Value> = Vec::new();
    loop {
        let is_pointed_to = |it: &Value, from: &Resource| {
            let id = it["id"].as_str().unwrap_or_default();
            reference::references(from).iter().any(|at| at.reference.strip_prefix('#') == Some(id))
        };
        let (found, rest): (Vec<Value>, Vec<Value>) =
            contained.into_iter().partition(|it| is_pointed_to(it, resource));
        if found.is_empty() {
            return;
        }
        kept.extend(found);
        contained = rest;
        resource.set(CONTAINED, kept.clone());
    }
}

/// Whether an element stands under this key, or what stands beside it (`_birthDate`).
fn is_key_of(key: &str, name: &str, choice: bool) -> bool {
    let key = key.strip_prefix('_').unwrap_or(key);
    match key.strip_prefix(name) {
        Some("") => !choice,
        Some(type_) => choice && type_.starts_with(|letter: char| letter.is_ascii_uppercase()),
        None => false,
    }
}

/// An element of a summary. One that has elements of its own but is no data type names those.
struct Marked {
    name: &'static str,
    choice: bool,
    within: Vec<Marked>,
}

static MARKED: LazyLock<HashMap<&'static str, Vec<Marked>>> = LazyLock::new(|| {
    let lines = include_str!("summary/elements.txt").lines().filter(|line| !line.starts_with('#'));
    let types = lines.filter_map(|line| line.split_once(' '));
    types.map(|(type_, words)| (type_, marked(&mut words.split(' ')))).collect()
});

/// `status participant( type actor ) value[x]`, up to the `)` that ends it.
fn marked(words: &mut std::str::Split<'static, char>) -> Vec<Marked> {
    let mut all = Vec::new();
    while let Some(word) = words.next() {
        if word == ")" {
            break;
        }
        let open = word.strip_suffix('(');
        let within = if open.is_some() { marked(words) } else { Vec::new() };
        let name = open.unwrap_or(word);
        let choice = name.ends_with("[x]");
        all.push(Marked { name: name.trim_end_matches("[x]"), choice, within });
    }
    all
}

fn short(resource: Resource) -> Resource {
    let wanted = MARKED.get(resource.resource_type()).map(Vec::as_slice).unwrap_or_default();
    let is_wanted = |element: &Element| wanted.iter().any(|it| it.name == element.name);
    let mut resource = part(resource, is_wanted);
    for marked in wanted.iter().filter(|it| !it.within.is_empty()) {
        if let Some(value) = resource.get_mut(marked.name) {
            shorten(value, &marked.within);
        }
    }
    resource
}

/// What every element may have beside its own.
const OF_AN_ELEMENT: [&str; 2] = ["id", "modifierExtension"];

fn shorten(value: &mut Value, wanted: &[Marked]) {
    match value {
        Value::Array(entries) => entries.iter_mut().for_each(|entry| shorten(entry, wanted)),
        Value::Object(map) => {
            let is_wanted = |key: &str| {
                OF_AN_ELEMENT.contains(&key)
                    || wanted.iter().any(|it| is_key_of(key, it.name, it.choice))
            };
            map.retain(|key, _| is_wanted(key));
            for marked in wanted.iter().filter(|it| !it.within.is_empty()) {
                if let Some(value) = map.get_mut(marked.name) {
                    shorten(value, &marked.within);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

const TAG_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
const TAG: &str = "SUBSETTED";

/// The resource with the tag that says that it is not whole.
fn tagged(mut resource: Resource) -> Resource {
    let mut meta = match resource.get("meta") {
        Some(Value::Object(meta)) => meta.clone(),
        Some(_) | None => Map::new(),
    };
    let mut tags = meta.get("tag").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_there = |tag: &Value| tag["system"] == TAG_SYSTEM && tag["code"] == TAG;
    if !tags.iter().any(is_there) {
        tags.push(json!({ "system": TAG_SYSTEM, "code": TAG, "display": "subsetted" }));
    }
    meta.insert("tag".into(), Value::Array(tags));
    resource.set("meta", meta);
    resource
}
