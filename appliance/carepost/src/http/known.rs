//! Who was recognised a moment ago, so that not every request of a busy desk or program asks the
//! database who it is.
//!
//! Invariant: what this process writes about staff, sessions, tokens and devices is in force with
//! the next request; what the command line writes, [`REMEMBERED_MS`] later.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use fhir::scope::Scopes;
use jiff::Timestamp;
use prm::stamp::{Actor, Channel, Role};
use ring::digest;

/// How long somebody is remembered, in milliseconds.
pub const REMEMBERED_MS: i64 = 1_000;
/// People, programs and devices that are remembered at once.
const KNOWN_MAX: usize = 4_096;

/// What makes a stamp, but for the time; and the scopes of a token that is narrowed to them.
pub type Who = (Actor, Role, Channel, Option<Scopes>);

/// The memory. Only those who were recognised are in it.
#[derive(Default)]
pub struct Known(Mutex<HashMap<[u8; 32], Entry>>);

struct Entry {
    who: Who,
    at: Timestamp,
    identities: u64,
}

/// What stands for a secret in memory: a hash of it and of the way in which it was shown.
#[derive(Clone, Copy)]
pub struct Shown([u8; 32]);

impl Shown {
    /// A secret that came in this way: in the header of a program, in a cookie of this name.
    pub fn new(way: &str, secret: &str) -> Self {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(way.as_bytes());
        hash.update(&[0]);
        hash.update(secret.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.finish().as_ref());
        Self(bytes)
    }
}

impl Known {
    /// Who showed this a moment ago, if nothing was written since that could change it.
    /// `identities` is what `Db::identities` says now.
    pub fn recall(&self, shown: Shown, now: Timestamp, identities: u64) -> Option<Who> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = known.get(&shown.0)?;
        let age = now.as_millisecond() - entry.at.as_millisecond();
        // A clock that went back makes nobody known for longer.
        let fresh = (0..REMEMBERED_MS).contains(&age) && entry.identities == identities;
        fresh.then_some(entry.who)
    }

    /// Remembers who was recognised. `identities` is what `Db::identities` said before the
    /// database was asked.
    pub fn remember(&self, shown: Shown, who: Who, at: Timestamp, identities: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(shown.0, Entry { who, at, identities });
    }
}
