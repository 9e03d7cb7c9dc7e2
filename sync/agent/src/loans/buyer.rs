//! Who bought: the patient of a booking that the hub sold, found on record or registered.

use fhir::{Here, Resource};
use prm::clinic;
use prm::db::Tx;
use prm::error::{Error, Result};
use prm::id::{AppointmentId, PatientId};
use prm::patient::{self, Registration};
use prm::stamp::Stamp;
use serde_json::Value;

/// What is written in place of a name that cannot be read.
const NAMELESS: &str = "Booked online";

/// Who bought, and why they come.
pub(super) struct Buyer {
    pub(super) patient: PatientId,
    pub(super) reason: Option<String>,
}

/// The patient of a sale: whom the hub names, or whoever is certainly the same person on record, else somebody new. A sale
/// stands whatever is wrong with what was said about the patient, so what cannot be taken is left out.
pub(super) fn of(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (booking, body): (AppointmentId, &[u8]),
) -> Result<Buyer> {
    let bundle = fhir::json::parse(body).ok();
    let one = |kind| bundle.as_ref().and_then(|bundle| entry(bundle, kind));
    let reason = one("Appointment").as_ref().and_then(reason);
    let patient = match one("Patient") {
        Some(resource) => told(tx, stamp, &resource, booking)?,
        None => nameless(tx, stamp, booking)?,
    };
    Ok(Buyer { patient, reason })
}

fn told(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    resource: &Resource,
    booking: AppointmentId,
) -> Result<PatientId> {
    if let Some(known) = named(tx, stamp, resource)? {
        return Ok(known);
    }
    let clinic = clinic::get(tx)?;
    let here = Here { clinic: &clinic, origin: "" };
    let Ok(raw) = fhir::patient::read(resource, here) else {
        return nameless(tx, stamp, booking);
    };
    let registration = raw.registration(true);
    match patient::on_record(tx, stamp, registration.clone()) {
        Ok(Some(known)) if patient::get(tx, stamp, known)?.active => return Ok(known),
        Ok(Some(_) | None) | Err(Error::Refused(_)) => {}
        Err(error) => return Err(error),
    }
    // Numbers may be those of another record; then the person is somebody new without them, and the
    // desk sees the two as a pair.
    let Registration { name, phones, birth_date, .. } = registration.clone();
    let without_numbers = Registration { identifiers: Vec::new(), ..registration.clone() };
    let few = Registration {
        name,
        phones,
        birth_date,
        accept_duplicate: true,
        ..Registration::default()
    };
    for attempt in [registration, without_numbers, few] {
        match patient::register(tx, stamp, attempt) {
            Ok(made) => return Ok(made.id),
            Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    nameless(tx, stamp, booking)
}

/// The patient on record whom the hub names by the id that they have here; whoever is only described has none.
fn named(tx: &mut Tx<'_>, stamp: &Stamp, resource: &Resource) -> Result<Option<PatientId>> {
    let Some(id) = resource.id().and_then(|id| id.parse().ok()) else { return Ok(None) };
    match patient::get(tx, stamp, id) {
        Ok(found) => Ok(found.active.then_some(id)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Somebody of whom nothing can be read but that they have a booking.
fn nameless(tx: &mut Tx<'_>, stamp: &Stamp, booking: AppointmentId) -> Result<PatientId> {
    let end = booking.uuid().simple().to_string().split_off(26);
    let registration = Registration {
        name: format!("{NAMELESS} {end}"),
        accept_duplicate: true,
        ..Registration::default()
    };
    Ok(patient::register(tx, stamp, registration)?.id)
}

/// The first resource of a type in a Bundle.
fn entry(bundle: &Resource, kind: &str) -> Option<Resource> {
    let entries = bundle.get("entry")?.as_array()?;
    let found = entries.iter().filter_map(|entry| entry.get("resource"));
    let mut found = found.filter(|it| it.get("resourceType").and_then(Value::as_str) == Some(kind));
    Resource::from_value(found.next()?.clone()).ok()
}

/// Why the patient comes.
fn reason(appointment: &Resource) -> Option<String> {
    let text = |name: &str| appointment.get(name).and_then(Value::as_str).map(str::to_owned);
    let coded = || {
        let first = appointment.get("reasonCode")?.as_array()?.first()?;
        first.get("text").and_then(Value::as_str).map(str::to_owned)
    };
    coded().or_else(|| text("description")).or_else(|| text("comment"))
}
