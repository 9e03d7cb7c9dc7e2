//! Days by their date: "12/3", "25 December", "25 tarikh", "the 5th".
//!
//! Numbers are read day first, as India writes them. A date without a year is the next such date.

use jiff::ToSpan;
use jiff::civil::Date;

use super::super::Days;
use super::super::vocabulary::Meaning;
use super::super::word::Gap;
use super::{Calendar, Found};

impl Calendar<'_> {
    /// 12/3, 12-03-2026, 2026-03-12.
    pub(super) fn written(&self, i: usize) -> Option<(Vec<Days>, usize)> {
        let words = &self.reading.words;
        let (first, second) = (words.get(i)?, words.get(i + 1)?);
        let (a, b) = (first.number?, second.number?);
        let Gap::Sign(sign @ ('/' | '-' | '.')) = second.gap else { return None };
        let third = words.get(i + 2).filter(|w| w.gap == Gap::Sign(sign)).and_then(|w| w.number);
        if let Some(c) = third {
            let (year, month, day) = if a > 31 { (a, b, c) } else { (c, b, a) };
            return Some((self.dated(year, month, day)?, i + 3));
        }
        // With a dot it is a time, with a dash a range of times, unless a day was asked for.
        let plain = sign == '/' || (self.asked && b <= 12 && self.not_clock(i + 2));
        if !plain || (a, b) == (24, 7) {
            return None;
        }
        let (day, month) = if b <= 12 { (a, b) } else { (b, a) };
        Some((self.yearless(i8::try_from(month).ok()?, i8::try_from(day).ok()?)?, i + 2))
    }

    fn not_clock(&self, i: usize) -> bool {
        !self.reading.within(i, i + 1).any(|(_, _, m)| {
            matches!(m, Meaning::Am | Meaning::Pm | Meaning::Oclock | Meaning::Part(_))
        })
    }

    fn dated(&self, year: u64, month: u64, day: u64) -> Option<Vec<Days>> {
        let year = if year < 100 { 2000 + year } else { year };
        let (month, day) = if month > 12 { (day, month) } else { (month, day) };
        let date = Date::new(
            i16::try_from(year).ok()?,
            i8::try_from(month).ok()?,
            i8::try_from(day).ok()?,
        )
        .ok()?;
        Some(self.to_come(date))
    }

    /// The next such day, this year or next.
    fn yearless(&self, month: i8, day: i8) -> Option<Vec<Days>> {
        // 29 February comes within eight years.
        (0..=8)
            .filter_map(|ahead| Date::new(self.today.year() + ahead, month, day).ok())
            .find(|date| *date >= self.today)
            .map(|date| vec![Days::on(date)])
    }

    /// A day of a month in digits or words, with its ending.
    pub(super) fn day_number(&self, i: usize) -> Option<(i8, usize)> {
        let word = self.reading.words.get(i)?;
        let (day, next) = match word.number {
            Some(number) => (i8::try_from(number).ok()?, i + 1),
            None => self.reading.at(i, |m| {
                let (Meaning::Number(n) | Meaning::Ordinal(n)) = m else { return None };
                i8::try_from(n).ok()
            })?,
        };
        let next = if self.is_ending(next) { next + 1 } else { next };
        (1..=31).contains(&day).then_some((day, next))
    }

    /// The `th` of 5th.
    fn is_ending(&self, i: usize) -> bool {
        self.reading.words.get(i).is_some_and(|word| {
            word.gap == Gap::None && matches!(word.folded.as_str(), "th" | "st" | "nd" | "rd")
        })
    }

    fn month(&self, i: usize) -> Option<(i8, usize)> {
        self.reading.at(i, |m| {
            let Meaning::Month(month) = m else { return None };
            Some(month)
        })
    }

    /// 25 December, the 25th of Dec 2026.
    pub(super) fn with_month(&self, i: usize) -> Option<(Vec<Days>, usize)> {
        let (day, next) = self.day_number(i)?;
        let (month, next) = self.month(self.fillers(next))?;
        self.year(month, day, next)
    }

    /// December 25; the month alone is all of it.
    pub(super) fn month_first(&self, i: usize) -> Option<(Vec<Days>, usize)> {
        let (month, next) = self.month(i)?;
        let word = &self.reading.words[i];
        if let Some((day, after)) = self.day_number(self.fillers(next))
            && self.reading.is(after, Meaning::Oclock).is_none()
        {
            return self.year(month, day, after);
        }
        // Words that are months only by chance: may, march, mar, sun.
        if word.folded.chars().count() <= 5 && word.folded.is_ascii() {
            return None;
        }
        let year = self.today.year() + i16::from(month < self.today.month());
        let first = Date::new(year, month, 1).ok()?;
        let days = Days { from: first.max(self.today), to: Some(first.last_of_month()) };
        Some((vec![days], next))
    }

    fn year(&self, month: i8, day: i8, next: usize) -> Option<(Vec<Days>, usize)> {
        let year = self.reading.words.get(next).and_then(|w| w.number).filter(|y| {
            (2000..2200).contains(y)
                || (self.reading.words[next].gap != Gap::Space && *y > 24 && *y < 100)
        });
        match year {
            Some(year) => {
                let (month, day) = (u64::try_from(month).ok()?, u64::try_from(day).ok()?);
                Some((self.dated(year, month, day)?, next + 1))
            }
            None => Some((self.yearless(month, day)?, next)),
        }
    }

    /// 25 tarikh, the 5th, 5 tarikh agle mahine.
    pub(super) fn of_month(&self, i: usize, after_preposition: bool) -> Option<(Vec<Days>, usize)> {
        let r = self.reading;
        let (ahead, start) = match self.month_ahead(i) {
            Some((ahead, next)) => (Some(ahead), self.fillers(next)),
            None => (None, i),
        };
        let (start, said) = match r.is(start, Meaning::DayOfMonth) {
            Some(next) => (self.fillers(next), true),
            None => (start, false),
        };
        let (day, next) = self.day_number(start)?;
        let in_digits = r.words[start].number.is_some();
        let ending = next > start + 1 && in_digits;
        let on_the = start > 0
            && matches!(r.words[start - 1].folded.as_str(), "the" | "on")
            && r.at(start, |m| matches!(m, Meaning::Ordinal(_)).then_some(())).is_some()
            && after_preposition;
        let behind = r.is(next, Meaning::DayOfMonth);
        let ending = ending && usize::try_from(day).is_ok_and(|day| day > self.row);
        if !(said || behind.is_some() || ending || on_the) {
            return None;
        }
        let next = behind.unwrap_or(next);
        let (ahead, next) = match (ahead, self.month_ahead(self.fillers(next))) {
            (Some(ahead), _) => (Some(ahead), next),
            (None, Some((ahead, end))) => (Some(ahead), end),
            (None, None) => (None, next),
        };
        let first = self.today.first_of_month();
        let months: Vec<i32> = match ahead {
            Some(ahead) => vec![ahead],
            None => vec![0, 1, 2],
        };
        let date = months
            .into_iter()
            .filter_map(|ahead| first.checked_add(ahead.months()).ok())
            .filter_map(|month| Date::new(month.year(), month.month(), day).ok())
            .find(|date| *date >= self.today)?;
        Some((vec![Days::on(date)], next))
    }

    /// A bare number after the question for a day.
    pub(super) fn bare(&self) -> Option<Found<Days>> {
        let r = self.reading;
        let i = (0..r.len()).find(|i| !self.is_taken(*i) && self.day_number(*i).is_some())?;
        let (day, next) = self.day_number(i)?;
        let behind = r.at(next, |m| {
            matches!(
                m,
                Meaning::Oclock | Meaning::Am | Meaning::Pm | Meaning::Part(_) | Meaning::Unit(_)
            )
            .then_some(())
        });
        let before = r.at(i.checked_sub(1).unwrap_or(i), |m| {
            matches!(m, Meaning::Part(_) | Meaning::At | Meaning::Fraction(_)).then_some(())
        });
        let signed =
            r.words.get(next).is_some_and(|w| matches!(w.gap, Gap::Sign(_)) && w.number.is_some());
        // "kar do" is no second of the month.
        let again = r.words.get(next).is_some_and(|w| w.number.is_some());
        let small_word = r.words[i].number.is_none() && r.len() > 2;
        if behind.is_some() || before.is_some() || signed || again || small_word {
            return None;
        }
        let first = self.today.first_of_month();
        let date = (0..3)
            .filter_map(|ahead: i32| first.checked_add(ahead.months()).ok())
            .filter_map(|month| Date::new(month.year(), month.month(), day).ok())
            .find(|date| *date >= self.today)?;
        Some(Found { from: i, to: next, readings: vec![Days::on(date)] })
    }
}
