//! Names of people: reading them in any script, comparing them, shortening them to initials.
//!
//! Invariant: nothing here panics, and the work for one name is bounded by [`WORDS_MAX`] and [`CHARS_MAX`].

use std::collections::HashMap;

mod romanise;
mod sound;

pub use romanise::romanise;
pub use sound::{SOUND_MAX, skeleton, sound};

/// Most words of a name that are looked at; the others are left out.
pub const WORDS_MAX: usize = 8;

/// Most characters of a name that are looked at; the others are left out.
pub const CHARS_MAX: usize = 160;

/// Likeness under which two words count as unlike.
const UNLIKE: f64 = 0.55;

/// The words of a name, romanised, without titles such as Dr, Smt or Shri; one word always stays if there was one.
#[must_use]
pub fn words(name: &str) -> Vec<String> {
    let short: String = name.chars().take(CHARS_MAX).collect();
    let roman = romanise(&short).replace(|c: char| c.is_ascii_digit(), "");
    let all: Vec<&str> = roman.split_ascii_whitespace().collect();
    let mut rest = all.as_slice();
    while let [first, after @ ..] = rest {
        let title = TITLES.contains(first) && !after.is_empty();
        // Sri Devi is a name, Sri Ramesh Kumar is a man with a title.
        let courtesy = COURTESIES.contains(first) && after.len() >= 2;
        if !title && !courtesy {
            break;
        }
        rest = after;
    }
    rest.iter().take(WORDS_MAX).map(|&w| w.to_owned()).collect()
}

/// The phonetic keys of a name: one per word, sorted, titles left out; Rajeev Rao and Rao Rajiv have the same keys.
#[must_use]
pub fn keys(name: &str) -> Vec<String> {
    let mut keys: Vec<String> = words(name).iter().map(|w| sound(w)).collect();
    keys.sort();
    keys
}

/// How like two names are, 0 to 1, in any script and any order of words; the last word of `query` may be unfinished.
///
/// 1 means the same words, 0.95 and more the same sounds, 0.8 and more a slip of the pen.
#[must_use]
pub fn likeness(query: &str, name: &str) -> f64 {
    Sought::new(query).likeness(name)
}

/// The initials of a name in Latin capitals, as `A R`; titles left out, at most [`WORDS_MAX`], empty if there is no letter.
#[must_use]
pub fn initials(name: &str) -> String {
    let letters: Vec<String> = words(name)
        .iter()
        .filter_map(|w| w.chars().find(char::is_ascii_alphabetic))
        .map(|c| c.to_ascii_uppercase().to_string())
        .collect();
    letters.join(" ")
}

/// A name that is looked for, read once and compared with many.
#[derive(Debug, Clone)]
pub struct Sought {
    /// The words, then each two neighbours said as one.
    asked: Vec<Word>,
    /// How many of `asked` are words.
    count: usize,
    unfinished: bool,
}

/// One word of a name with what it sounds like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The romanised word.
    pub text: String,
    /// Its [`sound`].
    pub sound: String,
    /// The [`skeleton`] of its sound.
    pub skeleton: String,
}

impl Word {
    fn new(text: String) -> Self {
        let sound = sound(&text);
        let skeleton = skeleton(&sound);
        Self { text, sound, skeleton }
    }
}

impl Sought {
    /// Reads a query; its last word counts as unfinished unless a space follows it.
    #[must_use]
    pub fn new(query: &str) -> Self {
        let unfinished = !query.ends_with(char::is_whitespace);
        let words = words(query);
        let pairs: Vec<String> = words.windows(2).map(<[String]>::concat).collect();
        let count = words.len();
        Self { asked: words.into_iter().chain(pairs).map(Word::new).collect(), count, unfinished }
    }

    /// The words looked for, in the order given.
    #[must_use]
    pub fn words(&self) -> &[Word] {
        &self.asked[..self.count]
    }

    /// Each two neighbouring words said as one: Ram Krishna may be written Ramkrishna.
    #[must_use]
    pub fn pairs(&self) -> &[Word] {
        &self.asked[self.count..]
    }

    /// Whether the last word may be the beginning of a longer one.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    /// How like `name` is to what is sought, 0 to 1; see [`likeness`].
    #[must_use]
    pub fn likeness(&self, name: &str) -> f64 {
        Comparison::new(self).likeness(&words(name).join(" "))
    }
}

/// One name sought, compared with many; each word met is compared only once.
#[derive(Debug)]
pub struct Comparison<'a> {
    sought: &'a Sought,
    /// Likeness of a word met to each of the words and pairs asked for.
    met: HashMap<String, Vec<f64>>,
}

impl<'a> Comparison<'a> {
    /// Begins a comparison.
    #[must_use]
    pub fn new(sought: &'a Sought) -> Self {
        Self { sought, met: HashMap::new() }
    }

    /// How like a name is to what is sought, 0 to 1; `romanised` as [`words`] gives them, parted by spaces.
    pub fn likeness(&mut self, romanised: &str) -> f64 {
        let name: Vec<&str> =
            romanised.split(' ').filter(|w| !w.is_empty()).take(WORDS_MAX).collect();
        let count = self.sought.count;
        if count == 0 || name.is_empty() {
            return 0.0;
        }
        for word in &name {
            self.meet(word);
        }
        let plain: Vec<usize> = (0..count).collect();
        let mut best = self.pair_up(&plain, &name);
        if best > 0.93 {
            return best;
        }
        if count > name.len() {
            for i in 0..count - 1 {
                let mut joined = plain.clone();
                joined.splice(i..i + 2, [count + i]);
                best = best.max(self.pair_up(&joined, &name) * 0.99);
            }
        } else if count < name.len() {
            for i in 0..name.len() - 1 {
                let pair = format!("{}{}", name[i], name[i + 1]);
                if !self.may_be_said_as_one(&pair) {
                    continue;
                }
                self.meet(&pair);
                let mut joined = name.clone();
                joined.splice(i..i + 2, [pair.as_str()]);
                best = best.max(self.pair_up(&plain, &joined) * 0.99);
            }
        }
        best
    }

    fn meet(&mut self, text: &str) {
        if self.met.contains_key(text) {
            return;
        }
        let word = Word::new(text.to_owned());
        let (count, all) = (self.sought.count, self.sought.asked.len());
        let likeness = self.sought.asked.iter().enumerate().map(|(i, asked)| {
            let open = self.sought.unfinished && (i + 1 == count || i + 1 == all);
            word_likeness(asked, &word, open)
        });
        let likeness = likeness.collect();
        self.met.insert(word.text, likeness);
    }

    /// Spares comparing pairs that begin unlike every word asked for or are of another length.
    fn may_be_said_as_one(&self, pair: &str) -> bool {
        self.sought.words().iter().any(|w| {
            w.text.as_bytes().first() == pair.as_bytes().first()
                && w.text.len().abs_diff(pair.len()) <= 3
        })
    }

    /// The best way to pair the words asked for with those of `name`, each used once.
    ///
    /// Dynamic programming over the sets of used words: at most `WORDS_MAX * 2^WORDS_MAX * WORDS_MAX` steps.
    fn pair_up(&self, asked: &[usize], name: &[&str]) -> f64 {
        let rows: Vec<&[f64]> =
            name.iter().map(|w| self.met.get(*w).map_or(&[][..], Vec::as_slice)).collect();
        let sets = 1usize << rows.len();
        let mut best = vec![f64::NEG_INFINITY; sets];
        best[0] = 0.0;
        let mut total = 0.0;
        for &i in asked {
            let weight = weight(&self.sought.asked[i].text);
            total += weight;
            // From the fullest set down, so that each word is used once.
            for set in (1..sets).rev() {
                for (j, row) in rows.iter().enumerate() {
                    if set & (1 << j) != 0 {
                        let like = row.get(i).copied().unwrap_or(0.0);
                        best[set] = best[set].max(best[set & !(1 << j)] + like * weight);
                    }
                }
            }
        }
        let top = best.iter().copied().fold(0.0, f64::max);
        let left_over = name.len().saturating_sub(asked.len()).min(4);
        (top / total) * (1.0 - 0.03 * left_over as f64)
    }
}

const TITLES: &[&str] = &[
    "dr",
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "master",
    "smt",
    "shri",
    "shriman",
    "shrimati",
    "shrimathi",
    "srimathi",
    "srimati",
    "thiru",
    "thirumathi",
    "selvi",
    "prof",
    "professor",
    "adv",
    "advocate",
    "capt",
    "captain",
    "col",
    "lt",
    "maj",
    "major",
    "er",
    "doctor",
    "daktar",
    "doktar",
    "late",
    "baby",
    "rev",
    "fr",
    "sr",
    "janab",
    "haji",
    "hajji",
];

/// Words that are a title before a full name and a name otherwise.
const COURTESIES: &[&str] = &["sri", "shree", "sree", "kumari", "kum"];

/// Initials say little; beyond eight letters a word says no more.
fn weight(word: &str) -> f64 {
    match word.len() {
        0 | 1 => 1.0,
        n => n.clamp(3, 8) as f64,
    }
}

fn word_likeness(q: &Word, n: &Word, open: bool) -> f64 {
    if q.text == n.text {
        return 1.0;
    }
    if q.text.len() == 1 || n.text.len() == 1 {
        let same = q.text.as_bytes().first() == n.text.as_bytes().first()
            || q.sound.as_bytes().first() == n.sound.as_bytes().first();
        return match (same, q.text.len() == 1, open) {
            (false, _, _) => 0.0,
            (true, true, true) => 0.88,
            (true, true, false) => 0.8,
            (true, false, _) => 0.6,
        };
    }
    let spelt = edit(&q.text, &n.text);
    if q.sound == n.sound {
        return 0.95 + 0.04 * spelt;
    }
    let heard = edit(&q.sound, &n.sound);
    let mut like = 0.6 * spelt.max(heard) + 0.4 * strsim::jaro_winkler(&q.text, &n.text);
    if q.skeleton == n.skeleton && q.skeleton.len() >= 2 {
        like = like.max(0.82 + 0.1 * heard);
    }
    if open {
        like = like.max(beginning(q, n));
    }
    if q.text.len() >= 5 && n.text.len() > q.text.len() && n.text.contains(&q.text) {
        like = like.max(0.8);
    }
    if like < UNLIKE { 0.0 } else { like.min(0.97) }
}

/// How well `q` begins `n`, allowing a slip once there is enough of it.
fn beginning(q: &Word, n: &Word) -> f64 {
    let part = q.text.len() as f64 / n.text.len().max(1) as f64;
    if n.text.starts_with(&q.text) {
        return 0.88 + 0.1 * part;
    }
    if n.sound.starts_with(&q.sound) {
        return 0.84 + 0.1 * part;
    }
    if q.sound.len() < 4 || n.sound.len() <= q.sound.len() || !n.sound.is_ascii() {
        return 0.0;
    }
    0.9 * edit(&q.sound, &n.sound[..q.sound.len()])
}

/// Likeness by slips of the pen (one letter wrong, missing, too many, or two swapped), 0 to 1.
fn edit(a: &str, b: &str) -> f64 {
    let longest = a.len().max(b.len()).max(1);
    1.0 - strsim::osa_distance(a, b) as f64 / longest as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rajeev_is_rajiv_and_the_order_of_words_does_not_matter() {
        assert!(likeness("Rajeev Sharma", "Rajiv Sharma") > 0.95);
        assert!((likeness("Sharma Rajiv", "Rajiv Sharma") - 1.0).abs() < 1e-9);
        assert_eq!(keys("Rao, Rajeev"), keys("Rajiv Rao"));
    }

    #[test]
    fn titles_say_nothing() {
        assert!((likeness("Dr. Rajiv Rao", "Smt Rajiv Rao") - 1.0).abs() < 1e-9);
        assert_eq!(words("Shri Sri Ramesh Kumar"), ["ramesh", "kumar"]);
        assert_eq!(words("Sri Devi"), ["sri", "devi"]);
        assert_eq!(words("Baby"), ["baby"]);
    }

    #[test]
    fn a_name_finds_itself_in_another_script() {
        for (latin, native) in [
            ("Lakshmi Rao", "ಲಕ್ಷ್ಮಿ ರಾವ್"),
            ("Laxmi Rao", "लक्ष्मी राव"),
            ("Rajeev Kumar", "ராஜீவ் குமார்"),
            ("Mohammed Khan", "محمد خان"),
            ("Gurpreet Singh", "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ"),
        ] {
            assert!(likeness(latin, native) > 0.9, "{latin} {}", likeness(latin, native));
        }
    }

    #[test]
    fn the_right_name_is_liker_than_a_neighbour() {
        for (query, right, wrong) in [
            ("Krishna", "Krishna", "Krishnan"),
            ("Ramsh Kumar", "Ramesh Kumar", "Rajesh Kumar"),
            ("Anil Ku", "Anil Kumar", "Anil Sharma"),
            ("Laxmi", "Lakshmi Rao", "Lata Rao"),
            ("Ram Krishna Rao", "Ramkrishna Rao", "Ram Rao"),
            ("S Ramesh", "Ramesh S", "Ramesh K"),
        ] {
            let (r, w) = (likeness(query, right), likeness(query, wrong));
            assert!(r > w, "{query}: {right} {r}, {wrong} {w}");
        }
    }

    #[test]
    fn a_finished_word_is_not_taken_for_a_beginning() {
        assert!(
            likeness("Anil Ram", "Anil Ramachandran") > likeness("Anil Ram ", "Anil Ramachandran")
        );
    }

    #[test]
    fn initials_are_latin_capitals_without_titles() {
        assert_eq!(initials("Dr Anil Rao"), "A R");
        assert_eq!(initials("श्री क्षमा शर्मा"), "K S");
        assert_eq!(initials("ಲಕ್ಷ್ಮಿ"), "L");
        assert_eq!(initials("…"), "");
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reading_of_names(a in "\\PC{0,80}", b in ".{0,300}") {
            let roman = romanise(&a);
            prop_assert!(roman.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b' '));
            prop_assert!(!roman.contains("  ") && roman.trim() == roman);
            let like = likeness(&a, &b);
            prop_assert!((0.0..=1.0).contains(&like));
            let _ = (initials(&b), keys(&b));
        }

        #[test]
        fn no_indian_or_arabic_text_breaks_the_reading(
            a in proptest::collection::vec(prop_oneof![0x0600u32..0x0700, 0x0900u32..0x0D80], 0..40)
        ) {
            let text: String = a.into_iter().filter_map(char::from_u32).collect();
            let roman = romanise(&text);
            prop_assert!(roman.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b' '));
            let like = likeness(&text, &text);
            prop_assert!(like == 0.0 || like > 0.99, "{roman} {like}");
        }
    }
}
