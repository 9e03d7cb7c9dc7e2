//! `carepost token`.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use prm::id::TokenId;
use prm::stamp::{Role, Stamp};
use prm::token;

use super::Place;
use super::terminal::say;
use super::usage;
use crate::app::open_db;
use crate::clock::Clock;

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Makes a token and prints it alone on stdout, this once.
    Create(Create),
    /// Lists the tokens, without their secrets.
    List(Place),
    /// Ends a token.
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
            Self::Create(Create { place, name, role, expires }) => {
                let expires_at = expires.map(|long| after(stamp.now, long)).transpose()?;
                let db = open_db(&place.data)?;
                let request = token::Request { name, role, expires_at };
                let (_, secret) =
                    db.write_blocking(move |tx| token::create(tx, &stamp, request))?;
                say(&format!("{}\n", secret.text()))
            }
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
                    text.push_str(&format!(
                        "{}\t{role}\t{state}\t{until}\t{}\n",
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

/// So long after `now`.
fn after(now: Timestamp, long: SignedDuration) -> anyhow::Result<Timestamp> {
    now.checked_add(long).context("that is beyond the calendar; say a shorter --expires")
}
