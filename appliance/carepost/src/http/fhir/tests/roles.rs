//! What a practitioner does here, and when.

use axum::http::StatusCode;
use serde_json::json;

use super::{Door, address, text};

#[tokio::test]
async fn a_role_says_when_and_what_as_the_clinic_knows_it_now() {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let echo = door.create(json!({ "resourceType": "HealthcareService", "name": "Echo" })).await;
    let path = format!("/PractitionerRole/{}", text(&rao["id"]));
    let role = door.get(&path).await.body;
    let hours = &role["availableTime"][0];
    assert_eq!(hours["availableStartTime"], "09:00:00");
    assert_eq!(hours["availableEndTime"], "17:00:00");
    assert_eq!(hours["daysOfWeek"].as_array().unwrap().len(), 7);
    let of_echo = format!("/PractitionerRole?service={}", address(&echo));
    assert_eq!(door.ids(&of_echo).await, [text(&rao["id"])]);
    // Written back as it was read, it is not kept as what somebody gave.
    assert_eq!(door.put(&path, role.clone()).await.status, StatusCode::OK);
    let sessions = door.desk("GET", "schedules", None).await.body;
    let session = sessions["items"].as_array().or(sessions.as_array()).unwrap()[0].clone();
    let ended = door.desk("DELETE", &format!("schedules/{}", text(&session["id"])), None).await;
    assert!(ended.status.is_success(), "{}", ended.body);
    let mut role = door.get(&path).await.body;
    assert!(role.get("availableTime").is_none(), "{role}");
    role["availableTime"] = json!([{ "daysOfWeek": ["sun"], "allDay": true }]);
    door.put(&path, role.clone()).await;
    assert_eq!(door.get(&path).await.body["availableTime"], role["availableTime"]);
    let first = door.get(&format!("{path}/_history/1")).await.body;
    assert!(first.get("availableTime").is_none() && first.get("healthcareService").is_none());
}
