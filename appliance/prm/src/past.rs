//! Records as they were before they were changed, for whoever asks for an earlier version.
//!
//! Invariant: of the nouns that `Noun::keeps_versions` names every version is on record: the newest in its own rows,
//! each earlier one here. A verb that forgets to keep what it changes cannot write its change.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::Noun;

/// An earlier version, as it is kept.
#[derive(Serialize, Deserialize)]
enum Image {
    /// All of it.
    #[serde(rename = "whole")]
    Whole(Map<String, Value>),
    /// What differs from the version after it.
    #[serde(rename = "differs")]
    Differs(Map<String, Value>),
}

/// Keeps a record as it is, before it is written over.
pub(crate) fn keep(
    tx: &Tx<'_>,
    which: (Noun, &[u8; 16], i64),
    record: &impl Serialize,
) -> Result<()> {
    insert(tx, which, &Image::Whole(members(record)?))
}

/// Keeps of a record only the members that are about to be written over, for verbs of an earlier
/// noun, which do not know the rest.
pub(crate) fn keep_of(
    tx: &Tx<'_>,
    which: (Noun, &[u8; 16], i64),
    changed: Map<String, Value>,
) -> Result<()> {
    insert(tx, which, &Image::Differs(changed))
}

/// The record as it was at `version`, given the newest. *Not found* if there never was such a
/// version. The caller has checked the rights of the noun.
pub(crate) fn at<T: Serialize + DeserializeOwned>(
    read: &Read<'_>,
    (noun, resource, version): (Noun, &[u8; 16], i64),
    newest: T,
) -> Result<T> {
    let mut record = members(&newest)?;
    if record.get("version").and_then(Value::as_i64) == Some(version) {
        return Ok(newest);
    }
    let mut statement = read.sql().prepare_cached(
        "SELECT version, image FROM past WHERE noun = ?1 AND resource = ?2 AND version >= ?3
         ORDER BY version DESC",
    )?;
    let mut rows = statement.query((noun.as_str(), resource, version))?;
    let mut reached = false;
    while let Some(row) = rows.next()? {
        let (at, image): (i64, String) = (row.get(0)?, row.get(1)?);
        match serde_json::from_str(&image).map_err(|_| damaged())? {
            Image::Whole(all) => record = all,
            Image::Differs(changed) => record.extend(changed),
        }
        record.insert("version".into(), at.into());
        reached = at == version;
    }
    if !reached {
        return Err(Error::NotFound(noun));
    }
    serde_json::from_value(Value::Object(record)).map_err(|_| damaged())
}

fn insert(
    tx: &Tx<'_>,
    (noun, resource, version): (Noun, &[u8; 16], i64),
    image: &Image,
) -> Result<()> {
    let image = serde_json::to_string(image).map_err(|_| damaged())?;
    tx.sql()
        .prepare_cached(
            "INSERT INTO past (noun, resource, version, image) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((noun.as_str(), resource, version, image))?;
    Ok(())
}

fn members(record: &impl Serialize) -> Result<Map<String, Value>> {
    match serde_json::to_value(record) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) | Err(_) => Err(damaged()),
    }
}

fn damaged() -> Error {
    Error::Storage("an earlier version cannot be written or read".into())
}

#[cfg(test)]
mod tests;
