//! Reading and writing the rows of conversations.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row};

use super::{ADDRESSES_MAX, Address, Conversation, Filter, Holder, join};
use crate::contact::{self, BirthDate, Phone};
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{ConversationId, Noun, PatientId};
use crate::patient::{self, Brief};
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// Conversations that one page answers at the most.
pub const THREADS_MAX: usize = 200;

const COLUMNS: &str = "c.id, c.version, c.patient, p.name, c.name, c.held_by, c.why, c.assignee, s.name,
  c.language, c.unread, c.opened_at, c.last_heard_at, c.last_said_at, c.last_at
  FROM conversation c LEFT JOIN patient p ON p.id = c.patient LEFT JOIN staff s ON s.id = c.assignee";

/// One conversation; of one that was joined to another, the other.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: ConversationId) -> Result<Conversation> {
    stamp.needs(Right::Converse)?;
    one(read, followed(read, id)?)
}

/// Conversations, the latest first, after a place in that order; at most `limit` (and never more than
/// [`THREADS_MAX`]).
pub fn threads(
    read: &Read<'_>,
    stamp: &Stamp,
    filter: Filter,
    after: Option<(Timestamp, ConversationId)>,
    limit: usize,
) -> Result<Vec<Conversation>> {
    stamp.needs(Right::Converse)?;
    let Filter { patient, held_by, assignee, unassigned, unread } = filter;
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE c.joined_into IS NULL AND (?1 IS NULL OR c.patient = ?1)
           AND (?2 IS NULL OR c.held_by = ?2) AND (?3 IS NULL OR c.assignee = ?3)
           AND (?4 = 0 OR c.unread > 0) AND (c.last_at, c.id) < (?5, ?6)
           AND (?8 = 0 OR (c.held_by = 'desk' AND c.assignee IS NULL))
         ORDER BY c.last_at DESC, c.id DESC LIMIT ?7"
    ))?;
    let (at, id) = match after {
        Some((at, id)) => (to_ms(at), id.as_bytes().to_vec()),
        // Sorts behind every id.
        None => (i64::MAX, Vec::new()),
    };
    let limit = i64::try_from(limit.min(THREADS_MAX)).unwrap_or(i64::MAX);
    let held_by = held_by.map(Holder::as_str);
    let mut rows =
        statement.query((patient, held_by, assignee, unread, at, id, limit, unassigned))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(from_row(row)?);
    }
    Ok(found)
}

/// In how many conversations something waits for a person.
pub fn unread(read: &Read<'_>, stamp: &Stamp) -> Result<i64> {
    stamp.needs(Right::Converse)?;
    let sql = "SELECT count(*) FROM conversation WHERE joined_into IS NULL AND unread > 0";
    Ok(read.sql().prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// The addresses of a conversation.
pub fn addresses(read: &Read<'_>, stamp: &Stamp, id: ConversationId) -> Result<Vec<Address>> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT family, address FROM conversation_address WHERE conversation = ?1
         ORDER BY family, address",
    )?;
    let mut rows = statement.query([followed(read, id)?])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Address::stored(&row.get::<_, String>(0)?, row.get(1)?)?);
    }
    Ok(found)
}

/// The conversation that an address is in.
pub fn at_address(
    read: &Read<'_>,
    stamp: &Stamp,
    address: &Address,
) -> Result<Option<ConversationId>> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT conversation FROM conversation_address WHERE family = ?1 AND address = ?2",
    )?;
    let found = statement.query_row((address.family(), address.as_str()), |row| row.get(0));
    Ok(found.optional()?)
}

/// Who the person may be: who it is, if somebody has made sure, and then everybody who has a telephone
/// number of the conversation on record. One who stands alone here is a guess, not proven.
pub fn people(read: &Read<'_>, stamp: &Stamp, id: ConversationId) -> Result<Vec<Brief>> {
    stamp.needs(Right::ReadPatients)?;
    let conversation = get(read, stamp, id)?;
    let mut people = Vec::new();
    if let Some(patient) = conversation.patient {
        people.push(patient::brief(read, patient)?);
    }
    for address in addresses(read, stamp, conversation.id)? {
        let Address::Phone(phone) = address else { continue };
        for person in patient::with_phone(read, &phone)? {
            if !people.iter().any(|known: &Brief| known.id == person.id) {
                people.push(person);
            }
        }
    }
    Ok(people)
}

/// Who is on record with this telephone number and this birth, as far as both know it.
pub fn known_by(
    read: &Read<'_>,
    stamp: &Stamp,
    phone: &Phone,
    birth: BirthDate,
) -> Result<Vec<Brief>> {
    stamp.needs(Right::ReadPatients)?;
    let mut found = patient::with_phone(read, phone)?;
    found.retain(|it| it.birth_date.is_some_and(|known| known.agrees_with(birth)));
    Ok(found)
}

/// The conversation into which this one was joined, or itself.
pub(crate) fn followed(read: &Read<'_>, id: ConversationId) -> Result<ConversationId> {
    let mut statement = read
        .sql()
        .prepare_cached("SELECT coalesce(joined_into, id) FROM conversation WHERE id = ?1")?;
    let mut rows = statement.query([id])?;
    Ok(rows.next()?.ok_or(Error::NotFound(Noun::Conversation))?.get(0)?)
}

pub(super) fn one(read: &Read<'_>, id: ConversationId) -> Result<Conversation> {
    let mut statement = read.sql().prepare_cached(&format!("SELECT {COLUMNS} WHERE c.id = ?1"))?;
    let mut rows = statement.query([id])?;
    from_row(rows.next()?.ok_or(Error::NotFound(Noun::Conversation))?)
}

/// The conversation of these addresses, which are one person's; opened if there is none yet. If they were
/// in two, these become one.
pub(crate) fn open_by(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    addresses: &[Address],
    name: Option<&str>,
) -> Result<ConversationId> {
    // What a person calls themself elsewhere obeys no rule: what cannot be a name is left out.
    let name = name.and_then(|name| contact::name("name", name).ok());
    let mut found: Vec<ConversationId> = Vec::new();
    let mut unknown = Vec::new();
    for address in addresses {
        match at_address(tx, stamp, address)? {
            Some(id) if found.contains(&id) => {}
            Some(id) => found.push(id),
            None => unknown.push(address),
        }
    }
    let mut found = found.into_iter();
    let id = match found.next() {
        Some(kept) => {
            for other in found {
                join::join(tx, stamp, kept, other)?;
            }
            if let Some(name) = &name {
                let sql = "UPDATE conversation SET name = ?2 WHERE id = ?1 AND name IS NOT ?2";
                tx.sql().prepare_cached(sql)?.execute((kept, name))?;
            }
            kept
        }
        None => open(tx, stamp, name.as_deref())?,
    };
    add_addresses(tx, id, &unknown)?;
    Ok(id)
}

fn open(tx: &mut Tx<'_>, stamp: &Stamp, name: Option<&str>) -> Result<ConversationId> {
    let id = ConversationId::new(stamp.now);
    tx.sql()
        .prepare_cached(
            "INSERT INTO conversation (id, version, name, held_by, unread, opened_at, last_at)
             VALUES (?1, 1, ?2, 'reception', 0, ?3, ?3)",
        )?
        .execute((id, name, to_ms(stamp.now)))?;
    tx.record(stamp, "open", (Noun::Conversation, id.as_bytes(), 1), None)?;
    Ok(id)
}

fn add_addresses(tx: &Tx<'_>, id: ConversationId, addresses: &[&Address]) -> Result<()> {
    if addresses.is_empty() {
        return Ok(());
    }
    let sql = "SELECT count(*) FROM conversation_address WHERE conversation = ?1";
    let has: u32 = tx.sql().prepare_cached(sql)?.query_row([id], |row| row.get(0))?;
    let new = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    if has.saturating_add(new) > ADDRESSES_MAX {
        let what = format!("a conversation has at most {ADDRESSES_MAX} addresses");
        return Err(Error::refused(Code::TooMany, what));
    }
    for address in addresses {
        tx.sql()
            .prepare_cached(
                "INSERT INTO conversation_address (family, address, conversation)
                 VALUES (?1, ?2, ?3)",
            )?
            .execute((address.family(), address.as_str(), id))?;
    }
    Ok(())
}

/// Notes that the person said something. Answers who it is, if somebody has made sure.
pub(crate) fn heard(tx: &Tx<'_>, id: ConversationId, at: Timestamp) -> Result<Option<PatientId>> {
    let sql = "UPDATE conversation SET last_heard_at = max(coalesce(last_heard_at, ?2), ?2),
        last_at = max(last_at, ?2) WHERE id = ?1 RETURNING patient";
    let mut statement = tx.sql().prepare_cached(sql)?;
    Ok(statement.query_row((id, to_ms(at)), |row| row.get(0))?)
}

/// Notes that the clinic said something.
pub(crate) fn said(tx: &Tx<'_>, id: ConversationId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE conversation SET last_said_at = max(coalesce(last_said_at, ?2), ?2),
        last_at = max(last_at, ?2) WHERE id = ?1";
    tx.sql().prepare_cached(sql)?.execute((id, to_ms(at)))?;
    Ok(())
}

/// Notes that one more message waits for a person.
pub(crate) fn waits_for_a_person(tx: &Tx<'_>, id: ConversationId) -> Result<()> {
    let sql = "UPDATE conversation SET unread = unread + 1 WHERE id = ?1";
    tx.sql().prepare_cached(sql)?.execute([id])?;
    Ok(())
}

/// Notes that a person has seen or answered all that waited. Answers whether anything did.
pub(super) fn settled(tx: &Tx<'_>, id: ConversationId) -> Result<bool> {
    let sql = "UPDATE conversation SET unread = 0 WHERE id = ?1 AND unread > 0";
    Ok(tx.sql().prepare_cached(sql)?.execute([id])? > 0)
}

/// Writes the next version of a conversation.
pub(super) fn update(tx: &Tx<'_>, conversation: &Conversation) -> Result<()> {
    let Conversation {
        id,
        version,
        patient,
        patient_name: _,
        name: _,
        held_by,
        why,
        assignee,
        assignee_name: _,
        language,
        unread,
        opened_at: _,
        last_heard_at: _,
        last_said_at: _,
        last_at: _,
    } = conversation;
    tx.sql()
        .prepare_cached(
            "UPDATE conversation SET version = ?2, patient = ?3, held_by = ?4, why = ?5,
               assignee = ?6, language = ?7, unread = ?8 WHERE id = ?1",
        )?
        .execute((id, version, patient, held_by.as_str(), why, assignee, language, unread))?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> Result<Conversation> {
    let time = |column: usize| -> Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(from_ms))
    };
    Ok(Conversation {
        id: row.get(0)?,
        version: row.get(1)?,
        patient: row.get(2)?,
        patient_name: row.get(3)?,
        name: row.get(4)?,
        held_by: Holder::parse(&row.get::<_, String>(5)?)?,
        why: row.get(6)?,
        assignee: row.get(7)?,
        assignee_name: row.get(8)?,
        language: row.get(9)?,
        unread: row.get(10)?,
        opened_at: from_ms(row.get(11)?),
        last_heard_at: time(12)?,
        last_said_at: time(13)?,
        last_at: from_ms(row.get(14)?),
    })
}
