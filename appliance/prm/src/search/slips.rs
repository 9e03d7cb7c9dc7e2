//! Sounds in the index that a misspelt word may stand for.
//!
//! Invariant: at most [`ALTERNATIVES_MAX`] sounds stand for one word, and at most [`SCAN_MAX`] are compared to find them.

use rusqlite::{Connection, params};

use crate::name::{Sought, Word};

/// Most sounds taken for one word.
const ALTERNATIVES_MAX: usize = 24;

/// Sounds of the first, narrow step for one word.
const NEAREST: usize = 6;

/// Most sounds with the same first letter that are compared with a word.
const SCAN_MAX: i64 = 20_000;

/// Most sounds taken by skeleton or by their parts.
const LOOKUP_MAX: i64 = 60;

/// Least likeness of two sounds, as the share of letters that agree.
const LEAST: f64 = 0.55;

/// How much farther than the nearest sound one may be to be in the narrow step.
const NEAR: f64 = 0.12;

/// What one word of the query may stand for.
#[derive(Debug)]
pub(super) struct Alternatives {
    /// Token of the word's own initial, for names that hold only that.
    initial: String,
    /// Sounds with their likeness, the likeliest first.
    sounds: Vec<(String, f64)>,
    /// How many patients have one of the sounds.
    patients: i64,
}

/// Looks up the sounds that each word of a query may stand for.
pub(super) fn alternatives(
    conn: &Connection,
    sought: &Sought,
) -> rusqlite::Result<Vec<Alternatives>> {
    let last = sought.words().len().saturating_sub(1);
    let mut all = Vec::with_capacity(sought.words().len());
    for (i, word) in sought.words().iter().enumerate() {
        all.push(of_word(conn, word, sought.is_unfinished() && i == last)?);
    }
    Ok(all)
}

fn of_word(conn: &Connection, word: &Word, open: bool) -> rusqlite::Result<Alternatives> {
    let asked = word.sound.as_str();
    let mut found: Vec<(String, f64, i64)> = Vec::new();
    let mut take = |sound: String, patients: i64, least: f64| {
        let like = likeness(asked, &sound, open).max(least);
        if like >= LEAST && !found.iter().any(|f| f.0 == sound) {
            found.push((sound, like, patients));
        }
    };
    if word.skeleton.len() >= 2 {
        let mut by_skeleton = conn.prepare_cached(
            "SELECT sound, patients FROM name_sound WHERE skeleton = ?1 LIMIT ?2",
        )?;
        let mut rows = by_skeleton.query(params![word.skeleton, LOOKUP_MAX])?;
        while let Some(row) = rows.next()? {
            take(row.get(0)?, row.get(1)?, 0.7);
        }
    }
    if asked.len() >= 3 {
        let first = &asked[..1];
        let letters = letter_set(asked);
        let mut by_first = conn.prepare_cached(
            "SELECT sound FROM name_sound WHERE sound >= ?1 AND sound < ?2 LIMIT ?3",
        )?;
        let beyond = char::from(asked.as_bytes()[0] + 1).to_string();
        let mut rows = by_first.query(params![first, beyond, SCAN_MAX])?;
        while let Some(row) = rows.next()? {
            let sound = row.get_ref(0)?.as_str()?;
            if may_be_like(asked, letters, sound, open) {
                take(sound.to_owned(), 0, 0.0);
            }
        }
    }
    if asked.len() >= 4 {
        let parts: Vec<String> = asked
            .as_bytes()
            .windows(3)
            .map(|w| format!("\"{}\"", String::from_utf8_lossy(w)))
            .collect();
        let mut by_part = conn.prepare_cached(
            "SELECT s.sound, s.patients FROM name_sound_part p JOIN name_sound s ON s.id = p.rowid
             WHERE p.name_sound_part MATCH ?1 ORDER BY p.rank LIMIT ?2",
        )?;
        let mut rows = by_part.query(params![parts.join(" OR "), LOOKUP_MAX])?;
        while let Some(row) = rows.next()? {
            let sound: String = row.get(0)?;
            let least = if asked.len() >= 5 && sound.contains(asked) { 0.7 } else { 0.0 };
            take(sound, row.get(1)?, least);
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.2.cmp(&a.2)).then(a.0.cmp(&b.0)));
    found.truncate(ALTERNATIVES_MAX);
    let patients = found.iter().map(|f| f.2).sum();
    let initial = word.text.chars().take(1).collect();
    Ok(Alternatives { initial, sounds: found.into_iter().map(|f| (f.0, f.1)).collect(), patients })
}

/// The letters of a sound as a set of bits.
fn letter_set(sound: &str) -> u32 {
    sound.bytes().fold(0, |set, b| set | 1 << (b.wrapping_sub(b'a') & 31))
}

/// A quick look that spares most comparisons: too long, too short, or too many other letters.
fn may_be_like(asked: &str, letters: u32, sound: &str, open: bool) -> bool {
    let slips = asked.len() / 3 + 1;
    if sound.len() + slips < asked.len() || (!open && sound.len() > asked.len() + slips) {
        return false;
    }
    (letters & !letter_set(sound)).count_ones() as usize <= slips
}

fn likeness(asked: &str, sound: &str, open: bool) -> f64 {
    let share = |a: &str, b: &str| {
        1.0 - strsim::osa_distance(a, b) as f64 / a.len().max(b.len()).max(1) as f64
    };
    let whole = share(asked, sound);
    if open && asked.len() >= 3 && sound.len() > asked.len() {
        return whole.max(0.95 * share(asked, &sound[..asked.len()]));
    }
    whole
}

/// Steps that take each word for one of its alternatives: first the nearest of each, then all and bare initials.
pub(super) fn steps(all: &[Alternatives]) -> Vec<String> {
    let narrow: Vec<String> = all.iter().map(|a| a.tokens(false)).collect();
    let wide: Vec<String> = all.iter().map(|a| a.tokens(true)).collect();
    vec![narrow.join(" AND "), wide.join(" AND ")]
}

/// Steps that leave one word out, the commonest first; none for a single word.
pub(super) fn steps_less_a_word(all: &[Alternatives]) -> Vec<String> {
    if all.len() < 2 {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(all[i].patients));
    let less = |left_out: usize| {
        let rest = all.iter().enumerate().filter(|(i, _)| *i != left_out);
        rest.map(|(_, a)| a.tokens(false)).collect::<Vec<_>>().join(" AND ")
    };
    order.into_iter().map(less).collect()
}

impl Alternatives {
    fn tokens(&self, wide: bool) -> String {
        let nearest = self.sounds.first().map_or(0.0, |s| s.1);
        let mut tokens: Vec<String> = self
            .sounds
            .iter()
            .enumerate()
            .filter(|(i, s)| wide || (*i < NEAREST && s.1 >= nearest - NEAR))
            .map(|(_, s)| format!("\"1{}\"", s.0))
            .collect();
        if wide || tokens.is_empty() {
            tokens.push(format!("\"{}\"", self.initial));
        }
        format!("({})", tokens.join(" OR "))
    }
}
