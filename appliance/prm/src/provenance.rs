//! Who wrote which version of a record: the change log beside the audit.
//!
//! A verb that makes a version writes one line of each in its transaction, under the same verb and at
//! the same time. So the lines of one record, verb and time belong together in their order.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::Read;
use crate::error::Result;
use crate::id::{Noun, PatientId, PractitionerId};
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// Versions that one listing answers at the most.
const WRITTEN_MAX: usize = 1_000;

/// A version of a record, and who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The place of the change in its log.
    pub sequence: i64,
    /// The kind of record, as `Noun::as_str` says it.
    pub noun: String,
    /// The record.
    pub resource: Uuid,
    /// The version that was written.
    pub version: i64,
    /// The verb.
    pub verb: String,
    /// When.
    pub at: Timestamp,
    /// `staff`, `device`, `token`, `box` or `nobody`.
    pub actor_kind: String,
    /// The actor's id, where it has one.
    pub actor: Option<Uuid>,
    /// The actor's name as it is now; only for who may read the audit.
    pub actor_name: Option<String>,
    /// Which practitioner the member of staff is, if one.
    pub practitioner: Option<PractitionerId>,
    /// `desk`, `kiosk`, `api`, `command-line`, `hub`, or the medium of a conversation.
    pub channel: String,
    /// The patient whose record it was.
    pub patient: Option<PatientId>,
}

/// Which versions to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of records of these kinds.
    pub nouns: Vec<Noun>,
    /// Only of these records.
    pub resources: Option<Vec<Uuid>>,
    /// Only this version.
    pub version: Option<i64>,
    /// Only by this actor, or by the staff who are this practitioner.
    pub actor: Option<Uuid>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Only changes before this sequence: the cursor.
    pub before: Option<i64>,
}

/// Lists versions and who wrote them, newest first, at most `limit`.
///
/// # Errors
/// *Forbidden* to whoever may not read all of these kinds of record.
pub fn list(read: &Read<'_>, stamp: &Stamp, filter: &Filter, limit: usize) -> Result<Vec<Written>> {
    for noun in &filter.nouns {
        stamp.needs(Right::to_read(*noun))?;
    }
    let nouns: Vec<&str> = filter.nouns.iter().map(|noun| noun.as_str()).collect();
    let resources = filter.resources.as_ref();
    let resources = resources.map(|all| all.iter().map(|id| id.simple().to_string()).collect());
    let resources = resources.map(|all: Vec<String>| serde_json::json!(all).to_string());
    let mut statement = read.sql().prepare_cached(statement(filter))?;
    let rows = statement.query_map(
        (
            serde_json::json!(nouns).to_string(),
            resources,
            filter.from.map_or(i64::MIN, to_ms),
            filter.to.map_or(i64::MAX, to_ms),
            filter.before.unwrap_or(i64::MAX),
            filter.version,
            filter.actor.map(Uuid::into_bytes),
            stamp.may(Right::ReadAudit),
            i64::try_from(limit.min(WRITTEN_MAX)).unwrap_or(0),
        ),
        |row| {
            Ok(Written {
                sequence: row.get(0)?,
                noun: row.get(1)?,
                resource: Uuid::from_bytes(row.get(2)?),
                version: row.get(3)?,
                verb: row.get(4)?,
                at: from_ms(row.get(5)?),
                actor_kind: row.get(6)?,
                actor: row.get::<_, Option<[u8; 16]>>(7)?.map(Uuid::from_bytes),
                actor_name: row.get(8)?,
                practitioner: row.get(9)?,
                channel: row.get(10)?,
                patient: row.get(11)?,
            })
        },
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// By what the change log is narrowed first: records, times, or else its own order. A `+` keeps a
/// column from leading.
macro_rules! narrowed_by {
    ($resource:literal, $noun:literal, $at:literal) => {
        concat!(
            "SELECT c.sequence, c.noun, c.resource, c.version, c.verb, c.at, a.actor_kind, a.actor,
               CASE WHEN ?8 THEN coalesce(s.name, d.name, t.name) END, s.practitioner, a.channel,
               a.patient
             FROM change c
             CROSS JOIN audit a ON a.resource = c.resource AND a.at = +c.at AND a.noun = c.noun
               AND a.verb = c.verb AND a.verb <> 'read'
             LEFT JOIN staff s ON a.actor_kind = 'staff' AND s.id = a.actor
             LEFT JOIN device d ON a.actor_kind = 'device' AND d.id = a.actor
             LEFT JOIN token t ON a.actor_kind = 'token' AND t.id = a.actor
             WHERE ",
            $resource,
            " AND ",
            $at,
            " >= ?3 AND +c.at < ?4 AND c.sequence < ?5
               AND ",
            $noun,
            " IN (SELECT value FROM json_each(?1))
               AND (?6 IS NULL OR c.version = ?6)
               AND (?7 IS NULL OR a.actor = ?7 OR s.practitioner = ?7)
               AND (SELECT count(*) FROM audit w
                    WHERE w.resource = a.resource AND w.at = a.at AND w.noun = a.noun
                      AND w.verb = a.verb AND w.verb <> 'read' AND w.sequence < a.sequence)
                 = (SELECT count(*) FROM change e
                    WHERE e.resource = c.resource AND +e.at = c.at AND +e.noun = c.noun
                      AND e.verb = c.verb AND e.sequence < c.sequence)
             ORDER BY c.sequence DESC LIMIT ?9"
        )
    };
}

fn statement(filter: &Filter) -> &'static str {
    if filter.resources.is_some() {
        narrowed_by!("c.resource IN (SELECT unhex(value) FROM json_each(?2))", "+c.noun", "+c.at")
    } else if filter.from.is_some() {
        narrowed_by!("?2 IS NULL", "c.noun", "c.at")
    } else {
        narrowed_by!("?2 IS NULL", "+c.noun", "+c.at")
    }
}

#[cfg(test)]
mod tests;
