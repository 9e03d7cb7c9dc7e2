//! Who waits today, in which order, and who is called (one line per practitioner, one for the desk).
//!
//! Invariant: booked and walk-in patients stand in one line by `due`. A booked patient is due
//! at the appointment's start; a walk-in patient is as due as somebody booked
//! `walk_in_wait_minutes` after they came. So nobody waits without end, and a practitioner who
//! is free calls whoever is next, early or not.

mod board;
pub mod field;
mod join;
mod place;
mod row;
mod turn;

use jiff::Timestamp;
use jiff::civil::Date;

pub use self::board::{Board, Called, Waiting, board};
pub use self::join::join_walk_in;
pub(crate) use self::join::{is_in_line, join_booked, join_desk};
pub use self::place::{Place, list_with_places, place_of};
pub(crate) use self::place::{place, place_of_next};
pub use self::row::{LIST_MAX, get, list, waiting_now};
pub use self::turn::{call, call_next, ended, finish, leave, prioritise, recall, rejoin, skip};
use crate::error::{Error, Result};
use crate::id::{AppointmentId, LocationId, PatientId, PractitionerId, QueueEntryId};

/// Minutes after the start within which a booked patient keeps their turn.
pub const LATE_GRACE_MINUTES: i64 = 10;

/// How somebody came into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// With an appointment.
    Booked,
    /// Without one, to a practitioner.
    WalkIn,
    /// To the desk.
    Desk,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Booked, Self::WalkIn, Self::Desk];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::WalkIn => "walk-in",
            Self::Desk => "desk",
        }
    }

    fn parse(word: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| Error::Storage("a stored kind is damaged".into()))
    }
}

/// Where somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waits.
    Waiting,
    /// Was called and is, or should be, inside.
    Called,
    /// Did not come when called; may rejoin.
    Skipped,
    /// Was seen.
    Finished,
    /// Went away.
    Left,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::Called, Self::Skipped, Self::Finished, Self::Left];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Called => "called",
            Self::Skipped => "skipped",
            Self::Finished => "finished",
            Self::Left => "left",
        }
    }

    fn parse(word: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| Error::Storage("a stored status is damaged".into()))
    }

    fn may_become(self, next: Self) -> bool {
        match self {
            Self::Waiting => matches!(next, Self::Called | Self::Skipped | Self::Left),
            Self::Called => {
                matches!(next, Self::Called | Self::Skipped | Self::Finished | Self::Left)
            }
            Self::Skipped => matches!(next, Self::Waiting | Self::Called | Self::Left),
            Self::Finished | Self::Left => false,
        }
    }
}

/// A line in which people wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// For a practitioner.
    Practitioner(PractitionerId),
    /// For a room, whoever sees patients there.
    Location(LocationId),
    /// For the desk.
    Desk,
}

/// Somebody's place in the queue of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// The id.
    pub id: QueueEntryId,
    /// Grows with each step.
    pub version: i64,
    /// The local date.
    pub date: Date,
    /// What is on the ticket, for example `A-012`.
    pub token: String,
    /// How they came.
    pub kind: Kind,
    /// Where they stand.
    pub status: Status,
    /// Who it is, unless the desk is still to find out.
    pub patient: Option<PatientId>,
    /// The name of who it is.
    pub patient_name: Option<String>,
    /// Whom they wait for; nobody for the desk.
    pub practitioner: Option<PractitionerId>,
    /// Where they are to go.
    pub location: Option<LocationId>,
    /// What is on the door.
    pub room: Option<String>,
    /// The appointment.
    pub appointment: Option<AppointmentId>,
    /// When they came.
    pub joined_at: Timestamp,
    /// What orders the line.
    pub due: Timestamp,
    /// When they were last called.
    pub called_at: Option<Timestamp>,
    /// How often they were called.
    pub calls: i64,
    /// When they were through.
    pub finished_at: Option<Timestamp>,
    /// Why they go first.
    pub priority_reason: Option<String>,
}

/// What became of somebody who came to the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The place in the queue.
    pub entry: QueueEntry,
    /// Whether the token was given just now; otherwise they had it already.
    pub is_new: bool,
}

#[cfg(test)]
mod tests;
