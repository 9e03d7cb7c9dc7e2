//! FHIR AuditEvent: a line of the audit (<https://hl7.org/fhir/R4/auditevent.html>).
//!
//! The id is the line's place in the audit. Lines are written by the box and by nobody else, so that
//! there is nothing to read; an audit event of elsewhere is stored as it was given, beside the audit.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use prm::audit::{Line, Verbs};

use crate::concept::Coded;
use crate::element;
use crate::extension::{CHANNEL, with};
use crate::here::Here;
use crate::instant;
use crate::json::Resource;
use crate::kept::Kept;
use crate::reference::{shown, to};

/// FHIR's name of the type.
pub const TYPE: &str = "AuditEvent";
/// The system of what was done, in the words of the audit.
pub const VERB: &str = "https://carepost.health/fhir/CodeSystem/verb";

/// Something was done with records (<https://hl7.org/fhir/R4/valueset-audit-event-type.html>).
const REST: Coded =
    Coded("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation");
/// Somebody signed in or out (DICOM PS3.16, CID 400).
const AUTHENTICATION: Coded =
    Coded("http://dicom.nema.org/resources/ontology/DCM", "110114", "User Authentication");
const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
const SERVER: Coded =
    Coded("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server");
const PERSON: Coded =
    Coded("http://terminology.hl7.org/CodeSystem/audit-entity-type", "1", "Person");
const OBJECT: Coded =
    Coded("http://terminology.hl7.org/CodeSystem/audit-entity-type", "2", "System Object");
const PATIENT_ROLE: Coded =
    Coded("http://terminology.hl7.org/CodeSystem/object-role", "1", "Patient");
const HUMAN: Coded = Coded(
    "http://terminology.hl7.org/CodeSystem/extra-security-role-type",
    "humanuser",
    "human user",
);

/// A line of the audit as an `AuditEvent`.
pub fn write(line: &Line, here: Here<'_>) -> Resource {
    let Line {
        sequence,
        at,
        actor_kind,
        actor,
        actor_name,
        channel,
        verb,
        noun,
        resource,
        patient,
    } = line;
    let did = Did::of(verb);
    let mut kept = Kept::begin(TYPE, sequence, here.meta(1, *at), None);
    let at: Timestamp = *at;
    kept.says("extension", Some(json!([with(CHANNEL, "valueCode", channel.as_str())])));
    kept.says("type", Some(did.type_().coding()));
    let own = json!({ "system": VERB, "code": verb });
    kept.says(
        "subtype",
        Some(did.interaction().map(Coded::coding).into_iter().chain([own]).collect()),
    );
    kept.says("action", Some(did.action().into()));
    kept.says("recorded", Some(instant::write(at, here.zone()).into()));
    // 4 is a minor failure: nothing was done.
    let outcome = if FAILED.contains(&verb.as_str()) { "4" } else { "0" };
    kept.says("outcome", Some(outcome.into()));
    kept.says("agent", Some(json!([agent(actor_kind, *actor, actor_name.as_deref())])));
    let observer = shown("Organization", here.clinic.id, Some(&here.clinic.name));
    kept.says("source", Some(json!({ "observer": observer, "type": [SERVER.coding()] })));
    let whose = patient.map(|id| {
        json!({
            "what": to("Patient", id),
            "type": PERSON.coding(),
            "role": PATIENT_ROLE.coding(),
        })
    });
    let is_whose = noun == "patient" && *resource == patient.map(|id| id.uuid());
    let what = (!is_whose).then(|| entity(noun, *resource));
    kept.says("entity", Some(what.into_iter().chain(whose).collect()));
    kept.end()
}

/// Who did it.
fn agent(kind: &str, id: Option<Uuid>, name: Option<&str>) -> Value {
    let who = match (kind, id) {
        ("device", Some(id)) => shown("Device", id, name),
        // The box keeps no resource of a member of staff or of a program.
        (_, Some(id)) => {
            element::of([("identifier", Some(universal(id))), ("display", name.map(Value::from))])
        }
        (_, None) => json!({ "display": kind }),
    };
    element::of([
        ("type", (kind == "staff").then(|| HUMAN.concept())),
        ("who", Some(who)),
        ("requestor", Some(true.into())),
    ])
}

/// What it was done with.
fn entity(noun: &str, id: Option<Uuid>) -> Value {
    let what = id.map(|id| match type_of(noun) {
        Some(resource_type) => to(resource_type, id),
        None => json!({ "identifier": universal(id) }),
    });
    element::of([("what", what), ("type", Some(OBJECT.coding())), ("name", Some(noun.into()))])
}

/// An id that is good everywhere (RFC 9562, section 4).
pub(crate) fn universal(id: Uuid) -> Value {
    json!({ "system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{id}") })
}

/// FHIR's name of a noun of the audit whose id is that of a resource.
fn type_of(noun: &str) -> Option<&'static str> {
    Some(match noun {
        "clinic" => "Organization",
        "patient" => "Patient",
        "practitioner" => "Practitioner",
        "location" => "Location",
        "healthcare_service" => "HealthcareService",
        "schedule" => "Schedule",
        "appointment" => "Appointment",
        "queue" => "Task",
        "device" => "Device",
        _ => return None,
    })
}

/// The verbs that a search by a code leaves: `action`, `outcome`, `subtype` or `type`. None if the
/// parameter is another one.
pub fn verbs(parameter: &str, code: &str) -> Option<Verbs> {
    let by = |fits: &dyn Fn(Did) -> bool| {
        let named = NAMED.iter().filter(|(_, did)| fits(*did));
        let others = NAMED.iter().filter(|(_, did)| !fits(*did));
        let words = |(word, _): &(&str, Did)| (*word).to_owned();
        // What is none of these changes something.
        match fits(Did::Update) {
            true => Verbs::Except(others.map(words).collect()),
            false => Verbs::Among(named.map(words).collect()),
        }
    };
    Some(match parameter {
        "action" => by(&|did| did.action() == code),
        "type" => by(&|did| did.type_().1 == code),
        "subtype" => match by(&|did| did.interaction().is_some_and(|it| it.1 == code)) {
            Verbs::Among(mut verbs) => {
                verbs.push(code.to_owned());
                Verbs::Among(verbs)
            }
            Verbs::Except(verbs) => {
                Verbs::Except(verbs.into_iter().filter(|it| it != code).collect())
            }
        },
        "outcome" => {
            let failed = FAILED.map(str::to_owned).into();
            match code {
                "0" => Verbs::Except(failed),
                "4" => Verbs::Among(failed),
                _ => Verbs::Among(Vec::new()),
            }
        }
        _ => return None,
    })
}

/// What was tried and not done.
const FAILED: [&str; 2] = ["sign_in_failed", "change_password_failed"];

/// The verbs that do not change what was there.
const NAMED: [(&str, Did); 19] = [
    ("read", Did::Read),
    ("list", Did::Search),
    ("search", Did::Search),
    ("register", Did::Create),
    ("add", Did::Create),
    ("book", Did::Create),
    ("hold", Did::Create),
    ("join", Did::Create),
    ("found", Did::Create),
    ("begin_log", Did::Create),
    ("create", Did::Create),
    ("offer", Did::Create),
    ("ask_to_pair", Did::Create),
    ("take", Did::Create),
    ("close", Did::Create),
    ("sign_in", Did::Authenticate),
    ("sign_in_failed", Did::Authenticate),
    ("sign_out", Did::Authenticate),
    ("grant", Did::Authenticate),
];

/// What kind of thing was done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Did {
    Create,
    Read,
    Update,
    Search,
    Authenticate,
}

impl Did {
    /// A verb of the audit; what is none of the others changes something that was there.
    fn of(verb: &str) -> Self {
        let named = NAMED.iter().find(|(word, _)| *word == verb);
        named.map_or(Self::Update, |(_, did)| *did)
    }

    fn type_(self) -> Coded {
        match self {
            Self::Create | Self::Read | Self::Update | Self::Search => REST,
            Self::Authenticate => AUTHENTICATION,
        }
    }

    fn interaction(self) -> Option<Coded> {
        match self {
            Self::Create => Some(Coded(INTERACTION, "create", "create")),
            Self::Read => Some(Coded(INTERACTION, "read", "read")),
            Self::Update => Some(Coded(INTERACTION, "update", "update")),
            Self::Search => Some(Coded(INTERACTION, "search-type", "search-type")),
            Self::Authenticate => None,
        }
    }

    /// FHIR's code (<https://hl7.org/fhir/R4/valueset-audit-event-action.html>).
    fn action(self) -> &'static str {
        match self {
            Self::Create => "C",
            Self::Read => "R",
            Self::Update => "U",
            Self::Search | Self::Authenticate => "E",
        }
    }
}

#[cfg(test)]
mod tests;
