//! The invariants of the data types.

use super::{Focus, Place, rule};

const UCUM: &str = "http://unitsofmeasure.org";

pub(super) const RULES: &[Place] = &[
    (
        &["Extension"],
        rule("ext-1", "Must have either extensions or value[x], not both", |it| {
            it.has("extension") != it.has_choice("value")
        }),
    ),
    (
        &["Quantity", "SimpleQuantity", "Age", "Count", "Distance", "Duration"],
        rule(
            "qty-3",
            "If a code for the unit is present, the system SHALL also be present",
            |it| it.lacks("code") || it.has("system"),
        ),
    ),
    (
        &["SimpleQuantity"],
        rule("sqty-1", "The comparator is not used on a SimpleQuantity", |it| {
            it.lacks("comparator")
        }),
    ),
    (
        &["Age"],
        rule(
            "age-1",
            "There SHALL be a code if there is a value and it SHALL be an expression of time. If \
             system is present, it SHALL be UCUM. If value is present, it SHALL be positive.",
            |it| in_ucum(it) && it.number("value").is_none_or(|value| value > 0.0),
        ),
    ),
    (
        &["Count"],
        rule(
            "cnt-3",
            "There SHALL be a code with a value of \"1\" if there is a value. If system is present, \
             it SHALL be UCUM. If present, the value SHALL be a whole number.",
            |it| {
                let is_whole = |value: &serde_json::Number| !value.as_str().contains('.');
                in_ucum(it)
                    && (it.lacks("code") || it.is("code", &["1"]))
                    && it.map.get("value").and_then(|it| it.as_number()).is_none_or(is_whole)
            },
        ),
    ),
    (
        &["Distance"],
        rule(
            "dis-1",
            "There SHALL be a code if there is a value and it SHALL be an expression of length. If \
             system is present, it SHALL be UCUM.",
            in_ucum,
        ),
    ),
    (
        &["Duration"],
        rule(
            "drt-1",
            "There SHALL be a code if there is a value and it SHALL be an expression of time. If \
             system is present, it SHALL be UCUM.",
            |it| it.lacks("code") || (it.is("system", &[UCUM]) && it.has("value")),
        ),
    ),
    (
        &["Attachment"],
        rule("att-1", "If the Attachment has data, it SHALL have a contentType", |it| {
            it.lacks("data") || it.has("contentType")
        }),
    ),
    (
        &["ContactPoint"],
        rule("cpt-2", "A system is required if a value is provided.", |it| {
            it.lacks("value") || it.has("system")
        }),
    ),
    (
        &["Period"],
        rule("per-1", "If present, start SHALL have a lower value than end", |it| {
            it.in_order("start", "end")
        }),
    ),
    (&["Range"], rule("rng-2", "If present, low SHALL have a lower value than high", low_to_high)),
    (
        &["Ratio"],
        rule(
            "rat-1",
            "Numerator and denominator SHALL both be present, or both are absent. If both are \
             absent, there SHALL be some extension present",
            |it| {
                it.has("numerator") == it.has("denominator")
                    && it.has_any(&["numerator", "extension"])
            },
        ),
    ),
    (
        &["Reference"],
        rule("ref-1", "SHALL have a contained resource if a local reference is provided", |it| {
            let local = it.text("reference").and_then(|reference| reference.strip_prefix('#'));
            // `#` alone is the resource that contains this one.
            local.is_none_or(|id| id.is_empty() || it.contained.has(id))
        }),
    ),
    (
        &["Expression"],
        rule("exp-1", "An expression or a reference must be provided", |it| {
            it.has_any(&["expression", "reference"])
        }),
    ),
    (
        &["DataRequirement.codeFilter"],
        rule("drq-1", "Either a path or a searchParam must be provided, but not both", |it| {
            it.has("path") != it.has("searchParam")
        }),
    ),
    (
        &["DataRequirement.dateFilter"],
        rule("drq-2", "Either a path or a searchParam must be provided, but not both", |it| {
            it.has("path") != it.has("searchParam")
        }),
    ),
    (
        &["TriggerDefinition"],
        rule("trd-1", "Either timing, or a data requirement, but not both", |it| {
            it.lacks("data") || !it.has_choice("timing")
        }),
    ),
    (
        &["TriggerDefinition"],
        rule("trd-2", "A condition only if there is a data requirement", |it| {
            it.lacks("condition") || it.has("data")
        }),
    ),
    (
        &["TriggerDefinition"],
        rule(
            "trd-3",
            "A named event requires a name, a periodic event requires timing, and a data event \
             requires data",
            |it| match it.text("type") {
                Some("named-event") => it.has("name"),
                Some("periodic") => it.has_choice("timing"),
                Some(kind) if kind.starts_with("data-") => it.has("data"),
                Some(_) | None => true,
            },
        ),
    ),
    (
        &["Timing.repeat"],
        rule("tim-1", "if there's a duration, there needs to be duration units", |it| {
            it.lacks("duration") || it.has("durationUnit")
        }),
    ),
    (
        &["Timing.repeat"],
        rule("tim-2", "if there's a period, there needs to be period units", |it| {
            it.lacks("period") || it.has("periodUnit")
        }),
    ),
    (
        &["Timing.repeat"],
        rule("tim-4", "duration SHALL be a non-negative value", |it| {
            it.number("duration").is_none_or(|it| it >= 0.0)
        }),
    ),
    (
        &["Timing.repeat"],
        rule("tim-5", "period SHALL be a non-negative value", |it| {
            it.number("period").is_none_or(|it| it >= 0.0)
        }),
    ),
    (
        &["Timing.repeat"],
        rule("tim-6", "If there's a periodMax, there must be a period", |it| {
            it.lacks("periodMax") || it.has("period")
        }),
    ),
    (
        &["Timing.repeat"],
        rule("tim-7", "If there's a durationMax, there must be a duration", |it| {
            it.lacks("durationMax") || it.has("duration")
        }),
    ),
    (
        &["Timing.repeat"],
        rule("tim-8", "If there's a countMax, there must be a count", |it| {
            it.lacks("countMax") || it.has("count")
        }),
    ),
    (
        &["Timing.repeat"],
        rule("tim-9", "If there's an offset, there must be a when (and not C, CM, CD, CV)", |it| {
            let a_meal = |when: &serde_json::Value| {
                when.as_str().is_some_and(|when| matches!(when, "C" | "CM" | "CD" | "CV"))
            };
            it.lacks("offset") || (it.has("when") && !it.list("when").iter().any(a_meal))
        }),
    ),
    (
        &["Timing.repeat"],
        rule("tim-10", "If there's a timeOfDay, there cannot be a when, or vice versa", |it| {
            it.lacks("timeOfDay") || it.lacks("when")
        }),
    ),
];

/// A value has a code, and a system is UCUM.
fn in_ucum(it: &Focus<'_>) -> bool {
    (it.has("code") || it.lacks("value")) && (it.lacks("system") || it.is("system", &[UCUM]))
}

/// Quantities in different units are not compared.
fn low_to_high(it: &Focus<'_>) -> bool {
    let (Some(low), Some(high)) = (it.child("low"), it.child("high")) else { return true };
    let alike = |name: &str| low.text(name) == high.text(name);
    let (Some(least), Some(most)) = (low.number("value"), high.number("value")) else {
        return true;
    };
    !(alike("system") && alike("code") && alike("unit")) || least <= most
}
