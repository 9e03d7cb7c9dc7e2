//! `Patient.communication`: the language to speak to the patient.
//!
//! The preferred one counts, else the first, of those that have a BCP 47 tag.

use serde_json::{Value, json};

use crate::concept;
use crate::element::{self, Map};
use crate::kept::Entries;

/// The system of BCP 47 tags (<https://hl7.org/fhir/R4/valueset-languages.html>).
const BCP_47: &str = "urn:ietf:bcp:47";
/// The longest tag that the records hold, in letters.
const TAG_MAX: usize = 35;

/// The language to speak to the patient.
pub(crate) struct Language;

impl Entries for Language {
    type Said = String;

    fn read(&self, entries: &[Value]) -> Vec<(usize, String)> {
        let mut spoken: Vec<(usize, &Map, &str)> = element::objects(entries)
            .filter_map(|(place, entry)| Some((place, entry, tag(entry)?)))
            .collect();
        spoken.sort_by_key(|(_, entry, _)| element::flag(entry, "preferred") != Some(true));
        spoken.into_iter().take(1).map(|(place, _, tag)| (place, tag.to_owned())).collect()
    }

    fn write(&self, tag: &String, _old: Option<&Map>) -> Value {
        json!({ "language": { "coding": [{ "system": BCP_47, "code": tag }] }, "preferred": true })
    }
}

fn tag(entry: &Map) -> Option<&str> {
    let language = element::object(entry, "language")?;
    concept::codings(language)
        .filter(|coding| element::text(coding, "system") == Some(BCP_47))
        .find_map(|coding| element::text(coding, "code").filter(|code| is_tag(code)))
}

/// Whether the records can hold the tag (RFC 5646, section 2.1, without its finer rules).
fn is_tag(code: &str) -> bool {
    (2..=TAG_MAX).contains(&code.len())
        && code.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}
