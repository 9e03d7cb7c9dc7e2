//! Who waits for a time, on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use prm::db::Tx;
use prm::id::{HealthcareServiceId, Noun, PatientId, PractitionerId, SlotId, WaitlistId};
use prm::time::plus_minutes;
use prm::waitlist::{self, Entry, Filter, LIST_MAX, Offer, PartOfDay, Status, Wish};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::appointments::{offer_alternatives, slot_named};
use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Body, Segment};
use super::page::{self, Page, Part};
use super::read_audit;
use super::version::{Seen, Versioned};
use super::words;
use crate::app::App;
use crate::offers;

/// The word of the list, for its cursors.
const LIST: &str = "waitlist";
/// As long is a time offered when it is not said, in minutes.
const OFFER_MINUTES: i64 = 60;
/// As long may it be offered, in minutes.
const OFFER_MINUTES_MAX: i64 = 7 * 24 * 60;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, join))
        .routes(routes!(fitting))
        .routes(routes!(get))
        .routes(routes!(offer))
        .routes(routes!(decline))
        .routes(routes!(book))
        .routes(routes!(withdraw))
}

/// A time that was offered.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct OfferedTime {
    slot_id: String,
    /// RFC 3339 with the clinic's offset.
    start: String,
    /// Until when it is theirs to say yes.
    until: String,
}

/// Somebody who waits for a time.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WaitlistEntry)]
struct EntryView {
    id: Uuid,
    version: i64,
    patient_id: Uuid,
    patient_name: String,
    /// E.164.
    patient_phone: Option<String>,
    practitioner_id: Option<Uuid>,
    specialty: Option<String>,
    service_id: Option<Uuid>,
    /// The first local date that will do.
    from: String,
    /// The last local date that will do.
    to: String,
    #[schema(value_type = Option<words::PartOfDay>)]
    part_of_day: Option<&'static str>,
    note: Option<String>,
    #[schema(value_type = words::WaitlistStatus)]
    status: &'static str,
    /// Since when they wait.
    joined_at: String,
    offer: Option<OfferedTime>,
    /// When the time begins that they said no to last; it is not offered to them again.
    declined: Option<String>,
    appointment_id: Option<Uuid>,
}

/// Somebody who was offered a time.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WaitlistOffered)]
struct OfferedView {
    #[serde(flatten)]
    entry: EntryView,
    /// Whether it goes to them as a message; else nobody has told them yet.
    told: bool,
}

impl EntryView {
    fn of(app: &App, entry: Entry) -> Self {
        let Entry {
            id,
            version,
            patient,
            patient_name,
            patient_phone,
            wish,
            note,
            status,
            joined_at,
            offer,
            declined,
            appointment,
        } = entry;
        let Wish { practitioner, specialty, healthcare_service, first_day, last_day, part_of_day } =
            wish;
        Self {
            id: id.uuid(),
            version,
            patient_id: patient.uuid(),
            patient_name,
            patient_phone,
            practitioner_id: practitioner.map(|id| id.uuid()),
            specialty,
            service_id: healthcare_service.map(|id| id.uuid()),
            from: first_day.to_string(),
            to: last_day.to_string(),
            part_of_day: part_of_day.map(PartOfDay::as_str),
            note,
            status: status.as_str(),
            joined_at: app.local(joined_at),
            offer: offer.map(|offer| OfferedTime {
                slot_id: offer.slot.to_string(),
                start: app.local(offer.slot.start()),
                until: app.local(offer.until),
            }),
            declined: declined.map(|slot| app.local(slot.start())),
            appointment_id: appointment.map(|id| id.uuid()),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WaitlistAsked {
    /// `waiting`, `offered`, `booked` or `withdrawn`; the first two when it is not said.
    status: Option<String>,
    /// Of this patient.
    #[param(value_type = Option<Uuid>)]
    patient: Option<PatientId>,
    /// At most so many, 1 to 500; 100 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Who waits, in the order in which they joined.
#[utoipa::path(get, path = "/waitlist", tag = "waitlist", params(WaitlistAsked),
    responses((status = 200, body = Page<EntryView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(WaitlistAsked { status, patient, limit, cursor }): Asked<WaitlistAsked>,
) -> Answer<Json<Page<EntryView>>> {
    let status = status.map(|word| Status::parse(&word)).transpose()?;
    let skip: u32 = cursor.map(|text| page::decode(LIST, &text)).transpose()?.unwrap_or(0);
    let limit = page::limit(limit).min(LIST_MAX - 1);
    let filter = Filter { status, patient, skip };
    let found = app.db.read(move |read| waitlist::list(read, &stamp, filter, limit + 1)).await?;
    read_audit::listed(&app, stamp, Noun::Waitlist).await?;
    let page = Page::cut(LIST, found, limit, |_| skip.saturating_add(limit));
    Ok(Json(page.map(|entry| EntryView::of(&app, entry))))
}

/// Which time is meant.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TimeAsked {
    /// The id of a slot.
    slot: String,
    /// At most so many, 1 to 500; 500 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Whom a time would suit, in the order in which they joined, at most 20: for a time that became free.
#[utoipa::path(get, path = "/waitlist/fitting", tag = "waitlist", params(TimeAsked),
    responses((status = 200, body = Page<EntryView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn fitting(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(TimeAsked { slot, limit, cursor }): Asked<TimeAsked>,
) -> Answer<Json<Page<EntryView>>> {
    let slot = slot_named(&slot)?;
    let found = app.db.read(move |read| waitlist::fitting(read, &stamp, slot)).await?;
    read_audit::listed(&app, stamp, Noun::Waitlist).await?;
    let page = Part { limit, cursor }.of("waitlist/fitting", found, |entry| entry.id.uuid())?;
    Ok(Json(page.map(|entry| EntryView::of(&app, entry))))
}

/// What somebody waits for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWish {
    #[schema(value_type = Uuid)]
    patient_id: PatientId,
    /// One of the three at least: a practitioner, a speciality, a service.
    #[schema(value_type = Option<Uuid>)]
    practitioner_id: Option<PractitionerId>,
    specialty: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    service_id: Option<HealthcareServiceId>,
    /// The first local date that will do.
    #[schema(value_type = String)]
    from: Date,
    /// The last local date that will do.
    #[schema(value_type = String)]
    to: Date,
    #[schema(value_type = Option<words::PartOfDay>)]
    part_of_day: Option<String>,
    note: Option<String>,
}

/// Puts a patient on the list. The same wish of the same patient is on it once.
#[utoipa::path(post, path = "/waitlist", tag = "waitlist", request_body = NewWish,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = EntryView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn join(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<NewWish>,
) -> Answer<Response> {
    let NewWish { patient_id, practitioner_id, specialty, service_id, from, to, part_of_day, note } =
        body;
    let wish = Wish {
        practitioner: practitioner_id,
        specialty,
        healthcare_service: service_id,
        first_day: from,
        last_day: to,
        part_of_day: part_of_day.map(|word| PartOfDay::parse(&word)).transpose()?,
    };
    let in_view = app.clone();
    once(&app, stamp, key, move |tx| {
        let joined = waitlist::join(tx, &stamp, patient_id, (wish, note))?;
        Ok((StatusCode::CREATED, EntryView::of(&in_view, joined)))
    })
    .await
}

/// One who waits.
#[utoipa::path(get, path = "/waitlist/{id}", tag = "waitlist", params(("id" = Uuid, Path)),
    responses((status = 200, body = EntryView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<WaitlistId>,
) -> Answer<Versioned<EntryView>> {
    let found = app.db.read(move |read| waitlist::get(read, &stamp, id)).await?;
    read_audit::read(&app, stamp, Noun::Waitlist, id.as_bytes(), found.patient).await?;
    Ok(Versioned(found.version, EntryView::of(&app, found)))
}

/// A time that is offered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOffer {
    /// The id of a slot.
    slot_id: String,
    /// As long it is theirs to say yes, 1 to 10080; 60 when it is not said.
    minutes: Option<i64>,
}

/// Offers somebody a time, and says it to them if there is a way: for so long they are offered no other. The slot is not
/// held.
#[utoipa::path(post, path = "/waitlist/{id}/offer", tag = "waitlist", request_body = NewOffer,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = OfferedView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem),
              (status = 422, body = Problem)))]
async fn offer(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<WaitlistId>,
    Seen(seen): Seen,
    Body(NewOffer { slot_id, minutes }): Body<NewOffer>,
) -> Answer<Versioned<OfferedView>> {
    let minutes = minutes.unwrap_or(OFFER_MINUTES).clamp(1, OFFER_MINUTES_MAX);
    let offer = Offer { slot: slot_named(&slot_id)?, until: plus_minutes(stamp.now, minutes) };
    let saying = app.clone();
    let offering = move |tx: &mut Tx<'_>| {
        let entry = waitlist::offer(tx, &stamp, (id, seen), offer)?;
        let told = offers::say(tx, &saying, &entry)?;
        Ok((entry, told))
    };
    let (entry, told) = app.db.write(offering).await?;
    Ok(Versioned(entry.version, OfferedView { entry: EntryView::of(&app, entry), told }))
}

/// Notes that somebody said no to the time that they were offered: they wait on, and it is not offered to them again.
/// Without an offer it is 409 `illegal_step`.
#[utoipa::path(post, path = "/waitlist/{id}/decline", tag = "waitlist",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = EntryView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn decline(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<WaitlistId>,
    Seen(seen): Seen,
) -> Answer<Versioned<EntryView>> {
    let entry = app.db.write(move |tx| waitlist::decline(tx, &stamp, (id, seen))).await?;
    Ok(Versioned(entry.version, EntryView::of(&app, entry)))
}

/// Which time somebody takes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TakenTime {
    /// The id of a slot.
    slot_id: String,
}

/// Books a time for somebody who waits, for the service that they wait for. A slot that is taken is 409 `slot_taken`
/// with `alternatives`.
#[utoipa::path(post, path = "/waitlist/{id}/book", tag = "waitlist", request_body = TakenTime,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = EntryView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem),
              (status = 422, body = Problem)))]
async fn book(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<WaitlistId>,
    Seen(seen): Seen,
    Body(TakenTime { slot_id }): Body<TakenTime>,
) -> Answer<Versioned<EntryView>> {
    let slot: SlotId = slot_named(&slot_id)?;
    let booked = app.db.write(move |tx| waitlist::take(tx, &stamp, (id, seen), slot)).await;
    let entry = offer_alternatives(&app, stamp, booked.map_err(Problem::from), None).await?;
    Ok(Versioned(entry.version, EntryView::of(&app, entry)))
}

/// Takes somebody off the list.
#[utoipa::path(post, path = "/waitlist/{id}/withdraw", tag = "waitlist",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = EntryView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn withdraw(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<WaitlistId>,
    Seen(seen): Seen,
) -> Answer<Versioned<EntryView>> {
    let entry = app.db.write(move |tx| waitlist::withdraw(tx, &stamp, (id, seen))).await?;
    Ok(Versioned(entry.version, EntryView::of(&app, entry)))
}
