//! `Patient.telecom`: the telephone numbers and the e-mail address of a patient.
//!
//! Source: <https://hl7.org/fhir/R4/datatypes.html#ContactPoint>.
//!
//! Telephone numbers are `phone` and `sms` entries in the order of their `rank`; of the e-mail
//! addresses the first counts. What is `old`, is of another system (fax, pager, URL), or cannot be
//! read as a number or an address, is none of ours and stays as it was given.

use std::collections::HashSet;

use serde_json::{Value, json};

use prm::contact::{self, Phone};
use prm::patient::{PatientPhone, PhoneUse};

use crate::element::{self, Map};
use crate::kept::Entries;

/// The telephone numbers.
pub(crate) struct Phones<'a> {
    /// The country (ISO 3166-1) of numbers without a country code.
    pub(crate) country: &'a str,
}

impl Entries for Phones<'_> {
    type Said = PatientPhone;

    fn read(&self, entries: &[Value]) -> Vec<(usize, PatientPhone)> {
        let mut seen = HashSet::new();
        let number = |text: &str| Phone::parse(text, self.country).ok();
        ranked(entries, &["phone", "sms"])
            .into_iter()
            .filter_map(|(place, entry)| {
                let number = number(element::text(entry, "value")?)?;
                Some((place, PatientPhone { number, use_: use_of(entry) }))
            })
            .filter(|(_, phone)| seen.insert(phone.number.clone()))
            .collect()
    }

    fn write(&self, phone: &PatientPhone, old: Option<&Map>) -> Value {
        let PatientPhone { number, use_ } = phone;
        element::of([
            ("system", Some("phone".into())),
            ("value", Some(number.as_str().into())),
            ("use", Some(use_.as_str().into())),
            ("rank", old.and_then(|old| old.get("rank")).cloned()),
        ])
    }

    fn plain(&self, entry: Map, _rank: usize) -> Map {
        without_rank(entry)
    }
}

/// The e-mail address.
pub(crate) struct Email;

impl Entries for Email {
    type Said = String;

    fn read(&self, entries: &[Value]) -> Vec<(usize, String)> {
        let address = |entry| contact::email(element::text(entry, "value").map(str::to_owned));
        ranked(entries, &["email"])
            .into_iter()
            .find_map(|(place, entry)| Some((place, address(entry).ok()??)))
            .into_iter()
            .collect()
    }

    fn write(&self, address: &String, old: Option<&Map>) -> Value {
        let mut entry = Map::new();
        entry.insert("system".into(), "email".into());
        entry.insert("value".into(), address.as_str().into());
        for name in ["use", "rank"] {
            if let Some(kept) = old.and_then(|old| old.get(name)) {
                entry.insert(name.into(), kept.clone());
            }
        }
        json!(entry)
    }

    fn plain(&self, entry: Map, _rank: usize) -> Map {
        without_rank(entry)
    }
}

/// The entries of these systems that are in use, the preferred ones first.
fn ranked<'a>(entries: &'a [Value], systems: &[&str]) -> Vec<(usize, &'a Map)> {
    let mut ours: Vec<(usize, &Map)> = element::objects(entries)
        .filter(|(_, entry)| {
            element::text(entry, "system").is_some_and(|system| systems.contains(&system))
                && element::text(entry, "use") != Some("old")
        })
        .collect();
    ours.sort_by_key(|(_, entry)| element::whole(entry, "rank").unwrap_or(i64::MAX));
    ours
}

/// What a number is for; what does not say so is a mobile one, as it is at the desk.
fn use_of(entry: &Map) -> PhoneUse {
    element::text(entry, "use")
        .and_then(|word| PhoneUse::parse(word).ok())
        .unwrap_or(PhoneUse::Mobile)
}

fn without_rank(mut entry: Map) -> Map {
    entry.shift_remove("rank");
    entry.shift_remove("_rank");
    entry
}
