//! Messages: what was heard, the inbox of what waits for reception, and the outbox of what is to be said.
//!
//! ```text
//!   heard:  hear ─► waits ─► handled
//!   said:   say ─► waits ─► try by the first way ─► handed ─► sent ─► delivered ─► read
//!                    │            └─ failed, or nothing heard of it ─► try by the next way ─► … ─► failed: a ticket
//!                    └─ dropped: withdrawn, replaced, not wanted, too late: a ticket, if nobody saw it
//! ```
//!
//! Invariant: what comes twice is heard once.
//! Invariant: states move forward only, in whatever order they are told.
//! Invariant: what is said in answer is written in the transaction that did what it says.

mod asked;
mod elsewhere;
mod hear;
mod outbox;
mod own;
mod quiet;
mod row;
mod say;
mod track;
mod unseen;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::asked::{Given, ask, called, given, in_doubt, settled, was_given};
pub use self::elsewhere::{Elsewhere, said_elsewhere};
pub use self::hear::{
    HEARD_LETTERS_MAX, Hearing, PICTURE_AWAITED, Told, handled, hear, last_handled, shows, waiting,
    waiting_count,
};
pub use self::outbox::{
    begin, begun_since, dropped, due, exhausted, judge, next_due, postpone, preview, queued_count,
    skip,
};
pub use self::own::{Queued, next_queued, put_off, queued};
pub use self::quiet::{Judgement, Quiet};
pub use self::row::{
    MESSAGES_MAX, deliveries, failed, get, last_heard, latest, of_conversation, replies_since,
};
pub use self::say::{COLLAPSE_KEY_BYTES_MAX, ROUTE_MAX, Saying, say, withdraw};
pub use self::track::{Report, delivered, hand, left, refused};
use crate::content::Content;
use crate::conversation::{Address, Way};
use crate::error::{Code, Error, Result};
use crate::id::{ConversationId, DeliveryId, MessageId, StaffId};
use crate::medium::Medium;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$each:meta])* $variant:ident = $word:literal),* $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$each])* $variant),* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word for it, in the records and on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// What a stored word says; any other is damage.
            pub fn parse(word: &str) -> Result<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == word).ok_or_else(|| {
                    Error::Storage("a stored message is damaged".into())
                })
            }
        }
    };
}

words! {
    /// Who said it.
    Author:
    /// The person.
    Patient = "patient",
    /// The box, in answer.
    Reception = "reception",
    /// Somebody of the staff.
    Staff = "staff",
    /// The box, by itself.
    System = "system",
}

words! {
    /// What a message is for.
    Purpose:
    /// An answer to what was heard: it goes at once, at any hour.
    Reply = "reply",
    /// It reminds of a visit.
    Reminder = "reminder",
    /// It tells news, such as a visit that is off.
    Notice = "notice",
    /// Somebody at the desk writes.
    Desk = "desk",
}

words! {
    /// How far a message has come. The order is that in which it moves: who saw it arrive knows better
    /// than who gave it up.
    State:
    /// It waits, or is on its way to whoever carries it.
    Waiting = "waiting",
    /// Whoever carries it has it.
    Handed = "handed",
    /// It left.
    Sent = "sent",
    /// It was called off before it left.
    Dropped = "dropped",
    /// It did not reach anybody, by any way.
    Failed = "failed",
    /// It arrived.
    Delivered = "delivered",
    /// It was read.
    Read = "read",
}

words! {
    /// How far one try has come. The order is that in which it moves.
    Progress:
    /// It waits for whoever carries it.
    Queued = "queued",
    /// Whoever carries it has it.
    Handed = "handed",
    /// It left.
    Sent = "sent",
    /// It did not arrive.
    Failed = "failed",
    /// It arrived.
    Delivered = "delivered",
    /// It was read.
    Read = "read",
}

words! {
    /// Why a message was not sent.
    Dropped:
    /// Somebody called it off, or what it speaks of.
    Withdrawn = "withdrawn",
    /// Another one says the same, newer.
    Replaced = "replaced",
    /// Its time was over.
    Stale = "stale",
    /// The person does not want it.
    NotWanted = "not-wanted",
}

/// A message.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The id, the same by whichever medium it goes.
    pub id: MessageId,
    /// Grows with each step.
    pub version: i64,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// Who said it.
    pub author: Author,
    /// Who of the staff.
    pub staff: Option<StaffId>,
    /// By what it came; or goes, as far as it has been tried.
    pub medium: Medium,
    /// Where it came from, or goes to.
    pub address: Address,
    /// What it says.
    pub content: Content,
    /// When it was said, by the clock of where it was.
    pub said_at: Timestamp,
    /// When the box had it.
    pub received_at: Timestamp,
    /// What it answers.
    pub reply_to: Option<MessageId>,
    /// What is particular of one that was heard, or of one that is said.
    pub course: Course,
}

/// What becomes of a message.
#[derive(Clone, PartialEq, Eq)]
pub enum Course {
    /// It was heard.
    Heard {
        /// What reception made of it (JSON).
        understood: Option<String>,
        /// When reception was through with it; it waits while there is nothing.
        handled_at: Option<Timestamp>,
    },
    /// It is said.
    Said(Said),
}

/// What becomes of a message that is said.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    /// What it is for.
    pub purpose: Purpose,
    /// By which ways it may go, the preferred one first.
    pub route: Vec<Way>,
    /// Which of them was begun last.
    pub at: Option<u16>,
    /// It is not sent before.
    pub not_before: Option<Timestamp>,
    /// It is not sent after.
    pub not_after: Option<Timestamp>,
    /// Of those that wait with the same key only the newest is sent.
    pub collapse_key: Option<String>,
    /// How far it has come.
    pub state: State,
    /// When there is something to do about it, if ever.
    pub look_at: Option<Timestamp>,
    /// Why it was dropped or failed: a stable word.
    pub why: Option<String>,
}

/// One try to bring a message to its address.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// By which whoever carries it knows the try.
    pub id: DeliveryId,
    /// Of the message's tries the how manieth, from 0.
    pub attempt: i64,
    /// By what.
    pub medium: Medium,
    /// To where.
    pub address: Address,
    /// How far it has come.
    pub progress: Progress,
    /// What whoever carries it calls it.
    pub provider_id: Option<String>,
    /// Why it failed: a stable word of ours, or the code of whoever carried it.
    pub error: Option<String>,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// When it last came further.
    pub changed_at: Timestamp,
}

impl fmt::Debug for Message {
    /// Everything else is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} version {})", self.id, self.version)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delivery({} {})", self.id, self.progress.as_str())
    }
}

impl Message {
    /// What becomes of it, if it is said.
    ///
    /// # Errors
    /// If it was heard.
    pub fn said(&self) -> Result<&Said> {
        match &self.course {
            Course::Said(said) => Ok(said),
            Course::Heard { understood: _, handled_at: _ } => {
                Err(Error::refused(Code::IllegalStep, "this message was heard, not said"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
