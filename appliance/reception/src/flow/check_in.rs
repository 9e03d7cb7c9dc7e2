//! Checking in with the signed QR of an appointment, sent as a text.

use serde::{Deserialize, Serialize};

use super::tell::say_place;
use super::{Flow, Next, Said};
use crate::effect::{Act, Answer};
use crate::sentence::Sentence;
use crate::turn::Turn;

/// A code that is being shown.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CheckIn {
    qr: String,
    over: bool,
}

impl CheckIn {
    pub(crate) fn with(qr: String) -> Self {
        Self { qr, over: false }
    }
}

impl Flow for CheckIn {
    fn take(&mut self, _: &Said<'_>, _: &mut Turn<'_>) -> bool {
        false
    }

    fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool {
        if let Answer::CheckedIn(place) = &answer {
            turn.say(Sentence::CheckedIn, &[]);
            say_place(turn, place);
        } else if matches!(answer, Answer::Refused { code: _, alternatives: _ }) {
            turn.say(Sentence::NotCheckedIn, &[]);
        } else {
            return false;
        }
        self.over = true;
        true
    }

    fn next(&mut self, _: &mut Turn<'_>) -> Next {
        if self.over { Next::Done } else { Next::Do(Act::CheckIn { qr: self.qr.clone() }) }
    }

    fn refresh(&mut self) {
        // A code checks in once, however often it is shown; but nobody waits for the answer any more.
        self.over = true;
    }
}
