//! Patients: registering, finding, changing, merging.

use axum::http::StatusCode;
use prm::stamp::Role;
use serde_json::{Value, json};

use super::{Answered, Clinic};

const PATIENTS: &str = "/api/v1/prm/patients";

/// Somebody of a role who calls the clinic.
struct Asker<'a> {
    clinic: &'a Clinic,
    token: String,
}

impl<'a> Asker<'a> {
    fn new(clinic: &'a Clinic, role: Role) -> Self {
        Self { clinic, token: clinic.token(role) }
    }

    async fn with(&self, method: &str, path: &str, header: (&str, &str), body: Value) -> Answered {
        let headers = [("authorization", self.token.as_str()), header];
        self.clinic.call(method, path, &headers, Some(body)).await
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answered {
        let headers = [("authorization", self.token.as_str())];
        self.clinic.call(method, path, &headers, Some(body)).await
    }

    async fn get(&self, path: &str) -> Answered {
        let headers = [("authorization", self.token.as_str())];
        self.clinic.call("GET", path, &headers, None).await
    }

    async fn register(&self, body: Value) -> Value {
        let registered = self.send("POST", PATIENTS, body).await;
        assert_eq!(registered.status, StatusCode::CREATED, "{:?}", registered.body);
        registered.body
    }
}

fn asha() -> Value {
    json!({ "name": "Asha Rao", "phone": "98441 11173", "birth_date": "1984-05-02" })
}

fn names(list: &Answered) -> Vec<&str> {
    let items = list.body["items"].as_array().expect("a list has items");
    items.iter().filter_map(|item| item["name"].as_str()).collect()
}

#[tokio::test]
async fn a_patient_is_registered_as_the_contract_says() {
    let clinic = Clinic::new();
    let desk = Asker::new(&clinic, Role::Clerk);
    let made = desk.send("POST", PATIENTS, asha()).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.headers["etag"], "\"1\"");
    assert_eq!(made.body["name"], "Asha Rao");
    assert_eq!(made.body["phone"], "+919844111173");
    assert_eq!(made.body["birth_date"], "1984-05-02");
    assert_eq!(made.body["preferences"], json!({ "channels": [], "reminders": true }));
    let id = made.body["id"].as_str().unwrap();
    let read = desk.get(&format!("{PATIENTS}/{id}")).await;
    assert_eq!((read.status, read.body), (StatusCode::OK, made.body.clone()));
}

#[tokio::test]
async fn a_stranger_sees_no_patient() {
    let clinic = Clinic::new();
    let id = Asker::new(&clinic, Role::Clerk).register(asha()).await["id"].clone();
    let one = format!("{PATIENTS}/{}", id.as_str().unwrap());
    for path in [PATIENTS, &one, &format!("{one}/family"), &format!("{one}/appointments")] {
        let answered = clinic.call("GET", path, &[], None).await;
        assert_eq!(
            (answered.status, answered.code()),
            (StatusCode::UNAUTHORIZED, "signin_required"),
            "{path}"
        );
    }
    let auditor = Asker::new(&clinic, Role::Auditor);
    assert_eq!(auditor.get(&one).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let clinic = Clinic::new();
    let desk = Asker::new(&clinic, Role::Clerk);
    let wrong = [
        (json!({ "name": "Asha", "phone": "12" }), "phone"),
        (json!({ "name": "Asha", "birth_date": "1984-13" }), "birth_date"),
        (json!({ "name": "Asha", "sex": "f" }), "sex"),
        (json!({ "phone": "98441 11173" }), "name"),
        (json!({ "name": "Asha", "adress": {} }), "adress"),
        (json!({ "name": "Asha", "preferences": { "chanels": [] } }), "preferences.chanels"),
    ];
    for (body, field) in wrong {
        let refused = desk.send("POST", PATIENTS, body).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
        assert_eq!(refused.body["field"], field);
    }
}

#[tokio::test]
async fn somebody_on_record_is_shown_before_a_second_record_is_made() {
    let clinic = Clinic::new();
    let desk = Asker::new(&clinic, Role::Clerk);
    let first = desk.register(asha()).await;
    let mut again =
        json!({ "name": "Aasha Rao", "phone": "+91 98441 11173", "birth_date": "1984" });
    let refused = desk.send("POST", PATIENTS, again.clone()).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "likely_duplicate"));
    assert_eq!(refused.body["candidates"], json!([first]));
    again["accept_duplicate"] = true.into();
    desk.register(again).await;
}

#[tokio::test]
async fn a_repeated_registration_makes_one_patient() {
    let clinic = Clinic::new();
    let desk = Asker::new(&clinic, Role::Clerk);
    let key = ("idempotency-key", "tablet-7-0001");
    let first = desk.with("POST", PATIENTS, key, asha()).await;
    let again = desk.with("POST", PATIENTS, key, asha()).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    assert_eq!(desk.get(PATIENTS).await.body["items"].as_array().unwrap().len(), 1);
    let other = desk.with("POST", PATIENTS, key, json!({ "name": "Ravi" })).await;
    assert_eq!(
        (other.status, other.code()),
        (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_reused")
    );
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_null_clears() {
    let clinic = Clinic::new();
    let desk = Asker::new(&clinic, Role::Clerk);
    let mut body = asha();
    body["phones"] = json!([{ "number": "080 2661 1173", "use": "home" }]);
    body["email"] = "asha@example.org".into();
    body["address"] = json!({ "city": "Mysuru", "postal_code": "570001" });
    body["preferences"] = json!({ "channels": ["sms"], "reminders": false });
    let made = desk.register(body).await;
    let path = format!("{PATIENTS}/{}", made["id"].as_str().unwrap());
    let edit = json!({ "email": null, "phone": "98441 11174", "address": { "city": "Hassan" },
        "preferences": { "channels": ["whatsapp", "sms"] } });
    let edited = desk.with("PATCH", &path, ("if-match", "\"1\""), edit).await;
    assert_eq!(edited.status, StatusCode::OK, "{:?}", edited.body);
    assert_eq!(edited.headers["etag"], "\"2\"");
    let mut expected = made;
    expected["version"] = 2.into();
    expected["email"] = Value::Null;
    expected["phone"] = "+919844111174".into();
    expected["phones"][0]["number"] = "+919844111174".into();
    expected["address"]["city"] = "Hassan".into();
    expected["preferences"]["channels"] = json!(["whatsapp", "sms"]);
    assert_eq!(edited.body, expected);
    let nameless = desk.send("PATCH", &path, json!({ "name": null })).await;
    assert_eq!(nameless.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(nameless.body["field"], "name");
}

#[tokio::test]
async fn an_edit_of_what_somebody_else_changed_is_refused() {
    let clinic = Clinic::new();
    let desk = Asker::new(&clinic, Role::Clerk);
    let made = desk.register(asha()).await;
    let path = format!("{PATIENTS}/{}", made["id"].as_str().unwrap());
    desk.with("PATCH", &path, ("if-match", "\"1\""), json!({ "language": "kn" })).await;
    let late = desk.with("PATCH", &path, ("if-match", "\"1\""), json!({ "language": "hi" })).await;
    assert_eq!((late.status, late.code()), (StatusCode::PRECONDITION_FAILED, "stale"));
    assert_eq!(late.body["current_version"], 2);
    assert_eq!(desk.get(&path).await.body["language"], "kn");
}

#[tokio::test]
async fn patients_are_found_by_digits_and_by_misspelt_names_or_listed_newest_first() {
    let clinic = Clinic::new();
    let desk = Asker::new(&clinic, Role::Clerk);
    desk.register(asha()).await;
    desk.register(json!({ "name": "Ravi Kumar", "phone": "98860 22284" })).await;
    desk.register(json!({ "name": "Lakshmi Devi" })).await;
    for (q, name) in [("1173", "Asha Rao"), ("laxmi", "Lakshmi Devi"), ("RAVEE", "Ravi Kumar")] {
        let found = desk.get(&format!("{PATIENTS}?q={q}")).await;
        assert_eq!(names(&found).first(), Some(&name), "{q}");
        assert!(found.body["items"][0]["score"].as_f64().is_some_and(|score| score > 0.0));
    }
    let page = desk.get(&format!("{PATIENTS}?limit=2")).await;
    assert_eq!(names(&page), ["Lakshmi Devi", "Ravi Kumar"]);
    let next = page.body["next"].as_str().unwrap();
    let rest = desk.get(&format!("{PATIENTS}?limit=2&cursor={next}")).await;
    assert_eq!(names(&rest), ["Asha Rao"]);
    assert_eq!(rest.body["next"], Value::Null);
}

#[tokio::test]
async fn a_merge_is_made_and_undone() {
    let clinic = Clinic::new();
    let desk = Asker::new(&clinic, Role::Clerk);
    let kept = desk.register(asha()).await;
    let mut again = asha();
    again["name"] = "Asha Rau".into();
    again["accept_duplicate"] = true.into();
    let duplicate = desk.register(again).await;
    let pairs = desk.get(&format!("{PATIENTS}/duplicates")).await;
    assert_eq!(pairs.body["items"][0]["a"]["id"], kept["id"]);
    assert_eq!(pairs.body["items"][0]["b"]["id"], duplicate["id"]);
    let merge = format!("{PATIENTS}/{}/merge", kept["id"].as_str().unwrap());
    let merged = desk.send("POST", &merge, json!({ "duplicate_id": duplicate["id"] })).await;
    assert_eq!(merged.status, StatusCode::OK, "{:?}", merged.body);
    assert_eq!(merged.body["patient"]["names"], json!(["Asha Rau"]));
    let path = format!("{PATIENTS}/{}", duplicate["id"].as_str().unwrap());
    let gone = desk.get(&path).await.body;
    assert_eq!((&gone["active"], &gone["merged_into"]), (&json!(false), &kept["id"]));
    let id = merged.body["merge_id"].as_str().unwrap();
    let undo = format!("{PATIENTS}/merges/{id}/undo");
    let undone = clinic.call("POST", &undo, &[("authorization", &desk.token)], None).await;
    assert_eq!(undone.status, StatusCode::OK, "{:?}", undone.body);
    assert_eq!(undone.body["kept"]["names"], json!([]));
    assert_eq!(undone.body["restored"]["active"], true);
    let twice = clinic.call("POST", &undo, &[("authorization", &desk.token)], None).await;
    assert_eq!((twice.status, twice.code()), (StatusCode::CONFLICT, "illegal_step"));
}

#[tokio::test]
async fn a_family_is_who_is_related_or_shares_a_number() {
    let clinic = Clinic::new();
    let desk = Asker::new(&clinic, Role::Clerk);
    let child = desk.register(json!({ "name": "Anu", "phone": "98441 11173" })).await;
    let aunt = desk.register(json!({ "name": "Meera" })).await;
    desk.register(asha()).await;
    let path = format!("{PATIENTS}/{}/family", child["id"].as_str().unwrap());
    let body = json!({ "patient_id": aunt["id"], "relationship": "Aunt" });
    let related = desk.send("POST", &path, body).await;
    assert_eq!(related.status, StatusCode::CREATED, "{:?}", related.body);
    assert_eq!(related.body["relationship"], "aunt");
    let family = desk.get(&path).await;
    assert_eq!(names(&family), ["Meera", "Asha Rao"]);
    assert_eq!(family.body["items"][1]["relationship"], Value::Null);
    let back = format!(
        "{PATIENTS}/{}/family/{}",
        aunt["id"].as_str().unwrap(),
        child["id"].as_str().unwrap()
    );
    assert_eq!(desk.send("DELETE", &back, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(names(&desk.get(&path).await), ["Asha Rao"]);
    let gone = desk.send("DELETE", &back, Value::Null).await;
    assert_eq!((gone.status, gone.code()), (StatusCode::NOT_FOUND, "relation_not_found"));
    let no_id = desk.send("DELETE", &format!("{path}/somebody"), Value::Null).await;
    assert_eq!((no_id.status, no_id.code()), (StatusCode::NOT_FOUND, "not_found"));
}

#[tokio::test]
async fn a_pair_that_is_of_two_people_is_listed_no_more() {
    let clinic = Clinic::new();
    let desk = Asker::new(&clinic, Role::Clerk);
    let one = desk.register(asha()).await;
    let mut twin = asha();
    twin["name"] = json!("Usha Rao");
    twin["accept_duplicate"] = json!(true);
    let other = desk.register(twin).await;
    let pairs = format!("{PATIENTS}/duplicates");
    assert_eq!(desk.get(&pairs).await.body["items"].as_array().unwrap().len(), 1);
    let body = json!({ "a": other["id"], "b": one["id"] });
    let dismissed = desk.send("POST", &format!("{pairs}/dismiss"), body).await;
    assert_eq!(dismissed.status, StatusCode::NO_CONTENT, "{:?}", dismissed.body);
    assert_eq!(desk.get(&pairs).await.body["items"], json!([]));
}

#[tokio::test]
async fn who_looked_at_a_record_is_in_the_audit() {
    let clinic = Clinic::new();
    let desk = Asker::new(&clinic, Role::Clerk);
    let made = desk.register(asha()).await;
    let id = made["id"].as_str().unwrap();
    desk.get(&format!("{PATIENTS}?q=asha")).await;
    desk.get(&format!("{PATIENTS}/{id}")).await;
    desk.get(&format!("{PATIENTS}/{id}/appointments")).await;
    desk.get(&format!("{PATIENTS}/{id}/family")).await;
    let auditor = Asker::new(&clinic, Role::Auditor);
    let lines = auditor.get(&format!("/api/v1/prm/audit?patient={id}")).await;
    let items = lines.body["items"].as_array().unwrap();
    let said =
        items.iter().map(|line| (line["verb"].as_str().unwrap(), line["noun"].as_str().unwrap()));
    // Newest first; the look into the audit itself is written after the list was made.
    let expected = [
        ("list", "patient"),
        ("list", "appointment"),
        ("read", "patient"),
        ("list", "patient"),
        ("register", "patient"),
    ];
    assert_eq!(said.collect::<Vec<_>>(), expected);
}
