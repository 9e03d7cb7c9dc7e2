//! Webhooks that are signed as Standard Webhooks says (standardwebhooks.com, specification of 2026): `v1` by a secret
//! that both ends have, `v1a` by an Ed25519 key of which the clinic has the public half.
//!
//! Invariant: a webhook is genuine if any of its signatures is by any of the keys; a key that is being replaced
//! stands beside the new one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use ring::{digest, hmac};
use zeroize::Zeroizing;

pub use crate::signature::Forged;
use crate::signature::{is_hmac, unbase64};

/// The header with the id: the same for each try of the same webhook.
pub const ID: &str = "webhook-id";
/// The header with the time of this try, in seconds since 1970 UTC.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures.
pub const SIGNATURE: &str = "webhook-signature";
/// The time of a webhook may be this far from when it came in, in milliseconds, either way.
pub const TOLERANCE_MS: i64 = 5 * 60 * 1000;
/// The longest id, in bytes.
pub const ID_BYTES_MAX: usize = 256;
/// As many signatures are looked at.
pub const SIGNATURES_MAX: usize = 16;
/// The shortest secret, in bytes (the specification says 24 to 64).
pub const SECRET_BYTES_MIN: usize = 24;
/// The longest secret, in bytes.
pub const SECRET_BYTES_MAX: usize = 64;

const SECRET_PREFIX: &str = "whsec_";
const PUBLIC_PREFIX: &str = "whpk_";

/// What a webhook is checked with.
#[derive(Clone)]
pub enum Key {
    /// A secret that both ends have.
    Secret(Zeroizing<Vec<u8>>),
    /// The public half of a key that only the sender has.
    Public([u8; 32]),
}

/// A webhook as it came.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// The header [`ID`].
    pub id: &'a str,
    /// The header [`TIMESTAMP`].
    pub timestamp: &'a str,
    /// The header [`SIGNATURE`].
    pub signature: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// Not a key of such webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write the secret as whsec_ and base64 of {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes, or the public key as whpk_ and base64 of 32 bytes"
)]
pub struct NotAKey;

impl Key {
    /// A key as it is written: `whsec_` or `whpk_` and base64, whose padding may be missing; without either, it is a
    /// secret.
    ///
    /// # Errors
    /// [`NotAKey`].
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let text = text.trim();
        if let Some(public) = text.strip_prefix(PUBLIC_PREFIX) {
            let bytes = unbase64(public).ok_or(NotAKey)?;
            return bytes.try_into().map(Self::Public).map_err(|_| NotAKey);
        }
        let secret = text.strip_prefix(SECRET_PREFIX).unwrap_or(text);
        let bytes = Zeroizing::new(unbase64(secret).ok_or(NotAKey)?);
        if (SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&bytes.len()) {
            Ok(Self::Secret(bytes))
        } else {
            Err(NotAKey)
        }
    }

    /// Whether this key made a signature of that version.
    fn has_made(&self, version: &str, bytes: &[u8], signature: &[u8]) -> bool {
        match (self, version) {
            (Self::Secret(secret), "v1") => is_hmac(hmac::HMAC_SHA256, secret, bytes, signature),
            (Self::Public(key), "v1a") => {
                UnparsedPublicKey::new(&ED25519, key).verify(bytes, signature).is_ok()
            }
            (Self::Secret(_) | Self::Public(_), _) => false,
        }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(…)",
            Self::Public(_) => "Public(…)",
        })
    }
}

/// Checks who sent a webhook, and that it was sent when it came in. A box that hears of it hours later gives
/// the time that the hub noted (`received_at_ms`), not its own.
///
/// # Errors
/// [`Forged`], whatever is wrong.
pub fn verify(keys: &[Key], signed: &Signed<'_>, received_at_ms: i64) -> Result<(), Forged> {
    let is_id = (1..=ID_BYTES_MAX).contains(&signed.id.len()) && !signed.id.contains('.');
    // Digits alone: what is signed is the text, and a number has one.
    let is_number = (1..=12).contains(&signed.timestamp.len())
        && signed.timestamp.bytes().all(|it| it.is_ascii_digit());
    let seconds = signed.timestamp.parse::<i64>().map_err(|_| Forged)?;
    let apart = received_at_ms.abs_diff(seconds.saturating_mul(1000));
    if !is_id || !is_number || apart > TOLERANCE_MS.unsigned_abs() {
        return Err(Forged);
    }
    let bytes = signed_bytes(signed);
    let is_by_one = |written: &str| {
        let Some((version, signature)) = written.split_once(',') else { return false };
        let Some(signature) = unbase64(signature) else { return false };
        keys.iter().any(|key| key.has_made(version, &bytes, &signature))
    };
    let mut signatures = signed.signature.split(' ').filter(|it| !it.is_empty());
    if signatures.by_ref().take(SIGNATURES_MAX).any(is_by_one) { Ok(()) } else { Err(Forged) }
}

/// The `v1` signature of a webhook, for webhooks that we send: its header's whole value.
pub fn sign(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    let timestamp = timestamp.to_string();
    let bytes = signed_bytes(&Signed { id, timestamp: &timestamp, signature: "", body });
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), &bytes);
    format!("v1,{}", STANDARD.encode(tag))
}

/// What makes two webhooks with one id the same: the SHA-256 of the body.
pub fn fingerprint(body: &[u8]) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest::digest(&digest::SHA256, body).as_ref());
    fingerprint
}

fn signed_bytes(signed: &Signed<'_>) -> Vec<u8> {
    [signed.id.as_bytes(), b".", signed.timestamp.as_bytes(), b".", signed.body].concat()
}
