//! What the desk has to do, on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use prm::id::{ConversationId, Noun, PatientId, StaffId, TicketId};
use prm::ticket::{self, Edit, LIST_MAX, Opening, Reason, Status, Ticket};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Body, Segment, never_null};
use super::page::{self, Page};
use super::read_audit;
use super::staff::even_null;
use super::version::{Seen, Versioned};
use super::words::{TicketReason, TicketStatus};
use crate::app::App;

/// The word of the list, for its cursors.
const LIST: &str = "tickets";

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, open)).routes(routes!(get, edit))
}

/// Something that the desk has to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DeskTicket)]
pub(super) struct TicketView {
    id: Uuid,
    version: i64,
    /// Why there is a ticket.
    #[schema(value_type = TicketReason)]
    reason: &'static str,
    /// What is to be done; empty where the reason says it all.
    subject: String,
    patient_id: Option<Uuid>,
    patient_name: Option<String>,
    /// Where it came from, if from a conversation.
    conversation_id: Option<Uuid>,
    /// Who speaks there: the name that they go by, or else their address.
    conversation_name: Option<String>,
    /// By when; RFC 3339 with the clinic's offset.
    due: Option<String>,
    assignee_id: Option<Uuid>,
    assignee_name: Option<String>,
    #[schema(value_type = TicketStatus)]
    status: &'static str,
    opened_at: String,
    done_at: Option<String>,
}

impl TicketView {
    /// A ticket as the API shows it.
    pub(super) fn of(app: &App, ticket: Ticket) -> Self {
        let Ticket {
            id,
            version,
            reason,
            subject,
            patient,
            patient_name,
            conversation,
            conversation_name,
            due,
            assignee,
            assignee_name,
            status,
            opened_at,
            done_at,
        } = ticket;
        Self {
            id: id.uuid(),
            version,
            reason: reason.as_str(),
            subject,
            patient_id: patient.map(|id| id.uuid()),
            patient_name,
            conversation_id: conversation.map(|id| id.uuid()),
            conversation_name,
            due: due.map(|time| app.local(time)),
            assignee_id: assignee.map(|id| id.uuid()),
            assignee_name,
            status: status.as_str(),
            opened_at: app.local(opened_at),
            done_at: done_at.map(|time| app.local(time)),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TicketsAsked {
    /// `open` or `done`; `open` when it is not said.
    status: Option<String>,
    /// At most so many, 1 to 500; 100 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Tickets: what is open by when it is due and then by age, what is done the newest first.
#[utoipa::path(get, path = "/tickets", tag = "tickets", params(TicketsAsked),
    responses((status = 200, body = Page<TicketView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(TicketsAsked { status, limit, cursor }): Asked<TicketsAsked>,
) -> Answer<Json<Page<TicketView>>> {
    let status = status.map(|word| Status::parse(&word)).transpose()?.unwrap_or(Status::Open);
    let skip: u32 = cursor.map(|text| page::decode(LIST, &text)).transpose()?.unwrap_or(0);
    let limit = page::limit(limit).min(LIST_MAX - 1);
    let found =
        app.db.read(move |read| ticket::list(read, &stamp, (status, skip), limit + 1)).await?;
    read_audit::listed(&app, stamp, Noun::Ticket).await?;
    let page = Page::cut(LIST, found, limit, |_| skip.saturating_add(limit));
    Ok(Json(page.map(|found| TicketView::of(&app, found))))
}

/// A ticket that is to be written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTicket {
    /// What is to be done.
    pub(super) subject: String,
    #[schema(value_type = Option<Uuid>)]
    pub(super) patient_id: Option<PatientId>,
    /// By when; RFC 3339.
    #[schema(value_type = Option<String>)]
    pub(super) due: Option<Timestamp>,
    #[schema(value_type = Option<Uuid>)]
    pub(super) assignee_id: Option<StaffId>,
}

impl NewTicket {
    /// What is said to open it, in a conversation or without one.
    pub(super) fn opening(self, conversation: Option<ConversationId>) -> Opening {
        let Self { subject, patient_id, due, assignee_id } = self;
        Opening {
            reason: Reason::Written,
            subject,
            patient: patient_id,
            conversation,
            due,
            assignee: assignee_id,
        }
    }
}

/// Writes down something that is to be done.
#[utoipa::path(post, path = "/tickets", tag = "tickets", request_body = NewTicket,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = TicketView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn open(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<NewTicket>,
) -> Answer<Response> {
    let in_view = app.clone();
    once(&app, stamp, key, move |tx| {
        let opened = ticket::open(tx, &stamp, body.opening(None))?;
        Ok((StatusCode::CREATED, TicketView::of(&in_view, opened)))
    })
    .await
}

/// One ticket.
#[utoipa::path(get, path = "/tickets/{id}", tag = "tickets", params(("id" = Uuid, Path)),
    responses((status = 200, body = TicketView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<TicketId>,
) -> Answer<Versioned<TicketView>> {
    let found = app.db.read(move |read| ticket::get(read, &stamp, id)).await?;
    if let Some(patient) = found.patient {
        read_audit::read(&app, stamp, Noun::Ticket, id.as_bytes(), patient).await?;
    }
    Ok(Versioned(found.version, TicketView::of(&app, found)))
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TicketEdit {
    #[serde(default, deserialize_with = "never_null")]
    subject: Option<String>,
    /// By when; null takes it away.
    #[serde(default, deserialize_with = "even_null")]
    #[schema(value_type = Option<String>)]
    due: Option<Option<Timestamp>>,
    /// Who does it; null takes it away.
    #[serde(default, deserialize_with = "even_null")]
    #[schema(value_type = Option<Uuid>)]
    assignee_id: Option<Option<StaffId>>,
    #[serde(default, deserialize_with = "never_null")]
    #[schema(value_type = Option<TicketStatus>)]
    status: Option<String>,
}

/// Changes a ticket, finishes it or opens it again.
#[utoipa::path(patch, path = "/tickets/{id}", tag = "tickets", request_body = TicketEdit,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = TicketView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<TicketId>,
    Seen(seen): Seen,
    Body(TicketEdit { subject, due, assignee_id, status }): Body<TicketEdit>,
) -> Answer<Versioned<TicketView>> {
    let status = status.map(|word| Status::parse(&word)).transpose()?;
    let edit = Edit { subject, due, assignee: assignee_id, status };
    let edited = app.db.write(move |tx| ticket::edit(tx, &stamp, (id, seen), edit)).await?;
    Ok(Versioned(edited.version, TicketView::of(&app, edited)))
}
