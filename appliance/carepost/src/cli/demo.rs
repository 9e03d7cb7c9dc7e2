//! `carepost demo`: a clinic with made-up records, served until Ctrl-C.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::Timestamp;
use prm::db::Db;

use super::serve::on_runtime;
use super::terminal::say;
use super::{LogFormat, begin_log, settings, take_away, usage};
use crate::app::{App, open_db};
use crate::clock::Clock;
use crate::config::Flag;
use crate::connections::Stopping;
use crate::demo::phones::{Account, Phones};
use crate::demo::{self, Broker, Guest, Hub, Line, Pairing};
use crate::{founding, place, serve};

/// The made-up records are the same each time.
const SEED: u64 = 1;
/// The folder of the broker, in the demonstration's.
const BROKER: &str = "broker";

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Where it is served.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = usage::address)]
    listen: SocketAddr,
    /// The folder of the clinic; one that is there already is served as it is. Without it the
    /// clinic is thrown away at the end.
    #[arg(long, env = "CAREPOST_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Days after today that have bookings.
    #[arg(long, value_name = "N", default_value_t = demo::FUTURE_DAYS,
          value_parser = clap::value_parser!(i64).range(0..=demo::FUTURE_DAYS_MAX))]
    days: i64,
}

/// A clinic that can be served.
struct Made {
    db: Db,
    guest: Option<Guest>,
    pairing: Pairing,
}

impl Demo {
    pub(super) fn run(self, log_format: Option<LogFormat>) -> anyhow::Result<()> {
        let Self { listen, data, days } = self;
        let (data, thrown_away) = match data {
            Some(data) => (data, None),
            None => {
                let folder = tempfile::Builder::new().prefix("carepost-demo-").tempdir()?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        let flag = Flag { name: "--listen", key: "http.listen", value: listen.to_string() };
        let mut flags = vec![flag];
        let config = settings(&data, None, log_format, flags.clone())?;
        begin_log(config.log.json, config.log.level);
        on_runtime(async {
            let stopping = Stopping::default();
            serve::stop_on_signals(&stopping)?;
            let clock = Clock::System;
            let Made { db, guest, pairing } = if place::database(&data).exists() {
                let db = open_db(&data)?;
                let (guest, pairing) = demo::again(&db, clock.now())?;
                Made { db, guest, pairing }
            } else {
                serve::can_be_had("--listen", listen).await?;
                say("Making a clinic with made-up records; this takes some seconds.\n")?;
                make(&data, clock.now(), days, &stopping).await?
            };
            let line = Line::default();
            let broker = Broker::start(&data.join(BROKER), None).await?;
            let phones = Phones::open(Account::random()?).await?;
            if let Some(broker) = &broker {
                let value = format!("mqtt://{}", line.lay(broker.address).await?);
                flags.push(Flag { name: "the demonstration", key: "relay.broker", value });
            }
            let config = settings(&data, None, log_format, flags)?;
            let app = App::with_db(&data, config, clock, db)?;
            let messages = broker.as_ref().map(|broker| (broker, phones.as_ref()));
            let hub = Hub::start((&data, &app.db), &line, messages, app.now()).await?;
            if hub.is_some() {
                // Nothing else sets these.
                let _ = app.line.set(line);
                if broker.is_some() {
                    let _ = app.phones.set(phones);
                }
            }
            let opened = serve::open(app.clone()).await?;
            say(&invitation(&app, opened.plain, guest.as_ref(), &pairing, hub.as_ref()))?;
            opened.serve(stopping).await;
            Ok(())
        })?;
        drop(thrown_away);
        Ok(())
    }
}

/// Makes the clinic in a folder. When it is stopped or fails meanwhile, what it has made is
/// removed again: the folder if it was not there before, otherwise what it put there.
async fn make(data: &Path, now: Timestamp, days: i64, stopping: &Stopping) -> anyhow::Result<Made> {
    let was_there = data.exists();
    let db = founding::prepare(data, now)?;
    let in_making = db.clone();
    let mut making =
        tokio::task::spawn_blocking(move || demo::furnish(&in_making, now, SEED, days));
    let made = tokio::select! {
        made = &mut making => made?,
        () = stopping.requested() => {
            // Its next write is refused, and so it ends.
            db.close();
            making.await?
        }
    };
    match made {
        Ok(made) => {
            say(&format!("{} patients, {} appointments\n", made.patients, made.appointments))?;
            Ok(Made { db, guest: made.guest, pairing: made.pairing })
        }
        Err(error) => {
            db.close();
            drop(db);
            if was_there {
                take_away(data);
            } else {
                fs::remove_dir_all(data).with_context(|| {
                    format!("the half-made clinic in {} cannot be removed", data.display())
                })?;
            }
            if stopping.is_stopping() {
                bail!("stopped; the half-made clinic in {} was removed", data.display());
            }
            Err(error).context("the demonstration could not be made; what there was is removed")
        }
    }
}

fn invitation(
    app: &App,
    at: SocketAddr,
    guest: Option<&Guest>,
    pairing: &Pairing,
    hub: Option<&Hub>,
) -> String {
    let mut text = format!(
        "\n{} is open. All of it is made up.\n\n  desk    http://{at}/desk\n  kiosk   http://{at}/kiosk?pair={}\n  board   http://{at}/board?pair={}\n  API     http://{at}/api/v1/prm/openapi.json\n  data    {}\n{}\nStaff, each with the password {}:\n",
        app.clinic.name,
        pairing.kiosk,
        pairing.board,
        app.data.display(),
        [told(hub), reached(app, at, hub)].concat(),
        demo::PASSWORD,
    );
    for person in demo::STAFF {
        text.push_str(&format!(
            "  {:<12}{:<14}{}\n",
            person.username,
            person.role.as_str(),
            person.name
        ));
    }
    if let Some(guest) = guest {
        let qr = app.signing.sign(app.clinic.short_id(), *guest.appointment.as_bytes(), guest.end);
        text.push_str(&format!(
            "\nAt the kiosk you may be {}, who is expected at {}:\n  phone {}, born {}\n  QR    {qr}\n",
            guest.name,
            app.local(guest.start),
            guest.phone,
            guest.birth_year,
        ));
    }
    text.push_str("\nCtrl-C ends it.\n");
    text
}

/// Where the hub is, and how to look at what it holds.
fn told(hub: Option<&Hub>) -> String {
    match hub {
        Some(Hub { address, data, .. }) => format!(
            "  hub     http://{address}   (the desk has a switch that cuts the line to it)\n          carepost-hub clinic status \"{}\" --data {}\n",
            demo::CLINIC,
            data.display(),
        ),
        None => {
            "  hub     none: the program carepost-hub does not lie beside this one\n".to_owned()
        }
    }
}

/// Where to write to the clinic as a patient.
fn reached(app: &App, at: SocketAddr, hub: Option<&Hub>) -> String {
    if app.phones.get().is_some() {
        format!("  phone   http://{at}/phone   (write to the clinic as a patient)\n")
    } else if hub.is_some() {
        "  phone   none: this machine has no broker; install mosquitto for it\n".to_owned()
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::Cli;
    use super::*;

    async fn stopped_while_making(data: &Path) -> String {
        let stopping = Stopping::default();
        stopping.stop();
        let made =
            make(data, "2026-11-23T11:00:00+05:30".parse().unwrap(), demo::FUTURE_DAYS, &stopping)
                .await;
        made.err().expect("a stop is no success").to_string()
    }

    #[tokio::test]
    async fn a_stop_while_the_clinic_is_made_leaves_nothing_that_was_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("new");
        let said = stopped_while_making(&new).await;
        assert!(said.contains("was removed"), "{said}");
        assert!(!new.exists());

        let there = folder.path().join("there");
        fs::create_dir(&there).unwrap();
        fs::write(there.join("carepost.toml"), "").unwrap();
        stopped_while_making(&there).await;
        let left: Vec<_> =
            fs::read_dir(&there).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["carepost.toml"]);
    }

    #[test]
    fn days_beyond_the_diary_are_wrong_usage() {
        let asked = |days: &str| Cli::try_parse_from(["carepost", "demo", "--days", days]);
        assert!(asked("45").is_ok());
        for days in ["46", "-1", "soon"] {
            assert_eq!(asked(days).unwrap_err().exit_code(), 2, "{days}");
        }
    }
}
