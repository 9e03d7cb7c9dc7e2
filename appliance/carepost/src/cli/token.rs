//! `carepost token`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use prm::db::Tx;
use prm::id::TokenId;
use prm::stamp::{Role, Stamp};
use prm::token::{self, Proof};

use super::Place;
use super::terminal::say;
use super::usage;
use crate::app::open_db;
use crate::clock::Clock;
use crate::config::Config;
use crate::smart::key_set::{KEY_SET_BYTES_MAX, KeySet};
use crate::smart::published::check_address;

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Makes a token and prints it alone on stdout, this once; with --jwks registers a client and prints its id.
    Create(Create),
    /// Lists the tokens, without their secrets: id, role, state, end, name, kind, scopes.
    List(Place),
    /// Ends a token; of a client all that it was granted, too.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    place: Place,
    /// What it is for.
    #[arg(long)]
    name: String,
    /// admin, clerk, practitioner, kiosk, auditor, integrator or hub.
    #[arg(long, value_parser = usage::role)]
    role: Role,
    /// How long it is good, for example 90d; without it until it is revoked.
    #[arg(long, value_name = "SPAN", value_parser = usage::length_of_time)]
    expires: Option<SignedDuration>,
    /// Narrows it to these scopes of SMART, for example "system/Patient.rs system/Appointment.cruds"; it is
    /// then good under /fhir only.
    #[arg(long, value_name = "SCOPES", value_parser = usage::scopes)]
    scope: Option<String>,
    /// Makes no token, but registers a client of SMART Backend Services: the file or the https address of
    /// its public keys (JWKS).
    #[arg(long, value_name = "FILE|URL", requires = "scope")]
    jwks: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    place: Place,
    /// The token's id, as `carepost token list` shows it.
    #[arg(value_parser = usage::token_id)]
    id: TokenId,
}

impl Token {
    pub(super) fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let stamp = Stamp::of_box(clock.now());
        match self {
            Self::Create(create) => create.run(stamp),
            Self::List(place) => {
                let db = open_db(&place.data)?;
                let mut text = String::new();
                for token in db.read_blocking(|read| token::list(read, &stamp))? {
                    let ended = token.expires_at.is_some_and(|end| end <= stamp.now);
                    let state = match token.revoked_at {
                        Some(_) => "revoked",
                        None if ended => "expired",
                        None => "good",
                    };
                    let until = token.expires_at.map_or("-".to_owned(), |end| end.to_string());
                    let role = token.role.as_str();
                    let kind = match token.proof {
                        Proof::Bearer => "bearer",
                        Proof::Keys(_) | Proof::KeysAt(_) => "client",
                    };
                    let scopes = token.scopes.as_deref().unwrap_or("-");
                    text.push_str(&format!(
                        "{}\t{role}\t{state}\t{until}\t{}\t{kind}\t{scopes}\n",
                        token.id, token.name
                    ));
                }
                say(&text)
            }
            Self::Revoke(Revoke { place, id }) => {
                let db = open_db(&place.data)?;
                let token = db.write_blocking(move |tx| token::revoke(tx, &stamp, id))?;
                say(&format!("{}\n", token.id))
            }
        }
    }
}

impl Create {
    fn run(self, stamp: Stamp) -> anyhow::Result<()> {
        let Self { place, name, role, expires, scope, jwks } = self;
        let expires_at = expires.map(|long| after(stamp.now, long)).transpose()?;
        let keys = jwks.map(|said| proof(&place.data, said)).transpose()?;
        let db = open_db(&place.data)?;
        let request = token::Request { name, role, expires_at };
        let secret = match (scope, keys) {
            (Some(scopes), Some(keys)) => {
                let register =
                    move |tx: &mut Tx<'_>| token::register(tx, &stamp, request, scopes, keys);
                return say(&format!("{}\n", db.write_blocking(register)?.id));
            }
            (Some(scopes), None) => {
                db.write_blocking(move |tx| token::create_scoped(tx, &stamp, request, scopes))?.1
            }
            (None, None) => db.write_blocking(move |tx| token::create(tx, &stamp, request))?.1,
            (None, Some(_)) => anyhow::bail!("say with --scope what the client may do"),
        };
        say(&format!("{}\n", secret.text()))
    }
}

/// The keys of a client: those in a file, or those at an address.
fn proof(data: &Path, said: String) -> anyhow::Result<Proof> {
    if said.contains("://") {
        let config = Config::load(data, None, std::env::vars_os(), &[])?;
        check_address(&said, config.fhir.private_key_sets).context("--jwks")?;
        return Ok(Proof::KeysAt(said));
    }
    let unreadable = || format!("{said} cannot be read; --jwks takes a file or an https address");
    let mut text = String::new();
    let most = KEY_SET_BYTES_MAX as u64 + 1;
    let file = File::open(&said).with_context(unreadable)?;
    file.take(most).read_to_string(&mut text).with_context(unreadable)?;
    KeySet::parse(&text).with_context(|| said.clone())?;
    Ok(Proof::Keys(text))
}

/// So long after `now`.
fn after(now: Timestamp, long: SignedDuration) -> anyhow::Result<Timestamp> {
    now.checked_add(long).context("that is beyond the calendar; say a shorter --expires")
}
