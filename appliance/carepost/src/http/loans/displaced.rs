//! Patients whose slot somebody else has, on the wire: who they are, what is free instead, and what was done.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use prm::db::Read;
use prm::error::Error;
use prm::id::{AppointmentId, Noun};
use prm::loan::{self, Displaced};
use prm::patient::{self, Patient};
use prm::slot::{self, Slot};
use prm::stamp::Stamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::OverrideReason;
use crate::app::App;
use crate::http::appointments::{AppointmentView, Qr, offer_alternatives, slot_named};
use crate::http::auth::Caller;
use crate::http::error::{Answer, Problem};
use crate::http::idempotency::{Posted, once};
use crate::http::json::{Asked, Body, Segment};
use crate::http::page::{self, Page};
use crate::http::read_audit;
use crate::http::slots::SlotView;

/// The word of the list, for its cursors.
const LIST: &str = "loans/displaced";
/// For so many patients of one answer the nearest free slots are looked up.
const ALTERNATIVES_FOR_MAX: usize = 20;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(displaced)).routes(routes!(rebook)).routes(routes!(done))
}

/// A patient with a confirmation for a slot that somebody else has.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Displaced)]
struct DisplacedView {
    /// The booking that was confirmed online.
    booking_id: Uuid,
    /// The loan; null if this box knows no such session any more.
    loan_id: Option<Uuid>,
    patient_id: Uuid,
    patient_name: String,
    patient_phone: Option<String>,
    practitioner_id: Option<Uuid>,
    /// When the patient was to come.
    start: String,
    /// When it came to light.
    said_at: String,
    /// The nearest free slots; only for the first 20 of an answer, and only where the practitioner is known.
    alternatives: Vec<SlotView>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DisplacedAsked {
    /// At most so many, 1 to 500; 100 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Patients who were displaced and for whom nothing was done yet, the longest known first.
#[utoipa::path(get, path = "/loans/displaced", tag = "loans", params(DisplacedAsked),
    responses((status = 200, body = Page<DisplacedView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn displaced(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(DisplacedAsked { limit, cursor }): Asked<DisplacedAsked>,
) -> Answer<Json<Page<DisplacedView>>> {
    let limit = page::limit(limit);
    let after =
        cursor.map(|text| page::decode::<(Timestamp, AppointmentId)>(LIST, &text)).transpose()?;
    let found = app.db.read(move |read| {
        let found = loan::displaced(read, &stamp, after, limit + 1)?;
        let with = |(at, one): (usize, Displaced)| {
            let patient = patient::get(read, &stamp, one.patient)?;
            let near = if at < ALTERNATIVES_FOR_MAX { near(read, &stamp, &one)? } else { vec![] };
            Ok((patient, one, near))
        };
        let found = found.into_iter().enumerate().map(with);
        found.collect::<Result<Vec<(Patient, Displaced, Vec<Slot>)>, Error>>()
    });
    let page = Page::cut(LIST, found.await?, limit, |(_, one, _)| (one.said_at, one.booking));
    let patients = page.items.iter().map(|(patient, _, _)| patient.id).collect();
    read_audit::shown(&app, stamp, Noun::Loan, patients).await?;
    Ok(Json(page.map(|(patient, one, near)| {
        let Displaced { booking, loan, patient: patient_id, practitioner, start, said_at } = one;
        DisplacedView {
            booking_id: booking.uuid(),
            loan_id: loan.map(|id| id.uuid()),
            patient_id: patient_id.uuid(),
            patient_phone: patient.phones.first().map(|it| it.number.as_str().to_owned()),
            patient_name: patient.name,
            practitioner_id: practitioner.map(|id| id.uuid()),
            start: app.local(start),
            said_at: app.local(said_at),
            alternatives: near.into_iter().map(|slot| SlotView::of(&app, slot)).collect(),
        }
    })))
}

/// What is free near the slot that was sold; nothing if that is not known any more.
fn near(read: &Read<'_>, stamp: &Stamp, one: &Displaced) -> Result<Vec<Slot>, Error> {
    let Some(id) = one.loan else { return Ok(vec![]) };
    let slot = loan::get(read, stamp, id)?.slot;
    match slot::nearest(read, stamp, slot, None) {
        Err(Error::NotFound(_)) => Ok(vec![]),
        found => found,
    }
}

/// Another time for a patient who was displaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rebooking {
    /// The id of a slot.
    slot_id: String,
}

/// Books another slot for a patient who was displaced, and notes that with it this was done. A slot that is
/// taken is 409 `slot_taken` with `alternatives`.
#[utoipa::path(post, path = "/loans/displaced/{id}/rebook", tag = "loans", request_body = Rebooking,
    params(("id" = Uuid, Path, description = "The booking."), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = AppointmentView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn rebook(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<AppointmentId>,
    Posted { body: Rebooking { slot_id }, key }: Posted<Rebooking>,
) -> Answer<Response> {
    let (slot, in_view) = (slot_named(&slot_id)?, app.clone());
    let booked = once(&app, stamp, key, move |tx| {
        let booked = loan::rebook(tx, &stamp, id, slot)?;
        Ok((StatusCode::CREATED, AppointmentView::of(&in_view, booked, Qr::Without)))
    })
    .await;
    offer_alternatives(&app, stamp, booked, None).await
}

/// Says what was done for a patient who was displaced.
#[utoipa::path(post, path = "/loans/displaced/{id}/done", tag = "loans", request_body = OverrideReason,
    params(("id" = Uuid, Path, description = "The booking.")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn done(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<AppointmentId>,
    Body(OverrideReason { reason }): Body<OverrideReason>,
) -> Answer<StatusCode> {
    app.db.write(move |tx| loan::done(tx, &stamp, id, Some(reason))).await?;
    Ok(StatusCode::NO_CONTENT)
}
