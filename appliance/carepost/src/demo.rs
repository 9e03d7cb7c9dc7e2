//! The demonstration clinic: a clinic with its patients, bookings and a day half over, made by
//! the same verbs as the desk uses.
//!
//! Invariant: the same seed at the same instant makes the same clinic, but for ids and codes.

mod broker;
mod days;
mod guest;
mod house;
mod hub;
mod line;
pub mod names;
mod people;
pub mod phones;
#[cfg(test)]
mod tests;
mod wording;

use fastrand::Rng;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use prm::clinic::{self, Founding};
use prm::db::{Db, Tx};
use prm::device::{self, Kind};
use prm::error::{Error, Result};
use prm::id::{PractitionerId, StaffId};
use prm::staff::{self, PasswordHash};
use prm::stamp::{Role, Stamp};

pub use self::broker::Broker;
use self::days::{Days, Hands};
pub use self::guest::{Guest, guest};
pub use self::hub::Hub;
pub use self::line::Line;
pub use self::phones::Phones;

/// The name of the clinic.
pub const CLINIC: &str = "Ashwini Polyclinic";
/// Where it is.
pub const TIMEZONE: &str = "Asia/Kolkata";
/// The password of everybody in it. No secret: whatever it opens is made up.
pub const PASSWORD: &str = "ashwini-demo";
/// Its patients.
pub const PATIENTS: usize = 2_000;
/// Days before today that have appointments.
pub const PAST_DAYS: i32 = 14;
/// Days after today that have appointments, unless it is said otherwise.
pub const FUTURE_DAYS: i64 = 14;
/// The most days after today: as far as one search for free slots goes.
pub const FUTURE_DAYS_MAX: i64 = 45;
/// How long ago the clinic opened, in days.
const OPEN_DAYS: i64 = 720;

/// Somebody who can sign in, with [`PASSWORD`].
#[derive(Clone, Copy, Debug)]
pub struct SignIn {
    /// What they type.
    pub username: &'static str,
    /// Their name.
    pub name: &'static str,
    /// What they may do.
    pub role: Role,
}

const ADMIN: SignIn = SignIn { username: "admin", name: "Ashwini Rao", role: Role::Admin };
const RECEPTION: SignIn =
    SignIn { username: "reception", name: "Kavitha Shetty", role: Role::Clerk };
const CARDIOLOGIST: SignIn =
    SignIn { username: "dr.sharma", name: "Dr. Rajiv Sharma", role: Role::Practitioner };
const AUDITOR: SignIn = SignIn { username: "auditor", name: "Joseph Mathew", role: Role::Auditor };

/// The staff.
pub const STAFF: [SignIn; 4] = [ADMIN, RECEPTION, CARDIOLOGIST, AUDITOR];

/// The codes with which a kiosk and a board are paired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// Of a kiosk: `/kiosk?pair=CODE`.
    pub kiosk: String,
    /// Of a board.
    pub board: String,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Furnished {
    /// Patients on record.
    pub patients: usize,
    /// Appointments, the cancelled ones too.
    pub appointments: usize,
    /// Steps that the rules refused; none is meant to be.
    pub refused: usize,
    /// Somebody to check in as.
    pub guest: Option<Guest>,
    /// The codes of a kiosk and a board.
    pub pairing: Pairing,
}

/// Makes the clinic in an empty database as it would be at `now`, with bookings for so many
/// `days` after today (0 to [`FUTURE_DAYS_MAX`]).
///
/// # Errors
/// If the database is not empty, cannot be written, or the days are too many.
pub fn furnish(db: &Db, now: Timestamp, seed: u64, days: i64) -> Result<Furnished> {
    furnish_with(db, now, seed, (PATIENTS, days))
}

fn furnish_with(
    db: &Db,
    now: Timestamp,
    seed: u64,
    (patients, days): (usize, i64),
) -> Result<Furnished> {
    if !(0..=FUTURE_DAYS_MAX).contains(&days) {
        let detail = format!("the demonstration has bookings for 0 to {FUTURE_DAYS_MAX} days");
        return Err(Error::invalid("days", detail));
    }
    let zone = TimeZone::get(TIMEZONE)
        .map_err(|error| Error::Storage(format!("no time zone {TIMEZONE}: {error}")))?;
    let mut rng = Rng::with_seed(seed);
    let today = zone.to_datetime(now).date();
    let opened = prm::time::start_of_day(&zone, today) - SignedDuration::from_hours(24 * OPEN_DAYS);
    let password = staff::hash_password(PASSWORD)?;
    let first_password = password.clone();
    let (house, hands) = db.write_blocking(move |tx| {
        let stamp = Stamp::of_box(opened);
        let (name, timezone) = (CLINIC.to_owned(), TIMEZONE.to_owned());
        clinic::found(tx, &stamp, Founding { name, timezone, country: "IN".into(), demo: true })?;
        let house = house::build(tx, &stamp, today)?;
        wording::write(tx, &stamp, (house.scan, house.vaccination))?;
        let cardiologist = house.practitioners[house::CARDIOLOGY];
        let hands = engage(tx, &stamp, cardiologist, &first_password)?;
        Ok((house, hands))
    })?;
    let first_patient = opened + SignedDuration::from_hours(24);
    let people = people::population(&mut rng, patients, (first_patient, now));
    let future = i32::try_from(days).unwrap_or(0);
    let tally = Days::new(rng, (now, zone), hands, house, people).pass(db, (PAST_DAYS, future))?;
    // Whoever comes last tells `again` that nothing was interrupted.
    db.write_blocking(move |tx| hire(tx, &Stamp::of_box(now), AUDITOR, None, &password))?;
    Ok(Furnished {
        patients: tally.patients,
        appointments: tally.appointments,
        refused: tally.refused,
        guest: db.read_blocking(|read| guest(read, now))?,
        pairing: offer_pairing(db, now)?,
    })
}

/// What the devices are called that the demonstration offers codes for.
const OFFERED: &str = "Demonstration";

/// Looks into the database of an earlier demonstration, to serve it as it is: somebody to check
/// in as, if anybody is still expected, and new codes.
///
/// # Errors
/// If it is the database of a real clinic, or of a demonstration that was not finished.
pub fn again(db: &Db, now: Timestamp) -> Result<(Option<Guest>, Pairing)> {
    let guest = db.read_blocking(|read| {
        if !clinic::get(read)?.demo {
            let detail = "the folder holds the records of a clinic; choose another one for the demonstration, or serve it with `carepost serve`";
            return Err(Error::invalid("data", detail));
        }
        let staff = staff::list(read, &Stamp::of_box(now))?;
        if !staff.iter().any(|person| person.username == AUDITOR.username) {
            let detail = "the demonstration in this folder was interrupted while it was made; remove the folder and begin again";
            return Err(Error::invalid("data", detail));
        }
        guest(read, now)
    })?;
    Ok((guest, offer_pairing(db, now)?))
}

/// Offers codes with which a kiosk and a board are paired; those of the last start that nobody used
/// are good still.
///
/// # Errors
/// If too many offers are open already.
pub fn offer_pairing(db: &Db, now: Timestamp) -> Result<Pairing> {
    db.write_blocking(move |tx| {
        let stamp = Stamp::of_box(now);
        let mut code = |kind| match device::standing_offer(tx, &stamp, kind, OFFERED)? {
            Some(code) => Ok(code),
            None => device::offer(tx, &stamp, kind, Some(OFFERED.into())).map(|(_, code)| code),
        };
        Ok(Pairing { kiosk: code(Kind::Kiosk)?, board: code(Kind::Board)? })
    })
}

/// Adds the staff but for the auditor, and a kiosk by the door.
fn engage(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    cardiologist: PractitionerId,
    password: &PasswordHash,
) -> Result<Hands> {
    hire(tx, stamp, ADMIN, None, password)?;
    let clerk = hire(tx, stamp, RECEPTION, None, password)?;
    let cardiologist = hire(tx, stamp, CARDIOLOGIST, Some(cardiologist), password)?;
    let (_, code) = device::offer(tx, stamp, Kind::Kiosk, Some("Kiosk by the door".into()))?;
    let (kiosk, _) = device::claim(tx, stamp, &code)?;
    Ok(Hands { clerk, cardiologist, kiosk: kiosk.id })
}

fn hire(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    SignIn { username, name, role }: SignIn,
    practitioner: Option<PractitionerId>,
    password: &PasswordHash,
) -> Result<StaffId> {
    let (username, name, password) = (username.into(), name.into(), password.clone());
    let addition = staff::Addition { username, name, role, practitioner, password };
    Ok(staff::add(tx, stamp, addition)?.id)
}
