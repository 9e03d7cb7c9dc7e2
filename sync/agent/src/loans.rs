//! Loans: the box lends free slots to the hub, hears what was sold, and writes it into the diary.
//!
//! ```text
//!   policy ─► Lender::lend ─► row + claims ─► grant ─────► hub
//!   diary ◄── adopt, displace ◄── Lender::hear ◄── return ◄┘
//! ```
//!
//! What may happen is decided by `sync_protocol::loan`; its [`Lender`] lies in the row of each slot as it
//! writes itself. What the protocol calls "booked here" is read from the diary: whoever holds the lane.
//! Each step is one transaction with the claims and, if the hub sold, with the appointment.
//!
//! [`Loans::round`] is one turn: learn if this life of the box is new, lend what the policy says, then
//! speak with the hub until neither has anything left to say.
//!
//! # Invariants
//!
//! - A sale is adopted only together with who bought; until that is told the return is left
//!   unanswered, and the hub says it again.
//! - Whatever was sold gets into the diary or becomes work for the desk: a buyer who cannot be read is
//!   booked without a name rather than not at all.
//! - Each turn is bounded in slots, in exchanges and in bytes.

mod apply;
mod buyer;
mod desk;
mod exchange;
mod key;
mod learn;
mod policy;
mod state;

use std::collections::VecDeque;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use prm::db::Db;
use prm::hub::{self, Hub};
use prm::id::{LogId, ScheduleId};
use prm::stamp::Stamp;
use prm::{change, loan, request};
use sync_protocol::loan::{Standing, ToHub};
use sync_protocol::wire::SlotKey;

pub use self::desk::{
    Heard, Recalled, Scanned, Shown, Status, override_loan, recall, recall_many, scan, scanned,
    shown,
};
pub use self::key::{key, parse};
pub use self::policy::{CUTOFF_HOURS, HORIZON_DAYS, SHARE_PERCENT, TERM_HOURS, Usual, lend};
use crate::Fault;
use crate::keys::KeyFolder;
use crate::line::{Internet, Line};
pub use sync_protocol::loan::clock::{BoxTime, Nonce};
pub use sync_protocol::loan::{Generation, Terms};

/// How often the hub is asked whether something was sold, if there is nothing to tell.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(60);
/// How often the policy is applied.
const LEND_AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// Exchanges of one turn.
const EXCHANGES_MAX: usize = 64;

/// The box's end of all loans, and its line to the hub.
pub struct Loans<L = Internet> {
    db: Db,
    usual: Usual,
    line: L,
    keys: KeyFolder,
    /// When the hub was last spoken with.
    asked_at: Option<Timestamp>,
    /// When the last pass of the policy was begun, and what is left of it.
    passed_at: Option<Timestamp>,
    sessions: VecDeque<ScheduleId>,
    /// The hub's database and run, as they were when all loans were last compared with them.
    run: Option<(u64, u64)>,
    /// Returns that are in the database, for the hub to hear.
    settled: Vec<(SlotKey, ToHub)>,
}

/// What came of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There is no hub to speak with, or it has not answered yet.
    Alone,
    /// Nothing was due.
    Idle,
    /// The hub has not said all that it knows; nothing was booked or lent.
    Learning,
    /// Said and heard.
    Done {
        /// There is more to lend or to say.
        more: bool,
    },
}

/// To whom the box speaks, and as which of its lives.
#[derive(Clone)]
struct Ground {
    hub: Hub,
    log: LogId,
    generation: Generation,
    is_unlearned: bool,
    has_due: bool,
    away: i64,
    /// When the newest sale was announced that waits for its loan.
    announced_at: Option<Timestamp>,
}

impl<L: Line> Loans<L> {
    /// Of the box with these records, with its keys in a folder, which speaks over this line.
    pub fn new(db: Db, keys_folder: PathBuf, usual: Usual, line: L) -> Self {
        Self {
            db,
            usual,
            line,
            keys: KeyFolder::new(keys_folder),
            asked_at: None,
            passed_at: None,
            sessions: VecDeque::new(),
            run: None,
            settled: Vec::new(),
        }
    }

    /// One turn with a hub that answered a moment ago: `nonce` is what its newest receipt carried.
    ///
    /// # Errors
    /// [`Fault`]; what was heard until then is written.
    pub async fn round(
        &mut self,
        nonce: Option<Nonce>,
        now: Timestamp,
        at: BoxTime,
    ) -> Result<Turn, Fault> {
        let stamp = Stamp::of_sale(now);
        let Some(ground) = self.ground().await? else { return Ok(Turn::Alone) };
        let Some(nonce) = nonce else { return Ok(Turn::Alone) };
        if ground.is_unlearned && !self.learn(&ground, nonce.store, (&stamp, at)).await? {
            return Ok(Turn::Learning);
        }
        let run = (nonce.store, nonce.boot);
        let is_new_run = self.run != Some(run);
        if is_new_run {
            self.doubt(&stamp, nonce).await?;
            self.run = Some(run);
        }
        let is_later = |then: Option<Timestamp>, by| {
            then.is_none_or(|then| now.duration_since(then).abs() >= by)
        };
        if self.sessions.is_empty() && is_later(self.passed_at, LEND_AGAIN) {
            self.begin_pass(&stamp).await?;
            self.passed_at = Some(now);
        }
        let lent = self.lend(ground.generation, nonce, (&stamp, at)).await?;
        // The hub announces a sale before it says so to its loan.
        let is_announced =
            ground.announced_at.is_some_and(|it| self.asked_at.is_none_or(|at| it >= at));
        let is_due =
            is_announced || ground.has_due || lent > 0 || is_new_run || !self.settled.is_empty();
        if !is_due && (ground.away == 0 || !is_later(self.asked_at, ASK_AGAIN)) {
            return Ok(Turn::Idle);
        }
        let more = self.speak(&ground, &stamp).await?;
        self.asked_at = Some(now);
        Ok(Turn::Done { more: more || !self.sessions.is_empty() })
    }

    /// Where the box stands; nothing if it has joined no hub, or that has given it no generation, or
    /// nothing is sent until a person decides.
    async fn ground(&self) -> Result<Option<Ground>, Fault> {
        let found = self.db.read(|read| {
            let log = change::log_id(read)?;
            let standing = hub::standing(read)?.filter(|it| it.log == log && it.stop.is_none());
            let has_due = !loan::due(read, None, 1)?.is_empty()
                || !loan::wanting(read, 1)?.is_empty()
                || !loan::shown(read, 1)?.is_empty();
            let due = (hub::is_unlearned(read)?, has_due, loan::away_count(read)?);
            Ok((hub::get(read)?, standing, log, (due, request::newest_sale(read)?)))
        });
        let (hub, standing, log, (due, announced_at)) = found.await?;
        let (is_unlearned, has_due, away) = due;
        let (Some(hub), Some(standing)) = (hub, standing) else { return Ok(None) };
        let Some(generation) = standing.generation.filter(|_| standing.receipt_at.is_some()) else {
            return Ok(None);
        };
        let generation = Generation(generation.unsigned_abs());
        Ok(Some(Ground { hub, log, generation, is_unlearned, has_due, away, announced_at }))
    }
}

/// The standing of a box of which it is known whether it has learned.
fn standing_of(ground: &Ground) -> Standing {
    Standing::Living(ground.generation)
}
