//! A patient as FHIR and back.

use proptest::prelude::*;
use serde_json::json;

use prm::clinic::Clinic;
use prm::contact::Phone;
use prm::patient::{ABHA_SYSTEM, ContactChannel, Identifier, PatientPhone, PhoneUse};

use super::*;
use crate::fixture::{
    clinic, examples, expressions, here, id, resource, updated, valid, without_own,
};

/// A patient of whom everything is known.
pub(crate) fn rani() -> Patient {
    Patient {
        id: PatientId::from_bytes(id(2).into_bytes()),
        version: 4,
        number: 1234,
        name: "Rani Sharma".into(),
        names: vec!["रानी शर्मा".into()],
        phones: vec![PatientPhone {
            number: Phone::parse("+919844111173", "IN").unwrap(),
            use_: PhoneUse::Mobile,
        }],
        birth_date: Some(BirthDate::parse("1984-05").unwrap()),
        sex: Sex::Female,
        language: Some("kn-IN".into()),
        address: Some(Address {
            line: Some("12 Temple Road".into()),
            city: Some("Mysuru".into()),
            district: Some("Mysuru".into()),
            state: Some("Karnataka".into()),
            postal_code: Some("570001".into()),
            country: Some("IN".into()),
        }),
        email: Some("rani@example.in".into()),
        identifiers: vec![
            Identifier::parse(ABHA_SYSTEM, "91123456789012").unwrap(),
            Identifier::parse("ration card", "KA-7").unwrap(),
        ],
        channels: vec![ContactChannel::Whatsapp, ContactChannel::Sms],
        reminders: false,
        active: true,
        merged_into: None,
    }
}

fn written(patient: &Patient, given: Option<&Resource>) -> Resource {
    let clinic = clinic();
    valid(write(patient, here(&clinic), updated(), given))
}

fn raw(resource: &Resource) -> RawPatient {
    let clinic = clinic();
    read(resource, here(&clinic)).unwrap()
}

/// What was read, as the verbs make a record of it, over another record.
fn applied(raw: RawPatient, record: Patient) -> Patient {
    let RawPatient {
        name,
        names,
        phones,
        birth_date,
        sex,
        language,
        address,
        email,
        identifiers,
        channels,
        reminders,
        active,
        replaced_by,
    } = raw;
    let phone = |raw: RawPhone| PatientPhone {
        number: Phone::parse(&raw.number, "IN").unwrap(),
        use_: PhoneUse::parse(&raw.use_.unwrap()).unwrap(),
    };
    let channel = |word: String| ContactChannel::parse(&word).unwrap();
    let mut identifiers: Vec<Identifier> = identifiers
        .into_iter()
        .map(|raw| Identifier::parse(&raw.system, &raw.value).unwrap())
        .collect();
    identifiers.sort();
    Patient {
        name,
        names,
        phones: phones.into_iter().map(phone).collect(),
        birth_date: birth_date.map(|date| BirthDate::parse(&date).unwrap()),
        sex: sex.map_or(Sex::Unknown, |word| Sex::parse(&word).unwrap()),
        language,
        address,
        email,
        identifiers,
        channels: channels
            .map_or(record.channels, |words| words.into_iter().map(channel).collect()),
        reminders: reminders.unwrap_or(record.reminders),
        active,
        merged_into: replaced_by,
        id: record.id,
        version: record.version,
        number: record.number,
    }
}

/// The resource without the clinic's own number, which the clinic adds to whatever came.
fn without_number(resource: &Resource) -> Resource {
    let mut resource = without_own(resource);
    let system = own_system(clinic().id);
    let Some(Value::Array(entries)) = resource.get_mut("identifier") else { return resource };
    entries.retain(|entry| entry["system"] != json!(system));
    if entries.is_empty() {
        resource.remove("identifier");
    }
    resource
}

#[test]
fn a_record_is_written_with_what_national_profiles_ask_for() {
    let resource = written(&rani(), None);
    let expected = json!({
        "resourceType": "Patient",
        "id": id(2).to_string(),
        "meta": { "versionId": "4", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "extension": [{
            "url": crate::extension::CONTACT_PREFERENCES,
            "extension": [
                { "url": "channel", "valueCode": "whatsapp" },
                { "url": "channel", "valueCode": "sms" },
                { "url": "reminders", "valueBoolean": false },
            ],
        }],
        "identifier": [
            {
                "use": "usual",
                "type": { "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                    "code": "MR",
                    "display": "Medical record number",
                }] },
                "system": format!("urn:uuid:{}", id(1)),
                "value": "1234",
            },
            {
                "type": { "coding": [{
                    "system": "https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-identifier-type-code",
                    "code": "ABHA",
                    "display": "Ayushman Bharat Health Account (ABHA) ID",
                }] },
                "system": ABHA_SYSTEM,
                "value": "91123456789012",
            },
            {
                "type": { "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                    "code": "U",
                    "display": "Unspecified identifier",
                }] },
                "system": "https://carepost.health/fhir/identifier-system/ration%20card",
                "value": "KA-7",
            },
        ],
        "active": true,
        "name": [
            { "text": "Rani Sharma", "family": "Sharma", "given": ["Rani"] },
            { "text": "रानी शर्मा", "family": "शर्मा", "given": ["रानी"] },
        ],
        "telecom": [
            { "system": "phone", "value": "+919844111173", "use": "mobile" },
            { "system": "email", "value": "rani@example.in" },
        ],
        "gender": "female",
        "birthDate": "1984-05",
        "address": [{
            "use": "home",
            "line": ["12 Temple Road"],
            "city": "Mysuru",
            "district": "Mysuru",
            "state": "Karnataka",
            "postalCode": "570001",
            "country": "IN",
        }],
        "communication": [{
            "language": { "coding": [{ "system": "urn:ietf:bcp:47", "code": "kn-IN" }] },
            "preferred": true,
        }],
    });
    let json = Value::from(resource.clone());
    assert_eq!(json, expected);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&json), keys(&expected), "in R4's order");
    assert_eq!(facts(&applied(raw(&resource), rani())), facts(&rani()));
}

/// A record as text, for messages of tests that compare two.
fn facts(patient: &Patient) -> String {
    let clinic = clinic();
    let json = write(patient, here(&clinic), updated(), None);
    serde_json::to_string_pretty(&json).unwrap()
}

#[test]
fn a_merged_record_says_what_replaces_it() {
    let into = PatientId::from_bytes(id(9).into_bytes());
    let merged = Patient { active: false, merged_into: Some(into), ..rani() };
    let resource = written(&merged, None);
    assert_eq!(resource.get("active"), Some(&json!(false)));
    let other = json!({ "reference": format!("Patient/{into}") });
    assert_eq!(resource.get("link"), Some(&json!([{ "other": other, "type": "replaced-by" }])));
    assert_eq!(raw(&resource).replaced_by, Some(into));
    let undone = written(&rani(), Some(&resource));
    assert_eq!(undone.get("link"), None);
}

#[test]
fn what_the_records_cannot_hold_stays_as_it_was_given() {
    let given = resource(json!({
        "resourceType": "Patient",
        "contained": [{ "resourceType": "Organization", "id": "o", "name": "Hospital" }],
        "identifier": [
            { "value": "without a system" },
            { "system": "https://healthid.abdm.gov.in", "value": "rani@abdm" },
        ],
        "name": [{ "family": "Sharma", "given": ["Rani", "Devi"] }],
        "telecom": [
            { "system": "fax", "value": "080 2222 3333" },
            { "system": "phone", "value": "ask the sister" },
            { "system": "phone", "value": "+919844111170", "use": "old" },
            { "system": "sms", "value": "98441 11173", "use": "home" },
            { "system": "email", "value": "rani@example.in", "rank": 1 },
            { "system": "email", "value": "office@example.in" },
        ],
        "gender": "female",
        "_birthDate": { "extension": [{
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "unknown",
        }] },
        "address": [
            { "use": "work", "city": "Bengaluru" },
            { "use": "home", "line": ["12 Temple Road", "Nazarbad"], "country": "India" },
        ],
        "maritalStatus": { "text": "Married" },
        "generalPractitioner": [{ "reference": "#o" }],
    }));
    let raw = raw(&given);
    let numbers: Vec<&str> = raw.phones.iter().map(|phone| phone.number.as_str()).collect();
    assert_eq!(numbers, ["+919844111173"]);
    assert_eq!(raw.email.as_deref(), Some("rani@example.in"));
    assert!(raw.identifiers.is_empty());
    let line = raw.address.clone().and_then(|address| address.line);
    assert_eq!(line.as_deref(), Some("12 Temple Road, Nazarbad"));
    let record = applied(raw, rani());
    let again = written(&record, Some(&given));
    let preferences = again.get("extension").is_some();
    assert!(preferences, "the record has them, what was given does not");
    let mut again = without_number(&again);
    again.remove("extension");
    assert_eq!(Value::from(again), Value::from(without_own(&given)));

    let moved = Patient { email: Some("new@example.in".into()), birth_date: None, ..record };
    let edited = written(&moved, Some(&given));
    let mut expected = Value::from(given.clone())["telecom"].clone();
    expected[4]["value"] = json!("new@example.in");
    assert_eq!(edited.get("telecom"), Some(&expected));
    assert_eq!(edited.get("_birthDate"), given.get("_birthDate"));
    let nobody = Patient { email: None, ..moved };
    let edited = written(&nobody, Some(&given));
    assert_eq!(edited.get("telecom").and_then(Value::as_array).map(Vec::len), Some(4));
}

#[test]
fn an_edited_address_keeps_what_the_records_do_not_know_of_it() {
    let given = resource(json!({
        "resourceType": "Patient",
        "name": [{ "text": "Rani" }],
        "address": [{
            "id": "a1",
            "use": "home",
            "text": "12 Temple Road, Mysuru",
            "line": ["12 Temple Road"],
            "city": "Mysuru",
            "country": "India",
            "period": { "start": "2020" },
        }],
    }));
    let mut record = applied(raw(&given), rani());
    if let Some(address) = &mut record.address {
        address.line = Some("4 Lake Road".into());
    }
    let expected = json!([{
        "id": "a1",
        "use": "home",
        "line": ["4 Lake Road"],
        "city": "Mysuru",
        "country": "India",
        "period": { "start": "2020" },
    }]);
    assert_eq!(written(&record, Some(&given)).get("address"), Some(&expected));
}

#[test]
fn what_changes_the_meaning_of_others_is_refused() {
    let clinic = clinic();
    let given = resource(json!({
        "resourceType": "Patient",
        "implicitRules": "urn:x",
        "modifierExtension": [{ "url": "urn:x", "valueBoolean": true }],
        "name": [{ "text": "Rani" }],
        "contact": [{ "modifierExtension": [{ "url": "urn:x", "valueBoolean": true }] }],
        "link": [
            { "other": { "reference": "Patient/1" }, "type": "seealso" },
            {
                "modifierExtension": [{ "url": "urn:x", "valueBoolean": true }],
                "other": { "reference": "Patient/1" },
                "type": "seealso",
            },
        ],
    }));
    let refused = read(&given, here(&clinic)).err().unwrap();
    let expected =
        ["Patient.implicitRules", "Patient.modifierExtension", "Patient.link[1].modifierExtension"];
    assert_eq!(expressions(&refused), expected);
    assert!(refused.issues.iter().all(|issue| issue.code == IssueCode::NotSupported));

    let nameless = resource(json!({ "resourceType": "Patient", "name": [{ "use": "usual" }] }));
    let refused = read(&nameless, here(&clinic)).err().unwrap();
    assert_eq!(expressions(&refused), ["Patient.name"]);
}

#[test]
fn every_example_of_hl7_that_is_read_is_written_back_equal() {
    let mut taken = 0;
    for (name, given) in examples("Patient") {
        for country in ["IN", "AU", "US", "NL"] {
            let clinic = Clinic { country: country.into(), ..clinic() };
            let Ok(raw) = read(&given, here(&clinic)) else { continue };
            let plain = Patient { channels: Vec::new(), reminders: true, ..rani() };
            let record = applied(raw, plain);
            let written = write(&record, here(&clinic), updated(), Some(&given));
            let (written, given) = (without_number(&written), without_own(&given));
            assert_eq!(Value::from(written), Value::from(given), "{name} in {country}");
            taken += 1;
        }
    }
    assert!(taken == 0 || taken > 60, "only {taken} were read");
}

fn maybe<T: Clone + std::fmt::Debug>(values: &'static [T]) -> impl Strategy<Value = Option<T>> {
    prop::option::of(prop::sample::select(values))
}

fn records() -> impl Strategy<Value = Patient> {
    let words = || maybe(&["a", "b, c", "12 Temple Road"]);
    let address = (words(), words(), words(), words(), words(), maybe(&["IN", "NP"]));
    let of = |word: Option<&str>| word.map(str::to_owned);
    let address = address.prop_map(move |(line, city, district, state, postal_code, country)| {
        let address = Address {
            line: of(line),
            city: of(city),
            district: of(district),
            state: of(state),
            postal_code: of(postal_code),
            country: of(country),
        };
        (address != Address::default()).then_some(address)
    });
    let channels = prop::sample::subsequence(
        vec![ContactChannel::Voice, ContactChannel::Sms, ContactChannel::Email],
        0..3,
    );
    let others = prop::sample::subsequence(vec!["रानी", "Rani S", "Raani"], 0..3).prop_shuffle();
    let person = (
        prop::sample::select(&["Rani", "Rani Sharma", "Dr Rani"]),
        others,
        maybe(&["1984", "1984-05", "1984-05-02"]),
        prop::sample::select(&[Sex::Male, Sex::Female, Sex::Other, Sex::Unknown]),
        maybe(&["en", "hi", "kn-IN"]),
    );
    let state = (channels, any::<bool>(), any::<bool>(), prop::option::of(20..24_u128));
    let reach = (
        prop::sample::subsequence(vec!["+919844111170", "+919844111171", "+919844111172"], 0..3),
        maybe(&["rani@example.in", "new@example.in"]),
        prop::sample::subsequence(vec![("ration card", "1"), ("urn:oid:1.2", "2")], 0..3),
    );
    (person, address, state, reach).prop_map(move |(person, address, state, reach)| {
        let (name, names, birth_date, sex, language) = person;
        let (channels, reminders, active, merged_into) = state;
        let (phones, email, identifiers) = reach;
        let phone = |number: &str| PatientPhone {
            number: Phone::parse(number, "IN").unwrap(),
            use_: PhoneUse::Home,
        };
        Patient {
            name: name.to_owned(),
            names: names.into_iter().map(str::to_owned).collect(),
            phones: phones.into_iter().map(phone).collect(),
            birth_date: birth_date.map(|date| BirthDate::parse(date).unwrap()),
            sex,
            language: of(language),
            address,
            email: of(email),
            identifiers: identifiers
                .into_iter()
                .map(|(system, value)| Identifier::parse(system, value).unwrap())
                .collect(),
            channels,
            reminders,
            active,
            merged_into: merged_into.map(|it| PatientId::from_bytes(id(it).into_bytes())),
            ..rani()
        }
    })
}

proptest! {
    /// `other` came in through FHIR as `theirs` wrote it, and the record is something else now.
    #[test]
    fn what_a_record_says_is_read_from_what_is_written_over_anything(
        record in records(), other in records(), addressed in any::<bool>(),
    ) {
        let clinic = clinic();
        let mut given = write(&other, here(&clinic), updated(), None);
        if addressed {
            given.set("address", json!([
                { "use": "old", "city": "Hassan" },
                { "city": "Mandya", "country": "India", "text": "Mandya" },
                { "use": "home", "line": ["1", "2"], "district": "Mysuru", "country": "np" },
            ]));
            given.set("communication", json!([
                { "language": { "coding": [{ "system": "urn:ietf:bcp:47", "code": "en" }] } },
                { "language": { "text": "Tulu" } },
                { "language": { "coding": [{ "system": "urn:ietf:bcp:47", "code": "hi" }] } },
            ]));
        }
        let written = write(&record, here(&clinic), updated(), Some(&given));
        let issues = crate::structure::validate(&written);
        prop_assert!(issues.is_empty(), "{issues:?}");
        let back = applied(raw(&written), other);
        prop_assert_eq!(facts(&Patient { id: record.id, ..back }), facts(&record));
    }

    #[test]
    fn when_one_field_changes_only_its_element_does(
        before in records(), other in records(), field in 0..11_usize,
    ) {
        let clinic = clinic();
        let mut given = write(&before, here(&clinic), updated(), None);
        given.set("maritalStatus", json!({ "text": "Married" }));
        let mut after = before.clone();
        let element = match field {
            0 => { after.name = "Somebody Else".into(); "name" }
            1 => { after.names = other.names.into_iter().filter(|it| *it != after.name).collect(); "name" }
            2 => { after.phones = other.phones; "telecom" }
            3 => { after.email = other.email; "telecom" }
            4 => { after.sex = other.sex; "gender" }
            5 => { after.birth_date = other.birth_date; "birthDate" }
            6 => { after.address = other.address; "address" }
            7 => { after.language = other.language; "communication" }
            8 => { after.identifiers = other.identifiers; "identifier" }
            9 => { after.reminders = other.reminders; "extension" }
            _ => { after.merged_into = other.merged_into; "link" }
        };
        let mut written = write(&after, here(&clinic), updated(), Some(&given));
        given.remove(element);
        written.remove(element);
        prop_assert_eq!(written.to_vec(), given.to_vec());
    }

    #[test]
    fn what_was_given_comes_out_as_it_was_given(theirs in records()) {
        let given = without_number(&written(&theirs, None));
        let record = applied(raw(&given), rani());
        let again = without_number(&write(&record, here(&clinic()), updated(), Some(&given)));
        // A record that has preferences says them, whether or not they came this way.
        if given.get("extension").is_some() {
            prop_assert_eq!(Value::from(again), Value::from(given));
        } else {
            let mut again = again;
            again.remove("extension");
            prop_assert_eq!(Value::from(again), Value::from(given));
        }
    }
}
