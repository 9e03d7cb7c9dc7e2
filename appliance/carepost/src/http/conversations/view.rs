//! What conversations and messages look like on the wire.

use jiff::Timestamp;
use prm::content::Content;
use prm::conversation::{self, Conversation};
use prm::db::Read;
use prm::error::Result;
use prm::medium::Medium;
use prm::message::{self, Course, Delivery, Message, Said};
use prm::stamp::Stamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{AddressView, WHATSAPP_WINDOW};
use crate::app::App;
use crate::http::calls::CallHeard;
use crate::http::media::MediaView;
use crate::http::words;
use crate::reception::Understood;

/// Letters of the last message that a list shows.
const SHOWN_LETTERS_MAX: usize = 120;

/// What was said last.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct LastSaid {
    /// The beginning of the words.
    text: String,
    #[schema(value_type = words::Medium)]
    medium: &'static str,
    #[schema(value_type = words::Author)]
    author: &'static str,
}

/// What is spoken with one person, by whichever medium.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Conversation)]
pub(in crate::http) struct ConversationView {
    pub(super) id: Uuid,
    version: i64,
    /// Who it is, once somebody has made sure.
    patient_id: Option<Uuid>,
    patient_name: Option<String>,
    /// What they call themselves where they write.
    name: Option<String>,
    addresses: Vec<AddressView>,
    /// Who answers: `reception`, or the `desk`.
    #[schema(value_type = words::Holder)]
    held_by: &'static str,
    /// Why the desk does, by reception's word.
    why: Option<String>,
    assignee_id: Option<Uuid>,
    assignee_name: Option<String>,
    language: Option<String>,
    /// Messages that wait for a person.
    unread: i64,
    last: Option<LastSaid>,
    last_at: String,
    last_heard_at: Option<String>,
    /// Until when the clinic may write freely by WhatsApp; null where nobody wrote by it.
    whatsapp_until: Option<String>,
    #[serde(skip)]
    pub(super) at: Timestamp,
}

impl ConversationView {
    /// A conversation as the API shows it.
    pub(in crate::http) fn of(
        app: &App,
        (read, stamp): (&Read<'_>, &Stamp),
        found: Conversation,
    ) -> Result<Self> {
        let Conversation {
            id,
            version,
            patient,
            patient_name,
            name,
            held_by,
            why,
            assignee,
            assignee_name,
            language,
            unread,
            opened_at: _,
            last_heard_at,
            last_said_at: _,
            last_at,
        } = found;
        let last = message::latest(read, stamp, id)?.map(|last| LastSaid {
            text: last.content.plain().chars().take(SHOWN_LETTERS_MAX).collect(),
            medium: last.medium.as_str(),
            author: last.author.as_str(),
        });
        let heard = message::last_heard(read, stamp, id, Medium::Whatsapp)?;
        let until = heard.and_then(|heard| heard.checked_add(WHATSAPP_WINDOW).ok());
        let addresses = conversation::addresses(read, stamp, id)?;
        Ok(Self {
            id: id.uuid(),
            version,
            patient_id: patient.map(|id| id.uuid()),
            patient_name,
            name,
            addresses: addresses.iter().map(AddressView::from).collect(),
            held_by: held_by.as_str(),
            why,
            assignee_id: assignee.map(|id| id.uuid()),
            assignee_name,
            language,
            unread,
            last,
            last_at: app.local(last_at),
            last_heard_at: last_heard_at.map(|time| app.local(time)),
            whatsapp_until: until.map(|time| app.local(time)),
            at: last_at,
        })
    }
}

/// One try to bring a message to somebody.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
struct DeliveryView {
    #[schema(value_type = words::Medium)]
    medium: &'static str,
    address: AddressView,
    /// How far it has come.
    #[schema(value_type = words::DeliveryProgress)]
    progress: &'static str,
    /// Why it failed: a stable word, or the code of whoever carried it.
    error: Option<String>,
    changed_at: String,
}

/// What becomes of a message that is said.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Sending {
    /// What it is for.
    #[schema(value_type = words::MessagePurpose)]
    purpose: &'static str,
    /// How far it has come.
    #[schema(value_type = words::MessageState)]
    state: &'static str,
    /// Why it was dropped or failed: a stable word.
    why: Option<String>,
    not_before: Option<String>,
    not_after: Option<String>,
    /// The tries, the first first.
    deliveries: Vec<DeliveryView>,
}

/// A message of a conversation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(in crate::http) struct MessageView {
    pub(in crate::http) id: Uuid,
    version: i64,
    conversation_id: Uuid,
    #[schema(value_type = words::Author)]
    author: &'static str,
    /// Who of the staff.
    staff_id: Option<Uuid>,
    #[schema(value_type = words::Medium)]
    medium: &'static str,
    address: AddressView,
    /// The words; of choices without them.
    text: String,
    /// What may be chosen.
    choices: Vec<String>,
    /// What kind of thing it is where it has no words, such as `image/jpeg` or `sticker`.
    media_type: Option<String>,
    /// The telephone call that it was, as a voice agent reported it.
    call: Option<CallHeard>,
    /// The picture, voice note or document that it holds.
    media: Option<MediaView>,
    said_at: String,
    reply_to: Option<Uuid>,
    /// Of one that was heard: whether reception is through with it.
    handled: bool,
    /// Of one that was heard: what reception made of it.
    understood: Option<Understood>,
    /// Of one that is said.
    sending: Option<Sending>,
    /// Of one that waits, in the list of those that do: what would become of it now.
    #[schema(value_type = Option<words::Judgement>)]
    pub(in crate::http) would: Option<&'static str>,
    /// When it would be looked at again, where it would wait.
    pub(in crate::http) would_at: Option<String>,
}

impl MessageView {
    /// A message as the API shows it.
    pub(in crate::http) fn of(
        app: &App,
        (read, stamp): (&Read<'_>, &Stamp),
        message: Message,
    ) -> Result<Self> {
        let Message {
            id,
            version,
            conversation,
            author,
            staff,
            medium,
            address,
            content,
            said_at,
            received_at: _,
            reply_to,
            course,
        } = message;
        let call = match medium {
            Medium::VoiceAgent => CallHeard::of(read, stamp, id)?,
            Medium::Whatsapp | Medium::Sms | Medium::Voice | Medium::Email => None,
        };
        let held = match &content {
            Content::Media { media, media_type: _, caption: _ } => Some(*media),
            Content::Text { text: _ }
            | Content::Choices { text: _, label: _, choices: _ }
            | Content::Chosen { id: _, title: _ }
            | Content::Template { name: _, language: _, arguments: _, text: _ }
            | Content::Unsupported { kind: _ } => None,
        };
        let held = held.map(|id| MediaView::of(read, stamp, id)).transpose()?.flatten();
        let (text, choices, media_type) = parts(content);
        let (handled, understood, sending) = match course {
            Course::Heard { understood, handled_at } => {
                let noted = understood.as_deref().and_then(Understood::read);
                (handled_at.is_some(), noted, None)
            }
            Course::Said(said) => {
                let tries = message::deliveries(read, stamp, id)?;
                (true, None, Some(sending(app, said, tries)))
            }
        };
        Ok(Self {
            id: id.uuid(),
            version,
            conversation_id: conversation.uuid(),
            author: author.as_str(),
            staff_id: staff.map(|id| id.uuid()),
            medium: medium.as_str(),
            address: AddressView::from(&address),
            text,
            choices,
            media_type,
            call,
            media: held,
            said_at: app.local(said_at),
            reply_to: reply_to.map(|id| id.uuid()),
            handled,
            understood,
            sending,
            would: None,
            would_at: None,
        })
    }
}

fn sending(app: &App, said: Said, tries: Vec<Delivery>) -> Sending {
    let Said {
        purpose,
        route: _,
        at: _,
        not_before,
        not_after,
        collapse_key: _,
        state,
        look_at: _,
        why,
    } = said;
    let delivery = |it: Delivery| DeliveryView {
        medium: it.medium.as_str(),
        address: AddressView::from(&it.address),
        progress: it.progress.as_str(),
        error: it.error,
        changed_at: app.local(it.changed_at),
    };
    Sending {
        purpose: purpose.as_str(),
        state: state.as_str(),
        why,
        not_before: not_before.map(|time| app.local(time)),
        not_after: not_after.map(|time| app.local(time)),
        deliveries: tries.into_iter().map(delivery).collect(),
    }
}

/// The words, what may be chosen, and of what kind it is where there are no words.
fn parts(content: Content) -> (String, Vec<String>, Option<String>) {
    match content {
        Content::Text { text } => (text, Vec::new(), None),
        Content::Choices { text, label: _, choices } => {
            (text, choices.into_iter().map(|choice| choice.title).collect(), None)
        }
        Content::Chosen { id: _, title } => (title, Vec::new(), None),
        Content::Template { name: _, language: _, arguments: _, text } => (text, Vec::new(), None),
        Content::Media { media: _, media_type, caption } => {
            (caption.unwrap_or_default(), Vec::new(), Some(media_type))
        }
        Content::Unsupported { kind } => (String::new(), Vec::new(), Some(kind)),
    }
}
