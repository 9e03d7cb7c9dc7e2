//! What the clinic computes or writes down itself: slots, the queue, devices, relations, the audit.

use axum::http::StatusCode;
use jiff::SignedDuration;
use prm::stamp::Role;
use serde_json::{Value, json};

use super::appointments::appointment;
use super::{Door, address, patient, reference, text};

/// The slots that a search finds: when and how they stand.
async fn slots(door: &Door, query: &str) -> Vec<String> {
    let entries = door.entries(&format!("/Slot?{query}")).await;
    let found = entries.iter().filter(|entry| entry["search"]["mode"] == "match");
    found
        .map(|entry| {
            let slot = &entry["resource"];
            format!("{} {}", &text(&slot["start"])[5..16], text(&slot["status"]))
        })
        .collect()
}

#[tokio::test]
async fn slots_say_whether_they_can_be_had() {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let ravi = door.create(patient("Ravi Das")).await;
    door.create(appointment(&asha, &rao, "09:00")).await;
    let mut held = appointment(&ravi, &rao, "09:15");
    held["status"] = json!("pending");
    let held = door.create(held).await;
    let schedule = text(&held["slot"][0]["reference"]);
    let schedule = schedule.trim_start_matches("Slot/").split('.').next().unwrap();
    let leave = json!({ "practitioner_id": rao["id"], "from": "2026-11-25", "to": "2026-11-25" });
    let leave = door.desk("POST", "leaves", Some(leave)).await;
    assert_eq!(leave.status, StatusCode::CREATED, "{}", leave.body);
    let tuesday = "start=ge2026-11-24T09:00:00%2B05:30&start=lt2026-11-24T09:45:00%2B05:30";
    assert_eq!(
        slots(&door, &format!("schedule={schedule}&{tuesday}")).await,
        ["11-24T09:00 busy", "11-24T09:15 busy-tentative", "11-24T09:30 free"]
    );
    assert_eq!(slots(&door, &format!("status=free&{tuesday}")).await, ["11-24T09:30 free"]);
    assert_eq!(slots(&door, &format!("status=busy-tentative,busy&{tuesday}")).await.len(), 2);
    let closed = slots(&door, "start=2026-11-25&_count=1000").await;
    assert_eq!((closed.len(), closed[0].as_str()), (32, "11-25T09:00 busy-unavailable"));
    assert_eq!(slots(&door, "start=2026-11-25&status=free").await, Vec::<String>::new());
    // What is over can be had no more.
    let today = slots(&door, "start=2026-11-23&_count=1000").await;
    assert_eq!((&*today[3], &*today[4]), ("11-23T09:45 busy-unavailable", "11-23T10:00 free"));
    let by_practitioner = format!("schedule.actor=Practitioner/{}&{tuesday}", text(&rao["id"]));
    assert_eq!(slots(&door, &by_practitioner).await.len(), 3);
    let by_nobody = format!("schedule.actor=Practitioner/{schedule}&{tuesday}");
    assert_eq!(slots(&door, &by_nobody).await.len(), 0);
    // The hold is over: the slot is free again.
    let later = door.clinic.app.now() + SignedDuration::from_mins(11);
    door.clinic.app.clock.set(later);
    assert_eq!(slots(&door, &format!("status=free&{tuesday}")).await.len(), 2);
}

#[tokio::test]
async fn slots_come_in_pages_for_a_fortnight_or_as_long_as_is_asked() {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    door.practitioner("Dr Iyer").await;
    let first = door.get("/Slot?_count=3").await.body;
    assert_eq!(first["entry"].as_array().unwrap().len(), 4, "{first}");
    assert_eq!(first["entry"][3]["search"]["mode"], "outcome");
    let (mut seen, mut next) =
        (Vec::new(), Some("/Slot?start=ge2026-11-24&start=lt2026-11-26&_count=50".to_owned()));
    while let Some(path) = next {
        let page = door.get(&path).await.body;
        seen.extend(page["entry"].as_array().unwrap().iter().map(|it| text(&it["resource"]["id"])));
        let links = page["link"].as_array().unwrap().iter();
        next = links
            .clone()
            .find(|it| it["relation"] == "next")
            .map(|it| text(&it["url"]).split_once("/fhir").unwrap().1.to_owned());
    }
    assert_eq!(seen.len(), 2 * 2 * 32);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 2 * 2 * 32);
    let fortnight = door.get("/Slot?_summary=count").await.body;
    // From 10:00 of this Monday to 10:00 of the Monday in two weeks, to the end of that day.
    assert_eq!(fortnight["total"], 2 * 15 * 32);
    let one = &seen[0];
    let read = door.get(&format!("/Slot/{one}")).await;
    assert_eq!((read.status, text(&read.body["id"])), (StatusCode::OK, one.clone()));
    assert!(read.headers.get("etag").is_none());
    assert_eq!(door.ids(&format!("/Slot?_id={one}")).await, [one.as_str()]);
    let never = format!("/Slot/{}.29000001", one.split('.').next().unwrap());
    assert_eq!(door.get(&never).await.refusal(), (404, "not-found"));
    assert_eq!(door.get("/Slot/never").await.refusal(), (404, "not-found"));
    let long = door.get("/Slot?start=ge2026-11-24&start=lt2027-11-24").await;
    assert_eq!(long.refusal(), (400, "too-costly"));
    let booked = door.create(patient("Asha Rao")).await;
    let visit = door.create(appointment(&booked, &rao, "09:15")).await;
    let both = door
        .entries(&format!("/Appointment?_id={}&_include=Appointment:slot", text(&visit["id"])))
        .await;
    assert_eq!(both[1]["resource"]["resourceType"], "Slot");
    assert_eq!(both[1]["resource"]["status"], "busy");
}

#[tokio::test]
async fn who_is_in_the_queue_is_an_encounter_and_a_task() {
    let mut door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let body = json!({ "patient_id": asha["id"], "practitioner_id": rao["id"] });
    let joined = door.desk("POST", "queue", Some(body)).await;
    assert_eq!(joined.status, StatusCode::CREATED, "{}", joined.body);
    let id = joined.body["id"].as_str().or(joined.body["entry_id"].as_str()).unwrap().to_owned();
    for type_ in ["Encounter", "Task"] {
        let read = door.get(&format!("/{type_}/{id}")).await;
        assert_eq!((read.status, &read.body["resourceType"]), (StatusCode::OK, &json!(type_)));
        assert_eq!(
            door.ids(&format!("/{type_}?patient={}", text(&asha["id"]))).await,
            [id.as_str()]
        );
        assert_eq!(door.entries(&format!("/{type_}/{id}/_history")).await.len(), 1);
        assert_eq!(
            door.get(&format!("/{type_}/{id}/_history/9")).await.status,
            StatusCode::NOT_FOUND
        );
        let written = door.put(&format!("/{type_}/{id}"), read.body.clone()).await;
        assert_eq!(written.refusal(), (422, "business-rule"));
        assert_eq!(door.delete(&format!("/{type_}/{id}")).await.refusal(), (422, "business-rule"));
    }
    assert_eq!(door.ids("/Task?business-status=waiting&status=ready").await, [id.as_str()]);
    assert_eq!(door.ids("/Encounter?date=ge2026-11-23&status=arrived").await, [id.as_str()]);
    // A clerk sees the clinic's own, and hears that there may be others.
    door.becomes(Role::Clerk);
    let found = door.get("/Encounter").await.body;
    assert_eq!(found["entry"][0]["resource"]["id"], json!(id));
    assert_eq!(found["entry"][1]["resource"]["issue"][0]["code"], "forbidden");
}

#[tokio::test]
async fn relations_that_the_desk_was_told_are_related_persons() {
    let door = Door::open();
    let asha = door.create(patient("Asha Rao")).await;
    let mut mother = patient("Lakshmi Rao");
    mother["telecom"] = json!([{ "system": "phone", "value": "+919844111173" }]);
    let mother = door.create(mother).await;
    door.create(patient("Ravi Das")).await;
    assert!(door.ids("/RelatedPerson").await.is_empty());
    let body = json!({ "patient_id": mother["id"], "relationship": "mother" });
    let path = format!("patients/{}/family", text(&asha["id"]));
    assert!(door.desk("POST", &path, Some(body)).await.status.is_success());
    let of_elsewhere = json!({ "resourceType": "RelatedPerson", "patient": reference(&asha), "name": [{ "text": "Zoya Khan" }] });
    let other = door.create(of_elsewhere).await;
    let of_asha = door.ids(&format!("/RelatedPerson?patient={}", text(&asha["id"]))).await;
    assert_eq!(of_asha.len(), 2);
    assert_eq!(of_asha[1], text(&other["id"]));
    let before = door.audit_end();
    let read = door.get(&format!("/RelatedPerson/{}", of_asha[0])).await.body;
    assert_eq!(read["relationship"][0]["coding"][0]["code"], "MTH");
    assert_eq!(door.audit_since(before).len(), 2, "the records of both were read");
    assert_eq!(door.ids("/RelatedPerson?name=lakshmi").await, [of_asha[0].clone()]);
    assert_eq!(
        door.ids("/RelatedPerson?phone=9844111173&relationship=MTH").await,
        [of_asha[0].clone()]
    );
    assert_eq!(door.ids("/RelatedPerson?patient.name=asha").await.len(), 2);
    assert_eq!(
        door.ids("/Patient?_has:RelatedPerson:patient:name=lakshmi").await,
        [text(&asha["id"])]
    );
    assert_eq!(door.ids("/Patient?_revinclude=RelatedPerson:patient&name=asha").await.len(), 1);
    assert_eq!(door.entries(&format!("/RelatedPerson/{}/_history", of_asha[0])).await.len(), 1);
    let sort = door.get("/RelatedPerson?_sort=name").await.body;
    assert!(sort.to_string().contains("not sorted by: name"));
}

#[tokio::test]
async fn kiosks_and_boards_are_devices() {
    let mut door = Door::open();
    let offered =
        door.desk("POST", "devices/offer", Some(json!({ "kind": "kiosk", "name": "Door" }))).await;
    assert!(offered.status.is_success(), "{}", offered.body);
    let found = door.entries("/Device?status=inactive").await;
    assert_eq!(found.len(), 1, "{found:?}");
    let kiosk = &found[0]["resource"];
    assert_eq!(door.get(&format!("/{}", address(kiosk))).await.body, *kiosk);
    let scanner = door.create(json!({ "resourceType": "Device", "status": "active" })).await;
    assert_eq!(door.ids("/Device?status=active").await, [text(&scanner["id"])]);
    assert_eq!(
        door.put(&format!("/{}", address(kiosk)), kiosk.clone()).await.refusal(),
        (422, "business-rule")
    );
    // A program may not see the clinic's devices, but what it gave itself.
    door.becomes(Role::Integrator);
    let again = door.put(&format!("/{}", address(&scanner)), scanner.clone()).await;
    assert_eq!(again.body["meta"]["versionId"], "2");
    assert_eq!(
        door.put(&format!("/{}", address(kiosk)), kiosk.clone()).await.refusal(),
        (403, "forbidden")
    );
    assert_eq!(door.ids("/Device").await, [text(&scanner["id"])]);
    assert_eq!(door.get(&format!("/{}", address(kiosk))).await.refusal(), (403, "forbidden"));
    assert_eq!(door.get(&format!("/{}", address(&scanner))).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_audit_is_read_by_who_may_and_that_is_written_to_it() {
    let mut door = Door::open();
    let asha = door.create(patient("Asha Rao")).await;
    let ravi = door.create(patient("Ravi Das")).await;
    door.get(&format!("/{}", address(&ravi))).await;
    door.becomes(Role::Auditor);
    let lines = |query: String| {
        let door = &door;
        async move {
            let entries = door.entries(&format!("/AuditEvent?{query}")).await;
            let line = |entry: &Value| {
                let subtypes = entry["resource"]["subtype"].as_array().unwrap();
                text(&subtypes.last().unwrap()["code"])
            };
            entries.iter().map(line).collect::<Vec<_>>()
        }
    };
    assert_eq!(lines(format!("patient={}", text(&asha["id"]))).await, ["register"]);
    assert_eq!(lines(format!("entity=Patient/{}", text(&ravi["id"]))).await, ["read", "register"]);
    assert_eq!(lines("action=C&date=2026-11-23&_count=2".into()).await, ["create", "register"]);
    assert_eq!(lines("date=gt2026-11-23".into()).await, Vec::<String>::new());
    let newest = &door.entries("/AuditEvent?_count=1").await[0]["resource"];
    assert_eq!(door.get(&format!("/{}", address(newest))).await.body, *newest);
    assert_eq!(door.get("/AuditEvent/0").await.refusal(), (404, "not-found"));
    assert_eq!(door.get("/AuditEvent/99999").await.refusal(), (404, "not-found"));
    let before = door.audit_end();
    door.get("/AuditEvent?_count=1").await;
    assert_eq!(door.audit_since(before), [("list".to_owned(), "audit".to_owned())]);
    let all = door.get("/AuditEvent?_summary=count").await.body["total"].as_u64().unwrap();
    let (mut count, mut next) = (0, Some("/AuditEvent?_count=3".to_owned()));
    while let Some(path) = next {
        let page = door.get(&path).await.body;
        count += page["entry"].as_array().unwrap().len() as u64;
        let links = page["link"].as_array().unwrap().iter();
        next = links
            .clone()
            .find(|it| it["relation"] == "next")
            .map(|it| text(&it["url"]).split_once("/fhir").unwrap().1.to_owned());
    }
    assert_eq!(count, all, "what is written meanwhile comes before the first page");
    door.becomes(Role::Integrator);
    assert_eq!(door.get("/AuditEvent").await.refusal(), (403, "forbidden"));
    assert_eq!(door.get(&format!("/{}", address(newest))).await.refusal(), (403, "forbidden"));
}

#[tokio::test]
async fn the_history_of_a_type_is_told_from_the_newest_on() {
    let door = Door::open();
    let asha = door.create(patient("Asha Rao")).await;
    let ravi = door.create(patient("Ravi Das")).await;
    let path = format!("/{}", address(&asha));
    door.put(&path, asha.clone()).await;
    let entries = door.entries("/Patient/_history").await;
    let told: Vec<(String, String)> = entries
        .iter()
        .map(|it| (text(&it["resource"]["id"]), text(&it["response"]["etag"])))
        .collect();
    let line = |of: &Value, etag: &str| (text(&of["id"]), etag.to_owned());
    assert_eq!(told, [line(&asha, "W/\"2\""), line(&ravi, "W/\"1\""), line(&asha, "W/\"1\"")]);
    let page = door.get("/Patient/_history?_count=2").await.body;
    let next = text(&page["link"][1]["url"]);
    let rest = door.entries(next.split_once("/fhir").unwrap().1).await;
    assert_eq!(rest.len(), 1);
    assert_eq!(door.entries("/Patient/_history?_since=2026-11-23T09:00:00%2B05:30").await.len(), 3);
    assert!(door.entries("/Patient/_history?_since=2026-11-24").await.is_empty());
    assert_eq!(door.get("/Patient/_history?_since=then").await.refusal(), (400, "value"));
    let basic = door.create(json!({ "resourceType": "Basic", "code": { "text": "x" } })).await;
    door.delete(&format!("/{}", address(&basic))).await;
    let entries = door.entries("/Basic/_history").await;
    assert_eq!((entries.len(), &entries[0]["request"]["method"]), (2, &json!("DELETE")));
    assert_eq!(door.get("/Slot/_history").await.refusal(), (405, "not-supported"));
}
