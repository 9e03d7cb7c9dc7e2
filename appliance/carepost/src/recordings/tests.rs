//! Recordings, fetched from a server that the tests run.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use channels::heard::{Down, Webhook};
use prm::call;
use prm::media::{Media, State};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::http::tests::Clinic;
use crate::inbox;

const HOST: &str = "recordings.example";
const ADDRESS: &str = "https://recordings.example/one";

/// What is answered, and how much of it before the line is cut.
struct Said {
    answer: Vec<u8>,
    cut_after: Option<usize>,
}

/// A server with a certificate for [`HOST`], what trusts it, and what it was asked.
struct Server {
    at: SocketAddr,
    trusting: ClientConfig,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers one after the other with these.
    async fn start(answers: Vec<Said>) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let trusting = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let mut answers = VecDeque::from(answers);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = vec![0; 8_192];
                let read = stream.read(&mut head).await.unwrap_or_default();
                let head = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(head);
                let Some(Said { answer, cut_after }) = answers.pop_front() else { return };
                let most = cut_after.unwrap_or(answer.len()).min(answer.len());
                let _ = stream.write_all(&answer[..most]).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { at, trusting, asked }
    }

    /// What asks this server under its name, wherever name servers say that it is.
    fn client(&self) -> Client {
        client(self.trusting.clone(), Here(self.at)).unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Every name is here.
struct Here(SocketAddr);

impl Resolve for Here {
    fn resolve(&self, _: Name) -> Resolving {
        let at = self.0;
        Box::pin(async move { Ok(Box::new(std::iter::once(at)) as Addrs) })
    }
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Said {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n"
    );
    Said { answer: [head.as_bytes(), body].concat(), cut_after: None }
}

/// A sound of some pieces and a bit.
fn sound() -> Vec<u8> {
    let mut sound = b"OggS".to_vec();
    sound.extend((0..200_000_u32).map(|it| (it % 251) as u8));
    sound
}

/// A clinic that was told of a call with a recording at this address.
fn clinic(address: &str) -> Clinic {
    let clinic = Clinic::with_settings("[calls]\nrecording_hosts = [\"recordings.example\"]");
    tell(&clinic, "msg_1", address);
    clinic
}

fn tell(clinic: &Clinic, id: &str, address: &str) {
    let body = serde_json::json!({
        "call_id": "c-1", "patient_phone": "+919844111173", "transcript": "hello", "recording_url": address,
    });
    let now = clinic.app.now();
    let webhook = Webhook {
        id: id.to_owned(),
        timestamp: now.as_second().to_string(),
        signature: String::new(),
        body: body.to_string().into_bytes(),
        received_at_ms: now.as_millisecond(),
    };
    let taken =
        clinic.app.db.write_blocking(move |tx| inbox::take(tx, now, Down::Webhook(webhook)));
    assert_eq!(taken.unwrap(), inbox::Taken::Kept);
}

fn recording(clinic: &Clinic) -> Media {
    let stamp = Stamp::of_box(clinic.app.now());
    let found = clinic.app.db.read_blocking(|read| {
        let calls = call::list(read, &stamp, call::Filter::default(), (None, 1))?;
        recording::of_call(read, &stamp, calls[0].id)
    });
    found.unwrap().expect("a recording was told of")
}

fn later(clinic: &Clinic, minutes: i64) {
    let later = clinic.app.now() + jiff::SignedDuration::from_mins(minutes);
    clinic.app.clock.set(later);
}

#[tokio::test]
async fn a_recording_that_is_cut_off_is_gone_on_with_where_it_was_left() {
    let sound = sound();
    let mark = "etag: \"v1\"\r\n";
    let mut cut = answer("200 OK", mark, &sound);
    cut.cut_after = Some(150_000);
    let from = 2 * 65_536;
    let range =
        format!("{mark}content-range: bytes {from}-{}/{}\r\n", sound.len() - 1, sound.len());
    let rest = answer("206 Partial Content", &range, &sound[from..]);
    let server = Server::start(vec![cut, rest]).await;
    let clinic = clinic(ADDRESS);
    assert_eq!(fetch_due(&clinic.app, &server.client()).await.unwrap(), 1);
    assert_eq!(recording(&clinic).state, State::Waiting);
    assert_eq!(fetch_due(&clinic.app, &server.client()).await.unwrap(), 0, "it waits a minute");
    later(&clinic, 1);
    assert_eq!(fetch_due(&clinic.app, &server.client()).await.unwrap(), 1);
    let found = recording(&clinic);
    assert_eq!((found.state, found.media_type.as_str()), (State::Kept, "audio/ogg"));
    assert_eq!(clinic.app.media.read(found.id, 0..u64::MAX).unwrap(), sound);
    let asked = server.asked();
    assert!(asked[0].starts_with("get /one http/1.1") && !asked[0].contains("range"));
    assert!(asked[1].contains("range: bytes=131072-\r\n") && asked[1].contains("if-range: \"v1\""));
    // It is fetched once, whatever is told later.
    tell(&clinic, "msg_2", "https://recordings.example/another");
    later(&clinic, 60);
    assert_eq!(fetch_due(&clinic.app, &server.client()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_recording_that_became_another_one_is_fetched_from_its_beginning() {
    let (before, now) = (vec![7; 150_000], sound());
    let mut cut = answer("200 OK", "etag: \"v1\"\r\n", &before);
    cut.cut_after = Some(140_000);
    let server = Server::start(vec![cut, answer("200 OK", "etag: \"v2\"\r\n", &now)]).await;
    let clinic = clinic(ADDRESS);
    fetch_due(&clinic.app, &server.client()).await.unwrap();
    later(&clinic, 1);
    fetch_due(&clinic.app, &server.client()).await.unwrap();
    let found = recording(&clinic);
    assert_eq!(found.state, State::Kept);
    assert_eq!(clinic.app.media.read(found.id, 0..u64::MAX).unwrap(), now);
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_never_asked_wherever_it_is_sent_from() {
    for address in [
        "http://recordings.example/one",
        "https://recordings.example:8443/one",
        "https://user:word@recordings.example/one",
        "https://127.0.0.1/one",
        "https://[::1]/one",
        "file:///etc/passwd",
        "not an address",
    ] {
        let server = Server::start(Vec::new()).await;
        let direct = clinic(address);
        fetch_due(&direct.app, &server.client()).await.unwrap();
        let found = recording(&direct);
        assert_eq!(found.why.as_deref(), Some("not-allowed"), "{address}");
        assert!(server.asked().is_empty(), "{address}");
        if !address.contains("://") {
            continue;
        }
        let location = format!("location: {address}\r\n");
        let server = Server::start(vec![answer("302 Found", &location, b"")]).await;
        let sent = clinic(ADDRESS);
        fetch_due(&sent.app, &server.client()).await.unwrap();
        assert_eq!(recording(&sent).why.as_deref(), Some("not-allowed"), "{address}");
        assert_eq!(server.asked().len(), 1, "{address}");
    }
}

#[tokio::test]
async fn a_host_that_no_setting_names_is_never_asked_but_may_still_be_named() {
    let unset = Clinic::new();
    tell(&unset, "msg_1", ADDRESS);
    let others = ["https://elsewhere.example/one", "https://recordings.example.evil.example/one"];
    for clinic in [unset].into_iter().chain(others.map(clinic)) {
        let server = Server::start(Vec::new()).await;
        for _ in 0..recording::TRIES_MAX {
            assert_eq!(recording(&clinic).state, State::Waiting);
            fetch_due(&clinic.app, &server.client()).await.unwrap();
            later(&clinic, 12 * 60);
        }
        assert_eq!(recording(&clinic).why.as_deref(), Some("host-not-named"));
        assert!(server.asked().is_empty());
    }
    let server =
        Server::start(vec![answer("302 Found", &format!("location: {}\r\n", others[0]), b"")])
            .await;
    let sent = clinic(ADDRESS);
    fetch_due(&sent.app, &server.client()).await.unwrap();
    assert_eq!((recording(&sent).state, server.asked().len()), (State::Waiting, 1));
}

#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_not_connected_to() {
    let server = Server::start(vec![answer("200 OK", "", &sound())]).await;
    let clinic = Clinic::with_settings("[calls]\nrecording_hosts = [\"localhost\"]");
    tell(&clinic, "msg_1", "https://localhost/one");
    let asking = client(server.trusting.clone(), Names { private_too: false }).unwrap();
    fetch_due(&clinic.app, &asking).await.unwrap();
    assert_eq!(recording(&clinic).state, State::Waiting);
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn what_is_no_sound_or_too_long_is_not_kept() {
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\nOggS", BYTES_MAX + 1);
    let long = Said { answer: long.into_bytes(), cut_after: None };
    for (said, why) in [
        (answer("200 OK", "content-type: audio/ogg\r\n", b"<html><script>alert(1)"), "not-allowed"),
        (answer("200 OK", "", b"\x89PNG\r\n\x1A\nrest of a picture"), "not-allowed"),
        (long, "too-long"),
        (answer("410 Gone", "", b""), "gone"),
    ] {
        let server = Server::start(vec![said]).await;
        let clinic = clinic(ADDRESS);
        fetch_due(&clinic.app, &server.client()).await.unwrap();
        let found = recording(&clinic);
        assert_eq!((found.state, found.why.as_deref()), (State::Refused, Some(why)));
        assert!(!clinic.app.media.is_there(found.id));
    }
}

#[tokio::test]
async fn what_is_not_there_is_asked_for_with_longer_pauses_and_not_for_ever() {
    let many = (0..40).map(|_| answer("404 Not Found", "", b"")).collect();
    let server = Server::start(many).await;
    let clinic = clinic(ADDRESS);
    let client = server.client();
    let mut minutes = Vec::new();
    for minute in 0..7 * 24 * 60 {
        // A minute is a step of the clock; only those in which it is due take time.
        let next = clinic.app.db.read_blocking(recording::next_due).unwrap();
        let Some(next) = next else { break };
        if next <= clinic.app.now() {
            fetch_due(&clinic.app, &client).await.unwrap();
            minutes.push(minute);
        }
        later(&clinic, 1);
    }
    assert_eq!(minutes[..6], [0, 1, 3, 7, 15, 31]);
    assert_eq!(minutes.len(), recording::TRIES_MAX as usize);
    let found = recording(&clinic);
    assert_eq!((found.state, found.why.as_deref()), (State::Refused, Some("http-404")));
}
