//! Bearer tokens for programs: 32 random bytes that are shown once, of which the hub keeps the SHA-256.
//!
//! A token is found by its hash, so that how long the look takes tells nothing about it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::vault::{WrongKey, make_key};

/// What every token begins with, so that one that is lost is recognised.
pub const PREFIX: &str = "cph_";
/// The longest text that is looked at as a token, in bytes.
const TEXT_MAX: usize = 128;

/// A new token.
///
/// # Errors
/// If the machine has no randomness to give.
pub fn make() -> Result<Zeroizing<String>, WrongKey> {
    Ok(Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*make_key()?))))
}

/// What is kept of a token; none of what cannot be one.
pub fn hash(text: &str) -> Option<[u8; 32]> {
    let is_token = text.len() <= TEXT_MAX && text.starts_with(PREFIX);
    is_token.then(|| digest(&SHA256, text.as_bytes()).as_ref().try_into().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_alone() {
        let token = make().unwrap();
        assert!(hash(&token).is_some());
        assert_eq!(hash(&token), hash(&token.clone()));
        assert_ne!(hash(&token), hash(&make().unwrap()));
        assert_eq!(hash("abc"), None);
        assert_eq!(hash(&format!("{PREFIX}{}", "a".repeat(TEXT_MAX))), None);
    }
}
