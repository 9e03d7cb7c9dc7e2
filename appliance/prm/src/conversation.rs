//! Conversations: what is spoken with one person, by whichever medium.
//!
//! A conversation is found by the address that a message comes from. Who the person is stays open until
//! somebody, or what they told, makes sure: a telephone number is a family's, and a caller can lie.
//!
//! Invariant: an address is in one conversation.
//! Invariant: while the desk holds a conversation, reception does not answer in it.

mod address;
mod join;
mod row;
mod step;

use std::fmt;

use jiff::Timestamp;

pub use self::address::{Address, USER_BYTES_MAX, Way};
pub use self::join::identify;
pub use self::row::{THREADS_MAX, addresses, at_address, get, known_by, people, threads, unread};
pub(crate) use self::row::{followed, heard, open_by, said, waits_for_a_person};
pub(crate) use self::step::noted;
pub use self::step::{assign, give_back, hand_over, of_patient, read, speak, take_over};
use crate::error::{Error, Result};
use crate::id::{ConversationId, PatientId, StaffId};

/// Addresses that one conversation has at the most.
pub const ADDRESSES_MAX: u32 = 20;
/// The longest reason for which reception hands over, in letters.
pub const WHY_LETTERS_MAX: usize = 200;

/// Who answers in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The box itself.
    Reception,
    /// People.
    Desk,
}

impl Holder {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reception => "reception",
            Self::Desk => "desk",
        }
    }

    /// The holder of that word.
    pub fn parse(word: &str) -> Result<Self> {
        [Self::Reception, Self::Desk]
            .into_iter()
            .find(|holder| holder.as_str() == word)
            .ok_or_else(|| Error::invalid("held_by", "use one of reception, desk"))
    }
}

/// What is spoken with one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The id.
    pub id: ConversationId,
    /// Grows with each step; not with each message.
    pub version: i64,
    /// Who it is, once somebody has made sure.
    pub patient: Option<PatientId>,
    /// The name of who it is.
    pub patient_name: Option<String>,
    /// What they call themselves where they write.
    pub name: Option<String>,
    /// Who answers.
    pub held_by: Holder,
    /// Why the desk does, by reception's word.
    pub why: Option<String>,
    /// Who of the staff has it.
    pub assignee: Option<StaffId>,
    /// The name of who has it.
    pub assignee_name: Option<String>,
    /// The language that is spoken (a BCP 47 tag).
    pub language: Option<String>,
    /// Messages that wait for a person.
    pub unread: i64,
    /// When it began.
    pub opened_at: Timestamp,
    /// When the person last said something.
    pub last_heard_at: Option<Timestamp>,
    /// When the clinic last said something.
    pub last_said_at: Option<Timestamp>,
    /// When anything last happened: by this conversations are sorted.
    pub last_at: Timestamp,
}

impl fmt::Debug for Conversation {
    /// Everything else is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Conversation({} version {})", self.id, self.version)
    }
}

/// Which conversations.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only those of this patient.
    pub patient: Option<PatientId>,
    /// Only those that this holder has.
    pub held_by: Option<Holder>,
    /// Only those that this member of staff has.
    pub assignee: Option<StaffId>,
    /// Only those that the desk has and nobody of the staff.
    pub unassigned: bool,
    /// Only those in which something waits for a person.
    pub unread: bool,
}

#[cfg(test)]
mod tests;
