//! Conversations on the wire: the threads, what was said in one, and what the desk does with it.

mod approved;
mod steps;
mod view;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::SignedDuration;
use prm::content::Content;
use prm::conversation::{self, Address, Filter, Holder, THREADS_MAX, Way};
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::{ConversationId, MessageId, Noun, PatientId};
use prm::medium::Medium;
use prm::message::{self, Course, MESSAGES_MAX, Purpose, Saying};
use prm::patient;
use prm::stamp::{Actor, Stamp};
use prm::time::{from_ms, to_ms};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) use self::view::{ConversationView, MessageView};
use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Segment};
use super::page::{self, Page};
use super::read_audit;
use super::version::Versioned;
use super::words;
use crate::app::App;

/// The words of the lists, for their cursors.
const THREADS: &str = "conversations";
const MESSAGES: &str = "conversations/messages";
/// Threads, and messages, of a list when the caller does not say.
const LIMIT_DEFAULT: u32 = 50;
/// As long after somebody wrote by WhatsApp may the clinic write freely.
const WHATSAPP_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// The routes of this file and of the steps.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, open))
        .routes(routes!(get))
        .routes(routes!(messages, say))
        .merge(approved::routes())
        .merge(steps::routes())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConversationsAsked {
    /// Only those of this patient.
    #[param(value_type = Option<Uuid>)]
    patient: Option<PatientId>,
    /// Only those that `reception` has, or the `desk`.
    held_by: Option<String>,
    /// Only those that whoever asks has.
    #[serde(default)]
    mine: bool,
    /// Only those that the desk has and nobody of the staff.
    #[serde(default)]
    unassigned: bool,
    /// Only those in which something waits for a person.
    #[serde(default)]
    unread: bool,
    /// At most so many, 1 to 199; 50 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Conversations, the one in which something happened last first.
#[utoipa::path(get, path = "/conversations", tag = "conversations", params(ConversationsAsked),
    responses((status = 200, body = Page<ConversationView>), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(asked): Asked<ConversationsAsked>,
) -> Answer<Json<Page<ConversationView>>> {
    let ConversationsAsked { patient, held_by, mine, unassigned, unread, limit, cursor } = asked;
    let held_by = held_by.map(|word| Holder::parse(&word)).transpose()?;
    let assignee = match stamp.actor {
        Actor::Staff(staff) if mine => Some(staff),
        Actor::Staff(_) => None,
        Actor::Device(_) | Actor::Token(_) | Actor::Box | Actor::Nobody => {
            if mine {
                return Err(Problem::invalid(
                    "mine",
                    "only somebody of the staff has conversations",
                ));
            }
            None
        }
    };
    let after: Option<(i64, Uuid)> = cursor.map(|text| page::decode(THREADS, &text)).transpose()?;
    let after = after.map(|(at, id)| (from_ms(at), ConversationId::from_bytes(id.into_bytes())));
    let most = u32::try_from(THREADS_MAX).unwrap_or(u32::MAX).saturating_sub(1);
    let limit = limit.unwrap_or(LIMIT_DEFAULT).clamp(1, most);
    let filter = Filter { patient, held_by, assignee, unassigned, unread };
    let in_view = app.clone();
    let found = app.db.read(move |read| {
        let threads = conversation::threads(read, &stamp, filter, after, limit as usize + 1)?;
        let view = |it| ConversationView::of(&in_view, (read, &stamp), it);
        threads.into_iter().map(view).collect::<Result<Vec<_>>>()
    });
    let found = found.await?;
    read_audit::listed(&app, stamp, Noun::Conversation).await?;
    Ok(Json(Page::cut(THREADS, found, limit, |last| (to_ms(last.at), last.id))))
}

/// With whom somebody wants to speak.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewConversation {
    #[schema(value_type = Uuid)]
    patient_id: PatientId,
}

/// The conversation with a patient; it is opened if there is none.
#[utoipa::path(post, path = "/conversations", tag = "conversations", request_body = NewConversation,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = ConversationView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn open(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body: NewConversation { patient_id }, key }: Posted<NewConversation>,
) -> Answer<Response> {
    let in_view = app.clone();
    once(&app, stamp, key, move |tx| {
        let id = conversation::of_patient(tx, &stamp, patient_id)?;
        let whose = conversation::get(tx, &stamp, id)?;
        let opened = match whose.patient {
            Some(_) => whose,
            // Who writes to somebody knows who it is.
            None => conversation::identify(tx, &stamp, id, Some(patient_id))?,
        };
        Ok((StatusCode::CREATED, ConversationView::of(&in_view, (tx, &stamp), opened)?))
    })
    .await
}

/// One conversation.
#[utoipa::path(get, path = "/conversations/{id}", tag = "conversations", params(("id" = Uuid, Path)),
    responses((status = 200, body = ConversationView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ConversationId>,
) -> Answer<Versioned<ConversationView>> {
    let in_view = app.clone();
    let found = app.db.read(move |read| {
        let found = conversation::get(read, &stamp, id)?;
        Ok((found.version, ConversationView::of(&in_view, (read, &stamp), found)?))
    });
    let (version, view) = found.await?;
    Ok(Versioned(version, view))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MessagesAsked {
    /// At most so many, 1 to 199; 50 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// What was said in a conversation, the latest first.
#[utoipa::path(get, path = "/conversations/{id}/messages", tag = "conversations",
    params(("id" = Uuid, Path), MessagesAsked),
    responses((status = 200, body = Page<MessageView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn messages(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ConversationId>,
    Asked(MessagesAsked { limit, cursor }): Asked<MessagesAsked>,
) -> Answer<Json<Page<MessageView>>> {
    let before: Option<Uuid> = cursor.map(|text| page::decode(MESSAGES, &text)).transpose()?;
    let before = before.map(|id| MessageId::from_bytes(id.into_bytes()));
    let most = u32::try_from(MESSAGES_MAX).unwrap_or(u32::MAX).saturating_sub(1);
    let limit = limit.unwrap_or(LIMIT_DEFAULT).clamp(1, most);
    let in_view = app.clone();
    let found = app.db.read(move |read| {
        let whose = conversation::get(read, &stamp, id)?.patient;
        let said = message::of_conversation(read, &stamp, id, before, limit as usize + 1)?;
        let view = |it| MessageView::of(&in_view, (read, &stamp), it);
        Ok((whose, said.into_iter().map(view).collect::<Result<Vec<_>>>()?))
    });
    let (whose, found) = found.await?;
    match whose {
        Some(patient) => {
            read_audit::read(&app, stamp, Noun::Conversation, id.as_bytes(), patient).await?;
        }
        None => read_audit::listed(&app, stamp, Noun::Conversation).await?,
    }
    Ok(Json(Page::cut(MESSAGES, found, limit, |last| last.id)))
}

/// What somebody at the desk writes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMessage {
    /// The words; without them a `template` is said.
    text: Option<String>,
    /// The name of one of `conversations/{id}/templates`, instead of words.
    template: Option<String>,
    /// By what it goes first; as the person wrote last when it is not said.
    #[schema(value_type = Option<words::Medium>)]
    medium: Option<String>,
}

/// Writes to the person. The desk has the conversation from then on. What does not arrive by the first medium goes by
/// the next that leads to them.
#[utoipa::path(post, path = "/conversations/{id}/messages", tag = "conversations", request_body = NewMessage,
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = MessageView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn say(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ConversationId>,
    Posted { body: NewMessage { text, template, medium }, key }: Posted<NewMessage>,
) -> Answer<Response> {
    let medium = medium.map(|word| Medium::parse(&word)).transpose()?;
    let in_view = app.clone();
    once(&app, stamp, key, move |tx| {
        let content = match (&text, &template) {
            (Some(text), None) => Content::text(text.trim()),
            (None, Some(name)) => {
                let conversation = conversation::get(tx, &stamp, id)?;
                approved::of_name(&in_view, (tx, &stamp), &conversation, name)?
            }
            (Some(_), Some(_)) | (None, None) => {
                return Err(Error::invalid("text", "say either a text or a template"));
            }
        };
        let saying = Saying {
            conversation: id,
            content,
            purpose: Purpose::Desk,
            route: ways(tx, &stamp, id, medium)?,
            not_before: None,
            not_after: None,
            collapse_key: None,
            reply_to: None,
        };
        let said = message::say(tx, &stamp, saying)?;
        Ok((StatusCode::CREATED, MessageView::of(&in_view, (tx, &stamp), said)?))
    })
    .await
}

/// By which ways words reach the person: by the medium that was asked for, or by that of what was heard last, and
/// then by the others.
fn ways(
    read: &Read<'_>,
    stamp: &Stamp,
    id: ConversationId,
    first: Option<Medium>,
) -> Result<Vec<Way>> {
    // A call takes no words of the desk.
    const WRITTEN: [Medium; 3] = [Medium::Whatsapp, Medium::Sms, Medium::Email];
    let heard = message::of_conversation(read, stamp, id, None, MESSAGES_MAX)?
        .into_iter()
        .find(|it| matches!(it.course, Course::Heard { .. }) && WRITTEN.contains(&it.medium));
    let mut addresses = conversation::addresses(read, stamp, id)?;
    // Who it is was made sure of: their e-mail on record is theirs. A number that leads to two people says less.
    if let Some(patient) = conversation::get(read, stamp, id)?.patient {
        let on_record = patient::get(read, stamp, patient)?.email;
        addresses.extend(on_record.and_then(|email| Address::email(&email).ok()));
    }
    let preferred = first.or(heard.as_ref().map(|it| it.medium));
    let media =
        preferred.into_iter().chain(WRITTEN.into_iter().filter(|it| Some(*it) != preferred));
    let mut ways: Vec<Way> = Vec::new();
    for medium in media.filter(|it| WRITTEN.contains(it)) {
        // Where they wrote from, they read.
        let own = heard.iter().filter(|it| it.medium == medium).map(|it| it.address.clone());
        let address = own.chain(addresses.iter().cloned()).find(|it| it.is_reached_by(medium));
        if let Some(address) = address {
            ways.push(Way { medium, address });
        }
    }
    match first {
        Some(asked) if ways.first().is_none_or(|way| way.medium != asked) => {
            Err(Error::invalid("medium", "this medium does not lead to this person"))
        }
        Some(_) | None => Ok(ways),
    }
}

/// Somebody's address, as the desk shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct AddressView {
    /// `phone` (E.164), `whatsapp` (a user without a number) or `email`.
    family: &'static str,
    address: String,
}

impl From<&Address> for AddressView {
    fn from(address: &Address) -> Self {
        Self { family: address.family(), address: address.as_str().to_owned() }
    }
}
