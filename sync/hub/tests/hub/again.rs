//! Whoever lost the answer asks again with the same `Idempotency-Key`, and books once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sync_hub::idempotency::{self, Begun, By, KEPT_MS, KEY_BYTES_MAX};
use sync_hub::loans;
use sync_hub::store::{self, StoreError};
use sync_protocol::ask::{Ask, Reply};
use sync_protocol::downlink::Taken;

use super::Place;
use super::asking::{Heard, ask, get, new_token};
use super::booking::{PATIENT, asking, clinic, lend, one, reference};

/// What is asked to book the first time that is found.
async fn wanted(place: &Place, token: &str, base: &str) -> Value {
    let first = get(&place.hub, token, &format!("{base}/$find")).await.ids()[0].clone();
    let time = reference("appointment-reference", &format!("Appointment/{first}"));
    json!([time, reference("patient-reference", &format!("Patient/{PATIENT}"))])
}

async fn book(place: &Place, token: &str, key: &str, path: &str, asked: &Value) -> Heard {
    ask(&place.hub, asking(token, Some(key), path, asked.clone())).await
}

fn on_offer(place: &Place, clinic: [u8; 16]) -> usize {
    loans::on_offer(&place.hub, clinic, None, 100).unwrap().len()
}

/// What is kept under all keys, sealed.
fn kept(place: &Place, clinic: [u8; 16]) -> Vec<Vec<u8>> {
    let sql = "SELECT body FROM idempotency WHERE clinic = ?1";
    let read = |tx: &store::Tx<'_>| -> Result<_, StoreError> {
        tx.rows(sql, &[(&clinic).into()], |row| row.get(0))
    };
    place.hub.store.read(clinic, read).unwrap()
}

#[tokio::test]
async fn the_same_key_and_body_book_once_for_a_day() {
    let mut place = Place::new();
    let (device, base, token) = clinic(&place).await;
    lend(&place, &device, 4);
    let path = format!("{base}/$book");
    let asked = wanted(&place, &token, &base).await;
    let first = book(&place, &token, "k", &path, &asked).await;
    assert_eq!((first.status, one(&first)["status"].as_str()), (StatusCode::OK, Some("booked")));
    let again = book(&place, &token, "k", &path, &asked).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    place.restart();
    let again = book(&place, &token, "k", &path, &asked).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body), "also after a restart");
    let mut other = asked.clone();
    other[0] = reference("appointment-reference", "Appointment/x");
    for (path, asked) in [(&path, &other), (&format!("{base}/$hold"), &asked)] {
        let heard = book(&place, &token, "k", path, asked).await;
        assert_eq!(heard.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    assert_eq!(book(&place, &token, &long, &path, &asked).await.status, StatusCode::BAD_REQUEST);
    // Another program has keys of its own, and a day later a key is as good as new.
    let theirs = new_token(&place, device.clinic, "system/*.cruds", None);
    let wish = book(&place, &theirs, "k", &path, &asked).await;
    assert_eq!(wish.status, StatusCode::ACCEPTED, "the time is taken");
    place.clock.fetch_add(KEPT_MS, Ordering::Relaxed);
    let late = book(&place, &token, "k", &path, &asked).await;
    assert_eq!(late.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_hub_that_died_after_the_sale_answers_as_if_it_had_not() {
    let place = Place::new();
    let (device, base, token) = clinic(&place).await;
    lend(&place, &device, 4);
    let asked = wanted(&place, &token, &base).await;
    let held = book(&place, &token, "hold", &format!("{base}/$hold"), &asked).await;
    let id = format!("Appointment/{}", one(&held)["id"].as_str().unwrap());
    let of_hold = json!([reference("appointment-reference", &id)]);
    let asked = wanted(&place, &token, &base).await;
    let path = format!("{base}/$book");
    for (key, asked) in [("time", &asked), ("held", &of_hold)] {
        let before = kept(&place, device.clinic);
        let first = book(&place, &token, key, &path, asked).await;
        assert_eq!(one(&first)["status"], "booked", "{key}");
        let left = on_offer(&place, device.clinic);
        // The answer was never kept: the row is as it was before anything was done.
        let row = kept(&place, device.clinic).into_iter().find(|it| !before.contains(it)).unwrap();
        let clinic = device.clinic;
        let unanswered = |tx: &store::Tx<'_>| -> Result<(), StoreError> {
            let of = store::clinic(tx, clinic)?.unwrap();
            let opener = place.hub.key_of(&of).unwrap();
            let sql = "SELECT id FROM idempotency WHERE clinic = ?1 AND body = ?2";
            let read = |row: &store::sql::Row<'_>| row.get::<Vec<u8>>(0);
            let id = tx.row(sql, &[(&clinic).into(), (&row).into()], read)?.unwrap();
            let bound = [&b"idempotency "[..], &id].concat();
            let mut kept: Value =
                serde_json::from_slice(&opener.open(&bound, &row).unwrap()).unwrap();
            kept["answer"] = Value::Null;
            let sealed = opener.seal(&bound, kept.to_string().as_bytes()).unwrap();
            let sql = "UPDATE idempotency SET body = ?3 WHERE clinic = ?1 AND id = ?2";
            tx.execute(sql, &[(&clinic).into(), (&id).into(), (&sealed).into()])?;
            Ok(())
        };
        place.hub.store.write(clinic, unanswered).unwrap();
        let again = book(&place, &token, key, &path, asked).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{key}");
        assert_eq!(on_offer(&place, device.clinic), left, "nothing more is sold: {key}");
    }
}

#[tokio::test]
async fn what_the_box_was_asked_is_never_sold_by_the_hub_and_its_late_answer_is_heard() {
    let mut place = Place::new();
    let (device, base, token) = clinic(&place).await;
    lend(&place, &device, 2);
    let asked = wanted(&place, &token, &base).await;
    let path = format!("{base}/$book");
    // The box is there, is asked, and the caller hangs up.
    place.hub.requests.end();
    let taken = Taken::NONE.take(&device.poll(&place.hub, Taken::NONE.position).await.unwrap()).0;
    let (hub, request) = (Arc::clone(&place.hub), asking(&token, Some("k"), &path, asked.clone()));
    let caller = tokio::spawn(async move { ask(&hub, request).await });
    let request = loop {
        let batch = device.poll(&place.hub, taken.position).await.unwrap();
        if let Some(request) = taken.take(&batch).1.first() {
            break (*request).clone();
        }
        tokio::task::yield_now().await;
    };
    caller.abort();
    assert!(caller.await.is_err());
    let Ask::Operation(operation) = Ask::from_bytes(&request.body).unwrap() else {
        panic!("an operation is asked")
    };
    // A minute later the box counts as away. It is still the box who does it.
    place.restart();
    place.clock.fetch_add(120_000, Ordering::Relaxed);
    let waits = kept(&place, device.clinic);
    assert_eq!(waits.len(), 1);
    let tokens = place.hub.store.read(device.clinic, |tx| store::tokens(tx, device.clinic, 9));
    let at = idempotency::place_of(tokens.unwrap()[0].id, "k");
    let told = json!({ "resourceType": "Parameters", "parameter": asked });
    let told = fhir::Resource::from_value(told).unwrap().to_vec();
    let whole = [&b"book  "[..], &told].concat();
    let Begun::Ours(once) = idempotency::begin(&place.hub, device.clinic, at, &whole).unwrap()
    else {
        panic!("it is known and not answered")
    };
    assert!(once.again && once.request == operation.id);
    let by = || idempotency::by(&place.hub, device.clinic, &once).unwrap();
    assert_eq!(by(), Some(By::Box));
    let booked = json!({
        "resourceType": "Bundle", "type": "searchset", "total": 1,
        "entry": [{ "fullUrl": "Appointment/y", "search": { "mode": "match" }, "resource": {
            "resourceType": "Appointment", "id": "y", "status": "booked",
            "start": "2027-01-16T08:00:00Z", "end": "2027-01-16T08:15:00Z",
            "participant": [{ "actor": { "display": "Dr. Iyer" }, "status": "accepted" }],
        } }],
    });
    let body = booked.to_string().into_bytes();
    let reply = Reply { id: operation.id, status: 200, body, before: None };
    assert_eq!(device.reply(&place.hub, &reply).await, StatusCode::NO_CONTENT);
    for _ in 0..2 {
        let heard = book(&place, &token, "k", &path, &asked).await;
        assert_eq!((heard.status, one(&heard)["id"].as_str()), (StatusCode::OK, Some("y")));
    }
    let sold = place.hub.store.read(device.clinic, |tx| -> Result<_, StoreError> {
        let sql = "SELECT count(*) FROM sale WHERE clinic = ?1";
        tx.row(sql, &[(&device.clinic).into()], |row| row.get::<i64>(0))
    });
    assert_eq!(sold.unwrap(), Some(0), "the hub sold nothing");
}
