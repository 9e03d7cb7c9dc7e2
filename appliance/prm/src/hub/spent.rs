//! What the line to the hub has cost today, and whether something waits for tomorrow's budget.

use rusqlite::OptionalExtension as _;

use crate::db::{Read, Tx};
use crate::error::Result;
use crate::stamp::{Right, Stamp};

/// What a day has cost, as it was noted last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// The clinic's date, in days since 1970.
    pub day: i64,
    /// Bytes up and down.
    pub bytes: i64,
    /// The budget of a day in bytes, if there is one.
    pub budget: Option<i64>,
    /// Whether something waits for the next day.
    pub waits: bool,
}

/// What was noted last; nothing before the first note.
pub fn spent(read: &Read<'_>) -> Result<Spent> {
    let found = read
        .sql()
        .prepare_cached("SELECT day, bytes, budget, waits FROM sync_spent")?
        .query_row([], |row| {
            Ok(Spent {
                day: row.get(0)?,
                bytes: row.get(1)?,
                budget: row.get(2)?,
                waits: row.get(3)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Notes what a day has cost, in place of what was noted before.
pub fn note_spent(tx: &mut Tx<'_>, stamp: &Stamp, spent: Spent) -> Result<()> {
    stamp.needs(Right::Export)?;
    let Spent { day, bytes, budget, waits } = spent;
    tx.sql()
        .prepare_cached(
            "INSERT OR REPLACE INTO sync_spent (only, day, bytes, budget, waits)
             VALUES (1, ?1, ?2, ?3, ?4)",
        )?
        .execute((day, bytes, budget, waits))?;
    Ok(())
}
