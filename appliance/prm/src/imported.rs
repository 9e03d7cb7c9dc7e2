//! What came in files from other systems, and what it is here, so that it is the same the next time.
//!
//! This is a note of the box about itself and no record of the clinic: it has no versions and no line of
//! the audit. What is taken has both, by the verb of its noun.

use rusqlite::{OptionalExtension as _, Row};

use crate::db::{Read, Tx};
use crate::error::Result;
use crate::stamp::{Right, Stamp};

/// The longest name of a source, in bytes.
pub const SOURCE_BYTES_MAX: usize = 64;

/// Something that came in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The system that it came from.
    pub source: String,
    /// What it is (FHIR: the resource type).
    pub kind: String,
    /// What that system calls it (FHIR: the logical id).
    pub name: String,
    /// Its id here; it is of the same kind.
    pub local: String,
    /// The SHA-256 of what was given.
    pub given: [u8; 32],
    /// The version of the record once it was taken.
    pub version: i64,
    /// Whether it was on record already, and only what was missing was taken.
    pub merged: bool,
}

/// What came under this name, if it came before.
pub fn of(
    read: &Read<'_>,
    stamp: &Stamp,
    (source, kind, name): (&str, &str, &str),
) -> Result<Option<Imported>> {
    stamp.needs(Right::ReadChart)?;
    let found = read
        .sql()
        .prepare_cached(
            "SELECT local, given, version, merged FROM imported
             WHERE source = ?1 AND kind = ?2 AND name = ?3",
        )?
        .query_row((source, kind, name), |row: &Row<'_>| {
            Ok(Imported {
                source: source.to_owned(),
                kind: kind.to_owned(),
                name: name.to_owned(),
                local: row.get(0)?,
                given: row.get(1)?,
                version: row.get(2)?,
                merged: row.get(3)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Everything of a kind that came from a source, at most 10,000, by name.
pub fn all_of(
    read: &Read<'_>,
    stamp: &Stamp,
    (source, kind): (&str, &str),
) -> Result<Vec<Imported>> {
    stamp.needs(Right::ReadChart)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT name, local, given, version, merged FROM imported
         WHERE source = ?1 AND kind = ?2 ORDER BY name LIMIT 10000",
    )?;
    let rows = statement.query_map((source, kind), |row: &Row<'_>| {
        Ok(Imported {
            source: source.to_owned(),
            kind: kind.to_owned(),
            name: row.get(0)?,
            local: row.get(1)?,
            given: row.get(2)?,
            version: row.get(3)?,
            merged: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whether something that came under another name, from wherever, is this record, too. Known of
/// patients, practitioners and their roles.
pub fn is_another(
    read: &Read<'_>,
    stamp: &Stamp,
    local: &str,
    (source, kind, name): (&str, &str, &str),
) -> Result<bool> {
    stamp.needs(Right::ReadChart)?;
    Ok(read
        .sql()
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM imported WHERE local = ?1
               AND kind IN ('Patient', 'Practitioner', 'PractitionerRole')
               AND kind = ?3 AND NOT (source = ?2 AND name = ?4))",
        )?
        .query_row((local, source, kind, name), |row| row.get(0))?)
}

/// Notes what something became, in place of what was noted before.
pub fn remember(tx: &mut Tx<'_>, stamp: &Stamp, imported: &Imported) -> Result<()> {
    stamp.needs(Right::WriteChart)?;
    let Imported { source, kind, name, local, given, version, merged } = imported;
    tx.sql()
        .prepare_cached(
            "INSERT INTO imported (source, kind, name, local, given, version, merged)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (source, kind, name) DO UPDATE SET local = excluded.local,
               given = excluded.given, version = excluded.version, merged = excluded.merged",
        )?
        .execute((source, kind, name, local, given, version, merged))?;
    if matches!(kind.as_str(), "Patient" | "Practitioner" | "PractitionerRole") {
        // A practitioner and the role are one record, as are two that were merged.
        tx.sql()
            .prepare_cached(
                "UPDATE imported SET version = ?1 WHERE local = ?2
                   AND kind IN ('Patient', 'Practitioner', 'PractitionerRole')",
            )?
            .execute((version, local))?;
    }
    Ok(())
}
