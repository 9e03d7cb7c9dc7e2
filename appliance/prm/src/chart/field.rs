//! By what resources of other systems can be asked ([`crate::query`]).

use crate::query::{Column, Field};

/// Whose it is.
pub const PATIENT: Field = Field(Column::Id("r.patient"));

/// What others call it.
pub const NAME: Field = Field(Column::Word("r.name"));
