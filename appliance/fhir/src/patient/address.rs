//! `Patient.address`: where the patient lives.
//!
//! Source: <https://hl7.org/fhir/R4/datatypes.html#Address>.
//!
//! The first `home` address counts, else the first that does not say what it is for. Several lines are
//! one line of ours, and so is `text` where there is nothing else. A country that is not two letters
//! stays as it was given, because the records hold ISO 3166-1 codes only.

use serde_json::Value;

use prm::patient::Address;

use crate::element::{self, Map};
use crate::kept::{self, Entries};

/// The address at which the patient lives.
pub(crate) struct Home;

impl Entries for Home {
    type Said = Address;

    fn read(&self, entries: &[Value]) -> Vec<(usize, Address)> {
        let with = |use_: Option<&str>| {
            element::objects(entries)
                .filter(|(_, entry)| element::text(entry, "use") == use_)
                .find_map(|(place, entry)| Some((place, read(entry)?)))
        };
        with(Some("home")).or_else(|| with(None)).into_iter().collect()
    }

    fn write(&self, address: &Address, old: Option<&Map>) -> Value {
        let mut entry = match old {
            Some(old) => old.clone(),
            None => Map::from_iter([("use".to_owned(), Value::from("home"))]),
        };
        let Address { line, city, district, state, postal_code, country } = address;
        let list = |text: &Option<String>| Some(Value::from(vec![text.clone()?]));
        let word = |text: &Option<String>| text.clone().map(Value::from);
        kept::element(&mut entry, "line", line, lines, list);
        for (name, part) in
            [("city", city), ("district", district), ("state", state), ("postalCode", postal_code)]
        {
            kept::element(&mut entry, name, part, |entry| part_of(entry, name), word);
        }
        kept::element(&mut entry, "country", country, country_of, word);
        // It told the address in one piece, as it was before.
        entry.shift_remove("text");
        entry.shift_remove("_text");
        Value::Object(entry)
    }
}

/// What an address says, as the records hold it; none if it says nothing of that.
fn read(entry: &Map) -> Option<Address> {
    let mut address = Address {
        line: lines(entry),
        city: part_of(entry, "city"),
        district: part_of(entry, "district"),
        state: part_of(entry, "state"),
        postal_code: part_of(entry, "postalCode"),
        country: country_of(entry),
    };
    if address == Address::default() {
        address.line = part_of(entry, "text");
    }
    (address != Address::default()).then_some(address)
}

fn part_of(entry: &Map, name: &str) -> Option<String> {
    held(element::text(entry, name)?)
}

fn lines(entry: &Map) -> Option<String> {
    held(&element::texts(entry, "line").map(str::trim).collect::<Vec<_>>().join(", "))
}

fn country_of(entry: &Map) -> Option<String> {
    let country = part_of(entry, "country")?;
    let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_code.then(|| country.to_ascii_uppercase())
}

fn held(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
