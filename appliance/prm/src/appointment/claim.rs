//! Claims: the five-minute ticks of an actor that an appointment takes, or a slot that is lent to the hub.

use jiff::Timestamp;

use super::{Appointment, row};
use crate::db::{Read, Tx};
use crate::error::Result;
use crate::id::{AppointmentId, LoanId};
use crate::slot::OVERBOOK_LANE;
use crate::stamp::Stamp;
use crate::time::{Ticks, to_ms};

/// Overbookings of one actor at one time at the most.
const OVERBOOKED_MAX: i64 = 100;

/// Which lanes may be taken.
#[derive(Clone, Copy)]
pub(super) enum Lanes {
    /// Those of the actor's capacity.
    Within(i64),
    /// Those of deliberate overbooking.
    Over,
}

/// What a search for a free lane found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// This one is free.
    Free(i64),
    /// None is, but one would be if the hub gave it back.
    Lent,
    /// None is.
    Taken,
}

/// To whom claims belong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner {
    /// An appointment, until a time if it is held only.
    Appointment(AppointmentId, Option<Timestamp>),
    /// A slot that is lent.
    Loan(LoanId),
}

/// The first lane that is free in all of the ticks, if any. Expired holds in the way are
/// called off first.
pub(super) fn free_lane(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    actor: &[u8; 16],
    ticks: Ticks,
    lanes: Lanes,
) -> Result<Found> {
    let (first, last) = match lanes {
        Lanes::Within(capacity) => (0, capacity),
        Lanes::Over => (OVERBOOK_LANE, OVERBOOK_LANE + OVERBOOKED_MAX),
    };
    let Used { booked, lent } = used(tx, stamp, actor, ticks)?;
    let free = (first..last).find(|lane| !booked.contains(lane) && !lent.contains(lane));
    Ok(match free {
        Some(lane) => Found::Free(lane),
        None if (first..last).any(|lane| !booked.contains(&lane)) => Found::Lent,
        None => Found::Taken,
    })
}

/// Whether a lane is free in all of the ticks. Expired holds in the way are called off first.
pub(crate) fn is_free(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    actor: &[u8; 16],
    (ticks, lane): (Ticks, i64),
) -> Result<bool> {
    let Used { booked, lent } = used(tx, stamp, actor, ticks)?;
    Ok(!booked.contains(&lane) && !lent.contains(&lane))
}

/// The lanes of an actor that are used in some of the ticks, by whom.
struct Used {
    booked: Vec<i64>,
    lent: Vec<i64>,
}

fn used(tx: &mut Tx<'_>, stamp: &Stamp, actor: &[u8; 16], ticks: Ticks) -> Result<Used> {
    let now = to_ms(stamp.now);
    let mut used = Used { booked: Vec::new(), lent: Vec::new() };
    let mut expired: Vec<AppointmentId> = Vec::new();
    {
        let mut statement = tx.sql().prepare_cached(
            "SELECT lane, until, appointment, loan IS NOT NULL FROM claim
             WHERE actor = ?1 AND tick BETWEEN ?2 AND ?3",
        )?;
        let mut rows = statement.query((actor, ticks.first, ticks.last))?;
        while let Some(row) = rows.next()? {
            match row.get::<_, Option<i64>>(1)? {
                Some(until) if until <= now => {
                    let appointment = row.get(2)?;
                    if !expired.contains(&appointment) {
                        expired.push(appointment);
                    }
                }
                Some(_) | None if row.get::<_, bool>(3)? => used.lent.push(row.get(0)?),
                Some(_) | None => used.booked.push(row.get(0)?),
            }
        }
    }
    for appointment in expired {
        super::step::expire(tx, stamp, row::find(tx, appointment)?)?;
    }
    Ok(used)
}

/// Claims the ticks on a lane. The primary key refuses a lane that is not free.
pub(crate) fn take(
    tx: &Tx<'_>,
    actor: &[u8; 16],
    (ticks, lane): (Ticks, i64),
    owner: Owner,
) -> Result<()> {
    let (appointment, until, loan) = match owner {
        Owner::Appointment(id, until) => (Some(id), until.map(to_ms), None),
        Owner::Loan(id) => (None, None, Some(id)),
    };
    let mut insert = tx.sql().prepare_cached(
        "INSERT INTO claim (actor, tick, lane, appointment, until, loan)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for tick in ticks.first..=ticks.last {
        insert.execute((actor, tick, lane, appointment, until, loan))?;
    }
    Ok(())
}

/// Gives back every claim of a slot that was lent.
pub(crate) fn give_back(tx: &Tx<'_>, actor: &[u8; 16], ticks: Ticks, loan: LoanId) -> Result<()> {
    tx.sql()
        .prepare_cached(
            "DELETE FROM claim WHERE actor = ?1 AND tick BETWEEN ?2 AND ?3 AND loan = ?4",
        )?
        .execute((actor, ticks.first, ticks.last, loan))?;
    Ok(())
}

/// The appointment that has a lane in some of the ticks, expired holds aside.
pub(crate) fn occupant(
    read: &Read<'_>,
    stamp: &Stamp,
    actor: &[u8; 16],
    (ticks, lane): (Ticks, i64),
) -> Result<Option<AppointmentId>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT appointment FROM claim WHERE actor = ?1 AND tick BETWEEN ?2 AND ?3 AND lane = ?4
         AND appointment IS NOT NULL AND (until IS NULL OR until > ?5) ORDER BY tick LIMIT 1",
    )?;
    let mut rows = statement.query((actor, ticks.first, ticks.last, lane, to_ms(stamp.now)))?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

/// Gives back every claim of an appointment.
pub(super) fn release(tx: &Tx<'_>, appointment: &Appointment) -> Result<()> {
    let ticks = Ticks::of(appointment.start, appointment.blocked_to);
    let mut delete = tx.sql().prepare_cached(
        "DELETE FROM claim WHERE actor = ?1 AND tick BETWEEN ?2 AND ?3 AND appointment = ?4",
    )?;
    let mut actors = vec![*appointment.practitioner.as_bytes()];
    if let Some(service) = appointment.healthcare_service {
        // The rooms of the service may have changed since the booking: its claims tell.
        let mut statement = tx.sql().prepare_cached(
            "SELECT DISTINCT l.id FROM location l
             JOIN claim c ON c.actor = l.id AND c.tick = ?1 AND c.appointment = ?2
             WHERE ?3 IS NOT NULL",
        )?;
        let rows = statement.query_map((ticks.first, appointment.id, service), |row| row.get(0))?;
        for location in rows {
            actors.push(location?);
        }
    }
    for actor in actors {
        delete.execute((actor, ticks.first, ticks.last, appointment.id))?;
    }
    Ok(())
}

/// Makes the claims of a hold last.
pub(super) fn keep(tx: &Tx<'_>, appointment: &Appointment) -> Result<()> {
    let ticks = Ticks::of(appointment.start, appointment.blocked_to);
    tx.sql()
        .prepare_cached(
            "UPDATE claim SET until = NULL WHERE appointment = ?3 AND tick BETWEEN ?1 AND ?2
             AND actor IN (SELECT ?4 UNION ALL SELECT id FROM location)",
        )?
        .execute((ticks.first, ticks.last, appointment.id, appointment.practitioner))?;
    Ok(())
}
