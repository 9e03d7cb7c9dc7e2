//! Random secrets that a browser, a kiosk or a program shows, of which only a hash is kept; and
//! short codes for people to type.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// Random bytes in a secret.
const SECRET_BYTES: usize = 32;
/// The longest text that is looked at as a secret, in bytes.
pub const SECRET_TEXT_MAX: usize = 128;

/// A secret as it is shown once: never stored, never logged.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A new secret whose text begins with `prefix`.
    pub(crate) fn new(prefix: &str) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        fill(bytes.as_mut())?;
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()));
        Ok(Self(Zeroizing::new(format!("{prefix}{}", encoded.as_str()))))
    }

    /// The text to show.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is kept of a secret. The secret has 256 random bits, so a plain hash is enough, and
/// looking it up by the hash tells nothing by its time.
pub(crate) fn hash(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

/// A random number of as many decimal digits.
pub(crate) fn digits(count: u32) -> Result<String> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    let below = 10_u64.pow(count);
    // 2^64 is so much more than any such number that no digit is noticeably likelier.
    let number = u64::from_be_bytes(bytes) % below;
    Ok(format!("{number:0width$}", width = count as usize))
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| Error::Storage("the system gives no random numbers".into()))
}
