//! `carepost demo`: a clinic with made-up records, served until Ctrl-C.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;

use super::serve::on_runtime;
use super::terminal::say;
use super::{LogFormat, begin_log, settings};
use crate::app::{App, open_db};
use crate::clock::Clock;
use crate::config::Flag;
use crate::connections::Stopping;
use crate::demo::{self, Guest, Pairing};
use crate::{founding, place, serve};

/// The made-up records are the same each time.
const SEED: u64 = 1;

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Where it is served.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The folder of the clinic; one that is there already is served as it is. Without it the
    /// clinic is thrown away at the end.
    #[arg(long, env = "CAREPOST_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Days after today that have bookings.
    #[arg(long, value_name = "N", default_value_t = demo::FUTURE_DAYS)]
    days: i64,
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
        let config = settings(&data, None, log_format, vec![flag])?;
        begin_log(config.log.json, config.log.level);
        let clock = Clock::System;
        let (db, guest, pairing) = if place::database(&data).exists() {
            let db = open_db(&data)?;
            let (guest, pairing) = demo::again(&db, clock.now())?;
            (db, guest, pairing)
        } else {
            say("Making a clinic with made-up records; this takes some seconds.\n")?;
            let db = founding::prepare(&data, clock.now())?;
            let made = demo::furnish(&db, clock.now(), SEED, days)?;
            say(&format!("{} patients, {} appointments\n", made.patients, made.appointments))?;
            (db, made.guest, made.pairing)
        };
        let app = App::with_db(&data, config, clock, db)?;
        on_runtime(async {
            let stopping = Stopping::default();
            serve::stop_on_signals(&stopping)?;
            let opened = serve::open(app.clone()).await?;
            say(&invitation(&app, opened.plain, guest.as_ref(), &pairing, &data))?;
            opened.serve(stopping).await;
            Ok(())
        })?;
        drop(thrown_away);
        Ok(())
    }
}

fn invitation(
    app: &App,
    at: SocketAddr,
    guest: Option<&Guest>,
    pairing: &Pairing,
    data: &Path,
) -> String {
    let mut text = format!(
        "\n{} is open. All of it is made up.\n\n  desk    http://{at}/desk\n  kiosk   http://{at}/kiosk?pair={}\n  board   http://{at}/board?pair={}\n  API     http://{at}/api/v1/prm/openapi.json\n  data    {}\n\nStaff, each with the password {}:\n",
        app.clinic.name,
        pairing.kiosk,
        pairing.board,
        data.display(),
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
