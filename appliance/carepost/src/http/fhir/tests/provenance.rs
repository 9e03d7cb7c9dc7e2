//! Who wrote which version of the clinic's records.

use prm::stamp::Role;
use serde_json::json;

use super::appointments::appointment;
use super::{Door, address, patient, reference, text};

#[tokio::test]
async fn who_wrote_a_version_is_found_and_read() {
    let mut door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let visit = door.create(appointment(&asha, &rao, "09:00")).await;
    let booked = door.entries(&format!("/Provenance?target={}", address(&visit))).await;
    let [booked] = booked.as_slice() else { panic!("one version: {booked:?}") };
    let booked = &booked["resource"];
    assert_eq!(booked["id"], format!("Appointment.{}.1", text(&visit["id"])));
    let target = text(&booked["target"][0]["reference"]);
    assert_eq!(target, format!("{}/_history/1", address(&visit)));
    assert_eq!(door.get(&format!("/{target}")).await.body["id"], visit["id"]);
    assert_eq!(booked["recorded"], visit["meta"]["lastUpdated"]);
    assert_eq!(booked["agent"][0]["role"][0]["coding"][0]["code"], "token");
    assert_eq!(booked["extension"][0]["valueCode"], "api");
    let path = format!("/{}", address(booked));
    let end = door.audit_end();
    assert_eq!(&door.get(&path).await.body, booked);
    assert_eq!(door.audit_since(end), [("read".to_owned(), "appointment".to_owned())]);
    assert_eq!(&door.get(&format!("{path}/_history/1")).await.body, booked);
    assert_eq!(door.entries(&format!("{path}/_history")).await.len(), 1);
    // A version that is not there was written by nobody.
    let none = format!("/Provenance/Appointment.{}.2", text(&visit["id"]));
    assert_eq!(door.get(&none).await.refusal(), (404, "not-found"));
    let mut renamed = asha.clone();
    renamed["name"] = json!([{ "text": "Asha Hegde" }]);
    door.put(&format!("/{}", address(&asha)), renamed).await;
    let id = text(&asha["id"]);
    let versions = [format!("Patient.{id}.2"), format!("Patient.{id}.1")];
    assert_eq!(door.ids(&format!("/Provenance?patient={id}")).await, versions);
    assert_eq!(door.ids(&format!("/Provenance?_id={}", versions[1])).await, [&*versions[1]]);
    let agent = &booked["agent"][0]["who"]["identifier"]["value"];
    let agent = text(agent);
    let by = format!("/Provenance?agent:identifier=urn:ietf:rfc:3986%7C{agent}&patient={id}");
    assert_eq!(door.ids(&by).await, versions);
    assert!(door.ids(&format!("/Provenance?agent=Device/{id}")).await.is_empty());
    assert!(door.ids("/Provenance?recorded=lt2026-11-20").await.is_empty());
    let all = door.ids("/Provenance?recorded=ge2026-11-20&_count=100").await;
    assert!(all.len() >= 5 && all[0] == versions[0], "{all:?}");
    let pages = door.get("/Provenance?_count=2").await.body;
    let next = pages["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next");
    let next = text(&next.unwrap()["url"]);
    let next = door.ids(next.split_once("/fhir").unwrap().1).await;
    assert_eq!(next, all[2..4]);
    let with = format!("/Patient?_id={id}&_revinclude=Provenance:target");
    assert_eq!(door.entries(&with).await.len(), 3);
    // Names of staff and programs are for who may read the audit.
    assert!(booked["agent"][0]["who"]["display"].is_string());
    door.becomes(Role::Practitioner);
    assert!(door.get(&path).await.body["agent"][0]["who"].get("display").is_none());
    door.becomes(Role::Kiosk);
    assert_eq!(door.get(&path).await.refusal(), (403, "forbidden"));
    assert_eq!(door.get("/Provenance").await.refusal(), (403, "forbidden"));
}

#[tokio::test]
async fn what_others_say_of_an_origin_is_kept_beside() {
    let door = Door::open();
    let asha = door.create(patient("Asha Rao")).await;
    let mut told = json!({ "resourceType": "Provenance", "target": [reference(&asha)],
        "recorded": "2026-11-20T10:00:00Z", "agent": [{ "who": { "display": "Dr Iyer" } }] });
    let kept = door.create(told.clone()).await;
    let both = door.ids(&format!("/Provenance?target={}", address(&asha))).await;
    assert_eq!(both, [format!("Patient.{}.1", text(&asha["id"])), text(&kept["id"])]);
    let with = format!("/Patient?_id={}&_revinclude=Provenance:target", text(&asha["id"]));
    assert_eq!(door.entries(&with).await.len(), 3);
    told["id"] = json!(both[0]);
    let path = format!("/Provenance/{}", both[0]);
    assert_eq!(door.put(&path, told).await.refusal(), (422, "business-rule"));
    assert_eq!(door.delete(&path).await.refusal(), (422, "business-rule"));
}
