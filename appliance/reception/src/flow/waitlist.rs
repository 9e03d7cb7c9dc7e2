//! The waiting list: for when something becomes free.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::when::When;
use super::whom::Whom;
use super::{Flow, Next, Said};
use crate::dialogue::About;
use crate::effect::{AHEAD_DAYS, Act, Answer};
use crate::facts::Facts;
use crate::sentence::Sentence;
use crate::turn::Turn;

/// A wish for the waiting list.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Waitlist {
    when: When,
    whom: Whom,
    /// Whether a booking led here, and it is still to be said that nothing is free.
    instead: bool,
    agreed: Option<bool>,
    over: bool,
}

impl Waitlist {
    /// A wish with what of it is settled.
    pub(crate) fn of(when: When, whom: Whom) -> Self {
        Self { when, whom, ..Self::default() }
    }

    /// The waiting list instead of a booking, because nothing is free.
    pub(crate) fn instead(when: When, whom: Whom) -> Self {
        Self { instead: true, ..Self::of(when, whom) }
    }

    fn stretch(&self, facts: &Facts) -> (Date, Date) {
        self.when.stretch(facts.today())
    }
}

impl Flow for Waitlist {
    fn take(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool {
        let when = self.when.take(said, turn);
        let whom = self.whom.take(said, turn);
        if said.about == Some(About::YesNo) && !when && !whom {
            if said.yes.is_some() {
                self.agreed = said.yes;
            }
            return said.yes.is_some();
        }
        when || whom
    }

    fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool {
        if matches!(answer, Answer::Waitlisted) {
            turn.say(Sentence::Waitlisted, &[]);
            self.over = true;
            return true;
        }
        if let Answer::Registered(person) = answer {
            self.whom.registered(person, turn);
            return true;
        }
        false
    }

    fn next(&mut self, turn: &mut Turn<'_>) -> Next {
        if self.over {
            return Next::Done;
        }
        if std::mem::take(&mut self.instead) {
            turn.say(Sentence::NothingFreeList, &[("days", AHEAD_DAYS.into())]);
        }
        if self.agreed == Some(false) {
            turn.say(Sentence::WaitlistLeft, &[]);
            return Next::Done;
        }
        if let Some(question) = self.when.ask_whom_to_see(turn) {
            return Next::Ask(question);
        }
        if let Some(next) = self.whom.next(turn) {
            return next;
        }
        if self.agreed.is_none() {
            let name = ("name", self.whom.read_back(turn).into());
            let words = turn.words();
            let text = match self.when.practitioner {
                Some(id) => words.say(
                    Sentence::WaitlistAskDoctor,
                    &[name, ("doctor", turn.practitioner_words(id))],
                ),
                None => words.say(Sentence::WaitlistAsk, &[name]),
            };
            return Next::Ask(turn.ask_yes_no(text));
        }
        let Some(patient) = self.whom.patient() else {
            return match self.whom.register() {
                Some(register) => Next::Do(register),
                None => Next::Done,
            };
        };
        let (from, to) = self.stretch(turn.facts);
        Next::Do(Act::JoinWaitlist {
            patient,
            practitioner: self.when.practitioner,
            specialty: self.when.specialty.clone(),
            service: self.when.service,
            from,
            to,
        })
    }

    fn refresh(&mut self) {
        self.agreed = None;
    }
}
