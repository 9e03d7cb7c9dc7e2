//! What a search asks for.

use proptest::prelude::*;

use super::*;
use crate::fixture::{ORIGIN, clinic, here};
use crate::outcome::{IssueCode, Outcome};
use crate::structure;

fn read(type_: &str, query: &str, strict: bool) -> Result<Query, Outcome> {
    parse(type_, &pairs(query).unwrap(), strict, here(&clinic()))
}

#[track_caller]
fn asked(type_: &str, query: &str) -> Query {
    read(type_, query, false).unwrap()
}

/// The values of the only condition.
#[track_caller]
fn values(type_: &str, query: &str) -> Vec<Value> {
    let [condition] = asked(type_, query).conditions.try_into().unwrap();
    condition.any
}

#[track_caller]
fn value(type_: &str, query: &str) -> Value {
    let [value] = values(type_, query).try_into().unwrap();
    value
}

#[track_caller]
fn refused(type_: &str, query: &str) -> IssueCode {
    read(type_, query, false).unwrap_err().issues[0].code
}

fn token(system: Option<Option<&str>>, code: Option<&str>) -> Value {
    let system = system.map(|system| system.map(str::to_owned));
    Value::Token { system, code: code.map(str::to_owned) }
}

#[test]
fn every_line_of_the_tables_is_read() {
    for type_ in structure::each_type() {
        let all = parameters(type_);
        assert!(all.iter().any(|it| it.name == ID), "{type_}");
        for it in all {
            assert!(!it.places.is_empty(), "{type_} {}", it.name);
            assert!(it.targets.iter().all(|target| structure::is_type(target)), "{}", it.name);
            let has_targets = !it.targets.is_empty();
            assert!(!has_targets || it.kind == ParamKind::Reference, "{type_} {}", it.name);
        }
    }
    let phone = parameter("Patient", "phone").unwrap();
    assert_eq!((phone.kind, phone.targets.len()), (ParamKind::Token, 0));
    assert_eq!(parameter("Appointment", "patient").unwrap().targets, ["Patient"]);
    assert!(parameter("Task", "focus").unwrap().targets.is_empty());
    assert!(parameters("Nothing").is_empty());
}

#[test]
fn a_token_is_a_code_with_or_without_its_system() {
    let ask = |text: &str| value("Patient", &format!("identifier={text}"));
    assert_eq!(ask("7"), token(None, Some("7")));
    assert_eq!(ask("urn:abha|7"), token(Some(Some("urn:abha")), Some("7")));
    assert_eq!(ask("|7"), token(Some(None), Some("7")));
    assert_eq!(ask("urn:abha|"), token(Some(Some("urn:abha")), None));
    assert_eq!(refused("Patient", "identifier=|"), IssueCode::Value);
    // A code that has no system of its own is found with its system before it, too.
    let status = value("Appointment", "status=http://hl7.org/fhir/appointmentstatus|booked");
    assert_eq!(status, token(None, Some("booked")));
    assert_eq!(value("Patient", "active=true"), token(None, Some("true")));
}

#[test]
fn commas_part_values_and_an_escaped_one_is_a_letter() {
    let codes = values("Appointment", "status=booked,arrived,");
    assert_eq!(codes, [token(None, Some("booked")), token(None, Some("arrived"))]);
    let signs = values("Patient", r"identifier=a\|b|c\,d\\,e\$");
    assert_eq!(signs, [token(Some(Some("a|b")), Some(r"c,d\")), token(None, Some("e$"))]);
    let twice = asked("Patient", "name=asha&name=rao").conditions;
    assert_eq!(twice.len(), 2, "a repeated parameter is a further condition");
}

#[test]
fn a_reference_is_an_id_a_type_and_id_or_an_address() {
    let ask = |text: &str| value("Appointment", &format!("actor={text}"));
    let one = |type_| Value::Reference { type_, id: "one".into() };
    assert_eq!(ask("one"), one(None));
    assert_eq!(ask("Patient/one"), one(Some("Patient")));
    assert_eq!(ask("Patient/one/_history/3"), one(Some("Patient")));
    assert_eq!(ask(&format!("{ORIGIN}/Patient/one")), one(Some("Patient")));
    let elsewhere = "https://example.org/fhir/Patient/one";
    assert_eq!(ask(elsewhere), Value::Url(elsewhere.into()));
    assert_eq!(value("Appointment", "patient=one"), one(Some("Patient")));
    assert_eq!(value("Appointment", "actor:Location=one"), one(Some("Location")));
    assert_eq!(refused("Appointment", "actor:Location=Patient/one"), IssueCode::Value);
    assert_eq!(refused("Appointment", "actor:Medication=one"), IssueCode::NotSupported);
    assert_eq!(refused("Appointment", "actor=%23contained"), IssueCode::Value);
    let by_number = value("Appointment", "patient:identifier=urn:abha|7");
    assert_eq!(by_number, token(Some(Some("urn:abha")), Some("7")));
}

#[test]
fn a_date_reaches_as_far_as_its_precision_on_the_clocks_of_the_clinic() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let ask = |text: &str| value("Appointment", &format!("date={text}"));
    let date =
        |prefix, from: &str, to: &str| Value::Date { prefix, from_ms: at(from), to_ms: at(to) };
    let day = date(Prefix::Eq, "2026-11-23T00:00:00+05:30", "2026-11-24T00:00:00+05:30");
    assert_eq!(ask("2026-11-23"), day);
    let since = date(Prefix::Ge, "2026-11-01T00:00:00+05:30", "2026-12-01T00:00:00+05:30");
    assert_eq!(ask("ge2026-11"), since);
    let minute = date(Prefix::Lt, "2026-11-23T10:00:00Z", "2026-11-23T10:01:00Z");
    assert_eq!(ask("lt2026-11-23T10:00Z"), minute);
    let second = date(Prefix::Sa, "2026-11-23T10:00:00+05:30", "2026-11-23T10:00:01+05:30");
    assert_eq!(ask("sa2026-11-23T10:00:00+05:30"), second, "a + that was not encoded");
    assert_eq!(ask("sa2026-11-23T10:00:00%2B05:30"), second);
    let about = date(Prefix::Ap, "2026-11-22T00:00:00+05:30", "2026-11-25T00:00:00+05:30");
    assert_eq!(ask("ap2026-11-23"), about);
    for wrong in ["tomorrow", "2026-13-01", "ge", "xx2026", "23.11.2026"] {
        assert_eq!(refused("Appointment", &format!("date={wrong}")), IssueCode::Value, "{wrong}");
    }
}

#[test]
fn modifiers_are_answered_where_they_are_defined_and_refused_elsewhere() {
    let text = |how, text: &str| Value::Text { how, text: text.into() };
    assert_eq!(value("Patient", "name=+Asha+Rao+"), text(How::Starts, "Asha Rao"));
    assert_eq!(value("Patient", "name:exact=Asha"), text(How::Exact, "Asha"));
    assert_eq!(value("Patient", "name:contains=sh"), text(How::Contains, "sh"));
    assert_eq!(value("Patient", "phonetic=usha"), text(How::Sounds, "usha"));
    assert_eq!(value("Observation", "code:text=heart"), text(How::Starts, "heart"));
    assert_eq!(value("Patient", "birthdate:missing=true"), Value::Flag(true));
    let [not] = asked("Task", "status:not=completed").conditions.try_into().unwrap();
    assert_eq!(not.modifier, Some(Modifier::Not));
    for wrong in [
        "birthdate:exact=1984",
        "identifier:contains=7",
        "active:text=true",
        "name:below=a",
        "name:missing:exact=a",
        "general-practitioner:Patient=one",
    ] {
        assert_eq!(refused("Patient", wrong), IssueCode::NotSupported, "{wrong}");
    }
    assert_eq!(refused("Patient", "name:missing=perhaps"), IssueCode::Value);
}

#[test]
fn numbers_and_uris_stay_as_they_are_written() {
    let number = |prefix, decimal: &str| Value::Number { prefix, decimal: decimal.into() };
    assert_eq!(value("RiskAssessment", "probability=gt0.80"), number(Prefix::Gt, "0.80"));
    assert_eq!(value("RiskAssessment", "probability=1e2"), number(Prefix::Eq, "1e2"));
    for wrong in ["high", "1.", ".5", "1e", "01", "1e9999", "--1"] {
        let query = format!("probability={wrong}");
        assert_eq!(refused("RiskAssessment", &query), IssueCode::Value, "{wrong}");
    }
    let url = "https://example.org/Questionnaire/one";
    assert_eq!(value("Questionnaire", &format!("url={url}")), Value::Uri(url.into()));
}

#[test]
fn a_chain_asks_of_what_a_resource_points_to() {
    let [chain] = asked("Appointment", "patient.name:exact=Asha").chained.try_into().unwrap();
    let [(type_, condition)] = chain.any.as_slice() else { panic!("one type") };
    assert_eq!((chain.by.name, *type_), ("patient", "Patient"));
    assert_eq!((condition.parameter.name, condition.modifier), ("name", Some(Modifier::Exact)));
    // Without a type all that know the parameter are asked.
    let [chain] = asked("Appointment", "actor.family=rao").chained.try_into().unwrap();
    let types: Vec<&str> = chain.any.iter().map(|(type_, _)| *type_).collect();
    assert_eq!(types, ["Patient", "Practitioner"]);
    let [chain] = asked("Task", "focus:Appointment.status=booked").chained.try_into().unwrap();
    assert_eq!(chain.any[0].0, "Appointment");
    assert_eq!(refused("Task", "focus.status=booked"), IssueCode::NotSupported);
    assert_eq!(refused("Encounter", "appointment.patient.name=a"), IssueCode::NotSupported);
    assert_eq!(asked("Appointment", "patient.colour=red").ignored, ["patient.colour"]);
}

#[test]
fn a_reversed_chain_asks_of_what_points_to_a_resource() {
    let query = "_has:Observation:patient:code=http://loinc.org|8867-4";
    let [reversed] = asked("Patient", query).reversed.try_into().unwrap();
    assert_eq!((reversed.type_, reversed.by.name), ("Observation", "patient"));
    assert_eq!(reversed.condition.any, [token(Some(Some("http://loinc.org")), Some("8867-4"))]);
    let ignored = asked("Location", "_has:Observation:patient:code=x").ignored;
    assert_eq!(ignored, ["_has:Observation:patient:code"], "it never points to a location");
    assert_eq!(refused("Patient", "_has:Observation=x"), IssueCode::Invalid);
}

#[test]
fn what_shapes_the_answer_is_no_condition() {
    let query = asked(
        "Appointment",
        "_sort=date,-_lastUpdated&_count=5000&_total=accurate&_summary=count&_cursor=abc\
         &_elements=status,Appointment.start,colour&_format=json&_include=Appointment:patient\
         &_include=Appointment:actor:Practitioner&_revinclude:iterate=Encounter:appointment",
    );
    assert!(query.conditions.is_empty());
    let sort: Vec<_> = query.sort.iter().map(|it| (it.parameter.name, it.descending)).collect();
    assert_eq!(sort, [("date", false), ("_lastUpdated", true)]);
    assert_eq!((query.count, query.total), (Some(COUNT_MAX), Some(Total::Accurate)));
    assert_eq!((query.summary, query.cursor.as_deref()), (Summary::Count, Some("abc")));
    assert_eq!(query.elements, ["status", "start"]);
    assert_eq!(query.ignored, ["_elements"]);
    let includes: Vec<_> =
        query.includes.iter().map(|it| (it.source, it.by.name, it.target, it.iterate)).collect();
    let expected = [
        ("Appointment", "patient", None, false),
        ("Appointment", "actor", Some("Practitioner"), false),
    ];
    assert_eq!(includes, expected);
    assert_eq!(query.revincludes[0].by.name, "appointment");
    assert!(query.revincludes[0].iterate);
    assert_eq!(asked("Slot", "_include=*").includes.len(), 1);
    for wrong in ["_count=many", "_count=1&_count=2", "_total=all", "_summary=short", "_cursor="] {
        assert_eq!(refused("Slot", wrong), IssueCode::Value, "{wrong}");
    }
    assert_eq!(refused("Slot", "_summary=true&_elements=status"), IssueCode::Invalid);
}

#[test]
fn an_unknown_parameter_is_named_or_refused_when_the_client_wants_to_know() {
    let query = asked("Patient", "colour=red&colour=blue&name=&name=asha");
    assert_eq!(query.ignored, ["colour", "name"]);
    assert_eq!(query.conditions.len(), 1);
    let outcome = read("Patient", "colour=red", true).unwrap_err();
    assert_eq!(outcome.issues[0].code, IssueCode::NotSupported);
    // What came in is not repeated unless it can only be the name of a parameter.
    assert_eq!(asked("Patient", "Asha+Rao=1").ignored, ["?"]);
    assert!(!outcome.to_string().contains("red"));
}

#[test]
fn a_search_has_bounds() {
    let many = |count: usize, one: &str, sign: &str| vec![one; count].join(sign);
    let ask = |query: &str| refused("Appointment", query);
    assert_eq!(ask(&many(CONDITIONS_MAX + 1, "status=booked", "&")), IssueCode::TooCostly);
    assert_eq!(asked("Appointment", &many(32, "status=booked", "&")).conditions.len(), 32);
    let codes = many(VALUES_MAX + 1, "a", ",");
    assert_eq!(ask(&format!("status={codes}")), IssueCode::TooCostly);
    let long = "a".repeat(VALUE_BYTES_MAX + 1);
    assert_eq!(ask(&format!("status={long}")), IssueCode::TooLong);
    let includes = many(INCLUDES_MAX + 1, "_include=Appointment:actor", "&");
    assert_eq!(ask(&includes), IssueCode::TooCostly);
    assert_eq!(pairs(&many(PAIRS_MAX + 1, "a=b", "&")).unwrap_err().issues.len(), 1);
    assert_eq!(pairs("a=%FF").unwrap_err().issues[0].code, IssueCode::Invalid);
}

#[test]
fn one_resource_is_meant_by_conditions_and_nothing_else() {
    let clinic = clinic();
    let one = |query: &str| criteria("Patient", query, here(&clinic)).map(|it| it.conditions.len());
    assert_eq!(one("identifier=urn:abha%7C7&birthdate=1984").unwrap(), 2);
    for wrong in ["", "identifier=", "identifier=7&colour=red", "identifier=7&_count=1"] {
        assert!(one(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn whatever_is_asked_is_read_or_refused(
        name in r"(identifier|date|actor|patient|status|_has|_sort|_include)?[a-zA-Z:._*-]{0,20}",
        value in r".{0,40}|[a-z0-9:,|$\\/.+-]{0,40}",
    ) {
        for type_ in ["Appointment", "Patient"] {
            let pairs = [(name.clone(), value.clone())];
            if let Err(outcome) = parse(type_, &pairs, false, here(&clinic())) {
                prop_assert!(!outcome.issues.is_empty());
            }
            let _ = super::pairs(&format!("{name}={value}"));
        }
        let parts = escape::split(&value, ',');
        prop_assert_eq!(parts.join(","), value);
    }
}
