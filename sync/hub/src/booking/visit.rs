//! An appointment as the hub says it, and who comes to it.

use fhir::bundle::{Pages, Searchset, searchset};
use fhir::extension::HOLD_UNTIL;
use fhir::slot::Time;
use fhir::{Here, Outcome, Resource};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::TYPE;

/// What is told of somebody who comes; the box needs no more to know or to register them.
const TOLD: [&str; 8] =
    ["id", "identifier", "name", "telecom", "gender", "birthDate", "address", "communication"];
/// What a whole appointment may say that is told to the box.
const WISHED: [&str; 3] = ["reasonCode", "description", "comment"];

/// Who comes.
#[derive(Clone, Debug)]
pub struct Comes {
    /// What is told of them.
    pub resource: Resource,
    /// Their id, if they are on record.
    pub id: Option<String>,
    name: Option<String>,
}

impl Comes {
    /// Somebody on record.
    pub fn on_record(found: &Resource, id: &str) -> Self {
        Self { id: Some(id.to_owned()), ..Self::described(found) }.with_id(id)
    }

    /// Somebody who is described. An id that they bring is nobody's here.
    pub fn described(given: &Resource) -> Self {
        let mut resource = given.clone();
        let names: Vec<String> = given.map().keys().cloned().collect();
        for name in names.iter().filter(|it| !TOLD.contains(&it.as_str()) || *it == "id") {
            resource.remove(name);
        }
        let first = resource.get("name").and_then(|it| it.get(0));
        let name = first.and_then(|it| it.get("text")).and_then(Value::as_str);
        let name = name.map(str::to_owned);
        Self { resource, id: None, name }
    }

    fn with_id(mut self, id: &str) -> Self {
        self.resource.set("id", id);
        self
    }

    /// Where they are in a bundle.
    fn address(&self, id: Uuid) -> String {
        match &self.id {
            Some(id) => format!("Patient/{id}"),
            None => format!("urn:uuid:{id}"),
        }
    }

    /// As an answer names them.
    fn actor(&self) -> Value {
        match (&self.id, &self.name) {
            (Some(id), _) => json!({ "reference": format!("Patient/{id}") }),
            (None, Some(name)) => json!({ "type": "Patient", "display": name }),
            (None, None) => json!({ "type": "Patient", "display": "a new patient" }),
        }
    }
}

/// An appointment.
pub struct Visit<'a> {
    /// Its id.
    pub id: String,
    /// Where it stands, as FHIR says it.
    pub status: &'static str,
    /// When, and with whom.
    pub time: &'a Time,
    /// Who comes, and what they have said to it.
    pub comes: Option<(&'a Comes, &'static str)>,
    /// The whole appointment that was wished for.
    pub wished: Option<&'a Resource>,
    /// Extensions with a text.
    pub extensions: Vec<Value>,
}

impl<'a> Visit<'a> {
    /// One that was called off: who would have come is not said.
    pub fn called_off(id: Uuid, time: &'a Time) -> Self {
        let (id, status) = (id.to_string(), "cancelled");
        Self { id, status, time, comes: None, wished: None, extensions: Vec::new() }
    }

    /// As an answer.
    pub fn to_resource(&self, here: Here<'_>) -> Resource {
        self.written(here, self.comes.map(|(comes, _)| comes.actor()))
    }

    /// A bundle of who comes and of this, for the box.
    pub fn to_bundle(&self, here: Here<'_>) -> Option<Vec<u8>> {
        let (comes, _) = self.comes?;
        let new = Uuid::new_v4();
        let address = comes.address(new);
        let mut own = self.written(here, Some(json!({ "reference": address })));
        own.remove("extension");
        // In a bundle each has an address that is good everywhere.
        let full = match &comes.id {
            Some(id) if Uuid::try_parse(id).is_ok() => format!("urn:uuid:{id}"),
            Some(_) | None => format!("urn:uuid:{new}"),
        };
        let bundle = json!({
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                { "fullUrl": full, "resource": comes.resource },
                { "fullUrl": format!("urn:uuid:{}", self.id), "resource": own },
            ],
        });
        Some(bundle.to_string().into_bytes())
    }

    fn written(&self, here: Here<'_>, patient: Option<Value>) -> Resource {
        let mut resource =
            Resource::of(TYPE).expect("invariant: R4 has the type that this module is about");
        let Time { id, start, end, practitioner, location } = self.time;
        resource.set("id", self.id.as_str());
        if !self.extensions.is_empty() {
            resource.set("extension", self.extensions.clone());
        }
        resource.set("status", self.status);
        for name in WISHED {
            if let Some(said) = self.wished.and_then(|it| it.get(name)) {
                resource.set(name, said.clone());
            }
        }
        resource.set("start", instant(*start, here));
        resource.set("end", instant(*end, here));
        resource.set("slot", json!([{ "reference": format!("Slot/{id}") }]));
        let answer = self.comes.map_or("accepted", |(_, answer)| answer);
        let patient = patient.map(|actor| json!({ "actor": actor, "status": answer }));
        let other = |type_: &str, id: &Option<String>| {
            let reference = format!("{type_}/{}", id.as_deref()?);
            Some(json!({ "actor": { "reference": reference }, "status": "accepted" }))
        };
        let with = [patient, other("Practitioner", practitioner), other("Location", location)];
        let mut with: Vec<Value> = with.into_iter().flatten().collect();
        if with.is_empty() {
            // R4 wants one; the schedule is what is known.
            let schedule = format!("Schedule {}", id.schedule);
            with.push(json!({ "actor": { "display": schedule }, "status": "accepted" }));
        }
        resource.set("participant", with);
        resource
    }
}

/// A point in time on the clinic's clock.
fn instant(time: Timestamp, here: Here<'_>) -> String {
    let zoned = time.to_zoned(here.clinic.zone.clone());
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The extension that says until when it is held.
pub fn held_until(until: Timestamp, here: Here<'_>) -> Value {
    json!({ "url": HOLD_UNTIL, "valueInstant": instant(until, here) })
}

/// An extension with a text.
pub fn text(url: &str, text: &str) -> Value {
    json!({ "url": url, "valueString": text })
}

/// Appointments as the answer of an operation.
pub fn bundle(
    matches: Vec<Resource>,
    (path, next): (&str, Option<String>),
    (total, outcome): (usize, Option<Outcome>),
    here: Here<'_>,
) -> Resource {
    let this = format!("{}/{TYPE}/{path}", here.origin);
    let set = Searchset {
        total: u64::try_from(total).ok(),
        pages: Pages { next: next.map(|query| format!("{this}?{query}")), this },
        matches,
        included: Vec::new(),
        outcome,
    };
    searchset(set, here)
}
