//! Who bought what the hub sold, as it was told, until it is in the diary.

use rusqlite::OptionalExtension as _;

use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::AppointmentId;
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// The longest that is told about one sale, in bytes.
pub const SALE_BYTES_MAX: usize = 16 * 1024;
/// As many sales are kept that are not in the diary yet.
pub const SALES_MAX: i64 = 20_000;

/// Keeps who bought; what is known of a booking already stays.
pub fn keep_details(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    booking: AppointmentId,
    body: &[u8],
) -> Result<()> {
    stamp.needs(Right::Book)?;
    if body.len() > SALE_BYTES_MAX {
        return Err(Error::invalid("sale", "what is told about a sale has at most 16 KiB"));
    }
    let kept: i64 = tx
        .sql()
        .prepare_cached("SELECT count(*) FROM loan_sale")?
        .query_row([], |row| row.get(0))?;
    if kept >= SALES_MAX {
        return Err(Error::Busy);
    }
    tx.sql()
        .prepare_cached(
            "INSERT INTO loan_sale (booking, body, heard_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (booking) DO NOTHING",
        )?
        .execute((booking, body, to_ms(stamp.now)))?;
    Ok(())
}

/// Who bought, if it was told.
pub fn details(read: &Read<'_>, stamp: &Stamp, booking: AppointmentId) -> Result<Option<Vec<u8>>> {
    stamp.needs(Right::ReadPatients)?;
    let found = read
        .sql()
        .prepare_cached("SELECT body FROM loan_sale WHERE booking = ?1")?
        .query_row([booking], |row| row.get(0))
        .optional()?;
    Ok(found)
}

/// Forgets what was told about a sale that is in the diary.
pub fn forget_details(tx: &mut Tx<'_>, stamp: &Stamp, booking: AppointmentId) -> Result<()> {
    stamp.needs(Right::Book)?;
    tx.sql().prepare_cached("DELETE FROM loan_sale WHERE booking = ?1")?.execute([booking])?;
    Ok(())
}

/// Sales of loans that are away of which it was not told who bought, at most `limit`.
pub fn wanting(read: &Read<'_>, limit: u32) -> Result<Vec<AppointmentId>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT sale FROM loan WHERE holder = 'away' AND sale IS NOT NULL
           AND sale NOT IN (SELECT booking FROM loan_sale) ORDER BY start, id LIMIT ?1",
    )?;
    let rows = statement.query_map([limit], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What a patient showed here of a sale that cannot be adopted before it is known who bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The sale.
    pub booking: AppointmentId,
    /// The slot, as the protocol names it.
    pub slot: Vec<u8>,
    /// The loan: generation and epoch.
    pub fence: (i64, i64),
}

/// Keeps what was shown; shown again, it is kept once.
pub fn keep_confirmation(tx: &mut Tx<'_>, stamp: &Stamp, shown: &Confirmation) -> Result<()> {
    stamp.needs(Right::CheckIn)?;
    let kept: i64 = tx
        .sql()
        .prepare_cached("SELECT count(*) FROM loan_shown")?
        .query_row([], |row| row.get(0))?;
    if kept >= SALES_MAX {
        return Err(Error::Busy);
    }
    let Confirmation { booking, slot, fence: (generation, epoch) } = shown;
    tx.sql()
        .prepare_cached(
            "INSERT INTO loan_shown (booking, slot, generation, epoch, shown_at)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (booking) DO NOTHING",
        )?
        .execute((booking, slot, generation, epoch, to_ms(stamp.now)))?;
    Ok(())
}

/// What was shown and waits, the oldest first, at most `limit`.
pub fn shown(read: &Read<'_>, limit: u32) -> Result<Vec<Confirmation>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT booking, slot, generation, epoch FROM loan_shown ORDER BY shown_at LIMIT ?1",
    )?;
    let rows = statement.query_map([limit], |row| {
        Ok(Confirmation {
            booking: row.get(0)?,
            slot: row.get(1)?,
            fence: (row.get(2)?, row.get(3)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Forgets what was shown, because the sale is in the diary or became work for the desk.
pub fn forget_confirmation(tx: &mut Tx<'_>, stamp: &Stamp, booking: AppointmentId) -> Result<()> {
    stamp.needs(Right::Book)?;
    tx.sql().prepare_cached("DELETE FROM loan_shown WHERE booking = ?1")?.execute([booking])?;
    Ok(())
}
