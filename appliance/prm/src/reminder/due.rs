//! Of which visits people are to be reminded, and when.

use jiff::{SignedDuration, Timestamp};

use super::LATEST_MINUTES;
use crate::appointment::{self, Appointment};
use crate::change;
use crate::db::Read;
use crate::error::Result;
use crate::id::{AppointmentId, ReminderRuleId};
use crate::message::Quiet;
use crate::patient;
use crate::reminder_rule::{self, ReminderRule};
use crate::stamp::{Right, Stamp};
use crate::time::{at_local_minute, local_date, plus_minutes, to_ms};

/// As far may the quiet hours bring a reminder forward, in minutes.
const FORWARD_MINUTES_MAX: i64 = 24 * 60;
/// As many visits are looked at for one rule.
const LOOKED_AT_MAX: u32 = 200_000;

/// A visit of which somebody is to be reminded.
#[derive(Clone, Debug)]
pub struct Due {
    /// The visit.
    pub appointment: Appointment,
    /// By this rule.
    pub rule: ReminderRule,
    /// From this time on: its time by the rule, or the evening before if that is in the quiet hours.
    pub at: Timestamp,
    /// After this it would come too late.
    pub not_after: Timestamp,
}

/// When a rule reminds of a start: outside the quiet hours, and no later than the rule says.
fn time_of(rule: &ReminderRule, start: Timestamp, quiet: &Quiet) -> Timestamp {
    let at = plus_minutes(start, -rule.before_minutes);
    match quiet.until(at) {
        None => at,
        // The hours began on this day or the one before.
        Some(_) => {
            let begin = |date| at_local_minute(&quiet.zone, date, quiet.from);
            let today = local_date(&quiet.zone, at);
            let began = if begin(today) <= at { begin(today) } else { begin(before(today)) };
            began.checked_sub(SignedDuration::from_mins(1)).unwrap_or(at)
        }
    }
}

fn before(date: jiff::civil::Date) -> jiff::civil::Date {
    date.yesterday().unwrap_or(date)
}

/// The reminders whose time has come `until` a time, by the start of the visit, at most `limit`: until now they are to be
/// said, until a later time they are for whoever wants to see them beforehand.
pub fn due(
    read: &Read<'_>,
    stamp: &Stamp,
    quiet: &Quiet,
    (until, limit): (Timestamp, usize),
) -> Result<Vec<Due>> {
    stamp.needs(Right::Converse)?;
    let rules = reminder_rule::list(read, stamp)?;
    let first = plus_minutes(stamp.now, LATEST_MINUTES);
    let mut found: Vec<Due> = Vec::new();
    for rule in rules.iter().filter(|rule| rule.active) {
        let last = plus_minutes(until, rule.before_minutes + FORWARD_MINUTES_MAX);
        for (id, start) in open(read, rule.id, (first, last))? {
            let at = time_of(rule, start, quiet);
            if at > until {
                continue;
            }
            let appointment = appointment::get(read, stamp, id)?;
            let followed = reminder_rule::of_visit(&rules, appointment.healthcare_service);
            let is_followed = followed.iter().any(|it| it.id == rule.id);
            // Another one whose time has come, too, is nearer to the visit and says the same.
            let is_overtaken = followed.iter().any(|it| {
                it.before_minutes < rule.before_minutes && time_of(it, start, quiet) <= stamp.now
            });
            if !is_followed || is_overtaken || !is_wanted(read, stamp, &appointment, at)? {
                continue;
            }
            let not_after = plus_minutes(start, -LATEST_MINUTES);
            found.push(Due { appointment, rule: rule.clone(), at, not_after });
            if found.len() >= limit {
                return Ok(found);
            }
        }
    }
    found.sort_by_key(|it| (it.appointment.start, it.appointment.id));
    Ok(found)
}

/// Whether somebody wants to be reminded, and did not settle the visit after the reminder's time.
fn is_wanted(
    read: &Read<'_>,
    stamp: &Stamp,
    appointment: &Appointment,
    at: Timestamp,
) -> Result<bool> {
    let patient = patient::get(read, stamp, appointment.patient)?;
    if !patient.reminders || !patient.active {
        return Ok(false);
    }
    let settled = change::made_at(read, appointment.id.as_bytes(), appointment.version)?;
    Ok(settled.is_none_or(|settled| settled <= at))
}

/// The visits between two times of which this rule has not reminded.
fn open(
    read: &Read<'_>,
    rule: ReminderRuleId,
    (first, last): (Timestamp, Timestamp),
) -> Result<Vec<(AppointmentId, Timestamp)>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT a.id, a.start FROM appointment a
         WHERE a.start > ?1 AND a.start <= ?2 AND a.status = 'booked'
           AND NOT EXISTS (SELECT 1 FROM reminder r
                           WHERE r.appointment = a.id AND r.rule = ?3 AND r.start = a.start)
         ORDER BY a.start, a.id LIMIT ?4",
    )?;
    let values = (to_ms(first), to_ms(last), rule, LOOKED_AT_MAX);
    let rows =
        statement.query_map(values, |row| Ok((row.get(0)?, crate::time::from_ms(row.get(1)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
