//! Pictures and sounds by way of the hub: fetched from who keeps them and cut into parts for the box, or collected from it
//! and handed over.

mod coming;
mod going;
mod keeper;

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use channels::heard::{Down, PART_BYTES_MAX, Part};
use serde_json::json;
use sync_hub::channel;
use sync_hub::media::fetch::Fetcher;
use sync_hub::media::incoming::{self, Job};
use sync_hub::relay::due;
use sync_protocol::relay::{Batch, HOLD_MS, Had, ItemId};

use self::keeper::Keeper;
use super::Place;
use super::device::Device;
use super::messages::{downs, now, opened, says, webhook};
use super::webhooks::{self, APP_SECRET, META, meta_at, signed_json, twilio};

pub const NUMBER: &str = "100200300";
pub const TOKEN: &str = "token-now";

/// A picture that is so many parts long, and a little.
pub fn picture(parts: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1A\n".to_vec();
    bytes.extend((0..parts * PART_BYTES_MAX).map(|at| (at % 251) as u8));
    bytes
}

/// A clinic whose box has joined and spoken, with an account of Meta and one of Twilio at a keeper.
pub async fn clinic(keeper: &Keeper) -> (Place, Device) {
    let place = webhooks::place();
    let mut device = place.join("Shanti").await;
    device.write_patient("1", "Asha");
    device.sync(&place.hub).await;
    let at = || Some(keeper.url.clone());
    channel::add(&place.hub, device.clinic, &meta_at(NUMBER, APP_SECRET, at())).unwrap();
    channel::add(&place.hub, device.clinic, &twilio(TOKEN, at())).unwrap();
    (place, device)
}

/// What Meta tells of a picture that it keeps under this id.
pub fn meta_picture(from: &str, id: &str) -> String {
    let image = json!({ "id": id, "mime_type": "image/jpeg", "sha256": "x" });
    let message = json!({ "id": format!("wamid.{id}"), "from": from,
        "timestamp": "1800000000", "type": "image", "image": image });
    let value = json!({ "metadata": { "phone_number_id": NUMBER, "display_phone_number": "1" },
        "contacts": [{ "wa_id": from, "profile": { "name": "Asha" } }],
        "messages": [message] });
    let changes = json!([{ "field": "messages", "value": value }]);
    json!({ "entry": [{ "id": "1", "changes": changes }] }).to_string()
}

/// Somebody sends a picture by Meta, which keeps it under this id.
pub async fn sent_by_meta(place: &Place, id: &str) {
    sent_from(place, "919844111173", id).await;
}

/// The same from this number.
pub async fn sent_from(place: &Place, from: &str, id: &str) {
    let request: Request<Body> = signed_json(META, APP_SECRET, &meta_picture(from, id));
    assert_eq!(webhook(place, request).await, StatusCode::OK);
}

/// Fetches what is to be fetched now, once; says how much that was.
pub async fn fetch_once(place: &Place) -> usize {
    let fetcher = Fetcher::new().unwrap();
    let jobs: Vec<Job> = incoming::claim(&place.hub, 100).await;
    for job in &jobs {
        let fetched = incoming::fetch_once(&fetcher, job).await;
        incoming::write(&place.hub, job, fetched).unwrap();
    }
    jobs.len()
}

/// All that is due for the box, which takes it as these numbers and says so.
pub fn taken(place: &Place, device: &Device, numbers: &mut u64) -> Vec<(ItemId, Down)> {
    let mut all = Vec::new();
    // What is on its way with an answer from before is not had.
    later(place, HOLD_MS);
    while let Some(goes) = due(&place.hub, device.clinic, false).unwrap() {
        let batch = opened(device, &goes);
        let have = batch.items.iter().map(|it| {
            *numbers += 1;
            Had { id: it.id, number: *numbers }
        });
        let have = Batch { have: have.collect(), ..Batch::default() };
        says(place, device, have).unwrap();
        all.extend(batch.items.iter().map(|it| it.id).zip(downs(&batch)));
    }
    all
}

pub fn parts(of: Vec<(ItemId, Down)>) -> Vec<Part> {
    let part = |(_, down)| match down {
        Down::Part(part) => Some(part),
        Down::Heard(_) | Down::Delivery(_) | Down::Webhook(_) | Down::Answered(_) => None,
    };
    let mut parts: Vec<Part> = of.into_iter().filter_map(part).collect();
    parts.sort_by_key(|it| it.at);
    parts
}

pub fn later(place: &Place, ms: i64) -> i64 {
    place.clock.fetch_add(ms, Ordering::Relaxed);
    now(place)
}
