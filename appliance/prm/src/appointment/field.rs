//! By what appointments can be asked ([`crate::query`]).

use crate::query::{Column, Field};

/// Who comes.
pub const PATIENT: Field = Field(Column::Id("r.patient"));

/// To whom.
pub const PRACTITIONER: Field = Field(Column::Id("r.practitioner"));

/// Where.
pub const LOCATION: Field = Field(Column::Id("r.location"));

/// For what.
pub const HEALTHCARE_SERVICE: Field = Field(Column::Id("r.healthcare_service"));

/// In which session.
pub const SCHEDULE: Field = Field(Column::Id("r.schedule"));

/// Where it stands.
pub const STATUS: Field = Field(Column::Word("r.status"));

/// Why the patient comes.
pub const REASON: Field = Field(Column::Text("r.reason"));

/// When it begins.
pub const START: Field = Field(Column::Instant("r.start"));
