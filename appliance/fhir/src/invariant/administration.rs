//! The invariants of the types of administration: people, appointments, tasks, money and consent.

use super::{Place, rule};
use crate::structure::target::target;

pub(super) const RULES: &[Place] = &[
    (
        &["Patient.contact"],
        rule(
            "pat-1",
            "SHALL at least contain a contact's details or a reference to an organization",
            |it| it.has_any(&["name", "telecom", "address", "organization"]),
        ),
    ),
    (
        &["Organization"],
        rule(
            "org-1",
            "The organization SHALL at least have a name or an identifier, and possibly more than one",
            |it| it.has_any(&["identifier", "name"]),
        ),
    ),
    (
        &["Organization"],
        rule("org-2", "An address of an organization can never be of use 'home'", |it| {
            !it.each("address").any(|address| address.is("use", &["home"]))
        }),
    ),
    (
        &["Organization"],
        rule("org-3", "The telecom of an organization can never be of use 'home'", |it| {
            !it.each("telecom").any(|telecom| telecom.is("use", &["home"]))
        }),
    ),
    (
        &["Appointment.participant"],
        rule("app-1", "Either the type or actor on the participant SHALL be specified", |it| {
            it.has_any(&["type", "actor"])
        }),
    ),
    (
        &["Appointment"],
        rule("app-2", "Either start and end are specified, or neither", |it| {
            it.has("start") == it.has("end")
        }),
    ),
    (
        &["Appointment"],
        rule(
            "app-3",
            "Only proposed or cancelled appointments can be missing start/end dates",
            |it| {
                (it.has("start") && it.has("end"))
                    || it.is("status", &["proposed", "cancelled", "waitlist"])
            },
        ),
    ),
    (
        &["Appointment"],
        // HL7's expression asks for `no-show`, which is no status of an appointment.
        rule(
            "app-4",
            "Cancelation reason is only used for appointments that have been cancelled, or no-show",
            |it| it.lacks("cancelationReason") || it.is("status", &["noshow", "cancelled"]),
        ),
    ),
    (
        &["AppointmentResponse"],
        rule("apr-1", "Either the participantType or actor must be specified", |it| {
            it.has_any(&["participantType", "actor"])
        }),
    ),
    (
        &["AuditEvent.entity"],
        rule("sev-1", "Either a name or a query (NOT both)", |it| {
            it.lacks("name") || it.lacks("query")
        }),
    ),
    (
        &["Task"],
        rule(
            "inv-1",
            "Last modified date must be greater than or equal to authored-on date.",
            |it| it.in_order("authoredOn", "lastModified"),
        ),
    ),
    (
        &["Parameters.parameter"],
        rule("inv-1", "A parameter must have one and only one of (value, resource, part)", |it| {
            let value = usize::from(it.has_choice("value"));
            value + it.count_of(&["resource", "part"]) == 1
        }),
    ),
    (
        &["Consent"],
        rule("ppc-1", "Either a Policy or PolicyRule", |it| it.has_any(&["policy", "policyRule"])),
    ),
    (
        &["CareTeam.participant"],
        rule(
            "ctm-1",
            "CareTeam.participant.onBehalfOf can only be populated when CareTeam.participant.member \
             is a Practitioner",
            |it| {
                let member = it.child("member").and_then(|member| target(member.map, it.contained));
                it.lacks("onBehalfOf") || member.is_none_or(|member| member == "Practitioner")
            },
        ),
    ),
    (
        &["Group"],
        rule("grp-1", "Can only have members if group is \"actual\"", |it| {
            it.lacks("member") || it.is_true("actual")
        }),
    ),
    (
        &["InsurancePlan"],
        rule(
            "ipn-1",
            "The organization SHALL at least have a name or an idendtifier, and possibly more than \
             one",
            |it| it.has_any(&["identifier", "name"]),
        ),
    ),
    (
        &["CoverageEligibilityResponse.insurance.item"],
        rule("ces-1", "SHALL contain a category or a billcode but not both.", |it| {
            it.has("category") != it.has("productOrService")
        }),
    ),
    (&["Linkage"], rule("lnk-1", "Must have at least two items", |it| it.list("item").len() > 1)),
    (
        &["List"],
        rule("lst-1", "A list can only have an emptyReason if it is empty", |it| {
            it.lacks("emptyReason") || it.lacks("entry")
        }),
    ),
    (
        &["List"],
        rule(
            "lst-2",
            "The deleted flag can only be used if the mode of the list is \"changes\"",
            |it| {
                it.is("mode", &["changes"]) || it.each("entry").all(|entry| entry.lacks("deleted"))
            },
        ),
    ),
    (
        &["List"],
        rule(
            "lst-3",
            "An entry date can only be used if the mode of the list is \"working\"",
            |it| it.is("mode", &["working"]) || it.each("entry").all(|entry| entry.lacks("date")),
        ),
    ),
];
