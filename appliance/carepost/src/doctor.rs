//! `carepost doctor`: checks everything an installer would, and says how to mend it.

mod email;
mod hub;
mod relay;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use prm::audit::{self, Verdict};
use prm::db::Db;
use prm::stamp::Stamp;
use serde::Serialize;

use crate::app::open_db;
use crate::config::Config;
use crate::health::{DISK_FREE_MIN, free_bytes};
use crate::tls::Authority;
use crate::{http, last_backup, media, place};

/// The program was not made before this: a clock that says so is wrong.
const EARLIEST: &str = "2026-01-01T00:00:00Z";
/// How far the clock may be behind the newest line of the audit.
const CLOCK_BEHIND_MAX: SignedDuration = SignedDuration::from_mins(5);
/// With fewer days of the certificate authority left it is time to think of a new one.
const AUTHORITY_DAYS_MIN: i64 = 180;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Good,
    /// It works, but should be looked at.
    Warning,
    /// It does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How it is.
    pub state: State,
    /// What was found, and how to mend it.
    pub detail: String,
}

fn good(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding { what, state: State::Good, detail: detail.into() }
}

fn warning(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding { what, state: State::Warning, detail: detail.into() }
}

fn bad(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding { what, state: State::Bad, detail: detail.into() }
}

/// Looks at everything in a data folder. The box may serve meanwhile.
pub fn examine(data: &Path, now: Timestamp) -> Vec<Finding> {
    let config = Config::load(data, None, std::env::vars_os(), &[]);
    let for_records = config.as_ref().map_or(0, |config| config.media.free_bytes);
    let mut found = vec![folder(data), disk(data, for_records)];
    let warn_after = match &config {
        Ok(config) => {
            found.push(good("settings", "understood"));
            Some(config.backup.warn_after_hours)
        }
        Err(error) => {
            found.push(bad("settings", error.to_string()));
            None
        }
    };
    match open_db(data) {
        Ok(db) => {
            found.push(integrity(&db));
            found.push(audit_chain(&db));
            found.push(clock(&db, now));
            found.push(pictures(&db, data));
            found.extend(hub::look(data, &db, now));
            if let Ok(config) = &config {
                found.extend(relay::look(data, &db, config, now));
                found.push(email::look(data, config));
            }
        }
        Err(error) => {
            found.push(bad("database", format!("{error:#}")));
            found.push(clock_alone(now));
        }
    }
    found.push(match place::load_qr_key(data) {
        Ok(_) => good("key of the QRs", "fits"),
        Err(error) => bad("key of the QRs", format!("{error:#}")),
    });
    found.push(authority(data, now));
    found.push(backup(data, now, warn_after));
    found.push(if http::screens::are_built() {
        good("screens", "in the program")
    } else {
        bad("screens", "this program was built without its screens; build it with `cargo xtask demo`, or install a released one")
    });
    found
}

/// Where the doctor knocks at others.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the system gives no threads")
}

/// The findings for people.
pub fn text(found: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { what, state, detail } in found {
        let mark = match state {
            State::Good => "good",
            State::Warning => "look",
            State::Bad => "BAD ",
        };
        // One line for each, though SQLite tells of a damaged file in several.
        let detail: Vec<&str> = detail.split_whitespace().collect();
        text.push_str(&format!("{mark}  {what}: {}\n", detail.join(" ")));
    }
    text
}

/// The findings for programs.
///
/// # Errors
/// If they cannot be written as JSON.
pub fn json(found: &[Finding]) -> anyhow::Result<String> {
    let healthy = found.iter().all(|finding| finding.state != State::Bad);
    let document = serde_json::json!({ "healthy": healthy, "findings": found });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn folder(data: &Path) -> Finding {
    const WHAT: &str = "data folder";
    match std::fs::metadata(data) {
        Err(error) => {
            bad(WHAT, format!("{}: {error}; make a box with `carepost init`", data.display()))
        }
        Ok(found) if found.permissions().mode() & 0o077 != 0 => warning(
            WHAT,
            format!("others can look into it; make it private with `chmod 700 {}`", data.display()),
        ),
        Ok(_) => good(WHAT, format!("{}, private", data.display())),
    }
}

/// `for_records` are the bytes that pictures and sounds leave free.
fn disk(data: &Path, for_records: u64) -> Finding {
    const WHAT: &str = "disk";
    match free_bytes(data) {
        Err(error) => bad(WHAT, format!("does not answer: {error}")),
        Ok(free) => {
            let mib = free / (1 << 20);
            if free < DISK_FREE_MIN {
                bad(WHAT, format!("only {mib} MiB are free; make room, or writes will be refused"))
            } else if free < for_records {
                let why = "pictures, sounds and recordings are no longer taken in";
                warning(WHAT, format!("only {mib} MiB are free; make room: {why}"))
            } else if free < 8 * DISK_FREE_MIN {
                warning(WHAT, format!("only {mib} MiB are free; make room soon"))
            } else {
                good(WHAT, format!("{mib} MiB are free"))
            }
        }
    }
}

fn integrity(db: &Db) -> Finding {
    const WHAT: &str = "database";
    match db.integrity() {
        Ok(wrong) => match wrong.first() {
            None => good(WHAT, "whole"),
            Some(first) => {
                bad(WHAT, format!("damaged ({first}); restore a backup with `carepost restore`"))
            }
        },
        Err(error) => bad(WHAT, format!("cannot be checked: {error}")),
    }
}

fn audit_chain(db: &Db) -> Finding {
    const WHAT: &str = "audit";
    match db.read_at_length(|read| audit::verify(read, db.keys())) {
        Ok(Verdict::Whole { lines }) => good(WHAT, format!("whole, {lines} lines")),
        Ok(Verdict::Broken { sequence, what }) => bad(
            WHAT,
            format!(
                "broken at line {sequence}: {what}; keep the folder as it is and compare with a backup"
            ),
        ),
        Err(error) => bad(WHAT, format!("cannot be checked: {error}")),
    }
}

fn pictures(db: &Db, data: &Path) -> Finding {
    const WHAT: &str = "pictures and sounds";
    match media::files(db, data) {
        Ok((files, 0)) => good(WHAT, format!("{}, all there", files.len())),
        Ok((_, missing)) => bad(
            WHAT,
            format!(
                "{missing} files are missing from {}; put them back from a backup",
                place::MEDIA
            ),
        ),
        Err(error) => bad(WHAT, format!("cannot be looked up: {error}")),
    }
}

fn clock(db: &Db, now: Timestamp) -> Finding {
    let stamp = Stamp::of_box(now);
    let newest = db.read_blocking(|read| audit::list(read, &stamp, &audit::Filter::default(), 1));
    match newest.ok().and_then(|lines| lines.into_iter().next()) {
        Some(line) if line.at.duration_since(now) > CLOCK_BEHIND_MAX => bad(
            "clock",
            format!("it says {now}, but records were written at {}; set the clock", line.at),
        ),
        Some(_) | None => clock_alone(now),
    }
}

fn clock_alone(now: Timestamp) -> Finding {
    let impossible = EARLIEST.parse::<Timestamp>().is_ok_and(|earliest| now < earliest);
    if impossible {
        bad("clock", format!("it says {now}, before this program was made; set the clock"))
    } else {
        good("clock", now.to_string())
    }
}

fn authority(data: &Path, now: Timestamp) -> Finding {
    const WHAT: &str = "certificate authority";
    match Authority::open(data) {
        Err(error) => bad(WHAT, error.to_string()),
        Ok(authority) => {
            let days = authority.not_after().duration_since(now).as_hours() / 24;
            let words = authority.fingerprint().words().join(" ");
            if days < AUTHORITY_DAYS_MIN {
                warning(WHAT, format!("{days} days left; tablets will have to trust a new one"))
            } else {
                let name = authority.names().first().cloned().unwrap_or_default();
                good(WHAT, format!("{name}, {days} days left; its six words: {words}"))
            }
        }
    }
}

fn backup(data: &Path, now: Timestamp, warn_after: Option<u32>) -> Finding {
    const WHAT: &str = "backup";
    match last_backup::age_hours(data, now) {
        None => {
            warning(WHAT, "none was made; make one with `carepost backup`, and keep it elsewhere")
        }
        Some(hours) if warn_after.is_some_and(|most| hours >= i64::from(most)) => warning(
            WHAT,
            format!("the last one is {hours} hours old; make one with `carepost backup`"),
        ),
        Some(hours) => good(WHAT, format!("the last one is {hours} hours old")),
    }
}
