//! Enrolment codes: sixteen letters and digits that a person carries from the hub to a box.

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::hub::Hub;
use crate::store::{self, StoreError};

/// How long a code is good, if nothing else is said, in hours.
pub const HOURS_DEFAULT: u32 = 24;
/// How long a code may be good at most, in hours: a month.
pub const HOURS_MAX: u32 = 31 * 24;
/// The longest text that is looked at as a code, in bytes.
pub const TEXT_MAX: usize = 64;

/// Crockford's base 32: no letter looks like a digit.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Of five bits each: 80 bits that nobody tries out.
const LENGTH: usize = 16;

/// Why there is no new code.
#[derive(Debug, thiserror::Error)]
pub enum NotGiven {
    /// The machine has no randomness to give.
    #[error("the machine has no randomness to give; try again")]
    NoRandomness,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// In groups of four: `ABCD-EFGH-JKMN-PQRS`.
fn make() -> Result<String, NotGiven> {
    let mut random = [0; LENGTH];
    SystemRandom::new().fill(&mut random).map_err(|_| NotGiven::NoRandomness)?;
    let letters: Vec<char> =
        random.iter().map(|it| char::from(LETTERS[usize::from(it % 32)])).collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

/// A new code for the box of a clinic, good for so many ms from now; those of before that were not used are
/// good no more. Answers it, and until when it is good, in ms since 1970 UTC.
///
/// # Errors
/// [`NotGiven`].
pub fn give(hub: &Hub, clinic: [u8; 16], good_for_ms: i64) -> Result<(String, i64), NotGiven> {
    let code = make()?;
    let expires_at = hub.clock.now_ms().saturating_add(good_for_ms);
    let kept = hash(&code).ok_or(NotGiven::NoRandomness)?;
    hub.store.write(clinic, |tx| store::add_code(tx, clinic, kept, expires_at))?;
    Ok((code, expires_at))
}

/// What is kept of a code, however a person wrote it: small letters, without dashes, O for 0, I or L
/// for 1. None if it is no code.
pub(crate) fn hash(written: &str) -> Option<[u8; 32]> {
    if written.len() > TEXT_MAX {
        return None;
    }
    let mut code = String::with_capacity(LENGTH);
    for letter in written.chars().filter(|it| !matches!(it, '-' | ' ')) {
        let letter = match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        if !LETTERS.iter().any(|it| char::from(*it) == letter) {
            return None;
        }
        code.push(letter);
    }
    if code.len() != LENGTH {
        return None;
    }
    digest(&SHA256, code.as_bytes()).as_ref().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = make().unwrap();
        assert_eq!(code.len(), 19);
        let written = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(hash(&written), hash(&code));
        assert!(hash(&code).is_some());
        assert_ne!(hash(&make().unwrap()), hash(&code));
        assert_eq!(hash(&code[1..]), None);
        assert_eq!(hash("ABCD-EFGH-JKMN-PQRU"), None);
    }
}
