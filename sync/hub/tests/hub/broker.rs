//! The hub and a box by way of a real broker.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use channels::heard::{DeliveryState, Down};
use channels::relay::topic::Topic;
use channels::relay::{self as wire, Arrival, Hears, Publication, Settings, Took};
use prm::content::Content;
use sync_hub::relay::link;
use sync_hub::say;
use sync_hub::say::carry::Carrier;
use sync_protocol::relay::{Batch, HOLD_MS, Had, ItemId};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use uuid::Uuid;

use super::messages::{ASHA, FakeCarrier, clinic_of, envelope, heard, item, opened_bytes, say_to};

#[path = "../../../../appliance/channels/tests/broker/mosquitto.rs"]
mod mosquitto;

const CLINIC: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001);
const OTHER: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0002);
const PATIENCE: Duration = Duration::from_secs(20);

/// What comes to the box.
struct Listener(mpsc::UnboundedSender<Vec<u8>>);

impl Hears for Listener {
    async fn hear(&self, arrival: Arrival) -> Took {
        self.0.send(arrival.payload).unwrap();
        Took::Done
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_and_its_answer_go_through_a_real_broker_also_after_it_was_killed() {
    let mut broker = mosquitto::Mosquitto::start();
    let carrier = FakeCarrier::start().await;
    let (place, device) = clinic_of(&carrier, CLINIC.into_bytes()).await;
    let (stop, stopping) = watch::channel(false);
    let of_hub = mosquitto::plain(broker.port, mosquitto::HUB);
    let relaying = tokio::spawn(link::run(Arc::clone(&place.hub), of_hub, stopping.clone()));
    let saying =
        tokio::spawn(say::run(Arc::clone(&place.hub), Carrier::new().unwrap(), stopping.clone()));
    // What comes while the box is away waits.
    heard(&place, "SM1").await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let of_box = mosquitto::plain(broker.port, &CLINIC.to_string());
    let box_id = Uuid::from_bytes(device.box_id);
    let mut settings = Settings::of_box(of_box, CLINIC, box_id, broker.folder());
    (settings.pause_ms, settings.pause_ms_max) = (50, 200);
    let (link, running) = wire::new(settings, Arc::new(Listener(tell)));
    let mut stopped = stopping.clone();
    let connecting = tokio::spawn(running.run(async move {
        let _ = stopped.wait_for(|it| *it).await;
    }));
    let topic = Topic::messages_out(CLINIC, box_id);
    let (mut taken, mut replies, mut has_sent) = (0, 0, HashSet::new());
    let mut known: Vec<ItemId> = Vec::new();
    while replies < 2 {
        let payload = timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
        let batch = opened_bytes(&device, &payload);
        let mut answer = Batch::default();
        for it in &batch.items {
            let at = known.iter().position(|id| *id == it.id);
            let at = at.unwrap_or_else(|| {
                known.push(it.id);
                known.len() - 1
            });
            let number = u64::try_from(at + 1).unwrap();
            answer.have.push(Had { id: it.id, number });
            let is_new = number > taken;
            taken = taken.max(number);
            match Down::read(&it.body).unwrap() {
                Down::Heard(_) if is_new => {
                    answer.items.push(item(&say_to(&place, ASHA, Content::text("which day?"))));
                }
                Down::Delivery(it) if it.state == DeliveryState::Sent => {
                    has_sent.insert(it.provider_id);
                }
                Down::Heard(_)
                | Down::Delivery(_)
                | Down::Webhook(_)
                | Down::Part(_)
                | Down::Answered(_) => {}
            }
        }
        if !answer.have.is_empty() {
            let payload = envelope(&device, answer);
            let topic = topic.clone();
            let publication = Publication { topic, payload, expires_after_seconds: None };
            link.publish_when_free(publication).await.unwrap();
        }
        if has_sent.len() > replies {
            replies = has_sent.len();
            if replies == 1 {
                broker.kill();
                broker.start_again();
                // What the box said last may be lost with the broker.
                place.clock.fetch_add(HOLD_MS, Ordering::Relaxed);
                heard(&place, "SM2").await;
            }
        }
    }
    assert_eq!(carrier.asked().len(), 2, "each was said once");
    stop.send_replace(true);
    for task in [relaying, saying, connecting] {
        timeout(PATIENCE, task).await.unwrap().unwrap();
    }
    broker.end();
}
