//! A call that a voice agent answered, as the agent reports it when the call is over.
//!
//! It says what is to be spoken about, and nothing else. It was not said to the question that is open here, and whoever
//! called under this number may not be whose number it is: so it agrees to nothing, chooses nothing, proves nothing, and
//! neither stops nor begins messages. What follows is asked in writing, at the number itself.
//!
//! What the agent took the caller to want goes before the words: it heard all of the conversation, and a conversation
//! names much that nobody wants ("shall I book, move or cancel?").

use super::heard::{emergency, follow_language, may_be_proposed};
use super::wanted::begin;
use crate::dialogue::Heard;
use crate::flow::Said;
use crate::intent::Intent;
use crate::sentence::Sentence;
use crate::turn::Turn;
use crate::understand::{Expecting, LETTERS_MAX, Understood, WORDS_MAX, understand};

/// As many parts of a call are read for words of danger: all that is kept of one.
const PARTS_MAX: usize = 32;
/// What stands before the words of the voice agent.
const AGENTS: [&str; 8] =
    ["agent", "assistant", "ai", "bot", "system", "zoice", "receptionist", "clinic"];
/// What stands before the words of whoever called.
const CALLERS: [&str; 7] = ["caller", "user", "patient", "customer", "human", "client", "person"];

/// Takes the report of a call in, and asks what follows from it. Where nothing does, a person reads it.
pub(super) fn hear(turn: &mut Turn<'_>, heard: &Heard) {
    let now = turn.facts.now.to_zoned(turn.facts.zone.clone());
    let parts = parts(&heard.text);
    let mut read =
        parts.iter().map(|part| understand(part, &turn.facts.lexicon, &Expecting::Nothing, &now));
    let first = read.next().unwrap_or_default();
    let is_danger = first.emergency || read.any(|it| it.emergency);
    // A transcript may be a translation: who was written with in a language goes on in it.
    if turn.dialogue.language.is_none() {
        follow_language(turn, &first);
    }
    if is_danger {
        return emergency(turn);
    }
    let by_words = first.intent.filter(|it| leads_somewhere(*it));
    let intent = heard.proposed.filter(|it| leads_somewhere(*it)).or(by_words);
    turn.note(intent, intent.is_some() && intent == heard.proposed, "call");
    if turn.dialogue.desk {
        return;
    }
    let Some(intent) = intent else { return };
    turn.dialogue.misses = 0;
    turn.say(Sentence::AboutYourCall, &[]);
    let words = without_answers(first);
    let said = Said { pick: None, words: &words, about: None, yes: None };
    begin(turn, intent, parts.first().map_or("", String::as_str), Some(&said));
}

/// What was said about the matter itself, without what only the person may say here.
fn without_answers(mut words: Understood) -> Understood {
    let slots = &mut words.slots;
    slots.yes = None;
    slots.chosen.clear();
    slots.place = None;
    slots.number = None;
    slots.name = None;
    slots.phone = None;
    slots.birth_dates.clear();
    slots.persons.clear();
    words
}

/// Whether a call can begin it: what is asked about before anything is done.
fn leads_somewhere(intent: Intent) -> bool {
    may_be_proposed(intent) && !intent.is_courtesy() && intent != Intent::Help
}

/// The words of whoever called, in parts that can be read. Where it does not say who speaks, all words are theirs.
fn parts(transcript: &str) -> Vec<String> {
    let (mut parts, mut part, mut letters, mut count) = (Vec::new(), String::new(), 0, 0);
    let mut is_agent = false;
    for word in transcript.split_whitespace() {
        if let Some(speaker) = speaker(word) {
            is_agent = speaker;
            continue;
        }
        if is_agent {
            continue;
        }
        let length = word.chars().count() + 1;
        if (letters + length > LETTERS_MAX || count >= WORDS_MAX) && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            (letters, count) = (0, 0);
            if parts.len() == PARTS_MAX {
                return parts;
            }
        }
        part.push_str(word);
        part.push(' ');
        (letters, count) = (letters + length, count + 1);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Whether the agent speaks from here on, or whoever called; none if this word does not say it.
fn speaker(word: &str) -> Option<bool> {
    let label = word.strip_suffix(':')?.trim_matches(|it: char| !it.is_alphanumeric());
    let is_one_of = |labels: &[&str]| labels.iter().any(|it| label.eq_ignore_ascii_case(it));
    if is_one_of(&AGENTS) {
        return Some(true);
    }
    is_one_of(&CALLERS).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_agent_says_is_not_what_the_caller_says() {
        let transcript = "Agent: Shall I book, move or cancel?\nCaller: Book please.\n[AI]: For 112 say so.\nUser: no";
        assert_eq!(parts(transcript), ["Book please. no "]);
        assert_eq!(parts("book at 10: 30 please"), ["book at 10: 30 please "]);
    }

    #[test]
    fn a_long_call_is_read_in_parts_and_not_without_end() {
        let long = "kal subah ".repeat(20_000);
        let parts = parts(&long);
        assert_eq!(parts.len(), PARTS_MAX);
        assert!(parts.iter().all(|it| it.chars().count() <= LETTERS_MAX));
    }
}
