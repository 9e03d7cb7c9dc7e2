//! Numbers that others gave to a patient, such as the ABHA number of India's health accounts.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::contact::ascii_digits;
use crate::error::{Error, Result};

/// The system of ABHA numbers, as India's FHIR profiles (NRCeS) name it.
pub const ABHA_SYSTEM: &str = "https://healthid.abdm.gov.in";
/// The name that it had before, and has in most of what is sent.
const ABHA_SYSTEM_BEFORE: &str = "https://healthid.ndhm.gov.in";
/// Digits of an ABHA number.
const ABHA_DIGITS: usize = 14;
/// The longest name of a system, in bytes.
const SYSTEM_MAX: usize = 200;
/// The longest value, in bytes.
const VALUE_MAX: usize = 64;

/// A number given by somebody else. No two patients have the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identifier {
    /// Who gave it, as a URI or a word of the clinic.
    pub system: String,
    /// The number; that of an ABHA number is its 14 digits.
    pub value: String,
}

impl fmt::Debug for Identifier {
    /// The number is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identifier(…)")
    }
}

impl Identifier {
    /// Checks a system and a value. ABHA numbers may be grouped by spaces or hyphens, in the
    /// digits of any script.
    pub fn parse(system: &str, value: &str) -> Result<Self> {
        let (system, value) = (system.trim(), value.trim());
        let plain = |text: &str, most: usize| {
            !text.is_empty() && text.len() <= most && !text.chars().any(char::is_control)
        };
        if !plain(system, SYSTEM_MAX) || !plain(value, VALUE_MAX) {
            return Err(Error::invalid(
                "identifiers",
                format!(
                    "an identifier has a system (at most {SYSTEM_MAX} bytes) and a value (at most {VALUE_MAX} bytes)"
                ),
            ));
        }
        if is_abha_system(system) {
            return Ok(Self { system: ABHA_SYSTEM.to_owned(), value: abha(value)? });
        }
        Ok(Self { system: system.to_owned(), value: value.to_owned() })
    }
}

/// Whether a system is that of ABHA numbers, under either name.
pub fn is_abha_system(system: &str) -> bool {
    let system = system.trim_end_matches('/');
    [ABHA_SYSTEM, ABHA_SYSTEM_BEFORE].iter().any(|name| system.eq_ignore_ascii_case(name))
}

/// The systems and values under which an ABHA number may be written: as its digits, and grouped.
/// Nothing if it is none.
pub fn abha_spellings(value: &str) -> Vec<(&'static str, String)> {
    let Ok(digits) = abha(value) else { return Vec::new() };
    let parts = [digits.get(..2), digits.get(2..6), digits.get(6..10), digits.get(10..)];
    let grouped = parts.map(Option::unwrap_or_default).join("-");
    let systems = [ABHA_SYSTEM, ABHA_SYSTEM_BEFORE].into_iter();
    systems.flat_map(|system| [(system, digits.clone()), (system, grouped.clone())]).collect()
}

fn abha(value: &str) -> Result<String> {
    let digits: String =
        ascii_digits(value).chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).collect();
    if digits.len() != ABHA_DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::invalid(
            "identifiers",
            format!("an ABHA number has {ABHA_DIGITS} digits, for example 91-1234-5678-9012"),
        ));
    }
    Ok(digits)
}
