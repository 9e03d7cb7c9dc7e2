//! Who is next.

use super::*;
use crate::check_in;
use crate::error::Code;
use crate::fixture::{World, refusal};
use crate::id::{PatientId, SlotId};
use crate::stamp::{Role, Stamp};

struct Waiting {
    world: World,
    doctor: PractitionerId,
    people: Vec<PatientId>,
    slots: Vec<SlotId>,
}

fn waiting_room() -> Waiting {
    let world = World::monday();
    let doctor = world.practitioner("Dr. Rajiv Sharma", "cardiology");
    world.session(doctor, ("09:00", "12:00"), 15);
    let people = (0..6).map(|n| world.patient(&format!("Patient {n}"), "98441 11173", "1984"));
    let slots = world.slots(doctor, "2026-11-23").iter().map(|slot| slot.id).collect();
    Waiting { people: people.collect(), doctor, slots, world }
}

impl Waiting {
    fn comes_booked(&mut self, who: usize, slot: usize, at: &str) -> QueueEntry {
        let id = self.world.book(self.people[who], self.slots[slot]).id;
        self.world.at_time(&format!("2026-11-23T{at}:00+05:30"));
        self.world.write(move |tx, stamp| check_in::check_in(tx, stamp, id)).entry
    }

    fn walks_in(&mut self, who: usize, at: &str) -> QueueEntry {
        self.world.at_time(&format!("2026-11-23T{at}:00+05:30"));
        let (patient, doctor) = (self.people[who], self.doctor);
        self.world.write(move |tx, stamp| join_walk_in(tx, stamp, patient, doctor)).entry
    }

    fn next(&mut self, at: &str) -> Result<QueueEntry> {
        self.world.at_time(&format!("2026-11-23T{at}:00+05:30"));
        let line = Line::Practitioner(self.doctor);
        self.world.try_write(move |tx, stamp| call_next(tx, stamp, line, true))
    }
}

#[test]
fn booked_and_walk_in_patients_stand_in_one_fair_line() {
    let mut room = waiting_room();
    // A walk-in at 08:40 is as due as somebody booked at 09:10.
    let walk_in = room.walks_in(0, "08:40");
    let ten = room.comes_booked(1, 4, "08:45");
    let nine = room.comes_booked(2, 0, "08:50");
    let late_walk_in = room.walks_in(3, "09:00");
    let mut called = Vec::new();
    for at in ["09:00", "09:10", "09:20", "09:30"] {
        called.push(room.next(at).unwrap().token);
    }
    assert_eq!(called, [nine.token, walk_in.token, late_walk_in.token, ten.token]);
    assert_eq!(refusal(room.next("09:40")), Code::QueueEmpty);
}

#[test]
fn who_comes_late_is_due_when_they_come() {
    let mut room = waiting_room();
    let early = room.world.book(room.people[0], room.slots[0]).id;
    room.world.at_time("2026-11-23T09:40:00+05:30");
    let late = room.world.write(move |tx, stamp| check_in::check_in(tx, stamp, early)).entry;
    assert_eq!(late.due, room.world.stamp.now);
}

#[test]
fn a_skipped_patient_rejoins_behind_those_who_were_due() {
    let mut room = waiting_room();
    let first = room.comes_booked(0, 0, "08:40");
    let second = room.comes_booked(1, 1, "08:41");
    let id = room.next("09:00").unwrap().id;
    assert_eq!(id, first.id);
    room.world.write(move |tx, stamp| skip(tx, stamp, id, None));
    room.world.at_time("2026-11-23T09:20:00+05:30");
    room.world.write(move |tx, stamp| rejoin(tx, stamp, id, None));
    assert_eq!(room.next("09:21").unwrap().id, second.id);
    assert_eq!(room.next("09:30").unwrap().id, first.id);
}

#[test]
fn an_emergency_goes_first_with_a_reason() {
    let mut room = waiting_room();
    room.comes_booked(0, 0, "08:40");
    let urgent = room.walks_in(1, "08:55");
    let nothing = room.world.try_write({
        let id = urgent.id;
        move |tx, stamp| prioritise(tx, stamp, (id, None), None)
    });
    assert_eq!(refusal(nothing), Code::Invalid);
    let id = urgent.id;
    room.world.write(move |tx, stamp| prioritise(tx, stamp, (id, None), Some("fever".into())));
    assert_eq!(room.next("09:00").unwrap().id, id);
}

#[test]
fn being_called_on_finishes_the_visit_before_and_fulfils_its_appointment() {
    let mut room = waiting_room();
    let first = room.comes_booked(0, 0, "08:40");
    room.comes_booked(1, 1, "08:41");
    room.next("09:00").unwrap();
    room.next("09:12").unwrap();
    let before = room.world.read(|read, stamp| get(read, stamp, first.id));
    assert_eq!(before.status, Status::Finished);
    let appointment = first.appointment.unwrap();
    let status = room.world.read(|read, _| crate::appointment::find(read, appointment)).status;
    assert_eq!(status, crate::appointment::Status::Fulfilled);
}

#[test]
fn the_estimate_counts_who_is_inside_who_is_ahead_and_the_time_to_the_start() {
    let mut room = waiting_room();
    let first = room.comes_booked(0, 0, "08:40");
    let second = room.comes_booked(1, 1, "08:40");
    let place = |room: &Waiting, id| {
        room.world.read(|read, stamp| place_of(read, stamp, &get(read, stamp, id)?))
    };
    assert_eq!(place(&room, first.id), Place { ahead: 0, estimate_minutes: Some(20) });
    assert_eq!(place(&room, second.id), Place { ahead: 1, estimate_minutes: Some(35) });
    room.next("09:00").unwrap();
    room.world.at_time("2026-11-23T09:05:00+05:30");
    assert_eq!(place(&room, second.id), Place { ahead: 0, estimate_minutes: Some(10) });
}

/// Two practitioners with booked, walk-in, called, skipped, finished and urgent patients, and the
/// desk: everybody's place is the same whether the list counts it or it is looked up alone.
#[test]
fn the_list_says_of_each_place_what_is_said_of_it_alone() {
    let mut room = waiting_room();
    room.comes_booked(0, 0, "08:40");
    room.walks_in(1, "08:41");
    room.comes_booked(2, 2, "08:42");
    let other = room.world.practitioner("Dr. Meena Iyer", "neurology");
    room.world.session(other, ("10:00", "12:00"), 20);
    for patient in [room.people[0], room.people[3], room.people[4]] {
        room.world.write(move |tx, stamp| join_walk_in(tx, stamp, patient, other));
    }
    room.world.write(join_desk);
    room.world.write(join_desk);
    room.next("09:00").unwrap();
    let skipped = room.next("09:10").unwrap().id;
    room.world.write(move |tx, stamp| skip(tx, stamp, skipped, None));
    let urgent = room.walks_in(5, "09:12").id;
    room.world.write(move |tx, stamp| prioritise(tx, stamp, (urgent, None), Some("fever".into())));
    room.world.at_time("2026-11-23T09:13:00+05:30");

    let today = "2026-11-23".parse().unwrap();
    let whole = room.world.read(|read, stamp| list_with_places(read, stamp, today, None));
    for (entry, place) in &whole {
        let alone = room.world.read(|read, stamp| place_of(read, stamp, entry));
        assert_eq!(*place, alone, "{}", entry.token);
    }
    let ahead: Vec<(&str, i64)> =
        whole.iter().map(|(entry, place)| (entry.token.as_str(), place.ahead)).collect();
    assert_eq!(
        ahead,
        [
            ("A-004", 0),
            ("D-001", 0),
            ("D-002", 1),
            ("A-001", 0),
            ("A-002", 0),
            ("B-001", 0),
            ("B-002", 1),
            ("B-003", 2),
            ("A-003", 1),
        ]
    );
    let waits: Vec<_> = whole.iter().map(|(_, place)| place.estimate_minutes).collect();
    assert_eq!(waits[5..8], [Some(47), Some(67), Some(87)], "47 minutes to the session of 10:00");
    let line = room.world.read(|read, stamp| list_with_places(read, stamp, today, Some(other)));
    assert_eq!(line, whole[5..8]);
}

#[test]
fn who_comes_again_keeps_the_token_and_is_back_in_the_line_if_skipped() {
    let mut room = waiting_room();
    let booked = room.comes_booked(0, 0, "08:40");
    let walked = room.walks_in(1, "08:41");
    let (patient, doctor) = (room.people[1], room.doctor);
    let appointment = booked.appointment.unwrap();
    for id in [booked.id, walked.id] {
        room.world.write(move |tx, stamp| skip(tx, stamp, id, None));
    }
    let again = [
        room.world.write(move |tx, stamp| join_walk_in(tx, stamp, patient, doctor)),
        room.world.write(move |tx, stamp| {
            let appointment = crate::appointment::find(tx, appointment)?;
            join_booked(tx, stamp, &appointment)
        }),
    ];
    for (joined, before) in again.iter().zip([&walked, &booked]) {
        assert_eq!((&joined.entry.token, joined.is_new), (&before.token, false));
        assert_eq!(joined.entry.status, Status::Waiting);
    }
    let other = room.people[2];
    let new = room.world.write(move |tx, stamp| join_walk_in(tx, stamp, other, doctor));
    assert!(new.is_new);
}

#[test]
fn the_board_shows_tokens_and_rooms_and_no_names() {
    let mut room = waiting_room();
    room.comes_booked(0, 0, "08:40");
    let waiting = room.walks_in(1, "08:41");
    let called = room.next("09:00").unwrap();
    let kiosk = Stamp { role: Role::Kiosk, ..room.world.stamp };
    let board = room.world.db.read_blocking(|read| board(read, &kiosk)).unwrap();
    assert_eq!(board.called[0].token, called.token);
    assert_eq!(board.waiting[0].token, waiting.token);
    assert!(!format!("{board:?}").contains("Patient"));
}
