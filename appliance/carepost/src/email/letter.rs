//! An e-mail as it goes: one sender, one recipient, plain text (RFC 5322, MIME).

use std::time::SystemTime;

use ::reception::Written;
use jiff::Timestamp;
use lettre::Message;
use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use prm::conversation::Address;
use prm::id::MessageId;

use super::server::Settings;

/// The longest subject, in letters.
const SUBJECT_LETTERS_MAX: usize = 120;

/// An e-mail, ready to be sent.
pub(crate) struct Letter {
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
}

/// That nobody is to answer by a program: `Auto-Submitted` (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted(String);

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

impl Letter {
    /// The e-mail of a message; none if that is not to one e-mail address.
    pub(super) fn new(
        settings: &Settings,
        (message, to): (MessageId, &Address),
        clinic: &str,
        Written { subject, text }: Written,
        now: Timestamp,
    ) -> Option<Self> {
        let to = match to {
            Address::Email(to) => to.parse::<lettre::Address>().ok()?,
            Address::Phone(_) | Address::Whatsapp(_) => return None,
        };
        let mut from = settings.from.clone();
        from.name = from.name.or_else(|| Some(one_line(clinic)));
        // The same at each try.
        let id = format!("<{message}@{}>", from.email.domain());
        let written = Message::builder()
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(one_line(&subject))
            .date(SystemTime::from(now))
            .message_id(Some(id))
            .header(AutoSubmitted("auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .ok()?;
        Some(Self { envelope: written.envelope().clone(), bytes: written.formatted() })
    }
}

/// One line, as a header takes it.
fn one_line(text: &str) -> String {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(SUBJECT_LETTERS_MAX).collect()
}
