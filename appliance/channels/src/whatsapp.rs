//! WhatsApp, by whichever company carries it for the clinic.
//!
//! Each module checks who sent a webhook, reads what it tells, writes what is to be said as a request, and reads
//! what is answered to it. Sending, storing and trying again are the program's.

mod fetch;
pub mod meta;
mod text;
pub mod twilio;

use jiff::Timestamp;
use prm::contact::Phone;

use crate::heard::Down;
pub use crate::signature::Forged;
pub use fetch::{Fetch, NotFound};

/// As many things one webhook may tell; more are no webhook of theirs.
pub const TOLD_MAX: usize = 1_000;

/// Something that a webhook tells, and of which account: that says of which clinic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The account as the webhook names it: Meta's id of the clinic's number; Twilio's account, and `/`, and the
    /// clinic's number.
    pub account: String,
    /// What: heard or a delivery.
    pub what: Down,
}

/// A webhook whose signature is right and that cannot be read. It is of no use to send it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// What is to be put into a message that the message itself does not hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct With<'a> {
    /// Where the picture or sound of the message was put.
    pub media: Option<Place<'a>>,
    /// The name by which whoever carries it knows the template of the message, if it is not its own.
    pub template: Option<&'a str>,
    /// Where it is to be told how the message fares, if the account does not say it.
    pub told_at: Option<&'a str>,
}

/// Where a picture or sound is.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// At this address, which has to be open to whoever carries the message.
    Link(&'a str),
    /// With whoever carries the message, by this id.
    Id(&'a str),
}

/// A request to whoever carries the message: `POST`, always.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The path at the account's address.
    pub path: String,
    /// `authorization` and `content-type`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Request {
    /// It holds the account's secret and what people say.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({} bytes)", self.body.len())
    }
}

/// A message that this way cannot carry. It is no use to try it again here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotWritable(pub &'static str);

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on its way, and known by this id.
    Accepted(String),
    /// Not now: try again, at the earliest after so many seconds if that was said.
    Later {
        /// Why, as a code of whoever carries it, or of HTTP.
        code: String,
        /// The pause that was asked for.
        after_seconds: Option<u64>,
    },
    /// The account is not let in, or may not do this: nothing goes until a person mends it.
    Locked {
        /// Why.
        code: String,
    },
    /// Never: the same message to the same address will be refused again.
    Refused {
        /// Why.
        code: String,
    },
}

/// A number as `+` and digits, or as the digits alone.
fn phone(digits: &str) -> Option<Phone> {
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    // The country says nothing where a number has its code.
    if is_number { Phone::parse(&format!("+{digits}"), "IN").ok() } else { None }
}

/// A time in whole seconds since 1970 UTC, as text; `otherwise` if it is none.
fn time(seconds: &str, otherwise: Timestamp) -> Timestamp {
    let read = seconds.parse().ok().and_then(|it| Timestamp::from_second(it).ok());
    read.unwrap_or(otherwise)
}
