//! What a merge gave to the record that was kept, so that exactly that can be taken back.
//!
//! Invariant: the duplicate keeps its own rows (names, phones, relations, birth date …), and the
//! kept record gets copies; only what can be in one place at a time really moves: identifiers,
//! appointments, places in the queue, conversations, wishes on the waitlist, tickets.

use rusqlite::OptionalExtension as _;
use serde::{Deserialize, Serialize};

use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::{
    AppointmentId, ConversationId, Noun, PatientId, QueueEntryId, TicketId, WaitlistId,
};
use crate::past;
use crate::patient::{
    Address, IDENTIFIERS_MAX, Identifier, NAMES_MAX, PHONES_MAX, Patient, PatientPhone, Sex, row,
};
use crate::stamp::Stamp;

/// Appointments, and places in the queue, that one merge moves at the most.
pub const MOVED_MAX: u32 = 2_000;

/// What a merge gave to the record that was kept.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Moved {
    /// Names copied.
    names: Vec<String>,
    /// Numbers and uses copied.
    phones: Vec<(String, String)>,
    /// Systems and values moved.
    identifiers: Vec<(String, String)>,
    /// Fields that were empty and were filled.
    filled: Filled,
    /// Relations copied: who, related to whom, as what.
    relations: Vec<(PatientId, PatientId, String)>,
    /// Appointments moved.
    appointments: Vec<AppointmentId>,
    /// Places in the queue moved.
    queue_entries: Vec<QueueEntryId>,
    /// Conversations moved. Older merges moved none.
    #[serde(default)]
    conversations: Vec<ConversationId>,
    /// Wishes on the waitlist moved.
    #[serde(default)]
    wishes: Vec<WaitlistId>,
    /// Tickets moved.
    #[serde(default)]
    tickets: Vec<TicketId>,
}

/// Fields of the kept record that were empty and were filled.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filled {
    birth_date: Option<String>,
    sex: Option<String>,
    language: Option<String>,
    email: Option<String>,
    address: Option<[Option<String>; 6]>,
}

impl Moved {
    /// Gives `kept` what only `duplicate` says, and answers what that was.
    pub(super) fn give(kept: &mut Patient, duplicate: &mut Patient) -> Result<Self> {
        let mut moved = Self::default();
        for name in std::iter::once(&duplicate.name).chain(&duplicate.names) {
            if *name != kept.name && !kept.names.contains(name) {
                kept.names.push(name.clone());
                moved.names.push(name.clone());
            }
        }
        for phone in &duplicate.phones {
            if !kept.phones.iter().any(|own| own.number == phone.number) {
                kept.phones.push(phone.clone());
                moved.phones.push(words_of(phone));
            }
        }
        for Identifier { system, value } in std::mem::take(&mut duplicate.identifiers) {
            moved.identifiers.push((system.clone(), value.clone()));
            kept.identifiers.push(Identifier { system, value });
        }
        kept.identifiers.sort();
        let too_many = [
            ("names", kept.names.len(), NAMES_MAX),
            ("telephone numbers", kept.phones.len(), PHONES_MAX),
            ("identifiers", kept.identifiers.len(), IDENTIFIERS_MAX),
        ];
        if let Some((what, _, most)) = too_many.into_iter().find(|(_, count, most)| count > most) {
            return Err(Error::refused(
                Code::TooMany,
                format!("together the records have more than {most} {what}; take some away first"),
            ));
        }
        moved.filled = Filled::give(kept, duplicate);
        Ok(moved)
    }

    /// Takes from `kept` what it was given and has not been changed since, and gives `duplicate`
    /// its identifiers back.
    pub(super) fn take_back(&self, kept: &mut Patient, duplicate: &mut Patient) {
        kept.names.retain(|name| !self.names.contains(name));
        kept.phones.retain(|phone| !self.phones.contains(&words_of(phone)));
        for (system, value) in &self.identifiers {
            let identifier = Identifier { system: system.clone(), value: value.clone() };
            kept.identifiers.retain(|own| *own != identifier);
            duplicate.identifiers.push(identifier);
        }
        duplicate.identifiers.sort();
        self.filled.take_back(kept);
    }

    /// Copies the relations of `duplicate` to `kept`.
    pub(super) fn give_relations(
        &mut self,
        tx: &Tx<'_>,
        kept: PatientId,
        duplicate: PatientId,
    ) -> Result<()> {
        let mut copy_of = tx.sql().prepare_cached(
            "SELECT ?1, related, relationship FROM patient_relation
             WHERE patient = ?2 AND related <> ?1
             UNION ALL SELECT patient, ?1, relationship FROM patient_relation
             WHERE related = ?2 AND patient <> ?1",
        )?;
        let copies = copy_of
            .query_map((kept, duplicate), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<Vec<(PatientId, PatientId, String)>>>()?;
        let mut insert = tx.sql().prepare_cached(
            "INSERT INTO patient_relation (patient, related, relationship) VALUES (?1, ?2, ?3)
             ON CONFLICT (patient, related) DO NOTHING",
        )?;
        for copy in copies {
            if insert.execute((copy.0, copy.1, &copy.2))? == 1 {
                self.relations.push(copy);
            }
        }
        Ok(())
    }

    /// Takes the copied relations away again, unless the word was changed since.
    pub(super) fn take_back_relations(&self, tx: &Tx<'_>) -> Result<()> {
        let mut delete = tx.sql().prepare_cached(
            "DELETE FROM patient_relation WHERE patient = ?1 AND related = ?2 AND relationship = ?3",
        )?;
        for (patient, related, relationship) in &self.relations {
            delete.execute((patient, related, relationship))?;
        }
        Ok(())
    }

    /// Moves visits, wishes for them, conversations and tickets from `duplicate` to `kept`.
    pub(super) fn give_visits(
        &mut self,
        tx: &mut Tx<'_>,
        stamp: &Stamp,
        kept: PatientId,
        duplicate: PatientId,
    ) -> Result<()> {
        self.appointments = ids(
            tx,
            "SELECT id FROM appointment WHERE patient = ?1 ORDER BY id LIMIT ?2",
            duplicate,
        )?;
        self.queue_entries = ids(
            tx,
            "SELECT id FROM queue_entry WHERE patient = ?1 ORDER BY id LIMIT ?2",
            duplicate,
        )?;
        self.conversations = ids(
            tx,
            "SELECT id FROM conversation WHERE patient = ?1 ORDER BY id LIMIT ?2",
            duplicate,
        )?;
        self.wishes =
            ids(tx, "SELECT id FROM waitlist WHERE patient = ?1 ORDER BY id LIMIT ?2", duplicate)?;
        self.tickets =
            ids(tx, "SELECT id FROM ticket WHERE patient = ?1 ORDER BY id LIMIT ?2", duplicate)?;
        self.hand_over(tx, (stamp, "merge"), duplicate, kept)
    }

    /// Moves them back.
    pub(super) fn take_back_visits(
        &self,
        tx: &mut Tx<'_>,
        stamp: &Stamp,
        kept: PatientId,
        duplicate: PatientId,
    ) -> Result<()> {
        self.hand_over(tx, (stamp, "undo_merge"), kept, duplicate)
    }

    fn hand_over(
        &self,
        tx: &mut Tx<'_>,
        by: (&Stamp, &'static str),
        from: PatientId,
        to: PatientId,
    ) -> Result<()> {
        for id in &self.appointments {
            keep_appointment(tx, *id, from)?;
            let update = "UPDATE appointment SET patient = ?3, version = version + 1
                WHERE id = ?1 AND patient = ?2 RETURNING version";
            hand_over(tx, by, update, (Noun::Appointment, id.as_bytes()), (from, to))?;
        }
        for id in &self.queue_entries {
            let update = "UPDATE queue_entry SET patient = ?3, version = version + 1
                WHERE id = ?1 AND patient = ?2 RETURNING version";
            hand_over(tx, by, update, (Noun::QueueEntry, id.as_bytes()), (from, to))?;
        }
        for id in &self.conversations {
            // Who the person is may have been said otherwise since: then that stands.
            let sql = "UPDATE conversation SET patient = ?3, version = version + 1
                WHERE id = ?1 AND patient = ?2 RETURNING version";
            let version: Option<i64> = tx
                .sql()
                .prepare_cached(sql)?
                .query_row((id, from, to), |row| row.get(0))
                .optional()?;
            if let Some(version) = version {
                let (stamp, verb) = by;
                tx.record(stamp, verb, (Noun::Conversation, id.as_bytes(), version), Some(to))?;
            }
        }
        for id in &self.wishes {
            let update = "UPDATE waitlist SET patient = ?3, version = version + 1
                WHERE id = ?1 AND patient = ?2 RETURNING version";
            hand_over(tx, by, update, (Noun::Waitlist, id.as_bytes()), (from, to))?;
        }
        for id in &self.tickets {
            let update = "UPDATE ticket SET patient = ?3, version = version + 1
                WHERE id = ?1 AND patient = ?2 RETURNING version";
            hand_over(tx, by, update, (Noun::Ticket, id.as_bytes()), (from, to))?;
        }
        Ok(())
    }
}

impl Filled {
    fn give(kept: &mut Patient, duplicate: &Patient) -> Self {
        let mut filled = Self::default();
        if kept.birth_date.is_none() {
            kept.birth_date = duplicate.birth_date;
            filled.birth_date = kept.birth_date.map(|date| date.to_string());
        }
        if kept.sex == Sex::Unknown && duplicate.sex != Sex::Unknown {
            kept.sex = duplicate.sex;
            filled.sex = Some(kept.sex.as_str().to_owned());
        }
        if kept.language.is_none() {
            kept.language.clone_from(&duplicate.language);
            filled.language.clone_from(&kept.language);
        }
        if kept.email.is_none() {
            kept.email.clone_from(&duplicate.email);
            filled.email.clone_from(&kept.email);
        }
        if kept.address.is_none() {
            kept.address.clone_from(&duplicate.address);
            filled.address = kept.address.as_ref().map(parts_of);
        }
        filled
    }

    fn take_back(&self, kept: &mut Patient) {
        let still = |given: &Option<String>, now: Option<String>| given.is_some() && *given == now;
        if still(&self.birth_date, kept.birth_date.map(|date| date.to_string())) {
            kept.birth_date = None;
        }
        if still(&self.sex, Some(kept.sex.as_str().to_owned())) {
            kept.sex = Sex::Unknown;
        }
        if still(&self.language, kept.language.clone()) {
            kept.language = None;
        }
        if still(&self.email, kept.email.clone()) {
            kept.email = None;
        }
        if self.address.is_some() && self.address == kept.address.as_ref().map(parts_of) {
            kept.address = None;
        }
    }
}

fn words_of(phone: &PatientPhone) -> (String, String) {
    (phone.number.as_str().to_owned(), phone.use_.as_str().to_owned())
}

fn parts_of(address: &Address) -> [Option<String>; 6] {
    let Address { line, city, district, state, postal_code, country } = address.clone();
    [line, city, district, state, postal_code, country]
}

/// The ids of the visits of a patient; refused when they are more than a merge moves.
fn ids<T: rusqlite::types::FromSql>(tx: &Tx<'_>, sql: &str, of: PatientId) -> Result<Vec<T>> {
    let mut statement = tx.sql().prepare_cached(sql)?;
    let found = statement
        .query_map((of, MOVED_MAX + 1), |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<T>>>()?;
    if found.len() > MOVED_MAX as usize {
        return Err(Error::refused(
            Code::TooMany,
            "the duplicate has too many visits; keep that record and merge the other into it",
        ));
    }
    Ok(found)
}

/// Keeps of an appointment whose it was. One that is gone from the patient's record is left to
/// be noticed by whoever writes it.
fn keep_appointment(tx: &Tx<'_>, id: AppointmentId, patient: PatientId) -> Result<()> {
    let mut statement = tx
        .sql()
        .prepare_cached("SELECT version FROM appointment WHERE id = ?1 AND patient = ?2")?;
    let mut rows = statement.query((id, patient))?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let whose = row::one(tx, patient)?;
    let phone = whose.phones.first().map(|phone| phone.number.as_str().to_owned());
    let mut changed = serde_json::Map::new();
    changed.insert("patient".into(), patient.to_string().into());
    changed.insert("patient_name".into(), whose.name.into());
    changed.insert("patient_phone".into(), phone.into());
    past::keep_of(tx, (Noun::Appointment, id.as_bytes(), row.get(0)?), changed)
}

fn hand_over(
    tx: &mut Tx<'_>,
    (stamp, verb): (&Stamp, &'static str),
    update: &str,
    (noun, id): (Noun, &[u8; 16]),
    (from, to): (PatientId, PatientId),
) -> Result<()> {
    let version: i64 = {
        let mut statement = tx.sql().prepare_cached(update)?;
        let mut rows = statement.query((id, from, to))?;
        match rows.next()? {
            Some(row) => row.get(0)?,
            None => {
                return Err(Error::refused(
                    Code::IllegalStep,
                    format!(
                        "{} {} is no longer on the record",
                        noun.as_str(),
                        uuid::Uuid::from_bytes(*id)
                    ),
                ));
            }
        }
    };
    tx.record(stamp, verb, (noun, id, version), Some(to))
}
