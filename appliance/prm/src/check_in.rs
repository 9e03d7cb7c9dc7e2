//! Checking in: what a patient shows becomes a place in the queue.
//!
//! Invariant: "not known" and "does not fit" are one answer, `see_the_desk`, so that nobody
//! learns at the kiosk who is a patient here.

use jiff::Timestamp;

use crate::appointment::{self, Appointment, Status};
use crate::clinic;
use crate::contact::{BirthDate, Phone};
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::healthcare_service;
use crate::id::{AppointmentId, HealthcareServiceId, PatientId, PractitionerId};
use crate::location;
use crate::name;
use crate::patient;
use crate::practitioner;
use crate::queue::{self, Joined, Place, QueueEntry};
use crate::schedule;
use crate::stamp::{Right, Stamp};
use crate::time::{local_date, next_day, start_of_day};

/// What a patient shows.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A QR that was verified: the appointment that it names.
    Qr(AppointmentId),
    /// A telephone number that was typed.
    Phone(Phone),
}

/// An appointment that fits what was shown, as far as a screen in a waiting room may tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The appointment.
    pub appointment: AppointmentId,
    /// Whose it is.
    pub patient: PatientId,
    /// The patient's initials in Latin letters.
    pub initials: String,
    /// The telephone number but for its end hidden.
    pub masked_phone: Option<String>,
    /// The start.
    pub start: Timestamp,
    /// With whom.
    pub practitioner: String,
    /// Where.
    pub room: Option<String>,
    /// Whether the patient has a token already.
    pub checked_in: bool,
}

/// A ticket: what a patient holds after checking in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The place in the queue.
    pub entry: QueueEntry,
    /// What it is worth.
    pub place: Place,
    /// Whom the patient waits for; nobody for the desk.
    pub practitioner: Option<String>,
    /// Whether the token was given just now; otherwise the patient had it already.
    pub is_new: bool,
}

/// Whom somebody without an appointment wants to see: all of what is said must hold.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// This practitioner.
    pub practitioner: Option<PractitionerId>,
    /// Anybody of this speciality.
    pub specialty: Option<String>,
    /// Anybody who does this.
    pub healthcare_service: Option<HealthcareServiceId>,
}

/// A practitioner who sees patients today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeesToday {
    /// Who.
    pub id: PractitionerId,
    /// The name.
    pub name: String,
    /// The specialities.
    pub specialties: Vec<String>,
    /// The room.
    pub room: Option<String>,
    /// What the next place in the line is worth.
    pub place: Place,
}

/// The appointments of today that fit what was shown and the birth that was said, by start.
/// Never an empty list: nothing fitting is `see_the_desk`.
pub fn fits(read: &Read<'_>, stamp: &Stamp, shown: &Shown, birth: BirthDate) -> Result<Vec<Fit>> {
    stamp.needs(Right::CheckIn)?;
    let mut appointments = Vec::new();
    match shown {
        Shown::Qr(id) => match appointment::find(read, *id) {
            Ok(appointment) => {
                let brief = patient::brief(read, appointment.patient)?;
                if agrees(brief.birth_date, birth) {
                    appointments = today(read, stamp, brief.id)?;
                    appointments.retain(|found| found.id == *id);
                }
            }
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        },
        Shown::Phone(phone) => {
            for brief in patient::with_phone(read, phone)? {
                if agrees(brief.birth_date, birth) {
                    appointments.append(&mut today(read, stamp, brief.id)?);
                }
            }
            appointments.sort_by_key(|found| (found.start, found.id));
        }
    }
    if appointments.is_empty() {
        return Err(see_the_desk());
    }
    appointments.iter().map(|appointment| fit(read, appointment)).collect()
}

/// Checks in with an appointment of today. Again for the same appointment: the same token.
pub fn check_in(tx: &mut Tx<'_>, stamp: &Stamp, id: AppointmentId) -> Result<Ticket> {
    stamp.needs(Right::CheckIn)?;
    let appointment = appointment::find(tx, id)?;
    let zone = clinic::get(tx)?.zone;
    let day = local_date(&zone, appointment.start);
    if day != local_date(&zone, stamp.now) {
        return Err(Error::refused(
            Code::IllegalStep,
            format!("the appointment is on {day}; move it to today first"),
        ));
    }
    let appointment = match appointment.status {
        Status::CheckedIn | Status::Fulfilled => appointment,
        Status::Pending
        | Status::Booked
        | Status::Arrived
        | Status::Cancelled
        | Status::Noshow
        | Status::EnteredInError => appointment::check_in(tx, stamp, id)?,
    };
    let joined = queue::join_booked(tx, stamp, &appointment)?;
    ticket(tx, stamp, joined)
}

/// Puts a known patient without an appointment into the line of whoever has the shortest wait of
/// those who see patients today and are wanted; who is in such a line already keeps their token.
/// Whoever is not known, or not by one record alone,
/// gets a token of the desk.
pub fn walk_in(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (phone, birth): (&Phone, BirthDate),
    wanted: &Wanted,
) -> Result<Ticket> {
    stamp.needs(Right::CheckIn)?;
    // What is wanted is looked at before who wants it, so that an answer tells nothing of that.
    let Wanted { practitioner, specialty, healthcare_service } = wanted;
    let specialty = specialty.as_deref().map(practitioner::specialty).transpose()?;
    let service = healthcare_service.map(|id| healthcare_service::active(tx, id)).transpose()?;
    let known = patient::with_phone(tx, phone)?;
    let mut known = known.into_iter().filter(|brief| agrees(brief.birth_date, birth));
    let (Some(patient), None) = (known.next(), known.next()) else {
        return at_the_desk(tx, stamp);
    };
    let mut who = sees_today(tx, stamp)?;
    who.retain(|who| {
        practitioner.is_none_or(|id| who.id == id)
            && specialty.as_ref().is_none_or(|specialty| who.specialties.contains(specialty))
            && service.as_ref().is_none_or(|service| service.is_done_by(who.id))
    });
    // Somebody who has a token already does not get one of another line, though that be shorter.
    let mut has = None;
    for who in &who {
        if has.is_none() && queue::is_in_line(tx, stamp, patient.id, who.id)? {
            has = Some(who.id);
        }
    }
    let shortest = who.iter().min_by_key(|who| (who.place.estimate_minutes, who.place.ahead));
    match has.or(shortest.map(|who| who.id)) {
        Some(practitioner) => {
            let joined = queue::join_walk_in(tx, stamp, patient.id, practitioner)?;
            ticket(tx, stamp, joined)
        }
        None => at_the_desk(tx, stamp),
    }
}

/// A token of the desk, for whoever asks: the way out of every dead end.
pub fn at_the_desk(tx: &mut Tx<'_>, stamp: &Stamp) -> Result<Ticket> {
    stamp.needs(Right::CheckIn)?;
    let joined = queue::join_desk(tx, stamp)?;
    ticket(tx, stamp, joined)
}

/// Who holds a session today that is not over, by name.
pub fn sees_today(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<SeesToday>> {
    stamp.needs(Right::CheckIn)?;
    let zone = clinic::get(read)?.zone;
    let date = local_date(&zone, stamp.now);
    let schedules = schedule::in_use(read, None)?;
    let mut found = Vec::new();
    for practitioner in practitioner::all(read)? {
        let session = schedules.iter().find(|schedule| {
            schedule.practitioner == practitioner.id
                && schedule.is_on(date)
                && crate::slot::Session::of(schedule, &zone, date).end > stamp.now
        });
        let Some(session) = session else { continue };
        if !practitioner.active
            || !schedule::away(read, practitioner.id, date, next_day(date))?.is_empty()
        {
            continue;
        }
        found.push(SeesToday {
            id: practitioner.id,
            room: location::name_of(read, session.location.or(practitioner.location))?,
            place: queue::place_of_next(read, stamp.now, practitioner.id, date)?,
            name: practitioner.name,
            specialties: practitioner.specialties,
        });
    }
    Ok(found)
}

/// The answer to everybody whom the kiosk does not know or must not tell.
pub fn see_the_desk() -> Error {
    Error::refused(Code::SeeTheDesk, "please see the front desk")
}

fn agrees(known: Option<BirthDate>, said: BirthDate) -> bool {
    known.is_some_and(|known| known.agrees_with(said))
}

fn today(read: &Read<'_>, stamp: &Stamp, patient: PatientId) -> Result<Vec<Appointment>> {
    let zone = clinic::get(read)?.zone;
    let date = local_date(&zone, stamp.now);
    let bounds = (start_of_day(&zone, date), start_of_day(&zone, next_day(date)));
    appointment::of_patient_on(read, patient, bounds)
}

fn fit(read: &Read<'_>, appointment: &Appointment) -> Result<Fit> {
    Ok(Fit {
        appointment: appointment.id,
        patient: appointment.patient,
        initials: name::initials(&appointment.patient_name),
        masked_phone: appointment.patient_phone.as_ref().map(Phone::masked),
        start: appointment.start,
        practitioner: practitioner::name_of(read, appointment.practitioner)?,
        room: location::name_of(read, appointment.location)?,
        checked_in: appointment.status == Status::CheckedIn,
    })
}

fn ticket(tx: &Tx<'_>, stamp: &Stamp, Joined { entry, is_new }: Joined) -> Result<Ticket> {
    let place = queue::place(tx, stamp.now, &entry)?;
    let practitioner = match entry.practitioner {
        Some(id) => Some(practitioner::name_of(tx, id)?),
        None => None,
    };
    Ok(Ticket { entry, place, practitioner, is_new })
}

#[cfg(test)]
mod tests;
