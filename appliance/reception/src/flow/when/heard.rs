//! What was heard about practitioner, day and time.

use prm::id::PractitionerId;

use super::super::Said;
use super::When;
use crate::choice::Pick;
use crate::dialogue::About;
use crate::intent::Intent;
use crate::sentence::Sentence;
use crate::turn::Turn;
use crate::understand::{Candidate, Days, Times};

/// Two names that are as likely as this are both meant.
const AS_LIKELY: f64 = 0.05;
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
        if about_person && !said.words.correction {
            return false;
        }
        let whom = self.take_whom(said, turn);
        let day = self.take_days(said, turn);
        let time = self.take_times(said, turn);
        if day || time || whom {
            self.candidates.retain(|_| !whom || self.practitioner.is_none());
            return true;
        }
        if said.words.intent == Some(Intent::More) && self.slot.is_none() {
            self.after = self.shown;
            return true;
        }
        false
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
        if slots.any && said.about == Some(About::Practitioner) {
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
        if !slots.days.is_empty() {
            took = true;
            let same =
                settled.is_some_and(|date| slots.days.iter().any(|days| days.day() == Some(date)));
            if !same {
                self.days = slots.days.iter().take(WISHES_MAX).copied().collect();
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
            slots.parts.iter().map(|part| part.times()).take(WISHES_MAX).collect()
        } else {
            slots.times.iter().take(WISHES_MAX).copied().collect()
        };
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

/// Those that are as likely as the likeliest.
fn likeliest(candidates: &[Candidate<PractitionerId>]) -> Vec<PractitionerId> {
    let Some(best) = candidates.first() else { return Vec::new() };
    let near = candidates.iter().filter(|it| it.score >= best.score - AS_LIKELY);
    near.map(|it| it.of).collect()
}

fn is_known(specialty: &String, turn: &Turn<'_>) -> bool {
    turn.facts.practitioners.iter().any(|it| it.specialties.contains(specialty))
}
