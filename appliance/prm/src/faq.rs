//! What is often asked, and what the clinic answers.
//!
//! A question is found by its words, in whichever script they are written: both sides are romanised, so that "samay" is
//! "समय". A word that few questions have says more than one that many have.

mod find;

use rusqlite::OptionalExtension as _;

pub use self::find::{Found, among, find};
use crate::change::next_version;
use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{FaqId, Noun};
use crate::name::romanise;
use crate::stamp::{Right, Stamp};

/// As many are kept at the most.
pub const FAQS_MAX: i64 = 1_000;
/// Wordings of one question at the most.
pub const QUESTIONS_MAX: usize = 12;
/// The longest wording, in letters.
pub const QUESTION_LETTERS_MAX: usize = 200;
/// Rows of the index that one question may have.
const ROWS_EACH: i64 = 16;

/// A question that is often asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faq {
    /// The id.
    pub id: FaqId,
    /// Grows with each edit.
    pub version: i64,
    /// The language of the answer (a BCP 47 tag).
    pub language: String,
    /// The question in several wordings, the main one first.
    pub questions: Vec<String>,
    /// What is answered.
    pub answer: String,
    /// Whether it is answered so.
    pub active: bool,
}

/// What is said to add one.
#[derive(Clone, Debug)]
pub struct Addition {
    /// The language of the answer (a BCP 47 tag).
    pub language: String,
    /// The question in several wordings, the main one first.
    pub questions: Vec<String>,
    /// What is answered.
    pub answer: String,
}

/// What is to be changed; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The language of the answer.
    pub language: Option<String>,
    /// The wordings; replaces all.
    pub questions: Option<Vec<String>>,
    /// What is answered.
    pub answer: Option<String>,
    /// Whether it is answered so.
    pub active: Option<bool>,
}

/// Adds a question with its answer.
pub fn add(tx: &mut Tx<'_>, stamp: &Stamp, addition: Addition) -> Result<Faq> {
    stamp.needs(Right::WriteWording)?;
    let count: i64 = tx.sql().query_row("SELECT count(*) FROM faq", [], |row| row.get(0))?;
    if count >= FAQS_MAX {
        let what = format!("at most {FAQS_MAX} questions are kept; take one away first");
        return Err(Error::refused(Code::TooMany, what));
    }
    let Addition { language, questions, answer } = addition;
    let faq = checked(Faq {
        id: FaqId::new(stamp.now),
        version: 1,
        language,
        questions,
        answer,
        active: true,
    })?;
    let Faq { id, version, language, questions, answer, active } = &faq;
    tx.sql()
        .prepare_cached(
            "INSERT INTO faq (id, version, language, questions, answer, active)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((id, version, language, in_json(questions), answer, active))?;
    index(tx, tx.sql().last_insert_rowid(), &faq)?;
    tx.record(stamp, "add", (Noun::Faq, id.as_bytes(), 1), None)?;
    Ok(faq)
}

/// Changes a question or its answer.
pub fn edit(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (FaqId, Option<i64>),
    edit: Edit,
) -> Result<Faq> {
    stamp.needs(Right::WriteWording)?;
    let (number, before) = one(tx, id)?;
    let Edit { language, questions, answer, active } = edit;
    let faq = checked(Faq {
        id,
        version: next_version(before.version, seen)?,
        language: language.unwrap_or(before.language),
        questions: questions.unwrap_or(before.questions),
        answer: answer.unwrap_or(before.answer),
        active: active.unwrap_or(before.active),
    })?;
    let Faq { id, version, language, questions, answer, active } = &faq;
    tx.sql()
        .prepare_cached(
            "UPDATE faq SET version = ?2, language = ?3, questions = ?4, answer = ?5, active = ?6
             WHERE id = ?1",
        )?
        .execute((id, version, language, in_json(questions), answer, active))?;
    index(tx, number, &faq)?;
    tx.record(stamp, "edit", (Noun::Faq, id.as_bytes(), *version), None)?;
    Ok(faq)
}

/// Takes a question away.
pub fn remove(tx: &mut Tx<'_>, stamp: &Stamp, (id, seen): (FaqId, Option<i64>)) -> Result<()> {
    stamp.needs(Right::WriteWording)?;
    let (number, before) = one(tx, id)?;
    let version = next_version(before.version, seen)?;
    forget(tx, number)?;
    tx.sql().prepare_cached("DELETE FROM faq WHERE id = ?1")?.execute([id])?;
    tx.record(stamp, "remove", (Noun::Faq, id.as_bytes(), version), None)
}

/// One question.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: FaqId) -> Result<Faq> {
    stamp.needs(Right::ReadWording)?;
    Ok(one(read, id)?.1)
}

/// All of them in the order in which they were added; never more than [`FAQS_MAX`].
pub fn list(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<Faq>> {
    stamp.needs(Right::ReadWording)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT number, id, version, language, questions, answer, active FROM faq ORDER BY number",
    )?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.map(|row| row.map(|(_, faq)| faq)).collect::<rusqlite::Result<_>>()?)
}

fn one(read: &Read<'_>, id: FaqId) -> Result<(i64, Faq)> {
    read.sql()
        .prepare_cached(
            "SELECT number, id, version, language, questions, answer, active FROM faq WHERE id = ?1",
        )?
        .query_row([id], from_row)
        .optional()?
        .ok_or(Error::NotFound(Noun::Faq))
}

fn checked(raw: Faq) -> Result<Faq> {
    let mut questions = Vec::new();
    for question in &raw.questions {
        let question = contact::name("questions", question)?;
        if question.chars().count() > QUESTION_LETTERS_MAX {
            let what = format!("a wording has at most {QUESTION_LETTERS_MAX} letters");
            return Err(Error::invalid("questions", what));
        }
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    if questions.is_empty() || questions.len() > QUESTIONS_MAX {
        let what = format!("a question has 1 to {QUESTIONS_MAX} wordings");
        return Err(Error::invalid("questions", what));
    }
    let answer = contact::text("answer", Some(raw.answer))?
        .ok_or_else(|| Error::invalid("answer", "say what is answered"))?;
    Ok(Faq { language: contact::language(&raw.language)?, questions, answer, ..raw })
}

/// Makes the question of this number found by exactly these wordings.
fn index(tx: &Tx<'_>, number: i64, faq: &Faq) -> Result<()> {
    forget(tx, number)?;
    if !faq.active {
        return Ok(());
    }
    let mut insert =
        tx.sql().prepare_cached("INSERT INTO faq_question (rowid, words) VALUES (?1, ?2)")?;
    for (place, question) in (0..ROWS_EACH).zip(&faq.questions) {
        insert.execute((number * ROWS_EACH + place, romanise(question)))?;
    }
    Ok(())
}

fn forget(tx: &Tx<'_>, number: i64) -> Result<()> {
    tx.sql()
        .prepare_cached("DELETE FROM faq_question WHERE rowid BETWEEN ?1 AND ?2")?
        .execute((number * ROWS_EACH, number * ROWS_EACH + ROWS_EACH - 1))?;
    Ok(())
}

fn in_json(questions: &[String]) -> String {
    serde_json::Value::from(questions).to_string()
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, Faq)> {
    let questions: String = row.get(4)?;
    let faq = Faq {
        id: row.get(1)?,
        version: row.get(2)?,
        language: row.get(3)?,
        questions: serde_json::from_str(&questions).unwrap_or_default(),
        answer: row.get(5)?,
        active: row.get(6)?,
    };
    Ok((row.get(0)?, faq))
}

#[cfg(test)]
mod tests;
