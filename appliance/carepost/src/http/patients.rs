//! Patients on the wire: finding, registering, reading and changing here; what one looks like in
//! `view`, what is said of one in `said`, relatives in `family`, duplicates in `merges`.

mod family;
mod merges;
mod said;
mod view;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use prm::appointment::{self, Filter};
use prm::error::Code;
use prm::id::{AppointmentId, Noun, PatientId};
use prm::patient::{self, Patient};
use prm::search;
use prm::stamp::{Right, Stamp};
use prm::time::{from_ms, to_ms};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use self::said::{NewPatient, PatientEdit};
pub use self::view::PatientView;
use super::appointments::{AppointmentView, Qr};
use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Body, Segment};
use super::page::{self, Page};
use super::read_audit;
use super::version::{Seen, Versioned};
use crate::app::App;

/// The routes of this file and those below it.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, register))
        .routes(routes!(get, edit))
        .routes(routes!(appointments))
        .merge(family::routes())
        .merge(merges::routes())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PatientsAsked {
    /// Any part of a number or a name, however spelt. Without it all patients, the newest first.
    q: Option<String>,
    /// Without `q`: records that are not in use as well.
    all: Option<bool>,
    /// At most so many, 1 to 500 (with `q` to 100); 100 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before; a search has only one page.
    cursor: Option<String>,
}

/// A patient who was found.
#[derive(Serialize, ToSchema)]
#[schema(as = PatientMatch)]
struct MatchView {
    #[serde(flatten)]
    patient: PatientView,
    /// How well the patient fits, 0 to 1; null when nothing was sought.
    score: Option<f64>,
}

/// Finds patients, the best first, or lists them, the newest first.
#[utoipa::path(get, path = "/patients", tag = "patients", params(PatientsAsked),
    responses((status = 200, body = Page<MatchView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(asked): Asked<PatientsAsked>,
) -> Answer<Json<Page<MatchView>>> {
    let PatientsAsked { q, all, limit, cursor } = asked;
    let limit = page::limit(limit);
    let page = match q.filter(|q| !q.trim().is_empty()) {
        Some(q) => {
            if cursor.is_some() {
                return Err(Problem::invalid(
                    "cursor",
                    "a search has one page; leave the cursor out",
                ));
            }
            let limit = search::LIMIT_MAX.min(limit as usize);
            let found = app.db.read(move |read| patient::find(read, &stamp, &q, limit)).await?;
            Page::whole(found.into_iter().map(|(found, score)| (found, Some(score))).collect())
        }
        None => {
            let before: Option<i64> =
                cursor.map(|text| page::decode("patients", &text)).transpose()?;
            let all = all.unwrap_or(false);
            let newest = move |read: &prm::db::Read<'_>| {
                patient::newest(read, &stamp, all, before, limit + 1)
            };
            let page = Page::cut("patients", app.db.read(newest).await?, limit, |last| last.number);
            page.map(|listed| (listed, None))
        }
    };
    let ids = page.items.iter().map(|(shown, _)| shown.id).collect();
    read_audit::shown(&app, stamp, Noun::Patient, ids).await?;
    Ok(Json(page.map(|(found, score)| MatchView { patient: found.into(), score })))
}

/// Registers a patient. Somebody who is very likely on record already is 409 `likely_duplicate`
/// with `candidates`, unless `accept_duplicate` is true.
#[utoipa::path(post, path = "/patients", tag = "patients", request_body = NewPatient,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = PatientView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn register(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<NewPatient>,
) -> Answer<Response> {
    let registration = body.registration();
    let registered = once(&app, stamp, key, move |tx| {
        let patient = patient::register(tx, &stamp, registration)?;
        Ok((StatusCode::CREATED, PatientView::from(patient)))
    })
    .await;
    match registered {
        Ok(response) => Ok(response),
        Err(problem) => Err(show_candidates(&app, stamp, problem).await?),
    }
}

/// One patient.
#[utoipa::path(get, path = "/patients/{id}", tag = "patients", params(("id" = Uuid, Path)),
    responses((status = 200, body = PatientView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<PatientId>,
) -> Answer<Versioned<PatientView>> {
    let patient = app.db.read(move |read| patient::get(read, &stamp, id)).await?;
    read_audit::read(&app, stamp, Noun::Patient, id.as_bytes(), id).await?;
    Ok(Versioned(patient.version, patient.into()))
}

/// Changes a patient (RFC 7396, JSON merge patch).
#[utoipa::path(patch, path = "/patients/{id}", tag = "patients", request_body = PatientEdit,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = PatientView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem),
              (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<PatientId>,
    Seen(seen): Seen,
    Body(body): Body<PatientEdit>,
) -> Answer<Versioned<PatientView>> {
    let patient = app
        .db
        .write(move |tx| {
            // Before anything tells whether there is such a patient.
            stamp.needs(Right::WritePatients)?;
            let before = patient::get(tx, &stamp, id)?;
            patient::edit(tx, &stamp, id, seen, body.edit(&before))
        })
        .await?;
    Ok(Versioned(patient.version, patient.into()))
}

/// The word of the list of one patient's appointments, for its cursors.
const OF_PATIENT: &str = "patients/appointments";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfPatientAsked {
    /// At most so many, 1 to 500; 100 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// The appointments of a patient by start, past ones and called-off ones as well.
#[utoipa::path(get, path = "/patients/{id}/appointments", tag = "patients", params(("id" = Uuid, Path), OfPatientAsked),
    responses((status = 200, body = Page<AppointmentView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn appointments(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<PatientId>,
    Asked(OfPatientAsked { limit, cursor }): Asked<OfPatientAsked>,
) -> Answer<Json<Page<AppointmentView>>> {
    let after: Option<(i64, Uuid)> =
        cursor.map(|text| page::decode(OF_PATIENT, &text)).transpose()?;
    let after: Option<(Timestamp, AppointmentId)> =
        after.map(|(start, id)| (from_ms(start), AppointmentId::from_bytes(id.into_bytes())));
    let limit = page::limit(limit);
    let found = app
        .db
        .read(move |read| {
            patient::get(read, &stamp, id)?;
            let filter = Filter { patient: Some(id), after, ..Filter::default() };
            appointment::list(read, &stamp, &filter, limit + 1)
        })
        .await?;
    read_audit::shown(&app, stamp, Noun::Appointment, vec![id]).await?;
    let page = Page::cut(OF_PATIENT, found, limit, |last| (to_ms(last.start), last.id.uuid()));
    Ok(Json(page.map(|found| AppointmentView::of(&app, found, Qr::Without))))
}

/// Adds the records to a refusal that says somebody is very likely among them.
async fn show_candidates(app: &App, stamp: Stamp, problem: Problem) -> Answer<Problem> {
    let Some(Code::LikelyDuplicate(ids)) = problem.refused() else { return Ok(problem) };
    let ids = ids.clone();
    let candidates: Vec<Patient> =
        app.db.read(move |read| patient::by_ids(read, &stamp, &ids)).await?;
    let ids = candidates.iter().map(|candidate| candidate.id).collect();
    read_audit::shown(app, stamp, Noun::Patient, ids).await?;
    let views: Vec<PatientView> = candidates.into_iter().map(PatientView::from).collect();
    Ok(problem.with("candidates", views))
}
