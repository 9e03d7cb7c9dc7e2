//! Appointments on the wire: reading and booking here, the steps after it in `steps`, what they
//! look like in `view`.

mod steps;
mod view;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use prm::appointment::{self, Booking, Every, Filter, Status, Unit};
use prm::error::Code;
use prm::id::{AppointmentId, HealthcareServiceId, Noun, PatientId, PractitionerId, SlotId};
use prm::slot;
use prm::stamp::Stamp;
use prm::time::start_of_day;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) use self::steps::Why;
pub use self::view::{AppointmentView, Qr, qr_of};
use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Segment};
use super::page::{self, Page};
use super::slots::SlotView;
use super::version::Versioned;
use crate::app::App;

/// Appointments of a list when the caller does not say.
const LIMIT_DEFAULT: u32 = 500;
/// The word of the list, for its cursors.
const LIST: &str = "appointments";

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, book))
        .routes(routes!(get))
        .routes(routes!(qr))
        .routes(routes!(book_series))
        .merge(steps::routes())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AppointmentsAsked {
    /// From this local date on.
    #[param(value_type = Option<String>)]
    from: Option<Date>,
    /// To before this local date.
    #[param(value_type = Option<String>)]
    to: Option<Date>,
    /// With this practitioner.
    #[param(value_type = Option<Uuid>)]
    practitioner: Option<PractitionerId>,
    /// Of this patient.
    #[param(value_type = Option<Uuid>)]
    patient: Option<PatientId>,
    /// In this status, FHIR's word for it.
    status: Option<String>,
    /// At most so many, 1 to 2000; 500 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Appointments by start. Their `qr` is null here; read one of them for it.
#[utoipa::path(get, path = "/appointments", tag = "appointments", params(AppointmentsAsked),
    responses((status = 200, body = Page<AppointmentView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(asked): Asked<AppointmentsAsked>,
) -> Answer<Json<Page<AppointmentView>>> {
    let AppointmentsAsked { from, to, practitioner, patient, status, limit, cursor } = asked;
    let status = status.map(|word| Status::parse(&word)).transpose()?;
    let after: Option<(i64, Uuid)> = cursor.map(|text| page::decode(LIST, &text)).transpose()?;
    let after = after
        .map(|(start, id)| (prm::time::from_ms(start), AppointmentId::from_bytes(id.into_bytes())));
    let midnight = |date: Date| start_of_day(&app.clinic.zone, date);
    let filter = Filter {
        from: from.map(midnight),
        to: to.map(midnight),
        practitioner,
        patient,
        status,
        after,
    };
    let limit = limit.unwrap_or(LIMIT_DEFAULT).clamp(1, appointment::LIST_MAX - 1);
    let found =
        app.db.read(move |read| appointment::list(read, &stamp, &filter, limit + 1)).await?;
    super::read_audit::listed(&app, stamp, Noun::Appointment).await?;
    let page = Page::cut(LIST, found, limit, |last| (prm::time::to_ms(last.start), last.id.uuid()));
    Ok(Json(page.map(|found| AppointmentView::of(&app, found, Qr::Without))))
}

/// One appointment with its QR.
#[utoipa::path(get, path = "/appointments/{id}", tag = "appointments", params(("id" = Uuid, Path)),
    responses((status = 200, body = AppointmentView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<AppointmentId>,
) -> Answer<Versioned<AppointmentView>> {
    let found = read_one(&app, stamp, id).await?;
    Ok(Versioned(found.version, AppointmentView::of(&app, found, Qr::Signed)))
}

/// The appointment's QR as a picture, to print or to show.
#[utoipa::path(get, path = "/appointments/{id}/qr.svg", tag = "appointments", params(("id" = Uuid, Path)),
    responses((status = 200, content_type = "image/svg+xml", body = String), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn qr(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<AppointmentId>,
) -> Answer<Response> {
    let found = read_one(&app, stamp, id).await?;
    let text = view::qr_of(&app, &found).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "no_qr",
            "only an appointment that is still to come has a QR",
        )
    })?;
    let code =
        qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).map_err(|_| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "the QR could not be made")
        })?;
    let picture = code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(320, 320).build();
    let kind = HeaderValue::from_static("image/svg+xml");
    Ok(([(CONTENT_TYPE, kind)], picture).into_response())
}

async fn read_one(app: &App, stamp: Stamp, id: AppointmentId) -> Answer<appointment::Appointment> {
    let found = app.db.read(move |read| appointment::get(read, &stamp, id)).await?;
    super::read_audit::read(app, stamp, Noun::Appointment, id.as_bytes(), found.patient).await?;
    Ok(found)
}

/// Booking over a taken slot.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Overbook {
    /// Why.
    reason: String,
}

/// What is said to book.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAppointment {
    #[schema(value_type = Uuid)]
    patient_id: PatientId,
    /// The id of a slot.
    slot_id: String,
    reason: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    service_id: Option<HealthcareServiceId>,
    /// Book even if the slot is taken; staff only.
    overbook: Option<Overbook>,
    /// Only hold it, so many minutes, 1 to 60.
    hold_minutes: Option<i64>,
}

/// Books a slot, or holds it. A slot that is taken is 409 `slot_taken` with `alternatives`.
#[utoipa::path(post, path = "/appointments", tag = "appointments", request_body = NewAppointment,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = AppointmentView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn book(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<NewAppointment>,
) -> Answer<Response> {
    let NewAppointment { patient_id, slot_id, reason, service_id, overbook, hold_minutes } = body;
    let booking = Booking {
        id: AppointmentId::new(stamp.now),
        patient: patient_id,
        slot: slot_named(&slot_id)?,
        healthcare_service: service_id,
        reason,
        overbook: overbook.map(|overbook| overbook.reason),
        hold_minutes,
        series: None,
    };
    // Signed before the writer's turn, which others wait for.
    let qr = view::sign(&app, booking.id, booking.slot.start());
    let (service, in_view) = (booking.healthcare_service, app.clone());
    let booked = once(&app, stamp, key, move |tx| {
        let appointment = appointment::book(tx, &stamp, booking)?;
        let view = AppointmentView::of(&in_view, appointment, Qr::Ready(qr));
        Ok((StatusCode::CREATED, view))
    })
    .await;
    offer_alternatives(&app, stamp, booked, service).await
}

/// How a series repeats.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Repeats {
    /// `day`, `week` or `month`.
    unit: String,
    /// Every so many of them, 1 to 12.
    interval: i64,
    /// So many times, 2 to 52, the first one counted.
    count: i64,
}

/// What is said to book a series.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSeries {
    #[schema(value_type = Uuid)]
    patient_id: PatientId,
    /// The first one.
    slot_id: String,
    every: Repeats,
    reason: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    service_id: Option<HealthcareServiceId>,
}

/// An occurrence that could not be booked.
#[derive(Serialize, ToSchema)]
struct ConflictView {
    start: String,
    code: &'static str,
    detail: String,
}

/// What became of a series.
#[derive(Serialize, ToSchema)]
struct SeriesView {
    series_id: Uuid,
    booked: Vec<AppointmentView>,
    conflicts: Vec<ConflictView>,
}

/// Books a slot and its repetitions at the same local time, and reports those that could not be had.
#[utoipa::path(post, path = "/appointments/series", tag = "appointments", request_body = NewSeries,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = SeriesView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn book_series(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<NewSeries>,
) -> Answer<Response> {
    let NewSeries { patient_id, slot_id, every, reason, service_id } = body;
    let unit = match every.unit.as_str() {
        "day" => Unit::Day,
        "week" => Unit::Week,
        "month" => Unit::Month,
        _ => return Err(Problem::invalid("every.unit", "the unit is day, week or month")),
    };
    let every = Every { unit, interval: every.interval, count: every.count };
    let booking = Booking {
        id: AppointmentId::new(stamp.now),
        patient: patient_id,
        slot: slot_named(&slot_id)?,
        healthcare_service: service_id,
        reason,
        overbook: None,
        hold_minutes: None,
        series: None,
    };
    let in_view = app.clone();
    let booked = once(&app, stamp, key, move |tx| {
        let series = appointment::book_series(tx, &stamp, booking, every)?;
        let app = &in_view;
        let conflicts = series.conflicts.into_iter().map(|conflict| ConflictView {
            start: app.local(conflict.start),
            code: conflict.refusal.code.as_str(),
            detail: conflict.refusal.detail,
        });
        let booked = series.booked.into_iter();
        let view = SeriesView {
            series_id: series.id.uuid(),
            booked: booked.map(|one| AppointmentView::of(app, one, Qr::Without)).collect(),
            conflicts: conflicts.collect(),
        };
        Ok((StatusCode::CREATED, view))
    })
    .await;
    offer_alternatives(&app, stamp, booked, service_id).await
}

/// The slot that a request names.
pub(super) fn slot_named(text: &str) -> Answer<SlotId> {
    text.parse()
        .map_err(|_| Problem::invalid("slot_id", "this is no slot; take the id of one from /slots"))
}

/// Adds the nearest free slots to the refusal of one that cannot be had.
pub(super) async fn offer_alternatives<T>(
    app: &App,
    stamp: Stamp,
    answer: Answer<T>,
    service: Option<HealthcareServiceId>,
) -> Answer<T> {
    let problem = match answer {
        Ok(done) => return Ok(done),
        Err(problem) => problem,
    };
    let Some(
        Code::SlotTaken(wanted)
        | Code::SlotLent(wanted)
        | Code::SessionFull(wanted)
        | Code::LocationTaken(wanted),
    ) = problem.refused()
    else {
        return Err(problem);
    };
    let wanted = *wanted;
    let near = app.db.read(move |read| slot::nearest(read, &stamp, wanted, service)).await;
    // Whoever lost the slot hears so even if nothing else can be found.
    let near = near.unwrap_or_default();
    let views: Vec<_> = near.into_iter().map(|slot| SlotView::of(app, slot)).collect();
    Err(problem.with("alternatives", views))
}
