//! What the diary does with what is lent.

use super::*;
use crate::appointment;
use crate::error::Code;
use crate::fixture::{World, booking, refusal};
use crate::slot::{self, LaneUse};
use crate::stamp::Role;

fn lend(world: &World, slot: SlotId) -> Loan {
    world.write(move |tx, stamp| super::lend(tx, stamp, Lending { slot, lane: 0, state: vec![1] }))
}

fn back(world: &World, loan: &Loan) -> Loan {
    let loan = loan.clone();
    let next = Next { is_away: false, is_due: false, sale: None, state: vec![2] };
    world.write(move |tx, stamp| put(tx, stamp, "return", &loan, next))
}

fn clinic() -> (World, PractitionerId, Vec<SlotId>) {
    let world = World::monday();
    let doctor = world.practitioner("Dr. Rajiv Sharma", "cardiology");
    world.session(doctor, ("09:00", "10:00"), 15);
    let slots = world.slots(doctor, "2026-11-24").iter().map(|slot| slot.id).collect();
    (world, doctor, slots)
}

#[test]
fn what_is_lent_is_not_booked_here_and_what_is_booked_is_not_lent() {
    let (world, doctor, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let loan = lend(&world, slots[1]);
    assert_eq!(refusal(world.try_book(asha, slots[1])), Code::SlotLent(slots[1]));
    let free = world.slots(doctor, "2026-11-24");
    assert!(free.iter().all(|slot| slot.id != slots[1]), "it is not free");
    let held = booking(world.stamp.now, asha, slots[1]);
    let held = appointment::Booking { overbook: Some("an emergency".into()), ..held };
    world.write(move |tx, stamp| appointment::book(tx, stamp, held));

    let ravi = world.patient("Ravi Iyer", "98441 11174", "1985");
    world.book(ravi, slots[2]);
    let taken = world.try_write({
        let slot = slots[2];
        move |tx, stamp| super::lend(tx, stamp, Lending { slot, lane: 0, state: vec![] })
    });
    assert_eq!(refusal(taken), Code::SlotTaken(slots[2]));
    back(&world, &loan);
    world.book(ravi, slots[1]);
}

#[test]
fn a_list_of_all_slots_says_which_are_lent() {
    let (world, doctor, slots) = clinic();
    lend(&world, slots[3]);
    let search = slot::Search {
        practitioner: Some(doctor),
        specialty: None,
        service: None,
        from: "2026-11-24".parse().unwrap(),
        to: "2026-11-25".parse().unwrap(),
        all: true,
        limit: 100,
    };
    let all = world.read(|read, stamp| slot::list(read, stamp, &search));
    let lent: Vec<_> =
        all.iter().filter(|slot| slot.lent).map(|slot| (slot.id, slot.free)).collect();
    assert_eq!((all.len(), lent), (4, vec![(slots[3], 0)]));
    let schedule = world.read(|read, stamp| crate::schedule::get(read, stamp, slots[0].schedule));
    let day = "2026-11-24".parse().unwrap();
    let (lanes, left) = world.read(|read, stamp| slot::lanes_of_day(read, stamp, &schedule, day));
    let lent = lanes.iter().filter(|lane| lane.used == LaneUse::Lent).count();
    assert_eq!((lanes.len(), lent, left), (4, 1, None));
}

#[test]
fn a_hold_that_is_over_stands_in_the_way_of_no_loan() {
    let (mut world, _, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let hold = booking(world.stamp.now, asha, slots[0]);
    let hold = appointment::Booking { hold_minutes: Some(5), ..hold };
    let held = world.write(move |tx, stamp| appointment::book(tx, stamp, hold));
    world.at_time("2026-11-23T08:06:00+05:30");
    lend(&world, slots[0]);
    let held = world.read(|read, stamp| appointment::get(read, stamp, held.id));
    assert_eq!(held.status, appointment::Status::Cancelled);
}

#[test]
fn what_was_sold_is_adopted_once_on_its_lane_and_withdrawn() {
    let (world, _, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let ravi = world.patient("Ravi Iyer", "98441 11174", "1985");
    let loan = back(&world, &lend(&world, slots[1]));
    let sold = AppointmentId::new(world.stamp.now);
    for _ in 0..2 {
        let loan = loan.clone();
        let made = world.write(move |tx, stamp| adopt(tx, stamp, &loan, (sold, asha, None)));
        assert_eq!((made.id, made.lane, made.version), (sold, 0, 1));
    }
    assert_eq!(refusal(world.try_book(ravi, slots[1])), Code::SlotTaken(slots[1]));
    let held = world.read(|read, stamp| loan.occupant(read, stamp));
    assert_eq!(held, Some(sold));
    for _ in 0..2 {
        world.write(move |tx, stamp| withdraw(tx, stamp, sold));
    }
    assert_eq!(world.read(|read, stamp| loan.occupant(read, stamp)), None);
    world.book(ravi, slots[1]);
}

#[test]
fn a_patient_is_displaced_once_until_somebody_says_what_was_done() {
    let (world, _, slots) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let loan = back(&world, &lend(&world, slots[1]));
    let sold = AppointmentId::new(world.stamp.now);
    let again = |world: &World| {
        let loan = loan.clone();
        world.write(move |tx, stamp| displace(tx, stamp, &loan, (sold, asha)))
    };
    assert!(again(&world));
    assert!(!again(&world));
    let open = world.read(|read, stamp| displaced(read, stamp, None, 10));
    assert_eq!(open.iter().map(|it| (it.booking, it.patient)).collect::<Vec<_>>(), [(sold, asha)]);
    world.write(move |tx, stamp| done(tx, stamp, sold, Some("moved to Thursday".into())));
    assert!(world.read(|read, stamp| displaced(read, stamp, None, 10)).is_empty());
    assert!(!again(&world), "it does not come up again");
    let kiosk = world.role(Role::Integrator);
    let done = world.db.write_blocking(move |tx| done(tx, &kiosk, sold, Some("x".into())));
    assert!(matches!(done, Err(crate::error::Error::Forbidden)));
}

#[test]
fn a_lent_place_counts_in_a_session_that_takes_few() {
    let world = World::monday();
    let doctor = world.practitioner("Dr. Rajiv Sharma", "cardiology");
    let addition = crate::schedule::Addition {
        session_capacity: Some(2),
        ..crate::fixture::all_week(doctor, ("09:00", "10:00"), 15)
    };
    world.write(|tx, stamp| crate::schedule::add(tx, stamp, addition));
    let slots = world.slots(doctor, "2026-11-24");
    lend(&world, slots[0].id);
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let ravi = world.patient("Ravi Iyer", "98441 11174", "1985");
    world.book(asha, slots[1].id);
    assert_eq!(refusal(world.try_book(ravi, slots[2].id)), Code::SessionFull(slots[2].id));
}
