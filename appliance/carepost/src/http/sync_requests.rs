//! Wishes for appointments that were said at the hub and wait for the desk.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use fhir::Resource;
use prm::id::{Noun, PatientId, RequestId};
use prm::request::{self, Kind, PROPOSALS_MAX, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::appointments::{AppointmentView, Qr, offer_alternatives, slot_named};
use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Body, Segment};
use super::page::{Page, Part};
use super::read_audit;
use crate::app::App;
use crate::requests::proposal::{self, Proposed, Wish};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(accept)).routes(routes!(decline))
}

/// A wish for an appointment that was said at the hub.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SyncRequest)]
struct RequestView {
    id: Uuid,
    /// When the box heard of it.
    taken_at: String,
    /// The record of who wants to come, if they are on record by the id that was said.
    patient_id: Option<Uuid>,
    name: String,
    phone: Option<String>,
    birth_date: Option<String>,
    /// With whom.
    practitioner_id: Option<Uuid>,
    /// In which slot; it may be taken by now.
    slot_id: Option<String>,
    start: Option<String>,
    end: Option<String>,
    /// Why the patient comes, in their words.
    reason: Option<String>,
}

fn view(
    app: &App,
    request: &Request,
    patient: Option<PatientId>,
) -> prm::error::Result<RequestView> {
    let Proposed { patient: comes, appointment, .. } = proposal::of_kept(&request.body)?;
    let here = fhir::Here { clinic: &app.clinic, origin: "" };
    let said = fhir::patient::read(&comes, here).ok();
    let (name, phone, birth_date) = match said {
        Some(said) => {
            let phone = said.phones.into_iter().next().map(|phone| phone.number);
            (said.name, phone, said.birth_date)
        }
        None => (String::new(), None, None),
    };
    Ok(RequestView {
        id: request.id.uuid(),
        taken_at: app.local(request.taken_at),
        patient_id: patient.map(|id| id.uuid()),
        name,
        phone,
        birth_date,
        practitioner_id: named(&appointment, "/participant", "Practitioner/")
            .and_then(|id| Uuid::try_parse(&id).ok()),
        slot_id: named(&appointment, "/slot", "Slot/"),
        start: text(&appointment, "start"),
        end: text(&appointment, "end"),
        reason: appointment
            .get("reasonCode")
            .and_then(|codes| codes.pointer("/0/text"))
            .and_then(words),
    })
}

fn words(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn text(resource: &Resource, element: &str) -> Option<String> {
    resource.get(element).and_then(words)
}

/// The id behind the first reference of this kind in a list.
fn named(resource: &Resource, list: &str, kind: &str) -> Option<String> {
    let entries = resource.get(list.trim_start_matches('/'))?.as_array()?;
    let of = |entry: &Value| {
        let reference = entry.get("reference").or_else(|| entry.pointer("/actor/reference"))?;
        reference.as_str()?.strip_prefix(kind).map(str::to_owned)
    };
    entries.iter().find_map(of)
}

/// Wishes for appointments that were said at the hub and wait for a decision, the oldest first.
#[utoipa::path(get, path = "/sync/requests", tag = "sync", params(Part),
    responses((status = 200, body = Page<RequestView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<RequestView>>> {
    let in_view = app.clone();
    let views = app.db.read(move |read| {
        let most = usize::try_from(PROPOSALS_MAX).unwrap_or(usize::MAX);
        let waiting = request::waiting(read, &stamp, Kind::Proposal, most)?;
        let view = |request: &Request| {
            let proposed = proposal::of_kept(&request.body)?;
            view(&in_view, request, proposal::on_record(read, &stamp, &proposed)?)
        };
        waiting.iter().map(view).collect::<prm::error::Result<Vec<_>>>()
    });
    let views = views.await?;
    read_audit::listed(&app, stamp, Noun::Request).await?;
    Ok(Json(part.of("sync/requests", views, |view| view.id)?))
}

/// How a wish is met.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    /// The record of who comes; without it theirs if they are on record by the id that was said, else a
    /// new one.
    #[schema(value_type = Option<Uuid>)]
    patient_id: Option<PatientId>,
    /// Another time than the one that was wished for.
    slot_id: Option<String>,
    /// Register although very likely the same person is on record.
    #[serde(default)]
    accept_duplicate: bool,
}

/// Books what was wished for, and tells the hub. A slot that is taken is 409 `slot_taken` with
/// `alternatives`; very likely the same person on record is 409 `likely_duplicate`.
#[utoipa::path(post, path = "/sync/requests/{id}/accept", tag = "sync", request_body = Acceptance,
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = AppointmentView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn accept(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<RequestId>,
    Posted { body, key }: Posted<Acceptance>,
) -> Answer<Response> {
    let Acceptance { patient_id: patient, slot_id, accept_duplicate } = body;
    let slot = slot_id.map(|text| slot_named(&text)).transpose()?;
    let (wish, inside) = (Wish { patient, slot, accept_duplicate }, app.clone());
    let booked = once(&app, stamp, key, move |tx| {
        let booked = proposal::accept(tx, &stamp, &inside.clinic, (id, wish))?;
        Ok((StatusCode::CREATED, AppointmentView::of(&inside, booked, Qr::Without)))
    })
    .await;
    offer_alternatives(&app, stamp, booked, None).await
}

/// Why a wish is not met.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Declining {
    /// Why, for whoever wished; at most 500 letters.
    reason: String,
}

/// The longest reason, in letters.
const REASON_MAX: usize = 500;

/// Does not book what was wished for, and tells the hub why.
#[utoipa::path(post, path = "/sync/requests/{id}/decline", tag = "sync", request_body = Declining,
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn decline(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<RequestId>,
    Body(Declining { reason }): Body<Declining>,
) -> Answer<StatusCode> {
    let reason = reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > REASON_MAX {
        return Err(Problem::invalid("reason", "say why, in at most 500 letters"));
    }
    app.db.write(move |tx| proposal::decline(tx, &stamp, id, &reason)).await?;
    Ok(StatusCode::NO_CONTENT)
}
