//! Writing an Appointment: it is booked, moved and brought on its way by the verbs of the desk.

use fhir::appointment::{Answer as Said, RawAppointment};
use fhir::{Here, IssueCode, Outcome, Resource};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use prm::appointment::{self, Appointment, Booking, Status};
use prm::chart;
use prm::db::{Read, Tx};
use prm::error::{Code, Error, Refusal};
use prm::id::{AppointmentId, HealthcareServiceId, PractitionerId, SlotId};
use prm::slot::{self, Search};
use prm::stamp::Stamp;
use prm::time::{local_date, next_day};
use uuid::Uuid;

use super::{Refused, Wanted, Wrote, no_such_id};
use crate::http::fhir::records::Record;

/// Why a cancellation without a reason was made: FHIR does not ask for one, the clinic does.
pub const NO_REASON: &str = "not said";
/// How long a pending appointment is held if it does not say.
pub const HOLD_MINUTES: i64 = 10;

/// Books what is new, brings what is there to where it is wanted. None of it holds anybody's time if
/// there is no answer: then it is to be kept as given.
pub fn write(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    wanted: &Wanted<'_>,
) -> Result<Option<(Record, bool)>, Refused> {
    let Wanted { resource, id, seen } = wanted;
    let uuid = id.and_then(|id| Uuid::try_parse(id).ok());
    let uuid = uuid.map(|id| AppointmentId::from_bytes(id.into_bytes()));
    if let Some(id) = uuid {
        match appointment::get(tx, stamp, id) {
            Ok(_) => {
                let raw = fhir::appointment::read(resource, here)?;
                let now = step(tx, stamp, id, *seen, raw)?;
                return written(tx, stamp, now, false).map(Some);
            }
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let was_kept = match id {
        Some(id) => is_kept(tx, stamp, id)?,
        None => false,
    };
    if id.is_some() && !was_kept {
        return Err(no_such_id(fhir::appointment::TYPE).into());
    }
    if !takes_time(resource, stamp) {
        return Ok(None);
    }
    let raw = fhir::appointment::read(resource, here)?;
    let booked = match id {
        None if seen.is_some() => return Err(Error::NotFound(prm::id::Noun::Appointment).into()),
        None => book(tx, stamp, here, None, raw)?,
        Some(kept) => {
            // What was proposed or waited is agreed now: it becomes a record of the clinic's, whose
            // versions begin anew.
            let Some(id) = uuid else { return Err(no_such_id(fhir::appointment::TYPE).into()) };
            chart::delete(tx, stamp, fhir::appointment::TYPE, kept, *seen)?;
            book(tx, stamp, here, Some(id), raw)?
        }
    };
    written(tx, stamp, booked, !was_kept).map(Some)
}

fn written(tx: &Tx<'_>, stamp: &Stamp, now: Appointment, created: bool) -> Wrote {
    Ok((Record::of_appointment(tx, stamp, now)?, created))
}

fn is_kept(read: &Read<'_>, stamp: &Stamp, id: &str) -> Result<bool, Error> {
    match chart::get(read, stamp, fhir::appointment::TYPE, id) {
        Ok(chart) => Ok(chart.body.is_some()),
        Err(Error::NotFound(_) | Error::Forbidden) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether an appointment is to hold somebody's time from now on.
fn takes_time(resource: &Resource, stamp: &Stamp) -> bool {
    let text = |name: &str| resource.get(name).and_then(serde_json::Value::as_str);
    let stands = matches!(text("status"), Some("pending" | "booked" | "arrived" | "checked-in"));
    let is_over = text("end")
        .and_then(|end| end.parse::<Timestamp>().ok())
        .is_some_and(|end| end <= stamp.now);
    stands && !is_over
}

/// Books what an appointment asks for.
///
/// # Errors
/// What the clinic's rules say, and what the appointment does not say.
pub fn book(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    id: Option<AppointmentId>,
    raw: RawAppointment,
) -> Result<Appointment, Refused> {
    let slot = match (raw.slot, raw.practitioner, raw.start) {
        (Some(slot), _, _) => slot,
        (None, Some(practitioner), Some(start)) => {
            let whom = (practitioner, raw.healthcare_service);
            slot_at(tx, stamp, &here.clinic.zone, whom, start)?
        }
        (None, None, _) | (None, Some(_), None) => {
            let what = "name a slot, or a practitioner and a start";
            return Err(Outcome::at("Appointment.slot", IssueCode::Required, what).into());
        }
    };
    let hold_minutes = match (raw.status, raw.hold_until) {
        (Status::Pending, Some(until)) => {
            let left = until.duration_since(stamp.now).max(SignedDuration::from_secs(60));
            Some(left.as_mins().clamp(1, appointment::HOLD_MINUTES_MAX))
        }
        (Status::Pending, None) => Some(HOLD_MINUTES),
        (
            Status::Booked
            | Status::Arrived
            | Status::CheckedIn
            | Status::Fulfilled
            | Status::Cancelled
            | Status::Noshow
            | Status::EnteredInError,
            _,
        ) => None,
    };
    let booking = Booking {
        id: id.unwrap_or_else(|| AppointmentId::new(stamp.now)),
        patient: raw.patient,
        slot,
        healthcare_service: raw.healthcare_service,
        reason: raw.reason,
        overbook: raw.overbook_reason,
        hold_minutes,
        series: None,
    };
    let booked = appointment::book(tx, stamp, booking)?;
    is_with(&booked, raw.practitioner)?;
    match raw.status {
        Status::Arrived => Ok(appointment::arrive(tx, stamp, booked.id, None)?),
        Status::CheckedIn => {
            let what = "people are checked in at the kiosk or the desk; book the appointment first";
            Err(Outcome::at("Appointment.status", IssueCode::BusinessRule, what).into())
        }
        Status::Pending
        | Status::Booked
        | Status::Fulfilled
        | Status::Cancelled
        | Status::Noshow
        | Status::EnteredInError => Ok(booked),
    }
}

/// Refuses a slot that is another practitioner's than the participant.
fn is_with(booked: &Appointment, practitioner: Option<PractitionerId>) -> Result<(), Outcome> {
    if practitioner.is_none_or(|practitioner| practitioner == booked.practitioner) {
        return Ok(());
    }
    let what = "the slot is not one of the practitioner who takes part; leave one of them out";
    Err(Outcome::at("Appointment.slot", IssueCode::BusinessRule, what))
}

/// The slot of a practitioner that begins at this time, taken or not: booking says whether it can be
/// had.
fn slot_at(
    read: &Read<'_>,
    stamp: &Stamp,
    zone: &TimeZone,
    (practitioner, service): (PractitionerId, Option<HealthcareServiceId>),
    start: Timestamp,
) -> Result<SlotId, Refused> {
    let from = local_date(zone, start);
    let search = Search {
        practitioner: Some(practitioner),
        specialty: None,
        service,
        from,
        to: next_day(from),
        all: true,
        limit: slot::SLOTS_MAX,
    };
    let found = slot::list(read, stamp, &search)?;
    let found = found.into_iter().find(|slot| slot.start == start).map(|slot| slot.id);
    found.ok_or_else(|| {
        let what =
            "the practitioner has no slot that begins at this time; search Slot, or use $find";
        Refusal::new(Code::SlotUnavailable, what).into_error().into()
    })
}

/// Brings an appointment to where an update wants it, by the steps that the clinic knows.
///
/// # Errors
/// Steps that the clinic does not know, and what its rules say.
pub fn step(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: AppointmentId,
    seen: Option<i64>,
    raw: RawAppointment,
) -> Result<Appointment, Refused> {
    let before = appointment::get(tx, stamp, id)?;
    if let Some(slot) = other_slot(tx, stamp, &before, &raw)? {
        let overbook = raw.overbook_reason.clone();
        let moved = appointment::move_to(tx, stamp, (id, seen), slot, overbook)?;
        is_with(&moved, raw.practitioner)?;
    }
    let now = appointment::get(tx, stamp, id)?;
    // After a move the version that the caller saw is behind.
    let seen = seen.filter(|_| now.version == before.version);
    let confirms = raw.answer == Some(Said::Accepted) && now.status == Status::Pending;
    let next = match (now.status, raw.status) {
        (Status::Pending, Status::Booked) => Some(appointment::confirm(tx, stamp, id, seen)?),
        (Status::Pending, Status::Pending) if confirms => {
            Some(appointment::confirm(tx, stamp, id, seen)?)
        }
        (before, wanted) if before == wanted => None,
        (_, Status::Cancelled) => {
            let why = raw.cancel_reason.clone().unwrap_or_else(|| NO_REASON.to_owned());
            Some(appointment::cancel(tx, stamp, (id, seen), Some(why))?)
        }
        (_, Status::Arrived) => Some(appointment::arrive(tx, stamp, id, seen)?),
        (_, Status::Noshow) => Some(appointment::no_show(tx, stamp, id, seen)?),
        (_, Status::Fulfilled) => Some(appointment::complete(tx, stamp, id, seen)?),
        (_, Status::EnteredInError) => Some(appointment::enter_in_error(tx, stamp, id, seen)?),
        (_, Status::CheckedIn) => {
            let what = "people are checked in at the kiosk or the desk";
            return Err(Outcome::at("Appointment.status", IssueCode::BusinessRule, what).into());
        }
        (_, Status::Pending | Status::Booked) => {
            let what = "an appointment does not go back to this status; book another";
            return Err(Outcome::at("Appointment.status", IssueCode::BusinessRule, what).into());
        }
    };
    let now = next.unwrap_or(now);
    prm::queue::ended(tx, stamp, &now)?;
    let seen = seen.filter(|seen| *seen == now.version);
    Ok(appointment::amend(tx, stamp, (id, seen), raw.reason)?)
}

/// The slot to which an update moves an appointment, if it does.
fn other_slot(
    read: &Read<'_>,
    stamp: &Stamp,
    now: &Appointment,
    raw: &RawAppointment,
) -> Result<Option<SlotId>, Refused> {
    let stays =
        |what: &str, place: &str| Err(Outcome::at(place, IssueCode::BusinessRule, what).into());
    if raw.patient != now.patient {
        let what = "an appointment stays the patient's; cancel it and book another";
        return stays(what, "Appointment.participant");
    }
    if raw.healthcare_service.is_some_and(|service| Some(service) != now.healthcare_service) {
        let what = "an appointment stays one for its service; cancel it and book another";
        return stays(what, "Appointment.participant");
    }
    let practitioner = raw.practitioner.filter(|it| *it != now.practitioner);
    match raw.slot.filter(|slot| *slot != now.slot()) {
        Some(slot) => Ok(Some(slot)),
        None if practitioner.is_none() && raw.start.is_none_or(|start| start == now.start) => {
            Ok(None)
        }
        None if raw.slot.is_some() => {
            let what = "the slot is still the old one; leave it out, or name the new one";
            stays(what, "Appointment.slot")
        }
        None => {
            let zone = prm::clinic::get(read)?.zone;
            let whom = (practitioner.unwrap_or(now.practitioner), now.healthcare_service);
            slot_at(read, stamp, &zone, whom, raw.start.unwrap_or(now.start)).map(Some)
        }
    }
}
