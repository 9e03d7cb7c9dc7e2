//! Whose appointment, and which: nothing of the records is told before the birth was said that is on record.

use prm::contact::{BirthDate, Phone};
use prm::id::{AppointmentId, PractitionerId};
use serde::{Deserialize, Serialize};

use super::desk::Desk;
use super::whom::named;
use super::{Frame, Next, Said};
use crate::choice::Pick;
use crate::dialogue::About;
use crate::effect::{Act, Answer, Look, Why};
use crate::facts::{AppointmentFact, Person};
use crate::sentence::Sentence;
use crate::turn::{Question, Turn, choice};
use crate::understand::Days;

/// Whose appointment, and which, as far as that is settled.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Whose {
    person: Option<Person>,
    /// Those who were found by number and birth, where the medium tells no number.
    identified: Vec<Person>,
    phone: Option<Phone>,
    birth: Option<BirthDate>,
    /// Which was chosen.
    picked: Option<AppointmentId>,
    /// Whether it was named by its id, which only this address was told.
    by_id: bool,
    /// Which, as the diary has it.
    pub(crate) appointment: Option<AppointmentFact>,
    /// The days and the practitioner by which it was named.
    days: Vec<Days>,
    practitioner: Option<PractitionerId>,
    /// What was looked up in this very step.
    #[serde(skip)]
    found: Option<Vec<AppointmentFact>>,
}

impl Whose {
    /// The appointment of that id, which only this address was told.
    pub(crate) fn by_id(id: AppointmentId) -> Self {
        Self { picked: Some(id), by_id: true, ..Self::default() }
    }

    /// Who it is about.
    pub(crate) fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }

    /// The name of who it is about.
    pub(crate) fn name(&self, turn: &Turn<'_>) -> String {
        let of_appointment = self.appointment.and_then(|appointment| {
            turn.facts.people().iter().find(|person| person.id == appointment.patient)
        });
        self.person.as_ref().or(of_appointment).map(|it| it.name.clone()).unwrap_or_default()
    }

    /// What is missing until it is known and proven who it is about.
    pub(crate) fn next_person(&mut self, turn: &mut Turn<'_>) -> Option<Next> {
        if let Some(person) = &self.person
            && turn.is_proven(person.id)
        {
            return None;
        }
        if turn.is_locked() {
            turn.say(Sentence::NotProven, &[]);
            return Some(Next::Become(Frame::Desk(Desk::of(Why::NotProven))));
        }
        let words = turn.words();
        let people = self.people(turn);
        if people.is_empty() {
            return Some(self.identify(turn));
        }
        if self.person.is_none() {
            let proven: Vec<&Person> =
                people.iter().filter(|person| turn.is_proven(person.id)).collect();
            match (people.as_slice(), proven.as_slice()) {
                (_, [only]) => {
                    self.person = Some((*only).clone());
                    return None;
                }
                ([only], _) => self.person = Some(only.clone()),
                // Names are not told to whoever calls: the birth says who it is.
                ([..], _) if turn.is_spoken() => {}
                ([..], _) => return Some(Next::Ask(ask_whose(turn, &people))),
            }
        }
        if self.person.as_ref().is_some_and(|person| person.birth.is_none()) {
            turn.say(Sentence::NotProven, &[]);
            return Some(Next::Become(Frame::Desk(Desk::of(Why::NotProven))));
        }
        Some(Next::Ask(Question::open(About::Birth, words.plain(Sentence::AskProof))))
    }

    /// Finds who it is by number and birth, where the medium tells no number.
    fn identify(&self, turn: &mut Turn<'_>) -> Next {
        let words = turn.words();
        if turn.facts.phone.is_some() {
            turn.say(Sentence::NotOnRecord, &[]);
            return Next::Become(Frame::Desk(Desk::of(Why::NotProven)));
        }
        match (&self.phone, self.birth) {
            (None, _) => {
                Next::Ask(Question::open(About::Phone, words.plain(Sentence::AskKnownPhone)))
            }
            (Some(_), None) => {
                Next::Ask(Question::open(About::Birth, words.plain(Sentence::AskKnownBirth)))
            }
            (Some(phone), Some(birth)) => Next::Do(Act::Identify { phone: phone.clone(), birth }),
        }
    }

    /// What is missing until one appointment is settled.
    pub(crate) fn next(&mut self, turn: &mut Turn<'_>) -> Option<Next> {
        if self.appointment.is_some() {
            return None;
        }
        if !self.by_id
            && let Some(next) = self.next_person(turn)
        {
            return Some(next);
        }
        let Some(found) = self.found.take() else {
            return Some(Next::Look(match (&self.person, self.picked) {
                (_, Some(appointment)) if self.by_id => Look::Appointment { appointment },
                (Some(person), _) => Look::Appointments { patient: person.id },
                (None, _) => return Some(Next::Done),
            }));
        };
        if found.is_empty() {
            if self.by_id {
                turn.say(Sentence::TooLate, &[]);
            } else {
                let name = self.name(turn);
                turn.say(Sentence::NoAppointments, &[("name", name.into())]);
            }
            return Some(Next::Done);
        }
        let picked = self.picked.take();
        let meant: Vec<AppointmentFact> = found
            .iter()
            .filter(|it| {
                let date = turn.date(it.start);
                picked.is_none_or(|id| id == it.id)
                    && (self.days.is_empty() || self.days.iter().any(|days| days.contains(date)))
                    && self.practitioner.is_none_or(|id| id == it.practitioner)
            })
            .copied()
            .collect();
        match (meant.as_slice(), found.as_slice()) {
            ([one], _) | ([], [one]) => {
                self.appointment = Some(*one);
                None
            }
            ([], all) => Some(Next::Ask(ask_which(turn, all))),
            (some, _) => Some(Next::Ask(ask_which(turn, some))),
        }
    }

    /// Takes what was found; whether it was that.
    pub(crate) fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool {
        if let Answer::Appointments(found) = answer {
            self.found = Some(found);
            return true;
        }
        if let Answer::Identified(people) = answer {
            if people.is_empty() {
                turn.wrong_proof();
                turn.say(Sentence::NotOnRecord, &[]);
                self.phone = None;
                self.birth = None;
            }
            for person in &people {
                turn.prove(person.id);
            }
            self.identified = people;
            return true;
        }
        false
    }

    /// Takes what belongs here; whether anything did.
    pub(crate) fn take(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool {
        let people = self.people(turn);
        if let Some(pick) = said.pick {
            if let Pick::Patient(id) = pick
                && let Some(person) = people.iter().find(|person| person.id == *id)
            {
                self.about(person.clone());
                return true;
            }
            if let Pick::Appointment(id) = pick {
                self.picked = Some(*id);
                return true;
            }
            return false;
        }
        let slots = &said.words.slots;
        if said.about == Some(About::Birth) && !slots.birth_dates.is_empty() {
            self.take_birth(&slots.birth_dates, &people, turn);
            return true;
        }
        if said.about == Some(About::Phone)
            && let Some(phone) = &slots.phone
        {
            self.phone = Some(phone.clone());
            return true;
        }
        if let Some(person) = named(&people, said.words, turn) {
            self.about(person.clone());
            return true;
        }
        false
    }

    /// Takes the day or the practitioner by which an appointment is named; whether that says anything new.
    pub(crate) fn take_which(&mut self, said: &Said<'_>, turn: &Turn<'_>) -> bool {
        let slots = &said.words.slots;
        let named = match slots.practitioners.as_slice() {
            [one] => Some(one.of),
            [] | [_, _, ..] => None,
        };
        if said.about == Some(About::Birth) || (slots.days.is_empty() && named.is_none()) {
            return false;
        }
        if let Some(appointment) = self.appointment {
            let date = turn.date(appointment.start);
            let is_it = (slots.days.is_empty() || slots.days.iter().any(|it| it.contains(date)))
                && named.is_none_or(|id| id == appointment.practitioner);
            if is_it {
                return false;
            }
            self.appointment = None;
            self.picked = None;
            self.by_id = false;
        }
        self.days = slots.days.clone();
        self.practitioner = named;
        true
    }

    /// Takes the practitioner whom somebody names as they say what they want: if one of their appointments is with them, it is
    /// that one. It may as well be to whom it is to be moved, so this takes nothing away.
    pub(crate) fn take_with(&mut self, said: &Said<'_>) {
        if let (None, [one]) = (self.appointment, said.words.slots.practitioners.as_slice()) {
            self.practitioner = Some(one.of);
        }
    }

    /// A birth was said: of whom it is, or of nobody.
    fn take_birth(&mut self, births: &[BirthDate], people: &[Person], turn: &mut Turn<'_>) {
        if people.is_empty() {
            // Without a number that the medium vouches for, the year alone is too easily guessed.
            match births.iter().find(|birth| matches!(birth, BirthDate::Day(_))) {
                Some(birth) => self.birth = Some(*birth),
                None => turn.say(Sentence::NotABirth, &[]),
            }
            return;
        }
        let fits = |person: &&Person| {
            self.person.as_ref().is_none_or(|it| it.id == person.id)
                && person.birth.is_some_and(|known| births.iter().any(|it| known.agrees_with(*it)))
        };
        match people.iter().find(fits) {
            Some(person) => {
                turn.prove(person.id);
                self.person = Some(person.clone());
            }
            None => {
                turn.wrong_proof();
                turn.say(Sentence::ProofWrong, &[]);
            }
        }
    }

    fn about(&mut self, person: Person) {
        if self.person.as_ref().is_none_or(|it| it.id != person.id) {
            self.appointment = None;
            self.picked = None;
            // What this address was told of one person proves nothing about another.
            self.by_id = false;
        }
        self.person = Some(person);
    }

    fn people(&self, turn: &Turn<'_>) -> Vec<Person> {
        let known = turn.facts.people();
        if known.is_empty() { self.identified.clone() } else { known.to_vec() }
    }
}

fn ask_whose(turn: &Turn<'_>, people: &[Person]) -> Question {
    let each = people.iter().map(|it| choice(Pick::Patient(it.id), it.name.clone(), None));
    let text = turn.words().plain(Sentence::AskWhose);
    Question { about: About::Patient, text, choices: each.collect() }
}

fn ask_which(turn: &Turn<'_>, appointments: &[AppointmentFact]) -> Question {
    let words = turn.words();
    let each = appointments.iter().map(|it| {
        let at = turn.facts.zone.to_datetime(it.start);
        let day = words.short_day(at.date(), turn.facts.today());
        let who = turn.facts.practitioner(it.practitioner).map(|it| it.name.clone());
        choice(Pick::Appointment(it.id), format!("{day} {}", words.clock(at.time())), who)
    });
    let text = words.plain(Sentence::AskWhichAppointment);
    Question { about: About::Appointment, text, choices: each.collect() }
}
