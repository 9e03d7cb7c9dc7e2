//! Whether this life of the box knows what the hub sold before it began.
//!
//! A box that was restored or replaced, or that joined another hub, does not know what was lent and
//! sold meanwhile. Until it has heard the hub's accounts it books and lends nothing that may have been
//! sold, because a slot would be given to two people. A box that never joined a hub has nothing to learn.

use rusqlite::OptionalExtension as _;

use crate::db::{Read, Tx};
use crate::error::Result;
use crate::id::LogId;
use crate::stamp::{Right, Stamp};

/// A slot that begins later than this was not lent by any life of the box, in days: the longest horizon.
pub const LENT_AHEAD_DAYS_MAX: i64 = 35;

/// In which life a box knows what its hub sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// The log of that life.
    pub log: LogId,
    /// The box's id at the hub.
    pub box_id: [u8; 16],
    /// The generation that the hub gave it.
    pub generation: i64,
}

/// What was learned last, in whatever life.
pub fn learned(read: &Read<'_>) -> Result<Option<Learned>> {
    let found = read
        .sql()
        .prepare_cached("SELECT log, box, generation FROM loan_standing")?
        .query_row([], |row| {
            Ok(Learned { log: row.get(0)?, box_id: row.get(1)?, generation: row.get(2)? })
        })
        .optional()?;
    Ok(found)
}

/// Whether the box has joined a hub and does not know yet, in this life, what that hub sold.
pub fn is_unlearned(read: &Read<'_>) -> Result<bool> {
    Ok(read
        .sql()
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM hub) AND NOT EXISTS (
               SELECT 1 FROM hub h, log l, loan_standing s
               LEFT JOIN sync_state y ON y.log = l.id AND y.generation IS NOT NULL
               WHERE s.log = l.id AND s.box = h.box
                 AND (y.generation IS NULL OR y.generation = s.generation))",
        )?
        .query_row([], |row| row.get(0))?)
}

/// Notes that the box knows all that its hub has to say.
pub fn has_learned(tx: &mut Tx<'_>, stamp: &Stamp, learned: &Learned) -> Result<()> {
    stamp.needs(Right::Export)?;
    let Learned { log, box_id, generation } = learned;
    tx.sql()
        .prepare_cached(
            "INSERT INTO loan_standing (only, log, box, generation) VALUES (1, ?1, ?2, ?3)
             ON CONFLICT (only) DO UPDATE SET log = excluded.log, box = excluded.box,
               generation = excluded.generation",
        )?
        .execute((log, box_id, generation))?;
    Ok(())
}
