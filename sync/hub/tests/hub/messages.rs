//! Messages between patients and boxes by way of the hub: down to the box, up from it to a carrier, and how they fare.

use std::collections::VecDeque;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse as _;
use channels::heard::{DeliveryState, Down, Said};
use channels::relay::topic::{Topic, Way};
use channels::say::{Address, Say, Up};
use jiff::Timestamp;
use prm::contact::Phone;
use prm::content::Content;
use prm::id::MessageId;
use prm::medium::Medium;
use sync_hub::channel;
use sync_hub::media::outgoing;
use sync_hub::receive::Refused;
use sync_hub::relay::{Goes, Took, due, take};
use sync_hub::say::carry::Carrier;
use sync_hub::say::{self, CLAIM_MS, NO_CHANNEL, OUTSIDE_WINDOW, STALE, TRIES_MAX, WINDOW_MS};
use sync_hub::store;
use sync_protocol::envelope::{Expected, Kind, OpeningKey, Place as At, Receiver, seal};
use sync_protocol::relay::{Batch, HOLD_MS, Had, In, Item, ItemId, Out, RESEND_MS};
use sync_protocol::wire;
use tower::ServiceExt as _;

use super::Place;
use super::device::Device;
use super::webhooks::{self, message, signed_form, twilio};

pub const ASHA: &str = "+919844111173";
pub const TOKEN: &str = "token-now";

type Asked = Arc<Mutex<Vec<String>>>;
type Answers = Arc<Mutex<VecDeque<(u16, &'static str)>>>;

/// A carrier that takes down what it is asked, and answers as it is told to; else it takes everything.
pub struct FakeCarrier {
    url: String,
    asked: Asked,
    answers: Answers,
}

impl FakeCarrier {
    pub async fn start() -> Self {
        let (asked, answers) = (Asked::default(), Answers::default());
        let (heard, told) = (Arc::clone(&asked), Arc::clone(&answers));
        let answer = move |body: Bytes| async move {
            let mut heard = heard.lock().unwrap();
            heard.push(String::from_utf8(body.to_vec()).unwrap());
            let usual = format!("{{\"sid\":\"SMout{}\"}}", heard.len());
            let (status, body) = match told.lock().unwrap().pop_front() {
                Some((status, body)) => (status, body.to_owned()),
                None => (201, usual),
            };
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, asked, answers }
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn will_answer(&self, status: u16, body: &'static str) {
        self.answers.lock().unwrap().push_back((status, body));
    }
}

/// A clinic whose box has joined and spoken, with an account at a carrier.
async fn clinic(carrier: &FakeCarrier) -> (Place, Device) {
    clinic_of(carrier, uuid::Uuid::new_v4().into_bytes()).await
}

/// The same, with this id.
pub async fn clinic_of(carrier: &FakeCarrier, id: [u8; 16]) -> (Place, Device) {
    let place = webhooks::place();
    let mut device = place.join_as(id, "Shanti").await;
    device.write_patient("1", "Asha");
    device.sync(&place.hub).await;
    let account = twilio(TOKEN, Some(carrier.url.clone()));
    channel::add(&place.hub, device.clinic, &account).unwrap();
    (place, device)
}

pub fn envelope(device: &Device, batch: Batch) -> Vec<u8> {
    let (clinic, box_id, log) = (device.clinic, device.box_id, device.uplink.log);
    let at = At { kind: Kind::MessageOut, clinic, box_id, log, after: 0, through: 0 };
    let body = wire::write(&Out(batch)).unwrap();
    seal(&at, &body, &device.keys.0, &device.hub.1, None).unwrap()
}

pub fn says(place: &Place, device: &Device, batch: Batch) -> Result<Took, Refused> {
    take(&place.hub, &envelope(device, batch))
}

pub fn opened(device: &Device, goes: &Goes) -> Batch {
    let topic: &Topic = &goes.publication.topic;
    assert_eq!(topic.clinic.into_bytes(), device.clinic);
    assert!(matches!(topic.way, Way::In(_)));
    opened_bytes(device, &goes.publication.payload)
}

/// What an envelope for the box holds.
pub fn opened_bytes(device: &Device, envelope: &[u8]) -> Batch {
    let mut receiver = Receiver::default();
    receiver.open_with(OpeningKey::from_bytes(device.keys.1.bytes()).unwrap()).unwrap();
    receiver.believe(device.hub.0).unwrap();
    let (clinic, box_id) = (device.clinic, device.box_id);
    let expected = Expected { kind: Kind::MessageIn, clinic, box_id };
    let opened = receiver.open(envelope, &expected).unwrap();
    wire::read::<In>(&opened.body).unwrap().0
}

pub fn downs(batch: &Batch) -> Vec<Down> {
    batch.items.iter().map(|it| Down::read(&it.body).unwrap()).collect()
}

pub fn now(place: &Place) -> i64 {
    place.clock.load(Ordering::Relaxed)
}

pub fn say_to(place: &Place, number: &str, content: Content) -> Say {
    let at = Timestamp::from_millisecond(now(place)).unwrap();
    Say {
        message: MessageId::new(at),
        medium: Medium::Whatsapp,
        to: Address::Phone(Phone::parse(number, "IN").unwrap()),
        content,
        not_after_ms: None,
    }
}

pub fn item(say: &Say) -> Item {
    Item { id: ItemId(*say.message.as_bytes()), body: Up::Say(say.clone()).write() }
}

pub async fn webhook(place: &Place, request: Request<Body>) -> StatusCode {
    let router = sync_hub::http::router(Arc::clone(&place.hub));
    router.oneshot(request).await.unwrap().status()
}

pub async fn heard(place: &Place, sid: &str) {
    let request = signed_form(TOKEN, sync_hub::http::TWILIO, &message(sid, "hello"));
    assert_eq!(webhook(place, request).await, StatusCode::OK);
}

/// Tries what is to be tried now, once; says how many that were.
pub async fn try_once(place: &Place) -> usize {
    let carrier = Carrier::new().unwrap();
    let claimed = say::claim(&place.hub, say::AT_ONCE_MAX).await;
    let told_at = format!("{}{}", webhooks::PUBLIC_URL, sync_hub::http::TWILIO);
    for ready in &claimed {
        let carried = outgoing::carry(&place.hub, &carrier, ready, Some(&told_at)).await;
        say::write(&place.hub, ready, &carried).unwrap();
    }
    claimed.len()
}

/// What the box hears of how its messages fare; it has all of it then.
fn states(place: &Place, device: &Device) -> Vec<(Option<MessageId>, DeliveryState)> {
    // What is on its way with an answer from before is not had.
    place.clock.fetch_add(HOLD_MS, Ordering::Relaxed);
    let Some(goes) = due(&place.hub, device.clinic, false).unwrap() else { return Vec::new() };
    let batch = opened(device, &goes);
    let line = place.hub.store.read(device.clinic, |tx| store::message_line(tx, device.clinic));
    let first = line.unwrap().last + 1 - u64::try_from(batch.items.len()).unwrap();
    let have = batch.items.iter().zip(first..).map(|(it, number)| Had { id: it.id, number });
    says(place, device, Batch { have: have.collect(), ..Batch::default() }).unwrap();
    let state = |it| match it {
        Down::Delivery(it) => Some((it.message, it.state)),
        Down::Heard(_) | Down::Webhook(_) | Down::Part(_) | Down::Answered(_) => None,
    };
    downs(&batch).into_iter().filter_map(state).collect()
}

#[tokio::test]
async fn a_message_goes_down_and_its_answer_goes_to_the_carrier_once() {
    let carrier = FakeCarrier::start().await;
    let (place, device) = clinic(&carrier).await;
    heard(&place, "SM1").await;
    let goes = due(&place.hub, device.clinic, true).unwrap().unwrap();
    let batch = opened(&device, &goes);
    let [Down::Heard(it)] = &downs(&batch)[..] else { panic!("{batch:?}") };
    assert_eq!(it.said, Said::Text("hello".to_owned()));
    // Not again at once, but after a while, and when the box connects again.
    assert!(due(&place.hub, device.clinic, false).unwrap().is_none());
    place.clock.fetch_add(RESEND_MS, Ordering::Relaxed);
    assert_eq!(due(&place.hub, device.clinic, false).unwrap().unwrap().items, 1);
    place.clock.fetch_add(1, Ordering::Relaxed);
    assert_eq!(due(&place.hub, device.clinic, true).unwrap().unwrap().items, 1);
    // The box has it, and answers; the line repeats what it says.
    let answer = say_to(&place, ASHA, Content::text("which day?"));
    let have = vec![Had { id: batch.items[0].id, number: 1 }];
    let up = Batch { items: vec![item(&answer)], have, ask: true, ..Batch::default() };
    for _ in 0..2 {
        let took = says(&place, &device, up.clone()).unwrap();
        let answered = opened(&device, &took.answer.unwrap());
        assert_eq!(answered.have, [Had { id: item(&answer).id, number: 1 }]);
        assert_eq!((answered.taken, answered.items.len()), (Some(1), 0));
    }
    place.clock.fetch_add(10 * RESEND_MS, Ordering::Relaxed);
    let asked =
        due(&place.hub, device.clinic, true).unwrap().expect("a box that connects is asked");
    assert_eq!(asked.items, 0, "all of it is had");
    assert_eq!((try_once(&place).await, try_once(&place).await), (1, 0));
    let asked = carrier.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].contains("which+day") && asked[0].contains("message%3D"), "{asked:?}");
    let sent = (Some(answer.message), DeliveryState::Sent);
    assert_eq!(states(&place, &device), [sent]);
    // Its states go on only, also where the webhook knows only what the carrier calls it.
    let path = format!("{}?message={}", sync_hub::http::TWILIO, answer.message);
    for (path, state) in [
        (path.as_str(), "delivered"),
        (path.as_str(), "sent"),
        (sync_hub::http::TWILIO, "delivered"),
        (sync_hub::http::TWILIO, "read"),
        (sync_hub::http::TWILIO, "failed"),
    ] {
        let fields = [
            ("MessageSid", "SMout1"),
            ("AccountSid", webhooks::SID),
            ("From", webhooks::OURS),
            ("To", "whatsapp:+919844111173"),
            ("MessageStatus", state),
        ];
        assert_eq!(webhook(&place, signed_form(TOKEN, path, &fields)).await, StatusCode::OK);
    }
    let of = |state| (Some(answer.message), state);
    assert_eq!(states(&place, &device), [of(DeliveryState::Delivered), of(DeliveryState::Read)]);
    // What was said is not kept any more.
    let read = |tx: &store::Tx<'_>| store::message_out(tx, device.clinic, item(&answer).id);
    let kept = place.hub.store.read(device.clinic, read).unwrap().unwrap();
    assert_eq!((kept.body, kept.state), (None, store::OutState::Read));
}

#[tokio::test]
async fn what_may_not_be_said_is_not_said_and_the_box_hears_why() {
    let carrier = FakeCarrier::start().await;
    let (place, device) = clinic(&carrier).await;
    let failed = |code: &str| DeliveryState::Failed { code: code.to_owned(), permanent: true };
    let template = || Content::Template {
        name: "HX0123456789abcdef0123456789abcdef".to_owned(),
        language: "en".to_owned(),
        arguments: Vec::new(),
        text: "See you.".to_owned(),
    };
    // Nobody wrote yet: only a template goes.
    let free = say_to(&place, ASHA, Content::text("hello"));
    let approved = say_to(&place, "+919844111174", template());
    let short = Say { medium: Medium::Sms, ..say_to(&place, ASHA, Content::text("hello")) };
    let over = Say { not_after_ms: Some(now(&place) - 1), ..say_to(&place, ASHA, template()) };
    let long_ago = Timestamp::from_millisecond(now(&place) - say::AGE_MS_MAX - 1).unwrap();
    let old = Say { message: MessageId::new(long_ago), ..say_to(&place, ASHA, template()) };
    let all = [&free, &approved, &short, &over, &old];
    let items: Vec<Item> = all.iter().map(|it| item(it)).collect();
    says(&place, &device, Batch { items, ..Batch::default() }).unwrap();
    for _ in 0..all.len() {
        try_once(&place).await;
    }
    assert_eq!(carrier.asked().len(), 1);
    let mut told = states(&place, &device);
    told.sort_by_key(|it| all.iter().position(|say| Some(say.message) == it.0));
    let expected = [
        (Some(free.message), failed(OUTSIDE_WINDOW)),
        (Some(approved.message), DeliveryState::Sent),
        (Some(short.message), failed(NO_CHANNEL)),
        (Some(over.message), failed(STALE)),
        (Some(old.message), failed(STALE)),
    ];
    assert_eq!(told, expected);
    // Somebody writes, and may be answered for a day.
    heard(&place, "SM1").await;
    for (later, state) in [(0, DeliveryState::Sent), (WINDOW_MS, failed(OUTSIDE_WINDOW))] {
        place.clock.fetch_add(later, Ordering::Relaxed);
        let say = say_to(&place, ASHA, Content::text("hello"));
        says(&place, &device, Batch { items: vec![item(&say)], ..Batch::default() }).unwrap();
        try_once(&place).await;
        assert!(states(&place, &device).contains(&(Some(say.message), state)));
    }
}

#[tokio::test]
async fn a_carrier_that_cannot_now_is_asked_again_later_and_one_person_hears_in_order() {
    let carrier = FakeCarrier::start().await;
    let (place, device) = clinic(&carrier).await;
    heard(&place, "SM1").await;
    let first = say_to(&place, ASHA, Content::text("first"));
    let second = say_to(&place, ASHA, Content::text("second"));
    let items = vec![item(&first), item(&second)];
    says(&place, &device, Batch { items, ..Batch::default() }).unwrap();
    carrier.will_answer(429, "{\"code\":20429}");
    // Two hubs look at once: one of them tries it.
    let other = place.another();
    let claims = [say::claim(&place.hub, 8).await.len(), say::claim(&other, 8).await.len()];
    assert_eq!(claims, [1, 0]);
    // The one that took it ended without a word; another tries when its claim is over.
    place.clock.fetch_add(CLAIM_MS, Ordering::Relaxed);
    assert_eq!(try_once(&place).await, 1, "the second waits for the first");
    assert_eq!((try_once(&place).await, carrier.asked().len()), (0, 1));
    place.clock.fetch_add(5_000, Ordering::Relaxed);
    assert_eq!((try_once(&place).await, try_once(&place).await), (1, 1));
    let asked = carrier.asked();
    assert!(asked[1].contains("first") && asked[2].contains("second"), "{asked:?}");
    // What the carrier refuses is over; what it does not answer for too long, too.
    let third = say_to(&place, ASHA, Content::text("third"));
    carrier.will_answer(400, "{\"code\":21211}");
    says(&place, &device, Batch { items: vec![item(&third)], ..Batch::default() }).unwrap();
    assert_eq!(try_once(&place).await, 1);
    let fourth = say_to(&place, ASHA, Content::text("fourth"));
    says(&place, &device, Batch { items: vec![item(&fourth)], ..Batch::default() }).unwrap();
    for _ in 0..TRIES_MAX {
        carrier.will_answer(503, "");
        assert_eq!(try_once(&place).await, 1);
        place.clock.fetch_add(5 * 60_000, Ordering::Relaxed);
    }
    assert_eq!(try_once(&place).await, 0);
    let failed = |code: &str, permanent| DeliveryState::Failed { code: code.to_owned(), permanent };
    let expected = [
        (Some(first.message), DeliveryState::Sent),
        (Some(second.message), DeliveryState::Sent),
        (Some(third.message), failed("21211", true)),
        (Some(fourth.message), failed("http-503", false)),
    ];
    assert_eq!(states(&place, &device), expected);
}

#[tokio::test]
async fn a_box_that_was_put_back_gets_again_what_it_lost() {
    let carrier = FakeCarrier::start().await;
    let (place, device) = clinic(&carrier).await;
    for sid in ["SM1", "SM2", "SM3"] {
        heard(&place, sid).await;
    }
    let batch = opened(&device, &due(&place.hub, device.clinic, true).unwrap().unwrap());
    let have = batch.items.iter().zip(1..).map(|(it, number)| Had { id: it.id, number });
    says(&place, &device, Batch { have: have.collect(), ..Batch::default() }).unwrap();
    let line = || place.hub.store.read(device.clinic, |tx| store::message_line(tx, device.clinic));
    assert_eq!((line().unwrap().waiting, line().unwrap().waiting_bytes), (0, 0));
    // Its copy knows the first one only.
    let took = says(&place, &device, Batch { taken: Some(1), ask: true, ..Batch::default() });
    let again = opened(&device, &took.unwrap().answer.unwrap());
    assert_eq!(again.items, batch.items[1..]);
    assert_eq!((line().unwrap().waiting, again.taken), (2, Some(0)));
    // A copy of the box that speaks with a log that is not heard takes and says nothing.
    let mut copy = device.clone();
    copy.uplink.log = sync_protocol::lineage::LogId([9; 16]);
    let refused = says(&place, &copy, Batch { taken: Some(0), ..Batch::default() });
    assert!(matches!(refused, Err(Refused::NotLiving)), "{refused:?}");
    assert_eq!(line().unwrap().waiting, 2);
    // What an operator sees.
    let arguments = ["clinic", "status", "Shanti", "--json"];
    let program = Command::new(env!("CARGO_BIN_EXE_carepost-hub"))
        .args(arguments)
        .args(place.arguments())
        .output()
        .unwrap();
    let said: serde_json::Value = serde_json::from_slice(&program.stdout).unwrap();
    assert_eq!(
        (&said["messages"]["waiting_in"], &said["channels"][0]["carrier"]),
        (&2.into(), &"twilio".into())
    );
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let answer = sync_hub::http::router(Arc::clone(&place.hub)).oneshot(request).await.unwrap();
    let text = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    let id = uuid::Uuid::from_bytes(device.clinic);
    let line = format!("carepost_hub_clinic_messages_waiting_in{{clinic=\"{id}\"}} 2\n");
    assert!(text.contains(&line), "{text}");
    assert!(!text.contains(ASHA) && !String::from_utf8_lossy(&program.stdout).contains(ASHA));
}
