//! A time that could be booked, as `$find` proposes it: nothing is stored of it, so its id says what it
//! is.
//!
//! The id is written with the 64 characters that an id of FHIR may hold
//! (<https://hl7.org/fhir/R4/datatypes.html#id>). It is a wish and no right: who books it is checked like
//! everybody else.

use base64::Engine as _;
use base64::alphabet::Alphabet;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

use prm::id::{HealthcareServiceId, ScheduleId, SlotId};
use prm::patient::Patient;
use prm::slot::Slot;

use super::{Shown, TYPE};
use crate::concept;
use crate::element;
use crate::here::Here;
use crate::instant;
use crate::json::Resource;
use crate::reference;

/// What stands before an id, so that it is never taken for another.
const VERSION: u8 = 1;
/// There is a service in it.
const WITH_SERVICE: u8 = 2;
/// There is a patient in it.
const WITH_PATIENT: u8 = 4;

/// A time that could be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// When, to whom.
    pub slot: SlotId,
    /// For what.
    pub service: Option<HealthcareServiceId>,
    /// For whom, by the clinic's number.
    pub patient: Option<i64>,
}

impl Proposal {
    /// Its id.
    pub fn id(&self) -> String {
        let Self { slot, service, patient } = self;
        let number = patient.and_then(|number| u32::try_from(number).ok());
        let with = |is: bool, flag: u8| if is { flag } else { 0 };
        let flags =
            VERSION | with(service.is_some(), WITH_SERVICE) | with(number.is_some(), WITH_PATIENT);
        let mut bytes = vec![flags];
        bytes.extend(slot.schedule.as_bytes());
        bytes.extend(slot.start_minute.to_be_bytes());
        bytes.extend(service.iter().flat_map(HealthcareServiceId::as_bytes));
        bytes.extend(number.map(u32::to_be_bytes).into_iter().flatten());
        letters().encode(bytes)
    }

    /// The proposal of an id that [`Self::id`] made; none of another.
    pub fn parse(id: &str) -> Option<Self> {
        let bytes = letters().decode(id).ok()?;
        let (flags, rest) = bytes.split_first()?;
        let (schedule, rest) = rest.split_first_chunk::<16>()?;
        let (minute, rest) = rest.split_first_chunk::<4>()?;
        let (service, rest) = match flags & WITH_SERVICE {
            0 => (None, rest),
            _ => rest.split_first_chunk::<16>().map(|(id, rest)| (Some(*id), rest))?,
        };
        let (patient, rest) = match flags & WITH_PATIENT {
            0 => (None, rest),
            _ => rest.split_first_chunk::<4>().map(|(number, rest)| (Some(*number), rest))?,
        };
        let is_ours = flags & !(WITH_SERVICE | WITH_PATIENT) == VERSION && rest.is_empty();
        is_ours.then(|| Self {
            slot: SlotId {
                schedule: ScheduleId::from_bytes(*schedule),
                start_minute: u32::from_be_bytes(*minute),
            },
            service: service.map(HealthcareServiceId::from_bytes),
            patient: patient.map(|number| i64::from(u32::from_be_bytes(number))),
        })
    }
}

fn letters() -> GeneralPurpose {
    let all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
    let alphabet = Alphabet::new(all).expect("invariant: these are 64 letters, each once");
    GeneralPurpose::new(&alphabet, NO_PAD)
}

/// A slot as a proposed `Appointment`. `period` is the time that was asked for.
pub fn write(
    slot: &Slot,
    service: Option<HealthcareServiceId>,
    patient: Option<&Patient>,
    (shown, period): (Shown<'_>, (Timestamp, Timestamp)),
    here: Here<'_>,
) -> Resource {
    let Slot { id, practitioner, location, start, end, free: _, lent: _ } = slot;
    let proposal = Proposal { slot: *id, service, patient: patient.map(|it| it.number) };
    let mut resource =
        Resource::of(TYPE).expect("invariant: R4 has the type that this module is a part of");
    resource.set("id", proposal.id());
    resource.set("status", "proposed");
    if let Some(name) = shown.healthcare_service {
        resource.set("serviceType", vec![concept::said(name)]);
    }
    let at = |time: Timestamp| instant::write(time, here.zone());
    resource.set("start", at(*start));
    resource.set("end", at(*end));
    let minutes = (end.as_second() - start.as_second()) / 60;
    if minutes > 0 {
        resource.set("minutesDuration", minutes);
    }
    resource.set("slot", vec![reference::to("Slot", id)]);
    let part = |actor: Value, status: &str| {
        element::of([("actor", Some(actor)), ("status", Some(status.into()))])
    };
    let named = |type_, id: String, name| part(reference::shown(type_, id, name), "accepted");
    let mut participants = Vec::new();
    participants.extend(patient.map(|patient| {
        part(reference::shown("Patient", patient.id, Some(&patient.name)), "needs-action")
    }));
    participants.push(named("Practitioner", practitioner.to_string(), shown.practitioner));
    participants.extend(location.map(|id| named("Location", id.to_string(), shown.location)));
    participants.extend(
        service.map(|id| named("HealthcareService", id.to_string(), shown.healthcare_service)),
    );
    resource.set("participant", participants);
    let (from, to) = period;
    let period = element::of([("start", Some(at(from).into())), ("end", Some(at(to).into()))]);
    resource.set("requestedPeriod", vec![period]);
    resource
}
