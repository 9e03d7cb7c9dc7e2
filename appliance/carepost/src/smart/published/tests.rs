//! Asking for key sets, at a server that the tests run.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::smart::signer::KEYS;

/// A server with a certificate for `localhost`, what trusts it, and how often it was asked.
struct Server {
    address: String,
    trusting: ClientConfig,
    asked: Arc<AtomicUsize>,
}

impl Server {
    /// Answers everybody with this.
    async fn start(answer: String) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
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
        let address = format!("https://localhost:{}/keys", listener.local_addr().unwrap().port());
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let _ = stream.read(&mut [0; 4_096]).await;
                // Whoever hears enough may go.
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { address, trusting, asked }
    }

    /// What asks this server, and trusts it.
    fn published(&self, private_too: bool) -> Published {
        let published = Published::default();
        let client = client(self.trusting.clone(), private_too).unwrap();
        assert!(published.client.set(client).is_ok());
        published
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n{body}"
    )
}

const KEY: (&str, Algorithm) = ("ec-1", Algorithm::Es384);

fn now() -> Timestamp {
    "2026-11-23T04:30:00Z".parse().unwrap()
}

#[tokio::test]
async fn a_key_set_is_asked_for_when_it_is_old_or_lacks_a_key_but_not_all_the_time() {
    let server = Server::start(answer("200 OK", "cache-control: max-age=60\r\n", KEYS)).await;
    let published = server.published(true);
    let at = |seconds, key| {
        let (published, address) = (&published, &server.address);
        let then = now() + SignedDuration::from_secs(seconds);
        async move { published.at(address, key, true, then).await.is_some() }
    };
    assert!(at(0, KEY).await);
    assert!(at(59, KEY).await);
    assert_eq!(server.asked(), 1, "it is kept");
    assert!(at(60, KEY).await);
    assert_eq!(server.asked(), 2, "it was good for a minute");
    let unknown = ("ec-2", Algorithm::Es384);
    assert!(!at(60 + ASKED_EVERY_SECONDS - 1, unknown).await);
    assert_eq!(server.asked(), 2, "who sends nonsense does not make the box ask");
    assert!(!at(60 + ASKED_EVERY_SECONDS, unknown).await);
    assert_eq!(server.asked(), 3, "its owner may have a new key");
    assert!(at(60 + ASKED_EVERY_SECONDS, KEY).await);
    assert_eq!(server.asked(), 3);
}

#[tokio::test]
async fn an_address_in_a_private_network_is_not_connected_to() {
    let server = Server::start(answer("200 OK", "", KEYS)).await;
    let published = server.published(false);
    assert!(published.at(&server.address, KEY, false, now()).await.is_none());
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn only_a_key_set_that_comes_straight_and_whole_is_taken() {
    let large = format!("{KEYS}{}", " ".repeat(KEY_SET_BYTES_MAX));
    for answer in [
        answer("302 Found", "location: /keys\r\n", KEYS),
        answer("404 Not Found", "", KEYS),
        answer("200 OK", "", &large),
        answer("200 OK", "", "{\"keys\":[]}"),
        answer("200 OK", "", "").replace("content-length: 0", "content-length: 9"),
    ] {
        let server = Server::start(answer).await;
        let published = server.published(true);
        assert!(published.at(&server.address, KEY, true, now()).await.is_none());
        assert_eq!(server.asked(), 1, "no redirect is followed");
    }
}

#[test]
fn only_https_addresses_that_others_can_reach_are_registered() {
    for (text, why) in [
        ("https://his.example/.well-known/jwks.json", None),
        ("https://8.8.8.8:8443/keys", None),
        ("http://his.example/keys", Some(AddressError::NotHttps)),
        ("file:///etc/passwd", Some(AddressError::NotHttps)),
        ("https://user:pass@his.example/", Some(AddressError::NotHttps)),
        ("https://", Some(AddressError::NotHttps)),
        ("keys.json", Some(AddressError::NotHttps)),
        ("https://127.0.0.1/keys", Some(AddressError::Private)),
        ("https://2130706433/keys", Some(AddressError::Private)),
        ("https://[::ffff:10.0.0.1]/keys", Some(AddressError::Private)),
        ("https://169.254.169.254/latest/meta-data", Some(AddressError::Private)),
    ] {
        assert_eq!(check_address(text, false).err(), why, "{text}");
    }
    assert!(check_address("https://192.168.1.5/keys", true).is_ok());
    let long = format!("https://his.example/{}", "x".repeat(ADDRESS_BYTES_MAX));
    assert_eq!(check_address(&long, true), Err(AddressError::TooLong));
}

#[test]
fn a_key_set_is_kept_as_long_as_its_owner_says_within_bounds() {
    for (said, seconds) in [
        ("", GOOD_SECONDS),
        ("public, max-age=600", 600),
        ("Max-Age=999999", GOOD_SECONDS_MAX),
        ("max-age=0", ASKED_EVERY_SECONDS),
        ("no-store", ASKED_EVERY_SECONDS),
    ] {
        assert_eq!(good_seconds(said), seconds, "{said}");
    }
}
