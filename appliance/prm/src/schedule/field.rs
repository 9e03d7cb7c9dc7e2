//! By what sessions can be asked ([`crate::query`]).

use crate::query::{Column, Field};

/// Who sees patients.
pub const PRACTITIONER: Field = Field(Column::Id("r.practitioner"));

/// Where.
pub const LOCATION: Field = Field(Column::Id("r.location"));

/// Whether it still takes place.
pub const ACTIVE: Field = Field(Column::Flag("r.active"));
