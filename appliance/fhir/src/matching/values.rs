//! What a parameter finds in a resource, in the form in which a database compares it.

use prm::name::sound;
use serde_json::Value as Json;

use super::{Found, found, text, token, unversioned, when};
use crate::chart::Value;
use crate::here::Here;
use crate::json::Resource;
use crate::reference::{self, Target};
use crate::search::{self, Kind, Parameter};

/// All values, some of them perhaps twice.
pub(crate) fn values(resource: &Resource, parameter: &Parameter, here: Here<'_>) -> Vec<Value> {
    let mut values = Vec::new();
    for Found { kind, json } in found(resource, parameter, here) {
        match kind {
            Kind::Plain => values.extend(plain(json).map(|code| code_of(None, Some(&code)))),
            Kind::Coding => values.extend(coding(json)),
            Kind::Concept => {
                let codings = json["coding"].as_array().into_iter().flatten();
                values.extend(codings.filter_map(coding));
            }
            Kind::Identifier => {
                let (system, code) = (json["system"].as_str(), json["value"].as_str());
                values.extend((system.is_some() || code.is_some()).then(|| code_of(system, code)));
            }
            Kind::ContactPoint => values.extend(contact(json)),
            Kind::Reference => {
                let target = json.as_object().and_then(|map| reference::target(map, here.origin));
                values.extend(target.and_then(pointer));
            }
            Kind::Canonical => {
                let url = json.as_str().unwrap_or_default();
                let bare = url.split('|').next().unwrap_or(url);
                let targets =
                    [url, bare].into_iter().filter_map(|url| reference::parse(url, here.origin));
                values.extend(targets.filter_map(pointer));
            }
            Kind::Date | Kind::Period | Kind::Timing => {
                let range = when::range(kind, json, here.zone());
                values.extend(range.map(|(from, to)| Value::Date { from, to }));
            }
            Kind::Text => values.extend(json.as_str().map(|said| Value::Text(text::folded(said)))),
            Kind::HumanName | Kind::Address => {
                let words = text::words_of(kind, json).into_iter();
                let is_heard = parameter.name == search::PHONETIC;
                let held = |word: String| if is_heard { sound(&word) } else { word };
                values.extend(words.map(|word| Value::Text(held(word))));
            }
            Kind::Uri => values.extend(json.as_str().map(|uri| Value::Uri(uri.to_owned()))),
            Kind::Number => {}
        }
    }
    values
}

fn plain(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Bool(is) => Some(is.to_string()),
        Json::Null | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn coding(json: &Json) -> Option<Value> {
    let (system, code) = (json["system"].as_str(), json["code"].as_str());
    (system.is_some() || code.is_some()).then(|| code_of(system, code))
}

fn code_of(system: Option<&str>, code: Option<&str>) -> Value {
    Value::Token { system: system.map(str::to_owned), code: code.map(str::to_owned) }
}

fn contact(json: &Json) -> Option<Value> {
    let (system, said) = (json["system"].as_str(), json["value"].as_str());
    let place = match said {
        Some(said) if token::is_number(system) => token::digits(said),
        Some(said) => said.to_lowercase(),
        None => String::new(),
    };
    (system.is_some() || said.is_some())
        .then(|| Value::Contact { system: system.map(str::to_owned), place })
}

/// Where a reference leads; nowhere if only by an identifier.
fn pointer(target: Target<'_>) -> Option<Value> {
    match target {
        Target::Local(local) => {
            Some(Value::Reference { type_: Some(local.resource_type), id: local.id.to_owned() })
        }
        Target::Urn(url) | Target::Foreign(url) => {
            Some(Value::Reference { type_: None, id: unversioned(url).to_owned() })
        }
        Target::Contained(_) | Target::Conditional { .. } | Target::Logical => None,
    }
}
