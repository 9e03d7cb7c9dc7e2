//! Terms: none that fits is missed, and most that do not are.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::chart;
use crate::fixture::{clinic, examples, here, resource};
use crate::search::{self, pairs};

fn patient() -> Resource {
    resource(json!({
        "resourceType": "Patient",
        "id": "one",
        "meta": {"lastUpdated": "2026-11-23T10:00:00.250+05:30"},
        "identifier": [{"system": "https://healthid.abdm.gov.in", "value": "91-1111-2222-3333"}],
        "name": [{"text": "Smt. Áshá Rao", "family": "Rao"}],
        "telecom": [
            {"system": "phone", "value": "+919844111173"},
            {"system": "email", "value": "Asha@Example.org"},
        ],
        "birthDate": "1984-05",
        "generalPractitioner": [{"reference": "Practitioner/7"}],
    }))
}

/// Whether the terms let a search see the resource; none if the search has no terms at all.
fn is_seen(it: &Resource, query: &str) -> Option<bool> {
    let clinic = clinic();
    let query = search::parse(it.resource_type(), &pairs(query).unwrap(), true, here(&clinic));
    let sets = of_query(&query.unwrap());
    let own = of_resource(it);
    let has = |set: &Vec<String>| set.iter().any(|term| own.contains(term));
    (!sets.is_empty()).then(|| sets.iter().all(has))
}

#[test]
fn what_fits_a_search_has_its_terms_and_most_else_has_not() {
    let seen = [
        "_id=one",
        "identifier=91111122223333",
        "identifier=https://healthid.abdm.gov.in|91-1111-2222-3333",
        "phone=9844111173",
        "telecom=asha@example.ORG",
        "name=ash",
        "name=Rao Asha",
        "family:exact=Rao",
        "phonetic=asha",
        "birthdate=1984-05",
        "birthdate=ge1984-05-20&birthdate=le1984-06-03",
        "birthdate=lt1990",
        "birthdate=ge1980",
        "general-practitioner=Practitioner/7",
        "_lastUpdated=2026-11-23",
    ];
    for query in seen {
        assert_eq!(is_seen(&patient(), query), Some(true), "{query}");
    }
    let unseen = [
        "_id=two",
        "identifier=91111122223334",
        "phone=9844111174",
        "name=ravi",
        "name=Asha Ravi",
        "birthdate=1984-08",
        "birthdate=ge1990",
        "general-practitioner=8",
        "_lastUpdated=2026-11-25",
    ];
    for query in unseen {
        assert_eq!(is_seen(&patient(), query), Some(false), "{query}");
    }
    for query in ["name:contains=sha", "gender:missing=true", "active=true", "name=a"] {
        assert_eq!(is_seen(&patient(), query), None, "{query}");
    }
}

#[test]
fn a_day_is_found_from_every_zone() {
    for zone in ["+14:00", "+05:30", "Z", "-11:00"] {
        let start = format!("2026-11-23T00:10:00{zone}");
        let it = resource(json!({
            "resourceType": "Appointment", "id": "1", "status": "booked", "start": start,
            "participant": [{"status": "accepted"}],
        }));
        let clinic = clinic();
        for query in ["date=2026-11-22", "date=2026-11-23", "date=ge2026-11-01&date=lt2026-12-01"] {
            let parsed = search::parse("Appointment", &pairs(query).unwrap(), true, here(&clinic));
            let fits = matching::fits(&it, &parsed.unwrap(), here(&clinic), &[]);
            assert!(!fits || is_seen(&it, query) == Some(true), "{zone} {query}");
        }
    }
}

#[test]
fn what_has_too_many_terms_is_a_candidate_of_every_search() {
    let members: Vec<Json> = (0..2000).map(|it| json!({"value": it.to_string()})).collect();
    let mut it = patient();
    it.set("identifier", members);
    assert_eq!(of_resource(&it), ["Patient|*", "Patient|_id|cone"]);
    assert_eq!(is_seen(&it, "name=ravi"), Some(true));
    assert_eq!(is_seen(&it, "identifier=1999"), Some(true));
}

#[test]
fn every_example_of_r4_is_seen_by_what_it_says_itself() {
    let clinic = clinic();
    for type_ in ["Patient", "Appointment", "Observation", "Encounter", "Practitioner", "Location"]
    {
        for (name, it) in examples(type_) {
            for chart::Entry { parameter, value } in chart::index(&it, here(&clinic)) {
                let Some(query) = asked_of(parameter, &value) else { continue };
                let parsed =
                    search::parse(type_, std::slice::from_ref(&query), true, here(&clinic))
                        .unwrap();
                let fits = matching::fits(&it, &parsed, here(&clinic), &[]);
                let asked = format!("{}={}", query.0, search::encoded(&query.1));
                let seen = is_seen(&it, &asked);
                assert!(!fits || seen != Some(false), "{name}: {asked}");
            }
        }
    }
}

/// The search that asks for a value.
fn asked_of(parameter: &str, value: &Held) -> Option<(String, String)> {
    let plain = |text: &str| {
        text.replace('\\', "\\\\").replace(',', "\\,").replace('|', "\\|").replace('$', "\\$")
    };
    let said = match value {
        Held::Token { system: _, code } => plain(code.as_deref()?),
        Held::Contact { system: _, place } | Held::Text(place) | Held::Uri(place) => plain(place),
        Held::Reference { type_, id } => match type_ {
            Some(type_) => format!("{type_}/{id}"),
            None => id.clone(),
        },
        Held::Date { from, to: _ } => Timestamp::from_millisecond(*from).ok()?.to_string(),
    };
    (!said.trim().is_empty()).then(|| (parameter.to_owned(), said))
}

fn a_date() -> impl Strategy<Value = String> {
    let day = (1878_i16..2103, 1_i8..=12, 1_i8..=28);
    let zone = prop::sample::select(vec!["Z", "+14:00", "+05:30", "-11:00"]);
    (day, 0..24, zone, 0..4).prop_map(|((year, month, day), hour, zone, form)| match form {
        0 => format!("{year}"),
        1 => format!("{year}-{month:02}"),
        2 => format!("{year}-{month:02}-{day:02}"),
        _ => format!("{year}-{month:02}-{day:02}T{hour:02}:00:00{zone}"),
    })
}

proptest! {
    #[test]
    fn whenever_a_period_fits_its_terms_are_among_those_asked_for(
        (start, end, asked, other) in (a_date(), a_date(), a_date(), a_date()),
        prefixes in prop::sample::select(vec![
            ("", "eq"), ("ge", "le"), ("gt", "lt"), ("sa", "eb"), ("ge", "ne"), ("ap", "le"),
        ]),
    ) {
        let clinic = clinic();
        let period = |it: Json| resource(json!({
            "resourceType": "Encounter", "id": "1", "status": "planned", "class": {"code": "AMB"},
            "period": it,
        }));
        let whole = period(json!({"start": start, "end": end}));
        let open = period(json!({"start": start}));
        let query = [
            ("date".to_owned(), format!("{}{asked}", prefixes.0)),
            ("date".to_owned(), format!("{}{other}", prefixes.1)),
        ];
        for some in [&query[..], &query[..1], &query[1..]] {
            let query = search::parse("Encounter", some, true, here(&clinic)).unwrap();
            for it in [&whole, &open] {
                if matching::fits(it, &query, here(&clinic), &[]) {
                    let own = of_resource(it);
                    let missed = of_query(&query).into_iter()
                        .find(|set| !set.iter().any(|term| own.contains(term)));
                    prop_assert!(missed.is_none(), "{some:?}");
                }
            }
        }
    }
}
