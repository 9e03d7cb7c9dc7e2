//! Messages between hub and box, each way alike: at least once on the wire, once in the records.
//!
//! The end that has a message keeps it as a row until the other end said that it *has* it. The other
//! end writes it into its database, commits, and says so; the id of a message makes it harmless that it
//! comes again. The line may lose, repeat and shuffle. So a row is sent again after a while, and
//! everything that the other end does not have is sent again on each new connection.
//!
//! ```text
//!   sender                                      receiver
//!   row, not had ── Batch { items } ──────────► take: what is new gets a number, in one transaction
//!   row, had     ◄── Batch { have } ─────────── each with its number, after the commit
//!                 ── Batch { ask } ───────────► on a connection, and now and then
//!   hear         ◄── Batch { taken } ────────── how many it took in all
//! ```
//!
//! # A receiver that was put back
//!
//! A receiver numbers what it takes, from 1 without a gap, and says the number with the `have`. The
//! sender writes it beside the row. A receiver whose database was put back from a copy took less than it
//! said once: it gives a number again, or says that it took fewer in all. Then the rows that the
//! sender has noted from that number on are not had any more, and go again ([`hear`]). Nobody has to know
//! that there was a restore. Why nothing stays lost: if each row of the sender is noted with a number of
//! its own and none is beyond what the receiver took, then as many are noted as were taken at most, and one that is
//! noted but not there leaves a number to another that is noted elsewhere, and so on; such a
//! chain has no end, but the numbers have. So some row is not noted, and is sent, and corrects the next.
//!
//! A box that was restored with a new log is a receiver that was put back, too: rows that were had stay
//! for [`KEPT_MS`], and it gets those that it lost. A program that knows that its own database was put back
//! notes each row that it keeps as not had: its notes are of a past that may be another's.
//! Beyond the rules is only that both are put back before they spoke in between.
//!
//! # What a program does
//!
//! - On each connection: it forgets when each row was sent. The box says one batch with `ask` and `taken`, even if it
//!   is otherwise empty, and again [`HELLO_MS`] after the last one. Either end answers `ask` with `taken`. A hub that has connected
//!   asks each box that is there, and a box that is asked sends again what is not had: nobody may have heard it.
//! - Whenever there is something: [`next`] says which rows go now, and when to look again.
//! - When a batch came, in one transaction: what [`take`] says of its items, what [`hear`] says of its `have` and
//!   `taken`. After it, it answers with `have` of every item, whether it was new or not.
//!
//! # Invariants
//!
//! - A row is had only when the other end said so after its commit.
//! - `have` is said again for what is known: the one before may be lost.
//! - An id is taken once, whatever its body. A receiver knows the ids for [`IDS_KEPT_MS`]; it never gives a
//!   number again by itself, also when it forgot the ids.
//! - What is asked and answered about who answers ([`answerer`]) is no item: it is asked again until it is answered.
//! - Nothing here ends because time passed: a row that is not had stays, and a clock that was set back makes
//!   a row due, never late.

pub mod answerer;

use minicbor::{Decode, Encode};

use self::answerer::{DIALOGUE_BYTES_MAX, DIALOGUES_BYTES_MAX, Yours};
use crate::envelope::{Kind, NUMBER_MAX};
use crate::wire::Inside;

/// The longest item, in bytes: a webhook of 1 MiB as base64. What is longer goes in parts.
pub const ITEM_BYTES_MAX: usize = 1536 << 10;
/// As many items go into one batch.
pub const ITEMS_MAX: usize = 500;
/// As many bytes of items go into one batch, so that it fits into an envelope; one item always goes.
pub const BATCH_BYTES_MAX: usize = 2 << 20;
/// As many ids may be said to be had in one batch.
pub const HAVE_MAX: usize = 2 * ITEMS_MAX;
/// As many rows are on their way at once: those behind wait until the first are had.
pub const WINDOW_MAX: usize = 4 * ITEMS_MAX;
/// New rows that do not fill a batch wait until what is on its way is had, but no longer than this after it was sent, in
/// milliseconds: one after the other an end takes in anyway, and what goes alone costs it a commit of its own.
pub const HOLD_MS: i64 = 1_000;
/// What was sent and is not had is sent again after this long, in milliseconds; then after twice as long, ...
pub const RESEND_MS: i64 = 5_000;
/// ... and at last this often.
pub const RESEND_MS_MAX: i64 = 5 * 60 * 1000;
/// The box asks at least this often on a connection, in milliseconds.
pub const HELLO_MS: i64 = 10 * 60 * 1000;
/// A row stays this long after it was had, for a receiver that is put back from a copy, in milliseconds: 35 days.
pub const KEPT_MS: i64 = 35 * 24 * 60 * 60 * 1000;
/// A receiver knows what it took for this long, in milliseconds: a sender that was itself put back may say it again.
pub const IDS_KEPT_MS: i64 = 2 * KEPT_MS;

/// The id of an item; the same item has it however often it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct ItemId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// Something on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Item {
    /// Its id.
    #[n(0)]
    pub id: ItemId,
    /// What it says; opaque here.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

/// That an item is in the database of the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Had {
    /// Which.
    #[n(0)]
    pub id: ItemId,
    /// As which it was taken there, from 1.
    #[n(1)]
    pub number: u64,
}

/// What one end says to the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Batch {
    /// What the other end does not have yet, as far as is known.
    #[n(0)]
    pub items: Vec<Item>,
    /// What came from the other end and is in the database.
    #[n(1)]
    pub have: Vec<Had>,
    /// How many were taken from the other end in all, where it was asked, or on a new connection.
    #[n(2)]
    pub taken: Option<u64>,
    /// The other end is to say how many it took.
    #[n(3)]
    pub ask: bool,
    /// Box to hub: messages that it would answer, and asks whether it is to ([`answerer`]).
    #[n(4)]
    pub whose: Option<Vec<ItemId>>,
    /// Hub to box: those that it is to answer.
    #[n(5)]
    pub yours: Option<Vec<Yours>>,
}

/// The body of [`Kind::MessageIn`]: hub to box.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct In(#[n(0)] pub Batch);

/// The body of [`Kind::MessageOut`]: box to hub.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Out(#[n(0)] pub Batch);

/// A row that the other end does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number: rows go in this order.
    pub number: u64,
    /// How long its body is.
    pub bytes: usize,
    /// When it was last sent on this connection; none if it was not.
    pub sent: Option<Sent>,
}

/// That a row was sent. It need not outlive the program, and must not outlive the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// How often by then, from 1.
    pub tries: u32,
}

impl Sent {
    /// What to note when a row is sent now, given what was noted before.
    pub fn now(before: Option<Self>, now_ms: i64) -> Self {
        Self { at_ms: now_ms, tries: before.map_or(1, |it| it.tries.saturating_add(1)) }
    }

    /// When it is sent again.
    fn again_ms(self) -> i64 {
        let doubled = RESEND_MS.saturating_mul(1 << self.tries.saturating_sub(1).min(20));
        self.at_ms.saturating_add(doubled.min(RESEND_MS_MAX))
    }
}

/// What a sender does now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// The numbers of the rows that go into one batch now, in order.
    pub send: Vec<u64>,
    /// More could go at once: ask again when this batch is sent.
    pub more: bool,
    /// When the first of the others becomes due, in milliseconds since 1970 UTC, if none comes in between.
    pub wake_ms: Option<i64>,
}

/// What to send now. `rows` are those that are not had, the first [`WINDOW_MAX`] in the order of their
/// numbers; what is behind them is not looked at.
pub fn next(rows: &[Row], now_ms: i64) -> Next {
    let mut next = Next::default();
    let mut bytes = 0_usize;
    let (mut is_again, mut held_until) = (false, None);
    for row in rows.iter().take(WINDOW_MAX) {
        if let Some(sent) = row.sent.filter(|sent| !is_due(*sent, now_ms)) {
            next.wake_at(sent.again_ms());
            held_until = held_until.max(Some(sent.at_ms.saturating_add(HOLD_MS)));
        } else if next.more {
            // The batch is full; the row stays due.
        } else if next.send.is_empty()
            || (next.send.len() < ITEMS_MAX && bytes.saturating_add(row.bytes) <= BATCH_BYTES_MAX)
        {
            bytes = bytes.saturating_add(row.bytes);
            is_again |= row.sent.is_some();
            next.send.push(row.number);
        } else {
            next.more = true;
        }
    }
    let is_full = next.more || next.send.len() == ITEMS_MAX;
    let may_wait = !next.send.is_empty() && !is_again && !is_full;
    if let Some(until) = held_until.filter(|until| may_wait && now_ms < *until) {
        next.send.clear();
        next.wake_at(until);
    }
    next
}

impl Next {
    fn wake_at(&mut self, ms: i64) {
        self.wake_ms = Some(self.wake_ms.map_or(ms, |at| at.min(ms)));
    }
}

/// A time in the future was noted by a clock that was set back since.
fn is_due(sent: Sent, now_ms: i64) -> bool {
    now_ms < sent.at_ms || sent.again_ms() <= now_ms
}

/// What a receiver does with a batch's items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which items are new, as places in the batch, each with the number to write it with.
    pub fresh: Vec<(usize, u64)>,
    /// What to say that is had, after the commit: every item of the batch.
    pub have: Vec<Had>,
    /// How many are taken then, in all.
    pub taken: u64,
}

/// Takes the items of a batch. `taken` is how many were taken before, in all; `number_of` looks up as which
/// number an id was taken.
pub fn take(taken: u64, items: &[Item], number_of: impl Fn(ItemId) -> Option<u64>) -> Taken {
    let mut result = Taken { fresh: Vec::new(), have: Vec::new(), taken };
    for (place, item) in items.iter().enumerate() {
        if result.have.iter().any(|it| it.id == item.id) {
            continue;
        }
        let number = number_of(item.id).unwrap_or_else(|| {
            result.taken = result.taken.saturating_add(1);
            result.fresh.push((place, result.taken));
            result.taken
        });
        result.have.push(Had { id: item.id, number });
    }
    result
}

/// What a sender does with what it heard, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Every row that is noted as had with this number or one beyond it is not had any more.
    pub lost_from: Option<u64>,
    /// These rows are had, with these numbers, whatever they were noted with before.
    pub had: Vec<Had>,
}

/// What `have` and `taken` of a batch say about the rows of the sender. `noted_as` looks up which row is noted as had
/// with a number.
pub fn hear(batch: &Batch, noted_as: impl Fn(u64) -> Option<ItemId>) -> Heard {
    let mut had = batch.have.clone();
    had.sort_unstable_by_key(|it| it.number);
    let is_given_again = |it: &&Had| noted_as(it.number).is_some_and(|id| id != it.id);
    let given_again = had.iter().find(is_given_again).map(|it| it.number);
    let beyond = batch.taken.map(|taken| taken.saturating_add(1));
    Heard { lost_from: given_again.into_iter().chain(beyond).min(), had }
}

impl Batch {
    fn is_sound(&self) -> bool {
        let mut numbers: Vec<u64> = self.have.iter().map(|it| it.number).collect();
        numbers.sort_unstable();
        let bytes = self.items.iter().map(|it| it.body.len()).fold(0, usize::saturating_add);
        self.items.len() <= ITEMS_MAX
            && self.have.len() <= HAVE_MAX
            && (bytes <= BATCH_BYTES_MAX || self.items.len() == 1)
            && self.items.iter().all(|it| it.body.len() <= ITEM_BYTES_MAX)
            && self.have.iter().all(|it| (1..=NUMBER_MAX).contains(&it.number))
            && numbers.is_sorted_by(|a, b| a < b)
            && self.taken.is_none_or(|it| it <= NUMBER_MAX)
            && self.whose.as_ref().is_none_or(|it| (1..=HAVE_MAX).contains(&it.len()))
            && self.yours.as_deref().is_none_or(are_sound)
    }
}

fn are_sound(yours: &[Yours]) -> bool {
    let lengths = || yours.iter().filter_map(|it| it.dialogue.as_ref()).map(Vec::len);
    (1..=HAVE_MAX).contains(&yours.len())
        && lengths().all(|it| it <= DIALOGUE_BYTES_MAX)
        && lengths().fold(0, usize::saturating_add) <= DIALOGUES_BYTES_MAX
}

impl Inside for In {
    const KIND: Kind = Kind::MessageIn;

    fn is_sound(&self) -> bool {
        self.0.is_sound()
    }
}

impl Inside for Out {
    const KIND: Kind = Kind::MessageOut;

    fn is_sound(&self) -> bool {
        self.0.is_sound()
    }
}

#[cfg(test)]
mod tests;
