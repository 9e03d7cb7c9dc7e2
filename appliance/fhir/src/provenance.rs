//! FHIR Provenance: who wrote a version of a record (<https://hl7.org/fhir/R4/provenance.html>).
//!
//! The box writes down who made each version of its own records, and tells it so; there is nothing to
//! read. The id is the version's own, `<type>.<id>.<version>`: its characters and its length are those of
//! a FHIR id. A provenance of elsewhere is stored as it was given, beside these.
//!
//! | element | what |
//! |---|---|
//! | `target` | the version; of a practitioner the role, too, which is the same record |
//! | `recorded` | when it was written |
//! | `activity` | whether it was made or changed, and the verb |
//! | `agent` | who it was, and what: `staff`, `device`, `token`, `box` or `nobody` |
//! | [`CHANNEL`] | `desk`, `kiosk`, `api` or `command-line` |

use serde_json::{Value, json};
use uuid::Uuid;

use prm::id::Noun;
use prm::provenance::Written;

use crate::audit_event::{VERB, universal};
use crate::concept::Coded;
use crate::element;
use crate::extension::{CHANNEL, with};
use crate::here::Here;
use crate::instant;
use crate::json::Resource;
use crate::kept::Kept;
use crate::reference::shown;

/// FHIR's name of the type.
pub const TYPE: &str = "Provenance";
/// The system of what kind of actor wrote, in the words of the audit.
pub const ACTOR: &str = "https://carepost.health/fhir/CodeSystem/actor";

/// The records of which every version can be read, and FHIR's name of each.
pub const TARGETS: [(Noun, &str); 6] = [
    (Noun::Appointment, "Appointment"),
    (Noun::HealthcareService, "HealthcareService"),
    (Noun::Location, "Location"),
    (Noun::Patient, "Patient"),
    (Noun::Practitioner, "Practitioner"),
    (Noun::Schedule, "Schedule"),
];

const CREATE: Coded =
    Coded("http://terminology.hl7.org/CodeSystem/v3-DataOperation", "CREATE", "create");
const UPDATE: Coded =
    Coded("http://terminology.hl7.org/CodeSystem/v3-DataOperation", "UPDATE", "revise");
const PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
/// A person typed it in.
const ENTERER: Coded = Coded(PARTICIPANT, "enterer", "Enterer");
/// A machine put it together.
const ASSEMBLER: Coded = Coded(PARTICIPANT, "assembler", "Assembler");

/// The id of who wrote a version of the record with this name and id.
fn id_of(type_: &str, id: Uuid, version: i64) -> String {
    format!("{type_}.{id}.{version}")
}

/// The kind, the id and the version of an id that the box made; none of another.
pub fn parse_id(id: &str) -> Option<(Noun, Uuid, i64)> {
    let mut parts = id.split('.');
    let (type_, record, version) = (parts.next()?, parts.next()?, parts.next()?);
    let (noun, type_) = TARGETS.into_iter().find(|(_, name)| *name == type_)?;
    let (record, version) = (Uuid::try_parse(record).ok()?, version.parse().ok()?);
    (id_of(type_, record, version) == id).then_some((noun, record, version))
}

/// Who wrote a version as a `Provenance`; none if it is not of one of the [`TARGETS`].
pub fn write(written: &Written, here: Here<'_>) -> Option<Resource> {
    let Written {
        sequence: _,
        noun,
        resource: record,
        version,
        verb,
        at,
        actor_kind,
        actor,
        actor_name,
        practitioner,
        channel,
        patient: _,
    } = written;
    let (_, type_) = TARGETS.into_iter().find(|(it, _)| it.as_str() == noun)?;
    let mut kept = Kept::begin(TYPE, id_of(type_, *record, *version), here.meta(1, *at), None);
    kept.says("extension", Some(json!([with(CHANNEL, "valueCode", channel.as_str())])));
    let target = |name: &str| json!({ "reference": format!("{name}/{record}/_history/{version}") });
    let role = (type_ == "Practitioner").then(|| target("PractitionerRole"));
    kept.says("target", Some([target(type_)].into_iter().chain(role).collect()));
    kept.says("recorded", Some(instant::write(*at, here.zone()).into()));
    let did = if *version == 1 { CREATE } else { UPDATE };
    let own = json!({ "system": VERB, "code": verb });
    kept.says("activity", Some(json!({ "coding": [did.coding(), own] })));
    let name = actor_name.as_deref();
    let who = match (actor_kind.as_str(), *actor, *practitioner) {
        (_, _, Some(practitioner)) => shown("Practitioner", practitioner, name),
        ("device", Some(id), None) => shown("Device", id, name),
        // The box keeps no resource of other staff, nor of a program.
        (_, Some(id), None) => {
            element::of([("identifier", Some(universal(id))), ("display", name.map(Value::from))])
        }
        (kind, None, None) => json!({ "display": kind }),
    };
    let type_ = if actor_kind == "staff" { ENTERER } else { ASSEMBLER };
    let role = json!([{ "coding": [{ "system": ACTOR, "code": actor_kind }] }]);
    let agent = json!({ "type": type_.concept(), "role": role, "who": who });
    kept.says("agent", Some(json!([agent])));
    Some(kept.end())
}

#[cfg(test)]
mod tests;
