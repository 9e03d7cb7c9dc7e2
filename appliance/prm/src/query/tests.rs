//! What a question finds, and how its pages follow each other.

use super::*;
use crate::appointment;
use crate::fixture::World;
use crate::patient::field;

fn of(noun: Noun, conditions: Vec<Condition>) -> Question {
    Question { noun, kind: None, conditions }
}

fn holds(field: Field, wanted: Wanted) -> Condition {
    Condition::Holds { fields: vec![field], any: vec![wanted], not: false }
}

impl World {
    fn found(&self, question: &Question) -> Vec<[u8; 16]> {
        let places = self.read(|read, stamp| page(read, stamp, question, (&[], None), PAGE_MAX));
        places.into_iter().map(|place| place.id).collect()
    }
}

#[test]
fn patients_are_found_by_name_number_and_birth_as_far_as_it_is_known() {
    let world = World::monday();
    let asha = world.patient("Asha Rao", "98441 11173", "1984-05-02");
    let ravi = world.patient("Ravi Kumar", "98441 11174", "1984");
    let text = |how, text: &str| Wanted::Text(how, text.into());
    let born = |compare, from: &str, to: &str| Wanted::Date(compare, from.into(), to.into());
    let cases = [
        (field::NAME, text(How::Starts, "ash"), vec![asha]),
        (field::NAME, text(How::Exact, "Ravi Kumar"), vec![ravi]),
        (field::NAME, text(How::Exact, "ravi kumar"), vec![]),
        (field::PHONE, text(How::Contains, "11173"), vec![asha]),
        (field::PHONE, text(How::Contains, "%"), vec![]),
        (field::BIRTH_DATE, born(Compare::Equal, "1984-05-02", "1984-05-03"), vec![asha]),
        (field::BIRTH_DATE, born(Compare::Equal, "1984", "1985"), vec![asha, ravi]),
        (field::BIRTH_DATE, born(Compare::Greater, "1984-05-02", "1984-05-03"), vec![ravi]),
        (field::BIRTH_DATE, born(Compare::Less, "1984-05-02", "1984-05-03"), vec![ravi]),
        (field::BIRTH_DATE, born(Compare::StartsAfter, "1983", "1984"), vec![asha, ravi]),
        (field::BIRTH_DATE, born(Compare::EndsBefore, "1984-05-02", "1984-05-03"), vec![]),
        (field::SEX, Wanted::Word("unknown".into()), vec![asha, ravi]),
    ];
    for (field, wanted, expected) in cases {
        let found = world.found(&of(Noun::Patient, vec![holds(field, wanted.clone())]));
        let mut expected: Vec<_> = expected.iter().map(|id| *id.as_bytes()).collect();
        // Two of one millisecond have ids in any order.
        expected.sort_unstable();
        assert_eq!(found, expected, "{field:?} {wanted:?}");
    }
}

#[test]
fn a_question_reaches_through_references_in_both_directions() {
    let world = World::monday();
    let rao = world.practitioner("Dr Rao", "cardiology");
    world.session(rao, ("09:00", "17:00"), 15);
    let asha = world.patient("Asha Rao", "98441 11173", "1984-05-02");
    let ravi = world.patient("Ravi Kumar", "98441 11174", "1984");
    let slots = world.slots(rao, "2026-11-24");
    let visit = world.book(asha, slots[0].id);
    world.book(ravi, slots[1].id);
    let named = holds(field::NAME, Wanted::Text(How::Starts, "asha".into()));
    let of_asha = Condition::RefersTo(
        vec![appointment::field::PATIENT],
        Box::new(of(Noun::Patient, vec![named])),
    );
    assert_eq!(world.found(&of(Noun::Appointment, vec![of_asha])), [*visit.id.as_bytes()]);
    let at = visit.start.as_millisecond();
    let then = holds(appointment::field::START, Wanted::Time(Compare::Equal, at, at + 1));
    let visitors = Condition::ReferredBy(
        appointment::field::PATIENT,
        Box::new(of(Noun::Appointment, vec![then])),
    );
    assert_eq!(world.found(&of(Noun::Patient, vec![visitors])), [*asha.as_bytes()]);
}

#[test]
fn pages_hold_each_record_once_although_others_come_in_between() {
    let world = World::monday();
    let mut names: Vec<String> = ["Meera", "Asha", "Ravi", "Kiran", "Asha", "Zoya", "Bina"]
        .iter()
        .map(|name| format!("{name} Rao"))
        .collect();
    for (nth, name) in names.iter().enumerate() {
        world.patient(name, &format!("98441 1117{nth}"), "1984");
    }
    let everybody = of(Noun::Patient, Vec::new());
    let sorts = [Sort { field: field::SORT_NAME, descending: true }];
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let some =
            world.read(|read, stamp| page(read, stamp, &everybody, (&sorts, after.as_ref()), 2));
        let Some(last) = some.last().cloned() else { break };
        seen.extend(some.into_iter().map(|place| place.values));
        if after.is_none() {
            // Somebody who belongs on a page that was turned already.
            world.patient("Zubin Rao", "98441 11180", "1984");
        }
        after = Some(last);
    }
    names.sort();
    names.reverse();
    let expected: Vec<Vec<Bound>> = names.into_iter().map(|name| vec![Bound::Text(name)]).collect();
    assert_eq!(seen, expected);
    assert_eq!(world.read(|read, stamp| count(read, stamp, &everybody)), 8);
}

#[test]
fn who_may_not_read_a_kind_learns_nothing_of_it_through_another() {
    let world = World::monday();
    let stamp = world.role(crate::stamp::Role::Kiosk);
    let question = of(Noun::Patient, Vec::new());
    let refused = world.db.read_blocking(|read| count(read, &stamp, &question));
    assert!(matches!(refused, Err(Error::Forbidden)));
    let stamp = world.role(crate::stamp::Role::Clerk);
    let chart = Question { kind: Some("Condition".into()), ..of(Noun::Chart, Vec::new()) };
    let sick = Condition::ReferredBy(crate::chart::field::PATIENT, Box::new(chart));
    let question = of(Noun::Patient, vec![sick]);
    let refused = world.db.read_blocking(|read| count(read, &stamp, &question));
    assert!(matches!(refused, Err(Error::Forbidden)));
}

#[test]
fn what_has_an_index_is_found_without_walking_through_all() {
    let world = World::monday();
    let text = |text: &str| Wanted::Text(How::Starts, text.into());
    let id = Wanted::Id([1; 16]);
    let code = |code: &str| Wanted::Token { code: Some(code.into()), system: None };
    let either = |own: Field, kind, parameter, own_wanted: Wanted, given: Wanted| {
        let fields = vec![own, Field::given(kind, parameter)];
        Condition::Holds { fields, any: vec![own_wanted, given], not: false }
    };
    let of_patient =
        || either(appointment::field::PATIENT, "Appointment", "patient", id.clone(), code("x"));
    let on = |compare| holds(appointment::field::START, Wanted::Time(compare, 10, 20));
    let named = || either(field::NAME, "Patient", "name", text("asha"), text("asha"));
    let born = |compare, from: &str, to: &str| {
        holds(field::BIRTH_DATE, Wanted::Date(compare, from.into(), to.into()))
    };
    let chart = |parameter, wanted| holds(Field::given("Observation", parameter), wanted);
    let booked = || holds(appointment::field::STATUS, Wanted::Word("booked".into()));
    let by_start = [Sort { field: appointment::field::START, descending: false }];
    let by_number = [Sort { field: field::NUMBER, descending: false }];
    let cases: [(Noun, Vec<Condition>); 15] = [
        (Noun::Appointment, vec![of_patient()]),
        (Noun::Appointment, vec![of_patient(), on(Compare::GreaterOrEqual), booked()]),
        (Noun::Appointment, vec![on(Compare::Equal), booked()]),
        (Noun::Appointment, vec![on(Compare::StartsAfter), on(Compare::Less)]),
        (
            Noun::Appointment,
            vec![Condition::RefersTo(
                vec![appointment::field::PATIENT],
                Box::new(of(Noun::Patient, vec![named()])),
            )],
        ),
        (Noun::Appointment, vec![Condition::ChangedAt(Compare::StartsAfter, 10, 10)]),
        (Noun::Patient, vec![named()]),
        (Noun::Patient, vec![named(), holds(field::SEX, Wanted::Word("female".into()))]),
        (Noun::Patient, vec![named(), born(Compare::Overlaps, "1984-05-02", "1984-05-03")]),
        (Noun::Patient, vec![holds(field::PHONE, Wanted::Text(How::Contains, "4411173".into()))]),
        (Noun::Patient, vec![holds(field::EMAIL, Wanted::Word("a@example.org".into()))]),
        (
            Noun::Patient,
            vec![Condition::Holds {
                fields: vec![
                    field::IDENTIFIER,
                    field::NUMBER,
                    Field::given("Patient", "identifier"),
                ],
                any: vec![code("91"), Wanted::Word("91".into())],
                not: false,
            }],
        ),
        (
            Noun::Patient,
            vec![Condition::ReferredBy(
                appointment::field::PATIENT,
                Box::new(of(Noun::Appointment, vec![on(Compare::Equal)])),
            )],
        ),
        (Noun::Chart, vec![chart("code", code("8867-4")), chart("patient", code("x"))]),
        (Noun::QueueEntry, vec![holds(crate::queue::field::PATIENT, id.clone())]),
    ];
    for (noun, conditions) in cases {
        let kind = (noun == Noun::Chart).then(|| "Observation".to_owned());
        let question = Question { kind, ..of(noun, conditions) };
        let sorts: &[Sort] = if noun == Noun::Appointment {
            &by_start
        } else if noun == Noun::Patient {
            &by_number
        } else {
            &[]
        };
        let plan = world.read(|read, stamp| {
            let (text, bound, _) = selected(stamp, &question, (sorts, None), 20)?;
            let mut statement = read.sql().prepare(&format!("EXPLAIN QUERY PLAN {text}"))?;
            let lines = statement
                .query_map(rusqlite::params_from_iter(bound), |row| row.get::<_, String>(3))?;
            Ok(lines.collect::<rusqlite::Result<Vec<String>>>()?)
        });
        let walks = plan.iter().any(|line| line.starts_with("SCAN r"));
        assert!(!walks, "{question:?}: {plan:#?}");
        if noun == Noun::Patient && question.conditions.first() == Some(&named()) {
            let sorts = plan.iter().any(|line| line.starts_with("USE TEMP B-TREE FOR ORDER BY"));
            assert!(!sorts, "of a common name not all are read: {plan:#?}");
        }
    }
}
