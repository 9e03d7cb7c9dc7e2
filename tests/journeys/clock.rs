//! A clock that is set back and forward: order is told by sequences, and nothing waits for ever.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use carepost::app::App;
use carepost::clock::Clock;
use carepost::config::Config;
use carepost::{founding, http};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use prm::audit::{self, Verdict};
use prm::id::{ScheduleId, SlotId};
use prm::stamp::Stamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::running::{ROOT, code, furnish};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const YEAR: SignedDuration = SignedDuration::from_hours(24 * 365);

/// A clinic whose clock stands at 10:00 on a Monday until it is set.
struct Clinic {
    app: App,
    router: Router,
    clerk: String,
    schedules: Vec<ScheduleId>,
    begun: Timestamp,
    _folder: TempDir,
}

impl Clinic {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("clinic");
        let begun: Timestamp = "2026-11-23T10:00:00+05:30".parse().unwrap();
        let db = founding::prepare(&data, begun).unwrap();
        let ([_, clerk, _], schedules) =
            db.write_blocking(move |tx| furnish(tx, &Stamp::of_box(begun), 2)).unwrap();
        let config = Config::load(&data, None, [], &[]).unwrap();
        let app = App::with_db(&data, config, Clock::standing_at(begun), db).unwrap();
        let router = http::router(app.clone());
        Self { app, router, clerk: format!("Bearer {clerk}"), schedules, begun, _folder: folder }
    }

    /// Sets the clock, as somebody does who types a wrong date or corrects it.
    fn set(&self, away: SignedDuration) {
        self.app.clock.set(self.begun.checked_add(away).unwrap());
    }

    /// The slot at 11:00 so many days from the first.
    fn slot(&self, days: i32) -> String {
        let start = self.begun + SignedDuration::from_hours(1) + DAY * days;
        SlotId::new(self.schedules[0], start).to_string()
    }

    async fn call(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> (u16, Value, String) {
        let mut request = Request::builder().method(method).uri(format!("{ROOT}/{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("content-type", "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let cookie = parts.headers.get("set-cookie").map(|value| value.to_str().unwrap());
        let cookie = cookie.and_then(|text| text.split(';').next()).unwrap_or_default().to_owned();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), serde_json::from_slice(&bytes).unwrap_or_default(), cookie)
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let headers = [("authorization", self.clerk.as_str())];
        let (status, body, _) = self.call(("POST", path), &headers, Some(body)).await;
        (status, body)
    }

    async fn get(&self, path: &str) -> Value {
        let headers = [("authorization", self.clerk.as_str())];
        let (status, body, _) = self.call(("GET", path), &headers, None).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn register(&self, name: &str) -> String {
        let body = json!({ "name": name, "accept_duplicate": true });
        let (status, patient) = self.post("patients", body).await;
        assert_eq!(status, 201, "{patient}");
        patient["id"].as_str().unwrap().to_owned()
    }

    fn last_change(&self) -> i64 {
        self.app.db.read_blocking(prm::change::last).unwrap()
    }
}

#[tokio::test]
async fn changes_go_forward_whatever_the_clock_says_and_the_audit_stays_whole() {
    let clinic = Clinic::new();
    let mut last = clinic.last_change();
    for away in [DAY, -DAY, YEAR, SignedDuration::ZERO, -YEAR, YEAR * 10] {
        clinic.set(away);
        clinic.register("Asha Rao").await;
        let now = clinic.last_change();
        assert_eq!(now, last + 1);
        // Whoever listened until then hears what came after, not nothing and not everything.
        let after = clinic.app.db.read_blocking(|read| prm::change::after(read, last, 10)).unwrap();
        assert_eq!(after.iter().map(|change| change.sequence).collect::<Vec<_>>(), [now]);
        last = now;
    }
    let db = &clinic.app.db;
    let verdict = db.read_at_length(|read| audit::verify(read, db.keys())).unwrap();
    assert!(matches!(verdict, Verdict::Whole { .. }), "{verdict:?}");
}

#[tokio::test]
async fn a_hold_lasts_while_the_clock_is_back_and_is_over_when_it_is_forward() {
    let clinic = Clinic::new();
    let (asha, ravi) = (clinic.register("Asha Rao").await, clinic.register("Ravi Iyer").await);
    let slot = clinic.slot(400);
    let hold = json!({ "patient_id": asha, "slot_id": slot, "hold_minutes": 10 });
    let (status, held) = clinic.post("appointments", hold).await;
    assert_eq!(status, 201, "{held}");
    let booking = json!({ "patient_id": ravi, "slot_id": slot });
    for away in [SignedDuration::ZERO, -DAY, -YEAR] {
        clinic.set(away);
        let (status, problem) = clinic.post("appointments", booking.clone()).await;
        assert_eq!((status, code(&problem)), (409, "slot_taken"));
    }
    clinic.set(YEAR);
    let confirm = format!("appointments/{}/confirm", held["id"].as_str().unwrap());
    let (status, problem) = clinic.post(&confirm, json!({})).await;
    assert_eq!((status, code(&problem)), (409, "hold_expired"));
    let (status, booked) = clinic.post("appointments", booking).await;
    assert_eq!(status, 201, "{booked}");
    // The clock was wrong after all: the slot has one owner, and it is not the hold.
    clinic.set(SignedDuration::ZERO);
    let (status, problem) = clinic.post(&confirm, json!({})).await;
    assert_eq!((status, code(&problem)), (409, "illegal_step"));
}

#[tokio::test]
async fn a_wrong_clock_signs_out_but_never_locks_out() {
    let clinic = Clinic::new();
    let session = json!({ "username": "asha", "password": "correct horse" });
    let wrong = json!({ "username": "asha", "password": "wrong" });
    for away in [SignedDuration::ZERO, -DAY, YEAR, -YEAR] {
        clinic.set(away);
        let (status, _, cookie) =
            clinic.call(("POST", "session"), &[], Some(session.clone())).await;
        assert_eq!(status, 200, "nobody can sign in {away:?} away");
        let headers = [("cookie", cookie.as_str())];
        assert_eq!(clinic.call(("GET", "session"), &headers, None).await.0, 200);
        // A day later the shift is over; a day earlier it has not begun.
        for other in [DAY, -DAY] {
            clinic.set(away + other);
            assert_eq!(clinic.call(("GET", "session"), &headers, None).await.0, 401);
        }
    }
    // Who must wait after wrong passwords does not wait longer because the clock went back.
    clinic.set(YEAR);
    let waits = |answer: &(u16, Value, String)| answer.0 == 429;
    for _ in 0..10 {
        let answer = clinic.call(("POST", "session"), &[], Some(wrong.clone())).await;
        assert!(answer.0 == 401 || waits(&answer), "{answer:?}");
    }
    let answer = clinic.call(("POST", "session"), &[], Some(session.clone())).await;
    assert!(waits(&answer), "{answer:?}");
    clinic.set(-YEAR);
    let answer = clinic.call(("POST", "session"), &[], Some(session)).await;
    assert_eq!(answer.0, 200, "a clock that went back keeps somebody out: {answer:?}");
}

#[tokio::test]
async fn a_repeated_request_is_known_after_the_clock_went_back() {
    let clinic = Clinic::new();
    let body = json!({ "name": "Asha Rao", "accept_duplicate": true });
    let headers = [("authorization", clinic.clerk.as_str()), ("idempotency-key", "k1")];
    let first = clinic.call(("POST", "patients"), &headers, Some(body.clone())).await;
    assert_eq!(first.0, 201, "{first:?}");
    for away in [SignedDuration::from_hours(23), -DAY, -YEAR] {
        clinic.set(away);
        let again = clinic.call(("POST", "patients"), &headers, Some(body.clone())).await;
        assert_eq!(again, first);
    }
    // After a day the key is nobody's: by then the same key is another wish.
    clinic.set(YEAR);
    let later = clinic.call(("POST", "patients"), &headers, Some(body)).await;
    assert_eq!(later.0, 201);
    assert_ne!(later.1["id"], first.1["id"]);
}

#[tokio::test]
async fn the_line_keeps_its_order_when_the_clock_is_set_back() {
    let clinic = Clinic::new();
    let practitioners = clinic.get("practitioners").await;
    let practitioner = practitioners["items"][0]["id"].as_str().unwrap();
    let mut names = Vec::new();
    let minutes = SignedDuration::from_mins;
    for (nth, away) in [0, 1, -120, -119, -119, 5].map(minutes).into_iter().enumerate() {
        clinic.set(away);
        let name = format!("Walker {nth}");
        let body =
            json!({ "patient_id": clinic.register(&name).await, "practitioner_id": practitioner });
        let (status, entry) = clinic.post("queue", body).await;
        assert_eq!(status, 201, "{entry}");
        names.push(name);
    }
    let mut called = Vec::new();
    for _ in 0..names.len() {
        let next = json!({ "practitioner_id": practitioner, "finish_current": true });
        let (status, entry) = clinic.post("queue/call-next", next).await;
        assert_eq!(status, 200, "{entry}");
        called.push(entry["patient"]["name"].as_str().unwrap().to_owned());
    }
    assert_eq!(called, names);
    // Nobody is lost on a day that was left and came again.
    clinic.set(DAY);
    assert_eq!(clinic.get("queue").await["items"].as_array().unwrap().len(), 0);
    clinic.set(SignedDuration::ZERO);
    assert_eq!(clinic.get("queue").await["items"].as_array().unwrap().len(), names.len());
}
