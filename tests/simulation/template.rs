//! A clinic whose box has joined its hub, made once; each story begins with a copy of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use carepost::place;
use jiff::Timestamp;
use prm::change;
use prm::clinic::{Founding, found};
use prm::db::{Db, Keys};
use prm::hub as of_hub;
use prm::id::PractitionerId;
use prm::patient::{self, Registration};
use prm::practitioner;
use prm::schedule;
use prm::stamp::Stamp;
use sync_agent::keys::BoxKeys;
use tempfile::TempDir;

use super::acknowledged::Person;
use super::hub;

/// When all stories begin: a Monday morning in Kolkata.
pub const BEGIN_MS: i64 = 1_795_401_000_000;

/// A clinic to be copied.
pub struct Template {
    folder: TempDir,
    /// Who can be booked.
    pub practitioners: Vec<PractitionerId>,
    /// Who is on record.
    pub people: Vec<Person>,
}

impl Template {
    /// The one of this process.
    pub fn get() -> &'static Self {
        static MADE: OnceLock<Template> = OnceLock::new();
        MADE.get_or_init(Self::make)
    }

    /// The data folder of the box.
    pub fn of_box(&self) -> PathBuf {
        self.folder.path().join("box")
    }

    /// The data folder of the hub.
    pub fn of_hub(&self) -> PathBuf {
        self.folder.path().join("hub")
    }

    fn make() -> Self {
        let folder = in_memory();
        let data = folder.path().join("box");
        let keys = place::keys(&data);
        let own = Keys::create(&keys).unwrap();
        let own_keys = BoxKeys::ensure(&keys).unwrap();
        let db = Db::create(&place::database(&data), own).unwrap();
        let now = Timestamp::from_millisecond(BEGIN_MS).unwrap();
        let joined = hub::found(&folder.path().join("hub"), &own_keys, now);
        let stamp = Stamp::of_box(now);
        let (practitioners, people) = db
            .write_blocking(move |tx| {
                let founding = Founding {
                    name: "Shanti Clinic".into(),
                    timezone: "Asia/Kolkata".into(),
                    country: "IN".into(),
                    demo: false,
                };
                found(tx, &stamp, founding)?;
                let mut practitioners = Vec::new();
                for name in ["Dr Rao", "Dr Sen"] {
                    let (name, specialties) = (name.into(), vec!["cardiology".into()]);
                    let addition = practitioner::Addition { name, specialties, location: None };
                    let practitioner = practitioner::add(tx, &stamp, addition)?.id;
                    schedule::add(tx, &stamp, every_morning(practitioner))?;
                    practitioners.push(practitioner);
                }
                let mut people = Vec::new();
                for name in ["Asha Rao", "Ravi Kumar"] {
                    let made = patient::register(tx, &stamp, registration(name))?;
                    people.push(Person { id: made.id, name: made.name, merged_into: None });
                }
                of_hub::join(tx, &stamp, &joined, (Some(1), false))?;
                let (log, box_id) = (change::log_id(tx)?, joined.box_id);
                of_hub::has_learned(tx, &stamp, &of_hub::Learned { log, box_id, generation: 1 })?;
                Ok((practitioners, people))
            })
            .unwrap();
        db.close();
        drop(db);
        Self { folder, practitioners, people }
    }
}

/// A new patient, whoever else has the name.
pub fn registration(name: &str) -> Registration {
    Registration { name: name.to_owned(), accept_duplicate: true, ..Registration::default() }
}

fn every_morning(practitioner: PractitionerId) -> schedule::Addition {
    schedule::Addition {
        practitioner,
        location: None,
        weekdays: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(String::from).into(),
        start: "09:00".into(),
        end: "11:00".into(),
        slot_minutes: 20,
        slot_capacity: None,
        session_capacity: None,
        valid_from: None,
        valid_to: None,
        lending: schedule::Lending::default(),
    }
}

/// A folder whose files are in memory, where the machine has such a place.
pub fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

/// Copies a data folder: the database with its log, and the keys.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(&name));
        } else if !name.to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), to.join(&name)).unwrap();
        }
    }
}
