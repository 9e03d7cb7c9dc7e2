//! The days, times, lengths and capacities of a session, as an extension of `Schedule`.

use prm::schedule::{Schedule, Weekdays};
use serde_json::Value;

use crate::element::{self, Map};
use crate::extension::{self, Extension, with};

/// What makes the slots of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// On which days.
    pub(super) weekdays: Weekdays,
    /// Minutes after local midnight.
    pub(super) start_minute: u16,
    /// Minutes after local midnight; 1440 is the next.
    pub(super) end_minute: u16,
    /// The length of a slot, in minutes.
    pub(super) slot_minutes: u16,
    /// Patients per slot.
    pub(super) slot_capacity: i64,
    /// Patients per session, if bounded.
    pub(super) session_capacity: Option<i64>,
}

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// The extension that says so.
pub(super) const WEEKLY_SESSION: Extension<Session> =
    Extension { url: extension::WEEKLY_SESSION, most: 1, read, write };

impl Session {
    /// The session that a record holds.
    pub(super) fn of(schedule: &Schedule) -> Self {
        Self {
            weekdays: schedule.weekdays,
            start_minute: schedule.start_minute,
            end_minute: schedule.end_minute,
            slot_minutes: schedule.slot_minutes,
            slot_capacity: schedule.slot_capacity,
            session_capacity: schedule.session_capacity,
        }
    }
}

/// A time of the day as the verbs read it, such as `09:00`; `24:00` is the next midnight.
pub(super) fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn read(entry: &Map) -> Option<Session> {
    let number = |name| element::whole(extension::first(entry, name)?, "valuePositiveInt");
    let time = |name| minute(element::text(extension::first(entry, name)?, "valueTime")?);
    let elements = element::list(entry, "extension");
    let days = extension::all(elements, "dayOfWeek")
        .map(|(_, day)| element::text(day, "valueCode").map(str::to_owned))
        .collect::<Option<Vec<_>>>()?;
    let end_minute = match time("end")? {
        0 => DAY,
        minute => minute,
    };
    Some(Session {
        weekdays: Weekdays::parse(&days).ok()?,
        start_minute: time("start")?,
        end_minute,
        slot_minutes: u16::try_from(number("slotMinutes")?).ok()?,
        slot_capacity: number("slotCapacity").unwrap_or(1),
        session_capacity: number("sessionCapacity"),
    })
}

fn write(url: &'static str, session: &Session) -> Value {
    let Session {
        weekdays,
        start_minute,
        end_minute,
        slot_minutes,
        slot_capacity,
        session_capacity,
    } = session;
    let time = |name, minute: u16| with(name, "valueTime", format!("{}:00", clock(minute % DAY)));
    let number = |name, number: i64| with(name, "valuePositiveInt", number);
    let mut elements: Vec<Value> =
        weekdays.words().into_iter().map(|day| with("dayOfWeek", "valueCode", day)).collect();
    elements.push(time("start", *start_minute));
    elements.push(time("end", *end_minute));
    elements.push(number("slotMinutes", i64::from(*slot_minutes)));
    elements.push(number("slotCapacity", *slot_capacity));
    elements.extend(session_capacity.map(|most| number("sessionCapacity", most)));
    extension::of(url, elements)
}

/// The minute of the day of a `time`, which has seconds; whole minutes only.
fn minute(time: &str) -> Option<u16> {
    let mut parts = time.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = second.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (whole && hour < 24 && minute < 60 && parts.next().is_none()).then_some(hour * 60 + minute)
}
