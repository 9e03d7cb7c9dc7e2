//! Leave of practitioners on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use prm::id::{LeaveId, Noun, PatientId, PractitionerId};
use prm::schedule::{self, Leave};
use prm::time::{local_date, next_day, start_of_day};
use prm::{appointment, audit};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::appointments::{AppointmentView, Qr};
use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Segment};
use super::page::{Page, Part};
use super::version::Seen;
use crate::app::App;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, take)).routes(routes!(cancel))
}

/// Days on which a practitioner is away.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Leave)]
struct LeaveView {
    id: Uuid,
    version: i64,
    practitioner_id: Uuid,
    /// The first day.
    from: String,
    /// The last day.
    to: String,
    reason: Option<String>,
}

impl From<Leave> for LeaveView {
    fn from(leave: Leave) -> Self {
        let Leave { id, version, practitioner, from, to, reason } = leave;
        Self {
            id: id.uuid(),
            version,
            practitioner_id: practitioner.uuid(),
            from: from.to_string(),
            to: to.to_string(),
            reason,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LeavesAsked {
    /// Of this practitioner.
    #[param(value_type = Option<Uuid>)]
    practitioner: Option<PractitionerId>,
    /// That end on this date or later; today when it is not said.
    #[param(value_type = Option<String>)]
    from: Option<Date>,
    /// At most so many, 1 to 500; 500 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Leaves by their first day.
#[utoipa::path(get, path = "/leaves", tag = "diary", params(LeavesAsked),
    responses((status = 200, body = Page<LeaveView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(LeavesAsked { practitioner, from, limit, cursor }): Asked<LeavesAsked>,
) -> Answer<Json<Page<LeaveView>>> {
    let from = from.unwrap_or_else(|| local_date(&app.clinic.zone, stamp.now));
    let leaves =
        app.db.read(move |read| schedule::leaves(read, &stamp, practitioner, from)).await?;
    let page = Part { limit, cursor }.of("leaves", leaves, |leave| leave.id.uuid())?;
    Ok(Json(page.map(LeaveView::from)))
}

/// A leave that is to be taken.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLeave {
    #[schema(value_type = Uuid)]
    practitioner_id: PractitionerId,
    /// The first day.
    #[schema(value_type = String)]
    from: Date,
    /// The last day.
    #[schema(value_type = String)]
    to: Date,
    reason: Option<String>,
}

/// A leave that was taken, and what it leaves to be moved.
#[derive(Serialize, ToSchema)]
struct TakenLeave {
    leave: LeaveView,
    /// Appointments inside it that are still to take place.
    affected: Vec<AppointmentView>,
}

/// Takes a practitioner's sessions of some days away. Appointments that are there stay, and are
/// answered, to be moved.
#[utoipa::path(post, path = "/leaves", tag = "diary", request_body = NewLeave,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = TakenLeave), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn take(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<NewLeave>,
) -> Answer<Response> {
    let NewLeave { practitioner_id, from, to, reason } = body;
    let in_view = app.clone();
    once(&app, stamp, key, move |tx| {
        let leave = schedule::take_leave(tx, &stamp, practitioner_id, (from, to), reason)?;
        let zone = &in_view.clinic.zone;
        let days = (start_of_day(zone, from), start_of_day(zone, next_day(to)));
        let affected = appointment::standing_of(tx, &stamp, practitioner_id, days)?;
        let patients: Vec<PatientId> = affected.iter().map(|one| one.patient).collect();
        audit::were_listed(tx, &stamp, Noun::Appointment, &patients)?;
        let affected = affected.into_iter();
        let affected =
            affected.map(|one| AppointmentView::of(&in_view, one, Qr::Without)).collect();
        Ok((StatusCode::CREATED, TakenLeave { leave: leave.into(), affected }))
    })
    .await
}

/// Takes a leave back.
#[utoipa::path(delete, path = "/leaves/{id}", tag = "diary",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem)))]
async fn cancel(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<LeaveId>,
    Seen(seen): Seen,
) -> Answer<StatusCode> {
    app.db.write(move |tx| schedule::cancel_leave(tx, &stamp, id, seen)).await?;
    Ok(StatusCode::NO_CONTENT)
}
