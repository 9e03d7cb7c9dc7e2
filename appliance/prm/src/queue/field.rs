//! By what places in the queue can be asked ([`crate::query`]).

use crate::query::{Column, Field};

/// Whose place it is.
pub const PATIENT: Field = Field(Column::Id("r.patient"));

/// Whose queue.
pub const PRACTITIONER: Field = Field(Column::Id("r.practitioner"));

/// Where.
pub const LOCATION: Field = Field(Column::Id("r.location"));

/// The appointment that was checked in.
pub const APPOINTMENT: Field = Field(Column::Id("r.appointment"));

/// Where it stands.
pub const STATUS: Field = Field(Column::Word("r.status"));

/// When somebody joined.
pub const JOINED: Field = Field(Column::Instant("r.joined_at"));
