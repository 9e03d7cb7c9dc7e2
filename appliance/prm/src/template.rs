//! The clinic's own wording of what reception says, one for each sentence and language.
//!
//! Which sentences there are, and what may stand in them, reception knows: whoever saves one has asked it.

use rusqlite::OptionalExtension as _;

use crate::change::next_version;
use crate::contact;
use crate::content;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{Noun, TemplateId};
use crate::stamp::{Right, Stamp};

/// As many templates are kept at the most.
pub const TEMPLATES_MAX: i64 = 2_000;
/// The longest id of a sentence, in bytes.
pub const SENTENCE_BYTES_MAX: usize = 80;

/// The clinic's own wording of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The id.
    pub id: TemplateId,
    /// Grows with each edit.
    pub version: i64,
    /// The id of the sentence, as reception names it.
    pub sentence: String,
    /// The language (a BCP 47 tag).
    pub language: String,
    /// The words, as a Fluent pattern.
    pub text: String,
}

/// Puts the clinic's own words in the place of a sentence.
pub fn add(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (sentence, language): (&str, &str),
    text: &str,
) -> Result<Template> {
    stamp.needs(Right::WriteWording)?;
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    if sentence.is_empty() || sentence.len() > SENTENCE_BYTES_MAX || !sentence.bytes().all(is_name)
    {
        return Err(Error::invalid("sentence", "this is not the id of a sentence"));
    }
    let template = Template {
        id: TemplateId::new(stamp.now),
        version: 1,
        sentence: sentence.to_owned(),
        language: contact::language(language)?,
        text: checked(text)?,
    };
    let Template { id, version, sentence, language, text } = &template;
    let mut same =
        tx.sql().prepare_cached("SELECT 1 FROM template WHERE sentence = ?1 AND language = ?2")?;
    if same.exists((sentence, language))? {
        let what = "this sentence has words of the clinic in this language; change those";
        return Err(Error::refused(Code::NameTaken, what));
    }
    let count: i64 = tx.sql().query_row("SELECT count(*) FROM template", [], |row| row.get(0))?;
    if count >= TEMPLATES_MAX {
        let what = format!("at most {TEMPLATES_MAX} sentences have words of the clinic");
        return Err(Error::refused(Code::TooMany, what));
    }
    tx.sql()
        .prepare_cached(
            "INSERT INTO template (id, version, sentence, language, text) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((id, version, sentence, language, text))?;
    tx.record(stamp, "add", (Noun::Template, id.as_bytes(), 1), None)?;
    Ok(template)
}

/// Changes the words.
pub fn edit(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (TemplateId, Option<i64>),
    text: &str,
) -> Result<Template> {
    stamp.needs(Right::WriteWording)?;
    let before = get(tx, stamp, id)?;
    let version = next_version(before.version, seen)?;
    let text = checked(text)?;
    tx.sql()
        .prepare_cached("UPDATE template SET version = ?2, text = ?3 WHERE id = ?1")?
        .execute((id, version, &text))?;
    tx.record(stamp, "edit", (Noun::Template, id.as_bytes(), version), None)?;
    Ok(Template { version, text, ..before })
}

/// Goes back to the words that the sentence has by itself.
pub fn remove(tx: &mut Tx<'_>, stamp: &Stamp, (id, seen): (TemplateId, Option<i64>)) -> Result<()> {
    stamp.needs(Right::WriteWording)?;
    let version = next_version(get(tx, stamp, id)?.version, seen)?;
    tx.sql().prepare_cached("DELETE FROM template WHERE id = ?1")?.execute([id])?;
    tx.record(stamp, "remove", (Noun::Template, id.as_bytes(), version), None)
}

/// One template.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: TemplateId) -> Result<Template> {
    stamp.needs(Right::ReadWording)?;
    read.sql()
        .prepare_cached("SELECT id, version, sentence, language, text FROM template WHERE id = ?1")?
        .query_row([id], from_row)
        .optional()?
        .ok_or(Error::NotFound(Noun::Template))
}

/// All of them, by sentence and language; never more than [`TEMPLATES_MAX`].
pub fn list(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<Template>> {
    stamp.needs(Right::ReadWording)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, sentence, language, text FROM template ORDER BY sentence, language",
    )?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn checked(text: &str) -> Result<String> {
    let text = contact::text("text", Some(text.to_owned()))?
        .ok_or_else(|| Error::invalid("text", "a sentence has words"))?;
    if text.chars().count() > content::TEXT_LETTERS_MAX {
        return Err(Error::invalid("text", "this is longer than a message may be"));
    }
    Ok(text)
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Template> {
    Ok(Template {
        id: row.get(0)?,
        version: row.get(1)?,
        sentence: row.get(2)?,
        language: row.get(3)?,
        text: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{World, refusal};
    use crate::stamp::Role;

    #[test]
    fn a_sentence_has_words_of_the_clinic_once_for_each_language() {
        let world = World::monday();
        let put = |language: &'static str| {
            world.try_write(move |tx, stamp| add(tx, stamp, ("greeting", language), "Namaste"))
        };
        let hindi = put("hi").unwrap();
        put("en").unwrap();
        assert_eq!(refusal(put("hi")), Code::NameTaken);
        world.write(move |tx, stamp| remove(tx, stamp, (hindi.id, Some(1))));
        put("hi").unwrap();
        assert_eq!(world.read(list).len(), 2);
    }

    #[test]
    fn reception_reads_the_words_and_does_not_change_them() {
        let world = World::monday();
        let reception = world.role(Role::Reception);
        let put =
            world.db.write_blocking(move |tx| add(tx, &reception, ("greeting", "en"), "Buy now"));
        assert!(matches!(put, Err(Error::Forbidden)));
        assert!(world.db.read_blocking(|read| list(read, &reception)).is_ok());
    }
}
