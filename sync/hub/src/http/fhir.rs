//! FHIR R4 (4.0.1) of each clinic under `/fhir/{clinic}`, for programs with a token of that clinic
//! (<https://hl7.org/fhir/R4/http.html>). Records are read and searched here; they are written on the box.
//!
//! Invariant: whatever is wrong is told as an OperationOutcome, in `fault.rs` only.
//! Invariant: nothing is answered without a good token of the clinic in the address ([`Asked`]), and
//! nothing of a clinic is opened but through its own [`Records`].

mod asked;
mod fault;
mod operation;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderValue, LAST_MODIFIED};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use fhir::capability::{self, About};
use fhir::scope::Permission;
use fhir::search::{CURSOR, Query, pairs};
use fhir::summary::{Summary, summarised, with_elements};
use fhir::{Here, IssueCode, Resource, structure};
use jiff::Timestamp;
use serde_json::Value;

use self::asked::Asked;
use self::fault::{Answer, Fault};
use crate::hub::Hub;
use crate::records::Records;
use crate::search::{self, Place};

/// Where all of it lies.
pub const PATH: &str = "/fhir";
/// FHIR's media type for JSON.
const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";
/// When what the door can do last changed.
const CAPABLE_SINCE: &str = "2026-11-21T00:00:00Z";
/// The longest form of a search by POST, in bytes.
const FORM_MAX: usize = 64 * 1024;
/// How a program is let in, in words.
const SECURITY: &str = "A bearer token of the clinic, which whoever runs the hub makes, narrowed to scopes of SMART 2.2";

/// The routes under `/fhir`.
pub fn routes() -> Router<Arc<Hub>> {
    let inside = Router::new()
        .route("/", any(nothing))
        .route("/metadata", get(metadata))
        .route("/{type}", get(search_type))
        .route("/{type}/_search", post(search_posted))
        .route("/{type}/{id}", get(read).post(operation::of_type))
        .route("/{type}/{id}/{name}", get(nothing).post(operation::of_one))
        .method_not_allowed_fallback(wrong_method)
        .fallback(nothing);
    Router::new().nest("/fhir/{clinic}", inside)
}

/// There is nothing at this address.
pub async fn nothing() -> Fault {
    let what = "there is nothing at this address; see /fhir/{clinic}/metadata";
    Fault::new(StatusCode::NOT_FOUND, IssueCode::NotFound, what)
}

async fn wrong_method() -> Fault {
    let what = "this address does not take this method; records are written on the clinic's box";
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, IssueCode::NotSupported, what)
}

/// The segments of an address behind the clinic's, decoded.
struct Segments(Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let read: Result<Path<Vec<(String, String)>>, PathRejection> =
            Path::from_request_parts(parts, state).await;
        let Path(named) = read.map_err(|_| {
            let what = "the address holds bytes that are no UTF-8; see /fhir/{clinic}/metadata";
            Fault::new(StatusCode::BAD_REQUEST, IssueCode::Invalid, what)
        })?;
        let behind = named.into_iter().filter(|(name, _)| name != "clinic");
        Ok(Self(behind.map(|(_, value)| value).collect()))
    }
}

impl Segments {
    /// The type of resource that the address names, if it is here.
    fn type_(&self) -> Answer<&'static str> {
        let name = self.0.first().map(String::as_str).unwrap_or_default();
        let known = structure::type_name(name).filter(|it| capability::is_copied(it));
        known.ok_or_else(|| {
            let what = "there are no resources of this type here; see /fhir/{clinic}/metadata";
            Fault::new(StatusCode::NOT_FOUND, IssueCode::NotSupported, what)
        })
    }

    /// The id that it names, or the operation on the type.
    fn id(&self) -> &str {
        self.0.get(1).map(String::as_str).unwrap_or_default()
    }

    /// The operation on one resource.
    fn name(&self) -> &str {
        self.0.get(2).map(String::as_str).unwrap_or_default()
    }
}

/// Does something with the records of the clinic, beside the threads that answer others, when it is its
/// turn.
async fn with_records<T: Send + 'static>(
    hub: &Arc<Hub>,
    asked: &Asked,
    work: impl FnOnce(Place<'_>) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let busy = || Fault::later(StatusCode::SERVICE_UNAVAILABLE, 5);
    let waiting = hub.turns.waiting.try_acquire().map_err(|_| busy())?;
    let turn = hub.turns.worked.acquire().await.map_err(|_| busy())?;
    let (at_work, asked) = (Arc::clone(hub), asked.clone());
    let done = tokio::task::spawn_blocking(move || {
        let records = Records::open(&at_work, asked.clinic)?.ok_or_else(Fault::unknown)?;
        let clinic = records.clinic()?;
        let here = Here { clinic: &clinic, origin: &asked.base };
        work(Place { records: &records, scopes: &asked.scopes, here })
    });
    let done = done.await;
    drop((turn, waiting));
    done.map_err(|error| Fault::failed(&error))?
}

/// What can be done here.
async fn metadata(State(hub): State<Arc<Hub>>, asked: Asked) -> Answer<Response> {
    with_records(&hub, &asked, |place| {
        let about = About {
            version: env!("CARGO_PKG_VERSION"),
            at: CAPABLE_SINCE.parse().unwrap_or(Timestamp::UNIX_EPOCH),
            instantiates: &[],
            others: &[],
        };
        let statement = capability::of_copy(about, place.here, (&operation::OFFERED, SECURITY));
        Ok(plain(&statement))
    })
    .await
}

async fn read(State(hub): State<Arc<Hub>>, asked: Asked, segments: Segments) -> Answer<Response> {
    let type_ = segments.type_()?;
    if let Some(name) = segments.id().strip_prefix('$') {
        return operation::got(&hub, &asked, type_, name).await;
    }
    asked.scopes.within(type_, Permission::Read)?;
    let inside = asked.clone();
    with_records(&hub, &asked, move |place| {
        let found = place.records.one(type_, segments.id())?;
        // While the index is made, what is not found may be there all the same.
        if found.is_none() && !place.records.is_indexed()? {
            return Err(search::Unanswered::Indexing.into());
        }
        shown(found.ok_or_else(Fault::not_found)?, &inside, place.here)
    })
    .await
}

/// A resource with its version and when that was made, or that the caller has it already.
fn shown(resource: Resource, asked: &Asked, here: Here<'_>) -> Answer<Response> {
    let meta = |name| resource.get("meta").and_then(|it| it.get(name)).and_then(Value::as_str);
    let version = meta("versionId").map(str::to_owned);
    let updated: Option<Timestamp> = meta("lastUpdated").and_then(|it| it.parse().ok());
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON));
    let etag = version.as_ref().map(|it| format!("W/\"{it}\""));
    let date = updated.map(|it| it.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    for (name, text) in [(ETAG, etag), (LAST_MODIFIED, date)] {
        // Versions and dates are plain ASCII.
        if let Some(value) = text.and_then(|it| HeaderValue::from_str(&it).ok()) {
            headers.insert(name, value);
        }
    }
    let part = part(resource, asked, here)?;
    if asked.knows(version.as_deref(), updated) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((StatusCode::OK, headers, part.to_vec()).into_response())
}

/// The part that is asked for after the `?` (`_summary`, `_elements`). Whatever else is said there has no
/// meaning for one resource.
fn part(resource: Resource, asked: &Asked, here: Here<'_>) -> Answer<Resource> {
    let mut pairs = pairs(&asked.query)?;
    pairs.retain(|(name, _)| ["_summary", "_elements"].contains(&name.as_str()));
    if pairs.is_empty() {
        return Ok(resource);
    }
    let query = fhir::search::parse(resource.resource_type(), &pairs, asked.is_strict(), here)?;
    if query.summary == Summary::Count {
        let what = "_summary=count is for searches: this is one resource";
        return Err(Fault::new(StatusCode::BAD_REQUEST, IssueCode::Value, what));
    }
    Ok(with_elements(summarised(resource, query.summary), &query.elements))
}

async fn search_type(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    segments: Segments,
) -> Answer<Response> {
    let query = asked.query.clone();
    searched(&hub, &asked, segments.type_()?, query).await
}

async fn search_posted(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    segments: Segments,
    request: Request,
) -> Answer<Response> {
    let type_ = segments.type_()?;
    let said = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = said.and_then(|text| text.split(';').next()).map(str::trim);
    if kind != Some("application/x-www-form-urlencoded") {
        let what = "a search by POST is a form: application/x-www-form-urlencoded";
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, what));
    }
    let form = form(request.into_body()).await?;
    let query = [asked.query.as_str(), form.as_str()].join("&");
    searched(&hub, &asked, type_, query.trim_matches('&').to_owned()).await
}

async fn form(body: Body) -> Answer<String> {
    let bytes = to_bytes(body, FORM_MAX).await.map_err(|_| {
        let what = format!("the form is longer than {FORM_MAX} bytes, or was cut off");
        Fault::new(StatusCode::PAYLOAD_TOO_LARGE, IssueCode::TooLong, what)
    })?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| Fault::new(StatusCode::BAD_REQUEST, IssueCode::Value, "the form is not UTF-8"))
}

async fn searched(
    hub: &Arc<Hub>,
    asked: &Asked,
    type_: &'static str,
    query: String,
) -> Answer<Response> {
    let inside = asked.clone();
    with_records(hub, asked, move |place| {
        let parsed = fhir::search::parse(type_, &pairs(&query)?, inside.is_strict(), place.here)?;
        let link = link(&inside.base, type_, &query, &parsed);
        Ok(plain(&search::answer(place, &parsed, &link)?))
    })
    .await
}

/// The address of a search with what was looked at, but not where its page begins.
fn link(base: &str, type_: &str, query: &str, parsed: &Query) -> String {
    let is_kept = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && name != CURSOR && !parsed.ignored.iter().any(|it| it == name)
    };
    let kept: Vec<&str> = query.split('&').filter(is_kept).collect();
    match kept.as_slice() {
        [] => format!("{base}/{type_}"),
        _ => format!("{base}/{type_}?{}", kept.join("&")),
    }
}

/// A resource of the hub's own making as an answer: a bundle, a statement.
fn plain(resource: &Resource) -> Response {
    let kind = HeaderValue::from_static(FHIR_JSON);
    (StatusCode::OK, [(CONTENT_TYPE, kind)], resource.to_vec()).into_response()
}
