//! Texts, names and addresses.
//!
//! Source: <https://hl7.org/fhir/R4/search.html#string>.

use serde_json::Value as Json;

use prm::name::{romanise, sound};

use crate::search::{How, Kind};

/// Whether the text that an element says fits.
pub(super) fn fits(kind: Kind, json: &Json, how: How, asked: &str) -> bool {
    let texts = texts(kind, json);
    match how {
        How::Exact => texts.contains(&asked),
        How::Contains => texts.iter().any(|text| folded(text).contains(&folded(asked))),
        How::Starts if is_of_parts(kind) => {
            words(&texts, asked, |said, asked| said.starts_with(asked))
        }
        How::Starts => texts.iter().any(|text| folded(text).starts_with(&folded(asked))),
        How::Sounds => words(&texts, asked, |said, asked| {
            let heard = sound(asked);
            said == asked || !heard.is_empty() && sound(said) == heard
        }),
    }
}

fn is_of_parts(kind: Kind) -> bool {
    matches!(kind, Kind::HumanName | Kind::Address)
}

/// Whether each word asked for is like one of all that are said.
fn words(texts: &[&str], asked: &str, is_like: impl Fn(&str, &str) -> bool) -> bool {
    let said: Vec<String> = texts.iter().map(|text| folded(text)).collect();
    let asked = folded(asked);
    let is_said =
        |asked: &str| said.iter().flat_map(|text| text.split(' ')).any(|said| is_like(said, asked));
    asked.split(' ').all(is_said)
}

/// The words of an element in the form in which they are compared.
pub(super) fn words_of(kind: Kind, json: &Json) -> Vec<String> {
    let said = texts(kind, json).into_iter().map(folded);
    said.flat_map(|text| text.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// A text without what is not compared, its words in small Latin letters with one space between; a text
/// of nothing but signs as it is.
pub fn folded(text: &str) -> String {
    let plain = romanise(text);
    if plain.is_empty() { text.to_lowercase() } else { plain }
}

const OF_A_NAME: [&str; 5] = ["text", "family", "given", "prefix", "suffix"];
const OF_AN_ADDRESS: [&str; 7] =
    ["text", "line", "city", "district", "state", "postalCode", "country"];

/// What an element says in words.
fn texts(kind: Kind, json: &Json) -> Vec<&str> {
    match kind {
        Kind::Text => json.as_str().into_iter().collect(),
        Kind::HumanName => parts(json, &OF_A_NAME),
        Kind::Address => parts(json, &OF_AN_ADDRESS),
        Kind::Coding => parts(json, &["display"]),
        Kind::Concept => {
            let mut all = parts(json, &["text"]);
            for coding in json["coding"].as_array().into_iter().flatten() {
                all.extend(parts(coding, &["display"]));
            }
            all
        }
        Kind::Identifier => parts(&json["type"], &["text"]),
        Kind::Plain
        | Kind::ContactPoint
        | Kind::Reference
        | Kind::Canonical
        | Kind::Date
        | Kind::Period
        | Kind::Timing
        | Kind::Number
        | Kind::Uri => Vec::new(),
    }
}

fn parts<'a>(json: &'a Json, names: &[&str]) -> Vec<&'a str> {
    let mut all = Vec::new();
    for name in names {
        match &json[*name] {
            Json::String(text) => all.push(text.as_str()),
            Json::Array(entries) => all.extend(entries.iter().filter_map(Json::as_str)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => {}
        }
    }
    all
}
