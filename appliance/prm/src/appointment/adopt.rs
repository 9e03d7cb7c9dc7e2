//! An appointment that the hub sold while the slot was lent to it.

use jiff::Timestamp;

use super::claim::{self, Owner};
use super::{Appointment, Status, row};
use crate::contact;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::{AppointmentId, Noun, PatientId, SlotId};
use crate::patient;
use crate::practitioner;
use crate::schedule;
use crate::stamp::Stamp;
use crate::time::Ticks;

/// What was sold.
pub(crate) struct Adoption {
    pub(crate) id: AppointmentId,
    pub(crate) patient: PatientId,
    pub(crate) slot: SlotId,
    pub(crate) end: Timestamp,
    pub(crate) lane: i64,
    pub(crate) reason: Option<String>,
}

/// Writes what was sold into the diary, whatever has become of the session since and wherever else the
/// patient is at that time: the patient has a confirmation. The lane is free, which the caller knows;
/// the primary key of the claims forbids anything else. What is there already stays as it is.
pub(crate) fn adopt(tx: &mut Tx<'_>, stamp: &Stamp, adoption: Adoption) -> Result<Appointment> {
    let Adoption { id, patient, slot, end, lane, reason } = adoption;
    match row::find(tx, id) {
        Ok(known) => return Ok(known),
        Err(Error::NotFound(_)) => {}
        Err(error) => return Err(error),
    }
    let schedule = schedule::find(tx, slot.schedule)?;
    let usual = match practitioner::active(tx, schedule.practitioner) {
        Ok((location, _)) => location,
        Err(Error::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let (patient_name, patient_phone) = patient::who_comes(tx, patient)?;
    let appointment = Appointment {
        id,
        version: 1,
        status: Status::Booked,
        patient,
        patient_name,
        patient_phone,
        practitioner: schedule.practitioner,
        location: schedule.location.or(usual),
        healthcare_service: None,
        schedule: schedule.id,
        start: slot.start(),
        end,
        blocked_to: end,
        lane,
        // What came from elsewhere and is no text of ours is left out rather than the booking.
        reason: contact::text("reason", reason).unwrap_or_default(),
        cancel_reason: None,
        overbook_reason: None,
        confirmed_at: None,
        hold_until: None,
        series: None,
    };
    let ticks = Ticks::of(appointment.start, appointment.blocked_to);
    let actor = *appointment.practitioner.as_bytes();
    if !claim::is_free(tx, stamp, &actor, (ticks, lane))? {
        let detail = "somebody else has the slot that was sold";
        return Err(Error::refused(Code::SlotTaken(slot), detail));
    }
    row::insert(tx, &appointment, stamp.now)?;
    claim::take(tx, &actor, (ticks, lane), Owner::Appointment(id, None))?;
    tx.record(stamp, "adopt", (Noun::Appointment, id.as_bytes(), 1), Some(patient))?;
    Ok(appointment)
}
