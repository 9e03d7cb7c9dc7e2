//! Sentences in the languages that reception speaks, and in the clinic's own wording.
//!
//! Invariant: whatever the clinic wrote, a sentence is said: what cannot be read or asks for something unknown
//! gives way to ours.

use std::collections::HashMap;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::civil::{Date, Time};
use prm::contact::BirthDate;
use unic_langid::LanguageIdentifier;

use crate::facts::{Facts, Wording};
use crate::sentence::{MONTHS, MONTHS_SHORT, Sentence, WEEKDAYS, WEEKDAYS_SHORT};

/// The longest sentence in the clinic's own wording, in letters.
pub const WORDING_LETTERS_MAX: usize = 1_000;

/// The languages that reception speaks, its own one first: a new language is one file and one row.
pub(crate) const LANGUAGES: [(&str, &str); 2] =
    [("en", include_str!("../words/en.ftl")), ("hi", include_str!("../words/hi.ftl"))];

type Bundle = FluentBundle<FluentResource>;
/// What is put into a sentence.
pub(crate) type Arguments<'a> = [(&'static str, FluentValue<'a>)];

static BUNDLES: LazyLock<Vec<(&'static str, Bundle)>> = LazyLock::new(|| {
    LANGUAGES.iter().map(|(tag, source)| (*tag, bundle(tag, (*source).to_owned()).0)).collect()
});

/// Why a wording of the clinic is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordingError {
    /// There is no such sentence.
    #[error("there is no sentence of that name")]
    NoSentence,
    /// There is no such language.
    #[error("reception does not speak that language")]
    NoLanguage,
    /// It is empty or too long.
    #[error("write 1 to {WORDING_LETTERS_MAX} letters")]
    Length,
    /// It is no Fluent pattern.
    #[error("this cannot be read; names stand in braces, such as {{ $name }}")]
    Unreadable,
    /// It asks for something that is not put into this sentence.
    #[error("use only what this sentence has: {}", .0.join(", "))]
    Unknown(Vec<&'static str>),
}

/// Checks a wording of the clinic, and answers what it comes to with each variable shown by its name.
///
/// # Errors
/// What is wrong with it.
pub fn check(language: &str, id: &str, pattern: &str) -> Result<String, WordingError> {
    let sentence = Sentence::of_id(id).ok_or(WordingError::NoSentence)?;
    let (tag, _) =
        LANGUAGES.iter().find(|(tag, _)| *tag == language).ok_or(WordingError::NoLanguage)?;
    let shown: Vec<(&'static str, FluentValue<'_>)> = sentence
        .variables()
        .iter()
        .map(|variable| (*variable, FluentValue::from(format!("[{variable}]"))))
        .collect();
    own(tag, sentence, pattern, &shown)
}

/// The languages that reception speaks, its own one first (BCP 47 tags).
pub fn languages() -> impl Iterator<Item = &'static str> + Clone {
    LANGUAGES.iter().map(|(tag, _)| *tag)
}

/// What reception says by itself, as the clinic may word it anew: what is put in stands in braces. Of a sentence that
/// differs by a number the usual form.
pub fn pattern(language: &str, sentence: Sentence) -> String {
    let shown: Vec<(&'static str, FluentValue<'_>)> = sentence
        .variables()
        .iter()
        .map(|variable| (*variable, FluentValue::from(format!("{{ ${variable} }}"))))
        .collect();
    ours(language, sentence, &shown)
}

/// Says sentences in one language.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    tag: &'static str,
    own: Option<&'a HashMap<String, String>>,
}

impl<'a> Words<'a> {
    /// In the language of that tag, or in the clinic's usual one.
    pub(crate) fn of(tag: Option<&str>, facts: &'a Facts) -> Self {
        let wanted = tag.into_iter().chain(facts.clinic.languages.iter().map(String::as_str));
        let tag = wanted.filter_map(|tag| spoken(tag, facts)).next().unwrap_or(LANGUAGES[0].0);
        let Wording(wording) = &facts.wording;
        Self { tag, own: wording.get(tag) }
    }

    /// In the language of that tag, or in the first of `others` that reception speaks.
    pub(crate) fn in_one_of(
        (tag, others): (Option<&str>, &[String]),
        Wording(wording): &'a Wording,
    ) -> Self {
        let mut wanted = tag.into_iter().chain(others.iter().map(String::as_str));
        let tag = wanted.find_map(of_ours).unwrap_or(LANGUAGES[0].0);
        Self { tag, own: wording.get(tag) }
    }

    /// The tag of the language.
    pub(crate) fn tag(self) -> &'static str {
        self.tag
    }

    /// A sentence with what is put into it.
    pub(crate) fn say(self, sentence: Sentence, arguments: &Arguments<'_>) -> String {
        let own_pattern = self.own.and_then(|own| own.get(sentence.id()));
        if let Some(pattern) = own_pattern
            && let Ok(text) = own(self.tag, sentence, pattern, arguments)
        {
            return text;
        }
        ours(self.tag, sentence, arguments)
    }

    /// A sentence into which nothing is put.
    pub(crate) fn plain(self, sentence: Sentence) -> String {
        self.say(sentence, &[])
    }

    /// A date as it is said in a sentence.
    pub(crate) fn day(self, date: Date) -> String {
        self.date(Sentence::DayLong, &WEEKDAYS, &MONTHS, date)
    }

    /// A date as it stands on a choice.
    pub(crate) fn short_day(self, date: Date, today: Date) -> String {
        if date == today {
            self.plain(Sentence::Today)
        } else if date == prm::time::next_day(today) {
            self.plain(Sentence::Tomorrow)
        } else {
            self.date(Sentence::DayShort, &WEEKDAYS_SHORT, &MONTHS_SHORT, date)
        }
    }

    /// A birth, as far as it is known.
    pub(crate) fn birth(self, birth: BirthDate) -> String {
        let BirthDate::Day(date) = birth else { return birth.to_string() };
        let month = usize::try_from(date.month() - 1).unwrap_or(0);
        let month = MONTHS.get(month).map(|name| self.plain(*name)).unwrap_or_default();
        self.say(
            Sentence::BirthLong,
            &[
                ("day", FluentValue::from(i64::from(date.day()))),
                ("month", month.into()),
                ("year", FluentValue::from(date.year().to_string())),
            ],
        )
    }

    fn date(
        self,
        form: Sentence,
        weekdays: &[Sentence; 7],
        months: &[Sentence; 12],
        date: Date,
    ) -> String {
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        let month = usize::try_from(date.month() - 1).unwrap_or(0);
        let named = |names: &[Sentence], at: usize| {
            names.get(at).map(|name| self.plain(*name)).unwrap_or_default()
        };
        self.say(
            form,
            &[
                ("weekday", named(weekdays, weekday).into()),
                ("day", FluentValue::from(i64::from(date.day()))),
                ("month", named(months, month).into()),
            ],
        )
    }

    /// A time of the day, on a clock of twelve hours.
    pub(crate) fn clock(self, time: Time) -> String {
        let hour = time.hour();
        let part = match hour {
            ..4 => "dawn",
            4..12 => "morning",
            12..16 => "afternoon",
            16..20 => "evening",
            20.. => "night",
        };
        let shown = if hour % 12 == 0 { 12 } else { hour % 12 };
        self.say(
            Sentence::Clock,
            &[
                ("hour", FluentValue::from(i64::from(shown))),
                ("minute", FluentValue::from(format!("{:02}", time.minute()))),
                ("part", FluentValue::from(part)),
            ],
        )
    }

    /// Several, the last joined by "or".
    pub(crate) fn any_of(self, all: &[String]) -> String {
        all.iter()
            .cloned()
            .reduce(|one, other| {
                self.say(Sentence::Or, &[("one", one.into()), ("other", other.into())])
            })
            .unwrap_or_default()
    }
}

/// The language of reception that a tag means, if the clinic answers in it.
pub(crate) fn spoken(tag: &str, facts: &Facts) -> Option<&'static str> {
    let wanted = primary(tag);
    let answered = &facts.clinic.languages;
    if !answered.is_empty() && !answered.iter().any(|tag| primary(tag) == wanted) {
        return None;
    }
    of_ours(tag)
}

/// The language of reception that a tag means.
fn of_ours(tag: &str) -> Option<&'static str> {
    let wanted = primary(tag);
    LANGUAGES.iter().map(|(tag, _)| *tag).find(|tag| *tag == wanted)
}

fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_lowercase()
}

/// What a language is called in itself.
pub(crate) fn name_of(tag: &str) -> String {
    ours(tag, Sentence::LanguageName, &[])
}

fn ours(tag: &str, sentence: Sentence, arguments: &Arguments<'_>) -> String {
    debug_assert!(
        sentence.variables().iter().all(|it| arguments.iter().any(|(name, _)| name == it)),
        "{} gets what it needs",
        sentence.id()
    );
    let found = BUNDLES.iter().find(|(known, _)| *known == tag).or(BUNDLES.first());
    let Some((_, bundle)) = found else { return String::new() };
    formatted(bundle, sentence, arguments).0
}

/// A wording of the clinic with what is put into it.
fn own(
    tag: &str,
    sentence: Sentence,
    pattern: &str,
    arguments: &Arguments<'_>,
) -> Result<String, WordingError> {
    let letters = pattern.chars().count();
    if pattern.trim().is_empty() || letters > WORDING_LETTERS_MAX {
        return Err(WordingError::Length);
    }
    // Lines that are set in belong to the pattern, whatever they begin with.
    let lines: String = pattern.trim().lines().map(|line| format!("\n    {line}")).collect();
    let (bundle, read) = bundle(tag, format!("{} ={lines}\n", sentence.id()));
    if !read {
        return Err(WordingError::Unreadable);
    }
    let (text, known) = formatted(&bundle, sentence, arguments);
    if !known {
        return Err(WordingError::Unknown(sentence.variables().to_vec()));
    }
    if text.trim().is_empty() { Err(WordingError::Unreadable) } else { Ok(text) }
}

/// The sentences of a source, and whether all of it could be read.
fn bundle(tag: &str, source: String) -> (Bundle, bool) {
    let language: LanguageIdentifier = tag.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Marks around what is put in would be letters of a choice's title, and show as boxes on old phones.
    bundle.set_use_isolating(false);
    let (resource, read) = match FluentResource::try_new(source) {
        Ok(resource) => (resource, true),
        Err((resource, _)) => (resource, false),
    };
    let added = bundle.add_resource(resource).is_ok();
    (bundle, read && added)
}

/// A sentence of a bundle, and whether it is there and all that it asks for is known.
fn formatted(bundle: &Bundle, sentence: Sentence, arguments: &Arguments<'_>) -> (String, bool) {
    let Some(pattern) = bundle.get_message(sentence.id()).and_then(|message| message.value())
    else {
        return (String::new(), false);
    };
    let mut given = FluentArgs::new();
    for (name, value) in arguments {
        given.set(*name, value.clone());
    }
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&given), &mut errors).into_owned();
    (text, errors.is_empty())
}

/// The same with a capital letter at its beginning.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests;
