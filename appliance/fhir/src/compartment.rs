//! The compartment of a patient: which resources are about one.
//!
//! Source: <https://hl7.org/fhir/R4/compartmentdefinition-patient.html>. A resource is in the compartment
//! of the patient whom it is about, as the search parameters `patient` and `subject` say it. R4 has more
//! ways in: a patient who only wrote, performed or pays for what is about another is not looked for, nor
//! one who is a member of a group. Every type that is about a patient belongs to it here, the places in
//! the queue (`Task`) among them.

use crate::capability::interactions;
use crate::search::{Condition, Parameter, Query, Value, parameter};
use crate::structure;

/// The type whose compartments there are.
pub const TYPE: &str = "Patient";

/// What says when something took place, as its type calls it.
const WHEN: [&str; 8] = [
    "date",
    "onset-date",
    "effective",
    "authoredon",
    "authored",
    "authored-on",
    "sent",
    "occurrence",
];

/// The types that can be in the compartment and are served here.
pub fn each_type() -> impl Iterator<Item = &'static str> {
    structure::each_type().filter(|type_| !interactions(type_).is_empty() && way(type_).is_some())
}

/// The reference that puts a resource of a type there; none if nothing does.
pub fn way(type_: &str) -> Option<&'static Parameter> {
    let can = |it: &&Parameter| it.targets.is_empty() || it.targets.contains(&TYPE);
    ["patient", "subject"].into_iter().find_map(|name| parameter(type_, name).filter(can))
}

/// The search for what is in the compartment of this patient and fits what is asked beside; none if the
/// type is never in one.
pub fn within(mut query: Query, id: &str) -> Option<Query> {
    let any = vec![Value::Reference { type_: Some(TYPE), id: id.to_owned() }];
    query.conditions.push(Condition { parameter: way(query.type_)?, modifier: None, any });
    Some(query)
}

/// By which parameter a type is asked when it took place.
pub fn when(type_: &str) -> Option<&'static Parameter> {
    WHEN.iter().find_map(|name| parameter(type_, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_a_patient_is_in_the_compartment_and_what_is_not_is_in_none() {
        let all: Vec<&str> = each_type().collect();
        for type_ in [
            "AllergyIntolerance",
            "Appointment",
            "AppointmentResponse",
            "Condition",
            "Coverage",
            "Encounter",
            "Observation",
            "Provenance",
            "RelatedPerson",
            "Task",
        ] {
            assert!(all.contains(&type_), "{type_}");
        }
        for type_ in ["Location", "Patient", "Practitioner", "Schedule", "Slot", "Subscription"] {
            assert!(!all.contains(&type_), "{type_}");
            assert!(within(Query::of("Location", Vec::new()), "one").is_none());
        }
    }
}
