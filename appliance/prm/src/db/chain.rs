//! How each write leaves a change and a line of the audit, and where both stand.

use std::sync::Arc;

use ring::hmac;
use rusqlite::Connection;

use super::Tx;
use crate::error::{Error, Result};
use crate::id::{Noun, PatientId};
use crate::stamp::Stamp;
use crate::time::to_ms;

/// Where the change log and the audit stand; the writer carries it from commit to commit.
#[derive(Clone)]
pub(crate) struct Chain {
    key: Arc<hmac::Key>,
    change: i64,
    audit: Head,
    sealed: i64,
    identities: u64,
}

impl Chain {
    pub(crate) fn load(conn: &Connection, key: hmac::Key) -> rusqlite::Result<Self> {
        let mut chain =
            Self { key: Arc::new(key), change: 0, audit: Head::START, sealed: 0, identities: 0 };
        chain.reload(conn)?;
        Ok(chain)
    }

    /// Reads the ends of both again, for another process may have written.
    pub(crate) fn refresh(&mut self, conn: &Connection) -> Result<()> {
        Ok(self.reload(conn)?)
    }

    fn reload(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.change = conn
            .prepare_cached("SELECT coalesce(max(sequence), 0) FROM change")?
            .query_row([], |row| row.get(0))?;
        self.audit = Head::read(conn)?;
        self.sealed = self.audit.sequence;
        Ok(())
    }

    pub(crate) fn last_change(&self) -> i64 {
        self.change
    }

    /// Grows with each write about who may sign in, and how.
    pub(crate) fn identities(&self) -> u64 {
        self.identities
    }

    /// Writes down the audit's end, once per commit.
    pub(crate) fn seal(&mut self, conn: &Connection) -> Result<()> {
        if self.audit.sequence != self.sealed {
            self.audit.write(conn)?;
            self.sealed = self.audit.sequence;
        }
        Ok(())
    }
}

impl Tx<'_> {
    /// Writes the change and the audit line of a verb that made `version` of a resource.
    pub(crate) fn record(
        &mut self,
        stamp: &Stamp,
        verb: &'static str,
        (noun, resource, version): (Noun, &[u8; 16], i64),
        patient: Option<PatientId>,
    ) -> Result<()> {
        if version > 1 && noun.keeps_versions() {
            self.must_be_kept(noun, resource, version - 1)?;
        }
        let sequence = self.chain.change + 1;
        self.sql()
            .prepare_cached(
                "INSERT INTO change (sequence, noun, resource, version, verb, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((sequence, noun.as_str(), resource, version, verb, to_ms(stamp.now)))?;
        self.chain.change = sequence;
        self.audit(stamp, verb, noun, Some(resource), patient)
    }

    /// Fails a verb that wrote over a version without keeping it.
    fn must_be_kept(&self, noun: Noun, resource: &[u8; 16], version: i64) -> Result<()> {
        let kept: bool = self
            .sql()
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM past WHERE noun = ?1 AND resource = ?2 AND version = ?3)",
            )?
            .query_row((noun.as_str(), resource, version), |row| row.get(0))?;
        if kept {
            return Ok(());
        }
        Err(Error::Storage(format!("{} was written over before it was kept", noun.as_str())))
    }

    /// Writes an audit line alone: for reads, and for what is no resource.
    pub(crate) fn audit(
        &mut self,
        stamp: &Stamp,
        verb: &'static str,
        noun: Noun,
        resource: Option<&[u8; 16]>,
        patient: Option<PatientId>,
    ) -> Result<()> {
        let key = Arc::clone(&self.chain.key);
        let line = Entry { stamp, verb, noun, resource, patient };
        self.chain.audit = line.append(self.sql(), &key, &self.chain.audit)?;
        if is_identity(noun) {
            self.chain.identities += 1;
        }
        Ok(())
    }
}

/// Whether a write to such a resource can change who is recognised.
fn is_identity(noun: Noun) -> bool {
    match noun {
        Noun::Staff | Noun::Session | Noun::Token | Noun::Device => true,
        Noun::Clinic
        | Noun::Patient
        | Noun::Practitioner
        | Noun::Location
        | Noun::HealthcareService
        | Noun::Schedule
        | Noun::Leave
        | Noun::ClosedDay
        | Noun::Slot
        | Noun::Loan
        | Noun::Appointment
        | Noun::QueueEntry
        | Noun::Chart
        | Noun::Audit
        | Noun::Merge
        | Noun::Request
        | Noun::Conflict
        | Noun::Conversation
        | Noun::Message
        | Noun::Media
        | Noun::Call
        | Noun::Ticket
        | Noun::Waitlist
        | Noun::Faq
        | Noun::Template
        | Noun::CannedAnswer
        | Noun::PatientInstruction
        | Noun::ReminderRule
        | Noun::Reminder => false,
    }
}

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) sequence: i64,
    pub(crate) mac: [u8; 32],
}

impl Head {
    pub(crate) const START: Self = Self { sequence: 0, mac: [0; 32] };

    pub(crate) fn read(conn: &Connection) -> rusqlite::Result<Self> {
        let mut statement =
            conn.prepare_cached("SELECT sequence, mac FROM audit ORDER BY sequence DESC LIMIT 1")?;
        let mut rows = statement.query([])?;
        match rows.next()? {
            Some(row) => Ok(Self { sequence: row.get(0)?, mac: row.get(1)? }),
            None => Ok(Self::START),
        }
    }

    pub(crate) fn sealed(conn: &Connection) -> rusqlite::Result<Self> {
        let mut statement = conn.prepare_cached("SELECT sequence, mac FROM audit_head")?;
        let mut rows = statement.query([])?;
        match rows.next()? {
            Some(row) => Ok(Self { sequence: row.get(0)?, mac: row.get(1)? }),
            None => Ok(Self::START),
        }
    }

    pub(crate) fn write(&self, conn: &Connection) -> rusqlite::Result<()> {
        conn.prepare_cached(
            "INSERT INTO audit_head (only, sequence, mac) VALUES (1, ?1, ?2)
             ON CONFLICT (only) DO UPDATE SET sequence = excluded.sequence, mac = excluded.mac",
        )?
        .execute((self.sequence, self.mac))?;
        Ok(())
    }
}

/// A line that is about to be written.
pub(crate) struct Entry<'a> {
    pub(crate) stamp: &'a Stamp,
    pub(crate) verb: &'static str,
    pub(crate) noun: Noun,
    pub(crate) resource: Option<&'a [u8; 16]>,
    pub(crate) patient: Option<PatientId>,
}

impl Entry<'_> {
    /// Appends the line and answers the new end of the chain.
    pub(crate) fn append(&self, conn: &Connection, key: &hmac::Key, head: &Head) -> Result<Head> {
        let Stamp { actor, role: _, channel, now } = self.stamp;
        let at = to_ms(*now);
        let sequence = head.sequence + 1;
        let patient = self.patient.as_ref().map(PatientId::as_bytes);
        let mac = code(
            key,
            head,
            at,
            [actor.kind(), channel.as_str(), self.verb, self.noun.as_str()],
            [actor.id_bytes(), self.resource, patient],
        );
        conn.prepare_cached(
            "INSERT INTO audit (sequence, at, actor_kind, actor, channel, verb, noun, resource, patient, mac)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute((
            sequence,
            at,
            actor.kind(),
            actor.id_bytes(),
            channel.as_str(),
            self.verb,
            self.noun.as_str(),
            self.resource,
            patient,
            mac,
        ))?;
        Ok(Head { sequence, mac })
    }
}

/// HMAC-SHA-256 over the code of the line before and every field of this one, each with its
/// length, so that no byte can move from one field to the next.
pub(crate) fn code(
    key: &hmac::Key,
    before: &Head,
    at: i64,
    words: [&str; 4],
    ids: [Option<&[u8; 16]>; 3],
) -> [u8; 32] {
    let mut hmac = hmac::Context::with_key(key);
    hmac.update(b"carepost-audit-1");
    hmac.update(&before.mac);
    hmac.update(&(before.sequence + 1).to_be_bytes());
    hmac.update(&at.to_be_bytes());
    for word in words {
        hmac.update(&(word.len() as u64).to_be_bytes());
        hmac.update(word.as_bytes());
    }
    for id in ids {
        match id {
            None => hmac.update(&[0]),
            Some(id) => {
                hmac.update(&[1]);
                hmac.update(id);
            }
        }
    }
    let mut mac = [0; 32];
    mac.copy_from_slice(hmac.sign().as_ref());
    mac
}
