//! The invariants of `Questionnaire` and `QuestionnaireResponse`.

use super::focus::distinct;
use super::{Focus, Place, rule};

/// The types of question that may have options.
const CHOSEN: [&str; 9] = [
    "choice",
    "open-choice",
    "decimal",
    "integer",
    "date",
    "dateTime",
    "time",
    "string",
    "quantity",
];
/// The types of question whose answer may have a greatest length.
const MEASURED: [&str; 7] =
    ["boolean", "decimal", "integer", "string", "text", "url", "open-choice"];

pub(super) const RULES: &[Place] = &[
    (
        &["Questionnaire"],
        rule(
            "que-2",
            "The link ids for groups and questions must be unique within the questionnaire",
            |it| {
                let mut ids = Vec::new();
                link_ids(it, &mut ids);
                distinct(ids.into_iter())
            },
        ),
    ),
    (
        &["Questionnaire.item"],
        rule(
            "que-1",
            "Group items must have nested items, display items cannot have nested items",
            |it| match it.text("type") {
                Some("group") => it.has("item"),
                Some("display") => it.lacks("item"),
                Some(_) | None => true,
            },
        ),
    ),
    (
        &["Questionnaire.item"],
        rule("que-3", "Display items cannot have a \"code\" asserted", |it| {
            !is_display(it) || it.lacks("code")
        }),
    ),
    (
        &["Questionnaire.item"],
        rule("que-4", "A question cannot have both answerOption and answerValueSet", |it| {
            it.lacks("answerOption") || it.lacks("answerValueSet")
        }),
    ),
    (
        &["Questionnaire.item"],
        rule("que-5", "Only 'choice' and 'open-choice' items can have answerValueSet", |it| {
            it.is("type", &CHOSEN) || !it.has_any(&["answerValueSet", "answerOption"])
        }),
    ),
    (
        &["Questionnaire.item"],
        rule("que-6", "Required and repeat aren't permitted for display items", |it| {
            !is_display(it) || !it.has_any(&["required", "repeats"])
        }),
    ),
    (
        &["Questionnaire.item"],
        rule("que-8", "Initial values can't be specified for groups or display items", |it| {
            !it.is("type", &["group", "display"]) || it.lacks("initial")
        }),
    ),
    (
        &["Questionnaire.item"],
        rule("que-9", "Read-only can't be specified for \"display\" items", |it| {
            !is_display(it) || it.lacks("readOnly")
        }),
    ),
    (
        &["Questionnaire.item"],
        rule("que-10", "Maximum length can only be declared for simple question types", |it| {
            it.is("type", &MEASURED) || it.lacks("maxLength")
        }),
    ),
    (
        &["Questionnaire.item"],
        rule(
            "que-11",
            "If one or more answerOption is present, initial[x] must be missing",
            |it| it.lacks("answerOption") || it.lacks("initial"),
        ),
    ),
    (
        &["Questionnaire.item"],
        // HL7's expression lets two pass; so do others who check by it.
        rule(
            "que-12",
            "If there are more than one enableWhen, enableBehavior must be specified",
            |it| it.list("enableWhen").len() <= 2 || it.has("enableBehavior"),
        ),
    ),
    (
        &["Questionnaire.item"],
        rule("que-13", "Can only have multiple initial values for repeating items", |it| {
            it.is_true("repeats") || it.list("initial").len() <= 1
        }),
    ),
    (
        &["Questionnaire.item.enableWhen"],
        rule("que-7", "If the operator is 'exists', the value must be a boolean", |it| {
            !it.is("operator", &["exists"]) || it.has("answerBoolean")
        }),
    ),
    (
        &["QuestionnaireResponse.item"],
        rule("qrs-1", "Nested item can't be beneath both item and answer", |it| {
            it.lacks("answer") || it.lacks("item")
        }),
    ),
];

fn is_display(it: &Focus<'_>) -> bool {
    it.is("type", &["display"])
}

fn link_ids<'a>(it: &Focus<'a>, found: &mut Vec<&'a str>) {
    for item in it.each("item") {
        found.extend(item.text("linkId"));
        link_ids(&item, found);
    }
}
