//! Exports that run or wait to be fetched, a few at once; one is written at a time.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::http::fhir::stamp::Stamp;
use anyhow::Context as _;
use axum::http::StatusCode;
use fhir::{Here, IssueCode};
use jiff::{SignedDuration, Timestamp};
use prm::clinic::Clinic;
use prm::db::Db;
use prm::id::PatientId;
use prm::stamp::{Actor, Role};
use uuid::Uuid;

use super::sealed::{Key, Reader, Writer};
use crate::app::App;
use crate::http::fhir::fault::Fault;
use crate::http::fhir::records::Found;
use crate::http::fhir::search::everything::each;
use crate::http::fhir::write::Refused;

/// Exports that run or wait to be fetched at once.
pub const EXPORTS_MAX: usize = 4;
/// Bytes of one export.
pub const EXPORT_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;
/// How long an export can be fetched after it was asked for.
pub const KEPT: SignedDuration = SignedDuration::from_hours(2);
/// The folder in that of what may be lost.
const FOLDER: &str = "exports";

/// Of whom an export is.
#[derive(Clone, Debug)]
pub enum Of {
    /// All records.
    Everything,
    /// Those of patients: each about one of them.
    Patients,
    /// Those of these patients.
    Group(HashSet<PatientId>),
}

impl Of {
    fn holds(&self, found: &Found) -> bool {
        let mut patients = found.whose.iter().map(|whose| whose.patient);
        match self {
            Self::Everything => true,
            Self::Patients => patients.next().is_some(),
            Self::Group(members) => patients.any(|patient| members.contains(&patient)),
        }
    }
}

/// What is to be exported.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which types.
    pub types: Vec<&'static str>,
    /// Only what was changed then or later.
    pub since: Option<Timestamp>,
    /// Of whom.
    pub of: Of,
}

/// How an export stands.
#[derive(Clone, Debug)]
pub enum State {
    /// It is written.
    Runs,
    /// It can be fetched.
    Done {
        /// The moment that it shows.
        at: Timestamp,
        /// Its files.
        files: Vec<Made>,
    },
    /// It failed, and why.
    Failed(&'static str),
}

/// A file that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The type.
    pub kind: &'static str,
    /// How many resources.
    pub count: u64,
    number: u32,
}

impl Made {
    /// What it is called in addresses.
    pub fn name(&self) -> String {
        format!("{}.ndjson", self.kind)
    }
}

/// One export.
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// The request, as it was made.
    pub request: String,
    owner: Actor,
    asked_at: Timestamp,
    folder: PathBuf,
    key: Key,
    state: Mutex<State>,
    written: AtomicU64,
    is_over: AtomicBool,
}

/// All exports of the box.
pub struct Exports {
    folder: PathBuf,
    jobs: Mutex<HashMap<Uuid, Arc<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    turn: Arc<Mutex<()>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Exports {
    /// None yet. What a run before has left is removed: its keys are gone.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn begin(state: PathBuf) -> anyhow::Result<Self> {
        let folder = state.join(FOLDER);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| {
                    format!("{} cannot be removed; remove it by hand", folder.display())
                });
            }
            Ok(()) | Err(_) => {}
        }
        Ok(Self { folder, jobs: Mutex::default(), threads: Mutex::default(), turn: Arc::default() })
    }

    /// Begins an export.
    ///
    /// # Errors
    /// If there are too many, or no room.
    pub fn start(
        &self,
        app: &App,
        stamp: Stamp,
        request: String,
        wanted: Wanted,
    ) -> Result<Uuid, Fault> {
        self.forget_old(stamp.now);
        let mut jobs = locked(&self.jobs);
        if jobs.len() >= EXPORTS_MAX {
            let what = format!(
                "{EXPORTS_MAX} exports run or wait to be fetched; delete one, or come back later"
            );
            return Err(
                Fault::new(StatusCode::TOO_MANY_REQUESTS, IssueCode::Throttled, what).after(60)
            );
        }
        let id = Uuid::new_v4();
        let no_room = |error: io::Error| {
            tracing::error!(%error, "an export cannot begin");
            let what = "the export cannot be written; make room on the box";
            Fault::new(StatusCode::INSUFFICIENT_STORAGE, IssueCode::Exception, what)
        };
        let folder = self.folder.join(id.to_string());
        crate::place::make_private(&folder).map_err(|error| no_room(io::Error::other(error)))?;
        let job = Arc::new(Job {
            id,
            request,
            owner: stamp.actor,
            asked_at: stamp.now,
            folder,
            key: Key::generate().map_err(no_room)?,
            state: Mutex::new(State::Runs),
            written: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        let running = Arc::clone(&job);
        // Not the whole box: that holds this thread until it ends.
        let (db, clinic, turn) = (app.db.clone(), app.clinic.clone(), Arc::clone(&self.turn));
        let thread = std::thread::Builder::new().name("export".into()).spawn(move || {
            let _turn = locked(&turn);
            running.run(&db, &clinic, stamp, &wanted);
        });
        let mut threads = locked(&self.threads);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread.map_err(no_room)?);
        jobs.insert(id, job);
        Ok(id)
    }

    /// An export, for whoever asked for it and for administrators.
    pub fn find(&self, id: Uuid, stamp: &Stamp) -> Option<Arc<Job>> {
        self.forget_old(stamp.now);
        let job = locked(&self.jobs).get(&id).cloned()?;
        (job.owner == stamp.actor || stamp.role == Role::Admin).then_some(job)
    }

    /// Ends an export and removes its files.
    pub fn end(&self, id: Uuid) {
        if let Some(job) = locked(&self.jobs).remove(&id) {
            job.end();
        }
    }

    /// Ends exports that are too old to be fetched. Called whenever one is looked at, and from time to
    /// time.
    pub fn forget_old(&self, now: Timestamp) {
        locked(&self.jobs).retain(|_, job| {
            let is_kept = now < job.ends();
            if !is_kept {
                job.end();
            }
            is_kept
        });
    }
}

impl Drop for Exports {
    fn drop(&mut self) {
        let jobs = self.jobs.get_mut().unwrap_or_else(PoisonError::into_inner);
        jobs.drain().for_each(|(_, job)| job.end());
        let threads = self.threads.get_mut().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // One that panicked has nothing left to finish.
            let _ = thread.join();
        }
        // Removed as a whole, because a thread may have made a file after its export was ended.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Why an export stopped.
enum Stop {
    Refused(Refused),
    Io(io::Error),
    Over,
    TooLarge,
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Job {
    /// How it stands.
    pub fn state(&self) -> State {
        locked(&self.state).clone()
    }

    /// Resources that are written so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Until when it can be fetched.
    pub fn ends(&self) -> Timestamp {
        self.asked_at.checked_add(KEPT).unwrap_or(Timestamp::MAX)
    }

    /// Opens a file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(&self, made: &Made) -> io::Result<Reader> {
        Reader::open(&self.path(made.number), self.key.clone(), made.number)
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(number.to_string())
    }

    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        remove(&self.folder);
    }

    fn run(&self, db: &Db, clinic: &Clinic, stamp: Stamp, wanted: &Wanted) {
        let state = match self.write(db, clinic, &stamp, wanted) {
            Ok(files) => State::Done { at: stamp.now, files },
            Err(Stop::Over) => State::Failed("the export was ended"),
            Err(Stop::TooLarge) => {
                State::Failed("the export is too large; ask for fewer types, or with _since")
            }
            Err(Stop::Io(error)) => {
                tracing::error!(%error, "an export cannot be written");
                State::Failed("the export cannot be written; make room on the box")
            }
            Err(Stop::Refused(refused)) => {
                let fault = Fault::from(refused);
                tracing::error!(outcome = %fault.outcome(), "an export failed");
                State::Failed("the database failed; ask again")
            }
        };
        if matches!(state, State::Failed(_)) {
            remove(&self.folder);
        }
        *locked(&self.state) = state;
    }

    fn write(
        &self,
        db: &Db,
        clinic: &Clinic,
        stamp: &Stamp,
        wanted: &Wanted,
    ) -> Result<Vec<Made>, Stop> {
        let mut made = Vec::new();
        let mut stopped = None;
        let read = db.read_at_length(|read| {
            let here = Here { clinic, origin: "" };
            let mut bytes = 0;
            for (number, kind) in (0..).zip(&wanted.types) {
                let mut file: Option<Writer> = None;
                let mut count = 0;
                let mut line = |found: Found| -> Result<(), Stop> {
                    if self.is_over.load(Ordering::Relaxed) {
                        return Err(Stop::Over);
                    }
                    if !wanted.of.holds(&found) {
                        return Ok(());
                    }
                    let mut text = found.resource.to_vec();
                    text.push(b'\n');
                    bytes += text.len() as u64;
                    if bytes > EXPORT_BYTES_MAX {
                        return Err(Stop::TooLarge);
                    }
                    let open = match &mut file {
                        Some(open) => open,
                        None => file.insert(
                            Writer::create(&self.path(number), self.key.clone(), number)
                                .map_err(Stop::Io)?,
                        ),
                    };
                    open.write(&text).map_err(Stop::Io)?;
                    count += 1;
                    self.written.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                };
                let ended = each(read, stamp, here, (kind, wanted.since), &mut line);
                let ended = ended.and_then(|()| match file {
                    Some(file) => file.end().map(|()| true).map_err(Stop::Io),
                    None => Ok(false),
                });
                match ended {
                    Ok(true) => made.push(Made { kind, count, number }),
                    Ok(false) => {}
                    Err(stop) => {
                        stopped = Some(stop);
                        break;
                    }
                }
            }
            Ok(())
        });
        match (stopped, read) {
            (Some(stop), _) => Err(stop),
            (None, Err(error)) => Err(Stop::Refused(error.into())),
            (None, Ok(())) => Ok(made),
        }
    }
}

fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "the files of an export cannot be removed");
        }
        Ok(()) | Err(_) => {}
    }
}
