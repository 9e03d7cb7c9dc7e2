//! A message as a row of words, folded so that spellings of one word fall together.
//!
//! Invariant: at most [`super::WORDS_MAX`] words of the first [`super::LETTERS_MAX`] letters, whatever comes in.

use prm::contact::ascii_digits;
use prm::name::romanise;

use super::{LETTERS_MAX, WORDS_MAX};

/// A word, a number, or a picture that stands for a word.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// As it was written, digits made ASCII.
    pub raw: String,
    /// Lower case, marks that nobody types alike taken away.
    pub folded: String,
    /// Its value, if it is written in digits.
    pub number: Option<u64>,
    /// What stands before it.
    pub gap: Gap,
    /// Whether a clause ends before it.
    pub begins_clause: bool,
}

/// What parts a word from the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing: `10am`.
    None,
    /// One sign and no space: `12/3`.
    Sign(char),
    /// White space, with or without signs.
    Space,
}

/// The words of a text, in order.
pub(super) fn words(text: &str) -> Vec<Word> {
    let text: String = text.chars().take(LETTERS_MAX).collect();
    let text = ascii_digits(&text);
    let mut words: Vec<Word> = Vec::new();
    let mut raw = String::new();
    let mut between = String::new();
    for c in text.chars() {
        if is_silent(c) {
            continue;
        }
        if is_picture(c) {
            end(&mut words, &mut raw, &mut between);
            raw.push(c);
            end(&mut words, &mut raw, &mut between);
            between.push(' ');
        } else if is_letter(c) {
            // Digits and letters part: 10am, 5th.
            let turns =
                raw.chars().last().is_some_and(|l| l.is_ascii_digit() != c.is_ascii_digit());
            if turns {
                end(&mut words, &mut raw, &mut between);
            }
            raw.push(c);
        } else {
            end(&mut words, &mut raw, &mut between);
            between.push(c);
        }
        if words.len() >= WORDS_MAX {
            break;
        }
    }
    end(&mut words, &mut raw, &mut between);
    words.truncate(WORDS_MAX);
    words
}

/// Ends a word, if there is one.
fn end(words: &mut Vec<Word>, raw: &mut String, between: &mut String) {
    if raw.is_empty() {
        return;
    }
    let raw = std::mem::take(raw);
    let between = std::mem::take(between);
    let number = raw.bytes().all(|b| b.is_ascii_digit()).then(|| raw.parse().unwrap_or(u64::MAX));
    let after_number = words.last().is_some_and(|word| word.number.is_some());
    // "5 : 30" is 5:30.
    let joint = matches!(between.trim(), ":" | "/") && number.is_some() && after_number;
    let between = if joint { between.trim().to_owned() } else { between };
    let mut signs = between.chars();
    let gap = match (signs.next(), signs.next()) {
        (None, _) => Gap::None,
        (Some(sign), None) if !sign.is_whitespace() => Gap::Sign(sign),
        (Some(_), _) => Gap::Space,
    };
    let in_number = number.is_some() && after_number && matches!(gap, Gap::Sign(_));
    // The full stop of "Dr." and of an initial ends nothing.
    let abbreviated = between.trim() == "."
        && words.last().is_some_and(|word| {
            word.raw.chars().count() == 1 || ABBREVIATIONS.contains(&word.folded.as_str())
        });
    let ends = between.chars().any(ends_clause) && !in_number && !abbreviated;
    let begins_clause = words.is_empty() || ends || between == " - ";
    words.push(Word { folded: fold(&raw), raw, number, gap, begins_clause });
}

/// Words that are written with a full stop.
const ABBREVIATIONS: &[&str] =
    &["dr", "drs", "mr", "mrs", "ms", "smt", "prof", "no", "डा", "appt", "st"];

fn ends_clause(c: char) -> bool {
    matches!(c, ',' | '.' | ';' | '!' | '?' | '\n' | '।' | '॥' | '–' | '—' | '،' | '؟' | '(' | ')')
}

/// Apostrophes and joiners: `don't` is `dont`.
fn is_silent(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}'
        | '\u{fe0e}' | '\u{fe0f}' | '\u{feff}')
}

/// Pictures that answer a question.
fn is_picture(c: char) -> bool {
    matches!(c, '👍' | '👌' | '✅' | '✔' | '👎' | '❌' | '🙏' | '🆘' | '🚑')
}

/// Letters with the signs that the scripts of India put on them; their full stops are none.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric()
        || (('\u{900}'..='\u{d7f}').contains(&c) && !matches!(c, '।' | '॥' | '\u{970}'))
}

/// Lower case; a letter thrice and more is one; Devanagari without nukta and length of i and u.
pub(super) fn fold(raw: &str) -> String {
    let lower = raw.to_lowercase();
    let lower = if lower.chars().any(|c| ('\u{c0}'..='\u{24f}').contains(&c)) {
        romanise(&lower).replace(' ', "")
    } else {
        lower
    };
    let mut out = String::with_capacity(lower.len());
    let mut run = 0;
    let mut last = None;
    for c in lower.chars() {
        if is_silent(c) {
            continue;
        }
        let Some(c) = fold_letter(c, &mut out) else { continue };
        run = if last == Some(c) { run + 1 } else { 1 };
        last = Some(c);
        if run >= 3 && !c.is_ascii_digit() {
            // The second of the run goes, too, when the third comes.
            if run == 3 {
                out.pop();
            }
            continue;
        }
        out.push(c);
    }
    out
}

/// One letter folded; none if it says nothing.
fn fold_letter(c: char, out: &mut String) -> Option<char> {
    Some(match c {
        // Nukta and virama at will: बजे, बज़े.
        '\u{93c}' => return None,
        '\u{958}' => 'क',
        '\u{959}' => 'ख',
        '\u{95a}' => 'ग',
        '\u{95b}' => 'ज',
        '\u{95c}' => 'ड',
        '\u{95d}' => 'ढ',
        '\u{95e}' => 'फ',
        '\u{95f}' => 'य',
        'ई' => 'इ',
        'ऊ' => 'उ',
        'ी' => 'ि',
        'ू' => 'ु',
        'ँ' => 'ं',
        'ऑ' | 'ऍ' => 'आ',
        'ॉ' | 'ॅ' => 'ा',
        'ऐ' => 'ए',
        'ै' => 'े',
        // Nasals before a consonant are written as a dot as well: सोम्वार stays, डेन्टिस्ट is डेंटिस्ट.
        '्' if out.ends_with('न') || out.ends_with('म') || out.ends_with('ण') => {
            out.pop();
            'ं'
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.folded).collect()
    }

    #[test]
    fn words_numbers_and_signs_part() {
        assert_eq!(folded("Kal 10am, don't!"), ["kal", "10", "am", "dont"]);
        assert_eq!(folded("१२/३"), ["12", "3"]);
        assert_eq!(words("12/3")[1].gap, Gap::Sign('/'));
        assert!(words("nahi, kal")[1].begins_clause);
        assert!(!words("10.30")[1].begins_clause);
    }

    #[test]
    fn spellings_of_devanagari_fall_together() {
        assert_eq!(fold("हाँ"), fold("हां"));
        assert_eq!(fold("डेन्टिस्ट"), fold("डेंटिस्ट"));
        assert_eq!(fold("नहीं"), fold("नहिं"));
        assert_eq!(fold("plzzzz"), "plz");
    }
}
