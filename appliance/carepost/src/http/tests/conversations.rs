//! Conversations at the desk: what came in is read, answered, taken over and given back.

use axum::http::StatusCode;
use prm::contact::Phone;
use prm::content::Content;
use prm::conversation::Address;
use prm::medium::Medium;
use prm::message::{self, Hearing};
use prm::stamp::{Role, Stamp};
use serde_json::{Value, json};

use super::{Answered, Clinic};

const ROOT: &str = "/api/v1/prm";

struct Desk {
    clinic: Clinic,
    cookie: String,
}

impl Desk {
    async fn open() -> Self {
        let clinic = Clinic::new();
        clinic.hire("meera", Role::Clerk);
        let cookie = clinic.sign_in("meera").await;
        Self { clinic, cookie }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answered {
        let headers = [("cookie", self.cookie.as_str()), ("x-carepost-csrf", "1")];
        self.clinic.call(method, &format!("{ROOT}/{path}"), &headers, body).await
    }

    /// Somebody writes by WhatsApp; answers the conversation.
    fn hears(&self, text: &str, name: &str) -> String {
        let now = self.clinic.app.now();
        let hearing = Hearing {
            medium: Medium::Whatsapp,
            provider_id: Some(format!("wamid.{text}")),
            from: vec![Address::Phone(Phone::parse("98441 11173", "IN").unwrap())],
            name: Some(name.into()),
            content: Content::text(text),
            said_at: now,
            answers: None,
        };
        let stamp = Stamp::of_reception(now, Medium::Whatsapp);
        let told = self.clinic.app.db.write_blocking(move |tx| {
            let told = message::hear(tx, &stamp, hearing)?;
            let note = r#"{"intent":"book","proposed":false,"flow":"book","why":"words"}"#;
            message::handled(tx, &stamp, told.id, (Some(note), true))?;
            Ok(told)
        });
        told.unwrap().conversation.to_string()
    }
}

#[tokio::test]
async fn what_somebody_at_the_desk_writes_takes_the_conversation_over_and_waits_to_be_sent() {
    let desk = Desk::open().await;
    let id = desk.hears("Can I come tomorrow?", "Asha");
    let threads = desk.ask("GET", "conversations?unread=true", None).await.body;
    let thread = &threads["items"][0];
    assert_eq!((&thread["id"], &thread["unread"]), (&json!(id), &json!(1)));
    assert_eq!((&thread["held_by"], &thread["name"]), (&json!("reception"), &json!("Asha")));
    assert_eq!(thread["last"]["text"], "Can I come tomorrow?");
    assert_eq!(thread["whatsapp_until"], "2026-11-24T10:00:00+05:30");

    let path = format!("conversations/{id}/messages");
    let said = desk.ask("POST", &path, Some(json!({ "text": "Yes, at ten." }))).await;
    assert_eq!(said.status, StatusCode::CREATED, "{:?}", said.body);
    assert_eq!((&said.body["medium"], &said.body["author"]), (&json!("whatsapp"), &json!("staff")));
    assert_eq!(said.body["sending"]["state"], "waiting");
    let now = desk.ask("GET", &format!("conversations/{id}"), None).await.body;
    assert_eq!((&now["held_by"], &now["assignee_name"]), (&json!("desk"), &json!("meera")));
    assert_eq!(now["unread"], 0);
    let listed = desk.ask("GET", &path, None).await.body;
    let texts: Vec<_> = listed["items"].as_array().unwrap().iter().map(|it| &it["text"]).collect();
    assert_eq!(texts, ["Yes, at ten.", "Can I come tomorrow?"]);
    assert_eq!(listed["items"][1]["understood"]["intent"], "book");
    let mine = desk.ask("GET", "conversations?mine=true", None).await.body;
    assert_eq!(mine["items"][0]["id"], json!(id));

    let back = desk.ask("POST", &format!("conversations/{id}/give-back"), None).await.body;
    assert_eq!((&back["held_by"], &back["assignee_id"]), (&json!("reception"), &Value::Null));
}

#[tokio::test]
async fn an_email_on_record_is_a_way_once_it_is_made_sure_who_it_is() {
    let desk = Desk::open().await;
    let id = desk.hears("Hello", "Asha");
    let asha =
        json!({ "name": "Asha Rao", "phone": "98441 11173", "email": "asha@clinic.example" });
    let asha = desk.ask("POST", "patients", Some(asha)).await.body;
    let by_mail = json!({ "text": "Hello", "medium": "email" });
    let path = format!("conversations/{id}/messages");
    let said = desk.ask("POST", &path, Some(by_mail.clone())).await;
    assert_eq!((said.code(), &said.body["field"]), ("invalid", &json!("medium")));
    let is = json!({ "patient_id": asha["id"] });
    desk.ask("POST", &format!("conversations/{id}/identify"), Some(is)).await;
    let said = desk.ask("POST", &path, Some(by_mail)).await.body;
    assert_eq!(said["address"], json!({ "family": "email", "address": "asha@clinic.example" }));
}

#[tokio::test]
async fn a_ticket_of_a_conversation_is_for_whom_it_is_with() {
    let desk = Desk::open().await;
    let id = desk.hears("Please call me", "Asha");
    let asha = json!({ "name": "Asha Rao", "phone": "98441 11173" });
    let asha = desk.ask("POST", "patients", Some(asha)).await.body;
    let is = json!({ "patient_id": asha["id"] });
    let known = desk.ask("POST", &format!("conversations/{id}/identify"), Some(is)).await.body;
    assert_eq!(known["patient_name"], "Asha Rao");
    let ticket = json!({ "subject": "Call Asha" });
    let ticket = desk.ask("POST", &format!("conversations/{id}/tickets"), Some(ticket)).await.body;
    assert_eq!((&ticket["conversation_id"], &ticket["patient_id"]), (&json!(id), &asha["id"]));
    let opened = desk.ask("POST", "conversations", Some(json!({ "patient_id": asha["id"] }))).await;
    assert_eq!(opened.body["id"], json!(id));
}

#[tokio::test]
async fn a_wording_of_the_clinic_is_checked_before_it_is_saved() {
    let desk = Desk::open().await;
    let all = desk.ask("GET", "templates/sentences", None).await.body;
    let greeting = json!({ "sentence": "greeting", "language": "en", "variables": ["clinic"],
        "text": "Hello! This is the automatic assistant of { $clinic }." });
    assert!(all["items"].as_array().unwrap().contains(&greeting));
    let wording = |text: &str| json!({ "sentence": "greeting", "language": "en", "text": text });
    for wrong in ["Hello { $patient }", "Hello { $clinic", " "] {
        let refused = desk.ask("POST", "templates", Some(wording(wrong))).await;
        assert_eq!(
            (refused.code(), &refused.body["field"]),
            ("invalid", &json!("text")),
            "{wrong}"
        );
    }
    let own = wording("Namaste from { $clinic }!");
    let tried = desk.ask("POST", "templates/preview", Some(own.clone())).await;
    assert_eq!(tried.body["text"], "Namaste from [clinic]!");
    let saved = desk.ask("POST", "templates", Some(own)).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{:?}", saved.body);
    let path = format!("templates/{}", saved.body["id"].as_str().unwrap());
    let worse = desk.ask("PATCH", &path, Some(json!({ "text": "{ $nobody }" }))).await;
    assert_eq!(worse.code(), "invalid");
    assert_eq!(desk.ask("GET", &path, None).await.body["text"], "Namaste from { $clinic }!");
    assert_eq!(desk.ask("DELETE", &path, None).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_conversation_is_given_to_somebody_who_may_have_it() {
    let desk = Desk::open().await;
    desk.clinic.hire("arun", Role::Clerk);
    desk.clinic.hire("iyer", Role::Practitioner);
    let id = desk.hears("Please call me", "Asha");
    let listed = desk.ask("GET", "conversations/assignees", None).await.body;
    let names: Vec<_> = listed["items"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["arun", "meera"]);
    let arun = listed["items"][0]["id"].clone();

    let waiting = "conversations?unassigned=true";
    assert_eq!(desk.ask("GET", waiting, None).await.body["items"], json!([]));
    let conversation = id.parse().unwrap();
    let stamp = Stamp::of_reception(desk.clinic.app.now(), Medium::Whatsapp);
    desk.clinic
        .app
        .db
        .write_blocking(move |tx| {
            prm::conversation::hand_over(tx, &stamp, conversation, "asked").map(drop)
        })
        .unwrap();
    assert_eq!(desk.ask("GET", waiting, None).await.body["items"][0]["id"], json!(id));
    let assign = format!("conversations/{id}/assign");
    let given = desk.ask("POST", &assign, Some(json!({ "staff_id": arun }))).await.body;
    assert_eq!((&given["assignee_name"], &given["held_by"]), (&json!("arun"), &json!("desk")));
    assert_eq!(desk.ask("GET", waiting, None).await.body["items"], json!([]));
    let iyer = desk.clinic.sign_in("iyer").await;
    let headers = [("cookie", iyer.as_str())];
    let session = desk.clinic.call("GET", &format!("{ROOT}/session"), &headers, None).await.body;
    let to = json!({ "staff_id": session["staff"]["id"] });
    assert_eq!(desk.ask("POST", &assign, Some(to)).await.status, StatusCode::NOT_FOUND);
    let nobody = desk.ask("POST", &assign, Some(json!({ "staff_id": null }))).await.body;
    assert_eq!((&nobody["assignee_id"], &nobody["held_by"]), (&Value::Null, &json!("desk")));
}

#[tokio::test]
async fn outside_of_whatsapps_window_a_template_is_said_and_before_a_visit_one_that_reminds() {
    let desk = Desk::open().await;
    let id = desk.hears("Hello", "Asha");
    let templates = format!("conversations/{id}/templates");
    let listed = desk.ask("GET", &templates, None).await.body;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");
    let write_back = &listed["items"][0];
    assert_eq!(write_back["name"], "carepost_write_back");
    assert!(write_back["text"].as_str().unwrap().contains("Shanti Clinic"));

    let messages = format!("conversations/{id}/messages");
    let said =
        desk.ask("POST", &messages, Some(json!({ "template": "carepost_write_back" }))).await;
    assert_eq!(said.status, StatusCode::CREATED, "{:?}", said.body);
    assert_eq!(said.body["text"], write_back["text"]);
    for wrong in [
        json!({ "template": "carepost_reminder" }),
        json!({ "template": "hello_world" }),
        json!({ "template": "carepost_write_back", "text": "Hello" }),
        json!({}),
    ] {
        let refused = desk.ask("POST", &messages, Some(wrong.clone())).await;
        assert_eq!(refused.code(), "invalid", "{wrong}");
    }
}
