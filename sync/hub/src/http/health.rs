//! `/livez`, `/readyz` and `/metrics`. Clinics go by their ids here.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Problem;
use crate::hub::{Counts, Hub};
use crate::situation;
use crate::store::{self, StoreError};

/// With less room on the disk than this the hub says that it is not ready, in bytes.
const DISK_FREE_MIN: u64 = 256 * 1024 * 1024;

pub async fn livez() -> &'static str {
    "ok\n"
}

pub async fn readyz(State(hub): State<Arc<Hub>>) -> Response {
    let looked = tokio::task::spawn_blocking(move || reasons(&hub)).await;
    let reasons = looked.unwrap_or_else(|_| vec!["the look at the hub failed".to_owned()]);
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": reasons.is_empty(), "reasons": reasons }))).into_response()
}

fn reasons(hub: &Hub) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Err(error) = hub.store.takes_writes() {
        tracing::error!(%error, "the database takes no writes");
        reasons.push("the database takes no writes".to_owned());
    }
    match rustix::fs::statvfs(&hub.data) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            if free < DISK_FREE_MIN {
                reasons.push(format!("the disk is nearly full: {} MiB left", free / (1 << 20)));
            }
        }
        Err(_) => reasons.push("the disk does not answer".to_owned()),
    }
    reasons
}

pub async fn metrics(State(hub): State<Arc<Hub>>) -> Result<Response, Problem> {
    let text = tokio::task::spawn_blocking(move || text(&hub)).await;
    let text = text.map_err(|error| Problem::unavailable(&error))??;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// Everything as Prometheus text (exposition format 0.0.4).
fn text(hub: &Hub) -> Result<String, StoreError> {
    let overview = hub.store.survey(store::clinics)?;
    let clinics = u64::try_from(overview.len()).unwrap_or(u64::MAX);
    let boxes = overview.iter().map(|it| it.boxes).sum();
    let parked_now = overview.iter().map(|it| it.parked).sum();
    let Counts { receipts, refused, stored, parked, enrolled } = &hub.counts;
    let mut text = String::new();
    let counters = [
        ("carepost_hub_receipts_total", "Bundles answered with a receipt", receipts),
        ("carepost_hub_bundles_refused_total", "Bundles refused", refused),
        ("carepost_hub_entries_stored_total", "Entries stored", stored),
        ("carepost_hub_entries_parked_total", "Entries parked", parked),
        ("carepost_hub_enrolled_total", "Boxes that joined", enrolled),
    ];
    for (name, what, counter) in counters {
        line(&mut text, name, what, "counter", counter.load(Ordering::Relaxed));
    }
    let gauges = [
        ("carepost_hub_clinics", "Clinics", clinics),
        ("carepost_hub_boxes", "Boxes that have joined", boxes),
        ("carepost_hub_parked", "Entries that are parked now", parked_now),
    ];
    for (name, what, value) in gauges {
        line(&mut text, name, what, "gauge", value);
    }
    text.push_str(&hub.round_trips.to_text());
    text.push_str(&hub.messages.to_text(hub.relay.is_connected()));
    text.push_str(&situation::to_text(&situation::all(hub)?, hub.clock.now_ms()));
    Ok(text)
}

fn line(text: &mut String, name: &str, what: &str, kind: &str, value: u64) {
    // Writing into a String cannot fail.
    let _ = write!(text, "# HELP {name} {what}.\n# TYPE {name} {kind}\n{name} {value}\n");
}
