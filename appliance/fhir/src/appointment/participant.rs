//! `Appointment.participant`: who and what takes part.

use serde_json::Value;
use uuid::Uuid;

use crate::element::{self, Map};
use crate::kept::Entries;
use crate::reference;

/// Who or what takes part, by the id of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Actor {
    Patient(Uuid),
    Practitioner(Uuid),
    Location(Uuid),
    HealthcareService(Uuid),
}

impl Actor {
    /// Whether a participant is one of ours; a role has the id of its practitioner.
    pub(super) fn of(participant: &Map, origin: &str) -> Option<Self> {
        match reference::record(element::object(participant, "actor")?, origin)? {
            ("Patient", id) => Some(Self::Patient(id)),
            ("Practitioner" | "PractitionerRole", id) => Some(Self::Practitioner(id)),
            ("Location", id) => Some(Self::Location(id)),
            ("HealthcareService", id) => Some(Self::HealthcareService(id)),
            (_, _) => None,
        }
    }

    /// The place of its kind among the kinds.
    fn kind(self) -> usize {
        match self {
            Self::Patient(_) => 0,
            Self::Practitioner(_) => 1,
            Self::Location(_) => 2,
            Self::HealthcareService(_) => 3,
        }
    }
}

/// The first participant of each kind.
pub(super) struct Participants<'a> {
    /// The address under which this box serves FHIR.
    pub(super) origin: &'a str,
    /// The names of patient, practitioner, location and service.
    pub(super) names: [Option<&'a str>; 4],
    /// Whether the appointment is held for the patient, who has not said yes.
    pub(super) is_held: bool,
}

impl Entries for Participants<'_> {
    type Said = Actor;

    fn read(&self, entries: &[Value]) -> Vec<(usize, Actor)> {
        let mut found: [Option<(usize, Actor)>; 4] = [None; 4];
        for (place, entry) in element::objects(entries) {
            if let Some(actor) = Actor::of(entry, self.origin)
                && let Some(slot) = found.get_mut(actor.kind())
            {
                slot.get_or_insert((place, actor));
            }
        }
        found.into_iter().flatten().collect()
    }

    fn write(&self, actor: &Actor, old: Option<&Map>) -> Value {
        let (resource_type, id) = match actor {
            Actor::Patient(id) => ("Patient", id),
            Actor::Practitioner(id) => ("Practitioner", id),
            Actor::Location(id) => ("Location", id),
            Actor::HealthcareService(id) => ("HealthcareService", id),
        };
        let name = self.names.get(actor.kind()).copied().flatten();
        let waits = self.is_held && matches!(actor, Actor::Patient(_));
        element::of([
            // What part somebody takes does not change with who takes it.
            ("type", old.and_then(|old| old.get("type")).cloned()),
            ("actor", Some(reference::shown(resource_type, id, name))),
            ("required", old.and_then(|old| old.get("required")).cloned()),
            ("status", Some(if waits { "needs-action" } else { "accepted" }.into())),
        ])
    }

    fn may_replace(&self, new: &Actor, old: &Actor) -> bool {
        new.kind() == old.kind()
    }
}

/// The first participant that is a patient of this box.
pub(super) fn first_patient<'a>(
    entries: &'a [Value],
    origin: &str,
) -> Option<(usize, &'a Map, Uuid)> {
    element::objects(entries).find_map(|(place, entry)| match Actor::of(entry, origin)? {
        Actor::Patient(id) => Some((place, entry, id)),
        Actor::Practitioner(_) | Actor::Location(_) | Actor::HealthcareService(_) => None,
    })
}
