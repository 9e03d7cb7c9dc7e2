//! Whose turn it is: call, recall, skip, rejoin, finish, leave, prioritise.

use super::{Line, QueueEntry, Status, row};
use crate::appointment::{self, Appointment};
use crate::change::next_version;
use crate::clinic;
use crate::contact;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::{Noun, QueueEntryId};
use crate::stamp::{Right, Stamp};
use crate::time::{local_date, start_of_day};

/// Calls whoever is next in a line, and finishes with whoever is inside if told so.
pub fn call_next(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    line: Line,
    finish_current: bool,
) -> Result<QueueEntry> {
    stamp.needs(Right::RunQueue)?;
    let today = local_date(&clinic::get(tx)?.zone, stamp.now).to_string();
    if finish_current {
        let inside = match line {
            Line::Practitioner(id) => row::one(
                tx,
                "q.date = ?1 AND q.status = 'called' AND q.practitioner = ?2",
                (&today, id),
            )?,
            Line::Location(id) => row::one(
                tx,
                "q.date = ?1 AND q.status = 'called' AND q.location = ?2",
                (&today, id),
            )?,
            Line::Desk => {
                row::one(tx, "q.date = ?1 AND q.status = 'called' AND q.kind = 'desk'", [&today])?
            }
        };
        if let Some(inside) = inside {
            finish(tx, stamp, inside.id, None)?;
        }
    }
    let first = "ORDER BY q.due, q.joined_at, q.id";
    let next = match line {
        Line::Practitioner(id) => row::one(
            tx,
            &format!("q.date = ?1 AND q.status = 'waiting' AND q.practitioner = ?2 {first}"),
            (&today, id),
        )?,
        Line::Location(id) => row::one(
            tx,
            &format!("q.date = ?1 AND q.status = 'waiting' AND q.location = ?2 {first}"),
            (&today, id),
        )?,
        Line::Desk => row::one(
            tx,
            &format!("q.date = ?1 AND q.status = 'waiting' AND q.kind = 'desk' {first}"),
            [&today],
        )?,
    };
    match next {
        Some(entry) => call(tx, stamp, entry.id, None),
        None => Err(Error::refused(Code::QueueEmpty, "nobody is waiting in this line")),
    }
}

/// Calls somebody, out of turn if need be.
pub fn call(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: QueueEntryId,
    seen: Option<i64>,
) -> Result<QueueEntry> {
    stamp.needs(Right::RunQueue)?;
    let entry = step(row::find(tx, id)?, seen, Status::Called)?;
    called(tx, stamp, entry)
}

fn called(tx: &mut Tx<'_>, stamp: &Stamp, entry: QueueEntry) -> Result<QueueEntry> {
    let (called_at, calls) = (Some(stamp.now), entry.calls + 1);
    write(tx, stamp, "call", QueueEntry { called_at, calls, ..entry })
}

/// Calls somebody again who was called.
pub fn recall(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: QueueEntryId,
    seen: Option<i64>,
) -> Result<QueueEntry> {
    stamp.needs(Right::RunQueue)?;
    let entry = row::find(tx, id)?;
    match entry.status {
        Status::Called => called(tx, stamp, step(entry, seen, Status::Called)?),
        Status::Waiting | Status::Skipped | Status::Finished | Status::Left => {
            Err(illegal("only somebody who was called can be called again"))
        }
    }
}

/// Passes over somebody who did not come; they may rejoin.
pub fn skip(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: QueueEntryId,
    seen: Option<i64>,
) -> Result<QueueEntry> {
    stamp.needs(Right::RunQueue)?;
    let entry = step(row::find(tx, id)?, seen, Status::Skipped)?;
    write(tx, stamp, "skip", entry)
}

/// Puts somebody back into the line who was skipped: behind those who were due before now.
pub fn rejoin(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: QueueEntryId,
    seen: Option<i64>,
) -> Result<QueueEntry> {
    stamp.needs(Right::RunQueue)?;
    let entry = row::find(tx, id)?;
    back_in_line(tx, stamp, entry, seen)
}

/// Notes that somebody was seen; an appointment is fulfilled by it.
pub fn finish(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: QueueEntryId,
    seen: Option<i64>,
) -> Result<QueueEntry> {
    stamp.needs(Right::RunQueue)?;
    let entry = step(row::find(tx, id)?, seen, Status::Finished)?;
    if let Some(appointment) = entry.appointment
        && appointment::find(tx, appointment)?.status.may_become(appointment::Status::Fulfilled)
    {
        appointment::complete(tx, stamp, appointment, None)?;
    }
    write(tx, stamp, "finish", QueueEntry { finished_at: Some(stamp.now), ..entry })
}

/// Notes that somebody went away unseen.
pub fn leave(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: QueueEntryId,
    seen: Option<i64>,
) -> Result<QueueEntry> {
    stamp.needs(Right::RunQueue)?;
    let entry = step(row::find(tx, id)?, seen, Status::Left)?;
    write(tx, stamp, "leave", entry)
}

/// Takes whoever's visit is over or called off out of the line, so that nobody is called who does
/// not wait. Every door that ends an appointment says so here, in the same transaction; nothing
/// happens for one that stands, or of which nobody is in the line.
pub fn ended(tx: &mut Tx<'_>, stamp: &Stamp, appointment: &Appointment) -> Result<()> {
    use crate::appointment::Status as Visit;
    let seen = match appointment.status {
        Visit::Pending | Visit::Booked | Visit::Arrived | Visit::CheckedIn => return Ok(()),
        Visit::Fulfilled => true,
        Visit::Cancelled | Visit::Noshow | Visit::EnteredInError => false,
    };
    let Some(entry) = row::of_appointment(tx, appointment.id)? else { return Ok(()) };
    match entry.status {
        Status::Waiting | Status::Called | Status::Skipped => {}
        Status::Finished | Status::Left => return Ok(()),
    }
    let version = entry.version + 1;
    let entry = if seen {
        QueueEntry { status: Status::Finished, finished_at: Some(stamp.now), version, ..entry }
    } else {
        QueueEntry { status: Status::Left, version, ..entry }
    };
    write(tx, stamp, if seen { "finish" } else { "leave" }, entry)?;
    Ok(())
}

/// Puts somebody first, for a reason that is written down.
pub fn prioritise(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (QueueEntryId, Option<i64>),
    reason: Option<String>,
) -> Result<QueueEntry> {
    stamp.needs(Right::RunQueue)?;
    let reason = contact::reason("reason", reason)?;
    let entry = row::find(tx, id)?;
    let version = next_version(entry.version, seen)?;
    match entry.status {
        Status::Waiting => {}
        Status::Called | Status::Skipped | Status::Finished | Status::Left => {
            return Err(illegal("only somebody who waits can be put first"));
        }
    }
    let zone = clinic::get(tx)?.zone;
    let due = start_of_day(&zone, entry.date);
    write(
        tx,
        stamp,
        "prioritise",
        QueueEntry { version, due, priority_reason: Some(reason), ..entry },
    )
}

pub(super) fn back_in_line(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    entry: QueueEntry,
    seen: Option<i64>,
) -> Result<QueueEntry> {
    let version = next_version(entry.version, seen)?;
    match entry.status {
        Status::Skipped => {}
        Status::Waiting | Status::Called | Status::Finished | Status::Left => {
            return Err(illegal("only somebody who was skipped can rejoin"));
        }
    }
    let due = entry.due.max(stamp.now);
    write(tx, stamp, "rejoin", QueueEntry { version, due, status: Status::Waiting, ..entry })
}

/// The entry after a step, if `seen` is its version and its status allows the step.
fn step(entry: QueueEntry, seen: Option<i64>, status: Status) -> Result<QueueEntry> {
    let version = next_version(entry.version, seen)?;
    if entry.status.may_become(status) {
        Ok(QueueEntry { version, status, ..entry })
    } else {
        Err(illegal(&format!(
            "somebody who is {} cannot become {}",
            entry.status.as_str(),
            status.as_str()
        )))
    }
}

fn write(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    verb: &'static str,
    entry: QueueEntry,
) -> Result<QueueEntry> {
    row::update(tx, &entry)?;
    tx.record(stamp, verb, (Noun::QueueEntry, entry.id.as_bytes(), entry.version), entry.patient)?;
    Ok(entry)
}

fn illegal(detail: &str) -> Error {
    Error::refused(Code::IllegalStep, detail)
}
