//! The command line: what it takes, and how each command ends (0 done, 1 failed, 2 wrong usage).

mod catalogue;
mod channel;
mod clinic;
mod database;
mod keys;
mod serve;
mod status;
mod token;

use std::convert::Infallible;
use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::Context as _;
use channels::relay::{Broker, Tls};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::clock::Clock;
use crate::hub::Hub;
use crate::place::KEYS;
use crate::relay::link::broker;
use crate::store::{Address, IfMissing};

/// The hub of many clinics: receives the sealed logs of their boxes.
#[derive(Debug, Parser)]
#[command(name = "carepost-hub", version, arg_required_else_help = true)]
struct Cli {
    /// Log lines for people (text) or for programs (json), on stderr.
    #[arg(long, global = true, value_enum, default_value = "text")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves until it is stopped (Ctrl-C or SIGTERM); plain HTTP, for a proxy that speaks TLS.
    Serve(serve::Serve),
    /// Clinics, and the codes with which their boxes join; the hub may serve meanwhile.
    #[command(subcommand)]
    Clinic(clinic::Verb),
    /// The hub's own keys.
    #[command(subcommand)]
    Keys(keys::Verb),
    /// The PostgreSQL database of hubs for many clinics.
    #[command(subcommand)]
    Database(database::Verb),
    /// Bearer tokens for programs that read a clinic's records; the hub may serve meanwhile.
    #[command(subcommand)]
    Token(token::Verb),
    /// Accounts of clinics at providers of messages (WhatsApp, a voice agent); the hub may serve meanwhile.
    #[command(subcommand)]
    Channel(channel::Verb),
    /// Prints completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Which hub.
#[derive(Clone, Debug, Args)]
struct Place {
    /// The hub's data folder.
    #[arg(long, env = "CAREPOST_HUB_DATA", value_name = "DIR")]
    data: PathBuf,
    /// The PostgreSQL database, as postgres://ROLE:PASSWORD@HOST/DATABASE; without it the database is
    /// SQLite in the data folder. The keys stay in the data folder. Others on this machine see what
    /// stands on a command line: a password is better in the variable.
    #[arg(long, env = "CAREPOST_HUB_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<Unread>,
}

/// The address of a database or a broker as it was given. It is read after the command line was: what is wrong
/// with a command line is repeated on stderr, and here a password is in it.
#[derive(Clone)]
struct Unread(String);

impl FromStr for Unread {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Unread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Unread")
    }
}

impl Unread {
    fn read(&self, option: &str) -> anyhow::Result<Address> {
        self.0.parse().with_context(|| format!("{option} is no address of a database"))
    }

    /// The broker, with the certificates that lie in the keys of this data folder.
    fn broker(&self, data: &Path) -> anyhow::Result<Broker> {
        let mut broker = broker(&self.0).context("--broker is no address of a broker")?;
        if let Some(tls) = &mut broker.tls {
            *tls = Tls::of_folder(&data.join(KEYS));
        }
        Ok(broker)
    }
}

impl Place {
    fn open(&self, missing: IfMissing) -> anyhow::Result<Hub> {
        match &self.database {
            Some(it) => {
                let address = it.read("--database")?;
                Hub::open_with(&self.data, &address, missing, Clock::System)
            }
            None => Hub::open(&self.data, missing, Clock::System),
        }
    }
}

/// Runs the command of this process.
pub fn run() -> ExitCode {
    let Cli { log_format, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong_usage(&error),
    };
    match dispatch(command, log_format) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&in_one_line(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command, log_format: LogFormat) -> anyhow::Result<()> {
    match command {
        Command::Serve(serve) => {
            begin_log(log_format, tracing::Level::INFO);
            serve.run()
        }
        Command::Clinic(verb) => {
            // Short commands say on stdout what they did; only what is wrong is logged.
            begin_log(log_format, tracing::Level::WARN);
            verb.run()
        }
        Command::Keys(verb) => {
            begin_log(log_format, tracing::Level::WARN);
            verb.run()
        }
        Command::Database(verb) => {
            begin_log(log_format, tracing::Level::WARN);
            verb.run()
        }
        Command::Token(verb) => {
            begin_log(log_format, tracing::Level::WARN);
            verb.run()
        }
        Command::Channel(verb) => {
            begin_log(log_format, tracing::Level::WARN);
            verb.run()
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "carepost-hub", &mut script);
            say(&String::from_utf8_lossy(&script))
        }
    }
}

/// Help and version end with 0, wrong usage with 2 and one line that says what to do.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    let is_help =
        !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_help {
        // When the terminal is closed there is nobody to tell.
        let _ = error.print();
    } else {
        let text = error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let said = text.split("Usage: ").next().unwrap_or(text);
        let said = said.split("For more information").next().unwrap_or(said);
        complain(&format!("{}; see `carepost-hub --help`", in_one_line(said)));
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Prints to stdout. Somebody who does not want to hear the end (`| head`) is no error.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("stdout cannot be written")
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints one line to stderr.
fn complain(line: &str) {
    // When stderr is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "carepost-hub: {line}");
}

/// Begins to log to stderr. Libraries log less, because some tell what passes through them.
fn begin_log(format: LogFormat, level: tracing::Level) {
    let filter = EnvFilter::new(format!("warn,sync_hub={level}"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A second log in one process is none of ours.
    let _ = match format {
        LogFormat::Json => lines.json().try_init(),
        LogFormat::Text => lines.with_target(false).try_init(),
    };
}
