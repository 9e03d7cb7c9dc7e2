//! Days: "kal", "next Tuesday", "12/3", "any day after the 5th".
//!
//! What was in the past is no day to come for.

mod date;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::vocabulary::{Meaning, Reading, Topic, Unit};
use super::word::Gap;
use super::{Days, READINGS_MAX};

/// The furthest that is told as a count of days, weeks or months.
const AHEAD_MAX: i32 = 400;

/// Something found in a message: which words it takes, and its readings, the likelier first.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    pub from: usize,
    pub to: usize,
    pub readings: Vec<T>,
}

/// What is asked about days.
pub(super) struct Calendar<'a> {
    pub reading: &'a Reading,
    /// Today in the clinic.
    pub today: Date,
    /// Whether a day was asked for, so that a bare number is one.
    pub asked: bool,
    /// Words that are taken by something else.
    pub taken: &'a [bool],
    /// How many choices were shown: the 2nd of three is no day.
    pub row: usize,
}

impl Calendar<'_> {
    /// All days of the message, in order.
    pub fn days(&self) -> Vec<Found<Days>> {
        let mut found = Vec::new();
        let mut i = 0;
        while i < self.reading.len() && found.len() < READINGS_MAX {
            match self.span(i).filter(|it| !(it.from..it.to).any(|j| self.is_taken(j))) {
                Some(it) => {
                    i = it.to.max(i + 1);
                    found.push(it);
                }
                None => i += 1,
            }
        }
        if found.is_empty()
            && self.asked
            && let Some(bare) = self.bare()
        {
            found.push(bare);
        }
        found.retain(|it| !it.readings.is_empty());
        found
    }

    fn is_taken(&self, i: usize) -> bool {
        self.taken.get(i).copied().unwrap_or(false)
    }

    /// Days with what stands before and after them.
    fn span(&self, i: usize) -> Option<Found<Days>> {
        let r = self.reading;
        if let Some(it) = self.ahead(i) {
            return Some(it);
        }
        if let Some(next) = r.is(i, Meaning::Between)
            && let Some((first, next)) = self.atom(next, true).or_else(|| self.half_range(next))
            && let Some(next) = r.is(next, Meaning::And).or_else(|| self.until(next))
            && let Some((last, next)) = self.atom(next, true)
        {
            return Some(Found { from: i, to: next, readings: range(&first, &last) });
        }
        for (meaning, make) in PREFIXES {
            if let Some(next) = r.is(i, *meaning)
                && let Some((days, next)) = self.atom(self.fillers(next), true)
            {
                let readings = days.into_iter().filter_map(|d| make(self.today, d)).collect();
                return Some(Found { from: i, to: next, readings });
            }
        }
        let (days, next) = self.atom(i, false).or_else(|| self.half_range(i))?;
        // Monday to Wednesday, 5 to 10 December.
        if let Some(after) = self.until(next)
            && let Some((last, to)) = self.atom(self.fillers(after), false)
        {
            let readings = range(&days, &last);
            if !readings.is_empty() {
                let end = r.is(self.fillers(to), Meaning::UntilIt).unwrap_or(to);
                return Some(Found { from: i, to: end, readings });
            }
        }
        let behind = self.fillers(next);
        for (meaning, make) in SUFFIXES {
            if let Some(end) = r.is(behind, *meaning) {
                if *meaning == Meaning::FromIt && self.is_since(i, end) {
                    return Some(Found { from: i, to: end, readings: Vec::new() });
                }
                let readings = days.into_iter().filter_map(|d| make(self.today, d)).collect();
                return Some(Found { from: i, to: end, readings });
            }
        }
        Some(Found { from: i, to: next, readings: days })
    }

    /// "Kal se bukhar hai" says since when somebody is ill.
    fn is_since(&self, from: usize, to: usize) -> bool {
        let r = self.reading;
        r.at(from, |m| matches!(m, Meaning::DaysAhead(1..)).then_some(())).is_some()
            && r.within(to, r.len()).any(|(_, _, m)| matches!(m, Meaning::Complaint(_)))
    }

    /// A word that parts the first of a range from the last.
    fn until(&self, i: usize) -> Option<usize> {
        let r = self.reading;
        if let Some(next) = r.is(i, Meaning::To) {
            return Some(next);
        }
        let word = r.words.get(i)?;
        (word.gap == Gap::Sign('-') || word.gap == Gap::Sign('–')).then_some(i)
    }

    fn fillers(&self, i: usize) -> usize {
        let mut i = i;
        for _ in 0..3 {
            match self.reading.is(i, Meaning::Filler) {
                Some(next) if !self.reading.words.get(next).is_some_and(|w| w.begins_clause) => {
                    i = next;
                }
                Some(_) | None => break,
            }
        }
        i
    }

    /// "5 to 10 December": the first takes its month from the last.
    fn half_range(&self, i: usize) -> Option<(Vec<Days>, usize)> {
        let (day, next) = self.day_number(i)?;
        let after = self.until(next).or_else(|| {
            let between = i > 0 && self.reading.is(i - 1, Meaning::Between).is_some();
            self.reading.is(next, Meaning::And).filter(|_| between)
        })?;
        let (last, _) = self.atom(after, false)?;
        let [Days { from, to: Some(_) }, ..] = last[..] else { return None };
        let first = Date::new(from.year(), from.month(), day).ok()?;
        (self.today <= first && first <= from).then(|| (vec![Days::on(first)], next))
    }

    /// One day, one week, one month. After "after", an ordinal alone is a day of the month.
    fn atom(&self, i: usize, after_preposition: bool) -> Option<(Vec<Days>, usize)> {
        if i >= self.reading.len() || self.is_taken(i) {
            return None;
        }
        self.written(i)
            .or_else(|| self.with_month(i))
            .or_else(|| self.month_first(i))
            .or_else(|| self.of_month(i, after_preposition))
            .or_else(|| self.near(i))
            .or_else(|| self.weekday(i))
            .or_else(|| self.week(i))
    }

    /// This month, next month: how many months ahead.
    fn month_ahead(&self, i: usize) -> Option<(i32, usize)> {
        let (ahead, next) = self.ahead_word(i)?;
        let next = self.reading.is(next, Meaning::Unit(Unit::Month))?;
        (ahead >= 0).then_some((i32::from(ahead), next))
    }

    /// This, next, the next but one, the last.
    fn ahead_word(&self, i: usize) -> Option<(i8, usize)> {
        let ahead = [
            (Meaning::This, 0),
            (Meaning::Next, 1),
            (Meaning::NextButOne, 2),
            (Meaning::Previous, -1),
        ];
        // "Is" is a word of English unless a week or a month follows.
        let unit = |i| self.reading.at(i, |m| matches!(m, Meaning::Unit(_)).then_some(()));
        if self.reading.words.get(i)?.folded == "is" && unit(i + 1).is_some() {
            return Some((0, i + 1));
        }
        self.reading.at(i, |m| ahead.iter().find(|(it, _)| *it == m).map(|(_, ahead)| *ahead))
    }

    /// Today, kal, parso.
    fn near(&self, i: usize) -> Option<(Vec<Days>, usize)> {
        let r = self.reading;
        let named = r.at(i, |m| {
            let Meaning::DaysAhead(days) = m else { return None };
            Some(days)
        });
        let (ahead, next) = named.or_else(|| self.day_after(i))?;
        let clause = r.clauses().into_iter().find(|(from, to)| (*from..*to).contains(&i));
        // "Chahiye thi" is polite, not past.
        let past = clause.is_some_and(|(from, to)| {
            let says = |meaning| r.within(from, to).any(|(_, _, m)| m == meaning);
            says(Meaning::Past) && !says(Meaning::Topic(Topic::Want))
        });
        let hindi = !r.words[i].folded.starts_with(['t', 'd', 'o']);
        if ahead > 0 && past && hindi {
            return Some((Vec::new(), next));
        }
        Some((vec![Days::on(self.plus(i32::from(ahead))?)], next))
    }

    /// "Day after" alone is that after tomorrow; not in "any day after Friday", "day after 5 pm".
    fn day_after(&self, i: usize) -> Option<(i8, usize)> {
        let r = self.reading;
        let says = |i: usize, word: &str| r.words.get(i).is_some_and(|it| it.folded == word);
        let next = i + 2;
        let then = self.fillers(next);
        let is_number = r.words.get(then).is_some_and(|word| word.number.is_some());
        let is_day =
            r.at(then, |m| matches!(m, Meaning::Weekday(_) | Meaning::Month(_)).then_some(()));
        let is_it = says(i, "day") && says(i + 1, "after") && !is_number && is_day.is_none();
        is_it.then_some((2, next))
    }

    fn plus(&self, days: i32) -> Option<Date> {
        self.today.checked_add(days.days()).ok()
    }

    /// Monday, next Monday, agle hafte somvar, Monday next week.
    fn weekday(&self, i: usize) -> Option<(Vec<Days>, usize)> {
        let r = self.reading;
        let pick = |m| {
            let Meaning::Weekday(day) = m else { return None };
            Some(day)
        };
        if let Some((weeks, next)) = self.week_ahead(i)
            && let Some((day, next)) = r.at(self.fillers(next), pick)
        {
            return Some((self.to_come(self.of_week(weeks, day)?), next));
        }
        if let Some((ahead, next)) = self.ahead_word(i)
            && let Some((day, next)) = r.at(next, pick)
        {
            let coming = self.coming(day)?;
            let of_next = self.of_week(1, day)?;
            let days = match ahead {
                ..0 => Vec::new(),
                0 => vec![Days::on(coming)],
                1 if coming == self.today => vec![Days::on(of_next)],
                // The coming one may lie in this week yet: then either may be meant.
                1 if coming < of_next => vec![Days::on(of_next), Days::on(coming)],
                1 => vec![Days::on(of_next)],
                _ => vec![Days::on(self.of_week(2, day)?)],
            };
            return Some((days, next));
        }
        let (day, next) = r.at(i, pick)?;
        if let Some((weeks, end)) = self.week_ahead(self.fillers(next)) {
            return Some((self.to_come(self.of_week(weeks, day)?), end));
        }
        let coming = self.coming(day)?;
        let mut days = vec![Days::on(coming)];
        if coming == self.today {
            days.push(Days::on(self.plus(7)?));
        }
        Some((days, next))
    }

    /// The day, or none if it is over: "this week Monday" can be said on a Tuesday.
    fn to_come(&self, day: Date) -> Vec<Days> {
        if day < self.today { Vec::new() } else { vec![Days::on(day)] }
    }

    /// The next such day, today among them.
    fn coming(&self, day: Weekday) -> Option<Date> {
        let today = self.today.weekday().to_monday_zero_offset();
        let ahead = (day.to_monday_zero_offset() - today).rem_euclid(7);
        self.plus(i32::from(ahead))
    }

    /// A day of a week that begins with Monday; week 0 is the running one.
    fn of_week(&self, weeks: i32, day: Weekday) -> Option<Date> {
        let today = i32::from(self.today.weekday().to_monday_zero_offset());
        self.plus(weeks * 7 - today + i32::from(day.to_monday_zero_offset()))
    }

    /// This week, next week: how many weeks ahead.
    fn week_ahead(&self, i: usize) -> Option<(i32, usize)> {
        let (ahead, next) = self.ahead_word(i)?;
        let next = self.reading.is(next, Meaning::Unit(Unit::Week))?;
        (ahead >= 0).then_some((i32::from(ahead), next))
    }

    /// This week, next week, the weekend, this month, the end of the month.
    fn week(&self, i: usize) -> Option<(Vec<Days>, usize)> {
        let r = self.reading;
        let within = |from: Date, to: Date| {
            let from = from.max(self.today);
            if from <= to { vec![Days { from, to: Some(to) }] } else { Vec::new() }
        };
        let (ahead, after) = self.ahead_word(i).map_or((None, i), |(a, n)| (Some(i32::from(a)), n));
        if let Some(next) = r.is(after, Meaning::Weekend) {
            let weeks = ahead.unwrap_or(0);
            let (from, to) =
                (self.of_week(weeks, Weekday::Saturday)?, self.of_week(weeks, Weekday::Sunday)?);
            return Some((within(from, to), next));
        }
        if let Some((weeks, next)) = self.week_ahead(i) {
            let (from, to) =
                (self.of_week(weeks, Weekday::Monday)?, self.of_week(weeks, Weekday::Sunday)?);
            return Some((within(from, to), next));
        }
        let (part, start) = match (r.is(i, Meaning::Start), r.is(i, Meaning::End)) {
            (Some(next), _) => (Some(true), self.fillers(next)),
            (None, Some(next)) => (Some(false), self.fillers(next)),
            (None, None) => (None, i),
        };
        let (months, next) = match self.month_ahead(start) {
            Some(it) => it,
            None => (0, r.is(start, Meaning::Unit(Unit::Month))?),
        };
        let (part, next) = match (part, r.is(self.fillers(next), Meaning::End)) {
            (None, Some(end)) => (Some(false), end),
            (None, None) if start == i && self.month_ahead(i).is_none() => return None,
            (part, _) => (part, next),
        };
        let first = self.today.first_of_month().checked_add(months.months()).ok()?;
        let (from, to) = match part {
            None => (first, first.last_of_month()),
            Some(true) => (first, first.checked_add(7.days()).ok()?),
            Some(false) => (first.checked_add(24.days()).ok()?, first.last_of_month()),
        };
        Some((within(from, to), next))
    }

    /// In 3 days, teen din baad, within a week, next 3 days.
    fn ahead(&self, i: usize) -> Option<Found<Days>> {
        let r = self.reading;
        let within = r.is(i, Meaning::Within).filter(|_| r.words[i].folded == "within");
        let prefix = within
            .or_else(|| r.is(i, Meaning::Within))
            .or_else(|| r.is(i, Meaning::After))
            .or_else(|| r.is(i, Meaning::Next));
        let start = prefix.unwrap_or(i);
        let (least, count, next) = self.count(start)?;
        let (unit, next) = r.at(next, |m| {
            let Meaning::Unit(unit @ (Unit::Day | Unit::Week | Unit::Month)) = m else {
                return None;
            };
            Some(unit)
        })?;
        let behind = r.is(next, Meaning::AfterIt);
        let inside = r.is(next, Meaning::WithinIt);
        let to = behind.or(inside).unwrap_or(next);
        if prefix.is_none() && to == next {
            return None;
        }
        let span = |n: i32| match unit {
            Unit::Minute | Unit::Hour | Unit::Day => n.days(),
            Unit::Week => n.weeks(),
            Unit::Month => n.months(),
        };
        let last = self.today.checked_add(span(count)).ok()?;
        let first = self.today.checked_add(span(least)).ok()?;
        let spans = within.is_some() || r.is(i, Meaning::Next).is_some() || inside.is_some();
        let days = match unit {
            _ if spans => Days { from: self.today, to: Some(last) },
            Unit::Minute | Unit::Hour | Unit::Day => Days { from: first, to: Some(last) },
            // Somebody who says a week means about a week.
            Unit::Week | Unit::Month => Days { from: first, to: last.checked_add(6.days()).ok() },
        };
        Some(Found { from: i, to, readings: vec![days] })
    }

    /// 3, teen, 2-3, a: the least and the most.
    fn count(&self, i: usize) -> Option<(i32, i32, usize)> {
        let r = self.reading;
        let one = |i: usize| -> Option<(i32, usize)> {
            let word = r.words.get(i)?;
            match word.number {
                Some(n) => Some((i32::try_from(n).ok()?, i + 1)),
                None if matches!(word.folded.as_str(), "a" | "an" | "couple") => Some((1, i + 1)),
                None => r.at(i, |m| {
                    let Meaning::Number(n) = m else { return None };
                    Some(i32::from(n))
                }),
            }
        };
        let (least, next) = one(i)?;
        let (most, next) = match r.words.get(next).map(|w| w.gap) {
            Some(Gap::Sign('-')) => one(next).unwrap_or((least, next)),
            _ => (least, next),
        };
        let told = 1..=AHEAD_MAX;
        let most = most.clamp(1, AHEAD_MAX).max(least);
        told.contains(&least).then_some((least, most, next))
    }
}

type Make = fn(Date, Days) -> Option<Days>;

const PREFIXES: &[(Meaning, Make)] = &[
    (Meaning::After, after),
    (Meaning::From, from),
    (Meaning::Before, before),
    (Meaning::Until, until),
];

const SUFFIXES: &[(Meaning, Make)] = &[
    (Meaning::AfterIt, after),
    (Meaning::BeforeIt, before),
    (Meaning::UntilIt, until),
    (Meaning::FromIt, from),
];

fn after(_: Date, days: Days) -> Option<Days> {
    Some(Days { from: days.to?.checked_add(1.days()).ok()?, to: None })
}

fn from(_: Date, days: Days) -> Option<Days> {
    Some(Days { from: days.from, to: None })
}

fn before(today: Date, days: Days) -> Option<Days> {
    let last = days.from.checked_sub(1.days()).ok()?;
    (last >= today).then_some(Days { from: today, to: Some(last) })
}

fn until(today: Date, days: Days) -> Option<Days> {
    Some(Days { from: today, to: days.to })
}

/// From the first of one to the last of the other.
fn range(first: &[Days], last: &[Days]) -> Vec<Days> {
    let Some(first) = first.first() else { return Vec::new() };
    // From Monday to Wednesday, said on a Wednesday, ends with the one after.
    let to = last.iter().find_map(|it| it.to.filter(|to| first.from <= *to)).or_else(|| {
        let last = last.first()?.day()?;
        last.checked_add(7.days()).ok().filter(|to| first.from <= *to)
    });
    to.map(|to| Days { from: first.from, to: Some(to) }).into_iter().collect()
}
