//! Slots: times of sessions, computed when they are asked for and never stored.
//!
//! A session is cut into slots on the days of leave and on closed days, too: nobody is seen then, and
//! the slots say so.

use fhir::search::{Chained, Condition, Prefix, Query, Value};
use fhir::slot::{self as slot_resource, Status};
use fhir::{Here, IssueCode, Outcome};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use prm::appointment::{self, Filter};
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::{Noun, PractitionerId, ScheduleId, SlotId};
use prm::practitioner;
use prm::schedule::{self, Schedule};
use prm::slot::{self, SEARCH_DAYS_MAX, Search, Slot};
use prm::stamp::Stamp;
use prm::time::{at_local_minute, from_ms, local_date, next_day, plus_minutes};

use super::records::Found;

/// Days that are searched if the caller does not say to when.
const DAYS_DEFAULT: i64 = 14;
/// The longest visit that a slot may be taken by, in hours.
const VISIT_HOURS_MAX: i64 = 12;

/// What orders slots.
pub type Place = (Timestamp, PractitionerId, SlotId);

/// Which slots a search can be about.
#[derive(Clone, Debug)]
pub struct Span {
    practitioner: Option<PractitionerId>,
    /// The slots themselves, where they are named.
    ids: Option<Vec<SlotId>>,
    from: Date,
    to: Date,
    /// Whether only those are wanted that can be booked.
    only_free: bool,
    /// Until when is looked, if the caller did not say.
    pub unasked_end: Option<Timestamp>,
}

/// The slot of this id.
///
/// # Errors
/// *Not found* if no session has it.
pub fn one(read: &Read<'_>, stamp: &Stamp, here: Here<'_>, id: &str) -> Result<Found> {
    let none = || Error::NotFound(Noun::Slot);
    let slot: SlotId = id.parse().map_err(|_| none())?;
    if slot.to_string() != id {
        return Err(none());
    }
    let schedule = schedule::get(read, stamp, slot.schedule)?;
    let day = local_date(&here.clinic.zone, slot.start());
    let span = Span {
        practitioner: Some(schedule.practitioner),
        ids: Some(vec![slot]),
        from: day,
        to: next_day(day),
        only_free: false,
        unasked_end: None,
    };
    let found = list(read, stamp, here, &span, None, 1)?.into_iter().next();
    found.map(|(slot, status)| shown(&slot, status, here)).ok_or_else(none)
}

/// A slot as a resource.
pub fn shown(slot: &Slot, status: Status, here: Here<'_>) -> Found {
    let resource = slot_resource::write(slot, status, None, here);
    Found { resource, at: None, whose: Vec::new() }
}

impl Span {
    /// Some days of everybody, `to` not included.
    pub fn days(from: Date, to: Date) -> Self {
        Self { practitioner: None, ids: None, from, to, only_free: false, unasked_end: None }
    }

    /// The stretch that a search is about: what it says of `start` and `schedule`, else the next
    /// fortnight of everybody.
    ///
    /// # Errors
    /// If it is longer than is computed at once.
    pub fn of(
        read: &Read<'_>,
        stamp: &Stamp,
        here: Here<'_>,
        query: &Query,
    ) -> std::result::Result<Self, Outcome> {
        let zone = &here.clinic.zone;
        let plain = |name: &'static str| {
            let all = query.conditions.iter();
            all.filter(move |it| it.parameter.name == name && it.modifier.is_none())
        };
        let ids: Option<Vec<SlotId>> =
            plain("_id").next().map(|it| it.any.iter().filter_map(slot_id).collect());
        let (mut lower, mut upper): (Option<i64>, Option<i64>) = (None, None);
        for condition in plain("start") {
            let (from, to) = hull(condition);
            lower = lower.max(from);
            upper = [upper, to].into_iter().flatten().min();
        }
        let fortnight = SignedDuration::from_hours(24 * DAYS_DEFAULT);
        let upper = upper.map(from_ms);
        let begin = match (lower.map(from_ms), upper) {
            (Some(lower), _) => lower,
            (None, Some(upper)) if upper <= stamp.now => {
                upper.checked_sub(fortnight).unwrap_or(Timestamp::MIN)
            }
            (None, Some(_) | None) => stamp.now,
        };
        let fortnight_later = begin.checked_add(fortnight).unwrap_or(Timestamp::MAX);
        let end = upper.unwrap_or(fortnight_later).max(begin);
        let (mut from, mut to) = (local_date(zone, begin), next_day(local_date(zone, end)));
        if let Some(ids) = &ids {
            let days = ids.iter().map(|id| local_date(zone, id.start()));
            from = days.clone().min().unwrap_or(from);
            to = days.max().map_or(to, next_day);
        }
        if (to - from).get_days() > SEARCH_DAYS_MAX {
            let what = format!("ask for the slots of at most {SEARCH_DAYS_MAX} days, with start");
            return Err(Outcome::error(IssueCode::TooCostly, what));
        }
        let free = |it: &Condition| it.any.iter().all(|value| is_code(value, "free"));
        Ok(Self {
            practitioner: whose(read, stamp, query),
            only_free: plain("status").any(free),
            unasked_end: (upper.is_none() && ids.is_none()).then_some(end),
            ids,
            from,
            to,
        })
    }
}

/// The outer limits of what a condition on a time lets through.
fn hull(condition: &Condition) -> (Option<i64>, Option<i64>) {
    let (mut lower, mut upper) = (Some(i64::MAX), Some(i64::MIN));
    for value in &condition.any {
        let Value::Date { prefix, from_ms, to_ms } = value else { return (None, None) };
        let (from, to) = match prefix {
            Prefix::Eq | Prefix::Ap => (Some(*from_ms), Some(*to_ms)),
            Prefix::Gt | Prefix::Ge | Prefix::Sa => (Some(*from_ms), None),
            Prefix::Lt | Prefix::Le | Prefix::Eb => (None, Some(*to_ms)),
            Prefix::Ne => (None, None),
        };
        lower = lower.zip(from).map(|(one, other)| one.min(other));
        upper = upper.zip(to).map(|(one, other)| one.max(other));
    }
    (lower, upper)
}

fn slot_id(value: &Value) -> Option<SlotId> {
    let Value::Token { system: _, code: Some(code) } = value else { return None };
    code.parse().ok()
}

fn is_code(value: &Value, wanted: &str) -> bool {
    matches!(value, Value::Token { code: Some(code), .. } if code == wanted)
}

/// The one practitioner whose slots are wanted, if it can be told.
fn whose(read: &Read<'_>, stamp: &Stamp, query: &Query) -> Option<PractitionerId> {
    let id = |value: &Value| match value {
        Value::Reference { type_: _, id } => Some(id.clone()),
        Value::Token { .. }
        | Value::Url(_)
        | Value::Date { .. }
        | Value::Text { .. }
        | Value::Number { .. }
        | Value::Uri(_)
        | Value::Flag(_) => None,
    };
    let mut found: Vec<Option<PractitionerId>> = Vec::new();
    for condition in query.conditions.iter().filter(|it| it.parameter.name == "schedule") {
        for value in &condition.any {
            let schedule = id(value).and_then(|id| id.parse::<ScheduleId>().ok());
            let schedule = schedule.and_then(|id| schedule::get(read, stamp, id).ok());
            found.push(schedule.map(|schedule| schedule.practitioner));
        }
    }
    for Chained { by, any } in &query.chained {
        for (_, condition) in any {
            if by.name == "schedule" && condition.parameter.name == "actor" {
                let actors = condition.any.iter().map(|value| id(value)?.parse().ok());
                found.extend(actors);
            }
        }
    }
    let one = found.first().copied().flatten()?;
    let is_alone = found.iter().all(|it| *it == Some(one));
    // A room or a service is an actor, too: then it is nobody's slots that are wanted.
    practitioner::get(read, stamp, one).ok().map(|found| found.id).filter(|_| is_alone)
}

/// The slots of a stretch in order, after a place and at most `limit`, each with where it stands.
///
/// # Errors
/// *Forbidden*, or those of the database.
pub fn list(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    span: &Span,
    after: Option<Place>,
    limit: usize,
) -> Result<Vec<(Slot, Status)>> {
    let Span { practitioner, ids, from, to, only_free, unasked_end: _ } = span;
    let search = Search {
        practitioner: *practitioner,
        specialty: None,
        service: None,
        from: *from,
        to: *to,
        all: !only_free,
        limit: if ids.is_some() { slot::SLOTS_MAX } else { limit },
    };
    let open = slot::list_after(read, stamp, &search, after)?;
    let is_whole = open.len() < search.limit;
    let last = open.last().map(Slot::place).filter(|_| !is_whole);
    let mut slots: Vec<(Slot, bool)> = open.into_iter().map(|slot| (slot, true)).collect();
    if !only_free {
        let closed = closed(read, stamp, here, span)?.into_iter();
        let in_reach = closed.filter(|slot| {
            after.is_none_or(|after| slot.place() > after)
                && last.is_none_or(|last| slot.place() < last)
        });
        slots.extend(in_reach.map(|slot| (slot, false)));
        slots.sort_by_key(|(slot, _)| slot.place());
    }
    if let Some(ids) = ids {
        slots.retain(|(slot, _)| ids.contains(&slot.id));
    }
    slots.truncate(limit);
    let holds = holds(read, stamp, &slots, *practitioner)?;
    let status = |slot: &Slot, is_open: bool| match (is_open, slot.free > 0) {
        (false, _) => Status::BusyUnavailable,
        (true, true) if slot.start < stamp.now => Status::BusyUnavailable,
        (true, true) => Status::Free,
        (true, false) if holds.iter().any(|hold| hold.is_in(slot)) => Status::BusyTentative,
        (true, false) => Status::Busy,
    };
    Ok(slots
        .into_iter()
        .map(|(slot, is_open)| {
            let status = status(&slot, is_open);
            (slot, status)
        })
        .collect())
}

/// A time that is held for somebody who has not said yes.
struct Hold {
    practitioner: PractitionerId,
    start: Timestamp,
    end: Timestamp,
}

impl Hold {
    fn is_in(&self, slot: &Slot) -> bool {
        self.practitioner == slot.practitioner && self.start < slot.end && self.end > slot.start
    }
}

/// The holds that stand around these slots.
fn holds(
    read: &Read<'_>,
    stamp: &Stamp,
    slots: &[(Slot, bool)],
    practitioner: Option<PractitionerId>,
) -> Result<Vec<Hold>> {
    let taken = slots.iter().filter(|(slot, is_open)| *is_open && slot.free == 0);
    let (Some(from), Some(to)) =
        (taken.clone().map(|(slot, _)| slot.start).min(), taken.map(|(slot, _)| slot.end).max())
    else {
        return Ok(Vec::new());
    };
    let filter = Filter {
        from: from.checked_sub(SignedDuration::from_hours(VISIT_HOURS_MAX)).ok(),
        to: Some(to),
        practitioner,
        status: Some(appointment::Status::Pending),
        ..Filter::default()
    };
    let pending = appointment::list(read, stamp, &filter, appointment::LIST_MAX)?;
    let stands = pending.into_iter().filter(|it| it.hold_until.is_none_or(|it| it > stamp.now));
    let hold = stands.map(|it| Hold {
        practitioner: it.practitioner,
        start: it.start,
        end: it.blocked_to,
    });
    Ok(hold.collect())
}

/// The slots of days on which nobody is seen.
fn closed(read: &Read<'_>, stamp: &Stamp, here: Here<'_>, span: &Span) -> Result<Vec<Slot>> {
    let mut slots = Vec::new();
    let mut away = None;
    let practitioners = practitioner::list(read, stamp)?;
    let sees = |id| practitioners.iter().any(|it| it.id == id && it.active);
    let schedules = schedule::list(read, stamp, span.practitioner)?;
    for schedule in schedules.into_iter().filter(|schedule| sees(schedule.practitioner)) {
        let whose = schedule.practitioner;
        if away.as_ref().is_none_or(|(practitioner, _)| *practitioner != whose) {
            away = Some((whose, schedule::away(read, whose, span.from, span.to)?));
        }
        let dates = away.iter().flat_map(|(_, dates)| dates);
        for date in dates.filter(|date| schedule.is_on(**date)) {
            slots.extend(of_day(&schedule, here, *date));
        }
    }
    Ok(slots)
}

/// The slots of a session on a day, as they would be if it was held.
fn of_day(schedule: &Schedule, here: Here<'_>, date: Date) -> Vec<Slot> {
    let zone = &here.clinic.zone;
    let end = at_local_minute(zone, date, schedule.end_minute);
    let minutes = i64::from(schedule.slot_minutes);
    let mut start = at_local_minute(zone, date, schedule.start_minute);
    let mut slots = Vec::new();
    while plus_minutes(start, minutes) <= end {
        slots.push(Slot {
            id: SlotId::new(schedule.id, start),
            practitioner: schedule.practitioner,
            location: schedule.location,
            start,
            end: plus_minutes(start, minutes),
            free: 0,
            lent: false,
        });
        start = plus_minutes(start, minutes);
    }
    slots
}
