//! Searching as FHIR says.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use prm::stamp::Role;
use serde_json::{Value, json};

use super::appointments::appointment;
use super::{Door, address, is_fhir, patient, reference, text};

/// Three patients, two practitioners, appointments and what else is known.
struct Town {
    door: Door,
    asha: Value,
    ravi: Value,
    zoya: Value,
    rao: Value,
    visits: Vec<Value>,
}

impl Town {
    async fn found() -> Self {
        let door = Door::open();
        let person = |name: &str, gender: &str, born: &str, number: &str| {
            let mut patient = patient(name);
            patient["gender"] = json!(gender);
            patient["birthDate"] = json!(born);
            patient["identifier"] = json!([{ "system": "urn:mrn", "value": number }]);
            patient
        };
        let asha = door.create(person("Asha Rao", "female", "1984-05-02", "1")).await;
        let ravi = door.create(person("Ravi Das", "male", "1990", "2")).await;
        let mut zoya = person("Zoya Khan", "female", "2001-01-31", "3");
        zoya.as_object_mut().unwrap().shift_remove("gender");
        zoya["telecom"] = json!([{ "system": "phone", "value": "+919844111173" },
                                 { "system": "email", "value": "Zoya@example.org" }]);
        zoya["address"] = json!([{ "city": "Mysuru", "postalCode": "570001" }]);
        let zoya = door.create(zoya).await;
        let rao = door.practitioner("Dr Meera Rao").await;
        let iyer = door.practitioner("Dr Iyer").await;
        let mut visits = Vec::new();
        for (patient, practitioner, at) in [
            (&asha, &rao, "09:00"),
            (&ravi, &rao, "09:15"),
            (&zoya, &iyer, "09:00"),
            (&asha, &iyer, "11:00"),
        ] {
            visits.push(door.create(appointment(patient, practitioner, at)).await);
        }
        for (patient, code, at) in [
            (&asha, "1-1", "2026-11-20"),
            (&asha, "2-2", "2026-11-21"),
            (&ravi, "1-1", "2026-11-22"),
        ] {
            door.create(json!({ "resourceType": "Observation", "status": "final", "subject": reference(patient),
                "effectiveDateTime": at, "code": { "coding": [{ "system": "urn:loinc", "code": code,
                "display": "Body mass" }] } })).await;
        }
        Self { door, asha, ravi, zoya, rao, visits }
    }

    /// What a search finds, as the names or ids under which the town knows it.
    async fn finds(&self, path: &str) -> Vec<String> {
        let known =
            [("asha", &self.asha), ("ravi", &self.ravi), ("zoya", &self.zoya), ("rao", &self.rao)];
        let visits = self.visits.iter().enumerate().map(|(nth, it)| (nth.to_string(), it));
        let known: Vec<(String, &Value)> =
            known.into_iter().map(|(name, it)| (name.to_owned(), it)).chain(visits).collect();
        let name = |id: &String| {
            known.iter().find(|(_, it)| text(&it["id"]) == **id).map(|(name, _)| name.clone())
        };
        let mut found: Vec<String> = self
            .door
            .ids(path)
            .await
            .iter()
            .map(|id| name(id).unwrap_or_else(|| "?".into()))
            .collect();
        if !path.contains("_sort") {
            found.sort();
        }
        found
    }
}

#[tokio::test]
async fn patients_are_found_by_everything_that_is_promised_of_them() {
    let town = Town::found().await;
    let (asha, zoya) = (text(&town.asha["id"]), text(&town.zoya["id"]));
    for (query, expected) in [
        ("", vec!["asha", "ravi", "zoya"]),
        (&*format!("_id={asha}"), vec!["asha"]),
        (&*format!("_id={asha},{zoya}"), vec!["asha", "zoya"]),
        ("name=ash", vec!["asha"]),
        ("name=rao", vec!["asha"]),
        ("name:exact=Asha Rao", vec!["asha"]),
        ("name:exact=asha rao", vec![]),
        ("name:contains=sh", vec!["asha"]),
        ("family=khan", vec![]),
        ("phonetic=asa", vec!["asha"]),
        ("gender=female", vec!["asha"]),
        ("gender:not=female", vec!["ravi", "zoya"]),
        ("gender=male,unknown", vec!["ravi"]),
        ("gender:missing=true", vec!["zoya"]),
        ("birthdate=1984-05-02", vec!["asha"]),
        ("birthdate=1990", vec!["ravi"]),
        ("birthdate=ge1990", vec!["ravi", "zoya"]),
        ("birthdate=lt1990-06", vec!["asha", "ravi"]),
        ("birthdate:missing=true", vec![]),
        ("birthdate:missing=false", vec!["asha", "ravi", "zoya"]),
        ("telecom:missing=true", vec!["asha", "ravi"]),
        ("identifier=urn:mrn|2", vec!["ravi"]),
        ("identifier=2", vec!["ravi"]),
        ("identifier=urn:other|2", vec![]),
        ("identifier=|2", vec![]),
        ("phone=9844111173", vec!["zoya"]),
        ("phone=09844111173", vec!["zoya"]),
        ("email=zoya@EXAMPLE.org", vec!["zoya"]),
        ("telecom=email|zoya@example.org", vec!["zoya"]),
        ("address-city=mysuru", vec!["zoya"]),
        ("address=5700", vec!["zoya"]),
        ("address-postalcode=570001", vec!["zoya"]),
        ("active=true", vec!["asha", "ravi", "zoya"]),
        ("active=false", vec![]),
        ("name=asha&gender=male", vec![]),
        ("_lastUpdated=ge2026-11-23", vec!["asha", "ravi", "zoya"]),
        ("_lastUpdated=lt2026-11-23", vec![]),
    ] {
        let path = format!("/Patient?{}", query.replace(' ', "%20").replace('|', "%7C"));
        assert_eq!(town.finds(&path).await, expected, "{query}");
    }
    // The clinic's own number is found with and without its system.
    let own = town.asha["identifier"].as_array().unwrap().iter();
    let own =
        own.into_iter().find(|it| it["system"].as_str().unwrap().starts_with("urn:uuid:")).unwrap();
    let path = format!("/Patient?identifier={}%7C{}", text(&own["system"]), text(&own["value"]));
    assert_eq!(town.finds(&path).await, ["asha"]);
}

#[tokio::test]
async fn appointments_are_found_through_what_they_refer_to_and_what_refers_to_them() {
    let town = Town::found().await;
    let (asha, rao) = (text(&town.asha["id"]), text(&town.rao["id"]));
    for (query, expected) in [
        ("", vec!["0", "1", "2", "3"]),
        (&*format!("patient={asha}"), vec!["0", "3"]),
        (&*format!("patient=Patient/{asha}"), vec!["0", "3"]),
        (&*format!("actor=Practitioner/{rao}"), vec!["0", "1"]),
        (&*format!("practitioner={rao}&patient={asha}"), vec!["0"]),
        (&*format!("actor:Patient={asha}"), vec!["0", "3"]),
        ("patient.name=asha", vec!["0", "3"]),
        ("patient.identifier=urn:mrn|2", vec!["1"]),
        ("patient.identifier=urn:other|2", vec![]),
        ("patient.birthdate=lt1990", vec!["0", "3"]),
        ("patient:Patient.gender=female", vec!["0", "3"]),
        ("actor:Practitioner.name=meera", vec!["0", "1"]),
        ("practitioner.name=iyer", vec!["2", "3"]),
        ("patient.gender:not=female", vec!["1", "2"]),
        ("patient.address-city=mysuru", vec!["2"]),
        ("date=2026-11-24", vec!["0", "1", "2", "3"]),
        ("date=ge2026-11-24T09:10:00%2B05:30&date=lt2026-11-24T11:00:00%2B05:30", vec!["1"]),
        ("date=2026-11-25", vec![]),
        ("status=booked", vec!["0", "1", "2", "3"]),
        ("status:not=booked", vec![]),
        ("status=cancelled,noshow", vec![]),
        ("part-status=accepted", vec!["0", "1", "2", "3"]),
        (&*format!("slot={}", text(&town.visits[1]["slot"][0]["reference"])), vec!["1"]),
    ] {
        let path = format!("/Appointment?{}", query.replace('|', "%7C"));
        assert_eq!(town.finds(&path).await, expected, "{query}");
    }
    for (query, expected) in [
        ("_has:Observation:patient:code=1-1", vec!["asha", "ravi"]),
        ("_has:Observation:patient:code=urn:loinc|2-2", vec!["asha"]),
        ("_has:Observation:subject:date=gt2026-11-21", vec!["ravi"]),
        ("_has:Appointment:patient:practitioner=PRACTITIONER", vec!["asha", "ravi"]),
        ("_has:Appointment:actor:date=ge2026-11-24T10:00:00%2B05:30", vec!["asha"]),
        ("_has:Appointment:patient:status:not=booked", vec![]),
        ("_has:Observation:patient:code=1-1&_has:Observation:patient:code=2-2", vec!["asha"]),
    ] {
        let path = format!("/Patient?{}", query.replace('|', "%7C").replace("PRACTITIONER", &rao));
        assert_eq!(town.finds(&path).await, expected, "{query}");
    }
}

#[tokio::test]
async fn the_rest_of_the_chart_is_found_by_codes_dates_and_patients() {
    let town = Town::found().await;
    let asha = text(&town.asha["id"]);
    for (query, found) in [
        (&*format!("patient={asha}"), 2),
        (&*format!("subject=Patient/{asha}&code=1-1"), 1),
        ("code=1-1", 2),
        ("code=urn:loinc|1-1,urn:loinc|2-2", 3),
        ("code=urn:other|1-1", 0),
        ("code=urn:loinc|", 3),
        ("code:text=body", 3),
        ("code:not=1-1", 1),
        ("date=2026-11-20", 1),
        ("date=gt2026-11-20", 2),
        ("date=2026-11", 3),
        ("status=final", 3),
        ("category:missing=true", 3),
        ("category:missing=false", 0),
        ("subject:Patient.name=asha", 2),
        ("patient.gender=male", 1),
        ("patient:missing=true", 0),
    ] {
        let path = format!("/Observation?{}", query.replace('|', "%7C"));
        assert_eq!(town.door.ids(&path).await.len(), found, "{query}");
    }
}

#[tokio::test]
async fn what_belongs_together_comes_together() {
    let town = Town::found().await;
    let door = &town.door;
    let modes = |entries: &[Value]| {
        let mut all: Vec<String> = entries
            .iter()
            .map(|entry| {
                let mode = text(&entry["search"]["mode"]);
                format!("{mode} {}", text(&entry["resource"]["resourceType"]))
            })
            .collect();
        all.sort();
        all
    };
    let asha = text(&town.asha["id"]);
    let path = format!(
        "/Appointment?patient={asha}&_include=Appointment:patient&_include=Appointment:practitioner"
    );
    let found = door.entries(&path).await;
    assert_eq!(
        modes(&found),
        [
            "include Patient",
            "include Practitioner",
            "include Practitioner",
            "match Appointment",
            "match Appointment"
        ]
    );
    let path = format!(
        "/Patient?_id={asha}&_revinclude=Observation:subject&_revinclude=Appointment:actor"
    );
    let found = door.entries(&path).await;
    assert_eq!(
        modes(&found),
        [
            "include Appointment",
            "include Appointment",
            "include Observation",
            "include Observation",
            "match Patient"
        ]
    );
    let path = "/Observation?code=2-2&_include=Observation:patient&_include:iterate=Patient:general-practitioner";
    assert_eq!(modes(&door.entries(path).await), ["include Patient", "match Observation"]);
    let path = format!(
        "/Patient?_id={asha}&_revinclude=Appointment:patient&_include:iterate=Appointment:practitioner"
    );
    assert_eq!(
        modes(&door.entries(&path).await),
        [
            "include Appointment",
            "include Appointment",
            "include Practitioner",
            "include Practitioner",
            "match Patient"
        ]
    );
}

#[tokio::test]
async fn pages_follow_each_other_in_order_and_hold_each_once() {
    let town = Town::found().await;
    let door = &town.door;
    assert_eq!(town.finds("/Patient?_sort=name").await, ["asha", "ravi", "zoya"]);
    assert_eq!(town.finds("/Patient?_sort=-birthdate").await, ["zoya", "ravi", "asha"]);
    assert_eq!(town.finds("/Appointment?_sort=-date").await[0], "3");
    assert_eq!(town.finds("/Patient?_sort=_id").await.len(), 3);
    let mut seen = Vec::new();
    let mut next = Some("/Patient?_sort=-name&_count=2&_total=accurate".to_owned());
    while let Some(path) = next {
        let page = door.get(&path).await;
        assert_eq!(page.body["total"], 3);
        let entries = page.body["entry"].as_array().cloned().unwrap_or_default();
        seen.extend(entries.iter().map(|entry| text(&entry["resource"]["name"][0]["text"])));
        let links = page.body["link"].as_array().unwrap();
        assert_eq!(links[0]["relation"], "self");
        next = links
            .iter()
            .find(|link| link["relation"] == "next")
            .map(|link| text(&link["url"]).split_once("/fhir").unwrap().1.to_owned());
        if seen.len() == 2 {
            door.create(patient("Aaa Before")).await;
            door.create(patient("Zzz Beyond")).await;
            break;
        }
    }
    assert_eq!(seen, ["Zoya Khan", "Ravi Das"]);
    let page = door.get("/Patient?_summary=count").await.body;
    assert_eq!((&page["total"], page.get("entry")), (&json!(5), None));
    let page = door.get("/Patient?_count=0&name=asha").await.body;
    assert_eq!((&page["total"], page.get("entry")), (&json!(1), None));
    let forged = door.get("/Patient?_cursor=AAAA").await;
    assert!(forged.status.is_client_error());
}

#[tokio::test]
async fn a_part_of_each_resource_is_enough_for_who_says_so() {
    let town = Town::found().await;
    let entries = town.door.entries("/Patient?_elements=gender&name=asha").await;
    let shown = &entries[0]["resource"];
    assert_eq!(shown["gender"], "female");
    assert!(shown.get("name").is_none() && shown.get("identifier").is_none());
    assert_eq!(shown["meta"]["tag"][0]["code"], "SUBSETTED");
    let entries = town.door.entries("/Patient?_summary=true&name=zoya").await;
    assert!(entries[0]["resource"].get("telecom").is_some());
    assert!(entries[0]["resource"].get("communication").is_none());
}

#[tokio::test]
async fn what_is_not_understood_is_said_or_refused_as_is_preferred() {
    let town = Town::found().await;
    let door = &town.door;
    let lenient = door.get("/Patient?name=asha&shoe-size=42").await;
    let entries = lenient.body["entry"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1]["search"]["mode"], "outcome");
    assert!(text(&entries[1]["resource"]["issue"][0]["diagnostics"]).contains("shoe-size"));
    assert!(!text(&lenient.body["link"][0]["url"]).contains("shoe-size"));
    let strict = [("prefer", "handling=strict")];
    let refused = door.ask("GET", "/Patient?name=asha&shoe-size=42", &strict, None).await;
    assert_eq!(refused.refusal(), (400, "not-supported"));
    for query in [
        "birthdate=yesterday",
        "gender:contains=x",
        "active:exact=true",
        "_count=-1",
        "_total=some",
        "_id:missing=maybe",
        "_has:Patient=1",
        "birthdate=1990&_summary=everything",
    ] {
        let refused = door.get(&format!("/Patient?{query}")).await;
        assert!(refused.status.is_client_error(), "{query}: {}", refused.body);
    }
}

#[tokio::test]
async fn a_search_is_asked_by_post_as_well() {
    let town = Town::found().await;
    let ask = |path: &str, body: &'static str| {
        let request = Request::post(format!("/fhir{path}"))
            .header("authorization", town.door.clinic.token(Role::Admin))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        town.door.clinic.send(request)
    };
    let found = is_fhir(ask("/Patient/_search?gender=female", "name=asha&_count=1").await);
    assert_eq!(found.status, StatusCode::OK, "{}", found.body);
    assert_eq!(
        found.body["entry"][0]["fullUrl"],
        format!("http://localhost/fhir/{}", address(&town.asha))
    );
    let none = is_fhir(ask("/Patient/_search?gender=male", "name=asha").await);
    assert_eq!(none.body["total"], 0);
}

#[tokio::test]
async fn an_abha_number_is_one_number_however_its_system_and_digits_are_written() {
    let door = Door::open();
    let (before, now) = ("https://healthid.ndhm.gov.in", "https://healthid.abdm.gov.in");
    let with = |system: &str, value: &str| {
        let mut somebody = patient("Asha Rao");
        somebody["identifier"] = json!([{ "system": system, "value": value }]);
        somebody
    };
    let asha = door.create(with(before, "91-7225-4829-5255")).await;
    assert_eq!(asha["identifier"][0]["system"], before, "it comes out as it was given");
    let again = door.post("/Patient", with(now, "91722548295255")).await;
    assert_eq!(again.refusal(), (409, "duplicate"));
    let asked = [
        format!("{now}|91722548295255"),
        format!("{before}|91-7225-4829-5255"),
        "91 7225 4829 5255".replace(' ', "%20"),
        format!("{now}|"),
    ];
    for asked in asked {
        let found = door.ids(&format!("/Patient?identifier={asked}")).await;
        assert_eq!(found, [text(&asha["id"])], "{asked}");
    }
    assert!(door.ids("/Patient?identifier=urn:x|91722548295255").await.is_empty());
    assert!(door.ids(&format!("/Patient?identifier={now}|91722548295256")).await.is_empty());
}

#[tokio::test]
async fn who_is_no_longer_a_patient_is_found_by_name_too() {
    let door = Door::open();
    let mut gone = patient("Asha Rao");
    gone["active"] = json!(false);
    let gone = text(&door.create(gone).await["id"]);
    let here = text(&door.create(patient("Asha Das")).await["id"]);
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    let both = sorted(vec![gone.clone(), here]);
    for asked in ["name=asha", "phonetic=Aasha", "name:contains=sha"] {
        assert_eq!(sorted(door.ids(&format!("/Patient?{asked}")).await), both, "{asked}");
    }
    assert_eq!(door.ids("/Patient?name=rao&active=false").await, [gone]);
}
