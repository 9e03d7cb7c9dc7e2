//! Signing in and out: tries are counted before the password is looked at, and the session is
//! a random secret of which only the hash is kept.

use std::sync::OnceLock;

use jiff::Timestamp;

use super::{PasswordHash, Staff, USERNAME_LETTERS_MAX, fits, from_row, hash_password};
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{Noun, StaffId};
use crate::secret::{self, SECRET_TEXT_MAX, Secret};
use crate::stamp::{Actor, Stamp};
use crate::time::{plus_minutes, to_ms};

/// How long a session lasts: a long day at the desk, in minutes.
pub const SESSION_MINUTES: i64 = 12 * 60;
/// Sessions of one person; the oldest ends when there is one more.
pub const SESSIONS_MAX: u32 = 20;
/// Wrong tries before there is a wait.
const FREE_TRIES: u32 = 5;
/// The longest wait, in seconds.
const WAIT_SECONDS_MAX: i64 = 15 * 60;
/// After this without a wrong try the count begins again, in ms.
const FORGOTTEN_MS: i64 = 24 * 60 * 60 * 1_000;
/// Counts that are kept; beyond it the oldest goes.
const COUNTS_MAX: i64 = 10_000;
/// The longest name of a place, in bytes.
const SOURCE_BYTES_MAX: usize = 64;

/// A try to sign in that was counted; the password is yet to be looked at.
#[derive(Debug)]
pub struct Attempt {
    staff: Option<StaffId>,
    /// None for a user that does not exist.
    hash: Option<PasswordHash>,
    username: String,
    source: String,
}

impl Attempt {
    /// Whether the password fits. Takes as long for a user that does not exist. Never inside a
    /// transaction: it takes some hundredths of a second on purpose.
    pub fn fits(&self, password: &str) -> bool {
        match (&self.hash, nobodys_hash()) {
            (Some(hash), _) => fits(password, &hash.0),
            (None, Ok(hash)) => fits(password, &hash.0) && self.staff.is_some(),
            (None, Err(_)) => false,
        }
    }
}

/// Counts a try to sign in from `source` (an address), before the password is looked at, so
/// that many tries at once are counted, too. Refuses while the wait after wrong ones lasts.
pub fn begin_sign_in(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    username: &str,
    source: &str,
) -> Result<Attempt> {
    let username: String =
        username.trim().to_lowercase().chars().take(USERNAME_LETTERS_MAX).collect();
    let source: String = source.chars().take(SOURCE_BYTES_MAX).collect();
    let now = to_ms(stamp.now);
    let sql = tx.sql();
    let counted = {
        let mut statement = sql.prepare_cached(
            "SELECT failures, last_at FROM signin_failure WHERE username = ?1 AND source = ?2",
        )?;
        let mut rows = statement.query((&username, &source))?;
        match rows.next()? {
            Some(row) => Some((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?)),
            None => None,
        }
    };
    let failures = match counted {
        // Taken without its sign: after a clock was far ahead and went back, a try would lie in
        // the future and its wait would never end.
        Some((_, last_at)) if (now - last_at).abs() > FORGOTTEN_MS => 0,
        Some((failures, last_at)) => {
            let left = wait_seconds(failures) * 1_000 - (now - last_at).abs();
            if left > 0 {
                let seconds = u32::try_from(left.div_euclid(1_000) + 1).unwrap_or(u32::MAX);
                return Err(Error::refused(
                    Code::TooManyTries(seconds),
                    format!("too many wrong tries; wait {seconds} seconds"),
                ));
            }
            failures
        }
        None => 0,
    };
    sql.prepare_cached(
        "INSERT INTO signin_failure (username, source, failures, last_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (username, source) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at",
    )?
    .execute((&username, &source, failures.saturating_add(1), now))?;
    sql.prepare_cached(
        "DELETE FROM signin_failure WHERE (username, source) IN
           (SELECT username, source FROM signin_failure ORDER BY last_at DESC LIMIT 10 OFFSET ?1)",
    )?
    .execute([COUNTS_MAX])?;
    let mut statement = sql.prepare_cached(
        "SELECT id, password_hash FROM staff WHERE username = ?1 AND disabled = 0",
    )?;
    let mut rows = statement.query([&username])?;
    let (staff, hash) = match rows.next()? {
        Some(row) => (Some(row.get(0)?), Some(PasswordHash(row.get(1)?))),
        None => (None, None),
    };
    Ok(Attempt { staff, hash, username, source })
}

/// Begins a session after the password of `attempt` was found to fit.
pub fn sign_in(tx: &mut Tx<'_>, stamp: &Stamp, attempt: &Attempt) -> Result<(Staff, Secret)> {
    let wrong = || Error::refused(Code::WrongSignin, "user name and password do not fit");
    let id = attempt.staff.ok_or_else(wrong)?;
    let hash = attempt.hash.as_ref().ok_or_else(wrong)?;
    let sql = tx.sql();
    // The password may have been changed, or the person disabled, since it was looked at.
    let staff = {
        let mut statement = sql.prepare_cached(
            "SELECT id, version, username, name, role, practitioner, disabled FROM staff
             WHERE id = ?1 AND disabled = 0 AND password_hash = ?2",
        )?;
        let mut rows = statement.query((id, &hash.0))?;
        from_row(rows.next()?.ok_or_else(wrong)?)?
    };
    sql.prepare_cached("DELETE FROM signin_failure WHERE username = ?1 AND source = ?2")?
        .execute((&attempt.username, &attempt.source))?;
    let secret = Secret::new("")?;
    sql.prepare_cached(
        "INSERT INTO session (token_hash, staff, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((
        secret::hash(secret.text()),
        id,
        to_ms(stamp.now),
        to_ms(plus_minutes(stamp.now, SESSION_MINUTES)),
    ))?;
    sql.prepare_cached("DELETE FROM session WHERE expires_at <= ?1")?
        .execute([to_ms(stamp.now)])?;
    sql.prepare_cached(
        "DELETE FROM session WHERE token_hash IN
           (SELECT token_hash FROM session WHERE staff = ?1 ORDER BY created_at DESC LIMIT 100 OFFSET ?2)",
    )?
    .execute((id, SESSIONS_MAX))?;
    let stamp = Stamp { actor: Actor::Staff(id), role: staff.role, ..*stamp };
    tx.audit(&stamp, "sign_in", Noun::Session, Some(id.as_bytes()), None)?;
    Ok((staff, secret))
}

/// Writes to the audit that somebody tried to sign in as a member of staff and could not.
pub fn sign_in_failed(tx: &mut Tx<'_>, stamp: &Stamp, attempt: &Attempt) -> Result<()> {
    match attempt.staff {
        Some(id) => tx.audit(stamp, "sign_in_failed", Noun::Session, Some(id.as_bytes()), None),
        None => Ok(()),
    }
}

/// Ends the session with this secret; nothing happens if there is none.
pub fn sign_out(tx: &mut Tx<'_>, stamp: &Stamp, text: &str) -> Result<()> {
    if text.len() > SECRET_TEXT_MAX {
        return Ok(());
    }
    let ended = tx
        .sql()
        .prepare_cached("DELETE FROM session WHERE token_hash = ?1")?
        .execute([secret::hash(text)])?;
    match stamp.actor {
        Actor::Staff(id) if ended > 0 => {
            tx.audit(stamp, "sign_out", Noun::Session, Some(id.as_bytes()), None)
        }
        Actor::Staff(_) | Actor::Device(_) | Actor::Token(_) | Actor::Box | Actor::Nobody => Ok(()),
    }
}

/// The person whose session this is, if it is good at `now`.
pub fn session(read: &Read<'_>, text: &str, now: Timestamp) -> Result<Option<Staff>> {
    if text.is_empty() || text.len() > SECRET_TEXT_MAX {
        return Ok(None);
    }
    let mut statement = read.sql().prepare_cached(
        "SELECT s.id, s.version, s.username, s.name, s.role, s.practitioner, s.disabled
         FROM session JOIN staff s ON s.id = session.staff
         WHERE session.token_hash = ?1 AND session.expires_at > ?2 AND session.created_at <= ?3
           AND s.disabled = 0",
    )?;
    // A session from the future means that the clock went back a long way: sign in again.
    let slack = to_ms(plus_minutes(now, SESSION_MINUTES));
    let mut rows = statement.query((secret::hash(text), to_ms(now), slack))?;
    rows.next()?.map(from_row).transpose()
}

fn wait_seconds(failures: u32) -> i64 {
    match failures.checked_sub(FREE_TRIES) {
        None => 0,
        Some(more) => 2_i64.saturating_pow(more + 1).min(WAIT_SECONDS_MAX),
    }
}

/// A hash for users that do not exist, so that they take as long to refuse.
fn nobodys_hash() -> Result<PasswordHash> {
    static HASH: OnceLock<PasswordHash> = OnceLock::new();
    if let Some(hash) = HASH.get() {
        return Ok(hash.clone());
    }
    let hash = hash_password("nobody has this password")?;
    Ok(HASH.get_or_init(|| hash).clone())
}
