//! What words mean, without any model: English, Hindi, and Hindi in Latin letters.
//!
//! ```text
//!   text ─► words (bounded, folded) ─► marks (what each may mean) ─► days, times, names, choices
//!                                                                └─► intents, of which denied ones fall out
//! ```
//!
//! # Invariants
//!
//! - Text is only data: it decides nothing, it fills an [`Understood`].
//! - Nothing is guessed: what may mean two things is told as two, the likelier first.
//! - No text makes this panic; the work is bounded by [`LETTERS_MAX`] and [`WORDS_MAX`].

mod choice;
mod day;
mod language;
mod lexicon;
mod person;
mod request;
mod sense;
mod thing;
mod time;
mod vocabulary;
mod word;

use jiff::Zoned;
use jiff::civil::{Date, Time};
use prm::contact::{BirthDate, Phone};
use prm::id::{HealthcareServiceId, PractitionerId};
use serde::{Deserialize, Serialize};

use crate::intent::Intent;

pub use lexicon::Lexicon;

/// Letters of a message that are read; what follows is left out.
pub const LETTERS_MAX: usize = 1_000;
/// Words of a message that are read; what follows is left out.
pub const WORDS_MAX: usize = 160;
/// Candidates that are told for one name.
pub const CANDIDATES_MAX: usize = 10;
/// Days, or times, that are told for one message.
pub const READINGS_MAX: usize = 6;

/// How somebody writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// English.
    English,
    /// Hindi in Devanagari.
    Hindi,
    /// Hindi in Latin letters.
    Hinglish,
}

impl Language {
    /// The language in which it is answered, a BCP 47 tag. Who writes Hindi in Latin letters hears Hindi,
    /// unless English was chosen.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hindi | Self::Hinglish => "hi",
        }
    }
}

/// What the last question asked for. It decides what a bare `2`, `cancel` or `Asha Rao` is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expecting {
    /// Nothing was asked.
    #[default]
    Nothing,
    /// What is wanted at all.
    Intent,
    /// Whom or which speciality to see.
    Practitioner,
    /// Which service.
    Service,
    /// Which day.
    Day,
    /// Which time of a day.
    Time,
    /// One of several; their titles as they were shown, in order.
    Choice(Vec<String>),
    /// Yes or no.
    YesNo,
    /// The name of the patient.
    Name,
    /// The date of birth of the patient.
    BirthDate,
    /// A telephone number.
    Phone,
    /// For whom of the family it is; the names, in the order in which they were shown.
    Patient(Vec<String>),
    /// A wish or a question in free words.
    Words,
}

/// Days of which any will do. A single day has `from` and `to` alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    /// The first.
    pub from: Date,
    /// The last, itself included; none if any day from the first on will do.
    pub to: Option<Date>,
}

impl Days {
    /// One day.
    pub fn on(day: Date) -> Self {
        Self { from: day, to: Some(day) }
    }

    /// The day, if it is a single one.
    pub fn day(self) -> Option<Date> {
        (self.to == Some(self.from)).then_some(self.from)
    }

    /// Whether a day is one of them.
    pub fn contains(self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }
}

/// Times of a day of which any will do. A single time has `from` and `to` alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// The earliest.
    pub from: Time,
    /// The latest start, itself included.
    pub to: Time,
}

impl Times {
    /// One time.
    pub fn at(time: Time) -> Self {
        Self { from: time, to: time }
    }

    /// The time, if it is a single one.
    pub fn time(self) -> Option<Time> {
        (self.from == self.to).then_some(self.from)
    }

    /// Whether a time is one of them.
    pub fn contains(self, time: Time) -> bool {
        self.from <= time && time <= self.to
    }
}

/// A part of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartOfDay {
    /// Until noon.
    Morning,
    /// From noon.
    Afternoon,
    /// From five.
    Evening,
    /// From eight.
    Night,
}

impl PartOfDay {
    /// The times that people mean by it; neighbours overlap.
    pub fn times(self) -> Times {
        let (from, to) = match self {
            Self::Morning => (Time::constant(5, 0, 0, 0), Time::constant(11, 59, 0, 0)),
            Self::Afternoon => (Time::constant(12, 0, 0, 0), Time::constant(16, 59, 0, 0)),
            Self::Evening => (Time::constant(16, 0, 0, 0), Time::constant(20, 59, 0, 0)),
            Self::Night => (Time::constant(19, 0, 0, 0), Time::constant(23, 59, 0, 0)),
        };
        Times { from, to }
    }
}

/// Something that may be meant, and how likely, 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate<T> {
    /// What.
    pub of: T,
    /// 1 where the words are the same, 0.8 and more where they sound alike, less for slips of the pen.
    pub score: f64,
}

/// For whom something is, by a word for the relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each variant is the relation it says")]
pub enum Relation {
    /// Who writes.
    Myself,
    Wife,
    Husband,
    Son,
    Daughter,
    /// A child of either sex, or a baby.
    Child,
    Mother,
    Father,
    Brother,
    Sister,
    Grandmother,
    Grandfather,
    /// Somebody of the family by another word, or a friend.
    Other,
    /// Somebody whom the clinic does not know yet.
    New,
}

/// A part of what is agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each variant is the part it says")]
pub enum Thing {
    Day,
    Time,
    Practitioner,
    Patient,
}

/// Before or after a time that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each variant is the direction it says")]
pub enum Shift {
    Earlier,
    Later,
}

/// A place in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// From 0.
    Nth(usize),
    /// Of any number but none.
    Last,
    /// Of an odd number.
    Middle,
}

impl Place {
    /// Which one of so many it is, from 0.
    pub fn of(self, count: usize) -> Option<usize> {
        let at = match self {
            Self::Nth(at) => at,
            Self::Last => count.checked_sub(1)?,
            Self::Middle if count % 2 == 1 => count / 2,
            Self::Middle => return None,
        };
        (at < count).then_some(at)
    }
}

/// Values that were said.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Slots {
    /// Days that were named; more than one where several were, or where the words may mean either. Offers
    /// are looked for on each, and said with their date.
    pub days: Vec<Days>,
    /// Whether the day is a day of the week and nothing more: where days are shown, it is one of those.
    pub weekday: bool,
    /// Days that were ruled out: "not Thursday".
    pub not_days: Vec<Days>,
    /// Parts of the day, those of [`Self::times`] among them.
    pub parts: Vec<PartOfDay>,
    /// Parts of the day that were ruled out.
    pub not_parts: Vec<PartOfDay>,
    /// Times that were named. An hour without am or pm is two readings; opening hours decide.
    pub times: Vec<Times>,
    /// The first free time, whichever it is.
    pub soonest: bool,
    /// A time before or after the one that was shown.
    pub shift: Option<Shift>,
    /// What is named by its bare word and nothing else: "the time", "another doctor".
    pub thing: Option<Thing>,
    /// Anything or anybody will do.
    pub any: bool,
    /// Any practitioner will do, said so.
    pub any_practitioner: bool,
    /// Practitioners that may be meant, the likeliest first. Two of one name have the same score.
    pub practitioners: Vec<Candidate<PractitionerId>>,
    /// Practitioners that were ruled out: "not Dr Rao".
    pub not_practitioners: Vec<PractitionerId>,
    /// Something that reads like the name of a practitioner whom the clinic has not.
    pub unknown_practitioner: bool,
    /// Specialities of the clinic that may be meant, as the practitioners have them, the likeliest first.
    pub specialties: Vec<Candidate<String>>,
    /// A speciality that was named and that nobody of the clinic has, by its English word.
    pub missing_specialty: Option<String>,
    /// Services that may be meant, the likeliest first.
    pub services: Vec<Candidate<HealthcareServiceId>>,
    /// For whom, by the word for the relation.
    pub persons: Vec<Relation>,
    /// A name of a person that was said, as it was written.
    pub name: Option<String>,
    /// The name of whom it is for, as it was written, where nobody had asked for it.
    pub for_name: Option<String>,
    /// Telephone number.
    pub phone: Option<Phone>,
    /// Dates of birth that may be meant, the likeliest first.
    pub birth_dates: Vec<BirthDate>,
    /// Which of the choices may be meant, from 0, in order of the choices; [`Expecting`] told them.
    pub chosen: Vec<usize>,
    /// The place in a list of days, times and the like, where nothing else was said: "the third one".
    pub place: Option<Place>,
    /// A bare number, where no choices were shown or it is none of them.
    pub number: Option<u32>,
    /// Yes or no.
    pub yes: Option<bool>,
    /// Language that was asked for.
    pub language: Option<Language>,
}

impl std::fmt::Debug for Slots {
    /// What people say is personal: logs never show it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slots(…)")
    }
}

/// What a message was understood to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Understood {
    /// How it was written; none where that cannot be told, as in `2` or `ok`.
    pub language: Option<Language>,
    /// What is wanted. None where nothing was recognised, or nothing but what was denied.
    pub intent: Option<Intent>,
    /// All that is wanted, in the order in which it was said; courtesies only if there is nothing else.
    pub intents: Vec<Intent>,
    /// What was expressly not wanted: "don't cancel".
    pub denied: Vec<Intent>,
    /// Whether something was expressly not wanted.
    pub negated: bool,
    /// Whether several things were asked for at once: two requests, or one for several people.
    pub several: bool,
    /// Whether it changes something said before: "no, Thursday".
    pub correction: bool,
    /// Whether it is a question.
    pub question: bool,
    /// Whether it sounds like danger to life: said before anything else.
    pub emergency: bool,
    /// Whether no more messages are wanted; the same as [`Intent::Stop`] among the intents.
    pub stop: bool,
    /// Whether it insults.
    pub abuse: bool,
    /// Whether something is wanted beside what was agreed to: "and also".
    pub also: bool,
    /// Whether it only asks for a moment: "one minute", "let me think".
    pub waits: bool,
    /// The clause that asks a question, where others say something else: "is there parking" of "I want to see Dr Rao,
    /// is there parking?".
    pub asked: Option<String>,
    /// The words that say something, folded, for finding answers by words.
    pub words: Vec<String>,
    /// What was said in detail.
    pub slots: Slots,
}

/// What `text` says at `now` (in the clinic's zone), after a question for `expecting`.
pub fn understand(text: &str, lexicon: &Lexicon, expecting: &Expecting, now: &Zoned) -> Understood {
    sense::understand(text, lexicon, expecting, now)
}

#[cfg(test)]
mod tests;
