//! No bytes from outside bring a reader down, and what goes between hub and box is read as it was written.

use channels::heard::{Delivery, DeliveryState, Down, Heard, Part, Said, Sender, Webhook};
use channels::relay::Broker;
use channels::relay::topic::Topic;
use channels::say::Up;
use channels::standard_webhooks::{self, Key};
use channels::whatsapp::{meta, twilio};
use channels::{heard, voice_agent};
use jiff::Timestamp;
use prm::id::MessageId;
use prm::medium::Medium;
use proptest::prelude::*;

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).expect("a time")
}

fn heard(said: Said) -> Down {
    Down::Heard(Heard {
        id: "wamid.1".to_owned(),
        medium: Medium::Whatsapp,
        from: Sender { phone: None, user: Some("IN.1".to_owned()), name: None },
        to: "123".to_owned(),
        said_at: now(),
        said,
        answers: None,
        asks: false,
    })
}

#[test]
fn what_goes_to_the_box_is_read_as_it_was_written() {
    let media = Said::Media {
        reference: "77".to_owned(),
        media_type: "image/png".to_owned(),
        name: None,
        caption: Some("c".to_owned()),
        bytes: Some(5),
    };
    let place = Said::Location { latitude: "12.97".into(), longitude: "77.59".into(), name: None };
    let failed = DeliveryState::Failed { code: "131047".to_owned(), permanent: true };
    let delivery = Delivery {
        message: Some(MessageId::from_bytes([1; 16])),
        medium: Medium::Sms,
        provider_id: "SM1".to_owned(),
        state: failed,
        at: now(),
    };
    let webhook = Webhook {
        id: "msg_1".to_owned(),
        timestamp: "1".to_owned(),
        signature: "v1,A".to_owned(),
        body: vec![0, 255, 7],
        received_at_ms: 5,
    };
    let chosen = Said::Chosen { id: "a".to_owned(), title: "b".to_owned() };
    let all = [Said::Text("hi".to_owned()), media, place, chosen]
        .map(heard)
        .into_iter()
        .chain([Down::Delivery(delivery), Down::Webhook(webhook)])
        .chain(Part::of("77", "image/png", &vec![3; 600_000]).into_iter().map(Down::Part));
    for down in all {
        assert_eq!(Down::read(&down.write()), Ok(down));
    }
}

#[test]
fn a_later_end_is_understood_as_far_as_it_can_be() {
    let text = String::from_utf8(heard(Said::Text("hi".to_owned())).write()).expect("text");
    let later = text.replace(r#""answers""#, r#""mood":{"x":1.5},"answers""#);
    assert_eq!(Down::read(later.as_bytes()), Ok(heard(Said::Text("hi".to_owned()))));
    let unknown = text.replace(r#""type":"text""#, r#""type":"hologram","depth":3"#);
    let kind = "hologram".to_owned();
    assert_eq!(Down::read(unknown.as_bytes()), Ok(heard(Said::Unsupported { kind })));
    assert!(Down::read(br#"{"thought":{}}"#).is_err());
}

/// With its base64, and all that stands beside it.
#[test]
fn a_part_fits_into_an_item() {
    let item = Down::Part(Part::of("77", "image/png", &vec![0; 600_000]).remove(0)).write().len();
    assert!(item < 1_536 << 10, "{item}");
    assert!(Part::of("77", "a/b", &vec![0; heard::MEDIA_BYTES_MAX + 1]).is_empty());
}

proptest! {
    #[test]
    fn no_bytes_bring_a_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = twilio::read(&bytes, &text, now());
        let _ = twilio::account(&bytes);
        let _ = meta::read(&bytes, now());
        let _ = meta::accounts(&bytes);
        let _ = meta::handshake(&text, "word");
        let _ = voice_agent::read(&bytes, "IN");
        let _ = (Down::read(&bytes), Up::read(&bytes));
        let _ = (Topic::parse(&text), Broker::parse(&text), Key::parse(&text));
        let _ = (twilio::answer(400, Some(&text), &bytes), meta::answer(400, Some(&text), &bytes));
    }

    #[test]
    fn no_header_brings_a_check_down(
        url in ".{0,80}", signature in ".{0,80}", settings in ".{0,40}", body in ".{0,80}",
    ) {
        let body = body.as_bytes();
        for content_type in ["application/x-www-form-urlencoded", "application/json"] {
            let (settings, url) = (Some(settings.as_str()), url.as_str());
            let signed = twilio::Signed { url, signature: &signature, settings, content_type, body };
            prop_assert!(twilio::verify("token", Some("key"), &signed).is_err());
        }
        prop_assert!(meta::verify("secret", &signature, body).is_err());
        let signed = standard_webhooks::Signed { id: &url, timestamp: "1700000000", signature: &signature, body };
        let key = Key::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key");
        prop_assert!(standard_webhooks::verify(&[key], &signed, 1_700_000_000_000).is_err());
    }

    /// Something that looks like a webhook of Meta's, with anything in its places.
    #[test]
    fn no_shape_brings_a_reader_down(place in 0..12_usize, with in "(null|5|\\[\\]|\\{\\}|\"x\"|true|1e999)") {
        let body = br#"{"object":"o","entry":[{"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"1"},"contacts":[{"wa_id":"1"}],"messages":[{"id":"w","from":"919844111173","type":"text","text":{"body":"b"}}],"statuses":[{"id":"w","status":"sent","errors":[{"code":1}]}]}}]}]}"#;
        let text = String::from_utf8_lossy(body);
        let mut places: Vec<usize> = text.match_indices(':').map(|(at, _)| at + 1).collect();
        places.truncate(12);
        let at = places[place];
        // The value that stood there goes with all that follows it up to the next of its kind.
        let changed = format!("{}{with},\"rest\":{}", &text[..at], &text[at..]);
        let _ = meta::read(changed.as_bytes(), now());
    }
}
