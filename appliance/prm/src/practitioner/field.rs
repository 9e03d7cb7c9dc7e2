//! By what practitioners can be asked ([`crate::query`]).

use crate::query::{Column, Field};

/// The name.
pub const NAME: Field = Field(Column::Text("r.name"));

/// Whether patients can be booked.
pub const ACTIVE: Field = Field(Column::Flag("r.active"));

/// Specialities.
pub const SPECIALTY: Field = Field(Column::Rows {
    table: "practitioner_specialty x",
    owner: "x.practitioner",
    holds: &Column::Word("x.specialty"),
});

/// The usual room.
pub const LOCATION: Field = Field(Column::Id("r.location"));

/// The practitioner.
pub const ID: Field = Field(Column::Id("r.id"));
