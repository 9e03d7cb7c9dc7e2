//! Made-up patients in any number: households that share a surname and a telephone, with names in the scripts and
//! spellings that the demonstration clinic has.

use carepost::demo::names::{FEMALE, IndianName, MALE, SURNAMES};
use fastrand::Rng;
use prm::patient::{ABHA_SYSTEM, RawIdentifier, RawPhone, Registration};

/// People of one household at the most.
const HOUSEHOLD_MAX: usize = 6;

/// So many registrations, household after household.
pub fn population(rng: &mut Rng, count: usize) -> Vec<Registration> {
    let mut people = Vec::with_capacity(count);
    while people.len() < count {
        let size = rng.usize(1..=HOUSEHOLD_MAX).min(count - people.len());
        let (_, surnames) = SURNAMES[rng.usize(..SURNAMES.len())];
        let surname = surnames[rng.usize(..surnames.len())];
        let phone = mobile(rng);
        for _ in 0..size {
            people.push(person(rng, surname, &phone));
        }
    }
    people
}

fn person(rng: &mut Rng, surname: IndianName, household: &str) -> Registration {
    let female = rng.bool();
    let list = if female { FEMALE } else { MALE };
    let given = list[rng.usize(..list.len())];
    let spelt = |rng: &mut Rng, name: &IndianName| {
        if rng.u8(..5) == 0 { rng.choice(name.also).copied() } else { None }.unwrap_or(name.latin)
    };
    let name = format!("{} {}", spelt(rng, &given), spelt(rng, &surname));
    // Names in another script are written when both words are known in it.
    let native = given.native.iter().find_map(|first| {
        let last = surname.native.iter().find(|last| block(last) == block(first))?;
        Some(format!("{first} {last}"))
    });
    let mut phones = vec![RawPhone { number: household.to_owned(), use_: None }];
    if rng.u8(..10) < 3 {
        phones.insert(0, RawPhone { number: mobile(rng), use_: None });
    }
    let (year, month, day) = (rng.u16(1936..2026), rng.u8(1..=12), rng.u8(1..=28));
    let identifiers = if rng.u8(..10) < 4 {
        let value =
            format!("91-{:04}-{:04}-{:04}", rng.u16(..9999), rng.u16(..9999), rng.u16(..9999));
        vec![RawIdentifier { system: ABHA_SYSTEM.into(), value }]
    } else {
        Vec::new()
    };
    Registration {
        name,
        names: native.filter(|_| rng.u8(..10) < 6).into_iter().collect(),
        phones,
        birth_date: Some(format!("{year:04}-{month:02}-{day:02}")),
        sex: Some(if female { "female" } else { "male" }.into()),
        identifiers,
        channels: vec!["whatsapp".into(), "sms".into()],
        accept_duplicate: true,
        ..Registration::default()
    }
}

fn mobile(rng: &mut Rng) -> String {
    const BEGIN: [&str; 5] = ["98", "99", "97", "96", "94"];
    format!("{}{:08}", BEGIN[rng.usize(..BEGIN.len())], rng.u32(..100_000_000))
}

/// The block of Unicode that a word is written in, as far as these scripts go.
fn block(word: &str) -> u32 {
    word.chars().next().map_or(0, |letter| u32::from(letter) / 128)
}
