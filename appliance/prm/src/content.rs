//! What a message says, whichever medium carries it.
//!
//! Invariant: nothing here depends on a provider; each channel writes it as its format wants.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::MediaId;

/// The longest text of a message, in letters: as long as WhatsApp takes.
pub const TEXT_LETTERS_MAX: usize = 4_096;
/// As many things may be chosen from at once: as many rows as a list of WhatsApp has.
pub const CHOICES_MAX: usize = 10;
/// As many are shown as buttons; more are a list.
pub const BUTTONS_MAX: usize = 3;
/// The longest id of a choice, in bytes.
pub const CHOICE_ID_BYTES_MAX: usize = 200;
/// The longest title of a choice, in letters: as long as a button of WhatsApp takes.
pub const CHOICE_TITLE_LETTERS_MAX: usize = 20;

/// What a message says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Content {
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// Words, and what may be chosen. At most [`CHOICES_MAX`]; up to [`BUTTONS_MAX`] are buttons. Where a medium
    /// has neither, they are numbered from 1 in the text, in this order.
    Choices {
        /// The words.
        text: String,
        /// What the list is opened by, if it is one.
        label: Option<String>,
        /// What may be chosen.
        choices: Vec<Choice>,
    },
    /// What somebody chose.
    Chosen {
        /// The id of the choice.
        id: String,
        /// What stood on it.
        title: String,
    },
    /// Words that were approved beforehand by whoever carries them, with what is put into them.
    Template {
        /// The name by which they were approved.
        name: String,
        /// In which language (a BCP 47 tag).
        language: String,
        /// What is put in, in order.
        arguments: Vec<String>,
        /// What it comes to, for media that need no approval and for the desk.
        text: String,
    },
    /// A picture, a voice note or a document that the box keeps.
    Media {
        /// Which.
        media: MediaId,
        /// Its media type, such as `image/jpeg`.
        media_type: String,
        /// What was written beside it.
        caption: Option<String>,
    },
    /// What the box cannot show, by the word of whoever carried it, such as `sticker`.
    Unsupported {
        /// The word.
        kind: String,
    },
}

/// Something that may be chosen.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What comes back when it is chosen. At most [`CHOICE_ID_BYTES_MAX`].
    pub id: String,
    /// What stands on it. At most [`CHOICE_TITLE_LETTERS_MAX`].
    pub title: String,
    /// What stands below it, where it is a row of a list.
    pub description: Option<String>,
}

impl fmt::Debug for Content {
    /// What people say to each other is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text { .. } => "Text",
            Self::Choices { .. } => "Choices",
            Self::Chosen { .. } => "Chosen",
            Self::Template { .. } => "Template",
            Self::Media { .. } => "Media",
            Self::Unsupported { .. } => "Unsupported",
        })
    }
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Choice")
    }
}

impl Content {
    /// Words alone.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// The words as a medium without buttons shows them: choices are numbered from 1.
    pub fn plain(&self) -> String {
        match self {
            Self::Text { text } | Self::Template { name: _, language: _, arguments: _, text } => {
                text.clone()
            }
            Self::Choices { text, label: _, choices } => {
                let mut plain = text.clone();
                for (number, choice) in (1..).zip(choices) {
                    plain.push_str(&format!("\n{number}. {}", choice.title));
                    if let Some(description) = &choice.description {
                        plain.push_str(&format!(" ({description})"));
                    }
                }
                plain
            }
            Self::Chosen { id: _, title } => title.clone(),
            Self::Media { media: _, media_type: _, caption } => caption.clone().unwrap_or_default(),
            Self::Unsupported { kind: _ } => String::new(),
        }
    }
}
