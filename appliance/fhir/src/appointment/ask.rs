//! What an `Appointment` that came in asks for.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use prm::appointment::Status;
use prm::id::{HealthcareServiceId, LocationId, PatientId, PractitionerId, SeriesId, SlotId};

use super::participant::{self, Actor, Participants};
use super::{
    CONFIRMED_AT, HOLD_UNTIL, OVERBOOK_REASON, REASON, SERIES, Slots, TYPE, cancel_reason_of,
};
use crate::element::{self, Map};
use crate::here::Here;
use crate::instant;
use crate::json::Resource;
use crate::kept::Entries as _;
use crate::outcome::{Issue, IssueCode, Outcome};
use crate::reference::{self, Target};

/// What an `Appointment` asks for, for the verbs that check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawAppointment {
    /// Where it is to stand.
    pub status: Status,
    /// Who comes.
    pub patient: PatientId,
    /// To whom; there is always a practitioner or a slot.
    pub practitioner: Option<PractitionerId>,
    /// Where. The session decides: what differs from it will not be written so.
    pub location: Option<LocationId>,
    /// For what.
    pub healthcare_service: Option<HealthcareServiceId>,
    /// In which slot; its start is `start`.
    pub slot: Option<SlotId>,
    /// The start; there is always a start or a slot.
    pub start: Option<Timestamp>,
    /// The end. The session or the service decides: what differs from it will not be written so.
    pub end: Option<Timestamp>,
    /// Why the patient comes.
    pub reason: Option<String>,
    /// Why it is called off.
    pub cancel_reason: Option<String>,
    /// Why it is booked over another, if it is to be.
    pub overbook_reason: Option<String>,
    /// Until when a pending one is to be held.
    pub hold_until: Option<Timestamp>,
    /// The series that it is of.
    pub series: Option<SeriesId>,
    /// What the patient answered, if the participant says so.
    pub answer: Option<Answer>,
    /// When the patient said again that they will come, as far as it was written before.
    pub confirmed_at: Option<Timestamp>,
}

/// What a participant answered (<https://hl7.org/fhir/R4/valueset-participationstatus.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Accepted,
    /// No.
    Declined,
    /// Perhaps.
    Tentative,
    /// Nothing yet.
    NeedsAction,
}

impl Answer {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "accepted" => Some(Self::Accepted),
            "declined" => Some(Self::Declined),
            "tentative" => Some(Self::Tentative),
            "needs-action" => Some(Self::NeedsAction),
            _ => None,
        }
    }
}

/// What an `Appointment` asks for.
///
/// Refused, with every element that is wrong, are: a status that is none of ours; no patient of this
/// box; neither a slot of this box nor a practitioner and a start; a participant or a slot of our kinds
/// that is somewhere else and not here; a second patient, practitioner or service; a start that is not
/// that of the slot; `modifierExtension`.
pub fn read(resource: &Resource, here: Here<'_>) -> Result<RawAppointment, Outcome> {
    element::is_a(resource, TYPE)?;
    element::understood(resource, &["participant"])?;
    let map = resource.map();
    let mut asked = Asked { map, origin: here.origin, issues: Vec::new() };
    let status = asked.status();
    let participants = element::list(map, "participant");
    let lens = Participants { origin: here.origin, names: [None; 4], is_held: false };
    let actors: Vec<Actor> = lens.read(participants).into_iter().map(|(_, actor)| actor).collect();
    let of = |kind: fn(&Actor) -> Option<Uuid>| actors.iter().find_map(kind).map(Uuid::into_bytes);
    let patient = of(|it| if let Actor::Patient(id) = it { Some(*id) } else { None });
    let practitioner = of(|it| if let Actor::Practitioner(id) = it { Some(*id) } else { None });
    let location = of(|it| if let Actor::Location(id) = it { Some(*id) } else { None });
    let service = of(|it| if let Actor::HealthcareService(id) = it { Some(*id) } else { None });
    let slot = asked.slot();
    let start = asked.time("start");
    let end = asked.time("end");
    if patient.is_none() {
        asked.needs(
            "Appointment.participant",
            "name the patient of this box who comes, as Patient/<id>",
        );
    }
    asked.are_here(&[
        (practitioner.is_none() && slot.is_none(), &["Practitioner", "PractitionerRole"]),
        (service.is_none(), &["HealthcareService"]),
    ]);
    asked.are_one_each(&actors);
    if slot.is_none() && practitioner.is_none() {
        asked.needs("Appointment.participant", "name a practitioner of this box, or a slot");
    }
    match (slot, start) {
        (None, None) => asked.needs("Appointment.start", "say when, or name a slot"),
        (Some(slot), Some(start)) if slot.start() != start => {
            let what = "this is not the start of the slot; leave one of them out";
            asked.issues.push(Issue::at("Appointment.start", IssueCode::Invariant, what));
        }
        (Some(_), Some(_) | None) | (None, Some(_)) => {}
    }
    let (Some(status), Some(patient), true) = (status, patient, asked.issues.is_empty()) else {
        return Err(Outcome { issues: asked.issues });
    };
    let first = |name| REASON.read(element::list(map, name)).into_iter().next();
    let answer = participant::first_patient(participants, here.origin)
        .and_then(|(_, entry, _)| Answer::parse(element::text(entry, "status")?));
    Ok(RawAppointment {
        status,
        patient: PatientId::from_bytes(patient),
        practitioner: practitioner.map(PractitionerId::from_bytes),
        location: location.map(LocationId::from_bytes),
        healthcare_service: service.map(HealthcareServiceId::from_bytes),
        slot,
        start: start.or_else(|| slot.map(|slot| slot.start())),
        end,
        reason: first("reasonCode").map(|(_, reason)| reason),
        cancel_reason: cancel_reason_of(map),
        overbook_reason: OVERBOOK_REASON.of(map),
        hold_until: HOLD_UNTIL.of(map).and_then(|moment| moment.time()),
        series: SERIES.of(map),
        answer,
        confirmed_at: CONFIRMED_AT.of(map).and_then(|moment| moment.time()),
    })
}

/// An appointment while it is read, and what is wrong with it.
struct Asked<'a> {
    map: &'a Map,
    origin: &'a str,
    issues: Vec<Issue>,
}

impl Asked<'_> {
    fn needs(&mut self, path: &str, what: &str) {
        self.issues.push(Issue::at(path, IssueCode::Required, what));
    }

    fn status(&mut self) -> Option<Status> {
        let Some(word) = element::text(self.map, "status") else {
            self.needs("Appointment.status", "say where the appointment is to stand");
            return None;
        };
        let status = Status::parse(word).ok();
        if status.is_none() {
            let what = "the box books at once: say `booked`, or `pending` to hold a slot";
            self.issues.push(Issue::at("Appointment.status", IssueCode::NotSupported, what));
        }
        status
    }

    /// The slot; refused if slots are named and none of them is one of this box.
    fn slot(&mut self) -> Option<SlotId> {
        let entries = element::list(self.map, "slot");
        let slot = Slots(self.origin).read(entries).into_iter().next().map(|(_, slot)| slot);
        if slot.is_none() && !entries.is_empty() {
            let what = "name a slot of this box, as Slot/<id>";
            self.issues.push(Issue::at("Appointment.slot", IssueCode::NotFound, what));
        }
        slot
    }

    fn time(&mut self, name: &str) -> Option<Timestamp> {
        let text = element::text(self.map, name)?;
        let time = instant::read(text);
        if time.is_none() {
            let what = "write the instant with its offset, such as 2026-11-23T10:00:00+05:30";
            self.issues.push(Issue::at(format!("Appointment.{name}"), IssueCode::Value, what));
        }
        time
    }

    /// Refuses a second patient, practitioner or service: nothing would be booked for it.
    fn are_one_each(&mut self, booked: &[Actor]) {
        for (place, entry) in element::objects(element::list(self.map, "participant")) {
            let Some(actor) = Actor::of(entry, self.origin) else { continue };
            if !booked.contains(&actor) && !matches!(actor, Actor::Location(_)) {
                let what = "an appointment is booked for one patient, one practitioner and one \
                            service; write another for this one";
                let path = format!("Appointment.participant[{place}].actor");
                self.issues.push(Issue::at(path, IssueCode::NotSupported, what));
            }
        }
    }

    /// Refuses participants of these types that are not here, where one that is here is needed.
    fn are_here(&mut self, needed: &[(bool, &[&str])]) {
        let entries: &[Value] = element::list(self.map, "participant");
        for (place, entry) in element::objects(entries) {
            let Some(actor) = element::object(entry, "actor") else { continue };
            let Some(named) = type_of(actor, self.origin) else { continue };
            if needed.iter().any(|(is_needed, types)| *is_needed && types.contains(&named)) {
                let what = "this is not on record here; name one of this box, as Type/<id>";
                let path = format!("Appointment.participant[{place}].actor");
                self.issues.push(Issue::at(path, IssueCode::NotFound, what));
            }
        }
    }
}

/// The type of what a reference names, wherever it is.
fn type_of<'a>(reference: &'a Map, origin: &str) -> Option<&'a str> {
    let by_address = match reference::target(reference, origin) {
        Some(Target::Local(local)) => Some(local.resource_type),
        Some(Target::Conditional { resource_type, .. }) => Some(resource_type),
        Some(Target::Foreign(address)) => address.rsplit('/').nth(1),
        Some(Target::Urn(_) | Target::Contained(_) | Target::Logical) | None => None,
    };
    by_address.or_else(|| element::text(reference, "type"))
}
