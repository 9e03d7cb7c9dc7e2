//! Patients with a confirmation for a slot that somebody else has: work for the desk.
//!
//! Invariant: a booking displaces its patient once, however often it comes to light.

use jiff::Timestamp;
use rusqlite::OptionalExtension as _;

use super::{Loan, row};
use crate::appointment::{self, Appointment, Booking};
use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{AppointmentId, LoanId, Noun, PatientId, PractitionerId, SlotId};
use crate::patient;
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// A patient who was displaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Displaced {
    /// The booking that the hub confirmed.
    pub booking: AppointmentId,
    /// The loan under which it was sold; none if the box knows no such session any more.
    pub loan: Option<LoanId>,
    /// Who.
    pub patient: PatientId,
    /// With whom the slot is, if that is known.
    pub practitioner: Option<PractitionerId>,
    /// When it begins.
    pub start: Timestamp,
    /// When it came to light.
    pub said_at: Timestamp,
}

/// Notes that a patient was displaced; answers whether that is new.
pub fn displace(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    loan: &Loan,
    (booking, patient): (AppointmentId, PatientId),
) -> Result<bool> {
    if !insert(tx, stamp, (Some(loan.id), loan.slot.start()), (booking, patient))? {
        return Ok(false);
    }
    next(tx, stamp, "displace", loan.id, Some(patient))?;
    Ok(true)
}

/// The same of a slot that the box knows nothing of, because it was restored.
pub fn displace_lost(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    start: Timestamp,
    (booking, patient): (AppointmentId, PatientId),
) -> Result<bool> {
    if !insert(tx, stamp, (None, start), (booking, patient))? {
        return Ok(false);
    }
    tx.audit(stamp, "displace", Noun::Loan, Some(booking.as_bytes()), Some(patient))?;
    Ok(true)
}

fn insert(
    tx: &Tx<'_>,
    stamp: &Stamp,
    (loan, start): (Option<LoanId>, Timestamp),
    (booking, patient): (AppointmentId, PatientId),
) -> Result<bool> {
    stamp.needs(Right::Book)?;
    let written = tx
        .sql()
        .prepare_cached(
            "INSERT INTO displaced (booking, loan, patient, start, said_at)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (booking) DO NOTHING",
        )?
        .execute((booking, loan, patient, to_ms(start), to_ms(stamp.now)))?;
    Ok(written > 0)
}

/// Those for whom nothing was done yet, the longest known first, after a booking of that order.
pub fn displaced(
    read: &Read<'_>,
    stamp: &Stamp,
    after: Option<(Timestamp, AppointmentId)>,
    limit: u32,
) -> Result<Vec<Displaced>> {
    stamp.needs(Right::ReadAppointments)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT d.booking, d.loan, d.patient, l.practitioner, d.start, d.said_at
         FROM displaced d LEFT JOIN loan l ON l.id = d.loan
         WHERE d.done_at IS NULL AND (?1 IS NULL OR (d.said_at, d.booking) > (?1, ?2))
         ORDER BY d.said_at, d.booking LIMIT ?3",
    )?;
    let rows = statement.query_map(
        (after.map(|(at, _)| to_ms(at)), after.map(|(_, id)| id), limit.min(row::LIST_MAX)),
        |row| {
            Ok(Displaced {
                booking: row.get(0)?,
                loan: row.get(1)?,
                patient: row.get(2)?,
                practitioner: row.get(3)?,
                start: from_ms(row.get(4)?),
                said_at: from_ms(row.get(5)?),
            })
        },
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Says what was done for a patient who was displaced. *Not found* if there is nothing to do.
pub fn done(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    booking: AppointmentId,
    how: Option<String>,
) -> Result<()> {
    stamp.needs(Right::Overbook)?;
    let how = contact::reason("reason", how)?;
    if close(tx, stamp, booking, &how)? { Ok(()) } else { Err(Error::NotFound(Noun::Loan)) }
}

/// Books another slot for a patient who was displaced, which is what was done about it. Refused like any
/// booking; *not found* if there is nothing to do.
pub fn rebook(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    displaced: AppointmentId,
    slot: SlotId,
) -> Result<Appointment> {
    stamp.needs(Right::Overbook)?;
    let patient: Option<PatientId> = tx
        .sql()
        .prepare_cached("SELECT patient FROM displaced WHERE booking = ?1 AND done_at IS NULL")?
        .query_row([displaced], |row| row.get(0))
        .optional()?;
    let patient = patient.ok_or(Error::NotFound(Noun::Loan))?;
    // Two records of one person may have become one since.
    let patient = patient::get(tx, stamp, patient)?.merged_into.unwrap_or(patient);
    let booking = Booking {
        id: AppointmentId::new(stamp.now),
        patient,
        slot,
        healthcare_service: None,
        reason: None,
        overbook: None,
        hold_minutes: None,
        series: None,
    };
    let booked = appointment::book(tx, stamp, booking)?;
    close(tx, stamp, displaced, "booked another time")?;
    Ok(booked)
}

/// How many patients were displaced for whom nothing was done yet.
pub fn displaced_count(read: &Read<'_>) -> Result<i64> {
    Ok(read
        .sql()
        .prepare_cached("SELECT count(*) FROM displaced WHERE done_at IS NULL")?
        .query_row([], |row| row.get(0))?)
}

/// The same by whoever has the right already; answers whether there was something to do.
pub(super) fn close(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    booking: AppointmentId,
    how: &str,
) -> Result<bool> {
    let open = {
        let mut statement = tx.sql().prepare_cached(
            "UPDATE displaced SET done_at = ?2, done_how = ?3
             WHERE booking = ?1 AND done_at IS NULL RETURNING loan, patient",
        )?;
        let mut rows = statement.query((booking, to_ms(stamp.now), how))?;
        let found: Option<(Option<LoanId>, PatientId)> = match rows.next()? {
            Some(row) => Some((row.get(0)?, row.get(1)?)),
            None => None,
        };
        // The rest of the statement has to run, too.
        while rows.next()?.is_some() {}
        found
    };
    let Some((loan, patient)) = open else { return Ok(false) };
    match loan {
        Some(loan) => next(tx, stamp, "place", loan, Some(patient))?,
        None => {
            tx.audit(stamp, "place", Noun::Loan, Some(booking.as_bytes()), Some(patient))?;
        }
    }
    Ok(true)
}

/// The next version of a loan, under a verb that is about a patient.
fn next(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    verb: &'static str,
    loan: LoanId,
    patient: Option<PatientId>,
) -> Result<()> {
    let before = row::find(tx, loan)?;
    let after = Loan { version: before.version + 1, ..before };
    row::write(tx, &after)?;
    tx.record(stamp, verb, (Noun::Loan, loan.as_bytes(), after.version), patient)
}
