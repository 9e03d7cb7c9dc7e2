//! Who on record it may be, and what is wrong with a resource.

use axum::http::StatusCode;
use prm::stamp::Role;
use serde_json::{Value, json};

use super::{Door, address, patient, reference, text};

fn asha() -> Value {
    json!({ "resourceType": "Patient", "name": [{ "text": "Asha Rao" }], "gender": "female",
        "birthDate": "1984-05-02", "telecom": [{ "system": "phone", "value": "+919844111173" }],
        "identifier": [{ "system": "urn:mrn", "value": "77" }] })
}

impl Door {
    /// Ids and grades of those whom `$match` finds.
    async fn matches(&self, described: Value, more: &[(&str, Value)]) -> Vec<(String, String)> {
        let mut all = vec![json!({ "name": "resource", "resource": described })];
        all.extend(more.iter().map(|(name, value)| {
            let kind = if value.is_boolean() { "valueBoolean" } else { "valueInteger" };
            json!({ "name": name, kind: value })
        }));
        let body = json!({ "resourceType": "Parameters", "parameter": all });
        let found = self.post("/Patient/$match", body).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.body);
        let entries = found.body["entry"].as_array().cloned().unwrap_or_default();
        let grade = |entry: &Value| {
            let search = &entry["search"];
            assert_eq!(search["mode"], "match");
            assert!((0.0..=1.0).contains(&search["score"].as_f64().unwrap()));
            (text(&entry["resource"]["id"]), text(&search["extension"][0]["valueCode"]))
        };
        entries.iter().map(grade).collect()
    }
}

#[tokio::test]
async fn a_description_finds_who_it_is_and_says_how_sure_that_is() {
    let mut door = Door::open();
    let known = text(&door.create(asha()).await["id"]);
    let namesake = text(&door.create(patient("Asha Rao")).await["id"]);
    door.create(patient("Ravi Das")).await;
    let grade = |of: &str, found: &[(String, String)]| {
        found.iter().find(|(id, _)| id == of).map(|(_, grade)| grade.clone())
    };
    // By all that is known, and by a number alone.
    let by_number = json!({ "resourceType": "Patient", "identifier": [{ "system": "urn:mrn", "value": "77" }] });
    let own = door.get(&format!("/Patient/{known}")).await.body["identifier"][0].clone();
    let by_own_number = json!({ "resourceType": "Patient", "identifier": [own] });
    for described in [asha(), by_number, by_own_number] {
        let found = door.matches(described, &[]).await;
        assert_eq!(found.first(), Some(&(known.clone(), "certain".to_owned())));
        assert_ne!(grade(&namesake, &found).as_deref(), Some("certain"));
    }
    let mut without = asha();
    without.as_object_mut().unwrap().shift_remove("identifier");
    without["name"][0]["text"] = json!("Aasha Rao");
    assert_eq!(
        grade(&known, &door.matches(without.clone(), &[]).await).as_deref(),
        Some("certain")
    );
    without.as_object_mut().unwrap().shift_remove("telecom");
    let found = door.matches(without.clone(), &[]).await;
    assert_eq!(grade(&known, &found).as_deref(), Some("probable"));
    without.as_object_mut().unwrap().shift_remove("birthDate");
    let found = door.matches(without.clone(), &[]).await;
    assert_eq!(grade(&known, &found).as_deref(), Some("possible"));
    assert_eq!(grade(&namesake, &found).as_deref(), Some("possible"));
    assert_eq!(door.matches(without.clone(), &[("count", json!(1))]).await.len(), 1);
    // The same number with another name and another date of birth is not taken for the same person.
    let mut wrong = asha();
    wrong["name"][0]["text"] = json!("Zoya Khan");
    wrong["birthDate"] = json!("1999-01-01");
    assert_eq!(grade(&known, &door.matches(wrong, &[]).await).as_deref(), Some("possible"));
    let phone = json!({ "resourceType": "Patient", "telecom": [{ "system": "phone", "value": "9844111173" }] });
    assert_eq!(grade(&known, &door.matches(phone, &[]).await).as_deref(), Some("possible"));
    // Only who is certain, if it is one.
    let only = [("onlyCertainMatches", json!(true))];
    assert_eq!(door.matches(asha(), &only).await, [(known.clone(), "certain".to_owned())]);
    assert!(door.matches(without, &only).await.is_empty());
    let mut twin = asha();
    twin.as_object_mut().unwrap().shift_remove("identifier");
    door.create(twin.clone()).await;
    assert!(door.matches(twin, &only).await.is_empty());
    let nothing =
        door.post("/Patient/$match", json!({ "resourceType": "Patient", "active": true })).await;
    assert_eq!(nothing.refusal(), (422, "required"));
    let begin = door.audit_end();
    // The patient alone is a body, too.
    assert_eq!(door.post("/Patient/$match", asha()).await.status, StatusCode::OK);
    let lines = door.audit_since(begin);
    assert!(
        !lines.is_empty()
            && lines.iter().all(|line| *line == ("list".to_owned(), "patient".to_owned()))
    );
    door.becomes(Role::Auditor);
    assert_eq!(door.post("/Patient/$match", asha()).await.refusal(), (403, "forbidden"));
}

#[tokio::test]
async fn what_is_wrong_with_a_resource_is_said_and_nothing_is_written() {
    let mut door = Door::open();
    let known = door.create(asha()).await;
    let begin = door.audit_end();
    let issues = async |path: &str, body: Option<Value>| {
        let method = if body.is_some() { "POST" } else { "GET" };
        let said = door.ask(method, path, &[], body).await;
        assert_eq!(said.status, StatusCode::OK, "{path}: {}", said.body);
        assert_eq!(said.body["resourceType"], "OperationOutcome");
        let issues = said.body["issue"].as_array().unwrap();
        issues
            .iter()
            .map(|it| format!("{} {}", text(&it["severity"]), text(&it["code"])))
            .collect::<Vec<_>>()
    };
    let with = |mode: &str, resource: &Value| {
        Some(json!({ "resourceType": "Parameters", "parameter": [
            { "name": "mode", "valueCode": mode }, { "name": "resource", "resource": resource }] }))
    };
    let good = ["information informational"];
    let mut new = asha();
    new.as_object_mut().unwrap().shift_remove("identifier");
    assert_eq!(issues("/Patient/$validate", Some(new.clone())).await, good);
    assert_eq!(issues("/Patient/$validate", with("create", &new)).await, good);
    assert_eq!(issues(&format!("/{}/$validate", address(&known)), None).await, good);
    assert_eq!(
        issues(&format!("/{}/$validate", address(&known)), with("update", &known)).await,
        good
    );
    let nameless = json!({ "resourceType": "Patient", "gender": "female" });
    assert_eq!(issues("/Patient/$validate", Some(nameless.clone())).await, good);
    // The clinic wants more than R4 does: a name, and a number that nobody else has.
    assert_eq!(issues("/Patient/$validate", with("create", &nameless)).await, ["error required"]);
    assert_eq!(issues("/Patient/$validate", with("create", &asha())).await, ["error duplicate"]);
    let broken =
        json!({ "resourceType": "Patient", "gender": "lady", "birthDate": "Tuesday", "eyes": 2 });
    let said = issues("/Patient/$validate", Some(broken.clone())).await;
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(issues("/Patient/$validate", with("create", &broken)).await, said);
    assert_eq!(
        issues("/Patient/$validate", Some(json!({ "resourceType": "Basic" }))).await,
        ["error invalid"]
    );
    assert_eq!(
        issues("/Patient/$validate", with("profile", &new)).await,
        ["warning not-supported"]
    );
    let path = format!("/{}/$validate?mode=delete", address(&known));
    assert_eq!(issues(&path, None).await, ["error not-supported"]);
    let group = json!({ "resourceType": "Group", "type": "person", "actual": true, "member": [{ "entity": reference(&known) }] });
    assert_eq!(issues("/Group/$validate", with("create", &group)).await, good);
    assert_eq!(door.ids("/Patient").await.len(), 1);
    assert!(door.ids("/Group").await.is_empty());
    let lines = door.audit_since(begin);
    assert!(lines.iter().all(|(verb, _)| verb == "read" || verb == "list"), "{lines:?}");
    for (path, refusal) in [
        ("/Patient/$validate", (400, "required")),
        ("/Patient/$validate?mode=guess", (400, "value")),
        ("/Parameters/$validate", (404, "not-supported")),
    ] {
        assert_eq!(door.get(path).await.refusal(), refusal, "{path}");
    }
    let unread = door.clinic.call("POST", "/fhir/Patient/$validate", &[], Some(new)).await;
    assert_eq!(unread.status, StatusCode::UNAUTHORIZED);
    door.becomes(Role::Auditor);
    assert_eq!(
        door.get(&format!("/{}/$validate", address(&known))).await.refusal(),
        (403, "forbidden")
    );
}
