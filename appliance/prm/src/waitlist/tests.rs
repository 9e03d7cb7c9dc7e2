//! Tests of the waitlist: who joins, and whom a time suits.

use jiff::SignedDuration;

use super::*;
use crate::fixture::{World, refusal};
use crate::patient;
use crate::time::plus_minutes;

const DAY: &str = "2026-11-24";

struct Clinic {
    world: World,
    cardiologist: PractitionerId,
    dentist: PractitionerId,
}

fn clinic() -> Clinic {
    let world = World::monday();
    let cardiologist = world.practitioner("Dr. Iyer", "cardiology");
    let dentist = world.practitioner("Dr. Shah", "dentistry");
    world.session(cardiologist, ("09:00", "18:00"), 15);
    world.session(dentist, ("09:00", "18:00"), 15);
    Clinic { world, cardiologist, dentist }
}

fn wish(practitioner: Option<PractitionerId>) -> Wish {
    Wish {
        practitioner,
        specialty: None,
        healthcare_service: None,
        first_day: DAY.parse().unwrap(),
        last_day: DAY.parse().unwrap(),
        part_of_day: None,
    }
}

impl Clinic {
    /// Somebody joins, a second after whoever joined before.
    fn joins(&mut self, name: &str, wish: Wish) -> Entry {
        self.world.stamp.now += SignedDuration::from_secs(1);
        let patient = self.world.patient(name, "98441 11173", "1984");
        self.world.write(move |tx, stamp| join(tx, stamp, patient, (wish, None)))
    }

    /// Who is suited by the time of a practitioner, by name.
    fn suited(&self, practitioner: PractitionerId, date: &str, nth: usize) -> Vec<String> {
        let slot = self.world.slots(practitioner, date)[nth].id;
        let fitting = self.world.read(|read, stamp| fitting(read, stamp, slot));
        fitting.into_iter().map(|entry| entry.patient_name).collect()
    }
}

#[test]
fn a_time_suits_those_who_wait_for_its_practitioner_day_and_hour() {
    let mut clinic = clinic();
    let Clinic { cardiologist, dentist, .. } = clinic;
    let heart = Wish { specialty: Some("Cardiology".into()), ..wish(None) };
    let evening = Wish { part_of_day: Some(PartOfDay::Evening), ..wish(Some(cardiologist)) };
    clinic.joins("First", wish(Some(cardiologist)));
    clinic.joins("Evening", evening);
    clinic.joins("Any heart", heart);
    clinic.joins("Tooth", wish(Some(dentist)));
    assert_eq!(clinic.suited(cardiologist, DAY, 0), ["First", "Any heart"]);
    // 17:00, by the clinic's clock.
    assert_eq!(clinic.suited(cardiologist, DAY, 32), ["First", "Evening", "Any heart"]);
    assert_eq!(clinic.suited(dentist, DAY, 0), ["Tooth"]);
    assert!(clinic.suited(cardiologist, "2026-11-25", 0).is_empty());
}

#[test]
fn who_was_offered_a_time_is_not_asked_again_until_the_offer_is_over() {
    let mut clinic = clinic();
    let cardiologist = clinic.cardiologist;
    let entry = clinic.joins("Asha", wish(Some(cardiologist)));
    let slot = clinic.world.slots(cardiologist, DAY)[0].id;
    let until = plus_minutes(clinic.world.stamp.now, 30);
    let given = Offer { slot, until };
    clinic.world.write(move |tx, stamp| offer(tx, stamp, (entry.id, Some(1)), given));
    assert!(clinic.suited(cardiologist, DAY, 1).is_empty());
    clinic.world.at_time("2026-11-23T08:31:00+05:30");
    assert_eq!(clinic.suited(cardiologist, DAY, 1), ["Asha"]);
}

#[test]
fn a_wish_is_on_the_list_once_and_is_done_with_once() {
    let mut clinic = clinic();
    let cardiologist = clinic.cardiologist;
    let entry = clinic.joins("Asha", wish(Some(cardiologist)));
    let world = &clinic.world;
    let patient = entry.patient;
    let again =
        world.write(move |tx, stamp| join(tx, stamp, patient, (wish(Some(cardiologist)), None)));
    assert_eq!(again.id, entry.id);
    let other = world.patient("Ravi", "98441 11174", "1990");
    let slots = world.slots(cardiologist, DAY);
    let (of_other, own) = (world.book(other, slots[0].id).id, world.book(patient, slots[1].id).id);
    let wrong = world.try_write(move |tx, stamp| book(tx, stamp, (entry.id, None), of_other));
    assert_eq!(refusal(wrong), Code::Invalid);
    let booked = world.write(move |tx, stamp| book(tx, stamp, (entry.id, None), own));
    assert_eq!((booked.status, booked.appointment), (Status::Booked, Some(own)));
    let late = world.try_write(move |tx, stamp| withdraw(tx, stamp, (entry.id, None)));
    assert_eq!(refusal(late), Code::IllegalStep);
    assert!(world.read(|read, stamp| list(read, stamp, Filter::default(), 10)).is_empty());
}

#[test]
fn a_wish_for_nobody_or_for_days_that_are_over_is_refused() {
    let clinic = clinic();
    let patient = clinic.world.patient("Asha", "98441 11173", "1984");
    let over: Date = "2026-11-22".parse().unwrap();
    let cardiologist = Some(clinic.cardiologist);
    for wish in [
        wish(None),
        Wish { first_day: over, last_day: over, ..wish(cardiologist) },
        Wish { last_day: over, ..wish(cardiologist) },
    ] {
        let refused =
            clinic.world.try_write(move |tx, stamp| join(tx, stamp, patient, (wish, None)));
        assert_eq!(refusal(refused), Code::Invalid);
    }
}

#[test]
fn the_wishes_of_a_duplicate_go_with_its_visits_and_come_back() {
    let mut clinic = clinic();
    let entry = clinic.joins("Asha Roa", wish(Some(clinic.cardiologist)));
    let duplicate = entry.patient;
    let kept = clinic.world.patient("Asha Rao", "98441 11173", "1984");
    let whose = || clinic.world.read(|read, stamp| get(read, stamp, entry.id)).patient;
    let merge = clinic.world.write(move |tx, stamp| patient::merge(tx, stamp, kept, duplicate));
    assert_eq!(whose(), kept);
    clinic.world.write(move |tx, stamp| patient::undo_merge(tx, stamp, merge.id));
    assert_eq!(whose(), duplicate);
}
