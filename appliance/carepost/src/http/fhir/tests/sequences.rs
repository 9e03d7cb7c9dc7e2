//! Whatever is written, in whichever order, through FHIR and at the desk: searches find what they should,
//! nobody is booked twice, and the history leads to what is.

use std::collections::BTreeMap;

use fhir::{Here, Resource, matching, search};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::appointments::appointment;
use super::{Door, address, patient, reference, text};

/// One thing that somebody does; the numbers choose among what is there.
#[derive(Clone, Debug)]
struct Step {
    what: u8,
    which: usize,
    how: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0_u8..13, 0_usize..8, 0_usize..64);
    proptest::collection::vec(step.prop_map(|(what, which, how)| Step { what, which, how }), 8..28)
}

/// What was written so far, and every version that was seen of it.
struct Story {
    door: Door,
    practitioners: Vec<Value>,
    patients: Vec<Value>,
    visits: Vec<Value>,
    charts: Vec<Value>,
    seen: BTreeMap<(String, String), Value>,
}

const NAMES: [&str; 6] =
    ["Asha Rao", "Ravi Das", "Zoya Khan", "Dr Meera Iyer", "आशा राव", "O'Brien Jr"];
const TIMES: [&str; 5] = ["09:00", "09:15", "09:30", "10:00", "16:45"];
const TYPES: [&str; 7] =
    ["Patient", "Appointment", "Observation", "Task", "Encounter", "Practitioner", "RelatedPerson"];

impl Story {
    async fn begin() -> Self {
        let door = Door::open();
        let practitioners =
            vec![door.practitioner("Dr Meera Rao").await, door.practitioner("Dr Iyer").await];
        let (patients, visits, charts) = (Vec::new(), Vec::new(), Vec::new());
        Self { door, practitioners, patients, visits, charts, seen: BTreeMap::new() }
    }

    /// One of these, if there is any.
    fn one(of: &[Value], which: usize) -> Option<&Value> {
        (!of.is_empty()).then(|| &of[which % of.len()])
    }

    /// A resource as it was answered after a write.
    fn saw(&mut self, resource: &Value) {
        let version = text(&resource["meta"]["versionId"]);
        self.seen.insert((address(resource), version), resource.clone());
    }

    fn person(&self, Step { what: _, which, how }: &Step) -> Value {
        let mut person = patient(NAMES[which % NAMES.len()]);
        if how % 3 != 1 {
            person["gender"] = json!(["female", "male", "unknown", "other"][how % 4]);
        }
        if how % 3 == 0 {
            person["birthDate"] = json!(["1984", "1984-05", "1984-05-02", "2001-01-31"][how % 4]);
        }
        if how % 5 == 0 {
            person["active"] = json!(how % 2 == 0);
        }
        if how % 7 < 3 {
            person["telecom"] = json!([{ "system": "phone", "value": format!("+9198441111{}", 10 + how % 7) },
                { "system": "email", "value": format!("P{}@example.org", how % 4) },
                { "system": "fax", "value": "080 123" }]);
        }
        if how % 4 == 1 {
            person["identifier"] =
                json!([{ "use": "old", "system": "urn:mrn", "value": (how % 6).to_string() }]);
            person["generalPractitioner"] = json!([reference(&self.practitioners[how % 2])]);
        }
        if how % 4 == 2 {
            person["name"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "prefix": ["Smt"], "given": ["Lakshmi"] }));
            person["communication"] = json!([{ "language": { "text": "Kannada" } },
                { "language": { "coding": [{ "system": "urn:ietf:bcp:47", "code": "kn" }] } }]);
        }
        person
    }

    fn chart(&self, step: &Step) -> Option<Value> {
        let Step { what: _, which, how } = step;
        let subject = Self::one(&self.patients, *which)?;
        Some(match how % 3 {
            0 => json!({ "resourceType": "Observation", "status": (["final", "amended"][how % 2]),
                "subject": reference(subject), "effectiveDateTime": format!("2026-11-2{}", how % 5),
                "code": { "text": "Body mass", "coding": [{ "system": "urn:loinc", "code": (how % 4).to_string() }] } }),
            1 => json!({ "resourceType": "Task", "status": "requested", "intent": "order",
                "for": reference(subject), "owner": reference(&self.practitioners[how % 2]),
                "authoredOn": "2026-11-20T10:00:00+05:30",
                "identifier": [{ "value": (how % 4).to_string() }] }),
            _ => {
                json!({ "resourceType": "Appointment", "status": (["proposed", "waitlist"][how % 2]),
                "appointmentType": { "coding": [{ "system": "urn:type", "code": (how % 3).to_string() }] },
                "participant": [{ "actor": reference(subject), "status": "needs-action" }] })
            }
        })
    }

    async fn take(&mut self, step: &Step) {
        let Step { what, which, how } = step.clone();
        let done = match what {
            0 | 1 => Some(self.door.post("/Patient", self.person(step)).await),
            2 => match Self::one(&self.patients, which) {
                Some(before) => {
                    let mut after = self.person(step);
                    after["id"] = before["id"].clone();
                    Some(self.door.put(&format!("/{}", address(before)), after).await)
                }
                None => None,
            },
            3 => {
                if let Some(before) = Self::one(&self.patients, which) {
                    let edits = [
                        json!({ "sex": "female" }),
                        json!({ "name": "Asha Kumari" }),
                        json!({ "active": false }),
                        json!({ "active": true, "email": null }),
                        json!({ "phones": [{ "number": "98450 00001" }] }),
                        json!({ "birth_date": "1990-12" }),
                    ];
                    let path = format!("patients/{}", text(&before["id"]));
                    self.door.desk("PATCH", &path, Some(edits[how % 6].clone())).await;
                }
                None
            }
            4 | 5 => match Self::one(&self.patients, which) {
                Some(who) => {
                    let whom = &self.practitioners[how % 2];
                    let mut visit = appointment(who, whom, TIMES[how % TIMES.len()]);
                    visit["status"] = json!(["booked", "pending"][how / 8 % 2]);
                    visit["identifier"] =
                        json!([{ "system": "urn:visit", "value": (how % 4).to_string() }]);
                    Some(self.door.post("/Appointment", visit).await)
                }
                None => None,
            },
            6 => match Self::one(&self.visits, which) {
                Some(before) => {
                    let path = format!("/{}", address(before));
                    let mut visit = self.door.get(&path).await.body;
                    match how % 6 {
                        0 => visit["status"] = json!("booked"),
                        1 => visit["status"] = json!("cancelled"),
                        2 => visit["status"] = json!("arrived"),
                        3 => visit["comment"] = json!("by bus"),
                        _ => {
                            let time = TIMES[how % TIMES.len()];
                            visit["start"] = json!(format!("2026-11-24T{time}:00+05:30"));
                            visit["end"] = json!(format!("2026-11-24T{time}:59+05:30"));
                            visit.as_object_mut().unwrap().shift_remove("slot");
                        }
                    }
                    Some(self.door.put(&path, visit).await)
                }
                None => None,
            },
            7 => {
                if let Some(before) = Self::one(&self.visits, which) {
                    let verbs = ["confirm", "cancel", "arrive", "complete"];
                    let path = format!("appointments/{}/{}", text(&before["id"]), verbs[how % 4]);
                    self.door.desk("POST", &path, Some(json!({ "reason": "asked for" }))).await;
                }
                None
            }
            8 | 9 => match self.chart(step) {
                Some(chart) => {
                    let path = format!("/{}", text(&chart["resourceType"]));
                    Some(self.door.post(&path, chart).await)
                }
                None => None,
            },
            10 => match (Self::one(&self.charts, which), self.chart(step)) {
                (Some(before), Some(mut after))
                    if before["resourceType"] == after["resourceType"] =>
                {
                    after["id"] = before["id"].clone();
                    Some(self.door.put(&format!("/{}", address(before)), after).await)
                }
                (Some(before), _) => {
                    self.door.delete(&format!("/{}", address(before))).await;
                    None
                }
                (None, _) => None,
            },
            11 => {
                if let Some(who) = Self::one(&self.patients, which) {
                    let whom = &self.practitioners[how % 2]["id"];
                    let body = json!({ "patient_id": who["id"], "practitioner_id": whom });
                    self.door.desk("POST", "queue", Some(body)).await;
                }
                None
            }
            _ => {
                let pair = (Self::one(&self.patients, which), Self::one(&self.patients, how));
                if let (Some(one), Some(other)) = pair {
                    let path = format!("patients/{}/family", text(&one["id"]));
                    let body = json!({ "patient_id": other["id"], "relationship": "mother" });
                    self.door.desk("POST", &path, Some(body)).await;
                }
                None
            }
        };
        let Some(done) = done else { return };
        if !done.status.is_success() {
            assert!(done.status.is_client_error(), "{step:?}: {} {}", done.status, done.body);
            return;
        }
        self.saw(&done.body);
        let list = match (done.body["resourceType"].as_str(), what) {
            (Some("Patient"), _) => &mut self.patients,
            (Some("Appointment"), 4..=7) => &mut self.visits,
            (_, _) => &mut self.charts,
        };
        if list.iter().all(|it| it["id"] != done.body["id"]) {
            list.push(done.body);
        }
    }

    /// Everything of a type, page by page.
    async fn all(&self, query: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut next = Some(query.to_owned());
        while let Some(path) = next {
            let page = self.door.get(&path).await;
            assert_eq!(page.status.as_u16(), 200, "{path}: {}", page.body);
            let entries = page.body["entry"].as_array().cloned().unwrap_or_default();
            let matches = entries.iter().filter(|entry| entry["search"]["mode"] == "match");
            all.extend(matches.map(|entry| entry["resource"].clone()));
            let links = page.body["link"].as_array().unwrap();
            let link = links.iter().find(|link| link["relation"] == "next");
            next = link.map(|link| text(&link["url"]).split_once("/fhir").unwrap().1.to_owned());
        }
        all
    }

    async fn searches_find_what_they_should(&self) {
        let mut all: Vec<Resource> = Vec::new();
        for type_ in TYPES {
            let found = self.all(&format!("/{type_}")).await;
            all.extend(found.into_iter().map(|it| Resource::from_value(it).unwrap()));
        }
        let somebody =
            self.patients.first().map_or_else(|| "never".to_owned(), |it| text(&it["id"]));
        let rao = text(&self.practitioners[0]["id"]);
        let clinic = &self.door.clinic.app.clinic;
        let here = Here { clinic, origin: "http://localhost/fhir" };
        for line in QUERIES {
            let line = line.replace("PATIENT", &somebody).replace("DOCTOR", &rao);
            let (type_, query) = line.split_once('?').unwrap();
            let parsed =
                search::pairs(query).and_then(|pairs| search::parse(type_, &pairs, true, here));
            let parsed = parsed.unwrap_or_else(|outcome| panic!("{line}: {outcome}"));
            let fits = |it: &&Resource| matching::fits(it, &parsed, here, &all);
            let mut expected: Vec<&str> =
                all.iter().filter(fits).filter_map(Resource::id).collect();
            let found = self.all(&format!("/{line}&_count=2")).await;
            let mut found: Vec<&str> = found.iter().filter_map(|it| it["id"].as_str()).collect();
            expected.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, expected, "{line}");
            let counted = self.door.get(&format!("/{line}&_summary=count")).await.body;
            assert_eq!(counted["total"], expected.len(), "{line}");
        }
    }

    async fn nobody_is_booked_twice(&self) {
        let stands =
            self.all("/Appointment?status=pending,booked,arrived,checked-in,fulfilled").await;
        let mut taken = BTreeMap::new();
        for visit in stands {
            for participant in visit["participant"].as_array().unwrap() {
                let who = text(&participant["actor"]["reference"]);
                let before = taken.insert((who, text(&visit["start"])), visit.clone());
                assert_eq!(before, None, "{visit}");
            }
        }
    }

    async fn the_history_leads_to_what_is(&self) {
        for ((address, version), seen) in &self.seen {
            let read = self.door.get(&format!("/{address}/_history/{version}")).await;
            assert_eq!(&read.body, seen, "{address} {version}");
        }
        for type_ in TYPES {
            let mut newest: BTreeMap<String, Value> = BTreeMap::new();
            for entry in
                self.door.entries(&format!("/{type_}/_history?_count=100")).await.iter().rev()
            {
                let name = text(&entry["fullUrl"]);
                match entry.get("resource") {
                    Some(resource) => newest.insert(name, resource.clone()),
                    None => newest.remove(&name),
                };
            }
            // Relations have no history of their own, and of the queue only the newest is known.
            if type_ == "RelatedPerson" {
                continue;
            }
            let now = self.all(&format!("/{type_}")).await;
            let now: BTreeMap<String, Value> = now
                .into_iter()
                .map(|it| (format!("http://localhost/fhir/{}", address(&it)), it))
                .collect();
            assert_eq!(newest, now, "{type_}");
        }
    }
}

const QUERIES: [&str; 62] = [
    "Patient?_id=PATIENT",
    "Patient?name=asha",
    "Patient?name=rao",
    "Patient?name=dr",
    "Patient?name=lakshmi",
    "Patient?name=o%27br",
    "Patient?given=lakshmi",
    "Patient?name:exact=Asha%20Rao",
    "Patient?name:contains=sh",
    "Patient?phonetic=aasha",
    "Patient?gender=female,unknown",
    "Patient?gender:not=unknown",
    "Patient?gender:missing=true",
    "Patient?active=true",
    "Patient?active=false",
    "Patient?active=false&name=asha",
    "Patient?active:not=true",
    "Patient?birthdate=1984",
    "Patient?birthdate=1984-05-02",
    "Patient?birthdate=gt1984-05",
    "Patient?birthdate=le1984-05-02",
    "Patient?birthdate=ne1984-05",
    "Patient?birthdate:missing=true",
    "Patient?phone=9844111112",
    "Patient?phone=123",
    "Patient?telecom=p1@example.org",
    "Patient?telecom=080123",
    "Patient?telecom=fax|",
    "Patient?email=p2@EXAMPLE.org",
    "Patient?email:missing=false",
    "Patient?identifier=urn:mrn|1",
    "Patient?identifier=3",
    "Patient?identifier=1,5",
    "Patient?general-practitioner=DOCTOR",
    "Patient?general-practitioner.name=meera",
    "Patient?language=kn",
    "Patient?_lastUpdated=ge2026-11-23",
    "Patient?_lastUpdated=lt2026-11-23",
    "Patient?_has:Appointment:patient:status=booked",
    "Patient?_has:Observation:subject:code=1",
    "Patient?_has:Task:patient:owner=DOCTOR",
    "Patient?_has:Encounter:patient:status=arrived",
    "Appointment?patient=PATIENT",
    "Appointment?actor=Practitioner/DOCTOR",
    "Appointment?status=booked,waitlist",
    "Appointment?status:not=cancelled",
    "Appointment?date=gt2026-11-24T09:00:00%2B05:30",
    "Appointment?date=2026-11-24T09:15:00%2B05:30",
    "Appointment?date=le2026-11-24T09:15",
    "Appointment?identifier=urn:visit|2",
    "Appointment?appointment-type=urn:type|1",
    "Appointment?patient.name=asha",
    "Appointment?practitioner.name=meera",
    "Appointment?actor.name=asha",
    "Observation?subject=Patient/PATIENT&code=urn:loinc|1",
    "Observation?code:not=2",
    "Observation?date=ge2026-11-22&status=final",
    "Observation?subject:Patient.gender=female",
    "Task?owner=DOCTOR",
    "Task?status=ready,requested",
    "Encounter?date=ge2026-11-23T09:59:00%2B05:30&practitioner=DOCTOR",
    "RelatedPerson?patient=PATIENT",
];

proptest! {
    #![proptest_config(Config { cases: 16, max_shrink_iters: 60, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_sequence_of_writes_leaves_everything_in_order(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut story = Story::begin().await;
            for step in &steps {
                story.take(step).await;
            }
            story.nobody_is_booked_twice().await;
            story.the_history_leads_to_what_is().await;
            story.searches_find_what_they_should().await;
        });
    }
}
