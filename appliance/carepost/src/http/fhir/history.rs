//! The versions of one resource (<https://hl7.org/fhir/R4/http.html#history>).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use fhir::Here;
use fhir::bundle::{Change, Pages, Stored, Version, history};
use fhir::capability::Interaction;
use fhir::search::pairs;
use prm::id::Noun;
use prm::{change, chart};

use super::fault::Answer;
use super::records::{self, Sought};
use super::served;
use super::wire::{Asked, plain};
use crate::app::App;
use crate::http::read_audit;

/// Versions of a page.
const VERSIONS_MAX: u32 = 100;
/// The name under which the `next` link says before which version to go on.
const BEFORE: &str = "_before";

/// The versions of one resource, the newest first.
pub async fn of_one(
    State(app): State<App>,
    asked: Asked,
    Path((name, id)): Path<(String, String)>,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::HistoryInstance)?;
    let pairs = pairs(&asked.query)?;
    let number = |name: &str| {
        pairs.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse::<i64>().ok())
    };
    let before = number(BEFORE).unwrap_or(i64::MAX);
    let limit = number("_count").and_then(|count| u32::try_from(count).ok());
    let limit = limit.unwrap_or(VERSIONS_MAX).clamp(1, VERSIONS_MAX);
    let (stamp, base, clinic) = (asked.stamp, asked.base.clone(), app.clinic.clone());
    let (bundle, patient, noun, uuid) = app
        .db
        .read(move |read| {
            let here = Here { clinic: &clinic, origin: &base };
            let (noun, uuid, patient) = match records::one(read, &stamp, here, (type_, &id), None)?
            {
                Sought::Found(found) => (found.noun, found.id, found.patient),
                Sought::Gone => {
                    let gone = chart::get(read, &stamp, type_, &id)?;
                    (Noun::Chart, gone.id.uuid(), gone.patient)
                }
            };
            let bytes = uuid.into_bytes();
            let mut changes = change::of(read, &stamp, (noun, &bytes), before, limit + 1)?;
            let more = changes.len() > limit as usize;
            changes.truncate(limit as usize);
            let mut versions = Vec::with_capacity(changes.len());
            for change in &changes {
                let sought = records::one(read, &stamp, here, (type_, &id), Some(change.version));
                let (resource, done) = match sought {
                    Ok(Sought::Found(found)) if change.version == 1 => {
                        (Some(found.resource), Change::Created)
                    }
                    Ok(Sought::Found(found)) => (Some(found.resource), Change::Updated),
                    Ok(Sought::Gone) => (None, Change::Deleted),
                    // Before versions were kept there was only the newest.
                    Err(prm::error::Error::NotFound(_)) => continue,
                    Err(error) => return Err(error),
                };
                versions.push(Version {
                    stored: Stored { type_, id: id.clone(), version: change.version.to_string() },
                    change: done,
                    at: change.at,
                    resource,
                });
            }
            let this = format!("{base}/{type_}/{id}/_history?_count={limit}");
            let next = changes.last().filter(|_| more);
            let next = next.map(|last| format!("{this}&{BEFORE}={}", last.version));
            Ok((history(versions, None, Pages { this, next }, here), patient, noun, uuid))
        })
        .await?;
    if let Some(patient) = patient {
        read_audit::read(&app, stamp, noun, uuid.as_bytes(), patient).await?;
    }
    Ok(plain(StatusCode::OK, &bundle.into()))
}
