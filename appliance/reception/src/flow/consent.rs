//! Stop, and start again: what is sent without being asked for.

use serde::{Deserialize, Serialize};

use super::{Flow, Next, Said};
use crate::effect::{Act, Answer};
use crate::sentence::Sentence;
use crate::turn::Turn;

/// Whether messages are sent that were not asked for.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Consent {
    pub(crate) stop: bool,
    over: bool,
}

impl Consent {
    pub(crate) fn of(stop: bool) -> Self {
        Self { stop, over: false }
    }
}

impl Flow for Consent {
    fn take(&mut self, _: &Said<'_>, _: &mut Turn<'_>) -> bool {
        false
    }

    fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool {
        if matches!(answer, Answer::Stopped) {
            turn.say(Sentence::Stopped, &[]);
        } else if matches!(answer, Answer::Allowed) {
            turn.say(Sentence::Allowed, &[]);
        } else {
            return false;
        }
        self.over = true;
        true
    }

    fn next(&mut self, _: &mut Turn<'_>) -> Next {
        match (self.over, self.stop) {
            (true, _) => Next::Done,
            (false, true) => Next::Do(Act::Stop),
            (false, false) => Next::Do(Act::Allow),
        }
    }
}
