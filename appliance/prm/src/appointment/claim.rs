//! Claims: the five-minute ticks of an actor that an appointment takes.

use jiff::Timestamp;

use super::{Appointment, row};
use crate::db::Tx;
use crate::error::Result;
use crate::id::AppointmentId;
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

/// The first lane that is free in all of the ticks, if any. Expired holds in the way are
/// called off first.
pub(super) fn free_lane(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    actor: &[u8; 16],
    ticks: Ticks,
    lanes: Lanes,
) -> Result<Option<i64>> {
    let (first, last) = match lanes {
        Lanes::Within(capacity) => (0, capacity),
        Lanes::Over => (OVERBOOK_LANE, OVERBOOK_LANE + OVERBOOKED_MAX),
    };
    let now = to_ms(stamp.now);
    let mut used: Vec<i64> = Vec::new();
    let mut expired: Vec<AppointmentId> = Vec::new();
    {
        let mut statement = tx.sql().prepare_cached(
            "SELECT lane, until, appointment FROM claim WHERE actor = ?1 AND tick BETWEEN ?2 AND ?3",
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
                Some(_) | None => used.push(row.get(0)?),
            }
        }
    }
    for appointment in expired {
        super::step::expire(tx, stamp, row::find(tx, appointment)?)?;
    }
    Ok((first..last).find(|lane| !used.contains(lane)))
}

/// Claims the ticks on a lane. The primary key refuses a lane that is not free.
pub(super) fn take(
    tx: &Tx<'_>,
    actor: &[u8; 16],
    ticks: Ticks,
    lane: i64,
    appointment: AppointmentId,
    until: Option<Timestamp>,
) -> Result<()> {
    let mut insert = tx.sql().prepare_cached(
        "INSERT INTO claim (actor, tick, lane, appointment, until) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for tick in ticks.first..=ticks.last {
        insert.execute((actor, tick, lane, appointment, until.map(to_ms)))?;
    }
    Ok(())
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
