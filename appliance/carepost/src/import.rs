//! Taking FHIR R4 from files: JSON documents, Bundles, NDJSON (`carepost import`).
//!
//! Two passes. The first notes where each resource lies and what it says (`survey.rs`); what is no valid
//! R4 is refused then. The second writes them in the order in which they need each other (`order.rs`),
//! a few in each transaction and each in a part of its own, by the interactions of the FHIR door. What
//! refers to something that comes later waits; what refers to each other in a circle is written last
//! (`turns.rs`).
//!
//! Invariant: nothing is written but by what the FHIR door writes with.
//! Invariant: memory does not grow with the files.

mod index;
mod links;
mod order;
pub mod scan;
mod survey;
mod take;
pub mod tally;
#[cfg(test)]
mod tests;
mod turns;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use prm::clinic;
use prm::db::Db;
use rustix::fs::{FlockOperation, flock};

use self::index::Index;
use self::tally::{Refusal, Tally};
use crate::clock::Clock;
use crate::http::fhir::export::sealed::{self, Pieces};
use crate::place;

/// The longest line, or resource of a Bundle, that is read, in bytes. The records keep resources of up
/// to 1 MiB; as text with spaces they may be longer.
pub const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Files of one import.
pub const FILES_MAX: usize = 10_000;
/// Resources of one transaction. Few, so that the desk does not wait for them.
const BATCH: usize = 64;
/// Bytes of the resources of one transaction, about.
const BATCH_BYTES: u64 = 1024 * 1024;
/// How often a transaction is tried while somebody else writes at length.
const TRIES_MAX: u32 = 5;

/// What is to be imported.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The files, in order.
    pub files: Vec<PathBuf>,
    /// The name of the system that they are of.
    pub source: String,
    /// The addresses of that system: references under them are to its resources.
    pub bases: Vec<String>,
    /// Whether a reference to what is nowhere is kept as words, instead of refusing the resource.
    pub keep_lost: bool,
    /// Whether the files are what a box of this very clinic once said: then nobody is taken for somebody
    /// else, and of a record that is here the higher version counts.
    pub own: bool,
    /// The key under which the files are sealed, each as number 0; none if they are plain.
    pub sealed: Option<sealed::Key>,
}

/// What the folder of an index is called.
const INDEX_PREFIX: &str = "import-";

/// Who hears how it goes.
pub trait Listener {
    /// So many bytes of all are read.
    fn read(&mut self, done: u64, all: u64);
    /// So many resources of all are written or refused.
    fn written(&mut self, done: u64, all: u64);
    /// Something was refused.
    ///
    /// # Errors
    /// If it cannot be told.
    fn refused(&mut self, refusal: &Refusal<'_>) -> io::Result<()>;
}

/// The files, of which one is open at a time.
struct Sources {
    all: Vec<Source>,
    open: Option<(usize, Readable)>,
}

/// A file while it is read.
enum Readable {
    Plain(File),
    Sealed(Pieces),
}

impl Readable {
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read_at(into, at),
            Self::Sealed(pieces) => pieces.read_at(into, at),
        }
    }
}

/// A file that is read at any place.
struct Source {
    name: String,
    path: PathBuf,
    size: u64,
    key: Option<sealed::Key>,
}

impl Sources {
    fn find(paths: &[PathBuf], key: Option<&sealed::Key>) -> anyhow::Result<Self> {
        let all = paths.iter().map(|path| Source::find(path, key)).collect::<Result<_, _>>()?;
        Ok(Self { all, open: None })
    }

    fn name(&self, file: usize) -> &str {
        self.all.get(file).map(|source| source.name.as_str()).unwrap_or_default()
    }

    /// The bytes of a resource.
    fn bytes(&mut self, file: usize, start: u64, length: u64) -> anyhow::Result<Vec<u8>> {
        let handle = match &mut self.open {
            Some((at, handle)) if *at == file => handle,
            other => {
                let source = self.all.get(file).context("there is no such file")?;
                &mut other.insert((file, source.open()?)).1
            }
        };
        let mut bytes = vec![0; usize::try_from(length)?];
        let mut filled = 0;
        while filled < bytes.len() {
            match handle.read_at(&mut bytes[filled..], start + filled as u64)? {
                0 => bail!("the file is shorter than it was; run the import again"),
                read => filled += read,
            }
        }
        Ok(bytes)
    }
}

impl Source {
    fn find(path: &Path, key: Option<&sealed::Key>) -> anyhow::Result<Self> {
        let (name, path) = (path.display().to_string(), path.to_owned());
        let mut source = Self { name, path, size: 0, key: key.cloned() };
        let about = match source.open()? {
            Readable::Plain(file) => file.metadata()?,
            Readable::Sealed(pieces) => {
                source.size = pieces.size();
                return Ok(source);
            }
        };
        if !about.is_file() {
            let name = &source.name;
            bail!("{name} is not a file; name the files, for example {name}/*.ndjson");
        }
        source.size = about.len();
        Ok(source)
    }

    fn open(&self) -> anyhow::Result<Readable> {
        let unreadable = || {
            format!("{} cannot be read; check the name and who may read it", self.path.display())
        };
        match &self.key {
            Some(key) => Pieces::open(&self.path, key.clone(), 0)
                .map(Readable::Sealed)
                .with_context(unreadable),
            None => File::open(&self.path).map(Readable::Plain).with_context(unreadable),
        }
    }
}

/// Removes the indexes of imports that were killed: their keys are gone. Called by whoever has the turn.
fn forget_old(state: &Path) {
    for entry in std::fs::read_dir(state).into_iter().flatten().flatten() {
        let is_index = entry.file_name().to_string_lossy().starts_with(INDEX_PREFIX);
        if is_index && let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::warn!(%error, "the index of an earlier import cannot be removed");
        }
    }
}

/// Imports files into the box of a data folder, which may serve meanwhile.
///
/// # Errors
/// If a file cannot be read, another import runs, or the database fails. What was taken by then stays
/// taken; the next run goes on.
pub fn run(
    data: &Path,
    db: &Db,
    clock: &Clock,
    wanted: &Wanted,
    listener: &mut dyn Listener,
) -> anyhow::Result<Tally> {
    if wanted.files.len() > FILES_MAX {
        bail!("an import has at most {FILES_MAX} files; import them in several parts");
    }
    let state = place::state(data)?;
    let turn = File::create(state.join("import.lock")).context("the import cannot begin")?;
    if flock(&turn, FlockOperation::NonBlockingLockExclusive).is_err() {
        bail!("another import runs on this box; wait until it is done");
    }
    forget_old(&state);
    let mut files = Sources::find(&wanted.files, wanted.sealed.as_ref())?;
    let folder = tempfile::Builder::new()
        .prefix(INDEX_PREFIX)
        .tempdir_in(&state)
        .context("the folder for the import's index cannot be made")?;
    let index = Index::create(folder.path())?;
    let clinic = db.read_blocking(clinic::get)?;
    let mut tally = Tally::default();
    survey::survey(&mut files, &index, &mut tally, listener)?;
    turns::take_all(db, clock, clinic, (files, wanted.clone()), index, &mut tally, listener)?;
    Ok(tally)
}
