//! Free times for everybody: SMART Scheduling Links
//! (<https://hl7.org/fhir/uv/smart-scheduling-links>), a manifest and files of NDJSON that need no
//! sign-in.
//!
//! Invariant: nothing here is about a patient. Rooms, roles, services and sessions are written from the
//! clinic's own records alone, without what other systems gave; a slot is free or busy and no more.
//! Invariant: the files are computed at most once in [`FRESH`], however many ask.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use fhir::slot::{self, Status};
use fhir::{Here, IssueCode, Resource};
use jiff::{SignedDuration, Timestamp};
use prm::clinic::Clinic;
use prm::db::{Db, Read};
use prm::error::{Error, Result};
use prm::practitioner::Practitioner;
use prm::stamp::Stamp;
use prm::time::{local_date, next_day};
use prm::{healthcare_service, location, practitioner, schedule};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::fault::{Answer, Fault};
use super::path::Path;
use super::records::Record;
use super::slots::{self, Span};
use super::wire::Asked;
use crate::app::App;
use crate::config;

/// How long what was computed is good.
const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// Days from today on that are told.
const DAYS: usize = 30;
/// Slots that are told at the most: the nearest ones.
const SLOTS_MAX: usize = 50_000;
/// The files, in the order of the manifest.
const KINDS: [&str; 5] = ["Location", "HealthcareService", "PractitionerRole", "Schedule", "Slot"];
/// The extension with the page where a slot is booked.
const DEEP_LINK: &str =
    "http://fhir-registry.smarthealthit.org/StructureDefinition/booking-deep-link";
/// The extension with the number to call.
const PHONE: &str = "http://fhir-registry.smarthealthit.org/StructureDefinition/booking-phone";

/// What is published, as it was last computed.
#[derive(Default)]
pub struct FreeTimes(Mutex<Option<Arc<Files>>>);

/// All files at one moment.
struct Files {
    at: Timestamp,
    files: [File; KINDS.len()],
}

/// One file.
struct File {
    kind: &'static str,
    bytes: Bytes,
    etag: String,
}

/// The routes of this file.
pub fn routes() -> Router<App> {
    Router::new().route("/$bulk-publish", get(manifest)).route("/$bulk-publish/{file}", get(file))
}

/// The files as they are now, or were less than a minute ago.
async fn files(app: &App) -> Answer<Arc<Files>> {
    if !app.config.fhir.publish_slots {
        let what = "this clinic does not publish its free times";
        return Err(Fault::new(StatusCode::NOT_FOUND, IssueCode::NotFound, what));
    }
    let mut published = app.published.0.lock().await;
    let now = app.now();
    if let Some(files) = published.as_ref()
        && now.duration_since(files.at) < FRESH
    {
        return Ok(Arc::clone(files));
    }
    let (db, clinic, settings) = (app.db.clone(), app.clinic.clone(), app.config.fhir.clone());
    let computed = tokio::task::spawn_blocking(move || compute(&db, &clinic, &settings, now)).await;
    let stopped = |_| Error::Storage("the slots could not be computed".to_owned());
    let files = Arc::new(computed.map_err(stopped)??);
    *published = Some(Arc::clone(&files));
    Ok(files)
}

async fn manifest(State(app): State<App>, asked: Asked) -> Answer<Response> {
    let files = files(&app).await?;
    let base = format!("{}/$bulk-publish", asked.base);
    let output = files
        .files
        .iter()
        .map(|file| json!({ "type": file.kind, "url": format!("{base}/{}.ndjson", file.kind) }));
    let manifest = json!({
        "transactionTime": app.local(files.at),
        "request": base,
        "output": output.collect::<Vec<_>>(),
        "error": [],
    });
    let bytes = Bytes::from(manifest.to_string());
    let etag = etag(&bytes);
    Ok(answer(&asked.headers, "application/json", bytes, &etag))
}

async fn file(State(app): State<App>, asked: Asked, Path(name): Path<String>) -> Answer<Response> {
    let files = files(&app).await?;
    let kind = name.strip_suffix(".ndjson").unwrap_or_default();
    let file = files.files.iter().find(|file| file.kind == kind).ok_or_else(Fault::not_found)?;
    Ok(answer(&asked.headers, "application/fhir+ndjson", file.bytes.clone(), &file.etag))
}

/// An answer that may be kept for a minute, and is not sent again to whoever has it.
fn answer(headers: &HeaderMap, kind: &'static str, bytes: Bytes, etag: &str) -> Response {
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| {
        known.split(',').map(str::trim).any(|it| it == "*" || it.trim_start_matches("W/") == etag)
    });
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, HeaderValue::from_static(kind))], bytes).into_response()
    };
    let keep = HeaderValue::from_str(&format!("public, max-age={}", FRESH.as_secs())).ok();
    let etag = HeaderValue::from_str(etag).ok();
    let headers = response.headers_mut();
    headers.extend(keep.map(|value| (CACHE_CONTROL, value)));
    headers.extend(etag.map(|value| (ETAG, value)));
    response
}

fn etag(bytes: &[u8]) -> String {
    let sum = digest(&SHA256, bytes);
    let hex: String = sum.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

fn compute(db: &Db, clinic: &Clinic, settings: &config::Fhir, now: Timestamp) -> Result<Files> {
    let stamp = Stamp::of_box(now);
    let here = Here { clinic, origin: "" };
    db.read_at_length(|read| {
        let shown = Shown::load(read, &stamp, here)?;
        let files = KINDS.map(|kind| shown.file(read, &stamp, settings, kind));
        let [a, b, c, d, e] = files;
        Ok(Files { at: now, files: [a?, b?, c?, d?, e?] })
    })
}

/// What is told, while it is written.
struct Shown<'a> {
    here: Here<'a>,
    practitioners: Vec<Practitioner>,
    schedules: Vec<schedule::Schedule>,
}

impl<'a> Shown<'a> {
    fn load(read: &Read<'_>, stamp: &Stamp, here: Here<'a>) -> Result<Self> {
        let mut practitioners = practitioner::list(read, stamp)?;
        practitioners.retain(|it| it.active);
        let mut schedules = schedule::list(read, stamp, None)?;
        schedules.retain(|it| {
            it.active && practitioners.iter().any(|whose| whose.id == it.practitioner)
        });
        Ok(Self { here, practitioners, schedules })
    }

    fn file(
        &self,
        read: &Read<'_>,
        stamp: &Stamp,
        settings: &config::Fhir,
        kind: &'static str,
    ) -> Result<File> {
        let resources = match kind {
            "Slot" => self.slots(read, stamp, settings)?,
            _ => {
                let mut resources = Vec::new();
                for record in self.records(read, stamp, kind)? {
                    let updated = record.updated(read, self.here)?;
                    resources.extend(record.write(self.here, updated, None));
                }
                if let ("Location", Some(phone)) = (kind, &settings.booking_phone) {
                    let telecom = json!([{ "system": "phone", "value": phone }]);
                    resources.iter_mut().for_each(|it| it.set("telecom", telecom.clone()));
                }
                resources.iter_mut().for_each(|resource| self.name_roles(resource));
                resources
            }
        };
        let mut bytes = Vec::new();
        for resource in resources {
            bytes.extend(resource.to_vec());
            bytes.push(b'\n');
        }
        let etag = etag(&bytes);
        Ok(File { kind, bytes: bytes.into(), etag })
    }

    fn records(&self, read: &Read<'_>, stamp: &Stamp, kind: &str) -> Result<Vec<Record>> {
        Ok(match kind {
            "Location" => {
                let all = location::list(read, stamp)?.into_iter();
                all.filter(|it| it.active).map(Record::Location).collect()
            }
            "HealthcareService" => {
                let all = healthcare_service::list(read, stamp)?.into_iter();
                all.filter(|it| it.active).map(Record::HealthcareService).collect()
            }
            "PractitionerRole" => {
                let all = self.practitioners.iter().cloned();
                let roles = all.map(|it| Record::of_role(read, stamp, self.here, it));
                roles.collect::<Result<_>>()?
            }
            _ => self.schedules.iter().cloned().map(Record::Schedule).collect(),
        })
    }

    /// Practitioners are told by their roles, with their names.
    fn name_roles(&self, resource: &mut Resource) {
        let name = |reference: Option<&Value>| {
            let id = reference?.as_str()?.strip_prefix("Practitioner/")?;
            let whose = self.practitioners.iter().find(|it| it.id.to_string() == id)?;
            Some((format!("PractitionerRole/{id}"), whose.name.clone()))
        };
        if let Some(practitioner) = resource.get_mut("practitioner")
            && let Some((_, name)) = name(practitioner.get("reference"))
        {
            *practitioner = json!({ "display": name });
        }
        let actors = resource.get_mut("actor").and_then(Value::as_array_mut);
        for actor in actors.into_iter().flatten() {
            if let Some((role, name)) = name(actor.get("reference")) {
                *actor = json!({ "reference": role, "display": name });
            }
        }
    }

    /// The slots from now on, free or busy.
    fn slots(
        &self,
        read: &Read<'_>,
        stamp: &Stamp,
        settings: &config::Fhir,
    ) -> Result<Vec<Resource>> {
        let mut resources = Vec::new();
        let mut day = local_date(&self.here.clinic.zone, stamp.now);
        for _ in 0..DAYS {
            let span = Span::days(day, next_day(day));
            let left = SLOTS_MAX - resources.len();
            let limit = left.min(prm::slot::SLOTS_MAX);
            for (slot, status) in slots::list(read, stamp, self.here, &span, None, limit)? {
                if slot.start < stamp.now {
                    continue;
                }
                let status = match status {
                    Status::Free => Status::Free,
                    Status::Busy | Status::BusyTentative | Status::BusyUnavailable => Status::Busy,
                };
                let mut resource = slot::write(&slot, status, None, self.here);
                resource.remove("extension");
                let ways = ways(settings, &slot.id.to_string());
                if status == Status::Free && !ways.is_empty() {
                    resource.set("extension", ways);
                }
                resources.push(resource);
            }
            if resources.len() >= SLOTS_MAX {
                break;
            }
            day = next_day(day);
        }
        Ok(resources)
    }
}

/// How a slot is booked.
fn ways(settings: &config::Fhir, slot: &str) -> Vec<Value> {
    let link = settings.booking_link.as_ref().map(|link| {
        let sign = if link.contains('?') { '&' } else { '?' };
        json!({ "url": DEEP_LINK, "valueUrl": format!("{link}{sign}slot={slot}") })
    });
    let phone = settings.booking_phone.as_ref();
    let phone = phone.map(|phone| json!({ "url": PHONE, "valueString": phone }));
    link.into_iter().chain(phone).collect()
}
