//! TLS to the broker, with certificates on both sides.

use std::path::Path;

use channels::relay::{AUTHORITY, Broker, CERTIFICATE, KEY, Settings, Tls};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use super::mosquitto::{HUB, Mosquitto};
use super::{CLINIC, DEVICE, End, down};

/// An authority and its certificates: for the broker, and in folders of keys for the hub and a clinic.
fn certificates(folder: &Path) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "authority of the test");
    let key = KeyPair::generate().expect("a key");
    let certificate = authority.self_signed(&key).expect("a certificate");
    std::fs::write(folder.join("authority.pem"), certificate.pem()).expect("a file");
    let issuer = Issuer::new(authority, key);
    for (file, name) in [("broker", "localhost"), ("hub", HUB), ("box", &CLINIC.to_string())] {
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        let keys = folder.join(format!("{file}-keys"));
        std::fs::create_dir(&keys).expect("a folder");
        std::fs::copy(folder.join("authority.pem"), keys.join(AUTHORITY)).expect("a file");
        std::fs::write(keys.join(CERTIFICATE), certificate.pem()).expect("a file");
        std::fs::write(keys.join(KEY), key.serialize_pem()).expect("a file");
    }
}

fn start() -> Mosquitto {
    let folder = TempDir::new().expect("a folder");
    certificates(folder.path());
    let file = |name: &str| folder.path().join("broker-keys").join(name).display().to_string();
    let who = format!(
        "cafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\nuse_identity_as_username true\ntls_version tlsv1.3",
        file(AUTHORITY),
        file(CERTIFICATE),
        file(KEY),
    );
    Mosquitto::with(folder, &who)
}

fn sealed(broker: &Mosquitto, who: &str) -> Broker {
    let tls = Tls::of_folder(&broker.folder().join(format!("{who}-keys")));
    Broker { host: "localhost".to_owned(), port: broker.port, login: None, tls: Some(tls) }
}

#[tokio::test]
async fn over_tls_a_clinic_is_known_by_its_certificate() {
    let broker = start();
    let folder = |name: &str| broker.folder().join(name);
    let hub = End::start(Settings::of_hub(sealed(&broker, "hub"), "1", folder("1")), false);
    hub.connected().await;
    let settings = Settings::of_box(sealed(&broker, "box"), CLINIC, DEVICE, folder("2"));
    let mut device = End::start(settings, false);
    device.connected().await;
    let long = "x".repeat(1 << 20);
    hub.link.publish(down(&long)).expect("published");
    assert_eq!(device.hears().await.payload, long.as_bytes());
    assert_eq!(mode(&folder("2").join("broker")), 0o700);
    device.end().await;
    hub.end().await;
}

#[tokio::test]
async fn a_broker_that_no_authority_vouches_for_is_not_spoken_to() {
    let broker = start();
    let other = TempDir::new().expect("a folder");
    certificates(other.path());
    let mut there = sealed(&broker, "box");
    if let Some(tls) = &mut there.tls {
        tls.authority = Some(other.path().join("authority.pem"));
    }
    let device = End::start(Settings::of_box(there, CLINIC, DEVICE, broker.folder()), false);
    let why = device.away().await;
    assert!(why.contains("TLS is not as it should be"), "{why}");
    let mut nameless = sealed(&broker, "box");
    nameless.host = "127.0.0.1".to_owned();
    let device = End::start(Settings::of_box(nameless, CLINIC, DEVICE, broker.folder()), false);
    let why = device.away().await;
    assert!(why.contains("TLS is not as it should be"), "{why}");
}

#[tokio::test]
async fn nobody_is_let_in_without_a_certificate() {
    let broker = start();
    let mut there = sealed(&broker, "box");
    if let Some(tls) = &mut there.tls {
        (tls.certificate, tls.key) = (None, None);
    }
    let device = End::start(Settings::of_box(there, CLINIC, DEVICE, broker.folder()), false);
    assert!(!device.away().await.is_empty());
}

fn mode(folder: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(folder).expect("a folder").permissions().mode() & 0o777
}
