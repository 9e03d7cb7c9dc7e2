//! Meta's words for what comes in and what is sent (developers.facebook.com, WhatsApp Cloud API), as far as a
//! telephone of the demonstration can do it.

use serde_json::{Value, json};

use super::{NUMBER, NUMBER_ID, Offered, Said, Sending};

/// The number has no WhatsApp, or cannot take this message.
const UNDELIVERABLE: u32 = 131_026;

/// A message of a patient; of a picture or sound with its media type.
pub(super) fn heard(
    (phone, name): (&str, &str),
    (id, at): (&str, i64),
    (said, media_type): (&Said, &str),
) -> Value {
    let from = phone.trim_start_matches('+');
    let mut message = json!({ "from": from, "id": id, "timestamp": at.to_string() });
    match said {
        Said::Text(text) => {
            message["type"] = "text".into();
            message["text"] = json!({ "body": text });
        }
        Said::Choice(choice) => {
            message["type"] = "interactive".into();
            message["interactive"] = match &choice.description {
                None => json!({
                    "type": "button_reply",
                    "button_reply": { "id": choice.id, "title": choice.title },
                }),
                Some(description) => json!({
                    "type": "list_reply",
                    "list_reply": {
                        "id": choice.id, "title": choice.title, "description": description,
                    },
                }),
            };
        }
        Said::Media(Sending { id, caption }) => {
            let kind = match media_type.split_once('/') {
                Some((kind @ ("image" | "audio" | "video"), _)) => kind,
                Some(_) | None => "document",
            };
            message["type"] = kind.into();
            message[kind] = json!({ "id": id, "mime_type": media_type });
            if let Some(caption) = caption {
                message[kind]["caption"] = caption.as_str().into();
            }
        }
    }
    let contact = json!({ "profile": { "name": name }, "wa_id": from });
    change(json!({ "contacts": [contact], "messages": [message] }))
}

/// What became of a message of the clinic; `echoed` is what came with it to be said again.
pub(super) fn status(
    (phone, id): (&str, &str),
    (status, echoed): (&str, &Value),
    at: i64,
) -> Value {
    let to = phone.trim_start_matches('+');
    let mut status = json!({
        "id": id, "status": status, "timestamp": at.to_string(), "recipient_id": to,
        "biz_opaque_callback_data": echoed,
    });
    if status["status"] == "failed" {
        status["errors"] = json!([{ "code": UNDELIVERABLE, "title": "Message undeliverable" }]);
    }
    change(json!({ "statuses": [status] }))
}

fn change(mut value: Value) -> Value {
    value["messaging_product"] = "whatsapp".into();
    value["metadata"] = json!({
        "display_phone_number": NUMBER.trim_start_matches('+'), "phone_number_id": NUMBER_ID,
    });
    let change = json!({ "field": "messages", "value": value });
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "200300400500600", "changes": [change] }],
    })
}

/// A message of the clinic.
pub(super) struct Sent {
    /// To whom it goes (E.164).
    pub(super) phone: String,
    /// What it says.
    pub(super) text: String,
    /// What may be touched.
    pub(super) choices: Vec<Offered>,
    /// The id of what it shows or plays.
    pub(super) media: Option<String>,
}

/// What the clinic sends; none if it is no message.
pub(super) fn sent(body: &Value) -> Option<Sent> {
    let to = body["to"].as_str()?;
    let phone = format!("+{}", to.trim_start_matches('+'));
    let mut media = None;
    let (text, choices) = match body["type"].as_str()? {
        "text" => (body["text"]["body"].as_str()?.to_owned(), Vec::new()),
        "interactive" => {
            let asked = &body["interactive"];
            let text = asked["body"]["text"].as_str()?.to_owned();
            let action = &asked["action"];
            let buttons = action["buttons"].as_array().into_iter().flatten();
            let mut choices: Vec<Offered> =
                buttons.filter_map(|it| offered(&it["reply"])).collect();
            let sections = action["sections"].as_array().into_iter().flatten();
            let rows = sections.filter_map(|it| it["rows"].as_array()).flatten();
            choices.extend(rows.filter_map(|row| {
                let row_of_a_list = offered(row)?;
                let description = row_of_a_list.description.or(Some(String::new()));
                Some(Offered { description, ..row_of_a_list })
            }));
            (text, choices)
        }
        "template" => (template(&body["template"])?, Vec::new()),
        kind @ ("image" | "audio" | "video" | "document") => {
            media = Some(body[kind]["id"].as_str()?.to_owned());
            (body[kind]["caption"].as_str().unwrap_or_default().to_owned(), Vec::new())
        }
        _ => return None,
    };
    Some(Sent { phone, text, choices, media })
}

fn offered(choice: &Value) -> Option<Offered> {
    Some(Offered {
        id: choice["id"].as_str()?.to_owned(),
        title: choice["title"].as_str()?.to_owned(),
        description: choice["description"].as_str().map(str::to_owned),
    })
}

/// A template as a telephone would show it if its wording were only what is put into it.
fn template(template: &Value) -> Option<String> {
    let name = template["name"].as_str()?;
    let components = template["components"].as_array().into_iter().flatten();
    let parameters = components.filter_map(|it| it["parameters"].as_array()).flatten();
    let words: Vec<&str> = parameters.filter_map(|it| it["text"].as_str()).collect();
    Some(format!("{name}: {}", words.join(", ")))
}
