//! Forward-only migrations, each in a transaction of its own, with a copy kept before.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::OpenError;
use super::key::Keys;

/// The migrations in order; the first brings an empty file to format 1. Never edited once
/// they have been on a clinic's box.
const MIGRATIONS: [&str; 23] = [
    include_str!("../../../../migrations/appliance/0001_clinic.sql"),
    include_str!("../../../../migrations/appliance/0002_dismissed_pair.sql"),
    include_str!("../../../../migrations/appliance/0003_diary_index.sql"),
    include_str!("../../../../migrations/appliance/0004_chart.sql"),
    include_str!("../../../../migrations/appliance/0005_smart.sql"),
    include_str!("../../../../migrations/appliance/0006_import.sql"),
    include_str!("../../../../migrations/appliance/0007_search_indexes.sql"),
    include_str!("../../../../migrations/appliance/0008_audit_of_writes.sql"),
    include_str!("../../../../migrations/appliance/0009_sync.sql"),
    include_str!("../../../../migrations/appliance/0010_loan.sql"),
    include_str!("../../../../migrations/appliance/0011_request.sql"),
    include_str!("../../../../migrations/appliance/0012_sync_spent.sql"),
    include_str!("../../../../migrations/appliance/0013_sent_reply.sql"),
    include_str!("../../../../migrations/appliance/0014_conversation.sql"),
    include_str!("../../../../migrations/appliance/0015_wording.sql"),
    include_str!("../../../../migrations/appliance/0016_waitlist.sql"),
    include_str!("../../../../migrations/appliance/0017_reminder.sql"),
    include_str!("../../../../migrations/appliance/0018_media.sql"),
    include_str!("../../../../migrations/appliance/0019_desk.sql"),
    include_str!("../../../../migrations/appliance/0020_call.sql"),
    include_str!("../../../../migrations/appliance/0021_away.sql"),
    include_str!("../../../../migrations/appliance/0022_email.sql"),
    include_str!("../../../../migrations/appliance/0023_declined_offer.sql"),
];

/// The newest format.
pub const LATEST: i64 = MIGRATIONS.len() as i64;

/// Refuses a database that a newer program made, before anything is written to it.
pub(super) fn refuse_newer(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let found = version(conn).map_err(|error| super::failed(path, &error))?;
    if found > LATEST {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: LATEST });
    }
    Ok(())
}

/// Brings the database to the latest format.
pub(super) fn run(conn: &Connection, path: &Path, keys: &Keys) -> Result<(), OpenError> {
    let from = version(conn).map_err(|error| super::failed(path, &error))?;
    if from > 0 && from < LATEST {
        let copy = copy_path(path, from);
        vacuum_into(conn, &copy).map_err(|error| OpenError::Migration {
            to: LATEST,
            why: format!("the copy {} could not be made: {error}", copy.display()),
        })?;
        prove(&copy, keys)?;
    }
    for (to, sql) in (1..).zip(MIGRATIONS) {
        if to > from {
            let step = || -> rusqlite::Result<()> {
                let tx = conn.unchecked_transaction()?;
                tx.execute_batch(sql)?;
                tx.pragma_update(None, "user_version", to)?;
                tx.commit()
            };
            step().map_err(|error| OpenError::Migration { to, why: error.to_string() })?;
        }
    }
    Ok(())
}

/// Writes a copy of the database to `to`, which must not exist, under the same key.
pub(super) fn vacuum_into(conn: &Connection, to: &Path) -> rusqlite::Result<()> {
    conn.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
    Ok(())
}

fn version(conn: &Connection) -> rusqlite::Result<i64> {
    let version =
        conn.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).optional()?;
    Ok(version.unwrap_or(0))
}

fn copy_path(path: &Path, from: i64) -> PathBuf {
    let free = (0..).map(|nth| {
        let suffix = if nth == 0 { String::new() } else { format!("-{nth}") };
        path.with_extension(format!("format-{from}{suffix}.db"))
    });
    free.into_iter().find(|copy| !copy.exists()).unwrap_or_else(|| path.with_extension("copy.db"))
}

fn prove(copy: &Path, keys: &Keys) -> Result<(), OpenError> {
    super::connect_reader(copy, keys).map(drop)
}
