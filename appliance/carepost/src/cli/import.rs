//! `carepost import`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use super::Place;
use super::progress::Progress;
use super::terminal::say;
use super::usage;
use crate::app::open_db;
use crate::clock::Clock;
use crate::import::tally::{Fate, Refusal};
use crate::import::{Listener, Wanted, run};

#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(flatten)]
    place: Place,
    /// The files: resources, Bundles or NDJSON, of FHIR R4 in JSON.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// A name for the system that they are of. What it calls its resources is remembered under this
    /// name, so that the same file can be imported again.
    #[arg(long, value_name = "NAME", default_value = "files", value_parser = usage::source)]
    source: String,
    /// The address of that system's FHIR: references under it are to its resources. May be given more
    /// than once.
    #[arg(long, value_name = "URL")]
    base: Vec<String>,
    /// Takes what refers to something that is nowhere, too; the reference is kept as words.
    #[arg(long)]
    keep_lost_references: bool,
    /// Writes each refusal to a file, one JSON object to a line: file, line, type, id, issues.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The report on stdout for programs.
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let Self { place, files, source, base, keep_lost_references, report, json } = self;
        let db = open_db(&place.data)?;
        let report = report.map(create).transpose()?;
        let mut told = Told { report, reading: None, writing: None };
        let wanted = Wanted {
            files,
            source,
            bases: base,
            keep_lost: keep_lost_references,
            own: false,
            sealed: None,
        };
        let tally = run(&place.data, &db, clock, &wanted, &mut told);
        told.end()?;
        db.close();
        let tally = tally?;
        say(&if json { format!("{}\n", tally.to_json()) } else { tally.text() })?;
        let refused = tally.of(Fate::Refused);
        if refused > 0 {
            bail!(
                "{refused} of {} were refused; --report FILE writes which, mend them and import again",
                tally.all()
            );
        }
        Ok(())
    }
}

pub(super) fn create(path: PathBuf) -> anyhow::Result<BufWriter<File>> {
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("the report {} cannot be written", path.display()))?;
    Ok(BufWriter::new(file))
}

/// Whom the import tells.
pub(super) struct Told {
    pub(super) report: Option<BufWriter<File>>,
    pub(super) reading: Option<Progress>,
    pub(super) writing: Option<Progress>,
}

impl Told {
    /// Ends the bars and the report.
    pub(super) fn end(self) -> anyhow::Result<()> {
        let Self { report, reading, writing } = self;
        drop((reading, writing));
        match report {
            Some(mut report) => report.flush().context("the report cannot be written"),
            None => Ok(()),
        }
    }
}

impl Listener for Told {
    fn read(&mut self, done: u64, all: u64) {
        self.reading.get_or_insert_with(|| Progress::of_bytes("read", all)).at(done);
    }

    fn written(&mut self, done: u64, all: u64) {
        self.reading = None;
        self.writing.get_or_insert_with(|| Progress::of("written", all)).at(done);
    }

    fn refused(&mut self, refusal: &Refusal<'_>) -> io::Result<()> {
        match &mut self.report {
            Some(report) => writeln!(report, "{}", refusal.to_json()),
            None => Ok(()),
        }
    }
}
