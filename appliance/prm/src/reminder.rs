//! Reminders: of which visits people are to be reminded now, and what became of it.
//!
//! What is due is worked out from the diary and the rules whenever it is asked, and never planned ahead. So a
//! visit that is moved or called off takes its reminders along, and neither a clock that jumps nor a week
//! without power leaves a plan that is wrong.
//!
//! ```text
//!   due ─► remind ─► heard nothing ─► by another way ─► heard nothing ─► a ticket for the desk
//! ```
//!
//! Invariant: for one start of one visit each rule reminds once.
//! Invariant: somebody who settled the visit after the reminder's time is not reminded of what they just said.

mod due;
mod step;

use jiff::Timestamp;

pub use self::due::{Due, due};
pub use self::step::{after, is_true, remind, route, unanswered};
use crate::id::{AppointmentId, MessageId, ReminderRuleId};

/// As many are worked out at once.
pub const DUE_MAX: usize = 500;
/// Nobody is reminded later than this before the visit, in minutes: they are on their way.
pub const LATEST_MINUTES: i64 = 15;

/// That somebody was reminded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// Of this visit.
    pub appointment: AppointmentId,
    /// By this rule.
    pub rule: ReminderRuleId,
    /// Of this start.
    pub start: Timestamp,
    /// What was said last.
    pub message: Option<MessageId>,
    /// How far it has gone.
    pub stage: Stage,
}

/// How far a reminder has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It was said.
    Reminded,
    /// It was said by another way, because nothing was heard.
    Again,
    /// It was left to the desk.
    Desk,
}

impl Stage {
    fn number(self) -> i64 {
        match self {
            Self::Reminded => 0,
            Self::Again => 1,
            Self::Desk => 2,
        }
    }

    fn stored(number: i64) -> Self {
        [Self::Reminded, Self::Again]
            .into_iter()
            .find(|it| it.number() == number)
            .unwrap_or(Self::Desk)
    }
}

#[cfg(test)]
mod tests;
