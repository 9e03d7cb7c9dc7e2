//! What reception looks up.

use std::collections::BTreeMap;

use ::reception::{
    Answer, AppointmentFact, DAYS_MAX, FreeDay, Look, PlaceFact, SLOTS_MAX, SlotFact, Wanted,
};
use jiff::civil::Date;
use prm::appointment::{self, Appointment, Status};
use prm::error::{Error, Result};
use prm::id::{AppointmentId, Noun, PatientId};
use prm::queue::{self, Place, QueueEntry};
use prm::slot::{self, Search, Slot};
use prm::time::local_date;
use prm::{conversation, faq, patient_instruction};

use super::Turn;
use crate::http::appointments::qr_of;

/// Visits of one person that are told at the most.
const VISITS_MAX: u32 = 50;

/// Looks something up. What the rules refuse is an answer.
pub(super) fn look(turn: &mut Turn<'_, '_>, wanted: Look) -> Result<Answer> {
    let found = turn.part(|turn| found(turn, wanted))?;
    Ok(found.unwrap_or_else(|code| Answer::Refused { code, alternatives: Vec::new() }))
}

fn found(turn: &Turn<'_, '_>, wanted: Look) -> Result<Answer> {
    let Turn { tx, app, stamp, .. } = turn;
    match wanted {
        Look::Days(wanted) => {
            let mut days: BTreeMap<Date, usize> = BTreeMap::new();
            for slot in slots(turn, wanted)? {
                *days.entry(local_date(&app.clinic.zone, slot.start)).or_default() += 1;
            }
            let days = days.into_iter().take(DAYS_MAX);
            Ok(Answer::Days(days.map(|(date, free)| FreeDay { date, free }).collect()))
        }
        Look::Slots(wanted) => {
            Ok(Answer::Slots(slots(turn, wanted)?.iter().take(SLOTS_MAX).map(slot_fact).collect()))
        }
        Look::Appointments { patient } => {
            Ok(Answer::Appointments(coming(turn, patient)?.iter().map(fact).collect()))
        }
        Look::Appointment { appointment } => {
            let found = match of_somebody_here(turn, appointment) {
                Ok(found) if is_coming(turn, &found) => vec![fact(&found)],
                Ok(_) | Err(Error::NotFound(_)) => Vec::new(),
                Err(error) => return Err(error),
            };
            Ok(Answer::Appointments(found))
        }
        Look::Queue { patient } => {
            let date = local_date(&app.clinic.zone, stamp.now);
            let mut line = queue::list_with_places(tx, stamp, date, None)?;
            line.retain(|(entry, _)| {
                entry.patient == Some(patient)
                    && matches!(entry.status, queue::Status::Waiting | queue::Status::Called)
            });
            let places = line.into_iter().map(|(entry, place)| place_fact(entry, place));
            Ok(Answer::Queue(places.collect()))
        }
        Look::Faq { words, language } => {
            let found = faq::find(tx, stamp, &words, (&language, 1))?;
            Ok(Answer::Faq(found.into_iter().next().map(|found| found.faq.answer)))
        }
        Look::Instructions { service, language } => {
            let usual = app.config.language.default.as_str();
            let text = patient_instruction::before(tx, stamp, service, &[&language, usual])?;
            Ok(Answer::Instructions(text))
        }
        Look::Qr { appointment } => {
            let found = of_somebody_here(turn, appointment)?;
            qr_of(app, &found).map(Answer::Qr).ok_or(Error::NotFound(Noun::Appointment))
        }
    }
}

fn slots(turn: &Turn<'_, '_>, wanted: Wanted) -> Result<Vec<Slot>> {
    let Wanted { practitioner, specialty, service, from, to, lent } = wanted;
    let search =
        Search { practitioner, specialty, service, from, to, all: false, limit: slot::SLOTS_MAX };
    let mut found = slot::each(turn.tx, &turn.stamp, &search)?;
    found.retain(|slot| !lent || slot.lent);
    Ok(found)
}

/// The appointments of a patient that stand and are not over.
fn coming(turn: &Turn<'_, '_>, patient: PatientId) -> Result<Vec<Appointment>> {
    let day_ago = turn.stamp.now.checked_sub(jiff::SignedDuration::from_hours(24)).ok();
    let filter =
        appointment::Filter { patient: Some(patient), from: day_ago, ..Default::default() };
    let mut found = appointment::list(turn.tx, &turn.stamp, &filter, VISITS_MAX)?;
    found.retain(|it| is_coming(turn, it));
    Ok(found)
}

fn is_coming(turn: &Turn<'_, '_>, appointment: &Appointment) -> bool {
    let stands = match appointment.status {
        Status::Pending | Status::Booked | Status::Arrived | Status::CheckedIn => true,
        Status::Fulfilled | Status::Cancelled | Status::Noshow | Status::EnteredInError => false,
    };
    stands && turn.stamp.now < appointment.end
}

/// An appointment, if it is of somebody on the addresses of this conversation; else *not found*, as if there
/// were none.
pub(super) fn of_somebody_here(turn: &Turn<'_, '_>, id: AppointmentId) -> Result<Appointment> {
    let found = appointment::get(turn.tx, &turn.stamp, id)?;
    let people = conversation::people(turn.tx, &turn.stamp, turn.conversation.id)?;
    if people.iter().any(|person| person.id == found.patient) {
        Ok(found)
    } else {
        Err(Error::NotFound(Noun::Appointment))
    }
}

/// An appointment as reception knows it.
pub(super) fn fact(appointment: &Appointment) -> AppointmentFact {
    AppointmentFact {
        id: appointment.id,
        patient: appointment.patient,
        practitioner: appointment.practitioner,
        service: appointment.healthcare_service,
        start: appointment.start,
    }
}

/// A free time as reception knows it.
pub(super) fn slot_fact(slot: &Slot) -> SlotFact {
    SlotFact { id: slot.id, practitioner: slot.practitioner, start: slot.start }
}

/// A place in the queue as reception knows it.
pub(super) fn place_fact(entry: QueueEntry, place: Place) -> PlaceFact {
    PlaceFact {
        token: entry.token,
        practitioner: entry.practitioner,
        called: entry.status == queue::Status::Called,
        ahead: place.ahead,
        minutes: place.estimate_minutes,
    }
}
