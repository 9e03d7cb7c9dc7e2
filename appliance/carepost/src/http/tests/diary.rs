//! The diary: practitioners, rooms, services, sessions, leave, closed days.

use axum::http::StatusCode;
use prm::stamp::Role;
use serde_json::{Value, json};

use super::{Answered, Clinic};

const ROOT: &str = "/api/v1/prm";

async fn ask(
    clinic: &Clinic,
    token: &str,
    (method, path): (&str, &str),
    body: Option<Value>,
) -> Answered {
    clinic.call(method, &format!("{ROOT}/{path}"), &[("authorization", token)], body).await
}

async fn create(clinic: &Clinic, token: &str, path: &str, body: Value) -> Value {
    let made = ask(clinic, token, ("POST", path), Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{path}: {:?}", made.body);
    made.body
}

/// A practitioner with a session on weekdays; answers both.
async fn doctor(clinic: &Clinic, token: &str) -> (Value, Value) {
    let body = json!({ "name": "Dr Rao", "specialties": ["Cardiology"] });
    let practitioner = create(clinic, token, "practitioners", body).await;
    let body = json!({ "practitioner_id": practitioner["id"], "start": "09:00", "end": "17:00",
        "weekdays": ["mon", "tue", "wed", "thu", "fri"], "slot_minutes": 15 });
    let schedule = create(clinic, token, "schedules", body).await;
    (practitioner, schedule)
}

#[tokio::test]
async fn a_practitioner_with_a_session_is_added_as_the_contract_says() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Integrator);
    let (practitioner, schedule) = doctor(&clinic, &token).await;
    assert_eq!(practitioner["specialties"], json!(["cardiology"]));
    assert_eq!(practitioner["token_prefix"], "A");
    let expected = json!({
        "id": schedule["id"], "version": 1, "practitioner_id": practitioner["id"],
        "location_id": null, "weekdays": ["mon", "tue", "wed", "thu", "fri"],
        "start": "09:00", "end": "17:00", "slot_minutes": 15, "slot_capacity": 1,
        "session_capacity": null, "valid_from": null, "valid_to": null, "active": true,
        "loan_share_percent": null, "loan_cutoff_hours": null, "loan_horizon_days": null,
    });
    assert_eq!(schedule, expected);
    let mine = format!("schedules?practitioner={}", practitioner["id"].as_str().unwrap());
    let listed = ask(&clinic, &token, ("GET", &mine), None).await;
    assert_eq!(listed.body, json!({ "items": [expected], "next": null }));
}

#[tokio::test]
async fn a_long_list_of_slots_is_whole_and_each_is_as_the_contract_says() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Integrator);
    let (practitioner, schedule) = doctor(&clinic, &token).await;
    let path = "slots?from=2026-11-24&to=2027-01-24&limit=10000";
    let answered = ask(&clinic, &token, ("GET", path), None).await;
    assert_eq!(answered.headers["content-type"], "application/json");
    assert_eq!(answered.body["next"], Value::Null);
    let slots = answered.body["items"].as_array().unwrap();
    // 44 weekdays of 32 slots.
    assert_eq!(slots.len(), 44 * 32);
    let id = format!("{}.{}", schedule["id"].as_str().unwrap(), 29_929_170);
    assert_eq!(
        slots[32 * 3],
        json!({
            "id": id, "schedule_id": schedule["id"], "practitioner_id": practitioner["id"],
            "location_id": null, "start": "2026-11-27T09:00:00+05:30",
            "end": "2026-11-27T09:15:00+05:30", "free": 1, "lent": false,
        })
    );
    let none = ask(&clinic, &token, ("GET", "slots?from=2026-11-28&to=2026-11-29"), None).await;
    assert_eq!(none.body, json!({ "items": [], "next": null }));
}

#[tokio::test]
async fn a_session_is_changed_and_ended_but_its_times_stay() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Clerk);
    let (_, schedule) = doctor(&clinic, &token).await;
    let path = format!("schedules/{}", schedule["id"].as_str().unwrap());
    let edit = json!({ "slot_capacity": 2, "valid_to": "2026-12-31" });
    let edited = ask(&clinic, &token, ("PATCH", &path), Some(edit)).await;
    assert_eq!(
        (&edited.body["slot_capacity"], &edited.body["valid_to"]),
        (&json!(2), &json!("2026-12-31"))
    );
    let unbounded = ask(&clinic, &token, ("PATCH", &path), Some(json!({ "valid_to": null }))).await;
    assert_eq!(unbounded.body["valid_to"], Value::Null);
    for (edit, field) in
        [(json!({ "start": "10:00" }), "start"), (json!({ "valid_to": "soon" }), "valid_to")]
    {
        let refused = ask(&clinic, &token, ("PATCH", &path), Some(edit)).await;
        assert_eq!(
            (refused.status, &refused.body["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(field))
        );
    }
    let ended = ask(&clinic, &token, ("DELETE", &path), None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    let listed = ask(&clinic, &token, ("GET", "schedules"), None).await;
    assert_eq!(listed.body["items"], json!([]));
}

#[tokio::test]
async fn whom_a_change_concerns_is_said_by_the_version_that_was_seen() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Clerk);
    let room =
        create(&clinic, &token, "locations", json!({ "name": "Room 1", "kind": "room" })).await;
    let path = format!("{ROOT}/locations/{}", room["id"].as_str().unwrap());
    let headers = [("authorization", token.as_str()), ("if-match", "\"1\"")];
    let edited = clinic.call("PATCH", &path, &headers, Some(json!({ "name": "Room 2" }))).await;
    assert_eq!((edited.status, &edited.body["version"]), (StatusCode::OK, &json!(2)));
    let late = clinic.call("PATCH", &path, &headers, Some(json!({ "active": false }))).await;
    assert_eq!((late.status, late.code()), (StatusCode::PRECONDITION_FAILED, "stale"));
}

#[tokio::test]
async fn a_healthcare_service_names_who_does_it_and_what_it_needs() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Admin);
    let (practitioner, _) = doctor(&clinic, &token).await;
    let body = json!({ "name": "Treadmill", "kind": "equipment" });
    let treadmill = create(&clinic, &token, "locations", body).await;
    let body = json!({ "name": "Stress test", "duration_minutes": 40, "buffer_minutes": 10,
        "practitioner_ids": [practitioner["id"]], "location_ids": [treadmill["id"]] });
    let made = create(&clinic, &token, "healthcare-services", body).await;
    assert_eq!(made["location_ids"], json!([treadmill["id"]]));
    let path = format!("healthcare-services/{}", made["id"].as_str().unwrap());
    let edit = json!({ "practitioner_ids": null, "duration_minutes": 45 });
    let edited = ask(&clinic, &token, ("PATCH", &path), Some(edit)).await;
    assert_eq!(
        (&edited.body["practitioner_ids"], &edited.body["duration_minutes"]),
        (&json!([]), &json!(45))
    );
    let wrong = json!({ "name": "Echo", "duration_minutes": 7 });
    let refused = ask(&clinic, &token, ("POST", "healthcare-services"), Some(wrong)).await;
    assert_eq!(
        (refused.status, &refused.body["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("duration_minutes"))
    );
}

#[tokio::test]
async fn a_leave_names_the_appointments_that_it_leaves_to_be_moved() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Clerk);
    let (practitioner, schedule) = doctor(&clinic, &token).await;
    let patient = create(&clinic, &token, "patients", json!({ "name": "Asha Rao" })).await;
    for (time, day) in [("09:00", "inside"), ("09:15", "called off"), ("09:00", "after")] {
        let date = if day == "after" { "2026-11-26" } else { "2026-11-25" };
        let start: jiff::Timestamp = format!("{date}T{time}:00+05:30").parse().unwrap();
        let slot = format!("{}.{}", schedule["id"].as_str().unwrap(), start.as_second() / 60);
        let body = json!({ "patient_id": patient["id"], "slot_id": slot, "reason": day });
        let booked = create(&clinic, &token, "appointments", body).await;
        if day == "called off" {
            let path = format!("appointments/{}/cancel", booked["id"].as_str().unwrap());
            ask(&clinic, &token, ("POST", &path), Some(json!({ "reason": "better" }))).await;
        }
    }
    let body =
        json!({ "practitioner_id": practitioner["id"], "from": "2026-11-24", "to": "2026-11-25" });
    let taken = create(&clinic, &token, "leaves", body).await;
    let affected = taken["affected"].as_array().unwrap();
    let reasons: Vec<_> = affected.iter().map(|one| one["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["inside"]);
    assert_eq!(affected[0]["patient"]["name"], "Asha Rao");
    assert_eq!(affected[0]["start"], "2026-11-25T09:00:00+05:30");
    let listed = ask(&clinic, &token, ("GET", "leaves"), None).await;
    assert_eq!(listed.body["items"], json!([taken["leave"]]));
    let path = format!("leaves/{}", taken["leave"]["id"].as_str().unwrap());
    assert_eq!(ask(&clinic, &token, ("DELETE", &path), None).await.status, StatusCode::NO_CONTENT);
    let gone = ask(&clinic, &token, ("DELETE", &path), None).await;
    assert_eq!((gone.status, gone.code()), (StatusCode::NOT_FOUND, "leave_not_found"));
}

#[tokio::test]
async fn a_day_is_closed_once_and_opened_again() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Clerk);
    let body = json!({ "date": "2026-12-25", "reason": "Christmas" });
    create(&clinic, &token, "closed-days", body.clone()).await;
    let twice = ask(&clinic, &token, ("POST", "closed-days"), Some(body)).await;
    assert_eq!((twice.status, twice.code()), (StatusCode::CONFLICT, "name_taken"));
    let listed = ask(&clinic, &token, ("GET", "closed-days"), None).await;
    assert_eq!(listed.body["items"][0]["date"], "2026-12-25");
    let opened = ask(&clinic, &token, ("DELETE", "closed-days/2026-12-25"), None).await;
    assert_eq!(opened.status, StatusCode::NO_CONTENT);
    let no_day = ask(&clinic, &token, ("DELETE", "closed-days/someday"), None).await;
    assert_eq!(no_day.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_those_who_may_change_the_diary() {
    let clinic = Clinic::new();
    let body = json!({ "name": "Room 1", "kind": "room" });
    let practitioner = clinic.token(Role::Practitioner);
    let forbidden = ask(&clinic, &practitioner, ("POST", "locations"), Some(body.clone())).await;
    assert_eq!((forbidden.status, forbidden.code()), (StatusCode::FORBIDDEN, "forbidden"));
    let stranger = clinic.call("POST", &format!("{ROOT}/locations"), &[], Some(body)).await;
    assert_eq!((stranger.status, stranger.code()), (StatusCode::UNAUTHORIZED, "signin_required"));
    for path in
        ["practitioners", "locations", "healthcare-services", "schedules", "leaves", "closed-days"]
    {
        let stranger = clinic.call("GET", &format!("{ROOT}/{path}"), &[], None).await;
        assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}
