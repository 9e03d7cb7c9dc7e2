//! `GET /v1/requests`: what the hub asks of a box, by long poll; `POST /v1/replies`: what the box
//! answers.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sync_protocol::ask::REPLY_BYTES_MAX;
use sync_protocol::envelope::MEDIA_TYPE;

use super::Problem;
use super::envelope::{Arrival, worked};
use crate::hub::Hub;
use crate::receive::Refused;
use crate::requests::{self, Told};

/// The header with a sealed position, as base64url.
const PROOF: HeaderName = HeaderName::from_static("carepost-proof");
/// The longest proof, in letters: a position is a few bytes, its envelope some hundred.
const PROOF_MAX: usize = 2048;
/// The longest envelope with a reply, in bytes: the reply does not grow by being packed.
const REPLY_ENVELOPE_MAX: usize = REPLY_BYTES_MAX + (64 << 10);
/// Within this a reply must have arrived.
const ARRIVAL_MAX: Duration = Duration::from_secs(120);

/// What the address says.
#[derive(Debug, Deserialize)]
pub struct Asked {
    /// The number after which requests are wanted; the proof says it, too.
    after: Option<u64>,
}

pub async fn get(
    State(hub): State<Arc<Hub>>,
    query: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Ok(Query(Asked { after })) = query else { return Err(Refused::Malformed.into()) };
    let proof = headers.get(PROOF).filter(|it| it.len() <= PROOF_MAX);
    let proof =
        proof.and_then(|it| URL_SAFE_NO_PAD.decode(it.as_bytes()).ok()).ok_or_else(|| {
            let what =
                "send in Carepost-Proof, as base64url, how far the box has the requests, sealed";
            Problem::new(StatusCode::BAD_REQUEST, "no_proof", what)
        })?;
    let _place = hub.requests.place().ok_or_else(Problem::busy)?;
    let batch = requests::poll(&hub, proof, after).await?;
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], batch).into_response())
}

pub async fn reply(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let arrival = Arrival { longest: REPLY_ENVELOPE_MAX, within: ARRIVAL_MAX };
    let work = |hub: &Hub, bytes: &[u8]| Ok(requests::answered(hub, bytes)?);
    match worked(&hub, (&headers, body), arrival, work).await? {
        Told::Known => Ok(StatusCode::NO_CONTENT),
        Told::NotAsked => {
            let what = "nobody asked this, or it was long ago; forget the answer";
            Err(Problem::new(StatusCode::GONE, "not_asked", what))
        }
        Told::Missing => {
            let what = "the answer before this one is not here any more; send all again";
            Err(Problem::new(StatusCode::PRECONDITION_FAILED, "answers_missing", what))
        }
    }
}
