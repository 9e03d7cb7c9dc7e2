//! One exchange with the hub: what is next is read, sealed and sent, and the receipt is believed.
//!
//! [`Agent::prepare`] and [`Agent::hear`] touch the records only; the line is in between.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use prm::db::Db;
use prm::error::Error;
use prm::hub::{self, Hub, Standing};
use prm::stamp::Stamp;
use prm::{change, id};
use sync_protocol::budget::{Budget, haste};
use sync_protocol::envelope::dictionary;
use sync_protocol::ledger::{
    Body, Bundle, Content, Extent, Key, Mark, Parked, Receipt, Standing as Heard, delta,
};
use sync_protocol::lineage::LogId;
use sync_protocol::loan::Generation;
use sync_protocol::loan::clock::Nonce;
use sync_protocol::uplink::{self, Next, Own, State, Stop, Uplink};
use sync_protocol::wire::{Answer, Up};

use crate::bundle::{self, Deltas, Shown};
use crate::http::HttpError;
use crate::keys::{KeyError, KeyFolder};
use crate::line::{Internet, Line as _};
use crate::meter::Meter;
use crate::{mark, sealed, spending, word};

/// What the box can do.
const CAPABILITIES: [&str; 3] = ["ledger/1", dictionary::CAPABILITY, delta::CAPABILITY];
/// Where bundles go, behind the hub's address.
const BUNDLES: &str = "/v1/bundles";
/// After so much time without a receipt the box asks for one, though it has nothing to tell: so the hub
/// hears that it lives, and it hears when the hub has lost something.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// What came of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The box has joined no hub.
    Alone,
    /// Something was sent, and the receipt is noted.
    Told {
        /// There is more to tell.
        more: bool,
        /// How long the hub asks to wait, in milliseconds.
        pause_ms: u64,
    },
    /// The hub holds all.
    Idle,
    /// What is left waits for tomorrow's budget; people who wait for something still get it.
    Held,
    /// Nothing is sent until a person decides.
    Stopped(Stop),
    /// The box takes another's place, and tells nothing before it has got everything back.
    Replacing,
}

/// Why an exchange failed. The next one begins where the hub's last receipt says.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The records cannot be read or the receipt not be noted.
    #[error(transparent)]
    Records(#[from] Error),
    /// The keys of the box cannot be had.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The hub answers with this status instead of a receipt.
    #[error(
        "the hub refuses what this box sends (status {0}); look at `carepost-hub clinic status`"
    )]
    Refused(u16),
    /// What is to be sent does not fit into an envelope, or the system has no randomness.
    #[error("what is to be sent could not be sealed")]
    Seal,
    /// What was answered is no receipt of this hub for this box.
    #[error(
        "the answer is no receipt of the hub that this box joined; compare the fingerprints, or join again with `carepost enroll`"
    )]
    Receipt,
    /// The receipt says the same as before.
    #[error("the hub did not take what was sent; look at the hub")]
    Stuck,
}

impl Fault {
    /// A word for it, for notes and programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Records(_) => "records",
            Self::Keys(_) => "keys",
            Self::Http(HttpError::NoAnswer) => "no_answer",
            Self::Http(HttpError::Address | HttpError::Trust | HttpError::TooLong) => "http",
            Self::Refused(401) => "unknown_box",
            Self::Refused(403) => "revoked",
            Self::Refused(408 | 429 | 500..) => "hub_busy",
            Self::Refused(_) => "refused",
            Self::Seal => "seal",
            Self::Receipt => "receipt",
            Self::Stuck => "stuck",
        }
    }
}

/// The box's end of the line.
pub struct Agent {
    db: Db,
    show: Shown,
    line: Internet,
    keys: KeyFolder,
    known: Option<Known>,
    nonce: Option<Nonce>,
    /// None if it keeps to none: then what another agent of this box noted of one stays.
    budget: Option<Budget>,
    meter: Meter,
}

/// What is known as long as the process lives.
struct Known {
    hub: Hub,
    uplink: Uplink,
    /// The end of what was sent last.
    sent: Option<(u64, Mark)>,
    /// The hub unpacks with the dictionary.
    unpacks: bool,
    /// The hub takes what changed of a record.
    deltas: Deltas,
}

/// What is to be sent.
struct Outgoing {
    content: Content,
    end: Option<(u64, Mark)>,
}

/// What is to be done in an exchange.
pub enum Prepared {
    /// Nothing is sent.
    Nothing(Turn),
    /// This is.
    Bundle(Box<Sealed>),
}

/// A bundle on its way to the hub, and what the receipt will be compared with.
pub struct Sealed {
    /// The envelope.
    pub envelope: Vec<u8>,
    hub: Hub,
    standing: Standing,
    uplink: Uplink,
    head: u64,
    end: Option<(u64, Mark)>,
    is_question: bool,
    has_deltas: bool,
}

impl Sealed {
    /// Where it goes.
    pub fn url(&self) -> String {
        format!("{}{BUNDLES}", self.hub.url)
    }
}

impl Agent {
    /// Of the box with these records, with its keys in a folder. `show` makes resources of records.
    pub fn new(db: Db, keys_folder: PathBuf, show: Shown) -> Self {
        let (budget, meter) = (None, Meter::default());
        Self {
            db,
            show,
            line: Internet::counted(meter.clone()),
            keys: KeyFolder::new(keys_folder),
            known: None,
            nonce: None,
            budget,
            meter,
        }
    }

    /// Keeps to a budget, of which others spend, too: what they count counts.
    #[must_use]
    pub fn within(self, budget: Budget, meter: Meter) -> Self {
        let line = Internet::counted(meter.clone());
        Self { budget: Some(budget), meter, line, ..self }
    }

    /// Forgets what the hub said: the next round asks.
    pub fn ask_again(&mut self) {
        self.known = None;
    }

    /// What the newest receipt carried, for loans; nothing if the line is away.
    pub fn nonce(&self) -> Option<Nonce> {
        self.nonce
    }

    /// One exchange, if there is anything to exchange.
    ///
    /// # Errors
    /// [`Fault`]; it is noted.
    pub async fn round(&mut self, now: Timestamp) -> Result<Turn, Fault> {
        let turn = self.exchange(now).await;
        if let Err(fault) = &turn {
            self.nonce = None;
            self.note_fault(fault, now).await;
        }
        turn
    }

    async fn exchange(&mut self, now: Timestamp) -> Result<Turn, Fault> {
        match self.prepare(now).await? {
            Prepared::Nothing(turn) => Ok(turn),
            Prepared::Bundle(mut sealed) => {
                // Nobody needs the envelope after that.
                let envelope = std::mem::take(&mut sealed.envelope);
                let answer = self.line.exchange(sealed.url(), envelope).await?;
                self.hear(*sealed, &answer, now).await
            }
        }
    }

    /// Notes why an exchange failed.
    pub async fn note_fault(&mut self, fault: &Fault, now: Timestamp) {
        // What was in the hub is asked again: the line may have been away for long.
        if let Some(known) = &mut self.known {
            known.uplink = known.uplink.restarted();
        }
        let (word, stamp) = (fault.word(), Stamp::of_box(now));
        let noted = self.db.write(move |tx| {
            let log = change::log_id(tx)?;
            let Some(before) = hub::standing(tx)?.filter(|it| it.log == log) else {
                return Ok(());
            };
            let failures = before.failures.saturating_add(1);
            let fault = Some((word.to_owned(), stamp.now));
            hub::note(tx, &stamp, &Standing { failures, fault, ..before }, None)
        });
        // If the records fail, that is what is told.
        let _ = noted.await;
    }

    /// Reads what is next, and seals it.
    ///
    /// # Errors
    /// [`Fault`]; it is not noted yet.
    pub async fn prepare(&mut self, now: Timestamp) -> Result<Prepared, Fault> {
        let stamp = &Stamp::of_box(now);
        let found = self.db.read(move |read| {
            let (log, head) = (change::log_id(read)?, change::last(read)?);
            let spent = (hub::spent(read)?, spending::today(read, now)?);
            Ok((hub::get(read)?, hub::standing(read)?, (log, head), spent))
        });
        let (hub, standing, (log, head), (noted, today)) = found.await?;
        let Some(hub) = hub else { return Ok(Prepared::Nothing(Turn::Alone)) };
        let standing = of_log(standing, log);
        if standing.stop.as_deref() == Some(hub::REPLACING) {
            return Ok(Prepared::Nothing(Turn::Replacing));
        }
        let head = head.unsigned_abs();
        let (uplink, sent) = self.resumed(&hub, &standing);
        let is_due =
            standing.receipt_at.is_none_or(|at| stamp.now.duration_since(at).abs() >= ASK_AGAIN);
        let mut next = uplink.next(head);
        let spent = spending::of(noted).on(today).and(self.meter.pending());
        let is_let = self.budget.is_none_or(|it| it.lets(haste(&next, head), spent));
        if self.budget.is_some() && noted.waits == is_let {
            self.note_waiting(stamp, !is_let).await?;
        }
        if (next == Next::Idle || !is_let) && is_due {
            next = Next::Ask;
        } else if !is_let {
            return Ok(Prepared::Nothing(Turn::Held));
        }
        let out = match &next {
            Next::Idle => return Ok(Prepared::Nothing(Turn::Idle)),
            Next::Stopped => {
                let turn = stopped(&uplink).map_or(Turn::Idle, Turn::Stopped);
                return Ok(Prepared::Nothing(turn));
            }
            Next::Ask | Next::Report { .. } => {
                uplink::empty(&next).map(|content| Outgoing { content, end: sent })
            }
            Next::Begin | Next::Part { .. } | Next::Stretch { .. } => {
                self.gather(stamp, &uplink, &next, head).await?
            }
        };
        let Some(Outgoing { content, end }) = out else {
            return Ok(Prepared::Nothing(Turn::Idle));
        };
        let is_question = matches!(content, Content::Ask | Content::Forked { .. });
        let has_deltas = changes(&content);
        let bundle = Bundle { log: uplink.log, generation: uplink.generation, content };
        let envelope = self.seal(&hub, standing.log, bundle)?;
        let sealed = Sealed { envelope, hub, standing, uplink, head, end, is_question, has_deltas };
        Ok(Prepared::Bundle(Box::new(sealed)))
    }

    /// Takes in what was answered.
    ///
    /// # Errors
    /// [`Fault`]; it is not noted yet.
    pub async fn hear(
        &mut self,
        sealed: Sealed,
        answer: &[u8],
        now: Timestamp,
    ) -> Result<Turn, Fault> {
        let stamp = &Stamp::of_box(now);
        let Sealed { envelope: _, hub, standing, uplink, head, end, is_question, has_deltas } =
            sealed;
        let keys = self.keys.keys()?;
        let answer: Answer = sealed::from_hub((&hub, keys), standing.log, answer)
            .filter(|it: &Answer| it.receipt.log == uplink.log)
            .ok_or(Fault::Receipt)?;
        let Answer { receipt, nonce, capabilities, pause_ms } = answer;
        self.nonce = Some(nonce).filter(|_| receipt.standing == Heard::Living);
        let own = self.own(stamp, &receipt, end).await?;
        let heard = uplink.hear(&receipt, |_| own);
        let is_stuck = !is_question && heard.state == uplink.state;
        let noted = noted(&standing, &heard, &receipt, stamp.now);
        let named = (noted.parked > 0 || standing.parked > 0).then(|| named(&receipt));
        let (stamp, budget, pending) = (*stamp, self.budget, self.meter.pending());
        self.db
            .write(move |tx| {
                let spent = spending::add(tx, stamp.now, budget, pending)?;
                hub::note_spent(tx, &stamp, spent)?;
                // A hub that was joined meanwhile has notes of its own.
                if hub::get(tx)?.is_none_or(|now| now.box_id != hub.box_id) {
                    return Ok(());
                }
                hub::note(tx, &stamp, &noted, named.as_deref())
            })
            .await?;
        self.meter.noted(pending);
        let next = heard.next(head);
        let turn = match (stopped(&heard), next) {
            // The hub has to hear of a fork once; then it says itself what it is.
            (Some(stop), Next::Stopped) => Turn::Stopped(stop),
            (_, Next::Idle | Next::Stopped) => Turn::Told { more: false, pause_ms },
            (
                _,
                Next::Ask
                | Next::Report { .. }
                | Next::Begin
                | Next::Part { .. }
                | Next::Stretch { .. },
            ) => Turn::Told { more: true, pause_ms },
        };
        if let Some(known) = &mut self.known {
            known.uplink = heard;
            known.sent = end;
            let can = |what: &str| capabilities.iter().any(|it| it == what);
            known.unpacks = can(dictionary::CAPABILITY);
            // If it was not taken, the same is told in whole next.
            known.deltas = match can(delta::CAPABILITY) && !(is_stuck && has_deltas) {
                true => Deltas::Taken,
                false => Deltas::NotTaken,
            };
        }
        if is_stuck && !has_deltas { Err(Fault::Stuck) } else { Ok(turn) }
    }

    /// Notes whether something waits for tomorrow.
    async fn note_waiting(&self, stamp: &Stamp, waits: bool) -> Result<(), Fault> {
        let (stamp, budget, pending) = (*stamp, self.budget, self.meter.pending());
        let note = self.db.write(move |tx| {
            let spent = spending::add(tx, stamp.now, budget, pending)?;
            hub::note_spent(tx, &stamp, hub::Spent { waits, ..spent })
        });
        note.await?;
        self.meter.noted(pending);
        Ok(())
    }

    /// What was known, unless the log, the hub or what a person decided is another now.
    fn resumed(&mut self, hub: &Hub, standing: &Standing) -> (Uplink, Option<(u64, Mark)>) {
        let log = LogId(*standing.log.as_bytes());
        let at = standing.stop_at.map(i64::unsigned_abs);
        let stop = standing.stop.as_deref().and_then(|it| word::to_stop(it, at));
        if let Some(known) = &self.known
            && known.uplink.log == log
            && known.hub == *hub
            && stopped(&known.uplink) == stop
        {
            return (known.uplink.clone(), known.sent);
        }
        let generation = standing.generation.map(|it| Generation(it.unsigned_abs()));
        let state = stop.map_or(State::Asking, State::Stopped);
        let uplink = Uplink { generation, state, ..Uplink::new(log) };
        self.known = Some(Known {
            hub: hub.clone(),
            uplink: uplink.clone(),
            sent: None,
            unpacks: false,
            deltas: Deltas::NotTaken,
        });
        (uplink, None)
    }

    async fn gather(
        &self,
        stamp: &Stamp,
        uplink: &Uplink,
        next: &Next,
        head: u64,
    ) -> Result<Option<Outgoing>, Fault> {
        let (as_of, mark, from) = match next {
            Next::Stretch { after } => {
                let State::Known(Extent::Log { through: _, mark }) = &uplink.state else {
                    return Ok(None);
                };
                return Ok(self.stretch(stamp, (*after, *mark)).await?);
            }
            Next::Part { as_of, mark, from } => (*as_of, *mark, Some(from.clone())),
            Next::Begin => match mark::at(&self.db, stamp, head).await? {
                Own::Mark(mark) => (head, mark, None),
                Own::Pruned | Own::Never => return Ok(None),
            },
            Next::Ask | Next::Report { .. } | Next::Idle | Next::Stopped => return Ok(None),
        };
        let content = self.part(stamp, (as_of, mark), from).await?;
        Ok(Some(Outgoing { content, end: Some((as_of, mark)) }))
    }

    async fn stretch(
        &self,
        stamp: &Stamp,
        (after, before): (u64, Mark),
    ) -> Result<Option<Outgoing>, Error> {
        let deltas = self.known.as_ref().map_or(Deltas::NotTaken, |it| it.deltas);
        let (stamp, how) = (*stamp, (self.show, deltas));
        let found =
            self.db.read(move |read| bundle::stretch(read, &stamp, how, (after, before))).await?;
        Ok(found.map(|bundle::Stretch { through, mark, entries }| Outgoing {
            content: Content::Stretch { after, before, through, mark, entries },
            end: Some((through, mark)),
        }))
    }

    async fn part(
        &self,
        stamp: &Stamp,
        (as_of, mark): (u64, Mark),
        from: Option<Key>,
    ) -> Result<Content, Error> {
        let mut reached = from.clone();
        loop {
            let (stamp, show, after) = (*stamp, self.show, reached.clone());
            let found = self.db.read(move |read| bundle::part(read, &stamp, show, (as_of, after)));
            let part = found.await?;
            if part.last || !part.entries.is_empty() {
                return Ok(part.content((as_of, mark), from));
            }
            reached = part.reached;
        }
    }

    fn seal(&mut self, hub: &Hub, log: id::LogId, bundle: Bundle) -> Result<Vec<u8>, Fault> {
        let (after, through) = match &bundle.content {
            Content::Ask | Content::Forked { .. } => (0, 0),
            Content::Statement { as_of, .. } => (0, *as_of),
            Content::Stretch { after, through, .. } => (*after, *through),
        };
        let capabilities = CAPABILITIES.map(str::to_owned).into();
        let unpacks = self.known.as_ref().is_some_and(|it| it.unpacks);
        let dictionary = unpacks.then(dictionary::first);
        let up = Up { bundle, capabilities };
        let ends = (hub, self.keys.keys()?);
        sealed::stretch_to_hub(ends, (log, after, through), &up, dictionary.as_ref())
    }

    /// What the box's log has at the number that a receipt names.
    async fn own(
        &self,
        stamp: &Stamp,
        receipt: &Receipt,
        end: Option<(u64, Mark)>,
    ) -> Result<Own, Error> {
        let number = match (receipt.standing, &receipt.extent) {
            (
                Heard::Living,
                Extent::Statement { as_of: at, .. } | Extent::Log { through: at, .. },
            ) => *at,
            (Heard::Living, Extent::Nothing)
            | (Heard::Retired | Heard::Quarantined | Heard::NotEnrolled, _) => {
                return Ok(Own::Never);
            }
        };
        match end {
            Some((at, mark)) if at == number => Ok(Own::Mark(mark)),
            Some(_) | None => mark::at(&self.db, stamp, number).await,
        }
    }
}

/// The notes about this log; a log that is new has none, but the generation is remembered.
fn of_log(standing: Option<Standing>, log: id::LogId) -> Standing {
    match standing {
        Some(standing) if standing.log == log => standing,
        Some(standing) => Standing::unknown(log, standing.generation),
        None => Standing::unknown(log, None),
    }
}

/// Whether a record is told by what changed of it.
fn changes(content: &Content) -> bool {
    match content {
        Content::Ask | Content::Forked { .. } => false,
        Content::Statement { entries, .. } | Content::Stretch { entries, .. } => {
            entries.iter().any(|it| matches!(it.body, Body::Changed(_)))
        }
    }
}

fn stopped(uplink: &Uplink) -> Option<Stop> {
    match &uplink.state {
        State::Stopped(stop) => Some(*stop),
        State::Asking | State::Known(_) => None,
    }
}

/// How the sync stands after a receipt.
fn noted(before: &Standing, heard: &Uplink, receipt: &Receipt, now: Timestamp) -> Standing {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let (whole, through, mark) = match &heard.state {
        State::Known(Extent::Log { through, mark }) => (true, number(*through), Some(mark.0)),
        State::Known(Extent::Statement { as_of: _, mark: _, upto: _ } | Extent::Nothing) => {
            (false, 0, None)
        }
        State::Asking | State::Stopped(_) => (before.whole, before.through, before.mark),
    };
    let stop = stopped(heard).map(word::of_stop);
    Standing {
        log: before.log,
        generation: heard.generation.map(|it| number(it.0)),
        whole,
        through,
        mark,
        stop: stop.map(|(word, _)| word.to_owned()),
        stop_at: stop.and_then(|(_, at)| at).map(number),
        receipt_at: Some(now),
        parked: number(receipt.parked_count),
        failures: 0,
        fault: None,
    }
}

/// The entries that a receipt names as parked.
fn named(receipt: &Receipt) -> Vec<hub::Parked> {
    let named = receipt.parked.iter().map(|Parked { sequence, key, reason }| hub::Parked {
        key: String::from_utf8_lossy(&key.0).into_owned(),
        sequence: i64::try_from(*sequence).unwrap_or(i64::MAX),
        reason: word::of_reason(*reason).to_owned(),
    });
    named.collect()
}
