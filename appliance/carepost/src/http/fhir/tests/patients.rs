//! Records through FHIR: nothing is lost, versions, conditions, deletions.

use axum::http::StatusCode;
use serde_json::json;

use super::{Door, address, patient, reference, text, without_own};

/// The resource without the clinic's own number, which it adds to whatever came.
fn without_number(resource: &serde_json::Value) -> serde_json::Value {
    let mut resource = without_own(resource);
    let identifiers = resource["identifier"].as_array_mut().expect("the clinic's own number");
    identifiers.retain(|it| !it["system"].as_str().is_some_and(|it| it.starts_with("urn:uuid:")));
    if identifiers.is_empty() {
        resource.as_object_mut().unwrap().shift_remove("identifier");
    }
    resource
}

#[tokio::test]
async fn a_patient_with_elements_that_nobody_knows_is_read_back_as_it_came() {
    let door = Door::open();
    let given = json!({
        "resourceType": "Patient",
        "meta": { "profile": ["https://nrces.in/ndhm/fhir/r4/StructureDefinition/Patient"],
                  "tag": [{ "system": "urn:example", "code": "vip" }] },
        "extension": [{ "url": "urn:example:caste", "valueString": "not asked" }],
        "name": [{ "use": "official", "text": "Asha Rao", "_text": { "extension": [
            { "url": "urn:example:script", "valueCode": "Latn" }] } },
            { "use": "nickname", "given": ["Ashu"] }],
        "telecom": [{ "system": "phone", "value": "+91 98441 11173", "use": "mobile" },
                    { "system": "fax", "value": "+91 80 1234" }],
        "gender": "female",
        "birthDate": "1984-05-02",
        "_birthDate": { "extension": [
            { "url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
              "valueDateTime": "1984-05-02T06:10:00+05:30" }] },
        "deceasedBoolean": false,
        "multipleBirthInteger": 2,
        "contact": [{ "name": { "text": "Ravi Rao" } }],
    });
    let made = door.create(given.clone()).await;
    assert_eq!(without_number(&made), without_own(&given));
    assert_eq!(made["meta"]["profile"], given["meta"]["profile"]);
    assert_eq!(made["meta"]["versionId"], "1");
    let read = door.get(&format!("/{}", address(&made))).await;
    assert_eq!(read.body, made);
    assert_eq!(read.headers["etag"], "W/\"1\"");
    assert_eq!(read.headers["last-modified"], "Mon, 23 Nov 2026 04:30:00 GMT");
    // A decimal keeps its digits.
    let observation = json!({ "resourceType": "Observation", "status": "final",
        "code": { "text": "mass" }, "subject": reference(&made) });
    let mut observation = observation.to_string();
    observation.insert_str(observation.len() - 1, r#","valueQuantity":{"value":70.10}"#);
    let observation = serde_json::from_str(&observation).unwrap();
    let kept = door.create(observation).await;
    assert_eq!(kept["valueQuantity"]["value"].to_string(), "70.10");
}

#[tokio::test]
async fn what_the_desk_changes_is_read_and_the_rest_stays() {
    let door = Door::open();
    let mut given = patient("Asha Rao");
    given["telecom"] = json!([{ "system": "phone", "value": "+919844111173" },
                              { "system": "fax", "value": "+918012345678" }]);
    given["maritalStatus"] = json!({ "text": "married" });
    let made = door.create(given).await;
    let path = format!("patients/{}", text(&made["id"]));
    let edit = json!({ "phones": [{ "number": "98450 00001", "use": "mobile" }], "sex": "female" });
    let edited = door.desk("PATCH", &path, Some(edit)).await;
    assert_eq!(edited.status, StatusCode::OK, "{}", edited.body);
    let read = door.get(&format!("/{}", address(&made))).await.body;
    assert_eq!(read["meta"]["versionId"], "2");
    assert_eq!(read["gender"], "female");
    assert_eq!(read["maritalStatus"], json!({ "text": "married" }));
    let telecom = read["telecom"].as_array().unwrap();
    assert_eq!(telecom.len(), 2);
    assert_eq!(telecom[0]["value"], "+919845000001");
    assert_eq!(telecom[1], json!({ "system": "fax", "value": "+918012345678" }));
}

#[tokio::test]
async fn each_version_is_read_as_it_was_and_the_history_begins_with_the_newest() {
    let door = Door::open();
    let first = door.create(patient("Asha Rao")).await;
    let path = format!("/{}", address(&first));
    let mut changed = first.clone();
    changed["gender"] = json!("female");
    let second = door.put(&path, changed.clone()).await;
    assert_eq!(second.status, StatusCode::OK, "{}", second.body);
    changed["name"] = json!([{ "text": "Asha Kumar" }]);
    let third = door.put(&path, changed).await.body;
    let said = [first, second.body, third];
    for (version, said) in said.iter().enumerate() {
        let read = door.get(&format!("{path}/_history/{}", version + 1)).await;
        assert_eq!(&read.body, said);
        assert_eq!(read.headers["etag"], format!("W/\"{}\"", version + 1).as_str());
    }
    assert_eq!(door.get(&format!("{path}/_history/4")).await.refusal(), (404, "not-found"));
    assert_eq!(door.get(&format!("{path}/_history/one")).await.refusal(), (404, "not-found"));
    let history = door.entries(&format!("{path}/_history")).await;
    let versions: Vec<_> = history.iter().map(|entry| entry["resource"].clone()).collect();
    assert_eq!(versions, [said[2].clone(), said[1].clone(), said[0].clone()]);
    assert_eq!(history[0]["request"]["method"], "PUT");
    assert_eq!(history[2]["request"], json!({ "method": "POST", "url": "Patient" }));
    // Page by page it is the same.
    let page = door.get(&format!("{path}/_history?_count=2")).await.body;
    assert_eq!(page["entry"].as_array().unwrap().len(), 2);
    let next = text(&page["link"][1]["url"]);
    let rest = door.entries(next.split_once("/fhir").unwrap().1).await;
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0]["resource"], said[0]);
}

#[tokio::test]
async fn an_update_of_a_version_that_is_gone_is_refused() {
    let door = Door::open();
    let made = door.create(patient("Asha Rao")).await;
    let path = format!("/{}", address(&made));
    let put =
        async |etag: &str| door.ask("PUT", &path, &[("if-match", etag)], Some(made.clone())).await;
    assert_eq!(put("W/\"1\"").await.status, StatusCode::OK);
    assert_eq!(put("W/\"1\"").await.refusal(), (412, "conflict"));
    assert_eq!(put("1").await.refusal(), (400, "value"));
    let patch = json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": [
        { "name": "type", "valueCode": "add" }, { "name": "path", "valueString": "Patient" },
        { "name": "name", "valueString": "birthDate" }, { "name": "value", "valueDate": "1984" }] }] });
    let patched = door.ask("PATCH", &path, &[("if-match", "W/\"1\"")], Some(patch)).await;
    assert_eq!(patched.refusal(), (412, "conflict"));
    assert_eq!(door.get(&path).await.body["meta"]["versionId"], "2");
}

#[tokio::test]
async fn a_patch_in_either_language_changes_its_part_only() {
    let door = Door::open();
    let made = door.create(patient("Asha Rao")).await;
    let path = format!("/{}", address(&made));
    let request = axum::http::Request::patch(format!("/fhir{path}"))
        .header("authorization", door.clinic.token(prm::stamp::Role::Admin))
        .header("content-type", "application/json-patch+json")
        .body(r#"[{"op":"add","path":"/gender","value":"female"}]"#.to_owned().into());
    let patched = super::is_fhir(door.clinic.send(request.unwrap()).await);
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
    let patch = json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": [
        { "name": "type", "valueCode": "add" }, { "name": "path", "valueString": "Patient" },
        { "name": "name", "valueString": "birthDate" }, { "name": "value", "valueDate": "1984" }] }] });
    let patched = door.ask("PATCH", &path, &[], Some(patch)).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
    assert_eq!(
        (&patched.body["gender"], &patched.body["birthDate"]),
        (&json!("female"), &json!("1984"))
    );
    let patch = json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": [
        { "name": "type", "valueCode": "replace" }, { "name": "path", "valueString": "Patient.gender" },
        { "name": "value", "valueCode": "neither" }] }] });
    assert_eq!(door.ask("PATCH", &path, &[], Some(patch)).await.refusal(), (422, "code-invalid"));
}

#[tokio::test]
async fn who_asks_to_create_only_what_is_not_there_gets_what_is() {
    let door = Door::open();
    let of = |number: &str| {
        let mut patient = patient("Asha Rao");
        patient["identifier"] = json!([{ "system": "urn:mrn", "value": number }]);
        patient
    };
    let unless = [("if-none-exist", "identifier=urn:mrn|1")];
    let none = door.ask("POST", "/Patient", &unless, Some(of("1"))).await;
    assert_eq!(none.status, StatusCode::CREATED, "{}", none.body);
    let id = text(&none.body["id"]);
    assert!(
        none.headers["location"]
            .to_str()
            .unwrap()
            .ends_with(&format!("/fhir/Patient/{id}/_history/1"))
    );
    let one = door.ask("POST", "/Patient", &unless, Some(of("1"))).await;
    assert_eq!((one.status, text(&one.body["id"])), (StatusCode::OK, id));
    door.create(patient("Asha Rao")).await;
    let named = [("if-none-exist", "name=asha")];
    assert_eq!(
        door.ask("POST", "/Patient", &named, Some(of("2"))).await.refusal(),
        (412, "multiple-matches")
    );
    let anybody = [("if-none-exist", "_count=1")];
    assert_eq!(door.ask("POST", "/Patient", &anybody, Some(of("2"))).await.status.as_u16(), 400);
}

#[tokio::test]
async fn what_a_search_finds_is_updated_or_deleted_if_it_is_one() {
    let door = Door::open();
    let condition = |code: &str, status: &str| {
        json!({ "resourceType": "Basic", "code": { "coding": [{ "system": "urn:x", "code": code }] },
            "identifier": [{ "system": "urn:no", "value": status }] })
    };
    let created = door.put("/Basic?identifier=urn:no|1", condition("a", "1")).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    let updated = door.put("/Basic?identifier=urn:no|1", condition("b", "1")).await;
    assert_eq!(updated.status, StatusCode::OK);
    assert_eq!(
        (&updated.body["id"], &updated.body["meta"]["versionId"]),
        (&created.body["id"], &json!("2"))
    );
    let other = door.create(condition("b", "2")).await;
    assert_eq!(
        door.put("/Basic?code=urn:x|b", condition("b", "3")).await.refusal(),
        (412, "multiple-matches")
    );
    assert_eq!(door.delete("/Basic?code=urn:x|b").await.refusal(), (412, "multiple-matches"));
    let mut wrong = condition("b", "2");
    wrong["id"] = json!("another");
    assert_eq!(door.put("/Basic?identifier=urn:no|2", wrong).await.refusal(), (400, "invalid"));
    assert_eq!(door.delete("/Basic?identifier=urn:no|2").await.status, StatusCode::NO_CONTENT);
    assert_eq!(door.get(&format!("/{}", address(&other))).await.status, StatusCode::GONE);
    assert_eq!(door.delete("/Basic?identifier=urn:no|2").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_was_deleted_is_gone_but_its_history_stays() {
    let door = Door::open();
    let patient = door.create(patient("Asha Rao")).await;
    let allergy = json!({ "resourceType": "AllergyIntolerance", "id": "milk",
        "patient": reference(&patient), "clinicalStatus": { "coding": [{ "code": "active",
        "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical" }] } });
    let made = door.put("/AllergyIntolerance/milk", allergy.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(door.delete("/AllergyIntolerance/milk").await.status, StatusCode::NO_CONTENT);
    assert_eq!(door.get("/AllergyIntolerance/milk").await.refusal(), (410, "deleted"));
    assert_eq!(door.get("/AllergyIntolerance/milk/_history/1").await.body, made.body);
    assert_eq!(door.get("/AllergyIntolerance/milk/_history/2").await.refusal(), (410, "deleted"));
    let history = door.entries("/AllergyIntolerance/milk/_history").await;
    assert_eq!(history.len(), 2);
    assert_eq!(history[0]["request"]["method"], "DELETE");
    assert!(history[0].get("resource").is_none());
    assert!(door.ids("/AllergyIntolerance").await.is_empty());
    assert_eq!(door.delete("/AllergyIntolerance/milk").await.status, StatusCode::NO_CONTENT);
    // The id may come back to life.
    let again = door.put("/AllergyIntolerance/milk", allergy).await;
    assert_eq!(
        (again.status, &again.body["meta"]["versionId"]),
        (StatusCode::CREATED, &json!("3"))
    );
    assert_eq!(door.delete("/AllergyIntolerance/never").await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        door.delete(&format!("/{}", address(&patient))).await.refusal(),
        (405, "not-supported")
    );
}

#[tokio::test]
async fn a_reference_to_what_is_not_here_is_refused_and_one_to_elsewhere_stays() {
    let door = Door::open();
    let nobody = "Patient/01937e56-0000-7000-8000-000000000000";
    let coverage = |beneficiary: serde_json::Value| json!({ "resourceType": "Flag", "status": "active", "code": { "text": "falls" }, "subject": beneficiary });
    let lost = door.post("/Flag", coverage(json!({ "reference": nobody }))).await;
    assert_eq!(lost.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(lost.body["issue"][1]["expression"], json!(["Flag.subject"]));
    for elsewhere in [
        json!({ "reference": "https://elsewhere.example/fhir/Patient/1" }),
        json!({ "identifier": { "system": "urn:mrn", "value": "1" } }),
        json!({ "display": "somebody" }),
    ] {
        let kept = door.create(coverage(elsewhere.clone())).await;
        assert_eq!(kept["subject"], elsewhere);
    }
    let asha = door.create(patient("Asha Rao")).await;
    let found = door.create(coverage(json!({ "reference": "Patient?name=asha" }))).await;
    assert_eq!(found["subject"], reference(&asha));
    let none = door.post("/Flag", coverage(json!({ "reference": "Patient?name=ravi" }))).await;
    assert!(none.status.is_client_error());
}

#[tokio::test]
async fn an_answer_holds_as_much_as_is_preferred() {
    let door = Door::open();
    let make = |wish: &'static str| {
        let door = &door;
        async move { door.ask("POST", "/Patient", &[("prefer", wish)], Some(patient("Asha"))).await }
    };
    let minimal = make("return=minimal").await;
    assert_eq!((minimal.status, &minimal.body), (StatusCode::CREATED, &json!("")));
    assert!(minimal.headers.contains_key("location") && minimal.headers.contains_key("etag"));
    let outcome = make("return=OperationOutcome").await;
    assert_eq!(outcome.body["resourceType"], "OperationOutcome");
    assert_eq!(make("return=representation").await.body["resourceType"], "Patient");
}
