//! The dictionary of the bundles: how small it makes what a clinic tells most often.
//!
//! It is trained on the demonstration's clinic and tried on one that has other names, practitioners and
//! rooms. Once programs in the field have it, it is never trained again: a better one is a new one.

use std::path::Path;

use carepost::demo;
use carepost::http::fhir::told;
use jiff::Timestamp;
use prm::appointment::{self, Booking};
use prm::clinic::{self, Founding};
use prm::db::{Db, Keys};
use prm::patient::{self, RawPhone, Registration};
use prm::practitioner;
use prm::schedule;
use prm::slot::{self, Search};
use prm::stamp::Stamp;
use sync_agent::{Deltas, bundle};
use sync_protocol::envelope::{Dictionary, Kind, OpeningKey, Place, SigningKey, dictionary, seal};
use sync_protocol::ledger::{Bundle, Content, Entry, Mark};
use sync_protocol::lineage::LogId;
use sync_protocol::loan::Generation;
use sync_protocol::wire::{self, Up};
use uuid::Uuid;

/// Set to train the dictionary instead of trying it.
const WRITE: &str = "CAREPOST_WRITE_DICTIONARY";
/// Its length at the most, in bytes.
const LENGTH: usize = 32 << 10;

struct Folder {
    db: Db,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let db = Db::create(&folder.path().join("carepost.db"), keys).unwrap();
        Self { db, now: "2026-11-23T08:00:00+05:30".parse().unwrap(), _folder: folder }
    }

    /// What is told of the log after a number, each record once.
    fn told(&self, mut after: u64) -> Vec<Entry> {
        let stamp = Stamp::of_box(self.now);
        let how = (told::shown as sync_agent::Shown, Deltas::NotTaken);
        let mut told = Vec::new();
        while let Some(stretch) = self
            .db
            .read_blocking(|read| bundle::stretch(read, &stamp, how, (after, Mark::START)))
            .unwrap()
        {
            after = stretch.through;
            told.extend(stretch.entries);
        }
        told
    }
}

/// A bundle of these records as it is packed.
fn body(entries: Vec<Entry>) -> Vec<u8> {
    let through = entries.iter().map(|it| it.sequence).max().unwrap_or(1_000_001);
    let after = entries.iter().map(|it| it.sequence).min().unwrap_or(1_000_001) - 1;
    // Marks are hashes: no dictionary knows them.
    let (before, mark) = (Mark::START.then(b"before"), Mark::START.then(b"after"));
    let content = Content::Stretch { after, before, through, mark, entries };
    let log = LogId(Uuid::from_u128(0x7d9f_3c11_a4e2_4b6f_9d0c_51f7_e8b2_6a43).into_bytes());
    let bundle = Bundle { log, generation: Some(Generation(1)), content };
    wire::write(&Up { bundle, capabilities: vec!["ledger/1".into()] }).unwrap()
}

/// How long the envelope of these records is, in bytes.
fn sealed(entries: Vec<Entry>, dictionary: Option<&Dictionary>) -> usize {
    let place = Place {
        kind: Kind::Bundle,
        clinic: [1; 16],
        box_id: [2; 16],
        log: LogId([3; 16]),
        after: 1_000_000,
        through: 1_000_100,
    };
    let signing = SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap();
    let to = OpeningKey::generate().unwrap().sealing_key();
    seal(&place, &body(entries), &signing, &to, dictionary).unwrap().len()
}

#[test]
fn what_a_clinic_tells_most_is_small() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../sync/protocol/src/envelope/dictionary/1.zdict");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, trained()).unwrap();
        return;
    }
    let clinic = Folder::new();
    let bookings = busy_week(&clinic);
    let dictionary = dictionary::first();
    // Ids, keys, seal, signature and marks: what an envelope has that tells nothing.
    let frame = sealed(Vec::new(), Some(&dictionary));
    let each = |entries: &[Entry], dictionary| {
        let all: usize = entries.iter().map(|it| sealed(vec![it.clone()], dictionary)).sum();
        all / entries.len() - frame
    };
    let single = each(&bookings[..50], Some(&dictionary));
    let bare = each(&bookings[..50], None);
    let hundred = (sealed(bookings[..100].to_vec(), Some(&dictionary)) - frame) / 100;
    assert!(single <= 150 && single * 3 <= bare, "{single} bytes, {bare} without the dictionary");
    assert!(hundred <= 120, "{hundred} bytes each in a bundle of a hundred");
}

/// Trained on what the demonstration's clinic tells.
fn trained() -> Vec<u8> {
    let clinic = Folder::new();
    demo::furnish(&clinic.db, clinic.now, 1, 14).unwrap();
    let told = clinic.told(0);
    // What is told in a day, in about the shares in which it is.
    let mut samples = Vec::new();
    for (kind, every) in [
        ("Appointment/", 1),
        ("Patient/", 2),
        ("Encounter/", 3),
        ("Task/", 3),
        ("Schedule/", 1),
        ("Practitioner", 1),
        ("Location/", 1),
        ("HealthcareService/", 1),
        ("Organization/", 1),
        ("Device/", 1),
    ] {
        let of_kind = told.iter().filter(|it| it.key.0.starts_with(kind.as_bytes()));
        samples.extend(of_kind.step_by(every).map(|it| body(vec![it.clone()])));
    }
    zstd::dict::from_samples(&samples, LENGTH).unwrap()
}

/// A clinic with names of its own; the appointments that it tells.
fn busy_week(clinic: &Folder) -> Vec<Entry> {
    let stamp = Stamp::of_box(clinic.now);
    clinic
        .db
        .write_blocking(move |tx| {
            let founding = Founding {
                name: "Marigold Family Practice".into(),
                timezone: "Asia/Kolkata".into(),
                country: "IN".into(),
                demo: false,
            };
            clinic::found(tx, &stamp, founding)?;
            let mut slots = Vec::new();
            for (name, specialty) in
                [("Dr. Zubeida Contractor", "endocrinology"), ("Dr. Ophelia D'Cruz", "urology")]
            {
                let addition = practitioner::Addition {
                    name: name.into(),
                    specialties: vec![specialty.into()],
                    location: None,
                };
                let practitioner = practitioner::add(tx, &stamp, addition)?.id;
                let weekdays = ["mon", "tue", "wed", "thu", "fri"].map(String::from).into();
                let addition = schedule::Addition {
                    practitioner,
                    location: None,
                    weekdays,
                    start: "09:00".into(),
                    end: "17:00".into(),
                    slot_minutes: 15,
                    slot_capacity: None,
                    session_capacity: None,
                    valid_from: None,
                    valid_to: None,
                    lending: schedule::Lending::default(),
                };
                schedule::add(tx, &stamp, addition)?;
                let search = Search {
                    practitioner: Some(practitioner),
                    specialty: None,
                    service: None,
                    from: "2026-11-24".parse().unwrap(),
                    to: "2026-11-28".parse().unwrap(),
                    all: false,
                    limit: 1_000,
                };
                slots.extend(slot::list(tx, &stamp, &search)?);
            }
            for (number, slot) in slots.iter().take(120).enumerate() {
                let names =
                    ["Tobias Featherstone", "Gulnaz Irani", "Wenceslas Oduya", "Ingrid Quist"];
                let registration = Registration {
                    name: format!("{} {number}", names[number % names.len()]),
                    phones: vec![RawPhone {
                        number: format!("98860{:05}", 10_007 + number * 613),
                        use_: None,
                    }],
                    birth_date: Some(format!("{}-03-1{}", 1950 + number % 60, number % 10)),
                    accept_duplicate: true,
                    ..Registration::default()
                };
                let patient = patient::register(tx, &stamp, registration)?.id;
                let booking = Booking {
                    id: prm::id::AppointmentId::new(stamp.now),
                    patient,
                    slot: slot.id,
                    healthcare_service: None,
                    reason: None,
                    overbook: None,
                    hold_minutes: None,
                    series: None,
                };
                appointment::book(tx, &stamp, booking)?;
            }
            Ok(())
        })
        .unwrap();
    let told = clinic.told(0).into_iter();
    told.filter(|it| it.key.0.starts_with(b"Appointment/")).collect()
}
