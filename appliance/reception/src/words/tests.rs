//! No sentence is missing in any language, and what the clinic words wrongly is not said.

use std::collections::{BTreeMap, BTreeSet};

use prm::content::CHOICE_TITLE_LETTERS_MAX;

use super::*;

/// The messages of a file with the variables that each names.
fn messages(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with([' ', '\t'])
            && let Some((id, _)) = line.split_once(" =")
        {
            assert!(
                messages.insert(id.to_owned(), BTreeSet::new()).is_none(),
                "{id} is there twice"
            );
            current = id.to_owned();
        }
        for part in line.split('$').skip(1) {
            let name: String = part.chars().take_while(char::is_ascii_alphanumeric).collect();
            messages.entry(current.clone()).or_default().insert(name);
        }
    }
    messages
}

#[test]
fn every_language_has_every_sentence_with_the_same_variables() {
    let wanted: BTreeMap<String, BTreeSet<String>> = Sentence::ALL
        .iter()
        .map(|it| (it.id().to_owned(), it.variables().iter().map(|it| (*it).to_owned()).collect()))
        .collect();
    for (tag, source) in LANGUAGES {
        let (_, read) = bundle(tag, source.to_owned());
        assert!(read, "{tag} can be read");
        let found = messages(source);
        for (id, variables) in &wanted {
            assert_eq!(found.get(id), Some(variables), "{tag}: {id}");
        }
        for id in found.keys() {
            assert!(wanted.contains_key(id), "{tag}: {id} is no sentence");
        }
    }
}

#[test]
fn titles_fit_on_a_choice_and_every_sentence_says_something() {
    for (tag, _) in LANGUAGES {
        for sentence in Sentence::ALL {
            let shown: Vec<_> = sentence.variables().iter().map(|it| (*it, "1".into())).collect();
            let text = ours(tag, *sentence, &shown);
            assert!(!text.trim().is_empty(), "{tag}: {}", sentence.id());
        }
        let titles = [
            Sentence::MenuBook,
            Sentence::MenuMine,
            Sentence::MenuMove,
            Sentence::MenuCancel,
            Sentence::MenuQueue,
            Sentence::MenuDesk,
            Sentence::MenuLabel,
            Sentence::Yes,
            Sentence::No,
            Sentence::Choose,
            Sentence::Restart,
            Sentence::MoreTimes,
            Sentence::OtherDay,
            Sentence::OtherTime,
            Sentence::OtherDoctor,
            Sentence::AnyDoctor,
            Sentence::SomebodyNew,
            Sentence::JoinWaitlist,
            Sentence::LeaveIt,
            Sentence::WillCome,
            Sentence::PartMorning,
            Sentence::PartAfternoon,
            Sentence::PartEvening,
            Sentence::Today,
            Sentence::Tomorrow,
            Sentence::LanguageName,
        ];
        for title in titles {
            let text = ours(tag, title, &[]);
            assert!(text.chars().count() <= CHOICE_TITLE_LETTERS_MAX, "{tag}: {text}");
        }
    }
}

#[test]
fn a_wording_of_the_clinic_is_checked_before_it_is_said() {
    assert_eq!(
        check("en", "greeting", "Welcome to { $clinic }!"),
        Ok("Welcome to [clinic]!".into())
    );
    assert_eq!(
        check("en", "greeting", "{ $doctor } is here"),
        Err(WordingError::Unknown(vec!["clinic"]))
    );
    assert_eq!(check("en", "greeting", "Welcome to { $clinic"), Err(WordingError::Unreadable));
    assert_eq!(check("en", "greeting", " "), Err(WordingError::Length));
    assert_eq!(check("en", "hymn", "la"), Err(WordingError::NoSentence));
    assert_eq!(check("xx", "greeting", "la"), Err(WordingError::NoLanguage));
    // What looks like another sentence is words of this one.
    assert_eq!(check("en", "welcome", "Bye\nmenu = no"), Ok("Bye\nmenu = no".into()));
}
