//! Operations: what can be asked beyond reading, writing and searching
//! (<https://hl7.org/fhir/R4/operations.html>), and what is said in asking ([`Input`]).

mod input;
#[cfg(test)]
mod tests;

pub use input::{Input, Pointer};

use crate::capability::Interaction;

/// An operation that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Times at which somebody could come (IHE ITI-115).
    Find,
    /// Holds one of them (IHE ITI-116).
    Hold,
    /// Books one of them, or what was held (IHE ITI-117).
    Book,
    /// Calls off what was held or booked.
    Cancel,
    /// Patients who may be the one that is described, each with how likely it is.
    Match,
    /// Everything of one patient.
    Everything,
    /// What is wrong with a resource.
    Validate,
}

/// How an operation is offered.
struct Offer {
    name: &'static str,
    definition: &'static str,
    /// The type that it is asked of; none if of any.
    on: Option<&'static str>,
    /// Whether it is asked of the type, and of one resource of it.
    at: (bool, bool),
    /// Whether it writes, so that it is asked by POST only.
    writes: bool,
    /// The names of what it is told.
    takes: &'static [&'static str],
    /// What is to be known beside the definition.
    note: Option<&'static str>,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 7] = [
        Self::Find,
        Self::Hold,
        Self::Book,
        Self::Cancel,
        Self::Match,
        Self::Everything,
        Self::Validate,
    ];

    /// The operation of this name, asked of a type or of one resource of it.
    pub fn of(type_: &str, name: &str, is_of_one: bool) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| {
            let Offer { name: own, on, at: (of_type, of_one), .. } = operation.offer();
            own == name
                && on.is_none_or(|on| on == type_)
                && if is_of_one { of_one } else { of_type }
        })
    }

    /// Its name without the `$`.
    pub fn name(self) -> &'static str {
        self.offer().name
    }

    /// The address of its definition.
    pub fn definition(self) -> &'static str {
        self.offer().definition
    }

    /// Whether it is asked of a type, or of one resource of it.
    pub fn is_on(self, type_: &str) -> bool {
        self.offer().on.is_none_or(|on| on == type_)
    }

    /// Whether it writes.
    pub fn writes(self) -> bool {
        self.offer().writes
    }

    /// The names of what it is told.
    pub fn takes(self) -> &'static [&'static str] {
        self.offer().takes
    }

    /// What it does with resources of which type: whoever may not do this does not get it either.
    pub fn does(self, type_: &'static str) -> Vec<(&'static str, Interaction)> {
        match self {
            Self::Find => vec![("Appointment", Interaction::SearchType)],
            Self::Hold => vec![("Appointment", Interaction::Create)],
            Self::Book => {
                vec![("Appointment", Interaction::Create), ("Appointment", Interaction::Update)]
            }
            Self::Cancel => vec![("Appointment", Interaction::Update)],
            Self::Match => vec![("Patient", Interaction::SearchType)],
            // What else comes out of it is looked at type by type.
            Self::Everything => vec![("Patient", Interaction::Read)],
            Self::Validate => vec![(type_, Interaction::Read)],
        }
    }

    /// What is to be known of it beside its definition.
    pub fn note(self) -> Option<&'static str> {
        self.offer().note
    }

    fn offer(self) -> Offer {
        match self {
            Self::Find => Offer {
                name: "find",
                definition: "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-find",
                on: Some("Appointment"),
                at: (true, false),
                writes: false,
                takes: &[
                    "start",
                    "end",
                    "specialty",
                    "visit-type",
                    "practitioner",
                    "organization",
                    "location-string",
                    "location-reference",
                    "patient-reference",
                    "patient-resource",
                    "reason",
                    "referral-identifier",
                    "timing",
                    "insurance-reference",
                    "_count",
                    "_cursor",
                ],
                note: Some(
                    "Not looked at: patient-resource, reason, referral-identifier, timing, insurance-reference. \
                     Without start from now, without end a fortnight, at most 62 days. A proposal is computed: \
                     it can be held and booked, not read.",
                ),
            },
            Self::Hold => Offer {
                name: "hold",
                definition: "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-hold",
                on: Some("Appointment"),
                at: (true, false),
                writes: true,
                takes: &["appointment-reference", "resource", "patient-reference", "minutes"],
                note: Some(
                    "A hold says until when it lasts, in the extension hold-until. appointment-reference is a \
                     proposal of $find; or resource is a whole Appointment. patient-reference names the \
                     patient if $find did not, minutes how long, 10 if it is not said, at most 60.",
                ),
            },
            Self::Book => Offer {
                name: "book",
                definition: "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-book",
                on: Some("Appointment"),
                at: (true, false),
                writes: true,
                takes: &["appointment-reference", "resource", "patient-reference"],
                note: Some(
                    "appointment-reference is a proposal of $find, or what was held or waits; or resource is a \
                     whole Appointment, which with the id of one that stands moves or cancels it. \
                     patient-reference names the patient if $find did not.",
                ),
            },
            Self::Cancel => Offer {
                name: "cancel",
                definition: "https://carepost.health/fhir/OperationDefinition/appointment-cancel",
                on: Some("Appointment"),
                at: (true, true),
                writes: true,
                takes: &["appointment-reference", "reason"],
                note: Some(
                    "appointment-reference names the appointment where the address does not, reason says why.",
                ),
            },
            Self::Match => Offer {
                name: "match",
                definition: "http://hl7.org/fhir/OperationDefinition/Patient-match",
                on: Some("Patient"),
                at: (true, false),
                writes: false,
                takes: &["resource", "onlyCertainMatches", "count"],
                note: None,
            },
            Self::Everything => Offer {
                name: "everything",
                definition: "http://hl7.org/fhir/OperationDefinition/Patient-everything",
                on: Some("Patient"),
                at: (false, true),
                writes: false,
                takes: &["start", "end", "_since", "_type", "_count", "_cursor"],
                note: Some(
                    "Of one patient, page by page: what is about the patient, as patient or subject. What that \
                     refers to is left to be read, and the lines of the audit are asked of AuditEvent.",
                ),
            },
            Self::Validate => Offer {
                name: "validate",
                definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate",
                on: None,
                at: (true, true),
                writes: false,
                takes: &["resource", "mode", "profile"],
                note: Some("Against R4 itself; profiles are not looked at."),
            },
        }
    }
}
