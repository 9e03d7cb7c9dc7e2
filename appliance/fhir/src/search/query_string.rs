//! The text after the `?` of an address as pairs of names and values.
//!
//! Source: <https://url.spec.whatwg.org/#urlencoded-parsing>; used where a search is a part of a
//! resource: conditional references, `ifNoneExist`, the addresses in a bundle.

use crate::outcome::{IssueCode, Outcome};

use super::PAIRS_MAX;

/// The pairs in their order; refused if there are more than [`PAIRS_MAX`] or they are not UTF-8.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, Outcome> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let mut pairs = Vec::new();
    for part in parts {
        if pairs.len() == PAIRS_MAX {
            let what = format!("a search has at most {PAIRS_MAX} parameters");
            return Err(Outcome::error(IssueCode::TooCostly, what));
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
            let what = "after the ? only UTF-8 is written, its bytes as %XX";
            return Err(Outcome::error(IssueCode::Invalid, what));
        };
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// A value as it is written after a `=`.
pub fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/:|,".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The text with `+` as a space and `%XX` as bytes; a `%` without digits is a letter.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, after) {
            (b'+', _) => (b' ', after),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high * 16 + low, after),
                (_, _) => (b'%', &rest[1..]),
            },
            (byte, _) => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        b'A'..=b'F' => Some(letter - b'A' + 10),
        _ => None,
    }
}
