//! Hearing: what comes in, once, and what waits for reception.

use jiff::{SignedDuration, Timestamp};
use rusqlite::OptionalExtension as _;

use super::{Course, Message, row};
use crate::content::Content;
use crate::conversation::{self, Address};
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{ConversationId, MessageId, Noun};
use crate::medium::Medium;
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// As many letters of what is heard are kept; the rest is cut off.
pub const HEARD_LETTERS_MAX: usize = 20_000;
/// An answer waits so long for the picture that a message holds, which may show the code of a visit.
pub const PICTURE_AWAITED: SignedDuration = SignedDuration::from_secs(15);
/// The longest id of a message elsewhere, in bytes.
const PROVIDER_ID_BYTES_MAX: usize = 512;

/// What is heard.
#[derive(Clone)]
pub struct Hearing {
    /// By what.
    pub medium: Medium,
    /// What whoever carried it calls it: by this it is known when it comes again.
    pub provider_id: Option<String>,
    /// Where it comes from: all addresses of the person that it shows, the one to answer to first.
    pub from: Vec<Address>,
    /// What the person calls themself there.
    pub name: Option<String>,
    /// What it says.
    pub content: Content,
    /// When it was said, by the clock of where it was.
    pub said_at: Timestamp,
    /// What whoever carries it calls the message that it answers.
    pub answers: Option<String>,
}

/// What became of something that was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The message.
    pub id: MessageId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// Whether it was not known yet.
    pub is_new: bool,
}

/// Takes in what was heard, to wait for reception. What is known already is left as it is.
pub fn hear(tx: &mut Tx<'_>, stamp: &Stamp, hearing: Hearing) -> Result<Told> {
    stamp.needs(Right::Converse)?;
    let Hearing { medium, provider_id, from, name, content, said_at, answers } = hearing;
    let Some(first) = from.first() else {
        return Err(Error::invalid("from", "say where the message comes from"));
    };
    if provider_id.as_ref().is_some_and(|id| id.is_empty() || id.len() > PROVIDER_ID_BYTES_MAX) {
        let what = format!("the id of a message has 1 to {PROVIDER_ID_BYTES_MAX} bytes");
        return Err(Error::invalid("id", what));
    }
    if let Some(provider_id) = &provider_id {
        let known = tx
            .sql()
            .prepare_cached(
                "SELECT id, conversation FROM message WHERE medium = ?1 AND provider_id = ?2",
            )?
            .query_row((medium.as_str(), provider_id), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((id, conversation)) = known {
            return Ok(Told { id, conversation, is_new: false });
        }
    }
    let conversation = conversation::open_by(tx, stamp, &from, name.as_deref())?;
    let id = MessageId::new(stamp.now);
    // A clock elsewhere that runs ahead would keep this message the latest one.
    let said_at = said_at.min(stamp.now);
    let reply_to = match answers {
        None => None,
        Some(answers) => answered(tx, medium, &answers)?,
    };
    tx.sql()
        .prepare_cached(
            "INSERT INTO message (id, version, conversation, direction, author, medium, family, address,
               content, said_at, received_at, reply_to, provider_id)
             VALUES (?1, 1, ?2, 'in', 'patient', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute((
            id,
            conversation,
            medium.as_str(),
            first.family(),
            first.as_str(),
            written(&cut(content))?,
            to_ms(said_at),
            to_ms(stamp.now),
            reply_to,
            provider_id,
        ))?;
    let patient = conversation::heard(tx, conversation, said_at)?;
    tx.record(stamp, "hear", (Noun::Message, id.as_bytes(), 1), patient)?;
    Ok(Told { id, conversation, is_new: true })
}

/// A picture that was heard shows a text: from now on it is said with the picture, unless that is answered already.
pub fn shows(tx: &mut Tx<'_>, stamp: &Stamp, id: MessageId, text: &str) -> Result<()> {
    let message = row::get(tx, stamp, id)?;
    match message.course {
        Course::Heard { understood: _, handled_at: None } => {}
        Course::Heard { understood: _, handled_at: Some(_) } | Course::Said(_) => return Ok(()),
    }
    let Content::Media { media, media_type, caption } = message.content else { return Ok(()) };
    let said = caption.map_or_else(|| text.to_owned(), |words| format!("{words}\n{text}"));
    let content = cut(Content::Media { media, media_type, caption: Some(said) });
    let version = message.version + 1;
    tx.sql()
        .prepare_cached("UPDATE message SET version = ?2, content = ?3 WHERE id = ?1")?
        .execute((id, version, written(&content)?))?;
    let patient = conversation::get(tx, stamp, message.conversation)?.patient;
    tx.record(stamp, "show", (Noun::Message, id.as_bytes(), version), patient)
}

/// Of each conversation the first message that waits for reception, the oldest first, at most `limit`. Where it is not
/// known whether the box answers that one, or where its picture is on its way (for [`PICTURE_AWAITED`]), what is behind it
/// waits with it.
pub fn waiting(read: &Read<'_>, stamp: &Stamp, limit: usize) -> Result<Vec<Message>> {
    stamp.needs(Right::Converse)?;
    let awaited_since = stamp.now.checked_sub(PICTURE_AWAITED).unwrap_or(Timestamp::MIN);
    row::many(
        read,
        // From conversation to conversation by the index, past all that wait behind the first: after an outage that is most.
        "WHERE id IN (
           WITH RECURSIVE next (conversation) AS (
             SELECT min(conversation) FROM message WHERE direction = 'in' AND handled_at IS NULL
             UNION ALL
             SELECT (SELECT min(m.conversation) FROM message m WHERE m.conversation > next.conversation
                       AND m.direction = 'in' AND m.handled_at IS NULL)
               FROM next WHERE next.conversation IS NOT NULL)
           SELECT (SELECT f.id FROM message f WHERE f.conversation = next.conversation
                     AND f.direction = 'in' AND f.handled_at IS NULL
                    ORDER BY f.said_at, f.number LIMIT 1)
             FROM next WHERE next.conversation IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM message_asked a WHERE a.message = message.id AND a.given_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM media p WHERE p.message = message.id AND p.state = 'waiting'
                             AND p.media_type LIKE 'image/%' AND p.expected_at > ?2)
         ORDER BY said_at, number LIMIT ?1",
        (row::bounded(limit), to_ms(awaited_since)),
    )
}

/// How many messages wait for reception.
pub fn waiting_count(read: &Read<'_>) -> Result<i64> {
    let sql = "SELECT count(*) FROM message WHERE direction = 'in' AND handled_at IS NULL";
    Ok(read.sql().prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// The message of a conversation with which reception was through last: what is remembered of the dialogue
/// is of then, or of before.
pub fn last_handled(
    read: &Read<'_>,
    stamp: &Stamp,
    id: ConversationId,
) -> Result<Option<MessageId>> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id FROM message WHERE conversation = ?1 AND handled_at IS NOT NULL
         ORDER BY handled_at DESC, number DESC LIMIT 1",
    )?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?)
}

/// Reception is through with a message: it has answered, or leaves it to a person. `understood` is what
/// it made of it (JSON). Only once: whoever comes second is refused, and writes no second answer.
pub fn handled(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: MessageId,
    (understood, for_a_person): (Option<&str>, bool),
) -> Result<()> {
    let message = row::many(tx, "WHERE id = ?1", [id])?;
    let message = message.into_iter().next().ok_or(Error::NotFound(Noun::Message))?;
    stamp.needs(Right::Converse)?;
    match message.course {
        Course::Heard { understood: _, handled_at: None } => {}
        Course::Heard { understood: _, handled_at: Some(_) } | Course::Said(_) => {
            return Err(Error::refused(Code::IllegalStep, "this message was answered already"));
        }
    }
    let version = message.version + 1;
    tx.sql()
        .prepare_cached(
            "UPDATE message SET version = ?2, handled_at = ?3, understood = ?4 WHERE id = ?1",
        )?
        .execute((id, version, to_ms(stamp.now), understood))?;
    if for_a_person {
        conversation::waits_for_a_person(tx, message.conversation)?;
    }
    let patient = conversation::get(tx, stamp, message.conversation)?.patient;
    let verb = if for_a_person { "leave" } else { "handle" };
    tx.record(stamp, verb, (Noun::Message, id.as_bytes(), version), patient)
}

/// The message of ours that whoever carried it calls so.
fn answered(read: &Read<'_>, medium: Medium, provider_id: &str) -> Result<Option<MessageId>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT message FROM delivery WHERE medium = ?1 AND provider_id = ?2 LIMIT 1",
    )?;
    Ok(statement.query_row((medium.as_str(), provider_id), |row| row.get(0)).optional()?)
}

/// What is said, as it is stored.
pub(super) fn written(content: &Content) -> Result<String> {
    serde_json::to_string(content).map_err(|error| Error::Storage(error.to_string()))
}

/// What was heard, without what is beyond the bound.
fn cut(content: Content) -> Content {
    let short = |text: String| match text.char_indices().nth(HEARD_LETTERS_MAX) {
        None => text,
        Some((at, _)) => format!("{}…", &text[..at]),
    };
    match content {
        Content::Text { text } => Content::Text { text: short(text) },
        Content::Chosen { id, title } => Content::Chosen { id: short(id), title: short(title) },
        Content::Media { media, media_type, caption } => {
            Content::Media { media, media_type: short(media_type), caption: caption.map(short) }
        }
        Content::Unsupported { kind } => Content::Unsupported { kind: short(kind) },
        // Only the clinic says these.
        said @ (Content::Choices { .. } | Content::Template { .. }) => said,
    }
}
