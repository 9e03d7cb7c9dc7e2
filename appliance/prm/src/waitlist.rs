//! Who waits for a time that is not free yet.
//!
//! Invariant: an entry is waiting, offered a time until some moment, booked or withdrawn; from the last two it does not come back.

mod fitting;
mod row;

use jiff::Timestamp;
use jiff::civil::Date;

pub use self::fitting::{FITTING_MAX, fitting};
pub use self::row::{Filter, LIST_MAX, get, list};
use crate::appointment::{self, Booking};
use crate::change::next_version;
use crate::clinic;
use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::healthcare_service;
use crate::id::{
    AppointmentId, HealthcareServiceId, Noun, PatientId, PractitionerId, SlotId, WaitlistId,
};
use crate::practitioner;
use crate::slot;
use crate::stamp::{Right, Stamp};
use crate::time::{local_date, to_ms};

/// As many entries wait at the most.
pub const WAITING_MAX: i64 = 2_000;
/// As many of one patient.
pub const OF_PATIENT_MAX: i64 = 10;
/// The longest stretch that somebody waits for, in days.
pub const DAYS_MAX: i32 = 366;

/// A part of a day, by the clinic's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartOfDay {
    /// Before 12:00.
    Morning,
    /// From 12:00 to before 16:00.
    Afternoon,
    /// From 16:00 on.
    Evening,
}

impl PartOfDay {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Morning, Self::Afternoon, Self::Evening];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Morning => "morning",
            Self::Afternoon => "afternoon",
            Self::Evening => "evening",
        }
    }

    /// The part of that word.
    pub fn parse(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word).ok_or_else(|| {
            Error::invalid("part_of_day", "the part of the day is morning, afternoon or evening")
        })
    }

    /// The part in which an hour of the wall clock lies.
    pub fn of_hour(hour: i8) -> Self {
        match hour {
            ..12 => Self::Morning,
            12..16 => Self::Afternoon,
            16.. => Self::Evening,
        }
    }
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing was found yet.
    Waiting,
    /// A time was offered.
    Offered,
    /// A time was booked.
    Booked,
    /// It is wanted no more.
    Withdrawn,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Offered, Self::Booked, Self::Withdrawn];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Offered => "offered",
            Self::Booked => "booked",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|it| it.as_str()).collect();
            Error::invalid("status", format!("the status is one of {}", words.join(", ")))
        })
    }
}

/// What somebody waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// With this practitioner.
    pub practitioner: Option<PractitionerId>,
    /// With anybody of this speciality.
    pub specialty: Option<String>,
    /// For this service.
    pub healthcare_service: Option<HealthcareServiceId>,
    /// From this local date.
    pub first_day: Date,
    /// To this local date; it will do, too.
    pub last_day: Date,
    /// In this part of the day only.
    pub part_of_day: Option<PartOfDay>,
}

/// A time that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub slot: SlotId,
    /// Until when it is theirs to say yes; then the entry waits again.
    pub until: Timestamp,
}

/// Somebody who waits.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The id.
    pub id: WaitlistId,
    /// Grows with each step.
    pub version: i64,
    /// Who.
    pub patient: PatientId,
    /// What they are called.
    pub patient_name: String,
    /// Their first telephone number.
    pub patient_phone: Option<String>,
    /// What for.
    pub wish: Wish,
    /// What else was said.
    pub note: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// Since when they wait.
    pub joined_at: Timestamp,
    /// What was offered last, while it is offered.
    pub offer: Option<Offer>,
    /// The time that they said no to last: it is not offered to them again.
    pub declined: Option<SlotId>,
    /// What was booked.
    pub appointment: Option<AppointmentId>,
}

impl std::fmt::Debug for Entry {
    /// Who waits for what is personal: logs never show it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Waitlist({})", self.id)
    }
}

/// Puts a patient on the list. The same wish of the same patient is on it once.
pub fn join(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    patient: PatientId,
    (wish, note): (Wish, Option<String>),
) -> Result<Entry> {
    stamp.needs(Right::Book)?;
    let wish = checked(tx, stamp, wish)?;
    let note = contact::text("note", note)?;
    let mut in_use =
        tx.sql().prepare_cached("SELECT 1 FROM patient WHERE id = ?1 AND active = 1")?;
    if !in_use.exists([patient])? {
        return Err(Error::NotFound(Noun::Patient));
    }
    let own = row::open_of(tx, patient)?;
    if let Some(there) = own.iter().find(|entry| entry.wish == wish) {
        return Ok(there.clone());
    }
    if i64::try_from(own.len()).unwrap_or(i64::MAX) >= OF_PATIENT_MAX {
        let what = format!("this patient waits for {OF_PATIENT_MAX} times already");
        return Err(Error::refused(Code::TooMany, what));
    }
    if row::count_open(tx)? >= WAITING_MAX {
        let what = format!("at most {WAITING_MAX} wishes wait; withdraw some of them first");
        return Err(Error::refused(Code::TooMany, what));
    }
    let id = WaitlistId::new(stamp.now);
    let Wish { practitioner, specialty, healthcare_service, first_day, last_day, part_of_day } =
        &wish;
    tx.sql()
        .prepare_cached(
            "INSERT INTO waitlist (id, version, patient, practitioner, specialty, healthcare_service,
               first_day, last_day, part_of_day, note, status, joined_at)
             VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'waiting', ?10)",
        )?
        .execute((
            id,
            patient,
            practitioner,
            specialty,
            healthcare_service,
            first_day.to_string(),
            last_day.to_string(),
            part_of_day.map(PartOfDay::as_str),
            note,
            to_ms(stamp.now),
        ))?;
    tx.record(stamp, "join", (Noun::Waitlist, id.as_bytes(), 1), Some(patient))?;
    row::find(tx, id)
}

/// Notes that a time was offered, until some moment. The slot is not held by that.
pub fn offer(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (WaitlistId, Option<i64>),
    offer: Offer,
) -> Result<Entry> {
    stamp.needs(Right::Book)?;
    slot::offered(tx, offer.slot, None)?;
    if offer.until <= stamp.now {
        return Err(Error::invalid("until", "an offer stands until a later time"));
    }
    step(tx, stamp, (id, seen), "offer", (Status::Offered, Some(offer), None))
}

/// Notes that somebody does not want the time that they were offered: they wait again, and that time goes to others.
///
/// # Errors
/// [`Code::IllegalStep`] if nothing is offered to them.
pub fn decline(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (WaitlistId, Option<i64>),
) -> Result<Entry> {
    stamp.needs(Right::Book)?;
    step(tx, stamp, (id, seen), "decline", (Status::Waiting, None, None))
}

/// Notes that somebody on the list has an appointment now; it was booked by its own verb, in the same transaction
/// or before.
pub fn book(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (WaitlistId, Option<i64>),
    appointment: AppointmentId,
) -> Result<Entry> {
    stamp.needs(Right::Book)?;
    if appointment::find(tx, appointment)?.patient != row::find(tx, id)?.patient {
        return Err(Error::invalid("appointment_id", "this appointment is of somebody else"));
    }
    step(tx, stamp, (id, seen), "book", (Status::Booked, None, Some(appointment)))
}

/// Books a slot for somebody on the list, for the service that they wait for.
pub fn take(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (WaitlistId, Option<i64>),
    slot: SlotId,
) -> Result<Entry> {
    stamp.needs(Right::Book)?;
    let entry = row::find(tx, id)?;
    let booking = Booking {
        id: AppointmentId::new(stamp.now),
        patient: entry.patient,
        slot,
        healthcare_service: entry.wish.healthcare_service,
        reason: entry.note,
        overbook: None,
        hold_minutes: None,
        series: None,
    };
    let appointment = appointment::book(tx, stamp, booking)?.id;
    book(tx, stamp, (id, seen), appointment)
}

/// Notes that somebody booked the very time that they were offered; nothing if it was not offered to them.
pub fn taken(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    slot: SlotId,
    (patient, appointment): (PatientId, AppointmentId),
) -> Result<()> {
    match offered(tx, slot, patient)?.first() {
        Some(entry) => book(tx, stamp, (entry.id, None), appointment).map(drop),
        None => Ok(()),
    }
}

/// Notes that somebody does not want the very time that they were offered; nothing if it was not offered to them.
pub fn declined(tx: &mut Tx<'_>, stamp: &Stamp, slot: SlotId, patient: PatientId) -> Result<()> {
    for entry in offered(tx, slot, patient)? {
        decline(tx, stamp, (entry.id, None))?;
    }
    Ok(())
}

/// The entries of a patient to whom a time is offered.
fn offered(read: &Read<'_>, slot: SlotId, patient: PatientId) -> Result<Vec<Entry>> {
    let mut open = row::open_of(read, patient)?;
    open.retain(|entry| entry.offer.is_some_and(|offer| offer.slot == slot));
    Ok(open)
}

/// Takes an entry off the list.
pub fn withdraw(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (WaitlistId, Option<i64>),
) -> Result<Entry> {
    stamp.needs(Right::Book)?;
    step(tx, stamp, (id, seen), "withdraw", (Status::Withdrawn, None, None))
}

fn step(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (WaitlistId, Option<i64>),
    verb: &'static str,
    (status, offer, appointment): (Status, Option<Offer>, Option<AppointmentId>),
) -> Result<Entry> {
    let before = row::find(tx, id)?;
    let version = next_version(before.version, seen)?;
    match before.status {
        Status::Waiting | Status::Offered => {}
        Status::Booked | Status::Withdrawn => {
            let what = "this wish is done with; put the patient on the list again";
            return Err(Error::refused(Code::IllegalStep, what));
        }
    }
    let declined = match (status, before.offer) {
        // Nobody goes back to waiting but by a no.
        (Status::Waiting, Some(offer)) => Some(offer.slot),
        (Status::Waiting, None) => {
            let what = "nothing is offered to them; look at the list again";
            return Err(Error::refused(Code::IllegalStep, what));
        }
        (Status::Offered | Status::Booked | Status::Withdrawn, _) => before.declined,
    };
    let slot = offer.map(|offer| offer.slot);
    tx.sql()
        .prepare_cached(
            "UPDATE waitlist SET version = ?2, status = ?3, offered_schedule = ?4,
               offered_minute = ?5, offered_until = ?6, appointment = ?7,
               declined_schedule = ?8, declined_minute = ?9 WHERE id = ?1",
        )?
        .execute((
            id,
            version,
            status.as_str(),
            slot.map(|slot| slot.schedule),
            slot.map(|slot| slot.start_minute),
            offer.map(|offer| to_ms(offer.until)),
            appointment,
            declined.map(|slot| slot.schedule),
            declined.map(|slot| slot.start_minute),
        ))?;
    tx.record(stamp, verb, (Noun::Waitlist, id.as_bytes(), version), Some(before.patient))?;
    row::find(tx, id)
}

fn checked(tx: &Tx<'_>, stamp: &Stamp, wish: Wish) -> Result<Wish> {
    let today = local_date(&clinic::get(tx)?.zone, stamp.now);
    let Wish { practitioner, specialty, healthcare_service, first_day, last_day, part_of_day } =
        wish;
    let specialty = specialty.as_deref().map(practitioner::specialty).transpose()?;
    if let Some(practitioner) = practitioner {
        practitioner::active(tx, practitioner)?;
    }
    if let Some(service) = healthcare_service {
        healthcare_service::active(tx, service)?;
    }
    if practitioner.is_none() && specialty.is_none() && healthcare_service.is_none() {
        let what = "say whom or what they wait for: a practitioner, a speciality or a service";
        return Err(Error::invalid("practitioner_id", what));
    }
    if last_day < first_day || last_day < today || (last_day - first_day).get_days() > DAYS_MAX {
        let what =
            format!("the last day is today or later, at most {DAYS_MAX} days after the first");
        return Err(Error::invalid("to", what));
    }
    Ok(Wish { practitioner, specialty, healthcare_service, first_day, last_day, part_of_day })
}

#[cfg(test)]
mod tests;
