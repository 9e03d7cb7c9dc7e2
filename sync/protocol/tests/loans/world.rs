//! One box, one hub, the network between them and what really happened.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use stateright::{Model, Property};
use sync_protocol::lineage::{Lineage, LogId, Meeting};
use sync_protocol::loan::clock::{BoxTime, HubTime, Nonce};
use sync_protocol::loan::{
    Account, BookingId, Borrower, Effect, Fence, Generation, Holder, Lender, Standing, Terms,
    ToBox, ToHub,
};

use super::mutation::Mutation;
use super::{drain, property};

/// The term of every loan, and how far the clocks move in one tick: well beyond it.
const TERM_MS: u64 = 1000;
const TICK_MS: u64 = 2 * TERM_MS;

/// How much is explored.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub slots: u8,
    pub epochs: u64,
    pub bookings: u8,
    pub ticks: u8,
    pub recalls: bool,
    pub cancels: bool,
    pub overrides: bool,
    /// Reboots of the box, and restores from a backup made at any time before.
    pub reboots: u8,
    pub restores: u8,
    pub hub_reboots: u8,
    pub hub_restores: u8,
    /// Whether each state is also asked if everything settles from there.
    pub settles: bool,
}

impl Bounds {
    /// One slot, and nothing but grants, sales and returns.
    pub const QUIET: Self = Self {
        slots: 1,
        epochs: 2,
        bookings: 2,
        ticks: 0,
        recalls: false,
        cancels: false,
        overrides: false,
        reboots: 0,
        restores: 0,
        hub_reboots: 0,
        hub_restores: 0,
        settles: true,
    };

    pub fn or_larger(self) -> Self {
        if std::env::var("CAREPOST_MODEL").is_ok_and(|size| size == "large") {
            Self { epochs: self.epochs + 1, bookings: self.bookings + 1, ..self }
        } else {
            self
        }
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
    pub clinic: Clinic,
    pub hub: Hub,
    /// Whatever was sent may arrive at any time, as often as it likes, or never.
    pub net: BTreeSet<Packet>,
    pub clinic_backup: Option<Clinic>,
    pub hub_backup: Option<Hub>,
    pub truth: Truth,
}

/// What is in the database of the box, and its clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Clinic {
    pub standing: Standing,
    pub log: u8,
    pub boot: u8,
    pub booted_at: u8,
    pub nonce: Nonce,
    pub slots: Vec<Lender>,
    /// Tasks "displaced patient", by booking.
    pub displaced: Vec<u8>,
}

/// What is in the database of the hub, and its clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hub {
    pub lineage: Lineage,
    pub store: u8,
    pub boot: u8,
    pub slots: Vec<Borrower>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Packet {
    ToHub { by: Generation, slot: u8, said: ToHub },
    ToBox { slot: u8, said: ToBox },
    Ask { log: u8 },
    Accounts { log: u8, generation: Generation, accounts: Vec<Account> },
}

/// What really happened; nobody in the model looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Truth {
    pub time: u8,
    pub bookings: Vec<Booking>,
    pub overrides: BTreeSet<(u8, Fence)>,
    pub reboots: u8,
    pub restores: u8,
    pub hub_reboots: u8,
    pub hub_restores: u8,
    pub sold_after_override: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Booking {
    pub slot: u8,
    /// The fence under which the hub sold it; none if the box booked it.
    pub sold: Option<Fence>,
    pub end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    Confirmed,
    Cancelled,
    /// Confirmed by a database that was replaced by an older backup.
    Forgotten,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Book(u8),
    CancelAtBox(u8),
    Lend(u8),
    Recall(u8),
    Override(u8),
    Reboot,
    Backup,
    Restore,
    Sell(u8),
    CancelAtHub(u8),
    GiveBack(u8),
    HubReboot,
    HubBackup,
    HubRestore,
    Poll,
    Tick,
    Deliver(Packet),
}

pub fn id(number: usize) -> BookingId {
    let mut bytes = [0; 16];
    bytes[0] = u8::try_from(number).expect("the bounds are small");
    BookingId(bytes)
}

fn log(number: u8) -> LogId {
    LogId([number; 16])
}

impl State {
    fn first(bounds: Bounds) -> Self {
        let slots = usize::from(bounds.slots);
        let lineage = Lineage::first(log(0));
        let hub = Hub { lineage, store: 1, boot: 1, slots: vec![Borrower::NEW; slots] };
        let truth = Truth {
            time: 0,
            bookings: Vec::new(),
            overrides: BTreeSet::new(),
            reboots: 0,
            restores: 0,
            hub_reboots: 0,
            hub_restores: 0,
            sold_after_override: false,
        };
        let clinic = Clinic {
            standing: Standing::Living(hub.lineage.generation),
            log: 0,
            boot: 1,
            booted_at: 0,
            nonce: hub.time(0).nonce,
            slots: vec![Lender::NEW; slots],
            displaced: vec![0; usize::from(bounds.bookings)],
        };
        let net = BTreeSet::new();
        Self { clinic, hub, net, clinic_backup: None, hub_backup: None, truth }
    }

    /// What is due goes out; a packet that is never delivered was never sent.
    pub fn post(&mut self) {
        for (slot, row) in (0..).zip(&self.clinic.slots) {
            if let Standing::Living(by) = self.clinic.standing {
                self.net.extend(row.outgoing().into_iter().map(|said| Packet::ToHub {
                    by,
                    slot,
                    said,
                }));
            }
        }
        if let Standing::Learning(_) = self.clinic.standing {
            self.net.insert(Packet::Ask { log: self.clinic.log });
        }
        for (slot, row) in (0..).zip(&self.hub.slots) {
            self.net.extend(row.outgoing().into_iter().map(|said| Packet::ToBox { slot, said }));
        }
    }

    fn new_booking(&mut self, bounds: Bounds, slot: u8, sold: Option<Fence>) -> Option<BookingId> {
        let number = self.truth.bookings.len();
        if number >= usize::from(bounds.bookings) {
            return None;
        }
        self.truth.bookings.push(Booking { slot, sold, end: End::Confirmed });
        Some(id(number))
    }

    fn cancelled(&mut self, booking: BookingId) {
        self.truth.bookings[usize::from(booking.0[0])].end = End::Cancelled;
    }
}

/// The same state with two slots changed over, if it is not already in the one order of the two.
pub fn in_order(state: &State) -> State {
    let weight = |slot: usize| {
        let mut hasher = DefaultHasher::new();
        (&state.clinic.slots[slot], &state.hub.slots[slot]).hash(&mut hasher);
        hasher.finish()
    };
    if state.clinic.slots.len() != 2 || weight(0) <= weight(1) {
        return state.clone();
    }
    let other = |slot: u8| 1 - slot;
    let mut state = state.clone();
    state.clinic.slots.swap(0, 1);
    state.hub.slots.swap(0, 1);
    for booking in &mut state.truth.bookings {
        booking.slot = other(booking.slot);
    }
    let overrides = state.truth.overrides.iter().map(|(slot, fence)| (other(*slot), *fence));
    state.truth.overrides = overrides.collect();
    let turned = |packet| match packet {
        Packet::ToHub { by, slot, said } => Packet::ToHub { by, slot: other(slot), said },
        Packet::ToBox { slot, said } => Packet::ToBox { slot: other(slot), said },
        Packet::Ask { log } => Packet::Ask { log },
        Packet::Accounts { log, generation, mut accounts } => {
            accounts.swap(0, 1);
            Packet::Accounts { log, generation, accounts }
        }
    };
    state.net = state.net.into_iter().map(turned).collect();
    state
}

impl Clinic {
    pub fn time(&self, time: u8) -> BoxTime {
        let at_ms = u64::from(time - self.booted_at) * TICK_MS;
        BoxTime { boot: u64::from(self.boot), at_ms }
    }

    fn did(&mut self, slot: u8, state: Lender, effects: Vec<Effect<ToHub>>) -> Vec<Packet> {
        self.slots[usize::from(slot)] = state;
        let mut sent = Vec::new();
        for effect in effects {
            match effect {
                Effect::Adopt(_) => {}
                Effect::Displace(booking) => self.displaced[usize::from(booking.0[0])] += 1,
                Effect::Withdraw(booking) => self.displaced[usize::from(booking.0[0])] = 0,
                Effect::Send(said) => {
                    if let Standing::Living(by) = self.standing {
                        sent.push(Packet::ToHub { by, slot, said });
                    }
                }
            }
        }
        sent
    }
}

impl Hub {
    pub fn time(&self, time: u8) -> HubTime {
        let (store, boot) = (u64::from(self.store), u64::from(self.boot));
        HubTime { nonce: Nonce { store, boot, at_ms: u64::from(time) * TICK_MS }, wall_ms: 0 }
    }
}

impl World {
    fn act(&self, last: &State, action: &Action) -> Option<State> {
        let mut next = last.clone();
        let bounds = self.bounds;
        let time = last.truth.time;
        match action {
            Action::Book(slot) => {
                let booking = next.new_booking(bounds, *slot, None)?;
                let row = &last.clinic.slots[usize::from(*slot)];
                next.clinic.slots[usize::from(*slot)] =
                    self.book(row, last.clinic.standing, booking)?;
            }
            Action::CancelAtBox(slot) => {
                let row = &last.clinic.slots[usize::from(*slot)];
                let (state, booking) = self.cancel(row)?;
                next.clinic.slots[usize::from(*slot)] = state;
                next.cancelled(booking);
            }
            Action::Lend(slot) => {
                let row = &last.clinic.slots[usize::from(*slot)];
                let nonce = last.clinic.nonce;
                let terms = Terms { nonce, term_ms: TERM_MS, sell_until_ms: 1 };
                let now = last.clinic.time(time);
                let lent = row.lend(last.clinic.standing, terms, now).ok()?;
                if row.fence.epoch.0 >= bounds.epochs {
                    return None;
                }
                next.clinic.slots[usize::from(*slot)] = lent;
                if self.mutation == Some(Mutation::GrantSentBeforeTheCommit) {
                    next.post();
                    next.clinic.slots[usize::from(*slot)] = row.clone();
                }
            }
            Action::Recall(slot) => {
                let row = last.clinic.slots[usize::from(*slot)].recall().ok()?;
                next.clinic.slots[usize::from(*slot)] = row;
            }
            Action::Override(slot) => {
                let row = &last.clinic.slots[usize::from(*slot)];
                if row.fence.epoch.0 >= bounds.epochs {
                    return None;
                }
                let now = self.waited(last.clinic.time(time), row);
                let step = row.override_loan(last.clinic.standing, now).ok()?;
                next.truth.overrides.insert((*slot, row.fence));
                let state = self.overrode(step.state);
                next.net.extend(next.clinic.did(*slot, state, step.effects));
            }
            Action::Reboot => {
                next.clinic.boot += 1;
                next.clinic.booted_at = time;
                next.truth.reboots += 1;
            }
            Action::Backup => next.clinic_backup = Some(last.clinic.clone()),
            Action::Restore => self.restore(&mut next)?,
            Action::Sell(slot) => {
                let row = self.before_sale(&last.hub.slots[usize::from(*slot)]);
                let booking = next.new_booking(bounds, *slot, Some(row.fence))?;
                let step = row.sell(booking, self.in_time(last.hub.time(time), &row)).ok()?;
                let is_overridden = last.truth.overrides.contains(&(*slot, row.fence));
                next.truth.sold_after_override |= is_overridden;
                next.answer(*slot, step.state, step.effects);
            }
            Action::CancelAtHub(slot) => {
                let row = &last.hub.slots[usize::from(*slot)];
                let booking = row.holding?.sale?;
                next.hub.slots[usize::from(*slot)] = row.cancel(booking).ok()?;
                next.cancelled(booking);
            }
            Action::GiveBack(slot) => {
                let row = &last.hub.slots[usize::from(*slot)];
                next.hub.slots[usize::from(*slot)] = self.given_back(row)?;
            }
            Action::HubReboot => {
                next.hub.boot += 1;
                next.truth.hub_reboots += 1;
            }
            Action::HubBackup => next.hub_backup = Some(last.hub.clone()),
            Action::HubRestore => self.restore_hub(&mut next)?,
            Action::Poll => self.poll(&mut next),
            Action::Tick => next.truth.time += 1,
            Action::Deliver(packet) => self.deliver(&mut next, packet)?,
        }
        next.post();
        (next != *last).then_some(next)
    }

    /// The box hears the newest nonce of the hub.
    pub fn poll(&self, state: &mut State) {
        let nonce = state.hub.time(state.truth.time).nonce;
        if nonce.store != state.clinic.nonce.store {
            for row in &mut state.clinic.slots {
                *row = row.hub_changed(nonce.store);
            }
        }
        state.clinic.nonce = nonce;
    }

    /// One packet arrives; nothing if it is refused.
    pub fn deliver(&self, state: &mut State, packet: &Packet) -> Option<()> {
        match packet {
            Packet::ToHub { by, slot, said } => {
                let row = &state.hub.slots[usize::from(*slot)];
                let now = state.hub.time(state.truth.time);
                let step = self.hub_hears(row, *by, state.hub.lineage.generation, *said, now)?;
                state.answer(*slot, step.state, step.effects);
            }
            Packet::ToBox { slot, said } => {
                let row = &state.clinic.slots[usize::from(*slot)];
                let step = self.box_hears(row, state.clinic.standing, *said)?;
                let (row, effects) = self.committed(row, step);
                state.net.extend(state.clinic.did(*slot, row, effects));
            }
            Packet::Ask { log: asks } => {
                match state.hub.lineage.meet(log(*asks), None) {
                    Meeting::Retired | Meeting::TooMany => return None,
                    Meeting::Living => {}
                    Meeting::Reborn(lineage) => {
                        state.hub.lineage = lineage;
                        for row in &mut state.hub.slots {
                            *row = row.renew();
                        }
                    }
                }
                let store = u64::from(state.hub.store);
                let accounts = state.hub.slots.iter().map(|row| row.account(store)).collect();
                let generation = state.hub.lineage.generation;
                state.net.insert(Packet::Accounts { log: *asks, generation, accounts });
            }
            Packet::Accounts { log: asked, generation, accounts } => {
                if state.clinic.standing != Standing::Learning(log(*asked)) {
                    return None;
                }
                let now = state.clinic.time(state.truth.time);
                for (slot, account) in (0..).zip(accounts) {
                    let step =
                        state.clinic.slots[usize::from(slot)].learn(&self.believed(account), now);
                    state.net.extend(state.clinic.did(slot, step.state, step.effects));
                }
                state.clinic.standing = Standing::Living(*generation);
            }
        }
        Some(())
    }

    fn restore(&self, next: &mut State) -> Option<()> {
        let old = next.clinic_backup.clone()?;
        let (boot, number) = (next.clinic.boot + 1, next.clinic.log + 1);
        next.clinic = Clinic { boot, booted_at: next.truth.time, log: number, ..old };
        next.clinic.nonce = next.hub.time(next.truth.time).nonce;
        next.clinic.standing = self.restored(log(number), next.clinic.standing);
        next.truth.restores += 1;
        let held: Vec<Holder> = next.clinic.slots.iter().map(|row| row.holder).collect();
        for (number, booking) in next.truth.bookings.iter_mut().enumerate() {
            let is_kept = held[usize::from(booking.slot)] == Holder::Here(Some(id(number)));
            if booking.sold.is_none() && booking.end == End::Confirmed && !is_kept {
                // What the box booked after its backup no loan can know.
                booking.end = End::Cancelled;
            }
        }
        Some(())
    }

    fn restore_hub(&self, next: &mut State) -> Option<()> {
        let old = next.hub_backup.clone()?;
        let (store, boot) = self.hub_restored(&next.hub);
        next.hub = Hub { store, boot, ..old };
        if store != next.hub_backup.as_ref()?.store {
            for row in &mut next.hub.slots {
                *row = row.restored();
            }
        }
        next.truth.hub_restores += 1;
        for number in 0..next.truth.bookings.len() {
            let booking = next.truth.bookings[number];
            if booking.sold.is_some()
                && booking.end == End::Confirmed
                && !property::is_known(next, number, booking)
            {
                next.truth.bookings[number].end = End::Forgotten;
            }
        }
        Some(())
    }
}

impl State {
    pub fn answer(&mut self, slot: u8, row: Borrower, effects: Vec<Effect<ToBox>>) {
        self.hub.slots[usize::from(slot)] = row;
        for effect in effects {
            if let Effect::Send(said) = effect {
                self.net.insert(Packet::ToBox { slot, said });
            }
        }
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(self.bounds)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let bounds = self.bounds;
        for slot in 0..bounds.slots {
            actions.extend([Action::Book(slot), Action::Lend(slot)]);
            actions.extend([Action::Sell(slot), Action::GiveBack(slot)]);
            if bounds.cancels {
                actions.extend([Action::CancelAtBox(slot), Action::CancelAtHub(slot)]);
            }
            if bounds.recalls {
                actions.push(Action::Recall(slot));
            }
            if bounds.overrides {
                actions.push(Action::Override(slot));
            }
        }
        let truth = &state.truth;
        if truth.reboots < bounds.reboots {
            actions.push(Action::Reboot);
        }
        if truth.restores < bounds.restores {
            actions.push(if state.clinic_backup.is_none() {
                Action::Backup
            } else {
                Action::Restore
            });
        }
        if truth.hub_reboots < bounds.hub_reboots {
            actions.push(Action::HubReboot);
        }
        if truth.hub_restores < bounds.hub_restores {
            actions.push(if state.hub_backup.is_none() {
                Action::HubBackup
            } else {
                Action::HubRestore
            });
        }
        if truth.time < bounds.ticks {
            actions.push(Action::Tick);
        }
        actions.push(Action::Poll);
        actions.extend(state.net.iter().cloned().map(Action::Deliver));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        self.act(last, &action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = property::all();
        if self.bounds.settles {
            properties.push(Property::always("I5 every sale reaches the box", drain::settles));
        }
        properties
    }
}
