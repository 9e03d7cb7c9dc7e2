//! The inbox: what a channel tells becomes a row before anything else happens with it.
//!
//! Whoever carries it hears that it was taken after the commit. What comes twice is known.

use channels::heard::{Delivery, DeliveryState, Down, Heard, Said, Sender, Webhook};
use channels::voice_agent;
use jiff::Timestamp;
use prm::call::{self, Telling};
use prm::clinic;
use prm::content::Content;
use prm::conversation::Address;
use prm::db::Tx;
use prm::error::{Error, Result};
use prm::medium::Medium;
use prm::message::{self, Hearing, Progress, Report};
use prm::stamp::Stamp;

/// What became of something that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in the records, or was already.
    Kept,
    /// It is of no use here, by a word for the log.
    Unusable(&'static str),
}

/// Takes in what a channel tells. What is wrong with it is no error: it would be as wrong the next time.
///
/// # Errors
/// Those of the database, after which it is to come again.
pub fn take(tx: &mut Tx<'_>, now: Timestamp, down: Down) -> Result<Taken> {
    match down {
        Down::Heard(heard) => take_heard(tx, now, heard),
        Down::Delivery(delivery) => take_delivery(tx, now, delivery),
        Down::Webhook(webhook) => take_call(tx, now, &webhook),
        Down::Part(_) => Ok(Taken::Unusable("a part of a picture or sound")),
    }
}

fn take_heard(tx: &mut Tx<'_>, now: Timestamp, heard: Heard) -> Result<Taken> {
    let Heard { id, medium, from, to: _, said_at, said, answers } = heard;
    let Sender { phone, user, name } = from;
    let user = user.map(|user| Address::whatsapp(&user)).transpose();
    let Ok(user) = user else { return Ok(Taken::Unusable("nobody can be answered")) };
    let from: Vec<Address> = phone.map(Address::Phone).into_iter().chain(user).collect();
    let hearing = Hearing {
        medium,
        provider_id: Some(id),
        from,
        name,
        content: content(said),
        said_at,
        answers,
    };
    kept(tx, |tx| message::hear(tx, &Stamp::of_reception(now, medium), hearing).map(drop))
}

/// A call that a voice agent answered: the hub proved who told of it.
fn take_call(tx: &mut Tx<'_>, now: Timestamp, webhook: &Webhook) -> Result<Taken> {
    let country = clinic::get(tx)?.country;
    let report = match voice_agent::read(&webhook.body, &country) {
        Ok(report) => report,
        Err(malformed) => return Ok(Taken::Unusable(malformed.reason)),
    };
    let telling = Telling {
        name: report.call_id,
        phone: report.patient_phone,
        transcript: report.transcript,
        body: String::from_utf8_lossy(&webhook.body).into_owned(),
    };
    let stamp = Stamp::of_reception(now, Medium::VoiceAgent);
    kept(tx, |tx| call::tell(tx, &stamp, telling).map(drop))
}

fn take_delivery(tx: &mut Tx<'_>, now: Timestamp, delivery: Delivery) -> Result<Taken> {
    let Delivery { message, medium, provider_id, state, at: _ } = delivery;
    let (progress, error) = match state {
        DeliveryState::Sent => (Progress::Sent, None),
        DeliveryState::Delivered => (Progress::Delivered, None),
        DeliveryState::Read => (Progress::Read, None),
        DeliveryState::Failed { code, permanent: _ } => (Progress::Failed, Some(code)),
    };
    let provider_id = Some(provider_id).filter(|id| !id.is_empty());
    let report = Report { message, medium, provider_id, progress, error };
    kept(tx, |tx| message::delivered(tx, &Stamp::of_reception(now, medium), &report).map(drop))
}

/// Does it as a part of the transaction. What the rules refuse is undone and of no use.
fn kept(tx: &mut Tx<'_>, take: impl FnOnce(&mut Tx<'_>) -> Result<()>) -> Result<Taken> {
    let part = tx.savepoint()?;
    match take(tx) {
        Ok(()) => {
            tx.release(part)?;
            Ok(Taken::Kept)
        }
        Err(Error::NotFound(_)) => {
            tx.undo(part)?;
            Ok(Taken::Unusable("a message that is not known"))
        }
        Err(Error::Refused(refusal)) => {
            tx.undo(part)?;
            Ok(Taken::Unusable(refusal.code.as_str()))
        }
        Err(error @ (Error::Busy | Error::Full | Error::Storage(_))) => Err(error),
        Err(error @ (Error::Stale { .. } | Error::Unknown | Error::Forbidden)) => Err(error),
    }
}

/// What was said, as the records keep it.
fn content(said: Said) -> Content {
    match said {
        Said::Text(text) => Content::Text { text },
        Said::Chosen { id, title } => Content::Chosen { id, title },
        // What is written beside a picture is said, too; the picture itself is not kept.
        Said::Media { reference: _, media_type: _, name: _, caption: Some(text), bytes: _ } => {
            Content::Text { text }
        }
        Said::Media { reference: _, media_type, name: _, caption: None, bytes: _ } => {
            let kind = media_type.split('/').next().unwrap_or_default().to_owned();
            Content::Unsupported { kind }
        }
        Said::Location { latitude: _, longitude: _, name: _ } => {
            Content::Unsupported { kind: "location".to_owned() }
        }
        Said::Unsupported { kind } => Content::Unsupported { kind },
    }
}
