//! Webhooks that come to the box itself: genuine ones are taken in once, nothing else ever.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use channels::account::Secret;
use prm::content::Content;
use prm::conversation::{self, Address, Filter};
use prm::medium::Medium;
use prm::message::{self, Hearing};
use ring::hmac;
use serde::Deserialize;

use super::*;
use crate::accounts::{self, Carrier};
use crate::http::webhooks::{A_MINUTE_MAX, WAITING_MAX};

const VOICE_AGENT: &str = "/api/v1/prm/webhooks/voice-agent";
const TWILIO: &str = "/api/v1/prm/webhooks/whatsapp/twilio";
const META: &str = "/api/v1/prm/webhooks/whatsapp/meta";
const SECRET: &[u8] = b"0123456789abcdef01234567";
const APP_SECRET: &str = "app-secret-of-meta";
const SETTINGS: &str = "[http]\npublic_url = \"https://hub.example\"\nhosts = [\"hub.example\"]";

/// Something that another program signed (`appliance/channels/tests/sign.py`).
#[derive(Deserialize)]
struct Vector {
    scheme: String,
    name: String,
    secret: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    timestamp: String,
    body: String,
    signature: String,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../../channels/tests/vectors/signatures.json");
    serde_json::from_str(text).expect("vectors are JSON")
}

fn clinic() -> Clinic {
    let clinic = Clinic::with_settings(SETTINGS);
    let key = format!("whsec_{}", STANDARD.encode(SECRET));
    add(&clinic, (Carrier::VoiceAgent, ""), &[&key]);
    add(&clinic, (Carrier::Meta, "1234567890"), &[APP_SECRET, "verify-token-of-ours"]);
    clinic
}

fn add(clinic: &Clinic, (carrier, called): (Carrier, &str), secrets: &[&str]) {
    let secrets = secrets.iter().map(|it| Secret::new(*it)).collect();
    let keys = place::keys(&clinic.app.data);
    accounts::add(&keys, (carrier, called.to_owned()), secrets, clinic.app.now()).unwrap();
}

/// A report of a call, signed a number of seconds ago.
fn call(clinic: &Clinic, id: &str, body: &str, seconds_ago: i64) -> Request<Body> {
    let at = clinic.app.now().as_second() - seconds_ago;
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let tag = hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(tag));
    report(body.to_owned(), [id, &at.to_string(), &signature])
}

fn report(body: impl Into<Body>, [id, at, signature]: [&str; 3]) -> Request<Body> {
    Request::post(VOICE_AGENT)
        .header("host", "hub.example")
        .header("webhook-id", id)
        .header("webhook-timestamp", at)
        .header("webhook-signature", signature)
        .body(body.into())
        .unwrap()
}

/// A webhook of Meta with a text, signed by this secret.
fn meta(secret: &str, id: &str, text: &str) -> Request<Body> {
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "changes": [{
        "field": "messages",
        "value": {
            "metadata": { "phone_number_id": "1234567890" },
            "contacts": [{ "wa_id": "919844111173", "profile": { "name": "Asha" } }],
            "messages": [{ "id": id, "from": "919844111173", "timestamp": "1795408200", "type": "text",
                           "text": { "body": text } }],
        },
    }] }] })
    .to_string();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body.as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Request::post(META)
        .header("x-hub-signature-256", format!("sha256={hex}"))
        .body(Body::from(body))
        .unwrap()
}

fn unread(clinic: &Clinic) -> i64 {
    let stamp = Stamp::of_box(clinic.app.now());
    let threads = |read: &prm::db::Read<'_>| {
        conversation::threads(read, &stamp, Filter::default(), None, 100)
    };
    let waiting = clinic.app.db.read_blocking(message::waiting_count).unwrap();
    let threads = clinic.app.db.read_blocking(threads).unwrap();
    waiting + threads.iter().map(|it| it.unread).sum::<i64>()
}

const CALL: &str = r#"{"call_id":"c-1","patient_phone":"+919844111173","transcript":"Caller: I want to come","extracted_data":{"intent":"book_appointment"},"duration_seconds":42,"agent":"seven"}"#;

#[tokio::test]
async fn what_others_programs_signed_is_taken_in() {
    let clinic = Clinic::with_settings(SETTINGS);
    clinic.app.clock.set("2023-01-19T00:13:51Z".parse().unwrap());
    let whatsapp = "a message of WhatsApp";
    let vectors: Vec<_> =
        vectors().into_iter().filter(|it| it.scheme == "standard" || it.name == whatsapp).collect();
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let is_call = vector.scheme == "standard";
        let (carrier, called) = match is_call {
            true => (Carrier::VoiceAgent, ""),
            false => (Carrier::Twilio, "AC0001/whatsapp:+14155238886"),
        };
        let request = |body: &str| match is_call {
            true => report(body.to_owned(), [&vector.id, &vector.timestamp, &vector.signature]),
            false => Request::post(TWILIO)
                .header("host", "hub.example")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("x-twilio-signature", &vector.signature)
                .body(Body::from(body.to_owned()))
                .unwrap(),
        };
        assert_eq!(clinic.send(request(&vector.body)).await.status, 401, "{}", vector.name);
        add(&clinic, (carrier, called), &[&vector.secret]);
        let answered = clinic.send(request(&vector.body)).await.status;
        // They are all of one id.
        let is_first = vector.name == "a secret";
        let expected = if is_first { StatusCode::ACCEPTED } else { StatusCode::OK };
        assert_eq!(answered, expected, "{}", vector.name);
        let changed = vector.body.replace(['1', '7'], "2");
        assert_eq!(clinic.send(request(&changed)).await.status, 401, "{}", vector.name);
        for account in accounts::load(&place::keys(&clinic.app.data)).unwrap() {
            accounts::remove(&place::keys(&clinic.app.data), account.id).unwrap();
        }
    }
    assert_eq!(unread(&clinic), 1);
}

#[tokio::test]
async fn a_call_is_taken_in_once_and_its_repetition_does_nothing() {
    let clinic = clinic();
    let first = clinic.send(call(&clinic, "msg_1", CALL, 0)).await;
    assert_eq!((first.status, first.body), (StatusCode::ACCEPTED, json!({ "duplicate": false })));
    assert_eq!(unread(&clinic), 1);
    // Also with another body, and when it is signed anew.
    for (body, seconds_ago) in [(CALL, 0), (CALL, 200), (&CALL.replace("c-1", "c-2"), 0)] {
        let again = clinic.send(call(&clinic, "msg_1", body, seconds_ago)).await;
        assert_eq!((again.status, again.body), (StatusCode::OK, json!({ "duplicate": true })));
    }
    assert_eq!(unread(&clinic), 1);
}

#[tokio::test]
async fn what_is_not_genuine_is_not_believed_and_hears_nothing_of_why() {
    let clinic = clinic();
    let at = clinic.app.now().as_second().to_string();
    let other = format!("v1,{}", STANDARD.encode([7; 32]));
    let mut answers = vec![
        clinic.send(report(CALL, ["msg_1", &at, &other])).await,
        clinic.send(report(CALL, ["msg_1", &at, ""])).await,
        clinic.send(report("not even JSON", ["", "", ""])).await,
        clinic.send(meta("another-secret", "wamid.1", "hello")).await,
    ];
    for seconds in [301, -301, 86_400] {
        answers.push(clinic.send(call(&clinic, "msg_1", CALL, seconds)).await);
    }
    let form = |signature: &str| {
        let body = "MessageSid=SM1&AccountSid=AC0001&From=whatsapp%3A%2B919844111173&To=whatsapp%3A%2B14155238886&Body=hi";
        Request::post(TWILIO)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-twilio-signature", signature)
            .body(Body::from(body))
            .unwrap()
    };
    answers.push(clinic.send(form("")).await);
    add(&clinic, (Carrier::Twilio, "AC0001/whatsapp:+14155238886"), &["auth-token"]);
    answers.push(clinic.send(form("RSOYDt4T1cUTdK1PDd93/VVr8B8=")).await);
    for answered in answers {
        assert_eq!((answered.status, answered.code()), (StatusCode::UNAUTHORIZED, "unrecognised"));
    }
    assert_eq!(unread(&clinic), 0);
}

#[tokio::test]
async fn a_genuine_call_that_cannot_be_read_hears_which_field_is_wrong() {
    let clinic = clinic();
    for (body, field) in [
        (r#"{"call_id":"c","duration_seconds":"long"}"#, json!("duration_seconds")),
        (r#"{"call_id":"c","patient_phone":"12"}"#, json!("patient_phone")),
        (r#"{"transcript":"hello"}"#, json!("call_id")),
        ("[]", Value::Null),
    ] {
        let answered = clinic.send(call(&clinic, "msg_1", body, 0)).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST);
        assert_eq!(answered.body["field"], field, "{:?}", answered.body);
    }
    // What is wrong is not remembered: mended, it is taken in under the same id.
    assert_eq!(clinic.send(call(&clinic, "msg_1", CALL, 0)).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn too_much_is_refused_before_it_is_read() {
    let clinic = clinic();
    for (path, longest) in [(VOICE_AGENT, 1 << 20), (META, 3 << 20), (TWILIO, 64 << 10)] {
        let long = vec![b'a'; longest + 1];
        let announced = Request::post(path).header("content-length", long.len());
        let announced = announced.body(Body::from(long.clone())).unwrap();
        assert_eq!(clinic.send(announced).await.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        let pieces =
            long.chunks(10_000).map(|it| Ok::<_, std::io::Error>(Bytes::copy_from_slice(it)));
        let pieces: Vec<_> = pieces.collect();
        let unannounced = Body::from_stream(futures_util::stream::iter(pieces));
        let unannounced = Request::post(path).body(unannounced).unwrap();
        assert_eq!(clinic.send(unannounced).await.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    let account = &accounts::load(&place::keys(&clinic.app.data)).unwrap()[0];
    for _ in 0..A_MINUTE_MAX {
        let now = clinic.app.now();
        clinic.app.tries.count("webhook", &account.id.to_string(), A_MINUTE_MAX, now).unwrap();
    }
    let answered = clinic.send(call(&clinic, "msg_1", CALL, 0)).await;
    assert_eq!(answered.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answered.headers["retry-after"], "60");
    // Nobody can use up the account of somebody else.
    let forged = clinic.send(report(CALL, ["msg_1", "1", "v1,AAAA"])).await;
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_cannot_be_stored_is_told_again_later() {
    let clinic = clinic();
    let stamp = Stamp::of_reception(clinic.app.now(), Medium::Whatsapp);
    let fill = move |tx: &mut Tx<'_>| {
        for number in 0..WAITING_MAX {
            let hearing = Hearing {
                medium: Medium::Whatsapp,
                provider_id: Some(number.to_string()),
                from: vec![Address::whatsapp("somebody")?],
                name: None,
                content: Content::text("hello"),
                said_at: stamp.now,
                answers: None,
            };
            message::hear(tx, &stamp, hearing)?;
        }
        Ok(())
    };
    clinic.app.db.write_blocking(fill).unwrap();
    let answered = clinic.send(call(&clinic, "msg_1", CALL, 0)).await;
    assert_eq!((answered.status, answered.code()), (StatusCode::SERVICE_UNAVAILABLE, "full"));
    assert!(answered.headers.contains_key("retry-after"));
    std::fs::write(place::keys(&clinic.app.data).join(accounts::FILE), "{").unwrap();
    let answered = clinic.send(call(&clinic, "msg_1", CALL, 0)).await;
    assert_eq!(
        (answered.status, answered.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    );
}

#[tokio::test]
async fn metas_handshake_is_answered_to_who_knows_the_token_and_its_messages_are_heard_once() {
    let clinic = clinic();
    let ask = |token: &str| {
        let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444");
        Request::get(format!("{META}?{query}")).body(Body::empty()).unwrap()
    };
    let agreed = clinic.send(ask("verify-token-of-ours")).await;
    assert_eq!((agreed.status, agreed.body), (StatusCode::OK, json!(1_158_201_444)));
    assert_eq!(clinic.send(ask("another")).await.status, StatusCode::FORBIDDEN);
    for _ in 0..2 {
        assert_eq!(clinic.send(meta(APP_SECRET, "wamid.1", "hello")).await.status, StatusCode::OK);
    }
    assert_eq!(unread(&clinic), 1);
}

#[tokio::test]
async fn a_new_secret_is_good_beside_the_one_before_until_it_is_settled() {
    let clinic = clinic();
    let newer = format!("whsec_{}", STANDARD.encode([9; 24]));
    add(&clinic, (Carrier::VoiceAgent, ""), &[&newer]);
    assert_eq!(clinic.send(call(&clinic, "msg_1", CALL, 0)).await.status, StatusCode::ACCEPTED);
    let keys = place::keys(&clinic.app.data);
    for account in accounts::load(&keys).unwrap() {
        accounts::settle(&keys, account.id).unwrap();
    }
    assert_eq!(clinic.send(call(&clinic, "msg_2", CALL, 0)).await.status, StatusCode::UNAUTHORIZED);
}
