//! Bookings through the hub: by the box when it is there, from what it lent when it is away.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use fhir::Resource;
use fhir::extension::{CHECK_IN_CODE, WEEKLY_SESSION};
use serde_json::{Value, json};
use sync_hub::loans;
use sync_hub::store::{self, LoanRow, StoreError};
use sync_protocol::ask::{Ask, Name, Reply};
use sync_protocol::downlink::Taken;
use sync_protocol::loan::{Borrower, Epoch, Fence, Holding, Terms};
use sync_protocol::qr;
use sync_protocol::wire::SlotKey;
use uuid::Uuid;

use super::Place;
use super::asking::{Heard, ask, get, new_token, organization};
use super::device::Device;

pub const SCHEDULE: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0007);
/// The id that the box gave its clinic.
const OWN: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0102_0304);
pub const PATIENT: &str = "01980000-0000-7000-8000-000000000001";
/// 2027-01-16T08:00Z in minutes since 1970: a day after the clock of these tests.
pub const FIRST: u32 = 30_001_440;
const DAY_MS: i64 = 24 * 3_600_000;

/// A clinic with a session and a patient; what follows the address of its FHIR, and a token.
pub async fn clinic(place: &Place) -> (Device, String, String) {
    let mut device = place.join("Shanti").await;
    let number = |name: &str, number: i64| json!({ "url": name, "valuePositiveInt": number });
    let session = json!({
        "resourceType": "Schedule", "id": SCHEDULE,
        "extension": [{ "url": WEEKLY_SESSION, "extension": [number("slotMinutes", 15)] }],
        "actor": [{ "reference": "Practitioner/d1" }],
    });
    device.write(&format!("Schedule/{SCHEDULE}"), &session.to_string());
    let own = organization(OWN, "Shanti");
    device.write(&format!("Organization/{OWN}"), &own.to_string());
    device.write_patient(PATIENT, "Asha Rao");
    device.sync(&place.hub).await;
    let token = new_token(place, device.clinic, "system/*.cruds", None);
    let base = format!("/fhir/{}/Appointment", Uuid::from_bytes(device.clinic));
    (device, base, token)
}

/// The box lends so many slots, one after the other.
pub fn lend(place: &Place, device: &Device, many: u32) {
    let now_ms = place.hub.clock.now_ms();
    let living = place
        .hub
        .store
        .read(device.clinic, |tx| store::enrolled(tx, device.clinic))
        .unwrap()
        .unwrap();
    let clinic = place.hub.store.read(device.clinic, |tx| store::clinic(tx, device.clinic));
    let clinic = clinic.unwrap().unwrap();
    let generation = living.ledger.unwrap().lineage.generation;
    for nth in 0..many {
        let minute = FIRST + nth * 15;
        let slot = SlotKey([SCHEDULE.as_bytes().as_slice(), &minute.to_be_bytes(), &[0]].concat());
        let terms = Terms {
            nonce: place.hub.nonce(&clinic),
            term_ms: 86_400_000,
            sell_until_ms: now_ms + DAY_MS,
        };
        let holding = Some(Holding { terms, sale: None });
        let fence = Fence { generation, epoch: Epoch(1) };
        let state = Borrower { fence, holding, past: Vec::new() };
        let (sell_until, look_at) = (terms.sell_until_ms, terms.sell_until_ms);
        let row = LoanRow { slot, state, news: false, sell_until, look_at };
        place
            .hub
            .store
            .write(device.clinic, |tx| store::put_loan(tx, device.clinic, &row))
            .unwrap();
    }
}

async fn post(place: &Place, token: &str, path: &str, parameters: Value) -> Heard {
    ask(&place.hub, asking(token, None, path, parameters)).await
}

/// A request for an operation, with a key of the caller's or none.
pub fn asking(token: &str, key: Option<&str>, path: &str, parameters: Value) -> Request<Body> {
    let body = json!({ "resourceType": "Parameters", "parameter": parameters });
    let mut request = Request::post(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/fhir+json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.body(Body::from(body.to_string())).unwrap()
}

pub fn reference(name: &str, to: &str) -> Value {
    json!({ "name": name, "valueReference": { "reference": to } })
}

/// The one appointment of an answer.
pub fn one(heard: &Heard) -> &Value {
    let entries = heard.body["entry"].as_array().unwrap_or_else(|| panic!("{}", heard.body));
    let matches: Vec<_> = entries.iter().filter(|it| it["search"]["mode"] == "match").collect();
    assert_eq!(matches.len(), 1, "{}", heard.body);
    &matches[0]["resource"]
}

/// What waits for the box.
pub async fn waiting(place: &Place, device: &Device) -> Vec<Ask> {
    place.hub.requests.end();
    let batch = device.poll(&place.hub, Taken::NONE.position).await.unwrap();
    batch.requests.iter().map(|it| Ask::from_bytes(&it.body).unwrap()).collect()
}

#[tokio::test]
async fn a_box_that_is_there_is_asked_and_its_answer_is_the_answer() {
    let place = Place::new();
    let (device, base, token) = clinic(&place).await;
    lend(&place, &device, 1);
    let (of_box, hub) = (device.clone(), Arc::clone(&place.hub));
    let answers = tokio::spawn(async move {
        let mut taken = Taken::NONE;
        let mut heard = Vec::new();
        while heard.len() < 2 {
            let batch = of_box.poll(&hub, taken.position).await.unwrap();
            let (next, new) = taken.take(&batch);
            taken = next;
            for request in new {
                let Ask::Operation(asked) = Ask::from_bytes(&request.body).unwrap() else {
                    panic!("an operation is asked")
                };
                let bundle = json!({
                    "resourceType": "Bundle", "type": "searchset", "total": 1,
                    "link": [{ "relation": "self", "url": "/Appointment/$find" }],
                    "entry": [{ "fullUrl": "Appointment/x", "search": { "mode": "match" }, "resource": {
                        "resourceType": "Appointment", "id": "x", "status": "proposed",
                        "participant": [{ "actor": { "display": "Dr. Iyer" }, "status": "accepted" }],
                    } }],
                });
                let outcome = fhir::Outcome::error(fhir::IssueCode::Conflict, "taken").to_json();
                let (status, body) = match asked.name {
                    Name::Find => (200, bundle),
                    Name::Hold | Name::Book | Name::Cancel => (409, outcome),
                };
                heard.push(String::from_utf8(asked.parameters.clone()).unwrap());
                let body = body.to_string().into_bytes();
                let reply = Reply { id: request.id, status, body, before: None };
                assert_eq!(of_box.reply(&hub, &reply).await, StatusCode::NO_CONTENT);
            }
        }
        heard
    });
    // The box counts as there from its first poll on.
    while !place
        .hub
        .store
        .read(device.clinic, |tx| sync_hub::requests::is_there(&place.hub, tx, device.clinic))
        .unwrap()
    {
        tokio::task::yield_now().await;
    }
    let found = get(&place.hub, &token, &format!("{base}/$find?start=2027-01-16")).await;
    assert_eq!((found.status, one(&found)["id"].as_str()), (StatusCode::OK, Some("x")));
    assert_eq!(found.body["link"][0]["url"], format!("http://localhost{base}/$find"));
    let patient =
        format!("http://localhost{}/Patient/{PATIENT}", base.strip_suffix("/Appointment").unwrap());
    let asked = json!([
        reference("appointment-reference", "Appointment/x"),
        reference("patient-reference", &patient)
    ]);
    let booked = post(&place, &token, &format!("{base}/$book"), asked).await;
    assert_eq!(
        booked.status,
        StatusCode::CONFLICT,
        "what the box refuses is not sold behind its back"
    );
    let heard = answers.await.unwrap();
    assert!(heard[0].contains("2027-01-16"));
    assert!(heard[1].contains(&format!("\"Patient/{PATIENT}\"")), "{}", heard[1]);
    assert!(place.hub.round_trips.to_text().contains("_count 2\n"));
}

#[tokio::test]
async fn while_the_box_is_away_what_it_lent_is_found_held_and_sold_once() {
    let place = Place::new();
    let (device, base, token) = clinic(&place).await;
    lend(&place, &device, 3);
    let find =
        format!("{base}/$find?start=2027-01-16&_count=2&patient-reference=Patient/{PATIENT}");
    let found = get(&place.hub, &token, &find).await;
    assert_eq!((found.status, found.ids().len()), (StatusCode::OK, 2));
    assert_eq!(found.body["total"], 3);
    let next =
        found.body["link"][1]["url"].as_str().unwrap().strip_prefix("http://localhost").unwrap();
    assert_eq!(get(&place.hub, &token, next).await.ids().len(), 1);
    let other = format!("{base}/$find?practitioner=Practitioner/d2");
    assert_eq!(get(&place.hub, &token, &other).await.ids().len(), 0);

    let first = found.ids()[0].clone();
    let time = reference("appointment-reference", &format!("Appointment/{first}"));
    let comes = reference("patient-reference", &format!("Patient/{PATIENT}"));
    let held = post(&place, &token, &format!("{base}/$hold"), json!([time, comes])).await;
    assert_eq!((held.status, one(&held)["status"].as_str()), (StatusCode::OK, Some("pending")));
    let again = post(&place, &token, &format!("{base}/$hold"), json!([time, comes])).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "it is held for somebody");
    let taken = post(&place, &token, &format!("{base}/$book"), json!([time, comes])).await;
    assert_eq!(taken.status, StatusCode::CONFLICT, "and not sold to another");
    assert_eq!(get(&place.hub, &token, &find).await.body["total"], 2);

    let hold = format!("Appointment/{}", one(&held)["id"].as_str().unwrap());
    let booked = post(
        &place,
        &token,
        &format!("{base}/$book"),
        json!([reference("appointment-reference", &hold)]),
    )
    .await;
    let appointment = one(&booked);
    assert_eq!((booked.status, appointment["status"].as_str()), (StatusCode::OK, Some("booked")));
    assert_eq!(appointment["participant"][0]["actor"]["reference"], format!("Patient/{PATIENT}"));
    let code =
        appointment["extension"].as_array().unwrap().iter().find(|it| it["url"] == CHECK_IN_CODE);
    let id: Uuid = appointment["id"].as_str().unwrap().parse().unwrap();
    let short = *device.clinic.first_chunk().unwrap();
    let not_after = i64::from(FIRST) * 60_000 + DAY_MS;
    let signed = qr::sign(&place.hub.keys.sign, short, id.into_bytes(), not_after);
    assert_eq!(code.unwrap()["valueString"], signed, "the kiosk reads it");
    let sale = place.hub.store.read(device.clinic, |tx| -> Result<_, StoreError> {
        store::sale(tx, device.clinic, sync_protocol::loan::BookingId(id.into_bytes()))
    });
    assert!(sale.unwrap().is_some(), "the sale is kept under the id that the patient was told");

    // The same time again: not for sale, so it is a wish.
    let wished = post(&place, &token, &format!("{base}/$book"), json!([time, comes])).await;
    assert_eq!(
        (wished.status, one(&wished)["status"].as_str()),
        (StatusCode::ACCEPTED, Some("proposed"))
    );

    let gone = post(
        &place,
        &token,
        &format!("{base}/{id}/$cancel"),
        json!([{ "name": "reason", "valueString": "ill" }]),
    )
    .await;
    assert_eq!((gone.status, gone.body["status"].as_str()), (StatusCode::OK, Some("cancelled")));
    let offered = loans::on_offer(&place.hub, device.clinic, None, 100).unwrap();
    assert_eq!(offered.len(), 2, "each loan has one sale");
}

#[tokio::test]
async fn a_hold_is_over_after_ten_minutes_and_can_be_let_go_before() {
    let place = Place::new();
    let (device, base, token) = clinic(&place).await;
    lend(&place, &device, 1);
    let found = get(&place.hub, &token, &format!("{base}/$find")).await;
    let time = reference("appointment-reference", &format!("Appointment/{}", found.ids()[0]));
    let hold = async || {
        let asked = json!([time, { "name": "minutes", "valueInteger": 60 }]);
        post(&place, &token, &format!("{base}/$hold"), asked).await
    };
    let held = hold().await;
    let id = one(&held)["id"].as_str().unwrap().to_owned();
    let let_go = post(
        &place,
        &token,
        &format!("{base}/{id}/$cancel"),
        json!([{ "name": "reason", "valueString": "-" }]),
    )
    .await;
    assert_eq!(
        (let_go.status, let_go.body["status"].as_str()),
        (StatusCode::OK, Some("cancelled"))
    );
    let held = hold().await;
    assert_eq!(held.status, StatusCode::OK, "{}", held.body);
    place.clock.fetch_add(10 * 60_000, Ordering::Relaxed);
    let late = reference(
        "appointment-reference",
        &format!("Appointment/{}", one(&held)["id"].as_str().unwrap()),
    );
    let comes = reference("patient-reference", &format!("Patient/{PATIENT}"));
    let late = post(&place, &token, &format!("{base}/$book"), json!([late, comes])).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(hold().await.status, StatusCode::OK, "others may have it then");
}

#[tokio::test]
async fn what_is_not_lent_is_a_wish_and_whoever_is_not_on_record_is_described() {
    let place = Place::new();
    let (device, base, token) = clinic(&place).await;
    let slot = format!("{SCHEDULE}.{FIRST}");
    let whole = json!({
        "resourceType": "Appointment", "status": "proposed", "slot": [{ "reference": format!("Slot/{slot}") }],
        "reasonCode": [{ "text": "cough" }],
        "participant": [{ "actor": { "reference": "Practitioner/d1" }, "status": "accepted" }],
    });
    let patient = json!({
        "resourceType": "Patient", "id": PATIENT, "name": [{ "text": "Ravi Kumar" }],
        "telecom": [{ "system": "phone", "value": "+919844111174" }], "birthDate": "1990-01-01",
        "photo": [{ "url": "https://example.org/photo" }],
    });
    let asked = json!([
        { "name": "resource", "resource": whole },
        { "name": "patient-resource", "resource": patient },
    ]);
    let wished = post(&place, &token, &format!("{base}/$book"), asked.clone()).await;
    assert_eq!(
        (wished.status, one(&wished)["status"].as_str()),
        (StatusCode::ACCEPTED, Some("proposed"))
    );
    lend(&place, &device, 1);
    let sold = post(&place, &token, &format!("{base}/$book"), asked).await;
    assert_eq!((sold.status, one(&sold)["status"].as_str()), (StatusCode::OK, Some("booked")));
    let waits = waiting(&place, &device).await;
    let [Ask::Proposal(proposal), Ask::Sale(_)] = waits.as_slice() else {
        panic!("a wish and a sale wait for the box")
    };
    let bundle = fhir::json::parse(&proposal.bundle).unwrap();
    assert!(fhir::structure::validate(&bundle).is_empty());
    let entries = bundle.get("entry").unwrap();
    let (comes, own) = (&entries[0], &entries[1]["resource"]);
    assert_eq!(comes["resource"]["name"][0]["text"], "Ravi Kumar");
    assert_eq!(comes["resource"].get("id").or(comes["resource"].get("photo")), None);
    assert_eq!(own["participant"][0]["actor"]["reference"], comes["fullUrl"]);
    assert_eq!(
        (own["status"].as_str(), own["reasonCode"][0]["text"].as_str()),
        (Some("proposed"), Some("cough"))
    );
    assert!(Resource::from_value(own.clone()).is_ok());
}

#[tokio::test]
async fn who_may_not_book_does_not_and_what_cannot_be_read_says_so() {
    let place = Place::new();
    let (device, base, all) = clinic(&place).await;
    lend(&place, &device, 1);
    let reads = new_token(&place, device.clinic, "system/Appointment.rs", None);
    let time = get(&place.hub, &reads, &format!("{base}/$find")).await.ids()[0].clone();
    let time = reference("appointment-reference", &format!("Appointment/{time}"));
    let comes = reference("patient-reference", &format!("Patient/{PATIENT}"));
    for name in ["$hold", "$book", "$cancel"] {
        let heard = post(&place, &reads, &format!("{base}/{name}"), json!([time, comes])).await;
        assert_eq!(heard.status, StatusCode::FORBIDDEN, "{name}");
    }
    for (name, asked, status) in [
        ("$book", json!([comes]), 400),
        ("$book", json!([time]), 400),
        ("$book", json!([time, reference("patient-reference", "Patient/nobody")]), 400),
        ("$book", json!([time, comes, { "name": "shoes", "valueString": "44" }]), 400),
        ("$hold", json!([reference("appointment-reference", "Appointment/1")]), 404),
        ("$cancel", json!([reference("appointment-reference", "Appointment/1")]), 503),
        ("$match", json!([comes]), 404),
    ] {
        let heard = post(&place, &all, &format!("{base}/{name}"), asked.clone()).await;
        assert_eq!(heard.status.as_u16(), status, "{name} {asked}: {}", heard.body);
        assert_eq!(heard.body["resourceType"], "OperationOutcome");
    }
    let got = get(&place.hub, &all, &format!("{base}/$book")).await;
    assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn an_operator_sees_each_clinic_by_its_id() {
    let place = Place::new();
    let (device, base, token) = clinic(&place).await;
    lend(&place, &device, 3);
    let time = get(&place.hub, &token, &format!("{base}/$find")).await.ids()[0].clone();
    let asked = json!([
        reference("appointment-reference", &format!("Appointment/{time}")),
        reference("patient-reference", &format!("Patient/{PATIENT}")),
    ]);
    assert_eq!(post(&place, &token, &format!("{base}/$book"), asked).await.status, StatusCode::OK);
    place.clock.fetch_add(90_000, Ordering::Relaxed);
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let router = sync_hub::http::router(Arc::clone(&place.hub));
    let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let id = Uuid::from_bytes(device.clinic);
    for line in [
        format!("carepost_hub_clinic_silent_seconds{{clinic=\"{id}\"}} 90\n"),
        format!("carepost_hub_clinic_loans_held{{clinic=\"{id}\"}} 3\n"),
        format!("carepost_hub_clinic_sales_unsettled{{clinic=\"{id}\"}} 1\n"),
        format!("carepost_hub_clinic_sale_oldest_seconds{{clinic=\"{id}\"}} 90\n"),
        format!("carepost_hub_clinic_requests_waiting{{clinic=\"{id}\"}} 1\n"),
        "carepost_hub_box_answer_seconds_count 0\n".to_owned(),
    ] {
        assert!(text.contains(&line), "{text}");
    }
    assert!(!text.contains("Shanti"));
    let status = |json: &[&str]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_carepost-hub"));
        program.args(["clinic", "status", "Shanti"]).args(json).args(place.arguments());
        String::from_utf8(program.output().unwrap().stdout).unwrap()
    };
    let said = status(&[]);
    assert!(said.contains("3 slots held; 1 sold that the box does not have yet, the oldest on 20"));
    let said: Value = serde_json::from_str(&status(&["--json"])).unwrap();
    assert_eq!(said["loans"]["held"], 3);
    assert_eq!(said["loans"]["sold_unsettled"], 1);
    assert!(said["loans"]["oldest_unsettled"].is_string());
    assert_eq!(said["requests_waiting"], 1);
}
