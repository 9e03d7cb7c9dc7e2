//! Moving an appointment: which, to when; read back, agreed, done.

use prm::error::Code;
use prm::id::AppointmentId;
use serde::{Deserialize, Serialize};

use super::when::{Free, Settling, When};
use super::whose::Whose;
use super::{Flow, Frame, Next, Said};
use crate::choice::Pick;
use crate::dialogue::About;
use crate::effect::{Act, Answer, Why, is_about_time};
use crate::facts::AppointmentFact;
use crate::intent::Intent;
use crate::sentence::Sentence;
use crate::turn::{Question, Turn};

/// An appointment that is being moved.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Moving {
    whose: Whose,
    when: When,
    /// Whether `when` knows with whom the appointment is.
    follows: bool,
    /// Whether the read-back was answered by no: what to change is asked.
    unsettled: bool,
    agreed: bool,
    over: bool,
}

impl Moving {
    /// Chosen under a reminder.
    pub(crate) fn by_id(id: AppointmentId) -> Self {
        Self { whose: Whose::by_id(id), ..Self::default() }
    }

    fn read_back(&self, turn: &Turn<'_>, appointment: AppointmentFact, free: Free) -> Question {
        let put_in = [
            ("name", self.whose.name(turn).into()),
            ("doctor", turn.practitioner_words(free.practitioner)),
            ("oldday", turn.day_words(appointment.start)),
            ("oldtime", turn.clock_words(appointment.start)),
            ("day", turn.day_words(free.start)),
            ("time", turn.clock_words(free.start)),
        ];
        turn.ask_yes_no(turn.words().say(Sentence::MoveConfirm, &put_in))
    }

    fn ask_change(turn: &Turn<'_>) -> Question {
        Question {
            about: About::Change,
            text: turn.words().plain(Sentence::WhatElse),
            choices: vec![
                turn.choice(Pick::OtherDay, Sentence::OtherDay),
                turn.choice(Pick::OtherTime, Sentence::OtherTime),
                turn.choice(Pick::OtherPractitioner, Sentence::OtherDoctor),
                turn.choice(Pick::Want(Intent::Leave), Sentence::LeaveIt),
            ],
        }
    }
}

impl Flow for Moving {
    fn take(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool {
        let whose = self.whose.take(said, turn);
        self.whose.take_with(said);
        // "Move Asha's to Thursday" says both; who answers whose it is says nothing of when.
        let when = (!whose || said.about.is_none()) && self.when.take(said, turn);
        if whose || (when && !self.when.is_settled()) {
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
        when
    }

    fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool {
        match answer {
            Answer::Moved { appointment, qr } => {
                let put_in = [
                    ("name", self.whose.name(turn).into()),
                    ("doctor", turn.practitioner_words(appointment.practitioner)),
                    ("day", turn.day_words(appointment.start)),
                    ("time", turn.clock_words(appointment.start)),
                ];
                turn.say(Sentence::Moved, &put_in);
                turn.say_qr(qr);
                self.over = true;
                true
            }
            Answer::Refused { code, alternatives } => {
                self.agreed = false;
                if is_about_time(&code) {
                    turn.say(Sentence::SlotTaken, &[]);
                    self.when.taken(alternatives);
                    return true;
                }
                if matches!(code, Code::PatientDoubleBooked(_)) {
                    turn.say(Sentence::DoubleBooked, &[("name", self.whose.name(turn).into())]);
                    self.when.back();
                    return true;
                }
                if code == Code::IllegalStep {
                    turn.say(Sentence::TooLate, &[]);
                    self.over = true;
                    return true;
                }
                false
            }
            Answer::Days(_) | Answer::Slots(_) => self.when.learn(answer),
            Answer::Appointments(_)
            | Answer::Queue(_)
            | Answer::Faq(_)
            | Answer::Instructions(_)
            | Answer::Qr(_)
            | Answer::Booked { appointment: _, qr: _ }
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
            | Answer::Ticketed => self.whose.learn(answer, turn),
        }
    }

    fn next(&mut self, turn: &mut Turn<'_>) -> Next {
        if self.over {
            return Next::Done;
        }
        if let Some(next) = self.whose.next(turn) {
            return next;
        }
        let Some(appointment) = self.whose.appointment else { return Next::Done };
        if !std::mem::replace(&mut self.follows, true) {
            self.when.follow(
                appointment.practitioner,
                appointment.service,
                turn.date(appointment.start),
            );
        }
        let (slot, free) = match self.when.next(turn) {
            Settling::Missing(next) => return next,
            Settling::NothingFree => {
                turn.say(Sentence::NothingFree, &[("days", crate::effect::AHEAD_DAYS.into())]);
                turn.say(Sentence::Kept, &[]);
                return Next::Become(Frame::desk(Why::NotDone));
            }
            Settling::Settled(slot, free) => (slot, free),
        };
        if self.unsettled {
            return Next::Ask(Self::ask_change(turn));
        }
        if !self.agreed {
            return Next::Ask(self.read_back(turn, appointment, free));
        }
        Next::Do(Act::Move { appointment: appointment.id, slot })
    }

    fn refresh(&mut self) {
        self.agreed = false;
        self.when.refresh();
    }

    fn back(&mut self) -> bool {
        self.agreed = false;
        self.unsettled = false;
        self.when.back()
    }
}
