//! Booking and holding a slot.

use super::claim::{self, Found, Lanes, Owner};
use super::{Appointment, Status, row};
use crate::contact;
use crate::db::Tx;
use crate::error::{Code, Error, Refusal, Result};
use crate::hub;
use crate::id::{
    AppointmentId, HealthcareServiceId, LocationId, Noun, PatientId, SeriesId, SlotId,
};
use crate::patient;
use crate::slot::{self, Offer};
use crate::stamp::{Right, Stamp};
use crate::time::{Ticks, from_ms, plus_minutes, to_ms};

/// The longest hold, in minutes.
pub const HOLD_MINUTES_MAX: i64 = 60;

/// What is said to book.
#[derive(Clone, Debug)]
pub struct Booking {
    /// The id that the appointment is to have, so that its QR can be made beforehand.
    pub id: AppointmentId,
    /// Who comes.
    pub patient: PatientId,
    /// When, to whom.
    pub slot: SlotId,
    /// For what.
    pub healthcare_service: Option<HealthcareServiceId>,
    /// Why.
    pub reason: Option<String>,
    /// Book even if the slot is taken, for this reason.
    pub overbook: Option<String>,
    /// Only hold it, so many minutes (1 to 60).
    pub hold_minutes: Option<i64>,
    /// The series that it is of.
    pub series: Option<SeriesId>,
}

/// Books a slot, or holds it. Refused with `slot_taken` when somebody else has it.
pub fn book(tx: &mut Tx<'_>, stamp: &Stamp, booking: Booking) -> Result<Appointment> {
    stamp.needs(Right::Book)?;
    let Booking { id, patient, slot, healthcare_service, reason, overbook, hold_minutes, series } =
        booking;
    let overbook = match overbook {
        Some(reason) => {
            stamp.needs(Right::Overbook)?;
            Some(contact::reason("overbook.reason", Some(reason))?)
        }
        None => None,
    };
    let reason = contact::text("reason", reason)?;
    let hold_until = match hold_minutes {
        None => None,
        Some(minutes) if (1..=HOLD_MINUTES_MAX).contains(&minutes) => {
            Some(from_ms(to_ms(plus_minutes(stamp.now, minutes))))
        }
        Some(_) => {
            return Err(Error::invalid(
                "hold_minutes",
                format!("a hold lasts 1 to {HOLD_MINUTES_MAX} minutes"),
            ));
        }
    };
    let (patient_name, patient_phone) = patient::who_comes(tx, patient)?;
    let offer = slot::offered(tx, slot, healthcare_service)?;
    let place = place(tx, stamp, &offer, slot, (patient, None), overbook.is_some())?;
    let status = if hold_until.is_some() { Status::Pending } else { Status::Booked };
    let appointment = Appointment {
        id,
        version: 1,
        status,
        patient,
        patient_name,
        patient_phone,
        practitioner: offer.schedule.practitioner,
        location: offer.location,
        healthcare_service,
        schedule: offer.schedule.id,
        start: offer.start,
        end: offer.end,
        blocked_to: offer.blocked_to,
        lane: place.lane,
        reason,
        cancel_reason: None,
        overbook_reason: overbook,
        confirmed_at: None,
        hold_until,
        series,
    };
    row::insert(tx, &appointment, stamp.now)?;
    place.take(tx, &appointment)?;
    let verb = if hold_until.is_some() { "hold" } else { "book" };
    tx.record(stamp, verb, (Noun::Appointment, id.as_bytes(), 1), Some(patient))?;
    Ok(appointment)
}

/// Where an appointment is to be: a lane of each actor it needs.
pub(super) struct Place {
    pub(super) lane: i64,
    locations: Vec<(LocationId, i64)>,
}

impl Place {
    /// Claims the place for an appointment whose row is written.
    pub(super) fn take(&self, tx: &Tx<'_>, appointment: &Appointment) -> Result<()> {
        let ticks = Ticks::of(appointment.start, appointment.blocked_to);
        let owner = Owner::Appointment(appointment.id, appointment.hold_until);
        claim::take(tx, appointment.practitioner.as_bytes(), (ticks, self.lane), owner)?;
        for (location, lane) in &self.locations {
            claim::take(tx, location.as_bytes(), (ticks, *lane), owner)?;
        }
        Ok(())
    }
}

/// Finds a place for a visit in a slot that a session offers, or says why there is none.
/// Nothing is written but what expired holds leave.
pub(super) fn place(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    offer: &Offer,
    slot: SlotId,
    (patient, moved): (PatientId, Option<AppointmentId>),
    overbook: bool,
) -> Result<Place> {
    if offer.end <= stamp.now {
        return Err(Error::refused(Code::SlotUnavailable, "this slot is over; choose a later one"));
    }
    if !overbook {
        refuse_unlearned(tx, stamp, slot)?;
        refuse_overlap(tx, stamp, offer, patient, moved)?;
        if let Some(capacity) = offer.schedule.session_capacity
            && slot::booked_in_session(tx, &offer.schedule, &offer.session, stamp.now)? >= capacity
        {
            return Err(Refusal::new(
                Code::SessionFull(slot),
                "this session has as many patients as it may; choose another day",
            )
            .into());
        }
    }
    let ticks = Ticks::of(offer.start, offer.blocked_to);
    let lanes = if overbook { Lanes::Over } else { Lanes::Within(offer.schedule.slot_capacity) };
    let actor = *offer.schedule.practitioner.as_bytes();
    let lane = match claim::free_lane(tx, stamp, &actor, ticks, lanes)? {
        Found::Free(lane) => lane,
        Found::Lent => {
            return Err(Error::refused(
                Code::SlotLent(slot),
                "the slot is held for online booking; recall it, or choose another",
            ));
        }
        Found::Taken => {
            let detail = "somebody else has this slot; choose another";
            return Err(Error::refused(Code::SlotTaken(slot), detail));
        }
    };
    let mut locations = Vec::with_capacity(offer.locations.len());
    for location in &offer.locations {
        let lanes = if overbook { Lanes::Over } else { Lanes::Within(1) };
        let found = claim::free_lane(tx, stamp, location.as_bytes(), ticks, lanes)?;
        let Found::Free(lane) = found else {
            return Err(Error::refused(
                Code::LocationTaken(slot),
                "a room or a piece of equipment that this needs is taken; choose another time",
            ));
        };
        locations.push((*location, lane));
    }
    Ok(Place { lane, locations })
}

/// Refuses a slot that may have been sold by the hub before this life of the box began, as long as
/// the box has not heard what was. What lies beyond every horizon was never lent.
fn refuse_unlearned(tx: &Tx<'_>, stamp: &Stamp, slot: SlotId) -> Result<()> {
    let ahead = plus_minutes(stamp.now, hub::LENT_AHEAD_DAYS_MAX * 24 * 60);
    // A box that takes another's place is served to nobody: what it books comes from the hub itself.
    if slot.start() <= ahead && hub::is_unlearned(tx)? && !hub::is_replacing(tx)? {
        return Err(Error::refused(
            Code::SlotUnlearned(slot),
            "this box does not know yet what was booked online before it was restored or joined the hub; connect it to the hub once, or overbook with a reason",
        ));
    }
    Ok(())
}

/// Refuses a visit at a time at which the patient is somewhere else.
fn refuse_overlap(
    tx: &Tx<'_>,
    stamp: &Stamp,
    offer: &Offer,
    patient: PatientId,
    moved: Option<AppointmentId>,
) -> Result<()> {
    /// The longest visit, in ms: none that started before can still go on.
    const VISIT_MS_MAX: i64 = 720 * 60 * 1_000;
    let mut statement = tx.sql().prepare_cached(
        "SELECT id FROM appointment WHERE patient = ?1 AND start < ?2 AND start > ?3 AND end > ?4
         AND status IN ('pending', 'booked', 'arrived', 'checked-in')
         AND (hold_until IS NULL OR hold_until > ?5) AND id IS NOT ?6 LIMIT 1",
    )?;
    let start = to_ms(offer.start);
    let mut rows = statement.query((
        patient,
        to_ms(offer.end),
        start - VISIT_MS_MAX,
        start,
        to_ms(stamp.now),
        moved,
    ))?;
    match rows.next()? {
        Some(row) => Err(Error::refused(
            Code::PatientDoubleBooked(row.get(0)?),
            "the patient has another appointment at this time; move that one, or overbook with a reason",
        )),
        None => Ok(()),
    }
}
