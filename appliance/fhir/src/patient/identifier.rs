//! `Patient.identifier`: the clinic's own number of a patient, and the numbers that others gave.
//!
//! Source: <https://hl7.org/fhir/R4/datatypes.html#Identifier>.
//!
//! The clinic's own number has the system `urn:uuid:<id of the clinic>` and the type `MR`. It is always
//! written and never read, because the clinic gives it. Of the others, each that has a system and a
//! value and is not `old` is held; what cannot be held stays as it was given. Every identifier that
//! is written has a type with system, code and words (NRCeS asks for that).
//!
//! A system in the records may be a word of the clinic with spaces, which is no URI. It is written
//! percent-encoded behind [`WORD_SYSTEM`], and read back from there.

use std::collections::HashSet;
use std::fmt::Write as _;

use serde_json::Value;

use prm::id::ClinicId;
use prm::patient::{ABHA_SYSTEM, Identifier};

use crate::concept::{Coded, IDENTIFIER_TYPE};
use crate::element::{self, Map};
use crate::kept::Entries;

/// What stands before a system that is a word of the clinic.
pub const WORD_SYSTEM: &str = "https://carepost.health/fhir/identifier-system/";

/// The type of the clinic's own number.
const MEDICAL_RECORD: Coded = Coded(IDENTIFIER_TYPE, "MR", "Medical record number");
/// The type of a number of which nothing is known but who gave it.
const UNSPECIFIED: Coded = Coded(IDENTIFIER_TYPE, "U", "Unspecified identifier");
/// The type of an ABHA number, as India's profiles (NRCeS) have it.
const ABHA: Coded = Coded(
    "https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-identifier-type-code",
    "ABHA",
    "Ayushman Bharat Health Account (ABHA) ID",
);

/// The system of the clinic's own numbers.
pub fn own_system(clinic: ClinicId) -> String {
    format!("urn:uuid:{clinic}")
}

/// The numbers that others gave, in the order of the records.
pub(crate) struct Given {
    /// The system of the clinic's own numbers.
    pub(crate) own_system: String,
}

impl Entries for Given {
    type Said = Identifier;

    fn read(&self, entries: &[Value]) -> Vec<(usize, Identifier)> {
        let mut seen = HashSet::new();
        let mut found: Vec<(usize, Identifier)> = element::objects(entries)
            .filter(|(_, entry)| element::text(entry, "use") != Some("old"))
            .filter_map(|(place, entry)| {
                let system = element::text(entry, "system")?;
                let value = element::text(entry, "value")?;
                if system == self.own_system {
                    return None;
                }
                Some((place, Identifier::parse(&word_of(system), value).ok()?))
            })
            .filter(|(_, held)| seen.insert((held.system.clone(), held.value.clone())))
            .collect();
        found.sort_by(|(_, a), (_, b)| a.cmp(b));
        found
    }

    fn may_replace(&self, new: &Identifier, old: &Identifier) -> bool {
        new.system == old.system
    }

    fn write(&self, identifier: &Identifier, old: Option<&Map>) -> Value {
        let Identifier { system, value } = identifier;
        let type_ = if system == ABHA_SYSTEM { ABHA } else { UNSPECIFIED };
        let kept = |name| old.and_then(|old| old.get(name)).cloned();
        element::of([
            ("use", kept("use")),
            ("type", kept("type").or_else(|| Some(type_.concept()))),
            ("system", Some(uri_of(system).into())),
            ("value", Some(value.as_str().into())),
        ])
    }
}

/// The clinic's own number.
pub(crate) struct Own {
    /// The system of the clinic's own numbers.
    pub(crate) system: String,
}

impl Entries for Own {
    type Said = String;

    fn read(&self, entries: &[Value]) -> Vec<(usize, String)> {
        let mut seen = HashSet::new();
        element::objects(entries)
            .filter(|(_, entry)| element::text(entry, "system") == Some(&self.system))
            .map(|(place, entry)| (place, element::text(entry, "value").unwrap_or_default()))
            .filter(|(_, number)| seen.insert(*number))
            .map(|(place, number)| (place, number.to_owned()))
            .collect()
    }

    fn write(&self, number: &String, _old: Option<&Map>) -> Value {
        element::of([
            ("use", Some("usual".into())),
            ("type", Some(MEDICAL_RECORD.concept())),
            ("system", Some(self.system.as_str().into())),
            ("value", Some(number.as_str().into())),
        ])
    }
}

/// A system as a URI.
fn uri_of(system: &str) -> String {
    // What already looks like an encoded word would be read as the word.
    if !system.contains(char::is_whitespace) && !system.starts_with(WORD_SYSTEM) {
        return system.to_owned();
    }
    let mut uri = WORD_SYSTEM.to_owned();
    for byte in system.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing into memory cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// The system that a URI stands for.
fn word_of(uri: &str) -> String {
    let decoded = uri.strip_prefix(WORD_SYSTEM).and_then(decoded);
    decoded.unwrap_or_else(|| uri.to_owned())
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_that_is_a_word_of_the_clinic_becomes_a_uri_and_a_word_again() {
        for word in
            ["ration card", "मतदाता पत्र", "100 %", "https://healthid.abdm.gov.in", "urn:oid:1.2"]
        {
            let uri = uri_of(word);
            assert!(!uri.contains(char::is_whitespace));
            assert_eq!(word_of(&uri), word);
        }
        let twice = uri_of(&uri_of("ration card"));
        assert_eq!(word_of(&word_of(&twice)), "ration card");
    }
}
