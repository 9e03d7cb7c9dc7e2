//! All that a message says, put together.

use jiff::Zoned;

use super::choice::{self, Moment};
use super::day::{Calendar, Found};
use super::lexicon::Mention;
use super::request::{About, Request, requests};
use super::time::Clock;
use super::vocabulary::{Meaning, Reading, Topic};
use super::word::{fold, words};
use super::{
    Candidate, Days, Expecting, Lexicon, PartOfDay, READINGS_MAX, Shift, Slots, Times, Understood,
    language, person, thing,
};
use crate::intent::Intent;

/// How far behind "not" a value is still denied, in words.
const NOT_REACH: usize = 4;

/// See [`super::understand`].
pub(super) fn understand(
    text: &str,
    lexicon: &Lexicon,
    expecting: &Expecting,
    now: &Zoned,
) -> Understood {
    let reading = Reading::new(words(text), |word| lexicon.knows(word));
    let mut taken = vec![false; reading.len()];
    let mut slots = Slots::default();

    let births_asked = *expecting == Expecting::BirthDate || reading.says(Meaning::Birth);
    if births_asked {
        let (dates, at) = person::birth_dates(&reading, now.date());
        slots.birth_dates = dates;
        take(&mut taken, at);
    }
    if slots.birth_dates.is_empty()
        && let Some((phone, at)) = person::phone(&reading, lexicon)
    {
        slots.phone = Some(phone);
        take(&mut taken, at);
    }

    let asked = matches!(expecting, Expecting::Practitioner);
    // Names of patients are none of practitioners, and no days of the week.
    let naming = *expecting == Expecting::Name && !books_a_doctor(&reading);
    let titled = naming || matches!(expecting, Expecting::Patient(_));
    let (mut mentions, unknown) = lexicon.mentions(&reading, asked, titled);
    if !titled
        && *expecting != Expecting::BirthDate
        && let Some(person) = person::for_whom(&reading)
    {
        // "For Rohan Sharma" is about him, though a practitioner is called so, too.
        let within = |it: &Mention| it.from >= person.from && it.to <= person.to;
        if !mentions.iter().any(|it| within(it) && it.to - it.from == person.to - person.from) {
            mentions.retain(|it| !within(it));
            take(&mut taken, person.from..person.to);
            slots.for_name = Some(person.name);
        }
    }
    for mention in &mentions {
        take(&mut taken, mention.from..mention.to);
    }

    // "One second" is no time of day.
    for (from, to, _) in reading.all().filter(|(_, _, m)| *m == Meaning::Wait) {
        take(&mut taken, from..to);
    }
    let calendar = Calendar {
        reading: &reading,
        today: now.date(),
        asked: *expecting == Expecting::Day,
        taken: &taken,
        row: match expecting {
            Expecting::Choice(titles) | Expecting::Patient(titles) => titles.len(),
            Expecting::Nothing
            | Expecting::Intent
            | Expecting::Practitioner
            | Expecting::Service
            | Expecting::Day
            | Expecting::Time
            | Expecting::YesNo
            | Expecting::Name
            | Expecting::BirthDate
            | Expecting::Phone
            | Expecting::Words => 0,
        },
    };
    let days = if naming { Vec::new() } else { calendar.days() };
    for it in &days {
        take(&mut taken, it.from..it.to);
    }
    let ends: Vec<usize> = days.iter().map(|it| it.to).collect();
    let time_asked = *expecting == Expecting::Time;
    let clock = Clock { reading: &reading, now, asked: time_asked, taken: &taken, days_end: &ends };
    let times = clock.times();

    put_moments(&reading, &days, &times, &mut slots);
    let weekday = |m| matches!(m, Meaning::Weekday(_)).then_some(());
    slots.weekday = match days.as_slice() {
        [only] => reading.at(only.from, weekday).is_some_and(|(_, end)| end == only.to),
        [] | [_, _, ..] => false,
    };
    put_practitioners(&reading, &mentions, &mut slots);
    slots.unknown_practitioner = unknown && mentions.is_empty();
    let (specialties, missing) = lexicon.specialties(&reading);
    slots.specialties = specialties;
    slots.missing_specialty = missing.map(str::to_owned);
    slots.services = lexicon.healthcare_services(&reading, *expecting == Expecting::Service);
    slots.soonest = says_and_means(&reading, Meaning::Soonest);
    slots.any = reading.says(Meaning::Any);
    // "Any slot" is only a word; "any doctor" is a wish.
    slots.any_practitioner = reading.all().any(|(from, to, m)| {
        let within = reading.words[from..to].iter().any(|word| word.folded == "doctor");
        let behind = reading.within(to, to + 2).any(|(_, _, m)| m == Meaning::Title);
        m == Meaning::Any && (within || behind)
    });
    slots.shift = if reading.says(Meaning::Earlier) {
        Some(Shift::Earlier)
    } else {
        reading.says(Meaning::Later).then_some(Shift::Later)
    };
    slots.thing = thing::thing(&reading);
    let of_family = matches!(expecting, Expecting::Patient(_));
    slots.persons = person::relations(&reading, of_family)
        .into_iter()
        .filter(|(at, _)| !is_denied(&reading, *at, at + 1))
        .map(|(_, relation)| relation)
        .collect();
    slots.language = reading.all().find_map(|(from, to, m)| {
        let Meaning::Language(language) = m else { return None };
        (!is_denied(&reading, from, to)).then_some(language)
    });
    if let Expecting::Choice(titles) | Expecting::Patient(titles) = expecting {
        let moment = Moment { days: &slots.days, times: &slots.times, now };
        let chosen = choice::choose(&reading, titles, &moment);
        slots.number = chosen.number.filter(|_| chosen.places.is_empty());
        slots.chosen = chosen.places;
    } else if slots.birth_dates.is_empty() && slots.phone.is_none() {
        slots.number = choice::number(&reading);
    }
    slots.place = match expecting {
        Expecting::Intent
        | Expecting::Practitioner
        | Expecting::Service
        | Expecting::Day
        | Expecting::Time => choice::place(&reading, *expecting == Expecting::Day),
        Expecting::Nothing
        | Expecting::Choice(_)
        | Expecting::Patient(_)
        | Expecting::YesNo
        | Expecting::Name
        | Expecting::BirthDate
        | Expecting::Phone
        | Expecting::Words => None,
    };
    if slots.place.is_some() {
        // "The third one" is neither the 3rd nor three o'clock.
        slots.days.clear();
        slots.times.clear();
        slots.number = None;
    }
    slots.yes = choice::yes_or_no(&reading, *expecting == Expecting::YesNo);

    let about = |from: usize, to: usize| {
        let inside = |a: usize, b: usize| a >= from && b <= to;
        About {
            practitioner: mentions.iter().any(|it| inside(it.from, it.to))
                || reading
                    .within(from, to)
                    .any(|(_, _, m)| matches!(m, Meaning::Specialty(_) | Meaning::Title)),
            moment: days.iter().any(|it| inside(it.from, it.to))
                || times.iter().any(|it| inside(it.from, it.to)),
            service: !slots.services.is_empty(),
            asks: text.chars().any(|c| matches!(c, '?' | '؟')),
        }
    };
    let mut found = requests(&reading, expecting, about);
    if naming {
        // A name is not looked through for wishes that it may sound like.
        found.retain(|it| it.denied || !matches!(it.intent, Intent::Greeting | Intent::Book));
    }
    let in_a_time = |i: usize| times.iter().any(|it| (it.from..it.to).contains(&i));
    let mut understood = conclude(text, &reading, expecting, slots, &found, !mentions.is_empty());
    if (0..reading.len()).all(in_a_time) {
        // "Half past ten" is nobody's name.
        understood.slots.name = None;
    }
    understood
}

fn take(taken: &mut [bool], at: impl IntoIterator<Item = usize>) {
    for i in at {
        if let Some(it) = taken.get_mut(i) {
            *it = true;
        }
    }
}

/// Sorts days, times and parts of the day into wanted and ruled out.
fn put_moments(reading: &Reading, days: &[Found<Days>], times: &[Found<Times>], slots: &mut Slots) {
    let add = |all: &mut Vec<Days>, days: &[Days]| {
        for it in days {
            if !all.contains(it) && all.len() < READINGS_MAX {
                all.push(*it);
            }
        }
    };
    for it in days {
        if is_denied(reading, it.from, it.to) {
            add(&mut slots.not_days, &it.readings);
        } else {
            add(&mut slots.days, &it.readings);
        }
    }
    for it in times.iter().filter(|it| !is_denied(reading, it.from, it.to)) {
        for time in &it.readings {
            if !slots.times.contains(time) && slots.times.len() < READINGS_MAX {
                slots.times.push(*time);
            }
        }
    }
    for (from, to, meaning) in reading.all() {
        let Meaning::Part(part) = meaning else { continue };
        if is_since(reading, from, to) {
            continue;
        }
        let parts: &mut Vec<PartOfDay> =
            if is_denied(reading, from, to) { &mut slots.not_parts } else { &mut slots.parts };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
}

/// "Since morning", "subah se dard hai": since when somebody is ill.
fn is_since(reading: &Reading, from: usize, to: usize) -> bool {
    let ill = reading.all().any(|(_, _, m)| {
        matches!(m, Meaning::Complaint(_) | Meaning::Pain | Meaning::Emergency | Meaning::Breath)
    });
    let since = from > 0 && reading.words[from - 1].folded == "since";
    since || ill && reading.is(to, Meaning::FromIt).is_some()
}

fn put_practitioners(reading: &Reading, mentions: &[Mention], slots: &mut Slots) {
    for mention in mentions {
        if is_denied(reading, mention.from, mention.to) {
            slots.not_practitioners.extend(mention.candidates.iter().map(|it| it.of));
            continue;
        }
        for candidate in &mention.candidates {
            match slots.practitioners.iter_mut().find(|it| it.of == candidate.of) {
                Some(it) => it.score = it.score.max(candidate.score),
                None => {
                    slots
                        .practitioners
                        .push(Candidate { of: candidate.of, score: candidate.score });
                }
            }
        }
    }
    slots.practitioners.sort_by(|a, b| b.score.total_cmp(&a.score));
}

/// Whether a meaning stands somewhere and is not denied.
fn says_and_means(reading: &Reading, meaning: Meaning) -> bool {
    reading.all().any(|(from, to, m)| m == meaning && !is_denied(reading, from, to))
}

/// Whether a value is ruled out: "not Thursday", "Thursday nahi", "Thursday won't do".
fn is_denied(reading: &Reading, from: usize, to: usize) -> bool {
    // English says it before, with nothing but little words between.
    for at in (from.saturating_sub(NOT_REACH)..from).rev() {
        let Some(end) = reading.is(at, Meaning::Not) else { continue };
        let parted = (end..=from).any(|i| reading.words.get(i).is_some_and(|w| w.begins_clause));
        let other = reading.within(end, from).any(|(_, _, m)| is_value(m) || is_deed(m));
        if end <= from && !parted && !other {
            return true;
        }
    }
    // "Friday ki jagah", "instead of Friday".
    let gives_way = reading.is(to, Meaning::Correction).is_some()
        && matches!(reading.words[to].folded.as_str(), "ki" | "ke" | "कि" | "के");
    let instead = from > 1
        && reading.words[from - 1].folded == "of"
        && reading.words[from - 2].folded == "instead";
    if gives_way || instead {
        return true;
    }
    // Hindi says it behind; so does English, if nothing follows that it could be about.
    let mut behind = to;
    while let Some(next) = reading.is(behind, Meaning::Filler) {
        if behind >= to + 2 {
            break;
        }
        behind = next;
    }
    if reading.words.get(behind).is_some_and(|word| word.begins_clause) {
        return false;
    }
    if let Some(end) = reading.is(behind, Meaning::Nahi) {
        // "Kal nahi aana" denies the coming; a nahi that ends, or a wish, denies the day.
        return !reading.within(end, end + 1).any(|(_, _, m)| is_deed(m));
    }
    match reading.is(behind, Meaning::Not) {
        Some(end) => !reading.within(end, end + 3).any(|(_, _, m)| is_value(m)),
        None => false,
    }
}

/// What may be ruled out.
fn is_value(m: Meaning) -> bool {
    matches!(
        m,
        Meaning::Weekday(_)
            | Meaning::DaysAhead(_)
            | Meaning::Part(_)
            | Meaning::Month(_)
            | Meaning::Oclock
            | Meaning::Title
            | Meaning::Relation(_)
    )
}

/// What a "not" may be about instead.
fn is_deed(m: Meaning) -> bool {
    matches!(
        m,
        Meaning::Topic(
            Topic::Cancel
                | Topic::Move
                | Topic::Change
                | Topic::Book
                | Topic::Confirm
                | Topic::Stop
        )
    )
}

/// Intents, correction, danger, from what was found.
fn conclude(
    text: &str,
    reading: &Reading,
    expecting: &Expecting,
    mut slots: Slots,
    found: &[Request],
    named: bool,
) -> Understood {
    let opens = matches!(expecting, Expecting::Nothing | Expecting::Intent);
    let denied: Vec<Intent> = found.iter().filter(|it| it.denied).map(|it| it.intent).collect();
    let mut intents: Vec<Intent> = found
        .iter()
        .filter(|it| !it.denied && !denied.contains(&it.intent))
        .map(|it| it.intent)
        .collect();
    let question = reading.says(Meaning::Question) || text.chars().any(|c| matches!(c, '?' | '؟'));
    let has_moment = !slots.days.is_empty() || !slots.times.is_empty() || !slots.parts.is_empty();
    let has_practitioner = named || !slots.specialties.is_empty() || slots.unknown_practitioner;
    let names_service = !slots.services.is_empty() && !question;
    let certain = named
        || names_service
        || !slots.specialties.is_empty() && reading.says(Meaning::Topic(Topic::Practitioner))
        || slots.specialties.iter().any(|it| it.score >= 0.9)
        || slots.unknown_practitioner
        || slots.missing_specialty.is_some()
        || slots.any_practitioner
        || slots.any && slots.soonest;

    // "My daughter has fever" wants a visit, though it does not say so.
    let is_ill = |(from, to, m)| {
        matches!(m, Meaning::Complaint(_) | Meaning::Pain) && !is_plainly_denied(reading, from, to)
    };
    let emergency = is_emergency(reading);
    let complains = reading.all().any(is_ill) && !question && !emergency;
    // Little by little: "Dr Rao tomorrow" is a wish, too.
    let only_courtesy = intents.iter().all(|it| it.is_courtesy());
    if only_courtesy && denied.is_empty() && opens && (certain || complains) {
        intents.push(Intent::Book);
    }
    settle(reading, expecting, &mut intents, &mut slots, &denied);
    if intents.iter().any(|it| !it.is_courtesy()) {
        intents.retain(|it| !it.is_courtesy());
    }
    // "Cancel and book again" is said of one visit by some; both are told.
    let says_nothing_else = Slots { services: Vec::new(), ..slots.clone() } == Slots::default();
    let content = content(reading);
    if intents.is_empty()
        && denied.is_empty()
        && question
        && says_nothing_else
        && content.len() >= 2
    {
        intents.push(Intent::Faq);
    }

    let family = matches!(expecting, Expecting::Patient(_)) && !slots.chosen.is_empty();
    if intents.is_empty() && !family {
        slots.name = person::name(reading, expecting);
    } else if reading.says(Meaning::NameIs) {
        slots.name = person::name(reading, &Expecting::Nothing);
    }

    let has_value = has_moment
        || has_practitioner
        || !slots.persons.is_empty()
        || !slots.services.is_empty()
        || !slots.chosen.is_empty()
        || slots.phone.is_some()
        || !slots.birth_dates.is_empty()
        || slots.name.is_some();
    let ruled_out = !slots.not_days.is_empty()
        || !slots.not_parts.is_empty()
        || !slots.not_practitioners.is_empty();
    let begins_with_no = slots.yes == Some(false);
    let says_so =
        reading.says(Meaning::Correction) && (has_value || !intents.is_empty() || changes(reading));
    // "Change the doctor" is no to what was read back, and says what is wrong with it.
    let wants_change = *expecting == Expecting::YesNo && intents.is_empty() && changes(reading);
    let correction = says_so
        || wants_change
        || begins_with_no && has_value
        || ruled_out && (has_value || !opens);

    let several =
        intents.iter().filter(|it| !it.is_courtesy()).count() > 1 || slots.persons.len() > 1;
    // "Let me ask my husband" is not for him.
    let waits = reading.says(Meaning::Wait)
        && !reading.says(Meaning::For)
        && !question
        && Slots { persons: Vec::new(), yes: None, ..slots.clone() } == Slots::default()
        && intents.iter().all(|it| it.is_courtesy())
        && denied.is_empty();
    Understood {
        language: language::language(reading),
        intent: intents.first().copied(),
        negated: !denied.is_empty() || ruled_out,
        several,
        correction,
        question,
        emergency,
        stop: intents.contains(&Intent::Stop),
        abuse: reading.says(Meaning::Abuse),
        also: reading.says(Meaning::Also),
        waits,
        asked: asked(reading, found),
        words: content,
        intents,
        denied,
        slots,
    }
}

/// Takes out what the answer to the last question only seems to want.
fn settle(
    reading: &Reading,
    expecting: &Expecting,
    intents: &mut Vec<Intent>,
    slots: &mut Slots,
    denied: &[Intent],
) {
    // "Yes, cancel it" says yes to what was asked; "yes, don't cancel" says neither.
    if slots.yes == Some(true) {
        if denied.is_empty() {
            intents.retain(|it| *it != Intent::Leave);
        } else {
            slots.yes = None;
        }
    }
    if !slots.chosen.is_empty() {
        intents.retain(|it| *it != Intent::Book);
    }
    // "Never mind, cancel that" leaves what is under way.
    if intents.contains(&Intent::Leave) && !reading.says(Meaning::Topic(Topic::Appointment)) {
        intents.retain(|it| *it != Intent::Cancel);
    }
    // "Stop that, I want to talk to someone": a person settles the rest.
    if intents.contains(&Intent::Person) {
        intents.retain(|it| *it != Intent::Leave);
    }
    // Who cannot come and says what is to be done said all; so did who asks for help with something.
    if intents.iter().any(|it| matches!(it, Intent::Cancel | Intent::Move)) {
        intents.retain(|it| *it != Intent::CannotCome);
    }
    if intents.len() > 1 {
        intents.retain(|it| *it != Intent::Help);
    }
    let names_service = *expecting == Expecting::Service && !slots.services.is_empty();
    if names_service && !reading.says(Meaning::Question) {
        intents.retain(|it| *it != Intent::Faq);
    }
}

/// The clause that asks a question, as it was written, where others say something else.
fn asked(reading: &Reading, found: &[Request]) -> Option<String> {
    let asks = found.iter().find(|it| it.intent == Intent::Faq && !it.denied)?;
    let (from, to) = asks.clause;
    let words: Vec<&str> = reading.words[from..to].iter().map(|it| it.raw.as_str()).collect();
    (words.len() < reading.len()).then(|| words.join(" "))
}

/// "Book Dr Rao" is nobody's name.
fn books_a_doctor(reading: &Reading) -> bool {
    reading.says(Meaning::Topic(Topic::Book)) && reading.says(Meaning::Title)
}

/// Whether something is to be changed.
fn changes(reading: &Reading) -> bool {
    reading.says(Meaning::Topic(Topic::Change))
}

/// The words that say something.
fn content(reading: &Reading) -> Vec<String> {
    (0..reading.len())
        .filter(|i| {
            let little = reading.within(*i, i + 1).any(|(_, _, m)| {
                matches!(
                    m,
                    Meaning::Filler
                        | Meaning::Question
                        | Meaning::Yes
                        | Meaning::My
                        | Meaning::For
                        | Meaning::Within
                        | Meaning::WithinIt
                        | Meaning::To
                        | Meaning::And
                        | Meaning::Or
                        | Meaning::At
                        | Meaning::Topic(Topic::Greet | Topic::Thanks)
                )
            });
            !little
        })
        .flat_map(|i| {
            // A name may look like a slip: as it was written it counts, too.
            let word = &reading.words[i];
            let written = fold(&word.raw);
            let mended = (written != word.folded).then(|| word.folded.clone());
            std::iter::once(written).chain(mended)
        })
        .filter(|word| word.chars().count() > 1)
        .collect()
}

/// Danger to life. Better once too often: only a plain "no" beside it takes it back.
fn is_emergency(reading: &Reading) -> bool {
    let named = reading
        .all()
        .any(|(from, to, m)| m == Meaning::Emergency && !is_plainly_denied(reading, from, to));
    named
        || reading.clauses().into_iter().any(|(from, to)| {
            let at = |meaning: Meaning| {
                reading
                    .within(from, to)
                    .find(|(_, _, m)| *m == meaning)
                    .map(|(at, end, _)| (at, end))
            };
            let chest = match (at(Meaning::Chest), at(Meaning::Pain)) {
                (Some(chest), Some(pain)) => {
                    !is_plainly_denied(reading, chest.0.min(pain.0), chest.1.max(pain.1))
                }
                _ => false,
            };
            let hard =
                [Meaning::Trouble, Meaning::Not, Meaning::Nahi, Meaning::Topic(Topic::CannotCome)];
            let breath = at(Meaning::Breath).is_some() && hard.into_iter().any(|m| at(m).is_some());
            chest || breath
        })
}

fn is_plainly_denied(reading: &Reading, from: usize, to: usize) -> bool {
    let before = (from.saturating_sub(3)..from).any(|i| {
        [Meaning::Not, Meaning::No].into_iter().any(|m| reading.is(i, m).is_some())
            && !(i + 1..=from).any(|j| reading.words[j].begins_clause)
    });
    let behind = reading.is(to, Meaning::Nahi).is_some()
        && !reading.words.get(to).is_some_and(|word| word.begins_clause);
    before || behind
}
