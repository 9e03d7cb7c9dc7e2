//! `carepost-hub channel ...`.

use std::io::{IsTerminal as _, Read as _, stdin};
use std::ops::RangeInclusive;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::clinic::{find, open};
use super::{Place, complain, say};
use crate::channel::{
    self, Account, Channel, MetaSecrets, NotAdded, Secret, TwilioSecrets, WHATSAPP,
};
use crate::hub::Hub;
use crate::store::{self, Clinic};
use channels::account;
use channels::standard_webhooks::Key;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Adds an account; its secrets come on standard input. Done again for the same account, it adds new secrets, and
    /// those before stay good until `settle`.
    Add(Box<Add>),
    /// The accounts, without their secrets: id, clinic, provider, what it is called there, secrets, since when.
    List(List),
    /// Ends the secrets before the newest.
    Settle(Named),
    /// Takes an account away at once.
    Remove(Named),
}

/// Whose account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Carrier {
    /// WhatsApp or short messages by Twilio: on standard input the auth token, in one line; in a second one the secret of the
    /// shared key, if one signs.
    Twilio,
    /// WhatsApp by Meta's Cloud API: on standard input three lines, the access token, the app secret, the verify token.
    Meta,
    /// A voice agent: on standard input its shared key (whsec_...) or its public key (whpk_...), in one line.
    VoiceAgent,
}

#[derive(Debug, Args)]
pub struct Add {
    /// The clinic's name.
    #[arg(long, value_name = "NAME")]
    clinic: String,
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
    /// Twilio and Meta: where messages are sent to, if not to the provider's usual address: for another region.
    #[arg(long = "messaging-url", value_name = "URL", value_parser = api_url)]
    api_url: Option<String>,
    #[command(flatten)]
    place: Place,
    /// For programs.
    #[arg(long)]
    json: bool,
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
pub struct Named {
    /// The clinic's name.
    #[arg(long, value_name = "NAME")]
    clinic: String,
    /// The account's id, as `carepost-hub channel list` shows it.
    id: Uuid,
    #[command(flatten)]
    place: Place,
}

impl Verb {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run(),
            Self::List(list) => list.run(),
            Self::Settle(Named { clinic, id, place }) => {
                let hub = open(&place)?;
                let clinic = find(&hub, &clinic)?;
                channel::settle(&hub, clinic.id, id.into_bytes())?;
                say(&format!("{id}\n"))
            }
            Self::Remove(Named { clinic, id, place }) => {
                let hub = open(&place)?;
                let clinic = find(&hub, &clinic)?;
                let removed = hub
                    .store
                    .write(clinic.id, |tx| store::remove_channel(tx, clinic.id, id.into_bytes()))?;
                if !removed {
                    return Err(NotAdded::NotThere.into());
                }
                say(&format!("{id}\n"))
            }
        }
    }
}

impl Add {
    fn run(self) -> anyhow::Result<()> {
        let Self { clinic, carrier, account_sid, number, sms, phone_number_id, api_url, .. } =
            &self;
        let of_twilio = account_sid.is_some() || number.is_some() || *sms;
        let others = match carrier {
            Carrier::Twilio => phone_number_id.is_some(),
            Carrier::Meta => of_twilio,
            Carrier::VoiceAgent => of_twilio || phone_number_id.is_some() || api_url.is_some(),
        };
        if others {
            bail!("an option of another provider was given; see `carepost-hub channel add --help`");
        }
        let hub = open(&self.place)?;
        let clinic = find(&hub, clinic)?;
        let api_url = api_url.clone();
        let account = match carrier {
            Carrier::Twilio => {
                let number = number.as_ref().context("--number is missing")?;
                let what = "the auth token, in one line, and in a second one the secret of the shared key, if one signs";
                let mut given = secrets(1..=2, what)?.into_iter();
                let auth_token = given.next().context("the auth token is missing")?;
                Account::Twilio {
                    account_sid: account_sid.clone().context("--account-sid is missing")?,
                    number: if *sms { number.clone() } else { format!("{WHATSAPP}{number}") },
                    api_url,
                    secrets: vec![TwilioSecrets { auth_token, shared_key: given.next() }],
                }
            }
            Carrier::Meta => {
                let what = "the access token, the app secret and the verify token, each in a line of its own";
                let given = <[Secret; 3]>::try_from(secrets(3..=3, what)?);
                let [access_token, app_secret, verify_token] =
                    given.map_err(|_| anyhow::anyhow!("send on standard input {what}"))?;
                let called = phone_number_id.clone();
                Account::Meta {
                    phone_number_id: called.context("--phone-number-id is missing")?,
                    api_url,
                    secrets: vec![MetaSecrets { access_token, app_secret, verify_token }],
                }
            }
            Carrier::VoiceAgent => {
                let keys = secrets(1..=1, "the agent's key, whsec_... or whpk_..., in one line")?;
                for key in &keys {
                    Key::parse(key.as_str())?;
                }
                Account::VoiceAgent { secrets: keys }
            }
        };
        let channel = channel::add(&hub, clinic.id, &account)?;
        if self.json {
            return say(&format!("{}\n", to_json(&channel)));
        }
        say(&format!("{}\n", Uuid::from_bytes(channel.id)))
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let Self { clinic, place, json } = self;
        let hub = open(&place)?;
        let clinics: Vec<([u8; 16], String)> = match clinic {
            Some(name) => {
                let Clinic { id, name, .. } = find(&hub, &name)?;
                vec![(id, name)]
            }
            None => {
                hub.store.survey(store::clinics)?.into_iter().map(|it| (it.id, it.name)).collect()
            }
        };
        let (mut told, mut text) = (Vec::new(), String::new());
        for (clinic, name) in clinics {
            for channel in of_clinic(&hub, clinic)? {
                told.push(to_json(&channel));
                let (id, carrier) = (Uuid::from_bytes(channel.id), channel.account.carrier());
                let (called, secrets) = (channel.account.called(), channel.account.secret_count());
                let since = time(channel.added_at);
                text.push_str(&format!("{id}\t{name}\t{carrier}\t{called}\t{secrets}\t{since}\n"));
            }
        }
        if json { say(&format!("{}\n", serde_json::Value::from(told))) } else { say(&text) }
    }
}

/// The accounts of a clinic; none if it is gone.
fn of_clinic(hub: &Hub, clinic: [u8; 16]) -> anyhow::Result<Vec<Channel>> {
    hub.store.read(clinic, |tx| -> anyhow::Result<_> {
        let Some(of) = store::clinic(tx, clinic)? else { return Ok(Vec::new()) };
        Ok(channel::all_of(hub, tx, &of)?)
    })
}

fn to_json(channel: &Channel) -> serde_json::Value {
    let Channel { id, clinic, account, added_at } = channel;
    json!({
        "id": Uuid::from_bytes(*id),
        "clinic": Uuid::from_bytes(*clinic),
        "carrier": account.carrier(),
        "called": account.called(),
        "secrets": account.secret_count(),
        "added_at": time(*added_at),
    })
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| "unknown".to_owned(), |it| it.to_string())
}

/// So many secrets, one in a line, from standard input. What was given is not repeated.
fn secrets(count: RangeInclusive<usize>, what: &str) -> anyhow::Result<Vec<Secret>> {
    if stdin().is_terminal() {
        complain(&format!("waiting on standard input for {what}; end with Ctrl-D"));
    }
    let mut text = Zeroizing::new(String::new());
    stdin()
        .take(account::INPUT_BYTES_MAX)
        .read_to_string(&mut text)
        .context("standard input cannot be read")?;
    account::secrets(&text, count).with_context(|| format!("send on standard input {what}"))
}

/// An address without a path, by TLS; without it on this machine only, because tokens go there.
fn api_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let is_host = |it: &str| {
        !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || b".-:[]".contains(&it))
    };
    let here = ["127.0.0.1:", "localhost:", "[::1]:"];
    let is_good = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(host), _) => is_host(host),
        (None, Some(host)) => is_host(host) && here.iter().any(|it| host.starts_with(it)),
        (None, None) => false,
    };
    if is_good {
        Ok(text.to_owned())
    } else {
        Err("say it as https://host, without a path".to_owned())
    }
}
