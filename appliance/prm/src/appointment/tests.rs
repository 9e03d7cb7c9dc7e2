//! What may and may not become of an appointment.

use proptest::prelude::*;

use super::*;
use crate::audit;
use crate::db::Tx;
use crate::error::Code;
use crate::fixture::{World, all_week, booking, refusal};
use crate::healthcare_service;
use crate::location;
use crate::schedule;
use crate::slot;
use crate::stamp::Stamp;

fn clinic() -> (World, PractitionerId, Vec<SlotId>) {
    let world = World::monday();
    let doctor = world.practitioner("Dr. Rajiv Sharma", "cardiology");
    world.session(doctor, ("09:00", "12:00"), 15);
    let slots = world.slots(doctor, "2026-11-23").iter().map(|slot| slot.id).collect();
    (world, doctor, slots)
}

#[test]
fn a_practitioner_is_never_booked_twice() {
    let (world, _, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let ravi = world.patient("Ravi Rao", "98441 11173", "1980");
    world.book(asha, slots[0]);
    assert_eq!(refusal(world.try_book(ravi, slots[0])), Code::SlotTaken(slots[0]));
    // Below the rules the table itself refuses: nothing above it can go wrong unnoticed.
    let doubled = world.try_write(|tx, _| {
        let again = tx.sql().execute(
            "INSERT INTO claim SELECT actor, tick, lane, appointment, until, loan FROM claim LIMIT 1",
            [],
        );
        Ok(again.is_err())
    });
    assert!(doubled.unwrap());
}

#[test]
fn the_nearest_alternatives_are_free_and_near() {
    let (world, doctor, slots) = clinic();
    let colleague = world.practitioner("Dr. Meena Iyer", "cardiology");
    world.session(colleague, ("09:00", "10:00"), 15);
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    world.book(asha, slots[2]);
    let near = world.read(|read, stamp| slot::nearest(read, stamp, slots[2], None));
    assert_eq!(near.len(), slot::ALTERNATIVES_MAX);
    assert_eq!(near[0].practitioner, doctor);
    assert!([slots[1], slots[3]].contains(&near[0].id));
    assert!(near.iter().all(|slot| slot.id != slots[2]));
}

#[test]
fn a_slot_for_two_takes_two_and_no_more() {
    let world = World::monday();
    let doctor = world.practitioner("Dr. Rajiv Sharma", "cardiology");
    let mut addition = all_week(doctor, ("09:00", "10:00"), 30);
    addition.slot_capacity = Some(2);
    world.write(|tx, stamp| schedule::add(tx, stamp, addition));
    let slot = world.slots(doctor, "2026-11-23")[0].id;
    let people = ["Asha", "Ravi", "Meena"].map(|name| world.patient(name, "98441 11173", "1984"));
    world.book(people[0], slot);
    assert_eq!(world.slots(doctor, "2026-11-23")[0].free, 1);
    world.book(people[1], slot);
    assert_eq!(refusal(world.try_book(people[2], slot)), Code::SlotTaken(slot));
}

#[test]
fn a_room_that_a_service_needs_is_never_booked_twice() {
    let world = World::monday();
    let doctors = ["Dr. A", "Dr. B"].map(|name| {
        let doctor = world.practitioner(name, "radiology");
        world.session(doctor, ("09:00", "12:00"), 15);
        doctor
    });
    let scanner = world.write(|tx, stamp| {
        let kind = location::Kind::Equipment;
        location::add(tx, stamp, location::Addition { name: "Ultrasound".into(), kind })
    });
    let scan = world.write(move |tx, stamp| {
        let addition = healthcare_service::Addition {
            name: "Scan".into(),
            duration_minutes: 30,
            buffer_minutes: 10,
            practitioners: vec![],
            locations: vec![scanner.id],
        };
        healthcare_service::add(tx, stamp, addition)
    });
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let ravi = world.patient("Ravi Rao", "98441 11173", "1980");
    let slots = doctors.map(|doctor| world.slots(doctor, "2026-11-23"));
    let of = |patient, slot| {
        let mut booking = booking(world.stamp.now, patient, slot);
        booking.healthcare_service = Some(scan.id);
        world.try_write(move |tx, stamp| book(tx, stamp, booking))
    };
    let first = of(asha, slots[0][0].id).unwrap();
    // 09:00 to 09:30 and ten minutes more: 09:30 is too early, 09:45 is not.
    let early = slots[1][2].id;
    assert_eq!(refusal(of(ravi, early)), Code::LocationTaken(early));
    let second = of(ravi, slots[1][3].id).unwrap();
    for id in [first.id, second.id] {
        world.write(move |tx, stamp| cancel(tx, stamp, (id, None), Some("ill".into())));
    }
    let left: i64 = world.read(|read, _| {
        Ok(read.sql().query_row("SELECT count(*) FROM claim", [], |r| r.get(0))?)
    });
    assert_eq!(left, 0, "whoever cancels gives everything back");
}

#[test]
fn a_cancelled_slot_is_free_at_once_and_a_moved_one_too() {
    let (world, _, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let ravi = world.patient("Ravi Rao", "98441 11173", "1980");
    let first = world.book(asha, slots[0]);
    let moved = world.write({
        let to = slots[1];
        move |tx, stamp| move_to(tx, stamp, (first.id, Some(1)), to, None)
    });
    assert_eq!((moved.slot(), moved.version), (slots[1], 2));
    world.book(ravi, slots[0]);
    world.write(move |tx, stamp| cancel(tx, stamp, (first.id, None), Some("travels".into())));
    let meena = world.patient("Meena Rao", "98441 11173", "1990");
    world.book(meena, slots[1]);
}

#[test]
fn a_refused_move_leaves_the_appointment_where_it_was() {
    let (world, _, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let ravi = world.patient("Ravi Rao", "98441 11173", "1980");
    let first = world.book(asha, slots[0]);
    world.book(ravi, slots[1]);
    let to = slots[1];
    let refused = world.try_write(move |tx, stamp| move_to(tx, stamp, (first.id, None), to, None));
    assert_eq!(refusal(refused), Code::SlotTaken(to));
    let meena = world.patient("Meena Rao", "98441 11173", "1990");
    assert_eq!(refusal(world.try_book(meena, slots[0])), Code::SlotTaken(slots[0]));
}

#[test]
fn a_hold_keeps_the_slot_until_it_expires_and_no_longer() {
    let (mut world, _, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let ravi = world.patient("Ravi Rao", "98441 11173", "1980");
    let hold = |world: &World, patient, slot| {
        let mut booking = booking(world.stamp.now, patient, slot);
        booking.hold_minutes = Some(10);
        world.write(move |tx, stamp| book(tx, stamp, booking))
    };
    let kept = hold(&world, asha, slots[0]);
    let lost = hold(&world, asha, slots[1]);
    assert_eq!(refusal(world.try_book(ravi, slots[0])), Code::SlotTaken(slots[0]));
    world.write(move |tx, stamp| confirm(tx, stamp, kept.id, None));
    world.at_time("2026-11-23T08:10:00+05:30");
    assert_eq!(refusal(world.try_book(ravi, slots[0])), Code::SlotTaken(slots[0]));
    world.book(ravi, slots[1]);
    let late = world.try_write(move |tx, stamp| confirm(tx, stamp, lost.id, None));
    assert_eq!(refusal(late), Code::IllegalStep, "it was called off when the slot was needed");
}

#[test]
fn staff_overbook_with_a_reason_and_patients_never_do() {
    let (world, _, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let ravi = world.patient("Ravi Rao", "98441 11173", "1980");
    world.book(asha, slots[0]);
    let mut over = booking(world.stamp.now, ravi, slots[0]);
    over.overbook = Some("  ".into());
    let empty = over.clone();
    assert_eq!(refusal(world.try_write(|tx, stamp| book(tx, stamp, empty))), Code::Invalid);
    over.overbook = Some("chest pain".into());
    let program = world.role(crate::stamp::Role::Integrator);
    let tried = over.clone();
    let refused = world.db.write_blocking(move |tx| book(tx, &program, tried));
    assert!(matches!(refused, Err(Error::Forbidden)));
    let booked = world.write(|tx, stamp| book(tx, stamp, over));
    assert!(booked.is_overbooked());
}

#[test]
fn a_patient_is_not_in_two_places_at_once() {
    let (world, _, slots) = clinic();
    let other = world.practitioner("Dr. Meena Iyer", "dermatology");
    world.session(other, ("09:00", "10:00"), 30);
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let first = world.book(asha, slots[1]);
    let there = world.slots(other, "2026-11-23")[0].id;
    assert_eq!(refusal(world.try_book(asha, there)), Code::PatientDoubleBooked(first.id));
}

#[test]
fn a_slot_that_no_session_has_is_refused() {
    let (mut world, _, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let crooked = SlotId { start_minute: slots[0].start_minute + 5, ..slots[0] };
    assert_eq!(refusal(world.try_book(asha, crooked)), Code::SlotUnavailable);
    let unknown = SlotId { schedule: ScheduleId::new(world.stamp.now), ..slots[0] };
    assert_eq!(refusal(world.try_book(asha, unknown)), Code::SlotUnavailable);
    world.at_time("2026-11-23T09:15:00+05:30");
    assert_eq!(refusal(world.try_book(asha, slots[0])), Code::SlotUnavailable);
}

#[test]
fn only_the_steps_of_fhir_are_taken() {
    let (mut world, _, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let id = world.book(asha, slots[0]).id;
    let early = world.try_write(move |tx, stamp| no_show(tx, stamp, id, None));
    assert_eq!(refusal(early), Code::IllegalStep, "nobody fails to come before the start");
    let fulfilled = world.try_write(move |tx, stamp| complete(tx, stamp, id, None));
    assert_eq!(refusal(fulfilled), Code::IllegalStep, "nobody is seen who has not come");
    world.at_time("2026-11-23T09:20:00+05:30");
    world.write(move |tx, stamp| arrive(tx, stamp, id, None));
    world.write(move |tx, stamp| complete(tx, stamp, id, None));
    let cancelled =
        world.try_write(move |tx, stamp| cancel(tx, stamp, (id, None), Some("no".into())));
    assert_eq!(refusal(cancelled), Code::IllegalStep, "what took place cannot be called off");
}

#[test]
fn a_stale_step_changes_nothing() {
    type Step = fn(&mut Tx<'_>, &Stamp, AppointmentId, Option<i64>) -> Result<Appointment>;
    let (mut world, _, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let id = world.book(asha, slots[0]).id;
    world.write(move |tx, stamp| confirm(tx, stamp, id, Some(1)));
    world.at_time("2026-11-23T09:05:00+05:30");
    let steps: [Step; 7] = [
        |tx, stamp, id, seen| cancel(tx, stamp, (id, seen), Some("no".into())),
        |tx, stamp, id, seen| {
            let slot = find(tx, id)?.slot();
            move_to(tx, stamp, (id, seen), slot, None)
        },
        confirm,
        arrive,
        no_show,
        complete,
        enter_in_error,
    ];
    for (nth, step) in steps.into_iter().enumerate() {
        let stale = world.try_write(move |tx, stamp| step(tx, stamp, id, Some(1)));
        assert!(matches!(stale, Err(Error::Stale { now: 2 })), "step {nth}: {stale:?}");
    }
    let not_come = world.write(move |tx, stamp| no_show(tx, stamp, id, Some(2)));
    assert_eq!((not_come.status, not_come.version), (Status::Noshow, 3));
}

#[test]
fn a_series_reports_each_occurrence_that_could_not_be_had() {
    let (world, doctor, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let ravi = world.patient("Ravi Rao", "98441 11173", "1980");
    let next_week = world.slots(doctor, "2026-11-30")[0].id;
    world.book(ravi, next_week);
    let booking = booking(world.stamp.now, asha, slots[0]);
    let every = Every { unit: Unit::Week, interval: 1, count: 3 };
    let series = world.write(move |tx, stamp| book_series(tx, stamp, booking, every));
    assert_eq!((series.booked.len(), series.conflicts.len()), (2, 1));
    assert_eq!(series.conflicts[0].start, next_week.start());
    assert_eq!(series.conflicts[0].refusal.code, Code::SlotTaken(next_week));
}

#[test]
fn a_series_keeps_its_local_time_over_the_change_of_the_clock() {
    let world = World::at("Europe/London", "2026-10-20T08:00:00Z");
    let doctor = world.practitioner("Dr. Jones", "cardiology");
    world.session(doctor, ("09:00", "10:00"), 30);
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let slot = world.slots(doctor, "2026-10-22")[0].id;
    let booking = booking(world.stamp.now, asha, slot);
    let every = Every { unit: Unit::Week, interval: 1, count: 2 };
    let series = world.write(move |tx, stamp| book_series(tx, stamp, booking, every));
    let starts: Vec<String> = series.booked.iter().map(|a| a.start.to_string()).collect();
    assert_eq!(starts, ["2026-10-22T08:00:00Z", "2026-10-29T09:00:00Z"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is booked, moved, cancelled and left to expire in whatever order: each claim
    /// belongs to an appointment that stands, and each that stands has all of its claims.
    #[test]
    fn claims_and_appointments_always_agree(steps in prop::collection::vec((0..6_u8, 0..6_usize, 0..4_usize), 1..40)) {
        let (mut world, _, slots) = clinic();
        let people: Vec<_> = (0..4).map(|n| world.patient(&format!("P{n}"), "98441 11173", "1984")).collect();
        let mut made: Vec<AppointmentId> = Vec::new();
        for (step, slot, who) in steps {
            let (slot, patient) = (slots[slot], people[who]);
            match step {
                0 | 1 => {
                    let mut booking = booking(world.stamp.now, patient, slot);
                    booking.hold_minutes = (step == 1).then_some(1);
                    let id = booking.id;
                    if world.try_write(|tx, stamp| book(tx, stamp, booking)).is_ok() {
                        made.push(id);
                    }
                }
                2 => world.stamp.now = crate::time::plus_minutes(world.stamp.now, 1),
                _ => {
                    let Some(id) = made.get(who).copied() else { continue };
                    let _ = world.try_write(move |tx, stamp| match step {
                        3 => move_to(tx, stamp, (id, None), slot, None),
                        4 => cancel(tx, stamp, (id, None), Some("no".into())),
                        _ => confirm(tx, stamp, id, None),
                    });
                }
            }
        }
        let (orphans, bare): (i64, i64) = world.read(|read, _| {
            let one = |sql: &str| read.sql().query_row(sql, [], |row| row.get(0));
            Ok((
                one("SELECT count(*) FROM claim c JOIN appointment a ON a.id = c.appointment
                     WHERE a.status NOT IN ('pending', 'booked')
                        OR c.tick < a.start / 300000 OR c.tick >= a.blocked_to / 300000")?,
                one("SELECT count(*) FROM appointment a WHERE a.status IN ('pending', 'booked')
                     AND (SELECT count(*) FROM claim c WHERE c.appointment = a.id) <> 3")?,
            ))
        });
        prop_assert_eq!((orphans, bare), (0, 0));
        let whole = world.db.read_at_length(|read| audit::verify(read, world.db.keys()));
        let is_whole = matches!(whole, Ok(audit::Verdict::Whole { .. }));
        prop_assert!(is_whole);
    }
}
