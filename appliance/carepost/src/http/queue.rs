//! The queue on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use prm::db::Tx;
use prm::error::Result;
use prm::id::{LocationId, Noun, PatientId, PractitionerId, QueueEntryId};
use prm::queue::{self, Board, Called, Joined, Line, Place, QueueEntry, Waiting};
use prm::stamp::{Right, Stamp};
use prm::time::local_date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::appointments::Why;
use super::auth::Caller;
use super::check_ins::given;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Body, Segment};
use super::page::{Page, Part};
use super::read_audit;
use super::version::{Seen, Versioned};
use super::words::{QueueKind, QueueStatus};
use crate::app::App;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, join))
        .routes(routes!(call_next))
        .routes(routes!(board))
        .routes(routes!(call))
        .routes(routes!(recall))
        .routes(routes!(skip))
        .routes(routes!(rejoin))
        .routes(routes!(finish))
        .routes(routes!(leave))
        .routes(routes!(prioritise))
}

/// Who waits; nobody knows yet at the desk's own line.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct WaitingPatient {
    id: Uuid,
    name: String,
}

/// Somebody's place in the queue of one day.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = QueueEntry)]
pub struct QueueEntryView {
    id: Uuid,
    version: i64,
    date: String,
    /// What is on the ticket, for example `A-012`.
    token: String,
    #[schema(value_type = QueueKind)]
    kind: &'static str,
    #[schema(value_type = QueueStatus)]
    status: &'static str,
    patient: Option<WaitingPatient>,
    practitioner_id: Option<Uuid>,
    location_id: Option<Uuid>,
    /// What is on the door.
    room: Option<String>,
    appointment_id: Option<Uuid>,
    joined_at: String,
    /// What orders the line.
    due: String,
    called_at: Option<String>,
    calls: i64,
    finished_at: Option<String>,
    /// How many wait before.
    ahead: i64,
    estimate_minutes: Option<i64>,
    priority_reason: Option<String>,
}

impl QueueEntryView {
    /// An entry as the API shows it.
    pub fn of(app: &App, entry: QueueEntry, place: Place) -> Self {
        let QueueEntry {
            id,
            version,
            date,
            token,
            kind,
            status,
            patient,
            patient_name,
            practitioner,
            location,
            room,
            appointment,
            joined_at,
            due,
            called_at,
            calls,
            finished_at,
            priority_reason,
        } = entry;
        Self {
            id: id.uuid(),
            version,
            date: date.to_string(),
            token,
            kind: kind.as_str(),
            status: status.as_str(),
            patient: patient
                .zip(patient_name)
                .map(|(id, name)| WaitingPatient { id: id.uuid(), name }),
            practitioner_id: practitioner.map(|id| id.uuid()),
            location_id: location.map(|id| id.uuid()),
            room,
            appointment_id: appointment.map(|id| id.uuid()),
            joined_at: app.local(joined_at),
            due: app.local(due),
            called_at: called_at.map(|time| app.local(time)),
            calls,
            finished_at: finished_at.map(|time| app.local(time)),
            ahead: place.ahead,
            estimate_minutes: place.estimate_minutes,
            priority_reason,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct QueueAsked {
    /// The local date; today when it is not said.
    #[param(value_type = Option<String>)]
    date: Option<Date>,
    /// Only this practitioner's line.
    #[param(value_type = Option<Uuid>)]
    practitioner: Option<PractitionerId>,
    /// At most so many, 1 to 500; 500 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// The queue of a day in the order of the line, those who are through included.
#[utoipa::path(get, path = "/queue", tag = "queue", params(QueueAsked),
    responses((status = 200, body = Page<QueueEntryView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(QueueAsked { date, practitioner, limit, cursor }): Asked<QueueAsked>,
) -> Answer<Json<Page<QueueEntryView>>> {
    let date = date.unwrap_or_else(|| local_date(&app.clinic.zone, stamp.now));
    let entries =
        app.db.read(move |read| queue::list_with_places(read, &stamp, date, practitioner)).await?;
    read_audit::listed(&app, stamp, Noun::QueueEntry).await?;
    let page = Part { limit, cursor }.of("queue", entries, |(entry, _)| entry.id.uuid())?;
    Ok(Json(page.map(|(entry, place)| QueueEntryView::of(&app, entry, place))))
}

/// Somebody who came without an appointment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QueueWalkIn)]
struct WalkIn {
    #[schema(value_type = Uuid)]
    patient_id: PatientId,
    #[schema(value_type = Uuid)]
    practitioner_id: PractitionerId,
}

/// Puts a patient without an appointment into a practitioner's line: 201 with a token, 200 with the
/// same token for somebody who is in that line already.
#[utoipa::path(post, path = "/queue", tag = "queue", request_body = WalkIn,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = QueueEntryView), (status = 200, body = QueueEntryView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn join(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<WalkIn>,
) -> Answer<Response> {
    stamp.needs(Right::ReadQueue)?;
    let in_view = app.clone();
    once(&app, stamp, key, move |tx| {
        let Joined { entry, is_new } =
            queue::join_walk_in(tx, &stamp, body.patient_id, body.practitioner_id)?;
        let place = queue::place_of(tx, &stamp, &entry)?;
        Ok((given(is_new), QueueEntryView::of(&in_view, entry, place)))
    })
    .await
}

/// Whose next patient is called: one of the three.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CallNext {
    #[schema(value_type = Option<Uuid>)]
    practitioner_id: Option<PractitionerId>,
    #[schema(value_type = Option<Uuid>)]
    location_id: Option<LocationId>,
    /// The desk's own line.
    desk: Option<bool>,
    /// Finish with whoever is inside.
    finish_current: Option<bool>,
}

/// Calls whoever is next in a line; nobody there is 404 `queue_empty`. With an `Idempotency-Key` a
/// repetition calls nobody else.
#[utoipa::path(post, path = "/queue/call-next", tag = "queue", request_body = CallNext,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = QueueEntryView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn call_next(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<CallNext>,
) -> Answer<Response> {
    // An answer that was kept holds a name.
    stamp.needs(Right::RunQueue)?;
    let CallNext { practitioner_id, location_id, desk, finish_current } = body;
    let line = match (practitioner_id, location_id, desk.unwrap_or(false)) {
        (Some(id), None, false) => Line::Practitioner(id),
        (None, Some(id), false) => Line::Location(id),
        (None, None, true) => Line::Desk,
        (_, _, _) => {
            return Err(Problem::invalid(
                "practitioner_id",
                "name one line: practitioner_id, location_id or desk",
            ));
        }
    };
    let finish_current = finish_current.unwrap_or(false);
    let in_view = app.clone();
    once(&app, stamp, key, move |tx| {
        let entry = queue::call_next(tx, &stamp, line, finish_current)?;
        let place = queue::place_of(tx, &stamp, &entry)?;
        Ok((StatusCode::OK, QueueEntryView::of(&in_view, entry, place)))
    })
    .await
}

/// A token that was called.
#[derive(Serialize, ToSchema)]
struct CalledView {
    token: String,
    room: Option<String>,
    called_at: String,
    calls: i64,
}

/// A token that waits.
#[derive(Serialize, ToSchema)]
struct WaitingView {
    token: String,
    room: Option<String>,
}

/// What the waiting room sees: no names.
#[derive(Serialize, ToSchema)]
#[schema(as = Board)]
struct BoardView {
    now: String,
    called: Vec<CalledView>,
    waiting: Vec<WaitingView>,
}

/// The waiting room's board.
#[utoipa::path(get, path = "/queue/board", tag = "queue",
    responses((status = 200, body = BoardView), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn board(State(app): State<App>, Caller(stamp): Caller) -> Answer<Json<BoardView>> {
    let Board { called, waiting } = app.db.read(move |read| queue::board(read, &stamp)).await?;
    let called = called.into_iter().map(|Called { token, room, called_at, calls }| CalledView {
        token,
        room,
        called_at: app.local(called_at),
        calls,
    });
    let waiting =
        waiting.into_iter().map(|Waiting { token, room }| WaitingView { token, room }).collect();
    Ok(Json(BoardView { now: app.local(stamp.now), called: called.collect(), waiting }))
}

macro_rules! turns {
    ($($(#[$doc:meta])* $name:ident at $path:literal;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "queue",
            params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
            responses((status = 200, body = QueueEntryView), (status = 401, body = Problem), (status = 403, body = Problem),
                      (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
        async fn $name(
            State(app): State<App>,
            Caller(stamp): Caller,
            Segment(id): Segment<QueueEntryId>,
            Seen(seen): Seen,
        ) -> Answer<Versioned<QueueEntryView>> {
            turn(&app, stamp, move |tx| queue::$name(tx, &stamp, id, seen)).await
        }
    )*};
}

turns! {
    /// Calls somebody, out of turn if need be.
    call at "/queue/{id}/call";
    /// Calls somebody again who was called.
    recall at "/queue/{id}/recall";
    /// Passes over somebody who did not come; they may rejoin.
    skip at "/queue/{id}/skip";
    /// Puts somebody back into the line who was skipped.
    rejoin at "/queue/{id}/rejoin";
    /// Notes that somebody was seen; an appointment is fulfilled by it.
    finish at "/queue/{id}/finish";
    /// Notes that somebody went away unseen.
    leave at "/queue/{id}/leave";
}

/// Puts somebody first, for a reason that is written down.
#[utoipa::path(post, path = "/queue/{id}/prioritise", tag = "queue", request_body = Why,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = QueueEntryView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn prioritise(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<QueueEntryId>,
    Seen(seen): Seen,
    Body(Why { reason }): Body<Why>,
) -> Answer<Versioned<QueueEntryView>> {
    turn(&app, stamp, move |tx| queue::prioritise(tx, &stamp, (id, seen), reason)).await
}

async fn turn<F>(app: &App, stamp: Stamp, verb: F) -> Answer<Versioned<QueueEntryView>>
where
    F: FnOnce(&mut Tx<'_>) -> Result<QueueEntry> + Send + 'static,
{
    let (entry, place) = app
        .db
        .write(move |tx| {
            let entry = verb(tx)?;
            let place = queue::place_of(tx, &stamp, &entry)?;
            Ok((entry, place))
        })
        .await?;
    Ok(Versioned(entry.version, QueueEntryView::of(app, entry, place)))
}
