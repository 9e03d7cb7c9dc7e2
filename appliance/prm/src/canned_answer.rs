//! Short texts that the desk writes often, with places for what is known of the person.
//!
//! Invariant: in a text a brace begins a place of [`PLACES`], and nothing else.

use rusqlite::OptionalExtension as _;

use crate::change::next_version;
use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{CannedAnswerId, Noun};
use crate::stamp::{Right, Stamp};

/// As many are kept at the most.
pub const CANNED_ANSWERS_MAX: i64 = 500;
/// The longest title, in letters.
pub const TITLE_LETTERS_MAX: usize = 60;
/// What may be put into a text, written as `{ $patient }`: the names of patient, practitioner and clinic, and day and
/// time of the next visit.
pub const PLACES: [&str; 5] = ["patient", "doctor", "day", "time", "clinic"];

/// A text that the desk writes often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannedAnswer {
    /// The id.
    pub id: CannedAnswerId,
    /// Grows with each edit.
    pub version: i64,
    /// By what somebody at the desk finds it.
    pub title: String,
    /// The language of the text (a BCP 47 tag).
    pub language: String,
    /// The words, with places in braces.
    pub text: String,
}

/// What is said to add one.
#[derive(Clone, Debug)]
pub struct Addition {
    /// By what somebody at the desk finds it.
    pub title: String,
    /// The language of the text (a BCP 47 tag).
    pub language: String,
    /// The words, with places in braces.
    pub text: String,
}

/// What is to be changed; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// By what somebody at the desk finds it.
    pub title: Option<String>,
    /// The language of the text.
    pub language: Option<String>,
    /// The words.
    pub text: Option<String>,
}

/// Adds one.
pub fn add(tx: &mut Tx<'_>, stamp: &Stamp, addition: Addition) -> Result<CannedAnswer> {
    stamp.needs(Right::WriteWording)?;
    let count: i64 =
        tx.sql().query_row("SELECT count(*) FROM canned_answer", [], |row| row.get(0))?;
    if count >= CANNED_ANSWERS_MAX {
        let what = format!("at most {CANNED_ANSWERS_MAX} answers are kept; take one away first");
        return Err(Error::refused(Code::TooMany, what));
    }
    let Addition { title, language, text } = addition;
    let id = CannedAnswerId::new(stamp.now);
    let answer = checked(tx, CannedAnswer { id, version: 1, title, language, text })?;
    let CannedAnswer { id, version, title, language, text } = &answer;
    tx.sql()
        .prepare_cached(
            "INSERT INTO canned_answer (id, version, title, language, text) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((id, version, title, language, text))?;
    tx.record(stamp, "add", (Noun::CannedAnswer, id.as_bytes(), 1), None)?;
    Ok(answer)
}

/// Changes one.
pub fn edit(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (CannedAnswerId, Option<i64>),
    edit: Edit,
) -> Result<CannedAnswer> {
    stamp.needs(Right::WriteWording)?;
    let before = get(tx, stamp, id)?;
    let Edit { title, language, text } = edit;
    let answer = checked(
        tx,
        CannedAnswer {
            id,
            version: next_version(before.version, seen)?,
            title: title.unwrap_or(before.title),
            language: language.unwrap_or(before.language),
            text: text.unwrap_or(before.text),
        },
    )?;
    let CannedAnswer { id, version, title, language, text } = &answer;
    tx.sql()
        .prepare_cached(
            "UPDATE canned_answer SET version = ?2, title = ?3, language = ?4, text = ?5 WHERE id = ?1",
        )?
        .execute((id, version, title, language, text))?;
    tx.record(stamp, "edit", (Noun::CannedAnswer, id.as_bytes(), *version), None)?;
    Ok(answer)
}

/// Takes one away.
pub fn remove(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (CannedAnswerId, Option<i64>),
) -> Result<()> {
    stamp.needs(Right::WriteWording)?;
    let version = next_version(get(tx, stamp, id)?.version, seen)?;
    tx.sql().prepare_cached("DELETE FROM canned_answer WHERE id = ?1")?.execute([id])?;
    tx.record(stamp, "remove", (Noun::CannedAnswer, id.as_bytes(), version), None)
}

/// One of them.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: CannedAnswerId) -> Result<CannedAnswer> {
    stamp.needs(Right::ReadWording)?;
    read.sql()
        .prepare_cached(
            "SELECT id, version, title, language, text FROM canned_answer WHERE id = ?1",
        )?
        .query_row([id], from_row)
        .optional()?
        .ok_or(Error::NotFound(Noun::CannedAnswer))
}

/// All of them, by title and language; never more than [`CANNED_ANSWERS_MAX`].
pub fn list(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<CannedAnswer>> {
    stamp.needs(Right::ReadWording)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, title, language, text FROM canned_answer ORDER BY title, language",
    )?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn checked(read: &Read<'_>, raw: CannedAnswer) -> Result<CannedAnswer> {
    let title = contact::name("title", &raw.title)?;
    if title.chars().count() > TITLE_LETTERS_MAX {
        let what = format!("a title has at most {TITLE_LETTERS_MAX} letters");
        return Err(Error::invalid("title", what));
    }
    let language = contact::language(&raw.language)?;
    let text = contact::text("text", Some(raw.text))?
        .ok_or_else(|| Error::invalid("text", "say what is answered"))?;
    check_places(&text)?;
    let mut same = read.sql().prepare_cached(
        "SELECT 1 FROM canned_answer WHERE title = ?1 AND language = ?2 AND id <> ?3",
    )?;
    if same.exists((&title, &language, raw.id))? {
        let what = "there is an answer of this title in this language already; change that one";
        return Err(Error::refused(Code::NameTaken, what));
    }
    Ok(CannedAnswer { title, language, text, ..raw })
}

/// Refuses braces that are no place, so that none is ever sent to a person.
fn check_places(text: &str) -> Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let place = rest[at..].strip_prefix('{').and_then(|it| it.split_once('}'));
        let name = place.and_then(|(name, _)| name.trim().strip_prefix('$'));
        let Some((_, after)) = place.filter(|_| name.is_some_and(|it| PLACES.contains(&it))) else {
            let places: Vec<String> = PLACES.iter().map(|it| format!("{{ ${it} }}")).collect();
            let what = format!("in braces stands one of {}", places.join(", "));
            return Err(Error::invalid("text", what));
        };
        rest = after;
    }
    Ok(())
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<CannedAnswer> {
    Ok(CannedAnswer {
        id: row.get(0)?,
        version: row.get(1)?,
        title: row.get(2)?,
        language: row.get(3)?,
        text: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{World, refusal};
    use crate::stamp::Role;

    fn answer(title: &str, text: &str) -> Addition {
        Addition { title: title.into(), language: "en".into(), text: text.into() }
    }

    #[test]
    fn an_answer_has_only_places_that_can_be_filled() {
        let world = World::monday();
        for wrong in ["Dear { $name }", "{patient}", "Dear { $patient", "a } b", "{ $patient } {}"]
        {
            let put = world.try_write(move |tx, stamp| add(tx, stamp, answer("Late", wrong)));
            assert_eq!(refusal(put), Code::Invalid, "{wrong}");
        }
        let text = "Dear {$patient}, { $doctor } is late on { $day } at { $time }. { $clinic }";
        let kept = world.write(move |tx, stamp| add(tx, stamp, answer("Late", text)));
        assert_eq!(world.read(list), std::slice::from_ref(&kept));
        let spoilt = Edit { text: Some("Dear { $me }".into()), ..Edit::default() };
        let edited = world.try_write(move |tx, stamp| edit(tx, stamp, (kept.id, Some(1)), spoilt));
        assert_eq!(refusal(edited), Code::Invalid);
    }

    #[test]
    fn a_title_is_of_one_answer_in_each_language() {
        let world = World::monday();
        let late = world.write(|tx, stamp| add(tx, stamp, answer("Late", "We are late.")));
        let again = world.try_write(|tx, stamp| add(tx, stamp, answer(" Late ", "Sorry.")));
        assert_eq!(refusal(again), Code::NameTaken);
        let hindi = Addition { language: "hi".into(), ..answer("Late", "देर") };
        world.write(|tx, stamp| add(tx, stamp, hindi));
        let other = world.write(|tx, stamp| add(tx, stamp, answer("Parking", "Behind the house.")));
        let into = Edit { title: Some("Late".into()), ..Edit::default() };
        let edited = world.try_write(move |tx, stamp| edit(tx, stamp, (other.id, None), into));
        assert_eq!(refusal(edited), Code::NameTaken);
        world.write(move |tx, stamp| remove(tx, stamp, (late.id, Some(1))));
        assert_eq!(world.read(list).len(), 2);
    }

    #[test]
    fn whoever_sees_patients_does_not_change_what_the_desk_says() {
        let world = World::monday();
        let practitioner = world.role(Role::Practitioner);
        let put =
            world.db.write_blocking(move |tx| add(tx, &practitioner, answer("Late", "Never mind")));
        assert!(matches!(put, Err(Error::Forbidden)));
    }
}
