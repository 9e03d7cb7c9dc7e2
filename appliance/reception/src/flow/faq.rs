//! Questions that are often asked: the clinic's answer, or the desk.

use prm::id::HealthcareServiceId;
use serde::{Deserialize, Serialize};

use super::{Flow, Frame, Next, Said};
use crate::dialogue::About;
use crate::effect::{Answer, Why};
use crate::sentence::Sentence;
use crate::turn::Turn;

/// A question.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Faq {
    words: String,
    /// Of them the clause that asks, looked up where the clinic has no answer to all of them.
    clause: Option<String>,
    /// Whether it was a question for sure; otherwise nothing found means that it was not understood.
    sure: bool,
    /// Whether the clinic has no answer, and the desk is offered.
    unanswered: bool,
    desk: Option<bool>,
    /// The visit that it names, if it names one.
    service: Option<HealthcareServiceId>,
    over: bool,
}

impl Faq {
    pub(crate) fn of(words: String, sure: bool) -> Self {
        Self {
            words,
            clause: None,
            sure,
            unanswered: false,
            desk: None,
            service: None,
            over: false,
        }
    }
}

impl Flow for Faq {
    fn take(&mut self, said: &Said<'_>, _: &mut Turn<'_>) -> bool {
        if said.about == Some(About::YesNo) && said.yes.is_some() {
            self.desk = said.yes;
            return true;
        }
        if said.about.is_none() {
            self.service = said.words.slots.services.first().map(|it| it.of);
            self.clause.clone_from(&said.words.asked);
        }
        self.service.is_some()
    }

    fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool {
        let Answer::Faq(answer) = answer else { return false };
        match answer {
            Some(text) => {
                turn.say_words(text);
                self.over = true;
            }
            None => match self.clause.take() {
                Some(clause) => self.words = clause,
                None if self.sure => self.unanswered = true,
                None => {
                    turn.missed = true;
                    self.over = true;
                }
            },
        }
        true
    }

    fn next(&mut self, turn: &mut Turn<'_>) -> Next {
        match (self.over, self.unanswered, self.desk) {
            (true, _, _) => Next::Done,
            (false, false, _) => Next::Look(turn.faq(&self.words)),
            (false, true, None) => match self.service {
                // A question about a visit is answered by what is to be known before it.
                Some(service) => Next::Become(Frame::instructions(service)),
                None => Next::Ask(turn.ask_yes_no(turn.words().plain(Sentence::FaqNone))),
            },
            (false, true, Some(true)) => Next::Become(Frame::desk(Why::Question)),
            (false, true, Some(false)) => {
                turn.say(Sentence::FaqLeft, &[]);
                Next::Done
            }
        }
    }
}
