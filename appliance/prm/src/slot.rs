//! The times that can be booked, computed from schedules, absences and claims (FHIR Slot).
//!
//! Invariant: a slot is never stored; its id is the schedule and the start.
//!
//! A session is cut into slots by elapsed time from its first minute. So a session that spans
//! the jump of the clock in spring has an hour of slots less, one in autumn an hour more, and
//! neither has a slot at a time that does not exist.

mod lane;
mod nearest;
mod taken;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use self::lane::{Lane, LaneUse, lanes_of_day};
pub use self::nearest::{ALTERNATIVES_MAX, nearest};
pub(crate) use self::taken::{OVERBOOK_LANE, Taken, booked_in_session};
use crate::clinic;
use crate::db::Read;
use crate::error::{Code, Error, Result};
use crate::healthcare_service::{self, HealthcareService};
use crate::id::{HealthcareServiceId, LocationId, PractitionerId, SlotId};
use crate::practitioner;
use crate::schedule::{self, Schedule};
use crate::stamp::{Right, Stamp};
use crate::time::{at_local_minute, local_date, next_day, plus_minutes, start_of_day};

/// The longest stretch that one search covers, in days.
pub const SEARCH_DAYS_MAX: i32 = 62;
/// Slots that one search answers at the most.
pub const SLOTS_MAX: usize = 10_000;

/// A time that can be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The id: schedule and start.
    pub id: SlotId,
    /// With whom.
    pub practitioner: PractitionerId,
    /// Where.
    pub location: Option<LocationId>,
    /// The start.
    pub start: Timestamp,
    /// The end.
    pub end: Timestamp,
    /// How many more patients it takes.
    pub free: i64,
    /// Whether it is lent to the hub, as far as nobody has booked it.
    pub lent: bool,
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Search {
    /// With this practitioner.
    pub practitioner: Option<PractitionerId>,
    /// With anybody of this speciality.
    pub specialty: Option<String>,
    /// Long enough for this service, with everything it needs.
    pub service: Option<HealthcareServiceId>,
    /// From the beginning of this local date.
    pub from: Date,
    /// To before this local date.
    pub to: Date,
    /// Taken and past slots as well.
    pub all: bool,
    /// At most so many.
    pub limit: usize,
}

impl Slot {
    /// What orders slots.
    pub fn place(&self) -> (Timestamp, PractitionerId, SlotId) {
        (self.start, self.practitioner, self.id)
    }
}

/// The slots that a search finds, by start, then practitioner.
pub fn list(read: &Read<'_>, stamp: &Stamp, search: &Search) -> Result<Vec<Slot>> {
    list_after(read, stamp, search, None)
}

/// The slots that a search finds after the place of one of them. The most that is answered is
/// one more than [`SLOTS_MAX`], so that it can be told whether there are more.
pub fn list_after(
    read: &Read<'_>,
    stamp: &Stamp,
    search: &Search,
    after: Option<(Timestamp, PractitionerId, SlotId)>,
) -> Result<Vec<Slot>> {
    let mut slots = each_after(read, stamp, search, after)?;
    slots.truncate(search.limit.min(SLOTS_MAX + 1));
    Ok(slots)
}

/// All that a search finds, whatever its limit, so that they can be counted, and left out by what
/// slots do not know. It takes as long as the first page of them.
pub fn each(read: &Read<'_>, stamp: &Stamp, search: &Search) -> Result<Vec<Slot>> {
    each_after(read, stamp, search, None)
}

fn each_after(
    read: &Read<'_>,
    stamp: &Stamp,
    search: &Search,
    after: Option<(Timestamp, PractitionerId, SlotId)>,
) -> Result<Vec<Slot>> {
    stamp.needs(Right::ReadDiary)?;
    if search.to <= search.from || (search.to - search.from).get_days() > SEARCH_DAYS_MAX {
        return Err(Error::invalid(
            "to",
            format!("`to` is after `from`, by at most {SEARCH_DAYS_MAX} days"),
        ));
    }
    let zone = clinic::get(read)?.zone;
    let service = search.service.map(|id| healthcare_service::active(read, id)).transpose()?;
    let schedules = schedule::in_use(read, search.practitioner)?;
    let first = after.map_or(search.from, |(start, ..)| local_date(&zone, start).max(search.from));
    let mut slots = Vec::new();
    for practitioner in wanted(read, search, service.as_ref())? {
        let own = schedules.iter().filter(|schedule| schedule.practitioner == practitioner.0);
        let stretch = (first, search.to);
        let days = Days::load(read, stamp, &zone, practitioner, own.collect(), stretch)?;
        days.slots(read, service.as_ref(), search.all, &mut slots)?;
    }
    // Stable, because that is the quicker one for slots that are in order session by session.
    slots.sort_by_key(Slot::place);
    if let Some(after) = after {
        slots.retain(|slot| slot.place() > after);
    }
    Ok(slots)
}

/// A slot that a schedule really offers, and what booking it would take.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) schedule: Schedule,
    pub(crate) location: Option<LocationId>,
    pub(crate) session: Session,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// The end of the claims: the end and the buffer.
    pub(crate) blocked_to: Timestamp,
    /// The rooms and equipment of the service.
    pub(crate) locations: Vec<LocationId>,
}

/// Looks up what a slot offers, whether or not it is taken; refused when no session has it.
pub(crate) fn offered(
    read: &Read<'_>,
    id: SlotId,
    service: Option<HealthcareServiceId>,
) -> Result<Offer> {
    let gone =
        |detail: &str| Error::refused(Code::SlotUnavailable, format!("{detail}; choose another"));
    let schedule = schedule::find(read, id.schedule)
        .map_err(|_| gone("this slot belongs to no session of the clinic"))?;
    let (usual_location, _) = practitioner::active(read, schedule.practitioner)
        .map_err(|_| gone("this practitioner is not seeing patients"))?;
    let zone = clinic::get(read)?.zone;
    let service = service.map(|id| healthcare_service::active(read, id)).transpose()?;
    if let Some(service) = &service
        && !service.is_done_by(schedule.practitioner)
    {
        return Err(Error::invalid(
            "service_id",
            "this practitioner does not do this; choose another practitioner or service",
        ));
    }
    let start = id.start();
    let date = local_date(&zone, start);
    if !schedule.is_on(date) {
        return Err(gone("the session of this slot is not held on that day"));
    }
    if !schedule::away(read, schedule.practitioner, date, next_day(date))?.is_empty() {
        return Err(gone("the practitioner is away on that day"));
    }
    let session = Session::of(&schedule, &zone, date);
    let length = Length::of(&schedule, service.as_ref());
    if !session.has(start, &schedule, &length) {
        return Err(gone("the session has no such slot"));
    }
    Ok(Offer {
        location: schedule.location.or(usual_location),
        session,
        start,
        end: plus_minutes(start, length.minutes),
        blocked_to: plus_minutes(start, length.minutes + length.buffer),
        locations: service.map(|service| service.locations).unwrap_or_default(),
        schedule,
    })
}

/// The slot of a practitioner that starts at `start`, in whichever session has it.
pub(crate) fn starting_at(
    read: &Read<'_>,
    practitioner: PractitionerId,
    start: Timestamp,
) -> Result<Option<SlotId>> {
    for schedule in schedule::in_use(read, Some(practitioner))? {
        let id = SlotId::new(schedule.id, start);
        if offered(read, id, None).is_ok() {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// One session of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl Session {
    pub(crate) fn of(schedule: &Schedule, zone: &TimeZone, date: Date) -> Self {
        Self {
            start: at_local_minute(zone, date, schedule.start_minute),
            end: at_local_minute(zone, date, schedule.end_minute),
        }
    }

    fn has(&self, start: Timestamp, schedule: &Schedule, length: &Length) -> bool {
        let since = start.as_second() - self.start.as_second();
        since >= 0
            && since % (i64::from(schedule.slot_minutes) * 60) == 0
            && plus_minutes(start, length.minutes) <= self.end
    }
}

/// How long a visit takes, and how long everybody needs afterwards, in minutes.
struct Length {
    minutes: i64,
    buffer: i64,
}

impl Length {
    fn of(schedule: &Schedule, service: Option<&HealthcareService>) -> Self {
        match service {
            Some(service) => {
                Self { minutes: service.duration_minutes, buffer: service.buffer_minutes }
            }
            None => Self { minutes: i64::from(schedule.slot_minutes), buffer: 0 },
        }
    }
}

/// A stretch of one practitioner's days: sessions, absences, and what is taken.
struct Days<'z> {
    zone: &'z TimeZone,
    now: Timestamp,
    practitioner: PractitionerId,
    usual_location: Option<LocationId>,
    schedules: Vec<&'z Schedule>,
    dates: Vec<Date>,
    taken: Taken,
    bounds: (Timestamp, Timestamp),
}

impl<'z> Days<'z> {
    fn load(
        read: &Read<'_>,
        stamp: &Stamp,
        zone: &'z TimeZone,
        (practitioner, usual_location): (PractitionerId, Option<LocationId>),
        schedules: Vec<&'z Schedule>,
        (from, to): (Date, Date),
    ) -> Result<Self> {
        let away = schedule::away(read, practitioner, from, to)?;
        let dates = days(from, to).filter(|date| !away.contains(date)).collect();
        let bounds = (start_of_day(zone, from), start_of_day(zone, to));
        Ok(Self {
            zone,
            now: stamp.now,
            practitioner,
            usual_location,
            schedules,
            dates,
            taken: Taken::load(read, practitioner.as_bytes(), bounds, stamp.now)?,
            bounds,
        })
    }

    fn slots(
        &self,
        read: &Read<'_>,
        service: Option<&HealthcareService>,
        all: bool,
        slots: &mut Vec<Slot>,
    ) -> Result<()> {
        let mut rooms = Vec::new();
        for location in service.map(|service| service.locations.as_slice()).unwrap_or_default() {
            rooms.push(Taken::load(read, location.as_bytes(), self.bounds, self.now)?);
        }
        for schedule in &self.schedules {
            let length = Length::of(schedule, service);
            for date in self.dates.iter().filter(|date| schedule.is_on(**date)) {
                let session = Session::of(schedule, self.zone, *date);
                let left = match schedule.session_capacity {
                    Some(capacity) => {
                        (capacity - booked_in_session(read, schedule, &session, self.now)?).max(0)
                    }
                    None => i64::MAX,
                };
                // Whole seconds: there are thousands of slots, and calendar arithmetic is dear.
                let (visit, step) = (length.minutes * 60, i64::from(schedule.slot_minutes) * 60);
                let mut second = session.start.as_second();
                while second + visit <= session.end.as_second() {
                    let blocked_to = second + visit + length.buffer * 60;
                    let mut free =
                        self.taken.free_lanes(second, blocked_to, schedule.slot_capacity).min(left);
                    if rooms.iter().any(|room| room.free_lanes(second, blocked_to, 1) == 0) {
                        free = 0;
                    }
                    let capacity = schedule.slot_capacity;
                    let lent = !self.taken.lent_lanes(second, blocked_to, capacity).is_empty();
                    let start = at_second(second);
                    if all || (free > 0 && start >= self.now) {
                        slots.push(Slot {
                            id: SlotId::new(schedule.id, start),
                            practitioner: self.practitioner,
                            location: schedule.location.or(self.usual_location),
                            start,
                            end: at_second(second + visit),
                            free,
                            lent,
                        });
                    }
                    second += step;
                }
            }
        }
        Ok(())
    }
}

/// The practitioners that a search is about, with their usual rooms.
fn wanted(
    read: &Read<'_>,
    search: &Search,
    service: Option<&HealthcareService>,
) -> Result<Vec<(PractitionerId, Option<LocationId>)>> {
    let specialty = search.specialty.as_deref().map(practitioner::specialty).transpose()?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, location FROM practitioner p
         WHERE active = 1 AND (?1 IS NULL OR id = ?1)
           AND (?2 IS NULL OR EXISTS (SELECT 1 FROM practitioner_specialty s
                                      WHERE s.practitioner = p.id AND s.specialty = ?2))
         ORDER BY id",
    )?;
    let rows = statement
        .query_map((search.practitioner, specialty), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut wanted = rows.collect::<rusqlite::Result<Vec<(PractitionerId, _)>>>()?;
    if let Some(service) = service {
        wanted.retain(|(practitioner, _)| service.is_done_by(*practitioner));
    }
    Ok(wanted)
}

/// So many seconds since 1970, at the end of the calendar clamped.
fn at_second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

fn days(from: Date, to: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(from), |date| Some(next_day(*date)))
        .take_while(move |date| *date < to)
}

#[cfg(test)]
mod tests;
