//! By which terms records are found. Terms come hashed; nothing here knows what they say.

use std::collections::BTreeSet;

use super::sql::{Tx, params};
use super::{StoreError, Stored};

/// The length of a term, in bytes.
pub const TERM_BYTES: usize = 16;

/// The version of an index that is still to be made.
const NEVER_MADE: i64 = 0;
/// As many keys are read at once.
const AT_ONCE: u32 = 1_000;

/// A term: the beginning of a keyed hash.
pub type Term = [u8; TERM_BYTES];

/// How far the index of a clinic is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexState {
    /// Every record is found by its terms.
    Whole,
    /// It is to be made from the beginning, or after this record.
    Part(Option<Vec<u8>>),
}

/// How far the index of a clinic is made by a version of the terms.
///
/// # Errors
/// [`StoreError`].
pub fn index_state(tx: &Tx<'_>, clinic: [u8; 16], version: i64) -> Stored<IndexState> {
    let sql = "SELECT version, through FROM index_state WHERE clinic = ?1";
    let found = tx.row(sql, params![&clinic], |row| {
        Ok((row.get::<i64>(0)?, row.get::<Option<Vec<u8>>>(1)?))
    })?;
    Ok(match found {
        Some((by, None)) if by == version => IndexState::Whole,
        Some((by, Some(through))) if by == version => IndexState::Part(Some(through)),
        Some(_) => IndexState::Part(None),
        // Of nothing the index is whole.
        None if is_empty(tx, clinic)? => IndexState::Whole,
        None => IndexState::Part(None),
    })
}

/// The key of a clinic's index, sealed; none if the index was never begun.
///
/// # Errors
/// [`StoreError`].
pub fn index_key(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Option<Vec<u8>>> {
    tx.row("SELECT key FROM index_state WHERE clinic = ?1", params![&clinic], |row| row.get(0))
}

/// Begins the index of a clinic with this key, sealed: from then on each record is indexed as it is
/// written. It is whole if nothing is held yet.
///
/// # Errors
/// [`StoreError`].
pub fn begin_index(tx: &Tx<'_>, clinic: [u8; 16], sealed_key: &[u8], version: i64) -> Stored<()> {
    let sql = "INSERT INTO index_state (clinic, key, version) VALUES (?1, ?2, ?3)";
    let version = if is_empty(tx, clinic)? { version } else { NEVER_MADE };
    tx.execute(sql, params![&clinic, sealed_key, version])?;
    Ok(())
}

/// Notes how far the index of a clinic is made: as far as a record, or whole.
///
/// # Errors
/// [`StoreError`].
pub fn note_index(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    version: i64,
    through: Option<&[u8]>,
) -> Stored<()> {
    let sql = "UPDATE index_state SET version = ?2, through = ?3 WHERE clinic = ?1";
    tx.execute(sql, params![&clinic, version, through])?;
    Ok(())
}

fn is_empty(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<bool> {
    let sql = "SELECT key FROM record WHERE clinic = ?1 LIMIT 1";
    Ok(tx.row(sql, params![&clinic], |row| row.get::<Vec<u8>>(0))?.is_none())
}

/// Lets a record be found by these terms and no other; by none if it is gone.
///
/// # Errors
/// [`StoreError`].
pub fn put_terms(tx: &Tx<'_>, clinic: [u8; 16], key: &[u8], terms: &[Term]) -> Stored<()> {
    let new: BTreeSet<Term> = terms.iter().copied().collect();
    let old = terms_of(tx, clinic, key)?;
    if new == old {
        return Ok(());
    }
    for term in old.difference(&new) {
        let sql = "DELETE FROM record_index WHERE clinic = ?1 AND term = ?2 AND key = ?3";
        tx.execute(sql, params![&clinic, term, key])?;
    }
    for term in new.difference(&old) {
        let sql = "INSERT INTO record_index (clinic, term, key) VALUES (?1, ?2, ?3)
            ON CONFLICT (clinic, term, key) DO NOTHING";
        tx.execute(sql, params![&clinic, term, key])?;
    }
    if new.is_empty() {
        let sql = "DELETE FROM record_terms WHERE clinic = ?1 AND key = ?2";
        tx.execute(sql, params![&clinic, key])?;
        return Ok(());
    }
    let all = new.into_iter().collect::<Vec<Term>>().concat();
    let sql = "INSERT INTO record_terms (clinic, key, terms) VALUES (?1, ?2, ?3)
        ON CONFLICT (clinic, key) DO UPDATE SET terms = excluded.terms";
    tx.execute(sql, params![&clinic, key, &all])?;
    Ok(())
}

/// Takes out the terms of all records that a full statement of the box did not name.
///
/// # Errors
/// [`StoreError`].
pub fn forget_terms_before(tx: &Tx<'_>, clinic: [u8; 16], statement: i64) -> Stored<()> {
    let sql = "SELECT key FROM record WHERE clinic = ?1 AND key > ?2 AND statement < ?3
        ORDER BY key LIMIT ?4";
    let mut after = Vec::new();
    loop {
        let params = params![&clinic, &after, statement, AT_ONCE];
        let keys = tx.rows(sql, params, |row| row.get::<Vec<u8>>(0))?;
        let Some(last) = keys.last() else { return Ok(()) };
        for key in &keys {
            put_terms(tx, clinic, key, &[])?;
        }
        after.clone_from(last);
    }
}

fn terms_of(tx: &Tx<'_>, clinic: [u8; 16], key: &[u8]) -> Stored<BTreeSet<Term>> {
    let sql = "SELECT terms FROM record_terms WHERE clinic = ?1 AND key = ?2";
    let found = tx.row(sql, params![&clinic, key], |row| row.get::<Vec<u8>>(0))?;
    let (terms, rest) = found.as_deref().unwrap_or_default().as_chunks::<TERM_BYTES>();
    if rest.is_empty() {
        Ok(terms.iter().copied().collect())
    } else {
        Err(StoreError::Damaged("the terms of a record"))
    }
}

/// The records that have this term, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn keys_with(tx: &Tx<'_>, clinic: [u8; 16], term: &Term, limit: u32) -> Stored<Vec<Vec<u8>>> {
    let sql = "SELECT key FROM record_index WHERE clinic = ?1 AND term = ?2 ORDER BY key LIMIT ?3";
    tx.rows(sql, params![&clinic, term, limit], |row| row.get(0))
}

/// The records of a type after a key in the order of their keys, sealed, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn records_after(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    (resource_type, after): (&str, Option<&[u8]>),
    limit: u32,
) -> Stored<Vec<(Vec<u8>, Vec<u8>)>> {
    // No key is shorter than one byte.
    let after = after.unwrap_or_default();
    let sql = "SELECT key, body FROM record WHERE clinic = ?1 AND type = ?2 AND key > ?3
        ORDER BY key LIMIT ?4";
    tx.rows(sql, params![&clinic, resource_type, after, limit], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}
