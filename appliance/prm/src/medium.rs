//! By what a message comes or goes.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// By what a message comes or goes (FHIR Communication.medium).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// WhatsApp, by whichever provider.
    Whatsapp,
    /// A short message of the telephone network.
    Sms,
    /// A telephone call that the box itself answers or makes.
    Voice,
    /// A telephone call that a voice agent answered elsewhere.
    VoiceAgent,
    /// E-mail.
    Email,
}

impl Medium {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Whatsapp, Self::Sms, Self::Voice, Self::VoiceAgent, Self::Email];

    /// The word for it, in the records and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whatsapp => "whatsapp",
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::VoiceAgent => "voice-agent",
            Self::Email => "email",
        }
    }

    /// The medium of that word.
    pub fn parse(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|medium| medium.as_str() == word).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|medium| medium.as_str()).collect();
            Error::invalid("medium", format!("the medium is one of {}", words.join(", ")))
        })
    }
}
