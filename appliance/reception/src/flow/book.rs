//! Booking: with whom, when, for whom; read back, agreed, done.

use prm::error::Code;
use prm::id::{HealthcareServiceId, SlotId};
use serde::{Deserialize, Serialize};

use super::desk::Desk;
use super::waitlist::Waitlist;
use super::when::{Free, Settling, When};
use super::whom::Whom;
use super::{Flow, Frame, Next, Said, slot_text};
use crate::choice::{Offered, Pick};
use crate::dialogue::About;
use crate::effect::{Act, Answer, Why, is_about_time};
use crate::facts::Person;
use crate::intent::Intent;
use crate::sentence::Sentence;
use crate::turn::{Question, Turn};
use crate::understand::Understood;

/// A booking under way.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Book {
    when: When,
    whom: Whom,
    /// Whether the read-back was answered by no: what to change is asked.
    unsettled: bool,
    /// Whether the read-back was answered by yes.
    agreed: bool,
    /// The time to which was said yes when it was offered: to that one, and to no other.
    #[serde(with = "slot_text")]
    offered: Option<SlotId>,
    /// Why the desk is to go on with it.
    desk: Option<Why>,
    /// What was booked, until it is said what to know before.
    booked: Option<HealthcareServiceId>,
    /// Whether it came to its end.
    over: bool,
}

impl Book {
    /// A time that was offered, and to which this person said yes: the offer said who, with whom and when.
    pub(crate) fn of_offer(offered: &Offered, person: Person) -> Self {
        let Offered { slot, practitioner, patient: _, service } = *offered;
        Self {
            when: When::offered(practitioner, service, slot),
            whom: Whom::of(person),
            offered: Some(slot),
            ..Self::default()
        }
    }

    /// Another for somebody else whom these words name: "yes, and also for Ravi".
    pub(crate) fn also(&self, words: &Understood, turn: &mut Turn<'_>) -> Option<Self> {
        let mut another = Self { when: self.when.another(), ..Self::default() };
        another.take(&Said { pick: None, words, about: None, yes: None }, turn);
        let name = another.whom.name();
        (!name.is_empty() && name != self.whom.name()).then_some(another)
    }

    /// The waiting list for the same.
    pub(crate) fn waitlist(&self) -> Waitlist {
        Waitlist::of(self.when.clone(), self.whom.clone())
    }

    fn read_back(&self, turn: &Turn<'_>, free: Free) -> Question {
        let mut put_in = vec![
            ("name", self.whom.read_back(turn).into()),
            ("doctor", turn.practitioner_words(free.practitioner)),
            ("day", turn.day_words(free.start)),
            ("time", turn.clock_words(free.start)),
        ];
        let text = match self.when.service.and_then(|id| turn.facts.healthcare_service(id)) {
            Some(service) => {
                put_in.push(("service", service.name.as_str().into()));
                turn.words().say(Sentence::BookConfirmService, &put_in)
            }
            None => turn.words().say(Sentence::BookConfirm, &put_in),
        };
        turn.ask_yes_no(text)
    }

    fn ask_change(turn: &Turn<'_>) -> Question {
        Question {
            about: About::Change,
            text: turn.words().plain(Sentence::WhatElse),
            choices: vec![
                turn.choice(Pick::OtherDay, Sentence::OtherDay),
                turn.choice(Pick::OtherTime, Sentence::OtherTime),
                turn.choice(Pick::OtherPractitioner, Sentence::OtherDoctor),
                turn.choice(Pick::SomebodyNew, Sentence::SomebodyNew),
                turn.choice(Pick::Want(Intent::Leave), Sentence::LeaveIt),
            ],
        }
    }

    fn refused(&mut self, code: &Code, turn: &mut Turn<'_>) -> bool {
        if matches!(code, Code::PatientDoubleBooked(_)) {
            turn.say(Sentence::DoubleBooked, &[("name", self.whom.name().into())]);
            self.when.back();
            return true;
        }
        if matches!(code, Code::LikelyDuplicate(_)) {
            turn.say(Sentence::MaybeOnRecord, &[]);
            self.desk = Some(Why::NotDone);
            return true;
        }
        false
    }
}

impl Flow for Book {
    fn take(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool {
        let name = self.whom.name();
        let when = self.when.take(said, turn);
        let whom = self.whom.take(said, turn);
        if (when && !self.when.is_settled()) || (whom && self.whom.name() != name) {
            self.unsettled = false;
            self.agreed = false;
            return true;
        }
        if said.about == Some(About::YesNo)
            && self.when.is_settled()
            && let Some(yes) = said.yes
        {
            self.agreed = yes;
            self.unsettled = !yes;
            return true;
        }
        when || whom
    }

    fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool {
        match answer {
            Answer::Booked { appointment, qr } => {
                let put_in = [
                    ("name", self.whom.name().into()),
                    ("doctor", turn.practitioner_words(appointment.practitioner)),
                    ("day", turn.day_words(appointment.start)),
                    ("time", turn.clock_words(appointment.start)),
                ];
                turn.say(Sentence::Booked, &put_in);
                turn.say_qr(qr);
                self.booked = appointment.service;
                self.over = true;
                true
            }
            Answer::Registered(person) => {
                self.whom.registered(person, turn);
                true
            }
            Answer::Refused { code, alternatives } => {
                self.agreed = false;
                if is_about_time(&code) {
                    turn.say(Sentence::SlotTaken, &[]);
                    self.when.taken(alternatives);
                    return true;
                }
                self.refused(&code, turn)
            }
            Answer::Days(_)
            | Answer::Slots(_)
            | Answer::Appointments(_)
            | Answer::Queue(_)
            | Answer::Faq(_)
            | Answer::Instructions(_)
            | Answer::Qr(_)
            | Answer::Moved { appointment: _, qr: _ }
            | Answer::Cancelled
            | Answer::Confirmed(_)
            | Answer::CheckedIn(_)
            | Answer::Identified(_)
            | Answer::Waitlisted
            | Answer::OfferDeclined
            | Answer::Stopped
            | Answer::Allowed
            | Answer::HandedOver
            | Answer::Ticketed => self.when.learn(answer),
        }
    }

    fn next(&mut self, turn: &mut Turn<'_>) -> Next {
        if let Some(service) = self.booked {
            return Next::Become(Frame::instructions_beside(service));
        }
        if self.over {
            return Next::Done;
        }
        if let Some(why) = self.desk {
            return Next::Become(Frame::Desk(Desk::of(why)));
        }
        let (slot, free) = match self.when.next(turn) {
            Settling::Missing(next) => return next,
            Settling::NothingFree if !turn.facts.can.book => {
                return Next::Become(Frame::Desk(Desk::of(Why::Away)));
            }
            Settling::NothingFree => {
                return Next::Become(Frame::Waitlist(Box::new(Waitlist::instead(
                    self.when.clone(),
                    self.whom.clone(),
                ))));
            }
            Settling::Settled(slot, free) => (slot, free),
        };
        if let Some(next) = self.whom.next(turn) {
            return next;
        }
        self.agreed |= self.offered.take() == Some(slot);
        if self.unsettled {
            return Next::Ask(Self::ask_change(turn));
        }
        if !self.agreed {
            return Next::Ask(self.read_back(turn, free));
        }
        match (self.whom.patient(), self.whom.register()) {
            (Some(patient), _) => Next::Do(Act::Book { patient, slot, service: self.when.service }),
            (None, Some(register)) => Next::Do(register),
            (None, None) => Next::Ask(self.read_back(turn, free)),
        }
    }

    fn refresh(&mut self) {
        self.agreed = false;
        self.offered = None;
        self.when.refresh();
    }

    fn back(&mut self) -> bool {
        self.agreed = false;
        self.unsettled = false;
        if self.whom.name().is_empty() {
            return self.when.back();
        }
        self.whom.forget();
        true
    }
}
