//! Somebody cannot come: another time, or not at all.

use prm::id::AppointmentId;
use serde::{Deserialize, Serialize};

use super::{Flow, Next, Said};
use crate::choice::Pick;
use crate::dialogue::About;
use crate::effect::Answer;
use crate::intent::Intent;
use crate::sentence::Sentence;
use crate::turn::{Question, Turn};

/// Somebody cannot come.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CannotCome {
    /// To which, where that was said.
    pub(crate) appointment: Option<AppointmentId>,
}

impl Flow for CannotCome {
    fn take(&mut self, _: &Said<'_>, _: &mut Turn<'_>) -> bool {
        false
    }

    fn learn(&mut self, _: Answer, _: &mut Turn<'_>) -> bool {
        false
    }

    fn next(&mut self, turn: &mut Turn<'_>) -> Next {
        let (moved, cancelled) = match self.appointment {
            Some(id) => (Pick::Move(id), Pick::Cancel(id)),
            None => (Pick::Want(Intent::Move), Pick::Want(Intent::Cancel)),
        };
        Next::Ask(Question {
            about: About::Change,
            text: turn.words().plain(Sentence::AskMoveOrCancel),
            choices: vec![
                turn.choice(moved, Sentence::MenuMove),
                turn.choice(cancelled, Sentence::MenuCancel),
                turn.choice(Pick::Want(Intent::Leave), Sentence::LeaveIt),
            ],
        })
    }
}
