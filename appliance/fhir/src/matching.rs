//! Whether a resource fits a search, found by looking at the resource alone.
//!
//! It answers by the same table and the same rules as [`crate::search`] says, without an index and in
//! no hurry: what a database finds can be compared with it.
//!
//! Source: <https://hl7.org/fhir/R4/search.html>.

mod number;
mod order;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod values;
mod when;

use serde_json::{Map, Value as Json};

use crate::here::Here;
use crate::json::Resource;
use crate::reference::{self, Target};
use crate::search::{Chained, Condition, Kind, Modifier, Parameter, Place, Query, Reversed, Value};
use crate::structure;

pub use self::order::{SortKey, sort_key, sorts};
pub use self::text::folded;
pub use self::token::{digits, last_digits};
pub(crate) use self::values::values;

/// The parameter whose value is `true` where none is said: of every type that has it R4 says that it is
/// in use then, and so the records read it.
const ACTIVE: &str = "active";

/// Whether the resource fits all that is asked. `others` are the resources that it may point to, or
/// that may point to it. Which page is wanted, how sorted and what else, is not looked at.
pub fn fits(resource: &Resource, query: &Query, here: Here<'_>, others: &[Resource]) -> bool {
    resource.resource_type() == query.type_
        && query.conditions.iter().all(|it| matches(resource, it, here))
        && query.chained.iter().all(|it| chained(resource, it, here, others))
        && query.reversed.iter().all(|it| reversed(resource, it, here, others))
}

/// Whether the resource fits a condition on itself.
pub fn matches(resource: &Resource, condition: &Condition, here: Here<'_>) -> bool {
    let Condition { parameter, modifier, any } = condition;
    let found = found(resource, parameter, here);
    let implied = Json::Bool(true);
    let is_implied = found.is_empty() && parameter.name == ACTIVE;
    let implied = is_implied.then_some(Found { kind: Kind::Plain, json: &implied });
    let fits =
        |value: &Value| found.iter().chain(&implied).any(|it| it.fits(value, *modifier, here));
    match modifier {
        Some(Modifier::Missing) => any.contains(&Value::Flag(found.is_empty())),
        Some(Modifier::Not) => !any.iter().any(fits),
        Some(
            Modifier::Exact
            | Modifier::Contains
            | Modifier::Text
            | Modifier::Identifier
            | Modifier::Type(_),
        )
        | None => any.iter().any(fits),
    }
}

/// The resources of this box to which a parameter finds references, each by its type and id.
pub fn references(
    resource: &Resource,
    parameter: &Parameter,
    here: Here<'_>,
) -> Vec<(&'static str, String)> {
    let found = found(resource, parameter, here);
    let local =
        found.iter().filter_map(|it| match reference::target(it.json.as_object()?, here.origin)? {
            Target::Local(local) => Some((local.resource_type, local.id.to_owned())),
            Target::Urn(_)
            | Target::Contained(_)
            | Target::Conditional { .. }
            | Target::Foreign(_)
            | Target::Logical => None,
        });
    local.collect()
}

/// Whether one of the resources that it points to fits.
fn chained(resource: &Resource, chained: &Chained, here: Here<'_>, others: &[Resource]) -> bool {
    let Chained { by, any } = chained;
    let found = found(resource, by, here);
    others.iter().any(|other| {
        let fits = |(type_, condition): &(&str, Condition)| {
            other.resource_type() == *type_ && matches(other, condition, here)
        };
        found.iter().any(|it| it.is_to(other, here)) && any.iter().any(fits)
    })
}

/// Whether one of the resources that point to it fits.
fn reversed(resource: &Resource, reversed: &Reversed, here: Here<'_>, others: &[Resource]) -> bool {
    let Reversed { type_, by, condition } = reversed;
    let of_type = others.iter().filter(|other| other.resource_type() == *type_);
    of_type.into_iter().any(|other| {
        found(other, by, here).iter().any(|it| it.is_to(resource, here))
            && matches(other, condition, here)
    })
}

/// A value that a parameter finds in a resource.
struct Found<'a> {
    kind: Kind,
    json: &'a Json,
}

/// All of them.
fn found<'a>(resource: &'a Resource, parameter: &Parameter, here: Here<'_>) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    for place in &parameter.places {
        let values = at(place, resource.map());
        let counts = |json: &&Json| counts(place, json, here);
        found
            .extend(values.into_iter().filter(counts).map(|json| Found { kind: place.kind, json }));
    }
    found
}

fn at<'a>(place: &Place, root: &'a Map<String, Json>) -> Vec<&'a Json> {
    let mut maps = vec![root];
    let mut values = Vec::new();
    for step in &place.steps {
        values = maps.iter().filter_map(|map| map.get(step.key)).flat_map(entries).collect();
        if let Some((name, said)) = step.having {
            values.retain(|value| value[name] == said);
        }
        maps = values.iter().filter_map(|value| value.as_object()).collect();
    }
    values.retain(|value| !value.is_null());
    values
}

fn entries(value: &Json) -> &[Json] {
    match value {
        Json::Array(entries) => entries,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
            std::slice::from_ref(value)
        }
    }
}

/// Whether a search sees it. Of references it sees only those of the right type, and none to what the
/// resource contains or has yet to be searched for; of times those that say one.
fn counts(place: &Place, json: &Json, here: Here<'_>) -> bool {
    if matches!(place.kind, Kind::Date | Kind::Period | Kind::Timing) {
        return when::range(place.kind, json, here.zone()).is_some();
    }
    let Some(map) = json.as_object().filter(|_| place.kind == Kind::Reference) else { return true };
    let (is_seen, said) = match reference::target(map, here.origin) {
        Some(Target::Local(local)) => (true, Some(local.resource_type)),
        Some(Target::Foreign(url)) => (true, type_of(url).or(json["type"].as_str())),
        Some(Target::Urn(_) | Target::Logical) => (true, json["type"].as_str()),
        Some(Target::Contained(_) | Target::Conditional { .. }) | None => (false, None),
    };
    is_seen && place.only.is_none_or(|only| said.is_none_or(|said| said == only))
}

/// The type of resource at an address that ends in `Type/id`.
fn type_of(url: &str) -> Option<&'static str> {
    let (before, _) = unversioned(url).rsplit_once('/')?;
    structure::type_name(before.rsplit('/').next()?)
}

impl Found<'_> {
    fn fits(&self, value: &Value, modifier: Option<Modifier>, here: Here<'_>) -> bool {
        match value {
            Value::Token { system, code } => {
                let asked = token::Asked { system: system.as_ref(), code: code.as_deref() };
                match modifier {
                    Some(Modifier::Identifier) => {
                        asked.fits(Kind::Identifier, &self.json["identifier"])
                    }
                    Some(
                        Modifier::Exact
                        | Modifier::Contains
                        | Modifier::Missing
                        | Modifier::Not
                        | Modifier::Text
                        | Modifier::Type(_),
                    )
                    | None => asked.fits(self.kind, self.json),
                }
            }
            Value::Reference { type_, id } => self.points(here, |target| match target {
                Target::Local(local) => {
                    local.id == id && type_.is_none_or(|type_| type_ == local.resource_type)
                }
                Target::Urn(_)
                | Target::Foreign(_)
                | Target::Contained(_)
                | Target::Conditional { .. }
                | Target::Logical => false,
            }),
            Value::Url(url) => self.points(here, |target| match target {
                Target::Urn(said) | Target::Foreign(said) => unversioned(said) == unversioned(url),
                Target::Local(_)
                | Target::Contained(_)
                | Target::Conditional { .. }
                | Target::Logical => false,
            }),
            Value::Date { prefix, from_ms, to_ms } => {
                when::range(self.kind, self.json, here.zone())
                    .is_some_and(|said| when::fits(said, *prefix, (*from_ms, *to_ms)))
            }
            Value::Text { how, text } => text::fits(self.kind, self.json, *how, text),
            Value::Number { prefix, decimal } => {
                let said =
                    self.json.as_number().and_then(|said| number::Decimal::parse(said.as_str()));
                said.is_some_and(|said| number::fits(said, *prefix, decimal))
            }
            Value::Uri(uri) => self.json.as_str() == Some(uri),
            Value::Flag(_) => false,
        }
    }

    fn points(&self, here: Here<'_>, fits: impl Fn(Target<'_>) -> bool) -> bool {
        match self.json {
            // A canonical: what stands after the `|` is its version.
            Json::String(url) => {
                let bare = url.split('|').next().unwrap_or(url);
                [url.as_str(), bare]
                    .into_iter()
                    .any(|url| reference::parse(url, here.origin).is_some_and(&fits))
            }
            Json::Object(map) => reference::target(map, here.origin).is_some_and(fits),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => false,
        }
    }

    fn is_to(&self, other: &Resource, here: Here<'_>) -> bool {
        self.points(here, |target| match target {
            Target::Local(local) => {
                local.resource_type == other.resource_type() && other.id() == Some(local.id)
            }
            Target::Urn(_)
            | Target::Foreign(_)
            | Target::Contained(_)
            | Target::Conditional { .. }
            | Target::Logical => false,
        })
    }
}

fn unversioned(url: &str) -> &str {
    url.split("/_history/").next().unwrap_or(url)
}
