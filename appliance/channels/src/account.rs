//! What belongs to an account at a provider: its secrets, and what it is called there, as somebody types them.
//!
//! Invariant: a secret is in no log and no error, and what was typed wrongly is not repeated.

use std::fmt;
use std::ops::RangeInclusive;

use prm::contact::Phone;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

/// As many secrets of one account are good at once: a provider is given a new one while requests under the one
/// before still come.
pub const SECRETS_MAX: usize = 2;
/// What Twilio writes before a number that is for WhatsApp.
pub const WHATSAPP: &str = "whatsapp:";
/// As many bytes are read where secrets are given.
pub const INPUT_BYTES_MAX: u64 = 16 * 1024;
/// The shortest and the longest secret, in bytes.
const SECRET_BYTES: RangeInclusive<usize> = 8..=4096;
/// The longest name of a number at Meta, in digits.
const NUMBER_ID_DIGITS_MAX: usize = 32;

/// What nobody else is to know; in no log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Secrets with new ones before those that were there; the oldest end if there are more than [`SECRETS_MAX`].
pub fn before<T: Clone>(mut first: Vec<T>, secrets: &[T]) -> Vec<T> {
    first.extend_from_slice(secrets);
    first.truncate(SECRETS_MAX);
    first
}

/// So many secrets, one in a line; none if a line is no secret, or there are more or fewer.
pub fn secrets(text: &str, count: RangeInclusive<usize>) -> Option<Vec<Secret>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_secret = |line: &str| {
        SECRET_BYTES.contains(&line.len()) && line.bytes().all(|it| it.is_ascii_graphic())
    };
    if !lines.clone().all(is_secret) || !count.contains(&lines.clone().count()) {
        return None;
    }
    Some(lines.map(Secret::new).collect())
}

/// The id of an account of Twilio.
///
/// # Errors
/// What it looks like.
pub fn account_sid(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("AC").filter(|it| it.len() == 32);
    if digits.is_some_and(|it| it.bytes().all(|it| it.is_ascii_hexdigit())) {
        return Ok(text.to_owned());
    }
    Err("an account of Twilio is AC and 32 hexadecimal digits".to_owned())
}

/// The clinic's number at Twilio, in E.164.
///
/// # Errors
/// What it looks like.
pub fn number(text: &str) -> Result<String, String> {
    let wrong = || "write the number with + and the country code".to_owned();
    if !text.starts_with('+') {
        return Err(wrong());
    }
    // The country is that of numbers without a +, and this one has it.
    Phone::parse(text, "IN").map(|it| it.as_str().to_owned()).map_err(|_| wrong())
}

/// What Meta calls the clinic's number.
///
/// # Errors
/// What it looks like.
pub fn phone_number_id(text: &str) -> Result<String, String> {
    let is_short = (1..=NUMBER_ID_DIGITS_MAX).contains(&text.len());
    if is_short && text.bytes().all(|it| it.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("what Meta calls a number is digits only".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_secrets_are_good_at_once_and_the_newest_is_first() {
        let one = before(vec!["one"], &[]);
        let two = before(vec!["two"], &one);
        assert_eq!(before(vec!["three"], &two), ["three", "two"]);
    }

    #[test]
    fn a_secret_is_a_line_without_blanks_and_is_never_shown() {
        let given = secrets("  first-secret \n\nsecond-secret\n", 1..=2).unwrap();
        assert_eq!(
            given.iter().map(Secret::as_str).collect::<Vec<_>>(),
            ["first-secret", "second-secret"]
        );
        for wrong in ["", "short", "with a blank", "one-secret\ntwo-secret\nthree-secret"] {
            assert_eq!(secrets(wrong, 1..=2), None);
        }
        assert!(!format!("{given:?}").contains("first"));
    }
}
