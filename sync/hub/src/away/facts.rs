//! What reception knows at the hub: what the box has told, and of the records those with the address of who writes.

use std::collections::HashMap;
use std::sync::Arc;

use channels::away::{self, Practitioner, Service};
use channels::heard::Heard;
use fhir::{Here, Resource, patient, search};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use prm::contact::{BirthDate, Phone};
use prm::id::PatientId;
use reception::{
    Can, ClinicFacts, Facts, Person, PractitionerFact, ServiceFact, Who, Wording, lexicon,
};

use crate::booking::NotDone;
use crate::search::{Place, all_of};

/// People of one address whom reception knows, as at the box.
const PEOPLE_MAX: usize = 10;
/// Records with one telephone number that are looked at.
const FOUND_MAX: usize = 50;

/// What is known when a message is answered at this time.
pub(super) fn of(
    place: Place<'_>,
    told: &away::Facts,
    heard: &Heard,
    now: Timestamp,
) -> Result<Facts, NotDone> {
    let practitioner = |it: &Practitioner| PractitionerFact {
        id: it.id,
        name: it.name.clone(),
        specialties: it.specialties.clone(),
    };
    let service = |it: &Service| ServiceFact {
        id: it.id,
        name: it.name.clone(),
        practitioners: it.practitioners.clone(),
    };
    let practitioners: Vec<_> = told.practitioners.iter().map(practitioner).collect();
    let services: Vec<_> = told.services.iter().map(service).collect();
    let people = match &heard.from.phone {
        Some(phone) => with_phone(place, phone)?,
        None => Vec::new(),
    };
    let wording = told.wording.iter().map(|(language, sentences)| {
        let sentences = sentences.iter().map(|(id, text)| (id.clone(), text.clone()));
        (language.clone(), sentences.collect::<HashMap<_, _>>())
    });
    Ok(Facts {
        now,
        zone: TimeZone::get(&told.timezone).unwrap_or(TimeZone::UTC),
        clinic: ClinicFacts {
            name: told.name.clone(),
            phone: told.phone.clone(),
            country: told.country.clone(),
            languages: told.languages.clone(),
            emergency: told.emergency.clone(),
        },
        lexicon: Arc::new(lexicon(&told.country, &practitioners, &services)),
        practitioners,
        services,
        phone: heard.from.phone.clone(),
        who: if people.is_empty() { Who::Unknown } else { Who::People(people) },
        can: Can { book: false },
        wording: Wording(wording.collect()),
    })
}

/// Those in use who have this number on record, as the box last told.
pub(super) fn with_phone(place: Place<'_>, phone: &Phone) -> Result<Vec<Person>, NotDone> {
    let asked = [("phone".to_owned(), phone.as_str().to_owned())];
    let query = search::parse(patient::TYPE, &asked, true, place.here)?;
    let found = all_of(place, &query, FOUND_MAX)?;
    let people = found.iter().filter_map(|it| person(it, phone, place.here));
    Ok(people.take(PEOPLE_MAX).collect())
}

/// A patient, if it is in use and has exactly this number.
fn person(resource: &Resource, phone: &Phone, here: Here<'_>) -> Option<Person> {
    let id: PatientId = resource.id()?.parse().ok()?;
    let read = patient::read(resource, here).ok()?;
    let has = read.phones.iter().any(|it| {
        Phone::parse(&it.number, &here.clinic.country).is_ok_and(|number| number == *phone)
    });
    if !read.active || !has {
        return None;
    }
    let birth = read.birth_date.and_then(|text| BirthDate::parse(&text).ok());
    Some(Person { id, name: read.name, birth })
}
