//! `carepost-hub token ...`.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use fhir::scope::Scopes;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde_json::json;
use uuid::Uuid;

use super::clinic::{find, open};
use super::{Place, say};
use crate::hub::Hub;
use crate::store::{self, Clinic, StoreError, Token};
use crate::token;

/// The longest name of a token, in bytes.
const NAME_MAX: usize = 200;
/// As many tokens of a clinic are listed.
const LISTED_MAX: u32 = 1_000;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Makes a token of a clinic and prints it alone on stdout, this once.
    Create(Create),
    /// The tokens, without their secrets: id, clinic, state, end, name, scopes.
    List(List),
    /// Ends a token at once.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub struct Create {
    /// The clinic's name.
    #[arg(long, value_name = "NAME")]
    clinic: String,
    /// What the token is for.
    #[arg(long)]
    name: String,
    /// What may be done with it, as scopes of SMART, for example "system/Patient.rs system/Appointment.rs".
    #[arg(long, value_name = "SCOPES", value_parser = scopes)]
    scope: String,
    /// How long it is good, for example 90d; without it until it is revoked.
    #[arg(long, value_name = "SPAN", value_parser = length_of_time)]
    expires: Option<SignedDuration>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub struct List {
    /// Those of this clinic only.
    #[arg(long, value_name = "NAME")]
    clinic: Option<String>,
    #[command(flatten)]
    place: Place,
    /// For programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Revoke {
    /// The token's id, as `carepost-hub token list` shows it.
    id: Uuid,
    #[command(flatten)]
    place: Place,
}

impl Verb {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run(),
            Self::List(list) => list.run(),
            Self::Revoke(Revoke { id, place }) => revoke(&place, id),
        }
    }
}

impl Create {
    fn run(self) -> anyhow::Result<()> {
        let Self { clinic, name, scope, expires, place } = self;
        let name = name.trim();
        if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
            bail!("the name of a token is one line of at most {NAME_MAX} bytes");
        }
        let hub = open(&place)?;
        let clinic = find(&hub, &clinic)?;
        let now_ms = hub.clock.now_ms();
        let secret = token::make()?;
        let hash = token::hash(&secret).context("the new token is not one; this is a fault")?;
        let long = |it: SignedDuration| i64::try_from(it.as_millis()).unwrap_or(i64::MAX);
        let token = Token {
            clinic: clinic.id,
            id: Uuid::new_v4().into_bytes(),
            name: name.to_owned(),
            scopes: scope,
            made_at: now_ms,
            expires_at: expires.map(|it| now_ms.saturating_add(long(it))),
            revoked_at: None,
        };
        hub.store.write(clinic.id, |tx| store::add_token(tx, &token, hash))?;
        say(&format!("{}\n", *secret))
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let Self { clinic, place, json } = self;
        let hub = open(&place)?;
        let clinics = match clinic {
            Some(name) => {
                let Clinic { id, name, .. } = find(&hub, &name)?;
                vec![(id, name)]
            }
            None => all(&hub)?,
        };
        let now_ms = hub.clock.now_ms();
        let mut told = Vec::new();
        let mut text = String::new();
        for (clinic, of) in clinics {
            let tokens = hub.store.read(clinic, |tx| store::tokens(tx, clinic, LISTED_MAX))?;
            for token in &tokens {
                told.push(to_json(token, now_ms));
                let until = token.expires_at.map_or("-".to_owned(), time);
                let (id, state) = (Uuid::from_bytes(token.id), state(token, now_ms));
                let (name, scopes) = (&token.name, &token.scopes);
                text.push_str(&format!("{id}\t{of}\t{state}\t{until}\t{name}\t{scopes}\n"));
            }
        }
        if json { say(&format!("{}\n", serde_json::Value::from(told))) } else { say(&text) }
    }
}

fn to_json(token: &Token, now_ms: i64) -> serde_json::Value {
    let Token { clinic, id, name, scopes, made_at, expires_at, revoked_at } = token;
    json!({
        "id": Uuid::from_bytes(*id),
        "clinic": Uuid::from_bytes(*clinic),
        "name": name,
        "scopes": scopes,
        "state": state(token, now_ms),
        "made_at": time(*made_at),
        "expires_at": expires_at.map(time),
        "revoked_at": revoked_at.map(time),
    })
}

fn state(token: &Token, now_ms: i64) -> &'static str {
    match token.revoked_at {
        Some(_) => "revoked",
        None if token.is_good(now_ms) => "good",
        None => "expired",
    }
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| "unknown".to_owned(), |it| it.to_string())
}

/// The id and the name of each clinic.
fn all(hub: &Hub) -> anyhow::Result<Vec<([u8; 16], String)>> {
    let clinics = hub.store.survey(store::clinics)?;
    Ok(clinics.into_iter().map(|it| (it.id, it.name)).collect())
}

fn revoke(place: &Place, id: Uuid) -> anyhow::Result<()> {
    let hub = open(place)?;
    let now_ms = hub.clock.now_ms();
    for (clinic, _) in all(&hub)? {
        let ended = hub.store.write(clinic, |tx| -> Result<_, StoreError> {
            store::revoke_token(tx, clinic, id.into_bytes(), now_ms)
        })?;
        if ended {
            return say(&format!("{id}\n"));
        }
    }
    bail!("there is no token of this id; see `carepost-hub token list`")
}

fn scopes(text: &str) -> Result<String, String> {
    Scopes::parse(text).map(|_| text.trim().to_owned()).map_err(|error| error.to_string())
}

/// `90d`, `12h`, `2w`; days have 24 hours.
fn length_of_time(text: &str) -> Result<SignedDuration, String> {
    let span: Option<Span> = text.parse().ok();
    let long = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    long.filter(|long| long.is_positive())
        .ok_or_else(|| "write a length of time, for example 90d or 12h".to_owned())
}
