//! A box, perhaps its copy, the hub, and the network between them.

use std::collections::BTreeSet;

use stateright::{Model, Property};
use sync_protocol::ledger::{
    Body, Bundle, Content, Effect, Entry, Key, Ledger, Mark, Reason, Receipt, Taken,
};
use sync_protocol::lineage::LogId;
use sync_protocol::uplink::{Next, Own, State as Known, Uplink};

use super::mutation::Mutation;
use super::property;

/// How much is explored.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Entries written, by whichever box.
    pub entries: u8,
    pub restarts: u8,
    /// The disk is copied once, and the copy runs, too.
    pub clones: bool,
    /// A backup is put back once, and the box does not notice.
    pub rollbacks: bool,
    /// A backup is put back once, with a new log id.
    pub restores: bool,
    pub hub_restores: bool,
}

impl Bounds {
    pub const QUIET: Self = Self {
        entries: 2,
        restarts: 0,
        clones: false,
        rollbacks: false,
        restores: false,
        hub_restores: false,
    };

    pub fn or_larger(self) -> Self {
        let is_large = std::env::var("CAREPOST_MODEL").is_ok_and(|size| size == "large");
        Self { entries: self.entries + u8::from(is_large), ..self }
    }
}

#[derive(Clone, Debug)]
pub struct World {
    pub bounds: Bounds,
    /// The rule that is taken out.
    pub mutation: Option<Mutation>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub boxes: Vec<Device>,
    pub hub: Hub,
    /// Whatever was sent may arrive at any time, as often as it likes, or never.
    pub net: BTreeSet<Packet>,
    pub backup: Option<Device>,
    pub hub_backup: Option<Hub>,
    pub written: u8,
    pub restarts: u8,
    pub went_back: WentBack,
}

/// What happened that must be noticed, or must not harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WentBack {
    Nothing,
    Cloned,
    RolledBack,
    Restored,
    Hub,
}

/// A box: its log is a row of records, each written once and never again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    pub log: Vec<u8>,
    pub uplink: Uplink,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hub {
    pub ledger: Ledger,
    pub held: BTreeSet<u8>,
    /// Records from before a statement that it has not named yet.
    pub unconfirmed: BTreeSet<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Packet {
    Up(Bundle),
    Down(Receipt),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Write(usize),
    Restart(usize),
    Clone,
    Backup,
    RollBack,
    Restore,
    HubBackup,
    HubRestore,
    AtHub(Bundle),
    AtBox(usize, Receipt),
}

/// The second record is bad, and the hub says why.
pub fn is_bad(record: u8) -> bool {
    record == 1
}

fn check(entry: &Entry) -> Option<Reason> {
    is_bad(entry.key.0[0]).then_some(Reason::Invalid)
}

impl Device {
    pub fn head(&self) -> u64 {
        u64::try_from(self.log.len()).expect("a short log")
    }

    fn mark(&self, at: u64) -> Option<Mark> {
        let at = usize::try_from(at).expect("a short log");
        let fold = |mark: Mark, record: &u8| mark.then(&[*record]);
        self.log.get(..at).map(|log| log.iter().fold(Mark::START, fold))
    }

    pub fn own(&self, at: u64) -> Own {
        self.mark(at).map_or(Own::Never, Own::Mark)
    }

    /// The bundle that is to be sent next.
    pub fn bundle(&self, most: usize) -> Option<Bundle> {
        let next = self.uplink.next(self.head());
        let entry = |(sequence, record): (u64, &u8)| Entry {
            sequence,
            key: Key(vec![*record]),
            body: Body::Given(vec![*record]),
        };
        let from = |sequence: u64| {
            (sequence + 1..).zip(&self.log[usize::try_from(sequence).expect("short")..])
        };
        let statement = |as_of: u64, mark, after: Option<Key>| {
            let mut all: Vec<Entry> = from(0).map(entry).collect();
            all.retain(|it| {
                it.sequence <= as_of && after.as_ref().is_none_or(|after| it.key > *after)
            });
            all.sort_by(|a, b| a.key.cmp(&b.key));
            let last = all.len() <= most;
            all.truncate(most);
            Content::Statement { as_of, mark, from: after, last, entries: all }
        };
        let content = match next {
            Next::Idle | Next::Stopped => return None,
            Next::Ask | Next::Report { .. } => sync_protocol::uplink::empty(&next)?,
            Next::Begin => statement(self.head(), self.mark(self.head())?, None),
            Next::Part { as_of, mark, from } => statement(as_of, mark, Some(from)),
            Next::Stretch { after } => {
                let entries: Vec<Entry> = from(after).take(most).map(entry).collect();
                let through = entries.last()?.sequence;
                let (before, mark) = (self.mark(after)?, self.mark(through)?);
                Content::Stretch { after, before, through, mark, entries }
            }
        };
        Some(Bundle { log: self.uplink.log, generation: self.uplink.generation, content })
    }
}

impl Hub {
    /// Writes what the ledger says, in one transaction with it.
    fn commit(&mut self, bundle: &Bundle, taken: Taken, forgets: Option<Mutation>) {
        let entries = match &bundle.content {
            Content::Ask | Content::Forked { .. } => &[][..],
            Content::Statement { entries, .. } | Content::Stretch { entries, .. } => entries,
        };
        for effect in taken.effects {
            match effect {
                Effect::Begin => self.unconfirmed = self.held.clone(),
                Effect::Store(at) => {
                    self.unconfirmed.remove(&entries[at].key.0[0]);
                    self.held.insert(entries[at].key.0[0]);
                }
                Effect::Complete if forgets == Some(Mutation::StatementNeverComplete) => {}
                Effect::Complete => {
                    self.held = self.held.difference(&self.unconfirmed).copied().collect();
                    self.unconfirmed.clear();
                }
                Effect::Park(_, _) | Effect::Reborn | Effect::Quarantine | Effect::Retired => {}
            }
        }
        self.ledger = taken.ledger;
    }
}

impl World {
    /// A bundle arrives at the hub, which answers after its commit.
    pub fn at_hub(&self, hub: &mut Hub, bundle: &Bundle) -> Option<Receipt> {
        assert!(bundle.is_sound());
        let (ledger, bundle) = self.before_taking(&hub.ledger, bundle)?;
        let taken = self.after_taking(&hub.ledger, ledger.take(&bundle, true, check));
        let receipt = taken.receipt.clone();
        if self.mutation != Some(Mutation::ReceiptBeforeTheCommit) {
            hub.commit(&bundle, taken, self.mutation);
        }
        Some(receipt)
    }

    pub fn at_box(&self, device: &mut Device, receipt: &Receipt) {
        let own = |at| self.own(device, receipt, at);
        device.uplink = device.uplink.hear(receipt, own);
    }

    fn act(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        match action {
            Action::Write(number) => {
                next.boxes[number].log.push(last.written);
                next.written += 1;
            }
            Action::Restart(number) => {
                next.boxes[number].uplink = last.boxes[number].uplink.restarted();
                next.restarts += 1;
            }
            Action::Clone => {
                next.boxes.push(last.boxes[0].clone());
                next.went_back = WentBack::Cloned;
            }
            Action::Backup => next.backup = Some(last.boxes[0].clone()),
            Action::RollBack => {
                next.boxes[0] = last.backup.clone()?;
                next.went_back = WentBack::RolledBack;
            }
            Action::Restore => {
                let log = last.backup.clone()?.log;
                next.boxes[0] = Device { log, uplink: Uplink::new(LogId([2; 16])) };
                next.went_back = WentBack::Restored;
            }
            Action::HubBackup => next.hub_backup = Some(last.hub.clone()),
            Action::HubRestore => {
                next.hub = last.hub_backup.clone()?;
                next.went_back = WentBack::Hub;
            }
            Action::AtHub(bundle) => {
                let receipt = self.at_hub(&mut next.hub, &bundle)?;
                next.net.insert(Packet::Down(receipt));
            }
            Action::AtBox(number, receipt) => self.at_box(&mut next.boxes[number], &receipt),
        }
        next.post();
        (next != *last).then_some(next)
    }
}

impl State {
    /// What may be sent goes out, in stretches of one entry or of two; a packet that is never
    /// delivered was never sent.
    fn post(&mut self) {
        for device in &self.boxes {
            self.net
                .extend([1, 2].into_iter().filter_map(|most| device.bundle(most)).map(Packet::Up));
        }
        self.net.insert(Packet::Down(self.hub.ledger.receipt()));
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let log = LogId([1; 16]);
        let ledger = Ledger::first(log);
        let mut first = State {
            boxes: vec![Device { log: Vec::new(), uplink: Uplink::new(log) }],
            hub: Hub { ledger, held: BTreeSet::new(), unconfirmed: BTreeSet::new() },
            net: BTreeSet::new(),
            backup: None,
            hub_backup: None,
            written: 0,
            restarts: 0,
            went_back: WentBack::Nothing,
        };
        first.post();
        vec![first]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let bounds = self.bounds;
        for number in 0..state.boxes.len() {
            if state.written < bounds.entries {
                actions.push(Action::Write(number));
            }
            if state.restarts < bounds.restarts {
                actions.push(Action::Restart(number));
            }
        }
        if state.went_back == WentBack::Nothing {
            if bounds.clones {
                actions.push(Action::Clone);
            }
            if bounds.rollbacks || bounds.restores {
                if state.backup.is_none() {
                    actions.push(Action::Backup);
                } else if bounds.rollbacks {
                    actions.push(Action::RollBack);
                } else {
                    actions.push(Action::Restore);
                }
            }
            if bounds.hub_restores {
                actions.push(if state.hub_backup.is_none() {
                    Action::HubBackup
                } else {
                    Action::HubRestore
                });
            }
        }
        for packet in &state.net {
            match packet {
                Packet::Up(bundle) => actions.push(Action::AtHub(bundle.clone())),
                Packet::Down(receipt) => actions.extend(
                    (0..state.boxes.len()).map(|number| Action::AtBox(number, receipt.clone())),
                ),
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        self.act(last, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        property::all()
    }
}

/// Whether this box still sends.
pub fn is_running(device: &Device) -> bool {
    match device.uplink.state {
        Known::Asking | Known::Known(_) => true,
        Known::Stopped(_) => false,
    }
}
