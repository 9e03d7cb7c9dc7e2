//! Calls that a voice agent answered: what it told of each, in the conversation with whoever called.
//!
//! Invariant: a call is heard once, and waits for reception. What is told of it again, and otherwise, is a revision that a
//! person reads; nothing is done and nothing answered because of it.

pub mod recording;
mod row;
mod webhook;

use jiff::Timestamp;
use rusqlite::OptionalExtension as _;

use crate::contact::Phone;
use crate::content::Content;
use crate::conversation::Address;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{CallId, Noun};
use crate::medium::Medium;
use crate::message::{self, Hearing};
use crate::stamp::{Right, Stamp};
use crate::ticket;
use crate::time::to_ms;
pub use row::{CALLS_MAX, Call, Filter, get, list, of_message};
pub use webhook::{KNOWN_FOR, take_webhook};

/// The longest name of a call, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// As many letters of a call from a hidden number stand on the ticket.
const SUBJECT_LETTERS: usize = 500;

/// What a voice agent told of a call.
#[derive(Clone)]
pub struct Telling {
    /// What it calls the call, 1 to [`NAME_BYTES_MAX`] bytes.
    pub name: String,
    /// When it was told.
    pub at: Timestamp,
    /// Who called, if the number was shown.
    pub phone: Option<Phone>,
    /// What was said.
    pub transcript: String,
    /// What the agent took the caller to want, as it was written.
    pub intent: Option<String>,
    /// How long the call was.
    pub duration_seconds: u32,
    /// Where its recording may be fetched, as it was written.
    pub recording: Option<String>,
    /// All that it told, to the letter.
    pub body: String,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The call was not known.
    New(CallId),
    /// It was, and is told otherwise now.
    Revised(CallId),
    /// It was, and nothing is new.
    Known(CallId),
}

/// Takes in what was told of a call. Reception answers whoever called, in writing; where nothing was said there is something
/// unread for a person, and of a call from a hidden number a ticket.
pub fn tell(tx: &mut Tx<'_>, stamp: &Stamp, telling: Telling) -> Result<Told> {
    stamp.needs(Right::Converse)?;
    let Telling { name, at, phone, transcript, intent, duration_seconds, recording, body } =
        telling;
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        let what = format!("the name of a call has 1 to {NAME_BYTES_MAX} bytes");
        return Err(Error::invalid("call_id", what));
    }
    let known = tx
        .sql()
        .prepare_cached("SELECT id, version, body FROM call WHERE name = ?1")?
        .query_row([&name], |row| {
            Ok((row.get::<_, CallId>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?))
        })
        .optional()?;
    if let Some((id, _, before)) = &known
        && *before == body
    {
        return Ok(Told::Known(*id));
    }
    let version = known.as_ref().map_or(1, |(_, version, _)| version + 1);
    let number = phone.as_ref().map(|it| it.as_str().to_owned());
    let heard = match phone {
        Some(phone) => Some(hear(tx, stamp, (&name, version), (phone, at), &transcript)?),
        None => {
            let subject: String = transcript.chars().take(SUBJECT_LETTERS).collect();
            let opening = ticket::Opening {
                reason: ticket::Reason::Asked,
                subject,
                patient: None,
                conversation: None,
                due: None,
                assignee: None,
            };
            ticket::leave(tx, stamp, opening)?;
            None
        }
    };
    let id = known.as_ref().map_or_else(|| CallId::new(stamp.now), |(id, _, _)| *id);
    let (conversation, message) = match &heard {
        Some(told) => (Some(told.conversation), Some(told.id)),
        None => (None, None),
    };
    tx.sql()
        .prepare_cached(
            "INSERT INTO call (id, version, name, conversation, message, body, told_at, phone, intent,
               duration_seconds)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (name) DO UPDATE SET version = excluded.version, body = excluded.body,
               conversation = excluded.conversation, message = excluded.message,
               told_at = excluded.told_at, phone = excluded.phone, intent = excluded.intent,
               duration_seconds = excluded.duration_seconds",
        )?
        .execute((
            id,
            version,
            &name,
            conversation,
            message,
            &body,
            to_ms(at.min(stamp.now)),
            number,
            intent,
            duration_seconds,
        ))?;
    if let Some(address) = recording {
        recording::expect(tx, stamp, (id, message), address)?;
    }
    let verb = if known.is_some() { "revise" } else { "tell" };
    tx.record(stamp, verb, (Noun::Call, id.as_bytes(), version), None)?;
    Ok(if known.is_some() { Told::Revised(id) } else { Told::New(id) })
}

/// Hears what was said in a call. Of the first telling it waits for reception, if anything was said; a revision is for a
/// person.
fn hear(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (name, version): (&str, i64),
    (phone, at): (Phone, Timestamp),
    transcript: &str,
) -> Result<message::Told> {
    let is_silent = transcript.trim().is_empty();
    let content = if is_silent {
        Content::Unsupported { kind: "call".to_owned() }
    } else {
        Content::text(transcript)
    };
    let hearing = Hearing {
        medium: Medium::VoiceAgent,
        provider_id: Some(format!("{name} {version}")),
        from: vec![Address::Phone(phone)],
        name: None,
        content,
        said_at: at,
        answers: None,
    };
    let told = message::hear(tx, stamp, hearing)?;
    if told.is_new && (is_silent || version > 1) {
        message::handled(tx, stamp, told.id, (None, true))?;
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{self, Filter};
    use crate::fixture::World;

    fn telling(body: &str, phone: Option<&str>) -> Telling {
        Telling {
            name: "8c1f".into(),
            at: World::monday().stamp.now,
            phone: phone.map(|it| Phone::parse(it, "IN").unwrap()),
            transcript: format!("Caller: {body}"),
            intent: Some("book_appointment".into()),
            duration_seconds: 42,
            recording: None,
            body: body.into(),
        }
    }

    #[test]
    fn a_call_is_heard_once_and_told_otherwise_it_is_a_revision_for_a_person() {
        let world = World::monday();
        let tell = |telling: Telling| world.write(move |tx, stamp| tell(tx, stamp, telling));
        let Told::New(id) = tell(telling("I want to come", Some("9844111173"))) else {
            panic!("a new call")
        };
        assert_eq!(tell(telling("I want to come", Some("9844111173"))), Told::Known(id));
        assert_eq!(tell(telling("I will not come", Some("9844111173"))), Told::Revised(id));
        let threads = world
            .read(|read, stamp| conversation::threads(read, stamp, Filter::default(), None, 10));
        assert_eq!(threads.iter().map(|it| it.unread).collect::<Vec<_>>(), [1]);
        let waiting = world.read(|read, stamp| message::waiting(read, stamp, 10));
        let texts: Vec<_> = waiting.iter().map(|it| it.content.plain()).collect();
        assert_eq!(texts, ["Caller: I want to come"], "of a revision nothing waits for reception");
        let told = world.read(move |read, stamp| get(read, stamp, id));
        assert_eq!((told.version, told.body.as_str()), (2, "I will not come"));
    }

    #[test]
    fn a_call_from_a_hidden_number_is_a_ticket() {
        let world = World::monday();
        world.write(move |tx, stamp| tell(tx, stamp, telling("Please call me", None)));
        let open =
            world.read(|read, stamp| ticket::list(read, stamp, (ticket::Status::Open, 0), 10));
        assert_eq!(
            open.iter().map(|it| it.subject.as_str()).collect::<Vec<_>>(),
            ["Caller: Please call me"]
        );
    }
}
