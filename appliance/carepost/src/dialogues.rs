//! Dialogues under way: what reception remembers between two messages, in `state/dialogues`.
//!
//! What is here may be lost or be older than the records: then the person is asked again, and that is all.
//! So each dialogue says after which message it stood like this; unless that is the one with which reception
//! was through last, it is forgotten.
//!
//! It is on the disk before the records say that its message is answered, beside what it was before: whichever of
//! both the records know after a power cut, the dialogue goes on.
//!
//! Invariant: what lies on the disk is encrypted.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use ::reception::Dialogue;
use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use prm::id::{ConversationId, MessageId};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::place;

/// A dialogue is forgotten after this long.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Memory that sled takes for its cache, in bytes.
const CACHE_BYTES: u64 = 4 * 1024 * 1024;
/// What is held by another is tried so often again, ...
const HELD_TRIES: u32 = 40;
/// ... each after this pause.
const HELD_PAUSE: Duration = Duration::from_millis(50);

/// The dialogues under way.
pub struct Dialogues {
    store: sled::Db,
    key: LessSafeKey,
}

/// A dialogue as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// With this message reception was through then.
    after: MessageId,
    at: Timestamp,
    dialogue: Dialogue,
}

impl Dialogues {
    /// Those of a data folder. What is broken is begun anew.
    ///
    /// # Errors
    /// If nothing can be kept there at all.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let key = key(data)?;
        let folder = place::state(data)?.join(place::DIALOGUES);
        let open = || sled::Config::new().path(&folder).cache_capacity(CACHE_BYTES).open();
        // What is damaged enough makes sled panic.
        let opened = || {
            catch_unwind(AssertUnwindSafe(open))
                .unwrap_or_else(|_| Err(sled::Error::Unsupported("damaged".into())))
        };
        // Whoever had it open may not have let go of it yet: sled has no error of its own for that.
        let is_held = |it: &sled::Result<sled::Db>| matches!(it, Err(sled::Error::Io(error)) if error.kind() == ErrorKind::Other);
        let mut store = opened();
        for _ in 0..HELD_TRIES {
            if !is_held(&store) {
                break;
            }
            thread::sleep(HELD_PAUSE);
            store = opened();
        }
        let store = match store {
            Ok(store) => store,
            Err(error) => {
                tracing::warn!(%error, "what was under way in conversations is lost; people are asked again");
                fs::remove_dir_all(&folder)
                    .with_context(|| format!("{} cannot be removed", folder.display()))?;
                open()?
            }
        };
        Ok(Self { store, key })
    }

    /// The dialogue of a conversation as it stands after a message; a new one, if it is not known.
    pub fn load(
        &self,
        conversation: ConversationId,
        after: Option<MessageId>,
        now: Timestamp,
    ) -> Dialogue {
        let stands = after.and_then(|after| self.stands(conversation, after, now));
        stands.map_or_else(Dialogue::default, |(_, dialogue)| dialogue)
    }

    /// The dialogue of a conversation as it stands after a message, and since when; none if it is not known.
    pub fn stands(
        &self,
        conversation: ConversationId,
        after: MessageId,
        now: Timestamp,
    ) -> Option<(Timestamp, Dialogue)> {
        let bytes = match self.store.get(conversation.as_bytes()) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return None,
            Err(error) => {
                tracing::warn!(%error, "a dialogue cannot be read; the person is asked again");
                return None;
            }
        };
        let stood = self.unseal(conversation, &bytes).into_iter().flatten();
        let is_now = |kept: &Kept| kept.after == after && is_fresh(kept.at, now);
        stood.into_iter().find(is_now).map(|kept| (kept.at, kept.dialogue))
    }

    /// The conversations with a dialogue that is worth a look, by what it is and since when; at most `limit`.
    pub fn under_way(
        &self,
        now: Timestamp,
        limit: usize,
        is_worth: impl Fn(&Dialogue, Timestamp) -> bool,
    ) -> Vec<ConversationId> {
        let worth = self.store.iter().filter_map(|entry| {
            let (name, bytes) = entry.ok()?;
            let id = ConversationId::from_bytes(name.as_ref().try_into().ok()?);
            let kept = self.unseal(id, &bytes)?;
            let is_one = |it: &Kept| is_fresh(it.at, now) && is_worth(&it.dialogue, it.at);
            kept.iter().any(is_one).then_some(id)
        });
        worth.take(limit).collect()
    }

    /// Keeps the dialogue of a conversation as it stands after a message that is answered in this transaction, and
    /// as it stood after the one before, in case the transaction is not.
    pub fn keep(
        &self,
        conversation: ConversationId,
        (after, dialogue): (MessageId, Dialogue),
        (before, now): (Option<MessageId>, Timestamp),
    ) {
        let stood = self.store.get(conversation.as_bytes()).ok().flatten();
        let stood = stood.and_then(|bytes| self.unseal(conversation, &bytes)).unwrap_or_default();
        let mut kept = vec![Kept { after, at: now, dialogue }];
        kept.extend(stood.into_iter().find(|it| Some(it.after) == before));
        let Some(bytes) = self.seal(conversation, &kept) else { return };
        let inserted = self.store.insert(conversation.as_bytes(), bytes);
        if let Err(error) = inserted.and_then(|_| self.store.flush()) {
            tracing::warn!(%error, "a dialogue cannot be kept; the person is asked again");
        }
    }

    /// Forgets those that are too old or cannot be read.
    pub fn sweep(&self, now: Timestamp) {
        for entry in self.store.iter() {
            let Ok((name, bytes)) = entry else { continue };
            let id = <[u8; 16]>::try_from(name.as_ref()).map(ConversationId::from_bytes);
            let kept = id.ok().and_then(|id| self.unseal(id, &bytes));
            let is_any_fresh = kept.is_some_and(|kept| kept.iter().any(|it| is_fresh(it.at, now)));
            if !is_any_fresh && let Err(error) = self.store.remove(name) {
                tracing::debug!(%error, "an old dialogue was not removed");
            }
        }
    }

    fn seal(&self, conversation: ConversationId, kept: &[Kept]) -> Option<Vec<u8>> {
        let mut bytes = Zeroizing::new(serde_json::to_vec(kept).ok()?);
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(conversation.as_bytes()),
                bytes.as_mut(),
            )
            .ok()?;
        Some([&nonce, bytes.as_slice(), tag.as_ref()].concat())
    }

    fn unseal(&self, conversation: ConversationId, bytes: &[u8]) -> Option<Vec<Kept>> {
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let aad = Aad::from(conversation.as_bytes());
        let opened = self.key.open_in_place(nonce, aad, sealed.as_mut()).ok()?;
        serde_json::from_slice(opened).ok()
    }
}

/// Whether something is not too old. A clock that was set back makes nothing fresh.
fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now.duration_since(at) < KEPT_FOR
}

/// The key of the dialogues of a data folder; made if it is not there or no key.
fn key(data: &Path) -> anyhow::Result<LessSafeKey> {
    let path = place::keys(data).join(place::DIALOGUES_KEY);
    let read = || -> Option<LessSafeKey> {
        let bytes = Zeroizing::new(fs::read(&path).ok()?);
        UnboundKey::new(&AES_256_GCM, &bytes).ok().map(LessSafeKey::new)
    };
    if let Some(key) = read() {
        return Ok(key);
    }
    let mut bytes = Zeroizing::new([0_u8; 32]);
    SystemRandom::new()
        .fill(bytes.as_mut())
        .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    let write = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(bytes.as_ref())
    };
    write().with_context(|| format!("the key {} cannot be written", path.display()))?;
    UnboundKey::new(&AES_256_GCM, bytes.as_ref())
        .map(LessSafeKey::new)
        .map_err(|_| anyhow::anyhow!("the key {} is no key", path.display()))
}

#[cfg(test)]
mod tests;
