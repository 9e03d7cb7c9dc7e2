//! The slots of one day of a session, lane by lane: what may be lent, and what is.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Length, Session, Taken, at_second, booked_in_session};
use crate::clinic;
use crate::db::Read;
use crate::error::Result;
use crate::id::SlotId;
use crate::schedule::{self, Schedule};
use crate::stamp::{Right, Stamp};
use crate::time::{next_day, start_of_day};

/// Who has a lane of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneUse {
    /// Nobody.
    Free,
    /// The hub.
    Lent,
}

/// One place of a slot that is not booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The slot.
    pub slot: SlotId,
    /// Which of the places of the slot, from 0.
    pub lane: i64,
    /// The end of the slot.
    pub end: Timestamp,
    /// Who has it.
    pub used: LaneUse,
}

/// The places of a session on a local date that are free or lent, by start and lane, and how many
/// patients the session still takes beside those that are booked and lent, if that is bounded. Of a day on which
/// the practitioner is away there are none.
pub fn lanes_of_day(
    read: &Read<'_>,
    stamp: &Stamp,
    schedule: &Schedule,
    date: Date,
) -> Result<(Vec<Lane>, Option<i64>)> {
    stamp.needs(Right::ReadDiary)?;
    let away = schedule::away(read, schedule.practitioner, date, next_day(date))?;
    if !schedule.is_on(date) || !away.is_empty() {
        return Ok((Vec::new(), None));
    }
    let zone = clinic::get(read)?.zone;
    let bounds = (start_of_day(&zone, date), start_of_day(&zone, next_day(date)));
    let taken = Taken::load(read, schedule.practitioner.as_bytes(), bounds, stamp.now)?;
    let session = Session::of(schedule, &zone, date);
    let left = match schedule.session_capacity {
        Some(capacity) => {
            Some((capacity - booked_in_session(read, schedule, &session, stamp.now)?).max(0))
        }
        None => None,
    };
    let visit = Length::of(schedule, None).minutes * 60;
    let mut lanes = Vec::new();
    let mut second = session.start.as_second();
    while second + visit <= session.end.as_second() {
        let lent = taken.lent_lanes(second, second + visit, schedule.slot_capacity);
        for lane in 0..schedule.slot_capacity {
            let used = if lent.contains(&lane) {
                LaneUse::Lent
            } else if taken.is_free(second, second + visit, lane) {
                LaneUse::Free
            } else {
                continue;
            };
            let slot = SlotId::new(schedule.id, at_second(second));
            lanes.push(Lane { slot, lane, end: at_second(second + visit), used });
        }
        second += visit;
    }
    Ok((lanes, left))
}
