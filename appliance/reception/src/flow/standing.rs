//! An appointment that stands: called off, or promised again.

use prm::error::Code;
use prm::id::AppointmentId;
use serde::{Deserialize, Serialize};

use super::whose::Whose;
use super::{Flow, Frame, Next, Said};
use crate::dialogue::About;
use crate::effect::{Act, Answer};
use crate::sentence::Sentence;
use crate::turn::Turn;

/// What is to become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Deed {
    Cancel,
    Confirm,
}

/// An appointment that is called off, or promised again.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) deed: Deed,
    whose: Whose,
    agreed: Option<bool>,
    /// Whether the person has said that they come, and the records say so.
    #[serde(default)]
    promised: bool,
    over: bool,
}

impl Standing {
    pub(crate) fn of(deed: Deed) -> Self {
        Self { deed, whose: Whose::default(), agreed: None, promised: false, over: false }
    }

    /// Chosen under a reminder, which said which appointment it is: to promise it is agreed to by that.
    pub(crate) fn by_id(deed: Deed, id: AppointmentId) -> Self {
        let agreed = (deed == Deed::Confirm).then_some(true);
        Self { deed, whose: Whose::by_id(id), agreed, promised: false, over: false }
    }
}

impl Flow for Standing {
    fn take(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool {
        // "Yes, the one on Friday" is a yes only if that was read back.
        let whose = self.whose.take(said, turn);
        let which = self.whose.take_which(said, turn);
        if said.about == Some(About::YesNo)
            && self.whose.appointment.is_some()
            && said.yes.is_some()
        {
            self.agreed = said.yes;
            return true;
        }
        whose || which
    }

    fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool {
        match answer {
            Answer::Cancelled => turn.say(Sentence::Cancelled, &[]),
            Answer::Confirmed(appointment) => {
                self.whose.appointment = Some(appointment);
                self.promised = true;
                let put_in = [
                    ("name", self.whose.name(turn).into()),
                    ("day", turn.day_words(appointment.start)),
                    ("time", turn.clock_words(appointment.start)),
                ];
                turn.say(Sentence::Confirmed, &put_in);
            }
            Answer::Refused { code: Code::IllegalStep, alternatives: _ } => {
                turn.say(Sentence::TooLate, &[]);
            }
            Answer::Days(_)
            | Answer::Slots(_)
            | Answer::Appointments(_)
            | Answer::Queue(_)
            | Answer::Faq(_)
            | Answer::Instructions(_)
            | Answer::Qr(_)
            | Answer::Booked { appointment: _, qr: _ }
            | Answer::Moved { appointment: _, qr: _ }
            | Answer::CheckedIn(_)
            | Answer::Registered(_)
            | Answer::Identified(_)
            | Answer::Waitlisted
            | Answer::OfferDeclined
            | Answer::Stopped
            | Answer::Allowed
            | Answer::HandedOver
            | Answer::Ticketed
            | Answer::Refused { code: _, alternatives: _ } => {
                return self.whose.learn(answer, turn);
            }
        }
        self.over = true;
        true
    }

    fn next(&mut self, turn: &mut Turn<'_>) -> Next {
        if self.over {
            let promised = self.whose.appointment.filter(|_| self.promised);
            return match promised.and_then(|it| it.service) {
                Some(service) => Next::Become(Frame::instructions_beside(service)),
                None => Next::Done,
            };
        }
        if let Some(next) = self.whose.next(turn) {
            return next;
        }
        let Some(appointment) = self.whose.appointment else { return Next::Done };
        match (self.deed, self.agreed) {
            (_, None) => {
                let put_in = [
                    ("name", self.whose.name(turn).into()),
                    ("doctor", turn.practitioner_words(appointment.practitioner)),
                    ("day", turn.day_words(appointment.start)),
                    ("time", turn.clock_words(appointment.start)),
                ];
                let sentence = match self.deed {
                    Deed::Cancel => Sentence::CancelConfirm,
                    Deed::Confirm => Sentence::ConfirmConfirm,
                };
                Next::Ask(turn.ask_yes_no(turn.words().say(sentence, &put_in)))
            }
            (Deed::Cancel, Some(true)) => Next::Do(Act::Cancel { appointment: appointment.id }),
            (Deed::Confirm, Some(true)) => Next::Do(Act::Confirm { appointment: appointment.id }),
            (Deed::Cancel, Some(false)) => {
                turn.say(Sentence::Kept, &[]);
                Next::Done
            }
            (Deed::Confirm, Some(false)) => Next::Become(Frame::cannot_come(Some(appointment.id))),
        }
    }

    fn refresh(&mut self) {
        self.agreed = None;
    }
}
