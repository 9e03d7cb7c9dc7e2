//! Everything of a patient, and what is in a patient's compartment.

use axum::http::StatusCode;
use prm::stamp::Role;
use serde_json::{Value, json};

use super::appointments::appointment;
use super::{Door, address, patient, reference, text};

fn observation(of: &Value, day: &str) -> Value {
    json!({ "resourceType": "Observation", "status": "final", "code": { "text": "Pulse" },
        "subject": reference(of), "effectiveDateTime": day })
}

/// A clinic with two patients of whom something is known; the addresses of what is the first one's.
async fn known() -> (Door, Value, Vec<String>) {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let ravi = door.create(patient("Ravi Das")).await;
    let mut own = vec![address(&asha)];
    for at in ["09:15", "10:15"] {
        own.push(address(&door.create(appointment(&asha, &rao, at)).await));
    }
    for day in ["2026-01-01", "2026-06-01", "2026-11-01"] {
        own.push(address(&door.create(observation(&asha, day)).await));
    }
    let allergy = json!({ "resourceType": "Flag", "status": "active", "subject": reference(&asha), "code": { "text": "Nuts" } });
    own.push(address(&door.create(allergy).await));
    let task = json!({ "resourceType": "Task", "status": "requested", "intent": "order", "for": reference(&asha) });
    own.push(address(&door.create(task).await));
    door.create(appointment(&ravi, &rao, "11:00")).await;
    door.create(observation(&ravi, "2026-11-01")).await;
    own.sort();
    (door, asha, own)
}

#[tokio::test]
async fn everything_is_all_that_is_the_patients_and_nothing_else() {
    let (door, asha, own) = known().await;
    let path = format!("/{}/$everything", address(&asha));
    let begin = door.audit_end();
    let whole = door.get(&path).await;
    assert_eq!((whole.status, &whole.body["total"]), (StatusCode::OK, &json!(own.len())));
    // One line: all of it is one patient's.
    let lines = door.audit_since(begin);
    assert_eq!(lines, vec![("list".to_owned(), "patient".to_owned())]);
    let of = |body: &Value| -> Vec<String> {
        let entries = body["entry"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| address(&entry["resource"])).collect()
    };
    let mut all = of(&whole.body);
    all.sort();
    assert_eq!(all, own);
    for count in [1, 2, 3, 7, 8, 9] {
        let (mut next, mut paged, mut pages) =
            (Some(format!("{path}?_count={count}")), Vec::new(), 0);
        while let Some(path) = next {
            let page = door.get(&path).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.body);
            let found = of(&page.body);
            assert!(!found.is_empty() && found.len() <= count, "{path}");
            (paged, pages) = ([paged, found].concat(), pages + 1);
            let links = page.body["link"].as_array().unwrap();
            let link = links.iter().find(|link| link["relation"] == "next");
            next = link.map(|it| {
                text(&it["url"]).strip_prefix("http://localhost/fhir").unwrap().to_owned()
            });
        }
        paged.sort();
        assert_eq!((paged, pages), (own.clone(), own.len().div_ceil(count)), "{count}");
    }
    let count = async |query: &str| of(&door.get(&format!("{path}?{query}")).await.body).len();
    assert_eq!(count("_type=Observation").await, 3);
    assert_eq!(count("_type=Observation,Patient").await, 4);
    assert_eq!(count("_type=Location").await, 0);
    assert_eq!(count("_type=Observation&start=2026-05").await, 2);
    assert_eq!(count("_type=Observation&start=2026-05&end=2026-06-01").await, 1);
    // What does not say when is always wanted.
    assert_eq!(count("_type=Flag,Task&start=2026-05").await, 2);
    assert_eq!(count("_type=Appointment&start=2026-11-24&end=2026-11-24").await, 2);
    assert_eq!(count("_type=Appointment&start=2026-11-25").await, 0);
    door.clinic.app.clock.set("2026-11-23T12:00:00+05:30".parse().unwrap());
    door.create(observation(&asha, "2026-11-23")).await;
    assert_eq!(count("_since=2026-11-23T11:00:00%2B05:30").await, 1);
    for query in ["_type=Nonsense", "start=soon", "_cursor=x", "_count=few"] {
        assert_eq!(door.get(&format!("{path}?{query}")).await.refusal(), (400, "value"), "{query}");
    }
    assert_eq!(door.get(&format!("{path}?name=x")).await.refusal(), (400, "not-supported"));
}

#[tokio::test]
async fn a_compartment_is_searched_like_a_type_and_holds_what_is_the_patients() {
    let (door, asha, own) = known().await;
    let path = format!("/{}", address(&asha));
    let mut found = Vec::new();
    for type_ in ["Appointment", "Observation", "Flag", "Task"] {
        let ids = door.ids(&format!("{path}/{type_}")).await;
        found.extend(ids.iter().map(|id| format!("{type_}/{id}")));
    }
    found.push(address(&asha));
    found.sort();
    assert_eq!(found, own);
    assert_eq!(door.ids(&format!("{path}/Observation?date=ge2026-05")).await.len(), 2);
    let counted = door.get(&format!("{path}/Observation?_summary=count")).await;
    assert_eq!(counted.body["total"], 3);
    let page = door.get(&format!("{path}/Observation?_count=2")).await;
    let next = text(&page.body["link"][1]["url"]);
    assert!(next.contains(&format!("{path}/Observation?_count=2&_cursor=")), "{next}");
    let rest = door.ids(next.strip_prefix("http://localhost/fhir").unwrap()).await;
    assert_eq!(rest.len(), 1);
    assert_eq!(door.ids(&format!("{path}/*?_type=Observation")).await.len(), 3);
    for (path, refusal) in [
        (format!("{path}/Location"), (404, "not-found")),
        (format!("{path}/Nonsense"), (404, "not-found")),
        ("/Practitioner/1/Observation".to_owned(), (404, "not-found")),
        (
            "/Patient/01937e56-0000-7000-8000-000000000000/Observation".to_owned(),
            (404, "not-found"),
        ),
        (
            "/Patient/01937e56-0000-7000-8000-000000000000/$everything".to_owned(),
            (404, "not-found"),
        ),
    ] {
        assert_eq!(door.get(&path).await.refusal(), refusal, "{path}");
    }
}

#[tokio::test]
async fn who_may_see_only_a_part_gets_that_part_and_hears_of_it() {
    let (mut door, asha, own) = known().await;
    let path = format!("/{}", address(&asha));
    door.becomes(Role::Clerk);
    let part = door.get(&format!("{path}/$everything")).await;
    let entries = part.body["entry"].as_array().unwrap();
    assert!(entries.len() < own.len());
    assert!(entries.iter().all(|it| it["resource"]["resourceType"] != "Observation"));
    assert_eq!(entries.last().unwrap()["search"]["mode"], "outcome");
    assert_eq!(door.get(&format!("{path}/Observation")).await.refusal(), (403, "forbidden"));
    door.becomes(Role::Auditor);
    assert_eq!(door.get(&format!("{path}/$everything")).await.refusal(), (403, "forbidden"));
}

#[tokio::test]
async fn what_only_looks_is_asked_in_a_bundle_too_and_what_writes_is_not() {
    let (door, asha, own) = known().await;
    let begin = door.audit_end();
    let get = |url: String| json!({ "request": { "method": "GET", "url": url } });
    let bundle = |kind: &str, entries: Vec<Value>| json!({ "resourceType": "Bundle", "type": kind, "entry": entries });
    let find = "Appointment/$find?start=2026-11-24&end=2026-11-24&_count=1".to_owned();
    let entries = vec![get(find), get(format!("{}/$everything", address(&asha)))];
    for kind in ["batch", "transaction"] {
        let done = door.post("", bundle(kind, entries.clone())).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
        assert_eq!(done.body["entry"][0]["resource"]["total"], 32 - 3);
        assert_eq!(done.body["entry"][1]["resource"]["total"], own.len());
    }
    assert_eq!(door.audit_since(begin).len(), 2);
    let book = json!({ "resource": { "resourceType": "Parameters" }, "request": { "method": "POST", "url": "Appointment/$book" } });
    let unknown = vec![
        book,
        get("Appointment/$nonsense".into()),
        get("Patient/$match".into()),
        get("Basic/$validate".into()),
    ];
    let done = door.post("", bundle("batch", unknown)).await;
    for entry in done.body["entry"].as_array().unwrap() {
        let response = &entry["response"];
        assert!(text(&response["status"]).starts_with('4'), "{entry}");
        assert_eq!(response["outcome"]["resourceType"], "OperationOutcome");
    }
}
