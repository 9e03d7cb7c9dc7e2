//! The clinic that is measured: years of appointments, made once by the same verbs as the desk uses, kept below the
//! target folder, and copied for each run.
//!
//! Every day the practitioners see patients from 9 to 13 and from 14 to 18 o'clock in slots of ten minutes for two.
//! A day that is over had three of four places taken; of the days ahead the next ones are nearly full and the later
//! ones nearly empty. The smaller clinic is not quieter but younger: its today is the same, its past is shorter.
//!
//! Patients whose day is over arrived and were seen; those of the last month went through the queue as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use carepost::{app, founding};
use fastrand::Rng;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use prm::appointment::{self, Booking, Filter};
use prm::clinic::{self, Founding};
use prm::db::{Db, Tx};
use prm::error::Error;
use prm::id::{AppointmentId, PatientId, PractitionerId, SlotId};
use prm::practitioner;
use prm::queue::{self, Line};
use prm::schedule::{self, Schedule};
use prm::stamp::Stamp;
use prm::time::{at_local_minute, local_date};
use prm::{check_in, location, patient};

use crate::people;
use crate::table::say;

/// Another one makes every kept clinic anew.
const FORMAT: u32 = 1;
const TIMEZONE: &str = "Asia/Kolkata";
/// Places of one practitioner on one day: 8 hours of six slots for two.
const PLACES: usize = 96;
/// Days ahead that have appointments.
const DAYS_AHEAD: i64 = 60;
/// Days before today whose patients went through the queue.
const QUEUED_DAYS: i64 = 30;
/// Registrations that share a commit. More of them would not be quicker: what one verb can undo lies in a list that
/// SQLite walks at the end of each statement.
const PATIENTS_PER_COMMIT: usize = 20;

/// How large a clinic is.
#[derive(Clone, Copy)]
pub struct Size {
    pub appointments: usize,
    pub patients: usize,
    pub practitioners: usize,
}

/// What a clinic's days are made of.
struct House {
    zone: TimeZone,
    patients: Vec<PatientId>,
    schedules: Vec<(PractitionerId, Vec<Schedule>)>,
}

/// The folder of a kept clinic of this size as it stands today, made or brought up to today if need be.
pub fn kept(below: &Path, size: Size, fresh: bool) -> Result<PathBuf> {
    let folder = below.join(size.appointments.to_string());
    let zone = TimeZone::get(TIMEZONE)?;
    let now = Timestamp::now();
    let today = local_date(&zone, now);
    let note = folder.join("made");
    let made = fs::read_to_string(&note).ok().and_then(|text| {
        let (format, date) = text.trim().split_once(' ')?;
        date.parse::<Date>().ok().filter(|_| format == FORMAT.to_string())
    });
    match made {
        Some(date) if !fresh && date == today => return Ok(folder),
        // A clinic of a day soon after can be lived on to today; its diary still reaches that far.
        Some(date) if !fresh && date < today && (today - date).get_days() < 30 => {
            say(&format!("{} appointments: living on to today", size.appointments));
            fs::remove_file(&note)?;
            let db = app::open_db(&folder)?;
            let house = Arc::new(House::found_in(&db)?);
            live(&db, &house, size, (date, today))?;
            db.close();
        }
        Some(_) | None => {
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            make(&folder, size, today)?;
        }
    }
    fs::write(note, format!("{FORMAT} {today}"))?;
    Ok(folder)
}

/// A copy that may be used up.
pub fn copy(kept: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(kept)? {
        let entry = entry?;
        let there = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &there)?;
        } else {
            // Keeps the mode, which keys are refused without.
            fs::copy(entry.path(), there)?;
        }
    }
    Ok(())
}

fn make(folder: &Path, size: Size, today: Date) -> Result<()> {
    let begun = Instant::now();
    let a_day = size.practitioners * taken(-1);
    let ahead: usize = (0..=DAYS_AHEAD).map(|day| size.practitioners * taken(day)).sum();
    let past = size.appointments.saturating_sub(ahead).div_ceil(a_day);
    let first = today.checked_sub(i64::try_from(past)?.days())?;
    let zone = TimeZone::get(TIMEZONE)?;
    let opened = at_local_minute(&zone, first, 6 * 60);
    let db = founding::prepare(folder, opened)?;
    let practitioners = size.practitioners;
    db.write_blocking(move |tx| furnish(tx, &Stamp::of_box(opened), practitioners))?;
    register(&db, size.patients, opened)?;
    let house = Arc::new(House::found_in(&db)?);
    say(&format!(
        "{} appointments: {} patients after {:.0} s",
        size.appointments,
        size.patients,
        begun.elapsed().as_secs_f64()
    ));
    live(&db, &house, size, (first, today))?;
    db.close();
    say(&format!(
        "{} appointments: made in {:.0} s",
        size.appointments,
        begun.elapsed().as_secs_f64()
    ));
    Ok(())
}

fn furnish(tx: &mut Tx<'_>, stamp: &Stamp, practitioners: usize) -> prm::error::Result<()> {
    const SPECIALTIES: [&str; 4] =
        ["general medicine", "paediatrics", "cardiology", "orthopaedics"];
    let founding = Founding {
        name: "Measured Polyclinic".into(),
        timezone: TIMEZONE.into(),
        country: "IN".into(),
        demo: true,
    };
    clinic::found(tx, stamp, founding)?;
    for nth in 0..practitioners {
        let room =
            location::Addition { name: format!("Room {}", nth + 1), kind: location::Kind::Room };
        let room = location::add(tx, stamp, room)?.id;
        let addition = practitioner::Addition {
            name: format!("Dr. Practitioner {}", nth + 1),
            specialties: vec![SPECIALTIES[nth % SPECIALTIES.len()].into()],
            location: Some(room),
        };
        let practitioner = practitioner::add(tx, stamp, addition)?.id;
        for (start, end) in [("09:00", "13:00"), ("14:00", "18:00")] {
            let addition = schedule::Addition {
                practitioner,
                location: None,
                weekdays: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
                    .map(String::from)
                    .into(),
                start: start.into(),
                end: end.into(),
                slot_minutes: 10,
                slot_capacity: Some(2),
                session_capacity: None,
                valid_from: None,
                valid_to: None,
                lending: schedule::Lending::default(),
            };
            schedule::add(tx, stamp, addition)?;
        }
    }
    Ok(())
}

fn register(db: &Db, count: usize, opened: Timestamp) -> Result<()> {
    let people = people::population(&mut Rng::with_seed(1), count);
    let mut begun = Instant::now();
    for (nth, some) in people.chunks(PATIENTS_PER_COMMIT).enumerate() {
        let some = some.to_vec();
        db.write_blocking(move |tx| {
            for registration in some {
                match patient::register(tx, &Stamp::of_box(opened), registration) {
                    // Two may have drawn one identifier.
                    Ok(_) | Err(Error::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })?;
        let done = (nth + 1) * PATIENTS_PER_COMMIT;
        if done.is_multiple_of(20_000) {
            let each = begun.elapsed().as_secs_f64() / 20_000.0;
            say(&format!("  {done} patients, {:.2} ms each", each * 1e3));
            begun = Instant::now();
        }
    }
    Ok(())
}

/// Lives from the morning of one day to the morning of another, and fills the diary ahead of that.
fn live(db: &Db, house: &Arc<House>, size: Size, (from, to): (Date, Date)) -> Result<()> {
    let mut date = from;
    while date < to {
        let queued = (to - date).get_days() <= QUEUED_DAYS as i32;
        fill(db, house, date, taken(-1), date)?;
        close(db, house, date, queued)?;
        date = date.tomorrow()?;
        if (to - date).get_days() % 100 == 0 {
            say(&format!("{} appointments: lived to {date}", size.appointments));
        }
    }
    for ahead in 0..=DAYS_AHEAD {
        fill(db, house, to.checked_add(ahead.days())?, taken(ahead), to)?;
    }
    Ok(())
}

/// Places of one practitioner that are taken on a day that is so far ahead; a negative one is over.
fn taken(ahead: i64) -> usize {
    let full = 0.77 * PLACES as f64;
    let share = if ahead < 0 { full } else { full * (-ahead as f64 / 3.0).exp() + 1.0 };
    share.round() as usize
}

/// Books on one date until so many places of each practitioner are taken; always the same places first.
fn fill(db: &Db, house: &Arc<House>, date: Date, places: usize, on: Date) -> Result<()> {
    let day =
        400 * u64::from(date.year().unsigned_abs()) + u64::from(date.day_of_year().unsigned_abs());
    for nth in 0..house.schedules.len() {
        let house = Arc::clone(house);
        db.write_blocking(move |tx| {
            let stamp = Stamp::of_box(at_local_minute(&house.zone, on, 7 * 60));
            let (_, schedules) = &house.schedules[nth];
            let mut rng = Rng::with_seed(day * 1_000 + nth as u64);
            let mut order: Vec<usize> = (0..PLACES).collect();
            rng.shuffle(&mut order);
            for place in order.into_iter().take(places) {
                let schedule = &schedules[place / (PLACES / 2)];
                let minute = u16::try_from(place % (PLACES / 2) / 2 * 10).unwrap_or(0);
                let start = at_local_minute(&house.zone, date, schedule.start_minute + minute);
                book(tx, &stamp, SlotId::new(schedule.id, start), &mut rng, &house.patients)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn book(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    slot: SlotId,
    rng: &mut Rng,
    patients: &[PatientId],
) -> prm::error::Result<()> {
    /// Draws of a patient who is not somewhere else at that time.
    const DRAWS: usize = 3;
    for _ in 0..DRAWS {
        let booking = booking(stamp.now, slot, patients[rng.usize(..patients.len())]);
        match appointment::book(tx, stamp, booking) {
            Ok(_) => return Ok(()),
            Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A plain booking.
pub fn booking(now: Timestamp, slot: SlotId, patient: PatientId) -> Booking {
    Booking {
        id: AppointmentId::new(now),
        patient,
        slot,
        healthcare_service: None,
        reason: Some("follow-up".into()),
        overbook: None,
        hold_minutes: None,
        series: None,
    }
}

/// The end of a day: one of twenty called off, one of twelve did not come, the others were seen.
fn close(db: &Db, house: &Arc<House>, date: Date, queued: bool) -> Result<()> {
    let mut rng = Rng::with_seed(u64::from(date.day_of_year().unsigned_abs()));
    for (practitioner, _) in &house.schedules {
        let (house, practitioner, mut rng) = (Arc::clone(house), *practitioner, rng.fork());
        db.write_blocking(move |tx| {
            let at = |minute| at_local_minute(&house.zone, date, minute);
            let (morning, evening) = (Stamp::of_box(at(8 * 60)), Stamp::of_box(at(19 * 60)));
            let (from, to) = (Some(at(0)), Some(at(1440)));
            let filter = Filter { from, to, practitioner: Some(practitioner), ..Filter::default() };
            for visit in appointment::list(tx, &morning, &filter, appointment::LIST_MAX)? {
                let during = Stamp::of_box(visit.start);
                match rng.u8(..60) {
                    0..3 => {
                        let reason = Some("patient called".into());
                        appointment::cancel(tx, &morning, (visit.id, None), reason)?;
                    }
                    3..8 => {
                        appointment::no_show(tx, &evening, visit.id, None)?;
                    }
                    _ if queued => {
                        check_in::check_in(tx, &during, visit.id)?;
                        queue::call_next(tx, &during, Line::Practitioner(practitioner), true)?;
                    }
                    _ => {
                        appointment::arrive(tx, &during, visit.id, None)?;
                        appointment::complete(tx, &during, visit.id, None)?;
                    }
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

impl House {
    fn found_in(db: &Db) -> Result<Self> {
        let zone = TimeZone::get(TIMEZONE)?;
        db.read_at_length(|read| {
            let stamp = Stamp::of_box(Timestamp::now());
            let mut schedules = Vec::new();
            for practitioner in practitioner::list(read, &stamp)? {
                schedules
                    .push((practitioner.id, schedule::list(read, &stamp, Some(practitioner.id))?));
            }
            let mut patients = Vec::new();
            let mut before = None;
            loop {
                let page = patient::newest(read, &stamp, false, before, 500)?;
                let Some(last) = page.last() else { break };
                before = Some(last.number);
                patients.extend(page.iter().map(|patient| patient.id));
            }
            Ok(Self { zone, patients, schedules })
        })
        .context("the kept clinic cannot be read; make it anew with --fresh")
    }
}
