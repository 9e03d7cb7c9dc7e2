//! What is offered: practitioners, days, times.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use prm::content::Choice;

use super::When;
use crate::choice::{PARTS, Pick};
use crate::dialogue::About;
use crate::facts::SlotFact;
use crate::sentence::Sentence;
use crate::turn::{Question, Turn, choice};
use crate::understand::{PartOfDay, Times};
use crate::words::capitalised;

/// Practitioners, specialities or times that are shown at once; there is room for two choices more.
const SHOWN_MAX: usize = 8;
/// Times that are shown near one that is not free.
const NEAREST_MAX: usize = 5;

/// The few that are the least far, in the order of their time.
pub(super) fn nearest<D: Ord>(
    mut slots: Vec<SlotFact>,
    far: impl Fn(&SlotFact) -> D,
) -> Vec<SlotFact> {
    slots.sort_by_key(far);
    slots.truncate(NEAREST_MAX);
    slots.sort_by_key(|slot| slot.start);
    slots
}

impl When {
    /// Which practitioner, if that is to be asked.
    pub(crate) fn ask_whom_to_see(&mut self, turn: &mut Turn<'_>) -> Option<Question> {
        if self.practitioner.is_some() || self.picked.is_some() {
            return None;
        }
        let facts = turn.facts;
        if !self.candidates.is_empty() {
            let which: Vec<_> =
                facts.practitioners.iter().filter(|it| self.candidates.contains(&it.id)).collect();
            return Some(Question {
                about: About::Practitioner,
                text: turn.words().plain(Sentence::AskWhichDoctor),
                choices: which.iter().map(|it| practitioner_choice(it)).collect(),
            });
        }
        if self.any {
            return None;
        }
        let does = |id| {
            let service = self.service.and_then(|service| facts.healthcare_service(service));
            service.is_none_or(|it| it.practitioners.is_empty() || it.practitioners.contains(&id))
        };
        let of_it = |specialties: &[String]| {
            self.specialty.as_ref().is_none_or(|wanted| specialties.contains(wanted))
        };
        let fit: Vec<_> =
            facts.practitioners.iter().filter(|it| does(it.id) && of_it(&it.specialties)).collect();
        match fit.as_slice() {
            [] if facts.practitioners.is_empty() => None,
            // Nobody does this of that speciality: the speciality gives way.
            [] => {
                self.specialty = None;
                self.service = None;
                self.ask_whom_to_see(turn)
            }
            [only] => {
                self.practitioner = Some(only.id);
                None
            }
            [_, ..] if self.service.is_some() && self.specialty.is_none() => None,
            [..] => {
                let (text, mut choices) = match &self.specialty {
                    Some(specialty) => {
                        let specialty = specialty.as_str().into();
                        let asked = &[("specialty", specialty)];
                        let choices =
                            fit.iter().take(SHOWN_MAX).map(|it| practitioner_choice(it)).collect();
                        (turn.words().say(Sentence::AskDoctorOf, asked), choices)
                    }
                    None if fit.len() <= SHOWN_MAX => (
                        turn.words().plain(Sentence::AskDoctor),
                        fit.iter().map(|it| practitioner_choice(it)).collect(),
                    ),
                    None => (turn.words().plain(Sentence::AskDoctor), specialty_choices(turn)),
                };
                if self.specialty.is_some() {
                    choices.push(turn.choice(Pick::AnyPractitioner, Sentence::AnyDoctor));
                }
                Some(Question { about: About::Practitioner, text, choices })
            }
        }
    }

    /// Which of the free days.
    pub(super) fn ask_day(&self, turn: &Turn<'_>, free: &[Date]) -> Question {
        let words = turn.words();
        let text = match self.practitioner {
            Some(id) => words.say(Sentence::AskDay, &[("doctor", turn.practitioner_words(id))]),
            None => words.plain(Sentence::AskDayAny),
        };
        let today = turn.facts.today();
        let days = free.iter().take(SHOWN_MAX);
        let choices =
            days.map(|date| choice(Pick::Day(*date), words.short_day(*date, today), None));
        Question { about: About::Day, text, choices: choices.collect() }
    }

    /// Which of the free times; with many of them, first which part of the day.
    pub(super) fn ask_time(&mut self, turn: &Turn<'_>, slots: &[SlotFact]) -> Question {
        if slots.len() > SHOWN_MAX && self.times.is_empty() && self.after.is_none() {
            let parts: Vec<PartOfDay> = PARTS
                .into_iter()
                .filter(|part| slots.iter().any(|slot| part_of(clock(turn, slot.start)) == *part))
                .collect();
            if parts.len() > 1 {
                return self.ask_part(turn, slots, &parts);
            }
        }
        let later: Vec<SlotFact> = match self.after {
            Some(after) => slots.iter().copied().filter(|slot| slot.start > after).collect(),
            None => Vec::new(),
        };
        // After the last page comes the first.
        let rest = if later.is_empty() { slots } else { &later };
        let shown = &rest[..rest.len().min(SHOWN_MAX)];
        self.shown = shown.last().map(|slot| slot.start);
        let mut choices = self.times_choices(turn, shown);
        if rest.len() > shown.len() {
            choices.push(turn.choice(Pick::More, Sentence::MoreTimes));
        }
        choices.push(turn.choice(Pick::OtherDay, Sentence::OtherDay));
        let day = shown.first().map_or_else(|| "".into(), |slot| turn.day_words(slot.start));
        let words = turn.words();
        let text = match self.practitioner {
            Some(id) => words
                .say(Sentence::AskTime, &[("day", day), ("doctor", turn.practitioner_words(id))]),
            None => words.say(Sentence::AskTimeAny, &[("day", day)]),
        };
        Question { about: About::Time, text, choices }
    }

    fn ask_part(&self, turn: &Turn<'_>, slots: &[SlotFact], parts: &[PartOfDay]) -> Question {
        let day = slots.first().map_or_else(|| "".into(), |slot| turn.day_words(slot.start));
        let title = |part: PartOfDay| match part {
            PartOfDay::Morning => Sentence::PartMorning,
            PartOfDay::Afternoon => Sentence::PartAfternoon,
            PartOfDay::Evening => Sentence::PartEvening,
            PartOfDay::Night => Sentence::PartNight,
        };
        Question {
            about: About::Time,
            text: turn.words().say(Sentence::AskPart, &[("day", day)]),
            choices: parts
                .iter()
                .map(|part| turn.choice(Pick::Part(*part), title(*part)))
                .collect(),
        }
    }

    /// The time that was wished is not free: those nearest to it.
    pub(super) fn ask_nearest(&mut self, turn: &mut Turn<'_>, slots: &[SlotFact]) -> Question {
        let Some(wished) = self.times.iter().find_map(|times| times.time()) else {
            self.times.clear();
            let day = slots.first().map_or_else(|| "".into(), |slot| turn.day_words(slot.start));
            turn.say(Sentence::PartNotFree, &[("day", day)]);
            return self.ask_time(turn, slots);
        };
        let minutes = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
        // Of two readings, the one nearer to the opening hours is meant.
        let far = |reading: &Time| {
            let each = slots.iter().map(|slot| minutes(clock(turn, slot.start)));
            each.map(|start| (start - minutes(*reading)).abs()).min()
        };
        let readings = self.times.iter().filter_map(|times| times.time());
        let wished = readings.min_by_key(|reading| far(reading)).unwrap_or(wished);
        let near = nearest(slots.to_vec(), |slot| {
            (minutes(clock(turn, slot.start)) - minutes(wished)).abs()
        });
        let day = near.first().map_or_else(|| "".into(), |slot| turn.day_words(slot.start));
        let words = turn.words();
        let text =
            words.say(Sentence::TimeNotFree, &[("day", day), ("time", words.clock(wished).into())]);
        let mut choices = self.times_choices(turn, &near);
        choices.push(turn.choice(Pick::OtherDay, Sentence::OtherDay));
        Question { about: About::Time, text, choices }
    }

    /// Other free times, on whichever day.
    pub(super) fn ask_alternatives(&self, turn: &Turn<'_>, slots: &[SlotFact]) -> Question {
        let words = turn.words();
        let today = turn.facts.today();
        let shown = slots.iter().take(SHOWN_MAX).map(|slot| {
            let time = words.clock(clock(turn, slot.start));
            let day = words.short_day(turn.date(slot.start), today);
            let who = turn.facts.practitioner(slot.practitioner).map(|it| it.name.clone());
            choice(Pick::Slot(slot.id), format!("{day} {time}"), who)
        });
        let mut choices: Vec<Choice> = shown.collect();
        choices.push(turn.choice(Pick::OtherDay, Sentence::OtherDay));
        Question { about: About::Time, text: words.plain(Sentence::AskOtherTime), choices }
    }

    fn times_choices(&self, turn: &Turn<'_>, slots: &[SlotFact]) -> Vec<Choice> {
        let one = self.practitioner.is_some();
        let each = slots.iter().map(|slot| {
            let who = turn.facts.practitioner(slot.practitioner).map(|it| it.name.clone());
            let title = turn.words().clock(clock(turn, slot.start));
            choice(Pick::Slot(slot.id), title, who.filter(|_| !one))
        });
        each.collect()
    }

    /// The free times that are as was wished; none, where something was wished and nothing is.
    pub(super) fn wished(&self, turn: &Turn<'_>, slots: &[SlotFact]) -> Option<Vec<SlotFact>> {
        if self.times.is_empty() {
            return Some(slots.to_vec());
        }
        let wished = |slot: &&SlotFact| {
            self.times.iter().any(|times| times.contains(clock(turn, slot.start)))
        };
        let some: Vec<SlotFact> = slots.iter().filter(wished).copied().collect();
        (!some.is_empty()).then_some(some)
    }

    /// Whether a time was wished, and not only a part of the day.
    pub(super) fn names_a_time(&self) -> bool {
        self.times.iter().any(|times: &Times| times.time().is_some())
    }
}

fn clock(turn: &Turn<'_>, at: Timestamp) -> Time {
    turn.facts.zone.to_datetime(at).time()
}

/// The part of the day in which a time is offered: each is in one.
fn part_of(time: Time) -> PartOfDay {
    match time.hour() {
        ..12 => PartOfDay::Morning,
        12..16 => PartOfDay::Afternoon,
        16..20 => PartOfDay::Evening,
        20.. => PartOfDay::Night,
    }
}

fn practitioner_choice(practitioner: &crate::facts::PractitionerFact) -> Choice {
    let specialties = practitioner.specialties.join(", ");
    let below = (!specialties.is_empty()).then_some(specialties);
    choice(Pick::Practitioner(practitioner.id), practitioner.name.clone(), below)
}

/// The main specialities of the clinic.
fn specialty_choices(turn: &Turn<'_>) -> Vec<Choice> {
    let mut shown: Vec<&String> = Vec::new();
    for specialty in turn.facts.practitioners.iter().filter_map(|it| it.specialties.first()) {
        if !shown.contains(&specialty) && shown.len() < SHOWN_MAX {
            shown.push(specialty);
        }
    }
    shown
        .into_iter()
        .map(|specialty| choice(Pick::Specialty(specialty.clone()), capitalised(specialty), None))
        .collect()
}
