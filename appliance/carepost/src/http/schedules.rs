//! Weekly sessions on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use prm::id::{LocationId, PractitionerId, ScheduleId};
use prm::schedule::{self, Addition, Edit, Lending, LendingEdit, Schedule};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Body, Segment};
use super::page::{Page, Part};
use super::staff::even_null;
use super::version::{Seen, Versioned};
use super::words::Weekday;
use crate::app::App;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(get, edit, end))
}

/// A session that repeats on weekdays; valid on one date only, it is an extra session.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Schedule)]
pub struct ScheduleView {
    id: Uuid,
    version: i64,
    practitioner_id: Uuid,
    /// Where, if not in the practitioner's usual room.
    location_id: Option<Uuid>,
    /// Monday first.
    #[schema(value_type = Vec<Weekday>)]
    weekdays: Vec<&'static str>,
    /// Local time, `09:00`.
    start: String,
    /// Local time, `17:00`; `24:00` is midnight.
    end: String,
    slot_minutes: u16,
    /// How many patients one slot takes.
    slot_capacity: i64,
    /// How many patients one session takes in all, if bounded.
    session_capacity: Option<i64>,
    /// The first local date, if bounded.
    valid_from: Option<String>,
    /// The last local date, if bounded.
    valid_to: Option<String>,
    /// Whether it is in use.
    active: bool,
    /// The share of a day's free slots that is lent for booking online, in hundredths; null is as
    /// the settings say.
    loan_share_percent: Option<i64>,
    /// Nothing is lent, and nothing sold online, that begins sooner than in so many hours.
    loan_cutoff_hours: Option<i64>,
    /// Nothing is lent that begins later than in so many days.
    loan_horizon_days: Option<i64>,
}

impl From<Schedule> for ScheduleView {
    fn from(schedule: Schedule) -> Self {
        let Schedule {
            id,
            version,
            practitioner,
            location,
            weekdays,
            start_minute,
            end_minute,
            slot_minutes,
            slot_capacity,
            session_capacity,
            valid_from,
            valid_to,
            active,
            lending: Lending { share_percent, cutoff_hours, horizon_days },
        } = schedule;
        Self {
            id: id.uuid(),
            version,
            practitioner_id: practitioner.uuid(),
            location_id: location.map(|id| id.uuid()),
            weekdays: weekdays.words(),
            start: wall_clock(start_minute),
            end: wall_clock(end_minute),
            slot_minutes,
            slot_capacity,
            session_capacity,
            valid_from: valid_from.map(|date| date.to_string()),
            valid_to: valid_to.map(|date| date.to_string()),
            active,
            loan_share_percent: share_percent,
            loan_cutoff_hours: cutoff_hours,
            loan_horizon_days: horizon_days,
        }
    }
}

/// A session that is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSchedule {
    #[schema(value_type = Uuid)]
    practitioner_id: PractitionerId,
    #[schema(value_type = Vec<Weekday>)]
    weekdays: Vec<String>,
    /// Local time, `09:00`.
    start: String,
    /// Local time, `17:00`; `24:00` is midnight.
    end: String,
    /// In steps of five, 5 to 720.
    slot_minutes: i64,
    /// Where, if not in the practitioner's usual room.
    #[schema(value_type = Option<Uuid>)]
    location_id: Option<LocationId>,
    /// The first local date, if bounded.
    #[schema(value_type = Option<String>)]
    valid_from: Option<Date>,
    /// The last local date, if bounded.
    #[schema(value_type = Option<String>)]
    valid_to: Option<Date>,
    /// Patients per slot, 1 to 100; 1 when it is not said.
    slot_capacity: Option<i64>,
    /// Patients per session, 1 to 1000, if bounded.
    session_capacity: Option<i64>,
    /// Hundredths of a day's free slots that are lent for booking online, 0 to 100; as the settings say
    /// when it is not said.
    loan_share_percent: Option<i64>,
    /// Hours before the start at which a slot is neither lent nor sold online any more, 1 to 720; likewise.
    loan_cutoff_hours: Option<i64>,
    /// Days ahead that slots are lent, 1 to 35; likewise.
    loan_horizon_days: Option<i64>,
}

/// What is to be changed; what is left out stays. Other days, times or lengths are a new session.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ScheduleEdit {
    /// Null is the practitioner's usual room.
    #[serde(default, deserialize_with = "even_null")]
    #[schema(value_type = Option<Uuid>)]
    location_id: Option<Option<LocationId>>,
    /// Null is no bound.
    #[serde(default, deserialize_with = "even_null")]
    #[schema(value_type = Option<String>)]
    valid_from: Option<Option<Date>>,
    /// Null is no bound.
    #[serde(default, deserialize_with = "even_null")]
    #[schema(value_type = Option<String>)]
    valid_to: Option<Option<Date>>,
    /// Null is 1.
    #[serde(default, deserialize_with = "even_null")]
    slot_capacity: Option<Option<i64>>,
    /// Null is no bound.
    #[serde(default, deserialize_with = "even_null")]
    session_capacity: Option<Option<i64>>,
    /// 0 to 100; null is as the settings say.
    #[serde(default, deserialize_with = "even_null")]
    loan_share_percent: Option<Option<i64>>,
    /// 1 to 720; null is as the settings say.
    #[serde(default, deserialize_with = "even_null")]
    loan_cutoff_hours: Option<Option<i64>>,
    /// 1 to 35; null is as the settings say.
    #[serde(default, deserialize_with = "even_null")]
    loan_horizon_days: Option<Option<i64>>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SchedulesAsked {
    /// Of this practitioner.
    #[param(value_type = Option<Uuid>)]
    practitioner: Option<PractitionerId>,
    /// At most so many, 1 to 500; 500 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// The sessions that are in use.
#[utoipa::path(get, path = "/schedules", tag = "diary", params(SchedulesAsked),
    responses((status = 200, body = Page<ScheduleView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(SchedulesAsked { practitioner, limit, cursor }): Asked<SchedulesAsked>,
) -> Answer<Json<Page<ScheduleView>>> {
    let all = app.db.read(move |read| schedule::list(read, &stamp, practitioner)).await?;
    let page = Part { limit, cursor }.of("schedules", all, |one| one.id.uuid())?;
    Ok(Json(page.map(ScheduleView::from)))
}

/// Adds a session.
#[utoipa::path(post, path = "/schedules", tag = "diary", request_body = NewSchedule,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = ScheduleView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn add(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<NewSchedule>,
) -> Answer<Response> {
    let NewSchedule {
        practitioner_id,
        weekdays,
        start,
        end,
        slot_minutes,
        location_id,
        valid_from,
        valid_to,
        slot_capacity,
        session_capacity,
        loan_share_percent: share_percent,
        loan_cutoff_hours: cutoff_hours,
        loan_horizon_days: horizon_days,
    } = body;
    let addition = Addition {
        practitioner: practitioner_id,
        location: location_id,
        weekdays,
        start,
        end,
        slot_minutes,
        slot_capacity,
        session_capacity,
        valid_from,
        valid_to,
        lending: Lending { share_percent, cutoff_hours, horizon_days },
    };
    once(&app, stamp, key, move |tx| {
        Ok((StatusCode::CREATED, ScheduleView::from(schedule::add(tx, &stamp, addition)?)))
    })
    .await
}

/// One session.
#[utoipa::path(get, path = "/schedules/{id}", tag = "diary", params(("id" = Uuid, Path)),
    responses((status = 200, body = ScheduleView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ScheduleId>,
) -> Answer<Versioned<ScheduleView>> {
    let found = app.db.read(move |read| schedule::get(read, &stamp, id)).await?;
    Ok(Versioned(found.version, found.into()))
}

/// Changes where, for how many and how long a session is held. Other days, times or lengths are a
/// new session, so that the slots of this one stay what they are.
#[utoipa::path(patch, path = "/schedules/{id}", tag = "diary", request_body = ScheduleEdit,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = ScheduleView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ScheduleId>,
    Seen(seen): Seen,
    Body(body): Body<ScheduleEdit>,
) -> Answer<Versioned<ScheduleView>> {
    let ScheduleEdit {
        location_id,
        valid_from,
        valid_to,
        slot_capacity,
        session_capacity,
        loan_share_percent,
        loan_cutoff_hours,
        loan_horizon_days,
    } = body;
    let edit = Edit {
        location: location_id,
        slot_capacity: slot_capacity.map(|capacity| capacity.unwrap_or(1)),
        session_capacity,
        valid_from,
        valid_to,
        lending: LendingEdit {
            share_percent: loan_share_percent,
            cutoff_hours: loan_cutoff_hours,
            horizon_days: loan_horizon_days,
        },
    };
    let edited = app.db.write(move |tx| schedule::edit(tx, &stamp, id, seen, edit)).await?;
    Ok(Versioned(edited.version, edited.into()))
}

/// Ends a session: yesterday was its last day. Its appointments stay.
#[utoipa::path(delete, path = "/schedules/{id}", tag = "diary",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem)))]
async fn end(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ScheduleId>,
    Seen(seen): Seen,
) -> Answer<StatusCode> {
    app.db.write(move |tx| schedule::end(tx, &stamp, id, seen)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Minutes after local midnight as `09:00`.
fn wall_clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
