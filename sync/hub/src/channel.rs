//! The accounts of clinics at providers: WhatsApp by Twilio or by Meta's Cloud API, and a voice agent.
//!
//! A request of a provider names the account it is about, and many clinics share one address. So what names
//! an account is kept as a hash, by which it is found whichever clinic it is of; nothing is believed before
//! the account's own secret has verified it. Secrets may be two at a time, so that a provider can be given
//! a new one while requests under the one before still come.
//!
//! Invariant: names and secrets lie encrypted under the clinic's key, and are in no log and no error.

use channels::account::before;
pub use channels::account::{SECRETS_MAX, Secret, WHATSAPP};
use channels::whatsapp::{meta, twilio};
use prm::medium::Medium;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::hub::{Hub, ReadError};
use crate::store::{self, ChannelName, ChannelRow, Clinic, StoreError, Tx};
use crate::vault::WrongKey;

/// As many accounts may a clinic have.
pub const CHANNELS_MAX: usize = 8;
/// As many accounts are looked at that share a name.
pub const SHARED_MAX: u32 = 256;
/// What Meta's Cloud API is asked and answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetaSecrets {
    /// The bearer token with which messages are sent.
    pub access_token: Secret,
    /// Signs what Meta sends.
    pub app_secret: Secret,
    /// Meta shows it when the address of the webhook is set up.
    pub verify_token: Secret,
}

/// What Twilio is asked and answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwilioSecrets {
    /// The auth token of the account.
    pub auth_token: Secret,
    /// The secret of the shared key that signs, if one does.
    pub shared_key: Option<Secret>,
}

/// An account at a provider. Secrets are at most [`SECRETS_MAX`], the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "carrier", rename_all = "kebab-case")]
pub enum Account {
    /// WhatsApp or short messages by Twilio.
    Twilio {
        /// `AC` and 32 hexadecimal digits.
        account_sid: String,
        /// The clinic's number there (E.164); after `whatsapp:` if that is what it is for.
        number: String,
        /// Where the API is, without a path; Twilio's own if none.
        api_url: Option<String>,
        /// The auth tokens.
        secrets: Vec<TwilioSecrets>,
    },
    /// WhatsApp by Meta's Cloud API.
    Meta {
        /// What Meta calls the clinic's number, in digits.
        phone_number_id: String,
        /// Where the API is, without a path; Meta's own if none.
        api_url: Option<String>,
        /// The tokens and the secret of the app.
        secrets: Vec<MetaSecrets>,
    },
    /// A voice agent that signs as Standard Webhooks say.
    VoiceAgent {
        /// `whsec_` and a shared key, or `whpk_` and the agent's public key.
        secrets: Vec<Secret>,
    },
}

/// An account as its provider's format has it.
pub enum Speaks<'a> {
    /// Twilio's.
    Twilio(twilio::Account<'a>),
    /// Meta's.
    Meta(meta::Account<'a>),
}

/// What a request of a provider names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// A number of an account of Twilio.
    Twilio {
        /// As [`twilio::account_of`] writes it.
        account: &'a str,
    },
    /// A number of Meta's.
    Meta {
        /// As Meta calls it.
        phone_number_id: &'a str,
    },
    /// What is shown when the address is set up; clinics with one app share it.
    MetaVerify {
        /// The token.
        verify_token: &'a str,
    },
    /// The voice agent of a clinic.
    VoiceAgent {
        /// The clinic.
        clinic: [u8; 16],
    },
    /// Any voice agent: for a hub where there is only one.
    AnyVoiceAgent,
}

impl Name<'_> {
    /// As it is looked for.
    pub fn hash(&self) -> [u8; 32] {
        let text = Zeroizing::new(match self {
            Self::Twilio { account } => format!("twilio/{account}"),
            Self::Meta { phone_number_id } => format!("meta/{phone_number_id}"),
            Self::MetaVerify { verify_token } => format!("meta-verify/{verify_token}"),
            Self::VoiceAgent { clinic } => format!("voice-agent/{}", Uuid::from_bytes(*clinic)),
            Self::AnyVoiceAgent => "voice-agent".to_owned(),
        });
        let hashed = digest(&SHA256, text.as_bytes());
        let hashed = hashed.as_ref().first_chunk();
        *hashed.expect("invariant: a SHA-256 has 32 bytes")
    }

    /// Whether it names one account only.
    fn is_alone(&self) -> bool {
        match self {
            Self::Twilio { .. } | Self::Meta { .. } | Self::VoiceAgent { .. } => true,
            Self::MetaVerify { .. } | Self::AnyVoiceAgent => false,
        }
    }
}

impl Account {
    /// Whose format it speaks.
    pub fn carrier(&self) -> &'static str {
        match self {
            Self::Twilio { .. } => "twilio",
            Self::Meta { .. } => "meta",
            Self::VoiceAgent { .. } => "voice-agent",
        }
    }

    /// What it is called at the provider, for whoever runs the hub; none of it is secret.
    pub fn called(&self) -> String {
        match self {
            Self::Twilio { account_sid, number, api_url: _, secrets: _ } => {
                format!("{account_sid} {number}")
            }
            Self::Meta { phone_number_id, api_url: _, secrets: _ } => phone_number_id.clone(),
            Self::VoiceAgent { secrets: _ } => "-".to_owned(),
        }
    }

    /// How many secrets are good.
    pub fn secret_count(&self) -> usize {
        match self {
            Self::Twilio { secrets, .. } => secrets.len(),
            Self::Meta { secrets, .. } => secrets.len(),
            Self::VoiceAgent { secrets } => secrets.len(),
        }
    }

    /// The keys of a voice agent; none of another account.
    pub fn agent_keys(&self) -> impl Iterator<Item = &str> {
        let secrets = match self {
            Self::VoiceAgent { secrets } => secrets.as_slice(),
            Self::Twilio { .. } | Self::Meta { .. } => &[],
        };
        secrets.iter().map(Secret::as_str)
    }

    /// What signs requests of Twilio: auth tokens, each with the secret of the shared key, if one signs; none of
    /// another account.
    pub fn twilio_keys(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let secrets = match self {
            Self::Twilio { secrets, .. } => secrets.as_slice(),
            Self::VoiceAgent { .. } | Self::Meta { .. } => &[],
        };
        secrets
            .iter()
            .map(|it| (it.auth_token.as_str(), it.shared_key.as_ref().map(Secret::as_str)))
    }

    /// What Meta calls the number, with what signs its requests and what it shows; none of another account.
    pub fn meta_keys(&self) -> impl Iterator<Item = (&str, &MetaSecrets)> {
        let (number, secrets) = match self {
            Self::Meta { phone_number_id, secrets, .. } => {
                (phone_number_id.as_str(), secrets.as_slice())
            }
            Self::VoiceAgent { .. } | Self::Twilio { .. } => ("", [].as_slice()),
        };
        secrets.iter().map(move |it| (number, it))
    }

    /// By what its messages go; none for an agent that is only listened to.
    pub fn medium(&self) -> Option<Medium> {
        match self {
            Self::Twilio { number, .. } if number.starts_with(WHATSAPP) => Some(Medium::Whatsapp),
            Self::Twilio { .. } => Some(Medium::Sms),
            Self::Meta { .. } => Some(Medium::Whatsapp),
            Self::VoiceAgent { .. } => None,
        }
    }

    /// Where its provider is, without a path, if whoever runs the hub named another address than the provider's own.
    pub fn home(&self) -> Option<&str> {
        match self {
            Self::Twilio { api_url, .. } | Self::Meta { api_url, .. } => api_url.as_deref(),
            Self::VoiceAgent { secrets: _ } => None,
        }
    }

    /// As its provider's format has it, with the newest secret; none if it is only listened to.
    pub fn speaks(&self) -> Option<Speaks<'_>> {
        match self {
            Self::Twilio { account_sid, number, api_url: _, secrets } => {
                let secret = secrets.first()?.auth_token.as_str();
                let (user, from) = (account_sid, number);
                Some(Speaks::Twilio(twilio::Account { account_sid, user, secret, from }))
            }
            Self::Meta { phone_number_id, api_url: _, secrets } => {
                let (access_token, version) =
                    (secrets.first()?.access_token.as_str(), meta::GRAPH_VERSION);
                Some(Speaks::Meta(meta::Account { phone_number_id, access_token, version }))
            }
            Self::VoiceAgent { secrets: _ } => None,
        }
    }

    /// The same account with a new secret before those that it has; the oldest ends if there are more than
    /// [`SECRETS_MAX`]. None if the two are not the same account.
    pub fn renewed(&self, anew: Self) -> Option<Self> {
        match (self, anew) {
            (
                Self::Twilio { account_sid, number, api_url, secrets },
                Self::Twilio { account_sid: sid, number: anew, api_url: url, secrets: first },
            ) if *account_sid == sid && *number == anew => Some(Self::Twilio {
                account_sid: sid,
                number: anew,
                api_url: url.or_else(|| api_url.clone()),
                secrets: before(first, secrets),
            }),
            (
                Self::Meta { phone_number_id, api_url, secrets },
                Self::Meta { phone_number_id: anew, api_url: url, secrets: first },
            ) if *phone_number_id == anew => Some(Self::Meta {
                phone_number_id: anew,
                api_url: url.or_else(|| api_url.clone()),
                secrets: before(first, secrets),
            }),
            (Self::VoiceAgent { secrets }, Self::VoiceAgent { secrets: first }) => {
                Some(Self::VoiceAgent { secrets: before(first, secrets) })
            }
            (Self::Twilio { .. } | Self::Meta { .. } | Self::VoiceAgent { .. }, _) => None,
        }
    }

    /// The same account with its newest secret alone.
    pub fn settled(mut self) -> Self {
        match &mut self {
            Self::Twilio { secrets, .. } => secrets.truncate(1),
            Self::Meta { secrets, .. } => secrets.truncate(1),
            Self::VoiceAgent { secrets } => secrets.truncate(1),
        }
        self
    }

    /// What names it.
    fn names(&self, clinic: [u8; 16]) -> Vec<ChannelName> {
        let account;
        let named = match self {
            Self::Twilio { account_sid, number, api_url: _, secrets: _ } => {
                account = twilio::account_of(account_sid, number);
                vec![Name::Twilio { account: &account }]
            }
            Self::Meta { phone_number_id, api_url: _, secrets } => {
                let shown = secrets.iter().map(|it| it.verify_token.as_str());
                let shown = shown.map(|verify_token| Name::MetaVerify { verify_token });
                [Name::Meta { phone_number_id }].into_iter().chain(shown).collect()
            }
            Self::VoiceAgent { secrets: _ } => {
                vec![Name::VoiceAgent { clinic }, Name::AnyVoiceAgent]
            }
        };
        named.iter().map(|it| (it.hash(), it.is_alone())).collect()
    }
}

/// An account, and whose it is.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its id at this hub.
    pub id: [u8; 16],
    /// The clinic.
    pub clinic: [u8; 16],
    /// What it is.
    pub account: Account,
    /// When it was added, in ms since 1970 UTC.
    pub added_at: i64,
}

/// Why an account was not written.
#[derive(Debug, thiserror::Error)]
pub enum NotAdded {
    /// Another account has this name.
    #[error(
        "this account is another clinic's at this hub; take it away there first (`carepost-hub channel remove`)"
    )]
    Taken,
    /// There are enough.
    #[error(
        "a clinic has at most {CHANNELS_MAX} channels; take one away first (`carepost-hub channel remove`)"
    )]
    Full,
    /// There is none of this id.
    #[error("the clinic has no channel of this id; see `carepost-hub channel list`")]
    NotThere,
    /// The clinic went away meanwhile.
    #[error("the clinic is not there any more")]
    Gone,
    /// The database or the keys.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<StoreError> for NotAdded {
    fn from(error: StoreError) -> Self {
        Self::Read(error.into())
    }
}

impl From<WrongKey> for NotAdded {
    fn from(error: WrongKey) -> Self {
        Self::Read(error.into())
    }
}

/// Where an account is sealed: no record is called so, because types of FHIR have letters only.
fn place(id: [u8; 16]) -> Vec<u8> {
    [&b"channel "[..], &id].concat()
}

/// Adds an account to a clinic. If the clinic has it, its secret becomes the newest, and the one before stays good
/// until [`settle`].
///
/// # Errors
/// [`NotAdded`]; then nothing was written.
pub fn add(hub: &Hub, clinic: [u8; 16], account: &Account) -> Result<Channel, NotAdded> {
    let (id, added_at) = (Uuid::new_v4().into_bytes(), hub.clock.now_ms());
    hub.store.write(clinic, |tx| {
        let of = store::clinic(tx, clinic)?.ok_or(NotAdded::Gone)?;
        let here = all_of(hub, tx, &of)?;
        let known = here.iter().find_map(|it| Some((it, it.account.renewed(account.clone())?)));
        let channel = match known {
            Some((it, account)) => Channel { account, ..it.clone() },
            None if here.len() >= CHANNELS_MAX => return Err(NotAdded::Full),
            None => Channel { id, clinic, account: account.clone(), added_at },
        };
        put(hub, tx, &of, &channel)?;
        Ok(channel)
    })
}

/// Ends all secrets of an account but the newest.
///
/// # Errors
/// [`NotAdded`].
pub fn settle(hub: &Hub, clinic: [u8; 16], id: [u8; 16]) -> Result<Channel, NotAdded> {
    hub.store.write(clinic, |tx| {
        let of = store::clinic(tx, clinic)?.ok_or(NotAdded::Gone)?;
        let here = all_of(hub, tx, &of)?.into_iter().find(|it| it.id == id);
        let here = here.ok_or(NotAdded::NotThere)?;
        let channel = Channel { account: here.account.clone().settled(), ..here };
        put(hub, tx, &of, &channel)?;
        Ok(channel)
    })
}

fn put(hub: &Hub, tx: &Tx<'_>, of: &Clinic, channel: &Channel) -> Result<(), NotAdded> {
    let Channel { id, clinic, account, added_at } = channel;
    let names = account.names(*clinic);
    for (name, _) in names.iter().filter(|(_, alone)| *alone) {
        let owners = store::channel_owners(tx, *name, SHARED_MAX)?;
        if owners.iter().any(|owner| *owner != (*clinic, *id)) {
            return Err(NotAdded::Taken);
        }
    }
    let plain = Zeroizing::new(serde_json::to_vec(account).map_err(|_| WrongKey)?);
    let body = hub.key_of(of)?.seal(&place(*id), &plain)?;
    let carrier = account.carrier().to_owned();
    let row = ChannelRow { id: *id, carrier, body, added_at: *added_at };
    Ok(store::put_channel(tx, *clinic, &row, &names)?)
}

/// The accounts of a clinic, the oldest first.
///
/// # Errors
/// [`ReadError`].
pub fn all_of(hub: &Hub, tx: &Tx<'_>, of: &Clinic) -> Result<Vec<Channel>, ReadError> {
    let rows = store::channels(tx, of.id)?;
    rows.into_iter().map(|row| opened(hub, of, row)).collect()
}

/// The accounts that are named so, of whichever clinics.
///
/// # Errors
/// [`ReadError`].
pub fn named(hub: &Hub, name: &Name<'_>) -> Result<Vec<Channel>, ReadError> {
    let hash = name.hash();
    let owners = hub.store.survey(|tx| store::channel_owners(tx, hash, SHARED_MAX))?;
    let mut found = Vec::with_capacity(owners.len());
    for (clinic, id) in owners {
        let read = hub.store.read(clinic, |tx| -> Result<_, StoreError> {
            Ok(store::clinic(tx, clinic)?.zip(store::channel(tx, clinic, id)?))
        })?;
        if let Some((of, row)) = read {
            found.push(opened(hub, &of, row)?);
        }
    }
    Ok(found)
}

fn opened(hub: &Hub, of: &Clinic, row: ChannelRow) -> Result<Channel, ReadError> {
    let ChannelRow { id, carrier: _, body, added_at } = row;
    let plain = hub.key_of(of)?.open(&place(id), &body)?;
    let account = serde_json::from_slice(&plain);
    let account = account.map_err(|_| StoreError::Damaged("an account at a provider"))?;
    Ok(Channel { id, clinic: of.id, account, added_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twilio(number: &str, token: &str) -> Account {
        Account::Twilio {
            account_sid: "AC1".to_owned(),
            number: number.to_owned(),
            api_url: None,
            secrets: vec![TwilioSecrets { auth_token: Secret::new(token), shared_key: None }],
        }
    }

    #[test]
    fn two_secrets_are_good_at_once_and_the_newest_is_first() {
        let one = twilio("+1", "one");
        let two = one.renewed(twilio("+1", "two")).unwrap();
        let three = two.renewed(twilio("+1", "three")).unwrap();
        let Account::Twilio { secrets, .. } = &three else { panic!("another account") };
        assert_eq!(
            secrets.iter().map(|it| it.auth_token.as_str()).collect::<Vec<_>>(),
            ["three", "two"]
        );
        assert_eq!(three.settled(), twilio("+1", "three"));
        assert_eq!(one.renewed(twilio("+2", "two")), None);
        assert!(!format!("{:?}", twilio("+1", "s3cret")).contains("s3cret"));
    }
}
