//! A small clinic for tests: a real database in a folder of its own.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::appointment::{Appointment, Booking, book};
use crate::clinic::{Founding, found};
use crate::db::{Db, Keys, Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{AppointmentId, PatientId, PractitionerId, SlotId};
use crate::patient::{self, RawPhone, Registration};
use crate::practitioner;
use crate::schedule;
use crate::slot::{self, Search, Slot};
use crate::stamp::{Actor, Channel, Role, Stamp};

/// A clinic and the folder it lives in.
pub(crate) struct World {
    pub(crate) db: Db,
    _folder: tempfile::TempDir,
    pub(crate) stamp: Stamp,
}

impl World {
    /// A clinic in a zone, at an instant.
    pub(crate) fn at(timezone: &str, now: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let db = Db::create(&folder.path().join("carepost.db"), keys).unwrap();
        let world = Self { db, _folder: folder, stamp: Stamp::of_box(now.parse().unwrap()) };
        let timezone = timezone.to_owned();
        world.write(move |tx, stamp| {
            let name = "Test Clinic".to_owned();
            found(tx, stamp, Founding { name, timezone, country: "IN".into(), demo: false })
        });
        world
    }

    /// A clinic in Kolkata on Monday 2026-11-23, 08:00 local time.
    pub(crate) fn monday() -> Self {
        Self::at("Asia/Kolkata", "2026-11-23T08:00:00+05:30")
    }

    pub(crate) fn role(&self, role: Role) -> Stamp {
        Stamp { actor: Actor::Nobody, role, channel: Channel::Api, now: self.stamp.now }
    }

    pub(crate) fn at_time(&mut self, now: &str) {
        self.stamp.now = now.parse().unwrap();
    }

    pub(crate) fn try_write<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Tx<'_>, &Stamp) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let stamp = self.stamp;
        self.db.write_blocking(move |tx| verb(tx, &stamp))
    }

    #[track_caller]
    pub(crate) fn write<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Tx<'_>, &Stamp) -> Result<T> + Send + 'static,
    ) -> T {
        self.try_write(verb).unwrap()
    }

    #[track_caller]
    pub(crate) fn read<T>(&self, query: impl FnOnce(&Read<'_>, &Stamp) -> Result<T>) -> T {
        self.db.read_blocking(|read| query(read, &self.stamp)).unwrap()
    }

    pub(crate) fn practitioner(&self, name: &str, specialty: &str) -> PractitionerId {
        let addition = practitioner::Addition {
            name: name.into(),
            specialties: vec![specialty.into()],
            location: None,
        };
        self.write(|tx, stamp| practitioner::add(tx, stamp, addition)).id
    }

    /// Sessions on all days of the week, without bounds.
    pub(crate) fn session(
        &self,
        practitioner: PractitionerId,
        (start, end): (&str, &str),
        slot_minutes: i64,
    ) -> schedule::Schedule {
        let addition = all_week(practitioner, (start, end), slot_minutes);
        self.write(|tx, stamp| schedule::add(tx, stamp, addition))
    }

    pub(crate) fn patient(&self, name: &str, phone: &str, birth_date: &str) -> PatientId {
        let registration = Registration {
            name: name.into(),
            phones: vec![RawPhone { number: phone.into(), use_: None }],
            birth_date: Some(birth_date.into()),
            accept_duplicate: true,
            ..Registration::default()
        };
        self.write(|tx, stamp| patient::register(tx, stamp, registration)).id
    }

    /// Free slots of a practitioner on one local date.
    pub(crate) fn slots(&self, practitioner: PractitionerId, date: &str) -> Vec<Slot> {
        let from: Date = date.parse().unwrap();
        let search = Search {
            practitioner: Some(practitioner),
            specialty: None,
            service: None,
            from,
            to: from.tomorrow().unwrap(),
            all: false,
            limit: 1_000,
        };
        self.read(|read, stamp| slot::list(read, stamp, &search))
    }

    pub(crate) fn try_book(&self, patient: PatientId, slot: SlotId) -> Result<Appointment> {
        let booking = booking(self.stamp.now, patient, slot);
        self.try_write(|tx, stamp| book(tx, stamp, booking))
    }

    #[track_caller]
    pub(crate) fn book(&self, patient: PatientId, slot: SlotId) -> Appointment {
        self.try_book(patient, slot).unwrap()
    }
}

pub(crate) fn all_week(
    practitioner: PractitionerId,
    (start, end): (&str, &str),
    slot_minutes: i64,
) -> schedule::Addition {
    schedule::Addition {
        practitioner,
        location: None,
        weekdays: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(String::from).into(),
        start: start.into(),
        end: end.into(),
        slot_minutes,
        slot_capacity: None,
        session_capacity: None,
        valid_from: None,
        valid_to: None,
        lending: schedule::Lending::default(),
    }
}

pub(crate) fn booking(now: Timestamp, patient: PatientId, slot: SlotId) -> Booking {
    Booking {
        id: AppointmentId::new(now),
        patient,
        slot,
        healthcare_service: None,
        reason: None,
        overbook: None,
        hold_minutes: None,
        series: None,
    }
}

/// The code of a refusal; anything else fails the test.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T>) -> Code {
    match result {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("not a refusal: {other:?}"),
    }
}

/// The wall-clock time of slots in a zone, as `HH:MM`.
pub(crate) fn wall_times(slots: &[Slot], timezone: &str) -> Vec<String> {
    let zone = TimeZone::get(timezone).unwrap();
    slots.iter().map(|slot| zone.to_datetime(slot.start).strftime("%H:%M").to_string()).collect()
}
