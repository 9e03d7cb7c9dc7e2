//! People: for whom something is, what they are called, their telephone number and date of birth.

use jiff::civil::Date;
use prm::contact::{BirthDate, Phone};

use super::lexicon::Lexicon;
use super::vocabulary::{Meaning, Reading, Topic, is_known};
use super::word::Gap;
use super::{Expecting, Relation};

/// Words of a name of a person.
const NAME_WORDS_MAX: usize = 6;
/// The fewest and the most digits of a telephone number.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// Somebody born longer ago than this is not among us, in years.
const AGE_MAX: i16 = 115;

/// For whom it is: by a word for the relation that is about somebody, not a form of address.
pub(super) fn relations(reading: &Reading, asked: bool) -> Vec<(usize, Relation)> {
    let mut relations: Vec<(usize, Relation)> = Vec::new();
    let short = reading.len() <= 2;
    // In Hindi "me" is "in"; alone it answers for whom.
    if asked && reading.len() == 1 && reading.words[0].folded == "me" {
        relations.push((0, Relation::Myself));
    }
    for (at, end, meaning) in reading.all() {
        let Meaning::Relation(relation) = meaning else { continue };
        let belongs = (at.saturating_sub(3)..at).any(|i| {
            reading.at(i, |m| matches!(m, Meaning::My | Meaning::For).then_some(())).is_some()
        });
        let case = reading.words.get(end).is_some_and(|word| CASES.contains(&word.folded.as_str()));
        let address = matches!(relation, Relation::Brother | Relation::Sister | Relation::Other);
        let named = relation == Relation::Myself || belongs || case || asked || short && !address;
        if named && !relations.iter().any(|(_, it)| *it == relation) {
            relations.push((at, relation));
        }
    }
    relations
}

/// Little words behind whom something is for.
const CASES: &[&str] = &["ke", "ki", "ka", "ko", "k", "के", "को", "का", "कि"];

/// The telephone number of the message, and the words that it takes.
pub(super) fn phone(reading: &Reading, lexicon: &Lexicon) -> Option<(Phone, Vec<usize>)> {
    (0..reading.len())
        .find_map(|from| digits(reading, from))
        .and_then(|(text, words)| Some((lexicon.phone(&text)?, words)))
}

/// Digits that stand together, in numbers or in words: "98450 12345", "nine eight double four".
fn digits(reading: &Reading, from: usize) -> Option<(String, Vec<usize>)> {
    let mut text = String::new();
    let mut words = Vec::new();
    let mut times = 1;
    let mut i = from;
    while let Some(word) = reading.words.get(i) {
        if let Some(next) = ["double", "triple"].iter().position(|it| word.folded == *it) {
            times = next + 2;
            words.push(i);
            i += 1;
            continue;
        }
        let spelt = reading.at(i, |m| {
            let Meaning::Number(n) = m else { return None };
            (n < 10).then(|| n.to_string())
        });
        // A date is no number to call.
        let dated = i > from && matches!(word.gap, Gap::Sign('/' | ':'));
        let part = match (word.number, spelt) {
            (Some(_), _) if !dated => word.raw.clone(),
            (None, Some((digit, _))) => digit,
            (Some(_) | None, _) => break,
        };
        if text.len() > *PHONE_DIGITS.end() {
            break;
        }
        text.push_str(&part.repeat(times));
        times = 1;
        words.push(i);
        i += 1;
    }
    if !PHONE_DIGITS.contains(&text.len()) {
        return None;
    }
    // A country's code without its plus sign.
    let text = if text.len() == 12 && text.starts_with("91") { format!("+{text}") } else { text };
    Some((text, words))
}

/// Dates of birth that may be meant, the likelier first, and the words that they take. Day first, as India writes.
pub(super) fn birth_dates(reading: &Reading, today: Date) -> (Vec<BirthDate>, Vec<usize>) {
    let found = (0..reading.len()).find_map(|i| birth_at(reading, i, today));
    let (dates, words) = found.unwrap_or_default();
    let mut seen: Vec<BirthDate> = Vec::new();
    for date in dates {
        let old = today.year() - date.year() > AGE_MAX;
        if !old && !seen.contains(&date) && date.not_after(today).is_ok() {
            seen.push(date);
        }
    }
    (seen, words)
}

fn birth_at(reading: &Reading, i: usize, today: Date) -> Option<(Vec<BirthDate>, Vec<usize>)> {
    let word = reading.words.get(i)?;
    // 02051984
    if word.raw.len() == 8 && word.number.is_some() {
        let part = |from: usize, to: usize| word.raw.get(from..to)?.parse::<i64>().ok();
        let (day, month, year) = (part(0, 2)?, part(2, 4)?, part(4, 8)?);
        let dates: Vec<BirthDate> = date(year, month, day).into_iter().collect();
        return (!dates.is_empty()).then_some((dates, vec![i]));
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut words = Vec::new();
    let mut j = i;
    while parts.len() < 3 {
        let Some((part, next)) = part(reading, j) else { break };
        parts.push(part);
        words.extend(j..next);
        j = next;
        while reading.is(j, Meaning::Filler).is_some() || is_ending(reading, j) {
            j += 1;
        }
    }
    let dates = match parts[..] {
        [Part::Number(a, 4), Part::Number(b, _), Part::Number(c, _)] => {
            date(a, b, c).into_iter().collect()
        }
        [Part::Number(a, _), Part::Number(b, _), Part::Number(c, digits)] => {
            let (day, month) = if b > 12 && a <= 12 { (b, a) } else { (a, b) };
            years(c, digits, today).into_iter().filter_map(|year| date(year, month, day)).collect()
        }
        [Part::Number(day, _), Part::Month(month), Part::Number(year, digits)]
        | [Part::Month(month), Part::Number(day, _), Part::Number(year, digits)] => {
            years(year, digits, today)
                .into_iter()
                .filter_map(|year| date(year, i64::from(month), day))
                .collect()
        }
        [Part::Month(month), Part::Number(year, 4)] => {
            BirthDate::parse(&format!("{year:04}-{month:02}")).into_iter().collect()
        }
        // A year that ends a date that there is not says nothing.
        [Part::Number(year, 4)]
            if i == 0 || word.gap == Gap::Space && part(reading, i - 1).is_none() =>
        {
            BirthDate::parse(&format!("{year:04}")).into_iter().collect()
        }
        [Part::Number(year, digits @ 2)] if reading.len() == 1 => {
            let years = years(year, digits, today).into_iter();
            years.filter_map(|year| BirthDate::parse(&format!("{year:04}")).ok()).collect()
        }
        _ => Vec::new(),
    };
    (!dates.is_empty()).then_some((dates, words))
}

/// A part of a date: a number with its digits, or a month.
#[derive(Clone, Copy)]
enum Part {
    Number(i64, usize),
    Month(i8),
}

fn part(reading: &Reading, i: usize) -> Option<(Part, usize)> {
    let word = reading.words.get(i)?;
    if let Some(number) = word.number {
        let number = i64::try_from(number).ok().filter(|n| *n < 10_000)?;
        return Some((Part::Number(number, word.raw.len()), i + 1));
    }
    reading.at(i, |m| {
        if let Meaning::Month(month) = m {
            Some(Part::Month(month))
        } else if let Meaning::Number(number) | Meaning::Ordinal(number) = m {
            Some(Part::Number(i64::from(number), 2))
        } else {
            None
        }
    })
}

fn is_ending(reading: &Reading, i: usize) -> bool {
    reading.words.get(i).is_some_and(|word| {
        word.gap == Gap::None && matches!(word.folded.as_str(), "th" | "st" | "nd" | "rd")
    })
}

/// The years that a year may be: 84 is 1984, 15 may be 2015 or 1915.
fn years(year: i64, digits: usize, today: Date) -> Vec<i64> {
    if digits == 4 {
        return vec![year];
    }
    if digits != 2 {
        return Vec::new();
    }
    [2000 + year, 1900 + year]
        .into_iter()
        .filter(|it| *it <= i64::from(today.year()) && *it >= i64::from(today.year() - AGE_MAX))
        .collect()
}

fn date(year: i64, month: i64, day: i64) -> Option<BirthDate> {
    BirthDate::parse(&format!("{year:04}-{month:02}-{day:02}")).ok()
}

/// A name that was said, and the words that it takes.
pub(super) struct Named {
    pub from: usize,
    pub to: usize,
    pub name: String,
}

/// Whom it is for, by name, where nobody had asked: "for Rohan Mehta", "Rohan Mehta ke liye", "my name is Rohan" and
/// for nobody else. Behind "for" stands much else, so that only a full name in capital letters counts there.
pub(super) fn for_whom(reading: &Reading) -> Option<Named> {
    let is_relation =
        |i: usize| reading.at(i, |m| matches!(m, Meaning::My | Meaning::Relation(_)).then_some(()));
    let behind = |mut i: usize| {
        while let Some((_, end)) = is_relation(i) {
            i = end;
        }
        let end = i + (i..reading.len()).take_while(|at| is_capital(reading, *at, i)).count();
        full_name(reading, i, end)
    };
    let before = |end: usize| {
        let capital = |at: &usize| is_capital(reading, *at, end);
        full_name(reading, end - (0..end).rev().take_while(capital).count(), end)
    };
    let marked = |meaning: Meaning| reading.all().filter(move |(_, _, m)| *m == meaning);
    let is_for = |i: usize| {
        let word = |i: usize| reading.words.get(i).map(|word| word.folded.as_str());
        word(i) == Some("ke") && matches!(word(i + 1), Some("liye" | "lie" | "lia"))
    };
    if let Some(named) = marked(Meaning::For).find_map(|(_, end, _)| behind(end)) {
        return Some(named);
    }
    if let Some(named) = (1..reading.len()).filter(|i| is_for(*i)).find_map(before) {
        return Some(named);
    }
    let other = |m| matches!(m, Meaning::Relation(it) if it != Relation::Myself);
    if reading.all().any(|(_, _, m)| other(m)) {
        return None;
    }
    let of_writer = marked(Meaning::NameIs).find_map(|(_, end, _)| behind(end));
    of_writer.or_else(|| named(reading, &Expecting::Nothing))
}

/// Whether a word means nothing else and is written as names are; a clause that begins beside it parts it from them.
fn is_capital(reading: &Reading, i: usize, beside: usize) -> bool {
    let word = &reading.words[i];
    let parted = i > beside && word.begins_clause;
    word.raw.starts_with(char::is_uppercase) && reading.is_unknown(i) && !parted
}

/// Words that are a full name.
fn full_name(reading: &Reading, from: usize, to: usize) -> Option<Named> {
    let words: Vec<&str> =
        reading.words.get(from..to)?.iter().map(|word| word.raw.as_str()).collect();
    let is_full = (2..=NAME_WORDS_MAX).contains(&words.len());
    let name = prm::contact::name("name", &words.join(" ")).ok().filter(|_| is_full)?;
    Some(Named { from, to, name })
}

/// A name of a person: behind "my name is", or the whole message after the question for one.
pub(super) fn name(reading: &Reading, expecting: &Expecting) -> Option<String> {
    named(reading, expecting).map(|named| named.name)
}

fn named(reading: &Reading, expecting: &Expecting) -> Option<Named> {
    let behind = reading
        .all()
        .filter(|(_, _, m)| *m == Meaning::NameIs)
        .map(|(at, end, _)| (at, end))
        .next_back();
    // Whom of the family may be answered by a new name.
    let family = matches!(expecting, Expecting::Patient(_));
    let asked = *expecting == Expecting::Name || family;
    let from = match behind {
        // "I am here", "this is urgent" are no names, unless one was asked for.
        Some((at, end)) => {
            let weak = matches!(
                reading.words[at].folded.as_str(),
                "i" | "im" | "this" | "name" | "naam" | "nam"
            );
            // Whoever was understood wrongly says it once more where their birth is asked for.
            let again = *expecting == Expecting::BirthDate
                && !matches!(reading.words[at].folded.as_str(), "i" | "im" | "this");
            if weak && !asked && !again {
                return None;
            }
            end
        }
        None if asked => reading.is(0, Meaning::Relation(Relation::Myself)).unwrap_or(0),
        None => return None,
    };
    let mut words: Vec<&str> = Vec::new();
    let mut taken = Vec::new();
    for (i, word) in reading.words.iter().enumerate().skip(from) {
        let says_nothing = reading
            .at(i, |m| {
                matches!(
                    m,
                    Meaning::Filler
                        | Meaning::Correction
                        | Meaning::Yes
                        | Meaning::My
                        | Meaning::For
                        | Meaning::NameIs
                )
                .then_some(())
            })
            .is_some();
        if word.number.is_some()
            || word.begins_clause && !words.is_empty() && words.last().is_some_and(|w| w.len() > 3)
        {
            break;
        }
        // Little words stand before a name or end it; an initial is part of it.
        let initial = word.raw.chars().count() == 1 && word.raw.starts_with(char::is_uppercase);
        if says_nothing && !initial && (is_known(&word.folded) || word.raw.chars().count() < 4) {
            if words.is_empty() {
                continue;
            }
            break;
        }
        words.push(&word.raw);
        taken.push(i);
    }
    let is_of_a_name = |i: usize| {
        let little = |m| matches!(m, Meaning::For | Meaning::Filler).then_some(());
        reading.is_unknown(i) || reading.at(i, little).is_some()
    };
    if family && behind.is_none() && !(0..reading.len()).all(is_of_a_name) {
        return None;
    }
    let known = (from..reading.len()).all(|i| !reading.is_unknown(i));
    // What stands in another clause than the name does not make a wish of it.
    let to = taken.last().filter(|_| behind.is_some()).map_or(reading.len(), |last| last + 1);
    let wish = reading.within(from, to).any(|(_, _, m)| {
        matches!(
            m,
            Meaning::Not | Meaning::Nahi | Meaning::No | Meaning::Topic(Topic::Want | Topic::Talk)
        )
    });
    if wish {
        return None;
    }
    // "For me" and "my mother" say who it is, and no name.
    let is_relation =
        reading.within(from, reading.len()).any(|(_, _, m)| matches!(m, Meaning::Relation(_)));
    let letters = words.iter().any(|word| word.chars().count() >= 2);
    if words.is_empty()
        || words.len() > NAME_WORDS_MAX
        || !letters
        || known && (words.len() < 2 || is_relation) && behind.is_none()
    {
        return None;
    }
    let name = prm::contact::name("name", &words.join(" ")).ok()?;
    Some(Named { from: *taken.first()?, to: taken.last()? + 1, name })
}
