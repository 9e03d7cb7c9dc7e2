//! The inbox: what a channel tells becomes a row before anything else happens with it.
//!
//! Whoever carries it hears that it was taken after the commit. What comes twice is known.

use channels::heard::{Delivery, DeliveryState, Down, Heard, Part, Said, Sender, Webhook};
use channels::standard_webhooks::fingerprint;
use channels::voice_agent;
use jiff::Timestamp;
use prm::call::{self, Telling};
use prm::clinic;
use prm::content::Content;
use prm::conversation::Address;
use prm::db::Tx;
use prm::error::{Error, Result};
use prm::id::MediaId;
use prm::media::{self, Expecting, REFERENCE_BYTES_MAX, WORD_LETTERS_MAX};
use prm::medium::Medium;
use prm::message::{self, Hearing, Progress, Report};
use prm::stamp::Stamp;
use prm::ticket;

use crate::accounts::{Account, Carrier, of_carrier};
use crate::away;

/// The word for a picture or sound of which nobody says by what it is known.
const NO_REFERENCE: &str = "no-reference";

/// What became of something that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in the records.
    Kept,
    /// It was there already, and nothing happened.
    Known,
    /// It is of no use here, by a word for the log.
    Unusable(&'static str),
}

/// Takes in what a channel tells. What is wrong with it is no error: it would be as wrong the next time.
///
/// # Errors
/// Those of the database, after which it is to come again.
pub fn take(tx: &mut Tx<'_>, now: Timestamp, down: Down) -> Result<Taken> {
    match down {
        Down::Heard(heard) => alone(tx, |tx| hear(tx, now, heard)),
        Down::Delivery(delivery) => take_delivery(tx, now, delivery),
        Down::Webhook(webhook) => take_call(tx, now, &webhook),
        Down::Answered(answered) => away::take(tx, now, *answered),
        Down::Part(part) => take_part(tx, now, part),
    }
}

/// The same for one of many that are undone together: what somebody said is no part of its own, since each part costs a copy of
/// every page that it changes.
///
/// # Errors
/// Those of the database; and those of the rules, after which all are undone, and each is to be taken by [`take`].
pub fn take_with_others(tx: &mut Tx<'_>, now: Timestamp, down: Down) -> Result<Taken> {
    match down {
        Down::Heard(heard) => hear(tx, now, heard),
        Down::Delivery(_) | Down::Webhook(_) | Down::Answered(_) | Down::Part(_) => {
            take(tx, now, down)
        }
    }
}

/// Whether the box believes what its hub hands on. Where the box has a key of the voice agent (`carepost channel add
/// voice-agent`), it checks the signature of a call's report again, for the time at which the hub took it; else what the hub
/// proved counts.
pub fn is_believed(accounts: &[Account], down: &Down) -> bool {
    match down {
        Down::Webhook(webhook) => {
            let mut agents = of_carrier(accounts, Carrier::VoiceAgent).peekable();
            agents.peek().is_none() || agents.any(|it| webhook.is_signed_by(it.agent_keys()))
        }
        Down::Heard(_) | Down::Delivery(_) | Down::Part(_) | Down::Answered(_) => true,
    }
}

/// Refuses a call that is not believed: the desk is told, since whoever called waits for an answer.
///
/// # Errors
/// Those of the database, after which it is to come again.
pub fn refuse_call(tx: &mut Tx<'_>, now: Timestamp) -> Result<Taken> {
    let opening = ticket::Opening {
        reason: ticket::Reason::NotBelieved,
        subject: String::new(),
        patient: None,
        conversation: None,
        due: None,
        assignee: None,
    };
    ticket::leave(tx, &Stamp::of_reception(now, Medium::VoiceAgent), opening)?;
    Ok(Taken::Unusable(
        "not signed by the key that this box has of the voice agent (`carepost channel list`)",
    ))
}

fn hear(tx: &mut Tx<'_>, now: Timestamp, heard: Heard) -> Result<Taken> {
    let Heard { id, medium, from, to: _, said_at, said, answers, asks: _ } = heard;
    let Sender { phone, user, name } = from;
    let user = user.map(|user| Address::whatsapp(&user)).transpose();
    let Ok(user) = user else { return Ok(Taken::Unusable("nobody can be answered")) };
    let from: Vec<Address> = phone.map(Address::Phone).into_iter().chain(user).collect();
    let (content, expecting) = content(said, now);
    let hearing = Hearing { medium, provider_id: Some(id), from, name, content, said_at, answers };
    let stamp = Stamp::of_reception(now, medium);
    let told = message::hear(tx, &stamp, hearing)?;
    if let Some(expecting) = expecting.filter(|_| told.is_new) {
        expect(tx, &stamp, Expecting { message: Some(told.id), ..expecting })?;
    }
    Ok(Taken::Kept)
}

/// What it holds follows, unless nobody says by what it is known.
fn expect(tx: &mut Tx<'_>, stamp: &Stamp, expecting: Expecting) -> Result<()> {
    let is_known = expecting.reference.is_some();
    let expected = media::expect(tx, stamp, expecting)?;
    if !is_known {
        media::refused(tx, stamp, expected.id, NO_REFERENCE)?;
    }
    Ok(())
}

/// Some of what was heard of before, or will be.
fn take_part(tx: &mut Tx<'_>, now: Timestamp, part: Part) -> Result<Taken> {
    let Part { reference, media_type, at, whole, bytes } = part;
    let part = media::Part { reference, media_type, at, whole, bytes };
    alone(tx, |tx| media::part(tx, &Stamp::of_box(now), part).map(|()| Taken::Kept))
}

/// A call that a voice agent answered: whoever took the webhook proved who told of it.
fn take_call(tx: &mut Tx<'_>, now: Timestamp, webhook: &Webhook) -> Result<Taken> {
    let country = clinic::get(tx)?.country;
    let report = match voice_agent::read(&webhook.body, &country) {
        Ok(report) => report,
        Err(malformed) => return Ok(Taken::Unusable(malformed.reason)),
    };
    let at = Timestamp::from_millisecond(webhook.received_at_ms).unwrap_or(now).min(now);
    if call::KNOWN_FOR < now.duration_since(at) {
        // Nobody knows any more whether it was taken in before.
        return Ok(Taken::Unusable("a call of long ago"));
    }
    let telling = Telling {
        name: report.call_id,
        at,
        phone: report.patient_phone,
        transcript: report.transcript,
        intent: report.intent,
        duration_seconds: report.duration_seconds,
        recording: report.recording_url,
        body: String::from_utf8_lossy(&webhook.body).into_owned(),
    };
    let stamp = Stamp::of_reception(now, Medium::VoiceAgent);
    alone(tx, |tx| {
        if !call::take_webhook(tx, &stamp, (&webhook.id, &fingerprint(&webhook.body)))? {
            return Ok(Taken::Known);
        }
        call::tell(tx, &stamp, telling)?;
        Ok(Taken::Kept)
    })
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
    alone(tx, |tx| {
        message::delivered(tx, &Stamp::of_reception(now, medium), &report)?;
        Ok(Taken::Kept)
    })
}

/// Does it as a part of the transaction. What the rules refuse is undone and of no use.
fn alone(tx: &mut Tx<'_>, take: impl FnOnce(&mut Tx<'_>) -> Result<Taken>) -> Result<Taken> {
    let part = tx.savepoint()?;
    match take(tx) {
        Ok(taken) => {
            tx.release(part)?;
            Ok(taken)
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

/// What was said, as the records keep it, and what follows it.
fn content(said: Said, now: Timestamp) -> (Content, Option<Expecting>) {
    match said {
        Said::Text(text) => (Content::Text { text }, None),
        Said::Chosen { id, title } => (Content::Chosen { id, title }, None),
        Said::Media { reference, media_type, name: _, caption, bytes: _ } => {
            let media = MediaId::new(now);
            let media_type: String = media_type.chars().take(WORD_LETTERS_MAX).collect();
            let is_known = !reference.is_empty() && reference.len() <= REFERENCE_BYTES_MAX;
            let expecting = Expecting {
                id: media,
                message: None,
                reference: Some(reference).filter(|_| is_known),
                media_type: media_type.clone(),
            };
            (Content::Media { media, media_type, caption }, Some(expecting))
        }
        Said::Location { latitude: _, longitude: _, name: _ } => {
            (Content::Unsupported { kind: "location".to_owned() }, None)
        }
        Said::Unsupported { kind } => (Content::Unsupported { kind }, None),
    }
}
