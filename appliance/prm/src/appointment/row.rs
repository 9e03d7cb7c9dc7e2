//! Reading and writing appointments' rows.

use jiff::Timestamp;
use rusqlite::Row;

use super::{Appointment, Status};
use crate::contact::Phone;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{AppointmentId, Noun, PatientId, PractitionerId};
use crate::past;
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// Appointments that one listing answers at the most.
pub const LIST_MAX: u32 = 2_000;

const COLUMNS: &str = "a.id, a.version, a.status, a.patient, p.name,
  (SELECT number FROM patient_phone f WHERE f.patient = a.patient ORDER BY position LIMIT 1),
  a.practitioner, a.location, a.healthcare_service, a.schedule, a.start, a.end, a.blocked_to,
  a.lane, a.reason, a.cancel_reason, a.overbook_reason, a.confirmed_at, a.hold_until, a.series
  FROM appointment a JOIN patient p ON p.id = a.patient";

/// Which appointments to list, by start.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// That start at this time or later.
    pub from: Option<Timestamp>,
    /// That start before this time.
    pub to: Option<Timestamp>,
    /// With this practitioner.
    pub practitioner: Option<PractitionerId>,
    /// Of this patient.
    pub patient: Option<PatientId>,
    /// That stand so.
    pub status: Option<Status>,
    /// That come after this start and id: the cursor.
    pub after: Option<(Timestamp, AppointmentId)>,
}

/// An appointment as it was at a version; *not found* if there never was such a version.
pub fn at_version(
    read: &Read<'_>,
    stamp: &Stamp,
    id: AppointmentId,
    version: i64,
) -> Result<Appointment> {
    let newest = get(read, stamp, id)?;
    past::at(read, (Noun::Appointment, id.as_bytes(), version), newest)
}

/// One appointment.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: AppointmentId) -> Result<Appointment> {
    stamp.needs(Right::ReadAppointments)?;
    find(read, id)
}

/// Appointments by start, at most `limit` (and never more than [`LIST_MAX`]).
pub fn list(
    read: &Read<'_>,
    stamp: &Stamp,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Appointment>> {
    stamp.needs(Right::ReadAppointments)?;
    let Filter { from, to, practitioner, patient, status, after } = filter;
    // Each way of asking has an index that fits; one statement for all would use none of them.
    let mut sql = format!("SELECT {COLUMNS} WHERE a.start >= ?1 AND a.start < ?2");
    if practitioner.is_some() {
        sql.push_str(" AND a.practitioner = ?3");
    } else {
        sql.push_str(" AND ?3 IS NULL");
    }
    if patient.is_some() {
        sql.push_str(" AND a.patient = ?4");
    } else {
        sql.push_str(" AND ?4 IS NULL");
    }
    sql.push_str(
        " AND (?5 IS NULL OR a.status = ?5) AND (?6 IS NULL OR (a.start, a.id) > (?6, ?7))
          ORDER BY a.start, a.id LIMIT ?8",
    );
    let mut statement = read.sql().prepare_cached(&sql)?;
    let floor = after.map(|(start, _)| start).max(*from);
    let mut rows = statement.query((
        floor.map_or(i64::MIN, to_ms),
        to.map_or(i64::MAX, to_ms),
        practitioner,
        patient,
        status.map(Status::as_str),
        after.map(|(start, _)| to_ms(start)),
        after.map(|(_, id)| id),
        limit.min(LIST_MAX),
    ))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(from_row(row)?);
    }
    Ok(found)
}

/// The appointments of a practitioner in a stretch that are still to take place: what a leave
/// or a change of sessions leaves to be moved.
pub fn standing_of(
    read: &Read<'_>,
    stamp: &Stamp,
    practitioner: PractitionerId,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Appointment>> {
    let filter = Filter {
        from: Some(from.max(stamp.now)),
        to: Some(to),
        practitioner: Some(practitioner),
        ..Filter::default()
    };
    let mut found = list(read, stamp, &filter, LIST_MAX)?;
    found.retain(|appointment| matches!(appointment.status, Status::Pending | Status::Booked));
    Ok(found)
}

/// One appointment, for the verbs.
pub(crate) fn find(read: &Read<'_>, id: AppointmentId) -> Result<Appointment> {
    let mut statement = read.sql().prepare_cached(&format!("SELECT {COLUMNS} WHERE a.id = ?1"))?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(Error::NotFound(Noun::Appointment))?;
    from_row(row)
}

/// The appointments of a patient between two times with which somebody may check in, by start.
pub(crate) fn of_patient_on(
    read: &Read<'_>,
    patient: PatientId,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Appointment>> {
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE a.patient = ?1 AND a.start >= ?2 AND a.start < ?3
         AND a.status IN ('booked', 'arrived', 'checked-in', 'noshow') ORDER BY a.start, a.id"
    ))?;
    let mut rows = statement.query((patient, to_ms(from), to_ms(to)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(from_row(row)?);
    }
    Ok(found)
}

/// Writes a new appointment's row.
pub(super) fn insert(tx: &Tx<'_>, appointment: &Appointment, now: Timestamp) -> Result<()> {
    let Appointment {
        id,
        version,
        status,
        patient,
        patient_name: _,
        patient_phone: _,
        practitioner,
        location,
        healthcare_service,
        schedule,
        start,
        end,
        blocked_to,
        lane,
        reason,
        cancel_reason,
        overbook_reason,
        confirmed_at,
        hold_until,
        series,
    } = appointment;
    tx.sql()
        .prepare_cached(
            "INSERT INTO appointment (id, version, status, patient, practitioner, location,
               healthcare_service, schedule, start, end, blocked_to, lane, reason, cancel_reason,
               overbook_reason, confirmed_at, hold_until, series, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
        )?
        .execute(rusqlite::params![
            id,
            version,
            status.as_str(),
            patient,
            practitioner,
            location,
            healthcare_service,
            schedule,
            to_ms(*start),
            to_ms(*end),
            to_ms(*blocked_to),
            lane,
            reason,
            cancel_reason,
            overbook_reason,
            confirmed_at.map(to_ms),
            hold_until.map(to_ms),
            series,
            to_ms(now),
        ])?;
    Ok(())
}

/// Writes everything of an appointment's row that a step may change, and keeps what it was.
pub(super) fn update(tx: &Tx<'_>, appointment: &Appointment) -> Result<()> {
    keep(tx, appointment.id)?;
    tx.sql()
        .prepare_cached(
            "UPDATE appointment SET version = ?2, status = ?3, practitioner = ?4, location = ?5,
               schedule = ?6, start = ?7, end = ?8, blocked_to = ?9, lane = ?10,
               cancel_reason = ?11, overbook_reason = ?12, confirmed_at = ?13, hold_until = ?14,
               reason = ?15
             WHERE id = ?1",
        )?
        .execute(rusqlite::params![
            appointment.id,
            appointment.version,
            appointment.status.as_str(),
            appointment.practitioner,
            appointment.location,
            appointment.schedule,
            to_ms(appointment.start),
            to_ms(appointment.end),
            to_ms(appointment.blocked_to),
            appointment.lane,
            appointment.cancel_reason,
            appointment.overbook_reason,
            appointment.confirmed_at.map(to_ms),
            appointment.hold_until.map(to_ms),
            appointment.reason,
        ])?;
    Ok(())
}

/// Keeps an appointment as it is, before it is written over.
pub(crate) fn keep(tx: &Tx<'_>, id: AppointmentId) -> Result<()> {
    let before = find(tx, id)?;
    past::keep(tx, (Noun::Appointment, id.as_bytes(), before.version), &before)
}

fn from_row(row: &Row<'_>) -> Result<Appointment> {
    Ok(Appointment {
        id: row.get(0)?,
        version: row.get(1)?,
        status: Status::parse(&row.get::<_, String>(2)?)?,
        patient: row.get(3)?,
        patient_name: row.get(4)?,
        patient_phone: row.get::<_, Option<String>>(5)?.map(Phone::stored),
        practitioner: row.get(6)?,
        location: row.get(7)?,
        healthcare_service: row.get(8)?,
        schedule: row.get(9)?,
        start: from_ms(row.get(10)?),
        end: from_ms(row.get(11)?),
        blocked_to: from_ms(row.get(12)?),
        lane: row.get(13)?,
        reason: row.get(14)?,
        cancel_reason: row.get(15)?,
        overbook_reason: row.get(16)?,
        confirmed_at: row.get::<_, Option<i64>>(17)?.map(from_ms),
        hold_until: row.get::<_, Option<i64>>(18)?.map(from_ms),
        series: row.get(19)?,
    })
}
