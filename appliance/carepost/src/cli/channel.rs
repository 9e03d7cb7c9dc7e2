//! `carepost channel`: the accounts at providers whose webhooks this box takes itself.

use std::io::{IsTerminal as _, Read as _, stdin};
use std::ops::RangeInclusive;

use anyhow::{Context as _, bail};
use channels::account::{self, Secret, WHATSAPP};
use channels::standard_webhooks::Key;
use channels::whatsapp::twilio;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Place;
use super::terminal::{complain, say};
use crate::accounts::{self, Account};
use crate::app::open_db;
use crate::clock::Clock;
use crate::place;

#[derive(Debug, Subcommand)]
pub(super) enum Channel {
    /// Adds an account; its secrets come on standard input. Done again for the same account, it adds new secrets, and
    /// those before stay good until `settle`.
    Add(Box<Add>),
    /// The accounts, without their secrets: id, provider, what it is called there, secrets, since when.
    List(List),
    /// Ends the secrets before the newest.
    Settle(Named),
    /// Takes an account away at once.
    Remove(Named),
}

/// Whose account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Carrier {
    /// WhatsApp or short messages by Twilio: on standard input the auth token, in one line; in a second one the secret of
    /// the shared key, if one signs.
    Twilio,
    /// WhatsApp by Meta's Cloud API: on standard input two lines, the app secret and the verify token.
    Meta,
    /// A voice agent: on standard input its shared key (whsec_...) or its public key (whpk_...), in one line.
    VoiceAgent,
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    place: Place,
    /// Where the account is.
    #[arg(value_enum, value_name = "CARRIER")]
    carrier: Carrier,
    /// Twilio: the account, AC and 32 hexadecimal digits.
    #[arg(long, value_name = "AC...", required_if_eq("carrier", "twilio"), value_parser = account::account_sid)]
    account_sid: Option<String>,
    /// Twilio: the clinic's number there, with + and the country code: for WhatsApp.
    #[arg(long, value_name = "NUMBER", required_if_eq("carrier", "twilio"), value_parser = account::number)]
    number: Option<String>,
    /// Twilio: the number is for short messages (SMS) instead.
    #[arg(long)]
    sms: bool,
    /// Meta: what it calls the clinic's number, in digits.
    #[arg(long, value_name = "ID", required_if_eq("carrier", "meta"), value_parser = account::phone_number_id)]
    phone_number_id: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// For programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    #[command(flatten)]
    place: Place,
    /// The account's id, as `carepost channel list` shows it.
    id: Uuid,
}

impl Channel {
    pub(super) fn run(self, clock: &Clock) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run(clock),
            Self::List(list) => list.run(),
            Self::Settle(Named { place, id }) => {
                accounts::settle(&place::keys(&place.data), id)?;
                say(&format!("{id}\n"))
            }
            Self::Remove(Named { place, id }) => {
                accounts::remove(&place::keys(&place.data), id)?;
                say(&format!("{id}\n"))
            }
        }
    }
}

impl Add {
    fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let Self { place, carrier, account_sid, number, sms, phone_number_id } = self;
        // Whether there is a box at all, before somebody types a secret.
        open_db(&place.data)?.close();
        let of_twilio = account_sid.is_some() || number.is_some() || sms;
        let is_others = match carrier {
            Carrier::Twilio => phone_number_id.is_some(),
            Carrier::Meta => of_twilio,
            Carrier::VoiceAgent => of_twilio || phone_number_id.is_some(),
        };
        if is_others {
            bail!("an option of another provider was given; see `carepost channel add --help`");
        }
        let (name, secrets) = match carrier {
            Carrier::Twilio => {
                let sid = account_sid.context("--account-sid is missing")?;
                let number = number.context("--number is missing")?;
                let number = if sms { number } else { format!("{WHATSAPP}{number}") };
                let secrets = secrets(1..=2, "the auth token, in one line")?;
                ((accounts::Carrier::Twilio, twilio::account_of(&sid, &number)), secrets)
            }
            Carrier::Meta => {
                let called = phone_number_id.context("--phone-number-id is missing")?;
                let what = "the app secret and the verify token, each in a line of its own";
                ((accounts::Carrier::Meta, called), secrets(2..=2, what)?)
            }
            Carrier::VoiceAgent => {
                let secrets =
                    secrets(1..=1, "the agent's key, whsec_... or whpk_..., in one line")?;
                for key in &secrets {
                    Key::parse(key.as_str())?;
                }
                ((accounts::Carrier::VoiceAgent, String::new()), secrets)
            }
        };
        let added = accounts::add(&place::keys(&place.data), name, secrets, clock.now())?;
        say(&format!("{}\n", added.id))
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let Self { place, json } = self;
        let accounts = accounts::load(&place::keys(&place.data))?;
        if json {
            let all: Vec<_> = accounts.iter().map(to_json).collect();
            return say(&format!("{}\n", serde_json::Value::from(all)));
        }
        let mut text = String::new();
        for Account { id, carrier, called, secrets, added_at } in &accounts {
            let called = if called.is_empty() { "-" } else { called };
            let (carrier, secrets) = (carrier.as_str(), secrets.len());
            text.push_str(&format!("{id}\t{carrier}\t{called}\t{secrets}\t{added_at}\n"));
        }
        say(&text)
    }
}

fn to_json(account: &Account) -> serde_json::Value {
    let Account { id, carrier, called, secrets, added_at } = account;
    json!({
        "id": id,
        "carrier": carrier.as_str(),
        "called": called,
        "secrets": secrets.len(),
        "added_at": added_at.to_string(),
    })
}

/// So many secrets, one in a line, from standard input. What was given is not repeated.
fn secrets(count: RangeInclusive<usize>, what: &str) -> anyhow::Result<Vec<Secret>> {
    if stdin().is_terminal() {
        complain(&format!("waiting on standard input for {what}; end with Ctrl-D"));
    }
    let mut text = Zeroizing::new(String::new());
    let read = stdin().take(account::INPUT_BYTES_MAX).read_to_string(&mut text);
    read.context("standard input cannot be read")?;
    account::secrets(&text, count).with_context(|| format!("send on standard input {what}"))
}
