//! Words that say nothing about what a thing is, and so are no part of a name.

use super::assert_none;
use super::source::{code, files};

/// Refused as any word of the name of a file, folder, module, type or function.
const SAY_NOTHING: &str = "base common context core dto dtos engine factory handler handlers helper helpers info \
    manager managers misc models processor processors provider providers types util utils";

/// Refused as the whole name, fine beside a word that says which.
const SAY_NOTHING_ALONE: [&str; 3] = ["service", "services", "data"];

/// HTTP has handlers; nothing else does.
const HTTP: &str = "appliance/carepost/src/http/";

/// Why a name is refused, or nothing.
fn refused<'a>(name: &str, http: bool, words: &'a [String]) -> Option<&'a str> {
    if SAY_NOTHING_ALONE.contains(&name) {
        return words.first().map(String::as_str);
    }
    let says_nothing = |word: &&String| {
        SAY_NOTHING.split_whitespace().any(|it| it == *word)
            && !(http && word.starts_with("handler"))
    };
    words.iter().find(says_nothing).map(String::as_str)
}

/// `DiaryManager` and `diary_manager` as `diary`, `manager`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_lower = false;
    for letter in name.chars() {
        let starts_one = !letter.is_alphanumeric() || (letter.is_uppercase() && before_is_lower);
        if starts_one {
            words.push(String::new());
        }
        before_is_lower = letter.is_lowercase();
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_file_and_folder_is_named_for_what_it_is() {
    let mut found = Vec::new();
    for file in files() {
        for part in file.path.split('/') {
            let stem = part.split('.').next().unwrap_or(part).to_lowercase();
            if let Some(word) = refused(&stem, file.path.starts_with(HTTP), &words(part)) {
                found.push(format!("{}: {word}", file.path));
            }
        }
    }
    assert_none("this word says nothing; find the true one", found);
}

#[test]
fn every_module_type_and_function_is_named_for_what_it_is() {
    let mut found = Vec::new();
    for file in files().iter().filter(|file| file.ends_with(&["rs"])) {
        for pair in code(file).windows(2) {
            let [keyword, name] = pair else { continue };
            if !["struct", "enum", "trait", "type", "fn", "mod"].contains(&keyword.word.as_str()) {
                continue;
            }
            if let Some(word) = refused(&name.word, file.path.starts_with(HTTP), &words(&name.word))
            {
                found.push(format!("{}:{}: {}: {word}", file.path, name.line, name.word));
            }
        }
    }
    assert_none("this word says nothing; find the true one", found);
}
