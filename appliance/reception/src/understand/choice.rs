//! Answers to a question: one of several, yes or no.

use jiff::Zoned;
use prm::name::Sought;

use super::day::Calendar;
use super::time::Clock;
use super::vocabulary::{Meaning, Reading, Topic};
use super::word::{Gap, words};
use super::{Days, Place, Relation, Times};

/// The least likeness of what was said and a title.
const TITLE_MIN: f64 = 0.78;
/// The same where a day or a time was said, of which a word may sound like a title: "kal" like "ke liye".
const TITLE_BESIDE_MOMENT_MIN: f64 = 0.9;

/// Which of the titles may be meant, from 0, and the bare number that was said.
pub(super) struct Chosen {
    pub places: Vec<usize>,
    pub number: Option<u32>,
}

/// What was said about days and times, for comparing with titles.
pub(super) struct Moment<'a> {
    pub days: &'a [Days],
    pub times: &'a [Times],
    pub now: &'a Zoned,
}

/// What of `titles` was chosen.
pub(super) fn choose(reading: &Reading, titles: &[String], moment: &Moment<'_>) -> Chosen {
    let mut places: Vec<usize> = Vec::new();
    let add = |places: &mut Vec<usize>, place: usize| {
        if place < titles.len() && !places.contains(&place) {
            places.push(place);
        }
    };
    let number = number(reading);
    if let Some(number) = number
        && let Some(place) = usize::try_from(number).ok().and_then(|n| n.checked_sub(1))
    {
        add(&mut places, place);
    }
    let named = (0..reading.len()).find_map(|i| place_at(reading, i));
    if let Some(place) = named.and_then(|(place, _)| place.of(titles.len())) {
        add(&mut places, place);
    }
    // Times and days that stand on the titles.
    let said_moment = !moment.days.is_empty() || !moment.times.is_empty() || number.is_some();
    if said_moment {
        for (place, title) in titles.iter().enumerate() {
            let (days, times) = moments(title, moment.now);
            let hour = number.filter(|_| moment.times.is_empty());
            let time_fits = moment
                .times
                .iter()
                .filter_map(|it| it.time())
                .any(|time| times.iter().any(|it| it.contains(time) && it.time().is_some()))
                || hour.is_some_and(|hour| {
                    times.iter().filter_map(|it| it.time()).any(|time| {
                        time.minute() == 0
                            && u32::try_from(time.hour()).is_ok_and(|h| h == hour || h == hour + 12)
                    })
                });
            let day_fits = moment
                .days
                .iter()
                .filter_map(|it| it.day())
                .any(|day| days.iter().any(|it| it.day() == Some(day)));
            let wants_time = !moment.times.is_empty() || hour.is_some();
            let wants_day = !moment.days.is_empty();
            // What a title does not say, it does not contradict.
            let time_ok = !wants_time || time_fits || times.is_empty() && wants_day;
            let day_ok = !wants_day || day_fits || days.is_empty() && time_fits;
            if time_ok && day_ok && (time_fits || day_fits) {
                add(&mut places, place);
            }
        }
    }
    if places.is_empty() {
        let least = if said_moment { TITLE_BESIDE_MOMENT_MIN } else { TITLE_MIN };
        for place in by_words(reading, titles, least) {
            add(&mut places, place);
        }
    }
    Chosen { places, number }
}

/// Days and times that a title says.
fn moments(title: &str, now: &Zoned) -> (Vec<Days>, Vec<Times>) {
    let reading = Reading::new(words(title), |_| true);
    let calendar =
        Calendar { reading: &reading, today: now.date(), asked: false, taken: &[], row: 0 };
    let days = calendar.days();
    let mut taken = vec![false; reading.len()];
    for it in &days {
        taken[it.from..it.to].fill(true);
    }
    let ends: Vec<usize> = days.iter().map(|it| it.to).collect();
    let clock = Clock { reading: &reading, now, asked: true, taken: &taken, days_end: &ends };
    let times = clock.times().into_iter().flat_map(|it| it.readings).collect();
    (days.into_iter().flat_map(|it| it.readings).collect(), times)
}

/// The number that is the whole answer: "2", "option 2", "do wala".
pub(super) fn number(reading: &Reading) -> Option<u32> {
    let mut number = None;
    let mut i = 0;
    while i < reading.len() {
        let word = &reading.words[i];
        // 2 pm, 5:30, 12/3 and 3 din are no places in a row.
        if let Some(value) = word.number {
            let signed = i > 0 && word.gap != Gap::Space
                || reading.words.get(i + 1).is_some_and(|next| {
                    next.gap == Gap::None
                        || matches!(next.gap, Gap::Sign('/' | ':' | '-' | '.'))
                            && next.number.is_some()
                });
            if number.is_some() || signed {
                return None;
            }
            number = u32::try_from(value).ok();
            i += 1;
            continue;
        }
        let says_nothing = reading.at(i, |m| {
            matches!(
                m,
                Meaning::Filler
                    | Meaning::Yes
                    | Meaning::For
                    | Meaning::Topic(Topic::Want | Topic::Book)
            )
            .then_some(())
        });
        let spelt = reading.at(i, |m| {
            let Meaning::Number(number) = m else { return None };
            Some(u32::from(number))
        });
        match (spelt, says_nothing) {
            (Some((value, next)), _) if number.is_none() => {
                number = Some(value);
                i = next;
            }
            (Some(_) | None, Some(((), next))) => i = next,
            (Some(_) | None, None) => return None,
        }
    }
    number
}

/// The place in a row that is all that was said. The days of a month have numbers themselves: where a day is asked
/// for, "the third" is one of them and "the third one" is not.
pub(super) fn place(reading: &Reading, day_asked: bool) -> Option<Place> {
    let counts = |word: &str| matches!(word, "option" | "number" | "choice" | "विकल्प" | "नंबर");
    if reading.words.iter().any(|word| counts(&word.folded))
        && let Some(number) = number(reading)
    {
        return usize::try_from(number).ok()?.checked_sub(1).map(Place::Nth);
    }
    let mut found = None;
    let mut i = 0;
    while i < reading.len() {
        if let Some((place, next)) = place_at(reading, i) {
            let points = reading.words.get(next).is_some_and(|word| {
                matches!(word.folded.as_str(), "one" | "wala" | "wali" | "wale")
            });
            let end = next + usize::from(points);
            let is_bare = end == i + 1 || reading.words[i].number.is_some() && end == next;
            if found.is_some() || day_asked && is_bare {
                return None;
            }
            found = Some(place);
            i = end;
        } else {
            // The "please" of "the last one please" belongs to a phrase that begins in what named the place.
            let little = |m| matches!(m, Meaning::Filler | Meaning::Yes);
            let spans = |from: usize, to: usize| (from..to).contains(&i);
            (_, i, _) = reading.all().find(|(from, to, m)| spans(*from, *to) && little(*m))?;
        }
    }
    found
}

/// The place that is named at a word, and the word behind it: first, doosra, the last one, 2nd.
fn place_at(reading: &Reading, i: usize) -> Option<(Place, usize)> {
    let ending = reading.words.get(i + 1).is_some_and(|word| {
        word.gap == Gap::None && matches!(word.folded.as_str(), "st" | "nd" | "rd" | "th")
    });
    if ending && let Some(number) = reading.words[i].number {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        return Some((Place::Nth(at), i + 2));
    }
    reading.at(i, |m| {
        if let Meaning::Ordinal(place) = m {
            usize::from(place).checked_sub(1).map(Place::Nth)
        } else if m == Meaning::LastOne {
            Some(Place::Last)
        } else if m == Meaning::MiddleOne {
            Some(Place::Middle)
        } else {
            None
        }
    })
}

/// Titles of which words were said, with the least likeness.
fn by_words(reading: &Reading, titles: &[String], least: f64) -> Vec<usize> {
    let said: Vec<&str> = (0..reading.len())
        .filter(|i| {
            // "For me" is no title, nor what of it stands in one: "for somebody else".
            let nothing = [
                Meaning::Filler,
                Meaning::Title,
                Meaning::For,
                Meaning::My,
                Meaning::Relation(Relation::Myself),
            ];
            !reading.all().any(|(from, to, m)| (from..to).contains(i) && nothing.contains(&m))
        })
        .filter(|i| reading.words[*i].number.is_none())
        .map(|i| reading.words[i].raw.as_str())
        .collect();
    if said.is_empty() {
        return Vec::new();
    }
    let whole = said.join(" ").to_lowercase();
    let sought = Sought::new(&format!("{whole} "));
    let mut scored: Vec<(f64, usize)> = titles
        .iter()
        .enumerate()
        .map(|(place, title)| {
            let same = title.to_lowercase().trim() == whole;
            let each = said
                .iter()
                .filter(|word| word.chars().count() >= 3)
                .map(|word| Sought::new(&format!("{word} ")).likeness(title))
                .fold(0.0, f64::max);
            (if same { 1.0 } else { sought.likeness(title).max(each * 0.97) }, place)
        })
        .filter(|(score, _)| *score >= least)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let top = scored.first().map_or(0.0, |(score, _)| *score);
    scored.into_iter().filter(|(score, _)| *score >= top - 0.05).map(|(_, place)| place).collect()
}

/// Yes or no; none if neither or both were said.
pub(super) fn yes_or_no(reading: &Reading, asked: bool) -> Option<bool> {
    let (from, to) = reading.clauses().into_iter().find(|(from, to)| {
        // Greetings and little words stand before an answer.
        (*from..*to).any(|i| {
            reading.within(i, i + 1).next().is_none()
                || reading.within(i, i + 1).any(|(_, _, m)| !says_nothing(m))
        })
    })?;
    let head = (from..to).find(|i| {
        reading.within(*i, *i + 1).any(|(_, _, m)| !says_nothing(m))
            || reading.is_unknown(*i)
            || reading.words[*i].number.is_some()
    })?;
    let is_yes = |m: Meaning| m == Meaning::Yes;
    let is_no = |m: Meaning| matches!(m, Meaning::No | Meaning::Nahi | Meaning::Not);
    // "Ji" answers at the beginning; elsewhere it is a courtesy.
    let courtesy = head > 0 && matches!(reading.words[head].folded.as_str(), "ji" | "जि");
    let here = |is: &dyn Fn(Meaning) -> bool| reading.within(head, head + 1).any(|(_, _, m)| is(m));
    let clause = |is: &dyn Fn(Meaning) -> bool| reading.within(from, to).any(|(_, _, m)| is(m));
    let confirms =
        asked && reading.within(from, to).any(|(_, _, m)| m == Meaning::Topic(Topic::Confirm));
    if here(&is_yes) && !courtesy || confirms {
        return (!clause(&is_no)).then_some(true);
    }
    if here(&is_no) {
        return (!clause(&is_yes)).then_some(false);
    }
    // "Karna nahi hai", "kal theek hai", when yes or no was asked for.
    if asked && clause(&is_no) && !clause(&is_yes) {
        return Some(false);
    }
    if asked && clause(&is_yes) && !clause(&is_no) {
        return Some(true);
    }
    None
}

fn says_nothing(m: Meaning) -> bool {
    matches!(
        m,
        Meaning::Filler | Meaning::Topic(Topic::Greet | Topic::Thanks) | Meaning::Correction
    )
}
