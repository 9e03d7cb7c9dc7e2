//! From the box to people.

use std::sync::Arc;

use axum::body::to_bytes;
use channels::heard::DeliveryState;
use channels::say::{Say, Up};
use prm::content::Content;
use prm::id::MediaId;
use sync_hub::hub::Hub;
use sync_hub::media::outgoing::{
    self, LINK_MS, MISSING, NO_PUBLIC_URL, NOT_ALLOWED, PARTS_WAIT_MS,
};
use sync_hub::say::carry::Carrier;
use sync_hub::say::{self, AT_ONCE_MAX};
use sync_hub::store;
use sync_protocol::relay::Item;
use tower::ServiceExt as _;

use super::super::messages::{ASHA, heard, item, say_to};
use super::*;

fn picture_to(place: &Place, number: &str) -> Say {
    let content = Content::Media {
        media: MediaId::new(jiff::Timestamp::from_millisecond(now(place)).unwrap()),
        media_type: "image/jpeg".to_owned(),
        caption: Some("Show this at the desk".to_owned()),
    };
    say_to(place, number, content)
}

/// The parts of what goes with a message, each with an id of its own.
fn items(of: &Say, whole: &[u8]) -> Vec<Item> {
    let parts = Part::of(&of.message.to_string(), "image/jpeg", whole);
    let item = |part: Part| Item {
        id: ItemId(uuid::Uuid::new_v4().into_bytes()),
        body: Up::Part(part).write(),
    };
    parts.into_iter().map(item).collect()
}

fn take(place: &Place, device: &Device, items: Vec<Item>) {
    for item in items {
        let batch = Batch { items: vec![item], ..Batch::default() };
        // The line repeats what it carries.
        for _ in 0..2 {
            says(place, device, batch.clone()).unwrap();
        }
    }
}

/// Tries what is to be said now, once; says how much that was.
async fn say_once(place: &Place) -> usize {
    let carrier = Carrier::new().unwrap();
    let claimed = say::claim(&place.hub, AT_ONCE_MAX).await;
    for ready in &claimed {
        let carried = outgoing::carry(&place.hub, &carrier, ready, None).await;
        say::write(&place.hub, ready, &carried).unwrap();
    }
    claimed.len()
}

fn state_of(
    (place, device, numbers): (&Place, &Device, &mut u64),
    say: &Say,
) -> Option<DeliveryState> {
    let mut states = taken(place, device, numbers).into_iter().filter_map(|(_, down)| match down {
        Down::Delivery(it) if it.message == Some(say.message) => Some(it.state),
        Down::Delivery(_)
        | Down::Heard(_)
        | Down::Webhook(_)
        | Down::Part(_)
        | Down::Answered(_) => None,
    });
    states.next_back()
}

fn bytes_kept(place: &Place, clinic: [u8; 16]) -> u64 {
    place.hub.store.read(clinic, |tx| store::parts_out_bytes(tx, clinic)).unwrap()
}

async fn fetched(hub: &Arc<Hub>, path: &str) -> (StatusCode, Vec<u8>, Option<String>) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = sync_hub::http::router(Arc::clone(hub)).oneshot(request).await.unwrap();
    let status = answer.status();
    let of = answer.headers().get("content-type").map(|it| it.to_str().unwrap().to_owned());
    (status, to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec(), of)
}

fn failed(code: &str) -> Option<DeliveryState> {
    Some(DeliveryState::Failed { code: code.to_owned(), permanent: true })
}

#[tokio::test]
async fn a_picture_waits_for_its_parts_and_is_handed_over_before_its_message() {
    let keeper = Keeper::start().await;
    let (place, device) = clinic(&keeper).await;
    let mut numbers = 0;
    sent_by_meta(&place, "77").await;
    let (say, whole) = (picture_to(&place, ASHA), picture(2));
    let mut parts = items(&say, &whole);
    assert_eq!(parts.len(), 3);
    // The line shuffles: the message comes first, and the last part before the others.
    parts.reverse();
    let last = parts.pop().unwrap();
    take(&place, &device, vec![item(&say)]);
    take(&place, &device, parts);
    for _ in 0..20 {
        assert_eq!(say_once(&place).await, 0);
        later(&place, 2_000);
    }
    take(&place, &device, vec![last]);
    assert_eq!((say_once(&place).await, say_once(&place).await), (1, 0));
    let handed = keeper.asked_at("/media");
    assert_eq!(handed.len(), 1);
    assert!(handed[0].windows(whole.len()).any(|it| it == whole));
    let said = keeper.asked_at("/messages");
    let said: serde_json::Value = serde_json::from_slice(&said[0]).unwrap();
    assert_eq!(
        (&said["type"], &said["image"]["caption"]),
        (&"image".into(), &"Show this at the desk".into())
    );
    assert!(said["image"]["id"].as_str().unwrap().starts_with("out"), "{said}");
    assert_eq!(state_of((&place, &device, &mut numbers), &say), Some(DeliveryState::Sent));
    assert!(bytes_kept(&place, device.clinic) > 0);
    outgoing::forget(&place.hub).await;
    assert_eq!(bytes_kept(&place, device.clinic), 0);
}

#[tokio::test]
async fn what_is_not_whole_or_is_no_picture_does_not_go_and_the_next_message_does() {
    let keeper = Keeper::start().await;
    let (place, device) = clinic(&keeper).await;
    let mut numbers = 0;
    sent_by_meta(&place, "77").await;
    let (holed, page) = (picture_to(&place, ASHA), picture_to(&place, "+919844111174"));
    let next = say_to(&place, ASHA, Content::text("See you."));
    let mut parts = items(&holed, &picture(2));
    // One is missing, and one is not what it says.
    parts.remove(1);
    let part = Part::of(&holed.message.to_string(), "image/png", &picture(2)).remove(1);
    let cut = Part { bytes: part.bytes[1..].to_vec(), ..part };
    parts.push(Item { id: ItemId([7; 16]), body: Up::Part(cut).write() });
    take(&place, &device, parts);
    take(&place, &device, vec![item(&holed), item(&next)]);
    later(&place, PARTS_WAIT_MS - 1);
    assert_eq!(say_once(&place).await, 0, "one person hears in order");
    later(&place, 2_000);
    assert_eq!(say_once(&place).await, 0);
    assert_eq!(state_of((&place, &device, &mut numbers), &holed), failed(MISSING));
    assert_eq!(say_once(&place).await, 1);
    assert_eq!(state_of((&place, &device, &mut numbers), &next), Some(DeliveryState::Sent));
    sent_from(&place, "919844111174", "78").await;
    take(&place, &device, items(&page, b"<html><script>alert(1)</script>"));
    take(&place, &device, vec![item(&page)]);
    assert_eq!(say_once(&place).await, 1);
    assert_eq!(state_of((&place, &device, &mut numbers), &page), failed(NOT_ALLOWED));
    assert_eq!(keeper.asked_at("/media").len(), 0);
    outgoing::forget(&place.hub).await;
    assert_eq!(bytes_kept(&place, device.clinic), 0);
}

#[tokio::test]
async fn twilio_fetches_a_picture_from_an_address_that_is_good_for_ten_minutes() {
    let keeper = Keeper::start().await;
    let (mut place, device) = clinic(&keeper).await;
    let mut numbers = 0;
    heard(&place, "SM1").await;
    let (say, whole) = (picture_to(&place, ASHA), picture(1));
    take(&place, &device, items(&say, &whole));
    take(&place, &device, vec![item(&say)]);
    assert_eq!(say_once(&place).await, 1);
    let asked = keeper.asked_at("/Messages.json");
    let link = form_urlencoded::parse(&asked[0]).find(|it| it.0 == "MediaUrl").unwrap().1;
    let path = link.strip_prefix(webhooks::PUBLIC_URL).unwrap().to_owned();
    assert_eq!(state_of((&place, &device, &mut numbers), &say), Some(DeliveryState::Sent));
    outgoing::forget(&place.hub).await;
    for hub in [&place.hub, &place.another()] {
        assert_eq!(
            fetched(hub, &path).await,
            (StatusCode::OK, whole.clone(), Some("image/png".to_owned()))
        );
    }
    // Whoever makes one up, or has one of another clinic, gets nothing.
    let mut forged = path.clone().into_bytes();
    let last = forged.len() - 2;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    for path in [
        String::from_utf8(forged).unwrap(),
        "/v1/media/x".to_owned(),
        "/v1/media/".to_owned() + &"A".repeat(300),
    ] {
        assert_eq!(fetched(&place.hub, &path).await.0, StatusCode::NOT_FOUND);
    }
    later(&place, LINK_MS);
    assert_eq!(fetched(&place.hub, &path).await.0, StatusCode::NOT_FOUND);
    outgoing::forget(&place.hub).await;
    assert_eq!(bytes_kept(&place, device.clinic), 0);
    // A hub that does not know its own address says so.
    let say = picture_to(&place, ASHA);
    take(&place, &device, items(&say, &whole));
    take(&place, &device, vec![item(&say)]);
    place.restart();
    assert_eq!(say_once(&place).await, 0);
    assert_eq!(state_of((&place, &device, &mut numbers), &say), failed(NO_PUBLIC_URL));
}
