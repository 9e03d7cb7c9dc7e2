//! To the desk: the conversation is given to a human, or something is left for one to do.

use serde::{Deserialize, Serialize};

use super::{Flow, Next, Said};
use crate::effect::{Act, Answer, Why};
use crate::sentence::Sentence;
use crate::turn::Turn;

/// Something for the desk.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Desk {
    why: Why,
    over: bool,
}

impl Desk {
    pub(crate) fn of(why: Why) -> Self {
        Self { why, over: false }
    }

    /// Whether the desk answers when it can, and whatever is under way goes on meanwhile.
    fn goes_on(&self, turn: &Turn<'_>) -> bool {
        self.why == Why::Question && turn.facts.can.book
    }
}

impl Flow for Desk {
    fn take(&mut self, _: &Said<'_>, _: &mut Turn<'_>) -> bool {
        false
    }

    fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool {
        self.over = true;
        if matches!(answer, Answer::HandedOver) {
            turn.dialogue.desk = true;
            if self.why == Why::Emergency {
                turn.say(Sentence::EmergencyDesk, &[]);
                return true;
            }
            turn.say(Sentence::HandedOver, &[]);
        } else if matches!(answer, Answer::Ticketed) && self.why == Why::Late {
            turn.say(Sentence::LateNoted, &[]);
            return true;
        } else if matches!(answer, Answer::Ticketed) && self.goes_on(turn) {
            turn.say(Sentence::HandedOver, &[]);
        } else {
            // Whether the desk could be told or not: it is not there to answer, and nothing goes on without it.
            turn.dialogue.stack.clear();
            if self.why == Why::Emergency {
                return true;
            }
            turn.say(Sentence::Away, &[]);
        }
        if let Some(phone) = &turn.facts.clinic.phone {
            turn.say(Sentence::DeskPhone, &[("phone", phone.as_str().into())]);
        }
        true
    }

    fn next(&mut self, turn: &mut Turn<'_>) -> Next {
        if self.over {
            return Next::Done;
        }
        match self.why {
            // Nobody is at the desk of a clinic that is out of reach: it finds this when it is back.
            _ if !turn.facts.can.book => Next::Do(Act::Ticket(self.why)),
            Why::Away | Why::Late | Why::Question => Next::Do(Act::Ticket(self.why)),
            Why::Asked
            | Why::Emergency
            | Why::NotUnderstood
            | Why::TooLong
            | Why::NotProven
            | Why::NotDone => Next::Do(Act::HandOver(self.why)),
        }
    }
}
