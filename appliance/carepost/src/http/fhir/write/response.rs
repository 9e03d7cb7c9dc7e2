//! Writing an AppointmentResponse: what the patient answers is done at once, and the answer is kept as
//! given (<https://hl7.org/fhir/R4/appointmentresponse.html>).
//!
//! | `participantStatus` | what is done |
//! |---|---|
//! | `accepted` | a hold becomes a booking; of a booking it is noted that the patient will come |
//! | `declined` | the appointment is called off |
//! | `tentative`, `needs-action` | nothing |
//!
//! What somebody else than the patient answers, such as the practitioner, is kept and changes nothing. A
//! response that is edited is acted upon only if it says something else than before.

use fhir::reference::{Target, parse};
use fhir::{Here, IssueCode, Outcome, Resource};
use jiff::Timestamp;
use prm::appointment::{self, Appointment};
use prm::chart;
use prm::db::{Read, Tx};
use prm::error::Error;
use prm::id::AppointmentId;
use prm::stamp::Stamp;
use serde_json::Value;

use super::appointment::NO_REASON;
use super::{Refused, Wanted};

/// What a patient can answer that is acted upon.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Accepted,
    Declined,
}

impl Said {
    fn of(resource: &Resource) -> Option<Self> {
        match resource.get("participantStatus")?.as_str()? {
            "accepted" => Some(Self::Accepted),
            "declined" => Some(Self::Declined),
            // R4 knows two more, and neither asks for anything.
            _ => None,
        }
    }
}

/// Does what the response says, if it is the patient's.
///
/// # Errors
/// What the rules of the clinic say, and a response of a patient to the appointment of another.
pub fn heard(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    wanted: &Wanted<'_>,
) -> Result<(), Refused> {
    let Wanted { resource, id, seen: _ } = wanted;
    let Some(said) = Said::of(resource) else { return Ok(()) };
    let Some((type_, named)) = local(resource, "appointment", here) else { return Ok(()) };
    let Some(appointment) = of_clinic(tx, stamp, (type_, &named))? else { return Ok(()) };
    match local(resource, "actor", here) {
        Some(("Patient", id)) if id == appointment.patient.to_string() => {}
        Some(("Patient", _)) => {
            let what = "this is the appointment of another patient";
            let place = "AppointmentResponse.actor";
            return Err(Outcome::at(place, IssueCode::BusinessRule, what).into());
        }
        Some(_) | None => return Ok(()),
    }
    if let Some(id) = id
        && before(tx, stamp, id)? == Some(said)
    {
        return Ok(());
    }
    match said {
        Said::Accepted => {
            is_of_its_time(resource, &appointment)?;
            appointment::confirm(tx, stamp, appointment.id, None)?;
        }
        Said::Declined => {
            let why = resource.get("comment").and_then(Value::as_str).unwrap_or(NO_REASON);
            let why = Some(why.to_owned());
            let after = appointment::cancel(tx, stamp, (appointment.id, None), why)?;
            prm::queue::ended(tx, stamp, &after)?;
        }
    }
    Ok(())
}

/// The resource of this box to which an element refers.
fn local(resource: &Resource, element: &str, here: Here<'_>) -> Option<(&'static str, String)> {
    match parse(resource.get(element)?.get("reference")?.as_str()?, here.origin)? {
        Target::Local(local) => Some((local.resource_type, local.id.to_owned())),
        Target::Urn(_)
        | Target::Contained(_)
        | Target::Conditional { .. }
        | Target::Foreign(_)
        | Target::Logical => None,
    }
}

/// The appointment of the clinic's diary; none of what is kept as given.
fn of_clinic(
    read: &Read<'_>,
    stamp: &Stamp,
    (type_, id): (&str, &str),
) -> Result<Option<Appointment>, Error> {
    let id: Option<AppointmentId> = id.parse().ok().filter(|_| type_ == "Appointment");
    let Some(id) = id else { return Ok(None) };
    match appointment::get(read, stamp, id) {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the response said before, if it was there.
fn before(read: &Read<'_>, stamp: &Stamp, id: &str) -> Result<Option<Said>, Error> {
    let body = match chart::get(read, stamp, "AppointmentResponse", id) {
        Ok(chart) => chart.body,
        Err(Error::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let resource = body.and_then(|body| fhir::json::parse(body.as_bytes()).ok());
    Ok(resource.as_ref().and_then(Said::of))
}

/// Refuses an answer that accepts another time than the appointment's.
fn is_of_its_time(resource: &Resource, appointment: &Appointment) -> Result<(), Outcome> {
    for (name, time) in [("start", appointment.start), ("end", appointment.end)] {
        let said = resource.get(name).and_then(Value::as_str);
        let said = said.and_then(|text| text.parse::<Timestamp>().ok());
        if said.is_some_and(|said| said != time) {
            let what =
                "this is not the time of the appointment; move it by an update, or leave it out";
            let place = format!("AppointmentResponse.{name}");
            return Err(Outcome::at(place, IssueCode::BusinessRule, what));
        }
    }
    Ok(())
}
