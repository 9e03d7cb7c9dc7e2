//! Bearer tokens for programs of others, each of one clinic. Only hashes of them are here.

use super::Stored;
use super::sql::{Row, Tx, params};

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Whose records it is for.
    pub clinic: [u8; 16],
    /// Its id, by which it is revoked.
    pub id: [u8; 16],
    /// What it is for, as whoever made it wrote.
    pub name: String,
    /// What may be done with it, as SMART writes scopes.
    pub scopes: String,
    /// When it was made, in ms since 1970 UTC.
    pub made_at: i64,
    /// Until when it is good, in ms since 1970 UTC.
    pub expires_at: Option<i64>,
    /// When it was revoked, in ms since 1970 UTC.
    pub revoked_at: Option<i64>,
}

impl Token {
    /// Whether it is good at this time, in ms since 1970 UTC.
    pub fn is_good(&self, now_ms: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now_ms < end)
    }
}

/// Adds a token by its SHA-256.
///
/// # Errors
/// [`super::StoreError`].
pub fn add_token(tx: &Tx<'_>, token: &Token, hash: [u8; 32]) -> Stored<()> {
    let Token { clinic, id, name, scopes, made_at, expires_at, revoked_at } = token;
    let sql = "INSERT INTO token (clinic, id, hash, name, scopes, made_at, expires_at, revoked_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let params = params![clinic, id, &hash, name, scopes, *made_at, *expires_at, *revoked_at];
    tx.execute(sql, params)?;
    Ok(())
}

/// The token of a clinic whose SHA-256 this is, good or not.
///
/// # Errors
/// [`super::StoreError`].
pub fn token(tx: &Tx<'_>, clinic: [u8; 16], hash: [u8; 32]) -> Stored<Option<Token>> {
    let sql = "SELECT clinic, id, name, scopes, made_at, expires_at, revoked_at FROM token
        WHERE clinic = ?1 AND hash = ?2";
    tx.row(sql, params![&clinic, &hash], to_token)
}

/// The tokens of a clinic, the oldest first, at most `limit`.
///
/// # Errors
/// [`super::StoreError`].
pub fn tokens(tx: &Tx<'_>, clinic: [u8; 16], limit: u32) -> Stored<Vec<Token>> {
    let sql = "SELECT clinic, id, name, scopes, made_at, expires_at, revoked_at FROM token
        WHERE clinic = ?1 ORDER BY made_at, id LIMIT ?2";
    tx.rows(sql, params![&clinic, limit], to_token)
}

/// Ends a token of a clinic; says whether there is one of this id.
///
/// # Errors
/// [`super::StoreError`].
pub fn revoke_token(tx: &Tx<'_>, clinic: [u8; 16], id: [u8; 16], now_ms: i64) -> Stored<bool> {
    let sql =
        "UPDATE token SET revoked_at = coalesce(revoked_at, ?3) WHERE clinic = ?1 AND id = ?2";
    Ok(tx.execute(sql, params![&clinic, &id, now_ms])? > 0)
}

fn to_token(row: &Row<'_>) -> Stored<Token> {
    Ok(Token {
        clinic: row.get(0)?,
        id: row.get(1)?,
        name: row.get(2)?,
        scopes: row.get(3)?,
        made_at: row.get(4)?,
        expires_at: row.get(5)?,
        revoked_at: row.get(6)?,
    })
}
