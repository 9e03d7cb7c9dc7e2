//! With whom and when: practitioner, then day, then time; each hangs on the one before it.
//!
//! Invariant: a time counts as chosen only after the diary said just now that it is free.

mod heard;
mod offer;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use prm::id::{HealthcareServiceId, PractitionerId, SlotId};
use prm::time::next_day;
use serde::{Deserialize, Serialize};

use super::{Next, slot_text};
use crate::effect::{AHEAD_DAYS, Answer, Look, Wanted};
use crate::facts::{FreeDay, SlotFact};
use crate::sentence::Sentence;
use crate::turn::Turn;
use crate::understand::{Days, Times};

/// With whom and when, as far as that is settled.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct When {
    /// With whom.
    pub(crate) practitioner: Option<PractitionerId>,
    /// Several of one name: which is to be asked.
    candidates: Vec<PractitionerId>,
    /// Whether anybody will do.
    any: bool,
    /// Of which speciality.
    pub(crate) specialty: Option<String>,
    /// For what.
    pub(crate) service: Option<HealthcareServiceId>,
    /// The days that were wished; any of them will do.
    pub(crate) days: Vec<Days>,
    /// Days that will not do, or have nothing free.
    not_days: Vec<Days>,
    /// The times of day that were wished; any of them will do.
    times: Vec<Times>,
    /// The first that is free, whichever it is.
    soonest: bool,
    /// The last time that was shown.
    shown: Option<Timestamp>,
    /// Only times after this one are shown.
    after: Option<Timestamp>,
    /// What was chosen, and is to be looked up again.
    #[serde(with = "slot_text")]
    picked: Option<SlotId>,
    /// What was chosen and found free.
    slot: Option<Free>,
    /// Whether it was said that only lent times are offered.
    told_lent: bool,
    /// What was looked up in this very step.
    #[serde(skip)]
    found: Found,
}

/// A free time that was chosen.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Free {
    #[serde(with = "slot_text")]
    id: Option<SlotId>,
    pub(crate) practitioner: PractitionerId,
    pub(crate) start: Timestamp,
}

/// What was looked up.
#[derive(Clone, Default)]
enum Found {
    #[default]
    Nothing,
    Days(Vec<FreeDay>),
    Slots(Vec<SlotFact>),
    /// Free times near one that was taken.
    Alternatives(Vec<SlotFact>),
}

/// How far it is settled.
pub(crate) enum Settling {
    /// Not yet: this comes next.
    Missing(Next),
    /// Nothing is free as far as is looked ahead.
    NothingFree,
    /// It is settled.
    Settled(SlotId, Free),
}

impl When {
    /// A time that was offered; it is looked up again.
    pub(crate) fn offered(
        practitioner: PractitionerId,
        service: Option<HealthcareServiceId>,
        slot: SlotId,
    ) -> Self {
        let practitioner = Some(practitioner);
        Self { practitioner, service, picked: Some(slot), ..Self::default() }
    }

    /// The same for somebody else: another time with the same practitioner, on the same day.
    pub(crate) fn another(&self) -> Self {
        let mut another = self.clone();
        another.drop_slot();
        another.times.clear();
        another
    }

    /// An appointment of that practitioner, service and day is to be moved. The wish for the day that it is on
    /// only said which appointment is meant.
    pub(crate) fn follow(
        &mut self,
        practitioner: PractitionerId,
        service: Option<HealthcareServiceId>,
        date: Date,
    ) {
        if self.practitioner.is_none() && self.specialty.is_none() && !self.any {
            self.practitioner = Some(practitioner);
            self.candidates.clear();
        }
        self.service = self.service.or(service);
        self.days.retain(|days| days.day() != Some(date));
    }

    /// What comes next.
    pub(crate) fn next(&mut self, turn: &mut Turn<'_>) -> Settling {
        if let Some(free) = self.slot
            && let Some(id) = free.id
        {
            return Settling::Settled(id, free);
        }
        let found = std::mem::take(&mut self.found);
        if let Found::Alternatives(slots) = found {
            return Settling::Missing(Next::Ask(self.ask_alternatives(turn, &slots)));
        }
        if let Some(question) = self.ask_whom_to_see(turn) {
            return Settling::Missing(Next::Ask(question));
        }
        if !turn.facts.can.book && !self.told_lent {
            self.told_lent = true;
            turn.say(Sentence::AwayLent, &[]);
        }
        match found {
            Found::Nothing | Found::Alternatives(_) => Settling::Missing(self.look(turn)),
            Found::Days(days) => self.days_found(turn, &days),
            Found::Slots(slots) => self.slots_found(turn, slots),
        }
    }

    /// Takes what was looked up; whether it was that.
    pub(crate) fn learn(&mut self, answer: Answer) -> bool {
        self.found = match answer {
            Answer::Days(days) => Found::Days(days),
            Answer::Slots(slots) => Found::Slots(slots),
            Answer::Appointments(_)
            | Answer::Queue(_)
            | Answer::Faq(_)
            | Answer::Instructions(_)
            | Answer::Qr(_)
            | Answer::Booked { appointment: _, qr: _ }
            | Answer::Moved { appointment: _, qr: _ }
            | Answer::Cancelled
            | Answer::Confirmed(_)
            | Answer::CheckedIn(_)
            | Answer::Registered(_)
            | Answer::Identified(_)
            | Answer::Waitlisted
            | Answer::OfferDeclined
            | Answer::Stopped
            | Answer::Allowed
            | Answer::HandedOver
            | Answer::Ticketed
            | Answer::Refused { code: _, alternatives: _ } => return false,
        };
        true
    }

    /// The time that was chosen is taken: others are offered, or looked for.
    pub(crate) fn taken(&mut self, alternatives: Vec<SlotFact>) {
        self.drop_slot();
        if !alternatives.is_empty() {
            self.found = Found::Alternatives(alternatives);
        }
    }

    /// Takes the chosen time back; it is looked up again.
    pub(crate) fn refresh(&mut self) {
        if let Some(free) = self.slot.take() {
            self.picked = free.id;
        }
    }

    /// Takes back what was settled last; whether there was anything.
    pub(crate) fn back(&mut self) -> bool {
        if self.slot.is_some() || self.picked.is_some() {
            self.drop_slot();
            self.times.clear();
        } else if !self.times.is_empty() || self.after.is_some() {
            self.times.clear();
            self.after = None;
        } else if !self.days.is_empty() {
            self.days.clear();
        } else if self.practitioner.is_some() || self.any || self.specialty.is_some() {
            self.practitioner = None;
            self.any = false;
            self.specialty = None;
        } else {
            return false;
        }
        true
    }

    /// The stretch of days that was wished, or that is looked through.
    pub(crate) fn stretch(&self, today: Date) -> (Date, Date) {
        let last = today.saturating_add(AHEAD_DAYS.days());
        let from = self.days.iter().map(|days| days.from).min().unwrap_or(today).max(today);
        let to = self.days.iter().map(|days| days.to.unwrap_or(last)).max().unwrap_or(last);
        let most = from.saturating_add(AHEAD_DAYS.days());
        (from, next_day(to.max(from)).min(most))
    }

    /// Whether a time is chosen and was found free.
    pub(crate) fn is_settled(&self) -> bool {
        self.slot.is_some()
    }

    fn drop_slot(&mut self) {
        self.slot = None;
        self.picked = None;
        self.after = None;
        self.shown = None;
    }

    /// The one day that was wished.
    fn day(&self) -> Option<Date> {
        match self.days.as_slice() {
            [days] => days.day(),
            [] | [_, _, ..] => None,
        }
    }

    fn look(&mut self, turn: &mut Turn<'_>) -> Next {
        let today = turn.facts.today();
        if let Some(picked) = self.picked {
            self.days = vec![Days::on(turn.date(picked.start()))];
        }
        if !self.days.is_empty()
            && self.days.iter().all(|days| days.to.is_some_and(|last| last < today))
        {
            match self.day() {
                Some(day) => {
                    let day = turn.words().day(day);
                    turn.say(Sentence::DayOver, &[("day", day.into())]);
                }
                None => turn.say(Sentence::DaysNotFree, &[]),
            }
            self.days.clear();
            self.drop_slot();
        }
        let (from, to) = self.stretch(today);
        let one = self.day().is_some();
        let wanted = Wanted {
            practitioner: self.practitioner,
            specialty: self.specialty.clone().filter(|_| self.practitioner.is_none()),
            service: self.service,
            from,
            to,
            lent: !turn.facts.can.book,
        };
        Next::Look(if one { Look::Slots(wanted) } else { Look::Days(wanted) })
    }

    fn days_found(&mut self, turn: &mut Turn<'_>, days: &[FreeDay]) -> Settling {
        let wished = |date: Date| {
            (self.days.is_empty() || self.days.iter().any(|days| days.contains(date)))
                && !self.not_days.iter().any(|days| days.contains(date))
        };
        let free: Vec<Date> = days
            .iter()
            .filter(|day| day.free > 0 && wished(day.date))
            .map(|day| day.date)
            .collect();
        match free.as_slice() {
            [] if self.days.is_empty() => self.look_after(turn, days),
            [] => {
                turn.say(Sentence::DaysNotFree, &[]);
                self.days.clear();
                Settling::Missing(self.look(turn))
            }
            [first, rest @ ..] => {
                if self.soonest || (rest.is_empty() && !self.days.is_empty()) {
                    self.days = vec![Days::on(*first)];
                    return Settling::Missing(self.look(turn));
                }
                Settling::Missing(Next::Ask(self.ask_day(turn, &free)))
            }
        }
    }

    /// All days that were found were ruled out, or there are none: those after them are looked at.
    fn look_after(&mut self, turn: &mut Turn<'_>, days: &[FreeDay]) -> Settling {
        let horizon = turn.facts.today().saturating_add(AHEAD_DAYS.days());
        match days.last().map(|day| next_day(day.date)) {
            Some(from) if from < horizon => {
                self.days = vec![Days { from, to: None }];
                Settling::Missing(self.look(turn))
            }
            Some(_) | None => Settling::NothingFree,
        }
    }

    fn slots_found(&mut self, turn: &mut Turn<'_>, mut slots: Vec<SlotFact>) -> Settling {
        slots.retain(|slot| slot.start >= turn.facts.now);
        let picked = self.picked.take();
        if let Some(slot) = slots.iter().find(|slot| Some(slot.id) == picked) {
            return self.settle(turn, *slot);
        }
        // One of several who are free at a time will do.
        slots.sort_by_key(|slot| slot.start);
        slots.dedup_by_key(|slot| slot.start);
        if let Some(picked) = picked {
            turn.say(Sentence::SlotTaken, &[]);
            if !slots.is_empty() {
                // Somebody was quicker: what is free around it is offered at once.
                let near = offer::nearest(slots, |slot| {
                    slot.start.duration_since(picked.start()).unsigned_abs()
                });
                return Settling::Missing(Next::Ask(self.ask_alternatives(turn, &near)));
            }
        }
        let Some(first) = slots.first().copied() else {
            if let Some(day) = self.day() {
                let said = turn.words().day(day);
                turn.say(Sentence::DayNotFree, &[("day", said.into())]);
                self.not_day(day);
            }
            self.days.clear();
            return Settling::Missing(self.look(turn));
        };
        if std::mem::take(&mut self.soonest) && self.times.is_empty() {
            return self.settle(turn, first);
        }
        // No later ones on that day: another may do.
        if self.after.is_some_and(|after| !slots.iter().any(|slot| slot.start > after)) {
            self.after = None;
            self.days.clear();
            return Settling::Missing(self.look(turn));
        }
        match self.wished(turn, &slots) {
            Some(some) => match some.as_slice() {
                [one] if self.names_a_time() => self.settle(turn, *one),
                [] | [_, ..] => Settling::Missing(Next::Ask(self.ask_time(turn, &some))),
            },
            None => Settling::Missing(Next::Ask(self.ask_nearest(turn, &slots))),
        }
    }

    fn settle(&mut self, turn: &Turn<'_>, slot: SlotFact) -> Settling {
        let free = Free { id: Some(slot.id), practitioner: slot.practitioner, start: slot.start };
        self.slot = Some(free);
        self.days = vec![Days::on(turn.date(slot.start))];
        self.times = vec![Times::at(turn.facts.zone.to_datetime(slot.start).time())];
        self.soonest = false;
        Settling::Settled(slot.id, free)
    }

    /// Remembers that a day will not do.
    fn not_day(&mut self, day: Date) {
        const NOT_DAYS_MAX: usize = 16;
        if self.not_days.len() >= NOT_DAYS_MAX {
            self.not_days.remove(0);
        }
        self.not_days.push(Days::on(day));
    }
}
