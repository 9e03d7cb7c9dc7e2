//! `Appointment/$find`: times at which somebody could come, as proposed appointments (IHE ITI
//! Scheduling, ITI-115: <https://profiles.ihe.net/ITI/Scheduling/ITI-115.html>).
//!
//! Times are cut by the slot query of the diary, in which a hold takes its time like a booking; all that
//! fit are counted, and only those of the page are written out.
//!
//! Invariant: what is proposed can be booked at the same instant, by the patient who was named if one was.

mod wish;

use std::collections::HashMap;

use fhir::appointment::{Shown as Names, proposal};
use fhir::bundle::{Pages, Searchset, searchset};
use fhir::operation::Input;
use fhir::{Here, Issue, IssueCode, Outcome, Resource};
use jiff::SignedDuration;
use prm::appointment::{self, Filter};
use prm::db::Read;
use prm::id::{HealthcareServiceId, PractitionerId, SlotId};
use prm::slot::{self, Search, Slot};
use prm::time::{local_date, next_day};
use prm::{healthcare_service, location, practitioner};

use self::wish::Wish;
use crate::http::fhir::search::Shown;
use crate::http::fhir::stamp::Stamp;
use crate::http::fhir::write::Refused;

/// Free slots that one question looks at; beyond it the caller has to ask more narrowly.
const LOOKED_AT_MAX: usize = 100_000;
/// The longest visit that a patient's other appointment may be, in hours.
const VISIT_HOURS_MAX: i64 = 12;

/// A time that could be booked, and for what.
type Free = (Slot, Option<HealthcareServiceId>);
/// What orders them.
type Place = (jiff::Timestamp, PractitionerId, SlotId, Option<HealthcareServiceId>);

fn place((slot, service): &Free) -> Place {
    let (start, practitioner, id) = slot.place();
    (start, practitioner, id, *service)
}

/// The times that fit, and whose they would be.
///
/// # Errors
/// What cannot be read or is not here; if `strict`, what was said and is not looked at.
pub fn found(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    input: &Input,
    strict: bool,
) -> Result<(Resource, Shown), Refused> {
    let wish = Wish::of(read, stamp, here, input)?;
    if strict && !wish.unseen.is_empty() {
        return Err(unseen(&wish).into());
    }
    let bundle = bundle(read, stamp, here, &wish)?;
    let patients = wish.patient.into_iter().map(|patient| patient.id).collect();
    Ok((bundle, Shown { patients, audit: false }))
}

fn unseen(wish: &Wish) -> Outcome {
    let what = format!("not looked at: {}", wish.unseen.join(", "));
    Outcome::error(IssueCode::NotSupported, what)
}

/// The page that is asked for, and how many there are on all.
fn bundle(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    wish: &Wish,
) -> Result<Resource, Refused> {
    let free = free(read, stamp, here, wish)?;
    let total = free.len();
    let begin = match &wish.after {
        Some(after) => free.partition_point(|it| place(it) <= *after),
        None => 0,
    };
    let page: Vec<&Free> = free.iter().skip(begin).take(wish.count).collect();
    let next = page.last().filter(|_| begin + page.len() < total).map(|last| place(last));
    let matches = written(read, stamp, here, wish, &page)?;
    let this = wish.link(here, None);
    let next = next.map(|next| wish.link(here, Some(next)));
    let outcome = (!wish.unseen.is_empty()).then(|| {
        let what = format!("not looked at: {}", wish.unseen.join(", "));
        Outcome { issues: vec![Issue::warning(IssueCode::NotSupported, what)] }
    });
    let total = u64::try_from(total).ok();
    let pages = Pages { this, next };
    Ok(searchset(Searchset { total, pages, matches, included: Vec::new(), outcome }, here))
}

/// Everything that fits, in order.
fn free(read: &Read<'_>, stamp: &Stamp, here: Here<'_>, wish: &Wish) -> Result<Vec<Free>, Refused> {
    let mut free: Vec<Free> = Vec::new();
    if wish.from >= wish.to || wish.practitioners.as_ref().is_some_and(Vec::is_empty) {
        return Ok(free);
    }
    let zone = &here.clinic.zone;
    let (from, to) = (local_date(zone, wish.from), next_day(local_date(zone, wish.to)));
    let elsewhere = elsewhere(read, stamp, wish)?;
    for service in &wish.services {
        let mut search = Search {
            practitioner: None,
            specialty: None,
            service: service.as_ref().map(|service| service.id),
            from,
            to,
            all: false,
            limit: slot::SLOTS_MAX,
        };
        // One practitioner's days are read alone; those of several are picked from everybody's.
        if let Some([one]) = wish.practitioners.as_deref() {
            search.practitioner = Some(*one);
        }
        let fits = slot::each(read, stamp, &search)?.into_iter().filter(|slot| {
            wish.fits(slot, service.as_ref())
                && !elsewhere.iter().any(|(from, to)| *from < slot.end && *to > slot.start)
        });
        free.extend(fits.map(|slot| (slot, search.service)));
        if free.len() > LOOKED_AT_MAX {
            let what = format!(
                "there are more than {LOOKED_AT_MAX} free times; ask for fewer days or practitioners"
            );
            return Err(Outcome::error(IssueCode::TooCostly, what).into());
        }
    }
    if wish.services.len() > 1 {
        free.sort_by_key(place);
    }
    Ok(free)
}

/// When the patient is with somebody already: at these times booking would refuse them.
fn elsewhere(
    read: &Read<'_>,
    stamp: &Stamp,
    wish: &Wish,
) -> Result<Vec<(jiff::Timestamp, jiff::Timestamp)>, Refused> {
    let Some(patient) = &wish.patient else { return Ok(Vec::new()) };
    let mut filter = Filter {
        from: wish.from.checked_sub(SignedDuration::from_hours(VISIT_HOURS_MAX)).ok(),
        to: Some(wish.to),
        patient: Some(patient.id),
        ..Filter::default()
    };
    let mut times = Vec::new();
    loop {
        let visits = appointment::list(read, stamp, &filter, appointment::LIST_MAX)?;
        let is_last = visits.len() < usize::try_from(appointment::LIST_MAX).unwrap_or(usize::MAX);
        filter.after = visits.last().map(|visit| (visit.start, visit.id));
        let stands = visits.iter().filter(|visit| {
            visit.status.stands()
                && visit.status != appointment::Status::Fulfilled
                && visit.hold_until.is_none_or(|until| until > stamp.now)
        });
        times.extend(stands.map(|visit| (visit.start, visit.end)));
        if is_last {
            return Ok(times);
        }
    }
}

/// The times of a page as resources, with the names of whom and what they name.
fn written(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    wish: &Wish,
    page: &[&Free],
) -> Result<Vec<Resource>, Refused> {
    if page.is_empty() {
        return Ok(Vec::new());
    }
    let practitioners: HashMap<_, _> =
        practitioner::list(read, stamp)?.into_iter().map(|it| (it.id, it.name)).collect();
    let locations: HashMap<_, _> =
        location::list(read, stamp)?.into_iter().map(|it| (it.id, it.name)).collect();
    let name_of = |id: HealthcareServiceId| {
        let mut services = wish.services.iter().flatten();
        services.find(|service| service.id == id).map(|service| service.name.as_str())
    };
    let written = page.iter().map(|(slot, service)| {
        let names = Names {
            practitioner: practitioners.get(&slot.practitioner).map(String::as_str),
            location: slot.location.and_then(|id| locations.get(&id)).map(String::as_str),
            healthcare_service: service.and_then(name_of),
            created: None,
        };
        let about = (names, (wish.from, wish.to));
        proposal::write(slot, *service, wish.patient.as_ref(), about, here)
    });
    Ok(written.collect())
}

/// The services of the clinic that are in use.
fn done_here(
    read: &Read<'_>,
    stamp: &Stamp,
) -> prm::error::Result<Vec<healthcare_service::HealthcareService>> {
    Ok(healthcare_service::list(read, stamp)?.into_iter().filter(|it| it.active).collect())
}
