//! For whom it is booked: somebody of the family on this phone, or somebody who is registered for it.
//!
//! Invariant: nobody is registered before the person agreed to the booking.

use prm::contact::{self, BirthDate, Phone};
use prm::id::PatientId;
use prm::name;
use serde::{Deserialize, Serialize};

use super::{Next, Said};
use crate::choice::Pick;
use crate::dialogue::About;
use crate::effect::Act;
use crate::facts::Person;
use crate::sentence::Sentence;
use crate::turn::{Question, Turn, choice};
use crate::understand::{Relation, Thing, Understood};
use crate::words::capitalised;

/// People who are shown to choose from; one choice more is somebody else.
const SHOWN_MAX: usize = 9;
/// Words of a name at the most: a sentence is no name.
const NAME_WORDS_MAX: usize = 5;
/// Letters of a name at the most, as it is taken in a conversation.
const NAME_LETTERS_MAX: usize = 60;

/// For whom, as far as that is settled.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Whom {
    /// Somebody on record.
    person: Option<Person>,
    /// Somebody who is not among those of this address.
    new: bool,
    name: Option<String>,
    birth: Option<BirthDate>,
    phone: Option<Phone>,
}

impl Whom {
    /// Who comes, if they are on record.
    pub(crate) fn patient(&self) -> Option<PatientId> {
        self.person.as_ref().map(|person| person.id)
    }

    /// The name of who comes.
    pub(crate) fn name(&self) -> String {
        let known = self.person.as_ref().map(|person| person.name.clone());
        known.or_else(|| self.name.clone()).unwrap_or_default()
    }

    /// The name as it is read back: with the birth, where that was only just said.
    pub(crate) fn read_back(&self, turn: &Turn<'_>) -> String {
        match (&self.person, self.birth) {
            (None, Some(birth)) => format!("{} ({})", self.name(), turn.words().birth(birth)),
            (Some(_), _) | (None, None) => self.name(),
        }
    }

    /// Somebody on record.
    pub(crate) fn of(person: Person) -> Self {
        Self { person: Some(person), ..Self::default() }
    }

    /// They are on record now, with the birth that was said here: it is not asked again. Births that were said
    /// wrongly of others count on.
    pub(crate) fn registered(&mut self, person: Person, turn: &mut Turn<'_>) {
        turn.remember_proven(person.id);
        self.person = Some(person);
    }

    /// Asks for whom anew.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// How they are registered, if they are not on record.
    pub(crate) fn register(&self) -> Option<Act> {
        if self.person.is_some() {
            return None;
        }
        let (name, birth) = (self.name.clone()?, self.birth?);
        Some(Act::Register { name, birth, phone: self.phone.clone() })
    }

    /// What is still missing.
    pub(crate) fn next(&mut self, turn: &mut Turn<'_>) -> Option<Next> {
        if self.person.is_some() {
            return None;
        }
        let people = turn.facts.people();
        // Names are not told to whoever calls: they say theirs.
        if people.is_empty() || turn.is_spoken() {
            self.new = true;
        }
        if !self.new {
            return Some(Next::Ask(self.ask_whom(turn)));
        }
        let words = turn.words();
        let Some(name) = &self.name else {
            return Some(Next::Ask(Question::open(About::Name, words.plain(Sentence::AskName))));
        };
        let Some(birth) = self.birth else {
            let text = words.say(Sentence::AskBirth, &[("name", name.as_str().into())]);
            return Some(Next::Ask(Question::open(About::Birth, text)));
        };
        // Who says the name and birth of somebody on this address is that person.
        let same = |person: &&Person| {
            person.birth.is_some_and(|known| known.agrees_with(birth)) && like(&person.name, name)
        };
        if let Some(person) = people.iter().find(same) {
            self.person = Some(person.clone());
            return None;
        }
        if turn.facts.phone.is_none() && self.phone.is_none() {
            return Some(Next::Ask(Question::open(About::Phone, words.plain(Sentence::AskPhone))));
        }
        None
    }

    fn ask_whom(&self, turn: &Turn<'_>) -> Question {
        let people = turn.facts.people().iter().take(SHOWN_MAX);
        let mut choices: Vec<_> = people
            .map(|person| choice(Pick::Patient(person.id), person.name.clone(), None))
            .collect();
        choices.push(turn.choice(Pick::SomebodyNew, Sentence::SomebodyNew));
        let text = turn.words().plain(Sentence::AskWhom);
        Question { about: About::Patient, text, choices }
    }

    /// Takes what belongs here; whether anything did.
    pub(crate) fn take(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool {
        if let Some(pick) = said.pick {
            return self.take_pick(pick, turn);
        }
        let slots = &said.words.slots;
        match said.about {
            Some(About::Name) => match slots.name.as_deref().and_then(plausible_name) {
                Some(name) => self.name = Some(name),
                None => {
                    if slots.name.is_some() {
                        turn.say(Sentence::NotAName, &[]);
                    }
                    return false;
                }
            },
            Some(About::Birth) => {
                let today = turn.facts.today();
                let birth = slots.birth_dates.iter().find_map(|birth| birth.not_after(today).ok());
                let name = slots.name.as_deref().and_then(plausible_name);
                if birth.is_none() && name.is_none() {
                    return false;
                }
                self.birth = birth;
                // Whoever says their name once more was understood wrongly.
                self.name = name.or(self.name.take());
            }
            Some(About::Phone) => match &slots.phone {
                Some(phone) => self.phone = Some(phone.clone()),
                None => return false,
            },
            Some(
                About::Menu
                | About::Practitioner
                | About::Service
                | About::Day
                | About::Time
                | About::Patient
                | About::Appointment
                | About::YesNo
                | About::Change
                | About::Language
                | About::Reminder
                | About::Offer,
            )
            | None => return self.take_person(said, turn),
        }
        true
    }

    fn take_person(&mut self, said: &Said<'_>, turn: &Turn<'_>) -> bool {
        let slots = &said.words.slots;
        let people = turn.facts.people();
        if let Some(name) = slots.for_name.as_deref().and_then(plausible_name) {
            return self.take_name(name, turn);
        }
        if slots.thing == Some(Thing::Patient)
            && matches!(said.about, Some(About::YesNo | About::Change))
        {
            self.forget();
            return true;
        }
        if let Some(person) = named(people, said.words, turn) {
            self.person = Some(person.clone());
            return true;
        }
        if said.about == Some(About::Patient) {
            if slots.persons.contains(&Relation::New) {
                self.new = true;
                return true;
            }
            if let [only] = slots.chosen.as_slice()
                && let Some(person) = people.get(*only)
            {
                self.person = Some(person.clone());
                return true;
            }
            if slots.chosen.first().is_some_and(|at| *at == people.len()) {
                self.new = true;
                return true;
            }
            if let Some(name) = slots.name.as_deref().and_then(plausible_name) {
                self.new = true;
                self.name = Some(name);
                return true;
            }
        }
        // Somebody else of the family after all: who, is asked.
        if self.person.is_some() && slots.persons.iter().any(|it| *it != Relation::Myself) {
            self.forget();
            return true;
        }
        match (slots.persons.as_slice(), people) {
            ([Relation::Myself], [only]) => {
                self.person = Some(only.clone());
                true
            }
            // Who of the family that is, is not on record: it is asked.
            ([_], _) if said.about == Some(About::Patient) && people.len() == 1 => {
                self.new = true;
                true
            }
            ([_, ..] | [], _) => false,
        }
    }

    /// A name that nobody had asked for: of somebody on record, or of somebody new. Whether it says anything new.
    fn take_name(&mut self, name: String, turn: &Turn<'_>) -> bool {
        if like(&self.name(), &name) {
            return false;
        }
        self.forget();
        // Whoever calls says the birth, too.
        let known = if turn.is_spoken() { &[] } else { turn.facts.people() };
        let mut fit = known.iter().filter(|person| like(&person.name, &name));
        match (fit.next(), fit.next()) {
            (Some(one), None) => self.person = Some(one.clone()),
            // Which of them it is, is asked.
            (Some(_), Some(_)) => {}
            (None, _) => {
                self.new = true;
                self.name = Some(name);
            }
        }
        true
    }

    fn take_pick(&mut self, pick: &Pick, turn: &Turn<'_>) -> bool {
        if let Pick::Patient(id) = pick
            && let Some(person) = turn.facts.people().iter().find(|person| person.id == *id)
        {
            self.forget();
            self.person = Some(person.clone());
            return true;
        }
        if *pick == Pick::SomebodyNew {
            self.forget();
            self.new = true;
            return true;
        }
        false
    }
}

/// The one person of those whom the words name, in full or by the first name, in whichever script.
pub(crate) fn named<'p>(
    people: &'p [Person],
    words: &Understood,
    turn: &Turn<'_>,
) -> Option<&'p Person> {
    if turn.is_spoken() {
        return None;
    }
    if let Some(name) = &words.slots.name {
        let whole: Vec<&Person> = people.iter().filter(|it| like(&it.name, name)).collect();
        if let [one] = whole.as_slice() {
            return Some(one);
        }
    }
    // "Ravi's" comes without its apostrophe.
    let said = words.words.iter().flat_map(|word| [Some(word.as_str()), word.strip_suffix('s')]);
    let said: Vec<Vec<String>> = said.flatten().map(name::keys).collect();
    let is_practitioner = |first: &[String]| {
        turn.facts.practitioners.iter().any(|it| name::keys(&it.name).contains(&first[0]))
    };
    let mut fit = people.iter().filter(|person| {
        let first = name::words(&person.name).first().map(|first| name::keys(first));
        first.is_some_and(|first| {
            !first.is_empty() && said.contains(&first) && !is_practitioner(&first)
        })
    });
    let first = fit.next()?;
    fit.next().is_none().then_some(first)
}

/// A name as it may be registered.
fn plausible_name(text: &str) -> Option<String> {
    let name = contact::name("name", text).ok()?;
    let letters = name.chars().all(|c| c.is_alphabetic() || is_mark(c) || " .'-".contains(c));
    let words = name.split_whitespace().count();
    let fits = letters && words <= NAME_WORDS_MAX && name.chars().count() <= NAME_LETTERS_MAX;
    (fits && name.chars().any(char::is_alphabetic)).then(|| as_on_record(&name))
}

/// A name that was typed without capital letters, or in nothing else, as it is written on a record.
fn as_on_record(name: &str) -> String {
    if name.chars().any(char::is_lowercase) && name.chars().any(char::is_uppercase) {
        return name.to_owned();
    }
    let words = name.split(' ').map(|word| capitalised(&word.to_lowercase()));
    words.collect::<Vec<_>>().join(" ")
}

/// Signs of Indian scripts that belong to a letter, and joiners.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{dff}' | '\u{200c}' | '\u{200d}') && !c.is_numeric()
}

/// Whether two names may be of one person: the shorter is the beginning of the longer, word by word, as it sounds.
fn like(one: &str, other: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        name::words(name).iter().flat_map(|word| name::keys(word)).collect()
    };
    let (one, other) = (words(one), words(other));
    let shorter = one.len().min(other.len());
    shorter > 0 && one[..shorter] == other[..shorter]
}
