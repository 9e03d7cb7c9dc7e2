//! Where a patient lives.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::contact;
use crate::error::{Error, Result};

/// The longest part of an address, in letters.
const PART_LETTERS_MAX: usize = 300;

/// An address; each part may be missing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// House, street, village.
    pub line: Option<String>,
    /// Town or city.
    pub city: Option<String>,
    /// District.
    pub district: Option<String>,
    /// State.
    pub state: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country, two letters (ISO 3166-1).
    pub country: Option<String>,
}

impl fmt::Debug for Address {
    /// An address is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

/// What is to be changed of an address: a part that is `None` stays, `Some(None)` goes.
#[derive(Clone, Default)]
#[allow(missing_docs, reason = "each field is that of the address")]
pub struct AddressEdit {
    pub line: Option<Option<String>>,
    pub city: Option<Option<String>>,
    pub district: Option<Option<String>>,
    pub state: Option<Option<String>>,
    pub postal_code: Option<Option<String>>,
    pub country: Option<Option<String>>,
}

impl From<Address> for AddressEdit {
    /// Every part as in the address.
    fn from(address: Address) -> Self {
        let Address { line, city, district, state, postal_code, country } = address;
        Self {
            line: Some(line),
            city: Some(city),
            district: Some(district),
            state: Some(state),
            postal_code: Some(postal_code),
            country: Some(country),
        }
    }
}

impl Address {
    /// The address checked and trimmed; none when no part says anything.
    pub(super) fn checked(self) -> Result<Option<Self>> {
        let Self { line, city, district, state, postal_code, country } = self;
        let country = part(country)?;
        if let Some(country) = &country
            && !(country.len() == 2 && country.bytes().all(|b| b.is_ascii_alphabetic()))
        {
            return Err(Error::invalid("address", "the country is two letters, for example IN"));
        }
        let address = Self {
            line: part(line)?,
            city: part(city)?,
            district: part(district)?,
            state: part(state)?,
            postal_code: part(postal_code)?,
            country: country.map(|country| country.to_ascii_uppercase()),
        };
        Ok(address.unless_empty())
    }

    /// The address, or none when no part says anything.
    pub(super) fn unless_empty(self) -> Option<Self> {
        if self == Self::default() { None } else { Some(self) }
    }

    /// The address with an edit, not yet checked.
    pub(super) fn with(self, edit: AddressEdit) -> Self {
        let AddressEdit { line, city, district, state, postal_code, country } = edit;
        Self {
            line: line.unwrap_or(self.line),
            city: city.unwrap_or(self.city),
            district: district.unwrap_or(self.district),
            state: state.unwrap_or(self.state),
            postal_code: postal_code.unwrap_or(self.postal_code),
            country: country.unwrap_or(self.country),
        }
    }
}

fn part(given: Option<String>) -> Result<Option<String>> {
    let part = contact::text("address", given)?;
    if part.as_ref().is_some_and(|part| part.chars().count() > PART_LETTERS_MAX) {
        return Err(Error::invalid(
            "address",
            format!("a part of an address has at most {PART_LETTERS_MAX} letters"),
        ));
    }
    Ok(part)
}
