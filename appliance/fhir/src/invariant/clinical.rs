//! The invariants of the clinical types: findings, conditions, medication and plans.

use std::collections::HashSet;

use serde_json::Value;

use super::{Focus, Place, rule};

const VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification";
const CONDITION_VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
const CONDITION_STATUS: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
const UCUM: &str = "http://unitsofmeasure.org";

pub(super) const RULES: &[Place] = &[
    (
        &["AllergyIntolerance"],
        rule(
            "ait-1",
            "AllergyIntolerance.clinicalStatus SHALL be present if verificationStatus is not \
             entered-in-error.",
            |it| is_void(it, VERIFICATION) || it.has("clinicalStatus"),
        ),
    ),
    (
        &["AllergyIntolerance"],
        rule(
            "ait-2",
            "AllergyIntolerance.clinicalStatus SHALL NOT be present if verification Status is \
             entered-in-error",
            |it| !is_void(it, VERIFICATION) || it.lacks("clinicalStatus"),
        ),
    ),
    (
        &["Condition"],
        rule(
            "con-4",
            "If condition is abated, then clinicalStatus must be either inactive, resolved, or \
             remission",
            |it| {
                let over = ["resolved", "remission", "inactive"];
                !it.has_choice("abatement")
                    || it.is_coded("clinicalStatus", CONDITION_STATUS, &over)
            },
        ),
    ),
    (
        &["Condition"],
        rule(
            "con-5",
            "Condition.clinicalStatus SHALL NOT be present if verification Status is \
             entered-in-error",
            |it| !is_void(it, CONDITION_VERIFICATION) || it.lacks("clinicalStatus"),
        ),
    ),
    (
        &["Condition.stage"],
        rule("con-1", "Stage SHALL have summary or assessment", |it| {
            it.has_any(&["summary", "assessment"])
        }),
    ),
    (
        &["Condition.evidence"],
        rule("con-2", "evidence SHALL have code or details", |it| it.has_any(&["code", "detail"])),
    ),
    (
        &["Observation"],
        rule(
            "obs-6",
            "dataAbsentReason SHALL only be present if Observation.value[x] is not present",
            |it| it.lacks("dataAbsentReason") || !it.has_choice("value"),
        ),
    ),
    (
        &["Observation"],
        rule(
            "obs-7",
            "If Observation.code is the same as an Observation.component.code then the value element \
             associated with the code SHALL NOT be present",
            |it| !it.has_choice("value") || !has_component_of_its_code(it),
        ),
    ),
    (
        &["Observation.referenceRange"],
        rule("obs-3", "Must have at least a low or a high or text", |it| {
            it.has_any(&["low", "high", "text"])
        }),
    ),
    (
        &["Immunization.education"],
        rule("imm-1", "One of documentType or reference SHALL be present", |it| {
            it.has_any(&["documentType", "reference"])
        }),
    ),
    (
        &["ImmunizationRecommendation.recommendation"],
        rule("imr-1", "One of vaccineCode or targetDisease SHALL be present", |it| {
            it.has_any(&["vaccineCode", "targetDisease"])
        }),
    ),
    (
        &["ServiceRequest"],
        rule("prr-1", "orderDetail SHALL only be present if code is present", |it| {
            it.lacks("orderDetail") || it.has("code")
        }),
    ),
    (
        &["CarePlan.activity"],
        rule("cpl-3", "Provide a reference or detail, not both", |it| {
            it.lacks("detail") || it.lacks("reference")
        }),
    ),
    (
        &["RequestGroup.action"],
        rule("rqg-1", "Must have resource or action but not both", |it| {
            it.has("resource") != it.has("action")
        }),
    ),
    (
        &["Goal.target"],
        rule("gol-1", "Goal.target.measure is required if Goal.target.detail is populated", |it| {
            !it.has_choice("detail") || it.has("measure")
        }),
    ),
    (
        &["FamilyMemberHistory"],
        rule("fhs-1", "Can have age[x] or born[x], but not both", |it| {
            !(it.has_choice("age") && it.has_choice("born"))
        }),
    ),
    (
        &["FamilyMemberHistory"],
        rule("fhs-2", "Can only have estimatedAge if age[x] is present", |it| {
            it.lacks("estimatedAge") || it.has_choice("age")
        }),
    ),
    (
        &["MedicationAdministration.dosage"],
        rule("mad-1", "SHALL have at least one of dosage.dose or dosage.rate[x]", |it| {
            it.has("dose") || it.has_choice("rate")
        }),
    ),
    (
        &["MedicationDispense"],
        rule("mdd-1", "whenHandedOver cannot be before whenPrepared", |it| {
            it.in_order("whenPrepared", "whenHandedOver")
        }),
    ),
    (
        &["Composition.section"],
        rule(
            "cmp-1",
            "A section must contain at least one of text, entries, or sub-sections",
            |it| it.has_any(&["text", "entry", "section"]),
        ),
    ),
    (
        &["Composition.section"],
        rule("cmp-2", "A section can only have an emptyReason if it is empty", |it| {
            it.lacks("emptyReason") || it.lacks("entry")
        }),
    ),
    (
        &["RiskAssessment.prediction"],
        rule("ras-2", "Must be <= 100", |it| {
            it.number("probabilityDecimal").is_none_or(|it| it <= 100.0)
        }),
    ),
    (
        &["RiskAssessment.prediction"],
        rule("ras-1", "low and high must be percentages, if present", |it| {
            let Some(range) = it.child("probabilityRange") else { return true };
            let is_percentage = |it: Focus<'_>| it.is("code", &["%"]) && it.is("system", &[UCUM]);
            range.child("low").is_none_or(is_percentage)
                && range.child("high").is_none_or(is_percentage)
        }),
    ),
    (
        &["MolecularSequence"],
        rule("msq-3", "Only 0 and 1 are valid for coordinateSystem", |it| {
            it.number("coordinateSystem").is_none_or(|it| it == 0.0 || it == 1.0)
        }),
    ),
    (
        &["MolecularSequence.referenceSeq"],
        rule(
            "msq-5",
            "GenomeBuild and chromosome must be both contained if either one of them is contained",
            |it| it.has("chromosome") == it.has("genomeBuild"),
        ),
    ),
    (
        &["MolecularSequence.referenceSeq"],
        rule(
            "msq-6",
            "Have and only have one of the following elements in referenceSeq: 1. genomeBuild; 2. \
             referenceSeqId; 3. referenceSeqPointer; 4. referenceSeqString",
            |it| {
                let all =
                    ["genomeBuild", "referenceSeqId", "referenceSeqPointer", "referenceSeqString"];
                it.count_of(&all) == 1
            },
        ),
    ),
];

/// Whether the record was entered in error.
fn is_void(it: &Focus<'_>, system: &str) -> bool {
    it.is_coded("verificationStatus", system, &["entered-in-error"])
}

fn has_component_of_its_code(it: &Focus<'_>) -> bool {
    let Some(code) = it.child("code") else { return false };
    let own: HashSet<&Value> = code.list("coding").iter().collect();
    let codes = it.each("component").filter_map(|component| component.child("code"));
    let mut codings = codes.flat_map(|code| code.list("coding"));
    codings.any(|coding| own.contains(coding))
}
