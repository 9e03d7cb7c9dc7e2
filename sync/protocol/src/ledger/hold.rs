//! The hub's side: what it takes, and the receipt.

use minicbor::{Decode, Encode};

use super::{
    Body, Bundle, Content, Entry, Extent, Key, Mark, NAMED_MAX, PARKED_MAX, Parked, RECENT_MAX,
    Reason, Receipt, Standing,
};
use crate::lineage::{Lineage, LogId, Meeting};

/// What the hub keeps about the log of one box; the entries themselves are the caller's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Ledger {
    /// The lives of the box.
    #[n(0)]
    pub lineage: Lineage,
    /// How far the living log is held.
    #[n(1)]
    pub extent: Extent,
    /// Ends of the latest stretches, with their marks; at most [`RECENT_MAX`].
    #[n(2)]
    pub recent: Vec<(u64, Mark)>,
    /// What could not be taken; at most [`PARKED_MAX`].
    #[n(3)]
    pub parked: Vec<Parked>,
    /// How many more could not be taken.
    #[n(4)]
    pub parked_beyond: u64,
    /// Two boxes speak as this one; a person has to say which it is.
    #[n(5)]
    pub quarantined: bool,
}

/// What has to be written in the transaction that writes the new ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Another life of the box begins: what was lent by the one before is over.
    Reborn,
    /// A full statement begins: all records held of this box are unconfirmed from now on.
    Begin,
    /// The entry at this place of the bundle replaces the record with its key; [`Body::Gone`] removes it.
    Store(usize),
    /// The entry at this place of the bundle is kept aside.
    Park(usize, Reason),
    /// The statement is whole: records that it did not name are gone.
    Complete,
    /// Two boxes speak as one: somebody has to be told.
    Quarantine,
    /// A log that was left spoke: a very late message, or a second box.
    Retired,
}

/// What became of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// To be written in place of the old one.
    pub ledger: Ledger,
    /// To be written with it.
    pub effects: Vec<Effect>,
    /// To be sent after the commit.
    pub receipt: Receipt,
}

impl Ledger {
    /// The ledger of a box that is enrolled with this log.
    pub fn first(log: LogId) -> Self {
        Self::of(Lineage::first(log))
    }

    fn of(lineage: Lineage) -> Self {
        Self {
            lineage,
            extent: Extent::Nothing,
            recent: Vec::new(),
            parked: Vec::new(),
            parked_beyond: 0,
            quarantined: false,
        }
    }

    /// To be kept: an array of the fields in the order of their numbers, as on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self)
            .expect("invariant: writing numbers and bytes into memory cannot fail")
    }

    /// What [`Ledger::to_bytes`] wrote; none if it is anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ledger: Self = minicbor::decode(bytes).ok()?;
        (ledger.to_bytes() == bytes).then_some(ledger)
    }

    /// Takes in a bundle that [`Bundle::is_sound`] and whose envelope was opened. `reborn`: whether
    /// a person allowed that a log never heard before takes over. `check` says why an entry cannot
    /// be taken; it is asked only about entries that would be.
    pub fn take(
        &self,
        bundle: &Bundle,
        reborn: bool,
        check: impl Fn(&Entry) -> Option<Reason>,
    ) -> Taken {
        let mut next = self.clone();
        let mut effects = Vec::new();
        match self.lineage.meet(bundle.log, bundle.generation) {
            Meeting::Living if self.quarantined => {
                return next.answer(bundle.log, Standing::Quarantined);
            }
            Meeting::Living => {}
            Meeting::Reborn(lineage) if reborn => {
                next = Self::of(lineage);
                effects.push(Effect::Reborn);
            }
            Meeting::Reborn(_) | Meeting::TooMany => {
                return next.answer(bundle.log, Standing::NotEnrolled);
            }
            Meeting::Retired => {
                let mut taken = next.answer(bundle.log, Standing::Retired);
                taken.effects.push(Effect::Retired);
                return taken;
            }
        }
        if next.shows_another_log(&bundle.content) {
            next.quarantined = true;
            let mut taken = next.answer(bundle.log, Standing::Quarantined);
            taken.effects.push(Effect::Quarantine);
            return taken;
        }
        if let Some(extent) = next.extended(&bundle.content) {
            next.store(bundle, extent, &check, &mut effects);
        }
        let mut taken = next.answer(bundle.log, Standing::Living);
        taken.effects = effects;
        taken
    }

    /// The hub's programs have learned: entries that are parked may be tried again. Those that
    /// `check` lets pass are answered, to be stored by the caller.
    pub fn mend(&self, check: impl Fn(&Parked) -> bool) -> (Self, Vec<Parked>) {
        let mut next = self.clone();
        let mended = next.parked.extract_if(.., |parked| check(parked)).collect();
        (next, mended)
    }

    /// What is said to the living log now.
    pub fn receipt(&self) -> Receipt {
        let standing = if self.quarantined { Standing::Quarantined } else { Standing::Living };
        self.clone().answer(self.lineage.log, standing).receipt
    }

    fn answer(self, log: LogId, standing: Standing) -> Taken {
        let is_ours = match standing {
            Standing::Living | Standing::Quarantined => true,
            Standing::Retired | Standing::NotEnrolled => false,
        };
        let receipt = Receipt {
            log,
            generation: self.lineage.generation,
            standing,
            extent: if is_ours { self.extent.clone() } else { Extent::Nothing },
            parked: if is_ours {
                self.parked.iter().take(NAMED_MAX).cloned().collect()
            } else {
                Vec::new()
            },
            parked_count: if is_ours { self.parked_count() } else { 0 },
        };
        Taken { ledger: self, effects: Vec::new(), receipt }
    }

    fn parked_count(&self) -> u64 {
        u64::try_from(self.parked.len()).unwrap_or(u64::MAX).saturating_add(self.parked_beyond)
    }

    /// Whether this can only come from a log that is not the one that is held.
    fn shows_another_log(&self, content: &Content) -> bool {
        let differs =
            |at: u64, mark: Mark| self.recent.iter().any(|(it, own)| *it == at && *own != mark);
        match content {
            Content::Ask => false,
            Content::Forked { .. } => true,
            Content::Statement { as_of, mark, from: _, last: _, entries: _ } => {
                differs(*as_of, *mark)
            }
            Content::Stretch { after, before, through, mark, entries: _ } => {
                differs(*after, *before) || differs(*through, *mark)
            }
        }
    }

    /// How far the log is held with this; nothing if it is a repetition or leaves a gap.
    fn extended(&self, content: &Content) -> Option<Extent> {
        match content {
            Content::Ask | Content::Forked { .. } => None,
            Content::Statement { as_of, mark, from, last, entries } => {
                let is_next = match &self.extent {
                    Extent::Nothing => from.is_none(),
                    Extent::Statement { as_of: own, mark: _, upto } => {
                        (own == as_of && from.as_ref() == Some(upto))
                            || (own < as_of && from.is_none())
                    }
                    // What is held stays held: a log is stated once, another log begins anew.
                    Extent::Log { .. } => false,
                };
                let (as_of, mark) = (*as_of, *mark);
                let extent = match entries.last() {
                    _ if *last => Extent::Log { through: as_of, mark },
                    Some(entry) => Extent::Statement { as_of, mark, upto: entry.key.clone() },
                    None => return None,
                };
                is_next.then_some(extent)
            }
            Content::Stretch { after, before: _, through, mark, entries: _ } => {
                match &self.extent {
                    Extent::Log { through: own, mark: _ } if own == after => {
                        Some(Extent::Log { through: *through, mark: *mark })
                    }
                    Extent::Nothing | Extent::Statement { .. } | Extent::Log { .. } => None,
                }
            }
        }
    }

    fn store(
        &mut self,
        bundle: &Bundle,
        extent: Extent,
        check: &impl Fn(&Entry) -> Option<Reason>,
        effects: &mut Vec<Effect>,
    ) {
        let (entries, first, last) = match &bundle.content {
            Content::Ask | Content::Forked { .. } => return,
            Content::Statement { as_of: _, mark: _, from, last, entries } => {
                (entries, from.is_none(), *last)
            }
            Content::Stretch { after: _, before: _, through: _, mark: _, entries } => {
                (entries, false, false)
            }
        };
        if first {
            effects.push(Effect::Begin);
        }
        for (at, entry) in entries.iter().enumerate() {
            let reason = match entry.body {
                Body::TooLong(_) => Some(Reason::TooLong),
                // What was not put together is for the check to say, too.
                Body::Given(_) | Body::Changed(_) => check(entry),
                Body::Gone => None,
            };
            self.forget_parked(&entry.key);
            match reason {
                None => effects.push(Effect::Store(at)),
                Some(reason) => {
                    self.park(entry, reason);
                    effects.push(Effect::Park(at, reason));
                }
            }
        }
        if last {
            effects.push(Effect::Complete);
        }
        self.extent = extent.clone();
        if let Extent::Log { through, mark } = extent {
            if self.recent.len() >= RECENT_MAX {
                self.recent.remove(0);
            }
            self.recent.push((through, mark));
        }
    }

    fn forget_parked(&mut self, key: &Key) {
        self.parked.retain(|parked| parked.key != *key);
    }

    fn park(&mut self, entry: &Entry, reason: Reason) {
        if self.parked.len() >= PARKED_MAX {
            self.parked_beyond = self.parked_beyond.saturating_add(1);
            return;
        }
        let (sequence, key) = (entry.sequence, entry.key.clone());
        self.parked.push(Parked { sequence, key, reason });
    }
}
