//! References between resources: what a `Reference` points at, where a resource has them, and how
//! they are rewritten.
//!
//! Source: <https://hl7.org/fhir/R4/references.html>.

use std::collections::HashSet;
use std::fmt::Display;

use serde_json::Value;
use uuid::Uuid;

use crate::bundle;
use crate::element::{self, Map};
use crate::json::{RESOURCE_TYPE, Resource};
use crate::kept::Entries;
use crate::structure;

/// The longest logical id (<https://hl7.org/fhir/R4/datatypes.html#id>).
pub const ID_MAX: usize = 64;

/// What a reference points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// A resource of this box: relative, or absolute under its own address.
    Local(Local<'a>),
    /// Another of the same bundle (`urn:uuid:…`, `urn:oid:…`), the whole text.
    Urn(&'a str),
    /// A resource contained in the same one (`#medication`), without the `#`; empty is the container.
    Contained(&'a str),
    /// The one resource that a search finds (`Patient?identifier=…`).
    Conditional {
        /// The type that is searched.
        resource_type: &'static str,
        /// What stands after the `?`.
        query: &'a str,
    },
    /// A resource somewhere else, by its address.
    Foreign(&'a str),
    /// No address: an identifier, or only words.
    Logical,
}

/// A resource of this box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local<'a> {
    /// Its type.
    pub resource_type: &'static str,
    /// Its logical id.
    pub id: &'a str,
    /// The version that is meant, if one is.
    pub version: Option<&'a str>,
}

impl<'a> Local<'a> {
    /// Its id, if it has the form of a record's.
    pub fn uuid(&self) -> Option<Uuid> {
        // Ids are compared letter by letter, but a UUID is read in other forms too.
        let plain = self.id.len() == 36 && !self.id.bytes().any(|byte| byte.is_ascii_uppercase());
        if plain { Uuid::try_parse(self.id).ok() } else { None }
    }
}

/// What the text of `Reference.reference` points at; none if it is no reference.
///
/// `origin` is the address under which this box serves FHIR, such as `https://clinic.local/fhir`;
/// empty if it has none.
pub fn parse<'a>(reference: &'a str, origin: &str) -> Option<Target<'a>> {
    if let Some(id) = reference.strip_prefix('#') {
        return (id.is_empty() || is_id(id)).then_some(Target::Contained(id));
    }
    if reference.is_empty() || reference.contains(char::is_whitespace) {
        return None;
    }
    if reference.starts_with("urn:") {
        return Some(Target::Urn(reference));
    }
    let own = (!origin.is_empty())
        .then(|| reference.strip_prefix(origin.trim_end_matches('/'))?.strip_prefix('/'))
        .flatten();
    match own.or_else(|| (!has_scheme(reference)).then_some(reference)) {
        Some(relative) => relative_to_here(relative),
        None => Some(Target::Foreign(reference)),
    }
}

/// What a `Reference` points at; none if its text is no reference.
pub fn target<'a>(
    reference: &'a serde_json::Map<String, Value>,
    origin: &str,
) -> Option<Target<'a>> {
    match element::text(reference, "reference") {
        Some(text) => parse(text, origin),
        None => Some(Target::Logical),
    }
}

fn relative_to_here(relative: &str) -> Option<Target<'_>> {
    if let Some((name, query)) = relative.split_once('?') {
        let resource_type = structure::type_name(name)?;
        return (!query.is_empty()).then_some(Target::Conditional { resource_type, query });
    }
    let mut parts = relative.split('/');
    let resource_type = structure::type_name(parts.next()?)?;
    let id = parts.next().filter(|id| is_id(id))?;
    let version = match (parts.next(), parts.next(), parts.next()) {
        (None, None, None) => None,
        (Some("_history"), Some(version), None) if is_id(version) => Some(version),
        (_, _, _) => return None,
    };
    Some(Target::Local(Local { resource_type, id, version }))
}

/// Whether the text is a logical id.
pub fn is_id(text: &str) -> bool {
    (1..=ID_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

fn has_scheme(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// A reference that was found in a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Where the `Reference` stands, such as `Appointment.participant[0].actor`.
    pub path: String,
    /// What `Reference.reference` says.
    pub reference: &'a str,
}

/// Every literal reference of a resource, also those in extensions and in contained resources, in
/// the order in which they stand. What stands within a bundle refers to the bundle, and is not looked
/// at (<https://hl7.org/fhir/R4/bundle.html#references>).
pub fn references(resource: &Resource) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    collect(resource.map(), resource.resource_type(), &mut found);
    found
}

fn collect<'a>(map: &'a Map, path: &str, found: &mut Vec<Found<'a>>) {
    if is_reference(map)
        && let Some(reference) = element::text(map, "reference")
    {
        found.push(Found { path: path.to_owned(), reference });
    }
    for (name, value) in map {
        match value {
            Value::Object(inner) if may_refer(map, name) => {
                collect(inner, &format!("{path}.{name}"), found);
            }
            Value::Array(entries) if may_refer(map, name) => {
                for (place, inner) in element::objects(entries) {
                    collect(inner, &format!("{path}.{name}[{place}]"), found);
                }
            }
            Value::Object(_)
            | Value::Array(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_) => {}
        }
    }
}

/// Puts what `to` answers in the place of each literal reference that [`references`] finds; what it
/// answers nothing for stays.
pub fn rewrite(resource: &mut Resource, mut to: impl FnMut(&str) -> Option<String>) {
    each(resource, &mut |map| {
        if let Some(Value::String(reference)) = map.get_mut("reference")
            && let Some(new) = to(reference)
        {
            *reference = new;
        }
    });
}

/// Takes the words away that stand beside the literal references that [`references`] finds: they are copies
/// of what the resource says that is referred to.
pub fn drop_displays(resource: &mut Resource) {
    each(resource, &mut |map| {
        if map.contains_key("reference") {
            map.shift_remove("display");
        }
    });
}

fn each(resource: &mut Resource, of: &mut impl FnMut(&mut Map)) {
    let map = resource.map();
    let names: Vec<String> = map.keys().filter(|name| may_refer(map, name)).cloned().collect();
    for name in &names {
        if let Some(value) = resource.get_mut(name) {
            each_within(value, of);
        }
    }
}

fn each_within(value: &mut Value, of: &mut impl FnMut(&mut Map)) {
    match value {
        Value::Object(map) => {
            if is_reference(map) {
                of(map);
            }
            let names: Vec<bool> = map.keys().map(|name| may_refer(map, name)).collect();
            for ((_, inner), _) in map.iter_mut().zip(names).filter(|(_, may)| *may) {
                each_within(inner, of);
            }
        }
        Value::Array(entries) => {
            for entry in entries {
                each_within(entry, of);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The elements of `Reference` and of every element, without their `_` siblings.
const OF_A_REFERENCE: [&str; 6] = ["id", "extension", "reference", "type", "identifier", "display"];

/// Whether an object is a `Reference`. `Expression` and `DetectedIssue` have a `reference` as well,
/// but elements beside it that no `Reference` has.
fn is_reference(map: &Map) -> bool {
    map.keys().all(|name| OF_A_REFERENCE.contains(&name.strip_prefix('_').unwrap_or(name)))
}

/// Whether there may be references in this element.
fn may_refer(map: &Map, name: &str) -> bool {
    let is_within = name == bundle::ENTRY && is_bundle(map);
    !is_within && !is_uri_there(name)
}

/// Whether an object is a bundle, whose entries refer to each other.
fn is_bundle(map: &Map) -> bool {
    element::text(map, RESOURCE_TYPE) == Some(bundle::TYPE)
}

/// Whether `reference` in this element is a plain address: `Immunization.education` alone may have
/// nothing beside it.
fn is_uri_there(name: &str) -> bool {
    name == "education"
}

/// A `Reference` to a resource of this box.
pub(crate) fn to(resource_type: &str, id: impl Display) -> Value {
    element::of([("reference", Some(format!("{resource_type}/{id}").into()))])
}

/// The same, with words to show for it.
pub(crate) fn shown(resource_type: &str, id: impl Display, display: Option<&str>) -> Value {
    element::of([
        ("reference", Some(format!("{resource_type}/{id}").into())),
        ("display", display.map(Value::from)),
    ])
}

/// The resource of this box that a `Reference` points at, if its id is that of a record.
pub(crate) fn record(reference: &Map, origin: &str) -> Option<(&'static str, Uuid)> {
    match target(reference, origin)? {
        Target::Local(local) => Some((local.resource_type, local.uuid()?)),
        Target::Urn(_)
        | Target::Contained(_)
        | Target::Conditional { .. }
        | Target::Foreign(_)
        | Target::Logical => None,
    }
}

/// The same, if it is of this type.
pub(crate) fn record_of(resource_type: &str, reference: &Map, origin: &str) -> Option<Uuid> {
    record(reference, origin).filter(|(found, _)| *found == resource_type).map(|(_, id)| id)
}

/// References that repeat to resources of one type, such as `HealthcareService.location`, each once.
pub(crate) struct Links<'a> {
    /// The type.
    pub(crate) resource_type: &'static str,
    /// How many the record holds.
    pub(crate) most: usize,
    /// The address under which this box serves FHIR.
    pub(crate) origin: &'a str,
}

impl Entries for Links<'_> {
    type Said = Uuid;

    fn read(&self, entries: &[Value]) -> Vec<(usize, Uuid)> {
        let mut seen = HashSet::new();
        element::objects(entries)
            .filter_map(|(place, entry)| {
                Some((place, record_of(self.resource_type, entry, self.origin)?))
            })
            .filter(|(_, id)| seen.insert(*id))
            .take(self.most)
            .collect()
    }

    fn write(&self, id: &Uuid, _old: Option<&Map>) -> Value {
        to(self.resource_type, id)
    }
}

#[cfg(test)]
mod tests;
