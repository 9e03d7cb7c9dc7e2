//! What the boxes of clinics want said, on its way to providers; bodies are sealed.

use sync_protocol::relay::ItemId;

use super::sql::{Row, Tx, params};
use super::{StoreError, Stored, from_stored, to_stored};

/// How far a message is that a clinic says; each is further than those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutState {
    /// It waits to be sent.
    Waiting,
    /// The provider has it.
    Sent,
    /// The person's telephone has it.
    Delivered,
    /// It was opened.
    Read,
    /// It does not get there.
    Failed,
}

impl OutState {
    const ALL: [Self; 5] = [Self::Waiting, Self::Sent, Self::Delivered, Self::Read, Self::Failed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }

    fn parse(word: &str) -> Stored<Self> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == word);
        found.ok_or(StoreError::Damaged("the state of a message"))
    }

    /// Whether a message that is here may go there: on only, and what has arrived does not fail any more.
    pub fn may_become(self, next: Self) -> bool {
        match next {
            Self::Failed => matches!(self, Self::Waiting | Self::Sent),
            Self::Waiting => false,
            Self::Sent | Self::Delivered | Self::Read => self < next,
        }
    }
}

/// A message to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageOut {
    /// Its id on the way.
    pub id: ItemId,
    /// What the box calls it.
    pub message: [u8; 16],
    /// By what it goes.
    pub medium: String,
    /// A keyed hash of whom it is for.
    pub peer: [u8; 16],
    /// What it says, sealed; none once the provider has it.
    pub body: Option<Vec<u8>>,
    /// When it was taken from the box, in ms since 1970 UTC.
    pub taken_at: i64,
    /// How far it is.
    pub state: OutState,
    /// When it is tried next, in ms since 1970 UTC.
    pub next_at: i64,
    /// How often it was tried.
    pub tries: u32,
}

const COLUMNS: &str = "id, message, medium, peer, body, taken_at, state, next_at, tries";

fn to_message(row: &Row<'_>) -> Stored<MessageOut> {
    Ok(MessageOut {
        id: ItemId(row.get(0)?),
        message: row.get(1)?,
        medium: row.get(2)?,
        peer: row.get(3)?,
        body: row.get(4)?,
        taken_at: row.get(5)?,
        state: OutState::parse(&row.get::<String>(6)?)?,
        next_at: row.get(7)?,
        tries: u32::try_from(row.get::<i64>(8)?).unwrap_or(u32::MAX),
    })
}

/// A message of a clinic.
///
/// # Errors
/// [`StoreError`].
pub fn message_out(tx: &Tx<'_>, clinic: [u8; 16], id: ItemId) -> Stored<Option<MessageOut>> {
    let sql = format!("SELECT {COLUMNS} FROM message_out WHERE clinic = ?1 AND id = ?2");
    tx.row(&sql, params![&clinic, &id.0], to_message)
}

/// The message of a clinic of which the provider's name has this hash.
///
/// # Errors
/// [`StoreError`].
pub fn message_out_called(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    carrier: [u8; 16],
) -> Stored<Option<ItemId>> {
    let sql = "SELECT id FROM message_out WHERE clinic = ?1 AND carrier = ?2 LIMIT 1";
    tx.row(sql, params![&clinic, &carrier], |row| Ok(ItemId(row.get(0)?)))
}

/// The message of a clinic that its box calls so, as it was taken last.
///
/// # Errors
/// [`StoreError`].
pub fn message_out_of(tx: &Tx<'_>, clinic: [u8; 16], message: [u8; 16]) -> Stored<Option<ItemId>> {
    let sql = "SELECT id FROM message_out WHERE clinic = ?1 AND message = ?2
        ORDER BY number DESC LIMIT 1";
    tx.row(sql, params![&clinic, &message], |row| Ok(ItemId(row.get(0)?)))
}

/// Keeps a message that was taken from the box as this number and is not kept.
///
/// # Errors
/// [`StoreError`].
pub fn put_message_out(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    message: &MessageOut,
    number: u64,
) -> Stored<()> {
    let MessageOut { id, message, medium, peer, body, taken_at, state, next_at, tries } = message;
    let sql = "INSERT INTO message_out (clinic, id, message, number, medium, peer, body,
          taken_at, state, next_at, tries, carrier)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, NULL)";
    let params = params![
        &clinic,
        &id.0,
        message,
        to_stored(number),
        medium,
        peer,
        body.as_ref(),
        *taken_at,
        state.as_str(),
        *next_at,
        *tries
    ];
    tx.execute(sql, params)?;
    Ok(())
}

/// As which number a message was taken, if it is kept.
///
/// # Errors
/// [`StoreError`].
pub fn number_of_message_out(tx: &Tx<'_>, clinic: [u8; 16], id: ItemId) -> Stored<Option<u64>> {
    let sql = "SELECT number FROM message_out WHERE clinic = ?1 AND id = ?2";
    tx.row(sql, params![&clinic, &id.0], |row| Ok(from_stored(row.get(0)?)))
}

/// How many messages of a clinic wait to be sent, at most `most`.
///
/// # Errors
/// [`StoreError`].
pub fn count_messages_out(tx: &Tx<'_>, clinic: [u8; 16], most: u32) -> Stored<u64> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM message_out
        WHERE clinic = ?1 AND state = 'waiting' LIMIT ?2) AS waiting";
    Ok(tx.row(sql, params![&clinic, most], |row| row.get(0))?.map_or(0, from_stored))
}

/// The clinics of which something is to be tried by this time, at most `limit`; from among all clinics.
///
/// # Errors
/// [`StoreError`].
pub fn clinics_with_messages_due(tx: &Tx<'_>, now_ms: i64, limit: u32) -> Stored<Vec<[u8; 16]>> {
    let sql = "SELECT DISTINCT clinic FROM message_due WHERE next_at <= ?1 LIMIT ?2";
    tx.rows(sql, params![now_ms, limit], |row| row.get(0))
}

/// When something of any clinic is to be tried next, in ms since 1970 UTC.
///
/// # Errors
/// [`StoreError`].
pub fn next_message_due(tx: &Tx<'_>) -> Stored<Option<i64>> {
    let sql = "SELECT next_at FROM message_due ORDER BY next_at LIMIT 1";
    tx.row(sql, &[], |row| row.get(0))
}

/// Takes messages of a clinic that are to be tried now, for whoever commits: nobody else does before
/// `until_ms`. Of those to one person only the first.
///
/// # Errors
/// [`StoreError`].
pub fn claim_messages_out(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    (now_ms, until_ms): (i64, i64),
    limit: u32,
) -> Stored<Vec<MessageOut>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM message_out m
         WHERE clinic = ?1 AND state = 'waiting' AND next_at <= ?2 AND NOT EXISTS
           (SELECT 1 FROM message_out e WHERE e.clinic = m.clinic AND e.peer = m.peer
              AND e.state = 'waiting' AND (e.number, e.taken_at) < (m.number, m.taken_at))
         ORDER BY number, taken_at LIMIT ?3"
    );
    let mut claimed = tx.rows(&sql, params![&clinic, now_ms, limit], to_message)?;
    for message in &mut claimed {
        (message.next_at, message.tries) = (until_ms, message.tries.saturating_add(1));
        let sql = "UPDATE message_out SET next_at = ?3, tries = ?4 WHERE clinic = ?1 AND id = ?2";
        tx.execute(sql, params![&clinic, &message.id.0, until_ms, message.tries])?;
    }
    Ok(claimed)
}

/// A message is tried again at this time, unless its state is known by now.
///
/// # Errors
/// [`StoreError`].
pub fn put_off(tx: &Tx<'_>, clinic: [u8; 16], id: ItemId, next_at: i64) -> Stored<()> {
    let sql = "UPDATE message_out SET next_at = ?3
        WHERE clinic = ?1 AND id = ?2 AND state = 'waiting'";
    tx.execute(sql, params![&clinic, &id.0, next_at])?;
    Ok(())
}

/// A message was not tried after all: it is at this time, unless its state is known by now.
///
/// # Errors
/// [`StoreError`].
pub fn hold_back(tx: &Tx<'_>, clinic: [u8; 16], id: ItemId, next_at: i64) -> Stored<()> {
    let sql = "UPDATE message_out SET next_at = ?3, tries = tries - 1
        WHERE clinic = ?1 AND id = ?2 AND state = 'waiting' AND tries > 0";
    tx.execute(sql, params![&clinic, &id.0, next_at])?;
    Ok(())
}

/// Writes what the provider calls a message, as a hash.
///
/// # Errors
/// [`StoreError`].
pub fn name_message_out(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    id: ItemId,
    carrier: [u8; 16],
) -> Stored<()> {
    let sql = "UPDATE message_out SET carrier = ?3 WHERE clinic = ?1 AND id = ?2";
    tx.execute(sql, params![&clinic, &id.0, &carrier])?;
    Ok(())
}

/// Moves a message on; says whether it did. What does not wait any more is not kept.
///
/// # Errors
/// [`StoreError`].
pub fn move_message_out(tx: &Tx<'_>, clinic: [u8; 16], id: ItemId, next: OutState) -> Stored<bool> {
    let Some(MessageOut { state, .. }) = message_out(tx, clinic, id)? else { return Ok(false) };
    if !state.may_become(next) {
        return Ok(false);
    }
    let sql = "UPDATE message_out SET state = ?3, body = NULL WHERE clinic = ?1 AND id = ?2";
    tx.execute(sql, params![&clinic, &id.0, next.as_str()])?;
    Ok(true)
}

/// Forgets what was taken before this time and does not wait.
///
/// # Errors
/// [`StoreError`].
pub fn forget_messages_out(tx: &Tx<'_>, clinic: [u8; 16], before_ms: i64) -> Stored<()> {
    let sql = "DELETE FROM message_out
        WHERE clinic = ?1 AND taken_at < ?2 AND state <> 'waiting'";
    tx.execute(sql, params![&clinic, before_ms])?;
    Ok(())
}

/// The clinic was put back from a backup: what waited then may have been sent since, and is not sent again.
///
/// # Errors
/// [`StoreError`].
pub fn end_messages_out(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<()> {
    let sql = "UPDATE message_out SET state = 'failed', body = NULL
        WHERE clinic = ?1 AND state = 'waiting'";
    tx.execute(sql, params![&clinic])?;
    Ok(())
}

/// By which account somebody wrote last, and when, in ms since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The account.
    pub channel: [u8; 16],
    /// When.
    pub heard_at: i64,
}

/// Somebody wrote to the clinic.
///
/// # Errors
/// [`StoreError`].
pub fn note_peer(tx: &Tx<'_>, clinic: [u8; 16], peer: [u8; 16], wrote: Peer) -> Stored<()> {
    let Peer { channel, heard_at } = wrote;
    let sql = "INSERT INTO message_peer (clinic, peer, channel, heard_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (clinic, peer) DO UPDATE
          SET channel = excluded.channel, heard_at = excluded.heard_at
        WHERE message_peer.heard_at < excluded.heard_at";
    tx.execute(sql, params![&clinic, &peer, &channel, heard_at])?;
    Ok(())
}

/// How somebody wrote to the clinic last.
///
/// # Errors
/// [`StoreError`].
pub fn peer(tx: &Tx<'_>, clinic: [u8; 16], peer: [u8; 16]) -> Stored<Option<Peer>> {
    let sql = "SELECT channel, heard_at FROM message_peer WHERE clinic = ?1 AND peer = ?2";
    tx.row(sql, params![&clinic, &peer], |row| {
        Ok(Peer { channel: row.get(0)?, heard_at: row.get(1)? })
    })
}

/// Forgets who wrote last before this time.
///
/// # Errors
/// [`StoreError`].
pub fn forget_peers(tx: &Tx<'_>, clinic: [u8; 16], before_ms: i64) -> Stored<()> {
    let sql = "DELETE FROM message_peer WHERE clinic = ?1 AND heard_at < ?2";
    tx.execute(sql, params![&clinic, before_ms])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_goes_on_only_and_what_arrived_does_not_fail() {
        use OutState::{Delivered, Failed, Read, Sent, Waiting};
        let mut allowed = Vec::new();
        for from in OutState::ALL {
            assert_eq!(OutState::parse(from.as_str()).unwrap(), from);
            allowed.extend(
                OutState::ALL.into_iter().filter(|to| from.may_become(*to)).map(|to| (from, to)),
            );
        }
        let expected = [
            (Waiting, Sent),
            (Waiting, Delivered),
            (Waiting, Read),
            (Waiting, Failed),
            (Sent, Delivered),
            (Sent, Read),
            (Sent, Failed),
            (Delivered, Read),
        ];
        assert_eq!(allowed, expected);
    }
}
