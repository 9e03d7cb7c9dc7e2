//! Operations in the name of somebody who waits at the hub.

use prm::request::{self, Kind};
use prm::stamp::Stamp;
use serde_json::{Value, json};
use sync_agent::ask::{Ask, Id, Name, Operation};

use super::{Asked, text};
use crate::requests::operation::{do_all, done};

fn asks(id: u8, name: Name, parameters: &[(&str, &str, &str)]) -> Ask {
    let one = |(name, kind, value): &(&str, &str, &str)| match *kind {
        "valueReference" => json!({ "name": name, *kind: { "reference": value } }),
        _ => json!({ "name": name, *kind: value }),
    };
    let parameters: Vec<Value> = parameters.iter().map(one).collect();
    let parameters = json!({ "resourceType": "Parameters", "parameter": parameters });
    let parameters = parameters.to_string().into_bytes();
    Ask::Operation(Operation { id: Id([id; 16]), name, parameters, deadline_ms: 0 })
}

const TUESDAY: [(&str, &str, &str); 2] = [
    ("start", "valueDateTime", "2026-11-24T00:00:00+05:30"),
    ("end", "valueDateTime", "2026-11-24T23:59:00+05:30"),
];

impl Asked {
    /// Does an operation; answers status and resource.
    async fn does(&self, ask: &Ask) -> (u16, Value) {
        self.take(ask);
        do_all(&self.clinic.app).await.unwrap();
        self.reply(ask.id().0).expect("an answer")
    }

    /// The first time that is free on Tuesday, as the hub hears of it.
    async fn first_free(&self, id: u8) -> String {
        let (status, found) = self.does(&asks(id, Name::Find, &TUESDAY)).await;
        assert_eq!(status, 200, "{found}");
        text(&found["entry"][0]["resource"]["id"]).to_owned()
    }
}

#[tokio::test]
async fn the_hub_finds_books_and_calls_off_as_it_would_at_the_door() {
    let asked = Asked::open();
    asked.practitioner().await;
    let asha = format!("Patient/{}", text(&asked.patient("Asha Rao").await["id"]));
    let free = format!("Appointment/{}", asked.first_free(1).await);
    let who = [
        ("appointment-reference", "valueReference", free.as_str()),
        ("patient-reference", "valueReference", asha.as_str()),
    ];
    let (status, booked) = asked.does(&asks(2, Name::Book, &who)).await;
    assert_eq!((status, asked.diary().await.len()), (200, 1), "{booked}");
    // The same time again: whoever waits hears that it is gone, and what is free instead.
    let ravi = format!("Patient/{}", text(&asked.patient("Ravi").await["id"]));
    let other = [who[0], ("patient-reference", "valueReference", ravi.as_str())];
    let (status, refused) = asked.does(&asks(3, Name::Book, &other)).await;
    assert_eq!((status, &refused["resourceType"]), (409, &json!("OperationOutcome")));
    assert!(refused["issue"][0]["extension"].is_array(), "{refused}");
    let appointment = format!("Appointment/{}", text(&booked["entry"][0]["resource"]["id"]));
    let which = [("appointment-reference", "valueReference", appointment.as_str())];
    let (status, _) = asked.does(&asks(4, Name::Cancel, &which)).await;
    assert_eq!((status, &asked.diary().await[0]["status"]), (200, &json!("cancelled")));
    let admin = asked.clinic.token(prm::stamp::Role::Admin);
    let headers = [("authorization", admin.as_str())];
    let audit = asked.clinic.call("GET", "/api/v1/prm/audit", &headers, None).await;
    let audit = audit.body["items"].as_array().unwrap().clone();
    let by_hub =
        |verb: &str| audit.iter().any(|line| line["verb"] == verb && line["channel"] == "hub");
    assert!(by_hub("book") && by_hub("cancel"), "the audit says by which way it came");
}

#[tokio::test]
async fn an_operation_whose_answer_was_not_written_is_not_done_again() {
    let asked = Asked::open();
    asked.practitioner().await;
    let asha = format!("Patient/{}", text(&asked.patient("Asha Rao").await["id"]));
    let free = format!("Appointment/{}", asked.first_free(1).await);
    let who = [
        ("appointment-reference", "valueReference", free.as_str()),
        ("patient-reference", "valueReference", asha.as_str()),
    ];
    let book = asks(2, Name::Book, &who);
    asked.take(&book);
    let (app, stamp) = (&asked.clinic.app, Stamp::of_box(asked.now()));
    let waiting = app.db.read_blocking(|read| request::waiting(read, &stamp, Kind::Operation, 9));
    // The box books, and is switched off before it has written the answer; the deadline passes.
    let first = done(app, waiting.unwrap().remove(0)).await.unwrap();
    app.clock.set(asked.now() + jiff::SignedDuration::from_secs(5));
    do_all(app).await.unwrap();
    let (status, again) = asked.reply(book.id().0).expect("an answer");
    let first: Value = serde_json::from_slice(&first.body).unwrap();
    let appointment = |of: &Value| of["entry"][0]["resource"]["id"].clone();
    assert_eq!((status, appointment(&again)), (200, appointment(&first)));
    assert_eq!(asked.diary().await.len(), 1);
}

#[tokio::test]
async fn what_is_heard_too_late_is_not_done() {
    let asked = Asked::open();
    asked.practitioner().await;
    let asha = format!("Patient/{}", text(&asked.patient("Asha Rao").await["id"]));
    let free = format!("Appointment/{}", asked.first_free(1).await);
    let who = [
        ("appointment-reference", "valueReference", free.as_str()),
        ("patient-reference", "valueReference", asha.as_str()),
    ];
    asked.take(&asks(2, Name::Book, &who));
    asked.take(&asks(3, Name::Find, &TUESDAY));
    asked.clinic.app.clock.set(asked.now() + jiff::SignedDuration::from_secs(11));
    do_all(&asked.clinic.app).await.unwrap();
    assert_eq!(asked.reply([3; 16]), None, "nobody waits for an answer any more");
    let (status, _) = asked.reply([2; 16]).unwrap();
    assert_eq!(status, 504, "whoever asks again what came of the booking hears it");
    assert!(asked.diary().await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_understood_is_answered_and_stops_nothing() {
    let asked = Asked::open();
    let parameters = b"no JSON".to_vec();
    let odd = Operation { id: Id([1; 16]), name: Name::Book, parameters, deadline_ms: 0 };
    let (status, refused) = asked.does(&Ask::Operation(odd)).await;
    assert_eq!((status, &refused["resourceType"]), (400, &json!("OperationOutcome")));
    let (status, _) = asked.does(&asks(2, Name::Find, &TUESDAY)).await;
    assert_eq!(status, 200);
}
