//! Where somebody is reached, and the ways to bring a message there.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::contact::{self, Phone};
use crate::error::{Error, Result};
use crate::medium::Medium;

/// The longest id of a user of WhatsApp, in bytes.
pub const USER_BYTES_MAX: usize = 128;

/// Where somebody is reached.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Address {
    /// A telephone number: for calls, short messages and WhatsApp.
    Phone(Phone),
    /// A user of WhatsApp who does not show a number, by the id that the clinic's account knows them by.
    Whatsapp(String),
    /// An e-mail address.
    Email(String),
}

impl fmt::Debug for Address {
    /// An address is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({} …)", self.family())
    }
}

impl Address {
    /// The address of a user of WhatsApp.
    ///
    /// # Errors
    /// If that is no id.
    pub fn whatsapp(user: &str) -> Result<Self> {
        if user.is_empty()
            || user.len() > USER_BYTES_MAX
            || !user.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let what = format!("the id of a user has 1 to {USER_BYTES_MAX} letters without spaces");
            return Err(Error::invalid("user", what));
        }
        Ok(Self::Whatsapp(user.to_owned()))
    }

    /// An e-mail address; capital and small letters are the same.
    ///
    /// # Errors
    /// If it is none.
    pub fn email(text: &str) -> Result<Self> {
        let email = contact::email(Some(text.to_lowercase()))?;
        email.map(Self::Email).ok_or_else(|| Error::invalid("email", "say the e-mail address"))
    }

    /// The word for what kind of address it is.
    pub fn family(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Whatsapp(_) => "whatsapp",
            Self::Email(_) => "email",
        }
    }

    /// The address itself.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Whatsapp(user) => user,
            Self::Email(email) => email,
        }
    }

    /// Whether a medium leads there.
    pub fn is_reached_by(&self, medium: Medium) -> bool {
        match (self, medium) {
            (
                Self::Phone(_),
                Medium::Whatsapp | Medium::Sms | Medium::Voice | Medium::VoiceAgent,
            )
            | (Self::Whatsapp(_), Medium::Whatsapp)
            | (Self::Email(_), Medium::Email) => true,
            (Self::Phone(_), Medium::Email)
            | (
                Self::Whatsapp(_),
                Medium::Sms | Medium::Voice | Medium::VoiceAgent | Medium::Email,
            )
            | (
                Self::Email(_),
                Medium::Whatsapp | Medium::Sms | Medium::Voice | Medium::VoiceAgent,
            ) => false,
        }
    }

    /// An address that was stored.
    pub(crate) fn stored(family: &str, address: String) -> Result<Self> {
        match family {
            "phone" => Ok(Self::Phone(Phone::stored(address))),
            "whatsapp" => Ok(Self::Whatsapp(address)),
            "email" => Ok(Self::Email(address)),
            _ => Err(Error::Storage("a stored address is damaged".into())),
        }
    }
}

/// One way to bring a message to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// By what.
    pub medium: Medium,
    /// To where.
    pub address: Address,
}
