//! Somebody cannot come: another time, or not at all.

use prm::id::AppointmentId;
use serde::{Deserialize, Serialize};

use super::moving::Moving;
use super::{Flow, Frame, Next, Said};
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
    appointment: Option<AppointmentId>,
    /// Another time is wanted.
    moving: Option<Box<Moving>>,
}

impl CannotCome {
    /// To that appointment, or to one that is asked for.
    pub(crate) fn to(appointment: Option<AppointmentId>) -> Self {
        Self { appointment, moving: None }
    }
}

impl Flow for CannotCome {
    fn take(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool {
        // The day on which they cannot come was said before that was asked.
        if said.about != Some(About::Change) {
            return false;
        }
        let mut moving = self.appointment.map(Moving::by_id).unwrap_or_default();
        let names = said.words.intent.is_none() && moving.take(said, turn);
        if !names && said.words.intent != Some(Intent::More) {
            return false;
        }
        self.moving = Some(Box::new(moving));
        true
    }

    fn learn(&mut self, _: Answer, _: &mut Turn<'_>) -> bool {
        false
    }

    fn next(&mut self, turn: &mut Turn<'_>) -> Next {
        if let Some(moving) = self.moving.take() {
            return Next::Become(Frame::Moving(moving));
        }
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
