//! Two clinics on one hub: whatever the programs of one ask, they neither read nor change what is the
//! other's.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::Place;
use super::asking::{ask, get, new_token};
use super::device::Device;

/// What is in every record of the other clinic and in none of ours.
const SECRET: &str = "Zarathustra";

fn write_all(device: &mut Device, name: &str) {
    for nth in 0..4 {
        device.write_patient(&format!("p{nth}"), name);
        let reason = json!([{ "text": name }]);
        let appointment = json!({
            "resourceType": "Appointment", "id": format!("a{nth}"), "status": "booked",
            "start": "2026-11-23T10:00:00Z", "end": "2026-11-23T10:15:00Z", "reasonCode": reason,
            "participant": [{ "actor": { "reference": format!("Patient/p{nth}") }, "status": "accepted" }],
        });
        device.write(&format!("Appointment/a{nth}"), &appointment.to_string());
    }
}

/// Parts of requests that a curious program would try.
fn a_request(ours: Uuid, theirs: Uuid) -> impl Strategy<Value = (Method, String, String)> {
    let of = move |words: Vec<&str>| {
        let filled = words.into_iter();
        let filled = filled.map(move |it| it.replace("{ours}", &ours.to_string()));
        let filled = filled.map(move |it| it.replace("{theirs}", &theirs.to_string()));
        prop::sample::select(filled.collect::<Vec<String>>())
    };
    let method = prop::sample::select(vec![
        Method::GET,
        Method::GET,
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
    ]);
    let clinic =
        of(vec!["{ours}", "{theirs}", "{ours}/../{theirs}", "{ours}%2F..%2F{theirs}", "*", ""]);
    let place = of(vec![
        "Patient",
        "Patient/p1",
        "Patient/_search",
        "Appointment",
        "Appointment/a1",
        "Appointment/$find",
        "Appointment/$book",
        "Appointment/$cancel",
        "metadata",
        "Organization",
        "Patient/..%2F..%2F{theirs}%2FPatient%2Fp1",
        "$export",
        "",
        "_history",
        "Patient/p1/_history",
    ]);
    let said = prop::collection::vec(
        of(vec![
            "name=Zarathustra",
            "name=Zar",
            "_id=p1",
            "_has:Appointment:patient:_id=a1",
            "patient.name=Zara",
            "_include=*",
            "_revinclude=Appointment:patient",
            "patient={theirs}/p1",
            "_count=1",
            "_total=accurate",
            "patient=http://localhost/fhir/{theirs}/Patient/p1",
            "_cursor=e30",
            "clinic={theirs}",
            "_summary=count",
            "reason-code:text=Zarathustra",
            "_sort=name",
        ]),
        0..4,
    );
    (method, clinic, place, said).prop_map(|(method, clinic, place, said)| {
        (method, format!("/fhir/{clinic}/{place}?{}", said.join("&")), said.join("&"))
    })
}

#[test]
fn whatever_is_asked_with_a_token_of_one_clinic_nothing_of_the_other_is_told_or_changed() {
    let runtime = Runtime::new().unwrap();
    let place = Place::new();
    let (ours, theirs) = runtime.block_on(async {
        let (mut ours, mut theirs) = (place.join("Shanti").await, place.join("Asha").await);
        write_all(&mut ours, "Meena");
        write_all(&mut theirs, SECRET);
        ours.sync(&place.hub).await;
        theirs.sync(&place.hub).await;
        (ours, theirs)
    });
    let all = "system/*.cruds";
    let token = new_token(&place, ours.clinic, all, None);
    let of_theirs = new_token(&place, theirs.clinic, all, None);
    let (ours, theirs) = (Uuid::from_bytes(ours.clinic), Uuid::from_bytes(theirs.clinic));
    let held = || {
        let path = format!("/fhir/{theirs}/Patient?_revinclude=Appointment:patient");
        runtime.block_on(get(&place.hub, &of_theirs, &path)).body.to_string()
    };
    let before = held();
    assert!(before.matches(SECRET).count() >= 8);
    // A link to a page of theirs is no way in either.
    let path = format!("/fhir/{theirs}/Patient?_count=1");
    let page = runtime.block_on(get(&place.hub, &of_theirs, &path)).body;
    let cursor =
        page["link"][1]["url"].as_str().unwrap().split("_cursor=").nth(1).unwrap().to_owned();
    let path = format!("/fhir/{ours}/Patient?_cursor={cursor}");
    assert_eq!(runtime.block_on(get(&place.hub, &token, &path)).status, 400);

    let cases = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) };
    proptest!(cases, |((method, path, form) in a_request(ours, theirs))| {
        let request = Request::builder()
            .method(method)
            .uri(&path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .unwrap();
        let heard = runtime.block_on(ask(&place.hub, request));
        let said = heard.body.to_string();
        // What was asked for is said again in links.
        let links = heard.body["link"].to_string();
        let found = said.replace(&links, "");
        prop_assert!(!found.contains(SECRET), "{path}");
        // What only the box knows cannot be answered while it is away.
        let is_away = heard.status == StatusCode::SERVICE_UNAVAILABLE;
        prop_assert!(heard.status.as_u16() < 500 || is_away, "{path}: {}", heard.status);
    });
    assert_eq!(held(), before);
}
