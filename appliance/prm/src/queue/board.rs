//! The waiting room's board: tokens and rooms, never a name.

use jiff::Timestamp;

use super::Status;
use super::row::token;
use crate::clinic;
use crate::db::Read;
use crate::error::Result;
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, local_date};

/// Called tokens that the board shows at the most.
const CALLED_MAX: u32 = 12;
/// Waiting tokens that the board shows at the most.
const WAITING_MAX: u32 = 60;

/// A token that was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// What is on the ticket.
    pub token: String,
    /// Where to go.
    pub room: Option<String>,
    /// When it was last called.
    pub called_at: Timestamp,
    /// How often it was called.
    pub calls: i64,
}

/// A token that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What is on the ticket.
    pub token: String,
    /// Where it will be.
    pub room: Option<String>,
}

/// What the waiting room sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// Called tokens, the newest first.
    pub called: Vec<Called>,
    /// Waiting tokens in the order of the line.
    pub waiting: Vec<Waiting>,
}

/// The board as it is now.
pub fn board(read: &Read<'_>, stamp: &Stamp) -> Result<Board> {
    stamp.needs(Right::ReadBoard)?;
    let today = local_date(&clinic::get(read)?.zone, stamp.now).to_string();
    let mut called = read.sql().prepare_cached(
        "SELECT q.prefix, q.number, l.name, q.called_at, q.calls
         FROM queue_entry q LEFT JOIN location l ON l.id = q.location
         WHERE q.date = ?1 AND q.status = ?2 AND q.called_at IS NOT NULL
         ORDER BY q.called_at DESC, q.id LIMIT ?3",
    )?;
    let called = called.query_map((&today, Status::Called.as_str(), CALLED_MAX), |row| {
        Ok(Called {
            token: token(&row.get::<_, String>(0)?, row.get(1)?),
            room: row.get(2)?,
            called_at: from_ms(row.get(3)?),
            calls: row.get(4)?,
        })
    })?;
    let called = called.collect::<rusqlite::Result<_>>()?;
    let mut waiting = read.sql().prepare_cached(
        "SELECT q.prefix, q.number, l.name
         FROM queue_entry q LEFT JOIN location l ON l.id = q.location
         WHERE q.date = ?1 AND q.status = ?2 ORDER BY q.due, q.joined_at, q.id LIMIT ?3",
    )?;
    let waiting = waiting.query_map((&today, Status::Waiting.as_str(), WAITING_MAX), |row| {
        Ok(Waiting { token: token(&row.get::<_, String>(0)?, row.get(1)?), room: row.get(2)? })
    })?;
    let waiting = waiting.collect::<rusqlite::Result<_>>()?;
    Ok(Board { called, waiting })
}
