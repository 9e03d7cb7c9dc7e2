//! No to a time that was offered to whoever waits for one.

use prm::id::SlotId;
use serde::{Deserialize, Serialize};

use super::{Flow, Next, Said, slot_text};
use crate::effect::{Act, Answer};
use crate::sentence::Sentence;
use crate::turn::Turn;

/// A time that was offered is not wanted.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Decline {
    /// Which, until that is noted.
    #[serde(with = "slot_text")]
    slot: Option<SlotId>,
}

impl Decline {
    pub(crate) fn of(slot: SlotId) -> Self {
        Self { slot: Some(slot) }
    }
}

impl Flow for Decline {
    fn take(&mut self, _: &Said<'_>, _: &mut Turn<'_>) -> bool {
        false
    }

    fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool {
        let noted = matches!(answer, Answer::OfferDeclined);
        if noted {
            turn.say(Sentence::OfferLeft, &[]);
            self.slot = None;
        }
        noted
    }

    fn next(&mut self, _: &mut Turn<'_>) -> Next {
        self.slot.map_or(Next::Done, |slot| Next::Do(Act::DeclineOffer { slot }))
    }
}
