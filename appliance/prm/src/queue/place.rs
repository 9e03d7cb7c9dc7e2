//! What a place in the line is worth: how many wait before, and for how long.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{QueueEntry, Status, row};
use crate::clinic;
use crate::db::Read;
use crate::error::Result;
use crate::id::PractitionerId;
use crate::schedule;
use crate::slot::Session;
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// How many of a practitioner's last visits the estimate looks at.
const VISITS_LOOKED_AT: u32 = 20;
/// What a visit is taken to last when nothing is known, in minutes.
const VISIT_MINUTES: i64 = 15;

/// What a place in the line is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// How many wait before.
    pub ahead: i64,
    /// How long it will take, in minutes, as far as can be said.
    pub estimate_minutes: Option<i64>,
}

impl Place {
    /// Of somebody who does not wait.
    const NONE: Self = Self { ahead: 0, estimate_minutes: None };
}

/// The entries of a day in the order of the line with what each place is worth, of one
/// practitioner or of all.
pub fn list_with_places(
    read: &Read<'_>,
    stamp: &Stamp,
    date: Date,
    practitioner: Option<PractitionerId>,
) -> Result<Vec<(QueueEntry, Place)>> {
    // Each line is counted through once: its entries come in its order, and who is before
    // somebody in the line is before them in the list.
    let mut lines: HashMap<Option<PractitionerId>, (i64, Option<Pace>)> = HashMap::new();
    let mut placed = Vec::new();
    for entry in row::list(read, stamp, date, practitioner)? {
        let place = match entry.status {
            Status::Waiting => {
                let (ahead, pace) = match lines.get_mut(&entry.practitioner) {
                    Some(line) => line,
                    None => {
                        let pace = match entry.practitioner {
                            Some(id) => Some(Pace::of(read, stamp.now, id, date)?),
                            None => None,
                        };
                        lines.entry(entry.practitioner).or_insert((0, pace))
                    }
                };
                let estimate_minutes = pace.as_ref().map(|pace| pace.minutes(*ahead));
                let place = Place { ahead: *ahead, estimate_minutes };
                *ahead += 1;
                place
            }
            Status::Called | Status::Skipped | Status::Finished | Status::Left => Place::NONE,
        };
        placed.push((entry, place));
    }
    Ok(placed)
}

/// What an entry's place is worth.
pub fn place_of(read: &Read<'_>, stamp: &Stamp, entry: &QueueEntry) -> Result<Place> {
    stamp.needs(Right::ReadQueue)?;
    place(read, stamp.now, entry)
}

/// The same, for whoever holds the ticket.
pub(crate) fn place(read: &Read<'_>, now: Timestamp, entry: &QueueEntry) -> Result<Place> {
    match entry.status {
        Status::Waiting => {}
        Status::Called | Status::Skipped | Status::Finished | Status::Left => {
            return Ok(Place::NONE);
        }
    }
    let ahead = read
        .sql()
        .prepare_cached(
            "SELECT count(*) FROM queue_entry
             WHERE date = ?1 AND practitioner IS ?2 AND status = 'waiting'
               AND (due, joined_at, id) < (?3, ?4, ?5)",
        )?
        .query_row(
            (
                entry.date.to_string(),
                entry.practitioner,
                to_ms(entry.due),
                to_ms(entry.joined_at),
                entry.id,
            ),
            |row| row.get(0),
        )?;
    let estimate_minutes = match entry.practitioner {
        Some(practitioner) => Some(Pace::of(read, now, practitioner, entry.date)?.minutes(ahead)),
        None => None,
    };
    Ok(Place { ahead, estimate_minutes })
}

/// What the place of somebody who came now without an appointment would be worth.
pub(crate) fn place_of_next(
    read: &Read<'_>,
    now: Timestamp,
    practitioner: PractitionerId,
    date: Date,
) -> Result<Place> {
    let ahead = read
        .sql()
        .prepare_cached(
            "SELECT count(*) FROM queue_entry
             WHERE date = ?1 AND practitioner = ?2 AND status = 'waiting'",
        )?
        .query_row((date.to_string(), practitioner), |row| row.get(0))?;
    let estimate_minutes = Some(Pace::of(read, now, practitioner, date)?.minutes(ahead));
    Ok(Place { ahead, estimate_minutes })
}

/// How a practitioner's line moves on.
struct Pace {
    /// Minutes until the first of the line is called: what is left until the session begins,
    /// and what the visit of whoever is inside still takes.
    until_first: i64,
    /// What a visit here usually lasts, in minutes.
    visit: i64,
}

impl Pace {
    fn of(
        read: &Read<'_>,
        now: Timestamp,
        practitioner: PractitionerId,
        date: Date,
    ) -> Result<Self> {
        let sessions = sessions_of(read, practitioner, date)?;
        let visit = match usual_minutes(read, practitioner)? {
            Some(minutes) => minutes,
            None => sessions.first().map_or(VISIT_MINUTES, |(_, minutes)| *minutes),
        };
        let since: Option<i64> = read
            .sql()
            .prepare_cached(
                "SELECT max(called_at) FROM queue_entry
                 WHERE date = ?1 AND practitioner = ?2 AND status = 'called'",
            )?
            .query_row((date.to_string(), practitioner), |row| row.get(0))?;
        let inside = since.map_or(0, |since| (visit - (to_ms(now) - since) / 60_000).max(1));
        let running = sessions.iter().any(|(session, _)| session.start <= now && now < session.end);
        let until_start = if running || since.is_some() {
            0
        } else {
            let next = sessions.iter().map(|(session, _)| session.start).filter(|s| *s > now).min();
            next.map_or(0, |start| (start.as_second() - now.as_second()) / 60)
        };
        Ok(Self { until_first: until_start + inside, visit })
    }

    /// The minutes until somebody is called who has so many before them.
    fn minutes(&self, ahead: i64) -> i64 {
        self.until_first + ahead * self.visit
    }
}

fn usual_minutes(read: &Read<'_>, practitioner: PractitionerId) -> Result<Option<i64>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT finished_at - called_at FROM queue_entry INDEXED BY queue_entry_line
         WHERE practitioner = ?1 AND status = 'finished' AND called_at IS NOT NULL
           AND date >= (SELECT date(max(date), '-14 days') FROM queue_entry)
         ORDER BY date DESC, due DESC LIMIT ?2",
    )?;
    let rows = statement.query_map((practitioner, VISITS_LOOKED_AT), |row| row.get(0))?;
    let mut lengths = rows.collect::<rusqlite::Result<Vec<i64>>>()?;
    lengths.sort_unstable();
    // The median: one forgotten "finish" must not frighten the waiting room.
    Ok(lengths.get(lengths.len() / 2).map(|length| (length / 60_000).clamp(2, 60)))
}

fn sessions_of(
    read: &Read<'_>,
    practitioner: PractitionerId,
    date: Date,
) -> Result<Vec<(Session, i64)>> {
    let zone = clinic::get(read)?.zone;
    let schedules = schedule::in_use(read, Some(practitioner))?;
    let held = schedules.iter().filter(|schedule| schedule.is_on(date));
    Ok(held
        .map(|schedule| (Session::of(schedule, &zone, date), i64::from(schedule.slot_minutes)))
        .collect())
}
