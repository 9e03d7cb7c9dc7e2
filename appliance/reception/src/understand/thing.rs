//! What is spoken of by its bare word and nothing else: "the time", "another doctor", "galat din".

use super::Thing;
use super::vocabulary::{Meaning, Reading, Topic};
use super::word::fold;

/// Words for each.
const THINGS: &[(Thing, &str)] = &[
    (Thing::Day, "day date din dino tarikh tareekh दिन तारीख"),
    (Thing::Time, "time timing timings hour samay vakt waqt समय वक्त टाइम"),
    (Thing::Practitioner, "doctor dr डॉक्टर"),
    (Thing::Patient, "patient name naam person mareez mariz मरीज मरीज़ नाम"),
];

/// Words that stand beside one and say that it is to be another.
const OTHER: &str = "another other different wrong new some works work suits suit please ye yeh woh wo galat alag dusra doosra dusre doosre koi aur गलत अलग यह ये वह दूसरा दूसरे नया कोई और";

/// The one thing that the whole message names.
pub(super) fn thing(reading: &Reading) -> Option<Thing> {
    let is_one_of = |words: &str, folded: &str| words.split(' ').any(|word| fold(word) == folded);
    let mut found = None;
    for (i, word) in reading.words.iter().enumerate() {
        let named = THINGS.iter().find(|(_, words)| is_one_of(words, &word.folded));
        match named {
            Some((thing, _)) if found.is_none_or(|it| it == *thing) => found = Some(*thing),
            Some(_) => return None,
            None if is_one_of(OTHER, &word.folded) || is_little(reading, i) => {}
            None => return None,
        }
    }
    found
}

/// Whether a word stands in a word or phrase that only says that something is to be changed, or nothing.
fn is_little(reading: &Reading, i: usize) -> bool {
    reading.all().any(|(from, to, m)| {
        (from..to).contains(&i)
            && matches!(
                m,
                Meaning::Filler
                    | Meaning::My
                    | Meaning::No
                    | Meaning::Not
                    | Meaning::Nahi
                    | Meaning::But
                    | Meaning::Correction
                    | Meaning::Topic(Topic::Change | Topic::Want)
            )
    })
}
