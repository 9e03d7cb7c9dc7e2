//! FHIR R4 (4.0.1) under `/fhir`, for other systems (<https://hl7.org/fhir/R4/http.html>).
//!
//! Invariant: nothing is written here but by the verbs of `prm`; what FHIR says and the records have no
//! place for is kept beside them.
//! Invariant: whatever is wrong is told as an OperationOutcome, in `fault.rs` only.

mod bundle;
mod fault;
mod history;
mod records;
mod search;
mod wire;
mod write;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use fhir::capability::{self, About, Interaction};
use fhir::search::pairs;
use fhir::{Here, IssueCode, Outcome, Resource, patch, structure};
use jiff::Timestamp;
use prm::db::Tx;
use prm::error::Error;
use prm::id::Noun;

use self::fault::{Answer, Fault};
use self::records::{Found, Sought};
use self::wire::{Asked, Given, IF_NONE_EXIST, Shown, body, plain};
use self::write::{Refused, Wanted, Written};
use super::read_audit;
use crate::app::App;

/// FHIR's media type for JSON.
const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";
/// When what the door can do last changed.
const CAPABLE_SINCE: &str = "2026-11-21T00:00:00Z";

/// The routes under `/fhir`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/fhir", post(bundle::submit))
        .route("/fhir/", post(bundle::submit))
        .route("/fhir/metadata", get(metadata))
        .route("/fhir/{type}", get(search_type).post(create).put(update_found).delete(delete_found))
        .route("/fhir/{type}/_search", post(search_posted))
        .route("/fhir/{type}/{id}", get(read).put(update).patch(patch_one).delete(delete))
        .route("/fhir/{type}/{id}/_history", get(history::of_one))
        .route("/fhir/{type}/{id}/_history/{version}", get(vread))
        .layer(DefaultBodyLimit::max(super::BODY_BYTES_MAX))
}

/// The clinic, and the address as the caller wrote it.
fn here<'a>(app: &'a App, asked: &'a Asked) -> Here<'a> {
    Here { clinic: &app.clinic, origin: &asked.base }
}

/// The type of a URL, if it can do this.
fn served(name: &str, interaction: Interaction) -> Answer<&'static str> {
    let Some(name) = structure::type_name(name) else {
        let what = "FHIR R4 has no resource of this name";
        return Err(Fault::new(StatusCode::NOT_FOUND, IssueCode::NotSupported, what));
    };
    if capability::interactions(name).contains(&interaction) {
        return Ok(name);
    }
    let what =
        format!("{name} cannot be asked for {} here; see /fhir/metadata", interaction.as_str());
    Err(Fault::new(StatusCode::METHOD_NOT_ALLOWED, IssueCode::NotSupported, what))
}

/// What the box can do.
async fn metadata(State(app): State<App>, asked: Asked) -> Answer<Response> {
    let about = About {
        version: env!("CARGO_PKG_VERSION"),
        at: CAPABLE_SINCE.parse().unwrap_or(Timestamp::UNIX_EPOCH),
        operations: &[],
    };
    let statement = capability::statement(about, here(&app, &asked));
    Ok(plain(StatusCode::OK, &statement.into()))
}

async fn read(
    State(app): State<App>,
    asked: Asked,
    Path((name, id)): Path<(String, String)>,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Read)?;
    let found = load(&app, &asked, (type_, id), None).await?;
    Ok(shown(found, StatusCode::OK, None, wire::Returns::Resource).into_response())
}

async fn vread(
    State(app): State<App>,
    asked: Asked,
    Path((name, id, version)): Path<(String, String, String)>,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Vread)?;
    let version: i64 = version.parse().map_err(|_| Fault::not_found())?;
    let found = load(&app, &asked, (type_, id), Some(version)).await?;
    Ok(shown(found, StatusCode::OK, None, wire::Returns::Resource).into_response())
}

/// A resource, and the line of the audit that it was read.
async fn load(
    app: &App,
    asked: &Asked,
    (type_, id): (&'static str, String),
    version: Option<i64>,
) -> Answer<Found> {
    let (stamp, base, clinic) = (asked.stamp, asked.base.clone(), app.clinic.clone());
    let sought = app
        .db
        .read(move |read| {
            let here = Here { clinic: &clinic, origin: &base };
            records::one(read, &stamp, here, (type_, &id), version)
        })
        .await?;
    let Sought::Found(found) = sought else { return Err(Fault::gone()) };
    if let Some(patient) = found.patient {
        read_audit::read(app, stamp, found.noun, found.id.as_bytes(), patient).await?;
    }
    Ok(*found)
}

fn shown(
    found: Found,
    status: StatusCode,
    location: Option<String>,
    returns: wire::Returns,
) -> Shown {
    let Found { resource, version, updated, noun: _, id: _, patient: _ } = found;
    Shown { status, resource, version, updated, location, returns }
}

async fn search_type(
    State(app): State<App>,
    asked: Asked,
    Path(name): Path<String>,
) -> Answer<Response> {
    let query = asked.query.clone();
    searched(&app, &asked, &name, &query).await
}

async fn search_posted(
    State(app): State<App>,
    asked: Asked,
    Path(name): Path<String>,
    request: Request,
) -> Answer<Response> {
    let form = wire::form(request).await?;
    let query = [asked.query.as_str(), form.as_str()].join("&");
    searched(&app, &asked, &name, query.trim_matches('&')).await
}

async fn searched(app: &App, asked: &Asked, name: &str, query: &str) -> Answer<Response> {
    let type_ = served(name, Interaction::SearchType)?;
    let parsed = fhir::search::parse(type_, &pairs(query)?, asked.is_strict(), here(app, asked))?;
    // The link of a page repeats the search but for where it begins.
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with(fhir::search::CURSOR))
        .collect();
    let link = match kept.as_slice() {
        [] => format!("{}/{type_}", asked.base),
        _ => format!("{}/{type_}?{}", asked.base, kept.join("&")),
    };
    let (stamp, base, clinic) = (asked.stamp, asked.base.clone(), app.clinic.clone());
    let answered = app
        .db
        .read(move |read| {
            let here = Here { clinic: &clinic, origin: &base };
            Ok(search::answer(read, &stamp, here, &parsed, &link))
        })
        .await??;
    let noun = records::noun_of(type_).unwrap_or(Noun::Chart);
    read_audit::shown(app, stamp, noun, answered.patients).await?;
    Ok(plain(StatusCode::OK, &answered.bundle.into()))
}

async fn create(
    State(app): State<App>,
    asked: Asked,
    Path(name): Path<String>,
    Given(resource): Given,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Create)?;
    must_be(&resource, type_)?;
    let unless = match asked.headers.get(IF_NONE_EXIST) {
        None => None,
        Some(value) => {
            Some(value.to_str().map_err(|_| not_text(IF_NONE_EXIST.as_str()))?.to_owned())
        }
    };
    written(&app, &asked, move |tx, asked, here| {
        create_unless(tx, asked, here, resource, unless.as_deref())
    })
    .await
}

/// Creates a resource, unless a search finds one already.
fn create_unless(
    tx: &mut Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    mut resource: Resource,
    unless: Option<&str>,
) -> Result<Done, Refused> {
    if let Some(criteria) = unless {
        let criteria = criteria.trim_start_matches('?');
        let found = search::few(tx, &asked.stamp, here, resource.resource_type(), criteria)?;
        match found.as_slice() {
            [] => {}
            [one] => {
                let type_ = resource.resource_type();
                return Ok(Done { type_, id: one.clone(), outcome: Some(false) });
            }
            [_, _, ..] => return Err(several().into()),
        }
    }
    bundle::resolve(tx, asked, here, &mut resource)?;
    refuse_lost(tx, asked, here, &resource)?;
    let wanted = Wanted { resource: &resource, id: None, seen: None };
    let Written { id, created: _ } = write::write(tx, &asked.stamp, here, &wanted)?;
    Ok(Done { type_: resource.resource_type(), id, outcome: Some(true) })
}

fn several() -> Outcome {
    let what = "more than one resource is found by this; ask for one";
    Outcome::error(IssueCode::MultipleMatches, what)
}

fn not_text(header: &str) -> Fault {
    let what = format!("{header} is plain ASCII");
    Fault::new(StatusCode::BAD_REQUEST, IssueCode::Value, what)
}

fn must_be(resource: &Resource, type_: &str) -> Answer<()> {
    if resource.resource_type() == type_ {
        return Ok(());
    }
    let what = "the resource is of another type than the address says";
    Err(Fault::new(StatusCode::BAD_REQUEST, IssueCode::Invalid, what))
}

async fn update(
    State(app): State<App>,
    asked: Asked,
    Path((name, id)): Path<(String, String)>,
    Given(resource): Given,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Update)?;
    must_be(&resource, type_)?;
    if resource.id() != Some(id.as_str()) {
        let what = "the id in the resource is that of the address";
        return Err(Fault::new(StatusCode::BAD_REQUEST, IssueCode::Invalid, what));
    }
    let seen = asked.seen()?;
    written(&app, &asked, move |tx, asked, here| put(tx, asked, here, resource, Some(&id), seen))
        .await
}

/// Writes a resource under an id, or as a new one.
fn put(
    tx: &mut Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    mut resource: Resource,
    id: Option<&str>,
    seen: Option<i64>,
) -> Result<Done, Refused> {
    bundle::resolve(tx, asked, here, &mut resource)?;
    refuse_lost(tx, asked, here, &resource)?;
    let wanted = Wanted { resource: &resource, id, seen };
    let Written { id, created } = write::write(tx, &asked.stamp, here, &wanted)?;
    Ok(Done { type_: resource.resource_type(), id, outcome: created.then_some(true) })
}

async fn update_found(
    State(app): State<App>,
    asked: Asked,
    Path(name): Path<String>,
    Given(resource): Given,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Update)?;
    must_be(&resource, type_)?;
    let seen = asked.seen()?;
    let criteria = asked.query.clone();
    written(&app, &asked, move |tx, asked, here| {
        put_found(tx, asked, here, resource, &criteria, seen)
    })
    .await
}

/// Writes a resource over the one that a search finds, or as a new one.
fn put_found(
    tx: &mut Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    resource: Resource,
    criteria: &str,
    seen: Option<i64>,
) -> Result<Done, Refused> {
    let found = search::few(tx, &asked.stamp, here, resource.resource_type(), criteria)?;
    let said = resource.id().map(str::to_owned);
    match found.as_slice() {
        [] => {
            let id = said.filter(|_| capability::update_creates(resource.resource_type()));
            put(tx, asked, here, resource, id.as_deref(), seen)
        }
        [one] if said.as_ref().is_some_and(|id| id != one) => {
            let what = "the resource that is found has another id";
            Err(Outcome::error(IssueCode::Invalid, what).into())
        }
        [one] => put(tx, asked, here, resource, Some(one), seen),
        [_, _, ..] => Err(several().into()),
    }
}

async fn patch_one(
    State(app): State<App>,
    asked: Asked,
    Path((name, id)): Path<(String, String)>,
    request: Request,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Patch)?;
    let seen = asked.seen()?;
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_json_patch = kind.is_some_and(|kind| kind.starts_with("application/json-patch+json"));
    let bytes = body(request).await?;
    let patch =
        if is_json_patch { patch::json(&bytes)? } else { patch::resource(&wire::valid(&bytes)?)? };
    written(&app, &asked, move |tx, asked, here| {
        patched(tx, asked, here, (type_, &id), &patch, seen)
    })
    .await
}

/// Changes a part of a resource.
fn patched(
    tx: &mut Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    (type_, id): (&'static str, &str),
    patch: &patch::Patch,
    seen: Option<i64>,
) -> Result<Done, Refused> {
    let Sought::Found(found) = records::one(tx, &asked.stamp, here, (type_, id), None)? else {
        return Err(Error::NotFound(Noun::Chart).into());
    };
    let patched = patch.apply(&found.resource)?;
    let issues = structure::validate(&patched);
    if !issues.is_empty() {
        return Err(Outcome { issues }.into());
    }
    // What somebody wrote in between is not patched over.
    put(tx, asked, here, patched, Some(id), seen.or(Some(found.version)))
}

async fn delete(
    State(app): State<App>,
    asked: Asked,
    Path((name, id)): Path<(String, String)>,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Delete)?;
    let (stamp, seen) = (asked.stamp, asked.seen()?);
    app.db.write(move |tx| prm::chart::delete(tx, &stamp, type_, &id, seen).map(drop)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn delete_found(
    State(app): State<App>,
    asked: Asked,
    Path(name): Path<String>,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Delete)?;
    transact(&app, &asked, move |tx, asked, here| {
        let found = search::few(tx, &asked.stamp, here, type_, &asked.query)?;
        match found.as_slice() {
            [] => Ok(()),
            [one] => Ok(prm::chart::delete(tx, &asked.stamp, type_, one, None).map(drop)?),
            [_, _, ..] => Err(several().into()),
        }
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What was done with a resource.
struct Done {
    type_: &'static str,
    id: String,
    /// Whether it was made; none if it was changed.
    outcome: Option<bool>,
}

/// Runs something that writes one resource in one transaction, and answers with the resource.
async fn written<F>(app: &App, asked: &Asked, verb: F) -> Answer<Response>
where
    F: FnOnce(&mut Tx<'_>, &Asked, Here<'_>) -> Result<Done, Refused> + Send + 'static,
{
    let Done { type_, id, outcome } = transact(app, asked, verb).await?;
    let location = format!("{}/{type_}/{id}", asked.base);
    let found = load(app, asked, (type_, id), None).await?;
    let status = if outcome == Some(true) { StatusCode::CREATED } else { StatusCode::OK };
    let location = format!("{location}/_history/{}", found.version);
    Ok(shown(found, status, Some(location), asked.returns()).into_response())
}

/// Runs something in one transaction, which is undone if anything is refused. A slot that cannot be
/// had is refused with the nearest free ones.
async fn transact<T, F>(app: &App, asked: &Asked, verb: F) -> Answer<T>
where
    T: Send + 'static,
    F: FnOnce(&mut Tx<'_>, &Asked, Here<'_>) -> Result<T, Refused> + Send + 'static,
{
    let (inside, clinic) = (asked.clone(), app.clinic.clone());
    // What FHIR says is wrong is no error of the records: it takes a way of its own.
    let said: Arc<Mutex<Option<Outcome>>> = Arc::default();
    let say = Arc::clone(&said);
    let done = app
        .db
        .write(move |tx| {
            let here = Here { clinic: &clinic, origin: &inside.base };
            verb(tx, &inside, here).map_err(|refused| match refused {
                Refused::Rule(error) => error,
                Refused::Resource(outcome) => {
                    *say.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                    Error::invalid("resource", "the resource does not say what it must")
                }
            })
        })
        .await;
    let said = said.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (done, said) {
        (Ok(done), _) => Ok(done),
        (Err(_), Some(outcome)) => Err(outcome.into()),
        (Err(error), None) => Err(Fault::from(error).with_alternatives(app, asked).await),
    }
}

/// Refuses a resource that refers to one that is not here. What is somewhere else, or only named,
/// stays as it is.
fn refuse_lost(
    tx: &Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    resource: &Resource,
) -> Result<(), Refused> {
    let mut issues = Vec::new();
    for found in fhir::reference::references(resource) {
        let Some(fhir::reference::Target::Local(local)) =
            fhir::reference::parse(found.reference, here.origin)
        else {
            continue;
        };
        if local.resource_type == "Slot" {
            // A slot is computed: booking says whether there is one.
            continue;
        }
        match records::one(tx, &asked.stamp, here, (local.resource_type, local.id), None) {
            Ok(_) => {}
            Err(Error::NotFound(_)) => {
                let what =
                    "there is no such resource here; send it first, or in the same transaction";
                issues.push(fhir::Issue::at(found.path, IssueCode::NotFound, what));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if issues.is_empty() {
        return Ok(());
    }
    // Not 404, which would be about the address.
    issues.insert(
        0,
        fhir::Issue::error(IssueCode::BusinessRule, "the resource refers to what is not here"),
    );
    Err(Outcome { issues }.into())
}

#[cfg(test)]
mod tests;
