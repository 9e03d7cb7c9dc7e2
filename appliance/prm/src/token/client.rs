//! Clients: programs that prove with a signature who they are and get access tokens for minutes
//! (SMART Backend Services, <https://hl7.org/fhir/smart-app-launch/backend-services.html>).
//!
//! Invariant: an assertion is good once, also after a restart.
//! Invariant: an access token is good no longer than its client.

use jiff::{SignedDuration, Timestamp};

use super::{ACCESS_PREFIX, COLUMNS, PREFIX, Proof, Request, Token, add, from_row};
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{Noun, TokenId};
use crate::secret::{self, Secret};
use crate::stamp::{Actor, Stamp};
use crate::time::to_ms;

/// How long an access token is good, in seconds.
pub const ACCESS_SECONDS: i64 = 300;
/// Assertions of one client that are remembered at once; beyond it the client has to wait. As many access
/// tokens can it have.
pub const ASSERTIONS_MAX: i64 = 1_000;
/// What is over and removed by one grant at the most; more than one grant adds.
const SWEPT_PER_GRANT_MAX: u32 = 20;
/// The longest text of scopes or of a key set, in bytes.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// What a client said of itself, and proved.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// The client.
    pub client: TokenId,
    /// What no other assertion of the client is called.
    pub jti: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Makes a token that is narrowed to scopes; its secret is answered here and never again.
pub fn create_scoped(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    request: Request,
    scopes: String,
) -> Result<(Token, Secret)> {
    let secret = Secret::new(PREFIX)?;
    let scopes = Some(bounded("scope", scopes)?);
    let token = add(tx, stamp, request, (Proof::Bearer, Some(&secret)), scopes)?;
    Ok((token, secret))
}

/// Registers a client that is narrowed to scopes and proves who it is by `proof`.
pub fn register(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    request: Request,
    scopes: String,
    proof: Proof,
) -> Result<Token> {
    let proof = match proof {
        Proof::Bearer => return Err(Error::invalid("jwks", "a client has keys of its own")),
        Proof::Keys(keys) => Proof::Keys(bounded("jwks", keys)?),
        Proof::KeysAt(address) => Proof::KeysAt(bounded("jwks", address)?),
    };
    let scopes = Some(bounded("scope", scopes)?);
    add(tx, stamp, request, (proof, None), scopes)
}

fn bounded(field: &'static str, text: String) -> Result<String> {
    if text.is_empty() || text.len() > TEXT_BYTES_MAX {
        let what = format!("{field} has 1 to {TEXT_BYTES_MAX} bytes");
        return Err(Error::invalid(field, what));
    }
    Ok(text)
}

/// The client of this id, if it is good at `now`.
pub fn client(read: &Read<'_>, id: TokenId, now: Timestamp) -> Result<Option<Token>> {
    let columns = COLUMNS;
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {columns} FROM token t
         WHERE t.id = ?1 AND t.token_hash IS NULL AND t.revoked_at IS NULL
           AND (t.expires_at IS NULL OR t.expires_at > ?2)"
    ))?;
    let mut rows = statement.query((id, to_ms(now)))?;
    rows.next()?.map(from_row).transpose()
}

/// Takes an assertion whose signature fits, and answers an access token for these scopes. Without scopes
/// there is none; the assertion is used up nevertheless. *Unknown* if the client is no longer good or the
/// assertion was used before.
pub fn grant(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    assertion: &Assertion,
    scopes: Option<&str>,
) -> Result<Option<Secret>> {
    let Assertion { client: id, jti, expires_at } = assertion;
    let client = client(tx, *id, stamp.now)?.ok_or(Error::Unknown)?;
    sweep(tx, stamp.now)?;
    let used: i64 = tx
        .sql()
        .prepare_cached("SELECT count(*) FROM assertion WHERE client = ?1")?
        .query_row([id], |row| row.get(0))?;
    if used >= ASSERTIONS_MAX {
        let what = "too many tokens were asked for; use each for as long as it is good";
        return Err(Error::refused(Code::TooMany, what));
    }
    let is_new = tx
        .sql()
        .prepare_cached(
            "INSERT INTO assertion (client, jti_hash, expires_at) VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING",
        )?
        .execute((id, secret::hash(jti), to_ms(*expires_at)))?;
    if is_new == 0 {
        return Err(Error::Unknown);
    }
    let Some(scopes) = scopes else { return Ok(None) };
    let secret = Secret::new(ACCESS_PREFIX)?;
    let end = stamp.now.saturating_add(SignedDuration::from_secs(ACCESS_SECONDS));
    let end = end.map_err(|_| Error::Storage("the clock is at the end of time".into()))?;
    tx.sql()
        .prepare_cached(
            "INSERT INTO access_token (token_hash, client, scopes, expires_at)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((secret::hash(secret.text()), id, scopes, to_ms(end)))?;
    let stamp = Stamp { actor: Actor::Token(*id), role: client.role, ..*stamp };
    tx.audit(&stamp, "grant", Noun::Token, Some(id.as_bytes()), None)?;
    Ok(Some(secret))
}

/// Removes some of what is over.
fn sweep(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    for statement in [
        "DELETE FROM access_token WHERE token_hash IN
           (SELECT token_hash FROM access_token WHERE expires_at <= ?1 LIMIT ?2)",
        "DELETE FROM assertion WHERE (client, jti_hash) IN
           (SELECT client, jti_hash FROM assertion WHERE expires_at <= ?1 LIMIT ?2)",
    ] {
        tx.sql().prepare_cached(statement)?.execute((to_ms(now), SWEPT_PER_GRANT_MAX))?;
    }
    Ok(())
}

/// The client of an access token, with the scopes that it was granted, if both are good at `now`.
pub(super) fn of_access(read: &Read<'_>, text: &str, now: Timestamp) -> Result<Option<Token>> {
    let columns = COLUMNS;
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {columns}, a.scopes FROM access_token a JOIN token t ON t.id = a.client
         WHERE a.token_hash = ?1 AND a.expires_at > ?2 AND t.revoked_at IS NULL
           AND (t.expires_at IS NULL OR t.expires_at > ?2)"
    ))?;
    let mut rows = statement.query((secret::hash(text), to_ms(now)))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Token { scopes: row.get(10)?, ..from_row(row)? }))
}
