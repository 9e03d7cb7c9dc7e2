//! By what locations can be asked ([`crate::query`]).

use crate::query::{Column, Field};

/// What is on the door.
pub const NAME: Field = Field(Column::Text("r.name"));

/// Room, equipment or site.
pub const KIND: Field = Field(Column::Word("r.kind"));

/// Whether it is in use.
pub const ACTIVE: Field = Field(Column::Flag("r.active"));
