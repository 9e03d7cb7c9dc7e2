//! Reception at the hub while the box is away: what it may say, what it sells, and how it hands over.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use channels::away::{Answered, Deed, Facts, Faq, Practitioner, Stood};
use channels::heard::Down;
use channels::say::Up;
use fhir::extension::WEEKLY_SESSION;
use prm::id::PractitionerId;
use prm::medium::Medium;
use serde_json::json;
use sync_hub::arrivals::heard_id;
use sync_hub::away::{CLAIM_MS, MOMENT_MS, answer_due};
use sync_hub::http::router;
use sync_hub::relay::due;
use sync_protocol::ask::Ask;
use sync_protocol::relay::answerer::{AWAY_AFTER_MS, GONE_FOR_MS, Yours};
use sync_protocol::relay::{Batch, Item, ItemId};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::Place;
use super::asking::organization;
use super::booking::{PATIENT, SCHEDULE, lend, waiting};
use super::device::Device;
use super::messages::{self, ASHA, FakeCarrier, TOKEN, clinic_of, downs, opened, says, try_once};
use super::webhooks::{PUBLIC_URL, message, signed_form};

const RAO: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0d01);
const OWN: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0102_0304);

/// A clinic whose box has told what may be said, and lent some times; and the telephone of a patient.
struct Clinic {
    place: Place,
    device: Device,
    carrier: FakeCarrier,
    written: u32,
    items: u8,
    seen: usize,
    waited: u32,
}

fn facts() -> Facts {
    Facts {
        answers: true,
        at_ms: 1,
        name: "Shanti Clinic".into(),
        phone: Some("080 4111 2222".into()),
        country: "IN".into(),
        timezone: "Asia/Kolkata".into(),
        languages: vec!["en".into(), "hi".into()],
        emergency: vec!["112".into(), "108".into()],
        wording: std::collections::BTreeMap::new(),
        practitioners: vec![Practitioner {
            id: PractitionerId::from_bytes(RAO.into_bytes()),
            name: "Dr. Meera Rao".into(),
            specialties: vec!["cardiology".into()],
        }],
        services: Vec::new(),
        faqs: vec![Faq {
            language: "en".into(),
            questions: vec!["What is the consultation fee?".into()],
            answer: "A consultation costs 500 rupees.".into(),
        }],
    }
}

impl Clinic {
    async fn open() -> Self {
        let carrier = FakeCarrier::start().await;
        let (place, mut device) = clinic_of(&carrier, Uuid::new_v4().into_bytes()).await;
        let number = |name: &str, number: i64| json!({ "url": name, "valuePositiveInt": number });
        let session = json!({
            "resourceType": "Schedule", "id": SCHEDULE,
            "extension": [{ "url": WEEKLY_SESSION, "extension": [number("slotMinutes", 15)] }],
            "actor": [{ "reference": format!("Practitioner/{RAO}") }],
        });
        let asha = json!({
            "resourceType": "Patient", "id": PATIENT, "name": [{ "text": "Asha Rao" }],
            "birthDate": "1984-05-02", "telecom": [{ "system": "phone", "value": ASHA }],
        });
        device.write(&format!("Schedule/{SCHEDULE}"), &session.to_string());
        device.write(&format!("Organization/{OWN}"), &organization(OWN, "Shanti").to_string());
        device.write(&format!("Patient/{PATIENT}"), &asha.to_string());
        device.sync(&place.hub).await;
        let mut clinic = Self { place, device, carrier, written: 0, items: 0, seen: 0, waited: 0 };
        clinic.tells(Up::Facts(Box::new(facts())));
        clinic
    }

    fn later(&self, ms: i64) {
        self.place.clock.fetch_add(ms, Ordering::Relaxed);
    }

    /// The box tells something.
    fn tells(&mut self, up: Up) {
        self.items += 1;
        let item = Item { id: ItemId([self.items; 16]), body: up.write() };
        self.says(Batch { items: vec![item], ..Batch::default() });
    }

    fn says(&self, batch: Batch) -> Batch {
        let took = says(&self.place, &self.device, batch).unwrap();
        took.answer.map(|it| opened(&self.device, &it)).unwrap_or_default()
    }

    /// The box asks whose something is.
    fn asks(&self, nth: u32) -> Option<Yours> {
        let whose = Some(vec![self.item(nth)]);
        let answer = self.says(Batch { whose, ..Batch::default() });
        answer.yours.and_then(|it| it.into_iter().next())
    }

    fn item(&self, nth: u32) -> ItemId {
        heard_id(Medium::Whatsapp, &format!("SM{nth}"))
    }

    /// The patient writes; as the how manieth message.
    async fn writes(&mut self, text: &str) -> u32 {
        self.written += 1;
        let sid = format!("SM{}", self.written);
        let request = signed_form(TOKEN, sync_hub::http::TWILIO, &message(&sid, text));
        assert_eq!(messages::webhook(&self.place, request).await, StatusCode::OK);
        self.written
    }

    /// What the patient hears meanwhile.
    async fn hears(&mut self) -> Vec<String> {
        while try_once(&self.place).await > 0 {}
        let asked = self.carrier.asked();
        let new = asked[self.seen..].iter().map(|form| {
            let fields = form_urlencoded::parse(form.as_bytes());
            let body = fields.into_owned().find(|(name, _)| name == "Body");
            body.map(|(_, text)| text).unwrap_or_default()
        });
        let new = new.collect();
        self.seen = asked.len();
        new
    }

    /// The picture that went with what the patient heard last, as who carries it fetches it.
    async fn shown(&self) -> Option<Vec<u8>> {
        let form = self.carrier.asked().pop()?;
        let mut fields = form_urlencoded::parse(form.as_bytes());
        let (_, url) = fields.find(|(name, _)| name == "MediaUrl")?;
        let path = url.strip_prefix(PUBLIC_URL)?;
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router(Arc::clone(&self.place.hub)).oneshot(request).await.unwrap();
        Some(to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec())
    }

    /// The patient writes and is answered at the hub.
    async fn talks(&mut self, text: &str) -> Vec<String> {
        self.writes(text).await;
        self.later(MOMENT_MS);
        // Only the first waits until it is clear that the box is away.
        if answer_due(&self.place.hub).unwrap() == 0 {
            self.waited += 1;
            self.later(AWAY_AFTER_MS);
            assert_eq!(answer_due(&self.place.hub).unwrap(), 1, "{text}");
        }
        self.hears().await
    }

    /// What the box is told was answered in its place.
    fn answered(&self) -> Vec<Answered> {
        let goes = due(&self.place.hub, self.device.clinic, true).unwrap().unwrap();
        let told = downs(&opened(&self.device, &goes));
        let answered = told.into_iter().filter_map(|it| match it {
            Down::Answered(it) => Some(*it),
            Down::Heard(_) | Down::Delivery(_) | Down::Webhook(_) | Down::Part(_) => None,
        });
        answered.collect()
    }
}

#[tokio::test]
async fn a_question_is_answered_here_only_when_the_box_is_away_and_once() {
    let mut clinic = Clinic::open().await;
    clinic.writes("how much is the fee?").await;
    clinic.later(AWAY_AFTER_MS - 1);
    assert_eq!(answer_due(&clinic.place.hub).unwrap(), 0, "the box may be there");
    // It was heard again: only from then on it is silent.
    clinic.says(Batch { ask: true, ..Batch::default() });
    clinic.later(AWAY_AFTER_MS - 1);
    assert_eq!(answer_due(&clinic.place.hub).unwrap(), 0);
    clinic.later(1);
    assert_eq!(answer_due(&clinic.place.hub).unwrap(), 1);
    assert_eq!(clinic.hears().await, ["A consultation costs 500 rupees."]);
    clinic.later(10 * CLAIM_MS);
    assert_eq!(answer_due(&clinic.place.hub).unwrap(), 0);
    // The box is back, has the message, and is not given it.
    assert_eq!(clinic.asks(1), None);
    let answered = clinic.answered();
    let [it] = &answered[..] else { panic!("{answered:?}") };
    assert_eq!((it.heard.id.as_str(), it.said.len(), it.for_a_person), ("SM1", 1, false));
}

#[tokio::test]
async fn a_box_that_is_told_to_be_gone_is_not_waited_for() {
    let mut clinic = Clinic::open().await;
    let of = (clinic.device.clinic, clinic.device.box_id);
    clinic.later(1);
    let now_ms = clinic.place.hub.clock.now_ms();
    clinic.place.hub.away.note(of, false, now_ms);
    clinic.writes("how much is the fee?").await;
    clinic.later(GONE_FOR_MS);
    assert_eq!(answer_due(&clinic.place.hub).unwrap(), 1);
    // What it was given before it went, it answers itself.
    clinic.place.hub.away.note(of, true, now_ms);
    let nth = clinic.writes("talk to a person").await;
    assert!(clinic.asks(nth).is_some());
    clinic.later(10 * AWAY_AFTER_MS);
    assert_eq!(answer_due(&clinic.place.hub).unwrap(), 0);
}

#[tokio::test]
async fn a_lent_time_is_booked_and_the_box_goes_on_with_the_dialogue() {
    let mut clinic = Clinic::open().await;
    lend(&clinic.place, &clinic.device, 2);
    let said = clinic.talks("Dr Rao tomorrow").await.concat();
    assert!(said.contains("a few times only") && said.contains("1. 1:30 pm"), "{said}");
    let said = clinic.talks("1").await.concat();
    assert!(said.contains("Asha Rao"), "{said}");
    let said = clinic.talks("1").await.concat();
    assert!(said.contains("Shall I book this?"), "{said}");
    let said = clinic.talks("yes").await;
    assert!(said[0].starts_with("Booked: Asha Rao") && said[1].starts_with("CP1:"), "{said:?}");
    let picture = clinic.shown().await.expect("the code goes as a picture");
    assert_eq!(channels::media_type::of(&picture), Some("image/png"));
    assert_eq!(clinic.waited, 1);
    let sold = waiting(&clinic.place, &clinic.device).await;
    let [Ask::Sale(sale)] = &sold[..] else { panic!("one is sold") };
    assert!(String::from_utf8_lossy(&sale.bundle).contains(PATIENT));
    let last = clinic.answered().pop().unwrap();
    assert!(matches!(last.deeds[..], [Deed::Sold { .. }]), "{:?}", last.deeds);
    assert_eq!(last.said.iter().map(|it| it.drawn).collect::<Vec<_>>(), [false, true]);
    // A second booking begins here, and the box has it from there.
    clinic.talks("Dr Rao tomorrow").await;
    let nth = clinic.writes("1").await;
    let yours = clinic.asks(nth).expect("the box is there");
    let dialogue = String::from_utf8(yours.dialogue.expect("the hub spoke last")).unwrap();
    assert!(dialogue.contains("book"), "{dialogue}");
    assert_eq!(
        clinic.asks(nth),
        Some(Yours { id: clinic.item(nth), dialogue: Some(dialogue.into()) })
    );
}

#[tokio::test]
async fn somebody_who_is_not_on_record_books_by_name_and_birth_once_although_the_hub_is_killed() {
    let mut clinic = Clinic::open().await;
    clinic.device.write(&format!("Patient/{PATIENT}"), "");
    clinic.device.sync(&clinic.place.hub).await;
    lend(&clinic.place, &clinic.device, 2);
    clinic.talks("Dr Rao tomorrow").await;
    let said = clinic.talks("1").await.concat();
    assert!(said.contains("name"), "{said}");
    clinic.talks("Leela Nair").await;
    clinic.talks("2 May 1984").await;
    clinic.writes("yes").await;
    clinic.later(AWAY_AFTER_MS);
    // As after a hub that sold, and ended before it wrote what it says.
    let before = clinic.place.hub.store.read(clinic.device.clinic, |tx| {
        sync_hub::store::turn(tx, clinic.device.clinic, clinic.item(clinic.written))
    });
    let before = before.unwrap().unwrap();
    assert_eq!(answer_due(&clinic.place.hub).unwrap(), 1);
    clinic
        .place
        .hub
        .store
        .write(clinic.device.clinic, |tx| {
            let claimed = (sync_protocol::relay::answerer::Turn::Claimed, 0);
            sync_hub::store::move_turn(tx, clinic.device.clinic, before.id, claimed)
        })
        .unwrap();
    assert_eq!(answer_due(&clinic.place.hub).unwrap(), 1);
    let sold = waiting(&clinic.place, &clinic.device).await;
    let [Ask::Sale(sale)] = &sold[..] else { panic!("{} are sold", sold.len()) };
    let bundle = String::from_utf8_lossy(&sale.bundle);
    assert!(bundle.contains("Leela Nair") && bundle.contains("1984-05-02"), "{bundle}");
}

#[tokio::test]
async fn what_only_the_clinic_can_do_waits_and_danger_and_stop_do_not() {
    let mut clinic = Clinic::open().await;
    let said = clinic.talks("cancel my appointment").await.concat();
    assert!(said.starts_with("We have your message."), "{said}");
    let said = clinic.talks("she is not breathing").await.concat();
    assert!(said.contains("112") && said.contains("108"), "{said}");
    let said = clinic.talks("STOP").await.concat();
    assert!(!said.is_empty(), "{said}");
    let deeds: Vec<Deed> = clinic.answered().into_iter().flat_map(|it| it.deeds).collect();
    let ticket = |why: &str| Deed::Ticket { why: why.into() };
    assert_eq!(deeds, [ticket("away"), ticket("emergency"), Deed::Stop]);
}

#[tokio::test]
async fn while_people_have_a_conversation_it_is_only_said_that_the_message_is_there() {
    let mut clinic = Clinic::open().await;
    let nth = clinic.writes("hello").await;
    assert!(clinic.asks(nth).is_some());
    let id = format!("SM{nth}");
    let stood = Stood { medium: Medium::Whatsapp, id, dialogue: None, desk: true };
    clinic.tells(Up::Stood(stood));
    let said = clinic.talks("how much is the fee?").await.concat();
    assert!(said.starts_with("We have your message."), "{said}");
    assert_eq!(clinic.talks("are you there?").await, Vec::<String>::new(), "it was said");
    let said = clinic.talks("he collapsed, chest pain").await.concat();
    assert!(said.contains("112"), "{said}");
    assert!(clinic.answered().iter().all(|it| it.for_a_person));
}

#[tokio::test]
async fn what_the_box_says_of_an_earlier_message_counts_although_a_later_one_was_noted_here() {
    let mut clinic = Clinic::open().await;
    let nth = clinic.writes("Dr Rao tomorrow").await;
    assert!(clinic.asks(nth).is_some());
    // The box has the first and is silent: of the second it is only said that it is there.
    let said = clinic.talks("are you there?").await.concat();
    assert!(said.starts_with("We have your message."), "{said}");
    let id = format!("SM{nth}");
    clinic.tells(Up::Stood(Stood { medium: Medium::Whatsapp, id, dialogue: None, desk: true }));
    let said = clinic.talks("how much is the fee?").await.concat();
    assert!(said.starts_with("We have your message."), "people have it: {said}");
}

#[tokio::test]
async fn what_cannot_be_answered_for_ten_minutes_is_only_said_to_be_there() {
    let mut clinic = Clinic::open().await;
    let stuck = |clinic: &Clinic| {
        let of = clinic.device.clinic;
        let item = clinic.item(clinic.written);
        let claimed = (sync_protocol::relay::answerer::Turn::Claimed, 0);
        let store = &clinic.place.hub.store;
        store.write(of, |tx| sync_hub::store::move_turn(tx, of, item, claimed)).unwrap();
    };
    clinic.writes("how much is the fee?").await;
    stuck(&clinic);
    clinic.later(10 * 60_000 - 1);
    assert_eq!(answer_due(&clinic.place.hub).unwrap(), 1);
    assert_eq!(clinic.hears().await, ["A consultation costs 500 rupees."]);
    clinic.writes("how much is the fee?").await;
    stuck(&clinic);
    clinic.later(10 * 60_000);
    assert_eq!(answer_due(&clinic.place.hub).unwrap(), 1);
    let said = clinic.hears().await.concat();
    assert!(said.starts_with("We have your message."), "{said}");
}

#[tokio::test]
async fn what_came_half_a_day_ago_is_left_to_the_box_that_says_so() {
    let mut clinic = Clinic::open().await;
    clinic.writes("how much is the fee?").await;
    clinic.later(12 * 3_600_000);
    assert_eq!(answer_due(&clinic.place.hub).unwrap(), 0);
    assert!(clinic.asks(1).is_some());
}

#[tokio::test]
async fn whoever_writes_without_end_hears_only_once_that_it_is_there() {
    let mut clinic = Clinic::open().await;
    let fee = ["A consultation costs 500 rupees."];
    for _ in 0..60 {
        assert_eq!(clinic.talks("how much is the fee?").await, fee);
    }
    let noted = clinic.talks("how much is the fee?").await;
    assert!(noted.len() == 1 && noted != fee, "{noted:?}");
    assert_eq!(clinic.talks("how much is the fee?").await, [""; 0]);
    clinic.later(3_600_000);
    assert_eq!(clinic.talks("how much is the fee?").await, fee);
}

#[tokio::test]
async fn a_clinic_that_does_not_want_it_is_not_answered_for() {
    let mut clinic = Clinic::open().await;
    clinic.tells(Up::Facts(Box::new(Facts { answers: false, at_ms: 2, ..facts() })));
    // What comes late is older.
    clinic.tells(Up::Facts(Box::new(facts())));
    clinic.writes("how much is the fee?").await;
    clinic.later(10 * AWAY_AFTER_MS);
    assert_eq!(answer_due(&clinic.place.hub).unwrap(), 0);
}
