//! The names that a clinic has: of practitioners, of their specialities, of services.

use prm::contact::Phone;
use prm::id::{HealthcareServiceId, PractitionerId};

/// The names that a clinic has, read once.
#[derive(Clone, Default)]
pub struct Lexicon {
    country: String,
    practitioners: Vec<(PractitionerId, String, Vec<String>)>,
    services: Vec<(HealthcareServiceId, String, Vec<String>)>,
}

impl Lexicon {
    /// An empty one; `country` (ISO 3166-1) is that of telephone numbers without a country code.
    pub fn new(country: &str) -> Self {
        Self { country: country.to_owned(), practitioners: Vec::new(), services: Vec::new() }
    }

    /// Adds a practitioner, with the specialities as the record has them.
    pub fn add_practitioner(&mut self, id: PractitionerId, name: &str, specialties: &[String]) {
        self.practitioners.push((id, name.to_owned(), specialties.to_vec()));
    }

    /// Adds a service, with other names that it goes by.
    pub fn add_service(&mut self, id: HealthcareServiceId, name: &str, also: &[String]) {
        self.services.push((id, name.to_owned(), also.to_vec()));
    }

    /// The telephone number that a text is.
    pub(super) fn phone(&self, text: &str) -> Option<Phone> {
        Phone::parse(text, &self.country).ok()
    }
}
