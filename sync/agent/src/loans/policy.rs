//! Which slots are lent, by the policy of each session, and which are asked back.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use prm::clinic;
use prm::db::Read;
use prm::error::Error;
use prm::id::{LoanId, ScheduleId, SlotId};
use prm::loan::{self, Filter, Lending};
use prm::schedule::{self, Schedule};
use prm::slot::{self, Lane, LaneUse};
use prm::stamp::Stamp;
use prm::time::local_date;
use sync_protocol::loan::clock::{BoxTime, Nonce};
use sync_protocol::loan::policy::{Candidate, Policy, choose, sell_until_ms};
use sync_protocol::loan::{Generation, Holder, Lender, Standing, Terms};

use super::{Loans, state};
use crate::Fault;
use crate::line::Line;

/// The share of a day's free slots that is lent where nobody says, in hundredths.
pub const SHARE_PERCENT: u32 = 20;
/// The hours before its start at which a slot is neither lent nor sold any more.
pub const CUTOFF_HOURS: u32 = 24;
/// How far ahead slots are lent, in days.
pub const HORIZON_DAYS: u32 = 28;
/// How long the hub may sell what it holds without hearing of the box, in hours.
pub const TERM_HOURS: u32 = 168;

const HOUR_MS: i64 = 3_600_000;
/// Sessions that one turn looks at.
const SESSIONS_PER_TURN_MAX: usize = 20;
/// Slots that one turn lends.
const LENT_PER_TURN_MAX: usize = 500;
/// Rows of slots that are over of which one turn forgets.
const FORGOTTEN_PER_PASS_MAX: u32 = 2_000;

/// What holds for sessions that say nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usual {
    /// The share of a day's free slots, in hundredths.
    pub share_percent: u32,
    /// Hours before the start.
    pub cutoff_hours: u32,
    /// Days ahead, at most 35.
    pub horizon_days: u32,
    /// Hours for which the hub may sell, at most 840.
    pub term_hours: u32,
}

impl Default for Usual {
    fn default() -> Self {
        Self {
            share_percent: SHARE_PERCENT,
            cutoff_hours: CUTOFF_HOURS,
            horizon_days: HORIZON_DAYS,
            term_hours: TERM_HOURS,
        }
    }
}

/// What is to be done about one session.
struct Wanted {
    lend: Vec<SlotId>,
    lanes: Vec<i64>,
    recall: Vec<LoanId>,
}

impl Usual {
    /// The policy of a session.
    fn of(&self, schedule: &Schedule) -> Policy {
        let schedule::Lending { share_percent, cutoff_hours, horizon_days } = schedule.lending;
        let share = share_percent.unwrap_or(i64::from(self.share_percent)).clamp(0, 100);
        let cutoff = cutoff_hours.unwrap_or(i64::from(self.cutoff_hours));
        let horizon = horizon_days.unwrap_or(i64::from(self.horizon_days));
        Policy {
            share_percent: u8::try_from(share).unwrap_or(0),
            cutoff_ms: cutoff.saturating_mul(HOUR_MS),
            horizon_ms: horizon.saturating_mul(24 * HOUR_MS),
        }
    }
}

impl<L: Line> Loans<L> {
    /// Begins to look at all sessions, and forgets what is long over.
    pub(super) async fn begin_pass(&mut self, stamp: &Stamp) -> Result<(), Fault> {
        let of = *stamp;
        let all = self.db.read(move |read| schedule::list(read, &of, None)).await?;
        self.sessions = all.into_iter().map(|it| it.id).collect();
        self.db.write(move |tx| loan::forget_over(tx, &of, FORGOTTEN_PER_PASS_MAX)).await?;
        Ok(())
    }

    /// Lends of the next sessions what their policies say. Answers how many slots were lent or asked back.
    pub(super) async fn lend(
        &mut self,
        generation: Generation,
        nonce: Nonce,
        (stamp, at): (&Stamp, BoxTime),
    ) -> Result<usize, Fault> {
        let mut done = 0;
        for _ in 0..SESSIONS_PER_TURN_MAX {
            if done >= LENT_PER_TURN_MAX {
                break;
            }
            let Some(session) = self.sessions.pop_front() else { break };
            let (of, usual) = (*stamp, self.usual);
            let found = self.db.read(move |read| wanted(read, &of, usual, session)).await;
            let (policy, wanted) = match found {
                Ok(found) => found,
                // The session was ended meanwhile, or takes too long to be looked at now.
                Err(Error::NotFound(_) | Error::Busy) => continue,
                Err(error) => return Err(error.into()),
            };
            let term_ms = u64::from(usual.term_hours) * HOUR_MS.unsigned_abs();
            let lent = self.db.write(move |tx| {
                let mut done = 0;
                for (slot, lane) in wanted.lend.into_iter().zip(wanted.lanes) {
                    let start_ms = slot.start().as_millisecond();
                    let sell_until_ms = sell_until_ms(policy, start_ms);
                    let terms = Terms { nonce, term_ms, sell_until_ms };
                    match lend(tx, &of, (generation, terms, at), (slot, lane)) {
                        Ok(()) => done += 1,
                        // Somebody was quicker, or the session is full by now.
                        Err(Error::Refused(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                for id in wanted.recall {
                    super::desk::ask_back(tx, &of, id)?;
                    done += 1;
                }
                Ok(done)
            });
            done += lent.await?;
        }
        Ok(done)
    }

    /// The hub is another one than it was: put back from a copy, or started anew. What it held then is
    /// not sold any more, and may be unknown to it now; it is asked back.
    pub(super) async fn doubt(&self, stamp: &Stamp, hub: Nonce) -> Result<(), Fault> {
        let mut after: Option<LoanId> = None;
        loop {
            let found = self.db.read(move |read| loan::in_order(read, after, 200)).await?;
            let Some(last) = found.last() else { return Ok(()) };
            after = Some(last.id);
            let of = *stamp;
            self.db
                .write(move |tx| {
                    for row in found.into_iter().filter(|row| row.is_away) {
                        let Some(row) = loan::at(tx, row.slot, row.lane)? else { continue };
                        let before = state::lender(tx, &of, &row)?;
                        let doubted = before.hub_changed(hub.store);
                        let is_over = matches!(
                            doubted.holder,
                            Holder::Away(loan) if loan.terms.nonce.boot != hub.boot
                        );
                        let doubted = match doubted.recall() {
                            Ok(recalled) if is_over => recalled,
                            Ok(_) | Err(_) => doubted,
                        };
                        if doubted != before {
                            loan::put(tx, &of, "doubt", &row, state::next(&doubted))?;
                        }
                    }
                    Ok(())
                })
                .await?;
        }
    }
}

/// Lends one place of a slot, under terms that begin now.
///
/// # Errors
/// What is refused of a booking, and what the protocol refuses.
pub fn lend(
    tx: &mut prm::db::Tx<'_>,
    stamp: &Stamp,
    (generation, terms, at): (Generation, Terms, BoxTime),
    (slot, lane): (SlotId, i64),
) -> prm::error::Result<()> {
    let before = match loan::at(tx, slot, lane)? {
        Some(row) => state::lender(tx, stamp, &row)?,
        None => Lender::NEW,
    };
    let lent = before
        .lend(Standing::Living(generation), terms, at)
        .map_err(|refusal| state::refused(refusal, slot))?;
    loan::lend(tx, stamp, Lending { slot, lane, state: lent.to_bytes() }).map(drop)
}

/// What the policy wants of one session, from today to its horizon.
fn wanted(
    read: &Read<'_>,
    stamp: &Stamp,
    usual: Usual,
    session: ScheduleId,
) -> prm::error::Result<(Policy, Wanted)> {
    let schedule = schedule::get(read, stamp, session)?;
    let zone = clinic::get(read)?.zone;
    let policy = usual.of(&schedule);
    let now_ms = stamp.now.as_millisecond();
    let mut wanted = Wanted { lend: Vec::new(), lanes: Vec::new(), recall: Vec::new() };
    let mut offered = BTreeSet::new();
    let last = stamp.now.as_millisecond().saturating_add(policy.horizon_ms);
    let last = local_date(&zone, Timestamp::from_millisecond(last).unwrap_or(stamp.now));
    let mut date: Date = local_date(&zone, stamp.now);
    while date <= last {
        let (lanes, left) = slot::lanes_of_day(read, stamp, &schedule, date)?;
        offered.extend(
            lanes.iter().filter(|it| it.used == LaneUse::Lent).map(|it| (it.slot, it.lane)),
        );
        let most = left.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX);
        for at in chosen(policy, &lanes, now_ms).into_iter().take(most) {
            wanted.lend.push(lanes[at].slot);
            wanted.lanes.push(lanes[at].lane);
        }
        let Ok(next) = date.checked_add(1.days()) else { break };
        date = next;
    }
    // What is lent of days on which nobody is seen any more, or of a session that lends nothing any
    // more, is asked back.
    let filter = Filter {
        practitioner: Some(schedule.practitioner),
        from: Some(stamp.now),
        ..Filter::default()
    };
    for row in loan::list(read, stamp, &filter, loan::LIST_MAX)? {
        let is_gone =
            !offered.contains(&(row.slot, row.lane)) && local_date(&zone, row.slot.start()) <= last;
        if row.slot.schedule == session && (is_gone || policy.share_percent == 0) {
            wanted.recall.push(row.id);
        }
    }
    Ok((policy, wanted))
}

/// The places among those of one day that are to be lent now.
fn chosen(policy: Policy, lanes: &[Lane], now_ms: i64) -> Vec<usize> {
    let candidates: Vec<Candidate> = lanes
        .iter()
        .map(|lane| Candidate {
            start_ms: lane.slot.start().as_millisecond(),
            away: lane.used == LaneUse::Lent,
        })
        .collect();
    choose(policy, &candidates, now_ms)
}
