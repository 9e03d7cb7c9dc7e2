//! Made-up patients: households that share a surname, a script, an address and often a
//! telephone number.
//!
//! Invariant: nobody here is a real person; names are drawn from lists, numbers at random.

use fastrand::Rng;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use prm::patient::{ABHA_SYSTEM, Address, RawIdentifier, RawPhone, Registration};

use super::names::{FEMALE, IndianName, MALE, Region, SURNAMES};

/// Records that are of somebody who is on record already.
pub(super) const DUPLICATES: usize = 25;
/// People of one household at the most.
const HOUSEHOLD_MAX: usize = 6;
/// How often a name is drawn again that does not go with the others.
const DRAWS_MAX: usize = 40;
/// Surnames that only women have; a household is not called by them.
const NOT_OF_HOUSEHOLDS: &[&str] = &["Kaur", "Begum", "Devi"];
/// Given names and surnames that usually go with one another, and not with other ones.
const CIRCLES: &[&[&str]] = &[
    &[
        "Mohammed", "Abdul", "Imran", "Yusuf", "Salim", "Irfan", "Zakir", "Fatima", "Ayesha",
        "Shabnam", "Nasreen", "Zeenat", "Khan", "Ansari", "Siddiqui", "Qureshi", "Shaikh", "Ahmed",
    ],
    &[
        "Joseph",
        "Thomas",
        "George",
        "Francis",
        "Mary",
        "Teresa",
        "Fernandes",
        "D'Souza",
        "Pereira",
        "Rodrigues",
        "Varghese",
        "Kurian",
        "Mathew",
    ],
    &["Gurpreet", "Harpreet", "Jaspreet", "Manpreet", "Simran", "Gill", "Sandhu", "Dhillon"],
];
/// Where patients of a clinic in Bengaluru live: locality and postal code.
const LOCALITIES: &[(&str, &str)] = &[
    ("Malleshwaram", "560003"),
    ("Basavanagudi", "560004"),
    ("Rajajinagar", "560010"),
    ("Jayanagar", "560041"),
    ("Indiranagar", "560038"),
    ("Koramangala", "560034"),
    ("Yelahanka", "560064"),
    ("Hebbal", "560024"),
    ("Shivajinagar", "560051"),
    ("Frazer Town", "560005"),
    ("Banashankari", "560070"),
    ("Vijayanagar", "560040"),
];
const STREETS: &[&str] = &["1st Cross", "4th Main", "8th Cross", "Temple Road", "Market Road"];
/// What mobile numbers begin with.
const MOBILE: &[&str] = &["98", "99", "97", "96", "94"];

/// Somebody who is to be registered.
pub(super) struct Person {
    /// What is said of them.
    pub(super) registration: Registration,
    /// When they first came.
    pub(super) registered: Timestamp,
    /// Whether a woman or a girl.
    pub(super) female: bool,
    /// The year of birth.
    pub(super) birth_year: i16,
    /// Who of the list before them is what to them.
    pub(super) relatives: Vec<(usize, &'static str)>,
}

/// So many people, in no order of time; the last [`DUPLICATES`] are people who are in the list
/// already, with their names spelt in another way. They came between `from` and `now`.
pub(super) fn population(
    rng: &mut Rng,
    count: usize,
    (from, now): (Timestamp, Timestamp),
) -> Vec<Person> {
    let originals = count.saturating_sub(DUPLICATES);
    let mut people = Vec::with_capacity(count);
    let mut spellings = Vec::with_capacity(count);
    while people.len() < originals {
        let size = rng.usize(1..=HOUSEHOLD_MAX).min(originals - people.len());
        // One in twenty households is new.
        let oldest = if rng.u8(..20) == 0 { now - 13.hours() * 24 } else { from };
        household(rng, size, (oldest, now), &mut people, &mut spellings);
    }
    for nth in 0..count - originals {
        let original = rng.usize(nth * originals / DUPLICATES..(nth + 1) * originals / DUPLICATES);
        let again = misspelt(rng, &people[original], &spellings[original], now);
        people.push(again);
    }
    people
}

/// The given name and the surname of somebody.
#[derive(Clone, Copy)]
struct Spelling {
    given: IndianName,
    surname: IndianName,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Arabic,
    Devanagari,
    Bengali,
    Gurmukhi,
    Gujarati,
    Odia,
    Tamil,
    Telugu,
    Kannada,
    Malayalam,
}

impl Script {
    fn of(text: &str) -> Option<Self> {
        Some(match u32::from(text.chars().next()?) {
            0x0600..=0x06FF => Self::Arabic,
            0x0900..=0x097F => Self::Devanagari,
            0x0980..=0x09FF => Self::Bengali,
            0x0A00..=0x0A7F => Self::Gurmukhi,
            0x0A80..=0x0AFF => Self::Gujarati,
            0x0B00..=0x0B7F => Self::Odia,
            0x0B80..=0x0BFF => Self::Tamil,
            0x0C00..=0x0C7F => Self::Telugu,
            0x0C80..=0x0CFF => Self::Kannada,
            0x0D00..=0x0D7F => Self::Malayalam,
            _ => return None,
        })
    }

    fn language(self, region: Region) -> &'static str {
        match (self, region) {
            (Self::Arabic, _) => "ur",
            (Self::Devanagari, Region::West) => "mr",
            (Self::Devanagari, Region::North | Region::South | Region::East) => "hi",
            (Self::Bengali, _) => "bn",
            (Self::Gurmukhi, _) => "pa",
            (Self::Gujarati, _) => "gu",
            (Self::Odia, _) => "or",
            (Self::Tamil, _) => "ta",
            (Self::Telugu, _) => "te",
            (Self::Kannada, _) => "kn",
            (Self::Malayalam, _) => "ml",
        }
    }
}

/// Who somebody is at home.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Parent,
    Child,
    Grandparent,
}

fn household(
    rng: &mut Rng,
    size: usize,
    (from, now): (Timestamp, Timestamp),
    people: &mut Vec<Person>,
    spellings: &mut Vec<Spelling>,
) {
    let (region, surname) = surname(rng);
    let scripts: Vec<Script> = surname.native.iter().filter_map(|name| Script::of(name)).collect();
    let script = rng.choice(scripts).filter(|_| rng.u8(..10) > 0);
    let language = script.map_or("en", |script| script.language(region));
    let phone = mobile(rng);
    let address = address(rng);
    let came = office_hour(rng, (from, now));
    let first = people.len();
    let mut used: Vec<&'static str> = Vec::new();
    for nth in 0..size {
        let place = match nth {
            0 | 1 => Place::Parent,
            2..=4 => Place::Child,
            _ => Place::Grandparent,
        };
        let female = match nth {
            0 => rng.bool(),
            1 => !people[first].female,
            _ => rng.bool(),
        };
        let given = given(rng, female, &surname, script, &used);
        used.push(given.latin);
        let registered = (came + (3 * i64::try_from(nth).unwrap_or(0)).minutes()).min(now);
        let spelling = Spelling { given, surname };
        let own_phone = place != Place::Child && rng.u8(..10) < 4;
        let (birth_year, birth_date) = birth(rng, place, registered);
        let (name, names) = written(rng, &spelling, script);
        let relatives = match place {
            Place::Child if rng.u8(..10) < 6 => [first, first + 1]
                .map(|at| (at, if people[at].female { "mother" } else { "father" }))
                .into(),
            Place::Parent | Place::Child | Place::Grandparent => Vec::new(),
        };
        let mut phones = vec![phone.clone()];
        if own_phone {
            phones.insert(0, mobile(rng));
        }
        let raw = |number: String| RawPhone { number, use_: None };
        people.push(Person {
            registration: Registration {
                name,
                names,
                phones: phones.into_iter().map(raw).collect(),
                birth_date: Some(birth_date).filter(|_| rng.u8(..50) > 0),
                sex: Some(if female { "female" } else { "male" }.into()),
                language: Some(language.into()),
                address: Some(address.clone()).filter(|_| rng.u8(..10) < 7),
                email: email(rng, &spelling),
                identifiers: abha(rng),
                channels: channels(rng),
                reminders: Some(rng.u8(..10) > 0),
                // Families share a telephone and sometimes a name; the desk has looked.
                accept_duplicate: true,
            },
            registered,
            female,
            birth_year,
            relatives,
        });
        spellings.push(spelling);
    }
}

/// The same person once more: by another spelling, in the last days, at a busy desk.
fn misspelt(rng: &mut Rng, original: &Person, spelling: &Spelling, now: Timestamp) -> Person {
    let Registration { phones, birth_date, sex, .. } = original.registration.clone();
    let Spelling { given, surname } = spelling;
    let mut name = match rng.choice(given.also) {
        Some(also) => format!("{also} {}", surname.latin),
        None => match rng.choice(surname.also) {
            Some(also) => format!("{} {also}", given.latin),
            None => given.latin.to_owned() + " " + surname.latin,
        },
    };
    if name == original.registration.name {
        name = format!("{} {}", slip(rng, given.latin), surname.latin);
    }
    Person {
        registration: Registration {
            name,
            phones,
            birth_date,
            sex,
            accept_duplicate: true,
            ..Registration::default()
        },
        registered: office_hour(rng, (now - 10.hours() * 24, now)).max(original.registered),
        female: original.female,
        birth_year: original.birth_year,
        relatives: Vec::new(),
    }
}

/// A name with one letter doubled.
fn slip(rng: &mut Rng, name: &str) -> String {
    let at = rng.usize(1..name.chars().count().max(2));
    name.chars()
        .enumerate()
        .flat_map(|(nth, letter)| std::iter::repeat_n(letter, if nth == at { 2 } else { 1 }))
        .collect()
}

fn surname(rng: &mut Rng) -> (Region, IndianName) {
    let region = match rng.u8(..10) {
        0..=4 => Region::South,
        5 | 6 => Region::North,
        7 | 8 => Region::West,
        _ => Region::East,
    };
    let surnames = SURNAMES.iter().find(|(of, _)| *of == region).map_or(&[][..], |(_, list)| list);
    for _ in 0..DRAWS_MAX {
        if let Some(name) = rng.choice(surnames)
            && !NOT_OF_HOUSEHOLDS.contains(&name.latin)
        {
            return (region, *name);
        }
    }
    (region, surnames[0])
}

fn given(
    rng: &mut Rng,
    female: bool,
    surname: &IndianName,
    script: Option<Script>,
    used: &[&str],
) -> IndianName {
    let names = if female { FEMALE } else { MALE };
    let circle = circle(surname.latin);
    let mut best = names[rng.usize(..names.len())];
    for draw in 0..DRAWS_MAX {
        let name = names[rng.usize(..names.len())];
        let of = self::circle(name.latin);
        if used.contains(&name.latin) || !(of == circle || of.is_none() && draw > DRAWS_MAX / 2) {
            continue;
        }
        best = name;
        if draw > DRAWS_MAX / 4 || in_script(&name, script).is_some() {
            break;
        }
    }
    best
}

fn circle(name: &str) -> Option<usize> {
    CIRCLES.iter().position(|circle| circle.contains(&name))
}

fn in_script(name: &IndianName, script: Option<Script>) -> Option<&'static str> {
    let script = script?;
    name.native.iter().copied().find(|native| Script::of(native) == Some(script))
}

/// The name as it is called out, and the same in other scripts.
fn written(rng: &mut Rng, spelling: &Spelling, script: Option<Script>) -> (String, Vec<String>) {
    let Spelling { given, surname } = spelling;
    let mut first = given.latin;
    let mut last = surname.latin;
    if rng.u8(..5) == 0 {
        first = rng.choice(given.also).copied().unwrap_or(first);
    }
    if rng.u8(..6) == 0 {
        last = rng.choice(surname.also).copied().unwrap_or(last);
    }
    let latin = format!("{first} {last}");
    let native = match (in_script(given, script), in_script(surname, script)) {
        (Some(given), Some(surname)) => Some(format!("{given} {surname}")),
        (Some(_) | None, Some(_) | None) => None,
    };
    match (native, rng.u8(..10)) {
        (Some(native), 0 | 1) => (native, vec![latin]),
        (Some(native), 2..=6) => (latin, vec![native]),
        (Some(_) | None, _) => (latin, Vec::new()),
    }
}

/// The year, and the date as far as it is known.
fn birth(rng: &mut Rng, place: Place, registered: Timestamp) -> (i16, String) {
    let age = match place {
        Place::Parent => rng.i64(21 * 365..52 * 365),
        Place::Child => rng.i64(30..17 * 365),
        Place::Grandparent => rng.i64(58 * 365..88 * 365),
    };
    let date: Date = (registered - (24 * age).hours()).to_zoned(jiff::tz::TimeZone::UTC).date();
    let known = rng.u8(..20) + if place == Place::Grandparent { 10 } else { 0 };
    let text = match (place, known) {
        (Place::Child, _) | (_, 0..=15) => date.to_string(),
        (Place::Parent | Place::Grandparent, 16) => {
            format!("{:04}-{:02}", date.year(), date.month())
        }
        (Place::Parent | Place::Grandparent, _) => format!("{:04}", date.year()),
    };
    (date.year(), text)
}

fn mobile(rng: &mut Rng) -> String {
    let begin = MOBILE[rng.usize(..MOBILE.len())];
    format!("{begin}{:03} {:05}", rng.u32(..1_000), rng.u32(..100_000))
}

fn address(rng: &mut Rng) -> Address {
    let (locality, postal_code) = LOCALITIES[rng.usize(..LOCALITIES.len())];
    let street = STREETS[rng.usize(..STREETS.len())];
    Address {
        line: Some(format!("{}, {street}, {locality}", rng.u16(1..400))),
        city: Some("Bengaluru".into()),
        district: Some("Bengaluru Urban".into()),
        state: Some("Karnataka".into()),
        postal_code: Some(postal_code.into()),
        country: Some("IN".into()),
    }
}

fn email(rng: &mut Rng, spelling: &Spelling) -> Option<String> {
    let Spelling { given, surname } = spelling;
    let last = surname.latin.replace('\'', "");
    let address = format!("{}.{last}{}@example.com", given.latin, rng.u16(1..1_000));
    (rng.u8(..10) == 0).then(|| address.to_lowercase())
}

fn abha(rng: &mut Rng) -> Vec<RawIdentifier> {
    if rng.u8(..10) >= 4 {
        return Vec::new();
    }
    let mut group = || rng.u32(..10_000);
    let value = format!("91-{:04}-{:04}-{:04}", group(), group(), group());
    vec![RawIdentifier { system: ABHA_SYSTEM.into(), value }]
}

fn channels(rng: &mut Rng) -> Vec<String> {
    let words: &[&str] = match rng.u8(..10) {
        0..=5 => &["whatsapp", "sms"],
        6 | 7 => &["sms"],
        8 => &["voice"],
        _ => &[],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A time of day at which the desk registers people, on some day between two instants.
fn office_hour(rng: &mut Rng, (from, to): (Timestamp, Timestamp)) -> Timestamp {
    /// The clinic's days begin 5 h 30 min before those of Greenwich.
    const OPENS_UTC_MINUTE: i64 = 8 * 60 - 330;
    let days = ((to.as_second() - from.as_second()) / 86_400).max(1);
    let midnight = from.as_second().div_euclid(86_400) + rng.i64(0..days);
    let minute = OPENS_UTC_MINUTE + rng.i64(0..11 * 60);
    let time = Timestamp::from_second(midnight * 86_400 + minute * 60 + rng.i64(0..60));
    time.unwrap_or(from).clamp(from, to)
}
