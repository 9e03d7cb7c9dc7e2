//! `POST /v1/restore`: a page of what is held, for a box that takes another's place.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use sync_protocol::envelope::MEDIA_TYPE;

use super::Problem;
use super::envelope::{Arrival, worked};
use crate::hub::Hub;
use crate::restore;

/// The longest question: a key and a nonce in an envelope.
const QUESTION_MAX: usize = 4096;
/// Within this a question must have arrived.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);

pub async fn post(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let arrival = Arrival { longest: QUESTION_MAX, within: ARRIVAL_MAX };
    let work = |hub: &Hub, bytes: &[u8]| Ok(restore::page(hub, bytes)?);
    let page = worked(&hub, (&headers, body), arrival, work).await?;
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], page).into_response())
}
