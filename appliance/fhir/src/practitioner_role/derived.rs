//! What follows from other records: when a practitioner is here, and what they do.
//!
//! Each entry has an `id` that tells it from those of others, so that a role which is read here and
//! written back does not keep what was true on that day.

use std::fmt::Display;

use prm::healthcare_service::HealthcareService;
use prm::schedule::Schedule;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::element::{self, Map};
use crate::json::Resource;
use crate::kept::Kept;

/// With what the ids of our entries begin.
const OURS: &str = "carepost.";
/// Minutes of a day.
const DAY: u16 = 24 * 60;

fn id_of(record: impl Display) -> String {
    format!("{OURS}{record}")
}

fn is_ours(entry: &Value) -> bool {
    let id = entry.as_object().and_then(|entry| element::text(entry, "id"));
    id.and_then(|id| id.strip_prefix(OURS)).is_some_and(|id| Uuid::try_parse(id).is_ok())
}

/// A session as an entry of `availableTime`.
pub(super) fn time(schedule: &Schedule) -> Value {
    let (start, end) = (schedule.start_minute, schedule.end_minute);
    let is_all_day = start == 0 && end == DAY;
    let clock = |minute: u16| Value::from(format!("{:02}:{:02}:00", minute / 60, minute % 60));
    // A day of FHIR has no 24:00:00.
    let end = if end == DAY { "23:59:59".into() } else { clock(end) };
    element::of([
        ("id", Some(id_of(schedule.id).into())),
        ("daysOfWeek", Some(schedule.weekdays.words().into())),
        ("allDay", is_all_day.then(|| true.into())),
        ("availableStartTime", (!is_all_day).then(|| clock(start))),
        ("availableEndTime", (!is_all_day).then_some(end)),
    ])
}

/// A service as an entry of `healthcareService`.
pub(super) fn offered(service: &HealthcareService) -> Value {
    let (id, name) = (service.id, &service.name);
    let reference = format!("HealthcareService/{id}");
    json!({ "id": id_of(id), "reference": reference, "display": name })
}

/// Writes the entries of ours, where others gave none.
pub(super) fn unless_given(
    kept: &mut Kept,
    given: Option<&Resource>,
    name: &str,
    ours: Vec<Value>,
) {
    let entries = |map: &Map| element::list(map, name).to_vec();
    let mut now = given.map(|given| entries(given.map())).unwrap_or_default();
    now.retain(|entry| !is_ours(entry));
    if now.is_empty() {
        now = ours;
    }
    kept.element(name, &now, entries, |now| (!now.is_empty()).then(|| now.clone().into()));
}
