//! The accounts of the clinic at providers whose webhooks this box takes itself: a voice agent, WhatsApp by Twilio or by
//! Meta's Cloud API. They lie in `keys/channels.json`, and are read anew for each webhook: what the command line changes
//! is in force at once.
//!
//! A box behind a hub needs none of them. With the key of the voice agent it checks again what its hub hands on.
//!
//! Invariant: the file is for its owner alone (0600), and is replaced whole or not at all.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use channels::account::{Secret, before};
use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The file, in the folder of the keys.
pub const FILE: &str = "channels.json";
/// As many accounts may a clinic have.
pub const ACCOUNTS_MAX: usize = 8;
/// A longer file is none of these, in bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Whose format an account speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carrier {
    /// WhatsApp or short messages by Twilio.
    Twilio,
    /// WhatsApp by Meta's Cloud API.
    Meta,
    /// A voice agent that signs as Standard Webhooks say.
    VoiceAgent,
}

impl Carrier {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Meta => "meta",
            Self::VoiceAgent => "voice-agent",
        }
    }
}

/// An account at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id on this box.
    pub id: Uuid,
    /// Whose format it speaks.
    pub carrier: Carrier,
    /// What its requests call it: of Twilio as [`channels::whatsapp::twilio::account_of`] writes it, of Meta the id of
    /// the number, of a voice agent nothing.
    pub called: String,
    /// What signs its requests, the newest first. Each is of Twilio the auth token and, if one signs, the secret of the
    /// shared key; of Meta the app secret and the verify token; of a voice agent its key.
    pub secrets: Vec<Vec<Secret>>,
    /// When it was added.
    pub added_at: Timestamp,
}

impl Account {
    /// The secret at this place of each set.
    fn nth(&self, place: usize) -> impl Iterator<Item = &str> {
        self.secrets.iter().filter_map(move |it| it.get(place)).map(Secret::as_str)
    }

    /// The keys of a voice agent.
    pub fn agent_keys(&self) -> impl Iterator<Item = &str> {
        self.nth(0)
    }

    /// Of Twilio: auth tokens, each with the secret of the shared key, if one signs.
    pub fn twilio_keys(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.secrets.iter().filter_map(|set| {
            set.first().map(|token| (token.as_str(), set.get(1).map(Secret::as_str)))
        })
    }

    /// Of Meta: the number, each time with a secret of its app.
    pub fn meta_keys(&self) -> impl Iterator<Item = (&str, &str)> {
        self.nth(0).map(|secret| (self.called.as_str(), secret))
    }

    /// Of Meta: what it shows when the address of the webhook is set up.
    pub fn verify_tokens(&self) -> impl Iterator<Item = &str> {
        self.nth(1)
    }
}

/// The accounts of a carrier.
pub fn of_carrier(accounts: &[Account], carrier: Carrier) -> impl Iterator<Item = &Account> {
    accounts.iter().filter(move |it| it.carrier == carrier)
}

/// The accounts, the oldest first. `keys` is the folder of the keys.
///
/// # Errors
/// If the file cannot be read or is damaged.
pub fn load(keys: &Path) -> anyhow::Result<Vec<Account>> {
    let path = keys.join(FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    let mut text = Zeroizing::new(String::new());
    let read = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
    read.with_context(|| format!("{} cannot be read", path.display()))?;
    let damaged = || {
        let path = path.display();
        anyhow::anyhow!(
            "{path} is damaged; remove it, and add the channels again (`carepost channel add`)"
        )
    };
    serde_json::from_str(&text).map_err(|_| damaged())
}

/// Adds an account. If the box has it, these secrets become its newest, and those before stay good until [`settle`].
///
/// # Errors
/// If there are enough, or the file cannot be written.
pub fn add(
    keys: &Path,
    (carrier, called): (Carrier, String),
    secrets: Vec<Secret>,
    now: Timestamp,
) -> anyhow::Result<Account> {
    change(keys, |accounts| {
        let known = accounts.iter_mut().find(|it| it.carrier == carrier && it.called == called);
        if let Some(account) = known {
            account.secrets = before(vec![secrets], &account.secrets);
            return Ok(account.clone());
        }
        if accounts.len() >= ACCOUNTS_MAX {
            bail!(
                "a box has at most {ACCOUNTS_MAX} channels; take one away first (`carepost channel remove`)"
            );
        }
        let (id, secrets) = (Uuid::new_v4(), vec![secrets]);
        let account = Account { id, carrier, called, secrets, added_at: now };
        accounts.push(account.clone());
        Ok(account)
    })
}

/// Ends all secrets of an account but the newest.
///
/// # Errors
/// If there is no such account, or the file cannot be written.
pub fn settle(keys: &Path, id: Uuid) -> anyhow::Result<()> {
    change(keys, |accounts| {
        let account = accounts.iter_mut().find(|it| it.id == id).ok_or_else(not_there)?;
        account.secrets.truncate(1);
        Ok(())
    })
}

/// Takes an account away.
///
/// # Errors
/// If there is no such account, or the file cannot be written.
pub fn remove(keys: &Path, id: Uuid) -> anyhow::Result<()> {
    change(keys, |accounts| {
        let at = accounts.iter().position(|it| it.id == id).ok_or_else(not_there)?;
        accounts.remove(at);
        Ok(())
    })
}

fn not_there() -> anyhow::Error {
    anyhow::anyhow!("there is no channel of this id; see `carepost channel list`")
}

/// Changes the file, one at a time.
fn change<T>(
    keys: &Path,
    edit: impl FnOnce(&mut Vec<Account>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let folder = File::open(keys)
        .with_context(|| format!("there is no box here: {} is missing", keys.display()))?;
    flock(&folder, FlockOperation::LockExclusive)?;
    let mut accounts = load(keys)?;
    let done = edit(&mut accounts)?;
    let text = Zeroizing::new(serde_json::to_vec(&accounts)?);
    let path = keys.join(FILE);
    let write = || -> io::Result<()> {
        // Such files are for their owner alone from the moment they are made.
        let mut file = tempfile::NamedTempFile::new_in(keys)?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        folder.sync_all()
    };
    write().with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T10:00:00+05:30".parse().unwrap()
    }

    #[test]
    fn two_secrets_are_good_at_once_until_it_is_settled_and_nobody_else_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path();
        let add = |secret: &str| {
            let name = (Carrier::VoiceAgent, String::new());
            add(keys, name, vec![Secret::new(secret)], now()).unwrap()
        };
        let first = add("first-secret");
        assert_eq!(add("second-secret").id, first.id);
        add("third-secret");
        let good = |keys: &Path| {
            let all = load(keys).unwrap();
            all.iter().flat_map(Account::agent_keys).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(good(keys), ["third-secret", "second-secret"]);
        let mode = std::fs::metadata(keys.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        settle(keys, first.id).unwrap();
        assert_eq!(good(keys), ["third-secret"]);
        remove(keys, first.id).unwrap();
        assert!(load(keys).unwrap().is_empty() && remove(keys, first.id).is_err());
        assert!(!format!("{first:?}").contains("first-secret"));
    }
}
