//! Reminding, and what follows if nothing is heard.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row};

use super::{Due, Reminder, Stage};
use crate::appointment::{self, Appointment, Status};
use crate::content::Content;
use crate::conversation::{self, Address, Way};
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{ConversationId, MessageId};
use crate::medium::Medium;
use crate::message::{self, Message, Purpose, Saying};
use crate::patient::{self, ContactChannel, Patient};
use crate::reminder_rule::{self, ReminderRule};
use crate::stamp::{Right, Stamp};
use crate::ticket;
use crate::time::{from_ms, plus_minutes, to_ms};

const COLUMNS: &str = "appointment, rule, start, message, stage";

/// By which ways a patient who does not write just now is reached, without the first `passed`, and the conversation
/// into which an answer comes from there, though they may have written from elsewhere last. None if there is no way.
pub fn route(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    patient: &Patient,
    (usual, passed): (&[Medium], usize),
) -> Result<Option<(ConversationId, Vec<Way>)>> {
    let latest = match conversation::of_patient(tx, stamp, patient.id) {
        Ok(latest) => latest,
        // There is no address on record.
        Err(Error::Refused(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut ways = ways(tx, stamp, (patient, latest), usual)?;
    ways.drain(..passed.min(ways.len()));
    if ways.is_empty() {
        return Ok(None);
    }
    let is_heard = |way: &&Way| match way.medium {
        Medium::Whatsapp | Medium::Sms | Medium::Voice => true,
        Medium::VoiceAgent | Medium::Email => false,
    };
    let conversation = match ways.iter().find(is_heard) {
        Some(way) => conversation::open_by(tx, stamp, std::slice::from_ref(&way.address), None)?,
        None => latest,
    };
    Ok(Some((conversation, ways)))
}

/// By which of these media a patient is reached, and where: as the patient prefers, else in their order; by each only
/// where there is an address.
fn ways(
    read: &Read<'_>,
    stamp: &Stamp,
    (patient, conversation): (&Patient, ConversationId),
    usual: &[Medium],
) -> Result<Vec<Way>> {
    let written_by = conversation::addresses(read, stamp, conversation)?;
    let address = |medium: Medium| -> Option<Address> {
        let phone = patient.phones.first().map(|it| Address::Phone(it.number.clone()));
        match medium {
            // Who writes from an address is reached there.
            Medium::Whatsapp => {
                let mut known = written_by.iter().filter(|it| it.is_reached_by(medium));
                phone.or_else(|| known.next().cloned())
            }
            Medium::Sms | Medium::Voice => phone,
            Medium::VoiceAgent => None,
            Medium::Email => patient.email.as_deref().and_then(|it| Address::email(it).ok()),
        }
    };
    let preferred: Vec<Medium> = patient.channels.iter().map(|it| medium(*it)).collect();
    let mut media: Vec<Medium> =
        preferred.iter().copied().filter(|it| usual.contains(it)).collect();
    media.extend(usual.iter().copied().filter(|it| !preferred.contains(it)));
    let way = |medium| address(medium).map(|address| Way { medium, address });
    Ok(media.into_iter().filter_map(way).take(message::ROUTE_MAX).collect())
}

fn medium(channel: ContactChannel) -> Medium {
    match channel {
        ContactChannel::Whatsapp => Medium::Whatsapp,
        ContactChannel::Sms => Medium::Sms,
        ContactChannel::Voice => Medium::Voice,
        ContactChannel::Email => Medium::Email,
    }
}

/// Reminds somebody of a visit with these words. None if that is not wanted any more: the visit changed, somebody was quicker, or
/// the patient has no address; then it is noted as done.
pub fn remind(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    due: &Due,
    content: Content,
) -> Result<Option<Message>> {
    stamp.needs(Right::Converse)?;
    let Due { appointment: seen, rule, at: _, not_after } = due;
    let appointment = appointment::get(tx, stamp, seen.id)?;
    if !stands(&appointment, seen.start) || known(tx, seen, rule)?.is_some() {
        return Ok(None);
    }
    let message = speak(tx, stamp, (&appointment, rule, 0), content, *not_after)?;
    let look_at = (rule.confirm && message.is_some())
        .then(|| look_again(&appointment, rule, Stage::Reminded))
        .flatten();
    tx.sql()
        .prepare_cached(
            "INSERT INTO reminder (appointment, rule, start, message, stage, look_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            appointment.id,
            rule.id,
            to_ms(appointment.start),
            message.as_ref().map(|it| it.id),
            Stage::Reminded.number(),
            look_at.map(to_ms),
        ))?;
    Ok(message)
}

/// Puts the words into the outbox, without the first `passed` ways; none if there is no way.
fn speak(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (appointment, rule, passed): (&Appointment, &ReminderRule, usize),
    content: Content,
    not_after: Timestamp,
) -> Result<Option<Message>> {
    if not_after <= stamp.now {
        return Ok(None);
    }
    let patient = patient::get(tx, stamp, appointment.patient)?;
    let Some((conversation, route)) = route(tx, stamp, &patient, (&rule.media, passed))? else {
        return Ok(None);
    };
    let saying = Saying {
        conversation,
        content,
        purpose: Purpose::Reminder,
        route,
        not_before: None,
        not_after: Some(not_after),
        collapse_key: Some(format!("appointment:{}:reminder", appointment.id)),
        reply_to: None,
    };
    message::say(tx, stamp, saying).map(Some)
}

/// When it is looked whether somebody answered: a third and two thirds of the way to the visit.
fn look_again(appointment: &Appointment, rule: &ReminderRule, stage: Stage) -> Option<Timestamp> {
    let thirds = match stage {
        Stage::Reminded => 2,
        Stage::Again => 1,
        Stage::Desk => return None,
    };
    Some(plus_minutes(appointment.start, -(rule.before_minutes * thirds / 3)))
}

/// Whether a message, if it is a reminder, still says what is so: the visit stands at the start of which it speaks.
pub fn is_true(read: &Read<'_>, stamp: &Stamp, message: MessageId) -> Result<bool> {
    let found = read
        .sql()
        .prepare_cached(&format!("SELECT {COLUMNS} FROM reminder WHERE message = ?1"))?
        .query_row([message], from_row)
        .optional()?;
    let Some(reminder) = found else { return Ok(true) };
    Ok(stands(&appointment::get(read, stamp, reminder.appointment)?, reminder.start))
}

/// Reminders that asked for an answer and got none in time, the one that waited longest first; at most `limit`.
pub fn unanswered(read: &Read<'_>, stamp: &Stamp, limit: usize) -> Result<Vec<Reminder>> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM reminder WHERE look_at <= ?1 ORDER BY look_at LIMIT ?2"
    ))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((to_ms(stamp.now), limit), from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Takes a reminder further that got no answer: by the next way with these words, or else a ticket for the desk. What was settled
/// meanwhile, or is followed by no rule any more, ends here.
pub fn after(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    reminder: &Reminder,
    content: Content,
) -> Result<Stage> {
    stamp.needs(Right::Converse)?;
    let appointment = appointment::get(tx, stamp, reminder.appointment)?;
    let rule = match reminder_rule::get(tx, stamp, reminder.rule) {
        Ok(rule) => Some(rule),
        Err(Error::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let is_settled = appointment.confirmed_at.is_some()
        || !stands(&appointment, reminder.start)
        || appointment.start <= stamp.now;
    let Some(rule) = rule.filter(|rule| rule.active && !is_settled) else {
        note(tx, reminder, (reminder.stage, reminder.message), None)?;
        return Ok(reminder.stage);
    };
    let not_after = plus_minutes(appointment.start, -super::LATEST_MINUTES);
    if reminder.stage == Stage::Reminded
        && let Some(said) = speak(tx, stamp, (&appointment, &rule, 1), content, not_after)?
    {
        let look_at = look_again(&appointment, &rule, Stage::Again);
        note(tx, reminder, (Stage::Again, Some(said.id)), look_at)?;
        return Ok(Stage::Again);
    }
    let conversation = match reminder.message {
        Some(message) => Some(message::get(tx, stamp, message)?.conversation),
        None => None,
    };
    let opening = ticket::Opening {
        reason: ticket::Reason::NotConfirmed,
        subject: String::new(),
        patient: Some(appointment.patient),
        conversation,
        due: Some(appointment.start),
        assignee: None,
    };
    ticket::open(tx, stamp, opening)?;
    note(tx, reminder, (Stage::Desk, reminder.message), None)?;
    Ok(Stage::Desk)
}

fn note(
    tx: &Tx<'_>,
    reminder: &Reminder,
    (stage, message): (Stage, Option<MessageId>),
    look_at: Option<Timestamp>,
) -> Result<()> {
    tx.sql()
        .prepare_cached(
            "UPDATE reminder SET stage = ?4, message = ?5, look_at = ?6
             WHERE appointment = ?1 AND rule = ?2 AND start = ?3",
        )?
        .execute((
            reminder.appointment,
            reminder.rule,
            to_ms(reminder.start),
            stage.number(),
            message,
            look_at.map(to_ms),
        ))?;
    Ok(())
}

fn stands(appointment: &Appointment, start: Timestamp) -> bool {
    appointment.status == Status::Booked && appointment.start == start
}

fn known(
    read: &Read<'_>,
    appointment: &Appointment,
    rule: &ReminderRule,
) -> Result<Option<Reminder>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM reminder WHERE appointment = ?1 AND rule = ?2 AND start = ?3"
    );
    let values = (appointment.id, rule.id, to_ms(appointment.start));
    Ok(read.sql().prepare_cached(&sql)?.query_row(values, from_row).optional()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Reminder> {
    Ok(Reminder {
        appointment: row.get(0)?,
        rule: row.get(1)?,
        start: from_ms(row.get(2)?),
        message: row.get(3)?,
        stage: Stage::stored(row.get(4)?),
    })
}
