//! The assertion of a client: a signed JSON Web Token that says who it is, to whom, and for how long
//! (RFC 7515, RFC 7519, RFC 7523).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use prm::id::TokenId;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Number;

use super::key_set::{Algorithm, KID_BYTES_MAX, KeySet};

/// The longest assertion, in bytes.
pub const ASSERTION_BYTES_MAX: usize = 8 * 1024;
/// How far ahead an assertion may end, in seconds.
pub const AHEAD_SECONDS_MAX: i64 = 300;
/// How much the clock of a client may be ahead of the box's, in seconds.
pub const LEEWAY_SECONDS: i64 = 30;
/// How long ago an assertion may have been made, in seconds.
const AGE_SECONDS_MAX: i64 = 24 * 60 * 60;
/// The longest name of an assertion, in bytes.
const JTI_BYTES_MAX: usize = 256;

/// Why an assertion is not good. It is for the log of the box; who asks hears only that it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGood {
    /// It is no signed token with all that it needs.
    #[error("it is no signed token with kid, iss, sub, aud, exp and jti")]
    Malformed,
    /// It is signed otherwise than by RS384 or ES384.
    #[error("it is not signed by RS384 or ES384")]
    Algorithm,
    /// It needs something to be understood that is not.
    #[error("its header needs an extension that is not known")]
    Critical,
    /// The client that it names is none.
    #[error("iss and sub are not the id of a client")]
    Client,
    /// Its keys are said to be somewhere else than where the client was registered with.
    #[error("its jku is not the address that the client was registered with")]
    KeysElsewhere,
    /// The client has no such key.
    #[error("the client has no key of this kid and algorithm")]
    Key,
    /// The key did not sign it.
    #[error("the signature does not fit")]
    Signature,
    /// It is for somebody else.
    #[error("aud is not the token endpoint")]
    Audience,
    /// It is over.
    #[error("exp is over")]
    Over,
    /// It would be good for too long.
    #[error("exp is more than five minutes ahead")]
    TooLong,
    /// It was used before, or the client ended meanwhile.
    #[error("jti was used before, or the client has just ended")]
    Used,
    /// It is not good yet, or was made long ago.
    #[error("nbf or iat is not now")]
    NotNow,
}

/// An assertion that was read, and is yet to be verified.
#[derive(Debug)]
pub struct Assertion {
    algorithm: Algorithm,
    kid: String,
    jku: Option<String>,
    claims: Claims,
    client: TokenId,
    /// What was signed.
    message: String,
    signature: Vec<u8>,
}

/// An assertion of a client that its key signed, for this box and for now.
#[derive(Debug)]
pub struct Verified {
    /// What no other assertion of the client is called.
    pub jti: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: Option<String>,
    jku: Option<String>,
    crit: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: Number,
    nbf: Option<Number>,
    iat: Option<Number>,
    jti: String,
}

/// One audience, or a list of one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    List([String; 1]),
}

impl Assertion {
    /// Reads an assertion.
    ///
    /// # Errors
    /// If it is no token of the kind that clients sign.
    pub fn read(text: &str) -> Result<Self, NotGood> {
        if text.len() > ASSERTION_BYTES_MAX {
            return Err(NotGood::Malformed);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(NotGood::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(NotGood::Malformed)?;
        let Header { alg, kid, typ, jku, crit } = part(header)?;
        // An algorithm is chosen from those that are known here, never by what the token would like.
        let algorithm = Algorithm::parse(&alg).ok_or(NotGood::Algorithm)?;
        if crit.is_some() {
            return Err(NotGood::Critical);
        }
        let claims: Claims = part(claims)?;
        let is_token = typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        let is_named = (1..=JTI_BYTES_MAX).contains(&claims.jti.len());
        if !is_token || !is_named || kid.is_empty() || kid.len() > KID_BYTES_MAX {
            return Err(NotGood::Malformed);
        }
        let client: TokenId = claims.iss.parse().map_err(|_| NotGood::Client)?;
        if claims.iss != claims.sub || client.to_string() != claims.iss {
            return Err(NotGood::Client);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| NotGood::Malformed)?;
        let message = message.to_owned();
        Ok(Self { algorithm, kid, jku, claims, client, message, signature })
    }

    /// The client that it says it is from.
    pub fn client(&self) -> TokenId {
        self.client
    }

    /// The key that it says it is signed with.
    pub fn key(&self) -> (&str, Algorithm) {
        (&self.kid, self.algorithm)
    }

    /// Refuses an assertion that names another place for the keys than where the client was registered
    /// with (`jku`).
    ///
    /// # Errors
    /// If it does.
    pub fn names_keys_at(&self, registered: Option<&str>) -> Result<(), NotGood> {
        match self.jku.as_deref() {
            Some(jku) if Some(jku) != registered => Err(NotGood::KeysElsewhere),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether one of the keys signed it, for this endpoint and for now.
    ///
    /// # Errors
    /// Why it is not good.
    pub fn verify(
        self,
        keys: &KeySet,
        endpoint: &str,
        now: Timestamp,
    ) -> Result<Verified, NotGood> {
        if !keys.has(&self.kid, self.algorithm) {
            return Err(NotGood::Key);
        }
        if !keys.verify(self.key(), self.message.as_bytes(), &self.signature) {
            return Err(NotGood::Signature);
        }
        let (Audience::One(audience) | Audience::List([audience])) = &self.claims.aud;
        if audience != endpoint {
            return Err(NotGood::Audience);
        }
        let now = now.as_second();
        let exp = seconds(&self.claims.exp)?;
        if exp <= now {
            return Err(NotGood::Over);
        }
        if exp > now + AHEAD_SECONDS_MAX + LEEWAY_SECONDS {
            return Err(NotGood::TooLong);
        }
        let begins = self.claims.nbf.as_ref().map(seconds).transpose()?;
        let made = self.claims.iat.as_ref().map(seconds).transpose()?;
        let is_ahead = |at: i64| at > now + LEEWAY_SECONDS;
        if begins.is_some_and(is_ahead)
            || made.is_some_and(|at| is_ahead(at) || at < now - AGE_SECONDS_MAX)
        {
            return Err(NotGood::NotNow);
        }
        let expires_at = Timestamp::from_second(exp).map_err(|_| NotGood::Malformed)?;
        Ok(Verified { jti: self.claims.jti, expires_at })
    }
}

/// A part of the token, which is JSON in base64.
fn part<T: DeserializeOwned>(text: &str) -> Result<T, NotGood> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotGood::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| NotGood::Malformed)
}

/// Seconds since 1970; a part of a second is cut off (RFC 7519, section 2).
fn seconds(number: &Number) -> Result<i64, NotGood> {
    const FAR: f64 = 1e11;
    if let Some(whole) = number.as_i64() {
        return if whole.unsigned_abs() < FAR as u64 { Ok(whole) } else { Err(NotGood::Malformed) };
    }
    let seconds = number.as_f64().filter(|seconds| seconds.abs() < FAR);
    seconds.map(|seconds| seconds.floor() as i64).ok_or(NotGood::Malformed)
}

#[cfg(test)]
mod tests;
