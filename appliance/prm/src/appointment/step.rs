//! Every step after the booking: move, confirm, arrive, check in, complete, no-show, cancel.

use super::{Appointment, Status, book, claim, row};
use crate::change::next_version;
use crate::contact;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::{AppointmentId, Noun, SlotId};
use crate::slot;
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// Holds that one sweep calls off at the most.
const EXPIRED_PER_SWEEP_MAX: u32 = 50;

/// Moves an appointment to another slot, of any practitioner. The old time is free at once.
pub fn move_to(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (AppointmentId, Option<i64>),
    slot: SlotId,
    overbook: Option<String>,
) -> Result<Appointment> {
    stamp.needs(Right::Book)?;
    let before = row::find(tx, id)?;
    let version = next_version(before.version, seen)?;
    refuse_expired(&before, stamp)?;
    match before.status {
        Status::Pending | Status::Booked => {}
        Status::Arrived
        | Status::CheckedIn
        | Status::Fulfilled
        | Status::Cancelled
        | Status::Noshow
        | Status::EnteredInError => {
            return Err(Error::refused(
                Code::IllegalStep,
                "only an appointment that is booked can be moved; book a new one",
            ));
        }
    }
    let overbook = match overbook {
        Some(reason) => {
            stamp.needs(Right::Overbook)?;
            Some(contact::reason("overbook.reason", Some(reason))?)
        }
        None => None,
    };
    // Its own old time must not stand in the way of a small shift.
    claim::release(tx, &before)?;
    let offer = slot::offered(tx, slot, before.healthcare_service)?;
    let place =
        book::place(tx, stamp, &offer, slot, (before.patient, Some(id)), overbook.is_some())?;
    let after = Appointment {
        version,
        practitioner: offer.schedule.practitioner,
        location: offer.location,
        schedule: offer.schedule.id,
        start: offer.start,
        end: offer.end,
        blocked_to: offer.blocked_to,
        lane: place.lane,
        overbook_reason: overbook,
        // What was confirmed was the old time.
        confirmed_at: None,
        ..before
    };
    row::update(tx, &after)?;
    place.take(tx, &after)?;
    written(tx, stamp, "move", after)
}

/// Turns a hold into a booking; of a booking, notes that the patient said again they will come.
pub fn confirm(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: AppointmentId,
    seen: Option<i64>,
) -> Result<Appointment> {
    stamp.needs(Right::Book)?;
    let before = row::find(tx, id)?;
    let version = next_version(before.version, seen)?;
    refuse_expired(&before, stamp)?;
    match before.status {
        Status::Pending => claim::keep(tx, &before)?,
        Status::Booked => {}
        Status::Arrived
        | Status::CheckedIn
        | Status::Fulfilled
        | Status::Cancelled
        | Status::Noshow
        | Status::EnteredInError => return Err(illegal(before.status, "be confirmed")),
    }
    let after = Appointment {
        version,
        status: Status::Booked,
        hold_until: None,
        confirmed_at: Some(stamp.now),
        ..before
    };
    row::update(tx, &after)?;
    written(tx, stamp, "confirm", after)
}

/// Writes why the patient comes; the version grows even if that stays, for what is kept beside the
/// record.
pub fn amend(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (AppointmentId, Option<i64>),
    reason: Option<String>,
) -> Result<Appointment> {
    stamp.needs(Right::Book)?;
    let reason = contact::text("reason", reason)?;
    let before = row::find(tx, id)?;
    let version = next_version(before.version, seen)?;
    let after = Appointment { version, reason, ..before };
    row::update(tx, &after)?;
    written(tx, stamp, "amend", after)
}

/// Calls an appointment off; its time is free at once.
pub fn cancel(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (AppointmentId, Option<i64>),
    reason: Option<String>,
) -> Result<Appointment> {
    stamp.needs(Right::Book)?;
    let reason = contact::reason("reason", reason)?;
    let after = step(row::find(tx, id)?, seen, Status::Cancelled)?;
    end(tx, stamp, "cancel", Appointment { cancel_reason: Some(reason), ..after })
}

/// Notes that the patient is on the premises.
pub fn arrive(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: AppointmentId,
    seen: Option<i64>,
) -> Result<Appointment> {
    attend(tx, stamp, (id, seen), "arrive", Status::Arrived)
}

/// Notes that the patient did not come; not before the start.
pub fn no_show(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: AppointmentId,
    seen: Option<i64>,
) -> Result<Appointment> {
    stamp.needs(Right::Attend)?;
    let after = step(row::find(tx, id)?, seen, Status::Noshow)?;
    if after.start > stamp.now {
        return Err(Error::refused(
            Code::IllegalStep,
            "the appointment has not begun; cancel it if the patient called it off",
        ));
    }
    row::update(tx, &after)?;
    written(tx, stamp, "no_show", after)
}

/// Notes that the visit took place.
pub fn complete(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: AppointmentId,
    seen: Option<i64>,
) -> Result<Appointment> {
    attend(tx, stamp, (id, seen), "complete", Status::Fulfilled)
}

/// Notes that the appointment should never have been written; its time is free at once.
pub fn enter_in_error(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: AppointmentId,
    seen: Option<i64>,
) -> Result<Appointment> {
    stamp.needs(Right::Book)?;
    let after = step(row::find(tx, id)?, seen, Status::EnteredInError)?;
    end(tx, stamp, "enter_in_error", after)
}

/// Calls off the holds that are over. Their time was free already; this says so. Answers how
/// many there were.
pub fn expire_holds(tx: &mut Tx<'_>, stamp: &Stamp) -> Result<usize> {
    let over = {
        let mut statement = tx.sql().prepare_cached(
            "SELECT id FROM appointment WHERE status = 'pending' AND hold_until <= ?1 LIMIT ?2",
        )?;
        let rows =
            statement.query_map((to_ms(stamp.now), EXPIRED_PER_SWEEP_MAX), |row| row.get(0))?;
        rows.collect::<rusqlite::Result<Vec<AppointmentId>>>()?
    };
    for id in &over {
        let hold = row::find(tx, *id)?;
        expire(tx, stamp, hold)?;
    }
    Ok(over.len())
}

/// Puts a patient who checked in on the way to the queue.
pub(crate) fn check_in(tx: &mut Tx<'_>, stamp: &Stamp, id: AppointmentId) -> Result<Appointment> {
    let after = step(row::find(tx, id)?, None, Status::CheckedIn)?;
    row::update(tx, &after)?;
    written(tx, stamp, "check_in", after)
}

pub(super) fn expire(tx: &mut Tx<'_>, stamp: &Stamp, hold: Appointment) -> Result<()> {
    let after = step(hold, None, Status::Cancelled)?;
    let reason = Some("the hold was not confirmed in time".to_owned());
    end(tx, stamp, "expire", Appointment { cancel_reason: reason, ..after }).map(drop)
}

fn attend(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (AppointmentId, Option<i64>),
    verb: &'static str,
    status: Status,
) -> Result<Appointment> {
    stamp.needs(Right::Attend)?;
    let after = step(row::find(tx, id)?, seen, status)?;
    row::update(tx, &after)?;
    written(tx, stamp, verb, after)
}

/// The appointment after a step, if `seen` is its version and its status allows the step.
fn step(before: Appointment, seen: Option<i64>, status: Status) -> Result<Appointment> {
    let version = next_version(before.version, seen)?;
    if !before.status.may_become(status) {
        return Err(illegal(before.status, &format!("become {}", status.as_str())));
    }
    Ok(Appointment { version, status, hold_until: None, ..before })
}

fn end(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    verb: &'static str,
    after: Appointment,
) -> Result<Appointment> {
    claim::release(tx, &after)?;
    row::update(tx, &after)?;
    written(tx, stamp, verb, after)
}

fn written(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    verb: &'static str,
    after: Appointment,
) -> Result<Appointment> {
    let what = (Noun::Appointment, after.id.as_bytes(), after.version);
    tx.record(stamp, verb, what, Some(after.patient))?;
    Ok(after)
}

fn refuse_expired(before: &Appointment, stamp: &Stamp) -> Result<()> {
    match before.hold_until {
        Some(until) if until <= stamp.now => Err(Error::refused(
            Code::HoldExpired,
            "the hold is over and the slot may be somebody else's; book again",
        )),
        Some(_) | None => Ok(()),
    }
}

fn illegal(from: Status, what: &str) -> Error {
    let detail = format!("an appointment that is {} cannot {what}", from.as_str());
    Error::refused(Code::IllegalStep, detail)
}
