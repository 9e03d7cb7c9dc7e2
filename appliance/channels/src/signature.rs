//! What all signatures of webhooks have in common: a comparison that takes as long whatever differs.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::hmac;

/// Base64 with or without its padding: both are written.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Who sent it did not sign it with the secret of this account, or it was changed on the way. It says no more, so
/// that nobody can try his way to a good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not that of this account")]
pub struct Forged;

/// Whether `tag` is the HMAC of these bytes.
pub fn is_hmac(algorithm: hmac::Algorithm, secret: &[u8], bytes: &[u8], tag: &[u8]) -> bool {
    hmac::verify(&hmac::Key::new(algorithm, secret), bytes, tag).is_ok()
}

/// Whether two words are the same.
pub fn is_same(ours: &str, theirs: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"carepost-compare-1");
    hmac::verify(&key, theirs.as_bytes(), hmac::sign(&key, ours.as_bytes()).as_ref()).is_ok()
}

/// The bytes of base64, with or without padding.
pub fn unbase64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// The bytes of hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

/// Bytes as small hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
