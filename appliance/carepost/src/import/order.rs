//! The order in which types are written: each after those that it mostly refers to.

/// The ranks, each of which is written after the ones before.
pub const RANKS: u8 = 10;

/// The rank of a type.
pub fn rank(kind: &str) -> u8 {
    match kind {
        "Organization" => 0,
        "Location" => 1,
        "Practitioner" => 2,
        "HealthcareService" => 3,
        "PractitionerRole" => 4,
        "Patient" => 5,
        "Schedule" => 6,
        "Appointment" => 7,
        "RelatedPerson" | "Person" | "Group" | "Device" | "Endpoint" | "Coverage"
        | "EpisodeOfCare" | "Encounter" | "Medication" | "Substance" | "Specimen"
        | "Questionnaire" | "PlanDefinition" | "ActivityDefinition" | "Condition" => 8,
        _ => 9,
    }
}

/// Whether new resources of a type become records of the clinic, which get their ids here.
pub fn is_record(kind: &str) -> bool {
    matches!(
        kind,
        "Location"
            | "Practitioner"
            | "HealthcareService"
            | "PractitionerRole"
            | "Patient"
            | "Schedule"
            | "Appointment"
    )
}
