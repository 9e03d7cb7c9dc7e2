//! The audit: who did or read what, whose record it was, when, through which channel.
//!
//! Invariant: each line carries a code over itself and the line before, under a key that is
//! not in the database, so that an altered, removed or inserted line is found.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Head, Keys, Read, Tx, code};
use crate::error::Result;
use crate::id::{Noun, PatientId};
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// Lines that one listing answers at the most.
pub const LIST_MAX: u32 = 500;

/// A line of the audit as it is listed.
#[derive(Clone, Debug)]
pub struct Line {
    /// Grows by one with each line.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// `staff`, `device`, `token`, `box` or `nobody`.
    pub actor_kind: String,
    /// The actor's id, where it has one.
    pub actor: Option<Uuid>,
    /// The actor's name as it is now, for people, kiosks and programs.
    pub actor_name: Option<String>,
    /// `desk`, `kiosk`, `api`, `command-line`, `hub`, or the medium of a conversation.
    pub channel: String,
    /// What was done; `read` and `search` for reads.
    pub verb: String,
    /// The kind of resource.
    pub noun: String,
    /// The resource.
    pub resource: Option<Uuid>,
    /// The patient whose record it was.
    pub patient: Option<PatientId>,
}

/// Which lines to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this patient's record.
    pub patient: Option<PatientId>,
    /// Only this actor.
    pub actor: Option<Uuid>,
    /// Only what was done with this resource, or with the record of this patient.
    pub about: Option<Uuid>,
    /// Only these verbs.
    pub verbs: Option<Verbs>,
    /// Not before this line.
    pub first: Option<i64>,
    /// Not after this line.
    pub last: Option<i64>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Only lines before this sequence: the cursor.
    pub before: Option<i64>,
}

/// Which verbs are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verbs {
    /// These.
    Among(Vec<String>),
    /// All others.
    Except(Vec<String>),
}

/// The number of the newest line; 0 if there is none.
pub fn last(read: &Read<'_>) -> Result<i64> {
    Ok(read
        .sql()
        .query_row("SELECT coalesce(max(sequence), 0) FROM audit", [], |row| row.get(0))?)
}

/// Lists lines, newest first, at most `limit` (and never more than [`LIST_MAX`]).
pub fn list(read: &Read<'_>, stamp: &Stamp, filter: &Filter, limit: u32) -> Result<Vec<Line>> {
    stamp.needs(Right::ReadAudit)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT a.sequence, a.at, a.actor_kind, a.actor, coalesce(s.name, d.name, t.name),
                a.channel, a.verb, a.noun, a.resource, a.patient
         FROM audit a
         LEFT JOIN staff s ON a.actor_kind = 'staff' AND s.id = a.actor
         LEFT JOIN device d ON a.actor_kind = 'device' AND d.id = a.actor
         LEFT JOIN token t ON a.actor_kind = 'token' AND t.id = a.actor
         WHERE (?1 IS NULL OR a.patient = ?1) AND (?2 IS NULL OR a.actor = ?2)
           AND (?3 IS NULL OR a.at >= ?3) AND (?4 IS NULL OR a.at < ?4)
           AND a.sequence < ?5 AND a.sequence BETWEEN ?6 AND ?7
           AND (?8 IS NULL OR a.resource = ?8 OR a.patient = ?8)
           AND (?9 IS NULL OR (a.verb IN (SELECT value FROM json_each(?9))) = ?10)
         ORDER BY a.sequence DESC LIMIT ?11",
    )?;
    let (verbs, are_meant) = match &filter.verbs {
        None => (None, true),
        Some(Verbs::Among(verbs)) => (Some(verbs), true),
        Some(Verbs::Except(verbs)) => (Some(verbs), false),
    };
    let verbs = verbs.map(|verbs| serde_json::Value::from(verbs.as_slice()).to_string());
    let rows = statement.query_map(
        (
            filter.patient,
            filter.actor.map(Uuid::into_bytes),
            filter.from.map(to_ms),
            filter.to.map(to_ms),
            filter.before.unwrap_or(i64::MAX),
            filter.first.unwrap_or(i64::MIN),
            filter.last.unwrap_or(i64::MAX),
            filter.about.map(Uuid::into_bytes),
            verbs,
            are_meant,
            limit.min(LIST_MAX),
        ),
        |row| {
            Ok(Line {
                sequence: row.get(0)?,
                at: from_ms(row.get(1)?),
                actor_kind: row.get(2)?,
                actor: row.get::<_, Option<[u8; 16]>>(3)?.map(Uuid::from_bytes),
                actor_name: row.get(4)?,
                channel: row.get(5)?,
                verb: row.get(6)?,
                noun: row.get(7)?,
                resource: row.get::<_, Option<[u8; 16]>>(8)?.map(Uuid::from_bytes),
                patient: row.get(9)?,
            })
        },
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Writes that a patient's record was read. `resource` is what was read of it.
pub fn was_read(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    noun: Noun,
    resource: &[u8; 16],
    patient: PatientId,
) -> Result<()> {
    tx.audit(stamp, "read", noun, Some(resource), Some(patient))
}

/// Writes that each of these patients' records was shown in a list.
pub fn were_listed(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    noun: Noun,
    patients: &[PatientId],
) -> Result<()> {
    for patient in patients {
        tx.audit(stamp, "list", noun, None, Some(*patient))?;
    }
    Ok(())
}

/// Writes that the audit itself was read: all of it, or what concerns one patient.
pub fn was_looked_at(tx: &mut Tx<'_>, stamp: &Stamp, patient: Option<PatientId>) -> Result<()> {
    tx.audit(stamp, "read", Noun::Audit, None, patient)
}

/// Writes that a list was shown which names many, such as the diary of a day: one line for all.
pub fn was_listed(tx: &mut Tx<'_>, stamp: &Stamp, noun: Noun) -> Result<()> {
    tx.audit(stamp, "list", noun, None, None)
}

/// Writes that records of this kind left the box in one piece: one line for all of them.
pub fn was_exported(tx: &mut Tx<'_>, stamp: &Stamp, noun: Noun) -> Result<()> {
    stamp.needs(Right::Export)?;
    tx.audit(stamp, "export", noun, None, None)
}

/// What a check of the whole chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every line is as it was written.
    Whole {
        /// How many lines there are.
        lines: i64,
    },
    /// The first line at which something is wrong.
    Broken {
        /// Its sequence.
        sequence: i64,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Checks the whole chain, line by line, in constant memory.
pub fn verify(read: &Read<'_>, keys: &Keys) -> Result<Verdict> {
    let key = keys.audit();
    let mut statement = read.sql().prepare(
        "SELECT sequence, at, actor_kind, actor, channel, verb, noun, resource, patient, mac
         FROM audit ORDER BY sequence",
    )?;
    let mut rows = statement.query([])?;
    let mut head = Head::START;
    while let Some(row) = rows.next()? {
        let sequence: i64 = row.get(0)?;
        if sequence != head.sequence + 1 {
            return Ok(Verdict::Broken {
                sequence: head.sequence + 1,
                what: "this line was removed",
            });
        }
        let kind: String = row.get(2)?;
        let channel: String = row.get(4)?;
        let verb: String = row.get(5)?;
        let noun: String = row.get(6)?;
        let actor: Option<[u8; 16]> = row.get(3)?;
        let resource: Option<[u8; 16]> = row.get(7)?;
        let patient: Option<[u8; 16]> = row.get(8)?;
        let mac: [u8; 32] = row.get(9)?;
        let expected = code(
            &key,
            &head,
            row.get(1)?,
            [&kind, &channel, &verb, &noun],
            [actor.as_ref(), resource.as_ref(), patient.as_ref()],
        );
        if expected != mac {
            return Ok(Verdict::Broken { sequence, what: "this line was altered or inserted" });
        }
        head = Head { sequence, mac };
    }
    let sealed = Head::sealed(read.sql())?;
    if sealed != head {
        return Ok(Verdict::Broken {
            sequence: head.sequence + 1,
            what: "lines were removed from the end, or added by something else",
        });
    }
    Ok(Verdict::Whole { lines: head.sequence })
}

#[cfg(test)]
mod tests;
