//! Messages to Meta's Cloud API: `POST /{version}/{number}/messages`.

use prm::content::{BUTTONS_MAX, CHOICES_MAX, Choice, Content, TEXT_LETTERS_MAX};
use prm::medium::Medium;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::say::{Address, Say};
use crate::whatsapp::text::{fit, length, one_line};
use crate::whatsapp::{NotWritable, Outcome, Place, Request, With};

/// The address of the Graph API.
pub const GRAPH: &str = "https://graph.facebook.com";
/// The version of the Graph API that is spoken, unless the account says another.
pub const GRAPH_VERSION: &str = "v24.0";

/// The longest text beside buttons or a list, in letters.
const BODY_LETTERS_MAX: usize = 1_024;
const BUTTON_LETTERS_MAX: usize = 20;
const ROW_LETTERS_MAX: usize = 24;
const DESCRIPTION_LETTERS_MAX: usize = 72;
const CHOICE_ID_LETTERS_MAX: usize = 200;
const CAPTION_LETTERS_MAX: usize = 1_024;
/// What a list is opened by that has no label.
const LABEL: &str = "☰";
/// Errors that pass: too much at once, or trouble on their side.
const PASSING: [i64; 10] = [1, 2, 4, 80_007, 130_429, 131_000, 131_016, 131_048, 131_056, 131_057];
/// Errors of the account, which a person has to mend: its token, its rights, its money, its standing.
const OF_THE_ACCOUNT: [i64; 9] = [0, 3, 10, 190, 368, 131_005, 131_031, 131_042, 133_010];

/// A clinic's number.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    /// Meta's id of the number.
    pub phone_number_id: &'a str,
    /// The token of a system user.
    pub access_token: &'a str,
    /// The version of the Graph API, such as [`GRAPH_VERSION`].
    pub version: &'a str,
}

/// Writes a message as a request to [`GRAPH`].
///
/// # Errors
/// [`NotWritable`].
pub fn write(account: &Account<'_>, say: &Say, with: With<'_>) -> Result<Request, NotWritable> {
    if say.medium != Medium::Whatsapp {
        return Err(NotWritable("Meta carries WhatsApp"));
    }
    let mut message = Map::new();
    message.insert("messaging_product".into(), "whatsapp".into());
    message.insert("recipient_type".into(), "individual".into());
    match &say.to {
        Address::Phone(phone) => {
            message.insert("to".into(), phone.as_str().trim_start_matches('+').into())
        }
        Address::User(user) => message.insert("recipient".into(), user.as_str().into()),
    };
    // Comes back with each state of the message.
    message.insert("biz_opaque_callback_data".into(), say.message.to_string().into());
    let (kind, what) = content(&say.content, with)?;
    message.insert("type".into(), kind.into());
    message.insert(kind.into(), what);
    Ok(Request {
        path: format!("/{}/{}/messages", account.version, account.phone_number_id),
        headers: vec![
            ("authorization", format!("Bearer {}", account.access_token)),
            ("content-type", "application/json".to_owned()),
        ],
        body: Value::Object(message).to_string().into_bytes(),
    })
}

/// The type of a message, and what stands under it.
fn content(content: &Content, with: With<'_>) -> Result<(&'static str, Value), NotWritable> {
    match content {
        Content::Choices { text, label, choices } if is_interactive(text, choices) => {
            let what = if is_buttons(choices) {
                buttons(text, choices)
            } else {
                list(text, label, choices)
            };
            Ok(("interactive", what))
        }
        Content::Template { name, language, arguments, text: _ } => {
            Ok(("template", template(with.template.unwrap_or(name), language, arguments)))
        }
        Content::Media { media: _, media_type, caption } => {
            media(media_type, caption.as_deref(), with)
        }
        Content::Text { .. }
        | Content::Choices { .. }
        | Content::Chosen { .. }
        | Content::Unsupported { .. } => {
            let text = content.plain();
            if text.trim().is_empty() {
                return Err(NotWritable("the message has no words"));
            }
            let text = fit(&text, TEXT_LETTERS_MAX);
            Ok(("text", json!({ "preview_url": false, "body": text })))
        }
    }
}

/// Whether choices can be pressed: else they are numbered in the text. Titles that would be cut to the same, or
/// ids that would be cut, cannot.
fn is_interactive(text: &str, choices: &[Choice]) -> bool {
    let most = if is_buttons(choices) { BUTTON_LETTERS_MAX } else { ROW_LETTERS_MAX };
    let mut titles: Vec<String> = choices.iter().map(|it| fit(&it.title, most)).collect();
    let mut ids: Vec<&str> = choices.iter().map(|it| it.id.as_str()).collect();
    let is_within = |it: &Choice| {
        !it.title.trim().is_empty() && (1..=CHOICE_ID_LETTERS_MAX).contains(&length(&it.id))
    };
    titles.sort_unstable();
    ids.sort_unstable();
    (1..=CHOICES_MAX).contains(&choices.len())
        && choices.iter().all(is_within)
        && titles.is_sorted_by(|a, b| a < b)
        && ids.is_sorted_by(|a, b| a < b)
        && !text.trim().is_empty()
        && length(text) <= BODY_LETTERS_MAX
}

fn is_buttons(choices: &[Choice]) -> bool {
    choices.len() <= BUTTONS_MAX && choices.iter().all(|it| it.description.is_none())
}

fn buttons(text: &str, choices: &[Choice]) -> Value {
    let button = |it: &Choice| {
        let title = fit(&it.title, BUTTON_LETTERS_MAX);
        json!({ "type": "reply", "reply": { "id": it.id, "title": title } })
    };
    let buttons: Vec<Value> = choices.iter().map(button).collect();
    json!({ "type": "button", "body": { "text": text }, "action": { "buttons": buttons } })
}

fn list(text: &str, label: &Option<String>, choices: &[Choice]) -> Value {
    let row = |it: &Choice| {
        let mut row = json!({ "id": it.id, "title": fit(&it.title, ROW_LETTERS_MAX) });
        if let Some(description) = it.description.as_deref().filter(|it| !it.trim().is_empty()) {
            row["description"] = fit(description, DESCRIPTION_LETTERS_MAX).into();
        }
        row
    };
    let rows: Vec<Value> = choices.iter().map(row).collect();
    let label = label.as_deref().filter(|it| !it.trim().is_empty()).unwrap_or(LABEL);
    json!({
        "type": "list",
        "body": { "text": text },
        "action": { "button": fit(label, BUTTON_LETTERS_MAX), "sections": [{ "rows": rows }] },
    })
}

/// Meta writes languages as `en_IN`.
fn template(name: &str, language: &str, arguments: &[String]) -> Value {
    let code = language.replace('-', "_");
    let mut template = json!({ "name": name, "language": { "code": code } });
    if !arguments.is_empty() {
        let parameter = |it: &String| json!({ "type": "text", "text": one_line(it) });
        let parameters: Vec<Value> = arguments.iter().map(parameter).collect();
        template["components"] = json!([{ "type": "body", "parameters": parameters }]);
    }
    template
}

fn media(
    media_type: &str,
    caption: Option<&str>,
    with: With<'_>,
) -> Result<(&'static str, Value), NotWritable> {
    let mut what = match with.media {
        Some(Place::Id(id)) => json!({ "id": id }),
        Some(Place::Link(link)) => json!({ "link": link }),
        None => return Err(NotWritable("the picture or sound was not handed to Meta before")),
    };
    let kind = match media_type {
        "image/jpeg" | "image/png" => "image",
        "video/mp4" | "video/3gpp" => "video",
        _ if media_type.starts_with("audio/") => "audio",
        _ => "document",
    };
    if let Some(caption) = caption.filter(|it| kind != "audio" && !it.trim().is_empty()) {
        what["caption"] = fit(caption, CAPTION_LETTERS_MAX).into();
    }
    Ok((kind, what))
}

#[derive(Deserialize)]
struct Answer {
    messages: Vec<Sent>,
}

#[derive(Deserialize)]
struct Sent {
    id: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    code: Option<i64>,
}

/// What an answer says. `retry_after` is the header.
pub fn answer(status: u16, retry_after: Option<&str>, body: &[u8]) -> Outcome {
    let answer = serde_json::from_slice::<Answer>(body).ok();
    let id = answer.and_then(|it| it.messages.into_iter().next()).map(|it| it.id);
    outcome(status, retry_after, id, body)
}

/// What an answer says that is an id or a fault.
pub fn outcome(status: u16, retry_after: Option<&str>, id: Option<String>, body: &[u8]) -> Outcome {
    if let (200..=299, Some(id)) = (status, id) {
        return Outcome::Accepted(id);
    }
    let fault = serde_json::from_slice::<Refusal>(body).ok().and_then(|it| it.error.code);
    let code = fault.map_or_else(|| format!("http-{status}"), |it| it.to_string());
    let later = |code| {
        let after_seconds = retry_after.and_then(|it| it.trim().parse().ok());
        Outcome::Later { code, after_seconds }
    };
    match (status, fault) {
        (_, Some(fault)) if is_of_the_account(fault) => Outcome::Locked { code },
        (_, Some(fault)) if is_passing(fault) => later(code),
        (200..=399 | 408 | 425 | 429 | 500..=599, _) => later(code),
        (401 | 403, None) => Outcome::Locked { code },
        (_, _) => Outcome::Refused { code },
    }
}

pub fn is_passing(code: i64) -> bool {
    PASSING.contains(&code)
}

/// 200 to 299 are rights that the token lacks.
fn is_of_the_account(code: i64) -> bool {
    OF_THE_ACCOUNT.contains(&code) || (200..=299).contains(&code)
}
