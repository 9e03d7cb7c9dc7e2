//! Lists: their parts, and what may be asked of them.

use axum::http::StatusCode;
use prm::stamp::Role;
use serde_json::{Value, json};

use super::Clinic;
use super::visits::Practice;
use crate::http::openapi::document;

const ROOT: &str = "/api/v1/prm";

/// The paths of the document that answer a list.
fn lists() -> Vec<(String, Value)> {
    let whole = serde_json::to_value(document()).unwrap();
    let mut found = Vec::new();
    for (path, methods) in whole["paths"].as_object().unwrap() {
        let shape = &methods["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        if shape["$ref"].as_str().is_some_and(|name| name.contains("/Page_")) {
            found.push((path.clone(), methods["get"].clone()));
        }
    }
    found
}

#[test]
fn every_list_takes_a_limit_and_a_cursor() {
    let lists = lists();
    assert!(lists.len() > 15, "{lists:?}");
    for (path, list) in lists {
        let parameters = list["parameters"].as_array().unwrap();
        for name in ["limit", "cursor"] {
            assert!(parameters.iter().any(|known| known["name"] == name), "{path} {name}");
        }
    }
}

/// The ids of a list that is asked for item by item.
async fn ids_one_by_one(practice: &Practice, path: &str) -> Vec<Value> {
    let mark = if path.contains('?') { '&' } else { '?' };
    let (mut ids, mut at) = (Vec::new(), format!("{path}{mark}limit=1"));
    loop {
        let page = practice.get(&at).await.body;
        let items = page["items"].as_array().expect("a list").iter();
        ids.extend(items.map(|item| item["id"].clone()));
        match page["next"].as_str() {
            Some(next) => at = format!("{path}{mark}limit=1&cursor={next}"),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn a_list_in_parts_is_the_list_as_a_whole() {
    let practice = Practice::open().await;
    for n in 0..3 {
        practice.post("locations", json!({ "name": format!("Room {n}"), "kind": "room" })).await;
        practice.post("check-ins/desk", json!({})).await;
    }
    for path in ["locations", "queue", "slots?from=2026-11-23&to=2026-11-25"] {
        let whole = practice.get(path).await.body;
        assert_eq!(whole["next"], Value::Null);
        let ids: Vec<_> =
            whole["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
        assert!(ids.len() > 2);
        assert_eq!(ids_one_by_one(&practice, path).await, ids, "{path}");
    }
}

#[tokio::test]
async fn a_part_goes_on_where_it_was_when_its_last_item_is_gone() {
    let practice = Practice::open().await;
    for day in ["2026-12-24", "2026-12-25", "2026-12-26"] {
        practice.post("closed-days", json!({ "date": day, "reason": "holiday" })).await;
    }
    let first = practice.get("closed-days?limit=2").await.body;
    practice.delete("closed-days/2026-12-25").await;
    let path = format!("closed-days?cursor={}", first["next"].as_str().unwrap());
    let rest = practice.get(&path).await.body;
    let dates = rest["items"].as_array().unwrap().iter().map(|day| &day["date"]);
    assert_eq!(dates.collect::<Vec<_>>(), [&json!("2026-12-26")]);
}

#[tokio::test]
async fn pairs_of_duplicates_come_in_parts_that_miss_none() {
    let practice = Practice::open().await;
    for n in 0..3 {
        let body = json!({ "name": "Asha Rao", "phone": format!("98450 0000{n}"),
            "birth_date": "1984-05-02", "accept_duplicate": true });
        practice.post("patients", body).await;
    }
    let pair = |item: &Value| (item["a"]["id"].clone(), item["b"]["id"].clone());
    let whole = practice.get("patients/duplicates").await.body;
    let whole: Vec<_> = whole["items"].as_array().unwrap().iter().map(pair).collect();
    assert_eq!(whole.len(), 6, "each of the four with each other");
    let (mut found, mut path) = (Vec::new(), "patients/duplicates?limit=4".to_owned());
    loop {
        let page = practice.get(&path).await.body;
        found.extend(page["items"].as_array().unwrap().iter().map(pair));
        match page["next"].as_str() {
            Some(next) => path = format!("patients/duplicates?limit=4&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, whole);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_only() {
    let practice = Practice::open().await;
    for n in 0..2 {
        practice.post("locations", json!({ "name": format!("Room {n}"), "kind": "room" })).await;
    }
    let next = practice.get("locations?limit=1").await.body["next"].clone();
    let slots = practice.get("slots?from=2026-11-24&to=2026-11-25&limit=1").await.body;
    let slot = slots["items"][0]["id"].as_str().unwrap();
    for (path, _) in lists() {
        let path = path.trim_start_matches("/api/v1/prm/");
        let path = path.replace("{id}", practice.patient.as_str().unwrap());
        let about = match path.as_str() {
            "faqs/find" => "q=parking&language=en&".to_owned(),
            "waitlist/fitting" => format!("slot={slot}&"),
            _ => String::new(),
        };
        let at = format!("{path}?{about}cursor={}", next.as_str().unwrap());
        let answered = practice.as_admin(&at).await;
        let fits = path == "locations";
        let status = if fits { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        assert_eq!(answered.status, status, "{path}: {:?}", answered.body);
        assert!(fits || answered.body["field"] == "cursor", "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_named() {
    let clinic = Clinic::new();
    let admin = clinic.token(Role::Admin);
    let headers = [("authorization", admin.as_str())];
    for (path, query, field) in [
        ("patients", "limit=-1", "limit"),
        ("patients", "limit=99999999999999999999", "limit"),
        ("audit", "verb=read", "verb"),
        ("slots", "practitioner=x", "practitioner"),
        ("queue", "date=2026-02-30", "date"),
        ("patients", "q=asha&cursor=W10", "cursor"),
    ] {
        let answered = clinic.call("GET", &format!("{ROOT}/{path}?{query}"), &headers, None).await;
        assert_eq!(answered.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}?{query}");
        assert_eq!(answered.body["field"], field, "{path}?{query}: {:?}", answered.body);
    }
}

#[tokio::test]
async fn times_beyond_the_calendar_are_refused_and_break_nothing() {
    let practice = Practice::open().await;
    let slots = practice.get("slots?limit=1").await.body;
    let slot = slots["items"][0]["id"].as_str().unwrap().to_owned();
    let schedule = slot.split('.').next().unwrap();
    for minute in ["0", "4294967295", "4223370000"] {
        let body =
            json!({ "patient_id": practice.patient, "slot_id": format!("{schedule}.{minute}") });
        let refused = practice.post("appointments", body).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "slot_unavailable"));
    }
    for date in ["-009999-01-01", "0001-01-01", "9999-12-31"] {
        let closed = practice.post("closed-days", json!({ "date": date, "reason": "x" })).await;
        assert_eq!(closed.body["field"], "date", "{date}");
        let until = json!({ "valid_to": date });
        let ended = practice.patch(&format!("schedules/{schedule}"), until).await;
        assert_eq!(ended.body["field"], "valid_to", "{date}");
        let leave = json!({ "practitioner_id": slots["items"][0]["practitioner_id"], "from": date, "to": date });
        assert_eq!(practice.post("leaves", leave).await.body["field"], "from", "{date}");
        let listed = practice.get(&format!("slots?from={date}")).await.status;
        assert!(listed.as_u16() < 500, "{date}");
        assert_eq!(practice.get(&format!("queue?date={date}")).await.status, StatusCode::OK);
    }
}
