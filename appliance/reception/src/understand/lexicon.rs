//! The names that a clinic has: of practitioners, of their specialities, of services.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use prm::contact::Phone;
use prm::id::{HealthcareServiceId, PractitionerId};
use prm::name::{Sought, romanise, sound, words as name_words};

use super::vocabulary::{Meaning, Reading, Specialty, is_known};
use super::word::{fold, words};
use super::{CANDIDATES_MAX, Candidate};

/// The least likeness of a name that stands behind a title, or was asked for.
const NAMED_MIN: f64 = 0.75;
/// The least likeness of a name that stands alone.
const BARE_MIN: f64 = 0.85;
/// How much less like than the best a candidate may be.
const NEAR: f64 = 0.08;
/// The least part of a service's name that was said.
const SERVICE_MIN: f64 = 0.6;
/// The same when a service was asked for.
const SERVICE_ASKED_MIN: f64 = 0.4;
/// How sure a complaint is of the speciality it leads to.
const COMPLAINT: f64 = 0.6;
/// Names of one message that are compared with those of practitioners.
const COMPARED_MAX: usize = 8;
/// Words of a name behind a title.
const NAME_WORDS_MAX: usize = 3;

/// The names that a clinic has, read once.
#[derive(Clone, Default)]
pub struct Lexicon {
    country: String,
    practitioners: Vec<Practitioner>,
    specialties: Vec<(String, Vec<Specialty>)>,
    services: Vec<(HealthcareServiceId, Vec<Vec<String>>)>,
    /// Words of names, romanised, and their sounds.
    words: HashSet<String>,
    sounds: HashSet<String>,
}

#[derive(Clone)]
struct Practitioner {
    id: PractitionerId,
    name: String,
}

/// A practitioner who was named: which words, who may be meant.
pub(super) struct Mention {
    pub from: usize,
    pub to: usize,
    pub candidates: Vec<Candidate<PractitionerId>>,
}

impl Lexicon {
    /// An empty one; `country` (ISO 3166-1) is that of telephone numbers without a country code.
    pub fn new(country: &str) -> Self {
        Self { country: country.to_owned(), ..Self::default() }
    }

    /// Adds a practitioner, with the specialities as the record has them.
    pub fn add_practitioner(&mut self, id: PractitionerId, name: &str, specialties: &[String]) {
        for word in name_words(name) {
            self.sounds.insert(sound(&word));
            self.words.insert(word);
        }
        self.practitioners.push(Practitioner { id, name: name.to_owned() });
        for specialty in specialties {
            if !self.specialties.iter().any(|(known, _)| known == specialty) {
                let reading = Reading::new(words(specialty), |_| false);
                let mut concepts: Vec<Specialty> = Vec::new();
                for (_, _, meaning) in reading.all() {
                    if let Meaning::Specialty(concept) | Meaning::Complaint(concept) = meaning
                        && !concepts.contains(&concept)
                    {
                        concepts.push(concept);
                    }
                }
                self.specialties.push((specialty.clone(), concepts));
            }
        }
    }

    /// Adds a service, with other names that it goes by.
    pub fn add_service(&mut self, id: HealthcareServiceId, name: &str, also: &[String]) {
        let names = std::iter::once(name)
            .chain(also.iter().map(String::as_str))
            .map(|name| words(name).into_iter().map(|word| same(&word.folded)).collect::<Vec<_>>())
            .map(|words| words.into_iter().filter(|w| !JOINS.contains(&w.as_str())).collect())
            .collect();
        self.services.push((id, names));
    }

    /// The telephone number that a text is.
    pub(super) fn phone(&self, text: &str) -> Option<Phone> {
        Phone::parse(text, &self.country).ok()
    }

    /// Whether a folded word is part of a name, so that no slip is mended in it.
    pub(super) fn knows(&self, folded: &str) -> bool {
        self.words.contains(folded)
            || self.services.iter().flat_map(|(_, names)| names).flatten().any(|w| w == folded)
    }

    /// The practitioners who are named, only those behind a title if `titled`; whether somebody is named whom the
    /// clinic has not.
    pub(super) fn mentions(
        &self,
        reading: &Reading,
        asked: bool,
        titled: bool,
    ) -> (Vec<Mention>, bool) {
        let mut mentions: Vec<Mention> = Vec::new();
        let mut unknown = false;
        let mut i = 0;
        let mut compared = 0;
        while i < reading.len() && compared < COMPARED_MAX {
            let title = reading.is(i, Meaning::Title);
            let start = title.unwrap_or(i);
            let end = match title {
                Some(start) => self.name_end(reading, start),
                None if titled => i,
                None => self.bare_end(reading, i, asked),
            };
            if end <= start {
                i += 1;
                continue;
            }
            let least = if title.is_some() || asked { NAMED_MIN } else { BARE_MIN };
            compared += 1;
            let found = (start + 1..=end).rev().find_map(|end| {
                let candidates = self.candidates(reading, start, end, least);
                (!candidates.is_empty()).then_some(Mention { from: i, to: end, candidates })
            });
            match found {
                Some(mention) => {
                    i = mention.to;
                    mentions.push(mention);
                }
                None => {
                    let by_title = title.is_some()
                        && (matches!(reading.words[i].folded.as_str(), "dr" | "डा")
                            || reading.words[start].raw.starts_with(char::is_uppercase));
                    unknown |= by_title && reading.is_unknown(start);
                    i = start.max(i + 1);
                }
            }
        }
        (mentions, unknown)
    }

    /// Where a name behind a title ends: before what is no part of a name.
    fn name_end(&self, reading: &Reading, start: usize) -> usize {
        let mut end = start;
        while end < reading.len() && end - start < NAME_WORDS_MAX {
            let word = &reading.words[end];
            let known = self.is_name_word(&word.folded);
            let parted = word.begins_clause && reading.words[end - 1].raw.chars().count() > 2;
            if word.number.is_some() || parted || !(known || reading.is_unknown(end)) {
                break;
            }
            end += 1;
        }
        end
    }

    /// Where a name that stands alone ends: as long as its words are names of practitioners.
    fn bare_end(&self, reading: &Reading, start: usize, asked: bool) -> usize {
        let mut end = start;
        while end < reading.len() && end - start < NAME_WORDS_MAX {
            let word = &reading.words[end].folded;
            let unknown = reading.is_unknown(end) && !is_known(word);
            let named = (self.is_name_word(word) || self.is_nearly_name(word)) && unknown
                || asked && self.words.contains(word);
            if !named {
                break;
            }
            end += 1;
        }
        // An initial alone names nobody.
        let long = (start..end).any(|i| reading.words[i].folded.chars().count() >= 3);
        if long { end } else { start }
    }

    fn is_name_word(&self, folded: &str) -> bool {
        let roman = romanise(folded);
        if roman.is_empty() {
            return false;
        }
        self.words.contains(&roman) || roman.len() >= 4 && self.sounds.contains(&sound(&roman))
    }

    fn is_nearly_name(&self, folded: &str) -> bool {
        let roman = romanise(folded);
        if roman.len() < 5 || is_known(folded) {
            return false;
        }
        let heard = sound(&roman);
        self.words.iter().any(|word| {
            word.len() >= 5
                && word.as_bytes().first() == roman.as_bytes().first()
                && strsim::osa_distance(word, &roman) <= 1
        }) || self.sounds.iter().any(|it| {
            it.len() >= 5
                && it.as_bytes().first() == heard.as_bytes().first()
                && strsim::osa_distance(it, &heard) <= 1
        })
    }

    fn candidates(
        &self,
        reading: &Reading,
        from: usize,
        to: usize,
        least: f64,
    ) -> Vec<Candidate<PractitionerId>> {
        let said: Vec<&str> = reading.words[from..to].iter().map(|w| w.raw.as_str()).collect();
        // The space says that the last word is whole.
        let sought = Sought::new(&format!("{} ", said.join(" ")));
        let scored = self.practitioners.iter().map(|practitioner| Candidate {
            of: practitioner.id,
            score: sought.likeness(&practitioner.name),
        });
        best(scored.collect(), least, NEAR)
    }

    /// Specialities of the clinic that are spoken of, and one that nobody has.
    pub(super) fn specialties(
        &self,
        reading: &Reading,
    ) -> (Vec<Candidate<String>>, Option<&'static str>) {
        let mut found: Vec<Candidate<String>> = Vec::new();
        let mut missing = None;
        let mut add = |of: &str, score: f64| match found.iter_mut().find(|it| it.of == of) {
            Some(it) => it.score = it.score.max(score),
            None => found.push(Candidate { of: of.to_owned(), score }),
        };
        for (_, _, meaning) in reading.all() {
            let (concept, score) = if let Meaning::Specialty(concept) = meaning {
                (concept, 1.0)
            } else if let Meaning::Complaint(concept) = meaning {
                (concept, COMPLAINT)
            } else {
                continue;
            };
            let mut any = false;
            for (name, concepts) in &self.specialties {
                if concepts.contains(&concept) {
                    any = true;
                    add(name, score);
                }
            }
            if !any && score > COMPLAINT {
                missing = missing.or(Some(concept.as_str()));
            }
        }
        // A speciality that laymen have no word for is called by its own.
        for (name, _) in self.specialties.iter().filter(|(_, concepts)| concepts.is_empty()) {
            let own = words(name);
            let said =
                own.iter().all(|word| reading.words.iter().any(|w| near(&w.folded, &word.folded)));
            if said && !own.is_empty() {
                add(name, 0.95);
            }
        }
        (best(found, 0.0, 0.5), missing)
    }

    /// Services that are spoken of.
    pub(super) fn healthcare_services(
        &self,
        reading: &Reading,
        asked: bool,
    ) -> Vec<Candidate<HealthcareServiceId>> {
        let said: Vec<String> = reading.words.iter().map(|word| same(&word.folded)).collect();
        let scored = self.services.iter().map(|(id, names)| {
            let score = names.iter().map(|name| share(name, &said)).fold(0.0, f64::max);
            Candidate { of: *id, score }
        });
        best(scored.collect(), if asked { SERVICE_ASKED_MIN } else { SERVICE_MIN }, 0.15)
    }
}

/// The candidates that are good enough and near the best, the best first.
fn best<T>(mut candidates: Vec<Candidate<T>>, least: f64, near: f64) -> Vec<Candidate<T>> {
    candidates.retain(|candidate| candidate.score >= least);
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let top = candidates.first().map_or(0.0, |candidate| candidate.score);
    candidates.retain(|candidate| candidate.score >= top - near);
    candidates.truncate(CANDIDATES_MAX);
    candidates
}

/// How much of a service's name was said, 0 to 1; longer words say more.
fn share(name: &[String], said: &[String]) -> f64 {
    let weight = |word: &String| word.chars().count().clamp(2, 8) as f64;
    let total: f64 = name.iter().map(weight).sum();
    let heard: f64 =
        name.iter().filter(|word| said.iter().any(|it| near(it, word))).map(weight).sum();
    if total > 0.0 { heard / total } else { 0.0 }
}

/// Whether two folded words are one, but for a slip of the pen.
fn near(said: &str, word: &str) -> bool {
    said == word
        || word.chars().count() >= 5
            && said.chars().next() == word.chars().next()
            && strsim::osa_distance(said, word) <= 1
}

/// Words of services in Hindi and their English ones.
fn same(folded: &str) -> String {
    static ENGLISH: LazyLock<HashMap<String, &str>> = LazyLock::new(|| {
        SAME.iter()
            .flat_map(|(word, others)| others.split(' ').map(|other| (fold(other), *word)))
            .collect()
    });
    ENGLISH.get(folded).map_or_else(|| folded.to_owned(), |word| (*word).to_owned())
}

const SAME: &[(&str, &str)] = &[
    ("blood", "khoon khun rakt खून रक्त ब्लड"),
    ("test", "tests jaanch janch jach जांच जाँच टेस्ट"),
    ("x", "एक्स"),
    ("xray", "एक्सरे"),
    ("vaccination", "vaccine tikakaran teekakaran teeka tika टीका टीकाकरण वैक्सीन"),
    ("cleaning", "safai सफाई clean"),
    ("sugar", "शुगर glucose"),
    ("urine", "peshab पेशाब मूत्र"),
    ("ultrasound", "sonography सोनोग्राफी अल्ट्रासाउंड"),
    ("consultation", "consult paramarsh परामर्श"),
    ("dressing", "patti पट्टी"),
    ("injection", "sui सुई इंजेक्शन"),
    ("followup", "फॉलोअप"),
    ("physiotherapy", "physio फिजियो"),
    ("ecg", "ईसीजी"),
];

/// Words that join a service's name.
const JOINS: &[&str] = &["of", "and", "for", "with", "the", "a", "an", "in"];
