//! Who on record it may be of whom a few things are said.

use super::{Clinic, abha, person, stamp};
use crate::contact::{BirthDate, Phone};
use crate::patient::*;

impl Clinic {
    /// Numbers and how sure each is, the likeliest first.
    fn likely(&self, description: &Description) -> Vec<(i64, Likelihood)> {
        let found = self.db.read_blocking(|read| likely(read, &stamp(), description, LIKELY_MAX));
        found.unwrap().iter().map(|it| (it.patient.number, it.likelihood)).collect()
    }
}

fn described(name: &str, phone: &str, birth_date: &str) -> Description {
    let phone = (!phone.is_empty()).then(|| PatientPhone {
        number: Phone::parse(phone, "IN").unwrap(),
        use_: PhoneUse::Mobile,
    });
    Description {
        names: (!name.is_empty()).then(|| name.to_owned()).into_iter().collect(),
        phones: phone.into_iter().collect(),
        birth_date: BirthDate::parse(birth_date).ok(),
        ..Description::default()
    }
}

#[test]
fn the_more_agrees_the_surer_it_is() {
    use Likelihood::{Certain, Possible, Probable};
    let clinic = Clinic::new();
    clinic.register(person("Asha Rao", "98441 11173", "1984-05-02")).unwrap();
    clinic.register(person("Ravi Rao", "98441 11173", "1980-01-01")).unwrap();
    for (name, phone, birth_date, expected) in [
        ("Asha Rao", "98441 11173", "1984-05-02", vec![(1, Certain)]),
        ("Aasha Raao", "98441 11173", "1984-05-02", vec![(1, Certain)]),
        ("Asha Rao", "98441 11173", "1984", vec![(1, Probable)]),
        ("Asha Rao", "", "1984-05-02", vec![(1, Probable)]),
        ("Asha Rao", "", "1999-01-01", vec![(1, Possible)]),
        ("Asha Rao", "", "", vec![(1, Possible)]),
        ("Zoya Khan", "98441 11173", "1984-05-02", vec![]),
        // A family has one telephone.
        ("", "98441 11173", "1984-05-02", vec![(1, Possible)]),
        ("", "98441 11173", "", vec![(1, Possible), (2, Possible)]),
    ] {
        let found = clinic.likely(&described(name, phone, birth_date));
        assert_eq!(found, expected, "{name} {phone} {birth_date}");
    }
}

#[test]
fn a_number_is_one_persons_unless_all_else_speaks_against_it() {
    use Likelihood::{Certain, Possible, Probable};
    let clinic = Clinic::new();
    let mut asha = person("Asha Rao", "98441 11173", "1984-05-02");
    asha.identifiers = vec![abha("91-1234-5678-9012")];
    let asha = clinic.register(asha).unwrap();
    for (name, birth_date, expected) in [
        ("", "", Certain),
        ("Asha Rao", "", Certain),
        ("Asha Rao", "1999-01-01", Certain),
        ("Asha Patil", "1984-05-02", Probable),
        ("", "1999-01-01", Probable),
        ("Zoya Khan", "", Possible),
        ("Zoya Khan", "1999-01-01", Possible),
    ] {
        let mut by_identifier = described(name, "", birth_date);
        by_identifier.identifiers.clone_from(&asha.identifiers);
        let mut by_number = described(name, "", birth_date);
        by_number.number = Some(1);
        for description in [by_identifier, by_number] {
            assert_eq!(clinic.likely(&description), [(1, expected)], "{name} {birth_date}");
        }
    }
    let edit = Edit { active: Some(false), ..Edit::default() };
    clinic.edit(asha.id, None, edit).unwrap();
    let by_number = Description { number: Some(1), ..Description::default() };
    assert!(clinic.likely(&by_number).is_empty());
}
