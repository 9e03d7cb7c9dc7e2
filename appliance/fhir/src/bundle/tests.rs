//! Bundles that come in and bundles that go out.

use serde_json::{Value as Json, json};

use super::*;
use crate::fixture::{ORIGIN, clinic, expressions, here, resource, time, valid};
use crate::json::Resource;
use crate::outcome::{IssueCode, Outcome};

const URN: &str = "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057";

fn bundle(kind: &str, entries: Json) -> Resource {
    resource(json!({ "resourceType": "Bundle", "type": kind, "entry": entries }))
}

fn entry(method: &str, url: &str) -> Json {
    let (type_, id) = url.split_once('/').unwrap_or((url.split('?').next().unwrap(), ""));
    let mut entry = json!({ "request": { "method": method, "url": url } });
    if method == "POST" || method == "PUT" {
        entry["resource"] = json!({ "resourceType": type_ });
        if !id.is_empty() {
            entry["resource"]["id"] = id.into();
        }
    }
    entry
}

#[track_caller]
fn refused(entries: Json) -> (Vec<String>, IssueCode) {
    let outcome = read(bundle("transaction", entries)).unwrap_err();
    let at = expressions(&outcome).into_iter().map(str::to_owned).collect();
    (at, outcome.issues[0].code)
}

#[test]
fn a_transaction_is_done_in_the_order_of_the_standard() {
    let entries = json!([
        entry("GET", "Patient?name=rao"),
        entry("PUT", "Patient/one"),
        entry("POST", "Patient"),
        entry("DELETE", "Patient/two"),
        entry("PUT", "Location?identifier=7"),
        entry("POST", "Appointment"),
        entry("DELETE", "Slot?status=free"),
    ]);
    let submission = read(bundle("transaction", entries)).unwrap();
    assert_eq!(submission.order(), [3, 6, 2, 5, 1, 4, 0]);
    let Ok(last) = &submission.entries[4] else { panic!("the entry was read") };
    let found = Target::Found { type_: "Location", query: "identifier=7".into() };
    assert_eq!(last.target(), Some(&found));
}

#[test]
fn a_transaction_is_refused_for_one_bad_entry_and_a_batch_is_not() {
    let entries = json!([
        entry("POST", "Patient"),
        entry("POST", "Patient?identifier=7"),
        entry("PUT", "Patient"),
        entry("LIST", "Patient"),
        { "request": { "method": "POST", "url": "Patient" } },
        { "resource": { "resourceType": "Patient" } },
        { "fullUrl": "urn:uuid:ABC", "request": { "method": "GET", "url": "Patient" } },
        { "resource": { "resourceType": "Wish" }, "request": { "method": "POST", "url": "Wish" } },
        entry("POST", "Appointment/$hold"),
    ]);
    let (at, _) = refused(entries.clone());
    let expected = [
        "Bundle.entry[1].request.url",
        "Bundle.entry[2].request.url",
        "Bundle.entry[3].request.method",
        "Bundle.entry[4].resource",
        "Bundle.entry[5].request",
        "Bundle.entry[6].fullUrl",
        "Bundle.entry[7].resource",
        "Bundle.entry[8].request.url",
    ];
    assert_eq!(at, expected);
    let batch = read(bundle("batch", entries)).unwrap();
    assert_eq!((batch.kind, batch.entries.len()), (Kind::Batch, 9));
    assert_eq!(batch.entries.iter().filter(|entry| entry.is_ok()).count(), 1);
    assert!(read(bundle("searchset", json!([]))).is_err());
    assert!(read(bundle("transaction", json!([]))).unwrap().entries.is_empty());
}

#[test]
fn what_is_put_is_what_the_url_says() {
    let mut put = entry("PUT", "Patient/one");
    put["resource"]["id"] = "two".into();
    assert_eq!(refused(json!([put])).1, IssueCode::Value);
    let mut put = entry("PUT", "Patient/one");
    put["resource"]["resourceType"] = "Location".into();
    assert_eq!(refused(json!([put])).1, IssueCode::Value);
}

#[test]
fn a_transaction_speaks_of_each_resource_once() {
    let (at, code) = refused(json!([
        entry("PUT", "Patient/one"),
        entry("GET", "Patient/one"),
        entry("DELETE", "Patient/one"),
    ]));
    assert_eq!((at, code), (vec!["Bundle.entry[2].request.url".into()], IssueCode::Invalid));
    let (mut first, mut second) = (entry("POST", "Patient"), entry("POST", "Patient"));
    first["fullUrl"] = URN.into();
    second["fullUrl"] = URN.into();
    assert_eq!(refused(json!([first, second])).0, ["Bundle.entry[1].fullUrl"]);
    // The same id of another type is another resource.
    let both = json!([entry("PUT", "Patient/one"), entry("PUT", "Location/one")]);
    assert!(read(bundle("transaction", both.clone())).is_ok());
    assert!(read(bundle("batch", json!([both[0], both[0]]))).is_ok());
    assert!(apart([(0, "Patient", "one"), (4, "Patient", "one")].into_iter()).is_err());
}

#[test]
fn a_bundle_has_a_bound() {
    let entries: Vec<Json> = vec![entry("GET", "Patient"); ENTRIES_MAX + 1];
    assert_eq!(refused(entries.into()).1, IssueCode::TooLong);
    let bad: Vec<Json> = vec![entry("PUT", "Patient"); ISSUES_MAX + 1];
    assert_eq!(refused(bad.into()).0.len(), ISSUES_MAX);
}

#[test]
fn entries_refer_to_one_another_before_they_have_an_id() {
    let clinic = clinic();
    let mut links = Links::default();
    links.add(URN, "Patient", "one");
    links.add("https://example.org/fhir/Location/9", "Location", "two");
    links.add("Practitioner?identifier=7", "Practitioner", "three");
    let mut appointment = resource(json!({
        "resourceType": "Appointment",
        "extension": [{"url": "urn:by", "valueReference": {"reference": URN}}],
        "participant": [
            {"actor": {"reference": URN, "display": "Asha"}},
            {"actor": {"reference": "Location/9"}},
            {"actor": {"reference": "https://example.org/fhir/Location/9"}},
            {"actor": {"reference": "Practitioner?identifier=7"}},
            {"actor": {"reference": "Device/5"}},
            {"actor": {"reference": "https://example.org/fhir/Device/5"}},
            {"actor": {"identifier": {"value": URN}}},
        ],
    }));
    let full_url = Some("https://example.org/fhir/Appointment/1");
    links.rewrite(&mut appointment, full_url, here(&clinic)).unwrap();
    let actors = appointment.get("participant").unwrap().as_array().unwrap();
    let actors: Vec<&str> =
        actors.iter().filter_map(|it| it["actor"]["reference"].as_str()).collect();
    let expected = [
        "Patient/one",
        "Location/two",
        "Location/two",
        "Practitioner/three",
        "Device/5",
        "https://example.org/fhir/Device/5",
    ];
    assert_eq!(actors, expected);
    let extension = &appointment.get("extension").unwrap()[0];
    assert_eq!(extension["valueReference"]["reference"], "Patient/one");
    assert_eq!(appointment.get("participant").unwrap()[6]["actor"]["identifier"]["value"], URN);
}

#[test]
fn a_relative_reference_is_to_this_box_unless_its_entry_comes_from_elsewhere() {
    let clinic = clinic();
    let mut links = Links::default();
    links.add("https://example.org/fhir/Patient/9", "Patient", "one");
    let mut of_ours = resource(json!({
        "resourceType": "Observation", "subject": {"reference": "Patient/9"},
    }));
    links.rewrite(&mut of_ours, Some(URN), here(&clinic)).unwrap();
    assert_eq!(of_ours.get("subject").unwrap()["reference"], "Patient/9");
}

#[test]
fn a_reference_to_nothing_is_refused() {
    let clinic = clinic();
    let mut observation = resource(json!({
        "resourceType": "Observation",
        "subject": {"reference": URN},
        "performer": [{"reference": "Practitioner?identifier=7"}],
    }));
    let given = observation.clone();
    let outcome = Links::default().rewrite(&mut observation, None, here(&clinic)).unwrap_err();
    assert_eq!(expressions(&outcome), ["Observation.subject", "Observation.performer[0]"]);
    assert_eq!(observation, given);
    let [conditional] = conditional_references(&given, here(&clinic)).try_into().unwrap();
    assert_eq!((conditional.type_, conditional.query.as_str()), ("Practitioner", "identifier=7"));
}

fn pages() -> Pages {
    Pages { this: format!("{ORIGIN}/Patient?name=rao"), next: None }
}

#[test]
fn what_was_found_comes_once_with_what_belongs_to_it() {
    let clinic = clinic();
    let one = |id: &str| resource(json!({"resourceType": "Patient", "id": id, "active": true}));
    let set = Searchset {
        total: Some(7),
        pages: Pages { next: Some(format!("{ORIGIN}/Patient?_cursor=x")), ..pages() },
        matches: vec![one("one"), one("two")],
        included: vec![one("two"), one("three"), one("three")],
        outcome: Some(Outcome::error(IssueCode::NotSupported, "colour: not looked at")),
    };
    let bundle = valid(searchset(set, here(&clinic)));
    let entries = bundle.get("entry").unwrap().as_array().unwrap();
    let shown: Vec<_> = entries
        .iter()
        .map(|it| (it["fullUrl"].as_str(), it["search"]["mode"].as_str().unwrap()))
        .collect();
    let url = |id: &str| format!("{ORIGIN}/Patient/{id}");
    let expected = [
        (Some(url("one")), "match"),
        (Some(url("two")), "match"),
        (Some(url("three")), "include"),
        (None, "outcome"),
    ];
    assert_eq!(shown, expected.each_ref().map(|(url, mode)| (url.as_deref(), *mode)));
    assert_eq!(bundle.get("link").unwrap()[1]["relation"], "next");
    let empty = Searchset {
        total: Some(0),
        pages: pages(),
        matches: Vec::new(),
        included: Vec::new(),
        outcome: None,
    };
    assert_eq!(valid(searchset(empty, here(&clinic))).get("entry"), None);
}

fn stored(version: &str) -> Stored {
    Stored { type_: "Patient", id: "one".into(), version: version.into() }
}

#[test]
fn a_history_says_what_was_done_and_when() {
    let clinic = clinic();
    let at = time("2026-11-23T04:30:00Z");
    let patient = || Some(resource(json!({"resourceType": "Patient", "id": "one"})));
    let version =
        |version, change, resource| Version { stored: stored(version), change, at, resource };
    let versions = vec![
        version("3", Change::Deleted, None),
        version("2", Change::Updated, patient()),
        version("1", Change::Created, patient()),
    ];
    let bundle = valid(history(versions, Some(3), pages(), here(&clinic)));
    let entries = bundle.get("entry").unwrap();
    assert_eq!(entries[0]["request"], json!({"method": "DELETE", "url": "Patient/one"}));
    assert_eq!(entries[0].get("resource"), None);
    let response = json!({
        "status": "200 OK", "etag": "W/\"2\"", "lastModified": "2026-11-23T10:00:00+05:30",
    });
    assert_eq!(entries[1]["response"], response);
    assert_eq!(entries[2]["request"], json!({"method": "POST", "url": "Patient"}));
}

#[test]
fn each_entry_is_answered_in_its_place() {
    let clinic = clinic();
    let at = time("2026-11-23T04:30:00Z");
    let created = Answer {
        status: 201,
        stored: Some(stored("1")),
        modified: Some(at),
        outcome: None,
        resource: Some(resource(json!({"resourceType": "Patient", "id": "one"}))),
    };
    let refused = Answer {
        status: 412,
        stored: None,
        modified: None,
        outcome: Some(Outcome::error(IssueCode::MultipleMatches, "more than one fits")),
        resource: None,
    };
    let bundle = valid(answered(Kind::Batch, vec![created, refused], here(&clinic)));
    assert_eq!(bundle.get("type").unwrap(), "batch-response");
    let entries = bundle.get("entry").unwrap();
    let location = format!("{ORIGIN}/Patient/one/_history/1");
    assert_eq!(entries[0]["response"]["location"], location);
    assert_eq!(entries[0]["response"]["status"], "201 Created");
    assert_eq!(entries[0]["fullUrl"], format!("{ORIGIN}/Patient/one"));
    assert_eq!(entries[1]["response"]["status"], "412 Precondition Failed");
    let code = &entries[1]["response"]["outcome"]["issue"][0]["code"];
    assert_eq!(code, "multiple-matches");
}
