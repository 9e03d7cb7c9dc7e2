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
use crate::{backup, config, last_backup, media, place};

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
        // Listed after the copy was made, so that nothing is missing that it knows; what is kept is never changed.
        let (kept, missing) = media::files(&db, &data)?;
        parts.extend(kept.into_iter().map(|name| {
            let path = data.join(&name);
            (name, path)
        }));
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
        say(&format!("{}: {} files, {bytes} bytes\n", to.display(), manifest.parts.len()))?;
        say_missing(missing)
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
        let (_, missing) = media::files(&open_db(&data)?, &data)?;
        say_missing(missing)?;
        let made_at = contents.manifest().made_at;
        say(&format!(
            "{} is as it was at {made_at}; serve it with: carepost serve --data {}\nIf the box of which this is a copy still runs, stop it: two boxes cannot be one clinic.\n",
            data.display(),
            data.display()
        ))
    }
}

/// Says how many pictures and sounds are in the records and have no file.
fn say_missing(missing: usize) -> anyhow::Result<()> {
    if missing == 0 {
        return Ok(());
    }
    say(&format!("{missing} pictures or sounds are not in it: their files were missing\n"))
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

#[cfg(test)]
mod tests {
    use age::secrecy::ExposeSecret as _;
    use prm::id::MediaId;
    use prm::media::{self as record, Expecting, Found};

    use super::*;
    use crate::http::tests::Clinic;
    use crate::media::Blobs;

    #[test]
    fn pictures_go_along_with_a_backup_and_what_is_missing_is_counted() {
        let clinic = Clinic::new();
        let (app, now) = (&clinic.app, clinic.app.now());
        let keep = |bytes: &[u8]| {
            let id = MediaId::new(now);
            let mut writer = app.media.begin(id).unwrap();
            writer.append(0, bytes).unwrap();
            let finished = writer.finish().unwrap();
            let media_type = "image/png".to_owned();
            let found = Found {
                media_type: media_type.clone(),
                bytes: finished.bytes,
                sha256: finished.sha256,
            };
            let expecting = Expecting { id, message: None, reference: None, media_type };
            let kept = app.db.write_blocking(move |tx| {
                let stamp = Stamp::of_box(now);
                record::expect(tx, &stamp, expecting)?;
                record::kept(tx, &stamp, id, &found)
            });
            kept.unwrap().id
        };
        let (there, lost) = (keep(b"a picture"), keep(b"another"));
        app.media.remove(lost).unwrap();

        let elsewhere = tempfile::tempdir().unwrap();
        let identity = age::x25519::Identity::generate();
        let keyfile = elsewhere.path().join("key.txt");
        fs::write(&keyfile, identity.to_string().expose_secret()).unwrap();
        let to = elsewhere.path().join("b.age");
        let recipient = vec![identity.to_public().to_string()];
        let place = Place { data: app.data.clone() };
        Backup { place, to: to.clone(), recipient }.run(&Clock::System).unwrap();
        let data = elsewhere.path().join("restored");
        let place = Place { data: data.clone() };
        let restore = Restore { place, from: to, identity: keyfile, even_if_altered: false };
        restore.run(&Clock::System).unwrap();

        let restored = Blobs::open(&data, 0).unwrap();
        assert_eq!(restored.read(there, 0..99).unwrap(), b"a picture");
        let (files, missing) = media::files(&open_db(&data).unwrap(), &data).unwrap();
        assert_eq!((files, missing), (vec![format!("media/{there}")], 1));
    }
}
