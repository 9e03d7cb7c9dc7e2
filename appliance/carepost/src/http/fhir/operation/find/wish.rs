//! What `$find` is asked, looked up in the records.
//!
//! Of one parameter that repeats any will do, and all parameters must hold. A code is looked for as a
//! search would (`PractitionerRole?specialty=`, `HealthcareService?service-type=`), or is the word that the
//! clinic has for it.

use crate::http::fhir::stamp::Stamp;
use fhir::operation::Input;
use fhir::search::{COUNT_MAX, encoded};
use fhir::{Here, IssueCode, Outcome};
use jiff::{SignedDuration, Timestamp};
use prm::db::Read;
use prm::error::{Code, Error, Refusal};
use prm::healthcare_service::HealthcareService;
use prm::id::{LocationId, Noun, PatientId, PractitionerId};
use prm::patient::{self, Patient};
use prm::practitioner;
use prm::slot::{SEARCH_DAYS_MAX, Slot};
use prm::time::from_ms;

use super::{Place, done_here};
use crate::http::fhir::operation::ids;
use crate::http::fhir::search;
use crate::http::fhir::write::Refused;

/// Times of a page if the caller does not say how many.
const PAGE: usize = 50;
/// Days that are looked at if the caller does not say to when.
const DAYS_DEFAULT: i64 = 14;
/// Resources that one parameter may mean.
const MEANT_MAX: usize = 500;
/// What may be said and changes nothing here.
const UNSEEN: [&str; 5] =
    ["patient-resource", "reason", "referral-identifier", "timing", "insurance-reference"];

/// What is looked for.
pub struct Wish {
    /// Not before.
    pub from: Timestamp,
    /// Over by then.
    pub to: Timestamp,
    /// One of these; anybody if it was not said.
    pub practitioners: Option<Vec<PractitionerId>>,
    /// For one of these, or for what a slot is long.
    pub services: Vec<Option<HealthcareService>>,
    /// In one of these; anywhere if it was not said.
    locations: Option<Vec<LocationId>>,
    /// Who comes, if it is somebody on record.
    pub patient: Option<Patient>,
    /// So many on a page.
    pub count: usize,
    /// Where the page begins.
    pub after: Option<Place>,
    /// What was said and not looked at.
    pub unseen: Vec<&'static str>,
    /// What was said, for the links to the pages.
    said: Vec<(&'static str, String)>,
}

impl Wish {
    /// What the caller asked for.
    ///
    /// # Errors
    /// What cannot be read, who is not here, and a stretch that is too long.
    pub fn of(
        read: &Read<'_>,
        stamp: &Stamp,
        here: Here<'_>,
        input: &Input,
    ) -> Result<Self, Refused> {
        let mut asking = Asking { read, stamp, here, input, said: Vec::new() };
        let (from, to) = asking.stretch()?;
        let practitioners = asking.practitioners()?;
        let services = asking.for_what()?;
        let locations = asking.locations()?;
        let patient = asking.patient()?;
        let is_ours = asking.is_ours()?;
        let count = match input.whole("_count")? {
            None => PAGE,
            Some(count) => {
                asking.said.push(("_count", count.to_string()));
                usize::try_from(count)
                    .map_err(|_| wrong("_count is a whole number"))?
                    .min(COUNT_MAX)
            }
        };
        let after = input.text("_cursor").map(place_of).transpose()?;
        Ok(Self {
            from,
            to,
            // Another organization has no times here.
            practitioners: if is_ours { practitioners } else { Some(Vec::new()) },
            services,
            locations,
            patient,
            count,
            after,
            unseen: UNSEEN.into_iter().filter(|name| input.says(name)).collect(),
            said: asking.said,
        })
    }

    /// Whether a slot is what is looked for.
    pub fn fits(&self, slot: &Slot, service: Option<&HealthcareService>) -> bool {
        let is_with = |all: &Vec<PractitionerId>| all.contains(&slot.practitioner);
        let is_in = |all: &Vec<LocationId>| {
            let needs = service.map(|service| service.locations.as_slice()).unwrap_or_default();
            slot.location.iter().chain(needs).any(|location| all.contains(location))
        };
        slot.start >= self.from
            && slot.end <= self.to
            && self.practitioners.as_ref().is_none_or(is_with)
            && self.locations.as_ref().is_none_or(is_in)
    }

    /// The address of a page.
    pub fn link(&self, here: Here<'_>, after: Option<Place>) -> String {
        let cursor = after.map(|(_, practitioner, slot, service)| {
            let service = service.map(|id| id.to_string()).unwrap_or_default();
            ("_cursor", format!("{practitioner}_{slot}_{service}"))
        });
        let pairs = self.said.iter().chain(&cursor);
        let query: Vec<String> =
            pairs.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        format!("{}/Appointment/$find?{}", here.origin, query.join("&"))
    }
}

fn wrong(what: &str) -> Outcome {
    Outcome::error(IssueCode::Value, what)
}

fn place_of(cursor: &str) -> Result<Place, Outcome> {
    let forged = || wrong("this page link is not one of the box's; begin again");
    let mut parts = cursor.split('_');
    let (Some(practitioner), Some(slot), Some(service), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(forged());
    };
    let slot: prm::id::SlotId = slot.parse().map_err(|_| forged())?;
    let service = match service {
        "" => None,
        id => Some(id.parse().map_err(|_| forged())?),
    };
    Ok((slot.start(), practitioner.parse().map_err(|_| forged())?, slot, service))
}

/// A wish while it is read.
struct Asking<'a> {
    read: &'a Read<'a>,
    stamp: &'a Stamp,
    here: Here<'a>,
    input: &'a Input,
    said: Vec<(&'static str, String)>,
}

impl Asking<'_> {
    /// From when to when; nothing that has begun is offered.
    fn stretch(&mut self) -> Result<(Timestamp, Timestamp), Refused> {
        let start = self.input.time("start", self.here)?.map(|(from, _)| from_ms(from));
        let end = self.input.text("end");
        let until = self.input.time("end", self.here)?.map(|(from, to)| {
            // A day is meant to its end, a moment is the end.
            from_ms(if end.is_some_and(|text| text.contains('T')) { from } else { to })
        });
        let from = start.unwrap_or(self.stamp.now);
        let fortnight = SignedDuration::from_hours(24 * DAYS_DEFAULT);
        let to = until.unwrap_or_else(|| {
            let from = from.max(self.stamp.now);
            from.checked_add(fortnight).unwrap_or(Timestamp::MAX)
        });
        if to < from {
            return Err(wrong("end is not before start").into());
        }
        let from = from.max(self.stamp.now);
        let days = SignedDuration::from_hours(24 * i64::from(SEARCH_DAYS_MAX - 1));
        if to.duration_since(from) > days {
            let what = format!("ask for at most {} days, by start and end", SEARCH_DAYS_MAX - 1);
            return Err(Outcome::error(IssueCode::TooCostly, what).into());
        }
        // The same on every page, however long it takes to turn them.
        self.said.push(("start", from.to_string()));
        self.said.push(("end", to.to_string()));
        Ok((from, to))
    }

    fn practitioners(&mut self) -> Result<Option<Vec<PractitionerId>>, Refused> {
        let (read, stamp, here) = (self.read, self.stamp, self.here);
        let types = ["Practitioner", "PractitionerRole"];
        let named = ids(read, stamp, here, (self.input, "practitioner"), &types)?;
        // The role of a practitioner has the practitioner's id.
        self.say("practitioner", named.iter().map(|id| format!("Practitioner/{id}")));
        let mut wanted: Option<Vec<PractitionerId>> = None;
        if !named.is_empty() {
            let all = named.iter().map(|id| {
                let id: PractitionerId =
                    id.parse().map_err(|_| Error::NotFound(Noun::Practitioner))?;
                practitioner::get(read, stamp, id).map(|it| it.id)
            });
            let all = all.collect::<Result<Vec<_>, Error>>();
            wanted = Some(all.map_err(|error| lost(error, "practitioner"))?);
        }
        let specialties = self.input.tokens("specialty");
        self.say("specialty", specialties.iter().cloned());
        if !specialties.is_empty() {
            let mut able = Vec::new();
            let all = practitioner::list(read, stamp)?;
            for token in &specialties {
                let word = practitioner::specialty(word_of(token)).ok();
                let by_word = all
                    .iter()
                    .filter(|it| word.as_ref().is_some_and(|word| it.specialties.contains(word)));
                able.extend(by_word.map(|it| it.id));
                let coded = self.meant("PractitionerRole", "specialty", token)?;
                able.extend(coded.iter().filter_map(|id| id.parse::<PractitionerId>().ok()));
            }
            wanted = Some(match wanted {
                Some(named) => named.into_iter().filter(|id| able.contains(id)).collect(),
                None => able,
            });
        }
        if let Some(wanted) = &mut wanted {
            wanted.sort();
            wanted.dedup();
        }
        Ok(wanted)
    }

    /// The services that are meant; none in particular if nothing is said.
    fn for_what(&mut self) -> Result<Vec<Option<HealthcareService>>, Refused> {
        let tokens = self.input.tokens("visit-type");
        self.say("visit-type", tokens.iter().cloned());
        if tokens.is_empty() {
            return Ok(vec![None]);
        }
        let mut wanted = Vec::new();
        for token in &tokens {
            let coded = self.meant("HealthcareService", "service-type", token)?;
            let word = word_of(token);
            let is_meant = |it: &HealthcareService| {
                let id = it.id.to_string();
                it.name.to_lowercase() == word.to_lowercase() || id == word || coded.contains(&id)
            };
            wanted.extend(done_here(self.read, self.stamp)?.into_iter().filter(is_meant));
        }
        wanted.sort_by_key(|service| service.id);
        wanted.dedup_by_key(|service| service.id);
        Ok(wanted.into_iter().map(Some).collect())
    }

    fn locations(&mut self) -> Result<Option<Vec<LocationId>>, Refused> {
        let (read, stamp, here) = (self.read, self.stamp, self.here);
        let named = ids(read, stamp, here, (self.input, "location-reference"), &["Location"])?;
        self.say("location-reference", named.iter().map(|id| format!("Location/{id}")));
        let texts: Vec<String> = self.input.texts("location-string").map(str::to_owned).collect();
        self.say("location-string", texts.iter().cloned());
        if named.is_empty() && texts.is_empty() {
            return Ok(None);
        }
        let mut wanted = Vec::new();
        for id in &named {
            let id: LocationId = id.parse().map_err(|_| lost_at("location-reference"))?;
            let found = prm::location::get(read, stamp, id);
            wanted.push(found.map_err(|error| lost(error, "location-reference"))?.id);
        }
        let mut described: Vec<LocationId> = Vec::new();
        for text in &texts {
            for parameter in ["address", "name"] {
                let meant = self.meant("Location", parameter, &text.replace(',', "\\,"))?;
                described.extend(meant.iter().filter_map(|id| id.parse::<LocationId>().ok()));
            }
        }
        match (named.is_empty(), texts.is_empty()) {
            (true, _) => wanted = described,
            (false, false) => wanted.retain(|id| described.contains(id)),
            (false, true) => {}
        }
        Ok(Some(wanted))
    }

    fn patient(&mut self) -> Result<Option<Patient>, Refused> {
        let (read, stamp, here) = (self.read, self.stamp, self.here);
        let named = ids(read, stamp, here, (self.input, "patient-reference"), &["Patient"])?;
        self.say("patient-reference", named.iter().map(|id| format!("Patient/{id}")));
        let [id] = named.as_slice() else {
            if named.is_empty() {
                return Ok(None);
            }
            let what = "times are found for one patient at a time";
            return Err(Outcome::error(IssueCode::NotSupported, what).into());
        };
        let id: PatientId = id.parse().map_err(|_| lost_at("patient-reference"))?;
        let found = patient::get(read, stamp, id);
        let patient = found.map_err(|error| lost(error, "patient-reference"))?;
        if !patient.active {
            let what = "this patient's record is not in use; use the one that it was merged into";
            return Err(Refusal::new(Code::Inactive, what).into_error().into());
        }
        Ok(Some(patient))
    }

    /// Whether the organization is this clinic, or none was named.
    fn is_ours(&mut self) -> Result<bool, Refused> {
        let (read, stamp, here) = (self.read, self.stamp, self.here);
        let named = ids(read, stamp, here, (self.input, "organization"), &["Organization"])?;
        self.say("organization", named.iter().map(|id| format!("Organization/{id}")));
        Ok(named.is_empty() || named.contains(&here.clinic.id.to_string()))
    }

    /// The ids of the resources that a search by one parameter finds.
    fn meant(&self, type_: &str, parameter: &str, value: &str) -> Result<Vec<String>, Refused> {
        let pairs = [(parameter.to_owned(), value.to_owned())];
        let query = fhir::search::parse(type_, &pairs, true, self.here)?;
        let found = search::all_of(self.read, self.stamp, self.here, &query, MEANT_MAX)?;
        Ok(found.iter().filter_map(|found| found.resource.id().map(str::to_owned)).collect())
    }

    fn say(&mut self, name: &'static str, values: impl Iterator<Item = String>) {
        self.said.extend(values.map(|value| (name, value)));
    }
}

/// The code of a token, or the words that stand in its place.
fn word_of(token: &str) -> &str {
    token.rsplit_once('|').map_or(token, |(_, code)| code).trim()
}

fn lost_at(name: &str) -> Refused {
    Outcome::error(IssueCode::Value, format!("{name} refers to what is not here")).into()
}

/// What is named and not here is not the address that is not here.
fn lost(error: Error, name: &str) -> Refused {
    if matches!(error, Error::NotFound(_)) { lost_at(name) } else { error.into() }
}
