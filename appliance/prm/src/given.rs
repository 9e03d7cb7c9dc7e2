//! What other systems gave of a record of ours, as they gave it (FHIR: a resource), beside the
//! record: elements that the records have no place for come out again.

use rusqlite::OptionalExtension as _;

use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::Noun;
use crate::stamp::{Right, Stamp};

/// The longest text that is kept of one resource, in bytes: a scanned document has room in it.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Values by which one resource is found, at the most.
pub const KEYS_MAX: usize = 200;
/// The longest code or system of a value, in bytes; longer ones are cut.
pub const KEY_BYTES_MAX: usize = 400;

/// A value by which a resource is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The name of the search parameter.
    pub parameter: String,
    /// A code, a reference, a text; empty for a stretch of time.
    pub code: String,
    /// Whose code it is; empty where nobody is named.
    pub system: String,
    /// The beginning of a stretch of time in ms since 1970; 0 for a code.
    pub low: i64,
    /// Its end, not included; 0 for a code.
    pub high: i64,
}

/// Keeps what was given of a record, from this version of it on, and what the record is found by
/// because of it. `kind` is what others call such records (FHIR: the resource type).
pub fn keep(
    tx: &Tx<'_>,
    stamp: &Stamp,
    (noun, resource, version): (Noun, &[u8; 16], i64),
    (kind, body, keys): (&str, &str, &[Key]),
) -> Result<()> {
    stamp.needs(Right::to_write(noun))?;
    if body.len() > BODY_BYTES_MAX {
        return Err(Error::invalid("body", "a resource has at most 8 MiB; attach less to it"));
    }
    tx.sql()
        .prepare_cached(
            "INSERT INTO given (kind, resource, version, body) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (kind, resource, version) DO UPDATE SET body = excluded.body",
        )?
        .execute((kind, resource, version, body))?;
    index(tx, kind, resource, keys)
}

/// Makes a resource found by exactly these values.
pub(crate) fn index(tx: &Tx<'_>, kind: &str, resource: &[u8; 16], keys: &[Key]) -> Result<()> {
    if keys.len() > KEYS_MAX {
        return Err(Error::refused(
            Code::TooMany,
            format!("a resource is found by at most {KEYS_MAX} codes, references and times"),
        ));
    }
    tx.sql()
        .prepare_cached("DELETE FROM chart_value WHERE resource = ?1 AND kind = ?2")?
        .execute((resource, kind))?;
    let mut insert = tx.sql().prepare_cached(
        "INSERT OR IGNORE INTO chart_value (kind, parameter, code, low, high, system, resource)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for Key { parameter, code, system, low, high } in keys {
        insert.execute((kind, parameter, cut(code), low, high, cut(system), resource))?;
    }
    Ok(())
}

/// As much of a text as is kept of a value.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(KEY_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What was last given of a record up to this version of it as this kind, if anything was.
pub fn of(
    read: &Read<'_>,
    stamp: &Stamp,
    (noun, resource, version): (Noun, &[u8; 16], i64),
    kind: &str,
) -> Result<Option<String>> {
    stamp.needs(Right::to_read(noun))?;
    Ok(read
        .sql()
        .prepare_cached(
            "SELECT body FROM given WHERE kind = ?1 AND resource = ?2 AND version <= ?3
             ORDER BY version DESC LIMIT 1",
        )?
        .query_row((kind, resource, version), |row| row.get(0))
        .optional()?)
}
