//! What is spoken of by its bare word and nothing else: "the time", "another doctor", "galat din".

use std::collections::HashMap;
use std::sync::LazyLock;

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

/// Each of these words, folded once, with what it names; those that only say "another" name nothing.
static WORDS: LazyLock<HashMap<String, Option<Thing>>> = LazyLock::new(|| {
    let others = OTHER.split(' ').map(|word| (fold(word), None));
    let things = THINGS
        .iter()
        .flat_map(|(thing, words)| words.split(' ').map(|word| (fold(word), Some(*thing))));
    others.chain(things).collect()
});

/// The one thing that the whole message names.
pub(super) fn thing(reading: &Reading) -> Option<Thing> {
    let mut found = None;
    for (i, word) in reading.words.iter().enumerate() {
        match WORDS.get(&word.folded) {
            Some(Some(thing)) if found.is_none_or(|it| it == *thing) => found = Some(*thing),
            Some(Some(_)) => return None,
            Some(None) => {}
            None if is_little(reading, i) => {}
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
