//! How far a message has come, as whoever carries it tells.

use rusqlite::OptionalExtension as _;

use super::{Message, Progress, State, outbox};
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{DeliveryId, MessageId, Noun};
use crate::medium::Medium;
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// The longest code of an error that is kept, in letters.
const ERROR_LETTERS_MAX: usize = 100;

/// What whoever carries a message tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The message, if they know our id.
    pub message: Option<MessageId>,
    /// By what it went.
    pub medium: Medium,
    /// What they call it.
    pub provider_id: Option<String>,
    /// How far it has come.
    pub progress: Progress,
    /// Why it did not arrive, by their code.
    pub error: Option<String>,
}

/// Whoever carries it has this try.
pub fn hand(tx: &mut Tx<'_>, stamp: &Stamp, id: DeliveryId) -> Result<()> {
    let found = tried(tx, stamp, id)?;
    advance(tx, stamp, found, &Progress::Handed, (None, None)).map(drop)
}

/// This try left by a medium of which nothing more is heard, so its message is not followed any more.
pub fn left(tx: &mut Tx<'_>, stamp: &Stamp, id: DeliveryId) -> Result<()> {
    let found = tried(tx, stamp, id)?;
    let message = found.message;
    if advance(tx, stamp, found, &Progress::Sent, (None, None))? {
        let sql = "UPDATE message SET look_at = NULL WHERE id = ?1";
        tx.sql().prepare_cached(sql)?.execute([message])?;
    }
    Ok(())
}

/// This try will not arrive, by a code.
pub fn refused(tx: &mut Tx<'_>, stamp: &Stamp, id: DeliveryId, code: &str) -> Result<()> {
    let found = tried(tx, stamp, id)?;
    advance(tx, stamp, found, &Progress::Failed, (None, Some(code))).map(drop)
}

/// Takes in what is told of a message, by our id or by theirs. What is known already, or is of an earlier
/// state, changes nothing. Answers whether anything did; *not found* if there is no such message.
pub fn delivered(tx: &mut Tx<'_>, stamp: &Stamp, report: &Report) -> Result<bool> {
    stamp.needs(Right::Converse)?;
    let Report { message, medium, provider_id, progress, error } = report;
    let by_theirs = match provider_id {
        None => None,
        Some(theirs) => find(tx, "medium = ?1 AND provider_id = ?2", (medium.as_str(), theirs))?,
    };
    let found = match (by_theirs, message) {
        (Some(found), _) => Some(found),
        (None, Some(id)) => find(tx, "message = ?1 AND medium = ?2", (id, medium.as_str()))?,
        (None, None) => None,
    };
    let found = found.ok_or(Error::NotFound(Noun::Message))?;
    let error: Option<String> =
        error.as_ref().map(|error| error.chars().take(ERROR_LETTERS_MAX).collect());
    advance(tx, stamp, found, progress, (provider_id.as_deref(), error.as_deref()))
}

/// A try, its message and how far it has come.
struct Found {
    id: DeliveryId,
    message: MessageId,
    progress: Progress,
    provider_id: Option<String>,
}

fn tried(read: &Read<'_>, stamp: &Stamp, id: DeliveryId) -> Result<Found> {
    stamp.needs(Right::Converse)?;
    find(read, "id = ?1", [id])?.ok_or(Error::NotFound(Noun::Message))
}

/// The newest try that fits.
fn find(read: &Read<'_>, condition: &str, values: impl rusqlite::Params) -> Result<Option<Found>> {
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT id, message, state, provider_id FROM delivery WHERE {condition}
         ORDER BY attempt DESC LIMIT 1"
    ))?;
    let found = statement
        .query_row(values, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((id, message, progress, provider_id)) = found else { return Ok(None) };
    Ok(Some(Found { id, message, progress: Progress::parse(&progress)?, provider_id }))
}

fn advance(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    found: Found,
    progress: &Progress,
    (provider_id, error): (Option<&str>, Option<&str>),
) -> Result<bool> {
    let is_further = *progress > found.progress;
    let is_named = provider_id.is_some() && found.provider_id.is_none();
    if !is_further && !is_named {
        return Ok(false);
    }
    let progress = if is_further { *progress } else { found.progress };
    tx.sql()
        .prepare_cached(
            "UPDATE delivery SET state = ?2, provider_id = coalesce(provider_id, ?3),
               error = CASE WHEN ?2 = 'failed' THEN coalesce(?4, error, 'failed') ELSE error END,
               changed_at = ?5 WHERE id = ?1",
        )?
        .execute((found.id, progress.as_str(), provider_id, error, to_ms(stamp.now)))?;
    if is_further {
        let message = super::get(tx, stamp, found.message)?;
        follow(tx, stamp, &message, progress)?;
    }
    Ok(is_further)
}

/// Brings the message as far as its try has come.
fn follow(tx: &mut Tx<'_>, stamp: &Stamp, message: &Message, progress: Progress) -> Result<()> {
    let said = message.said()?;
    let to = match progress {
        Progress::Queued => State::Waiting,
        Progress::Handed => State::Handed,
        Progress::Sent => State::Sent,
        // Another way may be left.
        Progress::Failed => said.state,
        Progress::Delivered => State::Delivered,
        Progress::Read => State::Read,
    };
    let state = to.max(said.state);
    let look_at = match progress {
        Progress::Queued | Progress::Handed | Progress::Sent => said.look_at,
        // What is called off, or failed by all ways, stays so.
        Progress::Failed => (said.state < State::Dropped).then_some(stamp.now),
        Progress::Delivered | Progress::Read => None,
    };
    let sql = "UPDATE message SET version = version + 1, state = ?2, look_at = ?3 WHERE id = ?1";
    let values = (message.id, state.as_str(), look_at.map(to_ms));
    tx.sql().prepare_cached(sql)?.execute(values)?;
    let verb = match progress {
        Progress::Queued | Progress::Handed => "hand",
        Progress::Sent => "sent",
        Progress::Failed => "bounce",
        Progress::Delivered | Progress::Read => "deliver",
    };
    outbox::note(tx, stamp, verb, message)
}
