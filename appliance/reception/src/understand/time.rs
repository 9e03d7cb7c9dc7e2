//! Times of a day: "half past three", "saade teen baje", "4-6 pm", "after 4".
//!
//! An hour without am or pm has two readings, unless a part of the day stands beside it.

use jiff::civil::Time;
use jiff::{ToSpan, Zoned};

use super::day::Found;
use super::vocabulary::{Meaning, Reading, Topic, Unit};
use super::word::Gap;
use super::{PartOfDay, READINGS_MAX, Times};

/// How far around a time "about" reaches, in minutes.
const ABOUT_MINUTES: i16 = 30;
/// Minutes of a day.
const DAY_MINUTES: i16 = 24 * 60;
/// How far from a time a part of the day still says whether it is am or pm, in words.
const PART_REACH: usize = 3;

/// What is asked about times.
pub(super) struct Clock<'a> {
    pub reading: &'a Reading,
    pub now: &'a Zoned,
    /// Whether a time was asked for, so that a bare number is one.
    pub asked: bool,
    /// Words that are taken by something else.
    pub taken: &'a [bool],
    /// Where days end, because a bare number after a day is a time.
    pub days_end: &'a [usize],
}

/// A time as it stands: minutes of the day, the likelier first; whether it can be nothing else.
struct Said {
    minutes: Vec<i16>,
    sure: bool,
    to: usize,
}

impl Clock<'_> {
    /// All times of the message, in order.
    pub fn times(&self) -> Vec<Found<Times>> {
        let mut found: Vec<Found<Times>> = Vec::new();
        let mut i = 0;
        while i < self.reading.len() && found.len() < READINGS_MAX {
            match self.span(i).filter(|it| !it.readings.is_empty()) {
                Some(it) => {
                    i = it.to.max(i + 1);
                    found.push(it);
                }
                None => i += 1,
            }
        }
        found
    }

    fn span(&self, i: usize) -> Option<Found<Times>> {
        let r = self.reading;
        if let Some(it) = self.ahead(i) {
            return Some(it);
        }
        let prefix = PREFIXES
            .iter()
            .find_map(|(meaning, make)| r.is(i, *meaning).map(|next| (*make, self.fillers(next))));
        let between = r.is(i, Meaning::Between);
        let prefix = prefix.or_else(|| self.changed_to(i).map(|next| (at as Make, next)));
        let start = prefix.map(|(_, next)| next).or(between).unwrap_or(i);
        let first = self.atom(start)?;
        // Ranges: 4-6 pm, between 4 and 6, 4 se 6 baje.
        if let Some(next) = self.range_word(first.to, between.is_some())
            && let Some(last) = self.atom(next)
            && (first.sure
                || last.sure
                || between.is_some()
                || prefix.is_some()
                || self.asked
                || self.follows_part(start)
                || self.follows_day(start))
        {
            let end = r.is(last.to, Meaning::UntilIt).unwrap_or(last.to);
            let readings = self.range(i, &first, &last, end);
            if !readings.is_empty() {
                return Some(Found { from: i, to: end, readings });
            }
        }
        let behind = self.fillers(first.to);
        let suffix = SUFFIXES
            .iter()
            .find_map(|(meaning, make)| r.is(behind, *meaning).map(|next| (*make, next)));
        let suffix = suffix.filter(|_| first.to == behind || first.sure);
        let alternative =
            r.is(first.to, Meaning::Or).and_then(|next| self.atom(next)).is_some_and(|a| a.sure);
        let anchored = prefix.is_some()
            || suffix.is_some_and(|(_, next)| self.is_alone_behind(next, i))
            || alternative
            || self.asked && self.is_plain(start, first.to)
            || self.follows_part(start)
            || r.at(first.to, part).is_some()
            || r.at(self.fillers(first.to), part).is_some()
            || self.follows_day(start);
        if !first.sure && !anchored {
            return None;
        }
        let to = suffix.map_or(first.to, |(_, next)| next);
        let minutes = self.narrowed(start, first.to, &first.minutes);
        let make = prefix.map(|(make, _)| make).or(suffix.map(|(make, _)| make)).unwrap_or(at);
        let readings = minutes.into_iter().filter_map(make).collect();
        Some(Found { from: i, to, readings })
    }

    /// "Change it to 5".
    fn changed_to(&self, i: usize) -> Option<usize> {
        let r = self.reading;
        let changes = r.all().any(|(_, end, m)| {
            end <= i + 1
                && matches!(m, Meaning::Correction | Meaning::Topic(Topic::Change | Topic::Move))
        });
        let to = r.words.get(i)?.folded == "to" || r.words.get(i.checked_sub(1)?)?.folded == "to";
        let start = if r.words[i].folded == "to" { i + 1 } else { i };
        (changes && to).then_some(start)
    }

    /// "4 ke baad" is a time; "2 mein se" is none.
    fn is_alone_behind(&self, next: usize, from: usize) -> bool {
        next > from
    }

    /// After the question for a time a small number is one; "kar do" at the end of a sentence is not.
    fn is_plain(&self, from: usize, to: usize) -> bool {
        let r = self.reading;
        let digits = r.words.get(from).is_some_and(|w| w.number.is_some());
        digits || r.len() <= to - from + 2
    }

    fn follows_part(&self, i: usize) -> bool {
        let r = self.reading;
        (i.saturating_sub(3)..i)
            .any(|j| r.at(j, part).is_some_and(|(_, end)| end == i || self.fillers(end) == i))
    }

    fn follows_day(&self, i: usize) -> bool {
        let r = self.reading;
        r.words.get(i).is_some_and(|w| w.number.is_some())
            && self.days_end.iter().any(|end| *end == i || self.fillers(*end) == i)
    }

    fn fillers(&self, i: usize) -> usize {
        let mut i = i;
        for _ in 0..2 {
            match self.reading.is(i, Meaning::Filler) {
                Some(next) if !self.reading.words.get(next).is_some_and(|w| w.begins_clause) => {
                    i = next
                }
                Some(_) | None => break,
            }
        }
        i
    }

    fn range_word(&self, i: usize, between: bool) -> Option<usize> {
        let r = self.reading;
        if let Some(next) = r.is(i, Meaning::To) {
            return Some(next);
        }
        if between && let Some(next) = r.is(i, Meaning::And) {
            return Some(next);
        }
        let word = r.words.get(i)?;
        matches!(word.gap, Gap::Sign('-' | '–')).then_some(i)
    }

    /// From the first to the last, for each reading of the first with the nearest of the last.
    fn range(&self, i: usize, first: &Said, last: &Said, end: usize) -> Vec<Times> {
        let lasts = self.narrowed(i, end, &last.minutes);
        let mut ranges: Vec<Times> = Vec::new();
        for from in self.narrowed(i, end, &first.minutes) {
            let Some(to) = lasts.iter().filter(|to| **to > from).min() else { continue };
            // With am or pm behind the last, the first is the nearest before it.
            if lasts.len() == 1 && first.minutes.iter().any(|other| *other > from && other < to) {
                continue;
            }
            if let (Some(from), Some(to)) = (time(from), time(*to)) {
                ranges.push(Times { from, to });
            }
        }
        ranges.truncate(READINGS_MAX);
        ranges
    }

    /// One time as it stands.
    fn atom(&self, i: usize) -> Option<Said> {
        let r = self.reading;
        if i >= r.len() || self.taken.get(i).copied().unwrap_or(false) {
            return None;
        }
        if let Some(next) = r.is(i, Meaning::Noon) {
            return Some(Said { minutes: vec![720], sure: true, to: next });
        }
        if let Some(next) = r.is(i, Meaning::Midnight) {
            return Some(Said { minutes: vec![0], sure: true, to: next });
        }
        self.fraction(i)
            .or_else(|| self.past(i))
            .or_else(|| self.written(i))
            .or_else(|| self.hour(i))
    }

    /// Saade teen, sava paanch, paune chhe, dhai baje.
    fn fraction(&self, i: usize) -> Option<Said> {
        let r = self.reading;
        if let Some((minutes, next)) = r.at(i, |m| {
            let Meaning::HalfHours(minutes) = m else { return None };
            i16::try_from(minutes).ok()
        }) {
            let end = r.is(next, Meaning::Oclock);
            if end.is_none() && !self.asked {
                return None;
            }
            let to = end.unwrap_or(next);
            return Some(Said { minutes: both(minutes), sure: true, to });
        }
        let (minutes, next) = r.at(i, |m| {
            let Meaning::Fraction(minutes) = m else { return None };
            Some(i16::from(minutes))
        })?;
        let (hour, next) = self.number(next)?;
        let to = r.is(next, Meaning::Oclock).unwrap_or(next);
        (1..=12).contains(&hour).then(|| Said {
            minutes: both(hour * 60 + minutes),
            sure: true,
            to,
        })
    }

    /// Half past three, quarter to five, ten past six.
    fn past(&self, i: usize) -> Option<Said> {
        let r = self.reading;
        let is = |i: usize, word: &str| r.words.get(i).is_some_and(|w| w.folded == word);
        let (minutes, next) = if let Some(next) = r.is(i, Meaning::Half) {
            (30, if is(next, "past") { next + 1 } else { next })
        } else if let Some(next) = r.is(i, Meaning::Quarter) {
            if is(next, "past") || is(next, "after") {
                (15, next + 1)
            } else if is(next, "to") || is(next, "before") {
                (-15, next + 1)
            } else {
                return None;
            }
        } else {
            let (minutes, next) = self.number(i)?;
            let next = r.is(next, Meaning::Unit(Unit::Minute)).unwrap_or(next);
            if !is(next, "past") || !(1..60).contains(&minutes) {
                return None;
            }
            (minutes, next + 1)
        };
        let (hour, next) = self.number(next)?;
        if !(1..=12).contains(&hour) {
            return None;
        }
        Some(self.with_half_of_day(hour * 60 + minutes, next, true))
    }

    /// 10:30, 10.30, 1030 am, ten thirty.
    fn written(&self, i: usize) -> Option<Said> {
        let r = self.reading;
        let word = r.words.get(i)?;
        let second = r.words.get(i + 1);
        if let (Some(hour), Some(second)) = (word.number, second)
            && let (Some(minute), Gap::Sign(sign @ (':' | '.'))) = (second.number, second.gap)
            && second.raw.len() == 2
            && minute < 60
            && hour < 24
        {
            let third =
                r.words.get(i + 2).is_some_and(|w| w.gap == Gap::Sign(sign) && w.number.is_some());
            if third && sign == '.' {
                return None;
            }
            let minutes = i16::try_from(hour * 60 + minute).ok()?;
            return Some(self.with_half_of_day(minutes, i + 2, true));
        }
        if let Some(number) = word.number
            && matches!(word.raw.len(), 3 | 4)
            && (number / 100) < 24
            && number % 100 < 60
        {
            let minutes = i16::try_from(number / 100 * 60 + number % 100).ok()?;
            let said = self.with_half_of_day(minutes, i + 1, false);
            return (said.sure || self.asked && number % 5 == 0).then_some(said);
        }
        let (hour, next) = self.number(i)?;
        let (minute, end) = self.number(next)?;
        let in_words = word.number.is_none() && r.words[next].number.is_none();
        let clause = r.words[next].begins_clause;
        let full = r.words[next].raw == "00";
        let told = full || (10..60).contains(&minute) && minute % 5 == 0;
        if clause || !(1..=12).contains(&hour) || !told {
            return None;
        }
        let said = self.with_half_of_day(hour * 60 + minute, end, false);
        let apart = r.words[next].gap == Gap::Space;
        (apart && (said.sure || in_words)).then_some(Said { sure: said.sure || in_words, ..said })
    }

    /// 5, 5 pm, paanch baje, 17.
    fn hour(&self, i: usize) -> Option<Said> {
        let r = self.reading;
        let (hour, next) = self.number(i)?;
        if hour > 24 || r.words[i].raw.len() > 2 && r.words[i].number.is_some() {
            return None;
        }
        let said = self.with_half_of_day(hour * 60, next, false);
        if !said.sure {
            // 5 din, 5th, 5 December, 5/12 are no times.
            let counted = r.at(next, |m| {
                matches!(
                    m,
                    Meaning::Unit(_)
                        | Meaning::Month(_)
                        | Meaning::DayOfMonth
                        | Meaning::Relation(_)
                )
                .then_some(())
            });
            let glued = r.words.get(next).is_some_and(|w| {
                w.gap == Gap::None || matches!(w.gap, Gap::Sign('/' | '.' | ':' | '+'))
            });
            if counted.is_some() || glued || !(1..24).contains(&hour) {
                return None;
            }
        }
        Some(said)
    }

    /// Takes am, pm, baje and o'clock behind a time.
    fn with_half_of_day(&self, minutes: i16, next: usize, sure: bool) -> Said {
        let r = self.reading;
        let clock = r.is(next, Meaning::Oclock);
        let next = clock.unwrap_or(next);
        let hour = minutes.div_euclid(60);
        if hour > 12 || hour == 0 && minutes < 60 && sure && minutes >= 0 {
            let sure = sure || clock.is_some();
            return Said { minutes: vec![minutes.rem_euclid(DAY_MINUTES)], sure, to: next };
        }
        if let Some(to) = r.is(next, Meaning::Am) {
            return Said { minutes: vec![minutes.rem_euclid(720)], sure: true, to };
        }
        if let Some(to) = r.is(next, Meaning::Pm) {
            return Said { minutes: vec![minutes.rem_euclid(720) + 720], sure: true, to };
        }
        Said { minutes: both(minutes), sure: sure || clock.is_some(), to: next }
    }

    fn number(&self, i: usize) -> Option<(i16, usize)> {
        let word = self.reading.words.get(i)?;
        if self.taken.get(i).copied().unwrap_or(false) {
            return None;
        }
        match word.number {
            Some(number) => Some((i16::try_from(number).ok().filter(|n| *n < 60)?, i + 1)),
            None => self.reading.at(i, |m| {
                let Meaning::Number(number) = m else { return None };
                i16::try_from(number).ok()
            }),
        }
    }

    /// The readings that lie in the part of the day that stands nearest.
    fn narrowed(&self, from: usize, to: usize, minutes: &[i16]) -> Vec<i16> {
        let r = self.reading;
        let nearest = r
            .all()
            .filter_map(|(start, end, m)| {
                let Meaning::Part(part) = m else { return None };
                let gap = if end <= from { from - end } else { start.saturating_sub(to) };
                let over_clause = if end <= from {
                    (end..=from).any(|j| r.words.get(j).is_some_and(|w| w.begins_clause))
                } else {
                    (to..=start).any(|j| r.words.get(j).is_some_and(|w| w.begins_clause))
                };
                (gap <= PART_REACH && !(over_clause && gap > 0)).then_some((gap, part))
            })
            .min_by_key(|(gap, _)| *gap);
        let Some((_, part)) = nearest else { return minutes.to_vec() };
        let fits = |m: &i16| {
            let hour = m / 60;
            match part {
                PartOfDay::Morning => (3..12).contains(&hour),
                PartOfDay::Afternoon => (11..18).contains(&hour),
                PartOfDay::Evening => (15..23).contains(&hour),
                PartOfDay::Night => !(5..18).contains(&hour),
            }
        };
        let kept: Vec<i16> = minutes.iter().copied().filter(fits).collect();
        if kept.is_empty() { minutes.to_vec() } else { kept }
    }

    /// In two hours, aadhe ghante mein: from then on, today.
    fn ahead(&self, i: usize) -> Option<Found<Times>> {
        let r = self.reading;
        let start = r.is(i, Meaning::Within).or_else(|| r.is(i, Meaning::After)).unwrap_or(i);
        let (half, next) = match r.is(start, Meaning::Half) {
            Some(next) => (true, self.fillers(next)),
            None => (false, start),
        };
        let (count, next) = match self.number(next) {
            Some(it) => it,
            None if half
                || r.words.get(next).is_some_and(|w| matches!(w.folded.as_str(), "a" | "an")) =>
            {
                (1, if half { next } else { next + 1 })
            }
            None => return None,
        };
        let unit = |m| {
            if m == Meaning::Unit(Unit::Hour) {
                Some(60)
            } else {
                (m == Meaning::Unit(Unit::Minute)).then_some(1)
            }
        };
        let (minutes, next) = r.at(next, unit)?;
        let behind = r.is(next, Meaning::AfterIt).or_else(|| r.is(next, Meaning::WithinIt));
        if start == i && behind.is_none() {
            return None;
        }
        let minutes = if half { minutes / 2 } else { minutes * i64::from(count) };
        let then = self.now.checked_add(minutes.minutes()).ok()?;
        let readings = if then.date() == self.now.date() {
            let from = then.time();
            vec![Times { from: Time::new(from.hour(), from.minute(), 0, 0).ok()?, to: LAST }]
        } else {
            Vec::new()
        };
        Some(Found { from: i, to: behind.unwrap_or(next), readings })
    }
}

/// The last minute of a day.
const LAST: Time = Time::constant(23, 59, 0, 0);

fn part(m: Meaning) -> Option<PartOfDay> {
    let Meaning::Part(part) = m else { return None };
    Some(part)
}

/// The two readings of a time of twelve hours, the one in usual hours first.
fn both(minutes: i16) -> Vec<i16> {
    let am = minutes.rem_euclid(720);
    let pm = am + 720;
    // From seven until noon it is am, from noon until seven pm.
    if (7 * 60..720).contains(&am) { vec![am, pm] } else { vec![pm, am] }
}

fn time(minutes: i16) -> Option<Time> {
    let hour = i8::try_from(minutes.div_euclid(60)).ok()?;
    let minute = i8::try_from(minutes.rem_euclid(60)).ok()?;
    Time::new(hour, minute, 0, 0).ok()
}

type Make = fn(i16) -> Option<Times>;

const PREFIXES: &[(Meaning, Make)] = &[
    (Meaning::After, since),
    (Meaning::From, since),
    (Meaning::Before, before),
    (Meaning::Until, until),
    (Meaning::Around, around),
    (Meaning::At, at),
];

const SUFFIXES: &[(Meaning, Make)] = &[
    (Meaning::AfterIt, since),
    (Meaning::BeforeIt, before),
    (Meaning::UntilIt, until),
    (Meaning::Around, around),
    (Meaning::FromIt, since),
];

fn at(minutes: i16) -> Option<Times> {
    Some(Times::at(time(minutes)?))
}

fn since(minutes: i16) -> Option<Times> {
    Some(Times { from: time(minutes)?, to: LAST })
}

fn before(minutes: i16) -> Option<Times> {
    Some(Times { from: Time::midnight(), to: time(minutes - 1)? })
}

fn until(minutes: i16) -> Option<Times> {
    Some(Times { from: Time::midnight(), to: time(minutes)? })
}

fn around(minutes: i16) -> Option<Times> {
    let from = time((minutes - ABOUT_MINUTES).max(0))?;
    let to = time((minutes + ABOUT_MINUTES).min(DAY_MINUTES - 1))?;
    Some(Times { from, to })
}
