//! Webhooks as a whole: whose signature they have, and only then what they tell. Hub and box take them by the same rules.
//!
//! Invariant: nothing of a webhook is read before one of the account's own secrets was found to have signed it, over the
//! bytes as they came; but for the name of the account, by which its secrets are found.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::heard::{Down, Webhook};
use crate::standard_webhooks::{self, Key};
use crate::voice_agent;
use crate::whatsapp::{self, meta, twilio};

/// As many clinics' numbers are in one webhook of Meta.
pub const NUMBERS_MAX: usize = 64;

/// Why a webhook is not taken. It is of no use to send it again as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// None of the secrets signed it.
    #[error("the signature is not that of an account here")]
    Forged,
    /// It cannot be read.
    #[error("{reason}")]
    Malformed {
        /// Which field is wrong; none if the whole is.
        field: Option<&'static str>,
        /// What would be right.
        reason: &'static str,
    },
}

impl From<whatsapp::Forged> for NotTaken {
    fn from(_: whatsapp::Forged) -> Self {
        Self::Forged
    }
}

impl From<whatsapp::Malformed> for NotTaken {
    fn from(whatsapp::Malformed(reason): whatsapp::Malformed) -> Self {
        Self::Malformed { field: None, reason }
    }
}

impl From<voice_agent::Malformed> for NotTaken {
    fn from(voice_agent::Malformed { field, reason }: voice_agent::Malformed) -> Self {
        Self::Malformed { field, reason }
    }
}

/// The report of a call that one of these keys (as they are written) signed when it came in. `country` (ISO 3166-1) is
/// that of numbers without a country code.
///
/// # Errors
/// [`NotTaken`].
pub fn call<'k>(
    keys: impl IntoIterator<Item = &'k str>,
    signed: &standard_webhooks::Signed<'_>,
    (country, received_at_ms): (&str, i64),
) -> Result<Webhook, NotTaken> {
    let keys: Vec<Key> = keys.into_iter().filter_map(|it| Key::parse(it).ok()).collect();
    standard_webhooks::verify(&keys, signed, received_at_ms)?;
    voice_agent::read(signed.body, country)?;
    Ok(Webhook {
        id: signed.id.to_owned(),
        timestamp: signed.timestamp.to_owned(),
        signature: signed.signature.to_owned(),
        body: signed.body.to_vec(),
        received_at_ms,
    })
}

impl Webhook {
    /// Whether one of these keys (as they are written) signed it, when it came in.
    pub fn is_signed_by<'k>(&self, keys: impl IntoIterator<Item = &'k str>) -> bool {
        let keys: Vec<Key> = keys.into_iter().filter_map(|it| Key::parse(it).ok()).collect();
        let signed = standard_webhooks::Signed {
            id: &self.id,
            timestamp: &self.timestamp,
            signature: &self.signature,
            body: &self.body,
        };
        standard_webhooks::verify(&keys, &signed, self.received_at_ms).is_ok()
    }
}

/// Whether one of these signed a webhook of Twilio: auth tokens, each with the secret of the shared key, if one signs.
pub fn is_twilios<'k>(
    secrets: impl IntoIterator<Item = (&'k str, Option<&'k str>)>,
    signed: &twilio::Signed<'_>,
) -> bool {
    let mut secrets = secrets.into_iter();
    secrets.any(|(token, shared_key)| twilio::verify(token, shared_key, signed).is_ok())
}

/// What a webhook of Twilio tells of this account, once its signature was found to be right. Nothing, if it is a state
/// that says nothing, such as queued. `query` is that of the address it came to.
///
/// # Errors
/// [`NotTaken::Malformed`].
pub fn told_by_twilio(
    account: &str,
    (body, query): (&[u8], &str),
    now: Timestamp,
) -> Result<Vec<Down>, NotTaken> {
    let told = twilio::read(body, query, now)?.into_iter();
    Ok(told.filter(|it| it.account == account).map(|it| it.what).collect())
}

/// The numbers that a webhook of Meta names, before anything of it is believed; at most [`NUMBERS_MAX`].
pub fn numbers(body: &[u8]) -> Vec<String> {
    let mut numbers = meta::accounts(body);
    numbers.truncate(NUMBERS_MAX);
    numbers
}

/// Of these numbers, each with a secret of its app, those whose app signed a webhook of Meta.
pub fn signed_numbers<'k>(
    secrets: impl IntoIterator<Item = (&'k str, &'k str)>,
    signature: &str,
    body: &[u8],
) -> BTreeSet<&'k str> {
    // Clinics with one app share its secret, and the body is long.
    let mut signed: BTreeMap<&str, bool> = BTreeMap::new();
    let mut is_signed = |secret: &'k str| {
        let verify = || meta::verify(secret, signature, body).is_ok();
        *signed.entry(secret).or_insert_with(verify)
    };
    let genuine = secrets.into_iter().filter(|(_, secret)| is_signed(secret));
    genuine.map(|(number, _)| number).collect()
}

/// What a webhook of Meta tells, by number. What is about a number whose app did not sign it is left out.
///
/// # Errors
/// [`NotTaken::Malformed`].
pub fn told_by_meta(
    signed_numbers: &BTreeSet<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<BTreeMap<String, Vec<Down>>, NotTaken> {
    let mut told: BTreeMap<String, Vec<Down>> = BTreeMap::new();
    for it in meta::read(body, now)? {
        if signed_numbers.contains(it.account.as_str()) {
            told.entry(it.account).or_default().push(it.what);
        }
    }
    Ok(told)
}

/// What Meta's handshake is answered with, if it shows one of these verify tokens.
pub fn challenge<'k>(tokens: impl IntoIterator<Item = &'k str>, query: &str) -> Option<String> {
    tokens.into_iter().find_map(|token| meta::handshake(query, token).ok())
}
