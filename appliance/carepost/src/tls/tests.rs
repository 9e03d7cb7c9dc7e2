//! A tablet that trusts the authority, and nothing else, talks to the box; what lies outside the
//! constraints is refused by rustls and by OpenSSL alike.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use tempfile::TempDir;

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

fn addresses(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|address| address.parse().unwrap()).collect()
}

fn authority() -> (TempDir, Authority) {
    let folder = tempfile::tempdir().unwrap();
    let authority = init_ca(folder.path(), "7f3a", now()).unwrap();
    (folder, authority)
}

#[derive(Debug)]
struct Fixed(Timestamp);

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.as_second()).unwrap();
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// A client that trusts only `ca` and believes that it is `at`.
fn tablet(ca: &CertificateDer<'static>, at: Timestamp) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(Fixed(at)))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// A handshake without a network; answers the certificate that the client accepted.
fn handshake(
    client: ClientConfig,
    server: Arc<ServerConfig>,
    name: &str,
) -> Result<CertificateDer<'static>, rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    assert_eq!(client.alpn_protocol(), Some(b"h2".as_slice()));
    Ok(client.peer_certificates().unwrap()[0].clone().into_owned())
}

fn openssl(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new("openssl").current_dir(folder.path()).args(arguments).output().unwrap()
}

fn write_pem(folder: &TempDir, name: &str, der: &[u8]) {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    fs::write(folder.path().join(name), pem).unwrap();
}

#[test]
fn a_tablet_that_trusts_the_authority_reaches_the_box_by_each_name_and_address() {
    let (_folder, authority) = authority();
    let ca = authority.certificate().clone();
    let lan = addresses(&["192.168.1.20", "fd00::20", "203.0.113.9"]);
    let certificate = Arc::new(LanCertificate::new(authority, &lan, now()).unwrap());
    let server = Arc::new(server_config(certificate).unwrap());
    for name in [
        "box-7f3a.local",
        "box-7f3a.home.arpa",
        "localhost",
        "127.0.0.1",
        "192.168.1.20",
        "fd00::20",
    ] {
        handshake(tablet(&ca, now()), Arc::clone(&server), name)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let strange = handshake(tablet(&ca, now()), Arc::clone(&server), "203.0.113.9");
    assert!(strange.is_err(), "a public address is left out");
    let late = handshake(tablet(&ca, now() + 91 * DAY), server, "localhost");
    assert!(late.is_err(), "after 90 days it is over");
}

#[test]
fn what_a_thief_signs_for_a_bank_is_refused() {
    let (folder, authority) = authority();
    let ca = authority.certificate().clone();
    write_pem(&folder, "ca.pem", &ca);
    for (name, strange) in [("bank.example", "bank.example"), ("localhost", "203.0.113.9")] {
        let forged = |names: &[String], addresses: &[IpAddr]| {
            authority.issue(names, addresses.iter().copied(), 90 * DAY, now()).unwrap()
        };
        let (certificate, key, _) = match strange.parse::<IpAddr>() {
            Ok(address) => forged(&["localhost".to_owned()], &[address]),
            Err(_) => forged(&[strange.to_owned()], &[]),
        };
        write_pem(&folder, "leaf.pem", &certificate);
        let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        server.alpn_protocols = vec![b"h2".to_vec()];
        let refused = handshake(tablet(&ca, now()), Arc::new(server), name).unwrap_err();
        assert!(format!("{refused:?}").contains("NameConstraintViolation"), "{refused:?}");
        let verdict =
            openssl(&folder, &["verify", "-no_check_time", "-CAfile", "ca.pem", "leaf.pem"]);
        let reason = String::from_utf8(verdict.stderr).unwrap();
        assert!(reason.contains("permitted subtree violation"), "{reason}");
    }
}

#[test]
fn openssl_accepts_the_chain_and_sees_the_constraints() {
    let (folder, authority) = authority();
    let ca = authority.certificate().clone();
    let lan = addresses(&["10.0.0.5", "fe80::1"]);
    let certificate = Arc::new(LanCertificate::new(authority, &lan, now()).unwrap());
    let server = Arc::new(server_config(certificate).unwrap());
    let leaf = handshake(tablet(&ca, now()), server, "10.0.0.5").unwrap();
    write_pem(&folder, "leaf.pem", &leaf);
    let time = now().as_second().to_string();
    for who in [["-verify_hostname", "box-7f3a.local"], ["-verify_ip", "10.0.0.5"]] {
        let mut arguments = vec!["verify", "-x509_strict", "-purpose", "sslserver"];
        arguments.extend(["-attime", &time, "-CAfile", "keys/ca.crt"]);
        arguments.extend(who);
        arguments.push("leaf.pem");
        let verdict = openssl(&folder, &arguments);
        assert!(verdict.status.success(), "{verdict:?}");
    }
    let text = openssl(&folder, &["x509", "-in", "keys/ca.crt", "-noout", "-text"]);
    let text = String::from_utf8(text.stdout).unwrap();
    for part in ["CA:TRUE, pathlen:0", "Name Constraints: critical", "IP:192.168.0.0/255.255.0.0"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn the_certificate_is_replaced_when_addresses_change_and_thirty_days_before_its_end() {
    let (_folder, authority) = authority();
    let ca = authority.certificate().clone();
    let home = addresses(&["192.168.1.20"]);
    let certificate = Arc::new(LanCertificate::new(authority, &home, now()).unwrap());
    let server = Arc::new(server_config(Arc::clone(&certificate)).unwrap());
    let first = handshake(tablet(&ca, now()), Arc::clone(&server), "localhost").unwrap();

    assert!(!certificate.refresh(&home, now() + 59 * DAY).unwrap());
    assert!(certificate.refresh(&home, now() + 60 * DAY).unwrap());
    let moved = addresses(&["192.168.7.4"]);
    assert!(certificate.refresh(&moved, now() + 60 * DAY).unwrap());
    let at = now() + 60 * DAY;
    let second = handshake(tablet(&ca, at), Arc::clone(&server), "192.168.7.4").unwrap();
    assert_ne!(first, second);
    assert!(handshake(tablet(&ca, at), server, "192.168.1.20").is_err());
    assert!(certificate.refresh(&moved, now()).unwrap(), "the clock went back");
}

#[test]
fn no_certificate_outlives_the_authority() {
    let (_folder, authority) = authority();
    let end = authority.not_after();
    assert_eq!(end, now() + 3652 * DAY);
    let certificate = LanCertificate::new(authority, &[], end - 10.hours()).unwrap();
    assert_eq!(certificate.not_after(), end);
    assert!(!certificate.refresh(&[], end - 9.hours()).unwrap());
    assert!(matches!(certificate.refresh(&[], end), Err(TlsError::Ended(_))));
}

#[test]
fn the_authority_is_made_once_for_its_owner_only() {
    let (folder, authority) = authority();
    for name in ["keys/ca.key", "keys/ca.crt"] {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert!(matches!(init_ca(folder.path(), "7f3a", now()), Err(TlsError::Exists(_))));
    let again = Authority::open(folder.path()).unwrap();
    assert_eq!(again.fingerprint(), authority.fingerprint());
    assert_eq!(again.names(), ["box-7f3a.local", "box-7f3a.home.arpa", "localhost"]);
    for id in ["", "-a", "A", "a.b", "x y"] {
        assert!(matches!(init_ca(folder.path(), id, now()), Err(TlsError::BadId(_))), "{id}");
    }

    let other = tempfile::tempdir().unwrap();
    init_ca(other.path(), "b", now()).unwrap();
    fs::copy(other.path().join("keys/ca.key"), folder.path().join("keys/ca.key")).unwrap();
    let mixed = Authority::open(folder.path()).err().unwrap();
    assert!(mixed.to_string().contains("it is not the key of ca.crt"), "{mixed}");
    fs::write(folder.path().join("keys/ca.crt"), "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
    assert!(matches!(Authority::open(folder.path()), Err(TlsError::Damaged { .. })));
}

#[test]
fn the_fingerprint_is_the_one_that_openssl_shows_and_can_be_read_aloud() {
    let (folder, authority) = authority();
    let shown =
        openssl(&folder, &["x509", "-in", "keys/ca.crt", "-noout", "-fingerprint", "-sha256"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.trim().ends_with(&authority.fingerprint().to_string()), "{shown}");
    // SHA-256 of nothing is e3b0c442 98fc1c14 9a...: 11100011101 10000110001 ...
    assert_eq!(
        Fingerprint::of(b"").words(),
        ["together", "mail", "awful", "cradle", "scrub", "apart"]
    );
}

#[test]
fn the_profile_holds_the_certificate_and_the_clinics_name_as_text() {
    let (_folder, authority) = authority();
    let profile = mobileconfig(authority.certificate(), "Asha & Sons <Clinic>\u{1}");
    assert!(profile.contains("<string>Carepost, Asha &amp; Sons &lt;Clinic&gt;</string>"));
    let (_, rest) = profile.split_once("<data>").unwrap();
    let body: String = rest.split_once("</data>").unwrap().0.split_whitespace().collect();
    use base64::Engine as _;
    let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    assert_eq!(der, authority.certificate().as_ref());
    assert_eq!(profile, mobileconfig(authority.certificate(), "Asha & Sons <Clinic>\u{1}"));
}

#[test]
fn the_addresses_of_this_machine_are_private() {
    for address in local_addresses().unwrap() {
        assert!(!address.is_loopback());
        match address {
            IpAddr::V4(v4) => assert!(v4.is_private() || v4.is_link_local()),
            IpAddr::V6(v6) => assert!(v6.is_unique_local() || v6.is_unicast_link_local()),
        }
    }
}
