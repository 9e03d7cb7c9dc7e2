//! Planning: which sessions are held, how many come to each, and what must be there today.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use prm::db::Tx;
use prm::error::Result;
use prm::slot;
use prm::stamp::Stamp;

use super::super::house::{CASUALTY, ORTHOPAEDICS, SEATS, after};
use super::{Days, Event, Wish, minutes};

/// Days before the first appointment from which people book.
const BOOKED_AHEAD_DAYS: i32 = 6;
/// How far around now the day is as busy as by day, whatever the hour, in minutes.
const LIVELY_BEFORE: i64 = 70;
const LIVELY_AFTER: i64 = 80;
/// Of the free slots around now, so many are booked.
const LIVELY_FILL: f64 = 0.6;
/// Visits to the desk on a day.
const DESK_VISITS: usize = 3;

/// One session on one day.
pub(super) struct Session {
    /// Which of the added sessions.
    pub(super) added: usize,
    pub(super) seat: usize,
    pub(super) date: Date,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// When the practitioner really begins.
    pub(super) begins: Timestamp,
    /// How many it takes.
    pub(super) places: i64,
    pub(super) slots: Vec<Timestamp>,
}

impl Days {
    /// Plans everything from some days ago to some days ahead.
    pub(super) fn plan(&mut self, tx: &Tx<'_>, (past, future): (i32, i32)) -> Result<()> {
        let (from, to) = (after(self.today, -past), after(self.today, future + 1));
        self.find_sessions(tx, (from, to))?;
        let opens = self.day_start(after(from, -BOOKED_AHEAD_DAYS));
        for nth in 0..self.sessions.len() {
            self.plan_bookings(nth, opens);
            self.plan_walk_ins(nth);
        }
        self.plan_lively_hours();
        let mut date = from;
        while date <= self.today {
            self.plan_desk(date);
            if date < self.today {
                let midnight = self.day_start(after(date, 1));
                self.push(midnight - SignedDuration::from_secs(5), Event::EndOfDay(date));
            }
            date = after(date, 1);
        }
        self.plan_today();
        Ok(())
    }

    fn find_sessions(&mut self, tx: &Tx<'_>, (from, to): (Date, Date)) -> Result<()> {
        let stamp = Stamp::of_box(self.now);
        for (seat, practitioner) in self.practitioners.clone().into_iter().enumerate() {
            let search = slot::Search {
                practitioner: Some(practitioner),
                specialty: None,
                service: None,
                from,
                to,
                all: true,
                limit: slot::SLOTS_MAX,
            };
            for slot in slot::list(tx, &stamp, &search)? {
                let date = self.date(slot.start);
                let key = (slot.id.schedule, date);
                let added = self.added.iter().position(|added| added.id == slot.id.schedule);
                let Some(added) = added else { continue };
                let nth = match self.session_of.get(&key) {
                    Some(nth) => *nth,
                    None => {
                        let late = minutes(self.rng.i64(0..12));
                        self.sessions.push(Session {
                            added,
                            seat,
                            date,
                            start: slot.start,
                            end: slot.end,
                            begins: slot.start + late,
                            places: 0,
                            slots: Vec::new(),
                        });
                        self.session_of.insert(key, self.sessions.len() - 1);
                        self.sessions.len() - 1
                    }
                };
                let session = &mut self.sessions[nth];
                session.end = session.end.max(slot.end);
                session.places += slot.free;
                session.slots.push(slot.start);
            }
        }
        Ok(())
    }

    fn plan_bookings(&mut self, nth: usize, opens: Timestamp) {
        let Session { added, date, start, end, places, .. } = self.sessions[nth];
        let fill = self.added[added].fill * self.rng.f64().mul_add(0.2, 0.9);
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a session has few places"
        )]
        let wishes = (places as f64 * fill.min(1.0)).round() as i64;
        for _ in 0..wishes {
            let at = match self.rng.u8(..10) {
                0 => {
                    let earliest = (start - minutes(240)).max(self.day_start(date));
                    self.between(earliest, (end - minutes(30)).max(earliest))
                }
                1..=3 => self.office_hour(date, 1..4),
                _ => self.office_hour(date, 4..26),
            };
            let at = if at < opens { self.between(opens, self.day_start(date)) } else { at };
            self.push(at, Event::Book(Wish { session: nth, between: (start, end) }));
        }
    }

    fn plan_walk_ins(&mut self, nth: usize) {
        let Session { seat, date, start, end, .. } = self.sessions[nth];
        if date > self.today {
            return;
        }
        let hours = (end - start).total(jiff::Unit::Hour).unwrap_or(0.0);
        let hour = self.zone.to_datetime(start).hour();
        let quiet = if (8..20).contains(&hour) { 1.0 } else { 0.25 };
        let mut expected = SEATS[seat].walk_ins_per_hour * hours * quiet;
        while expected > 0.0 {
            if self.rng.f64() < expected {
                let at = self.between(start, end - minutes(20));
                self.push(at, Event::WalkIn(nth));
            }
            expected -= 1.0;
        }
    }

    /// Around now there is something to see, be it at night.
    fn plan_lively_hours(&mut self) {
        let lively = (self.now - minutes(LIVELY_BEFORE), self.now + minutes(LIVELY_AFTER));
        for nth in 0..self.sessions.len() {
            let session = &self.sessions[nth];
            let slots = session.slots.iter().filter(|at| **at >= lively.0 && **at < lively.1);
            #[allow(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "some slots"
            )]
            let wishes = (slots.count() as f64 * LIVELY_FILL).round() as i64;
            for _ in 0..wishes {
                let at = self.between(self.now - minutes(600), self.now - minutes(90));
                self.push(at, Event::Book(Wish { session: nth, between: lively }));
            }
        }
    }

    fn plan_desk(&mut self, date: Date) {
        for _ in 0..DESK_VISITS {
            let (from, to) = (self.wall(date, 9 * 60), self.wall(date, 19 * 60));
            let at = self.between(from, to);
            self.push(at, Event::Desk);
        }
    }

    /// What a look at today must show, whatever else happened.
    fn plan_today(&mut self) {
        let away = (after(self.today, -1), after(self.today, 4));
        let said = self.wall(after(self.today, -3), 11 * 60);
        self.push(said, Event::Leave(ORTHOPAEDICS, away.0, away.1));
        for date in [after(self.today, -6), after(self.today, -2)] {
            let at = self.wall(date, 9 * 60 + 20);
            self.push(at, Event::Overbook);
        }
        // Just after midnight the day is too short for all of this; then it happens faster.
        let now = self.now;
        let hour = (now.as_second() - self.day_start(self.today).as_second()).min(3_600);
        let ago = |minutes: i64| now - SignedDuration::from_secs(hour * minutes / 60);
        let events = [
            (ago(58), Event::Series { every_day: false }),
            (ago(55), Event::Series { every_day: true }),
            (ago(30), Event::Guest),
            (ago(26), Event::Overbook),
            (ago(12), Event::Unheard(CASUALTY)),
            (ago(9), Event::Hold),
            (ago(7), Event::Hold),
            (ago(4), Event::Desk),
            (ago(3), Event::Hold),
        ];
        for (at, event) in events {
            self.push(at, event);
        }
        let casualty = self.sessions.iter().position(|session| {
            session.seat == CASUALTY && session.start <= self.now && self.now < session.end
        });
        if let Some(casualty) = casualty {
            for at in [ago(10), ago(6), ago(5), ago(2)] {
                self.push(at, Event::WalkIn(casualty));
            }
        }
        // Pushed last, so that of what happens now it is the last.
        self.push(now, Event::CallNext(CASUALTY));
    }

    /// A time at which the desk answers, some days before a date.
    fn office_hour(&mut self, date: Date, days: std::ops::Range<i32>) -> Timestamp {
        let date = after(date, -self.rng.i32(days));
        let minute = self.rng.u16(8 * 60..19 * 60);
        self.wall(date, minute) + SignedDuration::from_secs(self.rng.i64(0..60))
    }

    /// The instant at which the clinic's clocks show a minute of a day.
    pub(super) fn wall(&self, date: Date, minute: u16) -> Timestamp {
        prm::time::at_local_minute(&self.zone, date, minute)
    }
}
