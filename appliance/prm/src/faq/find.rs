//! Finding the question that somebody asks, by its words.

use std::collections::BTreeMap;

use super::{Faq, ROWS_EACH, from_row};
use crate::db::Read;
use crate::error::Result;
use crate::name::romanise;
use crate::stamp::{Right, Stamp};

/// Words of what was asked that are looked at.
const WORDS_MAX: usize = 16;
/// Less of what was asked than this is not found.
const FLOOR: f64 = 0.4;
/// What is left of the score of an answer in another language.
const OTHER_LANGUAGE: f64 = 0.8;
/// Words that stand in every question, in English and in Hindi as it is typed and as it is romanised.
const SAY_LITTLE: &str = "a am an and any are at be can could d do does for from had has have hello hi how i if in is it \
    its me my of on or please sir madam the there this to u was we what when where which who will with would you your \
    aap aapka aapke ap apka apke bhi hai hain he ho hoga hota hoti hum ka kahan kab kaise ke ki kis kitna kitne kitni ko \
    kripya kya kyaa main me mein mera mere meri mujhe namaste par pe se tha the to ye yeh";

/// A question that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The question with its answer.
    pub faq: Faq,
    /// How much of what was asked it has, 0 to 1, told by words: 1 is all of it.
    pub score: f64,
}

/// The questions in use that `asked` may mean, the likeliest first, at most `limit`. Those answered in `language` (a BCP
/// 47 tag) come before those that fit as well in another.
pub fn find(
    read: &Read<'_>,
    stamp: &Stamp,
    asked: &str,
    (language, limit): (&str, usize),
) -> Result<Vec<Found>> {
    stamp.needs(Right::ReadWording)?;
    let rows: i64 = read
        .sql()
        .prepare_cached("SELECT count(*) FROM faq_question")?
        .query_row([], |r| r.get(0))?;
    let best = scored(asked, rows, |word| having(read, word), |words| worded(read, words))?;
    let mut answers = Vec::new();
    let mut statement = read.sql().prepare_cached(
        "SELECT number, id, version, language, questions, answer, active FROM faq WHERE number = ?1",
    )?;
    for (number, score) in best.into_iter().filter(|(_, score)| *score >= FLOOR) {
        let (_, faq) = statement.query_row([number], from_row)?;
        let same = primary(&faq.language).eq_ignore_ascii_case(primary(language));
        answers.push(Found { faq, score: if same { score } else { score * OTHER_LANGUAGE } });
    }
    // Stable: of two that fit as well, the one that was added first.
    answers.sort_by(|a, b| b.score.total_cmp(&a.score));
    answers.truncate(limit);
    Ok(answers)
}

/// Of questions at hand, each with the language of its answer (a BCP 47 tag) and its wordings, the one that `asked` means: by
/// its place, if there is one. As [`find`] finds it, without a database.
pub fn among(faqs: &[(&str, &[String])], asked: &str, language: &str) -> Option<usize> {
    let mut rows: Vec<(i64, String)> = Vec::new();
    for (number, (_, questions)) in (0..).zip(faqs) {
        let own = (0..ROWS_EACH).zip(questions.iter());
        rows.extend(own.map(|(place, question)| (number * ROWS_EACH + place, romanise(question))));
    }
    let having = |word: &str| -> Result<Vec<i64>> {
        let has = |words: &str| words.split_ascii_whitespace().any(|it| it == word);
        Ok(rows.iter().filter(|(_, words)| has(words)).map(|(row, _)| *row).collect())
    };
    let worded = |words: &str| -> Result<Vec<i64>> {
        Ok(rows.iter().filter(|(_, row)| row == words).map(|(row, _)| *row).collect())
    };
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let mut found: Option<(usize, f64)> = None;
    for (number, score) in scored(asked, count, having, worded).unwrap_or_default() {
        let Ok(at) = usize::try_from(number) else { continue };
        let Some((of, _)) = faqs.get(at).filter(|_| score >= FLOOR) else { continue };
        let same = primary(of).eq_ignore_ascii_case(primary(language));
        let score = if same { score } else { score * OTHER_LANGUAGE };
        if found.is_none_or(|(_, best)| best < score) {
            found = Some((at, score));
        }
    }
    found.map(|(at, _)| at)
}

/// How much of what was asked the best wording of each question has, by the number of the question. Of `rows` wordings
/// `having` tells those that have a word, `worded` those that say just this.
fn scored(
    asked: &str,
    rows: i64,
    having: impl Fn(&str) -> Result<Vec<i64>>,
    worded: impl Fn(&str) -> Result<Vec<i64>>,
) -> Result<BTreeMap<i64, f64>> {
    let asked = romanise(asked);
    let words = telling(&asked);
    if words.is_empty() {
        // "Where are you?" has no word that tells anything, and is asked as it stands.
        let same = worded(&asked)?;
        return Ok(same.into_iter().map(|row| (row / ROWS_EACH, 1.0)).collect());
    }
    let mut asked_weight = 0.0;
    let mut found: BTreeMap<i64, f64> = BTreeMap::new();
    for word in words {
        let having = having(&word)?;
        let weight = weight(rows, having.len());
        asked_weight += weight;
        for row in having {
            *found.entry(row).or_default() += weight;
        }
    }
    let mut best: BTreeMap<i64, f64> = BTreeMap::new();
    for (row, weight) in found {
        let score = weight / asked_weight;
        let so_far = best.entry(row / ROWS_EACH).or_default();
        *so_far = so_far.max(score);
    }
    Ok(best)
}

/// The words that tell what is asked, which is romanised.
fn telling(romanised: &str) -> Vec<String> {
    let says_little = |word: &&str| SAY_LITTLE.split_ascii_whitespace().any(|it| it == *word);
    let mut words: Vec<&str> =
        romanised.split_ascii_whitespace().filter(|word| !says_little(word)).collect();
    words.sort_unstable();
    words.dedup();
    words.into_iter().take(WORDS_MAX).map(str::to_owned).collect()
}

/// The wordings that have a word.
fn having(read: &Read<'_>, word: &str) -> Result<Vec<i64>> {
    let mut statement =
        read.sql().prepare_cached("SELECT rowid FROM faq_question WHERE faq_question MATCH ?1")?;
    let rows = statement.query_map([format!("\"{word}\"")], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The wordings that are just these words.
fn worded(read: &Read<'_>, words: &str) -> Result<Vec<i64>> {
    let mut statement =
        read.sql().prepare_cached("SELECT rowid FROM faq_question WHERE words = ?1")?;
    let rows = statement.query_map([words], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How much a word says that `having` of `rows` wordings have. One that none has is of some weight, too: it was said.
#[allow(clippy::cast_precision_loss, reason = "counts of a few thousand")]
fn weight(rows: i64, having: usize) -> f64 {
    let rows = rows as f64;
    if having == 0 { (1.0 + rows).ln() / 2.0 } else { (1.0 + rows / having as f64).ln() }
}

/// `kn` of `kn-IN`.
fn primary(language: &str) -> &str {
    language.split('-').next().unwrap_or(language)
}
