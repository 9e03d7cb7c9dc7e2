//! The lens between the records and what came in through FHIR.
//!
//! A resource that came in is stored whole, as it was given. Written again, each element that the
//! records own is compared: as long as what was given says what the record says, it comes out as it
//! was given, with its `_` sibling, its extensions and its order; otherwise the record's value takes
//! its place. Elements that the records do not own come out as they were given.
//!
//! Three laws hold for every record `r` and everything given `g` (the tests try them at random):
//! - what `r` says is read from `write(r, g)`;
//! - what `g` says, written over `g`, is `g`, apart from `id` and `meta`;
//! - when one field of `r` changes, only its element does.
//!
//! Generated narrative (`text`) would go on telling what the record no longer says. It is therefore
//! left out as soon as something that was given is contradicted
//! (<https://hl7.org/fhir/R4/narrative.html>).

use std::collections::HashSet;
use std::fmt::Display;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::element::{self, Map};
use crate::instant;
use crate::json::Resource;

/// How the values of a record stand in a list of entries, such as the telephone numbers in
/// `Patient.telecom`. Entries that say nothing of ours (a fax number) are never touched.
pub(crate) trait Entries {
    /// What an entry says.
    type Said: PartialEq;

    /// What the list says in the order of the record, each with the place of its entry. Entries
    /// behind another of the same meaning are left out.
    fn read(&self, entries: &[Value]) -> Vec<(usize, Self::Said)>;

    /// An entry that says this, in the place of one that said something else, if there is one.
    fn write(&self, said: &Self::Said, old: Option<&Map>) -> Value;

    /// Whether what is new may take the place of what is gone.
    fn may_replace(&self, _new: &Self::Said, _old: &Self::Said) -> bool {
        true
    }

    /// The entry without what gives it another rank than `rank`, its place among ours.
    fn plain(&self, entry: Map, _rank: usize) -> Map {
        entry
    }
}

/// The list that says `now`, made of the entries that were given as far as they still hold.
///
/// An entry stays if the record has its value. The place of a value that is gone is taken by one
/// that came; what is left comes last. Only where the order of the record would not be read from
/// that are entries moved, only where that is not enough do they lose what ranks them, and only
/// where that is not enough either do those go that say again what another says.
pub(crate) fn list<E: Entries>(lens: &E, given: &[Value], now: &[E::Said]) -> Vec<Value> {
    let said = lens.read(given);
    if is(&said, now) {
        return given.to_vec();
    }
    let merged = merged(lens, given, &said, now);
    let merged = without_hidden(lens, merged, now);
    if is(&lens.read(&merged), now) {
        return merged;
    }
    let moved = sorted(lens, merged.clone(), now);
    if is(&lens.read(&moved), now) {
        return moved;
    }
    let ranked = plain(lens, moved, now);
    if is(&lens.read(&ranked), now) {
        return ranked;
    }
    plain(lens, sorted(lens, without_twins(lens, merged), now), now)
}

fn is<V: PartialEq>(said: &[(usize, V)], now: &[V]) -> bool {
    said.len() == now.len() && said.iter().zip(now).all(|((_, said), now)| said == now)
}

fn merged<E: Entries>(
    lens: &E,
    given: &[Value],
    said: &[(usize, E::Said)],
    now: &[E::Said],
) -> Vec<Value> {
    let mut came: Vec<&E::Said> =
        now.iter().filter(|new| !said.iter().any(|(_, old)| old == *new)).collect();
    let gone = |said: &E::Said| !now.contains(said);
    // Twins of an entry go with it.
    let alone = |entry: &Value| lens.read(std::slice::from_ref(entry));
    let is_gone = |entry: &&Value| {
        alone(entry).iter().any(|(_, twin)| said.iter().any(|(_, old)| gone(old) && old == twin))
    };
    let mut out: Vec<Option<Value>> =
        given.iter().map(|entry| Some(entry).filter(|it| !is_gone(it)).cloned()).collect();
    for (place, old) in said.iter().filter(|(_, old)| gone(old)) {
        let new = came.iter().position(|new| lens.may_replace(new, old));
        let new = new.map(|at| came.remove(at));
        if let Some(entry) = out.get_mut(*place) {
            let old = given.get(*place).and_then(Value::as_object);
            *entry = new.map(|new| lens.write(new, old));
        }
    }
    out.into_iter().flatten().chain(came.into_iter().map(|new| lens.write(new, None))).collect()
}

/// How often what stood behind something is looked for before all of it goes at once.
const HIDDEN_ROUNDS_MAX: usize = 8;

/// Drops what stood behind an entry that is gone and would now be read in its stead.
fn without_hidden<E: Entries>(lens: &E, mut list: Vec<Value>, now: &[E::Said]) -> Vec<Value> {
    for _ in 0..HIDDEN_ROUNDS_MAX {
        let said = lens.read(&list);
        let shown: HashSet<usize> =
            said.iter().filter(|(_, said)| !now.contains(said)).map(|(place, _)| *place).collect();
        if shown.is_empty() {
            return list;
        }
        let mut place = 0..;
        list.retain(|_| place.next().is_none_or(|place| !shown.contains(&place)));
    }
    list.retain(|entry| {
        lens.read(std::slice::from_ref(entry)).iter().all(|(_, said)| now.contains(said))
    });
    list
}

/// Puts our entries, on the places that they hold, in the order of the record.
fn sorted<E: Entries>(lens: &E, list: Vec<Value>, now: &[E::Said]) -> Vec<Value> {
    let said = lens.read(&list);
    let mut places: Vec<usize> = said.iter().map(|(place, _)| *place).collect();
    places.sort_unstable();
    let in_order = now.iter().filter_map(|now| said.iter().find(|(_, said)| said == now));
    let mut out = list.clone();
    for (to, (from, _)) in places.into_iter().zip(in_order) {
        if let (Some(slot), Some(entry)) = (out.get_mut(to), list.get(*from)) {
            *slot = entry.clone();
        }
    }
    out
}

/// Drops entries of ours that stand behind another that says the same.
fn without_twins<E: Entries>(lens: &E, mut list: Vec<Value>) -> Vec<Value> {
    let places: HashSet<usize> = lens.read(&list).into_iter().map(|(place, _)| place).collect();
    let mut place = 0..;
    list.retain(|entry| {
        place.next().is_none_or(|place| places.contains(&place))
            || lens.read(std::slice::from_ref(entry)).is_empty()
    });
    list
}

fn plain<E: Entries>(lens: &E, mut list: Vec<Value>, now: &[E::Said]) -> Vec<Value> {
    for (place, said) in lens.read(&list) {
        let Some(rank) = now.iter().position(|now| *now == said) else { continue };
        if let Some(Value::Object(entry)) = list.get_mut(place) {
            *entry = lens.plain(std::mem::take(entry), rank);
        }
    }
    list
}

/// Makes an element say `now`, unless it does. Answers whether anything that was there went.
pub(crate) fn element<V: PartialEq>(
    map: &mut Map,
    name: &str,
    now: &V,
    read: impl Fn(&Map) -> V,
    write: impl FnOnce(&V) -> Option<Value>,
) -> bool {
    read(map) != *now && put(map, name, write(now))
}

/// Puts a value in the place of an element and of its `_` sibling. Answers whether anything that
/// was there went.
fn put(map: &mut Map, name: &str, value: Option<Value>) -> bool {
    let sibling = map.shift_remove(&format!("_{name}")).is_some();
    let was = match value {
        Some(value) => map.insert(name.to_owned(), value),
        None => map.shift_remove(name),
    };
    was.is_some() || sibling
}

/// A resource while the record is written over what was given.
pub(crate) struct Kept {
    resource: Resource,
    given: bool,
    contradicted: bool,
}

impl Kept {
    /// Begins with what was given, or with nothing, under the record's id.
    ///
    /// Of `meta`, the version and the time of the last change are the record's; profiles, tags and
    /// labels stay as they were given.
    pub(crate) fn begin(
        resource_type: &'static str,
        id: impl Display,
        (version, updated, zone): (i64, Timestamp, &TimeZone),
        given: Option<&Resource>,
    ) -> Self {
        let given = given.filter(|given| given.resource_type() == resource_type);
        let mut resource = Resource::of(resource_type)
            .expect("invariant: the writers name only types that R4 has");
        resource.set("id", id.to_string());
        let meta = given.and_then(|given| element::object(given.map(), "meta"));
        let mut meta = meta.cloned().unwrap_or_default();
        put(&mut meta, "versionId", Some(version.to_string().into()));
        put(&mut meta, "lastUpdated", Some(instant::write(updated, zone).into()));
        resource.set("meta", meta);
        for (name, value) in given.into_iter().flat_map(Resource::map) {
            if !["id", "_id", "meta"].contains(&name.as_str()) {
                resource.set(name, value.clone());
            }
        }
        Self { resource, given: given.is_some(), contradicted: false }
    }

    /// An element that the record owns. Where nothing was given it is written in any case.
    pub(crate) fn element<V: PartialEq>(
        &mut self,
        name: &str,
        now: &V,
        read: impl Fn(&Map) -> V,
        write: impl FnOnce(&V) -> Option<Value>,
    ) {
        if self.given && read(self.resource.map()) == *now {
            return;
        }
        self.put(name, write(now));
    }

    /// An element that repeats, of which the record owns some entries.
    pub(crate) fn list<E: Entries>(&mut self, name: &str, lens: &E, now: &[E::Said]) {
        let before = element::list(self.resource.map(), name);
        let after = list(lens, before, now);
        if after == before {
            return;
        }
        self.contradicted |= !before.iter().all(|entry| after.contains(entry));
        if after.is_empty() {
            self.resource.remove(name);
        } else {
            self.resource.set(name, after);
        }
    }

    /// An element of which the record owns some elements. It goes if none is left in it.
    pub(crate) fn inside(&mut self, name: &str, write: impl FnOnce(&mut Map) -> bool) {
        let mut inner = element::object(self.resource.map(), name).cloned().unwrap_or_default();
        self.contradicted |= write(&mut inner);
        if inner.is_empty() {
            self.resource.remove(name);
        } else {
            self.resource.set(name, inner);
        }
    }

    /// One entry of an element that repeats, of which the record owns some elements.
    pub(crate) fn entry(
        &mut self,
        name: &str,
        place: impl FnOnce(&[Value]) -> Option<usize>,
        write: impl FnOnce(&mut Map) -> bool,
    ) {
        let Some(Value::Array(entries)) = self.resource.get_mut(name) else { return };
        let Some(place) = place(entries) else { return };
        if let Some(Value::Object(entry)) = entries.get_mut(place) {
            self.contradicted |= write(entry);
        }
    }

    /// An element that is the record's alone: nothing else of it is kept.
    pub(crate) fn says(&mut self, name: &str, value: Option<Value>) {
        if self.resource.get(name) != value.as_ref() {
            self.put(name, value);
        }
    }

    /// What follows from the record and others may say better: written only where nothing was given.
    pub(crate) fn at_first(&mut self, name: &str, value: Option<Value>) {
        if !self.given {
            self.put(name, value);
        }
    }

    /// The resource.
    pub(crate) fn end(mut self) -> Resource {
        let generated = element::object(self.resource.map(), "text")
            .and_then(|text| element::text(text, "status"))
            .is_some_and(|status| matches!(status, "generated" | "extensions"));
        if self.contradicted && generated {
            self.resource.remove("text");
        }
        self.resource
    }

    fn put(&mut self, name: &str, value: Option<Value>) {
        let sibling = self.resource.remove(&format!("_{name}")).is_some();
        let was = match value {
            Some(value) => {
                let was = self.resource.get(name).is_some();
                self.resource.set(name, value);
                was
            }
            None => self.resource.remove(name).is_some(),
        };
        self.contradicted |= sibling || was;
    }
}

#[cfg(test)]
mod tests;
