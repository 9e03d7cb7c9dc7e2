//! Twilio.

use channels::heard::{Delivery, DeliveryState, Down, Heard, Said};
use channels::whatsapp::twilio::{Account, account, answer, fetch, read, write};
use channels::whatsapp::{Outcome, Place, With};
use prm::content::Content;
use prm::id::{MediaId, MessageId};
use prm::medium::Medium;

use super::{asha, choices, now, say, template};

const FROM: &str = "AccountSid=AC1&MessageSid=SM1&From=whatsapp%3A%2B919844111173&To=whatsapp%3A%2B14155238886&WaId=919844111173&ProfileName=Asha";

fn heard(fields: &str) -> Vec<Heard> {
    let told = read(format!("{FROM}&{fields}").as_bytes(), "", now()).expect("a webhook");
    let heard = told.into_iter().map(|it| {
        assert_eq!(it.account, "AC1/whatsapp:+14155238886");
        match it.what {
            Down::Heard(heard) => heard,
            Down::Delivery(_) | Down::Webhook(_) | Down::Part(_) | Down::Answered(_) => {
                panic!("nothing was heard")
            }
        }
    });
    heard.collect()
}

fn said(fields: &str) -> Said {
    heard(fields).remove(0).said
}

#[test]
fn a_message_is_heard_with_who_said_it() {
    let all = heard("Body=kal+subah+10+baje%3F+%2B&NumMedia=0&OriginalRepliedMessageSid=SM0");
    let [heard] = all.as_slice() else { panic!("one message") };
    assert_eq!((heard.id.as_str(), heard.medium), ("SM1", Medium::Whatsapp));
    assert_eq!((heard.from.phone.clone(), heard.from.user.clone()), (Some(asha()), None));
    assert_eq!((heard.to.as_str(), heard.answers.as_deref()), ("+14155238886", Some("SM0")));
    assert_eq!(heard.said, Said::Text("kal subah 10 baje? +".to_owned()));
    assert_eq!(account(FROM.as_bytes()).as_deref(), Some("AC1/whatsapp:+14155238886"));
}

#[test]
fn choices_places_pictures_and_what_is_not_known_are_told_apart() {
    let chosen = Said::Chosen { id: "slot:2".to_owned(), title: "10:15".to_owned() };
    assert_eq!(said("ButtonPayload=slot%3A2&ButtonText=10%3A15&Body=10%3A15"), chosen);
    assert_eq!(said("ListId=slot%3A2&ListTitle=10%3A15&Body=10%3A15"), chosen);
    let Said::Location { latitude, .. } = said("Latitude=12.9716&Longitude=77.5946") else {
        panic!("a place")
    };
    assert_eq!(latitude, "12.9716");
    assert_eq!(
        said("NumMedia=0&MessageType=sticker"),
        Said::Unsupported { kind: "sticker".into() }
    );
    let two = heard(
        "Body=two&NumMedia=2&MediaUrl0=https%3A%2F%2Fapi.twilio.com%2Fa&MediaContentType0=image%2Fjpeg&MediaUrl1=https%3A%2F%2Fapi.twilio.com%2Fb&MediaContentType1=audio%2Fogg",
    );
    assert_eq!(two.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["SM1", "SM1/1"]);
    let Said::Media { caption, media_type, .. } = &two[0].said else { panic!("a picture") };
    assert_eq!((caption.as_deref(), media_type.as_str()), (Some("two"), "image/jpeg"));
}

#[test]
fn somebody_without_a_number_is_known_by_the_id() {
    let body = "AccountSid=AC1&MessageSid=SM1&From=whatsapp%3AIN.13491208655302741918&To=whatsapp%3A%2B14155238886&Body=hi";
    let told = read(body.as_bytes(), "", now()).expect("a webhook");
    let Down::Heard(heard) = &told[0].what else { panic!("heard") };
    assert_eq!(heard.from.phone, None);
    assert_eq!(heard.from.user.as_deref(), Some("IN.13491208655302741918"));
}

#[test]
fn how_a_message_fares_is_told_of_the_message_that_the_address_names() {
    let message = MessageId::from_bytes([7; 16]);
    let told = |fields: &str| {
        let body = format!(
            "AccountSid=AC1&MessageSid=SM2&From=whatsapp%3A%2B14155238886&To=whatsapp%3A%2B919844111173&{fields}"
        );
        let told = read(body.as_bytes(), &format!("message={message}"), now()).expect("a webhook");
        assert!(told.iter().all(|it| it.account == "AC1/whatsapp:+14155238886"));
        assert_eq!(account(body.as_bytes()).as_deref(), Some("AC1/whatsapp:+14155238886"));
        told.into_iter().next().map(|it| it.what)
    };
    let state = |fields| match told(fields) {
        Some(Down::Delivery(Delivery { message: Some(named), state, .. })) if named == message => {
            Some(state)
        }
        Some(_) => panic!("another message"),
        None => None,
    };
    assert_eq!(state("MessageStatus=sent"), Some(DeliveryState::Sent));
    assert_eq!(state("MessageStatus=delivered"), Some(DeliveryState::Delivered));
    assert_eq!(state("MessageStatus=read"), Some(DeliveryState::Read));
    assert_eq!(state("MessageStatus=queued"), None);
    let failed =
        |code: &str, permanent| Some(DeliveryState::Failed { code: code.to_owned(), permanent });
    assert_eq!(state("MessageStatus=undelivered&ErrorCode=63016"), failed("63016", true));
    assert_eq!(state("MessageStatus=failed&ErrorCode=63018"), failed("63018", false));
}

const ACCOUNT: Account<'_> =
    Account { account_sid: "AC1", user: "AC1", secret: "token", from: "whatsapp:+14155238886" };

fn form(content: Content, with: With<'_>) -> Vec<(String, String)> {
    let request = write(&ACCOUNT, &say(content), with).expect("a request");
    assert_eq!(request.path, "/2010-04-01/Accounts/AC1/Messages.json");
    assert_eq!(request.headers[0].1, "Basic QUMxOnRva2Vu");
    form_urlencoded::parse(&request.body).into_owned().collect()
}

fn value(form: &[(String, String)], name: &str) -> Option<String> {
    form.iter().find(|(it, _)| it == name).map(|(_, value)| value.clone())
}

#[test]
fn words_choices_templates_and_pictures_go_out_as_a_form() {
    let told_at = Some("https://hub.example/api/v1/prm/webhooks/whatsapp/twilio");
    let words = form(Content::text("Hello +"), With { told_at, ..With::default() });
    assert_eq!(value(&words, "To").as_deref(), Some("whatsapp:+919844111173"));
    assert_eq!(value(&words, "Body").as_deref(), Some("Hello +"));
    let address = value(&words, "StatusCallback").expect("an address");
    assert!(address.ends_with("?message=07070707-0707-0707-0707-070707070707"));

    let numbered = value(&form(choices(2), With::default()), "Body");
    assert_eq!(numbered.as_deref(), Some("When?\n1. Time 1\n2. Time 2"));

    let sid = With { template: Some("HX1"), ..With::default() };
    let approved = form(template(), sid);
    assert_eq!(value(&approved, "ContentSid").as_deref(), Some("HX1"));
    let arguments = value(&approved, "ContentVariables");
    assert_eq!(arguments.as_deref(), Some(r#"{"1":"Asha","2":"Monday 10:00"}"#));
    assert!(write(&ACCOUNT, &say(template()), With::default()).is_err(), "no ContentSid");

    let picture = Content::Media {
        media: MediaId::from_bytes([1; 16]),
        media_type: "image/png".to_owned(),
        caption: None,
    };
    assert!(write(&ACCOUNT, &say(picture.clone()), With::default()).is_err(), "no address");
    let link = With { media: Some(Place::Link("https://hub.example/m/1")), ..With::default() };
    assert_eq!(value(&form(picture, link), "MediaUrl").as_deref(), Some("https://hub.example/m/1"));

    let long = form(Content::text("a".repeat(2_000)), With::default());
    assert_eq!(value(&long, "Body").expect("a text").chars().count(), 1_600);
}

#[test]
fn an_answer_is_an_id_a_later_a_locked_or_a_never() {
    let answer = |status, body: &str| answer(status, Some("7"), body.as_bytes());
    assert_eq!(answer(201, r#"{"sid":"SM9","status":"queued"}"#), Outcome::Accepted("SM9".into()));
    let later = |code: &str| Outcome::Later { code: code.into(), after_seconds: Some(7) };
    assert_eq!(answer(429, r#"{"code":20429}"#), later("20429"));
    assert_eq!(answer(503, "<html>"), later("http-503"));
    assert_eq!(answer(200, "<html>"), later("http-200"));
    assert_eq!(answer(401, r#"{"code":20003}"#), Outcome::Locked { code: "20003".into() });
    for code in ["63016", "21211", "21610"] {
        let refused = Outcome::Refused { code: code.into() };
        assert_eq!(answer(400, &format!(r#"{{"code":{code}}}"#)), refused);
    }
}

#[test]
fn what_a_message_holds_is_fetched_from_twilio_alone_which_alone_hears_the_secret() {
    let asked = fetch(&ACCOUNT, None, "https://api.twilio.com/2010-04-01/a").expect("a request");
    assert_eq!(asked.authorization.as_deref(), Some("Basic QUMxOnRva2Vu"));
    let led = fetch(&ACCOUNT, None, "https://mms.twiliocdn.com/a?b").expect("a request");
    assert_eq!(led.authorization, None);
    assert!(fetch(&ACCOUNT, None, "https://twiliocdn.com.evil.example/a").is_err());
    assert!(fetch(&ACCOUNT, None, "http://api.twilio.com/a").is_err());
    let home = Some("http://127.0.0.1:8099");
    let asked = fetch(&ACCOUNT, home, "http://127.0.0.1:8099/a").expect("a request");
    assert!(asked.at_home && asked.authorization.is_some());
    assert!(fetch(&ACCOUNT, home, "http://127.0.0.1:8098/a").is_err());
}
