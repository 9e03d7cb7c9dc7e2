//! Where the references of a resource that came in a file lead to on this box.

use std::collections::HashMap;

use crate::http::fhir::stamp::Stamp;
use fhir::reference::{Local, Target, is_id, parse};
use fhir::{Here, Resource, related_person, slot};
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::{ChartId, ScheduleId, SlotId};
use prm::imported;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Wanted;
use super::index::{Index, Known, State};
use super::order::is_record;
use crate::http::fhir::records;

/// References that are remembered, because many resources refer to the same few.
const REMEMBERED_MAX: usize = 50_000;

/// Where a reference leads to.
#[derive(Clone, Debug)]
pub enum Leads {
    /// To this resource here, as `Type/id`.
    Here(String),
    /// It stays as it is: it leads to somewhere else.
    Stays,
    /// To a resource of the files that is not written yet.
    Waits(Box<Known>),
    /// Nowhere, and why.
    Lost(&'static str),
}

/// Looks up references.
pub struct Links {
    pub index: Index,
    pub wanted: Wanted,
    remembered: HashMap<String, String>,
}

impl Links {
    /// What the files of an import refer to.
    pub fn new(index: Index, wanted: Wanted) -> Self {
        Self { index, wanted, remembered: HashMap::new() }
    }

    /// Where a reference leads to.
    ///
    /// # Errors
    /// Those of the database and of the index.
    pub fn leads(
        &mut self,
        read: &Read<'_>,
        stamp: &Stamp,
        here: Here<'_>,
        reference: &str,
    ) -> Result<Leads> {
        if let Some(known) = self.remembered.get(reference) {
            return Ok(Leads::Here(known.clone()));
        }
        let leads = match parse(reference, "") {
            Some(Target::Local(local)) => self.named(read, stamp, here, local)?,
            Some(Target::Urn(url)) => match self.index.at(url).map_err(broken)? {
                Some(known) => self.known(read, stamp, known)?,
                None => Leads::Lost("nothing in the files has this as its fullUrl"),
            },
            Some(Target::Foreign(url)) => self.foreign(read, stamp, here, url)?,
            Some(Target::Contained(_) | Target::Conditional { .. } | Target::Logical) | None => {
                Leads::Stays
            }
        };
        if let Leads::Here(to) = &leads {
            if self.remembered.len() >= REMEMBERED_MAX {
                self.remembered.clear();
            }
            self.remembered.insert(reference.to_owned(), to.clone());
        }
        Ok(leads)
    }

    fn foreign(&self, read: &Read<'_>, stamp: &Stamp, here: Here<'_>, url: &str) -> Result<Leads> {
        if let Some(known) = self.index.at(url).map_err(broken)? {
            return self.known(read, stamp, known);
        }
        let under = |base: &String| url.strip_prefix(base.trim_end_matches('/'));
        let relative = self.wanted.bases.iter().find_map(under);
        match relative.and_then(|rest| parse(rest.strip_prefix('/')?, "")) {
            Some(Target::Local(local)) => self.named(read, stamp, here, local),
            Some(
                Target::Urn(_)
                | Target::Contained(_)
                | Target::Conditional { .. }
                | Target::Foreign(_)
                | Target::Logical,
            )
            | None => Ok(Leads::Stays),
        }
    }

    fn named(
        &self,
        read: &Read<'_>,
        stamp: &Stamp,
        here: Here<'_>,
        local: Local<'_>,
    ) -> Result<Leads> {
        let Local { resource_type: kind, id, version: _ } = local;
        if kind == slot::TYPE {
            return self.slot(read, stamp, here, id);
        }
        if let Some(came) = imported::of(read, stamp, (&self.wanted.source, kind, id))? {
            return Ok(Leads::Here(format!("{kind}/{}", came.local)));
        }
        if let Some(known) = self.index.named(kind, id).map_err(broken)? {
            return self.known(read, stamp, known);
        }
        // A UUID means one thing in all the world: this clinic's own record.
        if is_uuid(id) && records::exists(read, stamp, here, (kind, id))? {
            return Ok(Leads::Here(format!("{kind}/{id}")));
        }
        Ok(Leads::Lost("it is in none of the files, and did not come before; send it, too"))
    }

    fn known(&self, read: &Read<'_>, stamp: &Stamp, known: Known) -> Result<Leads> {
        let Known { nr: _, kind, name, state, local: _ } = &known;
        if let Some(came) = imported::of(read, stamp, (&self.wanted.source, kind, name))? {
            return Ok(Leads::Here(format!("{kind}/{}", came.local)));
        }
        Ok(match state {
            State::Done => Leads::Here(format!("{kind}/{name}")),
            State::Refused => Leads::Lost("what it refers to was refused"),
            State::Waits | State::Half => Leads::Waits(Box::new(known)),
        })
    }

    /// A slot is named by its schedule and its start.
    fn slot(&self, read: &Read<'_>, stamp: &Stamp, here: Here<'_>, id: &str) -> Result<Leads> {
        let nowhere = Leads::Lost("this is no slot of a schedule that came");
        let Ok(slot) = id.parse::<SlotId>() else { return Ok(nowhere) };
        let schedule = slot.schedule.to_string();
        let of = Local { resource_type: "Schedule", id: &schedule, version: None };
        Ok(match self.named(read, stamp, here, of)? {
            Leads::Here(to) => match to.rsplit('/').next().map(str::parse::<ScheduleId>) {
                Some(Ok(schedule)) => {
                    Leads::Here(format!("Slot/{}", SlotId::new(schedule, slot.start())))
                }
                Some(Err(_)) | None => nowhere,
            },
            Leads::Waits(known) => Leads::Waits(known),
            Leads::Stays | Leads::Lost(_) => nowhere,
        })
    }

    /// The id under which a resource that is kept as given will be here: its own if that is free.
    ///
    /// # Errors
    /// Those of the database and of the index.
    pub fn foreseen(
        &self,
        read: &Read<'_>,
        stamp: &Stamp,
        here: Here<'_>,
        (nr, kind, name, local): (i64, &str, &str, Option<&str>),
    ) -> Result<String> {
        if let Some(local) = local {
            return Ok(local.to_owned());
        }
        let is_free = match fhir::structure::type_name(kind) {
            // Relations of the clinic's own have ids of two patients.
            Some(related_person::TYPE) if related_person::parse_id(name).is_some() => false,
            Some(kind) if is_id(name) => !records::exists(read, stamp, here, (kind, name))?,
            Some(_) | None => false,
        };
        let local = if is_free { name.to_owned() } else { ChartId::new(stamp.now).to_string() };
        self.index.foresee(nr, &local).map_err(broken)?;
        Ok(local)
    }
}

/// Whether an id is a UUID as this box writes them.
pub fn is_uuid(id: &str) -> bool {
    Uuid::try_parse(id).is_ok_and(|uuid| uuid.to_string() == id)
}

/// The index failed, which is no fault of a resource.
pub fn broken(error: rusqlite::Error) -> Error {
    Error::Storage(format!("the index of the import: {error}"))
}

/// Whether a reference that waits is to something that gets its id when it is written.
pub fn waits_for_record(known: &Known) -> bool {
    is_record(&known.kind)
}

/// Puts words in the place of references: what it is of, and what its source calls it.
pub fn in_words(resource: &mut Resource, lost: &[String], source: &str) {
    if lost.is_empty() {
        return;
    }
    let names: Vec<String> = resource.map().keys().cloned().collect();
    for name in names {
        if let Some(value) = resource.get_mut(&name) {
            words(value, lost, source);
        }
    }
}

fn words(value: &mut Value, lost: &[String], source: &str) {
    match value {
        Value::Object(map) => {
            let reference = map.get("reference").and_then(Value::as_str);
            if let Some(reference) = reference.filter(|it| lost.iter().any(|one| one == it)) {
                let reference = reference.to_owned();
                let kind = match parse(&reference, "") {
                    Some(Target::Local(local)) => Some(local.resource_type),
                    Some(_) | None => None,
                };
                map.shift_remove("reference");
                if let Some(kind) = kind {
                    map.entry("type").or_insert_with(|| kind.into());
                }
                map.entry("identifier").or_insert_with(|| {
                    let system = format!("https://carepost.health/fhir/imported/{source}");
                    json!({ "system": system, "value": reference })
                });
            }
            for inner in map.values_mut() {
                words(inner, lost, source);
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| words(entry, lost, source)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
