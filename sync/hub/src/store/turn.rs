//! Who answers what came for clinics, what they let the hub say, and how dialogues stand; bodies are sealed. What is
//! decided, `sync_protocol::relay::answerer` says.

use sync_protocol::relay::ItemId;
use sync_protocol::relay::answerer::Turn;

use super::sql::{Row, Tx, params};
use super::{StoreError, Stored, from_stored, to_stored};

/// Earlier messages of one person that are looked at.
const BEFORE_MAX: i64 = 64;

/// Who answers a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRow {
    /// Its id.
    pub id: ItemId,
    /// As the how manieth it came.
    pub number: u64,
    /// A keyed hash of whom it is from.
    pub peer: [u8; 16],
    /// Who answers it.
    pub turn: Turn,
    /// When it came, in ms since 1970 UTC.
    pub received_at: i64,
    /// When it is gone on with, if it is claimed, in ms since 1970 UTC.
    pub next_at: i64,
}

const COLUMNS: &str = "id, number, peer, turn, received_at, next_at";

fn to_row(row: &Row<'_>) -> Stored<TurnRow> {
    Ok(TurnRow {
        id: ItemId(row.get(0)?),
        number: from_stored(row.get(1)?),
        peer: row.get(2)?,
        turn: parse(&row.get::<String>(3)?)?,
        received_at: row.get(4)?,
        next_at: row.get(5)?,
    })
}

fn parse(word: &str) -> Stored<Turn> {
    let found = Turn::ALL.into_iter().find(|it| it.as_str() == word);
    found.ok_or(StoreError::Damaged("who answers a message"))
}

/// Writes who answers a message that is new.
///
/// # Errors
/// [`StoreError`].
pub fn put_turn(tx: &Tx<'_>, clinic: [u8; 16], row: &TurnRow) -> Stored<()> {
    let TurnRow { id, number, peer, turn, received_at, next_at } = row;
    let sql = "INSERT INTO message_turn (clinic, id, number, peer, turn, received_at, next_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let params =
        params![&clinic, &id.0, to_stored(*number), peer, turn.as_str(), *received_at, *next_at];
    tx.execute(sql, params)?;
    Ok(())
}

/// Who answers a message, if that is kept.
///
/// # Errors
/// [`StoreError`].
pub fn turn(tx: &Tx<'_>, clinic: [u8; 16], id: ItemId) -> Stored<Option<TurnRow>> {
    let sql = format!("SELECT {COLUMNS} FROM message_turn WHERE clinic = ?1 AND id = ?2");
    tx.row(&sql, params![&clinic, &id.0], to_row)
}

/// Who answers the earlier messages of the same person, in order; the last so many.
///
/// # Errors
/// [`StoreError`].
pub fn turns_before(tx: &Tx<'_>, clinic: [u8; 16], row: &TurnRow) -> Stored<Vec<Turn>> {
    let sql = "SELECT turn FROM message_turn WHERE clinic = ?1 AND peer = ?2 AND number < ?3
        ORDER BY number DESC LIMIT ?4";
    let params = params![&clinic, &row.peer, to_stored(row.number), BEFORE_MAX];
    let words = tx.rows(sql, params, |row| row.get::<String>(0))?;
    words.iter().rev().map(|word| parse(word)).collect()
}

/// Moves a message on.
///
/// # Errors
/// [`StoreError`].
pub fn move_turn(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    id: ItemId,
    (turn, next_at): (Turn, i64),
) -> Stored<()> {
    let sql = "UPDATE message_turn SET turn = ?3, next_at = ?4 WHERE clinic = ?1 AND id = ?2";
    tx.execute(sql, params![&clinic, &id.0, turn.as_str(), next_at])?;
    Ok(())
}

/// The box is through with what it was given of one person, up to a message.
///
/// # Errors
/// [`StoreError`].
pub fn end_turns(tx: &Tx<'_>, clinic: [u8; 16], row: &TurnRow) -> Stored<()> {
    let sql = "UPDATE message_turn SET turn = 'done'
        WHERE clinic = ?1 AND peer = ?2 AND number <= ?3 AND turn = 'box'";
    tx.execute(sql, params![&clinic, &row.peer, to_stored(row.number)])?;
    Ok(())
}

/// What is not answered, in order; at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn turns_open(tx: &Tx<'_>, clinic: [u8; 16], limit: u32) -> Stored<Vec<TurnRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM message_turn
         WHERE clinic = ?1 AND turn IN ('open', 'claimed') ORDER BY number LIMIT ?2"
    );
    tx.rows(&sql, params![&clinic, limit], to_row)
}

/// The clinics of which something that came before this time is to be answered, at most `limit`; from among all clinics.
///
/// # Errors
/// [`StoreError`].
pub fn clinics_with_turns(tx: &Tx<'_>, before_ms: i64, limit: u32) -> Stored<Vec<[u8; 16]>> {
    let sql = "SELECT DISTINCT clinic FROM message_open WHERE received_at <= ?1 LIMIT ?2";
    tx.rows(sql, params![before_ms, limit], |row| row.get(0))
}

/// Forgets who answered what came before this time, and dialogues that did not change since that one.
///
/// # Errors
/// [`StoreError`].
pub fn forget_turns(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    (before_ms, unchanged_since_ms): (i64, i64),
) -> Stored<()> {
    let sql = "DELETE FROM message_turn WHERE clinic = ?1 AND received_at < ?2";
    tx.execute(sql, params![&clinic, before_ms])?;
    let sql = "DELETE FROM dialogue WHERE clinic = ?1 AND changed_at < ?2";
    tx.execute(sql, params![&clinic, unchanged_since_ms])?;
    Ok(())
}

/// What a clinic lets its hub say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsRow {
    /// What, sealed.
    pub body: Vec<u8>,
    /// When the box wrote it, in ms since 1970 UTC by its clock.
    pub told_at: i64,
    /// When the box was last heard, in ms since 1970 UTC.
    pub heard_at: i64,
}

/// What a clinic lets its hub say, if its box has told.
///
/// # Errors
/// [`StoreError`].
pub fn reception_facts(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Option<FactsRow>> {
    let sql = "SELECT body, told_at, heard_at FROM reception_facts WHERE clinic = ?1";
    tx.row(sql, params![&clinic], |row| {
        Ok(FactsRow { body: row.get(0)?, told_at: row.get(1)?, heard_at: row.get(2)? })
    })
}

/// Whether a clinic lets its hub say anything.
///
/// # Errors
/// [`StoreError`].
pub fn has_reception_facts(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<bool> {
    let sql = "SELECT 1 FROM reception_facts WHERE clinic = ?1";
    Ok(tx.row(sql, params![&clinic], |row| row.get::<i64>(0))?.is_some())
}

/// Writes what a clinic lets its hub say, unless something newer is there.
///
/// # Errors
/// [`StoreError`].
pub fn put_reception_facts(tx: &Tx<'_>, clinic: [u8; 16], facts: &FactsRow) -> Stored<()> {
    let FactsRow { body, told_at, heard_at } = facts;
    let sql =
        "INSERT INTO reception_facts (clinic, body, told_at, heard_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (clinic) DO UPDATE SET body = excluded.body, told_at = excluded.told_at
        WHERE reception_facts.told_at <= excluded.told_at";
    tx.execute(sql, params![&clinic, body, *told_at, *heard_at])?;
    Ok(())
}

/// The box of a clinic was heard.
///
/// # Errors
/// [`StoreError`].
pub fn note_heard(tx: &Tx<'_>, clinic: [u8; 16], heard_at: i64) -> Stored<()> {
    let sql = "UPDATE reception_facts SET heard_at = ?2 WHERE clinic = ?1";
    tx.execute(sql, params![&clinic, heard_at])?;
    Ok(())
}

/// How the dialogue with somebody stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogueRow {
    /// The number of the last message in it.
    pub number: u64,
    /// How, sealed.
    pub body: Vec<u8>,
    /// When it last changed, in ms since 1970 UTC.
    pub changed_at: i64,
}

/// How the dialogue with somebody stands, if that is known.
///
/// # Errors
/// [`StoreError`].
pub fn dialogue(tx: &Tx<'_>, clinic: [u8; 16], peer: [u8; 16]) -> Stored<Option<DialogueRow>> {
    let sql = "SELECT number, body, changed_at FROM dialogue WHERE clinic = ?1 AND peer = ?2";
    tx.row(sql, params![&clinic, &peer], |row| {
        Ok(DialogueRow {
            number: from_stored(row.get(0)?),
            body: row.get(1)?,
            changed_at: row.get(2)?,
        })
    })
}

/// Writes how the dialogue with somebody stands, unless it is known to stand further.
///
/// # Errors
/// [`StoreError`].
pub fn put_dialogue(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    peer: [u8; 16],
    row: &DialogueRow,
) -> Stored<()> {
    let DialogueRow { number, body, changed_at } = row;
    let sql = "INSERT INTO dialogue (clinic, peer, number, body, changed_at)
        VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (clinic, peer) DO UPDATE SET number = excluded.number, body = excluded.body,
          changed_at = excluded.changed_at
        WHERE dialogue.number <= excluded.number";
    tx.execute(sql, params![&clinic, &peer, to_stored(*number), body, *changed_at])?;
    Ok(())
}
