//! A message: what it may be, in the order in which it matters.
//!
//! Danger to life comes before everything, the wish to hear no more before all else; then what was chosen, then
//! what the words say; then, where the rules find nothing, what a model proposed; then the clinic's answers to
//! what is often asked. What is left was not understood. The report of a call is none of this: see `called`.

use std::borrow::Cow;

use prm::contact::ascii_digits;
use prm::medium::Medium;
use prm::qr;

use super::wanted::{begin, go_on_or_menu, not_understood, wanted};
use super::{called, go_on, push, refresh, take};
use crate::choice::Pick;
use crate::dialogue::{About, Heard, Open};
use crate::effect::Why;
use crate::flow::{Frame, Said};
use crate::intent::Intent;
use crate::sentence::Sentence;
use crate::turn::Turn;
use crate::understand::{Expecting, Language, Place, Understood, understand};
use crate::words::spoken;

/// Words that a question has at least, to be looked up in the clinic's answers.
const QUESTION_WORDS_MIN: usize = 2;

/// The word that takes a stop back: whoever stopped was told so.
const START: &str = "START";

/// Takes a message in, and goes on.
pub(super) fn hear(turn: &mut Turn<'_>, heard: &Heard) {
    turn.dialogue.medium = Some(heard.medium);
    turn.dialogue.silences = 0;
    turn.dialogue.rounds = 0;
    if std::mem::take(&mut turn.dialogue.awaits) {
        // The answer was lost: whether anything was done is not known here, so it is asked anew.
        turn.forget_lines();
        refresh(turn);
    }
    if heard.medium == Medium::VoiceAgent {
        return called::hear(turn, heard);
    }
    let (text, code) = apart(&heard.text);
    let pick = chosen(turn, heard);
    let expecting = turn.dialogue.open.as_ref().map_or(Expecting::Nothing, |it| it.expecting());
    let now = turn.facts.now.to_zoned(turn.facts.zone.clone());
    let words = match &pick {
        Some(_) => Understood::default(),
        None => understand(&text, &turn.facts.lexicon, &expecting, &now),
    };
    follow_language(turn, &words);
    if words.emergency {
        return emergency(turn);
    }
    if words.stop || words.intents.contains(&Intent::Stop) {
        turn.note(Some(Intent::Stop), false, "stop");
        turn.dialogue.stack.clear();
        return begin(turn, Intent::Stop, "", None);
    }
    if turn.dialogue.desk {
        turn.note(words.intent, false, "desk-has-it");
        return;
    }
    if heard.text.trim().eq_ignore_ascii_case(START) {
        turn.note(Some(Intent::Allow), false, "start");
        return begin(turn, Intent::Allow, "", None);
    }
    if let Some(qr) = code {
        turn.note(Some(Intent::CheckIn), false, "code");
        push(turn, Frame::check_in(qr));
        return go_on(turn);
    }
    if pick.is_none() && heard.text.trim().is_empty() {
        turn.note(None, false, "no-words");
        turn.say(Sentence::WordsOnly, &[]);
        return go_on_or_menu(turn);
    }
    match pick {
        Some(pick) => picked(turn, &pick),
        None => said(turn, heard, &words),
    }
}

/// What was chosen: by its id, by its number, or by its title written out.
fn chosen(turn: &Turn<'_>, heard: &Heard) -> Option<Pick> {
    if let Some(pick) = heard.chosen.as_deref().and_then(Pick::read) {
        return Some(pick);
    }
    let open = turn.dialogue.open.as_ref()?;
    let text = ascii_digits(heard.text.trim());
    let bare = text.trim_end_matches(['.', ')']);
    let by_number = bare.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let at = by_number.or_else(|| {
        let title = text.to_lowercase();
        open.choices.iter().position(|(_, shown)| shown.to_lowercase() == title)
    })?;
    open.at(Place::Nth(at))
}

/// What somebody says, and the signed QR of an appointment, if the text holds one. Words that stand in a code by chance
/// nobody said.
fn apart(text: &str) -> (Cow<'_, str>, Option<String>) {
    let Some((before, rest)) = text.split_once(qr::PREFIX) else { return (text.into(), None) };
    let mut after = rest.chars();
    let signed = after.by_ref().take(qr::TEXT_LENGTH - qr::PREFIX.len());
    let code = qr::PREFIX.chars().chain(signed).collect();
    (format!("{before}\n{}", after.as_str()).into(), Some(code))
}

/// Whoever writes in another language is answered in it, unless they chose one.
pub(super) fn follow_language(turn: &mut Turn<'_>, words: &Understood) {
    if turn.dialogue.language_chosen {
        return;
    }
    let is_open = turn.dialogue.language.is_none();
    // "Das" is a name, and ten.
    let of_a_name = words.slots.name.as_ref().map_or(0, |name| name.split_whitespace().count());
    let says_more = words.words.len() > of_a_name.max(1);
    let language = match words.language {
        Some(Language::Hindi) => Language::Hindi,
        // Who writes English says "haan", too.
        Some(Language::Hinglish) if is_open || says_more => Language::Hinglish,
        // Names and short words are in Latin letters in any language.
        Some(Language::English) if is_open || (words.intent.is_some() && says_more) => {
            Language::English
        }
        Some(Language::Hinglish | Language::English) | None => return,
    };
    let tag = language.tag();
    if let Some(tag) = spoken(tag, turn.facts) {
        turn.dialogue.language = Some(tag.to_owned());
    }
}

/// Words of an emergency: what to do at once, and the desk.
pub(super) fn emergency(turn: &mut Turn<'_>) {
    turn.note(None, false, "emergency");
    let clinic = &turn.facts.clinic;
    let numbers = turn.words().any_of(&clinic.emergency);
    if numbers.is_empty() {
        turn.say(Sentence::EmergencyPlain, &[]);
    } else {
        turn.say(Sentence::Emergency, &[("numbers", numbers.into())]);
    }
    if let Some(phone) = &clinic.phone {
        turn.say(Sentence::EmergencyPhone, &[("phone", phone.as_str().into())]);
    }
    // What to do leaves at once, whatever becomes of the rest.
    turn.flush();
    turn.dialogue.stack.clear();
    turn.dialogue.open = None;
    turn.dialogue.misses = 0;
    if !turn.dialogue.desk {
        push(turn, Frame::desk(Why::Emergency));
        go_on(turn);
    }
}

/// Something was chosen.
fn picked(turn: &mut Turn<'_>, pick: &Pick) {
    let about = turn.dialogue.open.as_ref().map(|open| open.about);
    let yes = match pick {
        Pick::Yes(serial) | Pick::No(serial) if *serial != turn.dialogue.serial => {
            turn.note(None, false, "out-of-date");
            turn.say(Sentence::OutOfDate, &[]);
            return go_on_or_menu(turn);
        }
        Pick::Yes(_) => Some(true),
        Pick::No(_) => Some(false),
        Pick::Want(intent) => {
            turn.dialogue.misses = 0;
            turn.note(Some(*intent), false, "chosen");
            return wanted(turn, *intent, "", None);
        }
        Pick::Practitioner(_)
        | Pick::AnyPractitioner
        | Pick::OtherPractitioner
        | Pick::Specialty(_)
        | Pick::Service(_)
        | Pick::Day(_)
        | Pick::OtherDay
        | Pick::OtherTime
        | Pick::Part(_)
        | Pick::Slot(_)
        | Pick::More
        | Pick::Patient(_)
        | Pick::SomebodyNew
        | Pick::Appointment(_)
        | Pick::Confirm(_)
        | Pick::Move(_)
        | Pick::Cancel(_)
        | Pick::Take(_)
        | Pick::Language(_) => None,
        Pick::Pass(_) => {
            turn.dialogue.open = None;
            None
        }
    };
    if let Some(frame) = Frame::begun_by_pick(pick, turn.facts) {
        turn.note(None, false, "chosen");
        push(turn, frame);
        return go_on(turn);
    }
    let words = Understood::default();
    let said = Said { pick: Some(pick), words: &words, about, yes };
    if take(turn, &said) {
        turn.dialogue.misses = 0;
        turn.note(None, false, "chosen");
        go_on(turn);
    } else {
        turn.note(None, false, "out-of-date");
        turn.say(Sentence::OutOfDate, &[]);
        go_on_or_menu(turn);
    }
}

/// Something was said in words.
fn said(turn: &mut Turn<'_>, heard: &Heard, words: &Understood) {
    if let Some(open) = &turn.dialogue.open {
        let named = match words.slots.chosen.as_slice() {
            [one] => open.at(Place::Nth(*one)),
            [] | [_, _, ..] => words.slots.place.and_then(|place| open.at(place)),
        };
        if let Some(pick) = named {
            return picked(turn, &pick);
        }
    }
    if turn.dialogue.stack.is_empty() && !words.negated && answers_reminder(turn, words) {
        return go_on(turn);
    }
    if let Some(pick) = answers_offer(turn.dialogue.open.as_ref(), words) {
        return picked(turn, &pick);
    }
    if let Some(beside) = turn.dialogue.beside.take().filter(|_| !says_more(words)) {
        if let Some(pick) = answers_offer(Some(&beside), words) {
            return picked(turn, &pick);
        }
        if beside.about == About::Reminder
            && words.slots.yes.is_some()
            && answers_reminder(turn, words)
        {
            return go_on(turn);
        }
    }
    if words.waits {
        turn.note(None, false, "waits");
        return turn.say(Sentence::TakeYourTime, &[]);
    }
    let about = turn.dialogue.open.as_ref().map(|open| open.about);
    let yes = match about {
        Some(About::YesNo) => agreed(turn, words),
        Some(_) | None => None,
    };
    if yes == Some(true) && words.also && books_another(turn, words) {
        turn.dialogue.misses = 0;
        turn.note(words.intent, false, "also");
        take(turn, &Said { pick: None, words: &Understood::default(), about, yes });
        return go_on(turn);
    }
    let said = Said { pick: None, words, about, yes };
    // A question beside a wish is answered first, or it would be lost.
    let asks = turn.dialogue.stack.is_empty()
        && words.intents.contains(&Intent::Faq)
        && words.intent.is_some_and(waits_for_an_answer);
    let intent = if asks { Some(Intent::Faq) } else { words.intent };
    if let Some(intent) = intent
        && (yes.is_none() || !belongs(turn, intent))
        && !belongs_here(turn, intent, words)
    {
        turn.dialogue.misses = 0;
        turn.note(Some(intent), false, "words");
        // What was asked for beside it comes after it.
        let may_follow = |other| if asks { waits_for_an_answer(other) } else { comes_after(other) };
        let second = words.intents.iter().find(|other| **other != intent && may_follow(**other));
        if let Some(frame) = second.and_then(|other| Frame::begun_by(*other, "", turn.facts))
            && turn.dialogue.stack.is_empty()
        {
            push(turn, frame);
            take(turn, &Said { pick: None, words, about: None, yes: None });
        }
        return wanted(turn, intent, &heard.text, Some(&said));
    }
    if take(turn, &said) {
        turn.dialogue.misses = 0;
        turn.note(words.intent, false, "words");
        return go_on(turn);
    }
    if words.slots.yes == Some(true)
        && let Some(only) = turn.dialogue.open.as_ref().and_then(Open::only)
    {
        return picked(turn, &only);
    }
    if turn.dialogue.stack.is_empty() && words.slots.yes.is_some() {
        turn.note(None, false, "nothing-asked");
        return go_on_or_menu(turn);
    }
    if let Some(intent) = heard.proposed.filter(|intent| may_be_proposed(*intent)) {
        turn.note(Some(intent), true, "proposed");
        return wanted(turn, intent, &heard.text, Some(&said));
    }
    let is_question = words.question || turn.dialogue.stack.is_empty();
    if is_question && words.words.len() >= QUESTION_WORDS_MIN && !words.abuse {
        turn.note(None, false, "looked-up");
        push(turn, Frame::faq(heard.text.clone(), false));
        return go_on(turn);
    }
    turn.note(None, false, if words.abuse { "abuse" } else { "not-understood" });
    // Who "me" is, a number of several people does not say.
    let is_unclear = about == Some(About::Patient) && !words.slots.persons.is_empty();
    let why = if is_unclear { Sentence::SeveralPeople } else { Sentence::NotUnderstood };
    not_understood(turn, why);
}

/// Puts another booking below the one that is agreed to, if the words name somebody else; whether they do.
fn books_another(turn: &mut Turn<'_>, words: &Understood) -> bool {
    let Some(Frame::Book(book)) = turn.dialogue.stack.last() else { return false };
    let Some(another) = book.clone().also(words, turn) else { return false };
    let Some(agreed) = turn.dialogue.stack.pop() else { return false };
    push(turn, Frame::Book(Box::new(another)));
    push(turn, agreed);
    true
}

/// Takes what answers the last reminder; whether it does.
fn answers_reminder(turn: &mut Turn<'_>, words: &Understood) -> bool {
    let Some(id) = turn.dialogue.reminded else { return false };
    let yes = words.slots.yes;
    let Some(frame) = Frame::begun_by_answer(id, words.intent, yes, turn.facts) else {
        return false;
    };
    turn.dialogue.reminded = None;
    turn.dialogue.misses = 0;
    turn.note(words.intent, false, "reminded");
    push(turn, frame);
    let said = Said { pick: None, words, about: None, yes: None };
    take(turn, &said);
    true
}

/// What a yes or a no alone chooses of what was offered, if something was.
fn answers_offer(open: Option<&Open>, words: &Understood) -> Option<Pick> {
    let open = open.filter(|open| open.about == About::Offer)?;
    let yes = words.slots.yes.filter(|_| words.intent.is_none_or(Intent::is_courtesy))?;
    let chosen = if yes { open.choices.first() } else { open.choices.last() };
    chosen.and_then(|(id, _)| Pick::read(id))
}

/// Yes or no to the read-back that is open. Words that ask for exactly what was read back are a yes.
fn agreed(turn: &Turn<'_>, words: &Understood) -> Option<bool> {
    if words.slots.yes.is_some() {
        return words.slots.yes;
    }
    let does = turn.dialogue.stack.last().and_then(|frame| frame.agreed_by());
    let is_a_wish = matches!(does, Some(Intent::Book | Intent::Move));
    let is_other = words.correction || words.intent == Some(Intent::More);
    if is_a_wish && is_other && !says_more(words) && words.slots.persons.is_empty() {
        return Some(false);
    }
    let alone = !fills(words) && words.slots.persons.is_empty() && !words.several;
    let says = does.is_some() && words.intent == does && !words.negated && !words.question;
    (says && alone).then_some(true)
}

/// Whether an intent is that of the flow on top.
fn belongs(turn: &Turn<'_>, intent: Intent) -> bool {
    turn.dialogue.stack.last().is_some_and(|frame| frame.is_of(intent))
}

/// Whether what was said is taken by the flow on top although an intent was found: its own, or
/// one that is only a way to say more.
fn belongs_here(turn: &Turn<'_>, intent: Intent, words: &Understood) -> bool {
    if turn.dialogue.stack.is_empty() {
        return false;
    }
    belongs(turn, intent) || intent == Intent::More || (intent.is_courtesy() && fills(words))
}

/// Whether anything was said that a flow may take.
fn fills(words: &Understood) -> bool {
    words.slots.yes.is_some() || says_more(words)
}

/// Whether it is more than a yes or a no.
fn says_more(words: &Understood) -> bool {
    let slots = &words.slots;
    slots.name.is_some()
        || !slots.days.is_empty()
        || !slots.times.is_empty()
        || !slots.chosen.is_empty()
        || !slots.practitioners.is_empty()
}

/// Whether it is remembered when something else is asked for in the same message.
fn comes_after(intent: Intent) -> bool {
    matches!(intent, Intent::Book | Intent::MyAppointments | Intent::WhereInQueue)
}

/// Whether it goes on as well after a question that was asked beside it was answered.
fn waits_for_an_answer(intent: Intent) -> bool {
    comes_after(intent) || matches!(intent, Intent::Move | Intent::Cancel | Intent::JoinWaitlist)
}

/// Whether a model may propose it: what it may begin is asked about again before anything is done.
pub(super) fn may_be_proposed(intent: Intent) -> bool {
    match intent {
        Intent::Book
        | Intent::Move
        | Intent::Cancel
        | Intent::Confirm
        | Intent::CannotCome
        | Intent::MyAppointments
        | Intent::WhereInQueue
        | Intent::CheckIn
        | Intent::Instructions
        | Intent::Faq
        | Intent::JoinWaitlist
        | Intent::Person
        | Intent::Help
        | Intent::Greeting
        | Intent::Thanks
        | Intent::Goodbye => true,
        Intent::RunningLate
        | Intent::Stop
        | Intent::Allow
        | Intent::ChangeLanguage
        | Intent::StartOver
        | Intent::Leave
        | Intent::Back
        | Intent::Repeat
        | Intent::More => false,
    }
}
