//! Meta's WhatsApp Cloud API: its webhooks (JSON, `X-Hub-Signature-256`) and its messages.
//!
//! Facts: developers.facebook.com/docs/whatsapp/cloud-api (webhooks, messages, error codes, business-scoped user ids).
//! Webhooks come at least once and in any order, many in one; each names the number that it is about.

mod media;
mod sending;

use jiff::Timestamp;
pub use media::{Found, fetch, hand_over, handed_over, look_up, looked_up};
use prm::id::MessageId;
use prm::medium::Medium;
use ring::hmac;
pub use sending::{Account, GRAPH, GRAPH_VERSION, answer, write};
use serde::Deserialize;
use serde_json::Value;

use super::{Malformed, TOLD_MAX, Told, phone, time};
use crate::heard::{Delivery, DeliveryState, Down, Heard, Said, Sender};
use crate::signature::{Forged, is_hmac, is_same, unhex};

/// The header with the signature.
pub const SIGNATURE: &str = "x-hub-signature-256";
/// The longest body, in bytes.
pub const BODY_BYTES_MAX: usize = 3 << 20;
/// The longest challenge that is given back, in bytes.
pub const CHALLENGE_BYTES_MAX: usize = 256;

/// Answers the handshake (`GET` with this query), if it names the word that was agreed: the text to answer with.
///
/// # Errors
/// [`Forged`].
pub fn handshake(query: &str, verify_token: &str) -> Result<String, Forged> {
    let find = |wanted: &str| {
        let mut fields = form_urlencoded::parse(query.as_bytes());
        fields.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let token = find("hub.verify_token").unwrap_or_default();
    let is_agreed = !verify_token.is_empty() && is_same(verify_token, &token);
    let challenge = find("hub.challenge").filter(|it| {
        // It goes back as text, to whoever asks: nothing that a browser could take for a page.
        (1..=CHALLENGE_BYTES_MAX).contains(&it.len())
            && it.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.'))
    });
    match challenge.filter(|_| is_agreed && find("hub.mode").as_deref() == Some("subscribe")) {
        Some(challenge) => Ok(challenge),
        None => Err(Forged),
    }
}

/// Checks who sent a webhook: the app's secret over the bytes as they came; whoever writes the JSON again breaks it.
/// `signature` is the header.
///
/// # Errors
/// [`Forged`].
pub fn verify(app_secret: &str, signature: &str, body: &[u8]) -> Result<(), Forged> {
    let tag = signature.strip_prefix("sha256=").and_then(unhex).ok_or(Forged)?;
    let is_signed =
        !app_secret.is_empty() && is_hmac(hmac::HMAC_SHA256, app_secret.as_bytes(), body, &tag);
    if is_signed { Ok(()) } else { Err(Forged) }
}

/// The accounts (ids of the clinics' numbers) that a webhook names, before anything of it is believed.
pub fn accounts(body: &[u8]) -> Vec<String> {
    let Ok(webhook) = serde_json::from_slice::<Webhook>(body) else { return Vec::new() };
    let mut accounts: Vec<String> =
        webhook.changes().filter_map(|it| it.value.metadata?.phone_number_id).collect();
    accounts.sort_unstable();
    accounts.dedup();
    accounts
}

/// Reads a webhook whose signature is right. `now` is when it came, for what says no time.
///
/// # Errors
/// [`Malformed`].
pub fn read(body: &[u8], now: Timestamp) -> Result<Vec<Told>, Malformed> {
    let webhook: Webhook = serde_json::from_slice(body)
        .map_err(|_| Malformed("this is not a webhook of the WhatsApp Cloud API"))?;
    let mut all = Vec::new();
    for change in webhook.changes() {
        let value = change.value;
        let Some(account) = value.metadata.and_then(|it| it.phone_number_id) else { continue };
        for message in value.messages {
            let what = heard(message, &value.contacts, &account, now).map(Down::Heard);
            all.extend(what.map(|what| Told { account: account.clone(), what }));
        }
        for status in value.statuses {
            let what = delivery(status, now).map(Down::Delivery);
            all.extend(what.map(|what| Told { account: account.clone(), what }));
        }
    }
    if all.len() > TOLD_MAX {
        return Err(Malformed("a webhook tells at most 1,000 things"));
    }
    Ok(all)
}

fn heard(message: Message, contacts: &[Contact], to: &str, now: Timestamp) -> Option<Heard> {
    let id = message.id.clone().filter(|it| !it.is_empty())?;
    let user_id = message.from_user_id.as_ref().or(message.user_id.as_ref());
    let is_sender = |it: &&Contact| {
        let by_number = it.wa_id.is_some() && it.wa_id == message.from;
        by_number || (it.user_id.is_some() && it.user_id.as_ref() == user_id)
    };
    // A contact that names neither is the sender's if there is no other.
    let contact = contacts.iter().find(is_sender).or(match contacts {
        [alone] if message.from.is_none() || alone.wa_id.is_none() => Some(alone),
        [] | [_, ..] => None,
    });
    let of_contact = |field: fn(&Contact) -> Option<&String>| contact.and_then(field);
    let number = message.from.as_ref().or(of_contact(|it| it.wa_id.as_ref()));
    let user = user_id.or(of_contact(|it| it.user_id.as_ref())).cloned();
    let phone = number.and_then(|it| phone(it));
    let sender = Sender {
        // A number that is none for us still is where an answer goes.
        user: user.or_else(|| number.filter(|_| phone.is_none()).cloned()),
        phone,
        name: contact.and_then(|it| it.profile.as_ref()?.name.clone()),
    };
    if sender.phone.is_none() && sender.user.is_none() {
        return None;
    }
    Some(Heard {
        id,
        medium: Medium::Whatsapp,
        from: sender,
        to: to.to_owned(),
        said_at: time(message.timestamp.as_deref().unwrap_or_default(), now),
        answers: message.context.as_ref().and_then(|it| it.id.clone()),
        said: said(message),
        asks: false,
    })
}

fn said(message: Message) -> Said {
    let kind = message.r#type.unwrap_or_else(|| "unknown".to_owned());
    let chosen = |it: Chosen| it.id.zip(it.title).map(|(id, title)| Said::Chosen { id, title });
    let media = |it: Media| {
        it.id.map(|reference| Said::Media {
            reference,
            media_type: it.mime_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            name: it.filename,
            caption: it.caption,
            bytes: None,
        })
    };
    let said = match kind.as_str() {
        "text" => message.text.and_then(|it| it.body).map(Said::Text),
        "interactive" => {
            message.interactive.and_then(|it| it.button_reply.or(it.list_reply)).and_then(chosen)
        }
        // A button of a template: what it sends back is its payload.
        "button" => message
            .button
            .and_then(|it| it.payload.zip(it.text).map(|(id, title)| Said::Chosen { id, title })),
        "image" => message.image.and_then(media),
        "audio" => message.audio.and_then(media),
        "video" => message.video.and_then(media),
        "document" => message.document.and_then(media),
        "location" => message.location.and_then(|it| {
            let (latitude, longitude) = (number(it.latitude)?, number(it.longitude)?);
            Some(Said::Location { latitude, longitude, name: it.name.or(it.address) })
        }),
        _ => None,
    };
    said.unwrap_or(Said::Unsupported { kind })
}

/// A number as it was written, of at most as many digits as a place has.
fn number(value: Option<Value>) -> Option<String> {
    let text = value?.to_string();
    let is_number = text.len() <= 32 && text.parse::<f64>().is_ok_and(f64::is_finite);
    is_number.then_some(text)
}

fn delivery(status: Status, now: Timestamp) -> Option<Delivery> {
    let provider_id = status.id.filter(|it| !it.is_empty())?;
    let state = match status.status.as_deref() {
        Some("sent") => DeliveryState::Sent,
        Some("delivered") => DeliveryState::Delivered,
        // A voice note that was listened to was read.
        Some("read" | "played") => DeliveryState::Read,
        Some("failed") => {
            let code = status.errors.first().and_then(|it| it.code);
            let permanent = code.is_none_or(|it| !sending::is_passing(it));
            let code = code.map_or_else(|| "failed".to_owned(), |it| it.to_string());
            DeliveryState::Failed { code, permanent }
        }
        Some(_) | None => return None,
    };
    let message = status.biz_opaque_callback_data.and_then(|it| it.parse::<MessageId>().ok());
    let at = time(status.timestamp.as_deref().unwrap_or_default(), now);
    Some(Delivery { message, medium: Medium::Whatsapp, provider_id, state, at })
}

/// What Meta sends. Each field may be absent, and others may be there: what is not understood is not lost with
/// what is.
#[derive(Deserialize)]
struct Webhook {
    entry: Vec<Entry>,
}

impl Webhook {
    fn changes(self) -> impl Iterator<Item = Change> {
        self.entry.into_iter().flat_map(|it| it.changes).filter(|it| it.field == "messages")
    }
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    #[serde(default)]
    field: String,
    #[serde(default, deserialize_with = "tolerant::value")]
    value: Content,
}

#[derive(Default, Deserialize)]
struct Content {
    metadata: Option<Metadata>,
    #[serde(default, deserialize_with = "tolerant::each")]
    contacts: Vec<Contact>,
    #[serde(default, deserialize_with = "tolerant::messages")]
    messages: Vec<Message>,
    #[serde(default, deserialize_with = "tolerant::each")]
    statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Metadata {
    phone_number_id: Option<String>,
}

#[derive(Deserialize)]
struct Contact {
    wa_id: Option<String>,
    user_id: Option<String>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    id: Option<String>,
    from: Option<String>,
    from_user_id: Option<String>,
    user_id: Option<String>,
    timestamp: Option<String>,
    r#type: Option<String>,
    context: Option<Answered>,
    text: Option<Text>,
    interactive: Option<Interactive>,
    button: Option<Button>,
    image: Option<Media>,
    audio: Option<Media>,
    video: Option<Media>,
    document: Option<Media>,
    location: Option<Location>,
}

#[derive(Deserialize)]
struct Answered {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Text {
    body: Option<String>,
}

#[derive(Deserialize)]
struct Interactive {
    button_reply: Option<Chosen>,
    list_reply: Option<Chosen>,
}

#[derive(Deserialize)]
struct Chosen {
    id: Option<String>,
    title: Option<String>,
}

#[derive(Deserialize)]
struct Button {
    payload: Option<String>,
    text: Option<String>,
}

#[derive(Deserialize)]
struct Media {
    id: Option<String>,
    mime_type: Option<String>,
    filename: Option<String>,
    caption: Option<String>,
}

#[derive(Deserialize)]
struct Location {
    latitude: Option<Value>,
    longitude: Option<Value>,
    name: Option<String>,
    address: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    id: Option<String>,
    status: Option<String>,
    timestamp: Option<String>,
    biz_opaque_callback_data: Option<String>,
    #[serde(default)]
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    code: Option<i64>,
}

/// One message that is not as it was does not take the others with it.
mod tolerant {
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer};
    use serde_json::Value;

    pub fn value<'de, D: Deserializer<'de>>(from: D) -> Result<super::Content, D::Error> {
        Ok(serde_json::from_value(Value::deserialize(from)?).unwrap_or_default())
    }

    pub fn each<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<T>, D::Error> {
        let all = Option::<Vec<Value>>::deserialize(from)?.unwrap_or_default();
        Ok(all.into_iter().filter_map(|it| serde_json::from_value(it).ok()).collect())
    }

    /// A message of which something is not as it was is still heard, as one that cannot be shown.
    pub fn messages<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<super::Message>, D::Error> {
        let all = Option::<Vec<Value>>::deserialize(from)?.unwrap_or_default();
        let message = |it: Value| serde_json::from_value(it.clone()).or_else(|_| bare(it)).ok();
        Ok(all.into_iter().filter_map(message).collect())
    }

    fn bare(message: Value) -> serde_json::Result<super::Message> {
        const KEPT: [&str; 6] = ["id", "from", "from_user_id", "user_id", "timestamp", "type"];
        let Value::Object(mut fields) = message else { return serde_json::from_value(message) };
        fields.retain(|name, value| KEPT.contains(&name.as_str()) && value.is_string());
        serde_json::from_value(Value::Object(fields))
    }
}
