//! Rooms, equipment that is booked like a room, and sites (FHIR Location; equipment is FHIR Device).

pub mod field;

use serde::{Deserialize, Serialize};

use crate::change::next_version;
use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{LocationId, Noun};
use crate::past;
use crate::stamp::{Right, Stamp};

/// What a location is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A room where patients are seen.
    Room,
    /// A piece of equipment that one patient uses at a time.
    Equipment,
    /// A building.
    Site,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Room, Self::Equipment, Self::Site];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Equipment => "equipment",
            Self::Site => "site",
        }
    }

    /// The kind of that word.
    pub fn parse(word: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| Error::invalid("kind", "the kind is room, equipment or site"))
    }
}

/// A room, a piece of equipment or a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Its id.
    pub id: LocationId,
    /// Grows with each edit.
    pub version: i64,
    /// What is on the door.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Whether it is in use.
    pub active: bool,
}

/// What is said to add a location.
#[derive(Clone, Debug)]
pub struct Addition {
    /// What is on the door.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// What is to be changed; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// What is on the door.
    pub name: Option<String>,
    /// Whether it is in use.
    pub active: Option<bool>,
}

/// Adds a location.
pub fn add(tx: &mut Tx<'_>, stamp: &Stamp, addition: Addition) -> Result<Location> {
    stamp.needs(Right::WriteDiary)?;
    let Addition { name, kind } = addition;
    let name = contact::name("name", &name)?;
    let id = LocationId::new(stamp.now);
    tx.sql()
        .prepare_cached(
            "INSERT INTO location (id, version, name, kind, active) VALUES (?1, 1, ?2, ?3, 1)",
        )?
        .execute((id, &name, kind.as_str()))?;
    tx.record(stamp, "add", (Noun::Location, id.as_bytes(), 1), None)?;
    Ok(Location { id, version: 1, name, kind, active: true })
}

/// Changes a location.
pub fn edit(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: LocationId,
    seen: Option<i64>,
    edit: Edit,
) -> Result<Location> {
    stamp.needs(Right::WriteDiary)?;
    let before = get(tx, stamp, id)?;
    let version = next_version(before.version, seen)?;
    past::keep(tx, (Noun::Location, id.as_bytes(), before.version), &before)?;
    let Edit { name, active } = edit;
    let name = match name {
        Some(name) => contact::name("name", &name)?,
        None => before.name,
    };
    let active = active.unwrap_or(before.active);
    tx.sql()
        .prepare_cached("UPDATE location SET version = ?2, name = ?3, active = ?4 WHERE id = ?1")?
        .execute((id, version, &name, active))?;
    tx.record(stamp, "edit", (Noun::Location, id.as_bytes(), version), None)?;
    Ok(Location { id, version, name, kind: before.kind, active })
}

/// A location as it was at a version; *not found* if there never was such a version.
pub fn at_version(
    read: &Read<'_>,
    stamp: &Stamp,
    id: LocationId,
    version: i64,
) -> Result<Location> {
    let newest = get(read, stamp, id)?;
    past::at(read, (Noun::Location, id.as_bytes(), version), newest)
}

/// One location.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: LocationId) -> Result<Location> {
    stamp.needs(Right::ReadDiary)?;
    let mut statement = read
        .sql()
        .prepare_cached("SELECT id, version, name, kind, active FROM location WHERE id = ?1")?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(Error::NotFound(Noun::Location))?;
    from_row(row)
}

/// All locations by name.
pub fn list(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<Location>> {
    stamp.needs(Right::ReadDiary)?;
    let mut statement = read
        .sql()
        .prepare_cached("SELECT id, version, name, kind, active FROM location ORDER BY name, id")?;
    let mut rows = statement.query([])?;
    let mut locations = Vec::new();
    while let Some(row) = rows.next()? {
        locations.push(from_row(row)?);
    }
    Ok(locations)
}

/// What is on the door of a location, for tokens and boards.
pub(crate) fn name_of(read: &Read<'_>, id: Option<LocationId>) -> Result<Option<String>> {
    let Some(id) = id else { return Ok(None) };
    let mut statement = read.sql().prepare_cached("SELECT name FROM location WHERE id = ?1")?;
    let mut rows = statement.query([id])?;
    Ok(match rows.next()? {
        Some(row) => Some(row.get(0)?),
        None => None,
    })
}

/// Refuses a location that does not exist or is not in use.
pub(crate) fn must_be_active(read: &Read<'_>, id: LocationId) -> Result<()> {
    let mut statement =
        read.sql().prepare_cached("SELECT 1 FROM location WHERE id = ?1 AND active = 1")?;
    if statement.exists([id])? { Ok(()) } else { Err(Error::NotFound(Noun::Location)) }
}

fn from_row(row: &rusqlite::Row<'_>) -> Result<Location> {
    Ok(Location {
        id: row.get(0)?,
        version: row.get(1)?,
        name: row.get(2)?,
        kind: Kind::parse(&row.get::<_, String>(3)?)?,
        active: row.get(4)?,
    })
}

#[cfg(test)]
mod tests;
