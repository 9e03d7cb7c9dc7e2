//! The extensions of our own: what the records hold and R4 has no element for.
//!
//! Source: <https://hl7.org/fhir/R4/extensibility.html>. Everybody may leave them out; what each means
//! stands beside its address here.

use serde_json::{Value, json};

use crate::element::{self, Map};
use crate::kept::Entries;

/// `Patient`: how the patient wants to be reached. Elements `channel` (`valueCode`: `whatsapp`, `sms`,
/// `voice` or `email`; the preferred one first) and `reminders` (`valueBoolean`).
pub const CONTACT_PREFERENCES: &str =
    "https://carepost.health/fhir/StructureDefinition/contact-preferences";
/// `Organization`: the IANA time zone by whose clock the clinic works (`valueCode`).
pub const TIME_ZONE: &str = "https://carepost.health/fhir/StructureDefinition/time-zone";
/// `HealthcareService`: how long the patient is there (`valueDuration`, in minutes).
pub const DURATION: &str = "https://carepost.health/fhir/StructureDefinition/service-duration";
/// `HealthcareService`: how long everybody needs afterwards (`valueDuration`, in minutes).
pub const BUFFER: &str = "https://carepost.health/fhir/StructureDefinition/service-buffer";
/// `HealthcareService`: somebody who does it (`valueReference` to a `Practitioner`); repeats. Without
/// any, everybody does it.
pub const PERFORMER: &str = "https://carepost.health/fhir/StructureDefinition/service-performer";
/// `Schedule`: the session that repeats every week. Elements `dayOfWeek` (`valueCode`, of
/// <http://hl7.org/fhir/days-of-week>; repeats), `start` and `end` (`valueTime` on the clinic's clock;
/// an end of `00:00:00` is the next midnight), `slotMinutes`, `slotCapacity` and `sessionCapacity`
/// (`valuePositiveInt`; the last two may be missing: one patient in a slot, any number in a session).
pub const WEEKLY_SESSION: &str = "https://carepost.health/fhir/StructureDefinition/weekly-session";
/// `Schedule`: how much of it is lent to the hub for booking online. Elements `sharePercent`
/// (`valueUnsignedInt`, hundredths of a day's free slots, 0 to 100), `cutoffHours` (`valuePositiveInt`, the
/// hours before its start at which a slot is neither lent nor sold online any more, to 720) and
/// `horizonDays` (`valuePositiveInt`, the days ahead, to 35). What is missing is as the box's settings say.
pub const LENDING: &str = "https://carepost.health/fhir/StructureDefinition/online-booking-loans";
/// `Slot`: how many more patients it takes (`valueUnsignedInt`).
pub const PLACES_LEFT: &str = "https://carepost.health/fhir/StructureDefinition/places-left";
/// `Appointment`: until when a pending one is held (`valueInstant`).
pub const HOLD_UNTIL: &str = "https://carepost.health/fhir/StructureDefinition/hold-until";
/// `Appointment`: why it was booked over another (`valueString`).
pub const OVERBOOK_REASON: &str =
    "https://carepost.health/fhir/StructureDefinition/overbook-reason";
/// `Appointment`: when the patient said again that they will come (`valueInstant`).
pub const CONFIRMED_AT: &str = "https://carepost.health/fhir/StructureDefinition/confirmed-at";
/// `Appointment`: the series that it is of (`valueUuid`).
pub const SERIES: &str = "https://carepost.health/fhir/StructureDefinition/appointment-series";
/// `Appointment` that was sold by the hub: the text of the QR that opens the check-in (`valueString`).
pub const CHECK_IN_CODE: &str = "https://carepost.health/fhir/StructureDefinition/check-in-code";
/// `Appointment` that was sold by the hub: what tells the box of the sale while the line is cut, to be
/// scanned at the desk (`valueString`).
pub const SALE_CONFIRMATION: &str =
    "https://carepost.health/fhir/StructureDefinition/sale-confirmation";
/// `Task` of the queue: what orders the line (`valueInstant`); whoever waits and is due first is next.
pub const DUE: &str = "https://carepost.health/fhir/StructureDefinition/queue-due";
/// `Task` of the queue: how often the patient was called (`valueUnsignedInt`).
pub const CALLS: &str = "https://carepost.health/fhir/StructureDefinition/queue-calls";
/// `AuditEvent` and `Provenance`: through which channel it was done (`valueCode`).
pub const CHANNEL: &str = "https://carepost.health/fhir/StructureDefinition/audit-channel";

/// An extension with one value.
pub(crate) fn with(url: &str, value_name: &str, value: impl Into<Value>) -> Value {
    element::of([("url", Some(url.into())), (value_name, Some(value.into()))])
}

/// An extension with elements.
pub(crate) fn of(url: &str, elements: Vec<Value>) -> Value {
    json!({ "url": url, "extension": elements })
}

/// The extensions in a list that have this address, each with its place.
pub(crate) fn all<'a>(list: &'a [Value], url: &str) -> impl Iterator<Item = (usize, &'a Map)> {
    element::objects(list).filter(move |(_, entry)| element::text(entry, "url") == Some(url))
}

/// The first extension, or element of an extension, that has this address.
pub(crate) fn first<'a>(map: &'a Map, url: &str) -> Option<&'a Map> {
    all(element::list(map, "extension"), url).next().map(|(_, entry)| entry)
}

/// An extension of ours in a list of extensions.
pub(crate) struct Extension<V> {
    /// Its address.
    pub(crate) url: &'static str,
    /// How often it counts; one that does not repeat counts once.
    pub(crate) most: usize,
    /// What it says; none if it cannot be read.
    pub(crate) read: fn(&Map) -> Option<V>,
    /// An extension that says it.
    pub(crate) write: fn(&'static str, &V) -> Value,
}

impl<V: PartialEq> Entries for Extension<V> {
    type Said = V;

    fn read(&self, entries: &[Value]) -> Vec<(usize, V)> {
        all(entries, self.url)
            .filter_map(|(place, entry)| Some((place, (self.read)(entry)?)))
            .take(self.most)
            .collect()
    }

    fn write(&self, said: &V, _old: Option<&Map>) -> Value {
        (self.write)(self.url, said)
    }
}

impl<V: PartialEq> Extension<V> {
    /// What the first one of a resource or an element says.
    pub(crate) fn of(&self, map: &Map) -> Option<V> {
        self.read(element::list(map, "extension")).into_iter().next().map(|(_, said)| said)
    }
}
