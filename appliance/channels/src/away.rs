//! What box and hub tell each other so that the hub can answer while the box is away, and the box goes on where the hub
//! stopped; as JSON in items of the relay.
//!
//! ```text
//!   box ── Facts ─────► hub    what it may say in the clinic's name; without them it says nothing
//!       ── Stood ─────►        the box is through with a message, and how its dialogue stands
//!       ◄── Answered ──        the hub is through with a message: what was heard, said, and is left to do
//! ```
//!
//! A dialogue is reception's own, and opaque here. What a later version adds and this one does not know is passed over.

use std::collections::BTreeMap;
use std::fmt;

use prm::content::Content;
use prm::id::{AppointmentId, HealthcareServiceId, MessageId, PractitionerId};
use prm::medium::Medium;
use serde::{Deserialize, Serialize};

use crate::heard::Heard;

/// The longest facts, in bytes as JSON: frequent questions beyond it are not told.
pub const FACTS_BYTES_MAX: usize = 512 << 10;

/// What a clinic lets its hub say in its name. None of it is of a patient.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Whether it may say anything at all: if not, messages wait for the box.
    pub answers: bool,
    /// When the box wrote this, by its clock, in milliseconds since 1970 UTC: newer ones replace it.
    pub at_ms: i64,
    /// The clinic's name, as patients know it.
    pub name: String,
    /// Its telephone number, as people read it.
    pub phone: Option<String>,
    /// Its country (ISO 3166-1).
    pub country: String,
    /// Its IANA time zone.
    pub timezone: String,
    /// The languages it answers in (BCP 47), its usual one first.
    pub languages: Vec<String>,
    /// The numbers to call in an emergency.
    pub emergency: Vec<String>,
    /// Its own sentences: by language, then by the id of the sentence, as Fluent patterns.
    pub wording: BTreeMap<String, BTreeMap<String, String>>,
    /// Those whom patients may book.
    pub practitioners: Vec<Practitioner>,
    /// What may be booked.
    pub services: Vec<Service>,
    /// What is often asked, as many as fit into [`FACTS_BYTES_MAX`].
    pub faqs: Vec<Faq>,
}

/// Somebody whom patients come to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Practitioner {
    /// The id.
    pub id: PractitionerId,
    /// The name with its title.
    pub name: String,
    /// Specialities, the main one first.
    pub specialties: Vec<String>,
}

/// Something that the clinic does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The id.
    pub id: HealthcareServiceId,
    /// What it is called.
    pub name: String,
    /// Who does it; empty means everybody.
    pub practitioners: Vec<PractitionerId>,
    /// How long somebody is needed for it, in minutes.
    pub minutes: i64,
    /// Whether it needs a room or equipment for itself: who has that when, only the box knows.
    pub needs_location: bool,
}

/// Something that is often asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faq {
    /// The language of the answer (BCP 47).
    pub language: String,
    /// The question in several wordings.
    pub questions: Vec<String>,
    /// What is answered.
    pub answer: String,
}

/// The box is through with a message that it was given.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// By what the message came.
    pub medium: Medium,
    /// The id by which whoever carried it knows it.
    pub id: String,
    /// How the dialogue stands after it, as reception writes it; none if it is not kept.
    #[serde(default)]
    pub dialogue: Option<String>,
    /// Whether people have the conversation: then reception is silent.
    #[serde(default)]
    pub desk: bool,
}

/// The hub is through with a message, in the box's place.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// What was heard.
    pub heard: Heard,
    /// When it was answered, by the hub's clock, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What was said, in order. It is on its way, or has arrived.
    pub said: Vec<SaidAway>,
    /// What was understood, if anything.
    #[serde(default)]
    pub understood: Option<Understood>,
    /// In which language it was answered (BCP 47).
    #[serde(default)]
    pub language: Option<String>,
    /// Whether a person is to look at it.
    pub for_a_person: bool,
    /// What is left to be done, or was done.
    #[serde(default)]
    pub deeds: Vec<Deed>,
}

/// Something that the hub said in the box's place.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidAway {
    /// Its id.
    pub message: MessageId,
    /// What it says.
    pub content: Content,
    /// Whether it went as the picture of the code that it says.
    #[serde(default)]
    pub drawn: bool,
}

/// What was understood and why, as reception notes it for the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Understood {
    /// What was wanted, by its word.
    #[serde(default)]
    pub intent: Option<String>,
    /// What is spoken of after it, by its word.
    #[serde(default)]
    pub flow: Option<String>,
    /// Why the answer is what it is, as a stable word.
    pub why: String,
}

/// What is left for the box to do, or was done for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Deed {
    /// Nothing more is to be sent that was not asked for.
    Stop,
    /// That is taken back.
    Allow,
    /// The desk is to do something, for this reason by reception's word.
    Ticket {
        /// The word.
        why: String,
    },
    /// A time that the box has lent was sold; the sale is told by itself.
    Sold {
        /// As which appointment.
        appointment: AppointmentId,
    },
    /// Something of a later version.
    #[serde(other)]
    NotKnown,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Facts(at {})", self.at_ms)
    }
}

impl fmt::Debug for Stood {
    /// What was spoken is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stood({})", self.medium.as_str())
    }
}

impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answered(with {} messages)", self.said.len())
    }
}

impl fmt::Debug for SaidAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SaidAway({})", self.message)
    }
}
