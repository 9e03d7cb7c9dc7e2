//! Somebody of the demonstration as whom a visitor can check in.

use jiff::Timestamp;
use prm::appointment::{self, Filter, Status};
use prm::check_in::{self, Shown};
use prm::clinic;
use prm::contact::BirthDate;
use prm::db::Read;
use prm::error::Result;
use prm::id::AppointmentId;
use prm::patient;
use prm::stamp::Stamp;
use prm::time::{local_date, next_day, start_of_day};

/// How soon the visit is to be at the latest, and how soon it is best, in seconds.
const SOON: i64 = 60 * 60;
const BEST: i64 = 15 * 60;

/// A patient who is expected and has not checked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The appointment.
    pub appointment: AppointmentId,
    /// The name.
    pub name: String,
    /// The telephone number, E.164.
    pub phone: String,
    /// The year of birth.
    pub birth_year: i16,
    /// The start of the visit.
    pub start: Timestamp,
    /// Its end.
    pub end: Timestamp,
}

/// The patient who is best to check in as at `now`: expected within the hour if anybody is,
/// else later today, else late; and the only one whom telephone number and year of birth fit.
///
/// # Errors
/// If the records cannot be read.
pub fn guest(read: &Read<'_>, now: Timestamp) -> Result<Option<Guest>> {
    let stamp = Stamp::of_box(now);
    let zone = clinic::get(read)?.zone;
    let today = local_date(&zone, now);
    let filter = Filter {
        from: Some(start_of_day(&zone, today)),
        to: Some(start_of_day(&zone, next_day(today))),
        status: Some(Status::Booked),
        ..Filter::default()
    };
    let mut booked = appointment::list(read, &stamp, &filter, appointment::LIST_MAX)?;
    booked.sort_by_key(|found| {
        let wait = found.start.as_second() - now.as_second();
        let worth = match wait {
            0..SOON => 0,
            SOON.. => 1,
            _ => 2,
        };
        (worth, (wait - BEST).abs())
    });
    for found in booked {
        let patient = patient::get(read, &stamp, found.patient)?;
        let (Some(phone), Some(born)) = (patient.phones.first(), patient.birth_date) else {
            continue;
        };
        let (phone, birth_year) = (phone.number.clone(), born.year());
        let said = BirthDate::Year(birth_year);
        let fits = check_in::fits(read, &stamp, &Shown::Phone(phone.clone()), said)?;
        if fits.len() == 1 {
            return Ok(Some(Guest {
                appointment: found.id,
                name: patient.name,
                phone: phone.as_str().to_owned(),
                birth_year,
                start: found.start,
                end: found.end,
            }));
        }
    }
    Ok(None)
}
