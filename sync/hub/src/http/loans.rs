//! `POST /v1/loans`: what a box says about slots that it lent, and what is due to be said to it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use sync_protocol::envelope::MEDIA_TYPE;

use super::Problem;
use super::bundles::ARRIVAL;
use super::envelope::worked;
use crate::hub::Hub;
use crate::loans;

pub async fn post(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let work = |hub: &Hub, bytes: &[u8]| Ok(loans::exchange(hub, bytes)?);
    let answer = worked(&hub, (&headers, body), ARRIVAL, work).await?;
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], answer).into_response())
}
