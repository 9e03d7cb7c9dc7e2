//! Finding patients by any part of their digits and by their names, however spelt.
//!
//! Invariant: what is indexed of a patient is exactly what was last given to [`index`]; [`forget`] leaves nothing.
//! Invariant: one search reads at most a bounded number of rows, whatever the query and however common the name.
//!
//! Names are found in steps, from the exact to the far-fetched, each one full-text query: the whole
//! name by sound, all words as typed, all words by sound or beginning, then sounds a slip away from
//! the query's, then the query less one word. The steps stop as soon as the page is full of good
//! answers, so that ten thousand Kumars cost no more than ten.

use std::collections::{BTreeSet, HashMap, HashSet};

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::name::{self, Comparison, Sought};

mod asked;
mod slips;

use asked::Asked;

/// Most patients one search gives back.
pub const LIMIT_MAX: usize = 100;

/// Most names of one patient that are indexed.
pub const NAMES_MAX: usize = 8;

/// Most telephone numbers and identifiers of one patient that are indexed.
pub const DIGITS_MAX: usize = 16;

/// Most characters of one telephone number or identifier that are indexed.
pub const DIGITS_CHARS_MAX: usize = 40;

/// Most patients looked at in one step.
const STEP_MAX: usize = 200;

/// Most patients looked at in a step that leaves a word out.
const REST_MAX: usize = 50;

/// Most rows of a full-text answer that are crossed with another one.
const CROSS_MAX: usize = 20_000;

/// Fewer answers than this are compared by name one by one instead of being crossed.
const FEW: usize = 500;

/// An answer this good has the words of the query and no other.
const WHOLE: f64 = 0.9999;

/// A page full of answers this good cannot be bettered.
const EXACT: f64 = 0.975;

/// A page full of answers this good ends the search before slips are considered.
const GOOD: f64 = 0.93;

/// A page full of answers this good ends the search before a word is left out.
const FAIR: f64 = 0.8;

/// Answers less like the query than this are not given.
const FLOOR: f64 = 0.45;

/// Answers less good than this have a word that is neither spelt nor said like the query's: guesses.
const SURE: f64 = 0.95;

/// Patients of one name who stand together among guesses.
const NAMESAKES: u32 = 3;

/// What is left of the score of further ones.
const STAND_BACK: f64 = 0.9;

/// Letters of the shortest word that is looked for as two words said as one.
const JOINED_LEAST: usize = 6;

/// A patient found, with how well they fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The patient's local number.
    pub number: i64,
    /// How well the patient fits the query, 0 to 1.
    pub score: f64,
}

/// Indexes the patient `number` under these names (any script) and digits (telephones, identifiers), in place of what was there.
///
/// Call it inside the transaction that writes the patient. The local number itself is always found.
///
/// # Errors
/// Only those of the database.
pub fn index(
    conn: &Connection,
    number: i64,
    names: &[String],
    digits: &[String],
) -> rusqlite::Result<()> {
    forget(conn, number)?;
    let mut forms: Vec<Vec<String>> = Vec::new();
    for form in names.iter().take(NAMES_MAX).map(|n| name::words(n)) {
        if !form.is_empty() && !forms.contains(&form) {
            forms.push(form);
        }
    }
    let lines: Vec<String> = forms.iter().map(|f| f.join(" ")).collect();
    let digits: BTreeSet<String> = digits
        .iter()
        .take(DIGITS_MAX)
        .map(|d| asked::alphanumeric(d).chars().take(DIGITS_CHARS_MAX).collect())
        .filter(|d: &String| !d.is_empty())
        .collect();
    let digits = digits.into_iter().collect::<Vec<_>>().join("\n");
    let sounds: BTreeSet<String> =
        forms.iter().flatten().map(|w| name::sound(w)).filter(|s| !s.is_empty()).collect();
    let joined_sounds = sounds.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    conn.prepare_cached(
        "INSERT INTO patient_search (number, names, digits, sounds) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![number, lines.join("\n"), digits, joined_sounds])?;
    conn.prepare_cached("INSERT INTO patient_word (rowid, tokens) VALUES (?1, ?2)")?
        .execute(params![number, tokens(&forms)])?;
    conn.prepare_cached("INSERT INTO patient_digits (rowid, digits) VALUES (?1, ?2)")?
        .execute(params![number, digits])?;
    for sound in &sounds {
        let (id, patients): (i64, i64) = conn
            .prepare_cached(
                "INSERT INTO name_sound (sound, skeleton, patients) VALUES (?1, ?2, 1)
                 ON CONFLICT (sound) DO UPDATE SET patients = patients + 1
                 RETURNING id, patients",
            )?
            .query_row(params![sound, name::skeleton(sound)], |r| Ok((r.get(0)?, r.get(1)?)))?;
        if patients == 1 {
            conn.prepare_cached("INSERT INTO name_sound_part (rowid, sound) VALUES (?1, ?2)")?
                .execute(params![id, sound])?;
        }
    }
    Ok(())
}

/// Takes the patient `number` out of the index; nothing happens if they are not in it.
///
/// # Errors
/// Only those of the database.
pub fn forget(conn: &Connection, number: i64) -> rusqlite::Result<()> {
    let sounds: Option<String> = conn
        .prepare_cached("DELETE FROM patient_search WHERE number = ?1 RETURNING sounds")?
        .query_row([number], |r| r.get(0))
        .optional()?;
    let Some(sounds) = sounds else { return Ok(()) };
    conn.prepare_cached("DELETE FROM patient_word WHERE rowid = ?1")?.execute([number])?;
    conn.prepare_cached("DELETE FROM patient_digits WHERE rowid = ?1")?.execute([number])?;
    for sound in sounds.split(' ').filter(|s| !s.is_empty()) {
        let gone: Option<i64> = conn
            .prepare_cached(
                "DELETE FROM name_sound WHERE sound = ?1 AND patients = 1 RETURNING id",
            )?
            .query_row([sound], |r| r.get(0))
            .optional()?;
        if let Some(id) = gone {
            conn.prepare_cached("DELETE FROM name_sound_part WHERE rowid = ?1")?.execute([id])?;
        } else {
            conn.prepare_cached("UPDATE name_sound SET patients = patients - 1 WHERE sound = ?1")?
                .execute([sound])?;
        }
    }
    Ok(())
}

/// Finds at most `limit` patients, the best first: by part of their digits, by name, or by both in one query.
///
/// Three digits and more are found anywhere in a number, fewer only as a local number. The last word of
/// a name may be unfinished. An empty query finds nobody.
///
/// # Errors
/// Only those of the database; no query is refused.
pub fn find(conn: &Connection, query: &str, limit: usize) -> rusqlite::Result<Vec<Hit>> {
    let limit = limit.clamp(1, LIMIT_MAX);
    let asked = Asked::read(query);
    let mut hits = match (asked.digits.is_empty(), asked.name.words().is_empty()) {
        (true, true) => Vec::new(),
        (false, true) => by_digits(conn, asked.local_number(), &asked.readings())?,
        (true, false) => by_name(conn, &asked.name, limit, None)?,
        (false, false) => by_all(conn, &asked, limit)?,
    };
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.number.cmp(&b.number)));
    hits.truncate(limit);
    Ok(hits)
}

/// What the index of names is asked for words that begin as those of `text`, all of them; `None` if
/// there is no word in it.
pub(crate) fn beginning(text: &str) -> Option<String> {
    let words = name::words(text);
    let begin = words.iter().map(|word| format!("\"{word}\"*"));
    (!words.is_empty()).then(|| begin.collect::<Vec<_>>().join(" AND "))
}

/// The tokens of all forms of one patient's name. Namespaces are told by a leading digit, which no
/// romanised word has: 1 a sound, 2 the whole name by sound, 3 two neighbouring words said as one.
fn tokens(forms: &[Vec<String>]) -> String {
    let mut tokens: BTreeSet<String> = BTreeSet::new();
    for form in forms {
        for word in form {
            tokens.insert(word.clone());
            tokens.insert(format!("1{}", name::sound(word)));
        }
        tokens.insert(whole(form.iter().map(String::as_str)));
        for pair in form.windows(2) {
            tokens.insert(format!("3{}", name::sound(&pair.concat())));
        }
    }
    tokens.into_iter().collect::<Vec<_>>().join(" ")
}

/// The key of a whole name: its sounds in alphabetical order.
fn whole<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut sounds: Vec<String> = words.map(name::sound).collect();
    sounds.sort();
    format!("2{}", sounds.join("2"))
}

/// A name and digits: patients who fit both; failing that the whole as one identifier; failing that either.
fn by_all(conn: &Connection, asked: &Asked, limit: usize) -> rusqlite::Result<Vec<Hit>> {
    let mut hits = by_both(conn, asked, limit)?;
    if hits.is_empty() {
        hits = by_digits(conn, None, &[vec![asked.identifier.clone()]])?;
    }
    if hits.is_empty() {
        hits = by_digits(conn, asked.local_number(), &asked.readings())?;
    }
    if hits.is_empty() {
        hits = by_name(conn, &asked.name, limit, None)?;
    }
    Ok(hits)
}

fn by_digits(
    conn: &Connection,
    local_number: Option<i64>,
    readings: &[Vec<String>],
) -> rusqlite::Result<Vec<Hit>> {
    let mut hits: HashMap<i64, f64> = HashMap::new();
    if let Some(number) = local_number {
        let known: Option<i64> = conn
            .prepare_cached("SELECT number FROM patient_search WHERE number = ?1")?
            .query_row([number], |r| r.get(0))
            .optional()?;
        hits.extend(known.map(|n| (n, 1.0)));
    }
    let mut statement = conn.prepare_cached(
        "SELECT s.number, s.digits FROM patient_digits d JOIN patient_search s ON s.number = d.rowid
         WHERE d.patient_digits MATCH ?1",
    )?;
    for runs in readings {
        let Some(expression) = asked::digits_expression(runs) else { continue };
        let mut rows = statement.query([expression])?;
        let mut found = false;
        for _ in 0..STEP_MAX {
            let Some(row) = rows.next()? else { break };
            let (number, digits): (i64, String) = (row.get(0)?, row.get(1)?);
            let score = asked::digits_score(runs, &digits);
            if score > 0.0 {
                found = true;
                let best = hits.entry(number).or_insert(0.0);
                *best = best.max(score);
            }
        }
        if found {
            break;
        }
    }
    Ok(hits.into_iter().map(|(number, score)| Hit { number, score }).collect())
}

fn by_both(conn: &Connection, asked: &Asked, limit: usize) -> rusqlite::Result<Vec<Hit>> {
    let mut statement =
        conn.prepare_cached("SELECT rowid FROM patient_digits WHERE patient_digits MATCH ?1")?;
    let mut within: HashSet<i64> = HashSet::new();
    within.extend(asked.local_number());
    for runs in asked.readings() {
        let Some(expression) = asked::digits_expression(&runs) else { continue };
        let rows = statement.query_map([expression], |r| r.get::<_, i64>(0))?;
        for number in rows.take(CROSS_MAX) {
            within.insert(number?);
        }
        if !within.is_empty() {
            break;
        }
    }
    if within.len() > FEW {
        return by_name(conn, &asked.name, limit, Some(&within));
    }
    let mut search = NameSearch::new(conn, &asked.name, Some(&within))?;
    for &number in &within {
        search.compare(number)?;
    }
    Ok(search.finish())
}

fn by_name(
    conn: &Connection,
    sought: &Sought,
    limit: usize,
    within: Option<&HashSet<i64>>,
) -> rusqlite::Result<Vec<Hit>> {
    let mut search = NameSearch::new(conn, sought, within)?;
    for (expression, enough) in exact_steps(conn, sought)? {
        search.step(&expression, limit, STEP_MAX)?;
        if search.has(limit, enough) {
            return Ok(search.finish());
        }
    }
    let alternatives = slips::alternatives(conn, sought)?;
    search.step(&slips::nearest(&alternatives), limit, STEP_MAX)?;
    if search.has(limit, GOOD) || search.has(1, EXACT) {
        return Ok(search.finish());
    }
    search.step(&slips::all(&alternatives), limit, STEP_MAX)?;
    if !search.has(limit, FAIR) {
        for expression in slips::less_a_word(&alternatives) {
            search.step(&expression, limit, REST_MAX)?;
        }
    }
    Ok(search.finish())
}

/// Steps that take each word as typed or by its sound, the narrowest first, each with how good a
/// full page of answers makes the next step needless.
fn exact_steps(conn: &Connection, sought: &Sought) -> rusqlite::Result<Vec<(String, f64)>> {
    let words = sought.words();
    let last = words.len().saturating_sub(1);
    let mut as_typed: Vec<String> = Vec::new();
    let mut begun: Vec<String> = Vec::new();
    let mut as_heard: Vec<String> = Vec::new();
    let mut all_known = true;
    for (i, word) in words.iter().enumerate() {
        let (text, sound) = (&word.text, &word.sound);
        as_typed.push(format!("\"{text}\""));
        if text.len() == 1 {
            // The index has no prefixes of one letter, but a sound's first letter is its second character.
            let more = if text == "c" { " OR \"1c\"*" } else { "" };
            let initial = format!("(\"1{sound}\"*{more})");
            begun.push(initial.clone());
            as_heard.push(initial);
            continue;
        }
        let open = sought.is_unfinished() && i == last;
        if !open && slips::patients_with(conn, sound)? == 0 {
            // Nobody has the word; somebody may have it in two words, and asking costs little.
            all_known = false;
            as_heard.push(format!("\"3{sound}\""));
            continue;
        }
        let end = if open { "*" } else { "" };
        begun.push(format!("\"{text}\"{end}"));
        as_heard.push(format!("(\"1{sound}\"{end} OR \"3{sound}\")"));
    }
    let mut steps = Vec::new();
    if all_known {
        let whole = whole(words.iter().map(|w| w.text.as_str()));
        let as_typed = as_typed.join(" AND ");
        steps.push((format!("\"{whole}\" AND {as_typed}"), EXACT));
        steps.push((format!("\"{whole}\""), EXACT));
        steps.push((as_typed, EXACT));
        steps.push((begun.join(" AND "), if sought.is_unfinished() { GOOD } else { EXACT }));
    }
    if all_known || words.iter().any(|w| w.text.len() >= JOINED_LEAST) {
        steps.push((as_heard.join(" AND "), EXACT));
    }
    for (i, pair) in sought.pairs().iter().enumerate() {
        if slips::patients_with(conn, &pair.sound)? > 0 {
            let mut parts: Vec<String> = as_heard[..i].to_vec();
            parts.push(format!("\"1{}\"", pair.sound));
            parts.extend_from_slice(&as_heard[i + 2..]);
            steps.push((parts.join(" AND "), EXACT));
        }
    }
    Ok(steps)
}

/// One search by name under way.
struct NameSearch<'a> {
    conn: &'a Connection,
    read: CachedStatement<'a>,
    comparison: Comparison<'a>,
    within: Option<&'a HashSet<i64>>,
    seen: HashSet<i64>,
    found: Vec<(Hit, String)>,
}

impl<'a> NameSearch<'a> {
    fn new(
        conn: &'a Connection,
        sought: &'a Sought,
        within: Option<&'a HashSet<i64>>,
    ) -> rusqlite::Result<Self> {
        let read = conn.prepare_cached("SELECT names FROM patient_search WHERE number = ?1")?;
        let comparison = Comparison::new(sought);
        Ok(Self { conn, read, comparison, within, seen: HashSet::new(), found: Vec::new() })
    }

    /// Compares at most `most` patients that fit a full-text expression, fewer if `limit` of them fit wholly.
    fn step(&mut self, expression: &str, limit: usize, most: usize) -> rusqlite::Result<()> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT rowid FROM patient_word WHERE patient_word MATCH ?1")?;
        let mut rows = statement.query([expression])?;
        let (mut compared, mut whole) = (0, 0);
        for _ in 0..CROSS_MAX {
            let Some(row) = rows.next()? else { break };
            let number: i64 = row.get(0)?;
            if self.within.is_some_and(|w| !w.contains(&number)) || !self.seen.insert(number) {
                continue;
            }
            whole += usize::from(self.compare(number)? >= WHOLE);
            compared += 1;
            if compared >= most || whole >= limit {
                break;
            }
        }
        Ok(())
    }

    /// Compares one patient by the names in the index; gives back how well they fit.
    fn compare(&mut self, number: i64) -> rusqlite::Result<f64> {
        let mut rows = self.read.query([number])?;
        let Some(row) = rows.next()? else { return Ok(0.0) };
        let names = row.get_ref(0)?.as_str()?;
        let best = names.lines().map(|n| (self.comparison.likeness(n), n));
        let Some((score, name)) = best.max_by(|a, b| a.0.total_cmp(&b.0)) else { return Ok(0.0) };
        if score >= FLOOR {
            self.found.push((Hit { number, score }, name.to_owned()));
        }
        Ok(score)
    }

    /// Whether there are `limit` answers at least as good as `score`.
    fn has(&self, limit: usize, score: f64) -> bool {
        self.found.iter().filter(|f| f.0.score >= score).count() >= limit
    }

    /// The answers. Where the name was not met well, the fourth and further patients of one name
    /// stand back, so that a page of guesses shows more than one guess.
    fn finish(mut self) -> Vec<Hit> {
        let mut namesakes: HashMap<String, u32> = HashMap::new();
        self.found.sort_by_key(|f| f.0.number);
        self.found
            .into_iter()
            .map(|(mut hit, name)| {
                if hit.score < SURE {
                    let before = namesakes.entry(name).or_default();
                    *before += 1;
                    if *before > NAMESAKES {
                        hit.score *= STAND_BACK;
                    }
                }
                hit
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
