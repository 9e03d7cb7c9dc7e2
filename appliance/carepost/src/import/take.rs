//! Writing a few resources in one transaction, each in a part of its own.

use std::collections::HashMap;

use crate::http::fhir::stamp::Stamp;
use fhir::reference::{references, rewrite};
use fhir::{Here, Issue, IssueCode, Outcome, Resource, structure};
use prm::chart;
use prm::clinic::Clinic;
use prm::db::Tx;
use prm::error::{Error, Result};
use prm::id::PatientId;
use prm::imported::{self, Imported};
use serde_json::Value;

use super::index::Item;
use super::links::{Leads, Links, in_words, is_uuid, waits_for_record};
use super::order::is_record;
use super::survey::fingerprint;
use super::tally::Fate;
use crate::http::fhir::fault::Fault;
use crate::http::fhir::interaction::{Only, Work};
use crate::http::fhir::records::{self, Found, Sought};
use crate::http::fhir::wire::Asked;
use crate::http::fhir::write::{Refused, merged};

/// In which sweep a resource is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// If all that it refers to is there.
    Whole,
    /// Although something that it refers to is not there yet, because that waits for it in turn.
    Circle,
    /// Once more, now that all is there.
    Again,
}

/// A resource that is to be written.
pub struct Job {
    /// Where it came from.
    pub item: Item,
    /// What it says; none if it says something else than when it was noted.
    pub resource: Option<Resource>,
    /// Which version it said it is.
    pub version: Option<i64>,
}

/// What became of one.
#[derive(Clone, Debug)]
pub enum Became {
    /// It was taken, was there, or is not taken.
    Settled(Fate),
    /// It was taken but for references that lead in a circle.
    Half(Fate),
    /// What it refers to is not there yet.
    Waits,
    /// It was refused.
    Refused(Vec<Issue>),
}

/// What is done with the references of a resource.
#[derive(Default)]
struct Plan {
    /// These lead to somewhere else than they say.
    to: HashMap<String, String>,
    /// These are put in words.
    words: Vec<String>,
    /// These will be there, because the same import writes them.
    foreseen: Vec<(&'static str, String)>,
    issues: Vec<Issue>,
    waits: bool,
    half: bool,
    drops_slot: bool,
}

/// Writes some resources; answers what became of each, and how many references were put in words
/// because they lead nowhere.
///
/// # Errors
/// If the database fails; then nothing of it is written.
pub fn take(
    tx: &mut Tx<'_>,
    stamp: Stamp,
    clinic: &Clinic,
    links: &mut Links,
    (sweep, jobs): (Sweep, &[Job]),
) -> Result<(Vec<Became>, u64)> {
    let asked = Asked::alone(stamp);
    let mut work = Work::new(tx, &asked, Here { clinic, origin: "" });
    let mut became = Vec::with_capacity(jobs.len());
    let mut lost = 0;
    for Job { item, resource, version } in jobs {
        let Some(resource) = resource else {
            let what = "the file was changed while it was read; run the import again";
            became.push(Became::Refused(vec![Issue::error(IssueCode::Conflict, what)]));
            continue;
        };
        became.push(one(&mut work, links, sweep, (item, resource, *version), &mut lost)?);
    }
    Ok((became, lost))
}

fn one(
    work: &mut Work<'_, '_>,
    links: &mut Links,
    sweep: Sweep,
    (item, resource, version): (&Item, &Resource, Option<i64>),
    lost: &mut u64,
) -> Result<Became> {
    let (stamp, here) = (*work.stamp(), work.here);
    let source = links.wanted.source.clone();
    let name = (source.as_str(), item.kind.as_str(), item.name.as_str());
    let came = match imported::of(work.tx, &stamp, name)? {
        None if links.wanted.own => own_but_older(work, item, version)?,
        came => came,
    };
    if sweep != Sweep::Again {
        match &came {
            Some(came) if came.given == item.given => {
                return Ok(Became::Settled(Fate::Unchanged));
            }
            None if is_own(work, item)? => return Ok(Became::Settled(Fate::Unchanged)),
            Some(_) | None if is_here(work, item, resource)? => {
                return Ok(Became::Settled(Fate::Unchanged));
            }
            Some(_) | None => {}
        }
    }
    let plan = plan(work, links, sweep, (item, resource))?;
    if !plan.issues.is_empty() {
        return Ok(Became::Refused(plan.issues));
    }
    if plan.waits {
        return Ok(Became::Waits);
    }
    let mut resource = resource.clone();
    let (half, words) = (plan.half, plan.words.len() as u64);
    plan.apply(work, &mut resource, &source);
    let local = match &came {
        Some(came) => Some(came.local.clone()),
        None if is_record(&item.kind) => None,
        None => {
            let which = (item.nr, item.kind.as_str(), item.name.as_str(), item.local.as_deref());
            Some(links.foreseen(work.tx, &stamp, here, which)?)
        }
    };
    let part = work.tx.savepoint()?;
    let own = links.wanted.own;
    match write(work, (name, own), (came.as_ref(), local), resource) {
        Ok((found, fate)) => {
            let imported = Imported {
                source: source.clone(),
                kind: item.kind.clone(),
                name: item.name.clone(),
                local: found.resource.id().unwrap_or_default().to_owned(),
                given: item.given,
                version: found.at.map_or(1, |(version, _)| version),
                merged: fate == Fate::Merged || came.is_some_and(|came| came.merged),
            };
            imported::remember(work.tx, &stamp, &imported)?;
            work.tx.release(part)?;
            if !half {
                *lost += words;
            }
            Ok(if half { Became::Half(fate) } else { Became::Settled(fate) })
        }
        Err(Refused::Rule(error @ (Error::Storage(_) | Error::Full | Error::Busy))) => Err(error),
        Err(refused) => {
            work.tx.undo(part)?;
            Ok(Became::Refused(Fault::from(refused).outcome().issues.clone()))
        }
    }
}

/// Whether it is this clinic's own: a record with its UUID, which means one thing in all the world.
fn is_own(work: &Work<'_, '_>, item: &Item) -> Result<bool> {
    let Some(kind) = structure::type_name(&item.kind) else { return Ok(false) };
    if !is_uuid(&item.name) && kind != fhir::related_person::TYPE {
        return Ok(false);
    }
    records::exists(work.tx, work.stamp(), work.here, (kind, &item.name))
}

/// What is here of a record whose later version comes: it is changed like what came from there before.
fn own_but_older(
    work: &Work<'_, '_>,
    item: &Item,
    version: Option<i64>,
) -> Result<Option<Imported>> {
    let (Some(kind), Some(version)) = (structure::type_name(&item.kind), version) else {
        return Ok(None);
    };
    if !is_record(kind) || !is_own(work, item)? {
        return Ok(None);
    }
    let found = records::one(work.tx, work.stamp(), work.here, (kind, &item.name), None)?;
    let now = match found {
        Sought::Found(found) => found.at.map(|(version, _)| version),
        Sought::Gone => None,
    };
    Ok(now.filter(|now| *now < version).map(|now| Imported {
        source: String::new(),
        kind: item.kind.clone(),
        name: item.name.clone(),
        local: item.name.clone(),
        given: [0; 32],
        version: now,
        merged: false,
    }))
}

/// Whether the same is kept here word for word under the same id, as after an export of this box.
fn is_here(work: &Work<'_, '_>, item: &Item, resource: &Resource) -> Result<bool> {
    let (stamp, here) = (work.stamp(), work.here);
    let Some(kind) = structure::type_name(&item.kind) else { return Ok(false) };
    match chart::get(work.tx, stamp, kind, &item.name) {
        Ok(kept) if kept.body.is_some() => {}
        Ok(_) | Err(Error::NotFound(_)) => return Ok(false),
        Err(error) => return Err(error),
    }
    let Sought::Found(found) = records::one(work.tx, stamp, here, (kind, &item.name), None)? else {
        return Ok(false);
    };
    let (mut found, mut given) = (found.resource, resource.clone());
    Ok(fingerprint(&mut found) == fingerprint(&mut given))
}

/// What is to be done with the references.
fn plan(
    work: &Work<'_, '_>,
    links: &mut Links,
    sweep: Sweep,
    (item, resource): (&Item, &Resource),
) -> Result<Plan> {
    let (stamp, here) = (work.stamp(), work.here);
    let mut plan = Plan::default();
    for found in references(resource) {
        let reference = found.reference;
        if plan.to.contains_key(reference) || plan.words.iter().any(|it| it == reference) {
            continue;
        }
        let is_slot = reference.starts_with("Slot/");
        match links.leads(work.tx, stamp, here, reference)? {
            Leads::Here(to) => {
                plan.to.insert(reference.to_owned(), to);
            }
            Leads::Stays => {}
            // A slot that is none here: the appointment says when and with whom.
            Leads::Lost(_) if is_slot => plan.drops_slot = true,
            Leads::Lost(_) if links.wanted.keep_lost => plan.words.push(reference.to_owned()),
            Leads::Lost(why) => plan.issues.push(Issue::at(found.path, IssueCode::NotFound, why)),
            Leads::Waits(known) => {
                let is_itself = known.nr == item.nr;
                let of_record = waits_for_record(&known);
                if sweep == Sweep::Whole && (of_record || !is_itself) {
                    plan.waits = true;
                } else if of_record || sweep == Sweep::Again {
                    // The record that it names gets its id only when it is written.
                    plan.half = sweep == Sweep::Circle;
                    plan.words.push(reference.to_owned());
                } else {
                    let which = (
                        known.nr,
                        known.kind.as_str(),
                        known.name.as_str(),
                        known.local.as_deref(),
                    );
                    let id = links.foreseen(work.tx, stamp, here, which)?;
                    plan.to.insert(reference.to_owned(), format!("{}/{id}", known.kind));
                    plan.foreseen.extend(structure::type_name(&known.kind).map(|kind| (kind, id)));
                }
            }
        }
    }
    Ok(plan)
}

impl Plan {
    fn apply(self, work: &mut Work<'_, '_>, resource: &mut Resource, source: &str) {
        let Self { to, words, foreseen, issues: _, waits: _, half: _, drops_slot } = self;
        rewrite(resource, |said| to.get(said).cloned());
        in_words(resource, &words, source);
        for (kind, id) in foreseen {
            work.will_be_there(kind, &id);
        }
        let status = resource.get("status").and_then(Value::as_str);
        let stands = matches!(status, Some("pending" | "booked" | "arrived" | "checked-in"));
        if drops_slot && stands && resource.resource_type() == fhir::appointment::TYPE {
            resource.remove("slot");
        }
    }
}

/// Writes one by what the FHIR door writes with.
fn write(
    work: &mut Work<'_, '_>,
    (name, own): ((&str, &str, &str), bool),
    (came, local): (Option<&Imported>, Option<String>),
    mut resource: Resource,
) -> std::result::Result<(Found, Fate), Refused> {
    let (stamp, here) = (*work.stamp(), work.here);
    let kind = resource.resource_type();
    let merges = match came {
        Some(came) if came.merged => came.local.parse().ok(),
        None if kind == fhir::patient::TYPE && !own => {
            merged::on_record(work.tx, &stamp, here, &resource)?
        }
        Some(_) | None => None,
    };
    if let Some(id) = merges {
        let id: PatientId = id;
        resource.remove("id");
        let found = merged::merge(work.tx, &stamp, here, &resource, id)?;
        return Ok((found, if came.is_some() { Fate::Changed } else { Fate::Merged }));
    }
    let Some(came) = came else {
        match &local {
            Some(id) => resource.set("id", id.as_str()),
            None => {
                resource.remove("id");
            }
        }
        let done = work.create(resource, None, local.as_deref())?;
        let id = done.found.resource.id().unwrap_or_default();
        if kind == fhir::practitioner_role::TYPE && imported::is_another(work.tx, &stamp, id, name)?
        {
            let what = "a practitioner has one role here, and another one came; join them first";
            let place = "PractitionerRole.practitioner";
            return Err(Outcome::at(place, IssueCode::BusinessRule, what).into());
        }
        return Ok((done.found, Fate::Taken));
    };
    let now = work.found(kind, &came.local)?.at.map(|(version, _)| version);
    if now != Some(came.version) {
        let what =
            "it was changed here since it came, and came changed now; change it here by hand";
        return Err(Outcome::error(IssueCode::Conflict, what).into());
    }
    resource.set("id", came.local.as_str());
    let done = work.put(resource, &came.local, Only { seen: now, new: false })?;
    Ok((done.found, Fate::Changed))
}
