//! What is said to people, whoever carries it; as JSON, it goes from box to hub.

use std::fmt;

use prm::contact::Phone;
use prm::content::Content;
use prm::id::MessageId;
use prm::medium::Medium;
use serde::{Deserialize, Serialize};

use crate::away::{Facts, Stood};
use crate::heard::wire;
use crate::heard::{NotKnown, Part};

/// What the box hands to the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Up {
    /// A message to somebody.
    Say(Say),
    /// Some of a picture or sound that a message holds. The parts go before their message; their reference is its id.
    Part(Part),
    /// What the hub may say while the box is away.
    Facts(Box<Facts>),
    /// The box is through with a message that it was given to answer.
    Stood(Stood),
}

/// A message to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Say {
    /// Its id, the same whoever carries it.
    pub message: MessageId,
    /// By what it goes.
    pub medium: Medium,
    /// To whom.
    pub to: Address,
    /// What it says.
    pub content: Content,
    /// Not after this, in milliseconds since 1970 UTC: then it would be stale.
    #[serde(default)]
    pub not_after_ms: Option<i64>,
}

/// Where somebody is reached.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Address {
    /// By this number.
    Phone(Phone),
    /// By the id that somebody has for this clinic alone, where the number is hidden.
    User(String),
}

impl Up {
    /// As it goes into an item of the relay.
    pub fn write(&self) -> Vec<u8> {
        wire::write(self)
    }

    /// What was written there.
    ///
    /// # Errors
    /// If it is something of a later version.
    pub fn read(bytes: &[u8]) -> Result<Self, NotKnown> {
        serde_json::from_slice(bytes).map_err(|_| NotKnown)
    }
}

impl fmt::Debug for Address {
    /// Where somebody is reached is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Phone(_) => "Phone(…)",
            Self::User(_) => "User(…)",
        })
    }
}
