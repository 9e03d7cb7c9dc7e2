//! FHIR R4 (4.0.1) under `/fhir`, for other systems (<https://hl7.org/fhir/R4/http.html>).
//!
//! Invariant: nothing is written here but by the verbs of `prm`; what FHIR says and the records have no
//! place for is kept beside them.
//! Invariant: whatever is wrong is told as an OperationOutcome, in `fault.rs` only.

mod audit_events;
mod bundle;
pub mod export;
pub(crate) mod fault;
mod gate;
mod history;
pub(crate) mod interaction;
pub(crate) mod operation;
mod part;
mod path;
mod provenances;
pub mod publish;
mod reader;
mod record;
pub(crate) mod records;
pub(crate) mod search;
mod slots;
pub(crate) mod stamp;
pub mod told;
pub(crate) mod wire;
pub(crate) mod write;

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use fhir::capability::{self, About, Interaction};
use fhir::search::{Query, pairs};
use fhir::{Here, IssueCode, Resource, audit_event, patch, smart, structure};
use jiff::Timestamp;
use prm::error::Error;
use prm::id::Noun;
use tower_http::catch_panic::CatchPanicLayer;

use self::fault::{Answer, Fault};
use self::interaction::{Done, Only, What, Work};
use self::path::Path;
use self::records::{Found, Sought, Whose};
use self::search::Shown;
use self::wire::{Asked, Given, Returns, body, plain};
use self::write::Refused;
use super::read_audit;
use crate::app::App;

/// FHIR's media type for JSON.
const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";
/// When what the door can do last changed.
const CAPABLE_SINCE: &str = "2026-11-21T00:00:00Z";

/// The routes under `/fhir`.
pub fn routes() -> Router<App> {
    let inside = Router::new()
        .route("/metadata", get(metadata))
        .route("/.well-known/smart-configuration", get(smart_configuration))
        .merge(export::routes())
        .merge(publish::routes())
        .route("/{type}", get(search_type).post(create).put(update_found).delete(delete_found))
        .route("/{type}/_search", post(search_posted))
        .route("/{type}/_history", get(history::of_type))
        .route(
            "/{type}/{id}",
            get(read).post(operation::of_type).put(update).patch(patch_one).delete(delete),
        )
        .route("/{type}/{id}/{name}", get(operation::got_of_one).post(operation::of_one))
        .route("/{type}/{id}/_history", get(history::of_one))
        .route("/{type}/{id}/_history/{version}", get(vread))
        .method_not_allowed_fallback(wrong_method)
        .fallback(nothing);
    Router::new()
        .route("/fhir", post(bundle::submit))
        .route("/fhir/", post(bundle::submit))
        .method_not_allowed_fallback(wrong_method)
        .nest("/fhir", inside)
        .layer(CatchPanicLayer::custom(fault::after_panic))
}

/// There is nothing at this address.
async fn nothing() -> Fault {
    let what = "there is nothing at this address; see /fhir/metadata";
    Fault::new(StatusCode::NOT_FOUND, IssueCode::NotFound, what)
}

async fn wrong_method() -> Fault {
    let what = "this address does not take this method; see /fhir/metadata";
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, IssueCode::NotSupported, what)
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
        instantiates: &[export::BULK_DATA],
        others: &export::OPERATIONS,
    };
    let statement = capability::statement(about, here(&app, &asked));
    Ok(plain(StatusCode::OK, &statement.into()))
}

/// How a program gets a token.
async fn smart_configuration(State(app): State<App>, parts: Parts) -> Json<serde_json::Value> {
    Json(smart::configuration(&wire::address(&app, &parts)))
}

async fn read(
    State(app): State<App>,
    asked: Asked,
    Path((name, id)): Path<(String, String)>,
) -> Answer<Response> {
    if let Some(operation) = id.strip_prefix('$') {
        return operation::got(&app, &asked, (&name, None), operation).await;
    }
    let type_ = served(&name, Interaction::Read)?;
    let found = load(&app, &asked, (type_, id), None).await?;
    let found = part::of(found, &asked.query, asked.is_strict(), here(&app, &asked))?;
    if asked.unless().is_known(&found) {
        return Ok(shown(found, StatusCode::NOT_MODIFIED, None, Returns::Minimal).into_response());
    }
    Ok(shown(found, StatusCode::OK, None, Returns::Resource).into_response())
}

async fn vread(
    State(app): State<App>,
    asked: Asked,
    Path((name, id, version)): Path<(String, String, String)>,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Vread)?;
    let version: i64 = version.parse().map_err(|_| Fault::not_found())?;
    let found = load(&app, &asked, (type_, id), Some(version)).await?;
    let found = part::of(found, &asked.query, asked.is_strict(), here(&app, &asked))?;
    Ok(shown(found, StatusCode::OK, None, Returns::Resource).into_response())
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
    was_read(app, asked, &found).await?;
    Ok(*found)
}

/// Writes to the audit that a resource was read.
async fn was_read(app: &App, asked: &Asked, found: &Found) -> Answer<()> {
    for Whose { noun, id, patient } in &found.whose {
        read_audit::read(app, *asked.stamp, *noun, id.as_bytes(), *patient).await?;
    }
    if found.resource.resource_type() == audit_event::TYPE {
        read_audit::listed(app, *asked.stamp, Noun::Audit).await?;
    }
    Ok(())
}

/// Writes to the audit whose records were shown in a list.
async fn note(app: &App, asked: &Asked, noun: Noun, shown: Shown) -> Answer<()> {
    if shown.audit {
        read_audit::listed(app, *asked.stamp, Noun::Audit).await?;
    }
    Ok(read_audit::shown(app, *asked.stamp, noun, shown.patients).await?)
}

fn shown(
    found: Found,
    status: StatusCode,
    location: Option<String>,
    returns: Returns,
) -> wire::Shown {
    let Found { resource, at, whose: _ } = found;
    wire::Shown { status, resource, at, location, returns }
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
    let link = link(asked, type_, query, &parsed);
    answered(app, asked, parsed, link).await
}

/// Answers a search whose own address is `link`.
async fn answered(app: &App, asked: &Asked, parsed: Query, link: String) -> Answer<Response> {
    let (stamp, base, clinic, type_) =
        (asked.stamp, asked.base.clone(), app.clinic.clone(), parsed.type_);
    let answered = app
        .db
        .read(move |read| {
            let here = Here { clinic: &clinic, origin: &base };
            Ok(search::answer(read, &stamp, here, &parsed, &link))
        })
        .await??;
    let noun = records::noun_of(type_).unwrap_or(Noun::Chart);
    note(app, asked, noun, answered.shown).await?;
    Ok(plain(StatusCode::OK, &answered.bundle.into()))
}

/// The address of a search under a path with what was looked at, but not where its page begins.
fn link(asked: &Asked, path: &str, query: &str, parsed: &Query) -> String {
    let is_kept = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty()
            && name != fhir::search::CURSOR
            && !parsed.ignored.iter().any(|ignored| ignored == name)
    };
    let kept: Vec<&str> = query.split('&').filter(is_kept).collect();
    match kept.as_slice() {
        [] => format!("{}/{path}", asked.base),
        _ => format!("{}/{path}?{}", asked.base, kept.join("&")),
    }
}

async fn create(
    State(app): State<App>,
    asked: Asked,
    Path(name): Path<String>,
    Given(resource): Given,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Create)?;
    must_be(&resource, type_)?;
    let unless = asked.unless_there()?;
    written(&app, &asked, move |work| work.create(resource, unless.as_deref(), None)).await
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
    let only = Only { seen: asked.seen()?, new: asked.only_new() };
    written(&app, &asked, move |work| work.put(resource, &id, only)).await
}

async fn update_found(
    State(app): State<App>,
    asked: Asked,
    Path(name): Path<String>,
    Given(resource): Given,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Update)?;
    must_be(&resource, type_)?;
    let only = Only { seen: asked.seen()?, new: asked.only_new() };
    let criteria = asked.query.clone();
    written(&app, &asked, move |work| work.put_found(resource, &criteria, only)).await
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
    written(&app, &asked, move |work| work.patch((type_, &id), &patch, seen)).await
}

async fn delete(
    State(app): State<App>,
    asked: Asked,
    Path((name, id)): Path<(String, String)>,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Delete)?;
    let seen = asked.seen()?;
    transact(&app, &asked, move |work| work.delete((type_, &id), seen)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn delete_found(
    State(app): State<App>,
    asked: Asked,
    Path(name): Path<String>,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::Delete)?;
    let (seen, criteria) = (asked.seen()?, asked.query.clone());
    transact(&app, &asked, move |work| work.delete_found(type_, &criteria, seen)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Runs something that writes one resource in one transaction, and answers with the resource.
async fn written<F>(app: &App, asked: &Asked, verb: F) -> Answer<Response>
where
    F: FnOnce(&mut Work<'_, '_>) -> Result<Done, Refused> + Send + 'static,
{
    let Done { found, what } = transact(app, asked, verb).await?;
    let status = if what == What::Made { StatusCode::CREATED } else { StatusCode::OK };
    if what == What::There {
        // Who writes a resource has a line of the audit for that; who finds one there, reads it.
        was_read(app, asked, &found).await?;
    }
    let (type_, id) = (found.resource.resource_type(), found.resource.id().unwrap_or_default());
    let version = found.at.map(|(version, _)| format!("/_history/{version}")).unwrap_or_default();
    let location = format!("{}/{type_}/{id}{version}", asked.base);
    let returns = if asked.stamp.sees(type_) { asked.returns() } else { Returns::Minimal };
    Ok(shown(found, status, Some(location), returns).into_response())
}

/// Runs something in one transaction, which is undone if anything is refused. A slot that cannot be
/// had is refused with the nearest free ones.
async fn transact<T, F>(app: &App, asked: &Asked, verb: F) -> Answer<T>
where
    T: Send + 'static,
    F: FnOnce(&mut Work<'_, '_>) -> Result<T, Refused> + Send + 'static,
{
    let (inside, clinic) = (asked.clone(), app.clinic.clone());
    // What FHIR says is wrong is no error of the records: it takes a way of its own.
    let said: Arc<Mutex<Option<Refused>>> = Arc::default();
    let say = Arc::clone(&said);
    let done = app
        .db
        .write(move |tx| {
            let here = Here { clinic: &clinic, origin: &inside.base };
            verb(&mut Work::new(tx, &inside, here)).map_err(|refused| {
                *say.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
                Error::invalid("resource", "this cannot be written")
            })
        })
        .await;
    let said = said.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (done, said) {
        (Ok(done), _) => Ok(done),
        (Err(_), Some(refused)) => Err(Fault::from(refused).with_alternatives(app, asked).await),
        (Err(error), None) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
