//! The R4 element table and what it says about a resource.
//!
//! [`validate`] looks at everything that R4 itself demands: elements that exist, the kind of JSON,
//! how many of each, the form of primitive values, `_x` beside `x`, one `value[x]` at most, what
//! references may point to, contained resources, extensions, required bindings, the narrative, and
//! the rules between elements (`invariant`).
//!
//! Not looked at, because it cannot be known here: whether a code of SNOMED CT or LOINC exists;
//! profiles; what an extension's own definition demands; and of the value sets of media types
//! (BCP 13), currencies (ISO 4217), units (UCUM) and LOINC's answers LL379-9 more than the form.
//!
//! `r4.txt` is made by `npm run tables` in `tests/fhir` from HL7's definitions of 4.0.1.

mod codes;
mod narrative;
mod path;
mod table;
pub(crate) mod target;
#[cfg(test)]
mod tests;
mod walk;

use crate::json::Resource;
use crate::outcome::Issue;

/// The most issues that are found in one resource; what lies behind them is not looked at.
pub const ISSUES_MAX: usize = 50;

/// What is wrong with the resource, in the order in which it is written; nothing if it is valid.
pub fn validate(resource: &Resource) -> Vec<Issue> {
    walk::walk(resource)
}

/// Whether R4 has a resource of this name.
pub fn is_type(name: &str) -> bool {
    type_name(name).is_some()
}

/// The name of a resource of R4, if it is one.
pub fn type_name(name: &str) -> Option<&'static str> {
    table::table().resource(name).map(|(name, _)| name)
}

/// The names of all resources of R4, in the order of the alphabet.
pub fn each_type() -> impl Iterator<Item = &'static str> {
    table::table().resources().into_iter()
}

/// An element of a resource: its name, how often it may stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// The name; of a choice (`value[x]`) the part before the type.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it is a list.
    pub many: bool,
    /// Whether the key in JSON says the type as well, as `valueQuantity`.
    pub choice: bool,
}

/// The elements of a resource in the order of its definition; none if R4 has no such resource.
pub fn elements(resource_type: &str) -> Vec<Element> {
    let found = table::table().resource(resource_type);
    let all = found.map(|(_, node)| node.elements.as_slice()).unwrap_or_default();
    let shown = |it: &table::Element| Element {
        name: it.name,
        required: it.required,
        many: it.many,
        choice: it.choice,
    };
    all.iter().map(shown).collect()
}
