//! The outbox: what is due, by which way it goes, and what is dropped.

use jiff::Timestamp;

use super::{Dropped, Judgement, Message, Progress, Purpose, Quiet, Said, State, row, unseen};
use crate::consent;
use crate::conversation::{self, Address, Way};
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{DeliveryId, MessageId, Noun};
use crate::relay;
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// Messages about which there is something to do now, the one that waited longest first; at most `limit`.
pub fn due(read: &Read<'_>, stamp: &Stamp, limit: usize) -> Result<Vec<Message>> {
    stamp.needs(Right::Converse)?;
    row::many(
        read,
        "WHERE look_at <= ?1 ORDER BY look_at, number LIMIT ?2",
        (to_ms(stamp.now), row::bounded(limit)),
    )
}

/// When there is something to do next, if ever.
pub fn next_due(read: &Read<'_>) -> Result<Option<Timestamp>> {
    let sql = "SELECT min(look_at) FROM message WHERE look_at IS NOT NULL";
    let next: Option<i64> = read.sql().prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(next.map(crate::time::from_ms))
}

/// What is to be done with a message now.
pub fn judge(
    read: &Read<'_>,
    stamp: &Stamp,
    quiet: &Quiet,
    (message, said): (&Message, &Said),
) -> Result<Judgement> {
    let consent = consent::at(read, stamp, &message.address)?;
    let wanted = match consent.filter(|consent| !consent.wanted) {
        None => true,
        // Who writes after that wants an answer.
        Some(stopped) => {
            let heard = conversation::get(read, stamp, message.conversation)?.last_heard_at;
            said.purpose == Purpose::Desk && heard.is_some_and(|heard| heard > stopped.said_at)
        }
    };
    Ok(quiet.judge(said, wanted, stamp.now))
}

/// What would become of the messages that wait, in the order of when they are due, those after one of
/// them.
pub fn preview(
    read: &Read<'_>,
    stamp: &Stamp,
    quiet: &Quiet,
    after: Option<MessageId>,
    limit: usize,
) -> Result<Vec<(Message, Judgement)>> {
    stamp.needs(Right::Converse)?;
    let (at, number) = row::place(read, "look_at", after, i64::MIN)?;
    let waiting = row::many(
        read,
        "WHERE look_at IS NOT NULL AND state = 'waiting' AND (look_at, number) > (?1, ?2)
         ORDER BY look_at, number LIMIT ?3",
        (at, number, row::bounded(limit)),
    )?;
    let mut judged = Vec::with_capacity(waiting.len());
    for message in waiting {
        let judgement = judge(read, stamp, quiet, (&message, message.said()?))?;
        judged.push((message, judgement));
    }
    Ok(judged)
}

/// How many tries to an address were begun since, without those for answers.
pub fn begun_since(
    read: &Read<'_>,
    stamp: &Stamp,
    address: &Address,
    since: Timestamp,
) -> Result<i64> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT count(*) FROM delivery d JOIN message m ON m.id = d.message
         WHERE d.family = ?1 AND d.address = ?2 AND d.begun_at > ?3 AND m.purpose <> 'reply'
           AND d.error IS NULL",
    )?;
    let values = (address.family(), address.as_str(), to_ms(since));
    Ok(statement.query_row(values, |row| row.get(0))?)
}

/// Begins to send a message by one of its ways, a later one than before. It is looked at again at
/// `look_again`, for it may be that nothing is heard of it.
pub fn begin(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, nth): (MessageId, u16),
    look_again: Timestamp,
) -> Result<DeliveryId> {
    let (message, way) = next_way(tx, stamp, id, nth)?;
    give_up_queued(tx, stamp, id, "too-slow")?;
    let delivery = insert(tx, stamp, (id, nth), &way, None)?;
    let sql =
        "UPDATE message SET version = version + 1, at = ?2, medium = ?3, family = ?4, address = ?5,
        look_at = ?6 WHERE id = ?1";
    let Way { medium, address } = &way;
    let at = (id, nth, medium.as_str(), address.family(), address.as_str(), to_ms(look_again));
    tx.sql().prepare_cached(sql)?.execute(at)?;
    note(tx, stamp, "send", &message)?;
    Ok(delivery)
}

/// Passes over one of the ways of a message, and writes why.
pub fn skip(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, nth): (MessageId, u16),
    why: &'static str,
) -> Result<()> {
    let (message, way) = next_way(tx, stamp, id, nth)?;
    insert(tx, stamp, (id, nth), &way, Some(why))?;
    let sql = "UPDATE message SET version = version + 1, at = ?2 WHERE id = ?1";
    tx.sql().prepare_cached(sql)?.execute((id, nth))?;
    note(tx, stamp, "skip", &message)
}

/// Looks at a message again later.
pub fn postpone(tx: &mut Tx<'_>, stamp: &Stamp, id: MessageId, until: Timestamp) -> Result<()> {
    stamp.needs(Right::Converse)?;
    let sql = "UPDATE message SET look_at = ?2 WHERE id = ?1 AND look_at IS NOT NULL";
    tx.sql().prepare_cached(sql)?.execute((id, to_ms(until)))?;
    Ok(())
}

/// No way is left: nobody was reached, unless it is still heard of one of the tries. What was not sent in
/// time is given up. The message waits for a person, and the desk has a ticket.
pub fn exhausted(tx: &mut Tx<'_>, stamp: &Stamp, id: MessageId, why: &str) -> Result<()> {
    let message = super::get(tx, stamp, id)?;
    give_up_queued(tx, stamp, id, why)?;
    let sql = "UPDATE message SET version = version + 1, state = 'failed', why = ?2, look_at = NULL
        WHERE id = ?1";
    tx.sql().prepare_cached(sql)?.execute((id, why))?;
    conversation::waits_for_a_person(tx, message.conversation)?;
    unseen::leave_to_the_desk(tx, stamp, &message)?;
    note(tx, stamp, "fail", &message)
}

/// Drops a message that was not sent yet. Answers whether it was not: one that is with whoever carries it
/// is only not tried by another way. What is too late and was seen by nobody is left to the desk.
pub fn dropped(tx: &mut Tx<'_>, stamp: &Stamp, id: MessageId, why: Dropped) -> Result<bool> {
    let message = super::get(tx, stamp, id)?;
    drop_one(tx, stamp, &message, why)
}

pub(super) fn drop_one(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    message: &Message,
    why: Dropped,
) -> Result<bool> {
    let is_waiting = message.said()?.state == State::Waiting;
    let is_late = why == Dropped::Stale;
    if !is_waiting && is_late && unseen::is_unseen(tx, stamp, message)? {
        exhausted(tx, stamp, message.id, why.as_str())?;
    } else if is_waiting {
        if is_late {
            unseen::leave_to_the_desk(tx, stamp, message)?;
        }
        give_up_queued(tx, stamp, message.id, why.as_str())?;
        let sql =
            "UPDATE message SET version = version + 1, state = 'dropped', why = ?2, look_at = NULL
            WHERE id = ?1";
        tx.sql().prepare_cached(sql)?.execute((message.id, why.as_str()))?;
        note(tx, stamp, "drop", message)?;
    } else {
        let sql = "UPDATE message SET look_at = NULL WHERE id = ?1";
        tx.sql().prepare_cached(sql)?.execute([message.id])?;
    }
    Ok(is_waiting)
}

/// How many tries wait for whoever carries them.
pub fn queued_count(read: &Read<'_>) -> Result<i64> {
    let sql = "SELECT count(*) FROM delivery WHERE state = 'queued'";
    Ok(read.sql().prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// The message, and the way that is to be next.
fn next_way(read: &Read<'_>, stamp: &Stamp, id: MessageId, nth: u16) -> Result<(Message, Way)> {
    let message = super::get(read, stamp, id)?;
    let said = message.said()?;
    let is_next = said.at.is_none_or(|at| at < nth) && said.look_at.is_some();
    let way = said.route.get(usize::from(nth)).filter(|_| is_next).cloned();
    let way = way.ok_or_else(|| {
        Error::refused(Code::IllegalStep, "this message has gone this way, or another, already")
    })?;
    Ok((message, way))
}

fn insert(
    tx: &Tx<'_>,
    stamp: &Stamp,
    (id, nth): (MessageId, u16),
    Way { medium, address }: &Way,
    error: Option<&str>,
) -> Result<DeliveryId> {
    let delivery = DeliveryId::new(stamp.now);
    let progress = if error.is_some() { Progress::Failed } else { Progress::Queued };
    tx.sql()
        .prepare_cached(
            "INSERT INTO delivery (id, message, attempt, medium, family, address, state, error,
               begun_at, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
        )?
        .execute((
            delivery,
            id,
            nth,
            medium.as_str(),
            address.family(),
            address.as_str(),
            progress.as_str(),
            error,
            to_ms(stamp.now),
        ))?;
    Ok(delivery)
}

/// Gives up the tries that nobody has taken yet.
fn give_up_queued(tx: &mut Tx<'_>, stamp: &Stamp, id: MessageId, why: &str) -> Result<()> {
    let sql = "UPDATE delivery SET state = 'failed', error = ?2, changed_at = ?3
        WHERE message = ?1 AND state = 'queued' RETURNING id";
    let given_up = tx
        .sql()
        .prepare_cached(sql)?
        .query_map((id, why, to_ms(stamp.now)), |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<DeliveryId>>>()?;
    for delivery in given_up {
        relay::forget(tx, stamp, delivery)?;
    }
    Ok(())
}

/// Records that a message made a step; its version has grown by one.
pub(super) fn note(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    verb: &'static str,
    before: &Message,
) -> Result<()> {
    let patient = conversation::get(tx, stamp, before.conversation)?.patient;
    tx.record(stamp, verb, (Noun::Message, before.id.as_bytes(), before.version + 1), patient)
}
