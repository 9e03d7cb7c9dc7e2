//! The element that a rule is about, asked in the words of FHIRPath.
//!
//! A value of the wrong kind counts as absent: `structure` says what is wrong with it.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::primitive::DateTime;
use crate::structure::target::Contained;

/// An element with children.
#[derive(Clone, Copy)]
pub(crate) struct Focus<'a> {
    pub(crate) map: &'a Map<String, Value>,
    /// What the resource around contains, or the one that it is contained in
    /// (`%rootResource.contained`).
    pub(crate) contained: &'a Contained<'a>,
}

impl<'a> Focus<'a> {
    /// `name.exists()`: a value, or something beside it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
            || self.map.keys().any(|key| key.strip_prefix('_') == Some(name))
    }

    /// `name.empty()`
    pub(super) fn lacks(&self, name: &str) -> bool {
        !self.has(name)
    }

    /// Whether one of these exists.
    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    /// How many of these exist.
    pub(super) fn count_of(&self, names: &[&str]) -> usize {
        names.iter().filter(|name| self.has(name)).count()
    }

    /// `name.exists()` of a choice `name[x]`.
    pub(super) fn has_choice(&self, name: &str) -> bool {
        self.map.keys().any(|key| {
            let key = key.strip_prefix('_').unwrap_or(key);
            let of = key.strip_prefix(name);
            of.is_some_and(|of| of.starts_with(|letter: char| letter.is_ascii_uppercase()))
        })
    }

    /// The string under `name`.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.map.get(name)?.as_str()
    }

    /// Whether the string under `name` is one of these.
    pub(super) fn is(&self, name: &str, one_of: &[&str]) -> bool {
        self.text(name).is_some_and(|text| one_of.contains(&text))
    }

    /// The entries of the list under `name`.
    pub(super) fn list(&self, name: &str) -> &'a [Value] {
        self.map.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// The entries of the list under `name`, or the one object there.
    pub(super) fn each(&self, name: &str) -> impl Iterator<Item = Self> + use<'a> {
        let whole = *self;
        let value = self.map.get(name);
        let one = value.and_then(Value::as_object);
        let list = self.list(name).iter().filter_map(Value::as_object);
        one.into_iter().chain(list).map(move |map| Self { map, ..whole })
    }

    /// The one object under `name`.
    pub(super) fn child(&self, name: &str) -> Option<Self> {
        let map = self.map.get(name)?.as_object()?;
        Some(Self { map, ..*self })
    }

    /// The time under `name`, if it can be read.
    pub(super) fn time(&self, name: &str) -> Option<DateTime> {
        DateTime::parse(self.text(name)?)
    }

    /// The number under `name`. Digits behind the 15th may be lost, which no rule minds.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.map.get(name)?.as_number()?.as_str().parse().ok()
    }

    /// Whether the true or false under `name` is true.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.map.get(name) == Some(&Value::Bool(true))
    }

    /// Whether the concept under `name` has a coding of this system with one of these codes.
    pub(super) fn is_coded(&self, name: &str, system: &str, codes: &[&str]) -> bool {
        let fits = |coding: Self| coding.text("system") == Some(system) && coding.is("code", codes);
        self.each(name).any(|concept| concept.each("coding").any(fits))
    }

    /// `start <= end` where both can be read; what is not certainly wrong holds.
    pub(super) fn in_order(&self, start: &str, end: &str) -> bool {
        let (Some(start), Some(end)) = (self.time(start), self.time(end)) else { return true };
        !start.is_after(end)
    }

    /// `name.select(key).isDistinct()`
    pub(super) fn are_distinct(&self, name: &str, key: &str) -> bool {
        distinct(self.each(name).filter_map(|each| each.text(key)))
    }
}

/// Whether nothing comes twice.
pub(super) fn distinct<T: Eq + std::hash::Hash>(values: impl Iterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    let mut all = values;
    all.all(|value| seen.insert(value))
}
