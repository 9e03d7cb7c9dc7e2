//! What is wanted: flows are begun, left and gone back to; what is not understood ends at the desk.

use super::{back_to_it, go_on, push, take};
use crate::dialogue::{MISSES_MAX, QUESTIONS_MAX};
use crate::effect::Why;
use crate::flow::{Frame, Said};
use crate::intent::Intent;
use crate::sentence::Sentence;
use crate::turn::Turn;

/// Does what is wanted: most of it begins a flow.
pub(super) fn wanted(turn: &mut Turn<'_>, intent: Intent, text: &str, said: Option<&Said<'_>>) {
    match intent {
        Intent::StartOver => {
            turn.dialogue.stack.clear();
            turn.say(Sentence::StartedAgain, &[]);
            go_on_or_menu(turn);
        }
        Intent::Leave => {
            if let Some(frame) = turn.dialogue.stack.pop() {
                turn.say(frame.when_left(), &[]);
            }
            if turn.dialogue.stack.is_empty() {
                turn.dialogue.open = None;
                turn.dialogue.questions = 0;
            }
            back_to_it(turn);
            go_on(turn);
        }
        Intent::Back => {
            if let Some(frame) = turn.dialogue.stack.last_mut() {
                frame.flow().back();
            }
            go_on_or_menu(turn);
        }
        Intent::Repeat | Intent::More => go_on_or_menu(turn),
        Intent::Help => {
            turn.by_number = true;
            go_on_or_menu(turn);
        }
        Intent::Greeting => {
            if turn.dialogue.stack.is_empty() {
                let clinic = turn.facts.clinic.name.as_str().into();
                turn.say(Sentence::Greeting, &[("clinic", clinic)]);
            }
            go_on_or_menu(turn);
        }
        Intent::Thanks | Intent::Goodbye => {
            turn.say(Sentence::Welcome, &[]);
            if intent == Intent::Goodbye {
                turn.dialogue.stack.clear();
            }
            go_on(turn);
        }
        Intent::Book
        | Intent::Move
        | Intent::Cancel
        | Intent::Confirm
        | Intent::CannotCome
        | Intent::RunningLate
        | Intent::MyAppointments
        | Intent::WhereInQueue
        | Intent::CheckIn
        | Intent::Instructions
        | Intent::Faq
        | Intent::JoinWaitlist
        | Intent::Person
        | Intent::Stop
        | Intent::Allow
        | Intent::ChangeLanguage => begin(turn, intent, text, said),
    }
}

/// Begins the flow of an intent, or goes back to it where it is under way.
pub(super) fn begin(turn: &mut Turn<'_>, intent: Intent, text: &str, said: Option<&Said<'_>>) {
    let under_way = turn.dialogue.stack.iter().position(|frame| frame.is_of(intent));
    match under_way {
        Some(at) => turn.dialogue.stack.truncate(at + 1),
        None => {
            let booking = turn.dialogue.stack.last().filter(|_| intent == Intent::JoinWaitlist);
            let instead = booking.and_then(|frame| frame.waitlist_instead(turn.facts));
            if instead.is_some() {
                turn.dialogue.stack.pop();
            }
            match instead.or_else(|| Frame::begun_by(intent, text, turn.facts)) {
                Some(frame) => push(turn, frame),
                None => return not_understood(turn, Sentence::NotUnderstood),
            }
        }
    }
    if let Some(said) = said {
        // What was said beside the intent belongs to its flow, not to the question before it.
        let afresh = Said { pick: said.pick, words: said.words, about: None, yes: None };
        take(turn, &afresh);
    }
    go_on(turn);
}

/// It was not understood: the question again, then with numbers, then the desk.
pub(super) fn not_understood(turn: &mut Turn<'_>, why: Sentence) {
    turn.dialogue.misses = turn.dialogue.misses.saturating_add(1);
    if turn.dialogue.misses >= MISSES_MAX {
        push(turn, Frame::desk(Why::NotUnderstood));
        return go_on(turn);
    }
    if turn.dialogue.misses > 1 {
        turn.by_number = true;
        turn.say(Sentence::ReplyByNumber, &[]);
    } else {
        turn.say(why, &[]);
    }
    go_on_or_menu(turn);
}

/// Goes on, or shows what can be done here where nothing is under way.
pub(super) fn go_on_or_menu(turn: &mut Turn<'_>) {
    if turn.dialogue.stack.is_empty() && turn.dialogue.questions >= QUESTIONS_MAX {
        push(turn, Frame::desk(Why::TooLong));
    }
    if turn.dialogue.stack.is_empty() {
        let menu = turn.menu();
        turn.ask(menu);
    } else {
        go_on(turn);
    }
}
