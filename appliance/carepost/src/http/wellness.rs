//! Whether the box lives and is ready, and its figures for Prometheus.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use prm::{message, relay};
use serde_json::json;

use super::status::queue_waiting;
use crate::app::{App, LIVE_STREAMS_MAX};
use crate::health::{Integrity, free_bytes};

/// `/livez`: the program runs.
pub async fn livez() -> &'static str {
    "ok\n"
}

/// `/readyz`: 200, or 503 with the reasons.
pub async fn readyz(State(app): State<App>) -> Response {
    let reasons = app.health.reasons(&app.db, &app.data).await;
    let integrity = match app.health.integrity() {
        Integrity::NotYet => "not yet checked",
        Integrity::Running => "checking",
        Integrity::Whole => "ok",
        Integrity::Damaged(_) => "damaged",
    };
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "reasons": reasons, "integrity": integrity })))
        .into_response()
}

/// `/metrics`: Prometheus text.
pub async fn metrics(State(app): State<App>) -> Response {
    let measures = &app.measures;
    measures.gauge("carepost_writes_waiting", app.db.writes_waiting() as f64);
    measures.gauge("carepost_changes", *app.db.last_sequence().borrow() as f64);
    let open = LIVE_STREAMS_MAX - app.live.available_permits();
    measures.gauge("carepost_live_streams", open as f64);
    if let Ok(waiting) = queue_waiting(&app).await {
        measures.gauge("carepost_queue_waiting", waiting as f64);
    }
    if let Ok(free) = free_bytes(&app.data) {
        measures.gauge("carepost_disk_free_bytes", free as f64);
    }
    let messages = app
        .db
        .read(|read| {
            let heard = message::waiting_count(read)?;
            Ok((heard, message::queued_count(read)?, relay::waiting_count(read)?))
        })
        .await;
    if let Ok((heard, queued, relayed)) = messages {
        measures.gauge("carepost_messages_unanswered", heard as f64);
        measures.gauge("carepost_messages_queued", queued as f64);
        measures.gauge("carepost_relay_waiting", relayed as f64);
    }
    if let Ok(status) = super::sync::standing(&app).await
        && let Some(hub) = &status.hub
    {
        let since = status.receipt_at.unwrap_or(hub.enrolled_at);
        let age = app.now().duration_since(since).as_secs().max(0);
        measures.gauge("carepost_sync_waiting", status.waiting as f64);
        measures.gauge("carepost_sync_receipt_age_seconds", age as f64);
        measures.gauge("carepost_sync_parked", status.parked as f64);
        if let Ok(open) = super::sync::Open::of(&app).await {
            measures.gauge("carepost_sync_requests", open.requests as f64);
            measures.gauge("carepost_sync_conflicts", open.conflicts as f64);
            measures.gauge("carepost_loans", open.lent as f64);
            measures.gauge("carepost_displaced", open.displaced as f64);
        }
        measures.gauge("carepost_sync_spent_bytes", status.spent_bytes as f64);
        let waits = f64::from(u8::from(status.over_budget));
        measures.gauge("carepost_sync_over_budget", waits);
        measures.gauge("carepost_sync_failures", status.failures as f64);
        measures.gauge("carepost_sync_stopped", f64::from(u8::from(status.stop.is_some())));
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], measures.text()).into_response()
}
