//! Saying: a message is put into the outbox, or called off there.

use jiff::Timestamp;

use super::hear::written;
use super::{Author, Dropped, Message, Purpose, outbox, row};
use crate::content::{
    CHOICE_ID_BYTES_MAX, CHOICE_TITLE_LETTERS_MAX, CHOICES_MAX, Content, TEXT_LETTERS_MAX,
};
use crate::conversation::{self, Holder, Way};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ConversationId, MessageId, Noun};
use crate::stamp::{Actor, Right, Role, Stamp};
use crate::time::to_ms;

/// Ways by which one message may go, at the most.
pub const ROUTE_MAX: usize = 6;
/// The longest collapse key, in bytes.
pub const COLLAPSE_KEY_BYTES_MAX: usize = 100;
/// What is put into the words of a template, at the most.
const ARGUMENTS_MAX: usize = 20;

/// What is to be said.
#[derive(Clone)]
pub struct Saying {
    /// Where it belongs.
    pub conversation: ConversationId,
    /// What it says.
    pub content: Content,
    /// What it is for.
    pub purpose: Purpose,
    /// By which ways it may go, the preferred one first; 1 to [`ROUTE_MAX`].
    pub route: Vec<Way>,
    /// It is not sent before.
    pub not_before: Option<Timestamp>,
    /// It is not sent after: then it would be stale.
    pub not_after: Option<Timestamp>,
    /// Those that wait with the same key are dropped: this one takes their place. For example
    /// `appointment:<id>:reminder`.
    pub collapse_key: Option<String>,
    /// What it answers.
    pub reply_to: Option<MessageId>,
}

/// Puts a message into the outbox. When somebody of the staff writes, the desk holds the conversation from
/// then on, and has seen what was said.
pub fn say(tx: &mut Tx<'_>, stamp: &Stamp, saying: Saying) -> Result<Message> {
    stamp.needs(Right::Converse)?;
    let Saying { conversation, content, purpose, route, .. } = &saying;
    let Saying { not_before, not_after, collapse_key, reply_to, .. } = &saying;
    check(content)?;
    let Some(first) = route.first().filter(|_| route.len() <= ROUTE_MAX) else {
        return Err(Error::invalid("route", format!("a message has 1 to {ROUTE_MAX} ways")));
    };
    if route.iter().any(|way| !way.address.is_reached_by(way.medium)) {
        return Err(Error::invalid("route", "this medium does not lead to this address"));
    }
    if not_after.is_some_and(|end| end < stamp.now || not_before.is_some_and(|begin| end < begin)) {
        return Err(Error::invalid("not_after", "this is over before it could be sent"));
    }
    if collapse_key.as_ref().is_some_and(|key| key.len() > COLLAPSE_KEY_BYTES_MAX) {
        let what = format!("a collapse key has at most {COLLAPSE_KEY_BYTES_MAX} bytes");
        return Err(Error::invalid("collapse_key", what));
    }
    let (author, staff) = match (stamp.role, stamp.actor) {
        (Role::Reception, _) => (Author::Reception, None),
        (_, Actor::Staff(staff)) => (Author::Staff, Some(staff)),
        (_, Actor::Device(_) | Actor::Token(_) | Actor::Box | Actor::Nobody) => {
            (Author::System, None)
        }
    };
    let conversation = conversation::get(tx, stamp, *conversation)?;
    if author == Author::Staff {
        if conversation.held_by == Holder::Reception {
            conversation::take_over(tx, stamp, conversation.id, None)?;
        }
        conversation::read(tx, stamp, conversation.id)?;
    }
    if let Some(key) = collapse_key {
        call_off(tx, stamp, key, Dropped::Replaced)?;
    }
    let id = MessageId::new(stamp.now);
    let look_at = not_before.map_or(stamp.now, |begin| begin.max(stamp.now));
    tx.sql()
        .prepare_cached(
            "INSERT INTO message (id, version, conversation, direction, author, staff, medium, family,
               address, content, said_at, received_at, reply_to, purpose, route, not_before, not_after,
               collapse_key, state, look_at)
             VALUES (?1, 1, ?2, 'out', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
               'waiting', ?16)",
        )?
        .execute(rusqlite::params![
            id,
            conversation.id,
            author.as_str(),
            staff,
            first.medium.as_str(),
            first.address.family(),
            first.address.as_str(),
            written(content)?,
            to_ms(stamp.now),
            reply_to,
            purpose.as_str(),
            serde_json::to_string(route).map_err(|error| Error::Storage(error.to_string()))?,
            not_before.map(to_ms),
            not_after.map(to_ms),
            collapse_key,
            to_ms(look_at),
        ])?;
    conversation::said(tx, conversation.id, stamp.now)?;
    tx.record(stamp, "say", (Noun::Message, id.as_bytes(), 1), conversation.patient)?;
    super::get(tx, stamp, id)
}

/// Calls off the messages with a collapse key that were not sent yet: what they speak of is no more so. One
/// that is with whoever carries it is not tried by another way. Answers how many were called off.
pub fn withdraw(tx: &mut Tx<'_>, stamp: &Stamp, collapse_key: &str) -> Result<usize> {
    stamp.needs(Right::Converse)?;
    call_off(tx, stamp, collapse_key, Dropped::Withdrawn)
}

fn call_off(tx: &mut Tx<'_>, stamp: &Stamp, key: &str, why: Dropped) -> Result<usize> {
    let waiting =
        row::many(tx, "WHERE collapse_key = ?1 AND state IN ('waiting', 'handed', 'sent')", [key])?;
    let mut off = 0;
    for message in waiting {
        off += usize::from(outbox::drop_one(tx, stamp, &message, why)?);
    }
    Ok(off)
}

/// Refuses what no medium could carry.
fn check(content: &Content) -> Result<()> {
    let wrong = |what: String| Err(Error::invalid("content", what));
    let is_long = |text: &str, most: usize| text.chars().nth(most).is_some();
    match content {
        Content::Text { text } if text.trim().is_empty() => wrong("say something".into()),
        Content::Text { text }
        | Content::Choices { text, label: _, choices: _ }
        | Content::Template { name: _, language: _, arguments: _, text }
            if is_long(text, TEXT_LETTERS_MAX) =>
        {
            wrong(format!("a message has at most {TEXT_LETTERS_MAX} letters"))
        }
        Content::Choices { text: _, label: _, choices }
            if choices.is_empty() || choices.len() > CHOICES_MAX =>
        {
            wrong(format!("a message has 1 to {CHOICES_MAX} choices"))
        }
        Content::Choices { text: _, label: _, choices }
            if choices.iter().any(|choice| {
                choice.id.len() > CHOICE_ID_BYTES_MAX
                    || is_long(&choice.title, CHOICE_TITLE_LETTERS_MAX)
            }) =>
        {
            wrong(format!("a choice has at most {CHOICE_TITLE_LETTERS_MAX} letters"))
        }
        Content::Template { name: _, language: _, arguments, text: _ }
            if arguments.len() > ARGUMENTS_MAX =>
        {
            wrong(format!("a template takes at most {ARGUMENTS_MAX} arguments"))
        }
        Content::Chosen { id: _, title: _ } | Content::Unsupported { kind: _ } => {
            wrong("this is what people send, not the clinic".into())
        }
        Content::Text { .. }
        | Content::Choices { .. }
        | Content::Template { .. }
        | Content::Media { .. } => Ok(()),
    }
}
