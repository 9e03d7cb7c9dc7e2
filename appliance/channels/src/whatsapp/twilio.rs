//! Twilio: its webhooks (`X-Twilio-Signature`, a form) and its Messages resource. Short messages (SMS) go the same way;
//! their addresses lack `whatsapp:`.
//!
//! Facts: twilio.com/docs/usage/security, twilio.com/docs/messaging/guides/webhook-request, and the checks of the
//! `twilio` package for Python, 9.13.

mod sending;
mod signature;

pub use sending::{Account, answer, fetch, write};
pub use signature::{Signed, verify};

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use prm::id::MessageId;
use prm::medium::Medium;

use super::{Malformed, Told, phone};
use crate::heard::{Delivery, DeliveryState, Down, Heard, Said, Sender};

/// The header with the signature.
pub const SIGNATURE: &str = "x-twilio-signature";
/// The header that says with which key and how it was signed; absent where the account's token signed.
pub const SIGNATURE_SETTINGS: &str = "x-twilio-webhooks-signature-settings";
/// The longest body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 << 10;
/// As many pictures or sounds are in one message.
pub const MEDIA_MAX: usize = 10;
/// The parameter of the address where Twilio tells how a message fares: which message.
pub const MESSAGE_PARAMETER: &str = "message";

const WHATSAPP: &str = "whatsapp:";

/// What a webhook says about whose it is, before anything of it is believed: the account, as [`Told::account`].
pub fn account(body: &[u8]) -> Option<String> {
    let fields = fields(body);
    // A message that came in is to the clinic; what tells how one fares is about one from it.
    let number = if is_delivery(&fields) { fields.get("From") } else { fields.get("To") };
    Some(account_of(fields.get("AccountSid")?, number?))
}

/// As [`Told::account`] names an account: by its id and the clinic's number, `whatsapp:+14155238886` or a number alone.
pub fn account_of(account_sid: &str, number: &str) -> String {
    format!("{account_sid}/{number}")
}

/// Reads a webhook whose signature is right. `query` is that of the address it came to; `now` is when it came: Twilio
/// does not say when a message was said.
///
/// # Errors
/// [`Malformed`].
pub fn read(body: &[u8], query: &str, now: Timestamp) -> Result<Vec<Told>, Malformed> {
    let fields = fields(body);
    let field = |name: &str| fields.get(name).map(Cow::as_ref).filter(|it| !it.is_empty());
    let id = field("MessageSid").or(field("SmsMessageSid")).or(field("SmsSid"));
    let (Some(id), Some(from), Some(to), Some(account_sid)) =
        (id, field("From"), field("To"), field("AccountSid"))
    else {
        return Err(Malformed("a webhook of Twilio names MessageSid, AccountSid, From and To"));
    };
    let told = |ours: &str, what| Told { account: account_of(account_sid, ours), what };
    if let Some(status) = field("MessageStatus").filter(|_| is_delivery(&fields)) {
        let Some(state) = state(status, field("ErrorCode")) else { return Ok(Vec::new()) };
        let message = form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == MESSAGE_PARAMETER)
            .and_then(|(_, id)| id.parse::<MessageId>().ok());
        let medium = medium(to);
        let delivery = Delivery { message, medium, provider_id: id.to_owned(), state, at: now };
        return Ok(vec![told(from, Down::Delivery(delivery))]);
    }
    let sender = Sender {
        phone: phone(address(from)).or_else(|| phone(field("WaId")?)),
        user: field("ExternalUserId")
            .or(Some(address(from)).filter(|it| phone(it).is_none()))
            .map(str::to_owned),
        name: field("ProfileName").map(str::to_owned),
    };
    let heard = |number: usize, said| {
        let id = if number == 0 { id.to_owned() } else { format!("{id}/{number}") };
        let heard = Heard {
            id,
            medium: medium(from),
            from: sender.clone(),
            to: address(to).to_owned(),
            said_at: now,
            said,
            answers: field("OriginalRepliedMessageSid").map(str::to_owned),
            asks: false,
        };
        told(to, Down::Heard(heard))
    };
    Ok((0..).zip(said(&fields)).map(|(number, said)| heard(number, said)).collect())
}

/// What a message says: several things if it holds several pictures.
fn said(fields: &BTreeMap<Cow<'_, str>, Cow<'_, str>>) -> Vec<Said> {
    let field =
        |name: &str| fields.get(name).filter(|it| !it.is_empty()).map(|it| it.clone().into_owned());
    let chosen = field("ButtonPayload")
        .zip(field("ButtonText").or(field("Body")))
        .or_else(|| field("ListId").zip(field("ListTitle").or(field("Body"))));
    if let Some((id, title)) = chosen {
        return vec![Said::Chosen { id, title }];
    }
    if let Some((latitude, longitude)) = field("Latitude").zip(field("Longitude")) {
        let name = field("Label").or(field("Address"));
        return vec![Said::Location { latitude, longitude, name }];
    }
    let count = field("NumMedia").and_then(|it| it.parse().ok()).unwrap_or(0_usize);
    let media = |number: usize| {
        let reference = field(&format!("MediaUrl{number}"))?;
        let media_type = field(&format!("MediaContentType{number}"))
            .unwrap_or_else(|| "application/octet-stream".to_owned());
        let caption = field("Body").filter(|_| number == 0);
        Some(Said::Media { reference, media_type, name: None, caption, bytes: None })
    };
    let media: Vec<Said> = (0..count.min(MEDIA_MAX)).filter_map(media).collect();
    if !media.is_empty() {
        return media;
    }
    let kind = || field("MessageType").unwrap_or_else(|| "unknown".to_owned());
    vec![field("Body").map_or_else(|| Said::Unsupported { kind: kind() }, Said::Text)]
}

fn fields(body: &[u8]) -> BTreeMap<Cow<'_, str>, Cow<'_, str>> {
    form_urlencoded::parse(body).collect()
}

/// A message that came in has a status, too: `received`.
fn is_delivery(fields: &BTreeMap<Cow<'_, str>, Cow<'_, str>>) -> bool {
    fields.get("MessageStatus").is_some_and(|it| !matches!(it.as_ref(), "received" | "receiving"))
}

fn medium(address: &str) -> Medium {
    if address.starts_with(WHATSAPP) { Medium::Whatsapp } else { Medium::Sms }
}

fn address(address: &str) -> &str {
    address.strip_prefix(WHATSAPP).unwrap_or(address)
}

/// Nothing is told of what was only queued.
fn state(status: &str, code: Option<&str>) -> Option<DeliveryState> {
    match status {
        "sent" => Some(DeliveryState::Sent),
        "delivered" => Some(DeliveryState::Delivered),
        "read" => Some(DeliveryState::Read),
        "failed" | "undelivered" | "canceled" => {
            let code = code.unwrap_or(status).to_owned();
            let permanent = !sending::is_passing(&code);
            Some(DeliveryState::Failed { code, permanent })
        }
        _ => None,
    }
}
