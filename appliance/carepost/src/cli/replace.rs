//! `carepost enroll --replace`: a box takes the place of the clinic's box that broke or was lost.
//!
//! It joins the hub, fetches everything that the hub holds into a file that is sealed with a key that is
//! never on the disk, and imports it; only then it may be served and tells the hub. Whatever fails on the way
//! is begun anew by the same command.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context as _, bail};
use fhir::organization::{self, Own};
use jiff::Timestamp;
use prm::clinic::{self, Founding};
use prm::db::Db;
use prm::hub;
use prm::id::{ClinicId, Noun};
use prm::stamp::Stamp;
use prm::statement;
use sync_agent::OnHeld;
use sync_agent::restore::fetch;

use super::found;
use super::import::{Told, create};
use super::serve::on_runtime;
use super::sync::{Replacing, Wanted};
use super::terminal::say;
use crate::app::open_db;
use crate::clock::Clock;
use crate::http::fhir::export::sealed::{Key, Writer};
use crate::import::tally::{Fate, Tally};
use crate::{import, place, turn};

/// Under this name what the hub calls a record is remembered.
const SOURCE: &str = "hub";
/// What is fetched, until it is imported. What a killed command left is removed by the next; its key is
/// gone.
const FETCHED: &str = "fetched";
/// What a box is called until the hub has said which clinic's it is.
const NOBODY: &str = "A new box";
/// What stays as it is, or is not at the hub.
const NOT_BACK: &str = "Not at the hub, and so not back: staff and their passwords, the audit, leave, closed days, tablets, settings, and the key of the QRs. Patients whose QR does not open a check-in here are found by telephone and birth.";

pub(super) fn run(
    data: &Path,
    wanted: Option<Wanted>,
    replacing: &Replacing,
    clock: &Clock,
) -> anyhow::Result<()> {
    let password = match place::database(data).exists() {
        true => None,
        false => {
            let founding = Founding {
                name: NOBODY.into(),
                timezone: "UTC".into(),
                country: "IN".into(),
                demo: false,
            };
            Some(found(data, founding, clock)?.1)
        }
    };
    if let Some(password) = &password {
        say(&format!(
            "A new box is in {}.\n\n  user name  admin\n  password   {}   (shown this once)\n\n",
            data.display(),
            password.as_str(),
        ))?;
    }
    let alone = turn::alone(data)?;
    let db = open_db(data)?;
    let done = take_place(data, &db, wanted, replacing, clock);
    db.close();
    drop(alone);
    let (clinic, tally) = done?;
    say(&format!(
        "{clinic} has its box back.\n{}\n{NOT_BACK}\n\nServe it with: carepost serve --data {}\n",
        tally.text(),
        data.display(),
    ))
}

fn take_place(
    data: &Path,
    db: &Db,
    wanted: Option<Wanted>,
    replacing: &Replacing,
    clock: &Clock,
) -> anyhow::Result<(String, Tally)> {
    match wanted {
        Some(wanted) => {
            let joined = wanted.join(data, db, (clock, OnHeld::Restore))?;
            say(&format!(
                "{} has joined {}; the hub's fingerprint: {}, the box's: {}\n",
                joined.clinic_name, wanted.hub, joined.hub, joined.own,
            ))?;
        }
        None if db.read_blocking(hub::is_replacing)? => {}
        None => bail!("say --hub and --code: nothing is under way that could go on"),
    }
    let folder = place::state(data)?.join(FETCHED);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir(&folder)?;
    let done = bring_back(data, db, &folder, replacing, clock);
    let removed = fs::remove_dir_all(&folder);
    let tally = done?;
    removed.context("what was fetched cannot be removed")?;
    let stamp = Stamp::of_box(clock.now());
    db.write_blocking(move |tx| hub::replaced(tx, &stamp))?;
    Ok((db.read_blocking(clinic::get)?.name, tally))
}

fn bring_back(
    data: &Path,
    db: &Db,
    folder: &Path,
    replacing: &Replacing,
    clock: &Clock,
) -> anyhow::Result<Tally> {
    let (key, file) = (Key::generate()?, folder.join("records.ndjson"));
    let mut writer = Writer::create(&file, key.clone(), 0)?;
    let mut own = None;
    let keep = |body: &[u8]| -> io::Result<()> {
        if own.is_none() {
            own = fhir::json::parse(body).ok().and_then(|it| organization::own(&it));
        }
        // A line each: between the tokens of JSON a line break is a space.
        let line: Vec<u8> =
            body.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect();
        writer.write(&line)?;
        writer.write(b"\n")
    };
    let records = on_runtime(async { Ok(fetch(db, &place::keys(data), keep).await?) })?;
    writer.end()?;
    say(&format!("{records} records came from the hub\n"))?;
    if let Some(own) = own {
        become_box_of(db, own, clock.now())?;
    }
    let wanted = import::Wanted {
        files: vec![file],
        source: SOURCE.into(),
        bases: Vec::new(),
        keep_lost: true,
        own: true,
        sealed: Some(key),
    };
    let report = replacing.report.clone().map(create).transpose()?;
    let mut told = Told { report, reading: None, writing: None };
    let tally = import::run(data, db, clock, &wanted, &mut told)?;
    told.end()?;
    let refused = tally.of(Fate::Refused);
    if refused > 0 && !replacing.leave_out_refused {
        bail!(
            "{refused} of {} records could not be taken, so the hub is told nothing and keeps them; --report FILE writes which, --leave-out-refused goes on without them",
            tally.all()
        );
    }
    Ok(tally)
}

/// Makes this box the box of the clinic that the hub knows, unless it is already.
fn become_box_of(db: &Db, own: Own, now: Timestamp) -> anyhow::Result<()> {
    let Own { id, name, timezone, country } = own;
    let stamp = Stamp::of_box(now);
    let (clinic, patients) = db.read_blocking(|read| {
        Ok((clinic::get(read)?, statement::ids(read, &stamp, Noun::Patient, None, 1)?))
    })?;
    let id = ClinicId::from_bytes(id.into_bytes());
    if clinic.id == id {
        return Ok(());
    }
    if !patients.is_empty() {
        bail!("this box holds the records of another clinic; take an empty folder");
    }
    let (demo, zone) = (clinic.demo, timezone.unwrap_or(clinic.timezone));
    let country = country.unwrap_or(clinic.country);
    let founding = Founding { name, timezone: zone, country, demo };
    db.write_blocking(move |tx| clinic::take_over(tx, &stamp, id, founding))?;
    Ok(())
}
