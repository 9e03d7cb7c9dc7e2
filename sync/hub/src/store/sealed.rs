//! Where sealed rows are, and the keys of clinics: what is needed to give a clinic a new key.

use super::Stored;
use super::sql::{Tx, params};

/// A column whose values are sealed by the clinic's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The table.
    pub table: &'static str,
    /// What stands before the place in what the value is bound to.
    pub prefix: &'static str,
    /// The column that says for which place a value was sealed; a clinic has each once.
    pub place: &'static str,
    /// The column.
    pub column: &'static str,
}

/// All that is sealed. A test compares it with the schema: a column of bytes is here, or is said there
/// to be no secret.
pub const SEALED: [Sealed; 15] = [
    Sealed { table: "record", prefix: "", place: "key", column: "body" },
    Sealed { table: "parked", prefix: "", place: "key", column: "body" },
    Sealed { table: "request", prefix: "request ", place: "id", column: "body" },
    Sealed { table: "reply", prefix: "reply ", place: "id", column: "body" },
    Sealed { table: "sale", prefix: "sale/", place: "booking", column: "body" },
    Sealed { table: "index_state", prefix: "index ", place: "clinic", column: "key" },
    Sealed { table: "hold", prefix: "hold ", place: "id", column: "body" },
    Sealed { table: "idempotency", prefix: "idempotency ", place: "id", column: "body" },
    Sealed { table: "channel", prefix: "channel ", place: "id", column: "body" },
    Sealed { table: "message_in", prefix: "message in ", place: "id", column: "body" },
    Sealed { table: "message_out", prefix: "message out ", place: "id", column: "body" },
    Sealed { table: "media_in", prefix: "media in ", place: "id", column: "body" },
    Sealed { table: "media_out", prefix: "media out ", place: "id", column: "body" },
    Sealed { table: "reception_facts", prefix: "facts ", place: "clinic", column: "body" },
    Sealed { table: "dialogue", prefix: "dialogue ", place: "peer", column: "body" },
];

/// A place, and what is sealed there, if anything is.
pub type AtPlace = (Vec<u8>, Option<Vec<u8>>);

/// Puts the wrapped keys of a clinic in place of those it has.
///
/// # Errors
/// [`super::StoreError`].
pub fn put_wrapped_key(tx: &Tx<'_>, clinic: [u8; 16], wrapped: &[u8]) -> Stored<()> {
    tx.execute("UPDATE clinic SET wrapped_key = ?2 WHERE id = ?1", params![&clinic, wrapped])?;
    Ok(())
}

/// The next places after one, with what is sealed there, in order; at most `limit`.
///
/// # Errors
/// [`super::StoreError`].
pub fn sealed_after(
    tx: &Tx<'_>,
    sealed: &Sealed,
    clinic: [u8; 16],
    after: &[u8],
    limit: u32,
) -> Stored<Vec<AtPlace>> {
    let Sealed { table, prefix: _, place, column } = sealed;
    let sql = format!(
        "SELECT {place}, {column} FROM {table} WHERE clinic = ?1 AND {place} > ?2
         ORDER BY {place} LIMIT ?3"
    );
    tx.rows(&sql, params![&clinic, after, limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Puts what is sealed anew in place of what was.
///
/// # Errors
/// [`super::StoreError`].
pub fn put_sealed(
    tx: &Tx<'_>,
    sealed: &Sealed,
    clinic: [u8; 16],
    place: &[u8],
    anew: &[u8],
) -> Stored<()> {
    let Sealed { table, prefix: _, place: named, column } = sealed;
    let sql = format!("UPDATE {table} SET {column} = ?3 WHERE clinic = ?1 AND {named} = ?2");
    tx.execute(&sql, params![&clinic, place, anew])?;
    Ok(())
}

/// How many values of a clinic were sealed by another key than the one with this number.
///
/// # Errors
/// [`super::StoreError`].
pub fn count_not_sealed_by(
    tx: &Tx<'_>,
    sealed: &Sealed,
    clinic: [u8; 16],
    number: &[u8; 4],
) -> Stored<i64> {
    let Sealed { table, prefix: _, place: _, column } = sealed;
    let sql =
        format!("SELECT count(*) FROM {table} WHERE clinic = ?1 AND substr({column}, 1, 4) <> ?2");
    Ok(tx.row(&sql, params![&clinic, number], |row| row.get(0))?.unwrap_or(0))
}
