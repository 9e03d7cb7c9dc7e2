//! What the hub was told of what it may say while the box is away.

use rusqlite::OptionalExtension as _;

use crate::db::{Read, Tx};
use crate::error::Result;
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// A digest (SHA-256) of what the hub was told last, if it was told anything.
pub fn told_facts(read: &Read<'_>) -> Result<Option<[u8; 32]>> {
    let mut statement = read.sql().prepare_cached("SELECT digest FROM told_facts")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// The hub is told something else, in the transaction that puts it into a row.
pub fn tell_facts(tx: &mut Tx<'_>, stamp: &Stamp, digest: [u8; 32]) -> Result<()> {
    stamp.needs(Right::Converse)?;
    tx.sql()
        .prepare_cached(
            "INSERT INTO told_facts (one, digest, told_at) VALUES (1, ?1, ?2)
             ON CONFLICT (one) DO UPDATE SET digest = excluded.digest, told_at = excluded.told_at",
        )?
        .execute((digest, to_ms(stamp.now)))?;
    Ok(())
}
