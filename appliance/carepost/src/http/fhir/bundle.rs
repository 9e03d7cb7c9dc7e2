//! Batches and transactions (<https://hl7.org/fhir/R4/http.html#transaction>).
//!
//! A transaction is one transaction of the database: all of it is done or nothing. Of a batch each
//! entry is done for itself.

use std::collections::HashMap;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use fhir::bundle::{
    Action, Answer as Entered, Entry, Kind, Links, Stored, Submission, Target, addresses, answered,
    apart,
};
use fhir::capability::{self, Interaction};
use fhir::scope::Permission;
use fhir::search::pairs;
use fhir::{Here, IssueCode, Outcome, Resource, patch, structure};
use prm::error::Error;
use prm::id::{ChartId, Noun};

use super::fault::{Answer, Fault};
use super::interaction::{Done, Only, What, Work, several};
use super::part;
use super::records::{self, Found, Sought, noun_of};
use super::search::{self, Shown};
use super::wire::{self, Asked, Returns, plain};
use super::write::Refused;
use super::{note, operation, transact};
use crate::app::App;

/// Takes a batch or a transaction.
pub async fn submit(State(app): State<App>, asked: Asked, request: Request) -> Answer<Response> {
    let (submission, _turn) = wire::bundle(&asked, request).await?;
    let kind = submission.kind;
    let (entered, shown) = match kind {
        Kind::Transaction => transact(&app, &asked, |work| together(work, submission)).await?,
        Kind::Batch => one_by_one(&app, &asked, submission).await?,
    };
    note(&app, &asked, Noun::Chart, shown.once()).await?;
    let here = Here { clinic: &app.clinic, origin: &asked.base };
    Ok(plain(StatusCode::OK, &answered(kind, entered, here).into()))
}

/// What came of the entries, and whose records were shown.
type Came = (Vec<Entered>, Shown);

/// All entries of a transaction.
fn together(work: &mut Work<'_, '_>, submission: Submission) -> Result<Came, Refused> {
    let order = in_order(&submission);
    let mut links = Links::default();
    let mut entries: Vec<Option<Entry>> = Vec::with_capacity(submission.entries.len());
    for entry in submission.entries {
        entries.push(Some(entry?));
    }
    foresee(work, &entries, &mut links)?;
    let mut waiting = Vec::new();
    let mut answers: Vec<Option<Entered>> = entries.iter().map(|_| None).collect();
    let mut shown = Shown::default();
    for at in order {
        let Some(entry) = entries.get_mut(at).and_then(Option::take) else { continue };
        waiting.extend(in_a_circle(&entry, &links).map(|(url, resource)| (at, url, resource)));
        let entered = enter(work, entry, &mut links, &mut shown)
            .map_err(|refused| Refused::Entry(at, Box::new(refused)))?;
        if let Some(place) = answers.get_mut(at) {
            *place = Some(entered);
        }
    }
    for (at, url, resource) in waiting {
        if let Some(Some(entered)) = answers.get_mut(at) {
            complete(work, entered, (&url, resource), &links)
                .map_err(|refused| Refused::Entry(at, Box::new(refused)))?;
        }
    }
    Ok((answers.into_iter().flatten().collect(), shown))
}

/// A new record that names one which is still to come, because they name each other.
fn in_a_circle(entry: &Entry, links: &Links) -> Option<(String, Resource)> {
    let Action::Create { resource, .. } = &entry.action else { return None };
    let url = entry.full_url.as_ref()?;
    let waits = is_record(resource.resource_type()) && links.has_to_wait(resource, Some(url));
    waits.then(|| (url.clone(), resource.clone()))
}

/// Writes what was given of a new record again, now that all that it names is there.
fn complete(
    work: &mut Work<'_, '_>,
    entered: &mut Entered,
    (url, resource): (&str, Resource),
    links: &Links,
) -> Result<(), Refused> {
    let Some(stored) = entered.stored.as_ref().filter(|_| entered.status == 201) else {
        return Ok(());
    };
    let (type_, id) = (stored.type_, stored.id.clone());
    let mut resource = resource;
    links.rewrite(&mut resource, Some(url), work.here)?;
    let found = work.given_again(&resource, (type_, &id))?;
    *entered = with(found, entered.status, entered.resource.is_some());
    Ok(())
}

/// The order of R4, and of what is new first what others are booked with.
fn in_order(submission: &Submission) -> Vec<usize> {
    let rank = |at: &usize| match submission.entries.get(*at) {
        Some(Ok(Entry { action: Action::Create { resource, .. }, .. })) => {
            (1, depends(resource.resource_type()))
        }
        Some(Ok(Entry { action: Action::Delete { .. }, .. }) | Err(_)) | None => (0, 0),
        Some(Ok(Entry { action: Action::Update { resource, .. }, .. })) => {
            (2, depends(resource.resource_type()))
        }
        Some(Ok(Entry { action: Action::Patch { .. }, .. })) => (3, 0),
        Some(Ok(Entry { action: Action::Read { .. }, .. })) => (4, 0),
    };
    let mut order = submission.order();
    order.sort_by_key(rank);
    let (created, others): (Vec<usize>, Vec<usize>) =
        order.into_iter().partition(|at| rank(at).0 == 1);
    let mut order = after_what_they_name(submission, &created);
    let (first, rest): (Vec<usize>, Vec<usize>) =
        others.into_iter().partition(|at| rank(at).0 == 0);
    order.splice(0..0, first);
    order.extend(rest);
    order
}

/// Records get their ids when they are made: those that others name come before them. What is kept as
/// given may name each other in a circle.
fn after_what_they_name(submission: &Submission, created: &[usize]) -> Vec<usize> {
    let new = |at: &usize| match submission.entries.get(*at) {
        Some(Ok(Entry { full_url, action: Action::Create { resource, .. }, .. })) => {
            Some((full_url.as_deref(), resource))
        }
        Some(Ok(_) | Err(_)) | None => None,
    };
    let mut records: HashMap<&str, usize> = HashMap::new();
    for at in created {
        if let Some((Some(url), resource)) = new(at)
            && is_record(resource.resource_type())
        {
            records.insert(url, *at);
        }
    }
    let mut order = Vec::with_capacity(created.len());
    let mut is_done: Vec<bool> = vec![false; submission.entries.len()];
    for first in created {
        // The entries on the way from one to what it names, each with what is still to be looked at.
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut next = Some(*first);
        loop {
            if let Some(at) = next.take()
                && is_done.get(at) == Some(&false)
            {
                if let Some(done) = is_done.get_mut(at) {
                    *done = true;
                }
                let named = new(&at).map(|(url, resource)| addresses(resource, url));
                let named = named.into_iter().flatten();
                let named = named.filter_map(|url| records.get(url.as_str()).copied()).collect();
                way.push((at, named));
            }
            let Some((at, named)) = way.last_mut() else { break };
            next = named.pop();
            if next.is_none() {
                order.push(*at);
                way.pop();
            }
        }
    }
    order
}

/// Records that need others come after them; what is kept as given may refer to any.
fn depends(type_: &str) -> u8 {
    match type_ {
        "Patient" | "Practitioner" | "Location" => 0,
        "PractitionerRole" | "HealthcareService" => 1,
        "Schedule" => 2,
        "Appointment" => 3,
        _ => 4,
    }
}

/// Whether new resources of a type become records of the clinic.
fn is_record(type_: &str) -> bool {
    depends(type_) < 4
}

/// Gives ids to what is new and kept as given, so that entries can refer to each other in a circle,
/// and to what changes under its id.
fn foresee(
    work: &mut Work<'_, '_>,
    entries: &[Option<Entry>],
    links: &mut Links,
) -> Result<(), Refused> {
    let mut targets = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let Some(Entry { full_url, action, .. }) = entry else { continue };
        let known = match action {
            Action::Update { target: Target::One { type_, id }, .. } => {
                targets.push((at, *type_, id.clone()));
                Some((*type_, id.clone()))
            }
            Action::Update { target: Target::Found { type_, query }, .. } => {
                match work.few(type_, query)?.as_slice() {
                    [one] => {
                        targets.push((at, *type_, one.clone()));
                        Some((*type_, one.clone()))
                    }
                    [] => None,
                    [_, _, ..] => {
                        return Err(Refused::Entry(at, Box::new(several().into())));
                    }
                }
            }
            Action::Create { resource, if_none_exist } => {
                let type_ = resource.resource_type();
                let there = match if_none_exist {
                    Some(criteria) => work.few(type_, criteria)?.into_iter().next(),
                    None => None,
                };
                match (there, full_url) {
                    (Some(id), _) => Some((type_, id)),
                    (None, Some(_)) if !is_record(type_) => {
                        Some((type_, ChartId::new(work.stamp().now).to_string()))
                    }
                    (None, Some(url)) => {
                        links.expect(url);
                        None
                    }
                    (None, None) => None,
                }
            }
            Action::Patch { .. } | Action::Delete { .. } | Action::Read { .. } => None,
        };
        if let Some((type_, id)) = known {
            // What is updated under an id that only the box can give may not be there.
            if !is_record(type_) {
                work.will_be_there(type_, &id);
            }
            if let Some(url) = full_url {
                links.add(url, type_, &id);
            }
        }
    }
    apart(targets.iter().map(|(at, type_, id)| (*at, *type_, id.as_str())))?;
    Ok(())
}

/// One entry.
fn enter(
    work: &mut Work<'_, '_>,
    entry: Entry,
    links: &mut Links,
    shown: &mut Shown,
) -> Result<Entered, Refused> {
    let Entry { full_url, action, if_match, if_none_match, if_modified_since } = entry;
    let url = full_url.as_deref();
    let seen = if_match.as_deref().map(version).transpose()?;
    let only = Only { seen, new: if_none_match.as_deref().map(str::trim) == Some("*") };
    let done = match action {
        Action::Create { resource, if_none_exist } => {
            let resource = linked(work, resource, url, links)?;
            let type_ = resource.resource_type();
            can(type_, Interaction::Create)?;
            let foreseen = url.and_then(|url| links.to(url)).and_then(|to| to.split_once('/'));
            let id = foreseen.map(|(_, id)| id.to_owned()).filter(|_| !is_record(type_));
            let done = work.create(resource, if_none_exist.as_deref(), id.as_deref())?;
            if let (Some(url), Some(id)) = (url, done.found.resource.id()) {
                links.add(url, type_, id);
            }
            done
        }
        Action::Update { target, resource } => {
            let resource = linked(work, resource, url, links)?;
            match target {
                Target::One { type_, id } => {
                    can(type_, Interaction::Update)?;
                    work.put(resource, &id, only)?
                }
                Target::Found { type_, query } => {
                    can(type_, Interaction::Update)?;
                    work.put_found(resource, &query, only)?
                }
            }
        }
        Action::Patch { target, patch } => {
            let (type_, id) = one(work, target)?;
            can(type_, Interaction::Patch)?;
            work.patch((type_, &id), &patch::resource(&patch)?, seen)?
        }
        Action::Delete { target } => {
            match target {
                Target::One { type_, id } => {
                    can(type_, Interaction::Delete)?;
                    work.delete((type_, &id), seen)?;
                }
                Target::Found { type_, query } => {
                    can(type_, Interaction::Delete)?;
                    work.delete_found(type_, &query, seen)?;
                }
            }
            return Ok(bare(204));
        }
        Action::Read { url, head } => {
            let unless = wire::Unless::of(if_none_match.as_deref(), if_modified_since.as_deref());
            return read(work, &url, head, &unless, shown);
        }
    };
    let Done { found, what } = done;
    if what == What::There {
        shown.add(&found);
    }
    let status = if what == What::Made { 201 } else { 200 };
    let sees = work.stamp().sees(found.resource.resource_type());
    let wants = sees && work.asked.returns() == Returns::Resource;
    Ok(with(found, status, wants))
}

/// Refuses what cannot be done with resources of a type.
pub fn can(type_: &str, interaction: Interaction) -> Result<(), Outcome> {
    if capability::interactions(type_).contains(&interaction) {
        return Ok(());
    }
    let what = match interaction {
        Interaction::Delete if noun_of(type_).is_some() => {
            "records of the clinic are not deleted; say that they are not in use"
        }
        Interaction::Read
        | Interaction::Vread
        | Interaction::Update
        | Interaction::Patch
        | Interaction::Delete
        | Interaction::HistoryInstance
        | Interaction::HistoryType
        | Interaction::Create
        | Interaction::SearchType => "this is not done with resources of this type here",
    };
    Err(Outcome::error(IssueCode::NotSupported, what))
}

/// A resource that is valid, with its references rewritten.
fn linked(
    work: &Work<'_, '_>,
    mut resource: Resource,
    url: Option<&str>,
    links: &mut Links,
) -> Result<Resource, Refused> {
    work.find_conditionals(&resource, links)?;
    links.rewrite(&mut resource, url, work.here)?;
    Ok(resource)
}

fn bare(status: u16) -> Entered {
    Entered { status, stored: None, modified: None, outcome: None, resource: None }
}

/// A resource with its place and version.
fn with(found: Found, status: u16, wants_resource: bool) -> Entered {
    let Found { resource, at, whose: _ } = found;
    let id = resource.id().unwrap_or_default().to_owned();
    let type_ = resource.resource_type();
    Entered {
        status,
        stored: at.map(|(version, _)| Stored { type_, id, version: version.to_string() }),
        modified: at.map(|(_, updated)| updated),
        outcome: None,
        resource: wants_resource.then_some(resource),
    }
}

/// The version that `If-Match` names.
fn version(text: &str) -> Result<i64, Outcome> {
    wire::etag(text).ok_or_else(|| {
        Outcome::error(IssueCode::Value, "ifMatch holds the ETag of one version, such as W/\"3\"")
    })
}

/// The resource that a target names.
fn one(work: &Work<'_, '_>, target: Target) -> Result<(&'static str, String), Refused> {
    match target {
        Target::One { type_, id } => Ok((type_, id)),
        Target::Found { type_, query } => match work.few(type_, &query)?.as_slice() {
            [] => Err(Error::NotFound(Noun::Chart).into()),
            [one] => Ok((type_, one.clone())),
            [_, _, ..] => Err(several().into()),
        },
    }
}

/// Reads or searches.
fn read(
    work: &Work<'_, '_>,
    url: &str,
    head: bool,
    unless: &wire::Unless,
    shown: &mut Shown,
) -> Result<Entered, Refused> {
    let unknown =
        || Outcome::error(IssueCode::NotSupported, "an entry reads Type/id or searches Type?...");
    let asked = work.asked;
    let url = url.trim_start_matches('/');
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let parts: Vec<&str> = path.split('/').collect();
    if let Some((found, more)) = operation::in_a_bundle(work, &parts, query)? {
        shown.append(more);
        return Ok(Entered { resource: (!head).then_some(found), ..bare(200) });
    }
    let type_ = parts.first().and_then(|name| structure::type_name(name)).ok_or_else(unknown)?;
    let version = match parts.as_slice() {
        [_] => {
            can(type_, Interaction::SearchType)?;
            let parsed = fhir::search::parse(type_, &pairs(query)?, asked.is_strict(), work.here)?;
            let link = super::link(asked, type_, query, &parsed);
            let found = search::answer(work.tx, work.stamp(), work.here, &parsed, &link)?;
            shown.append(found.shown);
            return Ok(Entered { resource: (!head).then_some(found.bundle), ..bare(200) });
        }
        [_, _] => None,
        [_, _, "_history", version] => Some(version.parse().map_err(|_| unknown())?),
        _ => return Err(unknown().into()),
    };
    can(type_, Interaction::Read)?;
    work.stamp().within(type_, Permission::Read)?;
    let id = parts.get(1).copied().unwrap_or_default();
    let found = records::one(work.tx, work.stamp(), work.here, (type_, id), version)?;
    let Sought::Found(found) = found else { return Err(Refused::Gone) };
    if unless.is_known(&found) {
        return Ok(bare(304));
    }
    let found = part::of(*found, query, asked.is_strict(), work.here)?;
    shown.add(&found);
    Ok(with(found, 200, !head))
}

/// The entries of a batch, each in a transaction of its own.
async fn one_by_one(app: &App, asked: &Asked, submission: Submission) -> Answer<Came> {
    let order = in_order(&submission);
    let mut entries: Vec<Option<Result<Entry, Outcome>>> =
        submission.entries.into_iter().map(Some).collect();
    let mut answers: Vec<Option<Entered>> = entries.iter().map(|_| None).collect();
    let mut shown = Shown::default();
    for at in order {
        let Some(entry) = entries.get_mut(at).and_then(Option::take) else { continue };
        let done = match entry.and_then(valid) {
            Err(outcome) => Err(Fault::from(outcome)),
            Ok(entry) => {
                transact(app, asked, |work| {
                    let (mut links, mut shown) = (Links::default(), Shown::default());
                    let entered = enter(work, entry, &mut links, &mut shown)?;
                    Ok((entered, shown))
                })
                .await
            }
        };
        let entered = match done {
            Ok((entered, more)) => {
                shown.append(more);
                entered
            }
            Err(fault) => {
                let status = fault.status().as_u16();
                Entered { outcome: Some(fault.outcome().clone()), ..bare(status) }
            }
        };
        if let Some(place) = answers.get_mut(at) {
            *place = Some(entered);
        }
    }
    Ok((answers.into_iter().flatten().collect(), shown))
}

/// The entry of a batch, whose resource was not looked at yet.
fn valid(entry: Entry) -> Result<Entry, Outcome> {
    let resource = match &entry.action {
        Action::Create { resource, .. } | Action::Update { resource, .. } => Some(resource),
        Action::Patch { patch, .. } => Some(patch),
        Action::Delete { .. } | Action::Read { .. } => None,
    };
    let issues = resource.map(structure::validate).unwrap_or_default();
    if issues.is_empty() { Ok(entry) } else { Err(Outcome { issues }) }
}
