//! Key sets that clients publish at an address, asked for when they are needed.
//!
//! Invariant: only what an administrator registered is asked, by HTTPS, without following a redirect, and
//! not in a private network unless the settings allow it: the address is looked at after its name was
//! resolved, and that very one is connected to.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use channels::dial::is_public;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::CACHE_CONTROL;
use reqwest::{Client, Url};
use rustls::ClientConfig;
use tokio::sync::Semaphore;

use super::key_set::{Algorithm, KEY_SET_BYTES_MAX, KeySet};
use crate::outward::{self, Names, trust};

/// The longest address of a key set, in bytes.
pub const ADDRESS_BYTES_MAX: usize = 2_048;
/// How long an answer may take to be there whole.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
/// Key sets that are asked for at once.
const ASKED_AT_ONCE: usize = 4;
/// Key sets that are kept; as many as there can be clients.
const KEPT_MAX: usize = 1_000;
/// How long a key set is good if its owner does not say, in seconds.
const GOOD_SECONDS: i64 = 300;
/// The longest that a key set is good whatever its owner says, in seconds.
const GOOD_SECONDS_MAX: i64 = 3_600;
/// As often is one address asked at the most, in seconds, whatever assertions come.
const ASKED_EVERY_SECONDS: i64 = 10;

/// Why an address cannot be that of a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none, or not by HTTPS.
    #[error("a key set is published at an https address, without user and password")]
    NotHttps,
    /// It is too long.
    #[error("the address of a key set has at most {ADDRESS_BYTES_MAX} bytes")]
    TooLong,
    /// Nobody else can reach it.
    #[error(
        "the address is in a private network; set fhir.private_key_sets = true, or give the key set as a file"
    )]
    Private,
}

/// Looks whether a text can be the address of a key set.
///
/// # Errors
/// What is wrong with it.
pub fn check_address(text: &str, private_too: bool) -> Result<(), AddressError> {
    address(text, private_too).map(drop)
}

fn address(text: &str, private_too: bool) -> Result<Url, AddressError> {
    if text.len() > ADDRESS_BYTES_MAX {
        return Err(AddressError::TooLong);
    }
    let url = Url::parse(text).map_err(|_| AddressError::NotHttps)?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let host = url.host_str().filter(|_| url.scheme() == "https" && is_plain);
    let host = host.ok_or(AddressError::NotHttps)?;
    // A name is looked at when it is resolved.
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    if literal.is_ok_and(|ip| !private_too && !is_public(ip)) {
        return Err(AddressError::Private);
    }
    Ok(url)
}

/// What was found at the addresses.
pub struct Published {
    client: OnceLock<Client>,
    kept: Mutex<HashMap<String, Kept>>,
    turns: Semaphore,
}

impl Default for Published {
    fn default() -> Self {
        let turns = Semaphore::new(ASKED_AT_ONCE);
        Self { client: OnceLock::new(), kept: Mutex::default(), turns }
    }
}

/// What was found at an address.
#[derive(Clone, Default)]
struct Kept {
    keys: Option<Arc<KeySet>>,
    good_until: Timestamp,
    /// When it was asked last.
    asked: Option<Timestamp>,
    /// Held by whoever asks; others wait and look again.
    asking: Arc<tokio::sync::Mutex<()>>,
}

impl Kept {
    fn fresh(&self, now: Timestamp) -> Option<&Arc<KeySet>> {
        // A clock that went back makes nothing good for longer.
        let is_fresh = now < self.good_until && self.asked.is_some_and(|asked| asked <= now);
        self.keys.as_ref().filter(|_| is_fresh)
    }
}

impl Published {
    /// The key set at an address, with a key of this name. It is asked for anew if what is kept is old or
    /// lacks the key, but not more often than every [`ASKED_EVERY_SECONDS`]. None if there is no such key,
    /// or it cannot be had.
    pub async fn at(
        &self,
        text: &str,
        (kid, algorithm): (&str, Algorithm),
        private_too: bool,
        now: Timestamp,
    ) -> Option<Arc<KeySet>> {
        let with_key = |kept: &Kept| {
            let keys = kept.fresh(now).filter(|keys| keys.has(kid, algorithm));
            keys.map(Arc::clone)
        };
        let kept = self.kept(text);
        if let Some(keys) = with_key(&kept) {
            return Some(keys);
        }
        let _asking = kept.asking.lock().await;
        let kept = self.kept(text);
        if let Some(keys) = with_key(&kept) {
            return Some(keys);
        }
        let wait = SignedDuration::from_secs(ASKED_EVERY_SECONDS);
        if kept.asked.is_some_and(|asked| now.duration_since(asked).abs() < wait) {
            return None;
        }
        let (keys, good_until) = match self.ask(text, private_too).await {
            Ok((keys, seconds)) => {
                let good = SignedDuration::from_secs(seconds);
                (Some(Arc::new(keys)), now.saturating_add(good).unwrap_or(now))
            }
            Err(why) => {
                tracing::warn!(why, "a client's key set could not be had");
                // What its owner said is good stays good.
                (kept.keys.clone(), kept.good_until)
            }
        };
        let kept = Kept { keys, good_until, asked: Some(now), asking: Arc::clone(&kept.asking) };
        let found = with_key(&kept);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned(), kept);
        found
    }

    /// What is known of an address.
    fn kept(&self, text: &str) -> Kept {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX && !kept.contains_key(text) {
            kept.clear();
        }
        kept.entry(text.to_owned()).or_default().clone()
    }

    /// Asks for a key set; answers for how many seconds it is good, too.
    async fn ask(&self, text: &str, private_too: bool) -> Result<(KeySet, i64), &'static str> {
        let url = address(text, private_too).map_err(|_| "the address is not allowed")?;
        let _turn = self.turns.try_acquire().map_err(|_| "too many are asked for at once")?;
        let client = match self.client.get() {
            Some(client) => client,
            None => {
                let client = client(trust()?, private_too)?;
                self.client.get_or_init(|| client)
            }
        };
        let answer = client.get(url).send().await.map_err(|error| {
            tracing::debug!(error = %error.without_url(), "a key set was asked for");
            "there is no answer at its address, or none that may be asked"
        });
        read(answer?).await
    }
}

/// The key set in an answer, and for how many seconds it is good.
async fn read(mut answer: reqwest::Response) -> Result<(KeySet, i64), &'static str> {
    if answer.status() != reqwest::StatusCode::OK {
        return Err("its address answers with another status than 200");
    }
    let said = answer.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let seconds = good_seconds(said.unwrap_or_default());
    let mut bytes = Vec::new();
    let cut = "its address does not answer whole";
    while let Some(chunk) = answer.chunk().await.map_err(|_| cut)? {
        if bytes.len() + chunk.len() > KEY_SET_BYTES_MAX {
            return Err("its address answers too much");
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "its address answers no key set")?;
    let keys =
        KeySet::parse(text).map_err(|_| "its address answers no key set that can be used")?;
    Ok((keys, seconds))
}

/// How long a key set may be kept, from its `Cache-Control` (RFC 9111, section 5.2.2); at least until it may be
/// asked for again.
fn good_seconds(said: &str) -> i64 {
    let mut directives = said.split(',').map(str::trim);
    let is_named = |name: &str| said.split(',').any(|it| it.trim().eq_ignore_ascii_case(name));
    if is_named("no-store") || is_named("no-cache") {
        return ASKED_EVERY_SECONDS;
    }
    let age =
        directives.find_map(|it| it.to_ascii_lowercase().strip_prefix("max-age=")?.parse().ok());
    age.map_or(GOOD_SECONDS, |seconds: i64| seconds.clamp(ASKED_EVERY_SECONDS, GOOD_SECONDS_MAX))
}

fn client(trusting: ClientConfig, private_too: bool) -> Result<Client, &'static str> {
    outward::client(trusting, Names { private_too })
        .timeout(ANSWER_TIME_MAX)
        .build()
        .map_err(|_| "the box cannot ask by HTTPS")
}

#[cfg(test)]
mod tests;
