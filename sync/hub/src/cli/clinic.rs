//! `carepost-hub clinic ...`.

use std::io::{IsTerminal as _, stdout};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;
use sync_protocol::envelope::fingerprint;
use uuid::Uuid;

use super::{Place, catalogue, say, status};
use crate::backup;
use crate::code;
use crate::hub::Hub;
use crate::rekey::rekey;
use crate::store::{self, Clinic, IfMissing, Overview};

/// The longest name of a clinic, in bytes.
const NAME_MAX: usize = 200;
const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Adds a clinic and prints the code with which its box joins (one use).
    Add(WithCode),
    /// Prints a new code: for a box that was restored or replaced. Earlier codes are good no more.
    Code(WithCode),
    /// All clinics.
    List(List),
    /// What is held of a clinic, since when, and what is parked.
    Status(Named),
    /// Shuts out the box of a clinic until it joins with a new code.
    Revoke(Named),
    /// Writes a clinic into a file, encrypted with age; the hub may serve meanwhile.
    Backup(Backup),
    /// Puts back a clinic from such a file, here or at another hub.
    Restore(Restore),
    /// Asks the clinic's box to take a list of services (a FHIR Bundle of HealthcareServices, each with an
    /// identifier, at most 256 KiB); said again, tells what the box answered.
    Catalogue(Listed),
    /// Erases a clinic: its key and all its rows.
    Erase(Erase),
    /// Gives a clinic a new key for its records while the hub serves; interrupted, do it again.
    Rotate(Named),
}

#[derive(Debug, Args)]
pub struct WithCode {
    #[command(flatten)]
    named: Named,
    /// For how many hours the code is good.
    #[arg(long, value_name = "N", default_value_t = code::HOURS_DEFAULT,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(code::HOURS_MAX)))]
    hours: u32,
}

#[derive(Debug, Args)]
pub struct Named {
    /// The clinic's name.
    name: String,
    #[command(flatten)]
    place: Place,
    /// For programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Backup {
    #[command(flatten)]
    named: Named,
    /// Where to.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Who may open it: the public key of an age identity; may be given several times.
    #[arg(long, value_name = "age1...", required = true)]
    recipient: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Restore {
    /// The backup.
    file: PathBuf,
    /// The file that `age-keygen` wrote.
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub struct Listed {
    #[command(flatten)]
    named: Named,
    /// The list.
    file: PathBuf,
}

#[derive(Debug, Args)]
pub struct Erase {
    #[command(flatten)]
    named: Named,
    /// The clinic's name once more.
    #[arg(long, value_name = "NAME")]
    yes: String,
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    place: Place,
    /// For programs.
    #[arg(long)]
    json: bool,
}

impl Verb {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Add(WithCode { named, hours }) => {
                let hub = named.place.open(IfMissing::Make)?;
                let clinic = add(&hub, &named.name)?;
                new_code(&hub, &clinic, hours, named.json)
            }
            Self::Code(WithCode { named, hours }) => {
                let hub = open(&named.place)?;
                let clinic = find(&hub, &named.name)?;
                new_code(&hub, &clinic, hours, named.json)
            }
            Self::List(List { place, json }) => list(&open(&place)?, json),
            Self::Status(Named { name, place, json }) => {
                let hub = open(&place)?;
                let clinic = find(&hub, &name)?;
                say(&status::text(&hub, &clinic, json)?)
            }
            Self::Revoke(Named { name, place, json }) => {
                let hub = open(&place)?;
                let clinic = find(&hub, &name)?;
                revoke(&hub, &clinic, json)
            }
            Self::Backup(Backup { named: Named { name, place, json }, to, recipient }) => {
                let hub = open(&place)?;
                let clinic = find(&hub, &name)?;
                let rows = backup::write(&hub, clinic.id, &to, &recipient)?;
                let words = format!("{rows} rows of the clinic are in {}.", to.display());
                told(&clinic, rows, &words, json)
            }
            Self::Restore(Restore { file, identity, place }) => {
                let hub = place.open(IfMissing::Make)?;
                let (name, rows) = backup::restore(&hub, &file, &identity)?;
                say(&format!(
                    "{name} is back with {rows} rows, as it was when the backup was made; its box sends the rest again.\nIf the box was shut out since, do that again: carepost-hub clinic revoke NAME\n"
                ))
            }
            Self::Erase(Erase { named: Named { name, place, json }, yes }) => {
                let hub = open(&place)?;
                let clinic = find(&hub, &name)?;
                if yes.trim() != clinic.name {
                    bail!("--yes has to repeat the name of the clinic as `clinic list` shows it");
                }
                let rows = backup::erase(&hub, clinic.id)?;
                told(&clinic, rows, ERASED, json)
            }
            Self::Catalogue(Listed { named: Named { name, place, json }, file }) => {
                let hub = open(&place)?;
                let clinic = find(&hub, &name)?;
                catalogue::run(&hub, &clinic, &file, json)
            }
            Self::Rotate(Named { name, place, json }) => {
                let hub = open(&place)?;
                let clinic = find(&hub, &name)?;
                let rows = rekey(&hub, clinic.id)?;
                let words = format!("The clinic has a new key; {rows} rows went over to it.");
                told(&clinic, rows, &words, json)
            }
        }
    }
}

/// What is said after a clinic was erased.
const ERASED: &str = "The clinic is erased: its rows and the key that opens them. Copies of the database from before still open with the master key; `carepost-hub keys rotate` makes another, and then destroy copies of the old keys folder and backups of the clinic.";

fn told(clinic: &Clinic, rows: u64, words: &str, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let id = Uuid::from_bytes(clinic.id);
        return say(&format!("{}\n", json!({ "clinic": id, "rows": rows })));
    }
    say(&format!("{words}\n"))
}

pub(super) fn open(place: &Place) -> anyhow::Result<Hub> {
    place.open(IfMissing::Refuse)
}

pub(super) fn find(hub: &Hub, name: &str) -> anyhow::Result<Clinic> {
    let id = hub.store.survey(|tx| store::clinic_named(tx, name.trim()))?;
    let found = match id {
        Some(id) => hub.store.read(id, |tx| store::clinic(tx, id))?,
        None => None,
    };
    found.context("there is no clinic of this name; see `carepost-hub clinic list`")
}

fn add(hub: &Hub, name: &str) -> anyhow::Result<Clinic> {
    let name = name.trim();
    if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
        bail!("the name of a clinic is one line of at most {NAME_MAX} bytes");
    }
    let id = Uuid::new_v4().into_bytes();
    let wrapped_key = hub.keys.vault.make_clinic_key(id)?;
    let (added_at, life) = (hub.clock.now_ms(), 0);
    let clinic = Clinic { id, name: name.to_owned(), wrapped_key, added_at, life };
    hub.store.write(id, |tx| -> anyhow::Result<()> {
        if store::clinic_named(tx, name)?.is_some() {
            bail!("there is a clinic of this name; for a new code use `carepost-hub clinic code`");
        }
        store::add_clinic(tx, &clinic)?;
        if hub.keys.vault.reload()? {
            bail!("the hub was given a new master key meanwhile; do it again");
        }
        Ok(())
    })?;
    Ok(clinic)
}

fn new_code(hub: &Hub, clinic: &Clinic, hours: u32, as_json: bool) -> anyhow::Result<()> {
    let (code, expires_at) = code::give(hub, clinic.id, i64::from(hours) * HOUR_MS)?;
    let until = Timestamp::from_millisecond(expires_at)?;
    if as_json {
        let told = json!({
            "clinic": Uuid::from_bytes(clinic.id), "name": clinic.name,
            "code": code, "expires_at": until.to_string(), "fingerprint": own_fingerprint(hub),
        });
        return say(&format!("{told}\n"));
    }
    if !stdout().is_terminal() {
        return say(&format!("{code}\n"));
    }
    let picture = QrCode::new(code.as_bytes())?
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .build();
    say(&format!(
        "{picture}\n\n  code             {code}   (one use, until {until})\n  hub fingerprint  {}\n\nOn the box: carepost enroll --data DIR --hub URL --code {code}\n",
        own_fingerprint(hub),
    ))
}

fn own_fingerprint(hub: &Hub) -> String {
    fingerprint(&hub.keys.sign.verifying_key(), &hub.keys.seal.sealing_key())
}

fn list(hub: &Hub, as_json: bool) -> anyhow::Result<()> {
    let clinics = hub.store.survey(store::clinics)?;
    if as_json {
        let told: Vec<_> = clinics
            .iter()
            .map(|it| {
                json!({ "clinic": Uuid::from_bytes(it.id), "name": it.name, "joined": it.boxes > 0 })
            })
            .collect();
        return say(&format!("{}\n", serde_json::Value::from(told)));
    }
    let line = |it: &Overview| {
        let joined = if it.boxes > 0 { "joined" } else { "no box" };
        format!("{}  {joined}  {}\n", Uuid::from_bytes(it.id), it.name)
    };
    say(&clinics.iter().map(line).collect::<String>())
}

fn revoke(hub: &Hub, clinic: &Clinic, as_json: bool) -> anyhow::Result<()> {
    let now_ms = hub.clock.now_ms();
    if !hub.store.write(clinic.id, |tx| store::revoke(tx, clinic.id, now_ms))? {
        bail!("no box has joined for this clinic; there is nothing to shut out");
    }
    if as_json {
        return say(&format!(
            "{}\n",
            json!({ "clinic": Uuid::from_bytes(clinic.id), "revoked": true })
        ));
    }
    say("The box is shut out. For another one: carepost-hub clinic code NAME\n")
}
