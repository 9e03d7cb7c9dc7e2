//! Flows: each fills its slots, asks for what is missing, and does what was agreed to.
//!
//! Invariant: a flow acts only after its own read-back was answered by yes; a change of any slot takes that back.

mod book;
mod cannot_come;
mod check_in;
mod consent;
mod decline;
mod desk;
mod faq;
mod frame;
mod instructions;
mod language;
mod moving;
mod slot_text;
mod standing;
mod tell;
mod waitlist;
mod when;
mod whom;
mod whose;

pub(crate) use self::frame::Frame;
use crate::choice::Pick;
use crate::dialogue::About;
use crate::effect::{Act, Answer, Look};
use crate::turn::{Question, Turn};
use crate::understand::Understood;

/// What was heard, as far as it is understood.
pub(crate) struct Said<'a> {
    /// What was chosen.
    pub(crate) pick: Option<&'a Pick>,
    /// What the words say.
    pub(crate) words: &'a Understood,
    /// What was asked last.
    pub(crate) about: Option<About>,
    /// Yes or no to what was asked last.
    pub(crate) yes: Option<bool>,
}

/// What comes next in a flow.
pub(crate) enum Next {
    /// Something is missing.
    Ask(Question),
    /// Something is to be looked up.
    Look(Look),
    /// Something is to be done.
    Do(Act),
    /// This flow goes on as another.
    Become(Frame),
    /// It has come to its end.
    Done,
}

/// What every flow does.
pub(crate) trait Flow {
    /// Takes what belongs to it of what was heard; whether anything did.
    fn take(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool;
    /// Takes what was found or done; whether it was an answer to what was asked.
    fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool;
    /// What comes next.
    fn next(&mut self, turn: &mut Turn<'_>) -> Next;
    /// Takes back what was agreed to, because it may be out of date.
    fn refresh(&mut self) {}
    /// Takes back what was settled last, so that it is asked again; whether there was anything.
    fn back(&mut self) -> bool {
        false
    }
}
