//! `POST /v1/enroll`: a code and the box's public keys in, the hub's public keys out.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use sync_protocol::envelope::{KeyId, SealingKey, VerifyingKey};
use sync_protocol::lineage::LogId;
use sync_protocol::restore::OnHeld;
use tokio::time::timeout;
use uuid::Uuid;

use super::Problem;
use crate::enroll::{Asking, enroll};
use crate::hub::Hub;

/// The longest body, in bytes.
const BODY_MAX: usize = 4096;
/// Within this a body must have arrived.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);
/// The longest name of a box and of hardware, in bytes.
const WORDS_MAX: usize = 200;

/// Base64url (RFC 4648), with padding or without.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize)]
struct Request {
    code: String,
    box_public_keys: Keys,
    hardware_id: String,
    /// What people call the box; its hardware, if it says nothing.
    name: Option<String>,
    /// The log that it will tell, 16 bytes as base64url; none if that is not made yet.
    log: Option<String>,
    /// As [`OnHeld::as_str`].
    on_held: Option<String>,
}

#[derive(Deserialize)]
struct Keys {
    sign: String,
    seal: String,
}

#[derive(Serialize)]
pub struct Answer {
    clinic: Uuid,
    #[serde(rename = "box")]
    box_id: Uuid,
    generation: u64,
    fresh: bool,
    hub_public_keys: HubPublicKeys,
    clinic_name: String,
}

#[derive(Serialize)]
struct HubPublicKeys {
    /// Ed25519, 32 bytes as base64url.
    sign: String,
    /// X25519, 32 bytes as base64url.
    seal: String,
    /// The key's id in envelopes, as a number of eight bytes, the first the highest.
    sign_id: u64,
    /// As `sign_id`.
    seal_id: u64,
}

pub async fn post(
    State(hub): State<Arc<Hub>>,
    body: Body,
) -> Result<(StatusCode, Json<Answer>), Problem> {
    let Ok(Ok(bytes)) = timeout(ARRIVAL_MAX, to_bytes(body, BODY_MAX)).await else {
        let what = format!("the request is longer than {BODY_MAX} bytes, was cut off or is slow");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_long", what));
    };
    let asking = read(&bytes)?;
    let at_work = Arc::clone(&hub);
    let joined = tokio::task::spawn_blocking(move || enroll(&at_work, &asking)).await;
    let joined = joined.map_err(|error| Problem::unavailable(&error))??;
    let (sign, seal) = (hub.keys.sign.verifying_key(), hub.keys.seal.sealing_key());
    let answer = Answer {
        clinic: Uuid::from_bytes(joined.clinic),
        box_id: Uuid::from_bytes(joined.box_id),
        generation: joined.generation.0,
        fresh: joined.fresh,
        hub_public_keys: HubPublicKeys {
            sign: BASE64URL.encode(sign.0),
            seal: BASE64URL.encode(seal.bytes()),
            sign_id: number(sign.id()),
            seal_id: number(seal.id()),
        },
        clinic_name: joined.clinic_name,
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

fn number(id: KeyId) -> u64 {
    u64::from_be_bytes(id.0)
}

fn read(bytes: &[u8]) -> Result<Asking, Problem> {
    let refused = |what: &str| Problem::new(StatusCode::BAD_REQUEST, "malformed", what);
    let request: Request = serde_json::from_slice(bytes).map_err(|_| {
        refused("send JSON with code, box_public_keys (sign, seal) and hardware_id; name, log and on_held if there are")
    })?;
    let Request { code, box_public_keys: Keys { sign, seal }, hardware_id, name, log, on_held } =
        request;
    let name = name.unwrap_or_else(|| hardware_id.clone());
    let key = |text: &str| BASE64URL.decode(text).ok()?.try_into().ok();
    let not_keys = || refused("box_public_keys are two keys of 32 bytes as base64url");
    let sign: [u8; 32] = key(&sign).ok_or_else(not_keys)?;
    let seal: [u8; 32] = key(&seal).ok_or_else(not_keys)?;
    let is_words = |text: &str| {
        (1..=WORDS_MAX).contains(&text.trim().len()) && !text.chars().any(char::is_control)
    };
    if !is_words(&hardware_id) || !is_words(&name) {
        return Err(refused("hardware_id and name are one line of at most 200 bytes each"));
    }
    let seal = SealingKey::from_bytes(&seal).map_err(|_| not_keys())?;
    let log = log.map(|text| BASE64URL.decode(text).ok()?.try_into().ok().map(LogId));
    if log == Some(None) {
        return Err(refused("log is 16 bytes as base64url"));
    }
    let on_held = OnHeld::parse(on_held.as_deref())
        .ok_or_else(|| refused("on_held is restore, forget, or not said"))?;
    Ok(Asking {
        code,
        sign: VerifyingKey(sign),
        seal,
        hardware: hardware_id.trim().to_owned(),
        name: name.trim().to_owned(),
        log: log.flatten(),
        on_held,
    })
}
