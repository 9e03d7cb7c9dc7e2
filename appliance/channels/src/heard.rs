//! What came from people or was said of messages to them, whoever carried it; as JSON, it goes from hub to box.
//!
//! Ends of different age understand each other: a field that is not known is passed over, and what is said
//! in a way that is not known is [`Said::Unsupported`].

use std::fmt;

use jiff::Timestamp;
use prm::contact::Phone;
use prm::id::MessageId;
use prm::medium::Medium;
use serde::{Deserialize, Serialize};

use crate::away::Answered;

/// The longest picture, voice note or document that goes between hub and box, in bytes: as long as WhatsApp takes sound.
pub const MEDIA_BYTES_MAX: usize = prm::media::WHOLE_BYTES_MAX as usize;
/// It goes in parts that are this long, in bytes; the last one is shorter.
pub const PART_BYTES_MAX: usize = prm::media::PART_BYTES_MAX as usize;

/// What the hub hands to the box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Down {
    /// Somebody said something.
    Heard(Heard),
    /// How a message to somebody fares.
    Delivery(Delivery),
    /// A webhook of the voice agent as it came: the box checks its signature again.
    Webhook(Webhook),
    /// Some of a picture or sound that was heard of before.
    Part(Part),
    /// Somebody said something, and the hub answered it in the box's place.
    Answered(Box<Answered>),
}

/// Somebody said something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The id by which whoever carried it knows it.
    pub id: String,
    /// By what it came.
    pub medium: Medium,
    /// Who said it.
    pub from: Sender,
    /// The clinic's number, as whoever carried it names it.
    pub to: String,
    /// When, by the clock of whoever carried it.
    pub said_at: Timestamp,
    /// What.
    pub said: Said,
    /// The id of the message that it answers, if it says so.
    #[serde(default)]
    pub answers: Option<String>,
    /// Whether the box asks before it answers, because the hub might.
    #[serde(default)]
    pub asks: bool,
}

/// By what somebody is known to whoever carries messages. At least one of phone and user is there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The telephone number. On WhatsApp it may be hidden.
    #[serde(default)]
    pub phone: Option<Phone>,
    /// The id of the person for this clinic alone, where there is one (Meta's business-scoped user id).
    #[serde(default)]
    pub user: Option<String>,
    /// What the person calls herself; not to be relied on.
    #[serde(default)]
    pub name: Option<String>,
}

/// What somebody said.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "wire::Said", into = "wire::Said")]
pub enum Said {
    /// Words.
    Text(String),
    /// One of the choices that were offered.
    Chosen {
        /// Its id.
        id: String,
        /// What stood on it.
        title: String,
    },
    /// A picture, a voice note, a document. What it holds follows in parts.
    Media {
        /// By what whoever carried it lets it be fetched: an id or an address.
        reference: String,
        /// Its media type, as the sender says it.
        media_type: String,
        /// Its file name, if there is one.
        name: Option<String>,
        /// What was written beside it.
        caption: Option<String>,
        /// How long it is, if that was said.
        bytes: Option<u64>,
    },
    /// A place.
    Location {
        /// In decimal degrees, as it was written.
        latitude: String,
        /// In decimal degrees, as it was written.
        longitude: String,
        /// What it is called.
        name: Option<String>,
    },
    /// What is not known here, by the word of whoever carried it, such as `sticker`.
    Unsupported {
        /// The word.
        kind: String,
    },
}

/// How a message to somebody fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Which message, if whoever tells it knows.
    #[serde(default)]
    pub message: Option<MessageId>,
    /// By what it went.
    pub medium: Medium,
    /// The id by which whoever carries it knows it; empty if it was refused before it had one.
    pub provider_id: String,
    /// How far it is.
    pub state: DeliveryState,
    /// Since when, by the clock of whoever carries it.
    pub at: Timestamp,
}

/// How far a message is. It only moves forward, but what tells it may come in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It is on its way.
    Sent,
    /// It is on the person's device.
    Delivered,
    /// The person has seen it.
    Read,
    /// It will not arrive.
    Failed {
        /// Why, as a code of whoever carries it.
        code: String,
        /// The same message to the same address will fail again.
        permanent: bool,
    },
}

/// A webhook of the voice agent as it came, with what signs it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`, in seconds since 1970 UTC, as it was written.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    /// The body, byte for byte.
    #[serde(with = "wire::bytes")]
    pub body: Vec<u8>,
    /// When it came in, in milliseconds since 1970 UTC.
    pub received_at_ms: i64,
}

/// Some of a picture or sound.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Of which: a [`Said::Media`]'s reference on the way down, the id of the message on the way up.
    pub reference: String,
    /// What it is, as the bytes or whoever carried it say it; or the word of a [`Missing`].
    pub media_type: String,
    /// Where this part begins.
    pub at: u64,
    /// How long all of it is: at most [`MEDIA_BYTES_MAX`]; 0 says that nothing of it comes.
    pub whole: u64,
    /// At most [`PART_BYTES_MAX`].
    #[serde(with = "wire::bytes")]
    pub bytes: Vec<u8>,
}

/// What a voice agent says of a call.
#[derive(Clone, PartialEq, Eq)]
pub struct CallReport {
    /// Its id of the call.
    pub call_id: String,
    /// Who called, if the number was shown.
    pub patient_phone: Option<Phone>,
    /// Where the recording may be fetched, as it was written. Nothing is fetched before the address was checked.
    pub recording_url: Option<String>,
    /// What was said: words of a stranger.
    pub transcript: String,
    /// What the voice agent took the caller to want, as it was written.
    pub intent: Option<String>,
    /// All that it took out of the call, the intent included, as JSON.
    pub extracted: String,
    /// How long the call was.
    pub duration_seconds: u32,
    /// Fields that are not known here, as JSON.
    pub others: String,
}

/// Not what a hub says to a box, or of a later version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the hub says is not known here; update this program")]
pub struct NotKnown;

impl Down {
    /// As it goes into an item of the relay.
    pub fn write(&self) -> Vec<u8> {
        wire::write(self)
    }

    /// What was written there.
    ///
    /// # Errors
    /// If it is something of a later version. The box takes the item all the same, and keeps it as it is.
    pub fn read(bytes: &[u8]) -> Result<Self, NotKnown> {
        serde_json::from_slice(bytes).map_err(|_| NotKnown)
    }
}

impl Part {
    /// The parts of a whole, in order; none if it is empty or longer than [`MEDIA_BYTES_MAX`].
    pub fn of(reference: &str, media_type: &str, whole: &[u8]) -> Vec<Self> {
        if whole.len() > MEDIA_BYTES_MAX {
            return Vec::new();
        }
        let part = |(number, bytes): (usize, &[u8])| Self {
            reference: reference.to_owned(),
            media_type: media_type.to_owned(),
            at: (number * PART_BYTES_MAX) as u64,
            whole: whole.len() as u64,
            bytes: bytes.to_vec(),
        };
        whole.chunks(PART_BYTES_MAX).enumerate().map(part).collect()
    }
}

impl fmt::Debug for Sender {
    /// Who somebody is is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender(…)")
    }
}

impl fmt::Debug for Said {
    /// What people say is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Chosen { .. } => "Chosen",
            Self::Media { .. } => "Media",
            Self::Location { .. } => "Location",
            Self::Unsupported { .. } => "Unsupported",
        })
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({} bytes)", self.body.len())
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({} bytes at {} of {})", self.bytes.len(), self.at, self.whole)
    }
}

impl fmt::Debug for CallReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallReport(…)")
    }
}

mod missing;
pub(crate) mod wire;

pub use missing::Missing;
