//! Sounds in the index that a misspelt word may stand for.
//!
//! Invariant: at most [`ALTERNATIVES_MAX`] sounds stand for one word, and at most [`SCAN_MAX`] are compared to find them.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use crate::name::{Sought, Word};

/// Most sounds taken for one word.
const ALTERNATIVES_MAX: usize = 16;

/// Most sounds for which the number of patients is looked up, to prefer the commoner of two that are equally near.
const WEIGHED_MAX: usize = 40;

/// Sounds of the first, narrow step for one word.
const NEAREST: usize = 6;

/// Most sounds with a likely first letter that are compared with a word.
const SCAN_MAX: usize = 20_000;

/// Most sounds taken by skeleton or by their parts.
const LOOKUP_MAX: usize = 60;

/// Least likeness of two sounds, as the share of letters that agree.
const LEAST: f64 = 0.55;

/// A sound this like the word is one slip away, so that rarer slips need not be looked for.
const ONE_SLIP: f64 = 0.8;

/// How much less like the word than the nearest sound one may be in the narrow step.
const NEAR: f64 = 0.12;

/// The same for the wide step.
const FAR: f64 = 0.25;

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

/// How many patients have a word with this very sound in their name.
pub(super) fn patients_with(conn: &Connection, sound: &str) -> rusqlite::Result<i64> {
    let patients = conn
        .prepare_cached("SELECT patients FROM name_sound WHERE sound = ?1")?
        .query_row([sound], |r| r.get(0))
        .optional()?;
    Ok(patients.unwrap_or(0))
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
    let mut near = Neighbours { conn, word, open, found: HashMap::new(), nearest: 0.0, scanned: 0 };
    if patients_with(conn, &word.sound)? > 0 {
        near.take(&word.sound, 0.0);
    }
    near.by_skeleton()?;
    if word.sound.len() >= 3 {
        let first = |text: &str, at: usize| text.as_bytes().get(at).copied();
        near.by_first_letter(first(&word.sound, 0))?;
        // A first letter too many, or swapped with the second, or one whose sound the slip changed.
        let others = [first(&word.text, 0), first(&word.sound, 1), first(&word.text, 1)];
        let mut done = vec![first(&word.sound, 0)];
        for letter in others {
            if near.nearest < ONE_SLIP && !done.contains(&letter) {
                near.by_first_letter(letter)?;
                done.push(letter);
            }
        }
        if word.sound.len() >= 4 && near.nearest < 1.0 {
            near.by_parts()?;
        }
    }
    near.weigh()
}

/// Sounds near to a word, as they are found.
struct Neighbours<'a> {
    conn: &'a Connection,
    word: &'a Word,
    open: bool,
    found: HashMap<String, f64>,
    nearest: f64,
    scanned: usize,
}

impl Neighbours<'_> {
    fn take(&mut self, sound: &str, least: f64) {
        if self.found.contains_key(sound) {
            return;
        }
        let like = likeness(self.word, sound, self.open).max(least);
        if like >= LEAST {
            self.nearest = self.nearest.max(like);
            self.found.insert(sound.to_owned(), like);
        }
    }

    fn by_skeleton(&mut self) -> rusqlite::Result<()> {
        if self.word.skeleton.len() < 2 {
            return Ok(());
        }
        let mut statement =
            self.conn.prepare_cached("SELECT sound FROM name_sound WHERE skeleton = ?1")?;
        let mut rows = statement.query([&self.word.skeleton])?;
        for _ in 0..LOOKUP_MAX {
            let Some(row) = rows.next()? else { break };
            self.take(row.get_ref(0)?.as_str()?, 0.7);
        }
        Ok(())
    }

    fn by_first_letter(&mut self, letter: Option<u8>) -> rusqlite::Result<()> {
        let Some(letter) = letter.filter(u8::is_ascii_lowercase) else { return Ok(()) };
        let (from, to) = (char::from(letter).to_string(), char::from(letter + 1).to_string());
        let letters = (letter_set(&self.word.sound), letter_set(&self.word.text));
        let mut statement = self
            .conn
            .prepare_cached("SELECT sound FROM name_sound WHERE sound >= ?1 AND sound < ?2")?;
        let mut rows = statement.query([from, to])?;
        while self.scanned < SCAN_MAX
            && let Some(row) = rows.next()?
        {
            self.scanned += 1;
            let sound = row.get_ref(0)?.as_str()?;
            let other = letter_set(sound);
            if may_be_like(&self.word.sound, letters.0, sound, other, self.open)
                || may_be_like(&self.word.text, letters.1, sound, other, false)
            {
                self.take(sound, 0.0);
            }
        }
        Ok(())
    }

    fn by_parts(&mut self) -> rusqlite::Result<()> {
        let asked = self.word.sound.as_str();
        let parts: Vec<String> = asked
            .as_bytes()
            .windows(3)
            .map(|w| format!("\"{}\"", String::from_utf8_lossy(w)))
            .collect();
        let mut statement = self.conn.prepare_cached(
            "SELECT s.sound FROM name_sound_part p JOIN name_sound s ON s.id = p.rowid
             WHERE p.name_sound_part MATCH ?1 ORDER BY p.rank",
        )?;
        let mut rows = statement.query([parts.join(" OR ")])?;
        for _ in 0..LOOKUP_MAX {
            let Some(row) = rows.next()? else { break };
            let sound = row.get_ref(0)?.as_str()?;
            let least = if asked.len() >= 5 && sound.contains(asked) { 0.7 } else { 0.0 };
            self.take(sound, least);
        }
        Ok(())
    }

    /// The nearest sounds; of equally near ones those that more patients have.
    fn weigh(self) -> rusqlite::Result<Alternatives> {
        let mut found: Vec<(String, f64)> = self.found.into_iter().collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut weighed = Vec::with_capacity(WEIGHED_MAX);
        for (sound, like) in found.into_iter().take(WEIGHED_MAX) {
            weighed.push((patients_with(self.conn, &sound)?, sound, like));
        }
        weighed.sort_by(|a, b| b.2.total_cmp(&a.2).then(b.0.cmp(&a.0)));
        weighed.truncate(ALTERNATIVES_MAX);
        Ok(Alternatives {
            initial: self.word.text.chars().take(1).collect(),
            patients: weighed.iter().map(|w| w.0).sum(),
            sounds: weighed.into_iter().map(|(_, sound, like)| (sound, like)).collect(),
        })
    }
}

/// The letters of a sound as a set of bits.
fn letter_set(sound: &str) -> u32 {
    sound.bytes().fold(0, |set, b| set | 1 << (b.wrapping_sub(b'a') & 31))
}

/// A quick look that spares most comparisons: too long, too short, or too many other letters.
fn may_be_like(asked: &str, letters: u32, sound: &str, other: u32, open: bool) -> bool {
    let slips = asked.len() / 4 + 1;
    if sound.len() + slips < asked.len() || (letters & !other).count_ones() as usize > slips {
        return false;
    }
    open || (sound.len() <= asked.len() + slips
        && (other & !letters).count_ones() as usize <= slips)
}

/// How like a sound is to the word asked for, by its sound or by its letters: two letters swapped may change the sound much.
fn likeness(word: &Word, sound: &str, open: bool) -> f64 {
    let asked = word.sound.as_str();
    if asked == sound {
        return 1.0;
    }
    let share = |a: &str, b: &str| {
        1.0 - strsim::osa_distance(a, b) as f64 / a.len().max(b.len()).max(1) as f64
    };
    let mut like = share(asked, sound);
    if like < ONE_SLIP && word.text.len().abs_diff(sound.len()) <= 2 {
        like = like.max(0.97 * share(&word.text, sound));
    }
    if open && asked.len() >= 3 && sound.len() > asked.len() {
        like = like.max(0.95 * share(asked, &sound[..asked.len()]));
    }
    like
}

/// An expression that takes each word for one of the sounds nearest to it.
pub(super) fn nearest(all: &[Alternatives]) -> String {
    all.iter().map(|a| a.tokens(NEAREST, NEAR)).collect::<Vec<_>>().join(" AND ")
}

/// An expression that takes each word for any of its alternatives.
pub(super) fn all(all: &[Alternatives]) -> String {
    all.iter().map(|a| a.tokens(ALTERNATIVES_MAX, FAR)).collect::<Vec<_>>().join(" AND ")
}

/// Expressions that ask less of one word: only its initial, then nothing; the commonest word first, none for a single word.
pub(super) fn less_a_word(all: &[Alternatives]) -> Vec<String> {
    if all.len() < 2 {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(all[i].patients));
    let rest = |left_out: usize| {
        let rest = all.iter().enumerate().filter(|(i, _)| *i != left_out);
        rest.map(|(_, a)| a.tokens(NEAREST, NEAR)).collect::<Vec<_>>().join(" AND ")
    };
    let initials = order.iter().map(|&i| format!("\"{}\" AND {}", all[i].initial, rest(i)));
    initials.chain(order.iter().map(|&i| rest(i))).collect()
}

impl Alternatives {
    /// At most `most` sounds that are at most `reach` less like the word than the nearest one.
    fn tokens(&self, most: usize, reach: f64) -> String {
        let least = self.sounds.first().map_or(0.0, |s| s.1) - reach;
        let near = self.sounds.iter().take(most).filter(|s| s.1 >= least);
        let tokens: Vec<String> = near.map(|s| format!("\"1{}\"", s.0)).collect();
        if tokens.is_empty() {
            // Nothing sounds like the word, so only its initial is left of it.
            return format!("\"{}\"", self.initial);
        }
        format!("({})", tokens.join(" OR "))
    }
}
