//! Webhooks of providers: genuine ones are kept once and on the disk before the answer, whatever else comes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use channels::heard::{DeliveryState, Down, Said};
use channels::standard_webhooks;
use ring::hmac;
use serde_json::{Value, json};
use sync_hub::arrivals::{self, Arrival, Kept, NotKept, WAITING_MAX, place_in};
use sync_hub::channel::{self, Account, MetaSecrets, Secret, TwilioSecrets};
use sync_hub::hub::Hub;
use sync_hub::store::{self, StoreError};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::Place;

pub const SID: &str = "AC0123456789abcdef0123456789abcdef";
pub const OURS: &str = "whatsapp:+14155238886";
pub const PUBLIC_URL: &str = "https://hub.example";
const SECRET: &[u8] = b"0123456789abcdef01234567";
pub const APP_SECRET: &str = "app-secret-of-meta";
const VERIFY: &str = "verify-token-of-ours";
const VOICE_AGENT: &str = "/api/v1/prm/webhooks/voice-agent";
pub const META: &str = "/api/v1/prm/webhooks/whatsapp/meta";

pub fn twilio(auth_token: &str, api_url: Option<String>) -> Account {
    Account::Twilio {
        account_sid: SID.to_owned(),
        number: OURS.to_owned(),
        api_url,
        secrets: vec![TwilioSecrets { auth_token: Secret::new(auth_token), shared_key: None }],
    }
}

fn meta(phone_number_id: &str, app_secret: &str) -> Account {
    meta_at(phone_number_id, app_secret, None)
}

pub fn meta_at(phone_number_id: &str, app_secret: &str, api_url: Option<String>) -> Account {
    Account::Meta {
        phone_number_id: phone_number_id.to_owned(),
        api_url,
        secrets: vec![MetaSecrets {
            access_token: Secret::new("access-token"),
            app_secret: Secret::new(app_secret),
            verify_token: Secret::new(VERIFY),
        }],
    }
}

fn voice_agent() -> Account {
    let key = format!("whsec_{}", STANDARD.encode(SECRET));
    Account::VoiceAgent { secrets: vec![Secret::new(key)] }
}

/// A hub that knows its own address.
pub fn place() -> Place {
    let mut place = Place::new();
    let hub = Arc::get_mut(&mut place.hub).unwrap();
    hub.public_url = Some(PUBLIC_URL.to_owned());
    place
}

async fn ask(hub: &Arc<Hub>, request: Request<Body>) -> (StatusCode, String, Option<String>) {
    let response = sync_hub::http::router(Arc::clone(hub)).oneshot(request).await.unwrap();
    let status = response.status();
    let later = response.headers().get("retry-after").map(|it| it.to_str().unwrap().to_owned());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap(), later)
}

/// What waits for the box of a clinic, opened, in order.
pub fn waiting(hub: &Hub, clinic: [u8; 16]) -> Vec<Down> {
    let read = |tx: &store::Tx<'_>| -> Result<_, StoreError> {
        let of = store::clinic(tx, clinic)?.unwrap();
        let sql = "SELECT id, body FROM message_in WHERE clinic = ?1 ORDER BY number";
        let rows = tx.rows(sql, &[store::sql::Param::from(&clinic)], |row| {
            Ok((row.get::<[u8; 16]>(0)?, row.get::<Vec<u8>>(1)?))
        })?;
        Ok((of, rows))
    };
    let (of, rows) = hub.store.read(clinic, read).unwrap();
    let key = hub.key_of(&of).unwrap();
    let open = |(id, body): ([u8; 16], Vec<u8>)| {
        let plain = key.open(&place_in(sync_protocol::relay::ItemId(id)), &body).unwrap();
        Down::read(&plain).unwrap()
    };
    rows.into_iter().map(open).collect()
}

/// A form, signed as Twilio does.
pub fn signed_form(token: &str, path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let text = sorted
        .iter()
        .fold(format!("{PUBLIC_URL}{path}"), |text, (name, value)| format!("{text}{name}{value}"));
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Request::post(path)
        .header("host", "attacker.example")
        .header("x-forwarded-host", "attacker.example")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature)
        .body(Body::from(body))
        .unwrap()
}

pub fn message<'a>(sid: &'a str, text: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("MessageSid", sid),
        ("AccountSid", SID),
        ("From", "whatsapp:+919844111173"),
        ("To", OURS),
        ("Body", text),
        ("NumMedia", "0"),
        ("ProfileName", "Asha"),
    ]
}

pub fn signed_json(path: &str, secret: &str, body: &str) -> Request<Body> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body.as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Request::post(path)
        .header("content-type", "application/json")
        .header("x-hub-signature-256", format!("sha256={hex}"))
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn report(call_id: &str) -> String {
    json!({ "call_id": call_id, "patient_phone": "+919844111173", "transcript": "kal subah",
        "extracted_data": { "intent": "book_appointment" }, "duration_seconds": 60 })
    .to_string()
}

fn signed_report(path: &str, id: &str, at_ms: i64, body: &str) -> Request<Body> {
    let seconds = at_ms / 1000;
    let signature = standard_webhooks::sign(SECRET, id, seconds, body.as_bytes());
    Request::post(path)
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", format!("v1,AAAA {signature}"))
        .body(Body::from(body.to_owned()))
        .unwrap()
}

#[tokio::test]
async fn a_report_of_a_call_is_kept_once_as_it_came() {
    let place = place();
    let clinic = place.add_clinic("Shanti");
    channel::add(&place.hub, clinic, &voice_agent()).unwrap();
    let (hub, now) = (&place.hub, place.clock.load(Ordering::Relaxed));
    let body = report("1");
    let path = format!("{VOICE_AGENT}?clinic={}", Uuid::from_bytes(clinic));
    let (status, ..) = ask(hub, signed_report(&path, "msg_1", now, &body)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    // Again, later, and with another body under the same id.
    for again in [&body, &report("2")] {
        let request = signed_report(VOICE_AGENT, "msg_1", now + 60_000, again);
        let (status, text, _) = ask(hub, request).await;
        assert_eq!((status, text.contains("true")), (StatusCode::OK, true), "{text}");
    }
    let kept = waiting(hub, clinic);
    let [Down::Webhook(webhook)] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!((webhook.id.as_str(), webhook.body.as_slice()), ("msg_1", body.as_bytes()));
    assert_eq!(webhook.received_at_ms, now);
    // A revision of the call has another id.
    let (status, ..) = ask(hub, signed_report(VOICE_AGENT, "msg_2", now, &report("1"))).await;
    assert_eq!((status, waiting(hub, clinic).len()), (StatusCode::ACCEPTED, 2));
}

#[tokio::test]
async fn what_is_forged_stale_too_long_or_malformed_is_refused_and_not_kept() {
    let place = place();
    let clinic = place.add_clinic("Shanti");
    channel::add(&place.hub, clinic, &voice_agent()).unwrap();
    let (hub, now) = (&place.hub, place.clock.load(Ordering::Relaxed));
    let body = report("1");
    let mut answers = Vec::new();
    for (path, at, said) in [
        // Another body than was signed, a signature of before, an account that is not there, another one's.
        (VOICE_AGENT.to_owned(), now, "{}".to_owned()),
        (VOICE_AGENT.to_owned(), now - 6 * 60_000, body.clone()),
        (VOICE_AGENT.to_owned(), now + 6 * 60_000, body.clone()),
        (format!("{VOICE_AGENT}?clinic={}", Uuid::new_v4()), now, body.clone()),
        (format!("{VOICE_AGENT}?clinic=1"), now, body.clone()),
    ] {
        let mut request = signed_report(&path, "msg_1", at, &body);
        *request.body_mut() = Body::from(said);
        answers.push(ask(hub, request).await);
    }
    let (first, rest) = answers.split_first().unwrap();
    assert_eq!(first.0, StatusCode::UNAUTHORIZED);
    assert!(rest.iter().all(|it| it == first), "nobody hears which of these it was: {answers:?}");
    for (said, field) in [
        ("[]", "JSON object"),
        ("{}", "call_id"),
        (r#"{"call_id":"1","transcript":3}"#, "transcript"),
        (r#"{"call_id":"1","patient_phone":"12"}"#, "patient_phone"),
    ] {
        let (status, text, _) = ask(hub, signed_report(VOICE_AGENT, "msg_1", now, said)).await;
        assert_eq!((status, text.contains(field)), (StatusCode::BAD_REQUEST, true), "{text}");
    }
    let long = format!("{{\"call_id\":\"1\",\"x\":\"{}\"}}", "a".repeat(1 << 20));
    let (status, ..) = ask(hub, signed_report(VOICE_AGENT, "msg_1", now, &long)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(waiting(hub, clinic).is_empty());
    // A second clinic with an agent: the address has to say which.
    let other = place.add_clinic("Asha");
    channel::add(hub, other, &voice_agent()).unwrap();
    let (status, text, _) = ask(hub, signed_report(VOICE_AGENT, "msg_1", now, &body)).await;
    assert_eq!((status, text.contains("?clinic=")), (StatusCode::BAD_REQUEST, true));
    let (_, metrics, _) = ask(hub, Request::get("/metrics").body(Body::empty()).unwrap()).await;
    for line in
        ["{cause=\"signature\"} 5\n", "{cause=\"malformed\"} 5\n", "{cause=\"too-long\"} 1\n"]
    {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[tokio::test]
async fn twilio_is_believed_by_the_public_address_and_answered_with_nothing() {
    let mut place = place();
    let clinic = place.add_clinic("Shanti");
    channel::add(&place.hub, clinic, &twilio("token-before", None)).unwrap();
    channel::add(&place.hub, clinic, &twilio("token-now", None)).unwrap();
    let (hub, path) = (&place.hub, sync_hub::http::TWILIO);
    // With either token while it is being changed; the same message is there once.
    for (token, sid, count) in
        [("token-now", "SM1", 1), ("token-before", "SM1", 1), ("token-before", "SM2", 2)]
    {
        let (status, text, _) = ask(hub, signed_form(token, path, &message(sid, "hello"))).await;
        assert_eq!((status, text.contains("<Response/>")), (StatusCode::OK, true), "{text}");
        assert_eq!(waiting(hub, clinic).len(), count);
    }
    let Down::Heard(heard) = &waiting(hub, clinic)[0] else { panic!("something else") };
    assert_eq!(
        (&heard.said, heard.from.name.as_deref()),
        (&Said::Text("hello".to_owned()), Some("Asha"))
    );
    // Signed with another token, for another path, or with a field more.
    let mut forged = vec![signed_form("token-of-others", path, &message("SM3", "x"))];
    let mut elsewhere = signed_form("token-now", path, &message("SM3", "x"));
    *elsewhere.uri_mut() = format!("{path}?message=1").parse().unwrap();
    forged.push(elsewhere);
    let mut more = signed_form("token-now", path, &message("SM3", "x"));
    *more.body_mut() =
        Body::from(format!("MessageSid=SM3&AccountSid={SID}&To={OURS}&From=a&Body=y"));
    forged.push(more);
    for request in forged {
        assert_eq!(ask(hub, request).await.0, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(waiting(hub, clinic).len(), 2);
    // Without an address of its own nothing can be believed.
    Arc::get_mut(&mut place.hub).unwrap().public_url = None;
    let (status, ..) = ask(&place.hub, signed_form("token-now", path, &message("SM4", "x"))).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn meta_brings_messages_of_several_clinics_each_by_its_own_secret() {
    let place = place();
    let (ours, sister, other) =
        (place.add_clinic("Shanti"), place.add_clinic("Asha"), place.add_clinic("Ravi"));
    let hub = &place.hub;
    channel::add(hub, ours, &meta("111", APP_SECRET)).unwrap();
    channel::add(hub, sister, &meta("222", APP_SECRET)).unwrap();
    channel::add(hub, other, &meta("333", "another-secret")).unwrap();
    let query = format!("hub.mode=subscribe&hub.verify_token={VERIFY}&hub.challenge=42");
    let get = |query: &str| Request::get(format!("{META}?{query}")).body(Body::empty()).unwrap();
    assert_eq!(ask(hub, get(&query)).await.1, "42");
    let wrong = query.replace(VERIFY, "another-verify-token");
    assert_eq!(ask(hub, get(&wrong)).await.0, StatusCode::FORBIDDEN);
    let change = |number: &str, what: Value| {
        let mut value = json!({ "messaging_product": "whatsapp",
            "metadata": { "phone_number_id": number, "display_phone_number": "1" },
            "contacts": [{ "wa_id": "919844111173", "profile": { "name": "Asha" } }] });
        for (name, it) in what.as_object().unwrap() {
            value[name] = it.clone();
        }
        json!({ "id": "1", "changes": [{ "field": "messages", "value": value }] })
    };
    let said = |id: &str| {
        json!({ "messages": [{ "id": id, "from": "919844111173",
        "timestamp": "1800000000", "type": "text", "text": { "body": "caf\u{e9}" } }] })
    };
    let body = json!({ "object": "whatsapp_business_account", "entry": [
        change("111", said("wamid.1")), change("222", said("wamid.2")),
        change("333", said("wamid.3")), change("444", said("wamid.4")) ] });
    // Bytes on the wire escape what is not ASCII; written again they would differ.
    let body = body.to_string().replace('\u{e9}', "\\u00e9");
    for _ in 0..2 {
        assert_eq!(ask(hub, signed_json(META, APP_SECRET, &body)).await.0, StatusCode::OK);
    }
    let counts = [ours, sister, other].map(|clinic| waiting(hub, clinic).len());
    assert_eq!(counts, [1, 1, 0], "what another app's secret did not sign is not believed");
    let status = |state: &str| {
        json!({ "statuses": [{ "id": "wamid.out", "status": state,
        "timestamp": "1800000001", "recipient_id": "919844111173" }] })
    };
    for state in ["delivered", "delivered", "sent"] {
        let body = json!({ "entry": [change("111", status(state))] }).to_string();
        assert_eq!(ask(hub, signed_json(META, APP_SECRET, &body)).await.0, StatusCode::OK);
    }
    let states: Vec<_> = waiting(hub, ours)
        .into_iter()
        .filter_map(|it| if let Down::Delivery(it) = it { Some(it.state) } else { None })
        .collect();
    // Nothing is known of that message here; the box orders its states.
    assert_eq!(states, [DeliveryState::Delivered, DeliveryState::Sent]);
    for (secret, body, expected) in [
        ("wrong-secret", body.clone(), StatusCode::UNAUTHORIZED),
        (APP_SECRET, "{}".to_owned(), StatusCode::UNAUTHORIZED),
        (APP_SECRET, format!("{body}{}", " ".repeat(3 << 20)), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(ask(hub, signed_json(META, secret, &body)).await.0, expected);
    }
    let mut cut = signed_json(META, APP_SECRET, &body);
    *cut.body_mut() = Body::from(body[..body.len() - 1].to_owned());
    assert_eq!(ask(hub, cut).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn many_at_once_are_each_kept_once() {
    let place = place();
    let clinics = [place.add_clinic("Shanti"), place.add_clinic("Asha")];
    let hub = &place.hub;
    let mut asking = tokio::task::JoinSet::new();
    for number in 0..200_u32 {
        let clinic = clinics[usize::try_from(number % 2).unwrap()];
        for _ in 0..2 {
            let hub = Arc::clone(hub);
            asking.spawn(async move {
                let id = format!("msg_{number}");
                let (timestamp, signature) = ("1".to_owned(), String::new());
                let webhook = channels::heard::Webhook {
                    id,
                    timestamp,
                    signature,
                    body: Vec::new(),
                    received_at_ms: 0,
                };
                let downs = vec![Down::Webhook(webhook)];
                arrivals::keep(&hub, Arrival { clinic, channel: [0; 16], downs }).await
            });
        }
    }
    let (mut new, mut known) = (0, 0);
    while let Some(kept) = asking.join_next().await {
        match kept.unwrap() {
            Ok(Kept::New) => new += 1,
            Ok(Kept::Known) => known += 1,
            other @ (Ok(Kept::Full) | Err(NotKept::Busy | NotKept::Unavailable)) => {
                panic!("{other:?}")
            }
        }
    }
    assert_eq!((new, known), (200, 200));
    for clinic in clinics {
        assert_eq!(waiting(hub, clinic).len(), 100);
        let line = hub.store.read(clinic, |tx| store::message_line(tx, clinic)).unwrap();
        assert_eq!((line.waiting, line.last), (100, 100));
    }
}

#[tokio::test]
async fn when_too_much_waits_for_a_box_nothing_is_lost_without_a_word() {
    let place = place();
    let clinic = place.add_clinic("Shanti");
    channel::add(&place.hub, clinic, &twilio("token-now", None)).unwrap();
    let (hub, path) = (&place.hub, sync_hub::http::TWILIO);
    ask(hub, signed_form("token-now", path, &message("SM1", "hello"))).await;
    hub.store
        .write(clinic, |tx| {
            let mut line = store::message_line(tx, clinic)?;
            line.waiting = WAITING_MAX;
            store::put_message_line(tx, clinic, &line)
        })
        .unwrap();
    let (status, _, later) =
        ask(hub, signed_form("token-now", path, &message("SM2", "hello"))).await;
    assert_eq!((status, later.as_deref()), (StatusCode::SERVICE_UNAVAILABLE, Some("60")));
    // What is known is known all the same.
    let (status, ..) = ask(hub, signed_form("token-now", path, &message("SM1", "hello"))).await;
    assert_eq!((status, waiting(hub, clinic).len()), (StatusCode::OK, 1));
}
