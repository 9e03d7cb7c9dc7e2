//! The rest of the chart: resources about patients that other systems gave and the clinic's rules
//! do not know (FHIR: Condition, Observation, Coverage and all the others), kept as given.
//!
//! Invariant: every version is kept, the deletion too; a name that was deleted may be used again.

pub mod field;

use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::change::next_version;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::given::{self, BODY_BYTES_MAX, Key};
use crate::id::{ChartId, Noun, PatientId};
use crate::past;
use crate::patient;
use crate::stamp::{Right, Stamp};

/// The longest name (FHIR: `id`), in letters.
pub const NAME_MAX: usize = 64;

const COLUMNS: &str = "id, version, kind, name, patient, body FROM chart";

/// A resource that is kept as given.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chart {
    /// The box's id, for the change log.
    pub id: ChartId,
    /// Grows with each write.
    pub version: i64,
    /// What it is (FHIR: the resource type).
    pub kind: String,
    /// What others call it (FHIR: the logical id): unique among those of its kind.
    pub name: String,
    /// Whose it is, if it is about a patient of this clinic.
    pub patient: Option<PatientId>,
    /// The resource as given; none once it was deleted.
    pub body: Option<String>,
}

impl std::fmt::Debug for Chart {
    /// The body is personal: logs never show it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chart({} {} version {})", self.kind, self.id, self.version)
    }
}

/// What is to be kept.
pub struct Writing {
    /// What it is.
    pub kind: String,
    /// Under which name; a new one if none is said.
    pub name: Option<String>,
    /// Whose it is.
    pub patient: Option<PatientId>,
    /// The resource.
    pub body: String,
    /// What it is found by.
    pub keys: Vec<Key>,
}

/// Keeps a resource: a new one, or the next version of the one with this name. Only a new one is
/// answered with version 1.
pub fn keep(tx: &mut Tx<'_>, stamp: &Stamp, writing: Writing, seen: Option<i64>) -> Result<Chart> {
    stamp.needs(Right::WriteChart)?;
    let Writing { kind, name, patient, body, keys } = writing;
    if body.len() > BODY_BYTES_MAX {
        return Err(Error::invalid("body", "a resource has at most 8 MiB; attach less to it"));
    }
    if let Some(patient) = patient {
        patient::must_be_active(tx, patient)?;
    }
    let id = ChartId::new(stamp.now);
    let name = name.unwrap_or_else(|| id.to_string());
    if !is_name(&name) {
        return Err(Error::invalid(
            "id",
            "an id has 1 to 64 letters, digits, hyphens and dots, nothing else",
        ));
    }
    let chart = match find(tx, &kind, &name)? {
        None if seen.is_some() => return Err(Error::NotFound(Noun::Chart)),
        None => Chart { id, version: 1, kind, name, patient, body: Some(body) },
        Some(before) => {
            let version = next_version(before.version, seen)?;
            past::keep(tx, (Noun::Chart, before.id.as_bytes(), before.version), &before)?;
            Chart { version, patient, body: Some(body), ..before }
        }
    };
    write(tx, &chart, &keys)?;
    let verb = if chart.version == 1 { "keep" } else { "replace" };
    tx.record(stamp, verb, (Noun::Chart, chart.id.as_bytes(), chart.version), patient)?;
    Ok(chart)
}

/// Deletes a resource; its earlier versions stay. One that is deleted already stays as it is.
pub fn delete(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    kind: &str,
    name: &str,
    seen: Option<i64>,
) -> Result<Chart> {
    stamp.needs(Right::WriteChart)?;
    let before = find(tx, kind, name)?.ok_or(Error::NotFound(Noun::Chart))?;
    let version = next_version(before.version, seen)?;
    if before.body.is_none() {
        return Ok(before);
    }
    past::keep(tx, (Noun::Chart, before.id.as_bytes(), before.version), &before)?;
    let after = Chart { version, body: None, ..before };
    write(tx, &after, &[])?;
    tx.record(stamp, "delete", (Noun::Chart, after.id.as_bytes(), version), after.patient)?;
    Ok(after)
}

/// One resource, which may be deleted.
pub fn get(read: &Read<'_>, stamp: &Stamp, kind: &str, name: &str) -> Result<Chart> {
    stamp.needs(Right::ReadChart)?;
    find(read, kind, name)?.ok_or(Error::NotFound(Noun::Chart))
}

/// What kinds of resources there are about a patient.
pub fn kinds_of(read: &Read<'_>, stamp: &Stamp, patient: PatientId) -> Result<Vec<String>> {
    stamp.needs(Right::ReadChart)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT DISTINCT kind FROM chart WHERE patient = ?1 AND body IS NOT NULL ORDER BY kind",
    )?;
    let kinds = statement.query_map([patient], |row| row.get(0))?;
    Ok(kinds.collect::<rusqlite::Result<_>>()?)
}

/// The resources of a kind that are there, by their names, after a name and at most `limit`.
pub fn after(
    read: &Read<'_>,
    stamp: &Stamp,
    kind: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<Chart>> {
    stamp.needs(Right::ReadChart)?;
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE kind = ?1 AND name > ?2 AND body IS NOT NULL ORDER BY name LIMIT ?3"
    ))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query((kind, after, limit))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(from_row(row)?);
    }
    Ok(found)
}

/// One resource by the box's id.
pub fn by_id(read: &Read<'_>, stamp: &Stamp, id: ChartId) -> Result<Chart> {
    stamp.needs(Right::ReadChart)?;
    let mut statement = read.sql().prepare_cached(&format!("SELECT {COLUMNS} WHERE id = ?1"))?;
    let mut rows = statement.query([id])?;
    from_row(rows.next()?.ok_or(Error::NotFound(Noun::Chart))?)
}

/// A resource as it was at a version; *not found* if there never was such a version.
pub fn at_version(
    read: &Read<'_>,
    stamp: &Stamp,
    (kind, name): (&str, &str),
    version: i64,
) -> Result<Chart> {
    let newest = get(read, stamp, kind, name)?;
    let id = newest.id;
    past::at(read, (Noun::Chart, id.as_bytes(), version), newest)
}

fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

fn find(read: &Read<'_>, kind: &str, name: &str) -> Result<Option<Chart>> {
    let mut statement =
        read.sql().prepare_cached(&format!("SELECT {COLUMNS} WHERE kind = ?1 AND name = ?2"))?;
    let mut rows = statement.query((kind, name))?;
    rows.next()?.map(from_row).transpose()
}

fn write(tx: &Tx<'_>, chart: &Chart, keys: &[Key]) -> Result<()> {
    let Chart { id, version, kind, name, patient, body } = chart;
    tx.sql()
        .prepare_cached(
            "INSERT INTO chart (id, version, kind, name, patient, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET version = excluded.version, patient = excluded.patient,
               body = excluded.body",
        )?
        .execute((id, version, kind, name, patient, body))?;
    given::index(tx, kind, id.as_bytes(), keys)
}

fn from_row(row: &Row<'_>) -> Result<Chart> {
    Ok(Chart {
        id: row.get(0)?,
        version: row.get(1)?,
        kind: row.get(2)?,
        name: row.get(3)?,
        patient: row.get(4)?,
        body: row.get(5)?,
    })
}

#[cfg(test)]
mod tests;
