//! Bearer tokens: the right of a program to call the API, with one role, shown once.
//!
//! Invariant: only a hash of a token is kept.

use jiff::Timestamp;

use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{Noun, TokenId};
use crate::secret::{self, SECRET_TEXT_MAX, Secret};
use crate::stamp::{Right, Role, Stamp};
use crate::time::{from_ms, to_ms};

/// What every token begins with, so that it is recognised where it was left by mistake.
pub const PREFIX: &str = "cp_";
/// Tokens that one box keeps, revoked ones included.
pub const TOKENS_MAX: i64 = 1_000;

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Grows with each change.
    pub version: i64,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// What is said to make a token.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it ends, if ever.
    pub expires_at: Option<Timestamp>,
}

/// Makes a token; its secret is answered here and never again.
pub fn create(tx: &mut Tx<'_>, stamp: &Stamp, request: Request) -> Result<(Token, Secret)> {
    stamp.needs(Right::ManageStaff)?;
    let Request { name, role, expires_at } = request;
    let name = contact::name("name", &name)?;
    if role == Role::Nobody {
        return Err(Error::invalid("role", "a token needs a role"));
    }
    if expires_at.is_some_and(|end| end <= stamp.now) {
        return Err(Error::invalid("expires", "the token would have ended already"));
    }
    let kept: i64 = tx.sql().query_row("SELECT count(*) FROM token", [], |row| row.get(0))?;
    if kept >= TOKENS_MAX {
        return Err(Error::refused(
            crate::error::Code::TooMany,
            format!("there are {TOKENS_MAX} tokens already"),
        ));
    }
    let secret = Secret::new(PREFIX)?;
    let id = TokenId::new(stamp.now);
    tx.sql()
        .prepare_cached(
            "INSERT INTO token (id, version, name, role, token_hash, created_at, expires_at)
             VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            id,
            &name,
            role.as_str(),
            secret::hash(secret.text()),
            to_ms(stamp.now),
            expires_at.map(to_ms),
        ))?;
    tx.record(stamp, "create", (Noun::Token, id.as_bytes(), 1), None)?;
    let made = from_ms(to_ms(stamp.now));
    let token =
        Token { id, version: 1, name, role, created_at: made, expires_at, revoked_at: None };
    Ok((token, secret))
}

/// All tokens, the newest last.
pub fn list(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<Token>> {
    stamp.needs(Right::ManageStaff)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, name, role, created_at, expires_at, revoked_at
         FROM token ORDER BY created_at, rowid",
    )?;
    let mut rows = statement.query([])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        tokens.push(from_row(row)?);
    }
    Ok(tokens)
}

/// Ends a token now. A token that was revoked stays so.
pub fn revoke(tx: &mut Tx<'_>, stamp: &Stamp, id: TokenId) -> Result<Token> {
    stamp.needs(Right::ManageStaff)?;
    let mut token = get(tx, id)?;
    if token.revoked_at.is_some() {
        return Ok(token);
    }
    token.version += 1;
    token.revoked_at = Some(from_ms(to_ms(stamp.now)));
    tx.sql()
        .prepare_cached("UPDATE token SET version = ?2, revoked_at = ?3 WHERE id = ?1")?
        .execute((id, token.version, to_ms(stamp.now)))?;
    tx.record(stamp, "revoke", (Noun::Token, id.as_bytes(), token.version), None)?;
    Ok(token)
}

/// The token with this secret, if it is good at `now`.
pub fn authenticate(read: &Read<'_>, text: &str, now: Timestamp) -> Result<Option<Token>> {
    if text.len() > SECRET_TEXT_MAX || !text.starts_with(PREFIX) {
        return Ok(None);
    }
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, name, role, created_at, expires_at, revoked_at FROM token
         WHERE token_hash = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
    )?;
    let mut rows = statement.query((secret::hash(text), to_ms(now)))?;
    rows.next()?.map(from_row).transpose()
}

fn get(read: &Read<'_>, id: TokenId) -> Result<Token> {
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, name, role, created_at, expires_at, revoked_at
         FROM token WHERE id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    from_row(rows.next()?.ok_or(Error::NotFound(Noun::Token))?)
}

fn from_row(row: &rusqlite::Row<'_>) -> Result<Token> {
    Ok(Token {
        id: row.get(0)?,
        version: row.get(1)?,
        name: row.get(2)?,
        role: Role::parse(&row.get::<_, String>(3)?)?,
        created_at: from_ms(row.get(4)?),
        expires_at: row.get::<_, Option<i64>>(5)?.map(from_ms),
        revoked_at: row.get::<_, Option<i64>>(6)?.map(from_ms),
    })
}

#[cfg(test)]
mod tests;
