//! What holds for the records of patients.

mod likely;
mod merging;

use tempfile::TempDir;

use super::*;
use crate::change;
use crate::clinic::{self, Founding};
use crate::db::{Db, Keys, Tx};
use crate::error::Refusal;
use crate::id::MergeId;
use crate::stamp::{Actor, Channel, Role, Stamp};

/// A clinic in Bengaluru, on a real database.
pub(super) struct Clinic {
    pub(super) db: Db,
    _folder: TempDir,
}

pub(super) fn stamp() -> Stamp {
    Stamp::of_box("2026-03-02T04:00:00Z".parse().unwrap())
}

impl Clinic {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let db = Db::create(&folder.path().join("clinic.db"), keys).unwrap();
        let founding = Founding {
            name: "Asha Clinic".into(),
            timezone: "Asia/Kolkata".into(),
            country: "IN".into(),
            demo: false,
        };
        db.write_blocking(move |tx| clinic::found(tx, &stamp(), founding)).unwrap();
        Self { db, _folder: folder }
    }

    pub(super) fn write<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.write_blocking(verb)
    }

    pub(super) fn register(&self, registration: Registration) -> Result<Patient> {
        self.write(move |tx| register(tx, &stamp(), registration))
    }

    pub(super) fn edit(&self, id: PatientId, seen: Option<i64>, change: Edit) -> Result<Patient> {
        self.write(move |tx| edit(tx, &stamp(), id, seen, change))
    }

    pub(super) fn get(&self, id: PatientId) -> Patient {
        self.db.read_blocking(|read| get(read, &stamp(), id)).unwrap()
    }

    fn found(&self, query: &str) -> Vec<PatientId> {
        let found = self.db.read_blocking(|read| find(read, &stamp(), query, 10)).unwrap();
        found.into_iter().map(|(patient, _)| patient.id).collect()
    }

    pub(super) fn pairs(&self) -> Vec<Pair> {
        self.db.read_blocking(|read| duplicates(read, &stamp(), None, 100)).unwrap()
    }

    pub(super) fn family(&self, id: PatientId) -> Vec<(PatientId, Option<String>)> {
        let family = self.db.read_blocking(|read| family(read, &stamp(), id)).unwrap();
        family.into_iter().map(|relative| (relative.patient.id, relative.relationship)).collect()
    }
}

pub(super) fn person(name: &str, phone: &str, birth_date: &str) -> Registration {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Registration {
        name: name.into(),
        phones: some(phone).map(|number| RawPhone { number, use_: None }).into_iter().collect(),
        birth_date: some(birth_date),
        ..Registration::default()
    }
}

pub(super) fn abha(value: &str) -> RawIdentifier {
    RawIdentifier { system: ABHA_SYSTEM.into(), value: value.into() }
}

pub(super) fn code(result: Result<impl Sized>) -> Code {
    match result.map(|_| ()) {
        Err(Error::Refused(Refusal { code, .. })) => code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_patient_is_read_as_registered_and_numbers_count_up() {
    let clinic = Clinic::new();
    let asha = clinic
        .register(Registration {
            name: "  आशा   राव ".into(),
            names: vec!["Asha Rao".into(), "आशा राव".into()],
            phones: vec![
                RawPhone { number: "098441 11173".into(), use_: None },
                RawPhone { number: "+91 80 2222 1111".into(), use_: Some("home".into()) },
                RawPhone { number: "+919844111173".into(), use_: Some("work".into()) },
            ],
            birth_date: Some("1984-05-02".into()),
            sex: Some("female".into()),
            language: Some("hi".into()),
            address: Some(Address {
                city: Some(" Mysuru ".into()),
                country: Some("in".into()),
                ..Address::default()
            }),
            email: Some("asha@example.org".into()),
            identifiers: vec![abha("91-1234-5678-9012")],
            channels: vec!["sms".into(), "voice".into()],
            reminders: Some(false),
            accept_duplicate: false,
        })
        .unwrap();
    assert_eq!(clinic.get(asha.id), asha);
    assert_eq!((asha.number, asha.version, asha.active), (1, 1, true));
    assert_eq!((asha.name.as_str(), asha.names.as_slice()), ("आशा राव", &["Asha Rao".into()][..]));
    let phones: Vec<_> =
        asha.phones.iter().map(|phone| (phone.number.as_str(), phone.use_.as_str())).collect();
    assert_eq!(phones, [("+919844111173", "mobile"), ("+918022221111", "home")]);
    assert_eq!(asha.identifiers[0].value, "91123456789012");
    assert_eq!(asha.address.as_ref().unwrap().city.as_deref(), Some("Mysuru"));
    assert_eq!(asha.address.as_ref().unwrap().country.as_deref(), Some("IN"));
    assert_eq!(asha.channels, [ContactChannel::Sms, ContactChannel::Voice]);
    let ravi = clinic.register(person("Ravi", "", "")).unwrap();
    assert_eq!((ravi.number, ravi.reminders, ravi.sex), (2, true, Sex::Unknown));
}

#[test]
fn what_is_not_a_value_is_refused_with_its_field() {
    let clinic = Clinic::new();
    let cases: [(&str, Registration); 8] = [
        ("name", person("  ", "", "")),
        ("phone", person("Asha", "12", "")),
        ("birth_date", person("Asha", "", "2026-03-03")),
        ("birth_date", person("Asha", "", "1984-02-30")),
        ("sex", Registration { sex: Some("f".into()), ..person("Asha", "", "") }),
        ("language", Registration { language: Some("h i".into()), ..person("Asha", "", "") }),
        ("preferences", Registration { channels: vec!["fax".into()], ..person("Asha", "", "") }),
        (
            "identifiers",
            Registration { identifiers: vec![abha("12345")], ..person("Asha", "", "") },
        ),
    ];
    for (field, registration) in cases {
        match clinic.register(registration).map(|_| ()) {
            Err(Error::Refused(refusal)) => assert_eq!(refusal.field, Some(field)),
            other => panic!("{field}: {other:?}"),
        }
    }
}

#[test]
fn the_day_or_the_month_of_birth_may_be_unknown() {
    let clinic = Clinic::new();
    for text in ["1984", "1984-05", "1984-05-02", "2026", "2026-03-02"] {
        let patient = clinic.register(person("Asha", "", text)).unwrap();
        assert_eq!(clinic.get(patient.id).birth_date.unwrap().to_string(), text);
    }
}

#[test]
fn a_family_shares_one_phone() {
    let clinic = Clinic::new();
    let mother = clinic.register(person("Asha Rao", "9844111173", "1984")).unwrap();
    let son = clinic.register(person("Kiran Rao", "9844111173", "2010")).unwrap();
    let aunt = clinic.register(person("Usha Rao", "9844111174", "1980")).unwrap();
    let stranger = clinic.register(person("John", "9844111175", "1980")).unwrap();
    let phone = mother.phones[0].number.clone();
    let sharers = clinic.db.read_blocking(|read| with_phone(read, &phone)).unwrap();
    assert_eq!(sharers.iter().map(|brief| brief.id).collect::<Vec<_>>(), [mother.id, son.id]);
    clinic.write(move |tx| relate(tx, &stamp(), son.id, aunt.id, "Aunt")).unwrap();
    assert_eq!(clinic.family(son.id), [(aunt.id, Some("aunt".into())), (mother.id, None)]);
    assert_eq!(clinic.family(aunt.id), [(son.id, None)]);
    assert_eq!(clinic.family(stranger.id), []);
    clinic.edit(mother.id, None, Edit { active: Some(false), ..Edit::default() }).unwrap();
    assert_eq!(clinic.family(son.id), [(aunt.id, Some("aunt".into()))]);
    let sharers = clinic.db.read_blocking(|read| with_phone(read, &phone)).unwrap();
    assert_eq!(sharers.iter().map(|brief| brief.id).collect::<Vec<_>>(), [son.id]);
    let refused = clinic.write(move |tx| relate(tx, &stamp(), son.id, mother.id, "mother"));
    assert_eq!(code(refused), Code::Inactive);
}

#[test]
fn a_kinship_is_taken_back_from_whichever_record_said_so() {
    let clinic = Clinic::new();
    let [son, aunt, uncle] =
        ["Kiran", "Usha", "Mohan"].map(|name| clinic.register(person(name, "", "")).unwrap().id);
    let unrelate = |one, other| clinic.write(move |tx| unrelate(tx, &stamp(), one, other));
    let relate = |one, other, word: &'static str| {
        clinic.write(move |tx| relate(tx, &stamp(), one, other, word)).unwrap();
    };
    relate(son, aunt, "aunt");
    relate(aunt, son, "nephew");
    relate(uncle, son, "nephew");
    assert!(unrelate(son, aunt).unwrap());
    assert_eq!((clinic.family(aunt), clinic.family(son)), (vec![], vec![(uncle, None)]));
    assert_eq!((clinic.get(son).version, clinic.get(aunt).version), (3, 3));
    assert!(unrelate(son, uncle).unwrap());
    assert_eq!(clinic.family(uncle), []);
    assert_eq!((clinic.get(son).version, clinic.get(uncle).version), (3, 3));
    assert!(!unrelate(son, aunt).unwrap(), "there is none any more");
    let verbs: Vec<(PatientId, String)> = clinic
        .db
        .read_blocking(|read| change::after(read, 0, 100))
        .unwrap()
        .into_iter()
        .filter(|change| change.verb == "unrelate")
        .map(|change| (PatientId::from_bytes(change.resource.into_bytes()), change.verb))
        .collect();
    let said = |who: PatientId| (who, "unrelate".to_owned());
    assert_eq!(verbs, [said(son), said(aunt), said(uncle)]);
}

#[test]
fn a_pair_that_staff_dismissed_is_listed_again_only_when_what_was_compared_changes() {
    let clinic = Clinic::new();
    let asha = clinic.register(person("Asha Rao", "98441 11173", "1984-05-02")).unwrap().id;
    let twin =
        Registration { accept_duplicate: true, ..person("Usha Rao", "98441 11173", "1984-05-02") };
    let usha = clinic.register(twin).unwrap().id;
    let stranger = clinic.register(person("John", "", "")).unwrap().id;
    let dismiss = |one, other| clinic.write(move |tx| dismiss_duplicate(tx, &stamp(), one, other));
    assert_eq!(clinic.pairs().len(), 1);
    assert_eq!(code(dismiss(asha, stranger)), Code::IllegalStep);
    dismiss(usha, asha).unwrap();
    assert_eq!(clinic.pairs(), []);
    dismiss(asha, usha).unwrap();
    let versions = [asha, usha].map(|id| clinic.get(id).version);
    assert_eq!(versions, [2, 2], "said again, nothing happens");

    let phones = |numbers: [&str; 2]| {
        let numbers = numbers.map(|number| RawPhone { number: number.into(), use_: None });
        Some(numbers.into())
    };
    let two_numbers = Edit { phones: phones(["98441 11173", "98441 11174"]), ..Edit::default() };
    let turned = Edit { phones: phones(["98441 11174", "98441 11173"]), ..Edit::default() };
    let married = Edit { name: Some("Usha Rao Patil".into()), ..Edit::default() };
    let born = Edit { birth_date: Some(Some("1984".into())), ..Edit::default() };
    let address = AddressEdit { city: Some(Some("Mysuru".into())), ..AddressEdit::default() };
    let moved = Edit { address: Some(Some(address)), ..Edit::default() };
    for (who, edit, listed) in [
        (usha, moved.clone(), 0),
        (usha, two_numbers, 1),
        (usha, turned, 0),
        (usha, married, 1),
        (asha, moved, 0),
        (asha, born, 1),
    ] {
        clinic.edit(who, None, edit).unwrap();
        assert_eq!(clinic.pairs().len(), listed);
        if listed == 1 {
            dismiss(asha, usha).unwrap();
            assert_eq!(clinic.pairs(), []);
        }
    }
    clinic.edit(usha, None, Edit { active: Some(false), ..Edit::default() }).unwrap();
    assert_eq!(code(dismiss(asha, usha)), Code::Inactive);
}

#[test]
fn very_likely_the_same_person_is_registered_twice_only_on_purpose() {
    let clinic = Clinic::new();
    let rajiv = clinic.register(person("Rajiv Sharma", "9844111173", "1984-05-02")).unwrap();
    let again = person("Sharma Rajeev", "+91 98441 11173", "1984");
    assert_eq!(code(clinic.register(again.clone())), Code::LikelyDuplicate(vec![rajiv.id]));
    for other in [
        person("Sunita Sharma", "9844111173", "1984-05-02"),
        person("Rajeev Sharma", "9844111173", "1985"),
        person("Rajeev Sharma", "9844111174", "1984-05-02"),
        Registration { sex: Some("female".into()), ..person("Sunil", "9844111173", "1984") },
    ] {
        clinic.register(other).unwrap();
    }
    let twice = clinic.register(Registration { accept_duplicate: true, ..again }).unwrap();
    assert_ne!(twice.id, rajiv.id);
}

#[test]
fn likely_duplicates_are_listed_with_reasons_until_they_differ() {
    let clinic = Clinic::new();
    let one = clinic.register(person("Laxmi Narayan", "9844111173", "1984-05-02")).unwrap();
    clinic.register(person("Asha Rao", "9844111173", "1984-05-02")).unwrap();
    let two = clinic.register(person("Lakshmi Narayan", "9900112233", "1984-05-02")).unwrap();
    let pairs = clinic.pairs();
    assert_eq!(pairs.len(), 1);
    assert_eq!((pairs[0].a.id, pairs[0].b.id), (one.id, two.id));
    assert_eq!(pairs[0].reasons, [Reason::SameName, Reason::SameBirthDate]);
    assert!((0.7..0.8).contains(&pairs[0].score), "{}", pairs[0].score);
    let phones = Some(vec![RawPhone { number: "9844111173".into(), use_: None }]);
    clinic.edit(two.id, None, Edit { phones, ..Edit::default() }).unwrap();
    let pairs = clinic.pairs();
    assert!(pairs[0].score > 0.95 && pairs[0].reasons.contains(&Reason::SamePhone));
    let birth_date = Some(Some("1990".into()));
    clinic.edit(one.id, None, Edit { birth_date, ..Edit::default() }).unwrap();
    assert_eq!(clinic.pairs().iter().filter(|pair| pair.score > 0.8).count(), 0);
    clinic.edit(one.id, None, Edit { active: Some(false), ..Edit::default() }).unwrap();
    assert_eq!(clinic.pairs(), []);
}

#[test]
fn an_abha_number_belongs_to_one_patient() {
    let clinic = Clinic::new();
    let with = |value: &str| Registration { identifiers: vec![abha(value)], ..person("A", "", "") };
    let one = clinic.register(with("91-1234-5678-9012")).unwrap();
    assert_eq!(code(clinic.register(with("९११२३४५६७८९०१२"))), Code::IdentifierTaken(one.id));
    let two = clinic.register(with("91-1234-5678-9013")).unwrap();
    let same = Edit { identifiers: Some(vec![abha("91123456789012")]), ..Edit::default() };
    assert_eq!(code(clinic.edit(two.id, None, same.clone())), Code::IdentifierTaken(one.id));
    clinic.edit(one.id, None, same.clone()).unwrap();
    clinic.edit(one.id, None, Edit { identifiers: Some(vec![]), ..Edit::default() }).unwrap();
    clinic.edit(two.id, None, same).unwrap();
    assert_eq!(clinic.found("5678 9013"), []);
    assert_eq!(clinic.found("5678 9012"), [two.id]);
}

#[test]
fn an_edit_changes_what_it_names_and_nothing_else() {
    let clinic = Clinic::new();
    let before = clinic
        .register(Registration {
            email: Some("a@example.org".into()),
            address: Some(Address {
                city: Some("Mysuru".into()),
                line: Some("1 MG Road".into()),
                ..Address::default()
            }),
            ..person("Asha Rao", "9844111173", "1984")
        })
        .unwrap();
    let address =
        AddressEdit { line: Some(None), state: Some(Some("KA".into())), ..AddressEdit::default() };
    let change = Edit {
        birth_date: Some(None),
        address: Some(Some(address)),
        language: Some(Some("kn".into())),
        ..Edit::default()
    };
    let after = clinic.edit(before.id, Some(1), change).unwrap();
    let expected = Patient {
        version: 2,
        birth_date: None,
        language: Some("kn".into()),
        address: Some(Address {
            city: Some("Mysuru".into()),
            state: Some("KA".into()),
            ..Address::default()
        }),
        ..before
    };
    assert_eq!(after, expected);
    assert_eq!(clinic.get(after.id), expected);
}

#[test]
fn an_edit_of_what_somebody_else_changed_is_stale() {
    let clinic = Clinic::new();
    let asha = clinic.register(person("Asha", "", "")).unwrap();
    let renamed = |name: &str| Edit { name: Some(name.into()), ..Edit::default() };
    clinic.edit(asha.id, Some(1), renamed("Usha")).unwrap();
    let stale = clinic.edit(asha.id, Some(1), renamed("Isha"));
    assert!(matches!(stale, Err(Error::Stale { now: 2 })), "{stale:?}");
    assert_eq!(clinic.get(asha.id).name, "Usha");
}

#[test]
fn a_patient_is_found_by_a_misspelt_name_and_by_any_digits() {
    let clinic = Clinic::new();
    let rajiv = clinic.register(person("Rajiv Sharma", "9844111173", "1984")).unwrap();
    let asha = Registration {
        names: vec!["Asha Rao".into()],
        ..person("ಆಶಾ ರಾವ್", "9900456789", "")
    };
    let asha = clinic.register(asha).unwrap();
    assert_eq!(clinic.found("Rajeev"), [rajiv.id]);
    assert_eq!(clinic.found("sharma rajeev"), [rajiv.id]);
    assert_eq!(clinic.found("1117"), [rajiv.id]);
    assert_eq!(clinic.found("asha"), [asha.id]);
    assert_eq!(clinic.found("45678"), [asha.id]);
    assert_eq!(clinic.found(&rajiv.number.to_string()), [rajiv.id]);
    let renamed = Edit { name: Some("Girish Hegde".into()), ..Edit::default() };
    clinic.edit(rajiv.id, None, renamed).unwrap();
    assert_eq!((clinic.found("Rajeev"), clinic.found("girish")), (vec![], vec![rajiv.id]));
    clinic.edit(rajiv.id, None, Edit { active: Some(false), ..Edit::default() }).unwrap();
    assert_eq!((clinic.found("girish"), clinic.found("1117")), (vec![], vec![]));
}

#[test]
fn nothing_is_done_or_shown_without_the_right() {
    let clinic = Clinic::new();
    let one = clinic.register(person("Asha", "", "")).unwrap().id;
    let two = clinic.register(person("Ravi", "", "")).unwrap().id;
    let merge_id = MergeId::new(stamp().now);
    let nobody =
        Stamp { actor: Actor::Nobody, role: Role::Nobody, channel: Channel::Api, ..stamp() };
    // What each role may do: read, write, merge.
    let roles = [
        (Role::Nobody, [false; 3]),
        (Role::Kiosk, [false; 3]),
        (Role::Auditor, [false; 3]),
        (Role::Hub, [true, true, false]),
        (Role::Practitioner, [true, false, false]),
        (Role::Integrator, [true, true, false]),
    ];
    for (role, [reads, writes, merges]) in roles {
        let stamp = Stamp { role, ..nobody };
        let denied = |error: Option<Error>| match error {
            Some(Error::Unknown) => role == Role::Nobody,
            Some(Error::Forbidden) => role != Role::Nobody,
            Some(other) => panic!("{other:?}"),
            None => false,
        };
        let db = &clinic.db;
        let read = |query: fn(&Read<'_>, &Stamp, PatientId) -> Option<Error>| {
            denied(db.read_blocking(|read| Ok(query(read, &stamp, one))).unwrap())
        };
        let write = |verb: fn(&mut Tx<'_>, &Stamp, (PatientId, PatientId)) -> Option<Error>| {
            denied(db.write_blocking(move |tx| Ok(verb(tx, &stamp, (one, two)))).unwrap())
        };
        assert_eq!(read(|read, stamp, id| get(read, stamp, id).err()), !reads, "{role:?}");
        assert_eq!(read(|read, stamp, id| by_ids(read, stamp, &[id]).err()), !reads, "{role:?}");
        assert_eq!(read(|read, stamp, _| find(read, stamp, "asha", 1).err()), !reads, "{role:?}");
        assert_eq!(read(|read, stamp, id| family(read, stamp, id).err()), !reads, "{role:?}");
        assert_eq!(
            read(|read, stamp, _| duplicates(read, stamp, None, 1).err()),
            !merges,
            "{role:?}"
        );
        let registering = write(|tx, stamp, _| register(tx, stamp, person("Mala", "", "")).err());
        assert_eq!(registering, !writes, "{role:?}");
        let editing =
            write(|tx, stamp, (one, _)| edit(tx, stamp, one, None, Edit::default()).err());
        assert_eq!(editing, !writes, "{role:?}");
        let relating = write(|tx, stamp, (one, two)| relate(tx, stamp, one, two, "son").err());
        assert_eq!(relating, !writes, "{role:?}");
        let parting = write(|tx, stamp, (one, two)| unrelate(tx, stamp, one, two).err());
        assert_eq!(parting, !writes, "{role:?}");
        let dismissing =
            write(|tx, stamp, (one, two)| dismiss_duplicate(tx, stamp, one, two).err());
        assert!(dismissing, "{role:?}");
        assert!(write(|tx, stamp, (one, two)| merge(tx, stamp, one, two).err()), "{role:?}");
        let undoing = db.write_blocking(move |tx| Ok(undo_merge(tx, &stamp, merge_id).err()));
        assert!(denied(undoing.unwrap()), "{role:?}");
    }
}

#[test]
fn debug_output_shows_no_personal_data() {
    let clinic = Clinic::new();
    let asha = clinic.register(person("Asha Rao", "9844111173", "1984")).unwrap();
    let shown = format!(
        "{asha:?} {:?} {:?}",
        asha.phones,
        clinic.db.read_blocking(|read| brief(read, asha.id))
    );
    assert!(
        !shown.contains("Asha") && !shown.contains("1173") && !shown.contains("1984"),
        "{shown}"
    );
}
