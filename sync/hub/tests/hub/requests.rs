//! What is asked of boxes: it arrives once, in its order, whoever dies on the way.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sync_hub::hub::Hub;
use sync_hub::requests::{self, Answer, NotAsked, THERE_MS};
use sync_protocol::ask::{Ask, Name, Operation, Proposal, Reply};
use sync_protocol::downlink::{
    Batch, Full, Position, Progress, REQUEST_BYTES_MAX, RequestId, Taken,
};
use sync_protocol::envelope::{Expected, OpeningKey, Place as At, Receiver, seal};
use sync_protocol::wire::{self, Inside};
use tower::ServiceExt as _;

use super::Place;
use super::device::{Device, SEALED, post};

impl Device {
    fn sealed<T: Inside>(&self, body: &T) -> Vec<u8> {
        let (clinic, box_id, log) = (self.clinic, self.box_id, self.uplink.log);
        let place = At { kind: T::KIND, clinic, box_id, log, after: 0, through: 0 };
        seal(&place, &wire::write(body).unwrap(), &self.keys.0, &self.hub.1, None).unwrap()
    }

    /// Asks for requests; a batch, or the status of a problem.
    pub async fn poll(&self, hub: &Arc<Hub>, position: Position) -> Result<Batch, StatusCode> {
        self.say(hub, Progress { position, answered: None }).await
    }

    async fn say(&self, hub: &Arc<Hub>, progress: Progress) -> Result<Batch, StatusCode> {
        let proof = URL_SAFE_NO_PAD.encode(self.sealed(&progress));
        let request = Request::get(format!("/v1/requests?after={}", progress.position.taken))
            .header("carepost-proof", proof)
            .body(Body::empty())
            .unwrap();
        let response = sync_hub::http::router(Arc::clone(hub)).oneshot(request).await.unwrap();
        if response.status() != StatusCode::OK {
            return Err(response.status());
        }
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let mut receiver = Receiver::default();
        receiver.open_with(OpeningKey::from_bytes(self.keys.1.bytes()).unwrap()).unwrap();
        receiver.believe(self.hub.0).unwrap();
        let expected = Expected { kind: Batch::KIND, clinic: self.clinic, box_id: self.box_id };
        let opened = receiver.open(&bytes, &expected).unwrap();
        Ok(wire::read(&opened.body).unwrap())
    }

    pub async fn reply(&self, hub: &Arc<Hub>, reply: &Reply) -> StatusCode {
        post(hub, "/v1/replies", SEALED, self.sealed(reply)).await.0
    }
}

impl Place {
    /// A clinic whose box has joined and told its log.
    pub async fn living(&self) -> Device {
        let mut device = self.join("Shanti").await;
        device.write_patient("1", "Asha Rao");
        device.sync(&self.hub).await;
        device
    }

    pub fn put(&self, clinic: [u8; 16], id: u8) {
        put(&self.hub, clinic, &proposal(id)).unwrap();
        self.hub.requests.wake(clinic);
    }
}

fn put(hub: &Hub, clinic: [u8; 16], ask: &Ask) -> Result<(), NotAsked> {
    hub.store.write(clinic, |tx| requests::put(hub, tx, clinic, ask))
}

fn proposal(id: u8) -> Ask {
    Ask::Proposal(Proposal { id: RequestId([id; 16]), bundle: vec![id] })
}

fn operation(id: u8, deadline_ms: i64) -> Operation {
    let parameters = b"{}".to_vec();
    Operation { id: RequestId([id; 16]), name: Name::Find, parameters, deadline_ms }
}

#[tokio::test]
async fn what_is_asked_arrives_once_and_is_said_again_until_it_is_acknowledged() {
    let mut place = Place::new();
    let device = place.living().await;
    place.put(device.clinic, 1);
    place.put(device.clinic, 2);
    place.put(device.clinic, 2);
    let batch = device.poll(&place.hub, Taken::NONE.position).await.unwrap();
    place.restart();
    let again = device.poll(&place.hub, Taken::NONE.position).await.unwrap();
    assert_eq!(again, batch, "said again, also by a hub that was started again");
    let (taken, new) = Taken::NONE.take(&batch);
    let asked: Vec<_> = new.iter().map(|it| Ask::from_bytes(&it.body).unwrap()).collect();
    assert_eq!(asked, [proposal(1), proposal(2)]);
    place.put(device.clinic, 3);
    let batch = device.poll(&place.hub, taken.position).await.unwrap();
    assert_eq!(batch.requests.len(), 1, "what was acknowledged is not said again");
    assert_eq!(Ask::from_bytes(&batch.requests[0].body), Ok(proposal(3)));
}

#[tokio::test]
async fn a_box_that_waits_is_woken_and_another_poll_ends_the_first() {
    let place = Place::new();
    let device = place.living().await;
    let poll = |position: Position| {
        let (device, hub) = (device.clone(), Arc::clone(&place.hub));
        tokio::spawn(async move { device.poll(&hub, position).await.unwrap() })
    };
    let first = poll(Taken::NONE.position);
    let second = poll(Taken::NONE.position);
    let other = place.another();
    put(&other, device.clinic, &proposal(1)).unwrap();
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    let later = if first.requests.is_empty() { second } else { first };
    assert_eq!(later.requests.len(), 1, "what another process put in is found");
    let (taken, _) = Taken::NONE.take(&later);
    let third = poll(taken.position);
    place.hub.requests.end();
    assert!(third.await.unwrap().requests.is_empty(), "a hub that stops keeps nobody");
}

#[tokio::test]
async fn a_log_that_is_not_listened_to_gets_and_answers_nothing() {
    let place = Place::new();
    let silent = place.join("Silent").await;
    place.put(silent.clinic, 1);
    let polled = silent.poll(&place.hub, Taken::NONE.position).await;
    assert_eq!(polled, Err(StatusCode::CONFLICT));
    let reply = Reply { id: RequestId([1; 16]), status: 200, body: Vec::new(), before: None };
    assert_eq!(silent.reply(&place.hub, &reply).await, StatusCode::CONFLICT);
    let mut stranger = place.living().await;
    stranger.clinic = silent.clinic;
    let polled = stranger.poll(&place.hub, Taken::NONE.position).await;
    assert_eq!(polled, Err(StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn a_hub_says_which_answer_it_misses_and_takes_none_after_it() {
    let place = Place::new();
    let device = place.living().await;
    place.put(device.clinic, 1);
    place.put(device.clinic, 2);
    let reply =
        |id, before| Reply { id: RequestId([id; 16]), status: 200, body: Vec::new(), before };
    let (first, lost) = (Some(RequestId([1; 16])), Some(RequestId([9; 16])));
    assert_eq!(device.reply(&place.hub, &reply(1, None)).await, StatusCode::NO_CONTENT);
    let after_lost = device.reply(&place.hub, &reply(2, lost)).await;
    assert_eq!(after_lost, StatusCode::PRECONDITION_FAILED);
    let after_second = device.reply(&place.hub, &reply(1, Some(RequestId([2; 16])))).await;
    assert_eq!(after_second, StatusCode::PRECONDITION_FAILED, "it was not taken");
    assert_eq!(device.reply(&place.hub, &reply(2, first)).await, StatusCode::NO_CONTENT);
    let position = Taken::NONE.position;
    for (answered, missing) in [(None, None), (first, None), (lost, lost)] {
        let batch = device.say(&place.hub, Progress { position, answered }).await.unwrap();
        assert_eq!(batch.missing, missing);
    }
}

#[tokio::test]
async fn who_asks_a_box_hears_its_answer_or_that_it_is_away_or_silent() {
    let place = Place::new();
    let device = place.living().await;
    let (hub, clinic) = (Arc::clone(&place.hub), device.clinic);
    let now_ms = hub.clock.now_ms();
    let away = requests::ask(&hub, clinic, operation(1, now_ms + 9_000)).await.unwrap();
    assert_eq!(away, Answer::BoxAway);
    place.put(clinic, 9);
    device.poll(&hub, Taken::NONE.position).await.unwrap();
    let silent = requests::ask(&hub, clinic, operation(2, now_ms)).await.unwrap();
    assert_eq!(silent, Answer::NoAnswer);
    let asking = tokio::spawn({
        let hub = Arc::clone(&hub);
        async move { requests::ask(&hub, clinic, operation(3, now_ms + 60_000)).await.unwrap() }
    });
    let reply = Reply { id: RequestId([3; 16]), status: 200, body: b"{}".to_vec(), before: None };
    let nobody_asked = Reply { id: RequestId([77; 16]), ..reply.clone() };
    assert_eq!(device.reply(&hub, &nobody_asked).await, StatusCode::GONE);
    let mut position = Taken::NONE.position;
    loop {
        let batch = device.poll(&hub, position).await.unwrap();
        assert!(batch.now_ms.is_some(), "deadlines are of the hub's clock");
        if batch.requests.iter().any(|it| it.id == reply.id) {
            break;
        }
        position = Position { series: batch.series, taken: 0, id: None };
    }
    for _ in 0..2 {
        assert_eq!(device.reply(&hub, &reply).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(asking.await.unwrap(), Answer::Reply(reply.clone()));
    // Asked again, the answer is there already, also when the box has gone meanwhile.
    place.clock.fetch_add(THERE_MS + 1, Ordering::Relaxed);
    let again = requests::ask(&hub, clinic, operation(3, now_ms)).await.unwrap();
    assert_eq!(again, Answer::Reply(reply));
    let gone = requests::ask(&hub, clinic, operation(4, i64::MAX)).await.unwrap();
    assert_eq!(gone, Answer::BoxAway);
}

#[tokio::test]
async fn a_request_that_is_too_long_is_refused_where_it_is_made() {
    let place = Place::new();
    let clinic = place.add_clinic("Shanti");
    let bundle = vec![0; REQUEST_BYTES_MAX];
    let long = Ask::Proposal(Proposal { id: RequestId([1; 16]), bundle });
    let refused = put(&place.hub, clinic, &long);
    assert!(matches!(refused, Err(NotAsked::Full(Full::Request))));
    assert!(matches!(put(&place.hub, [9; 16], &proposal(1)), Err(NotAsked::NoClinic)));
}
