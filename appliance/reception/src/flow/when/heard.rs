//! What was heard about practitioner, day and time.

use jiff::ToSpan;
use jiff::civil::{Date, Time};
use prm::id::{PractitionerId, SlotId};
use prm::time::next_day;

use super::super::Said;
use super::When;
use crate::choice::Pick;
use crate::dialogue::About;
use crate::intent::Intent;
use crate::sentence::Sentence;
use crate::turn::Turn;
use crate::understand::{Candidate, Days, Shift, Thing, Times};

/// Two names that are as likely as this are both meant.
const AS_LIKELY: f64 = 0.05;
/// How far the two readings of an hour are apart.
const HALF_DAY_HOURS: i64 = 12;
/// Wishes of one kind that are kept.
const WISHES_MAX: usize = 6;

impl When {
    /// Takes what belongs here; whether anything did. What hangs on what changed is settled anew.
    pub(crate) fn take(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool {
        if let Some(pick) = said.pick {
            return self.take_pick(pick, turn);
        }
        // A number or a name in these answers is no day and no practitioner.
        let about_person = match said.about {
            Some(About::Name | About::Birth | About::Phone) => true,
            Some(
                About::Menu
                | About::Practitioner
                | About::Service
                | About::Day
                | About::Time
                | About::Patient
                | About::Appointment
                | About::YesNo
                | About::Change
                | About::Language
                | About::Reminder
                | About::Offer,
            )
            | None => false,
        };
        let slots = &said.words.slots;
        let books = said.words.intent == Some(Intent::Book) && !slots.practitioners.is_empty();
        if about_person && !said.words.correction && !books {
            return false;
        }
        if let Some(pick) = self.other(said) {
            return self.take_pick(&pick, turn);
        }
        let whom = self.take_whom(said, turn);
        let day = self.take_days(said, turn);
        let time = self.take_times(said, turn);
        if day || time || whom {
            self.candidates.retain(|_| !whom || self.practitioner.is_none());
            return true;
        }
        let lists = matches!(said.about, Some(About::Day | About::Time));
        let none_of_them = lists && said.words.slots.yes == Some(false);
        if (none_of_them || said.words.intent == Some(Intent::More)) && self.slot.is_none() {
            if said.about == Some(About::Day) {
                // Those after them, then.
                let from = shown_days(turn).max().map(next_day);
                self.days = from.map(|from| Days { from, to: None }).into_iter().collect();
            } else {
                self.after = self.shown;
            }
            return true;
        }
        false
    }

    /// What is to be another, by its bare word, where all was settled.
    fn other(&self, said: &Said<'_>) -> Option<Pick> {
        let may_change = matches!(said.about, Some(About::YesNo | About::Change));
        match said.words.slots.thing.filter(|_| may_change && self.is_settled())? {
            Thing::Day => Some(Pick::OtherDay),
            Thing::Time => Some(Pick::OtherTime),
            Thing::Practitioner => Some(Pick::OtherPractitioner),
            Thing::Patient => None,
        }
    }

    fn take_pick(&mut self, pick: &Pick, turn: &mut Turn<'_>) -> bool {
        match pick {
            Pick::Practitioner(id) if turn.facts.practitioner(*id).is_some() => {
                self.set_practitioner(*id);
            }
            Pick::AnyPractitioner => {
                self.any = true;
                self.candidates.clear();
            }
            Pick::OtherPractitioner => self.unset_practitioner(),
            Pick::Specialty(specialty) if is_known(specialty, turn) => {
                self.unset_practitioner();
                self.specialty = Some(specialty.clone());
            }
            Pick::Service(id) if turn.facts.healthcare_service(*id).is_some() => {
                self.service = Some(*id)
            }
            Pick::Day(date) => {
                self.days = vec![Days::on(*date)];
                self.drop_slot();
            }
            Pick::OtherDay => {
                self.drop_slot();
                self.days.clear();
                self.times.clear();
            }
            Pick::OtherTime => {
                self.drop_slot();
                self.times.clear();
            }
            Pick::Part(part) => self.times = vec![part.times()],
            Pick::Slot(id) => {
                self.drop_slot();
                self.picked = Some(*id);
                self.times.clear();
            }
            Pick::More => self.after = self.shown,
            Pick::Practitioner(_)
            | Pick::Specialty(_)
            | Pick::Service(_)
            | Pick::Yes(_)
            | Pick::No(_)
            | Pick::Want(_)
            | Pick::Patient(_)
            | Pick::SomebodyNew
            | Pick::Appointment(_)
            | Pick::Confirm(_)
            | Pick::Move(_)
            | Pick::Cancel(_)
            | Pick::Take(_)
            | Pick::Pass(_)
            | Pick::Language(_) => return false,
        }
        true
    }

    fn take_whom(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool {
        let slots = &said.words.slots;
        let mut took = false;
        if self.practitioner.is_some_and(|id| slots.not_practitioners.contains(&id)) {
            self.unset_practitioner();
            took = true;
        }
        if let Some(service) = slots.services.first()
            && self.service != Some(service.of)
            && turn.facts.healthcare_service(service.of).is_some()
        {
            self.service = Some(service.of);
            self.slot = None;
            took = true;
        }
        let meant = likeliest(&slots.practitioners);
        match meant.as_slice() {
            [] => {}
            [one] => {
                took = true;
                if self.practitioner != Some(*one) {
                    let corrects = self.practitioner.is_some();
                    self.set_practitioner(*one);
                    if corrects {
                        let doctor = turn.practitioner_words(*one);
                        turn.say(Sentence::DoctorChanged, &[("doctor", doctor)]);
                    }
                }
                return took;
            }
            several => {
                took = true;
                // Who was settled among them stays.
                if !self.practitioner.is_some_and(|id| several.contains(&id)) {
                    self.unset_practitioner();
                    self.candidates = several.to_vec();
                }
                return took;
            }
        }
        if slots.unknown_practitioner && self.practitioner.is_none() {
            turn.say(Sentence::NoSuchDoctor, &[]);
            took = true;
        }
        if let Some(missing) = &slots.missing_specialty {
            turn.say(Sentence::NoSuchSpecialty, &[("specialty", missing.as_str().into())]);
            took = true;
        }
        if let Some(specialty) = slots.specialties.first()
            && self.specialty.as_ref() != Some(&specialty.of)
            && is_known(&specialty.of, turn)
        {
            let keeps = self.practitioner.and_then(|id| turn.facts.practitioner(id));
            if !keeps.is_some_and(|it| it.specialties.contains(&specialty.of)) {
                self.unset_practitioner();
            }
            self.specialty = Some(specialty.of.clone());
            took = true;
        }
        let says_any = slots.any_practitioner && slots.not_practitioners.is_empty();
        if says_any || slots.any && said.about == Some(About::Practitioner) {
            self.any = true;
            self.candidates.clear();
            took = true;
        }
        took
    }

    fn take_days(&mut self, said: &Said<'_>, turn: &Turn<'_>) -> bool {
        let slots = &said.words.slots;
        let settled = self.slot.map(|free| turn.date(free.start));
        let mut took = false;
        if !slots.not_days.is_empty() {
            let ruled_out = |date| slots.not_days.iter().any(|days| days.contains(date));
            if settled.is_some_and(ruled_out) || self.day().is_some_and(ruled_out) {
                self.days.clear();
                self.drop_slot();
            }
            self.not_days = slots.not_days.iter().take(WISHES_MAX).copied().collect();
            took = true;
        }
        let wants_soonest =
            slots.soonest || (slots.any && matches!(said.about, Some(About::Day | About::Time)));
        if wants_soonest {
            self.soonest = true;
            self.drop_slot();
            if slots.days.is_empty() && said.about != Some(About::Time) {
                self.days.clear();
                self.times.clear();
            }
            took = true;
        }
        let shown = if slots.weekday { shown_weekday(turn, &slots.days) } else { None };
        let wished = shown.map_or_else(|| slots.days.clone(), |date| vec![Days::on(date)]);
        if !wished.is_empty() {
            took = true;
            let same =
                settled.is_some_and(|date| wished.iter().any(|days| days.day() == Some(date)));
            if !same {
                self.days = wished.into_iter().take(WISHES_MAX).collect();
                self.not_days.clear();
                self.drop_slot();
            }
        }
        took
    }

    fn take_times(&mut self, said: &Said<'_>, turn: &Turn<'_>) -> bool {
        let slots = &said.words.slots;
        let settled = self.slot.map(|free| turn.facts.zone.to_datetime(free.start).time());
        let mut took = false;
        if !slots.not_parts.is_empty() {
            let ruled_out = |time| slots.not_parts.iter().any(|part| part.times().contains(time));
            if settled.is_some_and(ruled_out) {
                self.drop_slot();
            }
            let keeps = |times: &Times| !slots.not_parts.iter().any(|part| part.times() == *times);
            self.times.retain(|times| keeps(times) && !times.time().is_some_and(ruled_out));
            took = true;
        }
        let wished: Vec<Times> = if slots.times.is_empty() {
            let parts: Vec<Times> = slots.parts.iter().map(|part| part.times()).collect();
            // A bare number that chooses nothing is an hour, where something is to be changed.
            let changes = matches!(said.about, Some(About::YesNo | About::Change));
            let hour = slots.number.filter(|_| changes).map(hour).unwrap_or_default();
            if !parts.is_empty() {
                self.read_within(&parts).unwrap_or(parts)
            } else if let Some(shifted) = slots.shift.and_then(|shift| self.shifted(shift, turn)) {
                vec![shifted]
            } else {
                hour
            }
        } else {
            self.narrowed(slots.times.clone(), turn)
        };
        let wished: Vec<Times> = wished.into_iter().take(WISHES_MAX).collect();
        if !wished.is_empty() {
            took = true;
            let same = settled.is_some_and(|time| wished.iter().any(|times| times.contains(time)));
            if !same {
                self.times = wished;
                self.drop_slot();
            }
        }
        took
    }

    /// The times before or after the one that is settled, or before or after those that were shown.
    fn shifted(&self, shift: Shift, turn: &Turn<'_>) -> Option<Times> {
        let clock = |at| turn.facts.zone.to_datetime(at).time();
        let settled = self.slot.map(|free| clock(free.start));
        let minute = 1.minute();
        let shown = shown(turn).filter_map(|pick| {
            if let Pick::Slot(id) = pick { Some(clock(id.start())) } else { None }
        });
        Some(match shift {
            Shift::Earlier => {
                let to = settled.or_else(|| shown.min())?.checked_sub(minute).ok()?;
                Times { from: Time::MIN, to }
            }
            Shift::Later => {
                let from = settled.or_else(|| shown.max())?.checked_add(minute).ok()?;
                Times { from, to: Time::MAX }
            }
        })
    }

    /// The readings of the time that was said last that are within parts of the day: "half past ten", then "morning".
    fn read_within(&self, parts: &[Times]) -> Option<Vec<Times>> {
        let mut read = self.times.clone();
        read.retain(|it| it.time().is_some_and(|time| is_within(parts, time)));
        (!read.is_empty()).then_some(read)
    }

    /// Of two readings of an hour the one that is shown, or within the part of the day that was wished before:
    /// "morning", then "half past ten".
    fn narrowed(&self, readings: Vec<Times>, turn: &Turn<'_>) -> Vec<Times> {
        let wide: Vec<Times> =
            self.times.iter().filter(|it| it.time().is_none()).copied().collect();
        let narrowed = one_of_each(readings, |time| is_within(&wide, time));
        one_of_each(narrowed, |time| is_shown(turn, time))
    }

    fn set_practitioner(&mut self, id: PractitionerId) {
        self.practitioner = Some(id);
        self.any = false;
        self.candidates.clear();
        self.drop_slot();
    }

    fn unset_practitioner(&mut self) {
        self.practitioner = None;
        self.any = false;
        self.specialty = None;
        self.candidates.clear();
        self.drop_slot();
    }
}

fn is_within(wide: &[Times], time: Time) -> bool {
    wide.iter().any(|it| it.contains(time))
}

/// What was shown last to choose from.
fn shown(turn: &Turn<'_>) -> impl Iterator<Item = Pick> {
    let choices = turn.dialogue.open.iter().flat_map(|open| &open.choices);
    choices.filter_map(|(id, _)| Pick::read(id))
}

/// Whether it is among the times that were shown last.
fn is_shown(turn: &Turn<'_>, time: Time) -> bool {
    let clock = |id: SlotId| turn.facts.zone.to_datetime(id.start()).time();
    shown(turn).any(|pick| matches!(pick, Pick::Slot(id) if clock(id) == time))
}

/// Of the days that were shown last the one that is the same day of the week: "next week", then "Tuesday".
fn shown_weekday(turn: &Turn<'_>, said: &[Days]) -> Option<Date> {
    let weekday = said.first()?.day()?.weekday();
    shown_days(turn).find(|date| date.weekday() == weekday)
}

/// The days that were shown last.
fn shown_days(turn: &Turn<'_>) -> impl Iterator<Item = Date> {
    shown(turn).filter_map(|pick| if let Pick::Day(date) = pick { Some(date) } else { None })
}

/// Both readings of an hour.
fn hour(number: u32) -> Vec<Times> {
    let Some(hour) = i8::try_from(number).ok().filter(|hour| (1..=12).contains(hour)) else {
        return Vec::new();
    };
    let readings = [hour % 12, hour % 12 + 12].into_iter();
    readings.filter_map(|hour| Time::new(hour, 0, 0, 0).ok()).map(Times::at).collect()
}

/// Of each two readings that are half a day apart the one that fits, if only one does.
fn one_of_each(mut readings: Vec<Times>, fits: impl Fn(Time) -> bool) -> Vec<Times> {
    let fitting: Vec<Time> = readings.iter().map(|it| it.from).filter(|time| fits(*time)).collect();
    let is_other = |time: Time| fitting.contains(&time.wrapping_add(HALF_DAY_HOURS.hours()));
    readings.retain(|it| fits(it.from) || !is_other(it.from));
    readings
}

/// Those that are as likely as the likeliest.
fn likeliest(candidates: &[Candidate<PractitionerId>]) -> Vec<PractitionerId> {
    let Some(best) = candidates.first() else { return Vec::new() };
    let near = candidates.iter().filter(|it| it.score >= best.score - AS_LIKELY);
    near.map(|it| it.of).collect()
}

fn is_known(specialty: &String, turn: &Turn<'_>) -> bool {
    turn.facts.practitioners.iter().any(|it| it.specialties.contains(specialty))
}
