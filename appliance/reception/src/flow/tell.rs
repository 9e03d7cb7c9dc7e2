//! What the records say, told to who proved whom it is about: appointments, a place in the queue, a code.

use serde::{Deserialize, Serialize};

use super::whose::Whose;
use super::{Flow, Next, Said};
use crate::effect::{Answer, Look};
use crate::facts::{AppointmentFact, PlaceFact};
use crate::sentence::Sentence;
use crate::turn::Turn;

/// Appointments that are told at once.
const TOLD_MAX: usize = 10;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    Appointments,
    Queue,
    /// The code to check in with.
    Code,
}

/// Something that the records say.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Tell {
    pub(crate) what: What,
    whose: Whose,
    over: bool,
}

impl Tell {
    pub(crate) fn of(what: What) -> Self {
        Self { what, whose: Whose::default(), over: false }
    }

    fn tell_appointments(&self, turn: &mut Turn<'_>, found: &[AppointmentFact]) {
        let name = || ("name", self.whose.name(turn).into());
        if found.is_empty() {
            let put_in = [name()];
            return turn.say(Sentence::NoAppointments, &put_in);
        }
        let put_in = [name()];
        turn.say(Sentence::Appointments, &put_in);
        for appointment in found.iter().take(TOLD_MAX) {
            let put_in = [
                ("day", turn.day_words(appointment.start)),
                ("time", turn.clock_words(appointment.start)),
                ("doctor", turn.practitioner_words(appointment.practitioner)),
            ];
            turn.say(Sentence::AppointmentLine, &put_in);
        }
    }

    fn tell_places(&self, turn: &mut Turn<'_>, places: &[PlaceFact]) {
        if places.is_empty() {
            let name = self.whose.name(turn);
            turn.say(Sentence::QueueNone, &[("name", name.into())]);
        }
        for place in places.iter().take(TOLD_MAX) {
            say_place(turn, place);
        }
    }
}

/// Says what a place in the queue is worth.
pub(super) fn say_place(turn: &mut Turn<'_>, place: &PlaceFact) {
    let token = ("token", place.token.as_str().into());
    if place.called {
        return turn.say(Sentence::QueueCalled, &[token]);
    }
    turn.say(Sentence::QueuePlace, &[token, ("ahead", place.ahead.into())]);
    if let Some(minutes) = place.minutes.filter(|minutes| *minutes > 0) {
        turn.say(Sentence::QueueMinutes, &[("minutes", minutes.into())]);
    }
}

impl Flow for Tell {
    fn take(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool {
        let whose = self.whose.take(said, turn);
        let which = self.what == What::Code && self.whose.take_which(said, turn);
        whose || which
    }

    fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool {
        if let (What::Appointments, Answer::Appointments(found)) = (self.what, &answer) {
            self.tell_appointments(turn, found);
            self.over = true;
            return true;
        }
        if let Answer::Queue(places) = &answer {
            self.tell_places(turn, places);
            self.over = true;
            return true;
        }
        if let Answer::Qr(qr) = answer {
            turn.say_qr(Some(qr));
            self.over = true;
            return true;
        }
        self.whose.learn(answer, turn)
    }

    fn next(&mut self, turn: &mut Turn<'_>) -> Next {
        if self.over {
            return Next::Done;
        }
        if self.what == What::Code {
            if let Some(next) = self.whose.next(turn) {
                return next;
            }
            return match self.whose.appointment {
                Some(appointment) => Next::Look(Look::Qr { appointment: appointment.id }),
                None => Next::Done,
            };
        }
        if let Some(next) = self.whose.next_person(turn) {
            return next;
        }
        match (self.whose.person(), self.what) {
            (Some(person), What::Queue) => Next::Look(Look::Queue { patient: person.id }),
            (Some(person), What::Appointments | What::Code) => {
                Next::Look(Look::Appointments { patient: person.id })
            }
            (None, _) => Next::Done,
        }
    }
}
