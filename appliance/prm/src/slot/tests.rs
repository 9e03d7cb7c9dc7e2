//! Which times there are.

use crate::fixture::{World, all_week, wall_times};
use crate::schedule;
use crate::time::local_date;

#[test]
fn a_session_offers_its_slots_until_they_are_taken_or_over() {
    let mut world = World::monday();
    let doctor = world.practitioner("Dr. Rajiv Sharma", "cardiology");
    world.session(doctor, ("09:00", "10:00"), 15);
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let slots = world.slots(doctor, "2026-11-23");
    assert_eq!(wall_times(&slots, "Asia/Kolkata"), ["09:00", "09:15", "09:30", "09:45"]);
    world.book(asha, slots[1].id);
    world.at_time("2026-11-23T09:10:00+05:30");
    let slots = world.slots(doctor, "2026-11-23");
    assert_eq!(wall_times(&slots, "Asia/Kolkata"), ["09:30", "09:45"]);
}

#[test]
fn leave_and_closed_days_take_the_slots_away_and_give_them_back() {
    let world = World::monday();
    let doctor = world.practitioner("Dr. Rajiv Sharma", "cardiology");
    world.session(doctor, ("09:00", "10:00"), 30);
    let day = "2026-11-25".parse().unwrap();
    let leave =
        world.write(move |tx, stamp| schedule::take_leave(tx, stamp, doctor, (day, day), None));
    assert!(world.slots(doctor, "2026-11-25").is_empty());
    assert_eq!(world.slots(doctor, "2026-11-26").len(), 2);
    world.write(move |tx, stamp| schedule::cancel_leave(tx, stamp, leave.id, None));
    assert_eq!(world.slots(doctor, "2026-11-25").len(), 2);
    world.write(move |tx, stamp| schedule::close(tx, stamp, day, Some("Diwali".into())));
    assert!(world.slots(doctor, "2026-11-25").is_empty());
    world.write(move |tx, stamp| schedule::reopen(tx, stamp, day));
    assert_eq!(world.slots(doctor, "2026-11-25").len(), 2);
}

#[test]
fn a_full_session_has_no_free_slot_left() {
    let world = World::monday();
    let doctor = world.practitioner("Dr. Rajiv Sharma", "cardiology");
    let mut addition = all_week(doctor, ("09:00", "11:00"), 30);
    addition.session_capacity = Some(1);
    world.write(|tx, stamp| schedule::add(tx, stamp, addition));
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let slots = world.slots(doctor, "2026-11-23");
    assert_eq!(slots.len(), 4);
    world.book(asha, slots[0].id);
    assert!(world.slots(doctor, "2026-11-23").is_empty());
}

/// Sessions at night, over the change of the clock, in a zone on a date.
fn night(timezone: &str, date: &str, session: (&str, &str), minutes: i64) -> Vec<String> {
    let world = World::at(timezone, "2026-01-01T00:00:00Z");
    let doctor = world.practitioner("Dr. Night", "emergency");
    world.session(doctor, session, minutes);
    wall_times(&world.slots(doctor, date), timezone)
}

#[test]
fn an_hour_that_does_not_exist_has_no_slots() {
    assert_eq!(
        night("America/New_York", "2026-03-08", ("01:00", "04:00"), 30),
        ["01:00", "01:30", "03:00", "03:30"]
    );
    assert_eq!(
        night("Europe/London", "2026-03-29", ("00:00", "03:00"), 30),
        ["00:00", "00:30", "02:00", "02:30"]
    );
    // Lord Howe moves by half an hour: 02:00 becomes 02:30.
    assert_eq!(
        night("Australia/Lord_Howe", "2026-10-04", ("01:00", "03:30"), 30),
        ["01:00", "01:30", "02:30", "03:00"]
    );
    assert_eq!(night("Asia/Kolkata", "2026-03-29", ("01:00", "03:00"), 60), ["01:00", "02:00"]);
}

#[test]
fn an_hour_that_exists_twice_has_slots_twice() {
    assert_eq!(
        night("America/New_York", "2026-11-01", ("01:00", "02:30"), 30),
        ["01:00", "01:30", "01:00", "01:30", "02:00"]
    );
    assert_eq!(
        night("Europe/London", "2026-10-25", ("00:30", "02:00"), 30),
        ["00:30", "01:00", "01:30", "01:00", "01:30"]
    );
    // 02:00 becomes 01:30.
    assert_eq!(
        night("Australia/Lord_Howe", "2026-04-05", ("01:00", "02:30"), 30),
        ["01:00", "01:30", "01:30", "02:00"]
    );
}

#[test]
fn a_morning_session_stays_at_its_local_time_when_the_clock_changes() {
    for (timezone, before, after) in [
        ("America/New_York", "2026-03-07", "2026-03-09"),
        ("Europe/London", "2026-10-24", "2026-10-26"),
        ("Australia/Lord_Howe", "2026-10-03", "2026-10-05"),
        ("Asia/Kolkata", "2026-03-28", "2026-03-30"),
    ] {
        for date in [before, after] {
            assert_eq!(night(timezone, date, ("09:00", "09:30"), 30), ["09:00"], "{timezone}");
        }
    }
}

#[test]
fn slots_of_one_day_all_lie_on_that_day() {
    let world = World::at("Australia/Lord_Howe", "2026-01-01T00:00:00Z");
    let doctor = world.practitioner("Dr. Night", "emergency");
    world.session(doctor, ("00:00", "24:00"), 15);
    let zone = jiff::tz::TimeZone::get("Australia/Lord_Howe").unwrap();
    let slots = world.slots(doctor, "2026-04-05");
    assert_eq!(slots.len(), 24 * 4 + 2, "half an hour more");
    assert!(
        slots.iter().all(|slot| local_date(&zone, slot.start) == "2026-04-05".parse().unwrap())
    );
}
