//! Batches and transactions (<https://hl7.org/fhir/R4/http.html#transaction>).
//!
//! A transaction is one transaction of the database: all of it is done or nothing. Of a batch each
//! entry is done for itself.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use fhir::bundle::{
    Action, Answer as Entered, Entry, Kind, Links, Stored, Submission, Target, answered, apart,
    conditional_references,
};
use fhir::capability::{self, Interaction};
use fhir::search::pairs;
use fhir::{Here, IssueCode, Outcome, Resource, patch, structure};
use prm::db::Tx;
use prm::error::Error;
use prm::id::{ChartId, Noun, PatientId};

use super::fault::{Answer, Fault};
use super::records::{self, Sought};
use super::wire::{Asked, Given, Returns, plain};
use super::write::{self, Refused, Wanted};
use super::{Done, create_unless, patched, put, put_found, search, several, transact};
use crate::app::App;
use crate::http::read_audit;

/// Takes a batch or a transaction.
pub async fn submit(
    State(app): State<App>,
    asked: Asked,
    Given(bundle): Given,
) -> Answer<Response> {
    let submission = fhir::bundle::read(bundle)?;
    let kind = submission.kind;
    let (entered, patients) = match kind {
        Kind::Transaction => {
            transact(&app, &asked, |tx, asked, here| together(tx, asked, here, submission)).await?
        }
        Kind::Batch => one_by_one(&app, &asked, submission).await?,
    };
    read_audit::shown(&app, asked.stamp, Noun::Chart, patients).await?;
    let here = Here { clinic: &app.clinic, origin: &asked.base };
    Ok(plain(StatusCode::OK, &answered(kind, entered, here).into()))
}

/// What came of the entries, and whose records were shown.
type Came = (Vec<Entered>, Vec<PatientId>);

/// All entries of a transaction.
fn together(
    tx: &mut Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    submission: Submission,
) -> Result<Came, Refused> {
    let order = in_order(&submission);
    let mut links = Links::default();
    let mut entries: Vec<Option<Entry>> = Vec::with_capacity(submission.entries.len());
    for entry in submission.entries {
        entries.push(Some(entry?));
    }
    foresee(tx, asked, here, &entries, &mut links)?;
    let mut answers: Vec<Option<Entered>> = entries.iter().map(|_| None).collect();
    let mut patients = Vec::new();
    for at in order {
        let Some(entry) = entries.get_mut(at).and_then(Option::take) else { continue };
        let entered = enter(tx, asked, here, entry, &mut links, &mut patients)
            .map_err(|refused| placed(refused, at))?;
        if let Some(place) = answers.get_mut(at) {
            *place = Some(entered);
        }
    }
    Ok((answers.into_iter().flatten().collect(), patients))
}

/// The order of R4, and of what is new first what others are booked with.
fn in_order(submission: &Submission) -> Vec<usize> {
    let mut order = submission.order();
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
    order.sort_by_key(rank);
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

/// Gives ids to what is new and kept as given, so that entries can refer to each other in a circle,
/// and to what changes under its id.
fn foresee(
    tx: &Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    entries: &[Option<Entry>],
    links: &mut Links,
) -> Result<(), Refused> {
    let mut targets = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let Some(Entry { full_url, action, .. }) = entry else { continue };
        match action {
            Action::Update { target: Target::One { type_, id }, .. } => {
                if let Some(url) = full_url {
                    links.add(url, type_, id);
                }
                targets.push((at, *type_, id.clone()));
            }
            Action::Update { target: Target::Found { type_, query }, .. } => {
                let found = search::few(tx, &asked.stamp, here, type_, query)?;
                match (found.as_slice(), full_url) {
                    ([one], url) => {
                        if let Some(url) = url {
                            links.add(url, type_, one);
                        }
                        targets.push((at, *type_, one.clone()));
                    }
                    ([], _) => {}
                    ([_, _, ..], _) => return Err(several().into()),
                }
            }
            Action::Create { resource, if_none_exist } => {
                let type_ = resource.resource_type();
                if let (Some(url), Some(criteria)) = (full_url, if_none_exist) {
                    let found = search::few(tx, &asked.stamp, here, type_, criteria)?;
                    if let [one] = found.as_slice() {
                        links.add(url, type_, one);
                        continue;
                    }
                }
                if let (Some(url), false) = (full_url, write::is_record(type_)) {
                    links.add(url, type_, &ChartId::new(asked.stamp.now).to_string());
                }
            }
            Action::Patch { .. } | Action::Delete { .. } | Action::Read { .. } => {}
        }
    }
    apart(targets.iter().map(|(at, type_, id)| (*at, *type_, id.as_str())))?;
    Ok(())
}

/// One entry.
fn enter(
    tx: &mut Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    entry: Entry,
    links: &mut Links,
    patients: &mut Vec<PatientId>,
) -> Result<Entered, Refused> {
    let Entry { full_url, action, if_match, if_none_match: _, if_modified_since: _ } = entry;
    let seen = if_match.as_deref().map(version).transpose()?;
    let done = match action {
        Action::Create { mut resource, if_none_exist } => {
            valid(&resource)?;
            find_conditionals(tx, asked, here, &resource, links)?;
            links.rewrite(&mut resource, full_url.as_deref(), here)?;
            let foreseen = full_url.as_deref().and_then(|url| links.to(url));
            let type_ = resource.resource_type();
            let done = match foreseen.and_then(|to| to.strip_prefix(type_)?.strip_prefix('/')) {
                Some(id) if if_none_exist.is_none() && !write::is_record(type_) => {
                    let id = id.to_owned();
                    let wanted = Wanted { resource: &resource, id: Some(&id), seen: None };
                    let written = write::write(tx, &asked.stamp, here, &wanted)?;
                    Done { type_, id: written.id, outcome: Some(true) }
                }
                Some(_) | None => {
                    create_unless(tx, asked, here, resource, if_none_exist.as_deref())?
                }
            };
            if let Some(url) = &full_url {
                links.add(url, done.type_, &done.id);
            }
            done
        }
        Action::Update { target, mut resource } => {
            valid(&resource)?;
            find_conditionals(tx, asked, here, &resource, links)?;
            links.rewrite(&mut resource, full_url.as_deref(), here)?;
            match target {
                Target::One { type_: _, id } => put(tx, asked, here, resource, Some(&id), seen)?,
                Target::Found { type_: _, query } => {
                    put_found(tx, asked, here, resource, &query, seen)?
                }
            }
        }
        Action::Patch { target, patch } => {
            let (type_, id) = one(tx, asked, here, target)?;
            let patch = patch::resource(&patch)?;
            patched(tx, asked, here, (type_, &id), &patch, seen)?
        }
        Action::Delete { target } => {
            let (type_, id) = one(tx, asked, here, target)?;
            if !capability::interactions(type_).contains(&Interaction::Delete) {
                let what = "records of the clinic are not deleted; say that they are not in use";
                return Err(Outcome::error(IssueCode::NotSupported, what).into());
            }
            prm::chart::delete(tx, &asked.stamp, type_, &id, seen)?;
            return Ok(Entered {
                status: 204,
                stored: None,
                modified: None,
                outcome: None,
                resource: None,
            });
        }
        Action::Read { url, head } => return read(tx, asked, here, &url, head, patients),
    };
    entered(tx, asked, here, done, patients)
}

fn valid(resource: &Resource) -> Result<(), Outcome> {
    let issues = structure::validate(resource);
    if issues.is_empty() { Ok(()) } else { Err(Outcome { issues }) }
}

/// What an entry made, as it is now.
fn entered(
    tx: &Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    done: Done,
    patients: &mut Vec<PatientId>,
) -> Result<Entered, Refused> {
    let Done { type_, id, outcome } = done;
    let status = if outcome == Some(true) { 201 } else { 200 };
    match records::one(tx, &asked.stamp, here, (type_, &id), None)? {
        Sought::Gone => Err(Error::NotFound(Noun::Chart).into()),
        Sought::Found(found) => {
            patients.extend(found.patient);
            Ok(Entered {
                status,
                stored: Some(Stored { type_, id, version: found.version.to_string() }),
                modified: Some(found.updated),
                outcome: None,
                resource: (asked.returns() == Returns::Resource).then_some(found.resource),
            })
        }
    }
}

/// The version that `If-Match` names.
fn version(text: &str) -> Result<i64, Outcome> {
    let quoted = text.trim().strip_prefix("W/").unwrap_or(text.trim());
    let number = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    number.and_then(|number| number.parse().ok()).ok_or_else(|| {
        Outcome::error(IssueCode::Value, "ifMatch holds the ETag of one version, such as W/\"3\"")
    })
}

/// The resource that a target names.
fn one(
    tx: &Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    target: Target,
) -> Result<(&'static str, String), Refused> {
    match target {
        Target::One { type_, id } => Ok((type_, id)),
        Target::Found { type_, query } => {
            let found = search::few(tx, &asked.stamp, here, type_, &query)?;
            match found.as_slice() {
                [] => Err(Error::NotFound(Noun::Chart).into()),
                [one] => Ok((type_, one.clone())),
                [_, _, ..] => Err(several().into()),
            }
        }
    }
}

/// Reads or searches.
fn read(
    tx: &Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    url: &str,
    head: bool,
    patients: &mut Vec<PatientId>,
) -> Result<Entered, Refused> {
    let unknown =
        || Outcome::error(IssueCode::NotSupported, "an entry reads Type/id or searches Type?...");
    let url = url.trim_start_matches('/');
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let parts: Vec<&str> = path.split('/').collect();
    let type_ = parts.first().and_then(|name| structure::type_name(name)).ok_or_else(unknown)?;
    let version = match parts.as_slice() {
        [_] => {
            let parsed = fhir::search::parse(type_, &pairs(query)?, asked.is_strict(), here)?;
            let found =
                search::answer(tx, &asked.stamp, here, &parsed, &format!("{}/{url}", asked.base))?;
            patients.extend(found.patients);
            let resource = (!head).then_some(found.bundle);
            return Ok(Entered {
                status: 200,
                stored: None,
                modified: None,
                outcome: None,
                resource,
            });
        }
        [_, _] => None,
        [_, _, "_history", version] => Some(version.parse().map_err(|_| unknown())?),
        _ => return Err(unknown().into()),
    };
    let id = parts.get(1).copied().unwrap_or_default();
    let Sought::Found(found) = records::one(tx, &asked.stamp, here, (type_, id), version)? else {
        return Err(Error::NotFound(Noun::Chart).into());
    };
    patients.extend(found.patient);
    Ok(Entered {
        status: 200,
        stored: Some(Stored { type_, id: id.to_owned(), version: found.version.to_string() }),
        modified: Some(found.updated),
        outcome: None,
        resource: (!head).then_some(found.resource),
    })
}

/// Finds what conditional references mean; a reference that finds none or several is refused when it
/// is rewritten.
fn find_conditionals(
    tx: &Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    resource: &Resource,
    links: &mut Links,
) -> Result<(), Refused> {
    for wanted in conditional_references(resource, here) {
        let found = search::few(tx, &asked.stamp, here, wanted.type_, &wanted.query)?;
        if let [one] = found.as_slice() {
            links.add(&wanted.reference, wanted.type_, one);
        }
    }
    Ok(())
}

/// Puts what conditional references find in their place.
pub fn resolve(
    tx: &Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    resource: &mut Resource,
) -> Result<(), Refused> {
    let mut links = Links::default();
    find_conditionals(tx, asked, here, resource, &mut links)?;
    links.rewrite(resource, None, here)?;
    Ok(())
}

/// Says at which entry a transaction failed.
fn placed(refused: Refused, at: usize) -> Refused {
    match refused {
        Refused::Rule(error) => Refused::Rule(error),
        Refused::Resource(mut outcome) => {
            for issue in &mut outcome.issues {
                let inner = issue.expression.take();
                let place = format!("Bundle.entry[{at}].resource");
                issue.expression = Some(match inner {
                    None => place,
                    Some(inner) if inner.starts_with("Bundle.") => inner,
                    Some(inner) => match inner.split_once('.') {
                        Some((_, rest)) => format!("{place}.{rest}"),
                        None => place,
                    },
                });
            }
            Refused::Resource(outcome)
        }
    }
}

/// The entries of a batch, each in a transaction of its own.
async fn one_by_one(app: &App, asked: &Asked, submission: Submission) -> Answer<Came> {
    let order = in_order(&submission);
    let mut entries: Vec<Option<Result<Entry, Outcome>>> =
        submission.entries.into_iter().map(Some).collect();
    let mut answers: Vec<Option<Entered>> = entries.iter().map(|_| None).collect();
    let mut patients = Vec::new();
    for at in order {
        let Some(entry) = entries.get_mut(at).and_then(Option::take) else { continue };
        let done = match entry {
            Err(outcome) => Err(Fault::from(outcome)),
            Ok(entry) => {
                transact(app, asked, |tx, asked, here| {
                    let (mut links, mut shown) = (Links::default(), Vec::new());
                    let entered = enter(tx, asked, here, entry, &mut links, &mut shown)?;
                    Ok((entered, shown))
                })
                .await
            }
        };
        let entered = match done {
            Ok((entered, shown)) => {
                patients.extend(shown);
                entered
            }
            Err(fault) => Entered {
                status: fault.status().as_u16(),
                stored: None,
                modified: None,
                outcome: Some(fault.outcome().clone()),
                resource: None,
            },
        };
        if let Some(place) = answers.get_mut(at) {
            *place = Some(entered);
        }
    }
    patients.sort_unstable();
    patients.dedup();
    Ok((answers.into_iter().flatten().collect(), patients))
}
