//! The steps after the booking on the wire: each is a POST that answers the appointment.

use axum::extract::State;
use prm::appointment::{self, Appointment};
use prm::check_in;
use prm::error::Result;
use prm::id::AppointmentId;
use prm::queue;
use prm::stamp::Stamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{AppointmentView, Qr};
use super::{Overbook, offer_alternatives, slot_named};
use crate::app::App;
use crate::http::auth::Caller;
use crate::http::error::{Answer, Problem};
use crate::http::json::{Body, Segment};
use crate::http::queue::QueueEntryView;
use crate::http::version::{Seen, Versioned};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(move_to))
        .routes(routes!(cancel))
        .routes(routes!(confirm))
        .routes(routes!(arrive))
        .routes(routes!(check_in))
        .routes(routes!(no_show))
        .routes(routes!(complete))
        .routes(routes!(enter_in_error))
}

/// Where an appointment is to be moved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Move {
    /// The id of a slot.
    slot_id: String,
    /// Move even if the slot is taken; staff only.
    overbook: Option<Overbook>,
}

/// Moves an appointment. A slot that is taken is 409 `slot_taken` with `alternatives`, and the
/// appointment stays where it was.
#[utoipa::path(post, path = "/appointments/{id}/move", tag = "appointments", request_body = Move,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = AppointmentView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn move_to(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<AppointmentId>,
    Seen(seen): Seen,
    Body(body): Body<Move>,
) -> Answer<Versioned<AppointmentView>> {
    let slot = slot_named(&body.slot_id)?;
    let overbook = body.overbook.map(|overbook| overbook.reason);
    let moved =
        step(&app, stamp, move |tx| appointment::move_to(tx, &stamp, (id, seen), slot, overbook))
            .await;
    offer_alternatives(&app, stamp, moved, None).await
}

/// Why something is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Why {
    /// The reason; it must be given.
    pub(in crate::http) reason: Option<String>,
}

/// Calls an appointment off; its time is free at once.
#[utoipa::path(post, path = "/appointments/{id}/cancel", tag = "appointments", request_body = Why,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = AppointmentView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn cancel(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<AppointmentId>,
    Seen(seen): Seen,
    Body(Why { reason }): Body<Why>,
) -> Answer<Versioned<AppointmentView>> {
    step(&app, stamp, move |tx| appointment::cancel(tx, &stamp, (id, seen), reason)).await
}

/// Turns a hold into a booking; of a booking, notes that the patient said again they will come.
#[utoipa::path(post, path = "/appointments/{id}/confirm", tag = "appointments",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = AppointmentView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn confirm(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<AppointmentId>,
    Seen(seen): Seen,
) -> Answer<Versioned<AppointmentView>> {
    plain(&app, stamp, (id, seen), appointment::confirm).await
}

/// Notes that the patient is on the premises.
#[utoipa::path(post, path = "/appointments/{id}/arrive", tag = "appointments",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = AppointmentView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn arrive(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<AppointmentId>,
    Seen(seen): Seen,
) -> Answer<Versioned<AppointmentView>> {
    plain(&app, stamp, (id, seen), appointment::arrive).await
}

/// Notes that the patient did not come; not before the start.
#[utoipa::path(post, path = "/appointments/{id}/no-show", tag = "appointments",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = AppointmentView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn no_show(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<AppointmentId>,
    Seen(seen): Seen,
) -> Answer<Versioned<AppointmentView>> {
    plain(&app, stamp, (id, seen), appointment::no_show).await
}

/// Notes that the visit took place.
#[utoipa::path(post, path = "/appointments/{id}/complete", tag = "appointments",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = AppointmentView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn complete(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<AppointmentId>,
    Seen(seen): Seen,
) -> Answer<Versioned<AppointmentView>> {
    plain(&app, stamp, (id, seen), appointment::complete).await
}

/// Notes that the appointment should never have been written.
#[utoipa::path(post, path = "/appointments/{id}/enter-in-error", tag = "appointments",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = AppointmentView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn enter_in_error(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<AppointmentId>,
    Seen(seen): Seen,
) -> Answer<Versioned<AppointmentView>> {
    plain(&app, stamp, (id, seen), appointment::enter_in_error).await
}

/// An appointment that was checked in at the desk, with its place in the queue.
#[derive(Serialize, ToSchema)]
struct CheckedIn {
    #[serde(flatten)]
    appointment: AppointmentView,
    queue_entry: QueueEntryView,
}

/// Checks a patient in who stands at the desk. Again: the same token.
#[utoipa::path(post, path = "/appointments/{id}/check-in", tag = "appointments",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = CheckedIn), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn check_in(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<AppointmentId>,
) -> Answer<Versioned<CheckedIn>> {
    stamp.needs(prm::stamp::Right::ReadAppointments)?;
    let (ticket, appointment) = app
        .db
        .write(move |tx| {
            let ticket = check_in::check_in(tx, &stamp, id)?;
            Ok((ticket, appointment::get(tx, &stamp, id)?))
        })
        .await?;
    let version = appointment.version;
    let appointment = AppointmentView::of(&app, appointment, Qr::Signed);
    let queue_entry = QueueEntryView::of(&app, ticket.entry, ticket.place);
    Ok(Versioned(version, CheckedIn { appointment, queue_entry }))
}

type Plain = fn(&mut prm::db::Tx<'_>, &Stamp, AppointmentId, Option<i64>) -> Result<Appointment>;

async fn plain(
    app: &App,
    stamp: Stamp,
    (id, seen): (AppointmentId, Option<i64>),
    verb: Plain,
) -> Answer<Versioned<AppointmentView>> {
    step(app, stamp, move |tx| verb(tx, &stamp, id, seen)).await
}

async fn step<F>(app: &App, stamp: Stamp, verb: F) -> Answer<Versioned<AppointmentView>>
where
    F: FnOnce(&mut prm::db::Tx<'_>) -> Result<Appointment> + Send + 'static,
{
    let appointment = app
        .db
        .write(move |tx| {
            let appointment = verb(tx)?;
            queue::ended(tx, &stamp, &appointment)?;
            Ok(appointment)
        })
        .await?;
    let version = appointment.version;
    Ok(Versioned(version, AppointmentView::of(app, appointment, Qr::Signed)))
}
