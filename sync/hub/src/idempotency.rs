//! Booking once: whoever shows the same `Idempotency-Key` again, because the answer was lost, hears the same
//! answer, also after the hub was started again.
//!
//! What a first asking would make has its ids before anything is done ([`Once`]), and these are written
//! down: the box does a request of one id once, the hub sells under one id once. So does whoever asks
//! again, whatever became of the answer. Whether the box or the hub is to do it is written down, too:
//! it is never both.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use sync_protocol::downlink::RequestId;
use uuid::Uuid;

use crate::hub::{Hub, ReadError};
use crate::requests;
use crate::store::{self, StoreError, Tx};

/// How long a key is known, in ms.
pub const KEPT_MS: i64 = 24 * 3_600_000;
/// The longest key, in bytes; as at the box.
pub const KEY_BYTES_MAX: usize = 200;
/// Keys of one clinic that are known at once.
pub const KEYS_MAX: u64 = 20_000;
/// The longest answer that is kept, in bytes: that of a booking is much shorter.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The ids of what one asking makes.
#[derive(Clone, Debug)]
pub struct Once {
    /// Of the booking, the hold or the wish.
    pub new: Uuid,
    /// Of the request to the box.
    pub request: RequestId,
    /// Whether it was asked before.
    pub again: bool,
    /// Under what it is kept; nowhere if it was asked without a key.
    kept: Option<[u8; 16]>,
}

/// What came of asking under a key.
pub enum Begun {
    /// It is to be done, or done to its end.
    Ours(Once),
    /// What was answered: a status of HTTP, and JSON.
    Heard(u16, String),
    /// The key was used for something else.
    OfAnother,
    /// Too many keys are known of this clinic.
    Full,
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The box.
    Box,
    /// The hub.
    Hub,
}

/// What is kept under a key.
#[derive(Serialize, Deserialize)]
struct Kept {
    asked: [u8; 32],
    new: Uuid,
    request: Uuid,
    by: Option<By>,
    answer: Option<(u16, String)>,
}

impl Once {
    /// Of an asking without a key.
    pub fn new(hub: &Hub) -> Self {
        let request = RequestId(Uuid::new_v4().into_bytes());
        Self { new: hub.clock.new_id(), request, again: false, kept: None }
    }
}

/// Where the key of a token is kept.
pub fn place_of(token: [u8; 16], key: &str) -> [u8; 16] {
    let hash = digest(&SHA256, &[&token, key.as_bytes()].concat());
    let (place, _) = hash.as_ref().split_first_chunk().expect("invariant: a SHA-256 is longer");
    *place
}

/// Where it is sealed; no key of a record begins so.
fn sealed_at(place: [u8; 16]) -> Vec<u8> {
    [&b"idempotency "[..], &place].concat()
}

/// Begins to do what is asked in these bytes under a key, or goes on with it.
///
/// # Errors
/// [`ReadError`].
pub fn begin(
    hub: &Hub,
    clinic: [u8; 16],
    place: [u8; 16],
    asked: &[u8],
) -> Result<Begun, ReadError> {
    let hash = digest(&SHA256, asked);
    let asked = *hash.as_ref().first_chunk().expect("invariant: a SHA-256 has 32 bytes");
    hub.store.write(clinic, |tx| {
        if let Some(kept) = read(hub, tx, clinic, place)? {
            if kept.asked != asked {
                return Ok(Begun::OfAnother);
            }
            if let Some((status, body)) = kept.answer {
                return Ok(Begun::Heard(status, body));
            }
            let request = RequestId(kept.request.into_bytes());
            let once = Once { new: kept.new, request, again: true, kept: Some(place) };
            return Ok(Begun::Ours(once));
        }
        store::forget_kept(tx, clinic, hub.clock.now_ms())?;
        if store::kept_count(tx, clinic)? >= KEYS_MAX {
            return Ok(Begun::Full);
        }
        let once = Once { kept: Some(place), ..Once::new(hub) };
        let request = Uuid::from_bytes(once.request.0);
        let kept = Kept { asked, new: once.new, request, by: None, answer: None };
        write(hub, tx, clinic, place, &kept)?;
        Ok(Begun::Ours(once))
    })
}

/// Who does it: who began to; else the box if it is there. None if nothing says so, because it was asked
/// without a key.
///
/// # Errors
/// [`ReadError`].
pub fn by(hub: &Hub, clinic: [u8; 16], once: &Once) -> Result<Option<By>, ReadError> {
    let Some(place) = once.kept else { return Ok(None) };
    hub.store.write(clinic, |tx| {
        let Some(kept) = read(hub, tx, clinic, place)? else { return Ok(None) };
        let by = match kept.by {
            Some(by) => by,
            None if requests::is_there(hub, tx, clinic)? => By::Box,
            None => By::Hub,
        };
        write(hub, tx, clinic, place, &Kept { by: Some(by), ..kept })?;
        Ok(Some(by))
    })
}

/// Keeps the answer for whoever asks again. The box did not do what it answers with 5xx: so that is asked
/// anew, under another id.
///
/// # Errors
/// [`ReadError`].
pub fn end(
    hub: &Hub,
    clinic: [u8; 16],
    once: &Once,
    (status, body): (u16, &str),
) -> Result<(), ReadError> {
    let Some(place) = once.kept.filter(|_| body.len() <= ANSWER_BYTES_MAX) else { return Ok(()) };
    hub.store.write(clinic, |tx| {
        let Some(kept) = read(hub, tx, clinic, place)? else { return Ok(()) };
        let kept = if status >= 500 {
            Kept { request: Uuid::new_v4(), by: None, ..kept }
        } else {
            let answer = kept.answer.or_else(|| Some((status, body.to_owned())));
            Kept { answer, ..kept }
        };
        write(hub, tx, clinic, place, &kept)
    })
}

fn read(
    hub: &Hub,
    tx: &Tx<'_>,
    clinic: [u8; 16],
    place: [u8; 16],
) -> Result<Option<Kept>, ReadError> {
    let Some(sealed) = store::kept(tx, clinic, place, hub.clock.now_ms())? else { return Ok(None) };
    let of = store::clinic(tx, clinic)?.ok_or(GONE)?;
    let bytes = hub.key_of(&of)?.open(&sealed_at(place), &sealed)?;
    let damaged = |_| StoreError::Damaged("what was asked under a key");
    Ok(Some(serde_json::from_slice(&bytes).map_err(damaged)?))
}

const GONE: StoreError = StoreError::Damaged("a clinic that is gone");

fn write(
    hub: &Hub,
    tx: &Tx<'_>,
    clinic: [u8; 16],
    place: [u8; 16],
    kept: &Kept,
) -> Result<(), ReadError> {
    let of = store::clinic(tx, clinic)?.ok_or(GONE)?;
    let bytes = serde_json::to_vec(kept).expect("invariant: ids and texts are JSON");
    let sealed = hub.key_of(&of)?.seal(&sealed_at(place), &bytes)?;
    let until = hub.clock.now_ms().saturating_add(KEPT_MS);
    Ok(store::keep(tx, clinic, (place, &sealed), until)?)
}
