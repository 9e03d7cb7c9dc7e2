//! Recurring appointments: the same local time every so many days, weeks or months.

use jiff::{Span, Timestamp, ToSpan};

use super::{Appointment, Booking, book};
use crate::clinic;
use crate::db::Tx;
use crate::error::{Error, Refusal, Result};
use crate::id::{AppointmentId, SeriesId};
use crate::slot;
use crate::stamp::{Right, Stamp};

/// Occurrences of a series at the most.
pub const OCCURRENCES_MAX: i64 = 52;

/// The step from one occurrence to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the unit it says")]
pub enum Unit {
    Day,
    Week,
    Month,
}

/// How a series repeats.
#[derive(Clone, Copy, Debug)]
pub struct Every {
    /// Days, weeks or months.
    pub unit: Unit,
    /// Every so many of them, 1 to 12.
    pub interval: i64,
    /// So many times, 2 to 52, the first one counted.
    pub count: i64,
}

/// An occurrence that could not be booked.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// When it would have been.
    pub start: Timestamp,
    /// Why not.
    pub refusal: Refusal,
}

/// What became of a series.
#[derive(Clone, Debug)]
pub struct Repeated {
    /// The series.
    pub id: SeriesId,
    /// What was booked.
    pub booked: Vec<Appointment>,
    /// What was not.
    pub conflicts: Vec<Conflict>,
}

/// Books a slot and its repetitions at the same local time, as far as they can be had. What
/// cannot is reported one by one. Refused whole only if not a single one can be booked.
pub fn book_series(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    booking: Booking,
    every: Every,
) -> Result<Repeated> {
    stamp.needs(Right::Book)?;
    if !(1..=12).contains(&every.interval) || !(2..=OCCURRENCES_MAX).contains(&every.count) {
        return Err(Error::invalid(
            "every",
            format!(
                "a series repeats every 1 to 12 days, weeks or months, 2 to {OCCURRENCES_MAX} times"
            ),
        ));
    }
    let zone = clinic::get(tx)?.zone;
    let offer = slot::offered(tx, booking.slot, booking.healthcare_service)?;
    let first = zone.to_datetime(offer.start);
    let id = SeriesId::new(stamp.now);
    let mut repeated = Repeated { id, booked: Vec::new(), conflicts: Vec::new() };
    for nth in 0..every.count {
        let steps = nth * every.interval;
        let span: Span = match every.unit {
            Unit::Day => steps.days(),
            Unit::Week => steps.weeks(),
            Unit::Month => steps.months(),
        };
        let wall = first.checked_add(span).map_err(|_| too_far())?;
        let start = zone.to_ambiguous_timestamp(wall).compatible().map_err(|_| too_far())?;
        let found = slot::starting_at(tx, offer.schedule.practitioner, start)?;
        let slot = found.unwrap_or(crate::id::SlotId::new(booking.slot.schedule, start));
        let occurrence = Booking {
            id: if nth == 0 { booking.id } else { AppointmentId::new(stamp.now) },
            slot,
            series: Some(id),
            ..booking.clone()
        };
        match book(tx, stamp, occurrence) {
            Ok(appointment) => repeated.booked.push(appointment),
            Err(Error::Refused(refusal)) => repeated.conflicts.push(Conflict { start, refusal }),
            Err(error) => return Err(error),
        }
    }
    match (repeated.booked.is_empty(), repeated.conflicts.first()) {
        (true, Some(conflict)) => Err(conflict.refusal.clone().into()),
        (true, None) | (false, _) => Ok(repeated),
    }
}

fn too_far() -> Error {
    Error::invalid("every", "the series goes beyond the calendar")
}
