//! `carepost backup`, `restore` and `verify`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use prm::audit::{self, Verdict};
use prm::change;
use prm::stamp::Stamp;

use super::Place;
use super::terminal::say;
use crate::app::open_db;
use crate::clock::Clock;
use crate::{backup, config, last_backup, place};

#[derive(Debug, Args)]
pub(super) struct Backup {
    #[command(flatten)]
    place: Place,
    /// The file to write; one that is there is replaced.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Who may open it: the public half of an age key. May be given more than once.
    #[arg(long, value_name = "age1...", required = true)]
    recipient: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    #[command(flatten)]
    place: Place,
    /// The backup.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The file that `age-keygen` wrote.
    #[arg(long, value_name = "KEYFILE")]
    identity: PathBuf,
    /// Restores even if the audit in the backup was altered.
    #[arg(long)]
    even_if_altered: bool,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The backup.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The file that `age-keygen` wrote.
    #[arg(long, value_name = "KEYFILE")]
    identity: PathBuf,
}

impl Backup {
    pub(super) fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let Self { place, to, recipient } = self;
        let data = place.data;
        let db = open_db(&data)?;
        let clinic = db.read_blocking(prm::clinic::get)?;
        // The copy is encrypted with the database's key, and gone when this ends.
        let beside = tempfile::Builder::new()
            .prefix("backup-")
            .tempdir_in(place::state(&data)?)
            .context("the copy for the backup cannot be made")?;
        let copy = beside.path().join(place::DATABASE);
        db.copy_to(&copy)?;
        let mut parts = vec![(place::DATABASE.to_owned(), copy)];
        for entry in fs::read_dir(place::keys(&data)).context("the keys cannot be read")? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                parts.push((format!("{}/{name}", place::KEYS), entry.path()));
            }
        }
        let settings = data.join(config::FILE_NAME);
        if settings.exists() {
            parts.push((config::FILE_NAME.to_owned(), settings));
        }
        parts.sort();
        let parts: Vec<(&str, &Path)> =
            parts.iter().map(|(name, path)| (name.as_str(), path.as_path())).collect();
        let now = clock.now();
        let manifest = backup::write(&to, &recipient, &parts, &clinic.id.to_string(), now)?;
        last_backup::remember(&data, now)?;
        let bytes: u64 = manifest.parts.iter().map(|part| part.size).sum();
        say(&format!("{}: {} files, {bytes} bytes\n", to.display(), manifest.parts.len()))
    }
}

impl Restore {
    pub(super) fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let Self { place: Place { data }, from, identity, even_if_altered } = self;
        let contents = backup::open(&from, &identity)?;
        let named = |name: &str| contents.manifest().parts.iter().any(|part| part.name == name);
        if !named(place::DATABASE) {
            bail!("{} holds no database; take another backup", from.display());
        }
        contents.unpack(&data)?;
        begin_again(&data, even_if_altered, clock).inspect_err(|_| {
            // The folder was empty before.
            let _ = fs::remove_dir_all(&data);
        })?;
        let made_at = contents.manifest().made_at;
        say(&format!(
            "{} is as it was at {made_at}; serve it with: carepost serve --data {}\nIf the box of which this is a copy still runs, stop it: two boxes cannot be one clinic.\n",
            data.display(),
            data.display()
        ))
    }
}

/// Checks what was unpacked, and gives its log a new identity, so that whoever followed the old
/// one notices.
fn begin_again(data: &Path, even_if_altered: bool, clock: &Clock) -> anyhow::Result<()> {
    let db = open_db(data)?;
    if let Some(wrong) = db.integrity()?.into_iter().next() {
        bail!("the database in the backup is damaged ({wrong}); take an older backup");
    }
    match db.read_at_length(|read| audit::verify(read, db.keys()))? {
        Verdict::Whole { .. } => {}
        Verdict::Broken { sequence, what } if !even_if_altered => bail!(
            "the audit in the backup is broken at line {sequence} ({what}); take an older backup, or restore it with --even-if-altered"
        ),
        Verdict::Broken { sequence, what } => {
            tracing::warn!(sequence, what, "the audit in the backup is broken");
        }
    }
    let now = clock.now();
    db.write_blocking(move |tx| change::begin_log(tx, &Stamp::of_box(now)))?;
    db.close();
    Ok(())
}

impl Verify {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let contents = backup::open(&self.from, &self.identity)?;
        contents.check()?;
        let manifest = contents.manifest();
        say(&format!(
            "{} is whole: clinic {}, made at {} by {}, {} files\n",
            self.from.display(),
            manifest.clinic,
            manifest.made_at,
            manifest.program,
            manifest.parts.len()
        ))
    }
}
