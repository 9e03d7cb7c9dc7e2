//! What Twilio and Meta tell is read, and what is said goes out as they want it.

#[path = "whatsapp/meta.rs"]
mod meta;
#[path = "whatsapp/twilio.rs"]
mod twilio;

use channels::say::{Address, Say};
use jiff::Timestamp;
use prm::contact::Phone;
use prm::content::{Choice, Content};
use prm::id::MessageId;
use prm::medium::Medium;

/// When every webhook here came in.
fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).expect("a time")
}

fn asha() -> Phone {
    Phone::parse("+919844111173", "IN").expect("a number")
}

fn say(content: Content) -> Say {
    Say {
        message: MessageId::from_bytes([7; 16]),
        medium: Medium::Whatsapp,
        to: Address::Phone(asha()),
        content,
        not_after_ms: None,
    }
}

fn choice(number: usize, title: &str) -> Choice {
    Choice { id: format!("slot:{number}"), title: title.to_owned(), description: None }
}

fn choices(count: usize) -> Content {
    let choices = (1..=count).map(|it| choice(it, &format!("Time {it}"))).collect();
    Content::Choices { text: "When?".to_owned(), label: Some("Times".to_owned()), choices }
}

fn template() -> Content {
    Content::Template {
        name: "reminder_24h".to_owned(),
        language: "en-IN".to_owned(),
        arguments: vec!["Asha".to_owned(), "Monday\n10:00".to_owned()],
        text: "Asha, you are booked for Monday 10:00.".to_owned(),
    }
}
