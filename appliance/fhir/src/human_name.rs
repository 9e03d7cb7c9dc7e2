//! `HumanName`: the records hold a name as it is called out, FHIR also in parts.
//!
//! Source: <https://hl7.org/fhir/R4/datatypes.html#HumanName>.
//!
//! Read: `text`, else prefix, given, family and suffix in this order. Of several names, the one that
//! is called out is the first official one, else the first that is in use, else the first of all.
//!
//! Written: `text` is the name. Others want parts (US Core asks for a family or a given name), and the
//! records have none; so the last of several words is written as the family name, the others as given
//! names, and a title in front as a prefix. That is a guess. `text` goes before it when it is read.

use std::collections::HashSet;

use serde_json::Value;

use prm::contact;

use crate::element::{self, Map};
use crate::kept::Entries;

/// What is written in front of a name and is hardly ever part of it.
const TITLES: [&str; 8] = ["dr", "prof", "mr", "mrs", "ms", "miss", "shri", "smt"];

/// What a name says, as the records hold names; none if they cannot.
pub(crate) fn read(name: &Map) -> Option<String> {
    let text = match element::text(name, "text").filter(|text| !text.trim().is_empty()) {
        Some(text) => text.to_owned(),
        None => {
            let parts = element::texts(name, "prefix")
                .chain(element::texts(name, "given"))
                .chain(element::text(name, "family"))
                .chain(element::texts(name, "suffix"));
            parts.collect::<Vec<_>>().join(" ")
        }
    };
    contact::name("name", &text).ok()
}

/// A name with its parts, as far as they can be told.
pub(crate) fn write(text: &str, use_: Option<&Value>) -> Value {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_title = |word: &&&str| {
        let word = word.trim_end_matches('.').to_lowercase();
        TITLES.contains(&word.as_str())
    };
    // A name is more than titles.
    let titles = words.iter().take(words.len().saturating_sub(1)).take_while(is_title).count();
    let (prefix, rest) = words.split_at(titles);
    let (given, family) = match rest {
        [given @ .., family] if !given.is_empty() => (given, Some(*family)),
        _ => (rest, None),
    };
    let list = |words: &[&str]| (!words.is_empty()).then(|| Value::from(words.to_vec()));
    element::of([
        ("use", use_.cloned()),
        ("text", Some(text.into())),
        ("family", family.map(Value::from)),
        ("given", list(given)),
        ("prefix", list(prefix)),
    ])
}

/// The names of somebody: first the one that is called out, then the others in their order.
pub(crate) struct Names {
    /// How many the record holds.
    pub(crate) most: usize,
}

impl Names {
    /// The name that is called out.
    pub(crate) const ONE: Self = Self { most: 1 };
    /// That, and the same name in other scripts and spellings.
    pub(crate) const ALL: Self = Self { most: usize::MAX };
}

impl Entries for Names {
    type Said = String;

    fn read(&self, entries: &[Value]) -> Vec<(usize, String)> {
        let mut names: Vec<(usize, String, u8)> = element::objects(entries)
            .filter_map(|(place, entry)| Some((place, read(entry)?, rank(entry))))
            .collect();
        let first = names.iter().min_by_key(|(_, _, rank)| *rank).map(|(place, _, _)| *place);
        names.sort_by_key(|(place, _, _)| Some(*place) != first);
        let mut seen = HashSet::new();
        names
            .into_iter()
            .map(|(place, name, _)| (place, name))
            .filter(|(_, name)| seen.insert(name.clone()))
            .take(self.most)
            .collect()
    }

    fn write(&self, name: &String, old: Option<&Map>) -> Value {
        write(name, old.and_then(|old| old.get("use")))
    }

    fn plain(&self, mut entry: Map, rank: usize) -> Map {
        if rank == 0 {
            entry.insert("use".into(), "official".into());
        } else if element::text(&entry, "use") == Some("official") {
            entry.shift_remove("use");
        }
        entry
    }
}

/// Lower is sooner called out.
fn rank(name: &Map) -> u8 {
    match element::text(name, "use") {
        Some("official") => 0,
        Some("old" | "maiden") => 2,
        Some(_) | None => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_written_with_parts_that_read_as_the_name() {
        let written = write("Dr. Asha Meena Rao", None);
        let expected = json!({
            "text": "Dr. Asha Meena Rao",
            "family": "Rao",
            "given": ["Asha", "Meena"],
            "prefix": ["Dr."],
        });
        assert_eq!(written, expected);
        assert_eq!(write("Lakshmi", None), json!({ "text": "Lakshmi", "given": ["Lakshmi"] }));
        assert_eq!(write("Prof", None), json!({ "text": "Prof", "given": ["Prof"] }));
        for name in ["Dr. Asha Meena Rao", "Lakshmi", "Dr Dr Rao", "रानी शर्मा"] {
            let mut written = write(name, None);
            let entry = written.as_object_mut().unwrap();
            entry.remove("text");
            assert_eq!(read(entry).as_deref(), Some(name));
        }
    }

    #[test]
    fn the_official_name_is_the_one_that_is_called_out() {
        let names = json!([
            { "use": "maiden", "text": "Rani Gupta" },
            { "use": "usual", "text": "Rani" },
            { "use": "official", "family": "Sharma", "given": ["Rani"] },
            { "period": { "end": "2002" } },
        ]);
        let read = |lens: Names| lens.read(names.as_array().unwrap());
        let name = |text: &str| text.to_owned();
        assert_eq!(read(Names::ONE), [(2, name("Rani Sharma"))]);
        let all = [(2, name("Rani Sharma")), (0, name("Rani Gupta")), (1, name("Rani"))];
        assert_eq!(read(Names::ALL), all);
    }
}
