//! Import from files, and that what is exported can be imported.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use prm::clinic::Founding;
use prm::db::{Db, Keys};
use prm::imported;
use prm::stamp::Stamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::tally::{Fate, Refusal, Tally};
use super::{LINE_BYTES_MAX, Listener, Wanted, run};
use crate::clock::Clock;
use crate::{export, place};

/// A box at 10:00 on Monday 2026-11-23 in Bengaluru.
struct House {
    folder: TempDir,
    db: Db,
    clock: Clock,
}

/// Keeps what was refused: line, id, the first issue.
#[derive(Default)]
struct Heard(Vec<(u64, String, String)>);

impl Listener for Heard {
    fn read(&mut self, _: u64, _: u64) {}
    fn written(&mut self, _: u64, _: u64) {}
    fn refused(&mut self, refusal: &Refusal<'_>) -> io::Result<()> {
        let name = refusal.name.unwrap_or("-").to_owned();
        self.0.push((refusal.line, name, refusal.issues[0].to_string()));
        Ok(())
    }
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let keys = Keys::create(&place::keys(data)).unwrap();
        let db = Db::create(&place::database(data), keys).unwrap();
        let now: Timestamp = "2026-11-23T10:00:00+05:30".parse().unwrap();
        let founding = Founding {
            name: "Shanti Clinic".into(),
            timezone: "Asia/Kolkata".into(),
            country: "IN".into(),
            demo: false,
        };
        db.write_blocking(move |tx| prm::clinic::found(tx, &Stamp::of_box(now), founding)).unwrap();
        Self { folder, db, clock: Clock::standing_at(now) }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn lines(&self, name: &str, resources: &[Value]) -> PathBuf {
        let lines: Vec<String> = resources.iter().map(Value::to_string).collect();
        self.file(name, &lines.join("\n"))
    }

    fn import(&self, files: &[PathBuf]) -> (Tally, Vec<(u64, String, String)>) {
        self.import_with(files, false)
    }

    fn import_with(
        &self,
        files: &[PathBuf],
        keep_lost: bool,
    ) -> (Tally, Vec<(u64, String, String)>) {
        let wanted = Wanted {
            files: files.to_vec(),
            source: "old".into(),
            bases: vec!["https://old.example/fhir".into()],
            keep_lost,
            own: false,
            sealed: None,
        };
        let mut heard = Heard::default();
        let tally = run(self.folder.path(), &self.db, &self.clock, &wanted, &mut heard).unwrap();
        (tally, heard.0)
    }

    /// What is exported, by type and id, without versions and times.
    fn exported(&self) -> (Vec<PathBuf>, BTreeMap<String, Value>) {
        let out = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        let now = self.clock.now();
        let written = export::run(&self.db, now, (&out, false), &mut |_| {}).unwrap();
        let files: Vec<PathBuf> = written.iter().map(|it| out.join(&it.file)).collect();
        let mut all = BTreeMap::new();
        for line in files.iter().flat_map(|path| {
            let text = fs::read_to_string(path).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        }) {
            let mut resource: Value = serde_json::from_str(&line).unwrap();
            resource["meta"].as_object_mut().unwrap().retain(|name, _| name == "profile");
            let key = format!(
                "{}/{}",
                resource["resourceType"].as_str().unwrap(),
                resource["id"].as_str().unwrap()
            );
            all.insert(key, resource);
        }
        (files, all)
    }

    /// `Type/id` here of what came as `Type/id`.
    fn local(&self, kind: &str, name: &str) -> String {
        let stamp = Stamp::of_box(self.clock.now());
        let came = |read: &prm::db::Read<'_>| imported::of(read, &stamp, ("old", kind, name));
        let came = self.db.read_blocking(came).unwrap();
        format!("{kind}/{}", came.unwrap_or_else(|| panic!("{kind}/{name} came")).local)
    }
}

fn counts(tally: &Tally) -> [u64; 6] {
    Fate::ALL.map(|fate| tally.of(fate))
}

fn patient(id: &str, name: &str) -> Value {
    json!({ "resourceType": "Patient", "id": id, "name": [{ "text": name }] })
}

fn observation(id: &str, subject: &str) -> Value {
    json!({ "resourceType": "Observation", "id": id, "status": "final", "code": { "text": "mass" },
            "subject": { "reference": subject } })
}

/// A clinic's week: who works there, who comes, what was found. Written back to front, so that nearly
/// every reference leads forward.
fn week() -> Vec<Value> {
    let session = json!({ "url": "https://carepost.health/fhir/StructureDefinition/weekly-session",
        "extension": [
            { "url": "dayOfWeek", "valueCode": "mon" }, { "url": "dayOfWeek", "valueCode": "tue" },
            { "url": "start", "valueTime": "09:00:00" }, { "url": "end", "valueTime": "12:00:00" },
            { "url": "slotMinutes", "valuePositiveInt": 15 }] });
    let with = |who: &str| json!({ "actor": { "reference": who }, "status": "accepted" });
    let to = |who: &str| json!({ "reference": who });
    vec![
        json!({ "resourceType": "Observation", "id": "o2", "status": "final",
            "code": { "text": "pulse" }, "subject": to("https://old.example/fhir/Patient/p1"),
            "encounter": to("Encounter/e1"), "hasMember": [to("Observation/o1")] }),
        json!({ "resourceType": "Observation", "id": "o1", "status": "final",
            "code": { "text": "mass" }, "subject": to("Patient/p1"),
            "derivedFrom": [to("Observation/o2")], "performer": [to("Practitioner/d1")] }),
        json!({ "resourceType": "Encounter", "id": "e1", "status": "finished",
            "class": { "code": "AMB" }, "subject": to("Patient/p1"),
            "appointment": [to("Appointment/a1")] }),
        json!({ "resourceType": "Appointment", "id": "a2", "status": "booked",
            "start": "2026-11-24T09:15:00+05:30", "end": "2026-11-24T09:30:00+05:30",
            "participant": [with("Patient/p2"), with("Practitioner/d1")] }),
        json!({ "resourceType": "Appointment", "id": "a1", "status": "fulfilled",
            "start": "2026-11-02T09:00:00+05:30", "end": "2026-11-02T09:15:00+05:30",
            "participant": [with("Patient/p1"), with("Practitioner/d1")] }),
        json!({ "resourceType": "Schedule", "id": "s1", "extension": [session],
            "actor": [to("Practitioner/d1")] }),
        json!({ "resourceType": "Patient", "id": "p2", "name": [{ "text": "Ravi Rao" }],
            "link": [{ "other": to("Patient/p1"), "type": "seealso" }],
            "photo": [{ "title": "at the door" }] }),
        json!({ "resourceType": "Patient", "id": "p1", "name": [{ "text": "Asha Rao" }],
            "managingOrganization": to("Organization/g1"),
            "link": [{ "other": to("Patient/p2"), "type": "seealso" }] }),
        json!({ "resourceType": "PractitionerRole", "id": "r1",
            "practitioner": to("Practitioner/d1"), "location": [to("Location/l1")] }),
        json!({ "resourceType": "Practitioner", "id": "d1", "name": [{ "text": "Dr. Meera Iyer" }] }),
        json!({ "resourceType": "Location", "id": "l1", "name": "Room 1" }),
        json!({ "resourceType": "Organization", "id": "g1", "name": "Old Clinic" }),
    ]
}

#[test]
fn what_refers_forward_and_in_circles_is_taken_whole_and_the_second_time_nothing_changes() {
    let house = House::new();
    let file = house.lines("week.ndjson", &week());
    let (tally, refused) = house.import(std::slice::from_ref(&file));
    assert_eq!(refused, []);
    assert_eq!(counts(&tally), [12, 0, 0, 0, 0, 0]);
    let (_, all) = house.exported();
    let linked = |from: &str, at: &str| {
        all[from].pointer(at).unwrap_or_else(|| panic!("{from}{at}")).as_str().unwrap().to_owned()
    };
    let (asha, ravi) = (house.local("Patient", "p1"), house.local("Patient", "p2"));
    assert_eq!(linked(&asha, "/link/0/other/reference"), ravi);
    assert_eq!(linked(&ravi, "/link/0/other/reference"), asha);
    assert_eq!(linked(&asha, "/managingOrganization/reference"), "Organization/g1");
    assert_eq!(linked("Observation/o1", "/derivedFrom/0/reference"), "Observation/o2");
    assert_eq!(linked("Observation/o2", "/hasMember/0/reference"), "Observation/o1");
    assert_eq!(linked("Observation/o2", "/subject/reference"), asha);
    assert_eq!(
        linked("Encounter/e1", "/appointment/0/reference"),
        house.local("Appointment", "a1")
    );
    assert_eq!(linked(&house.local("Appointment", "a1"), "/status"), "fulfilled");
    // The one to come takes its slot in the diary.
    let booked = house.local("Appointment", "a2");
    assert!(linked(&booked, "/slot/0/reference").starts_with("Slot/"));

    let before = house.db.read_blocking(prm::change::last).unwrap();
    let (again, refused) = house.import(&[file]);
    assert_eq!((counts(&again), refused), ([0, 0, 0, 12, 0, 0], vec![]));
    assert_eq!(house.db.read_blocking(prm::change::last).unwrap(), before);
}

#[test]
fn an_export_comes_into_another_box_whole_and_changes_nothing_in_its_own() {
    let (here, there) = (House::new(), House::new());
    here.import(&[here.lines("week.ndjson", &week())]);
    let (files, all) = here.exported();
    let (own, refused) = here.import(&files);
    assert_eq!((own.of(Fate::Unchanged), own.all(), refused), (13, 13, vec![]), "{}", own.text());

    let (tally, refused) = there.import(&files);
    assert_eq!(refused, []);
    assert_eq!(tally.of(Fate::Taken), all.len() as u64, "{}", tally.text());
    let (_, arrived) = there.exported();
    let mut names: Vec<(String, String)> = Vec::new();
    for key in all.keys() {
        let (kind, name) = key.split_once('/').unwrap();
        let local = there.local(kind, name);
        names.push((name.to_owned(), local.split_once('/').unwrap().1.to_owned()));
    }
    for (key, resource) in &all {
        let (kind, name) = key.split_once('/').unwrap();
        let mut text = resource.to_string();
        for (old, new) in names.iter().filter(|(old, _)| old.len() == 36) {
            text = text.replace(old, new);
        }
        let mut wanted: Value = serde_json::from_str(&text).unwrap();
        let mut found = arrived[&there.local(kind, name)].clone();
        for value in [&mut wanted, &mut found] {
            // Each clinic adds its own number and writes down when it heard of a visit.
            let map = value.as_object_mut().unwrap();
            map.shift_remove("created");
            map.shift_remove("meta");
            if kind == "Patient" {
                map.shift_remove("identifier");
            }
        }
        assert_eq!(found, wanted, "{key}");
    }
}

#[test]
fn a_bad_line_a_huge_one_and_a_cut_one_do_not_hold_up_the_others() {
    let house = House::new();
    let huge = "x".repeat(usize::try_from(LINE_BYTES_MAX).unwrap());
    let text = [
        patient("1", "Asha Rao").to_string(),
        "{\"resourceType\":\"Patient\",".to_owned(),
        json!({ "resourceType": "Patient", "id": "3", "gender": "blue" }).to_string(),
        patient("4", &huge).to_string(),
        observation("5", "Patient/3").to_string(),
        observation("6", "Patient/nobody").to_string(),
        json!({ "resourceType": "Slot", "id": "7", "status": "free" }).to_string(),
        patient("8", "Ravi Rao").to_string(),
        "{\"resourceType\":\"Patient\",\"id\":\"9".to_owned(),
    ];
    let file = house.file("all.ndjson", &text.join("\n"));
    let (tally, refused) = house.import(std::slice::from_ref(&file));
    assert_eq!(counts(&tally), [2, 0, 0, 0, 1, 6]);
    let lines: Vec<(u64, &str)> = refused.iter().map(|it| (it.0, it.1.as_str())).collect();
    assert_eq!(lines, [(2, "-"), (3, "3"), (4, "-"), (9, "-"), (5, "5"), (6, "6")]);
    assert!(refused[4].2.contains("was refused"), "{refused:?}");
    assert!(refused[5].2.contains("in none of the files"), "{refused:?}");
    assert!(!format!("{refused:?}").contains("blue"), "no value is repeated");
    // With words instead of what is nowhere, the others come as well.
    let (tally, refused) = house.import_with(&[file], true);
    assert_eq!((counts(&tally), tally.lost_kept), ([2, 0, 0, 2, 1, 4], 2), "{refused:?}");
}

#[test]
fn of_a_bundle_that_was_cut_the_entries_before_the_cut_are_taken() {
    let house = House::new();
    let entries: Vec<Value> = (0..200)
        .map(|n| {
            let url = format!("urn:uuid:00000000-0000-4000-8000-{n:012}");
            let before = format!("urn:uuid:00000000-0000-4000-8000-{:012}", n / 2 * 2);
            let resource = if n % 2 == 0 {
                json!({ "resourceType": "Patient", "name": [{ "text": format!("Asha {n}") }] })
            } else {
                json!({ "resourceType": "Observation", "status": "final", "code": { "text": "mass" },
                        "subject": { "reference": before } })
            };
            json!({ "fullUrl": url, "resource": resource, "request": { "method": "POST", "url": "x" } })
        })
        .collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
    let text = serde_json::to_string_pretty(&bundle).unwrap();
    let cut = house.file("cut.json", &text[..text.len() / 2]);
    let (tally, refused) = house.import(&[cut]);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].2.contains("ends in the middle"), "{refused:?}");
    let taken = tally.of(Fate::Taken);
    assert!((95..=105).contains(&taken), "{taken}");
    // The whole file brings the rest, and in one line it is the same.
    let whole = house.file("whole.json", &text);
    let (tally, refused) = house.import(&[whole]);
    assert_eq!((counts(&tally), refused), ([200 - taken, 0, 0, taken, 0, 0], vec![]));
    let line = house.file("line.ndjson", &bundle.to_string());
    assert_eq!(counts(&house.import(&[line]).0), [0, 0, 0, 200, 0, 0]);
}

#[test]
fn one_id_twice_is_one_resource_and_if_it_says_something_else_the_first() {
    let house = House::new();
    let one = house.lines("one.ndjson", &[patient("1", "Asha Rao"), patient("2", "Ravi Rao")]);
    let two = house.lines("two.ndjson", &[patient("1", "Asha Rao"), patient("2", "Somebody Else")]);
    let (tally, refused) = house.import(&[one, two]);
    assert_eq!(counts(&tally), [2, 0, 0, 1, 0, 1]);
    assert_eq!((refused[0].0, refused[0].1.as_str()), (2, "2"));
}

#[test]
fn what_says_something_else_the_second_time_is_changed_unless_it_was_changed_here() {
    let house = House::new();
    let all = [patient("1", "Asha Rao"), patient("2", "Ravi Rao"), observation("3", "Patient/1")];
    house.import(&[house.lines("a.ndjson", &all)]);
    let ravi = house.local("Patient", "2")["Patient/".len()..].parse().unwrap();
    let stamp = Stamp::of_box(house.clock.now());
    let edit = prm::patient::Edit { sex: Some(Some("male".into())), ..Default::default() };
    house.db.write_blocking(move |tx| prm::patient::edit(tx, &stamp, ravi, None, edit)).unwrap();
    let mut all = [patient("1", "Asha R. Rao"), patient("2", "Ravi R. Rao"), all[2].clone()];
    all[2]["status"] = json!("amended");
    let (tally, refused) = house.import(&[house.lines("a.ndjson", &all)]);
    assert_eq!(counts(&tally), [0, 0, 2, 0, 0, 1]);
    assert!(refused[0].2.contains("changed here"), "{refused:?}");
    let (_, exported) = house.exported();
    assert_eq!(exported[&house.local("Patient", "1")]["name"][0]["text"], "Asha R. Rao");
    assert_eq!(exported[&house.local("Patient", "2")]["gender"], "male");
    assert_eq!(exported["Observation/3"]["status"], "amended");
}

#[test]
fn somebody_on_record_gets_what_the_record_lacks_and_keeps_what_the_desk_wrote() {
    let house = House::new();
    let stamp = Stamp::of_box(house.clock.now());
    let registration = prm::patient::Registration {
        name: "Asha Rao".into(),
        birth_date: Some("1984-05-02".into()),
        phones: vec![prm::patient::RawPhone { number: "+919844111173".into(), use_: None }],
        identifiers: vec![prm::patient::RawIdentifier {
            system: "urn:mrn".into(),
            value: "7".into(),
        }],
        ..Default::default()
    };
    let known = house
        .db
        .write_blocking(move |tx| prm::patient::register(tx, &stamp, registration))
        .unwrap();
    let by_number = json!({ "resourceType": "Patient", "id": "1", "gender": "female",
        "name": [{ "text": "Asha Devi Rao" }], "birthDate": "1985-01-01",
        "identifier": [{ "system": "urn:mrn", "value": "7" }, { "system": "urn:abc", "value": "9" }],
        "telecom": [{ "system": "phone", "value": "+919844111174" }],
        "maritalStatus": { "text": "married" } });
    let by_all = json!({ "resourceType": "Patient", "id": "2", "name": [{ "text": "Asha Rao" }],
        "birthDate": "1984-05-02", "telecom": [{ "system": "phone", "value": "+919844111173" }],
        "address": [{ "city": "Mysuru" }] });
    let not_certain = json!({ "resourceType": "Patient", "id": "3", "name": [{ "text": "Asha Rau" }],
        "birthDate": "1984", "telecom": [{ "system": "phone", "value": "+919844111173" }] });
    let about = observation("4", "Patient/2");
    let file = house.lines("p.ndjson", &[by_number, by_all, not_certain, about]);
    let (tally, refused) = house.import(std::slice::from_ref(&file));
    assert_eq!((counts(&tally), refused), ([2, 2, 0, 0, 0, 0], vec![]));
    let (_, all) = house.exported();
    let record = &all[&format!("Patient/{}", known.id)];
    assert_eq!(record["name"][0]["text"], "Asha Rao");
    assert_eq!(record["birthDate"], "1984-05-02");
    assert_eq!(record["gender"], "female");
    assert_eq!(record["address"][0]["city"], "Mysuru");
    assert_eq!(record["maritalStatus"]["text"], "married");
    assert_eq!(record["telecom"].as_array().unwrap().len(), 2);
    assert_eq!(all["Observation/4"]["subject"]["reference"], format!("Patient/{}", known.id));
    assert_eq!(counts(&house.import(&[file]).0), [0, 0, 0, 4, 0, 0]);
}

#[test]
fn the_box_may_write_meanwhile_and_only_one_import_runs() {
    let house = House::new();
    let keys = Keys::load(&place::keys(house.folder.path())).unwrap();
    // As the daemon does: a second writer on the same file.
    let daemon = Db::open(&place::database(house.folder.path()), keys).unwrap();
    let all: Vec<Value> = (0..300).map(|n| patient(&n.to_string(), &format!("Asha {n}"))).collect();
    let file = house.lines("p.ndjson", &all);
    let writes = std::thread::spawn(move || {
        let stamp = Stamp::of_box("2026-11-23T10:00:00+05:30".parse().unwrap());
        for n in 0..50 {
            let registration =
                prm::patient::Registration { name: format!("Desk {n}"), ..Default::default() };
            daemon
                .write_blocking(move |tx| prm::patient::register(tx, &stamp, registration))
                .unwrap();
        }
    });
    let (tally, refused) = house.import(std::slice::from_ref(&file));
    writes.join().unwrap();
    assert_eq!((tally.of(Fate::Taken), refused.len()), (300, 0));
    let whole = house.db.read_at_length(|read| prm::audit::verify(read, house.db.keys())).unwrap();
    assert!(matches!(whole, prm::audit::Verdict::Whole { lines } if lines > 350));

    let lock = fs::File::create(place::state(house.folder.path()).unwrap().join("import.lock"));
    let lock = lock.unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let wanted = Wanted {
        files: vec![file],
        source: "old".into(),
        bases: Vec::new(),
        keep_lost: false,
        own: false,
        sealed: None,
    };
    let mut heard = Heard::default();
    let second = run(house.folder.path(), &house.db, &house.clock, &wanted, &mut heard);
    assert!(second.unwrap_err().to_string().contains("another import"));
}

#[test]
fn what_is_refused_half_way_leaves_nothing_behind() {
    let house = House::new();
    let role = |id: &str, specialty: &str| {
        json!({ "resourceType": "PractitionerRole", "id": id, "specialty": [{ "text": specialty }],
                "practitioner": { "reference": "Practitioner/d1" } })
    };
    let doctor = json!({ "resourceType": "Practitioner", "id": "d1", "name": [{ "text": "Dr. Meera Iyer" }] });
    let all = [doctor, role("r1", "cardiology"), role("r2", "surgery"), patient("1", "Asha Rao")];
    let (tally, refused) = house.import(&[house.lines("a.ndjson", &all)]);
    assert_eq!(counts(&tally), [3, 0, 0, 0, 0, 1]);
    assert!(refused[0].2.contains("one role"), "{refused:?}");
    let (_, all) = house.exported();
    assert_eq!(all[&house.local("PractitionerRole", "r1")]["specialty"][0]["text"], "cardiology");
    let whole = house.db.read_at_length(|read| prm::audit::verify(read, house.db.keys())).unwrap();
    assert!(matches!(whole, prm::audit::Verdict::Whole { .. }), "{whole:?}");
}
