//! Transactions are done whole or not at all, batches entry by entry.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Door, address, patient, reference, text};

/// The form of every `urn:uuid:` here.
fn urn(nth: u8) -> String {
    format!("urn:uuid:00000000-0000-4000-8000-0000000000{nth:02}")
}

fn bundle(kind: &str, entries: &[Value]) -> Value {
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}

fn entry(nth: u8, method: &str, url: &str, resource: Value) -> Value {
    json!({ "fullUrl": urn(nth), "resource": resource, "request": { "method": method, "url": url } })
}

fn asked(method: &str, url: &str) -> Value {
    json!({ "request": { "method": method, "url": url } })
}

fn to(nth: u8) -> Value {
    json!({ "reference": urn(nth) })
}

#[tokio::test]
async fn entries_that_refer_to_each_other_in_a_circle_find_each_other() {
    let door = Door::open();
    let observation = json!({ "resourceType": "Observation", "status": "final", "code": { "text": "x" },
        "subject": to(1), "encounter": { "display": "then" }, "derivedFrom": [to(3)] });
    let document = json!({ "resourceType": "DocumentReference", "status": "current", "subject": to(1),
        "content": [{ "attachment": { "url": "urn:x" } }], "context": { "related": [to(2)] },
        "extension": [{ "url": "urn:example:about", "valueReference": to(2) }] });
    let done = door
        .post(
            "",
            bundle(
                "transaction",
                &[
                    entry(2, "POST", "Observation", observation),
                    entry(3, "POST", "DocumentReference", document),
                    entry(1, "POST", "Patient", patient("Asha Rao")),
                ],
            ),
        )
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(done.body["type"], "transaction-response");
    let made: Vec<Value> =
        done.body["entry"].as_array().unwrap().iter().map(|it| it["resource"].clone()).collect();
    let [observation, document, patient] = made.as_slice() else { panic!("{made:?}") };
    assert_eq!(observation["subject"], reference(patient));
    assert_eq!(observation["derivedFrom"][0], reference(document));
    assert_eq!(document["context"]["related"][0], reference(observation));
    assert_eq!(document["extension"][0]["valueReference"], reference(observation));
    let response = &done.body["entry"][2]["response"];
    assert_eq!(
        (&response["status"], &response["etag"]),
        (&json!("201 Created"), &json!("W/\"1\""))
    );
    assert!(text(&response["location"]).ends_with(&format!("{}/_history/1", address(patient))));
    assert_eq!(door.get(&format!("/{}", address(document))).await.body, *document);
}

#[tokio::test]
async fn one_bad_entry_undoes_all_others_and_what_the_audit_says_of_them() {
    let door = Door::open();
    let before = door.audit_end();
    let lost = json!({ "resourceType": "Flag", "status": "active", "code": { "text": "x" },
        "subject": { "reference": "Patient/01937e56-0000-7000-8000-000000000000" } });
    let bad = [
        entry(2, "POST", "Flag", lost),
        entry(2, "POST", "Patient", json!({ "resourceType": "Patient" })),
        entry(
            2,
            "PUT",
            "Patient?name=nobody&name=else",
            json!({ "resourceType": "Patient", "gender": "x" }),
        ),
        asked("DELETE", "Flag?status=a,b&code=|"),
        asked("GET", "Patient/never"),
        asked("DELETE", "Patient/never"),
    ];
    for bad in bad {
        let done = door
            .post(
                "",
                bundle(
                    "transaction",
                    &[entry(1, "POST", "Patient", patient("Asha Rao")), bad.clone()],
                ),
            )
            .await;
        assert!(done.status.is_client_error(), "{bad}: {}", done.body);
    }
    assert!(door.ids("/Patient").await.is_empty());
    assert_eq!(door.audit_since(before), []);
}

#[tokio::test]
async fn what_goes_goes_first_then_comes_what_is_new_what_changes_and_what_is_read() {
    let door = Door::open();
    let basic = |id: &str, text: &str| json!({ "resourceType": "Basic", "id": id, "code": { "text": text } });
    door.put("/Basic/old", basic("old", "old")).await;
    door.put("/Basic/kept", basic("kept", "before")).await;
    let done = door
        .post("", bundle("transaction", &[
            asked("GET", "Basic?_sort=_id"),
            json!({ "resource": basic("kept", "after"), "request": { "method": "PUT", "url": "Basic/kept" } }),
            json!({ "resource": { "resourceType": "Basic", "code": { "text": "new" } },
                    "request": { "method": "POST", "url": "Basic" } }),
            asked("DELETE", "Basic/old"),
            asked("GET", "Basic/kept"),
        ]))
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let entries = done.body["entry"].as_array().unwrap();
    let status: Vec<String> = entries.iter().map(|it| text(&it["response"]["status"])).collect();
    assert_eq!(status, ["200 OK", "200 OK", "201 Created", "204 No Content", "200 OK"]);
    let found = entries[0]["resource"]["entry"].as_array().unwrap();
    let mut texts: Vec<String> =
        found.iter().map(|it| text(&it["resource"]["code"]["text"])).collect();
    texts.sort();
    assert_eq!(texts, ["after", "new"]);
    assert_eq!(entries[4]["resource"]["code"]["text"], "after");
}

#[tokio::test]
async fn conditions_of_entries_hold_and_one_resource_is_spoken_of_once() {
    let door = Door::open();
    let mut asha = patient("Asha Rao");
    asha["identifier"] = json!([{ "system": "urn:mrn", "value": "1" }]);
    let made = door.create(asha.clone()).await;
    let mut create = entry(1, "POST", "Patient", asha.clone());
    create["request"]["ifNoneExist"] = json!("identifier=urn:mrn|1");
    let flag = json!({ "resourceType": "Flag", "status": "active", "code": { "text": "x" }, "subject": to(1) });
    let by_search = json!({ "resourceType": "Flag", "status": "active", "code": { "text": "y" },
        "subject": { "reference": "Patient?identifier=urn:mrn|1" } });
    let done = door
        .post(
            "",
            bundle(
                "transaction",
                &[create, entry(2, "POST", "Flag", flag), entry(3, "POST", "Flag", by_search)],
            ),
        )
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let entries = done.body["entry"].as_array().unwrap();
    assert_eq!(entries[0]["response"]["status"], "200 OK");
    assert_eq!(entries[1]["resource"]["subject"], reference(&made));
    assert_eq!(entries[2]["resource"]["subject"], reference(&made));

    let put = |etag: &str| {
        let mut entry =
            json!({ "resource": made, "request": { "method": "PUT", "url": address(&made) } });
        entry["request"]["ifMatch"] = json!(etag);
        entry
    };
    assert_eq!(
        door.post("", bundle("transaction", &[put("W/\"1\"")])).await.status,
        StatusCode::OK
    );
    assert_eq!(
        door.post("", bundle("transaction", &[put("W/\"1\"")])).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    let twice = [put("W/\"2\""), asked("DELETE", &address(&made))];
    assert_eq!(door.post("", bundle("transaction", &twice)).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_whole_practice_comes_in_one_transaction_whatever_the_order() {
    let door = Door::open();
    let session = json!({ "url": "https://carepost.health/fhir/StructureDefinition/weekly-session", "extension": [
        { "url": "dayOfWeek", "valueCode": "tue" }, { "url": "start", "valueTime": "09:00:00" },
        { "url": "end", "valueTime": "12:00:00" }, { "url": "slotMinutes", "valuePositiveInt": 15 }] });
    let appointment = json!({ "resourceType": "Appointment", "status": "booked",
        "start": "2026-11-24T09:15:00+05:30", "end": "2026-11-24T09:30:00+05:30",
        "participant": [{ "actor": to(1), "status": "accepted" }, { "actor": to(2), "status": "accepted" }] });
    let done = door
        .post("/", bundle("transaction", &[
            entry(4, "POST", "Appointment", appointment),
            entry(3, "POST", "Schedule", json!({ "resourceType": "Schedule", "actor": [to(2)], "extension": [session] })),
            entry(2, "POST", "Practitioner", json!({ "resourceType": "Practitioner", "name": [{ "text": "Dr Rao" }] })),
            entry(1, "POST", "Patient", patient("Asha Rao")),
        ]))
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let booked = &done.body["entry"][0]["resource"];
    assert_eq!(booked["status"], "booked");
    assert!(
        text(&booked["slot"][0]["reference"])
            .starts_with(&format!("Slot/{}", text(&done.body["entry"][1]["resource"]["id"])))
    );
}

#[tokio::test]
async fn new_records_may_name_each_other_in_a_circle() {
    let door = Door::open();
    let linked = |name: &str, other: u8| {
        let mut somebody = patient(name);
        somebody["link"] = json!([{ "other": to(other), "type": "seealso" }]);
        somebody
    };
    let asha = entry(1, "POST", "Patient", linked("Asha Rao", 2));
    let ravi = entry(2, "POST", "Patient", linked("Ravi Das", 1));
    let herself = entry(3, "POST", "Patient", linked("Meera Iyer", 3));
    let done = door.post("", bundle("transaction", &[asha.clone(), ravi, herself])).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let made = |at: usize| &done.body["entry"][at]["resource"];
    for (one, other) in [(0, 1), (1, 0), (2, 2)] {
        assert_eq!(made(one)["link"][0]["other"], reference(made(other)));
        assert_eq!(made(one)["meta"]["versionId"], "1");
        assert_eq!(door.get(&format!("/{}", address(made(one)))).await.body, *made(one));
        let found = door.ids(&format!("/Patient?link={}", address(made(other)))).await;
        assert_eq!(found, [text(&made(one)["id"])]);
    }
    // To nobody of the bundle.
    assert_eq!(door.post("", bundle("transaction", &[asha])).await.status.as_u16(), 422);
}

#[tokio::test]
async fn of_a_batch_each_entry_is_done_for_itself() {
    let door = Door::open();
    let done = door
        .post(
            "",
            bundle(
                "batch",
                &[
                    entry(1, "POST", "Patient", patient("Asha Rao")),
                    entry(
                        2,
                        "POST",
                        "Patient",
                        json!({ "resourceType": "Patient", "birthDate": "yesterday" }),
                    ),
                    entry(3, "POST", "Patient", json!({ "resourceType": "Patient" })),
                    asked("GET", "Patient?name=asha"),
                    asked("GET", "Patient/never"),
                    asked("POST", "Patient"),
                    entry(4, "POST", "Patient", patient("Ravi Das")),
                ],
            ),
        )
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(done.body["type"], "batch-response");
    let entries = done.body["entry"].as_array().unwrap();
    let status: Vec<&str> = entries
        .iter()
        .map(|it| it["response"]["status"].as_str().unwrap().split(' ').next().unwrap())
        .collect();
    assert_eq!(status, ["201", "422", "422", "200", "404", "422", "201"]);
    for refused in [1, 2, 4, 5] {
        assert_eq!(entries[refused]["response"]["outcome"]["resourceType"], "OperationOutcome");
    }
    assert_eq!(entries[3]["resource"]["total"], 1);
    assert_eq!(door.ids("/Patient").await.len(), 2);
}

#[tokio::test]
async fn what_is_no_batch_and_no_transaction_is_refused() {
    let door = Door::open();
    assert!(door.post("", patient("Asha Rao")).await.status.is_client_error());
    assert_eq!(
        door.post("", bundle("collection", &[json!({ "resource": patient("Asha") })]))
            .await
            .refusal(),
        (422, "value")
    );
    let operation = bundle("transaction", &[asked("GET", "Patient/1/$match")]);
    assert_eq!(door.post("", operation).await.refusal(), (400, "not-supported"));
    let urn = bundle(
        "transaction",
        &[entry(
            1,
            "POST",
            "Flag",
            json!({ "resourceType": "Flag",
        "status": "active", "code": { "text": "x" }, "subject": to(9) }),
        )],
    );
    assert!(door.post("", urn).await.status.is_client_error());
    let nothing = json!({ "resourceType": "Bundle", "type": "transaction" });
    let nothing = door.post("", nothing).await;
    assert_eq!(
        (nothing.status, &nothing.body["type"]),
        (StatusCode::OK, &json!("transaction-response"))
    );
}
