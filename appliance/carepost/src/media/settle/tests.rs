//! What patients send by WhatsApp, from the parts to what the desk is shown.

use axum::http::StatusCode;
use channels::code_picture::CodePicture;
use channels::heard::{Down, Heard, Part, Said, Sender};
use prm::audit;
use prm::content::Content;
use prm::medium::Medium;
use prm::message::{Message, PICTURE_AWAITED};
use prm::qr;
use prm::stamp::Role;

use super::*;
use crate::http::tests::{Answered, Clinic};
use crate::inbox::{self, Taken};

/// A clinic to which somebody sends something that is known by a reference.
struct Sent {
    clinic: Clinic,
    id: MediaId,
}

const REFERENCE: &str = "1013859600285441";

impl Sent {
    fn heard() -> Self {
        Self::holding("audio/ogg; codecs=opus")
    }

    fn holding(media_type: &str) -> Self {
        let clinic = Clinic::with_settings("[relay]\nbroker = \"mqtt://127.0.0.1:1\"");
        let heard = Down::Heard(Heard {
            id: "wamid.1".into(),
            medium: Medium::Whatsapp,
            from: Sender {
                phone: prm::contact::Phone::parse("+919844111173", "IN").ok(),
                user: None,
                name: None,
            },
            to: "clinic".into(),
            said_at: clinic.app.now(),
            said: Said::Media {
                reference: REFERENCE.into(),
                media_type: media_type.into(),
                name: None,
                caption: None,
                bytes: None,
            },
            answers: None,
            asks: false,
        });
        let sent = Self { clinic, id: MediaId::from_bytes([0; 16]) };
        assert_eq!(sent.takes(heard.clone()), Taken::Kept);
        assert_eq!(sent.takes(heard), Taken::Kept, "it comes again");
        let Content::Media { media, media_type: _, caption: None } = sent.message().content else {
            panic!("it holds something")
        };
        Self { id: media, ..sent }
    }

    fn message(&self) -> Message {
        let stamp = Stamp::of_box(self.clinic.app.now());
        let name = (Medium::Whatsapp, "wamid.1");
        let found = self.clinic.app.db.read_blocking(|read| message::called(read, &stamp, name));
        found.unwrap().unwrap()
    }

    /// What reception would answer now.
    fn waiting(&self) -> Vec<String> {
        let stamp = Stamp::of_box(self.clinic.app.now());
        let found = self.clinic.app.db.read_blocking(|read| message::waiting(read, &stamp, 9));
        found.unwrap().iter().map(|it| it.content.plain()).collect()
    }

    fn takes(&self, down: Down) -> Taken {
        let now = self.clinic.app.now();
        self.clinic.app.db.write_blocking(move |tx| inbox::take(tx, now, down)).unwrap()
    }

    fn comes(&self, whole: &[u8]) {
        let mut parts = Part::of(REFERENCE, "audio/ogg", whole);
        parts.reverse();
        for part in parts.iter().chain(parts.first()) {
            assert_eq!(self.takes(Down::Part(part.clone())), Taken::Kept);
        }
    }

    async fn settle(&self) {
        assert!(!settle(&self.clinic.app).await.unwrap(), "there is no more");
    }

    async fn get(&self, range: Option<&str>) -> Answered {
        let token = self.clinic.token(Role::Clerk);
        let mut headers = vec![("authorization", token.as_str())];
        headers.extend(range.map(|range| ("range", range)));
        self.clinic.call("GET", &format!("/api/v1/prm/media/{}", self.id), &headers, None).await
    }
}

/// A voice note: what says that it is one, and letters.
fn voice(length: usize) -> Vec<u8> {
    (0..length).map(|at| b"OggSabcdefghijklmnopqrstuvwxyz"[at % 30]).collect()
}

#[tokio::test]
async fn a_voice_note_in_shuffled_parts_is_played_at_the_desk_byte_for_byte_and_by_ranges() {
    let sent = Sent::heard();
    assert_eq!(sent.get(None).await.code(), "media_waiting");
    let whole = voice(1_200_000);
    // An earlier try was killed between the file and its row.
    let mut torn = sent.clinic.app.media.begin(sent.id).unwrap();
    torn.append(0, b"something else").unwrap();
    torn.finish().unwrap();
    sent.comes(&whole);
    sent.settle().await;
    let text = String::from_utf8(whole).unwrap();
    let all = sent.get(None).await;
    let header = |answered: &Answered, name: &str| {
        answered.headers.get(name).map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    assert_eq!(all.status, StatusCode::OK);
    assert!(all.body.as_str() == Some(&text));
    assert_eq!(header(&all, "content-type"), "audio/ogg");
    assert_eq!(header(&all, "x-content-type-options"), "nosniff");
    assert_eq!(header(&all, "content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(
        header(&all, "content-disposition"),
        format!("inline; filename=\"{}.ogg\"", sent.id)
    );
    assert_eq!(header(&all, "cache-control"), "no-store");
    let some = sent.get(Some("bytes=65530-65540")).await;
    assert_eq!(some.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(some.body.as_str(), Some(&text[65_530..=65_540]));
    assert_eq!(header(&some, "content-range"), "bytes 65530-65540/1200000");
    let beyond = sent.get(Some("bytes=1200000-")).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    let stamp = Stamp::of_box(sent.clinic.app.now());
    let lines = sent
        .clinic
        .app
        .db
        .read_blocking(|read| audit::list(read, &stamp, &audit::Filter::default(), 500));
    let read = lines.unwrap().iter().filter(|it| it.noun == "media" && it.verb == "list").count();
    assert_eq!(read, 3, "whose it is nobody knows yet");
}

#[tokio::test]
async fn what_is_nothing_to_show_is_refused_whatever_its_sender_calls_it() {
    let sent = Sent::heard();
    sent.comes(b"<html><script>alert(1)</script></html>");
    sent.settle().await;
    let gone = sent.get(None).await;
    assert_eq!((gone.status, gone.code()), (StatusCode::GONE, "media_refused"));
    assert_eq!(gone.body["why"], NOT_ALLOWED);
    assert!(!sent.clinic.app.media.is_there(sent.id));
}

#[tokio::test]
async fn the_desk_is_told_why_something_will_not_come_and_of_a_file_that_is_damaged() {
    let sent = Sent::heard();
    let gone = Part {
        reference: REFERENCE.into(),
        media_type: "too-long".into(),
        at: 0,
        whole: 0,
        bytes: Vec::new(),
    };
    assert_eq!(sent.takes(Down::Part(gone)), Taken::Kept);
    assert_eq!(sent.get(None).await.body["why"], "too-long");

    let sent = Sent::heard();
    sent.comes(&voice(100));
    sent.settle().await;
    sent.clinic.app.media.remove(sent.id).unwrap();
    let lost = sent.get(None).await;
    assert_eq!(lost.code(), "media_damaged");
    assert!(lost.body["detail"].as_str().unwrap().contains("backup"));
    let (files, missing) = crate::media::files(&sent.clinic.app.db, &sent.clinic.app.data).unwrap();
    assert_eq!((files.len(), missing), (0, 1));
}

#[tokio::test]
async fn a_picture_of_the_code_of_a_visit_is_answered_as_if_the_code_was_written() {
    let sent = Sent::holding("image/jpeg");
    assert_eq!(sent.waiting(), [""; 0], "the picture is on its way");
    let code = qr::PREFIX.to_owned() + &"1 A".repeat((qr::TEXT_LENGTH - qr::PREFIX.len()) / 3);
    let picture = CodePicture::of(&Content::text(code.clone()), Medium::Whatsapp).unwrap().bytes;
    sent.comes(&picture);
    sent.settle().await;
    assert_eq!(sent.waiting(), [code]);

    let late = Sent::holding("image/jpeg");
    let now = late.clinic.app.now();
    late.clinic.app.clock.set(now.checked_add(PICTURE_AWAITED).unwrap());
    assert_eq!(late.waiting(), [""], "nobody waits for ever");
    let (id, stamp) = (late.message().id, Stamp::of_reception(now, Medium::Whatsapp));
    let answered = move |tx: &mut prm::db::Tx<'_>| message::handled(tx, &stamp, id, (None, false));
    late.clinic.app.db.write_blocking(answered).unwrap();
    late.comes(&picture);
    late.settle().await;
    assert_eq!(late.message().content.plain(), "", "what was answered stays as it was");
}
