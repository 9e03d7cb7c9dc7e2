//! `carepost enroll` and `carepost sync`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use prm::db::Db;
use prm::stamp::Stamp;
use prm::{clinic, hub};
use serde::Serialize;
use sync_agent::condition::{Said, megabytes, said};
use sync_agent::enrol::{self, Joining};
use sync_agent::status::{Joined, Status, status};
use sync_agent::{OnHeld, Turn, check_address};

use super::Place;
use super::serve::on_runtime;
use super::terminal::say;
use crate::app::open_db;
use crate::clock::Clock;
use crate::{place, sync};

/// Exchanges of one `sync now`: a million records and more.
const ROUNDS_MAX: u32 = 100_000;

#[derive(Debug, Args)]
pub(super) struct Enroll {
    #[command(flatten)]
    place: Place,
    /// Where the hub is, for example https://hub.example; http only on this very machine.
    #[arg(long, value_name = "URL", value_parser = address, required_unless_present = "replace")]
    hub: Option<String>,
    /// The code that `carepost-hub clinic add` or `clinic code` printed; it is good once.
    #[arg(long, required_unless_present = "replace")]
    code: Option<String>,
    /// Joins only a hub with this fingerprint; without it compare the one that is printed.
    #[arg(long, value_name = "XXXX-XXXX-XXXX-XXXX")]
    fingerprint: Option<String>,
    /// Takes the place of the clinic's box that broke or was lost: everything that the hub holds comes back
    /// first. In a folder without a box, a new one is made; in one that was restored from a backup, what is
    /// newer at the hub comes. Said again without hub and code, it goes on where it failed.
    #[arg(long)]
    replace: bool,
    /// Lets the hub forget what it holds and this box does not have, instead of taking it back first.
    #[arg(long, conflicts_with = "replace")]
    forget_held: bool,
    #[command(flatten)]
    replacing: Replacing,
}

/// How a box takes another's place.
#[derive(Debug, Args)]
pub(super) struct Replacing {
    /// Goes on without what could not be taken. The hub forgets it then.
    #[arg(long, requires = "replace")]
    pub(super) leave_out_refused: bool,
    /// Writes what could not be taken, and why, to a file: one JSON object to a line.
    #[arg(long, value_name = "FILE", requires = "replace")]
    pub(super) report: Option<PathBuf>,
}

/// The hub that is to be joined.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) hub: String,
    pub(super) code: String,
    pub(super) fingerprint: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Sync {
    /// Says what the hub holds, what waits and since when, and what went wrong.
    Status(Asked),
    /// Tells the hub everything that waits, now, whatever `sync.budget_megabytes_per_day` says; asks it
    /// again if it had stopped the box.
    Now(Asked),
}

#[derive(Debug, Args)]
pub(super) struct Asked {
    #[command(flatten)]
    place: Place,
    /// For programs.
    #[arg(long)]
    json: bool,
}

fn address(text: &str) -> Result<String, String> {
    check_address(text).map_err(|error| error.to_string())
}

impl Enroll {
    pub(super) fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let Self { place: Place { data }, hub, code, fingerprint, replace, forget_held, replacing } =
            self;
        let wanted = hub.zip(code).map(|(hub, code)| Wanted { hub, code, fingerprint });
        if replace {
            return super::replace::run(&data, wanted, &replacing, clock);
        }
        let wanted = wanted.context("say --hub and --code")?;
        let db = open_db(&data)?;
        let on_held = if forget_held { OnHeld::Forget } else { OnHeld::Refuse };
        let joined = wanted.join(&data, &db, (clock, on_held));
        db.close();
        let joined = joined?;
        say(&format!(
            "{} has joined {}.\n\n  the hub's fingerprint  {}\n  the box's fingerprint  {}\n\nCompare both with `carepost-hub clinic status` before you go. A box that serves begins to tell the hub within a minute.\n",
            joined.clinic_name, wanted.hub, joined.hub, joined.own,
        ))
    }
}

impl Wanted {
    /// Joins the hub.
    pub(super) fn join(
        &self,
        data: &Path,
        db: &Db,
        (clock, on_held): (&Clock, OnHeld),
    ) -> anyhow::Result<enrol::Joined> {
        on_runtime(async {
            let keys = place::keys(data);
            let Self { hub: url, code, fingerprint } = self;
            let fingerprint = fingerprint.as_deref();
            let joining = Joining { url, code, fingerprint, data, keys: &keys, on_held };
            Ok(enrol::enrol(db, joining, clock.now()).await?)
        })
    }
}

impl Sync {
    pub(super) fn run(self, clock: &Clock) -> anyhow::Result<()> {
        match self {
            Self::Status(Asked { place, json }) => {
                let db = open_db(&place.data)?;
                let found = read(&db, clock.now());
                db.close();
                shown(&found?, json)
            }
            Self::Now(Asked { place, json }) => {
                let db = open_db(&place.data)?;
                let mut agent = sync::agent(&place.data, db.clone());
                let told = on_runtime(async {
                    let stamp = Stamp::of_box(clock.now());
                    db.write(move |tx| hub::ask_again(tx, &stamp)).await?;
                    for _ in 0..ROUNDS_MAX {
                        match agent.round(clock.now()).await? {
                            Turn::Told { more: true, pause_ms: _ } => {}
                            Turn::Told { more: false, pause_ms: _ } | Turn::Idle | Turn::Held => {
                                return Ok(());
                            }
                            // What it stopped for stands in the status.
                            Turn::Stopped(_) | Turn::Replacing => return Ok(()),
                            Turn::Alone => {
                                bail!("this box has joined no hub; join one with `carepost enroll`")
                            }
                        }
                    }
                    bail!("there is more to tell than can be told at once; run it again")
                });
                drop(agent);
                let found = read(&db, clock.now());
                db.close();
                told?;
                let found = found?;
                shown(&found, json)?;
                match &found.status.stop {
                    Some(stop) => {
                        bail!("nothing is told to the hub ({}): {}", stop.code, stop.advice)
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

/// How the sync stands, and what is said of it.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    status: Status,
    #[serde(flatten)]
    said: Said,
}

fn read(db: &Db, now: Timestamp) -> prm::error::Result<Shown> {
    let stamp = Stamp::of_box(now);
    db.read_blocking(|read| {
        let status = status(read, &stamp)?;
        let zone = clinic::get(read)?.zone;
        Ok(Shown { said: said(&status, now, |at| sync::on_the_wall(&zone, at)), status })
    })
}

fn shown(found: &Shown, json: bool) -> anyhow::Result<()> {
    if json {
        return say(&(serde_json::to_string_pretty(found)? + "\n"));
    }
    let Shown { status, said } = found;
    let mut text = format!("{}\n", said.says);
    if let Some(Joined { url, clinic_name, fingerprint, generation, .. }) = &status.hub {
        text.push_str(&format!("hub: {url}, as {clinic_name}; its fingerprint: {fingerprint}\n"));
        if let Some(generation) = generation {
            text.push_str(&format!("life of this box, as the hub counts: {generation}\n"));
        }
        text.push_str(&format!("held: {} of {} changes\n", status.through, status.last));
    }
    if status.hub.is_some() {
        let spent = megabytes(status.spent_bytes);
        text.push_str(&match status.budget_bytes {
            Some(most) => format!("the line today: {spent} MB of {} MB\n", megabytes(most)),
            None => format!("the line today: {spent} MB, without a budget\n"),
        });
    }
    if status.parked > 0 {
        text.push_str(&format!("the hub could not take {}:\n", status.parked));
        for entry in &status.parked_entries {
            text.push_str(&format!(
                "  {} ({}, change {})\n",
                entry.key, entry.reason, entry.sequence
            ));
        }
    }
    if let Some(fault) = &status.fault {
        text.push_str(&format!("{} tries failed in a row: {fault}\n", status.failures));
    }
    say(&text)
}
