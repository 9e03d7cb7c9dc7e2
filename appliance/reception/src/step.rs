//! One step: what came is taken in, and the flow on top of the stack goes on until it asks, looks up or acts.

mod called;
mod heard;
mod wanted;

use crate::choice::under_reminder;
use crate::dialogue::{About, Dialogue, Input, QUESTIONS_MAX, STACK_MAX};
use crate::effect::{Answer, Effect, ROUNDS_MAX, Why};
use crate::facts::Facts;
use crate::flow::{Frame, Next, Said};
use crate::offer::under_offer;
use crate::sentence::Sentence;
use crate::turn::Turn;

/// Flows that may come to their end in one step; there is always an end, this is the proof.
const ENDS_MAX: usize = 4 * STACK_MAX;

/// What follows from an input: the dialogue as it is then, and what is to be said and done.
///
/// A step that ends with [`Effect::Look`] or [`Effect::Do`] is answered by exactly one [`Input::Answer`]; one
/// message leads to at most [`ROUNDS_MAX`] steps.
pub fn step(dialogue: Dialogue, input: Input<'_>, facts: &Facts) -> (Dialogue, Vec<Effect>) {
    let mut turn = Turn::new(dialogue, facts);
    match input {
        Input::Heard(heard) => heard::hear(&mut turn, heard),
        Input::Answer(answer) => learn(&mut turn, answer),
        Input::Elapsed => elapsed(&mut turn),
        Input::TakenOver => {
            turn.forget_lines();
            turn.dialogue.desk = true;
            turn.dialogue.open = None;
            turn.dialogue.awaits = false;
        }
        Input::GivenBack => given_back(&mut turn),
        Input::Reminded(id) => {
            turn.dialogue.reminded = Some(id);
            let choices = under_reminder(id, turn.words());
            turn.was_shown(About::Reminder, choices);
        }
        Input::Offered(offer) => {
            turn.dialogue.reminded = None;
            let choices = under_offer(&offer, turn.words());
            turn.was_shown(About::Offer, choices);
        }
    }
    turn.done()
}

/// Takes what was found or done, and goes on.
fn learn(turn: &mut Turn<'_>, answer: Answer) {
    if !std::mem::take(&mut turn.dialogue.awaits) {
        return;
    }
    turn.dialogue.rounds = turn.dialogue.rounds.saturating_add(1);
    let Some(mut frame) = turn.dialogue.stack.pop() else { return };
    if frame.flow().learn(answer, turn) {
        if std::mem::take(&mut turn.missed) {
            return wanted::not_understood(turn, Sentence::NotUnderstood);
        }
        turn.dialogue.stack.push(frame);
    } else {
        turn.say(Sentence::NotDone, &[]);
        push(turn, Frame::desk(Why::NotDone));
    }
    go_on(turn);
}

/// Nothing came for long: once that is said, the second time what was under way is let go.
fn elapsed(turn: &mut Turn<'_>) {
    if turn.dialogue.desk || turn.dialogue.awaits {
        return;
    }
    turn.dialogue.silences = turn.dialogue.silences.saturating_add(1);
    if turn.dialogue.silences > 1 || turn.dialogue.stack.is_empty() {
        turn.dialogue.stack.clear();
        turn.dialogue.open = None;
        turn.dialogue.silences = 0;
        turn.dialogue.misses = 0;
        turn.dialogue.questions = 0;
        return;
    }
    turn.dialogue.rounds = 0;
    turn.say(Sentence::StillThere, &[]);
    go_on(turn);
}

/// The desk gave the conversation back: what was under way goes on, as far as it is still true.
fn given_back(turn: &mut Turn<'_>) {
    turn.forget_lines();
    turn.dialogue.desk = false;
    turn.dialogue.awaits = false;
    turn.dialogue.misses = 0;
    // A human has looked at it in between.
    turn.dialogue.wrong_proofs = 0;
    turn.dialogue.questions = 0;
    turn.dialogue.rounds = 0;
    turn.dialogue.stack.retain(|frame| !matches!(frame, Frame::Desk(_)));
    refresh(turn);
    if !turn.dialogue.stack.is_empty() {
        turn.say(Sentence::HereAgain, &[]);
        go_on(turn);
    }
}

/// Takes back what was agreed to and may be out of date.
fn refresh(turn: &mut Turn<'_>) {
    for frame in &mut turn.dialogue.stack {
        frame.flow().refresh();
    }
}

/// Begins a flow on top of the others. Of as many as are kept, the oldest is forgotten.
fn push(turn: &mut Turn<'_>, frame: Frame) {
    // The question what to do with a visit, or whether to ask the desk, is answered by whatever begins.
    turn.dialogue.stack.retain(|under| {
        let is_question = matches!(under, Frame::CannotCome(_) | Frame::Faq(_));
        !(is_question || frame.is_of_a_visit() && under.is_of_a_visit())
    });
    if turn.dialogue.stack.len() >= STACK_MAX {
        turn.dialogue.stack.remove(0);
    }
    turn.dialogue.stack.push(frame);
}

/// Lets the flow on top go on until it asks, looks up or acts, or nothing is under way any more.
fn go_on(turn: &mut Turn<'_>) {
    for _ in 0..ENDS_MAX {
        // Only a stop goes through while a human speaks.
        let stops = matches!(turn.dialogue.stack.last(), Some(Frame::Consent(_)));
        if turn.dialogue.desk && !stops {
            turn.dialogue.open = None;
            return;
        }
        let Some(mut frame) = turn.dialogue.stack.pop() else {
            turn.dialogue.open = None;
            turn.dialogue.questions = 0;
            return;
        };
        let next = frame.flow().next(turn);
        // The desk is asked once more questions or rounds would be too many; it is the last round itself.
        let is_last = usize::from(turn.dialogue.rounds) + 2 >= ROUNDS_MAX;
        match next {
            Next::Ask(_) if turn.dialogue.questions >= QUESTIONS_MAX => {
                turn.dialogue.stack.clear();
                push(turn, Frame::desk(Why::TooLong));
            }
            Next::Ask(question) => {
                push(turn, frame);
                turn.ask(question);
                return;
            }
            // What was under way when the clinic went out of reach: only its own records could answer.
            Next::Look(look) if !turn.facts.can.book && !look.is_in_reach() => {
                push(turn, Frame::desk(Why::Away));
            }
            Next::Do(act) if !turn.facts.can.book && !act.is_in_reach() => {
                push(turn, Frame::desk(Why::Away));
            }
            Next::Look(_) | Next::Do(_) if is_last && !matches!(frame, Frame::Desk(_)) => {
                turn.say(Sentence::NotDone, &[]);
                push(turn, Frame::desk(Why::NotDone));
            }
            Next::Look(look) => {
                push(turn, frame);
                turn.await_answer(Effect::Look(look));
                return;
            }
            Next::Do(act) => {
                push(turn, frame);
                turn.await_answer(Effect::Do(act));
                return;
            }
            Next::Become(other) => push(turn, other),
            Next::Done => {
                turn.dialogue.misses = 0;
                if !turn.dialogue.desk {
                    back_to_it(turn);
                }
            }
        }
    }
}

/// Says what comes now, where something was under way before.
fn back_to_it(turn: &mut Turn<'_>) {
    if let Some(what) = turn.dialogue.stack.last().map(Frame::word) {
        turn.say(Sentence::BackToIt, &[("what", what.into())]);
    }
}

/// Gives what was heard to the flow on top.
fn take(turn: &mut Turn<'_>, said: &Said<'_>) -> bool {
    let Some(mut frame) = turn.dialogue.stack.pop() else { return false };
    let took = frame.flow().take(said, turn);
    turn.dialogue.stack.push(frame);
    took
}
