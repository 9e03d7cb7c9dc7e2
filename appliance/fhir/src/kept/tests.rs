//! The laws of the lens, tried at random on the lists that have the most to say.

use proptest::prelude::*;
use serde_json::json;

use prm::contact::Phone;
use prm::patient::{Identifier, PatientPhone, PhoneUse};

use super::*;
use crate::fixture::{resource, updated};
use crate::human_name::Names;
use crate::patient::identifier::Given;
use crate::patient::telecom::{Email, Phones};

/// The laws for one list, what was given, and what the record says.
fn laws<E>(lens: &E, given: &[Value], now: &[E::Said]) -> Result<(), TestCaseError>
where
    E: Entries,
    E::Said: Clone,
{
    let said = values(lens, given);
    prop_assert_eq!(list(lens, given, &said), given, "what was given says the same");
    let written = list(lens, given, now);
    prop_assert!(values(lens, &written) == now, "what is written says the record: {:?}", written);
    prop_assert_eq!(&list(lens, &written, now), &written, "written again it is the same");
    let is_foreign = |entry: &&Value| values(lens, std::slice::from_ref(*entry)).is_empty();
    let foreign: Vec<&Value> = given.iter().filter(is_foreign).collect();
    let kept: Vec<&Value> = written.iter().filter(is_foreign).collect();
    prop_assert_eq!(kept, foreign, "what says nothing of ours stays");
    Ok(())
}

/// That nothing else changes when one value does.
fn one_changes<E>(
    lens: &E,
    given: &[Value],
    place: usize,
    new: E::Said,
) -> Result<(), TestCaseError>
where
    E: Entries,
    E::Said: Clone,
{
    let said = lens.read(given);
    let mut now = values(lens, given);
    if now.is_empty() || now.contains(&new) {
        return Ok(());
    }
    let place = place % now.len();
    now[place] = new;
    let written = list(lens, given, &now);
    prop_assert!(values(lens, &written) == now);
    for (_, (at, _)) in said.iter().enumerate().filter(|(nth, _)| *nth != place) {
        prop_assert!(written.contains(&given[*at]), "{:?} is gone", given[*at]);
    }
    Ok(())
}

fn values<E: Entries>(lens: &E, entries: &[Value]) -> Vec<E::Said> {
    lens.read(entries).into_iter().map(|(_, said)| said).collect()
}

/// One of these texts, or nothing.
fn maybe(words: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    prop::option::of(prop::sample::select(words)).prop_map(|word| word.map(Value::from))
}

fn contact_points() -> impl Strategy<Value = Vec<Value>> {
    let values = &[
        "+919844111170",
        "98441 11170",
        "098441-11171",
        "+91 98441 11172",
        "rani@example.in",
        "asha@example.in",
        "ask at the desk",
    ];
    let point = (
        maybe(&["phone", "sms", "email", "fax"]),
        maybe(values),
        maybe(&["home", "work", "mobile", "temp", "old"]),
        prop::option::of(1..4_i64),
        any::<bool>(),
    )
        .prop_map(|(system, value, use_, rank, extended)| {
            element::of([
                ("extension", extended.then(|| json!([{ "url": "urn:x", "valueCode": "y" }]))),
                ("system", system),
                ("value", value),
                ("use", use_),
                ("rank", rank.map(Value::from)),
            ])
        });
    prop::collection::vec(point, 0..7)
}

fn phone() -> impl Strategy<Value = PatientPhone> {
    let uses = prop::sample::select(&[PhoneUse::Mobile, PhoneUse::Home, PhoneUse::Work]);
    (0..5_u8, uses).prop_map(|(number, use_)| {
        let number = Phone::parse(&format!("+91984411117{number}"), "IN").unwrap();
        PatientPhone { number, use_ }
    })
}

fn phones() -> impl Strategy<Value = Vec<PatientPhone>> {
    prop::collection::vec(phone(), 0..4).prop_map(|phones| {
        let mut known: Vec<PatientPhone> = Vec::new();
        for phone in phones {
            if !known.iter().any(|it| it.number == phone.number) {
                known.push(phone);
            }
        }
        known
    })
}

fn human_names() -> impl Strategy<Value = Vec<Value>> {
    let name = (
        maybe(&["official", "usual", "old", "maiden", "nickname"]),
        maybe(&["Rani Sharma", "  Rani   Gupta", "Rani", "रानी शर्मा", " "]),
        maybe(&["Sharma", "Gupta"]),
        maybe(&["Rani", "R."]),
    )
        .prop_map(|(use_, text, family, given)| {
            element::of([
                ("use", use_),
                ("text", text),
                ("family", family),
                ("given", given.map(|given| json!([given]))),
                ("period", Some(json!({ "start": "2001" }))),
            ])
        });
    prop::collection::vec(name, 0..6)
}

fn names() -> impl Strategy<Value = Vec<String>> {
    let pool = vec!["Rani Sharma", "Rani Gupta", "Rani", "Sharma", "रानी शर्मा", "Meera Iyer"];
    prop::sample::subsequence(pool, 1..5)
        .prop_shuffle()
        .prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

/// The system of a clinic's own numbers.
const OWN_SYSTEM: &str = "urn:uuid:01980000-0000-7000-8000-000000000001";

fn given_identifiers() -> impl Strategy<Value = Vec<Value>> {
    let entry = (
        maybe(&[
            "https://healthid.abdm.gov.in",
            "urn:oid:1.2.3",
            "https://carepost.health/fhir/identifier-system/ration%20card",
            OWN_SYSTEM,
        ]),
        maybe(&["91-1234-5678-9012", "91123456789012", "KA-7", " KA-8"]),
        maybe(&["old", "usual"]),
    )
        .prop_map(|(system, value, use_)| {
            element::of([
                ("use", use_),
                ("system", system),
                ("value", value),
                ("assigner", Some(json!({ "display": "Mysuru" }))),
            ])
        });
    prop::collection::vec(entry, 0..6)
}

fn identifiers() -> impl Strategy<Value = Vec<Identifier>> {
    let one = (
        prop::sample::select(&["https://healthid.abdm.gov.in", "urn:oid:1.2.3", "ration card"]),
        prop::sample::select(&["91123456789012", "22123456789012"]),
    )
        .prop_map(|(system, value)| Identifier::parse(system, value).unwrap());
    prop::collection::btree_set(one, 0..4).prop_map(|set| set.into_iter().collect())
}

proptest! {
    #[test]
    fn telephone_numbers_obey_the_laws(given in contact_points(), now in phones()) {
        laws(&Phones { country: "IN" }, &given, &now)?;
    }

    #[test]
    fn one_telephone_number_changes_alone(
        given in contact_points(), place in 0..4_usize, new in phone(),
    ) {
        let lens = Phones { country: "IN" };
        let known = values(&lens, &given);
        if !known.iter().any(|it| it.number == new.number) {
            one_changes(&lens, &given, place, new)?;
        }
    }

    #[test]
    fn the_email_address_obeys_the_laws(
        given in contact_points(),
        now in prop::option::of(prop::sample::select(&["rani@example.in", "new@example.in"])),
    ) {
        let now: Vec<String> = now.into_iter().map(str::to_owned).collect();
        laws(&Email, &given, &now)?;
    }

    #[test]
    fn numbers_and_the_address_leave_each_other_alone(
        given in contact_points(), phones in phones(), mail in any::<bool>(),
    ) {
        let mail: Vec<String> = mail.then(|| "new@example.in".to_owned()).into_iter().collect();
        let lens = Phones { country: "IN" };
        let written = list(&Email, &list(&lens, &given, &phones), &mail);
        prop_assert!(values(&lens, &written) == phones);
        prop_assert!(values(&Email, &written) == mail);
    }

    #[test]
    fn names_obey_the_laws(given in human_names(), now in names()) {
        laws(&Names::ALL, &given, &now)?;
        laws(&Names::ONE, &given, &now[..1])?;
    }

    #[test]
    fn one_name_changes_alone(given in human_names(), place in 0..4_usize) {
        one_changes(&Names::ALL, &given, place, "Meera Iyer".to_owned())?;
    }

    #[test]
    fn identifiers_obey_the_laws(given in given_identifiers(), now in identifiers()) {
        laws(&Given { own_system: OWN_SYSTEM.to_owned() }, &given, &now)?;
    }
}

#[test]
fn an_entry_that_says_a_number_again_for_another_use_does_not_come_forward() {
    let lens = Phones { country: "IN" };
    let mobile = |number: &str| PatientPhone {
        number: Phone::parse(number, "IN").unwrap(),
        use_: PhoneUse::Mobile,
    };
    let [old, home] = [
        json!({ "system": "phone", "value": "+919844111170" }),
        json!({ "system": "phone", "value": "+919844111170", "use": "home" }),
    ];
    let now = [mobile("+919844111171"), mobile("+919844111170")];
    let written = list(&lens, &[old.clone(), home], &now);
    assert_eq!(written, [lens.write(&now[0], None), old]);
}

#[test]
fn an_edit_drops_generated_narrative_and_nothing_else() {
    let given = resource(json!({
        "resourceType": "Location",
        "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Room 1</div>" },
        "name": "Room 1",
        "_name": { "id": "n" },
        "alias": ["Consulting"],
    }));
    let write = |name: &str| {
        let mut kept = Kept::begin("Location", "a", (1, updated(), &TimeZone::UTC), Some(&given));
        let read = |map: &Map| element::text(map, "name").map(str::to_owned);
        kept.element("name", &Some(name.to_owned()), read, |name| name.clone().map(Value::from));
        kept.end()
    };
    let same = write("Room 1");
    assert_eq!((same.get("text"), same.get("_name")), (given.get("text"), given.get("_name")));
    let other = write("Room 2");
    assert_eq!((other.get("text"), other.get("_name")), (None, None));
    assert_eq!(other.get("name"), Some(&json!("Room 2")));
    assert_eq!(other.get("alias"), given.get("alias"));
}

#[test]
fn profiles_and_tags_stay_and_the_version_is_the_records() {
    let given = resource(json!({
        "resourceType": "Location",
        "id": "theirs",
        "meta": {
            "versionId": "9",
            "_versionId": { "id": "v" },
            "source": "urn:x",
            "profile": ["http://example.org/room"],
            "tag": [{ "code": "t" }],
        },
    }));
    let written =
        Kept::begin("Location", "ours", (2, updated(), &TimeZone::UTC), Some(&given)).end();
    let expected = json!({
        "resourceType": "Location",
        "id": "ours",
        "meta": {
            "versionId": "2",
            "source": "urn:x",
            "profile": ["http://example.org/room"],
            "tag": [{ "code": "t" }],
            "lastUpdated": "2026-11-23T04:30:00+00:00",
        },
    });
    assert_eq!(Value::from(written), expected);
}
