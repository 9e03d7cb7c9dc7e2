//! FHIR Appointment: a visit that was agreed (<https://hl7.org/fhir/R4/appointment.html>).
//!
//! | element | record |
//! |---|---|
//! | `status` | where it stands; `proposed` and `waitlist` are none of ours |
//! | `participant` | the patient, the practitioner (a `Practitioner` or a `PractitionerRole`), the room, the service: the first of each |
//! | `slot` | the slot in which it begins |
//! | `start`, `end` | the start and the end |
//! | `reasonCode` | why the patient comes, in words: the first |
//! | `cancelationReason` | why it was called off, in words (R4 spells it so) |
//! | [`extension::HOLD_UNTIL`] | until when a pending one is held. Not `requestedPeriod`, which says when it would suit |
//! | [`extension::OVERBOOK_REASON`] | why it was booked over another |
//! | [`extension::CONFIRMED_AT`] | when the patient said again that they will come (written only) |
//! | [`extension::SERIES`] | the series that it is of |
//!
//! `minutesDuration` follows the times, `serviceType` and `created` are written where nothing was
//! given. Everything else, `comment` among it, stays as it was given. Not written are the buffer
//! after the visit and the lane of an overbooked one: they say what the clinic's diary holds, not what
//! was agreed.
//!
//! `participant.status`: a hold waits for the patient (`needs-action`), and whoever booked has agreed
//! (`accepted`): so FHIR defines `pending` and `booked`. What was given stays, except that a patient
//! who confirmed or came has accepted.

mod ask;
mod participant;
pub mod proposal;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use prm::appointment::{Appointment, Status};
use prm::contact;
use prm::id::{SeriesId, SlotId};

pub use self::ask::{Answer, RawAppointment, read};
use self::participant::{Actor, Participants};
use crate::concept::{self, Words};
use crate::element::{self, Map};
use crate::extension::{self, Extension, with};
use crate::here::Here;
use crate::instant;
use crate::json::Resource;
use crate::kept::{self, Entries, Kept};
use crate::reference::{self, Target};

/// FHIR's name of the type.
pub const TYPE: &str = "Appointment";

/// What an `Appointment` shows of other records, for people to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// The name of the practitioner.
    pub practitioner: Option<&'a str>,
    /// What is on the door.
    pub location: Option<&'a str>,
    /// What the service is called.
    pub healthcare_service: Option<&'a str>,
    /// When the appointment was written down.
    pub created: Option<Timestamp>,
}

/// An appointment's record as an `Appointment`, over what was given. `updated` is when the record last
/// changed.
pub fn write(
    appointment: &Appointment,
    shown: Shown<'_>,
    here: Here<'_>,
    updated: Timestamp,
    given: Option<&Resource>,
) -> Resource {
    let Appointment {
        id,
        version,
        status,
        patient,
        patient_name,
        patient_phone: _,
        practitioner,
        location,
        healthcare_service,
        schedule: _,
        start,
        end,
        blocked_to: _,
        lane: _,
        reason,
        cancel_reason,
        overbook_reason,
        confirmed_at,
        hold_until,
        series,
    } = appointment;
    let zone = here.zone();
    let mut kept = Kept::begin(TYPE, id, here.meta(*version, updated), given);
    let in_zone = |time: &Option<Timestamp>| time.map(|time| instant::write(time, zone));
    kept.list("extension", &HOLD_UNTIL, &Moment::of(in_zone(hold_until)));
    kept.list("extension", &CONFIRMED_AT, &Moment::of(in_zone(confirmed_at)));
    kept.list("extension", &OVERBOOK_REASON, overbook_reason.as_slice());
    kept.list("extension", &SERIES, series.as_slice());
    let word = |map: &Map| element::text(map, "status").map(str::to_owned);
    kept.element("status", &Some(status.as_str().to_owned()), word, |word| {
        word.as_deref().map(Value::from)
    });
    // R4 allows a reason only where something was called off (invariant app-4).
    let called_off = matches!(status, Status::Cancelled | Status::Noshow);
    let cancel_reason = cancel_reason.clone().filter(|_| called_off);
    kept.element("cancelationReason", &cancel_reason, cancel_reason_of, |reason| {
        reason.as_deref().map(concept::said)
    });
    if let Some(service) = shown.healthcare_service {
        kept.at_first("serviceType", Some(Value::Array(vec![concept::said(service)])));
    }
    kept.list("reasonCode", &REASON, reason.as_slice());
    let time_of = |name: &'static str| move |map: &Map| instant::read(element::text(map, name)?);
    let text_of = |time: &Option<Timestamp>| in_zone(time).map(Value::from);
    kept.element("start", &Some(*start), time_of("start"), text_of);
    kept.element("end", &Some(*end), time_of("end"), text_of);
    let minutes = (end.as_second() - start.as_second()) / 60;
    let is_said = given.is_none_or(|given| given.get("minutesDuration").is_some());
    if is_said && minutes > 0 {
        kept.says("minutesDuration", Some(minutes.into()));
    }
    kept.list("slot", &Slots(here.origin), &[appointment.slot()]);
    kept.at_first("created", in_zone(&shown.created).map(Value::from));
    let mut actors = vec![Actor::Patient(patient.uuid()), Actor::Practitioner(practitioner.uuid())];
    actors.extend(location.map(|id| Actor::Location(id.uuid())));
    actors.extend(healthcare_service.map(|id| Actor::HealthcareService(id.uuid())));
    let participants = Participants {
        origin: here.origin,
        names: [
            Some(patient_name.as_str()).filter(|name| !name.is_empty()),
            shown.practitioner,
            shown.location,
            shown.healthcare_service,
        ],
        is_held: *status == Status::Pending,
    };
    kept.list("participant", &participants, &actors);
    if has_agreed(*status, *confirmed_at) {
        let place = |entries: &[Value]| {
            participant::first_patient(entries, here.origin).map(|(place, _, _)| place)
        };
        kept.entry("participant", place, |participant| {
            let word = |map: &Map| element::text(map, "status").map(str::to_owned);
            kept::element(participant, "status", &Some("accepted".to_owned()), word, |word| {
                word.as_deref().map(Value::from)
            })
        });
    }
    kept.end()
}

/// Whether the patient confirmed or came.
fn has_agreed(status: Status, confirmed_at: Option<Timestamp>) -> bool {
    match status {
        Status::Arrived | Status::CheckedIn | Status::Fulfilled => true,
        Status::Booked => confirmed_at.is_some(),
        Status::Pending | Status::Cancelled | Status::Noshow | Status::EnteredInError => false,
    }
}

/// Why the patient comes.
const REASON: Words = Words { as_held, most: 1 };

/// Free text as the records hold it.
fn as_held(words: &str) -> Option<String> {
    contact::text("reason", Some(words.to_owned())).ok()?
}

/// Why it was called off.
fn cancel_reason_of(map: &Map) -> Option<String> {
    as_held(concept::words(element::object(map, "cancelationReason")?)?)
}

/// A point in time that an extension says: equal if it is the same, in whichever zone.
#[derive(Clone, Debug)]
struct Moment(String);

impl Moment {
    fn of(text: Option<String>) -> Vec<Self> {
        text.into_iter().map(Self).collect()
    }

    fn time(&self) -> Option<Timestamp> {
        instant::read(&self.0)
    }
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.time() == other.time()
    }
}

const HOLD_UNTIL: Extension<Moment> = moment(extension::HOLD_UNTIL);
const CONFIRMED_AT: Extension<Moment> = moment(extension::CONFIRMED_AT);

const fn moment(url: &'static str) -> Extension<Moment> {
    Extension {
        url,
        most: 1,
        read: |entry| {
            let moment = Moment(element::text(entry, "valueInstant")?.to_owned());
            moment.time().map(|_| moment)
        },
        write: |url, moment| with(url, "valueInstant", moment.0.as_str()),
    }
}

const OVERBOOK_REASON: Extension<String> = Extension {
    url: extension::OVERBOOK_REASON,
    most: 1,
    read: |entry| as_held(element::text(entry, "valueString")?),
    write: |url, reason| with(url, "valueString", reason.as_str()),
};

const SERIES: Extension<SeriesId> = Extension {
    url: extension::SERIES,
    most: 1,
    read: |entry| {
        let id = element::text(entry, "valueUuid")?.strip_prefix("urn:uuid:")?;
        Some(SeriesId::from_bytes(Uuid::try_parse(id).ok()?.into_bytes()))
    },
    write: |url, id| with(url, "valueUuid", format!("urn:uuid:{id}")),
};

/// The slot in which it begins: the first of this box.
struct Slots<'a>(&'a str);

impl Entries for Slots<'_> {
    type Said = SlotId;

    fn read(&self, entries: &[Value]) -> Vec<(usize, SlotId)> {
        element::objects(entries)
            .find_map(|(place, entry)| match reference::target(entry, self.0)? {
                Target::Local(local) if local.resource_type == "Slot" => {
                    Some((place, local.id.parse().ok()?))
                }
                Target::Local(_)
                | Target::Urn(_)
                | Target::Contained(_)
                | Target::Conditional { .. }
                | Target::Foreign(_)
                | Target::Logical => None,
            })
            .into_iter()
            .collect()
    }

    fn write(&self, id: &SlotId, _old: Option<&Map>) -> Value {
        reference::to("Slot", id)
    }
}

#[cfg(test)]
mod tests;
