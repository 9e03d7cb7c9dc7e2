//! A slot read from a copy of the records: when it is and with whom, by its id and its schedule.

use jiff::{Span, Timestamp};
use serde_json::Value;

use prm::id::SlotId;

use crate::appointment::proposal::Proposal;
use crate::element;
use crate::json::Resource;
use crate::reference::{self, Target};
use crate::schedule;

/// When a slot is, and with whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    /// Its id.
    pub id: SlotId,
    /// When it starts.
    pub start: Timestamp,
    /// When it is over.
    pub end: Timestamp,
    /// The id of the practitioner, if the schedule names one.
    pub practitioner: Option<String>,
    /// The id of the place, if the schedule names one.
    pub location: Option<String>,
}

impl Time {
    /// The slot of this id, as its schedule says it; none if it is no slot of that schedule.
    pub fn of(id: &str, of: &Resource) -> Option<Self> {
        let id: SlotId = id.parse().ok()?;
        let is_its = of.resource_type() == schedule::TYPE
            && of.id().is_some_and(|of| of == id.schedule.to_string());
        let minutes = schedule::slot_minutes(of).filter(|it| is_its && *it > 0)?;
        let start = id.start();
        let end = start.checked_add(Span::new().try_minutes(minutes).ok()?).ok()?;
        let actor = |type_: &str| {
            let actors = element::list(of.map(), "actor");
            element::objects(actors).find_map(|(_, actor)| match reference::target(actor, "")? {
                Target::Local(local) if local.resource_type == type_ => Some(local.id.to_owned()),
                Target::Local(_)
                | Target::Urn(_)
                | Target::Contained(_)
                | Target::Conditional { .. }
                | Target::Foreign(_)
                | Target::Logical => None,
            })
        };
        let (practitioner, location) = (actor("Practitioner"), actor("Location"));
        Some(Self { id, start, end, practitioner, location })
    }

    /// The id of the schedule of a slot; none if it is no id of one.
    pub fn schedule(id: &str) -> Option<String> {
        let id: SlotId = id.parse().ok()?;
        Some(id.schedule.to_string())
    }

    /// The id under which it is proposed.
    pub fn proposal(&self) -> String {
        Proposal { slot: self.id, service: None, patient: None }.id()
    }
}

/// The id of the slot that an appointment names first.
pub fn named(appointment: &Resource) -> Option<String> {
    let first = appointment.get("slot").and_then(Value::as_array)?.first()?.as_object()?;
    match reference::target(first, "")? {
        Target::Local(local) if local.resource_type == super::TYPE => Some(local.id.to_owned()),
        Target::Local(_)
        | Target::Urn(_)
        | Target::Contained(_)
        | Target::Conditional { .. }
        | Target::Foreign(_)
        | Target::Logical => None,
    }
}
