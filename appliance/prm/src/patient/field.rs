//! By what patients can be asked ([`crate::query`]).

use crate::query::{Column, Field};

/// The words of all names.
pub const NAME: Field = Field(Column::Name("r.number"));

/// Telephone numbers as they are stored (E.164), their digits anywhere.
pub const PHONE: Field = Field(Column::Digits("r.number"));

/// The e-mail address.
pub const EMAIL: Field = Field(Column::Text("r.email"));

/// Numbers given by others.
pub const IDENTIFIER: Field = Field(Column::Rows {
    table: "patient_identifier x",
    owner: "x.patient",
    holds: &Column::Token { code: "x.value", system: "x.system" },
});

/// The clinic's own number; patients follow each other by it.
pub const NUMBER: Field = Field(Column::Number("r.number"));

/// The date of birth.
pub const BIRTH_DATE: Field = Field(Column::Date("r.birth_date"));

/// The administrative sex.
pub const SEX: Field = Field(Column::Word("r.sex"));

/// The language to speak to the patient.
pub const LANGUAGE: Field = Field(Column::Word("r.language"));

/// Whether the record is in use.
pub const ACTIVE: Field = Field(Column::Flag("r.active"));

/// The record into which it was merged.
pub const MERGED_INTO: Field = Field(Column::Id("r.merged_into"));

/// House, street, village.
pub const ADDRESS_LINE: Field = Field(Column::Text("r.address_line"));

/// The city.
pub const CITY: Field = Field(Column::Text("r.city"));

/// The district.
pub const DISTRICT: Field = Field(Column::Text("r.district"));

/// The state.
pub const STATE: Field = Field(Column::Text("r.state"));

/// The postal code.
pub const POSTAL_CODE: Field = Field(Column::Text("r.postal_code"));

/// The country.
pub const COUNTRY: Field = Field(Column::Text("r.country"));

/// The name as it is called out, to sort by.
pub const SORT_NAME: Field = Field(Column::Text("r.name"));
