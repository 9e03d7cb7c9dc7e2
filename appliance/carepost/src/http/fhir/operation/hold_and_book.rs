//! `$hold`, `$book` and `$cancel` of `Appointment` (IHE ITI Scheduling, ITI-116 and ITI-117:
//! <https://profiles.ihe.net/ITI/Scheduling/>), by the verbs of the desk.
//!
//! What is named is a proposal of `$find`, which is computed and stored nowhere; or an appointment that
//! stands or waits; or a whole `Appointment` is given, which is then created or updated like any other.

use axum::response::{IntoResponse as _, Response};
use fhir::appointment::TYPE;
use fhir::appointment::proposal::Proposal;
use fhir::operation::{Input, Pointer};
use fhir::{Here, IssueCode, Outcome, Resource};
use prm::appointment::{self, Appointment, Booking, Status};
use prm::error::{Code, Error, Refusal};
use prm::id::{AppointmentId, Noun, PatientId};
use prm::patient;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{alone, ids};
use crate::app::App;
use crate::http::fhir::fault::{Answer, Fault};
use crate::http::fhir::interaction::{Only, Work};
use crate::http::fhir::records::Found;
use crate::http::fhir::wire::{self, Asked};
use crate::http::fhir::write::Refused;
use crate::http::fhir::write::appointment::{HOLD_MINUTES, NO_REASON};
use crate::http::fhir::{transact, was_read};

/// What an operation is about.
enum Wanted {
    /// A time that was proposed.
    Proposed(Proposal),
    /// An appointment that is there.
    There(String),
    /// A whole one.
    Whole(Box<Resource>),
}

impl Wanted {
    fn of(input: &Input, here: Here<'_>) -> Result<Self, Outcome> {
        let resource = input.resource_of(TYPE, "resource")?.cloned();
        match (input.pointers("appointment-reference", here)?.as_slice(), resource) {
            ([Pointer::To { type_: TYPE, id }], None) => Ok(match Proposal::parse(id) {
                Some(proposal) => Self::Proposed(proposal),
                None => Self::There(id.clone()),
            }),
            ([], Some(resource)) => Ok(Self::Whole(Box::new(resource))),
            (_, _) => {
                let what = "name one appointment, by appointment-reference as Appointment/<id>, or by \
                            the whole resource";
                Err(Outcome::error(IssueCode::Required, what))
            }
        }
    }
}

/// Holds a time.
pub async fn held(app: &App, asked: &Asked, input: Input) -> Answer<Response> {
    let minutes = input.whole("minutes")?.unwrap_or(HOLD_MINUTES);
    let hold = move |work: &mut Work<'_, '_>| match Wanted::of(&input, work.here)? {
        Wanted::Proposed(proposal) => {
            let patient = patient_of(work, &input, Some(&proposal))?;
            take(work, &proposal, patient, Some(minutes))
        }
        Wanted::Whole(resource) => {
            let mut resource = new(work, &input, *resource, "pending")?;
            if input.says("minutes") {
                until(work, &mut resource, minutes)?;
            }
            Ok(work.create(resource, None, None)?.found)
        }
        Wanted::There(_) => {
            // It has its time already, or never asked for one: ITI-116 holds what $find proposed.
            Err(Error::NotFound(Noun::Slot).into())
        }
    };
    let held = transact(app, asked, move |work| Ok(once(work, |work| Ok((hold(work)?, true)))?.0));
    let found = held.await.map_err(Fault::of_a_hold)?;
    Ok(alone(app, asked, "Appointment/$hold", found.resource))
}

/// Books a time, confirms a hold; with a whole `Appointment` of one that stands: moves it or calls it off.
pub async fn booked(app: &App, asked: &Asked, input: Input) -> Answer<Response> {
    let only = Only { seen: asked.seen()?, new: false };
    let book = move |work: &mut Work<'_, '_>| match Wanted::of(&input, work.here)? {
        Wanted::Proposed(proposal) => {
            let patient = patient_of(work, &input, Some(&proposal))?;
            Ok((take(work, &proposal, patient, None)?, true))
        }
        Wanted::There(id) => agree(work, &input, &id, only),
        Wanted::Whole(resource) => {
            let id = resource.id().filter(|id| Proposal::parse(id).is_none()).map(str::to_owned);
            Ok(match id {
                Some(id) => (work.put(to_stand(*resource, "booked"), &id, only)?.found, true),
                None => {
                    let resource = new(work, &input, *resource, "booked")?;
                    (work.create(resource, None, None)?.found, true)
                }
            })
        }
    };
    let (found, is_written) = transact(app, asked, move |work| once(work, book)).await?;
    if !is_written {
        was_read(app, asked, &found).await?;
    }
    Ok(alone(app, asked, "Appointment/$book", found.resource))
}

/// Calls off what was held or booked, or waits.
pub async fn cancelled(
    app: &App,
    asked: &Asked,
    id: Option<&str>,
    input: Input,
) -> Answer<Response> {
    let seen = asked.seen()?;
    let own = id.map(str::to_owned);
    let cancel = move |work: &mut Work<'_, '_>| {
        let id = match (own, input.says("appointment-reference")) {
            (Some(id), false) => id,
            (Some(_), true) => {
                let what = "the address says already which appointment is meant";
                return Err(Outcome::error(IssueCode::Invalid, what).into());
            }
            (None, _) => match Wanted::of(&input, work.here)? {
                Wanted::There(id) => id,
                // Nothing is stored of a proposal.
                Wanted::Proposed(_) | Wanted::Whole(_) => {
                    return Err(Error::NotFound(Noun::Appointment).into());
                }
            },
        };
        let reason = input.words("reason").unwrap_or(NO_REASON).to_owned();
        let Some(there) = of_clinic(work, &id)? else {
            let mut found = work.found(TYPE, &id)?;
            found.resource.set("status", "cancelled");
            found.resource.set("cancelationReason", json!({ "text": reason }));
            let seen = seen.or(found.at.map(|(version, _)| version));
            return Ok(work.put(found.resource, &id, Only { seen, new: false })?.found);
        };
        let after = appointment::cancel(work.tx, work.stamp(), (there.id, seen), Some(reason))?;
        prm::queue::ended(work.tx, work.stamp(), &after)?;
        work.found(TYPE, &id)
    };
    let done =
        transact(app, asked, move |work| Ok(once(work, |work| Ok((cancel(work)?, true)))?.0));
    let Found { resource, at, whose: _ } = done.await?;
    let (status, returns) = (axum::http::StatusCode::OK, asked.returns());
    Ok(wire::Shown { status, resource, at, location: None, returns }.into_response())
}

/// Does it, or answers what it made if it is a request of the hub that was done before; says whether that
/// wrote anything.
fn once(
    work: &mut Work<'_, '_>,
    verb: impl FnOnce(&mut Work<'_, '_>) -> Result<(Found, bool), Refused>,
) -> Result<(Found, bool), Refused> {
    if let Some(found) = work.made_before()? {
        return Ok((found, true));
    }
    let (found, is_written) = verb(work)?;
    work.note_made(&found)?;
    Ok((found, is_written))
}

/// The appointment of the clinic's diary that has this id; none of what is kept as given.
fn of_clinic(work: &Work<'_, '_>, id: &str) -> Result<Option<Appointment>, Error> {
    let uuid = Uuid::try_parse(id).ok().filter(|uuid| uuid.to_string() == id);
    let Some(uuid) = uuid else { return Ok(None) };
    match appointment::get(work.tx, work.stamp(), AppointmentId::from_bytes(uuid.into_bytes())) {
        Ok(there) => Ok(Some(there)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Books, or holds for so many minutes, a time that was proposed.
fn take(
    work: &mut Work<'_, '_>,
    proposal: &Proposal,
    patient: PatientId,
    hold_minutes: Option<i64>,
) -> Result<Found, Refused> {
    let booking = Booking {
        id: AppointmentId::new(work.stamp().now),
        patient,
        slot: proposal.slot,
        healthcare_service: proposal.service,
        reason: None,
        overbook: None,
        hold_minutes,
        series: None,
    };
    let booked = appointment::book(work.tx, work.stamp(), booking)?;
    work.found(TYPE, &booked.id.to_string())
}

/// Brings what is there to be booked, and says whether that wrote anything.
fn agree(
    work: &mut Work<'_, '_>,
    input: &Input,
    id: &str,
    only: Only,
) -> Result<(Found, bool), Refused> {
    let Some(there) = of_clinic(work, id)? else {
        let mut found = work.found(TYPE, id)?;
        found.resource.set("status", "booked");
        let seen = only.seen.or(found.at.map(|(version, _)| version));
        return Ok((work.put(found.resource, id, Only { seen, new: false })?.found, true));
    };
    if input.says("patient-reference") && patient_of(work, input, None)? != there.patient {
        let what = "an appointment stays the patient's; cancel it and book another";
        return Err(Outcome::error(IssueCode::BusinessRule, what).into());
    }
    match there.status {
        Status::Pending => {
            appointment::confirm(work.tx, work.stamp(), there.id, only.seen)?;
            Ok((work.found(TYPE, id)?, true))
        }
        Status::Booked => Ok((work.found(TYPE, id)?, false)),
        Status::Arrived
        | Status::CheckedIn
        | Status::Fulfilled
        | Status::Cancelled
        | Status::Noshow
        | Status::EnteredInError => {
            let what = "this appointment is over or has begun; find another time with $find";
            Err(Refusal::new(Code::IllegalStep, what).into_error().into())
        }
    }
}

/// Who comes: whom the caller names, else whom the proposal is for.
fn patient_of(
    work: &Work<'_, '_>,
    input: &Input,
    proposal: Option<&Proposal>,
) -> Result<PatientId, Refused> {
    let named = ids(work.tx, work.stamp(), work.here, (input, "patient-reference"), &["Patient"])?;
    let proposed = proposal.and_then(|it| it.patient);
    let proposed = proposed.map(|number| patient::numbered(work.tx, work.stamp(), number));
    match (named.as_slice(), proposed.transpose()?) {
        ([], Some(patient)) => Ok(patient.id),
        ([id], proposed) => {
            let id: PatientId = id.parse().map_err(|_| Error::NotFound(Noun::Patient))?;
            if proposed.is_some_and(|patient| patient.id != id) {
                let what = "this was proposed for another patient; ask $find for this one";
                return Err(Outcome::error(IssueCode::BusinessRule, what).into());
            }
            Ok(id)
        }
        ([], None) | ([_, _, ..], _) => {
            let what = "name the one patient who comes, by patient-reference";
            Err(Outcome::error(IssueCode::Required, what).into())
        }
    }
}

/// A whole `Appointment` as a new one that is to stand so: a proposal that was filled in, or one of the
/// caller's own.
fn new(
    work: &Work<'_, '_>,
    input: &Input,
    mut resource: Resource,
    status: &str,
) -> Result<Resource, Refused> {
    if resource.id().is_some_and(|id| Proposal::parse(id).is_none()) {
        let what = "an appointment with an id is there already; name it by appointment-reference";
        return Err(Outcome::at("Appointment.id", IssueCode::Invalid, what).into());
    }
    resource.remove("id");
    let mut resource = to_stand(resource, status);
    if input.says("patient-reference") {
        let patient = patient_of(work, input, None)?;
        let comes =
            json!({ "actor": { "reference": format!("Patient/{patient}") }, "status": "accepted" });
        match resource.get_mut("participant").and_then(Value::as_array_mut) {
            Some(participants) => participants.insert(0, comes),
            None => resource.set("participant", json!([comes])),
        }
    }
    Ok(resource)
}

/// The appointment with this status, unless it is called off or over.
fn to_stand(mut resource: Resource, status: &str) -> Resource {
    let stands = resource.get("status").and_then(Value::as_str);
    if matches!(stands, Some("proposed" | "pending" | "waitlist" | "booked")) {
        resource.set("status", status);
    }
    resource
}

/// Says until when a whole `Appointment` is to be held.
fn until(work: &Work<'_, '_>, resource: &mut Resource, minutes: i64) -> Result<(), Refused> {
    if !(1..=appointment::HOLD_MINUTES_MAX).contains(&minutes) {
        let what = format!("minutes is 1 to {}", appointment::HOLD_MINUTES_MAX);
        return Err(Outcome::error(IssueCode::Value, what).into());
    }
    let until = prm::time::plus_minutes(work.stamp().now, minutes);
    let held = json!({ "url": fhir::extension::HOLD_UNTIL, "valueInstant": until.to_string() });
    match resource.get_mut("extension").and_then(Value::as_array_mut) {
        Some(extensions) => {
            extensions.retain(|it| it.get("url") != Some(&json!(fhir::extension::HOLD_UNTIL)));
            extensions.push(held);
        }
        None => resource.set("extension", json!([held])),
    }
    Ok(())
}
