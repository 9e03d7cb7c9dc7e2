//! Whether somebody wants messages that they did not ask for, by their own last word.
//!
//! Invariant: what was said at an address holds for the address, whoever else is reached there.

use jiff::Timestamp;
use rusqlite::OptionalExtension as _;

use crate::conversation::{self, Address};
use crate::db::{Read, Tx};
use crate::error::Result;
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// Somebody's last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Whether messages are wanted.
    pub wanted: bool,
    /// When that was said.
    pub said_at: Timestamp,
}

/// The last word that was said at an address, if there was any.
pub fn at(read: &Read<'_>, stamp: &Stamp, address: &Address) -> Result<Option<Consent>> {
    stamp.needs(Right::Converse)?;
    let found = read
        .sql()
        .prepare_cached("SELECT wanted, said_at FROM consent WHERE family = ?1 AND address = ?2")?
        .query_row((address.family(), address.as_str()), |row| {
            Ok(Consent { wanted: row.get(0)?, said_at: from_ms(row.get(1)?) })
        })
        .optional()?;
    Ok(found)
}

/// No messages are wanted there from now on, except answers.
pub fn stop(tx: &mut Tx<'_>, stamp: &Stamp, address: &Address) -> Result<()> {
    say(tx, (stamp, "stop"), address, false)
}

/// Messages are wanted there.
pub fn allow(tx: &mut Tx<'_>, stamp: &Stamp, address: &Address) -> Result<()> {
    say(tx, (stamp, "allow"), address, true)
}

fn say(
    tx: &mut Tx<'_>,
    (stamp, verb): (&Stamp, &'static str),
    address: &Address,
    wanted: bool,
) -> Result<()> {
    stamp.needs(Right::Converse)?;
    tx.sql()
        .prepare_cached(
            "INSERT INTO consent (family, address, wanted, said_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (family, address) DO UPDATE
             SET wanted = excluded.wanted, said_at = excluded.said_at",
        )?
        .execute((address.family(), address.as_str(), wanted, to_ms(stamp.now)))?;
    // Where the address is in no conversation, there is nothing that an audit line could name.
    let Some(id) = conversation::at_address(tx, stamp, address)? else { return Ok(()) };
    conversation::noted(tx, (stamp, verb), id)
}
