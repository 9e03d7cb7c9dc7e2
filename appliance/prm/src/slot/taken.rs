//! Which lanes of an actor's ticks are claimed.

use jiff::Timestamp;

use super::Session;
use crate::db::Read;
use crate::error::Result;
use crate::schedule::Schedule;
use crate::time::{TICK_MINUTES, Ticks, tick, to_ms};

/// The first lane of deliberate overbookings; lanes below it are capacity.
pub(crate) const OVERBOOK_LANE: i64 = 1_000;
/// The most lanes of capacity, as bits of a mask.
const LANES_MAX: i64 = 100;

/// The claimed lanes of one actor (a practitioner, a room, a piece of equipment) over a stretch.
pub(crate) struct Taken {
    first: i64,
    /// All of them.
    lanes: Vec<u128>,
    /// Those that are lent to the hub.
    lent: Vec<(i64, i64)>,
}

impl Taken {
    /// Reads the claims of an actor that stand at `now`; overbookings and expired holds do not count.
    pub(crate) fn load(
        read: &Read<'_>,
        actor: &[u8; 16],
        (from, to): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<Self> {
        let first = tick(from);
        // Visits that begin in the stretch may be blocked beyond it, by at most a day.
        let last = tick(to) + 24 * 60 / TICK_MINUTES;
        let length = usize::try_from(last - first).unwrap_or(0);
        let mut lanes = vec![0_u128; length];
        let mut lent = Vec::new();
        let mut statement = read.sql().prepare_cached(
            "SELECT tick, lane, until, loan IS NOT NULL FROM claim
             WHERE actor = ?1 AND tick >= ?2 AND tick < ?3",
        )?;
        let mut rows = statement.query((actor, first, last))?;
        let now = to_ms(now);
        while let Some(row) = rows.next()? {
            let lane: i64 = row.get(1)?;
            let until: Option<i64> = row.get(2)?;
            if lane < LANES_MAX && until.is_none_or(|until| until > now) {
                let tick = row.get::<_, i64>(0)?;
                let index = usize::try_from(tick - first).unwrap_or(usize::MAX);
                if let Some(mask) = lanes.get_mut(index) {
                    *mask |= 1 << lane;
                }
                if row.get(3)? {
                    lent.push((tick, lane));
                }
            }
        }
        lent.sort_unstable();
        Ok(Self { first, lanes, lent })
    }

    /// How many of the first `capacity` lanes are free from `start` to before `end`, both in
    /// seconds since 1970.
    pub(crate) fn free_lanes(&self, start: i64, end: i64, capacity: i64) -> i64 {
        let used = self.used(start, end);
        let capacity = u32::try_from(capacity.clamp(0, LANES_MAX)).unwrap_or(0);
        let within = if capacity == 0 { 0 } else { u128::MAX >> (128 - capacity) };
        i64::from(capacity) - i64::from((used & within).count_ones())
    }

    /// Whether a lane is free from `start` to before `end`.
    pub(crate) fn is_free(&self, start: i64, end: i64, lane: i64) -> bool {
        (0..LANES_MAX).contains(&lane) && self.used(start, end) >> lane & 1 == 0
    }

    /// Which of the first `capacity` lanes are lent at some time from `start` to before `end`.
    pub(crate) fn lent_lanes(&self, start: i64, end: i64, capacity: i64) -> Vec<i64> {
        let ticks = Ticks::of_seconds(start, end);
        let from = self.lent.partition_point(|(tick, _)| *tick < ticks.first);
        let among = self.lent[from..].iter().take_while(|(tick, _)| *tick <= ticks.last);
        let mut lanes: Vec<i64> =
            among.map(|(_, lane)| *lane).filter(|lane| *lane < capacity).collect();
        lanes.sort_unstable();
        lanes.dedup();
        lanes
    }

    fn used(&self, start: i64, end: i64) -> u128 {
        let ticks = Ticks::of_seconds(start, end);
        let index = |tick: i64| usize::try_from(tick - self.first).unwrap_or(0);
        let (from, to) = (index(ticks.first), index(ticks.last) + 1);
        let stretch = self.lanes.get(from..to.min(self.lanes.len())).unwrap_or_default();
        stretch.iter().fold(0, |used, lanes| used | lanes)
    }
}

/// How many patients a session has, overbookings and expired holds aside; a slot that is lent counts
/// as one, because the hub may sell it.
pub(crate) fn booked_in_session(
    read: &Read<'_>,
    schedule: &Schedule,
    session: &Session,
    now: Timestamp,
) -> Result<i64> {
    Ok(read
        .sql()
        .prepare_cached(
            "SELECT (SELECT count(*) FROM appointment
                WHERE practitioner = ?1 AND start >= ?2 AND start < ?3 AND schedule = ?4
                  AND status NOT IN ('cancelled', 'entered-in-error') AND lane < ?5
                  AND (hold_until IS NULL OR hold_until > ?6))
              + (SELECT count(*) FROM loan
                 WHERE schedule = ?4 AND start >= ?2 AND start < ?3 AND holder = 'away')",
        )?
        .query_row(
            (
                schedule.practitioner,
                to_ms(session.start),
                to_ms(session.end),
                schedule.id,
                OVERBOOK_LANE,
                to_ms(now),
            ),
            |row| row.get(0),
        )?)
}
