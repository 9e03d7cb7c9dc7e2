//! The people whom patients come to see (FHIR Practitioner with its PractitionerRole).

pub mod field;

use serde::{Deserialize, Serialize};

use crate::change::next_version;
use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{LocationId, Noun, PractitionerId};
use crate::location;
use crate::past;
use crate::stamp::{Right, Stamp};

/// Specialities of one practitioner at the most.
pub const SPECIALTIES_MAX: usize = 20;
/// The letter of tokens that the desk gives out itself.
pub const DESK_PREFIX: &str = "D";

/// Somebody whom patients come to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Practitioner {
    /// The id.
    pub id: PractitionerId,
    /// Grows with each edit.
    pub version: i64,
    /// The name with its title.
    pub name: String,
    /// Specialities as lower-case words, the main one first.
    pub specialties: Vec<String>,
    /// The letters that begin the tokens of this practitioner's queue.
    pub token_prefix: String,
    /// The usual room, for sessions that name none.
    pub location: Option<LocationId>,
    /// Whether patients can be booked.
    pub active: bool,
}

/// What is said to add a practitioner.
#[derive(Clone, Debug)]
pub struct Addition {
    /// The name with its title.
    pub name: String,
    /// Specialities in any case.
    pub specialties: Vec<String>,
    /// The usual room.
    pub location: Option<LocationId>,
}

/// What is to be changed; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The name with its title.
    pub name: Option<String>,
    /// Specialities in any case; replaces all.
    pub specialties: Option<Vec<String>>,
    /// The usual room; `Some(None)` takes it away.
    pub location: Option<Option<LocationId>>,
    /// Whether patients can be booked.
    pub active: Option<bool>,
}

/// Adds a practitioner and gives the queue its letter.
pub fn add(tx: &mut Tx<'_>, stamp: &Stamp, addition: Addition) -> Result<Practitioner> {
    stamp.needs(Right::WriteDiary)?;
    let Addition { name, specialties, location } = addition;
    let name = contact::name("name", &name)?;
    let specialties = checked_specialties(specialties)?;
    if let Some(location) = location {
        location::must_be_active(tx, location)?;
    }
    let id = PractitionerId::new(stamp.now);
    let token_prefix = free_prefix(tx)?;
    tx.sql()
        .prepare_cached(
            "INSERT INTO practitioner (id, version, name, token_prefix, location, active)
             VALUES (?1, 1, ?2, ?3, ?4, 1)",
        )?
        .execute((id, &name, &token_prefix, location))?;
    write_specialties(tx, id, &specialties)?;
    tx.record(stamp, "add", (Noun::Practitioner, id.as_bytes(), 1), None)?;
    Ok(Practitioner { id, version: 1, name, specialties, token_prefix, location, active: true })
}

/// Changes a practitioner.
pub fn edit(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: PractitionerId,
    seen: Option<i64>,
    edit: Edit,
) -> Result<Practitioner> {
    stamp.needs(Right::WriteDiary)?;
    let before = get(tx, stamp, id)?;
    let version = next_version(before.version, seen)?;
    past::keep(tx, (Noun::Practitioner, id.as_bytes(), before.version), &before)?;
    let Edit { name, specialties, location, active } = edit;
    let name = match name {
        Some(name) => contact::name("name", &name)?,
        None => before.name,
    };
    let specialties = match specialties {
        Some(specialties) => {
            let specialties = checked_specialties(specialties)?;
            write_specialties(tx, id, &specialties)?;
            specialties
        }
        None => before.specialties,
    };
    let location = location.unwrap_or(before.location);
    // A room that stays is not looked at, so that one out of use keeps nobody from other edits.
    if let Some(chosen) = location
        && location != before.location
    {
        location::must_be_active(tx, chosen)?;
    }
    let active = active.unwrap_or(before.active);
    tx.sql()
        .prepare_cached(
            "UPDATE practitioner SET version = ?2, name = ?3, location = ?4, active = ?5 WHERE id = ?1",
        )?
        .execute((id, version, &name, location, active))?;
    tx.record(stamp, "edit", (Noun::Practitioner, id.as_bytes(), version), None)?;
    let token_prefix = before.token_prefix;
    Ok(Practitioner { id, version, name, specialties, token_prefix, location, active })
}

/// A practitioner as it was at a version; *not found* if there never was such a version.
pub fn at_version(
    read: &Read<'_>,
    stamp: &Stamp,
    id: PractitionerId,
    version: i64,
) -> Result<Practitioner> {
    let newest = get(read, stamp, id)?;
    past::at(read, (Noun::Practitioner, id.as_bytes(), version), newest)
}

/// One practitioner.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: PractitionerId) -> Result<Practitioner> {
    stamp.needs(Right::ReadDiary)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, name, token_prefix, location, active FROM practitioner WHERE id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(Error::NotFound(Noun::Practitioner))?;
    from_row(read, row)
}

/// All practitioners by name.
pub fn list(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<Practitioner>> {
    stamp.needs(Right::ReadDiary)?;
    all(read)
}

/// All practitioners by name, whoever asks: for queries that show less of them.
pub(crate) fn all(read: &Read<'_>) -> Result<Vec<Practitioner>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, name, token_prefix, location, active FROM practitioner ORDER BY name, id",
    )?;
    let mut rows = statement.query([])?;
    let mut practitioners = Vec::new();
    while let Some(row) = rows.next()? {
        practitioners.push(from_row(read, row)?);
    }
    Ok(practitioners)
}

/// What booking and queueing need to know of a practitioner: the usual room and the letters.
pub(crate) fn active(read: &Read<'_>, id: PractitionerId) -> Result<(Option<LocationId>, String)> {
    let mut statement = read.sql().prepare_cached(
        "SELECT location, token_prefix FROM practitioner WHERE id = ?1 AND active = 1",
    )?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(Error::NotFound(Noun::Practitioner))?;
    Ok((row.get(0)?, row.get(1)?))
}

/// The name of a practitioner.
pub(crate) fn name_of(read: &Read<'_>, id: PractitionerId) -> Result<String> {
    let mut statement = read.sql().prepare_cached("SELECT name FROM practitioner WHERE id = ?1")?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(Error::NotFound(Noun::Practitioner))?;
    Ok(row.get(0)?)
}

/// A speciality as it is stored: lower case, single spaces.
pub fn specialty(text: &str) -> Result<String> {
    Ok(contact::name("specialties", text)?.to_lowercase())
}

fn checked_specialties(raw: Vec<String>) -> Result<Vec<String>> {
    if raw.len() > SPECIALTIES_MAX {
        return Err(Error::invalid(
            "specialties",
            format!("a practitioner has at most {SPECIALTIES_MAX} specialities"),
        ));
    }
    let mut checked: Vec<String> = Vec::with_capacity(raw.len());
    for text in &raw {
        let specialty = specialty(text)?;
        if !checked.contains(&specialty) {
            checked.push(specialty);
        }
    }
    Ok(checked)
}

fn write_specialties(tx: &Tx<'_>, id: PractitionerId, specialties: &[String]) -> Result<()> {
    tx.sql()
        .prepare_cached("DELETE FROM practitioner_specialty WHERE practitioner = ?1")?
        .execute([id])?;
    let mut insert = tx.sql().prepare_cached(
        "INSERT INTO practitioner_specialty (practitioner, position, specialty) VALUES (?1, ?2, ?3)",
    )?;
    for (position, specialty) in (0_i64..).zip(specialties) {
        insert.execute((id, position, specialty))?;
    }
    Ok(())
}

/// The first letters that no practitioner has: A, B, C, E … Z, AA, AB …; D is the desk's.
fn free_prefix(tx: &Tx<'_>) -> Result<String> {
    let mut taken =
        tx.sql().prepare_cached("SELECT 1 FROM practitioner WHERE token_prefix = ?1")?;
    let mut nth = 0_u32;
    loop {
        let prefix = letters(nth);
        if prefix != DESK_PREFIX && !taken.exists([&prefix])? {
            return Ok(prefix);
        }
        nth += 1;
    }
}

fn letters(nth: u32) -> String {
    let letter = char::from(b'A' + u8::try_from(nth % 26).unwrap_or(0));
    if nth < 26 { letter.to_string() } else { format!("{}{letter}", letters(nth / 26 - 1)) }
}

fn from_row(read: &Read<'_>, row: &rusqlite::Row<'_>) -> Result<Practitioner> {
    let id: PractitionerId = row.get(0)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT specialty FROM practitioner_specialty WHERE practitioner = ?1 ORDER BY position",
    )?;
    let specialties =
        statement.query_map([id], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    Ok(Practitioner {
        id,
        version: row.get(1)?,
        name: row.get(2)?,
        specialties,
        token_prefix: row.get(3)?,
        location: row.get(4)?,
        active: row.get(5)?,
    })
}
