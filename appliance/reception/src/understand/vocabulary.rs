//! What words may mean: one table of spellings, looked up with up to [`PHRASE_MAX`] words at once.
//!
//! Invariant: a longer phrase hides what its words mean alone ("day after tomorrow" is not tomorrow).

mod calendar;
mod courtesy;
mod people;
mod requests;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use jiff::civil::Weekday;

use super::word::{Gap, Word, fold};
use super::{Language, PartOfDay, Relation};

/// Words of the longest phrase.
pub(super) const PHRASE_MAX: usize = 5;
/// The shortest word whose slips of the pen are mended, in letters.
const MENDED_MIN: usize = 5;
/// The shortest word of danger or insult to which slips are mended, in letters.
const HEAVY_MIN: usize = 7;
/// The longest such word.
const MENDED_MAX: usize = 20;
/// From this length on two slips are mended.
const MENDED_TWICE_MIN: usize = 9;

/// What a word or phrase may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Meaning {
    /// A number in words.
    Number(u16),
    /// A place in a row, from 1.
    Ordinal(u16),
    /// The last of a row.
    LastOne,
    /// The one in the middle.
    MiddleOne,
    /// Minutes that a word adds to the hour that follows: saade 30, sava 15, paune -15.
    Fraction(i8),
    /// A time in itself, in minutes of twelve hours: dedh, dhai.
    HalfHours(u16),
    /// Half (past).
    Half,
    /// Quarter (past, to).
    Quarter,
    /// A day of the week.
    Weekday(Weekday),
    /// A month, from 1.
    Month(i8),
    /// So many days from today: kal 1, parso 2.
    DaysAhead(i8),
    /// The day before today.
    Yesterday,
    /// Saturday and Sunday.
    Weekend,
    /// A unit of time.
    Unit(Unit),
    /// This, the running one.
    This,
    /// Next.
    Next,
    /// The next but one.
    NextButOne,
    /// The last, gone by.
    Previous,
    /// After, in front of what it is about.
    After,
    /// After, behind what it is about: ke baad.
    AfterIt,
    /// From then on: from, in front.
    From,
    /// Onwards, behind: se, onwards.
    FromIt,
    /// Before, in front.
    Before,
    /// Before, behind: se pehle.
    BeforeIt,
    /// By, until, in front.
    Until,
    /// Until, behind: tak.
    UntilIt,
    /// Between.
    Between,
    /// At, on: what follows is a time.
    At,
    /// Around, in front or behind.
    Around,
    /// In, within: what follows is a span.
    Within,
    /// Within, behind: ke andar.
    WithinIt,
    /// In (so many days), behind: din baad.
    To,
    /// Or.
    Or,
    /// And.
    And,
    /// A part of the day.
    Part(PartOfDay),
    /// Twelve o'clock by day.
    Noon,
    /// Twelve o'clock at night.
    Midnight,
    /// Before noon.
    Am,
    /// After noon.
    Pm,
    /// O'clock.
    Oclock,
    /// Day of the month: tarikh.
    DayOfMonth,
    /// The beginning of a month.
    Start,
    /// The end of a month.
    End,
    /// As early as may be.
    Soonest,
    /// What was: tha, had.
    Past,
    /// Not, before what it denies (English).
    Not,
    /// Not, on either side (Hindi).
    Nahi,
    /// But, instead: a new clause.
    But,
    /// Yes.
    Yes,
    /// No, and nothing else.
    No,
    /// What somebody wants or speaks of.
    Topic(Topic),
    /// For whom.
    Relation(Relation),
    /// For, in front of whom.
    For,
    /// My.
    My,
    /// A speciality, or a complaint that leads to one.
    Specialty(Specialty),
    /// What a speciality is called by, when only the complaint was said.
    Complaint(Specialty),
    /// A title: the name of a practitioner follows.
    Title,
    /// A language.
    Language(Language),
    /// Question word.
    Question,
    /// Anything will do.
    Any,
    /// Said at the beginning of a correction.
    Correction,
    /// Earlier than that.
    Earlier,
    /// Later than that.
    Later,
    /// A moment is asked for.
    Wait,
    /// Beside something else.
    Also,
    /// Date of birth.
    Birth,
    /// A name follows.
    NameIs,
    /// Danger to life.
    Emergency,
    /// Where a heart attack hurts.
    Chest,
    /// Breath.
    Breath,
    /// Pain.
    Pain,
    /// That something is hard to do.
    Trouble,
    /// An insult.
    Abuse,
    /// Says nothing by itself.
    Filler,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is the unit it says")]
pub(super) enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

pub(super) use people::Specialty;
pub(super) use requests::Topic;

/// The table: what is meant, how it is spelt (white space between spellings, `_` between words), and in which language.
pub(super) type Table = &'static [(Meaning, &'static str)];

struct Vocabulary {
    phrases: HashMap<String, Vec<Meaning>>,
    /// The words of the phrases.
    parts: HashSet<String>,
    /// Single words by their first letter, for slips of the pen.
    by_initial: HashMap<char, Vec<String>>,
    /// Words that are right as they stand and mean nothing here.
    left_alone: HashSet<String>,
    /// Names of people that are right as they stand.
    names: HashSet<String>,
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let mut phrases: HashMap<String, Vec<Meaning>> = HashMap::new();
    for table in [
        calendar::TABLE,
        calendar::NUMBERS,
        courtesy::TABLE,
        courtesy::DANGER,
        people::TABLE,
        requests::TABLE,
    ] {
        for (meaning, spellings) in table {
            for spelling in spellings.split_whitespace() {
                let key = spelling.split('_').map(fold).collect::<Vec<_>>().join(" ");
                let meanings = phrases.entry(key).or_default();
                if !meanings.contains(meaning) {
                    meanings.push(*meaning);
                }
            }
        }
    }
    // No slip of the pen makes an insult or a poison.
    let heavy: HashSet<String> = courtesy::DANGER
        .iter()
        .flat_map(|(_, spellings)| spellings.split([' ', '_', '\n']))
        .map(fold)
        .filter(|word| word.chars().count() < HEAVY_MIN)
        .collect();
    let mut by_initial: HashMap<char, Vec<String>> = HashMap::new();
    for phrase in phrases.keys().filter(|phrase| phrase.chars().count() >= MENDED_MIN) {
        for word in phrase.split(' ').filter(|word| word.chars().count() >= MENDED_MIN) {
            if let Some(initial) = word.chars().next().filter(|_| !heavy.contains(word)) {
                let words = by_initial.entry(initial).or_default();
                if !words.iter().any(|known| known == word) {
                    words.push(word.to_owned());
                }
            }
        }
    }
    // A hash map has no order, and the nearest of several must always be the same.
    for words in by_initial.values_mut() {
        words.sort();
    }
    let folded = |words: &str| words.split_whitespace().map(fold).collect();
    let (left_alone, names) = (folded(courtesy::LEFT_ALONE), folded(courtesy::NAMES));
    let parts = phrases.keys().flat_map(|phrase| phrase.split(' ')).map(str::to_owned).collect();
    Vocabulary { phrases, parts, by_initial, left_alone, names }
});

/// A message with what its words may mean.
pub(super) struct Reading {
    /// The words.
    pub words: Vec<Word>,
    /// For each word what begins there: how many words it takes, and what it means. The longest first.
    marks: Vec<Vec<(usize, Meaning)>>,
}

impl Reading {
    /// Looks up every word and phrase; `known` are words that are right as they stand.
    pub fn new(mut words: Vec<Word>, known: impl Fn(&str) -> bool) -> Self {
        let vocabulary = &*VOCABULARY;
        for word in &mut words {
            if !known(&word.folded)
                && let Some(mended) = vocabulary.mended(&word.folded)
            {
                word.folded = mended;
            }
        }
        let mut marks = Vec::with_capacity(words.len());
        let mut hidden_until = 0;
        for i in 0..words.len() {
            let mut here = Vec::new();
            let mut phrase = String::new();
            let mut found = Vec::new();
            for (count, word) in words[i..].iter().take(PHRASE_MAX).enumerate() {
                if count > 0 {
                    // A phrase does not go over the end of a clause, except where letters stand with dots: a.m.
                    if word.begins_clause && word.gap != Gap::Sign('.') {
                        break;
                    }
                    phrase.push(' ');
                }
                phrase.push_str(&word.folded);
                if let Some(meanings) = vocabulary.phrases.get(&phrase) {
                    found.push((count + 1, meanings));
                }
            }
            if let Some(longest) = found.last().map(|(count, _)| *count)
                && i + longest > hidden_until
            {
                for (count, meanings) in found.iter().filter(|(count, _)| *count == longest) {
                    here.extend(meanings.iter().map(|meaning| (*count, *meaning)));
                }
                if longest > 1 {
                    hidden_until = i + longest;
                }
            }
            marks.push(here);
        }
        Self { words, marks }
    }

    /// What begins at a word, as `pick` understands it, and where it ends.
    pub fn at<T>(&self, i: usize, pick: impl Fn(Meaning) -> Option<T>) -> Option<(T, usize)> {
        self.marks.get(i)?.iter().find_map(|(count, meaning)| Some((pick(*meaning)?, i + count)))
    }

    /// Where a meaning that begins at a word ends.
    pub fn is(&self, i: usize, meaning: Meaning) -> Option<usize> {
        self.at(i, |m| (m == meaning).then_some(())).map(|((), next)| next)
    }

    /// All that words from one to another may mean, with where it stands.
    pub fn within(
        &self,
        from: usize,
        to: usize,
    ) -> impl DoubleEndedIterator<Item = (usize, usize, Meaning)> + '_ {
        (from..to.min(self.marks.len())).flat_map(|i| {
            self.marks[i].iter().map(move |(count, meaning)| (i, i + count, *meaning))
        })
    }

    /// All that the message may mean.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = (usize, usize, Meaning)> + '_ {
        self.within(0, self.marks.len())
    }

    /// Whether something of the message may mean this.
    pub fn says(&self, meaning: Meaning) -> bool {
        self.all().any(|(_, _, m)| m == meaning)
    }

    /// Whether it is said instead of something else.
    pub fn says_instead(&self) -> bool {
        self.words.iter().any(|word| matches!(word.folded.as_str(), "instead" | "badle" | "jagah"))
    }

    /// Whether a word is part of no known word or phrase.
    pub fn is_unknown(&self, i: usize) -> bool {
        !(i.saturating_sub(PHRASE_MAX)..=i)
            .any(|j| self.marks.get(j).is_some_and(|m| m.iter().any(|(count, _)| j + count > i)))
            && self.words.get(i).is_some_and(|word| word.number.is_none())
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// The clauses: from where to where.
    pub fn clauses(&self) -> Vec<(usize, usize)> {
        let mut clauses = Vec::new();
        let mut from = 0;
        for i in 1..=self.words.len() {
            let ends = i == self.words.len()
                || self.words[i].begins_clause
                || self.is(i, Meaning::And).is_some()
                || self.is(i, Meaning::But).is_some();
            if ends {
                clauses.push((from, i));
                from = i;
            }
        }
        clauses
    }
}

/// Whether a folded word is known, or is right as it stands.
pub(super) fn is_known(folded: &str) -> bool {
    VOCABULARY.phrases.contains_key(folded) || VOCABULARY.left_alone.contains(folded)
}

impl Vocabulary {
    /// The known word that a word was meant to be, if there is one near enough.
    fn mended(&self, folded: &str) -> Option<String> {
        let letters = folded.chars().count();
        let known = self.phrases.contains_key(folded)
            || self.left_alone.contains(folded)
            || self.names.contains(folded)
            || self.parts.contains(folded);
        if known
            || !(MENDED_MIN..=MENDED_MAX).contains(&letters)
            || folded.starts_with(|c: char| c.is_ascii_digit())
        {
            return None;
        }
        let initial = folded.chars().next()?;
        let most = if letters >= MENDED_TWICE_MIN { 2 } else { 1 };
        self.by_initial
            .get(&initial)?
            .iter()
            .filter(|word| word.chars().count().abs_diff(letters) <= most)
            .map(|word| (strsim::osa_distance(folded, word), word))
            .filter(|(slips, _)| *slips <= most)
            .min_by_key(|(slips, _)| *slips)
            .map(|(_, word)| word.clone())
    }
}
