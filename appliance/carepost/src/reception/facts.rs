//! What reception knows when it answers, read from the records and the settings.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use ::reception::understand::Lexicon;
use ::reception::{
    Can, ClinicFacts, Facts, Person, PractitionerFact, ServiceFact, Who, Wording, lexicon,
};
use prm::conversation::{self, Address};
use prm::db::Read;
use prm::error::Result;
use prm::stamp::Stamp;
use prm::{healthcare_service, patient, practitioner, template};

use super::Turn;
use crate::app::App;

/// People of one address whom reception knows.
const PEOPLE_MAX: usize = 10;

/// The names by which people and services are understood, read once as long as they stay the same.
#[derive(Default)]
pub(super) struct Names(Mutex<Option<(u64, Arc<Lexicon>)>>);

impl Names {
    fn of(
        &self,
        country: &str,
        practitioners: &[PractitionerFact],
        services: &[ServiceFact],
    ) -> Arc<Lexicon> {
        let mut hasher = DefaultHasher::new();
        for PractitionerFact { id, name, specialties } in practitioners {
            (id, name, specialties).hash(&mut hasher);
        }
        for ServiceFact { id, name, practitioners: _ } in services {
            (id, name).hash(&mut hasher);
        }
        let now = hasher.finish();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((of, lexicon)) if *of == now => Arc::clone(lexicon),
            Some(_) | None => {
                let made = Arc::new(lexicon(country, practitioners, services));
                *known = Some((now, Arc::clone(&made)));
                made
            }
        }
    }
}

/// What is known when a message is answered.
pub(super) fn of(turn: &Turn<'_, '_>) -> Result<Facts> {
    let Turn { tx, app, stamp, reception, conversation, message, is_mute: _ } = turn;
    let read: &Read<'_> = tx;
    let practitioners: Vec<_> = practitioner::list(read, stamp)?
        .into_iter()
        .filter(|it| it.active)
        .map(|it| PractitionerFact { id: it.id, name: it.name, specialties: it.specialties })
        .collect();
    let services: Vec<_> = healthcare_service::list(read, stamp)?
        .into_iter()
        .filter(|it| it.active)
        .map(|it| ServiceFact { id: it.id, name: it.name, practitioners: it.practitioners })
        .collect();
    let people: Vec<_> = conversation::people(read, stamp, conversation.id)?
        .into_iter()
        .take(PEOPLE_MAX)
        .map(person)
        .collect();
    let phone = match &message.address {
        Address::Phone(phone) => Some(phone.clone()),
        Address::Whatsapp(_) | Address::Email(_) => None,
    };
    let country = app.clinic.country.as_str();
    Ok(Facts {
        now: stamp.now,
        zone: app.clinic.zone.clone(),
        clinic: ClinicFacts {
            name: app.clinic.name.clone(),
            phone: app.config.fhir.booking_phone.clone(),
            country: country.to_owned(),
            languages: languages(app),
            emergency: emergency(country).iter().map(|it| (*it).to_owned()).collect(),
        },
        lexicon: reception.names.of(country, &practitioners, &services),
        practitioners,
        services,
        phone,
        who: if people.is_empty() { Who::Unknown } else { Who::People(people) },
        can: Can { book: true },
        wording: wording(read, stamp)?,
    })
}

/// Somebody on record, as reception knows them.
pub(super) fn person(brief: patient::Brief) -> Person {
    let patient::Brief { id, name, birth_date } = brief;
    Person { id, name, birth: birth_date }
}

/// The clinic's own sentences.
pub(crate) fn wording(read: &Read<'_>, stamp: &Stamp) -> Result<Wording> {
    let mut wording: HashMap<String, HashMap<String, String>> = HashMap::new();
    for template in template::list(read, stamp)? {
        wording.entry(template.language).or_default().insert(template.sentence, template.text);
    }
    Ok(Wording(wording))
}

/// The languages of the clinic, the usual one first.
pub(crate) fn languages(app: &App) -> Vec<String> {
    let language = &app.config.language;
    let mut languages = vec![language.default.clone()];
    languages.extend(language.offered.iter().filter(|it| **it != language.default).cloned());
    languages
}

/// The numbers to call in an emergency. 112 is that of the telephone network everywhere (3GPP TS 22.101);
/// India's ambulance answers 108.
pub(crate) fn emergency(country: &str) -> &'static [&'static str] {
    if country == "IN" { &["112", "108"] } else { &["112"] }
}
