//! What holds of merging two records, and of undoing it.

use proptest::prelude::*;

use super::{Clinic, abha, code, person, stamp};
use crate::change;
use crate::error::{Code, Error, Result};
use crate::id::{MergeId, PatientId};
use crate::patient::*;

impl Clinic {
    fn merge(&self, kept: PatientId, duplicate: PatientId) -> Result<Merge> {
        self.write(move |tx| merge(tx, &stamp(), kept, duplicate))
    }

    fn undo(&self, id: MergeId) -> Result<Undone> {
        self.write(move |tx| undo_merge(tx, &stamp(), id))
    }

    /// Gives a patient an appointment and a place in the queue.
    fn visit(&self, patient: PatientId, nth: u8) {
        self.write(move |tx| {
            let id = [nth; 16];
            let sql = tx.sql();
            sql.execute("INSERT OR IGNORE INTO practitioner VALUES (?1, 1, 'Dr Rao', 'A', NULL, 1)", [[1; 16]])?;
            sql.execute(
                "INSERT OR IGNORE INTO schedule (id, version, practitioner, weekdays, start_minute,
                     end_minute, slot_minutes, slot_capacity, active)
                 VALUES (?1, 1, ?1, 1, 540, 600, 15, 1, 1)",
                [[1; 16]],
            )?;
            sql.execute(
                "INSERT INTO appointment (id, version, status, patient, practitioner, schedule, start,
                     end, blocked_to, lane, created_at)
                 VALUES (?1, 1, 'booked', ?2, ?3, ?3, ?4, ?4 + 1, ?4 + 1, 0, 0)",
                (id, patient, [1; 16], nth),
            )?;
            sql.execute(
                "INSERT INTO queue_entry (id, version, date, prefix, number, kind, status, patient,
                     joined_at, due, calls)
                 VALUES (?1, 1, '2026-03-02', 'A', ?2, 'walk-in', 'waiting', ?3, 0, 0, 0)",
                (id, nth, patient),
            )?;
            Ok(())
        })
        .unwrap();
    }

    /// Whose the visit is, and its version.
    fn owner(&self, nth: u8) -> (PatientId, i64) {
        self.db
            .read_blocking(|read| {
                let sql = "SELECT a.patient, a.version FROM appointment a JOIN queue_entry q
                    ON q.id = a.id AND q.patient = a.patient AND q.version = a.version WHERE a.id = ?1";
                Ok(read.sql().query_row(sql, [[nth; 16]], |row| Ok((row.get(0)?, row.get(1)?)))?)
            })
            .unwrap()
    }

    /// Every row that says something of patients, without the versions, which only grow.
    fn rows(&self) -> Vec<String> {
        const TABLES: [(&str, &str); 9] = [
            (
                "patient",
                "number, id, name, name_key, birth_date, birth_year, sex, language, email, address_line,
                 city, district, state, postal_code, country, channels, reminders, active, merged_into",
            ),
            ("patient_name", "patient, position, text"),
            ("patient_phone", "patient, position, number, use"),
            ("patient_identifier", "system, value, patient"),
            ("patient_relation", "patient, related, relationship"),
            ("patient_likeness", "a, b, round(score, 6), reasons"),
            ("patient_search", "number, names, digits, sounds"),
            ("appointment", "id, patient"),
            ("queue_entry", "id, patient"),
        ];
        let rows_of = |table: &str, columns: &str| {
            self.db.read_blocking(|read| {
                let sql = format!("SELECT {columns} FROM {table}");
                let mut statement = read.sql().prepare(&sql)?;
                let count = statement.column_count();
                let mut rows = statement.query([])?;
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    let values = (0..count).map(|at| row.get::<_, rusqlite::types::Value>(at));
                    let values = values.collect::<rusqlite::Result<Vec<_>>>()?;
                    found.push(format!("{table} {values:?}"));
                }
                found.sort();
                Ok(found)
            })
        };
        TABLES.iter().flat_map(|(table, columns)| rows_of(table, columns).unwrap()).collect()
    }
}

#[test]
fn a_merged_record_gives_what_it_has_and_points_to_the_one_that_was_kept() {
    let clinic = Clinic::new();
    let kept = clinic.register(person("Rajiv Sharma", "9844111173", "")).unwrap();
    let son = clinic.register(person("Kiran", "", "")).unwrap().id;
    let duplicate = clinic
        .register(Registration {
            identifiers: vec![abha("91-1234-5678-9012")],
            email: Some("r@example.org".into()),
            ..person("Rajeev Sharma", "9900456789", "1984-05")
        })
        .unwrap();
    clinic.write(move |tx| relate(tx, &stamp(), duplicate.id, son, "son")).unwrap();
    clinic.visit(kept.id, 7);
    clinic.visit(duplicate.id, 8);
    let before = clinic.db.read_blocking(change::last).unwrap();

    let Merge { id: merge_id, kept: merged } = clinic.merge(kept.id, duplicate.id).unwrap();
    assert_eq!(clinic.get(kept.id), merged);
    let expected = Patient {
        version: 2,
        names: vec!["Rajeev Sharma".into()],
        phones: vec![kept.phones[0].clone(), duplicate.phones[0].clone()],
        birth_date: duplicate.birth_date,
        email: duplicate.email.clone(),
        identifiers: duplicate.identifiers.clone(),
        ..kept.clone()
    };
    assert_eq!(merged, expected);
    let gone = clinic.get(duplicate.id);
    assert_eq!((gone.active, gone.merged_into, gone.version), (false, Some(kept.id), 3));
    assert_eq!(clinic.found("rajeev sharma"), [kept.id]);
    assert_eq!(clinic.found("9900456789"), [kept.id]);
    assert_eq!(clinic.family(kept.id), [(son, Some("son".into()))]);
    assert_eq!(clinic.family(son), [(kept.id, None)]);
    assert_eq!((clinic.owner(7), clinic.owner(8)), ((kept.id, 1), (kept.id, 2)));
    let changes = clinic.db.read_blocking(|read| change::after(read, before, 100)).unwrap();
    let changes: Vec<_> = changes
        .iter()
        .map(|change| (change.noun.as_str(), change.resource, change.version))
        .collect();
    let visit = uuid::Uuid::from_bytes([8; 16]);
    assert_eq!(
        changes,
        [
            ("appointment", visit, 2),
            ("queue", visit, 2),
            ("patient", duplicate.id.uuid(), 3),
            ("patient", kept.id.uuid(), 2),
            ("merge", merge_id.uuid(), 1),
        ]
    );
}

#[test]
fn a_merged_record_is_written_no_more() {
    let clinic = Clinic::new();
    let kept = clinic.register(person("Asha", "", "")).unwrap().id;
    let duplicate = clinic.register(person("Aasha", "", "")).unwrap().id;
    let third = clinic.register(person("Usha", "", "")).unwrap().id;
    assert_eq!(code(clinic.merge(kept, kept)), Code::Invalid);
    clinic.merge(kept, duplicate).unwrap();
    let edit = Edit { active: Some(true), ..Edit::default() };
    assert_eq!(code(clinic.edit(duplicate, None, edit)), Code::Inactive);
    assert_eq!(code(clinic.merge(duplicate, third)), Code::Inactive);
    assert_eq!(code(clinic.merge(third, duplicate)), Code::Inactive);
    let relating = clinic.write(move |tx| relate(tx, &stamp(), duplicate, third, "son"));
    assert_eq!(code(relating), Code::Inactive);
    let booking = clinic.db.read_blocking(|read| must_be_active(read, duplicate));
    assert_eq!(code(booking), Code::Inactive);
    let unknown = PatientId::new(stamp().now);
    assert!(matches!(clinic.merge(kept, unknown), Err(Error::NotFound(_))));
}

#[test]
fn what_was_written_since_the_merge_stays_when_it_is_undone() {
    let clinic = Clinic::new();
    let kept = clinic.register(person("Rajiv Sharma", "9844111173", "")).unwrap().id;
    let duplicate = clinic.register(person("Rajeev Sharma", "9900456789", "1984")).unwrap();
    clinic.visit(duplicate.id, 8);
    let merge_id = clinic.merge(kept, duplicate.id).unwrap().id;
    clinic.visit(kept, 9);
    let change = Edit {
        birth_date: Some(Some("1984-05".into())),
        phones: Some(
            ["9900456789", "9844111199"]
                .map(|number| RawPhone { number: number.into(), use_: None })
                .into(),
        ),
        ..Edit::default()
    };
    clinic.edit(kept, None, change).unwrap();
    let Undone { kept: after, restored } = clinic.undo(merge_id).unwrap();
    assert_eq!((clinic.get(kept), clinic.get(duplicate.id)), (after.clone(), restored.clone()));
    assert_eq!(after.birth_date.unwrap().to_string(), "1984-05");
    let phones: Vec<_> = after.phones.iter().map(|phone| phone.number.as_str()).collect();
    assert_eq!(phones, ["+919844111199"]);
    assert_eq!(restored, Patient { version: 3, ..duplicate.clone() });
    assert_eq!((clinic.owner(8).0, clinic.owner(9).0), (duplicate.id, kept));
}

#[test]
fn a_merge_that_cannot_be_undone_exactly_is_not_undone() {
    let clinic = Clinic::new();
    let names = ["Asha", "Aasha", "Ashaa", "Usha", "Isha"];
    let ids = names.map(|name| clinic.register(person(name, "", "")).unwrap().id);
    let [asha, aasha, ashaa, usha, isha] = ids;
    let identifiers = |value: &str| Edit {
        identifiers: Some(if value.is_empty() { vec![] } else { vec![abha(value)] }),
        ..Edit::default()
    };
    clinic.edit(aasha, None, identifiers("91-1234-5678-9012")).unwrap();
    let first = clinic.merge(asha, aasha).unwrap().id;
    let second = clinic.merge(asha, ashaa).unwrap().id;
    assert_eq!(code(clinic.undo(first)), Code::IllegalStep);
    let onward = clinic.merge(usha, asha).unwrap().id;
    assert_eq!(code(clinic.undo(second)), Code::IllegalStep);
    clinic.undo(onward).unwrap();
    clinic.undo(second).unwrap();
    assert_eq!(code(clinic.undo(second)), Code::IllegalStep);
    clinic.edit(asha, None, identifiers("")).unwrap();
    clinic.edit(isha, None, identifiers("91-1234-5678-9012")).unwrap();
    let before = clinic.rows();
    assert_eq!(code(clinic.undo(first)), Code::IdentifierTaken(isha));
    assert_eq!(clinic.rows(), before);
    clinic.edit(isha, None, identifiers("")).unwrap();
    clinic.undo(first).unwrap();
    assert_eq!(clinic.get(aasha).identifiers[0].value, "91123456789012");
    assert!(matches!(clinic.undo(MergeId::new(stamp().now)), Err(Error::NotFound(_))));
}

#[test]
fn records_that_are_too_much_together_are_not_merged() {
    let clinic = Clinic::new();
    let with = |from: u64| Registration {
        phones: (from..from + 5)
            .map(|number| RawPhone { number: number.to_string(), use_: None })
            .collect(),
        ..person("Asha", "", "")
    };
    let one = clinic.register(with(9_844_111_170)).unwrap().id;
    let two = clinic.register(with(9_844_111_180)).unwrap().id;
    let before = clinic.rows();
    assert_eq!(code(clinic.merge(one, two)), Code::TooMany);
    assert_eq!(clinic.rows(), before);
}

/// The rows that are only in one of two lists.
fn differing(one: &[String], two: &[String]) -> Vec<String> {
    let only = |of: &[String], other: &[String], sign: char| -> Vec<String> {
        of.iter().filter(|row| !other.contains(row)).map(|row| format!("{sign}{row}")).collect()
    };
    [only(one, two, '+'), only(two, one, '-')].concat()
}

/// What is said of a person, by the places of the words in the lists below; one past the end of
/// a list says nothing.
type Said = (usize, Vec<usize>, Vec<(usize, usize)>, [usize; 5]);

/// Few enough values that two people often have something in common.
const NAMES: [&str; 4] = ["Rajiv Sharma", "Rajeev Sharma", "राजीव शर्मा", "Asha Rao"];
const PHONES: [&str; 4] = ["9844111173", "9844111174", "9844111175", "08022221111"];
const USES: [&str; 3] = ["mobile", "home", "work"];
const FIELDS: [&[&str]; 5] = [
    &["1984", "1984-05", "1984-05-02", "1990"],
    &["male", "female", "other", "unknown"],
    &["hi", "kn"],
    &["a@example.org", "b@example.org"],
    &["Mysuru", "Hubballi"],
];

fn anybody() -> impl Strategy<Value = Said> {
    let fields = [0..=4_usize, 0..=4, 0..=2, 0..=2, 0..=2];
    let phones = proptest::collection::vec((0..4_usize, 0..3_usize), 0..4);
    (0..4_usize, proptest::collection::vec(0..4_usize, 0..3), phones, fields)
}

fn registration((name, names, phones, fields): Said) -> Registration {
    let field = |at: usize| FIELDS[at].get(fields[at]).map(|&text| text.to_owned());
    Registration {
        name: NAMES[name].into(),
        names: names.into_iter().map(|at| NAMES[at].into()).collect(),
        phones: phones
            .into_iter()
            .map(|(at, use_)| RawPhone { number: PHONES[at].into(), use_: Some(USES[use_].into()) })
            .collect(),
        birth_date: field(0),
        sex: field(1),
        language: field(2),
        email: field(3),
        address: field(4).map(|city| Address { city: Some(city), ..Address::default() }),
        accept_duplicate: true,
        ..Registration::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_undone_merge_leaves_every_row_as_it_was(
        people in proptest::collection::vec(anybody(), 4),
        relations in proptest::collection::vec((0..4_usize, 0..4_usize), 0..8),
        ids in proptest::collection::vec((0..4_usize, 0..2_usize), 0..3),
    ) {
        let clinic = Clinic::new();
        let mut patients = Vec::new();
        for (nth, said) in people.into_iter().enumerate() {
            let mut registration = registration(said);
            for (of, tail) in &ids {
                if *of == nth {
                    registration.identifiers.push(abha(&format!("9112345678{of}{tail}12")));
                }
            }
            let id = clinic.register(registration).unwrap().id;
            clinic.visit(id, u8::try_from(nth).unwrap() + 2);
            patients.push(id);
        }
        for (one, two) in relations.into_iter().filter(|(one, two)| one != two) {
            let (one, two) = (patients[one], patients[two]);
            clinic.write(move |tx| relate(tx, &stamp(), one, two, "kin")).unwrap();
        }
        let before = clinic.rows();
        let first = clinic.merge(patients[0], patients[1]).unwrap().id;
        let between = clinic.rows();
        prop_assert_ne!(&before, &between);
        let second = clinic.merge(patients[2], patients[0]).unwrap().id;
        clinic.undo(second).unwrap();
        prop_assert_eq!(differing(&clinic.rows(), &between), Vec::<String>::new());
        clinic.undo(first).unwrap();
        prop_assert_eq!(differing(&clinic.rows(), &before), Vec::<String>::new());
    }
}
