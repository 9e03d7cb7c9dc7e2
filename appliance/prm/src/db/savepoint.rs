//! A part of a transaction that can be undone alone.

use super::Tx;
use super::chain::Chain;
use crate::error::{Error, Result};

/// Where a part of a transaction began. Parts do not lie within each other.
#[must_use = "a part is released or undone"]
pub struct Savepoint {
    chain: Chain,
}

impl Tx<'_> {
    /// Begins a part: what is written from here on can be undone, and the rest of the transaction
    /// stands.
    ///
    /// # Errors
    /// Those of the database.
    pub fn savepoint(&mut self) -> Result<Savepoint> {
        self.sql().prepare_cached("SAVEPOINT part")?.execute([])?;
        Ok(Savepoint { chain: self.chain.clone() })
    }

    /// Lets the part stand as far as the transaction does.
    ///
    /// # Errors
    /// Those of the database.
    pub fn release(&mut self, at: Savepoint) -> Result<()> {
        drop(at);
        self.sql().prepare_cached("RELEASE part")?.execute([])?;
        Ok(())
    }

    /// Undoes the part.
    ///
    /// # Errors
    /// *Full* if SQLite gave up the whole transaction, as it does when the disk is full.
    pub fn undo(&mut self, at: Savepoint) -> Result<()> {
        if self.sql().is_autocommit() {
            return Err(Error::Full);
        }
        *self.chain = at.chain;
        self.sql().prepare_cached("ROLLBACK TO part")?.execute([])?;
        self.sql().prepare_cached("RELEASE part")?.execute([])?;
        Ok(())
    }
}
