//! The right of a program to call the API, with one role: by a bearer token that is shown once, or as a
//! client that proves with keys of its own who it is (`client.rs`).
//!
//! Invariant: only a hash of a token is kept. Of a client's keys only the public half is known.
//! What the scopes of a token mean is for the door to say; here they are a text.

mod client;

use jiff::Timestamp;

use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{Noun, TokenId};
use crate::secret::{self, SECRET_TEXT_MAX, Secret};
use crate::stamp::{Right, Role, Stamp};
use crate::time::{from_ms, to_ms};

pub use client::{
    ACCESS_SECONDS, ASSERTIONS_MAX, Assertion, client, create_scoped, grant, register,
};

/// What every token begins with, so that it is recognised where it was left by mistake.
pub const PREFIX: &str = "cp_";
/// What every access token of a client begins with.
pub const ACCESS_PREFIX: &str = "cpa_";
/// Tokens that one box keeps, clients and revoked ones included.
pub const TOKENS_MAX: i64 = 1_000;

/// By what a program shows who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A secret that it sends with every request.
    Bearer,
    /// Signatures with one of these keys: a JSON Web Key Set (RFC 7517, section 5).
    Keys(String),
    /// Signatures with one of the keys that are published at this address.
    KeysAt(String),
}

/// A token or a client, without its secret.
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
    /// By what it shows who it is.
    pub proof: Proof,
    /// To what it is narrowed, as SMART writes scopes; none if the role says all.
    pub scopes: Option<String>,
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
    let secret = Secret::new(PREFIX)?;
    let token = add(tx, stamp, request, (Proof::Bearer, Some(&secret)), None)?;
    Ok((token, secret))
}

/// Adds a token or a client.
fn add(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    request: Request,
    (proof, secret): (Proof, Option<&Secret>),
    scopes: Option<String>,
) -> Result<Token> {
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
    let (keys, keys_at) = match &proof {
        Proof::Bearer => (None, None),
        Proof::Keys(keys) => (Some(keys), None),
        Proof::KeysAt(address) => (None, Some(address)),
    };
    let id = TokenId::new(stamp.now);
    tx.sql()
        .prepare_cached(
            "INSERT INTO token (id, version, name, role, token_hash, jwks, jwks_uri, scopes,
                                created_at, expires_at)
             VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute((
            id,
            &name,
            role.as_str(),
            secret.map(|secret| secret::hash(secret.text())),
            keys,
            keys_at,
            &scopes,
            to_ms(stamp.now),
            expires_at.map(to_ms),
        ))?;
    tx.record(stamp, "create", (Noun::Token, id.as_bytes(), 1), None)?;
    let created_at = from_ms(to_ms(stamp.now));
    let revoked_at = None;
    Ok(Token { id, version: 1, name, role, proof, scopes, created_at, expires_at, revoked_at })
}

/// All tokens, the newest last.
pub fn list(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<Token>> {
    stamp.needs(Right::ManageStaff)?;
    let columns = COLUMNS;
    let mut statement = read
        .sql()
        .prepare_cached(&format!("SELECT {columns} FROM token t ORDER BY t.created_at, t.rowid"))?;
    let mut rows = statement.query([])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        tokens.push(from_row(row)?);
    }
    Ok(tokens)
}

/// Ends a token now, of a client all access tokens, too. A token that was revoked stays so.
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
    tx.sql().prepare_cached("DELETE FROM access_token WHERE client = ?1")?.execute([id])?;
    tx.record(stamp, "revoke", (Noun::Token, id.as_bytes(), token.version), None)?;
    Ok(token)
}

/// The token with this secret, if it is good at `now`. That of an access token is its client, with the
/// scopes that it was granted.
pub fn authenticate(read: &Read<'_>, text: &str, now: Timestamp) -> Result<Option<Token>> {
    if text.len() > SECRET_TEXT_MAX {
        return Ok(None);
    }
    if text.starts_with(ACCESS_PREFIX) {
        return client::of_access(read, text, now);
    }
    if !text.starts_with(PREFIX) {
        return Ok(None);
    }
    let columns = COLUMNS;
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {columns} FROM token t
         WHERE t.token_hash = ?1 AND t.revoked_at IS NULL
           AND (t.expires_at IS NULL OR t.expires_at > ?2)"
    ))?;
    let mut rows = statement.query((secret::hash(text), to_ms(now)))?;
    rows.next()?.map(from_row).transpose()
}

fn get(read: &Read<'_>, id: TokenId) -> Result<Token> {
    let columns = COLUMNS;
    let mut statement =
        read.sql().prepare_cached(&format!("SELECT {columns} FROM token t WHERE t.id = ?1"))?;
    let mut rows = statement.query([id])?;
    from_row(rows.next()?.ok_or(Error::NotFound(Noun::Token))?)
}

/// What [`from_row`] reads, of a token that is `t`.
const COLUMNS: &str = "t.id, t.version, t.name, t.role, t.jwks, t.jwks_uri, t.scopes, t.created_at, t.expires_at, t.revoked_at";

fn from_row(row: &rusqlite::Row<'_>) -> Result<Token> {
    let proof = match (row.get(4)?, row.get(5)?) {
        (Some(keys), _) => Proof::Keys(keys),
        (None, Some(address)) => Proof::KeysAt(address),
        (None, None) => Proof::Bearer,
    };
    Ok(Token {
        id: row.get(0)?,
        version: row.get(1)?,
        name: row.get(2)?,
        role: Role::parse(&row.get::<_, String>(3)?)?,
        proof,
        scopes: row.get(6)?,
        created_at: from_ms(row.get(7)?),
        expires_at: row.get::<_, Option<i64>>(8)?.map(from_ms),
        revoked_at: row.get::<_, Option<i64>>(9)?.map(from_ms),
    })
}

#[cfg(test)]
mod tests;
