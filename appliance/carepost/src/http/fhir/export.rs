//! Bulk Data: taking all records along at once (<https://hl7.org/fhir/uv/bulkdata/export.html>).
//!
//! Whoever asks hears where to look; the files are made meanwhile and fetched one by one with the same
//! token.
//!
//! Invariant: what lies on the disk is encrypted with a key that is in memory only, and gone after
//! [`job::KEPT`], with the process at the latest.
//! Invariant: nobody gets what they could not read one by one.

mod job;
pub mod sealed;
#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LOCATION, CONTENT_TYPE, EXPIRES, HeaderName, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use fhir::capability::Offered;
use fhir::reference::{Target, parse};
use fhir::scope::Permission;
use fhir::search::pairs;
use fhir::{Here, Issue, IssueCode, Outcome, Resource, audit_event, structure};
use futures_util::stream;
use jiff::Timestamp;
use prm::audit;
use prm::db::Read;
use prm::error::Error;
use prm::id::{Noun, PatientId};
use prm::stamp::Right;
use serde_json::{Value, json};
use uuid::Uuid;

pub use self::job::{EXPORTS_MAX, Exports};
use self::job::{Job, Of, State as Stands, Wanted};
use super::fault::{Answer, Fault};
use super::path::Path;
use super::records::{self, Sought};
use super::search::everything::kinds;
use super::wire::{Asked, body, plain, valid};
use crate::app::App;

/// What the box then is (<https://hl7.org/fhir/uv/bulkdata/CapabilityStatement-bulk-data.html>).
pub const BULK_DATA: &str = "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data";

/// The operations, for the CapabilityStatement.
pub const OPERATIONS: [Offered; 3] = [
    Offered {
        name: "export",
        definition: "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export",
        on: None,
    },
    Offered {
        name: "export",
        definition: "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export",
        on: Some("Patient"),
    },
    Offered {
        name: "export",
        definition: "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export",
        on: Some("Group"),
    },
];

/// When whoever waits may look again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// The media type of the files.
const NDJSON: &str = "application/fhir+ndjson";
const PROGRESS: HeaderName = HeaderName::from_static("x-progress");

/// The routes of this file.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/$export", get(all).post(all))
        .route("/Patient/$export", get(of_patients).post(of_patients))
        .route("/Group/{id}/$export", get(of_group).post(of_group))
        .route("/$exports/{job}", get(status).delete(cancel))
        .route("/$exports/{job}/{file}", get(file))
}

async fn all(State(app): State<App>, asked: Asked, request: Request) -> Answer<Response> {
    begin(&app, &asked, request, Of::Everything).await
}

async fn of_patients(State(app): State<App>, asked: Asked, request: Request) -> Answer<Response> {
    begin(&app, &asked, request, Of::Patients).await
}

async fn of_group(
    State(app): State<App>,
    asked: Asked,
    Path(id): Path<String>,
    request: Request,
) -> Answer<Response> {
    let (stamp, base, clinic) = (asked.stamp, asked.base.clone(), app.clinic.clone());
    let read = move |read: &Read<'_>| {
        let here = Here { clinic: &clinic, origin: &base };
        records::one(read, &stamp, here, ("Group", &id), None)
    };
    let Sought::Found(group) = app.db.read(read).await? else { return Err(Fault::gone()) };
    let members = group.resource.get("member").and_then(Value::as_array).into_iter().flatten();
    let patient = |member: &Value| {
        let reference = member.pointer("/entity/reference")?.as_str()?;
        match parse(reference, &asked.base)? {
            Target::Local(local) if local.resource_type == fhir::patient::TYPE => {
                Some(PatientId::from_bytes(local.uuid()?.into_bytes()))
            }
            Target::Local(_)
            | Target::Urn(_)
            | Target::Contained(_)
            | Target::Conditional { .. }
            | Target::Foreign(_)
            | Target::Logical => None,
        }
    };
    let members = members.filter_map(patient).collect();
    begin(&app, &asked, request, Of::Group(members)).await
}

/// Begins an export and says where to look.
async fn begin(app: &App, asked: &Asked, request: Request, of: Of) -> Answer<Response> {
    asked.stamp.needs(Right::Export)?;
    if !asked.prefers("respond-async") {
        let what = "an export takes a while: ask with Prefer: respond-async";
        return Err(Fault::new(StatusCode::BAD_REQUEST, IssueCode::Required, what));
    }
    let address = request.uri().to_string();
    let mut said = pairs(&asked.query)?;
    if request.method() == Method::POST {
        said.extend(parameters(request).await?);
    }
    let wanted = wanted(asked, &said, of)?;
    let stamp = asked.stamp;
    app.db.write(move |tx| audit::was_exported(tx, &stamp, Noun::Chart)).await?;
    let path = address.strip_prefix("/fhir").unwrap_or(&address);
    let request = format!("{}{path}", asked.base);
    let job = app.exports.start(app, stamp, request, wanted)?;
    let place = format!("{}/$exports/{job}", asked.base);
    let place = HeaderValue::from_str(&place).map_err(|_| Fault::not_found())?;
    let begun = Outcome { issues: vec![Issue::information("the export has begun")] };
    let mut response = plain(StatusCode::ACCEPTED, &begun.to_json());
    response.headers_mut().insert(CONTENT_LOCATION, place);
    Ok(response)
}

/// The parameters of a body, as if they stood in the address.
async fn parameters(request: Request) -> Answer<Vec<(String, String)>> {
    if request.headers().get(CONTENT_TYPE).is_none() {
        return Ok(Vec::new());
    }
    let resource: Resource = valid(&body(request).await?)?;
    let wrong = || {
        let what = "the body is a Parameters with what would stand in the address";
        Fault::new(StatusCode::BAD_REQUEST, IssueCode::Structure, what)
    };
    if resource.resource_type() != "Parameters" {
        return Err(wrong());
    }
    let entries = resource.get("parameter").and_then(Value::as_array).cloned().unwrap_or_default();
    let read = |entry: &Value| {
        let name = entry.get("name")?.as_str()?.to_owned();
        let mut values = entry.as_object()?.iter().filter(|(key, _)| key.starts_with("value"));
        Some((name, values.next()?.1.as_str()?.to_owned()))
    };
    entries.iter().map(|entry| read(entry).ok_or_else(wrong)).collect()
}

/// What is asked for.
fn wanted(asked: &Asked, said: &[(String, String)], of: Of) -> Answer<Wanted> {
    let refuse = |code, what: &str| Err(Fault::new(StatusCode::BAD_REQUEST, code, what));
    let mut types: Vec<&'static str> = Vec::new();
    let mut since = None;
    for (name, value) in said {
        match name.as_str() {
            "_outputFormat" => {
                if ![NDJSON, "application/ndjson", "ndjson"].contains(&value.as_str()) {
                    return refuse(IssueCode::NotSupported, "files are application/fhir+ndjson");
                }
            }
            "_since" => {
                // Whoever does not encode the `+` of a zone sends a space.
                let time = value.replace(' ', "+").parse::<Timestamp>();
                let Ok(time) = time else {
                    let what = "_since is an instant, such as 2026-11-23T10:00:00+05:30";
                    return refuse(IssueCode::Value, what);
                };
                since = Some(time);
            }
            "_type" => {
                for word in value.split(',').filter(|word| !word.is_empty()) {
                    let known = structure::type_name(word);
                    let Some(kind) = known.filter(|kind| kinds().any(|it| it == *kind)) else {
                        let what = "_type names types that are kept here; see /fhir/metadata";
                        return refuse(IssueCode::NotSupported, what);
                    };
                    if !types.contains(&kind) {
                        types.push(kind);
                    }
                }
            }
            "_format" | "_pretty" => {}
            _ if asked.is_lenient() => {}
            _ => {
                let what = "an export takes _type, _since and _outputFormat; ask with \
                            Prefer: handling=lenient to have others passed over";
                return refuse(IssueCode::NotSupported, what);
            }
        }
    }
    for kind in &types {
        may_export(asked, kind)?;
    }
    if types.is_empty() {
        // The audit only goes along if it is asked for.
        types = kinds()
            .filter(|kind| *kind != audit_event::TYPE && may_export(asked, kind).is_ok())
            .collect();
    }
    Ok(Wanted { types, since, of })
}

/// Refuses who may not read the resources of a type: the one place that says so for all exports.
fn may_export(asked: &Asked, kind: &'static str) -> Answer<()> {
    asked.stamp.within(kind, Permission::Read)?;
    asked.stamp.within(kind, Permission::Search)?;
    Ok(records::may_read(&asked.stamp, kind)?)
}

/// The export that somebody asked for, if it is theirs.
fn theirs(app: &App, asked: &Asked, job: &str) -> Answer<std::sync::Arc<Job>> {
    asked.stamp.needs(Right::Export)?;
    let id = Uuid::try_parse(job).map_err(|_| Fault::not_found())?;
    app.exports.find(id, &asked.stamp).ok_or_else(Fault::not_found)
}

/// How far an export is, or what came of it.
async fn status(State(app): State<App>, asked: Asked, Path(job): Path<String>) -> Answer<Response> {
    let job = theirs(&app, &asked, &job)?;
    match job.state() {
        Stands::Runs => {
            let headers = [
                (PROGRESS, HeaderValue::from_str(&format!("{} resources", job.written()))),
                (RETRY_AFTER, Ok(HeaderValue::from(LOOK_AGAIN.as_secs()))),
            ];
            let mut response = StatusCode::ACCEPTED.into_response();
            for (name, value) in headers {
                response.headers_mut().extend(value.ok().map(|value| (name, value)));
            }
            Ok(response)
        }
        Stands::Failed(why) => {
            Err(Fault::new(StatusCode::INTERNAL_SERVER_ERROR, IssueCode::Exception, why))
        }
        Stands::Done { at, files } => {
            let address = |name: &str| format!("{}/$exports/{}/{name}", asked.base, job.id);
            let output = files.iter().map(|file| {
                json!({ "type": file.kind, "url": address(&file.name()), "count": file.count })
            });
            let manifest = json!({
                "transactionTime": app.local(at),
                "request": job.request,
                "requiresAccessToken": true,
                "output": output.collect::<Vec<_>>(),
                "error": [],
            });
            let expires = job.ends().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let mut response = manifest.to_string().into_response();
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.extend(HeaderValue::from_str(&expires).ok().map(|value| (EXPIRES, value)));
            Ok(response)
        }
    }
}

/// Ends an export and removes its files.
async fn cancel(State(app): State<App>, asked: Asked, Path(job): Path<String>) -> Answer<Response> {
    let job = theirs(&app, &asked, &job)?;
    app.exports.end(job.id);
    let ended = Outcome { issues: vec![Issue::information("the export is no more")] };
    Ok(plain(StatusCode::ACCEPTED, &ended.to_json()))
}

/// One file, decrypted piece by piece while it is sent.
async fn file(
    State(app): State<App>,
    asked: Asked,
    Path((job, name)): Path<(String, String)>,
) -> Answer<Response> {
    let job = theirs(&app, &asked, &job)?;
    let Stands::Done { at: _, files } = job.state() else { return Err(Fault::not_found()) };
    let found = files.iter().find(|file| file.name() == name).ok_or_else(Fault::not_found)?;
    may_export(&asked, found.kind)?;
    let reader = job.open(found).map_err(|_| Error::Storage("an export is damaged".to_owned()))?;
    let pieces = stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        let read = tokio::task::spawn_blocking(move || (reader.piece(), reader)).await.ok()?;
        match read {
            (Ok(Some(piece)), reader) => Some((Ok(Bytes::from(piece)), Some(reader))),
            (Ok(None), _) => None,
            (Err(error), _) => Some((Err(error), None)),
        }
    });
    let kind = HeaderValue::from_static(NDJSON);
    Ok(([(CONTENT_TYPE, kind)], Body::from_stream(pieces)).into_response())
}
