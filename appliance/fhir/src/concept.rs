//! `Coding` and `CodeableConcept`.
//!
//! Sources: <https://hl7.org/fhir/R4/datatypes.html#CodeableConcept>,
//! <https://hl7.org/fhir/R4/terminologies-systems.html>.

use serde_json::{Value, json};

use crate::element::{self, Map};
use crate::kept::Entries;

/// HL7's types of identifiers.
pub(crate) const IDENTIFIER_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";

/// The type of an identifier that is the id of a record.
pub(crate) const RESOURCE_IDENTIFIER: Coded = Coded(IDENTIFIER_TYPE, "RI", "Resource identifier");

/// A code with its system and the words that the system has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Coded(
    /// The system, a URI.
    pub(crate) &'static str,
    /// The code.
    pub(crate) &'static str,
    /// The words for it.
    pub(crate) &'static str,
);

impl Coded {
    /// A `Coding`.
    pub(crate) fn coding(self) -> Value {
        let Self(system, code, display) = self;
        json!({ "system": system, "code": code, "display": display })
    }

    /// A `CodeableConcept` with this one coding.
    pub(crate) fn concept(self) -> Value {
        json!({ "coding": [self.coding()] })
    }

    /// The same with other words for people to read.
    pub(crate) fn concept_as(self, text: &str) -> Value {
        json!({ "coding": [self.coding()], "text": text })
    }

    /// Whether a `CodeableConcept` has this code.
    pub(crate) fn is_in(self, concept: &Map) -> bool {
        let Self(system, code, _) = self;
        codings(concept).any(|coding| {
            element::text(coding, "system") == Some(system)
                && element::text(coding, "code") == Some(code)
        })
    }
}

/// A `CodeableConcept` in words.
pub(crate) fn said(text: &str) -> Value {
    json!({ "text": text })
}

/// The codings of a `CodeableConcept`.
pub(crate) fn codings(concept: &Map) -> impl Iterator<Item = &Map> {
    element::objects(element::list(concept, "coding")).map(|(_, coding)| coding)
}

/// What a `CodeableConcept` says in words: its text, else the words of the first coding that has
/// some, else the first code.
pub(crate) fn words(concept: &Map) -> Option<&str> {
    let there = |text: &&str| !text.trim().is_empty();
    element::text(concept, "text")
        .filter(there)
        .or_else(|| codings(concept).find_map(|coding| element::text(coding, "display")))
        .filter(there)
        .or_else(|| codings(concept).find_map(|coding| element::text(coding, "code")))
        .filter(there)
}

/// The words of concepts that repeat, such as `PractitionerRole.specialty`, each once.
pub(crate) struct Words {
    /// How words are written in the record; none if the record cannot hold them.
    pub(crate) as_held: fn(&str) -> Option<String>,
    /// How many the record holds.
    pub(crate) most: usize,
}

impl Entries for Words {
    type Said = String;

    fn read(&self, entries: &[Value]) -> Vec<(usize, String)> {
        let mut seen = std::collections::HashSet::new();
        element::objects(entries)
            .filter_map(|(place, concept)| Some((place, (self.as_held)(words(concept)?)?)))
            .filter(|(_, words)| seen.insert(words.clone()))
            .take(self.most)
            .collect()
    }

    fn write(&self, words: &String, _old: Option<&Map>) -> Value {
        said(words)
    }
}
