//! Patients who are edited here and at the hub.

use axum::http::StatusCode;
use prm::stamp::Role;
use serde_json::{Value, json};
use sync_agent::ask::{Ask, Edit, Id};
use uuid::Uuid;

use super::{Asked, text};

impl Asked {
    /// The patient as the hub holds them.
    async fn told(&self, id: &Value) -> Value {
        let token = self.clinic.token(Role::Integrator);
        let path = format!("/fhir/Patient/{}", text(id));
        let found = self.clinic.call("GET", &path, &[("authorization", &token)], None).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.body);
        found.body
    }

    async fn edit_here(&self, id: &Value, what: Value) {
        let path = format!("patients/{}", text(id));
        let edited = self.desk("PATCH", &path, Some(what)).await;
        assert_eq!(edited.status, StatusCode::OK, "{}", edited.body);
    }
}

/// An edit of the hub that began with `base`.
fn edit(id: u8, base: &Value, there: &Value) -> Ask {
    let patient = text(&base["id"]).parse::<Uuid>().unwrap().into_bytes();
    let bytes = |resource: &Value| resource.to_string().into_bytes();
    Ask::Edit(Edit {
        id: Id([id; 16]),
        patient,
        base_version: 1,
        base: bytes(base),
        resource: bytes(there),
        by: "portal".to_owned(),
        at_ms: 1_795_000_000_000,
    })
}

fn with(resource: &Value, element: &str, value: Value) -> Value {
    let mut next = resource.clone();
    next[element] = value;
    next
}

#[tokio::test]
async fn what_one_side_edited_is_taken_and_the_hub_hears_what_came_of_it() {
    let asked = Asked::open();
    let asha = asked.patient("Asha Rao").await;
    let base = asked.told(&asha["id"]).await;
    asked.edit_here(&asha["id"], json!({ "name": "Asha Hegde" })).await;
    let there = with(&base, "birthDate", json!("1984-05-02"));
    let there = with(&there, "maritalStatus", json!({ "text": "married" }));
    asked.take(&edit(1, &base, &there));
    let now = asked.told(&asha["id"]).await;
    assert_eq!(
        (&now["name"][0]["text"], &now["birthDate"]),
        (&json!("Asha Hegde"), &json!("1984-05-02"))
    );
    assert_eq!(now["maritalStatus"]["text"], "married", "also what the records have no place for");
    let (status, told) = asked.reply([1; 16]).expect("an answer");
    assert_eq!((status, &told["birthDate"], &told["name"]), (200, &now["birthDate"], &now["name"]));
    assert!(asked.items("sync/conflicts").await.is_empty());
}

#[tokio::test]
async fn what_both_edited_stays_as_it_is_here_until_somebody_takes_the_other() {
    let asked = Asked::open();
    let asha = asked.patient("Asha Rao").await;
    let base = asked.told(&asha["id"]).await;
    asked.edit_here(&asha["id"], json!({ "birth_date": "1984-05-02", "sex": "female" })).await;
    let there = with(&base, "birthDate", json!("1985-05-02"));
    let there = with(&there, "gender", json!("other"));
    asked.take(&edit(1, &base, &there));
    let now = asked.told(&asha["id"]).await;
    assert_eq!((&now["birthDate"], &now["gender"]), (&json!("1984-05-02"), &json!("female")));
    let open = asked.items("sync/conflicts").await;
    assert_eq!(open.len(), 2, "{open:?}");
    assert_eq!(asked.desk("GET", "sync", None).await.body["conflicts"], 2, "counted, too");
    let of = |field: &str| open.iter().find(|it| it["field"] == field).unwrap().clone();
    let (birth, sex) = (of("birthDate"), of("gender"));
    assert_eq!((&birth["here"], &birth["there"]), (&json!("1984-05-02"), &json!("1985-05-02")));
    assert_eq!((&birth["base"], &birth["edited_by"]), (&Value::Null, &json!("portal")));
    let path = format!("sync/conflicts/{}/keep", text(&sex["id"]));
    assert_eq!(asked.desk("POST", &path, None).await.body["ruling"], "kept");
    let path = format!("sync/conflicts/{}/take", text(&birth["id"]));
    assert_eq!(asked.desk("POST", &path, None).await.body["ruling"], "taken");
    assert_eq!(asked.desk("POST", &path, None).await.code(), "illegal_step");
    let now = asked.told(&asha["id"]).await;
    assert_eq!((&now["birthDate"], &now["gender"]), (&json!("1985-05-02"), &json!("female")));
    assert!(asked.items("sync/conflicts").await.is_empty());
}

#[tokio::test]
async fn an_edit_that_the_rules_refuse_is_not_lost_and_one_of_nobody_is_said_to_be() {
    let asked = Asked::open();
    let asha = asked.patient("Asha Rao").await;
    let base = asked.told(&asha["id"]).await;
    let there = with(&base, "birthDate", json!("2099-01-01"));
    asked.take(&edit(1, &base, &there));
    assert_eq!(asked.told(&asha["id"]).await.get("birthDate"), None);
    let open = asked.items("sync/conflicts").await;
    let [it] = open.as_slice() else { panic!("{open:?}") };
    assert_eq!((&it["field"], &it["there"]), (&json!("birthDate"), &json!("2099-01-01")));
    let path = format!("sync/conflicts/{}/take", text(&it["id"]));
    let refused = asked.desk("POST", &path, None).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    assert_eq!(asked.items("sync/conflicts").await.len(), 1, "it is still open");
    let nobody = with(&base, "id", json!(Uuid::from_u128(7)));
    asked.take(&edit(2, &nobody, &there));
    assert_eq!(asked.reply([2; 16]).map(|it| it.0), Some(404));
    asked.take(&edit(3, &base, &json!({ "resourceType": "Patient", "birthDate": 7 })));
    assert_eq!(asked.reply([3; 16]).map(|it| it.0), Some(422));
}
