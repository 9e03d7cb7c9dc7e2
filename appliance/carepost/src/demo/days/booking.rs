//! Booking and everything that happens to an appointment before its day.

use jiff::Timestamp;
use jiff::civil::Date;
use prm::appointment::{self, Booking, Every, Status, Unit};
use prm::db::Tx;
use prm::error::Result;
use prm::id::{AppointmentId, HealthcareServiceId, PatientId, PractitionerId};
use prm::schedule;
use prm::slot::{self, Slot};

use super::super::house::{CASUALTY, GENERAL, after};
use super::{Days, Event, Who, Wish, minutes};

/// Nobody books for the next few minutes.
const NOTICE_MINUTES: i64 = 10;
const CALLED_OFF: &[&str] = &[
    "Patient called: out of town",
    "Patient called: feeling better",
    "Patient asked by WhatsApp for another week",
    "Booked twice by mistake",
    "Patient went to another hospital",
];
const SQUEEZED_IN: &[&str] =
    &["Severe pain, doctor agreed", "Report came late, two minutes only", "Doctor asked to add"];
/// How long a hold lasts, in minutes: longer than a look around.
const HOLD_MINUTES: i64 = 50;

impl Days {
    pub(super) fn book(&mut self, tx: &mut Tx<'_>, at: Timestamp, wish: &Wish) -> Result<()> {
        let service = self.healthcare_service(wish.session);
        let Some(slot) = self.free_slot(tx, at, wish, service)? else { return Ok(()) };
        let session = &self.sessions[wish.session];
        let (seat, date) = (session.seat, session.date);
        let who = self.added[session.added].who;
        let Some((_, patient)) = self.somebody(who, date) else { return Ok(()) };
        let reason = self.reason(seat);
        let booking = Booking {
            healthcare_service: service,
            reason,
            ..plain(AppointmentId::new(at), patient, &slot)
        };
        let booked = appointment::book(tx, &self.clerk(at), booking)?;
        self.tally.appointments += 1;
        self.follow_up(at, booked.id, booked.start, true);
        Ok(())
    }

    pub(super) fn confirm(
        &mut self,
        tx: &mut Tx<'_>,
        at: Timestamp,
        id: AppointmentId,
    ) -> Result<()> {
        let stamp = self.clerk(at);
        let found = appointment::get(tx, &stamp, id)?;
        if found.status == Status::Booked && found.start > at {
            appointment::confirm(tx, &stamp, id, None)?;
        }
        Ok(())
    }

    pub(super) fn cancel(
        &mut self,
        tx: &mut Tx<'_>,
        at: Timestamp,
        id: AppointmentId,
    ) -> Result<()> {
        let stamp = self.clerk(at);
        let found = appointment::get(tx, &stamp, id)?;
        if found.status == Status::Booked {
            let reason = self.pick(CALLED_OFF);
            appointment::cancel(tx, &stamp, (id, None), Some(reason))?;
        }
        Ok(())
    }

    /// Moves an appointment to another day of the same practitioner.
    pub(super) fn move_on(
        &mut self,
        tx: &mut Tx<'_>,
        at: Timestamp,
        id: AppointmentId,
    ) -> Result<()> {
        let stamp = self.clerk(at);
        let found = appointment::get(tx, &stamp, id)?;
        if found.status != Status::Booked {
            return Ok(());
        }
        let date = after(self.date(found.start), self.rng.i32(1..6));
        let day = (Some(found.practitioner), found.healthcare_service);
        let slots = self.free_on(tx, at, day, date)?;
        let place = self.place_of.get(&found.patient).copied();
        let mut start = found.start;
        if let (Some(slot), Some(nth)) = (self.rng.choice(&slots), place)
            && self.comes.insert((nth, date))
        {
            start = appointment::move_to(tx, &stamp, (id, None), slot.id, None)?.start;
        }
        self.follow_up(at, id, start, false);
        Ok(())
    }

    /// What will become of an appointment.
    fn follow_up(&mut self, at: Timestamp, id: AppointmentId, start: Timestamp, movable: bool) {
        let day = self.day_start(self.date(start));
        if self.chance(30) && at < day - minutes(14 * 60) {
            let asked = self.between(day - minutes(6 * 60), day - minutes(4 * 60));
            self.push(asked, Event::Confirm(id));
        }
        let before = start - minutes(90);
        match self.rng.u8(..100) {
            0..=7 if at < before => {
                let called = self.between(at, before);
                self.push(called, Event::Cancel(id));
            }
            8..=10 if at < before && movable => {
                let called = self.between(at, before);
                self.push(called, Event::Move(id));
            }
            11..=17 => {
                let given_up = start + minutes(self.rng.i64(35..55));
                self.push(given_up, Event::NoShow(id, start));
            }
            _ => {
                let came = start - minutes(self.rng.i64(-6..26));
                let came = self.between(came, came + minutes(1)).max(day).max(at);
                if self.chance(12) {
                    self.push(came, Event::Arrive(id, start));
                    self.push(came + minutes(3), Event::CheckIn(id, start));
                } else {
                    self.push(came, Event::CheckIn(id, start));
                }
            }
        }
    }

    /// A practitioner is away: the nearest appointments are called off, the others wait for the
    /// desk to move them.
    pub(super) fn take_leave(
        &mut self,
        tx: &mut Tx<'_>,
        at: Timestamp,
        seat: usize,
        (from, to): (Date, Date),
    ) -> Result<()> {
        let stamp = self.clerk(at);
        let practitioner = self.practitioners[seat];
        let reason = Some("Family wedding".to_owned());
        schedule::take_leave(tx, &stamp, practitioner, (from, to), reason)?;
        let stretch = (self.day_start(from), self.day_start(after(self.today, 1)));
        for affected in appointment::standing_of(tx, &stamp, practitioner, stretch)? {
            let reason = Some("Doctor on leave; patient will call for a new date".to_owned());
            appointment::cancel(tx, &stamp, (affected.id, None), reason)?;
        }
        Ok(())
    }

    /// Somebody is squeezed in where the day is full, today if it still can be.
    pub(super) fn overbook(&mut self, tx: &mut Tx<'_>, at: Timestamp) -> Result<()> {
        let stamp = self.clerk(at);
        let today = self.date(at);
        for date in [today, after(today, 1), after(today, 2)] {
            let mut slots = slot::list(tx, &stamp, &search(None, None, date, true))?;
            slots.sort_by_key(|slot| (slot.start, self.seat(slot)));
            // Also later than now, so that it is seen before it is over.
            let soonest = at.max(self.now.min(at + minutes(60))) + minutes(5);
            slots.retain(|slot| slot.free == 0 && slot.start >= soonest && self.is_planned(slot));
            let Some(slot) = slots.first() else { continue };
            let who = self.who(slot);
            let Some((_, patient)) = self.somebody(who, date) else { continue };
            let reason = self.pick(SQUEEZED_IN);
            let booking =
                Booking { overbook: Some(reason), ..plain(AppointmentId::new(at), patient, slot) };
            let booked = appointment::book(tx, &stamp, booking)?;
            self.tally.appointments += 1;
            let came = (booked.start - minutes(5)).max(at);
            self.push(came, Event::CheckIn(booked.id, booked.start));
            return Ok(());
        }
        Ok(())
    }

    /// Somebody thinks about it at the telephone.
    pub(super) fn hold(&mut self, tx: &mut Tx<'_>, at: Timestamp) -> Result<()> {
        let stamp = self.clerk(at);
        let ahead = self.rng.i32(0..3);
        for date in [after(self.date(at), ahead), after(self.date(at), 1)] {
            let mut slots = self.free_on(tx, at, (None, None), date)?;
            slots.retain(|slot| slot.start > self.now + minutes(60) && self.is_planned(slot));
            let Some(slot) = self.rng.choice(&slots).cloned() else { continue };
            let who = self.who(&slot);
            let Some((_, patient)) = self.somebody(who, date) else { continue };
            let booking = Booking {
                hold_minutes: Some(HOLD_MINUTES),
                ..plain(AppointmentId::new(at), patient, &slot)
            };
            appointment::book(tx, &stamp, booking)?;
            self.tally.appointments += 1;
            return Ok(());
        }
        Ok(())
    }

    /// Somebody comes again and again.
    pub(super) fn book_series(
        &mut self,
        tx: &mut Tx<'_>,
        at: Timestamp,
        every_day: bool,
    ) -> Result<()> {
        let seat = if every_day { CASUALTY } else { GENERAL };
        let first = after(self.today, 1);
        for date in [first, after(first, 1), after(first, 2)] {
            let slots = self.free_on(tx, at, (Some(self.practitioners[seat]), None), date)?;
            let by_day = |slot: &&Slot| (9..18).contains(&self.zone.to_datetime(slot.start).hour());
            let Some(slot) = slots.iter().find(by_day) else { continue };
            let who = self.who(slot);
            let Some((_, patient)) = self.somebody(who, date) else { continue };
            let reason = if every_day { "Dressing every day" } else { "Weekly blood pressure" };
            let booking = Booking {
                reason: Some(reason.to_owned()),
                ..plain(AppointmentId::new(at), patient, slot)
            };
            let unit = if every_day { Unit::Day } else { Unit::Week };
            let every = Every { unit, interval: 1, count: if every_day { 5 } else { 6 } };
            let repeated = appointment::book_series(tx, &self.clerk(at), booking, every)?;
            self.tally.appointments += repeated.booked.len();
            return Ok(());
        }
        Ok(())
    }

    /// Somebody for whoever watches the demonstration: comes soon and has not checked in.
    pub(super) fn invite_guest(&mut self, tx: &mut Tx<'_>, at: Timestamp) -> Result<()> {
        let mut slots = self.free_on(tx, at, (None, None), self.date(at))?;
        slots.retain(|slot| slot.start <= self.now + minutes(60) && self.is_planned(slot));
        let soon = slots.iter().find(|slot| slot.start >= self.now + minutes(8));
        let Some(slot) = soon.or(slots.last()).cloned() else { return Ok(()) };
        let who = self.who(&slot);
        let Some((_, patient)) = self.somebody(who, self.date(slot.start)) else { return Ok(()) };
        let booking = plain(AppointmentId::new(at), patient, &slot);
        appointment::book(tx, &self.clerk(at), booking)?;
        self.tally.appointments += 1;
        Ok(())
    }

    /// A free slot of a session that fits a wish, if there is one.
    fn free_slot(
        &mut self,
        tx: &Tx<'_>,
        at: Timestamp,
        wish: &Wish,
        service: Option<HealthcareServiceId>,
    ) -> Result<Option<Slot>> {
        let session = &self.sessions[wish.session];
        let earliest = wish.between.0.max(at + minutes(NOTICE_MINUTES));
        if session.end <= earliest {
            return Ok(None);
        }
        let schedule = self.added[session.added].id;
        let day = (Some(self.practitioners[session.seat]), service);
        let mut slots = self.free_on(tx, at, day, session.date)?;
        slots.retain(|slot| {
            slot.id.schedule == schedule && slot.start >= earliest && slot.start < wish.between.1
        });
        Ok(self.rng.choice(slots))
    }

    fn free_on(
        &self,
        tx: &Tx<'_>,
        at: Timestamp,
        (practitioner, service): (Option<PractitionerId>, Option<HealthcareServiceId>),
        date: Date,
    ) -> Result<Vec<Slot>> {
        let mut slots =
            slot::list(tx, &self.clerk(at), &search(practitioner, service, date, false))?;
        // By seat, not by id: ids are random and the days are to be the same each time.
        slots.sort_by_key(|slot| (slot.start, self.seat(slot)));
        Ok(slots)
    }

    /// Whether a slot is long enough for a visit without a service and needs no equipment.
    fn is_planned(&self, slot: &Slot) -> bool {
        self.added.iter().any(|added| added.id == slot.id.schedule && added.services.len() != 1)
    }

    fn seat(&self, slot: &Slot) -> Option<usize> {
        self.practitioners.iter().position(|id| *id == slot.practitioner)
    }

    fn who(&self, slot: &Slot) -> Who {
        let added = self.added.iter().find(|added| added.id == slot.id.schedule);
        added.map_or(Who::Adult, |added| added.who)
    }
}

fn plain(id: AppointmentId, patient: PatientId, slot: &Slot) -> Booking {
    Booking {
        id,
        patient,
        slot: slot.id,
        healthcare_service: None,
        reason: None,
        overbook: None,
        hold_minutes: None,
        series: None,
    }
}

fn search(
    practitioner: Option<PractitionerId>,
    service: Option<HealthcareServiceId>,
    date: Date,
    all: bool,
) -> slot::Search {
    slot::Search {
        practitioner,
        specialty: None,
        service,
        from: date,
        to: after(date, 1),
        all,
        limit: slot::SLOTS_MAX,
    }
}
