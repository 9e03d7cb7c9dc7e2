//! The made-up days: what patients, desk, kiosk and practitioners would have done, in the order
//! of time, by the same verbs as they use.
//!
//! Invariant: everything is stamped with the time at which it would have happened, and time
//! never goes backwards; so the audit reads like that of a real clinic.
//! Invariant: nothing happens after `now`. A day that is half over is one whose events end there.

mod booking;
mod plan;
mod waiting;

use std::collections::{BTreeMap, HashMap, HashSet};

use fastrand::Rng;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use prm::db::{Db, Tx};
use prm::error::{Error, Result};
use prm::id::{
    AppointmentId, DeviceId, HealthcareServiceId, PatientId, PractitionerId, QueueEntryId,
    ScheduleId, StaffId,
};
use prm::patient;
use prm::stamp::{Actor, Channel, Role, Stamp};

use self::plan::Session;
use self::waiting::Line;
use super::house::{Added, CARDIOLOGY, House, Who};
use super::people::Person;

/// Events that share one transaction.
const EVENTS_PER_WRITE: usize = 400;
/// How often somebody is looked for who fits, before nobody comes.
const DRAWS_MAX: usize = 300;

/// Who does what.
#[derive(Clone, Copy)]
pub(super) struct Hands {
    /// The clerk at the desk.
    pub(super) clerk: StaffId,
    /// The cardiologist, who runs his own queue.
    pub(super) cardiologist: StaffId,
    /// The kiosk by the door.
    pub(super) kiosk: DeviceId,
}

/// What became of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) patients: usize,
    pub(super) appointments: usize,
    /// Things that the rules refused; none is meant to be.
    pub(super) refused: usize,
}

enum Event {
    Register(usize),
    Book(Wish),
    Confirm(AppointmentId),
    Cancel(AppointmentId),
    Move(AppointmentId),
    Arrive(AppointmentId, Timestamp),
    CheckIn(AppointmentId, Timestamp),
    NoShow(AppointmentId, Timestamp),
    WalkIn(usize),
    /// Somebody comes to a line without an appointment and does not hear the call.
    Unheard(usize),
    Desk,
    CallNext(usize),
    Finish(usize, QueueEntryId),
    Skip(usize, QueueEntryId),
    Rejoin(usize, QueueEntryId),
    EndOfDay(Date),
    Leave(usize, Date, Date),
    Overbook,
    Hold,
    Series {
        every_day: bool,
    },
    Guest,
}

/// Somebody would like to come in a session, at some time between two.
struct Wish {
    session: usize,
    between: (Timestamp, Timestamp),
}

/// A clinic's days under way.
pub(super) struct Days {
    rng: Rng,
    now: Timestamp,
    zone: TimeZone,
    today: Date,
    hands: Hands,
    practitioners: Vec<PractitionerId>,
    added: Vec<Added>,
    people: Vec<Person>,
    ids: Vec<Option<PatientId>>,
    /// Places in `people`, in the order of registration.
    registered: Vec<usize>,
    sessions: Vec<Session>,
    session_of: HashMap<(ScheduleId, Date), usize>,
    lines: Vec<Line>,
    /// Who comes on which day; nobody comes twice.
    comes: HashSet<(usize, Date)>,
    place_of: HashMap<PatientId, usize>,
    events: BTreeMap<(Timestamp, u64), Event>,
    pushed: u64,
    tally: Tally,
}

impl Days {
    /// The clinic before its first patient.
    pub(super) fn new(
        rng: Rng,
        (now, zone): (Timestamp, TimeZone),
        hands: Hands,
        house: House,
        people: Vec<Person>,
    ) -> Self {
        let today = zone.to_datetime(now).date();
        let House { practitioners, scan: _, vaccination: _, sessions } = house;
        let mut days = Self {
            rng,
            now,
            zone,
            today,
            hands,
            lines: Line::all(&practitioners),
            practitioners,
            added: sessions,
            ids: vec![None; people.len()],
            people,
            registered: Vec::new(),
            sessions: Vec::new(),
            session_of: HashMap::new(),
            comes: HashSet::new(),
            place_of: HashMap::new(),
            events: BTreeMap::new(),
            pushed: 0,
            tally: Tally::default(),
        };
        for nth in 0..days.people.len() {
            days.push(days.people[nth].registered, Event::Register(nth));
        }
        days
    }

    /// Lets the days pass until now. `past` and `future` are how many days before and after
    /// today have appointments.
    pub(super) fn pass(mut self, db: &Db, (past, future): (i32, i32)) -> Result<Tally> {
        self = db.write_blocking(move |tx| {
            self.plan(tx, (past, future))?;
            Ok(self)
        })?;
        while !self.events.is_empty() {
            self = db.write_blocking(move |tx| {
                for _ in 0..EVENTS_PER_WRITE {
                    if !self.step(tx)? {
                        break;
                    }
                }
                Ok(self)
            })?;
        }
        Ok(self.tally)
    }

    fn step(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        let Some(((at, _), event)) = self.events.pop_first() else { return Ok(false) };
        if at > self.now {
            self.events.clear();
            return Ok(false);
        }
        match self.happen(tx, at, event) {
            Ok(()) => {}
            // A demonstration with one visit less is better than none.
            Err(Error::Refused(refusal)) => {
                tracing::debug!(code = refusal.code.as_str(), "refused while furnishing");
                self.tally.refused += 1;
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    fn happen(&mut self, tx: &mut Tx<'_>, at: Timestamp, event: Event) -> Result<()> {
        match event {
            Event::Register(nth) => self.register(tx, at, nth),
            Event::Book(wish) => self.book(tx, at, &wish),
            Event::Confirm(id) => self.confirm(tx, at, id),
            Event::Cancel(id) => self.cancel(tx, at, id),
            Event::Move(id) => self.move_on(tx, at, id),
            Event::Arrive(id, start) => self.arrive(tx, at, (id, start)),
            Event::CheckIn(id, start) => self.check_in(tx, at, (id, start)),
            Event::NoShow(id, start) => self.no_show(tx, at, (id, start)),
            Event::WalkIn(session) => self.walk_in(tx, at, session),
            Event::Unheard(line) => self.unheard(tx, at, line),
            Event::Desk => self.at_the_desk(tx, at),
            Event::CallNext(line) => self.call_next(tx, at, line),
            Event::Finish(line, entry) => self.finish(tx, at, (line, entry)),
            Event::Skip(line, entry) => self.skip(tx, at, (line, entry)),
            Event::Rejoin(line, entry) => self.rejoin(tx, at, (line, entry)),
            Event::EndOfDay(date) => self.end_day(tx, at, date),
            Event::Leave(seat, from, to) => self.take_leave(tx, at, seat, (from, to)),
            Event::Overbook => self.overbook(tx, at),
            Event::Hold => self.hold(tx, at),
            Event::Series { every_day } => self.book_series(tx, at, every_day),
            Event::Guest => self.invite_guest(tx, at),
        }
    }

    fn register(&mut self, tx: &mut Tx<'_>, at: Timestamp, nth: usize) -> Result<()> {
        let stamp = self.clerk(at);
        let registration = self.people[nth].registration.clone();
        let id = patient::register(tx, &stamp, registration)?.id;
        self.ids[nth] = Some(id);
        self.place_of.insert(id, nth);
        self.registered.push(nth);
        self.tally.patients += 1;
        for (relative, word) in &self.people[nth].relatives {
            if let Some(relative) = self.ids[*relative] {
                patient::relate(tx, &stamp, id, relative, word)?;
            }
        }
        Ok(())
    }

    /// Somebody who is on record, fits, and does not come on that day yet.
    fn somebody(&mut self, who: Who, date: Date) -> Option<(usize, PatientId)> {
        for _ in 0..DRAWS_MAX {
            let nth = *self.rng.choice(&self.registered)?;
            let person = &self.people[nth];
            let age = date.year() - person.birth_year;
            let fits = match who {
                Who::Anyone => true,
                Who::Adult => age >= 18,
                Who::Older => age >= 35,
                Who::Woman => person.female && (18..50).contains(&age),
                Who::Child => age < 16,
                Who::Infant => age < 7,
            };
            if let Some(id) = self.ids[nth]
                && fits
                && self.comes.insert((nth, date))
            {
                return Some((nth, id));
            }
        }
        None
    }

    fn push(&mut self, at: Timestamp, event: Event) {
        self.pushed += 1;
        self.events.insert((at, self.pushed), event);
    }

    fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    fn day_start(&self, date: Date) -> Timestamp {
        prm::time::start_of_day(&self.zone, date)
    }

    /// A time between two, in whole seconds.
    fn between(&mut self, from: Timestamp, to: Timestamp) -> Timestamp {
        let seconds = (to.as_second() - from.as_second()).max(1);
        from + SignedDuration::from_secs(self.rng.i64(0..seconds))
    }

    /// Whether something happens that happens in so many of a hundred cases.
    fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(..100) < percent
    }

    fn pick(&mut self, words: &[&str]) -> String {
        self.rng.choice(words).map_or_else(String::new, |word| (*word).to_owned())
    }

    /// Why somebody comes; some say nothing.
    fn reason(&mut self, seat: usize) -> Option<String> {
        let reason = self.pick(super::house::SEATS[seat].reasons);
        self.chance(80).then_some(reason)
    }

    fn healthcare_service(&mut self, session: usize) -> Option<HealthcareServiceId> {
        let added = &self.added[self.sessions[session].added];
        self.rng.choice(&added.services).copied()
    }

    fn clerk(&self, now: Timestamp) -> Stamp {
        let actor = Actor::Staff(self.hands.clerk);
        Stamp { actor, role: Role::Clerk, channel: Channel::Desk, now }
    }

    fn kiosk(&self, now: Timestamp) -> Stamp {
        let actor = Actor::Device(self.hands.kiosk);
        Stamp { actor, role: Role::Kiosk, channel: Channel::Kiosk, now }
    }

    /// Whoever calls patients of a line.
    fn caller(&self, line: usize, now: Timestamp) -> Stamp {
        if line == CARDIOLOGY {
            let actor = Actor::Staff(self.hands.cardiologist);
            Stamp { actor, role: Role::Practitioner, channel: Channel::Desk, now }
        } else {
            self.clerk(now)
        }
    }
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}
