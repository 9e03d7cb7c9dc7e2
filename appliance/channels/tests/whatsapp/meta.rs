//! Meta's Cloud API.

use channels::heard::{Delivery, DeliveryState, Down, Heard, Missing, Said};
use channels::say::Address;
use channels::whatsapp::meta::{
    Account, GRAPH_VERSION, accounts, answer, hand_over, handed_over, look_up, looked_up, read,
    write,
};
use channels::whatsapp::{NotFound, Outcome, Place, With};
use prm::content::{Choice, Content};
use prm::id::{MediaId, MessageId};
use serde_json::{Value, json};

use super::{asha, choice, choices, now, say, template};

fn webhook(value: Value) -> Vec<u8> {
    let mut value = value;
    value["messaging_product"] = "whatsapp".into();
    value["metadata"] = json!({ "display_phone_number": "919900", "phone_number_id": "123" });
    let change = json!({ "field": "messages", "value": value });
    let entry = json!([{ "id": "0", "changes": [change] }]);
    json!({ "object": "whatsapp_business_account", "entry": entry }).to_string().into_bytes()
}

fn told(value: Value) -> Vec<Down> {
    let body = webhook(value);
    assert_eq!(accounts(&body), ["123"]);
    let told = read(&body, now()).expect("a webhook");
    assert!(told.iter().all(|it| it.account == "123"));
    told.into_iter().map(|it| it.what).collect()
}

fn heard(messages: Value, contacts: Value) -> Vec<Heard> {
    let told = told(json!({ "messages": messages, "contacts": contacts }));
    let heard = told.into_iter().map(|it| match it {
        Down::Heard(heard) => heard,
        Down::Delivery(_) | Down::Webhook(_) | Down::Part(_) | Down::Answered(_) => {
            panic!("nothing was heard")
        }
    });
    heard.collect()
}

fn said(kind: &str, what: Value) -> Said {
    let mut message = json!({ "from": "919844111173", "id": "wamid.1", "timestamp": "1694427240" });
    message["type"] = kind.into();
    message[kind] = what;
    heard(json!([message]), json!([])).remove(0).said
}

#[test]
fn messages_are_heard_with_who_said_them_when_and_to_what() {
    let all = heard(
        json!([
            { "from": "919844111173", "id": "wamid.1", "timestamp": "1694427240", "type": "text",
              "text": { "body": "kal" }, "context": { "id": "wamid.0" } },
            { "from": "919844111174", "id": "wamid.2", "type": "text", "text": { "body": "hi" } },
        ]),
        json!([{ "wa_id": "919844111174", "profile": { "name": "Ravi" } },
               { "wa_id": "919844111173", "user_id": "IN.1", "profile": { "name": "Asha" } }]),
    );
    let [asha_said, ravi_said] = all.as_slice() else { panic!("two messages") };
    assert_eq!(asha_said.from.phone, Some(asha()));
    assert_eq!(asha_said.from.user.as_deref(), Some("IN.1"));
    assert_eq!(asha_said.from.name.as_deref(), Some("Asha"));
    assert_eq!((asha_said.answers.as_deref(), asha_said.to.as_str()), (Some("wamid.0"), "123"));
    assert_eq!(asha_said.said_at.as_second(), 1_694_427_240);
    assert_eq!((ravi_said.from.name.as_deref(), ravi_said.said_at), (Some("Ravi"), now()));
}

#[test]
fn somebody_without_a_number_is_known_by_the_id() {
    let message = json!({ "id": "wamid.1", "type": "text", "text": { "body": "hi" } });
    let contact = json!({ "user_id": "IN.13491208655302741918", "profile": { "name": "A" } });
    let all = heard(json!([message]), json!([contact]));
    assert_eq!(all[0].from.phone, None);
    assert_eq!(all[0].from.user.as_deref(), Some("IN.13491208655302741918"));
    let mut named = message.clone();
    named["from_user_id"] = "IN.2".into();
    let all = heard(json!([named]), json!([]));
    assert_eq!(all[0].from.user.as_deref(), Some("IN.2"));
    assert_eq!(heard(json!([message]), json!([])), [], "nobody to answer");
}

#[test]
fn each_kind_is_told_apart_and_what_is_not_known_is_not_lost() {
    let chosen = Said::Chosen { id: "slot:2".to_owned(), title: "10:15".to_owned() };
    let reply = json!({ "id": "slot:2", "title": "10:15" });
    assert_eq!(
        said("interactive", json!({ "type": "button_reply", "button_reply": reply })),
        chosen
    );
    assert_eq!(said("interactive", json!({ "type": "list_reply", "list_reply": reply })), chosen);
    assert_eq!(said("button", json!({ "payload": "slot:2", "text": "10:15" })), chosen);
    let voice = json!({ "id": "77", "mime_type": "audio/ogg; codecs=opus", "voice": true });
    let Said::Media { reference, media_type, .. } = said("audio", voice) else { panic!("sound") };
    assert_eq!((reference.as_str(), media_type.as_str()), ("77", "audio/ogg; codecs=opus"));
    let place = said("location", json!({ "latitude": 12.971_600, "longitude": 77.5946 }));
    assert!(matches!(place, Said::Location { latitude, .. } if latitude.starts_with("12.9716")));
    for (kind, what) in [
        ("sticker", json!({ "id": "1" })),
        ("hologram", json!([1, 2])),
        ("text", json!({ "body": 5 })),
        ("image", json!("none")),
        ("location", json!({ "latitude": "here" })),
    ] {
        assert_eq!(said(kind, what), Said::Unsupported { kind: kind.to_owned() });
    }
}

#[test]
fn one_message_that_is_not_as_it_was_does_not_take_the_others_with_it() {
    let all = told(json!({
        "contacts": [{ "wa_id": 5 }],
        "messages": ["what", { "id": "wamid.1", "from": "919844111173", "timestamp": 5, "type": "text" },
                     { "id": "wamid.2", "from": "919844111173", "type": "text", "text": { "body": "hi" } }],
        "statuses": [7, { "id": "wamid.3", "status": "read", "timestamp": "1694427240" }],
    }));
    assert_eq!(all.len(), 3);
}

#[test]
fn states_are_told_of_the_message_that_was_named_when_it_was_sent() {
    let message = MessageId::from_bytes([7; 16]);
    let state = |status: Value| {
        let mut status = status;
        status["id"] = "wamid.9".into();
        status["timestamp"] = "1694427240".into();
        status["biz_opaque_callback_data"] = message.to_string().into();
        told(json!({ "statuses": [status] })).into_iter().next().map(|it| match it {
            Down::Delivery(Delivery { message: Some(named), provider_id, state, at, .. }) => {
                assert_eq!(
                    (named, provider_id.as_str(), at.as_second()),
                    (message, "wamid.9", 1_694_427_240)
                );
                state
            }
            Down::Delivery(_)
            | Down::Heard(_)
            | Down::Webhook(_)
            | Down::Part(_)
            | Down::Answered(_) => {
                panic!("a state")
            }
        })
    };
    assert_eq!(state(json!({ "status": "delivered" })), Some(DeliveryState::Delivered));
    assert_eq!(state(json!({ "status": "read" })), Some(DeliveryState::Read));
    assert_eq!(state(json!({ "status": "deleted" })), None);
    let failed = |code: i64| state(json!({ "status": "failed", "errors": [{ "code": code }] }));
    let expected =
        |code: &str, permanent| Some(DeliveryState::Failed { code: code.to_owned(), permanent });
    assert_eq!(failed(131_047), expected("131047", true));
    assert_eq!(failed(130_429), expected("130429", false));
}

const ACCOUNT: Account<'_> =
    Account { phone_number_id: "123", access_token: "token", version: GRAPH_VERSION };

fn written(content: Content, with: With<'_>) -> Value {
    let request = write(&ACCOUNT, &say(content), with).expect("a request");
    assert_eq!(request.path, "/v24.0/123/messages");
    assert_eq!(request.headers[0], ("authorization", "Bearer token".to_owned()));
    serde_json::from_slice(&request.body).expect("JSON")
}

#[test]
fn words_go_to_a_number_or_to_an_id() {
    let words = written(Content::text("Hello"), With::default());
    assert_eq!(words["to"], "919844111173");
    assert_eq!(words["biz_opaque_callback_data"], "07070707-0707-0707-0707-070707070707");
    assert_eq!(words["text"]["body"], "Hello");
    let mut hidden = say(Content::text("Hello"));
    hidden.to = Address::User("IN.1".to_owned());
    let request = write(&ACCOUNT, &hidden, With::default()).expect("a request");
    let hidden: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!((&hidden["recipient"], hidden.get("to")), (&"IN.1".into(), None));
    assert!(write(&ACCOUNT, &say(Content::text(" ")), With::default()).is_err());
}

#[test]
fn few_choices_are_buttons_more_are_a_list_and_what_does_not_fit_is_numbered() {
    let three = written(choices(3), With::default());
    assert_eq!(three["interactive"]["action"]["buttons"][2]["reply"]["id"], "slot:3");
    let ten = written(choices(10), With::default());
    assert_eq!(ten["interactive"]["action"]["button"], "Times");
    assert_eq!(
        ten["interactive"]["action"]["sections"][0]["rows"].as_array().map(Vec::len),
        Some(10)
    );
    let numbered = |content: Content| {
        let written = written(content, With::default());
        written["text"]["body"].as_str().is_some_and(|it| it.contains("\n1. "))
    };
    assert!(numbered(choices(11)));
    let of = |text: &str, choices| Content::Choices { text: text.to_owned(), label: None, choices };
    let same = "the very same beginning";
    let alike = vec![choice(1, &format!("{same} one")), choice(2, &format!("{same} two"))];
    assert!(numbered(of("When?", alike)), "titles that would be cut to the same");
    assert!(numbered(of("When?", vec![choice(1, "a"), choice(1, "b")])), "one id twice");
    assert!(numbered(of(&"a".repeat(1_025), vec![choice(1, "a")])), "a long text");
    let described = Choice { description: Some("d".repeat(100)), ..choice(1, &"t".repeat(30)) };
    let row = written(of("When?", vec![described]), With::default());
    let row = &row["interactive"]["action"]["sections"][0]["rows"][0];
    let letters = |name: &str| row[name].as_str().map(|it| it.chars().count());
    assert_eq!((letters("title"), letters("description")), (Some(24), Some(72)));
}

#[test]
fn templates_and_pictures_go_out_as_meta_wants_them() {
    let approved = &written(template(), With::default())["template"];
    assert_eq!(
        (&approved["name"], &approved["language"]["code"]),
        (&"reminder_24h".into(), &"en_IN".into())
    );
    assert_eq!(approved["components"][0]["parameters"][1]["text"], "Monday 10:00");
    let media = |media_type: &str| Content::Media {
        media: MediaId::from_bytes([1; 16]),
        media_type: media_type.to_owned(),
        caption: Some("your QR".to_owned()),
    };
    let by_id = With { media: Some(Place::Id("55")), ..With::default() };
    let picture = written(media("image/png"), by_id);
    assert_eq!(picture["image"], json!({ "id": "55", "caption": "your QR" }));
    assert_eq!(written(media("audio/ogg"), by_id)["audio"], json!({ "id": "55" }));
    assert_eq!(written(media("application/pdf"), by_id)["type"], "document");
    assert!(write(&ACCOUNT, &say(media("image/png")), With::default()).is_err());
}

#[test]
fn an_answer_is_an_id_a_later_a_locked_or_a_never() {
    let answer = |status, body: &str| answer(status, None, body.as_bytes());
    let accepted = r#"{"messaging_product":"whatsapp","messages":[{"id":"wamid.9"}]}"#;
    assert_eq!(answer(200, accepted), Outcome::Accepted("wamid.9".into()));
    let fault = |code: i64| format!(r#"{{"error":{{"message":"x","code":{code}}}}}"#);
    let later = |code: &str| Outcome::Later { code: code.into(), after_seconds: None };
    assert_eq!(answer(429, &fault(130_429)), later("130429"));
    assert_eq!(answer(400, &fault(131_056)), later("131056"));
    assert_eq!(answer(502, "bad gateway"), later("http-502"));
    assert_eq!(answer(401, &fault(190)), Outcome::Locked { code: "190".into() });
    assert_eq!(answer(403, &fault(200)), Outcome::Locked { code: "200".into() });
    for code in [131_047, 131_026, 132_001, 131_062] {
        assert_eq!(answer(400, &fault(code)), Outcome::Refused { code: code.to_string() });
    }
}

#[test]
fn what_a_message_holds_is_fetched_from_meta_alone_and_handed_over_whole() {
    let asked = look_up(&ACCOUNT, None, "77").expect("a request");
    assert_eq!(asked.address, "https://graph.facebook.com/v24.0/77?phone_number_id=123");
    assert!(look_up(&ACCOUNT, None, "77/../me").is_err());
    let answered = |home, url: &str, size: u64| {
        let body = json!({ "url": url, "mime_type": "image/png", "file_size": size, "id": "77" });
        looked_up(&ACCOUNT, home, (200, body.to_string().as_bytes()))
    };
    let found = answered(None, "https://lookaside.fbsbx.com/x?mid=77", 5).expect("a place");
    assert_eq!((found.bytes, found.media_type.as_str()), (5, "image/png"));
    assert!(!found.fetch.at_home);
    let never = |why| Err(NotFound::Never(why));
    assert_eq!(answered(None, "https://169.254.169.254/x", 5), never(Missing::NotAllowed));
    assert_eq!(answered(None, "https://lookaside.fbsbx.com/x", 17 << 20), never(Missing::TooLong));
    // A provider at home is one address, and Meta's own stay allowed.
    let home = Some("http://127.0.0.1:8099");
    assert!(look_up(&ACCOUNT, home, "77").expect("a request").at_home);
    assert!(answered(home, "http://127.0.0.1:8099/x", 5).expect("a place").fetch.at_home);
    assert!(!answered(home, "https://lookaside.fbsbx.com/x", 5).expect("a place").fetch.at_home);
    assert_eq!(answered(home, "http://127.0.0.1:22/x", 5), never(Missing::NotAllowed));
    let refused = |status, body: &str| looked_up(&ACCOUNT, None, (status, body.as_bytes()));
    assert_eq!(refused(400, r#"{"error":{"code":100}}"#), never(Missing::Gone));
    assert_eq!(refused(404, ""), never(Missing::Gone));
    for (status, body, code) in
        [(401, r#"{"error":{"code":190}}"#, "190"), (500, "", "http-500"), (200, "hm", "http-200")]
    {
        assert_eq!(refused(status, body), Err(NotFound::Later { code: code.into() }));
    }
    let request = hand_over(&ACCOUNT, "image/png", b"\x89PNG", 7).expect("a request");
    assert_eq!(request.path, "/v24.0/123/media");
    assert!(request.body.windows(4).any(|it| it == b"\x89PNG"));
    assert!(hand_over(&ACCOUNT, "image/png\r\nx: y", b"", 7).is_err());
    assert_eq!(handed_over(200, None, br#"{"id":"55"}"#), Outcome::Accepted("55".into()));
}
