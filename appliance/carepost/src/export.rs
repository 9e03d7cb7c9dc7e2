//! Everything that FHIR can say of a clinic, as NDJSON in a folder (`carepost export`).
//!
//! Invariant: all files show the records at one moment, while the box goes on.
//! Invariant: memory does not grow with the records.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::http::fhir::stamp::Stamp;
use anyhow::{Context as _, bail};
use fhir::{Here, audit_event};
use jiff::Timestamp;
use prm::db::Db;
use prm::id::Noun;
use prm::{audit, clinic};
use ring::digest::{Context as Digest, SHA256};
use serde_json::{Value, json};

use crate::app::local;
use crate::http::fhir::fault::Fault;
use crate::http::fhir::records::Found;
use crate::http::fhir::search::everything::{each, kinds};
use crate::http::fhir::write::Refused;

/// The file that says what the others are.
pub const MANIFEST: &str = "manifest.json";

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The type.
    pub kind: &'static str,
    /// Its file.
    pub file: String,
    /// How many resources.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
    /// The SHA-256 of the file in hexadecimal.
    pub sha256: String,
}

/// Why it was not written.
enum Stop {
    Refused(Refused),
    Io(io::Error),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// A file of one type while it is written.
struct Ndjson {
    out: BufWriter<File>,
    digest: Digest,
    count: u64,
    bytes: u64,
}

impl Ndjson {
    fn create(path: &Path) -> io::Result<Self> {
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let out = BufWriter::with_capacity(256 * 1024, file);
        Ok(Self { out, digest: Digest::new(&SHA256), count: 0, bytes: 0 })
    }

    fn line(&mut self, found: &Found) -> io::Result<()> {
        let mut line = found.resource.to_vec();
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.digest.update(&line);
        self.count += 1;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn end(self, kind: &'static str, file: String) -> io::Result<Written> {
        let Self { out, digest, count, bytes } = self;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        let sum = digest.finish();
        let sha256 = sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Written { kind, file, count, bytes, sha256 })
    }
}

/// Writes everything into a folder that is empty or not there yet, AuditEvents only if wanted. `tell`
/// hears how many resources are written.
///
/// # Errors
/// If there is something in the folder, or it or the database fails; then what was written is removed.
pub fn run(
    db: &Db,
    now: Timestamp,
    (out, with_audit): (&Path, bool),
    tell: &mut dyn FnMut(u64),
) -> anyhow::Result<Vec<Written>> {
    let unusable = || format!("{} cannot be written; choose another folder", out.display());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(out).with_context(unusable)?;
    if fs::read_dir(out).with_context(unusable)?.next().is_some() {
        bail!("{} is not empty; choose another folder", out.display());
    }
    let stamp = Stamp::of_box(now);
    db.write_blocking(move |tx| audit::was_exported(tx, &stamp, Noun::Chart))?;
    let mut made: Vec<PathBuf> = Vec::new();
    write(db, stamp, (out, with_audit), &mut made, tell).inspect_err(|_| {
        for path in &made {
            // What cannot be removed is told by the error that led here.
            let _ = fs::remove_file(path);
        }
    })
}

fn write(
    db: &Db,
    stamp: Stamp,
    (out, with_audit): (&Path, bool),
    made: &mut Vec<PathBuf>,
    tell: &mut dyn FnMut(u64),
) -> anyhow::Result<Vec<Written>> {
    let mut written: Vec<Written> = Vec::new();
    let mut stopped = None;
    let mut all = 0;
    let clinic = db.read_at_length(|read| {
        let clinic = clinic::get(read)?;
        let here = Here { clinic: &clinic, origin: "" };
        for kind in kinds().filter(|kind| with_audit || *kind != audit_event::TYPE) {
            let file = format!("{kind}.ndjson");
            let path = out.join(&file);
            let mut ndjson: Option<Ndjson> = None;
            let mut line = |found: Found| -> Result<(), Stop> {
                let open = match &mut ndjson {
                    Some(open) => open,
                    None => {
                        made.push(path.clone());
                        ndjson.insert(Ndjson::create(&path).map_err(Stop::Io)?)
                    }
                };
                open.line(&found).map_err(Stop::Io)?;
                all += 1;
                tell(all);
                Ok(())
            };
            let ended = each(read, &stamp, here, (kind, None), &mut line);
            let ended = ended.and_then(|()| match ndjson {
                Some(ndjson) => ndjson.end(kind, file).map(Some).map_err(Stop::Io),
                None => Ok(None),
            });
            match ended {
                Ok(file) => written.extend(file),
                Err(stop) => {
                    stopped = Some(stop);
                    break;
                }
            }
        }
        Ok(clinic)
    })?;
    match stopped {
        Some(Stop::Refused(refused)) => {
            let fault = Fault::from(refused);
            bail!("{}", fault.outcome())
        }
        Some(Stop::Io(error)) => {
            return Err(error).context("the export cannot be written; make room and run it again");
        }
        None => {}
    }
    let manifest = out.join(MANIFEST);
    made.push(manifest.clone());
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(manifest)?;
    let text = json!({
        "fhirVersion": "4.0.1",
        "software": { "name": "Carepost", "version": env!("CARGO_PKG_VERSION") },
        "clinic": { "id": clinic.id.to_string(), "name": clinic.name },
        "at": local(&clinic.zone, stamp.now),
        "files": written.iter().map(Written::to_json).collect::<Vec<_>>(),
    });
    file.write_all(format!("{text:#}\n").as_bytes())?;
    file.sync_all()?;
    Ok(written)
}

impl Written {
    /// As the manifest has it.
    fn to_json(&self) -> Value {
        let Self { kind, file, count, bytes, sha256 } = self;
        json!({ "type": kind, "file": file, "count": count, "bytes": bytes, "sha256": sha256 })
    }
}
