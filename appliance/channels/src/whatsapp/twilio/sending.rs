//! Messages to Twilio's Messages resource (API of 2010-04-01, still the one).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prm::content::{Content, TEXT_LETTERS_MAX};
use prm::medium::Medium;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{MESSAGE_PARAMETER, WHATSAPP};
use crate::say::{Address, Say};
use crate::whatsapp::fetch::{Fetch, host, is_at};
use crate::whatsapp::text::{fit, one_line};
use crate::whatsapp::{NotWritable, Outcome, Place, Request, With};

/// The longest text, in letters, by Twilio.
const LETTERS_MAX: usize = 1_600;
/// Twilio's ids of templates begin so.
const TEMPLATE_PREFIX: &str = "HX";
/// Errors that pass: too much at once, or trouble on their side (twilio.com/docs/api/errors).
const PASSING: [&str; 8] = ["20429", "14107", "30001", "30008", "30017", "30022", "63018", "63038"];
/// Errors of the account, which a person has to mend: its secret, its money, its rights.
const OF_THE_ACCOUNT: [&str; 9] =
    ["20003", "20005", "20006", "20008", "30002", "63007", "63008", "63020", "63112"];

const API_HOST: &str = "api.twilio.com";
/// Where Twilio keeps what people send.
const HOSTS: [&str; 2] = [API_HOST, ".twiliocdn.com"];

/// A clinic's account.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    /// `AC...`.
    pub account_sid: &'a str,
    /// The user: the account's id, or that of an API key.
    pub user: &'a str,
    /// The account's token, or the secret of the API key.
    pub secret: &'a str,
    /// From where: `whatsapp:+14155238886`, a number, or the id of a messaging service (`MG...`).
    pub from: &'a str,
}

/// Writes a message as a request to `https://api.twilio.com`.
///
/// # Errors
/// [`NotWritable`].
pub fn write(account: &Account<'_>, say: &Say, with: With<'_>) -> Result<Request, NotWritable> {
    let to = match (&say.to, say.medium) {
        (Address::Phone(phone), Medium::Whatsapp) => format!("{WHATSAPP}{phone}"),
        (Address::User(user), Medium::Whatsapp) => format!("{WHATSAPP}{user}"),
        (Address::Phone(phone), Medium::Sms) => phone.to_string(),
        (Address::User(_), Medium::Sms) => {
            return Err(NotWritable("a short message goes to a telephone number"));
        }
        (_, Medium::Voice | Medium::VoiceAgent | Medium::Email) => {
            return Err(NotWritable("Twilio carries WhatsApp and short messages here"));
        }
    };
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("To", &to);
    if account.from.starts_with("MG") {
        form.append_pair("MessagingServiceSid", account.from);
    } else {
        form.append_pair("From", account.from);
    }
    content(&mut form, say, with)?;
    if let Some(address) = with.told_at {
        let joint = if address.contains('?') { '&' } else { '?' };
        let address = format!("{address}{joint}{MESSAGE_PARAMETER}={}", say.message);
        form.append_pair("StatusCallback", &address);
    }
    Ok(Request {
        path: format!("/2010-04-01/Accounts/{}/Messages.json", account.account_sid),
        headers: vec![
            ("authorization", authorization(account)),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ],
        body: form.finish().into_bytes(),
    })
}

fn authorization(account: &Account<'_>) -> String {
    let login = STANDARD.encode(format!("{}:{}", account.user, account.secret));
    format!("Basic {login}")
}

/// Asks for a picture or sound that a message names. What is answered may lead elsewhere (3xx); where to is
/// given here again, and only a host of Twilio's own hears the account's secret. `home` is where the account's
/// provider is, if that is not Twilio itself.
///
/// # Errors
/// [`NotWritable`], if it is anywhere else.
pub fn fetch(
    account: &Account<'_>,
    home: Option<&str>,
    address: &str,
) -> Result<Fetch, NotWritable> {
    let at_home = is_at(home, address);
    let is_api = at_home || host(address, &HOSTS)? == API_HOST;
    let authorization = is_api.then(|| authorization(account));
    Ok(Fetch { address: address.to_owned(), authorization, at_home })
}

fn content(
    form: &mut form_urlencoded::Serializer<'_, String>,
    say: &Say,
    with: With<'_>,
) -> Result<(), NotWritable> {
    match &say.content {
        Content::Template { name, language: _, arguments, text: _ }
            if say.medium == Medium::Whatsapp =>
        {
            let name = with.template.unwrap_or(name);
            if !name.starts_with(TEMPLATE_PREFIX) {
                return Err(NotWritable("the template has no ContentSid of this Twilio account"));
            }
            let arguments: Map<String, Value> = (1..)
                .zip(arguments)
                .map(|(number, it): (u32, _)| (number.to_string(), one_line(it).into()))
                .collect();
            form.append_pair("ContentSid", name);
            form.append_pair("ContentVariables", &Value::Object(arguments).to_string());
        }
        Content::Media { media: _, media_type: _, caption } => {
            let Some(Place::Link(link)) = with.media else {
                return Err(NotWritable("Twilio fetches a picture or sound from an address"));
            };
            form.append_pair("MediaUrl", link);
            if let Some(caption) = caption {
                form.append_pair("Body", &fit(caption, LETTERS_MAX));
            }
        }
        // Buttons need a template of their own at Twilio; numbers do for all.
        Content::Text { .. }
        | Content::Choices { .. }
        | Content::Chosen { .. }
        | Content::Template { .. }
        | Content::Unsupported { .. } => {
            let text = say.content.plain();
            if text.trim().is_empty() {
                return Err(NotWritable("the message has no words"));
            }
            form.append_pair("Body", &fit(&text, LETTERS_MAX.min(TEXT_LETTERS_MAX)));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Answer {
    sid: Option<String>,
    code: Option<u64>,
}

/// What an answer of the Messages resource says. `retry_after` is the header.
pub fn answer(status: u16, retry_after: Option<&str>, body: &[u8]) -> Outcome {
    let answer = serde_json::from_slice::<Answer>(body).unwrap_or(Answer { sid: None, code: None });
    if let (200..=299, Some(sid)) = (status, answer.sid) {
        return Outcome::Accepted(sid);
    }
    let code = answer.code.map_or_else(|| format!("http-{status}"), |it| it.to_string());
    match status {
        _ if OF_THE_ACCOUNT.contains(&code.as_str()) => Outcome::Locked { code },
        _ if is_passing(&code) => later(code, retry_after),
        // Something answered that is not Twilio: a proxy, or a page about maintenance.
        200..=399 | 408 | 425 | 429 | 500..=599 => later(code, retry_after),
        401 | 403 if answer.code.is_none() => Outcome::Locked { code },
        401 => Outcome::Locked { code },
        _ => Outcome::Refused { code },
    }
}

fn later(code: String, retry_after: Option<&str>) -> Outcome {
    Outcome::Later { code, after_seconds: retry_after.and_then(|it| it.trim().parse().ok()) }
}

pub fn is_passing(code: &str) -> bool {
    PASSING.contains(&code)
}
