//! `POST /v1/bundles`: a sealed bundle in, a sealed receipt out.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use sync_protocol::envelope::{ENVELOPE_MAX, MEDIA_TYPE};

use super::Problem;
use super::envelope::{Arrival, worked};
use crate::hub::{Counts, Hub};
use crate::receive::receive;

/// Within this a bundle must have arrived: 4 MiB at 140 kbit/s.
const ARRIVAL_MAX: Duration = Duration::from_secs(240);
/// How the longest envelopes come in.
pub(super) const ARRIVAL: Arrival = Arrival { longest: ENVELOPE_MAX, within: ARRIVAL_MAX };

pub async fn post(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let answered = answer(&hub, &headers, body).await;
    if answered.is_err() {
        Counts::count(&hub.counts.refused);
    }
    answered.map(|receipt| ([(CONTENT_TYPE, MEDIA_TYPE)], receipt).into_response())
}

async fn answer(hub: &Arc<Hub>, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    worked(hub, (headers, body), ARRIVAL, |hub, bytes| Ok(receive(hub, bytes)?)).await
}
