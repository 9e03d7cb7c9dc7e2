//! Requests from the hub to the box: numbered by the hub, acknowledged by the box after its commit,
//! sent again until then.
//!
//! The numbers run in a series that is named like the hub's database. A hub that was restored from
//! a backup begins a new series with what it still knows to be open; a request that the box has
//! already is recognised by its id. A box that was restored says an older number, and gets what it
//! lost again, as far as the hub has kept it. A hub that was restored and does not know it finds out
//! when it hears a position that it cannot have given: further than its last number, or with another
//! request at that number. So a batch is made after the box's position was heard, and the box takes it
//! only as the answer to the position that it still has.
//!
//! The same holds for answers: a box names the last one that the hub took, whenever it says something. A
//! hub that does not have it was put back, and says so; then the box sends again all that it keeps.
//!
//! Invariant: a request leaves the hub's queue only when the box said that it has it, or with the
//! box's knowledge that it is gone.

use minicbor::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};

/// As many requests as wait for one box, and as many that it has are kept for its restore.
pub const REQUESTS_MAX: usize = 10_000;
/// As many requests as go into one message.
pub const BATCH_MAX: usize = 100;
/// The longest request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 256 << 10;
/// As many bytes of requests go into one message, so that it fits into an envelope; one request always
/// goes.
pub const BATCH_BYTES_MAX: usize = 2 << 20;
/// As many ids as a box remembers to recognise a request by that comes in another series.
pub const IDS_MAX: usize = REQUESTS_MAX;

/// The id of a request; the same request has it in every series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct RequestId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// A request on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Request {
    /// Its number in the series, from 1.
    #[n(0)]
    pub number: u64,
    /// Its id.
    #[n(1)]
    pub id: RequestId,
    /// What is asked for; opaque here.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

/// What the hub keeps for one box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The series: the hub's database.
    pub series: u64,
    /// The number of the last request that was put in.
    pub last: u64,
    /// The last number that the box has.
    pub taken: u64,
    /// By number: what the box does not have, and what it has but may lose.
    pub kept: BTreeMap<u64, (RequestId, Vec<u8>)>,
}

/// The queue does not take the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Too many wait: the box is away.
    #[error("the box has not fetched its requests for too long; ask again when it is back")]
    Queue,
    /// The request is too long.
    #[error("a request has at most {REQUEST_BYTES_MAX} bytes")]
    Request,
}

/// How far a box has the requests of a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Position {
    /// The series.
    #[n(0)]
    pub series: u64,
    /// The last number that is in the box's database.
    #[n(1)]
    pub taken: u64,
    /// Which request had this number; none where there was none, or the box does not know it.
    #[n(2)]
    pub id: Option<RequestId>,
}

/// What a box says when it asks for requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Progress {
    /// How far it has the requests.
    #[n(0)]
    pub position: Position,
    /// The answer that the hub took last, if the hub still has to have it.
    #[n(1)]
    pub answered: Option<RequestId>,
}

/// What a position says to the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// How far the box is.
    Position,
    /// Nothing: it is of another series.
    Nothing,
    /// The hub is not what it was: it was restored, and goes on with [`Queue::restored`].
    Restored,
}

/// What the hub sends.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Batch {
    /// The series.
    #[n(0)]
    pub series: u64,
    /// What is to come after this number.
    #[n(1)]
    pub after: u64,
    /// The requests, numbered without a gap.
    #[n(2)]
    pub requests: Vec<Request>,
    /// Requests before these that the box had once, lost, and that the hub has no more.
    #[n(3)]
    pub lost: u64,
    /// What time it was at the hub, in ms since 1970 UTC: deadlines of requests are of its clock, and
    /// the box's may be wrong.
    #[n(4)]
    pub now_ms: Option<i64>,
    /// The answer that the box named, if the hub does not have it: it was put back.
    #[n(5)]
    pub missing: Option<RequestId>,
}

impl Queue {
    /// An empty queue.
    pub fn new(series: u64) -> Self {
        Self { series, last: 0, taken: 0, kept: BTreeMap::new() }
    }

    /// Puts in a request, in the transaction in which it was made.
    ///
    /// # Errors
    /// [`Full`].
    pub fn put(&mut self, id: RequestId, body: Vec<u8>) -> Result<u64, Full> {
        if body.len() > REQUEST_BYTES_MAX {
            return Err(Full::Request);
        }
        if self.last - self.taken >= u64::try_from(REQUESTS_MAX).unwrap_or(u64::MAX) {
            return Err(Full::Queue);
        }
        if self.kept.len() >= 2 * REQUESTS_MAX {
            self.kept.pop_first();
        }
        self.last += 1;
        self.kept.insert(self.last, (id, body));
        Ok(self.last)
    }

    /// The box says how far it has them. What it says of another series means nothing here; what it
    /// says too low is a box that lost something, and it is sent again.
    pub fn hear(&mut self, position: Position) -> Heard {
        if position.series != self.series {
            return Heard::Nothing;
        }
        let kept = self.kept.get(&position.taken).map(|(id, _)| *id);
        let is_other = kept.zip(position.id).is_some_and(|(kept, said)| kept != said);
        if position.taken > self.last || is_other {
            return Heard::Restored;
        }
        self.taken = position.taken;
        Heard::Position
    }

    /// What to send next; an empty batch says that there is nothing.
    pub fn due(&self) -> Batch {
        let first = self.kept.keys().next().copied().unwrap_or(self.last + 1);
        let after = self.taken.max(first - 1);
        let mut bytes = 0;
        let requests = self.kept.range(after + 1..).take(BATCH_MAX).take_while(|(_, (_, body))| {
            let is_first = bytes == 0;
            bytes += body.len().max(1);
            is_first || bytes <= BATCH_BYTES_MAX
        });
        let request = |(number, (id, body)): (&u64, &(RequestId, Vec<u8>))| Request {
            number: *number,
            id: *id,
            body: body.clone(),
        };
        let lost = after - self.taken;
        let requests = requests.map(request).collect();
        Batch { series: self.series, after, requests, lost, now_ms: None, missing: None }
    }

    /// Forgets what the box has through this number; it is as old as the oldest backup may be.
    pub fn forget(&mut self, through: u64) {
        let through = through.min(self.taken);
        self.kept = self.kept.split_off(&(through + 1));
    }

    /// The hub was restored: what is open, as far as it knows, in a new series.
    pub fn restored(&self, series: u64) -> Self {
        let mut next = Self::new(series);
        for (_, (id, body)) in self.kept.range(self.taken + 1..) {
            next.last += 1;
            next.kept.insert(next.last, (*id, body.clone()));
        }
        next
    }
}

/// What the box keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How far it has the requests.
    pub position: Position,
    /// The ids of the latest, at most [`IDS_MAX`], oldest first.
    pub ids: Vec<RequestId>,
}

impl Taken {
    /// A box that never had a request.
    pub const NONE: Self =
        Self { position: Position { series: 0, taken: 0, id: None }, ids: Vec::new() };

    /// Which requests of a batch are new, and what the box has with them. Both are to be written in
    /// one transaction; after its commit the new position is said to the hub. A batch that leaves a
    /// gap gives nothing.
    pub fn take<'a>(&self, batch: &'a Batch) -> (Self, Vec<&'a Request>) {
        let mut next = self.clone();
        if batch.series != self.position.series {
            next.position = Position { series: batch.series, taken: 0, id: None };
        }
        // What the hub has no more is gone; it said so, and the caller tells a person.
        let known = next.position.taken;
        if batch.after > known && batch.after - known <= batch.lost {
            (next.position.taken, next.position.id) = (batch.after, None);
        }
        let mut ids: BTreeSet<RequestId> = next.ids.iter().copied().collect();
        let mut new = Vec::new();
        for request in &batch.requests {
            if Some(request.number) != next.position.taken.checked_add(1) {
                continue;
            }
            (next.position.taken, next.position.id) = (request.number, Some(request.id));
            if ids.insert(request.id) {
                next.ids.push(request.id);
                new.push(request);
            }
        }
        let over = next.ids.len().saturating_sub(IDS_MAX);
        next.ids.drain(..over);
        (next, new)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u8) -> RequestId {
        RequestId([number; 16])
    }

    #[derive(Clone, Debug)]
    enum Step {
        Put,
        Send,
        Arrive(prop::sample::Index),
        Say,
        Hear(prop::sample::Index),
        RestoreBox,
        RestoreHub,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Put),
            4 => Just(Step::Send),
            4 => any::<prop::sample::Index>().prop_map(Step::Arrive),
            3 => Just(Step::Say),
            3 => any::<prop::sample::Index>().prop_map(Step::Hear),
            1 => Just(Step::RestoreBox),
            1 => Just(Step::RestoreHub),
        ]
    }

    proptest! {
        /// Batches and positions come late, twice, in any order or never; box and hub go back to
        /// what they were at first. In the end the box has every request that the hub still knows.
        #[test]
        fn every_request_arrives_and_is_done_once(steps in prop::collection::vec(step(), 0..60)) {
            let mut hub = Queue::new(1);
            let mut clinic = Taken::NONE;
            let (mut done, mut put) = (Vec::new(), 0_u8);
            let (mut batches, mut positions) = (Vec::new(), Vec::new());
            for step in steps {
                match step {
                    Step::Put => {
                        put += 1;
                        hub.put(id(put), vec![put]).unwrap();
                    }
                    Step::Send => batches.push(hub.due()),
                    Step::Say => positions.push(clinic.position),
                    Step::Arrive(index) if !batches.is_empty() => {
                        let (next, new) = clinic.take(index.get(&batches));
                        done.extend(new.iter().map(|request| request.id));
                        clinic = next;
                    }
                    Step::Hear(index) if !positions.is_empty() => {
                        hub.hear(*index.get(&positions));
                    }
                    Step::RestoreBox => {
                        (clinic, done) = (Taken::NONE, Vec::new());
                    }
                    Step::RestoreHub => hub = hub.restored(hub.series + 1),
                    Step::Arrive(_) | Step::Hear(_) => {}
                }
            }
            let open: Vec<RequestId> = hub.kept.range(hub.taken + 1..).map(|it| it.1.0).collect();
            for _ in 0..4 {
                hub.hear(clinic.position);
                let batch = hub.due();
                prop_assert_eq!(batch.lost, 0);
                let (next, new) = clinic.take(&batch);
                done.extend(new.iter().map(|request| request.id));
                clinic = next;
            }
            prop_assert!(open.iter().all(|id| done.contains(id)));
            let once: BTreeSet<RequestId> = done.iter().copied().collect();
            prop_assert_eq!(once.len(), done.len(), "none is done twice");
        }
    }

    #[derive(Clone, Debug)]
    enum Turn {
        Put,
        Poll { answered: bool },
        Save,
        RestoreBox,
        RestoreHub,
    }

    fn turn() -> impl Strategy<Value = Turn> {
        prop_oneof![
            4 => Just(Turn::Put),
            4 => any::<bool>().prop_map(|answered| Turn::Poll { answered }),
            1 => Just(Turn::Save),
            1 => Just(Turn::RestoreBox),
            1 => Just(Turn::RestoreHub),
        ]
    }

    proptest! {
        /// Box and hub are put back to older copies without knowing it, and go on.
        #[test]
        fn a_restored_hub_finds_out_and_nothing_that_it_knows_is_lost(
            turns in prop::collection::vec(turn(), 0..80),
        ) {
            let (mut hub, mut clinic) = (Queue::new(1), (Taken::NONE, Vec::new()));
            let (mut put, mut series) = (0_u8, 1);
            let mut saved = (hub.clone(), clinic.clone());
            let mut poll = |hub: &mut Queue, (taken, done): &mut (Taken, Vec<RequestId>), answered| {
                if hub.hear(taken.position) == Heard::Restored {
                    series += 1;
                    *hub = hub.restored(series);
                }
                let batch = hub.due();
                if answered {
                    let (next, new) = taken.take(&batch);
                    done.extend(new.iter().map(|request| request.id));
                    *taken = next;
                }
            };
            for turn in turns {
                match turn {
                    Turn::Put => {
                        put += 1;
                        hub.put(id(put), vec![]).unwrap();
                    }
                    Turn::Poll { answered } => poll(&mut hub, &mut clinic, answered),
                    Turn::Save => saved = (hub.clone(), clinic.clone()),
                    Turn::RestoreBox => clinic = saved.1.clone(),
                    Turn::RestoreHub => hub = saved.0.clone(),
                }
            }
            let open: Vec<RequestId> = hub.kept.range(hub.taken + 1..).map(|it| it.1.0).collect();
            for _ in 0..5 {
                poll(&mut hub, &mut clinic, true);
            }
            let (_, done) = clinic;
            prop_assert!(open.iter().all(|id| done.contains(id)));
            let once: BTreeSet<RequestId> = done.iter().copied().collect();
            prop_assert_eq!(once.len(), done.len(), "none is done twice");
        }
    }

    #[test]
    fn a_batch_fits_into_an_envelope() {
        let mut hub = Queue::new(1);
        for number in 1..=20 {
            hub.put(id(number), vec![0; REQUEST_BYTES_MAX]).unwrap();
        }
        assert_eq!(hub.due().requests.len(), BATCH_BYTES_MAX / REQUEST_BYTES_MAX);
    }

    #[test]
    fn what_the_hub_no_longer_has_is_said_to_be_lost() {
        let mut hub = Queue::new(1);
        for number in 1..=5 {
            hub.put(id(number), vec![]).unwrap();
        }
        hub.hear(Position { series: 1, taken: 4, id: Some(id(4)) });
        hub.forget(3);
        hub.hear(Position { series: 1, taken: 1, id: Some(id(1)) });
        let batch = hub.due();
        assert_eq!((batch.after, batch.lost), (3, 2));
        let position = Position { series: 1, taken: 1, id: Some(id(1)) };
        let restored = Taken { position, ids: vec![id(1)] };
        let (next, new) = restored.take(&batch);
        assert_eq!(new.iter().map(|it| it.number).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(next.position.taken, 5);
    }

    #[test]
    fn a_full_queue_and_a_long_request_are_refused() {
        let mut hub = Queue::new(1);
        for _ in 0..REQUESTS_MAX {
            hub.put(id(0), vec![]).unwrap();
        }
        assert_eq!(hub.put(id(0), vec![]), Err(Full::Queue));
        assert_eq!(hub.put(id(0), vec![0; REQUEST_BYTES_MAX + 1]), Err(Full::Request));
        assert_eq!(hub.due().requests.len(), BATCH_MAX);
    }
}
