//! The steps of a conversation on the wire: each is a POST that answers the conversation, but for a ticket.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prm::conversation::{self, Conversation};
use prm::db::Tx;
use prm::error::Result;
use prm::id::{ConversationId, PatientId, StaffId};
use prm::staff::{self, Colleague};
use prm::stamp::{Right, Stamp};
use prm::ticket;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::view::ConversationView;
use crate::app::App;
use crate::http::auth::Caller;
use crate::http::error::{Answer, Problem};
use crate::http::idempotency::{Posted, once};
use crate::http::json::{Asked, Body, Segment};
use crate::http::page::{Page, Part};
use crate::http::tickets::{NewTicket, TicketView};
use crate::http::version::{Seen, Versioned};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(take_over))
        .routes(routes!(give_back))
        .routes(routes!(assignees))
        .routes(routes!(assign))
        .routes(routes!(read))
        .routes(routes!(identify))
        .routes(routes!(open_ticket))
}

async fn step(
    app: &App,
    stamp: Stamp,
    verb: impl FnOnce(&mut Tx<'_>) -> Result<Conversation> + Send + 'static,
) -> Answer<Versioned<ConversationView>> {
    let in_view = app.clone();
    let stepped = app.db.write(move |tx| {
        let now = verb(tx)?;
        Ok((now.version, ConversationView::of(&in_view, (tx, &stamp), now)?))
    });
    let (version, view) = stepped.await?;
    Ok(Versioned(version, view))
}

/// The desk answers from now on: reception is silent. Who takes it over has it.
#[utoipa::path(post, path = "/conversations/{id}/take-over", tag = "conversations",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = ConversationView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem)))]
async fn take_over(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ConversationId>,
    Seen(seen): Seen,
) -> Answer<Versioned<ConversationView>> {
    step(&app, stamp, move |tx| conversation::take_over(tx, &stamp, id, seen)).await
}

/// Reception answers again, and nobody has it.
#[utoipa::path(post, path = "/conversations/{id}/give-back", tag = "conversations",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = ConversationView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem)))]
async fn give_back(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ConversationId>,
    Seen(seen): Seen,
) -> Answer<Versioned<ConversationView>> {
    step(&app, stamp, move |tx| conversation::give_back(tx, &stamp, id, seen)).await
}

/// Somebody to whom a conversation may be given.
#[derive(Debug, Serialize, ToSchema)]
struct Assignee {
    id: Uuid,
    name: String,
}

/// Those of the staff to whom conversations may be given, by name.
#[utoipa::path(get, path = "/conversations/assignees", tag = "conversations", params(Part),
    responses((status = 200, body = Page<Assignee>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn assignees(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<Assignee>>> {
    let all = app.db.read(move |read| staff::who_may(read, &stamp, Right::Converse)).await?;
    let page = part.of("conversations/assignees", all, |one| one.id.uuid())?;
    Ok(Json(page.map(|Colleague { id, name }| Assignee { id: id.uuid(), name })))
}

/// Who is to have a conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Assignment {
    /// Null is nobody.
    #[schema(value_type = Option<Uuid>)]
    staff_id: Option<StaffId>,
}

/// Gives a conversation to somebody of the staff, who answers from then on, or to nobody.
#[utoipa::path(post, path = "/conversations/{id}/assign", tag = "conversations", request_body = Assignment,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = ConversationView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn assign(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ConversationId>,
    Seen(seen): Seen,
    Body(Assignment { staff_id }): Body<Assignment>,
) -> Answer<Versioned<ConversationView>> {
    step(&app, stamp, move |tx| conversation::assign(tx, &stamp, id, staff_id, seen)).await
}

/// Notes that a person has seen all that was said.
#[utoipa::path(post, path = "/conversations/{id}/read", tag = "conversations", params(("id" = Uuid, Path)),
    responses((status = 200, body = ConversationView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn read(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ConversationId>,
) -> Answer<Versioned<ConversationView>> {
    step(&app, stamp, move |tx| conversation::read(tx, &stamp, id)).await
}

/// Who the person is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Identity {
    /// Null is that it is open again.
    #[schema(value_type = Option<Uuid>)]
    patient_id: Option<PatientId>,
}

/// Says who the person is. What was spoken with them elsewhere is joined to it.
#[utoipa::path(post, path = "/conversations/{id}/identify", tag = "conversations", request_body = Identity,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = ConversationView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn identify(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ConversationId>,
    Body(Identity { patient_id }): Body<Identity>,
) -> Answer<Versioned<ConversationView>> {
    step(&app, stamp, move |tx| conversation::identify(tx, &stamp, id, patient_id)).await
}

/// Writes down something that is to be done for the person; for the patient of the conversation when it is not said
/// for whom.
#[utoipa::path(post, path = "/conversations/{id}/tickets", tag = "conversations", request_body = NewTicket,
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = TicketView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn open_ticket(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ConversationId>,
    Posted { body, key }: Posted<NewTicket>,
) -> Answer<Response> {
    let in_view = app.clone();
    once(&app, stamp, key, move |tx| {
        let from = conversation::get(tx, &stamp, id)?;
        let mut opening = body.opening(Some(from.id));
        opening.patient = opening.patient.or(from.patient);
        let opened = ticket::open(tx, &stamp, opening)?;
        Ok((StatusCode::CREATED, TicketView::of(&in_view, opened)))
    })
    .await
}
