//! What everybody who looks at the demonstration is promised, at any hour.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Date;
use prm::appointment::{self, Appointment, Filter, Status};
use prm::audit::{self, Verdict};
use prm::db::{Db, Keys};
use prm::patient;
use prm::queue::{self, Kind, QueueEntry};
use prm::schedule;
use prm::stamp::Stamp;
use prm::time::{at_local_minute, local_date, start_of_day};

use super::house::after;
use super::*;

/// Patients of a clinic that shows a day and is quickly made.
const FEW: usize = 500;

struct Shown {
    db: Db,
    made: Furnished,
    now: Timestamp,
    zone: TimeZone,
    today: Date,
    stamp: Stamp,
    _folder: tempfile::TempDir,
}

fn shown_at(now: &str, patients: usize) -> Shown {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys")).unwrap();
    let db = Db::create(&folder.path().join("carepost.db"), keys).unwrap();
    let now: Timestamp = now.parse().unwrap();
    let zone = TimeZone::get(TIMEZONE).unwrap();
    let made = furnish_with(&db, now, 7, (patients, FUTURE_DAYS)).unwrap();
    let (today, stamp) = (local_date(&zone, now), Stamp::of_box(now));
    Shown { db, made, now, zone, today, stamp, _folder: folder }
}

impl Shown {
    /// Every appointment from the beginning of a day to that of another.
    fn appointments(&self, from: i32, to: i32) -> Vec<Appointment> {
        let mut all = Vec::new();
        for day in from..to {
            let bounds = [day, day + 1].map(|day| start_of_day(&self.zone, after(self.today, day)));
            let [from, to] = bounds.map(Some);
            let filter = Filter { from, to, ..Filter::default() };
            all.extend(
                self.db
                    .read_blocking(|read| appointment::list(read, &self.stamp, &filter, 2_000))
                    .unwrap(),
            );
        }
        all
    }

    fn queue(&self) -> Vec<QueueEntry> {
        self.db.read_blocking(|read| queue::list(read, &self.stamp, self.today, None)).unwrap()
    }

    /// What everybody who looks at the demonstration is promised, whatever the hour.
    fn is_alive(&self) {
        let queue = self.queue();
        let stands = |status: queue::Status| queue.iter().filter(|e| e.status == status).count();
        assert!(stands(queue::Status::Waiting) >= 3, "{} wait", stands(queue::Status::Waiting));
        assert!(stands(queue::Status::Called) >= 1);
        assert!(stands(queue::Status::Skipped) >= 1);
        let desk = |entry: &QueueEntry| {
            entry.kind == Kind::Desk
                && matches!(entry.status, queue::Status::Waiting | queue::Status::Called)
        };
        assert!(queue.iter().any(desk));
        assert!(queue.iter().any(|entry| entry.kind == Kind::WalkIn));

        let hour = self.now + SignedDuration::from_hours(1);
        let near = self.appointments(0, 2);
        let next: Vec<&Appointment> =
            near.iter().filter(|found| found.start >= self.now && found.start < hour).collect();
        assert!(next.iter().any(|found| found.status == Status::Booked));
        assert!(next.len() >= 3, "{} in the next hour", next.len());

        let guest = self.made.guest.as_ref().unwrap();
        assert_eq!(local_date(&self.zone, guest.start), self.today);
        assert!((guest.start - self.now).total(jiff::Unit::Minute).unwrap().abs() <= 60.0);
        let ticket = {
            let (id, stamp) = (guest.appointment, self.stamp);
            self.db.write_blocking(move |tx| prm::check_in::check_in(tx, &stamp, id)).unwrap()
        };
        assert_eq!(ticket.entry.status, queue::Status::Waiting);

        assert_eq!(self.made.refused, 0);
        let whole = self.db.read_at_length(|read| audit::verify(read, self.db.keys())).unwrap();
        assert!(matches!(whole, Verdict::Whole { .. }));
    }
}

#[test]
fn on_a_monday_morning_the_clinic_is_in_full_swing() {
    let shown = shown_at("2026-11-23T11:00:00+05:30", PATIENTS);
    assert_eq!(shown.made.patients, PATIENTS);
    let past = shown.appointments(-PAST_DAYS, 0);
    let today = shown.appointments(0, 1);
    let future = shown.appointments(1, 60);
    let all = past.len() + today.len() + future.len();
    assert_eq!(shown.made.appointments, all);
    assert!((2_500..5_000).contains(&all), "{all} appointments");

    let share = |status: Status| {
        past.iter().filter(|found| found.status == status).count() * 100 / past.len()
    };
    assert!(share(Status::Fulfilled) >= 70, "{}", share(Status::Fulfilled));
    assert!((2..=15).contains(&share(Status::Noshow)), "{}", share(Status::Noshow));
    assert!((2..=15).contains(&share(Status::Cancelled)), "{}", share(Status::Cancelled));
    let off = |found: &&Appointment| found.status == Status::Cancelled;
    assert!(past.iter().filter(off).all(|found| found.cancel_reason.is_some()));
    let over = [Status::Fulfilled, Status::Noshow, Status::Cancelled];
    assert!(past.iter().all(|found| over.contains(&found.status)));

    assert!(today.iter().any(|found| found.status == Status::Fulfilled));
    assert!(today.iter().any(|found| found.status == Status::CheckedIn));
    assert!(today.iter().any(|found| found.status == Status::Booked && found.start > shown.now));
    let near = [today, future].concat();
    assert!(near.iter().any(|found| found.is_overbooked() && found.overbook_reason.is_some()));
    assert!(near.iter().filter(|found| found.status == Status::Pending).count() >= 2);
    assert!(near.iter().filter(|found| found.series.is_some()).count() >= 6);

    let read = |limit| {
        shown.db.read_blocking(|read| patient::duplicates(read, &shown.stamp, None, limit)).unwrap()
    };
    let duplicates = read(200);
    assert!((20..=80).contains(&duplicates.len()), "{} duplicates", duplicates.len());
    let scripts: HashSet<u32> = shown
        .appointments(-PAST_DAYS, 60)
        .iter()
        .filter_map(|found| found.patient_name.chars().next())
        .map(|letter| u32::from(letter) / 0x80)
        .collect();
    assert!(scripts.len() >= 5, "{} scripts", scripts.len());
    shown.is_alive();
}

#[test]
fn on_a_sunday_before_midnight_somebody_can_still_check_in() {
    shown_at("2026-11-22T23:40:00+05:30", FEW).is_alive();
}

#[test]
fn at_midnight_of_a_holiday_the_day_has_begun() {
    shown_at("2027-01-26T00:00:00+05:30", FEW).is_alive();
}

#[test]
fn the_same_seed_makes_the_same_days() {
    let seen = || {
        let shown = shown_at("2026-11-25T18:20:00+05:30", FEW);
        let seen = |found: Appointment| (found.start, found.patient_name, found.status.as_str());
        shown.appointments(-PAST_DAYS, 60).into_iter().map(seen).collect::<Vec<_>>()
    };
    let (mut one, mut two) = (seen(), seen());
    one.sort();
    two.sort();
    let differs = one.iter().zip(&two).find(|(one, two)| one != two);
    assert!(one.len() == two.len() && differs.is_none(), "{differs:?}");
}

#[test]
fn at_every_hour_of_the_week_three_practitioners_hold_a_session() {
    let shown = shown_at("2026-11-23T08:00:00+05:30", 50);
    let schedules =
        shown.db.read_blocking(|read| schedule::list(read, &shown.stamp, None)).unwrap();
    for quarter in 0..7_u16 * 24 * 4 {
        let (day, minute) = (i32::from(quarter / 96), quarter % 96 * 15);
        let date = after(shown.today, day);
        let on: HashSet<PractitionerId> = schedules
            .iter()
            .filter(|s| s.is_on(date) && s.start_minute <= minute && minute < s.end_minute)
            .map(|schedule| schedule.practitioner)
            .filter(|who| {
                let away =
                    |read: &prm::db::Read<'_>| schedule::away(read, *who, date, after(date, 1));
                shown.db.read_blocking(away).unwrap().is_empty()
            })
            .collect();
        let at = at_local_minute(&shown.zone, date, minute);
        assert!(on.len() >= 3, "{} at {at}", on.len());
    }
}

#[test]
fn an_earlier_demonstration_is_served_again_and_a_real_clinic_never() {
    let shown = shown_at("2026-11-23T09:00:00+05:30", 50);
    let (guest, pairing) = again(&shown.db, shown.now).unwrap();
    assert_eq!(guest, shown.made.guest);
    assert_eq!(pairing, shown.made.pairing, "what was printed is good still");
    let (stamp, code) = (shown.stamp, pairing.kiosk.clone());
    shown.db.write_blocking(move |tx| device::claim(tx, &stamp, &code)).unwrap();
    let (_, next) = again(&shown.db, shown.now).unwrap();
    assert_ne!(next.kiosk, pairing.kiosk, "a code that was used is good no more");
    for _ in 0..device::OFFERS_MAX {
        again(&shown.db, shown.now).expect("it may be started as often as one likes");
    }

    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys")).unwrap();
    let db = Db::create(&folder.path().join("carepost.db"), keys).unwrap();
    let stamp = shown.stamp;
    let founding = Founding {
        name: "A real one".into(),
        timezone: TIMEZONE.into(),
        country: "IN".into(),
        demo: false,
    };
    db.write_blocking(move |tx| clinic::found(tx, &stamp, founding)).unwrap();
    assert!(matches!(again(&db, shown.now), Err(Error::Refused(_))));
}
