//! Reading the values where the table says that they lie.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json};

use super::{ENTRIES_MAX, Entry, Kind, Place, Value};
use crate::primitive::DateTime;
use crate::structure::target::{self, Contained};

/// What was found so far.
pub(super) struct Found<'a> {
    pub(super) zone: &'a TimeZone,
    /// References may point there.
    pub(super) contained: Contained<'a>,
    pub(super) entries: Vec<Entry>,
}

impl Found<'_> {
    /// All values at this place of a resource.
    pub(super) fn place(&mut self, place: &Place, root: &Map<String, Json>) {
        if let Some((first, rest)) = place.keys.split_first()
            && let Some(value) = root.get(*first)
        {
            self.walk(place, rest, value);
        }
    }

    fn walk(&mut self, place: &Place, keys: &[&'static str], value: &Json) {
        match (value, keys.split_first()) {
            (Json::Array(list), _) => list.iter().for_each(|it| self.walk(place, keys, it)),
            (Json::Object(map), Some((first, rest))) => {
                if let Some(value) = map.get(*first) {
                    self.walk(place, rest, value);
                }
            }
            (_, None) => self.value(place, value),
            (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_), Some(_)) => {}
        }
    }

    fn add(&mut self, place: &Place, value: Value) {
        let entry = Entry { parameter: place.parameter, value };
        if self.entries.len() < ENTRIES_MAX && !self.entries.contains(&entry) {
            self.entries.push(entry);
        }
    }

    fn token(&mut self, place: &Place, system: Option<String>, code: Option<String>) {
        if system.is_some() || code.is_some() {
            self.add(place, Value::Token { system, code });
        }
    }

    fn value(&mut self, place: &Place, value: &Json) {
        match place.kind {
            Kind::Plain => self.token(place, None, plain(value)),
            Kind::Coding => self.coding(place, value),
            Kind::Concept => {
                for coding in value["coding"].as_array().into_iter().flatten() {
                    self.coding(place, coding);
                }
                self.text(place, value, "text");
            }
            Kind::Identifier => self.token(place, text(value, "system"), text(value, "value")),
            Kind::Reference => self.reference(place, value),
            Kind::Canonical => {
                if let Some(id) = plain(value) {
                    self.add(place, Value::Reference { type_: None, id });
                }
            }
            Kind::Date => self.date(place, self.at(value)),
            Kind::Period => self.date(place, self.period(value)),
            Kind::Timing => self.date(place, self.timing(value)),
        }
    }

    fn coding(&mut self, place: &Place, coding: &Json) {
        self.token(place, text(coding, "system"), text(coding, "code"));
        self.text(place, coding, "display");
    }

    fn text(&mut self, place: &Place, value: &Json, key: &str) {
        if let Some(text) = text(value, key) {
            self.add(place, Value::Text(text));
        }
    }

    fn reference(&mut self, place: &Place, value: &Json) {
        let (Some(map), Some(literal)) = (value.as_object(), value["reference"].as_str()) else {
            return;
        };
        let type_ = target::target(map, &self.contained);
        let is_other = type_.is_some() && place.only.is_some() && type_ != place.only;
        // What it contains and what it searches for has no id.
        if is_other || literal.starts_with('#') || literal.contains('?') {
            return;
        }
        let literal = literal.split("/_history/").next().unwrap_or(literal);
        let id = match target::parts(literal) {
            Some((name, id)) if literal.len() == name.len() + 1 + id.len() => id,
            Some(_) | None => literal,
        };
        self.add(place, Value::Reference { type_, id: id.to_owned() });
    }

    fn date(&mut self, place: &Place, range: Option<(i64, i64)>) {
        if let Some((from, to)) = range {
            self.add(place, Value::Date { from, to });
        }
    }

    fn at(&self, value: &Json) -> Option<(i64, i64)> {
        let (from, to) = DateTime::parse(value.as_str()?)?.range(self.zone);
        Some((floor(from), -floor_of(-to.as_nanosecond())))
    }

    fn period(&self, value: &Json) -> Option<(i64, i64)> {
        let (start, end) = (self.at(&value["start"]), self.at(&value["end"]));
        if start.is_none() && end.is_none() {
            return None;
        }
        Some((start.map_or(i64::MIN, |(from, _)| from), end.map_or(i64::MAX, |(_, to)| to)))
    }

    /// The outer limits of all that is said.
    fn timing(&self, value: &Json) -> Option<(i64, i64)> {
        let events = value["event"].as_array().into_iter().flatten();
        let bounds = self.period(&value["repeat"]["boundsPeriod"]);
        let all = events.filter_map(|event| self.at(event)).chain(bounds);
        all.reduce(|(from, to), (next_from, next_to)| (from.min(next_from), to.max(next_to)))
    }
}

fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Bool(is) => Some(is.to_string()),
        Json::Null | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn text(value: &Json, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}

fn floor(time: Timestamp) -> i64 {
    floor_of(time.as_nanosecond())
}

/// Nanoseconds as milliseconds, down.
fn floor_of(nanoseconds: i128) -> i64 {
    i64::try_from(nanoseconds.div_euclid(1_000_000)).unwrap_or(i64::MAX)
}
