//! By what services can be asked ([`crate::query`]).

use crate::query::{Column, Field};

/// What it is called.
pub const NAME: Field = Field(Column::Text("r.name"));

/// Whether the clinic does it.
pub const ACTIVE: Field = Field(Column::Flag("r.active"));

/// Rooms and equipment that it needs.
pub const LOCATION: Field = Field(Column::Rows {
    table: "healthcare_service_location x",
    owner: "x.healthcare_service",
    holds: &Column::Id("x.location"),
});
