//! What a patient shows becomes a token, and what does not fit tells nothing.

use super::*;
use crate::fixture::{World, refusal};

fn clinic() -> (World, PractitionerId) {
    let world = World::monday();
    let doctor = world.practitioner("Dr. Rajiv Sharma", "cardiology");
    world.session(doctor, ("09:00", "12:00"), 15);
    (world, doctor)
}

fn fits_for(world: &World, phone: &str, birth: &str) -> Result<Vec<Fit>> {
    let shown = Shown::Phone(Phone::parse(phone, "IN")?);
    let birth = BirthDate::parse(birth)?;
    world.db.read_blocking(|read| fits(read, &world.stamp, &shown, birth))
}

#[test]
fn a_phone_and_a_year_of_birth_check_in_and_twice_is_once() {
    let (world, doctor) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984-05-02");
    let id = world.book(asha, world.slots(doctor, "2026-11-23")[0].id).id;
    let fits = fits_for(&world, "+91 98441-11173", "1984").unwrap();
    assert_eq!((fits[0].appointment, fits[0].initials.as_str()), (id, "A R"));
    let first = world.write(move |tx, stamp| check_in(tx, stamp, id));
    let again = world.write(move |tx, stamp| check_in(tx, stamp, id));
    assert_eq!((first.entry.token.as_str(), &first.entry), ("A-001", &again.entry));
}

#[test]
fn unknown_mismatch_and_another_day_are_one_answer() {
    let (world, doctor) = clinic();
    let asha = world.patient("Asha Rao", "98441 11173", "1984-05-02");
    let ravi = world.patient("Ravi Das", "98450 00001", "1970");
    let today = world.book(asha, world.slots(doctor, "2026-11-23")[0].id).id;
    world.book(ravi, world.slots(doctor, "2026-11-24")[0].id);
    for (phone, birth) in [
        ("98450 99999", "1984"),
        ("98441 11173", "1985"),
        ("98441 11173", "1984-05-03"),
        ("98450 00001", "1970"),
    ] {
        assert_eq!(refusal(fits_for(&world, phone, birth)), Code::SeeTheDesk);
    }
    let shown = Shown::Qr(today);
    let wrong = BirthDate::Year(1999);
    let refused = world.db.read_blocking(|read| fits(read, &world.stamp, &shown, wrong));
    assert_eq!(refusal(refused), Code::SeeTheDesk);
}

#[test]
fn a_patient_without_a_known_birth_cannot_be_confirmed() {
    let (world, doctor) = clinic();
    let unknown = world.write(|tx, stamp| {
        let registration = patient::Registration {
            name: "Somebody".into(),
            phones: vec![patient::RawPhone { number: "98441 11173".into(), use_: None }],
            ..patient::Registration::default()
        };
        patient::register(tx, stamp, registration)
    });
    world.book(unknown.id, world.slots(doctor, "2026-11-23")[0].id);
    assert_eq!(refusal(fits_for(&world, "98441 11173", "1984")), Code::SeeTheDesk);
}

#[test]
fn a_family_on_one_phone_chooses_by_initials() {
    let (world, doctor) = clinic();
    let slots = world.slots(doctor, "2026-11-23");
    for (n, name) in ["Asha Rao", "Arun Kumar Rao"].into_iter().enumerate() {
        let patient = world.patient(name, "98441 11173", "1984");
        world.book(patient, slots[n].id);
    }
    let fits = fits_for(&world, "98441 11173", "1984").unwrap();
    let initials: Vec<_> = fits.iter().map(|fit| fit.initials.as_str()).collect();
    assert_eq!(initials, ["A R", "A K R"]);
}

#[test]
fn a_known_walk_in_gets_a_token_and_an_unknown_one_the_desk() {
    let (world, doctor) = clinic();
    world.patient("Asha Rao", "98441 11173", "1984");
    let walk = |phone: &str| {
        let phone = Phone::parse(phone, "IN").unwrap();
        let birth = BirthDate::Year(1984);
        let wanted = Wanted { specialty: Some("Cardiology".into()), ..Wanted::default() };
        world.write(move |tx, stamp| walk_in(tx, stamp, (&phone, birth), &wanted))
    };
    let known = walk("98441 11173");
    assert_eq!((known.entry.token.as_str(), known.entry.practitioner), ("A-001", Some(doctor)));
    let unknown = walk("98450 99999");
    assert_eq!((unknown.entry.token.as_str(), unknown.entry.patient), ("D-001", None));
}

#[test]
fn a_walk_in_for_a_service_goes_to_whoever_does_it_and_has_the_shortest_wait() {
    let (mut world, cardiologist) = clinic();
    let [busy, free] = ["Dr. Meena Iyer", "Dr. Arun Bhat"].map(|name| {
        let doctor = world.practitioner(name, "radiology");
        world.session(doctor, ("08:00", "12:00"), 15);
        doctor
    });
    let scan = world.write(move |tx, stamp| {
        let addition = healthcare_service::Addition {
            name: "Scan".into(),
            duration_minutes: 30,
            buffer_minutes: 0,
            practitioners: vec![cardiologist, busy, free],
            locations: vec![],
        };
        healthcare_service::add(tx, stamp, addition)
    });
    let ravi = world.patient("Ravi Das", "98450 00001", "1970");
    world.patient("Asha Rao", "98441 11173", "1984");
    world.write(move |tx, stamp| queue::join_walk_in(tx, stamp, ravi, busy));
    let (phone, birth) = (Phone::parse("98441 11173", "IN").unwrap(), BirthDate::Year(1984));
    let walks_in = |world: &World, wanted: Wanted| {
        let phone = phone.clone();
        world.try_write(move |tx, stamp| walk_in(tx, stamp, (&phone, birth), &wanted))
    };
    let scanned = Wanted { healthcare_service: Some(scan.id), ..Wanted::default() };
    let ticket = walks_in(&world, scanned.clone()).unwrap();
    assert_eq!(ticket.entry.practitioner, Some(free));
    let again = walks_in(&world, scanned.clone()).unwrap();
    assert_eq!((again.entry.token, again.is_new), (ticket.entry.token, false));
    let by_nobody = Wanted { specialty: Some("dermatology".into()), ..scanned.clone() };
    assert_eq!(walks_in(&world, by_nobody).unwrap().entry.kind, queue::Kind::Desk);
    world.at_time("2026-11-23T12:30:00+05:30");
    assert_eq!(walks_in(&world, scanned.clone()).unwrap().entry.kind, queue::Kind::Desk);
    let gone = healthcare_service::Edit { active: Some(false), ..Default::default() };
    world.write(move |tx, stamp| healthcare_service::edit(tx, stamp, scan.id, None, gone));
    assert_eq!(refusal(walks_in(&world, scanned)), Code::Inactive);
}

#[test]
fn who_is_on_leave_today_does_not_see_walk_in_patients() {
    let (world, doctor) = clinic();
    assert_eq!(world.read(sees_today).len(), 1);
    let today = "2026-11-23".parse().unwrap();
    world.write(move |tx, stamp| schedule::take_leave(tx, stamp, doctor, (today, today), None));
    assert!(world.read(sees_today).is_empty());
}
