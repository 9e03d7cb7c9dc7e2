//! The command line: what it takes, and how each command ends (0 done, 1 failed, 2 wrong usage).

mod backup;
mod channel;
mod demo;
mod export;
mod import;
mod progress;
mod replace;
mod serve;
mod staff;
mod sync;
mod terminal;
mod token;
mod usage;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use prm::audit::{self, Verdict};
use prm::clinic::Founding;
use prm::stamp::Stamp;
use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

use self::terminal::say;
use crate::app::open_db;
use crate::clock::Clock;
use crate::config::{Config, Flag};
use crate::{doctor, founding, http};

/// The box of a clinic: bookings, check-in and queue on one machine, without internet.
#[derive(Debug, Parser)]
#[command(name = "carepost", version, arg_required_else_help = true)]
struct Cli {
    /// Log lines for people (text) or for programs (json), on stderr.
    #[arg(long, global = true, value_enum)]
    log_format: Option<LogFormat>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a box in an empty folder: keys, database, the first administrator.
    Init(Init),
    /// Serves until it is stopped (Ctrl-C or SIGTERM).
    Serve(serve::Serve),
    /// Makes a clinic with made-up records and serves it.
    Demo(demo::Demo),
    /// Staff: who may sign in.
    #[command(subcommand)]
    User(staff::User),
    /// Bearer tokens for programs.
    #[command(subcommand)]
    Token(token::Token),
    /// The accounts at providers whose webhooks this box takes itself; behind a hub it needs none.
    #[command(subcommand)]
    Channel(channel::Channel),
    /// Writes a backup that the stock `age` opens; the box may serve meanwhile.
    Backup(backup::Backup),
    /// Unpacks a backup into an empty folder.
    Restore(backup::Restore),
    /// Reads a whole backup and checks it; writes nothing.
    Verify(backup::Verify),
    /// Takes FHIR R4 from files: resources, Bundles, NDJSON; the box may serve meanwhile.
    Import(import::Import),
    /// Writes everything as FHIR R4 in NDJSON; the box may serve meanwhile.
    Export(export::Export),
    /// Joins a hub: the box tells it every change, sealed, whenever the line is there.
    Enroll(sync::Enroll),
    /// What the hub holds, and telling it now.
    #[command(subcommand)]
    Sync(sync::Sync),
    /// Checks the box and says how to mend it.
    Doctor(Doctor),
    /// The audit.
    #[command(subcommand)]
    Audit(Audit),
    /// The settings.
    #[command(subcommand)]
    Config(Settings),
    /// Prints the OpenAPI document of the API.
    Openapi,
    /// Prints completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Which box.
#[derive(Clone, Debug, Args)]
struct Place {
    /// The box's data folder.
    #[arg(long, env = "CAREPOST_DATA", value_name = "DIR")]
    data: PathBuf,
}

#[derive(Debug, Args)]
struct Init {
    #[command(flatten)]
    place: Place,
    /// The clinic's name, as patients know it.
    #[arg(long)]
    name: String,
    /// Its time zone, for example Asia/Kolkata.
    #[arg(long, value_name = "IANA", value_parser = usage::timezone)]
    timezone: String,
    /// Its country, two letters, for telephone numbers without a country code.
    #[arg(long, default_value = "IN")]
    country: String,
}

#[derive(Debug, Args)]
struct Doctor {
    #[command(flatten)]
    place: Place,
    /// For programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Audit {
    /// Finds any altered, removed or inserted line.
    Verify(Place),
}

#[derive(Debug, Subcommand)]
enum Settings {
    /// Prints every setting, its value and where that comes from.
    Show {
        #[command(flatten)]
        place: Place,
        /// The settings' file, instead of carepost.toml in the data folder.
        #[arg(long, env = "CAREPOST_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

/// Runs the command of this process.
pub fn run() -> ExitCode {
    let Cli { log_format, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::answer(&error),
    };
    match dispatch(command, log_format) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(&with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes in one line; a cause that is told already is not told again.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let words = cause.to_string();
        let words: Vec<&str> = words.split_whitespace().collect();
        let said = words.join(" ");
        if text.is_empty() {
            text = said;
        } else if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
    }
    text
}

fn dispatch(command: Command, log_format: Option<LogFormat>) -> anyhow::Result<()> {
    let clock = Clock::System;
    match command {
        Command::Serve(serve) => return serve.run(log_format),
        Command::Demo(demo) => return demo.run(log_format),
        Command::Openapi => {
            return say(&(http::openapi::document().to_pretty_json()? + "\n"));
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "carepost", &mut script);
            return say(&String::from_utf8_lossy(&script));
        }
        Command::Init(_)
        | Command::User(_)
        | Command::Token(_)
        | Command::Channel(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Verify(_)
        | Command::Import(_)
        | Command::Export(_)
        | Command::Enroll(_)
        | Command::Sync(_)
        | Command::Doctor(_)
        | Command::Audit(_)
        | Command::Config(_) => {}
    }
    // Short commands say on stdout what they did; only what is wrong is logged.
    begin_log(matches!(log_format, Some(LogFormat::Json)), tracing::Level::WARN);
    match command {
        Command::Init(init) => init.run(&clock),
        Command::User(user) => user.run(&clock),
        Command::Token(token) => token.run(&clock),
        Command::Channel(channel) => channel.run(&clock),
        Command::Backup(backup) => backup.run(&clock),
        Command::Restore(restore) => restore.run(&clock),
        Command::Verify(verify) => verify.run(),
        Command::Import(import) => import.run(&clock),
        Command::Export(export) => export.run(&clock),
        Command::Enroll(enroll) => enroll.run(&clock),
        Command::Sync(sync) => sync.run(&clock),
        Command::Doctor(Doctor { place, json }) => doctor_says(&place.data, json, &clock),
        Command::Audit(Audit::Verify(place)) => verify_audit(&place.data),
        Command::Config(Settings::Show { place, config }) => {
            show_settings(&place.data, config.as_deref())
        }
        Command::Serve(_) | Command::Demo(_) | Command::Openapi | Command::Completions { .. } => {
            Ok(())
        }
    }
}

impl Init {
    fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let Self { place, name, timezone, country } = self;
        let founding = Founding { name, timezone, country, demo: false };
        let (clinic, password) = found(&place.data, founding, clock)?;
        let words = crate::tls::Authority::open(&place.data)?.fingerprint().words().join(" ");
        say(&format!(
            "{} is ready in {}.\n\n  user name  admin\n  password   {}   (shown this once)\n  the box's six words  {words}\n\nServe it with: carepost serve --data {}\n",
            clinic.name,
            place.data.display(),
            password.as_str(),
            place.data.display(),
        ))
    }
}

/// Founds a clinic in a data folder where there is none; answers it with its first administrator's password.
fn found(
    data: &Path,
    founding: Founding,
    clock: &Clock,
) -> anyhow::Result<(prm::clinic::Clinic, Zeroizing<String>)> {
    let now = clock.now();
    let db = founding::prepare(data, now)?;
    let password = prm::staff::made_up_password()?;
    let hash = prm::staff::hash_password(&password)?;
    let founded = db.write_blocking(move |tx| {
        let stamp = Stamp::of_box(now);
        let clinic = prm::clinic::found(tx, &stamp, founding)?;
        let admin = prm::staff::Addition {
            username: "admin".into(),
            name: "Administrator".into(),
            role: prm::stamp::Role::Admin,
            practitioner: None,
            password: hash,
        };
        prm::staff::add(tx, &stamp, admin)?;
        Ok(clinic)
    });
    db.close();
    let clinic = founded.inspect_err(|_| {
        // A box without a clinic is none; everything in it was made a moment ago.
        take_away(data);
    })?;
    Ok((clinic, password))
}

/// Removes the keys and the database that this very command has made in a data folder.
fn take_away(data: &Path) {
    let _ = std::fs::remove_dir_all(crate::place::keys(data));
    for ending in ["", "-wal", "-shm"] {
        let database = crate::place::database(data);
        let _ = std::fs::remove_file(format!("{}{ending}", database.display()));
    }
}

fn doctor_says(data: &Path, json: bool, clock: &Clock) -> anyhow::Result<()> {
    let found = doctor::examine(data, clock.now());
    say(&if json { doctor::json(&found)? } else { doctor::text(&found) })?;
    if found.iter().any(|finding| finding.state == doctor::State::Bad) {
        bail!("something needs mending; what to do stands above");
    }
    Ok(())
}

fn verify_audit(data: &Path) -> anyhow::Result<()> {
    let db = open_db(data)?;
    match db.read_at_length(|read| audit::verify(read, db.keys()))? {
        Verdict::Whole { lines } => say(&format!("the audit is whole: {lines} lines\n")),
        Verdict::Broken { sequence, what } => {
            bail!(
                "the audit is broken at line {sequence}: {what}; keep the folder as it is and compare with a backup"
            )
        }
    }
}

fn show_settings(data: &Path, file: Option<&Path>) -> anyhow::Result<()> {
    let config = Config::load(data, file, std::env::vars_os(), &[])?;
    let mut text = String::new();
    for (setting, value, origin) in config.shown() {
        let value = if value.is_empty() { "none" } else { &value };
        text.push_str(&format!("{} = {value}    # {origin}: {}\n", setting.key, setting.doc));
    }
    say(&text)
}

/// The settings of a box, with the flags of the command line on top.
fn settings(
    data: &Path,
    file: Option<&Path>,
    log_format: Option<LogFormat>,
    mut flags: Vec<Flag>,
) -> anyhow::Result<Config> {
    if let Some(format) = log_format {
        let value = match format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        };
        flags.push(Flag { name: "--log-format", key: "log.format", value: value.to_owned() });
    }
    Ok(Config::load(data, file, std::env::vars_os(), &flags)?)
}

/// Begins to log to stderr. Libraries log less, because some tell what passes through them.
fn begin_log(json: bool, level: tracing::Level) {
    let filter = EnvFilter::new(format!("warn,carepost={level},prm={level}"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second log in one process is none of ours.
    let _ = if json { lines.json().try_init() } else { lines.with_target(false).try_init() };
}
