//! How somebody comes into the queue.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Joined, Kind, LATE_GRACE_MINUTES, QueueEntry, Status, row, turn};
use crate::appointment::Appointment;
use crate::clinic;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{LocationId, Noun, PatientId, PractitionerId, QueueEntryId};
use crate::location;
use crate::patient;
use crate::practitioner::{self, DESK_PREFIX};
use crate::schedule;
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, local_date, plus_minutes};

/// Puts a patient without an appointment into a practitioner's line. Somebody who is in it keeps
/// their token; who had been skipped is back in the line.
pub fn join_walk_in(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    patient: PatientId,
    practitioner: PractitionerId,
) -> Result<Joined> {
    if !stamp.may(Right::CheckIn) {
        stamp.needs(Right::RunQueue)?;
    }
    patient::must_be_active(tx, patient)?;
    let clinic = clinic::get(tx)?;
    let (usual_location, prefix) = practitioner::active(tx, practitioner)?;
    let date = local_date(&clinic.zone, stamp.now);
    if let Some(entry) = row::in_line_of(tx, date, patient, practitioner)? {
        return again(tx, stamp, entry);
    }
    let location = room_today(tx, practitioner, date)?.or(usual_location);
    let joined = turn_to_join(tx, stamp, date)?;
    let due = plus_minutes(joined, clinic.walk_in_wait_minutes);
    let entry = new(stamp, (date, joined), Kind::WalkIn, due, location);
    let entry = QueueEntry { patient: Some(patient), practitioner: Some(practitioner), ..entry };
    write(tx, stamp, &prefix, entry)
}

/// Whether a patient has a place in a practitioner's line today, or is inside.
pub(crate) fn is_in_line(
    read: &Read<'_>,
    stamp: &Stamp,
    patient: PatientId,
    practitioner: PractitionerId,
) -> Result<bool> {
    let date = local_date(&clinic::get(read)?.zone, stamp.now);
    Ok(row::in_line_of(read, date, patient, practitioner)?.is_some())
}

/// Puts a patient who has an appointment into the line. Once in, they keep their token; who
/// had been skipped is back in the line.
pub(crate) fn join_booked(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    appointment: &Appointment,
) -> Result<Joined> {
    if let Some(entry) = row::of_appointment(tx, appointment.id)? {
        return again(tx, stamp, entry);
    }
    let clinic = clinic::get(tx)?;
    let (_, prefix) = practitioner::active(tx, appointment.practitioner)?;
    let date = local_date(&clinic.zone, stamp.now);
    let kept_until = plus_minutes(appointment.start, LATE_GRACE_MINUTES);
    let joined = turn_to_join(tx, stamp, date)?;
    let due = if stamp.now <= kept_until { appointment.start } else { joined };
    let entry = new(stamp, (date, joined), Kind::Booked, due, appointment.location);
    let entry = QueueEntry {
        patient: Some(appointment.patient),
        practitioner: Some(appointment.practitioner),
        appointment: Some(appointment.id),
        ..entry
    };
    write(tx, stamp, &prefix, entry)
}

/// Puts somebody, whoever it is, into the desk's line.
pub(crate) fn join_desk(tx: &mut Tx<'_>, stamp: &Stamp) -> Result<Joined> {
    let date = local_date(&clinic::get(tx)?.zone, stamp.now);
    let joined = turn_to_join(tx, stamp, date)?;
    let entry = new(stamp, (date, joined), Kind::Desk, joined, None);
    write(tx, stamp, DESK_PREFIX, entry)
}

/// Somebody comes again who has a token: they keep it.
fn again(tx: &mut Tx<'_>, stamp: &Stamp, entry: QueueEntry) -> Result<Joined> {
    let entry = match entry.status {
        Status::Skipped => turn::back_in_line(tx, stamp, entry, None)?,
        Status::Waiting | Status::Called | Status::Finished | Status::Left => entry,
    };
    Ok(Joined { entry, is_new: false })
}

/// When somebody joins: now, but never before those who joined earlier that day, so that a clock
/// that is set back puts nobody in front of them.
fn turn_to_join(tx: &Tx<'_>, stamp: &Stamp, date: Date) -> Result<Timestamp> {
    let last: Option<i64> = tx
        .sql()
        .prepare_cached("SELECT max(joined_at) FROM queue_entry WHERE date = ?1")?
        .query_row([date.to_string()], |row| row.get(0))?;
    Ok(last.map_or(stamp.now, |last| stamp.now.max(from_ms(last + 1))))
}

fn new(
    stamp: &Stamp,
    (date, joined_at): (Date, Timestamp),
    kind: Kind,
    due: Timestamp,
    location: Option<LocationId>,
) -> QueueEntry {
    QueueEntry {
        id: QueueEntryId::new(stamp.now),
        version: 1,
        date,
        token: String::new(),
        kind,
        status: Status::Waiting,
        patient: None,
        patient_name: None,
        practitioner: None,
        location,
        room: None,
        appointment: None,
        joined_at,
        due,
        called_at: None,
        calls: 0,
        finished_at: None,
        priority_reason: None,
    }
}

fn write(tx: &mut Tx<'_>, stamp: &Stamp, prefix: &str, entry: QueueEntry) -> Result<Joined> {
    let last: i64 = tx
        .sql()
        .prepare_cached(
            "SELECT coalesce(max(number), 0) FROM queue_entry WHERE date = ?1 AND prefix = ?2",
        )?
        .query_row((entry.date.to_string(), prefix), |row| row.get(0))?;
    row::insert(tx, &entry, (prefix, last + 1))?;
    tx.record(stamp, "join", (Noun::QueueEntry, entry.id.as_bytes(), 1), entry.patient)?;
    Ok(Joined { entry: row::find(tx, entry.id)?, is_new: true })
}

/// The room of the session that a practitioner holds on a day.
fn room_today(tx: &Tx<'_>, practitioner: PractitionerId, date: Date) -> Result<Option<LocationId>> {
    let schedules = schedule::in_use(tx, Some(practitioner))?;
    let room = schedules.iter().filter(|schedule| schedule.is_on(date)).find_map(|s| s.location);
    match room {
        Some(room) => match location::must_be_active(tx, room) {
            Ok(()) => Ok(Some(room)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        },
        None => Ok(None),
    }
}
