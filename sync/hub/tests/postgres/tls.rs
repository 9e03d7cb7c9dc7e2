//! A database on another machine: it is spoken to with TLS, and has to be the one that was named.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use super::hub::cluster::{Cluster, PASSWORD};

/// What the database is called on the network, wherever it is.
const NAME: &str = "database.example";

/// An authority whose certificate lies in a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let file = folder.join(name);
        fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), file }
    }

    /// Gives a server a certificate for [`NAME`], and has it take nobody in clear but by its socket.
    fn furnish(&self, data: &Path) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(data.join("server.crt"), certificate.pem()).unwrap();
        let private = data.join("server.key");
        fs::write(&private, key.serialize_pem()).unwrap();
        let only_owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(private, only_owner).unwrap();
        let rules = "local all all scram-sha-256\nhostssl all all all scram-sha-256\n";
        fs::write(data.join("pg_hba.conf"), rules).unwrap();
        let settings = fs::read_to_string(data.join("postgresql.conf")).unwrap();
        fs::write(data.join("postgresql.conf"), settings + "\nssl = on\n").unwrap();
    }
}

/// Has the program add a clinic to a database of this name, which is looked for on this machine. Answers
/// what it complained of; nothing if it was done.
fn add(folder: &Path, (host, port): (&str, u16), trusted: &Path) -> Option<String> {
    let address = format!("postgres://hub:{PASSWORD}@{host}:{port}/carepost?hostaddr=127.0.0.1");
    let done = Command::new(env!("CARGO_BIN_EXE_carepost-hub"))
        .args(["clinic", "add", &uuid::Uuid::new_v4().to_string(), "--data"])
        .arg(folder.join("hub"))
        .env("CAREPOST_HUB_DATABASE", address)
        .env("SSL_CERT_FILE", trusted)
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(!said.contains(PASSWORD), "{said}");
    (!done.status.success()).then_some(said)
}

#[test]
fn a_database_elsewhere_is_spoken_to_only_with_tls_and_only_if_it_is_the_one_that_was_named() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ours.pem");
    let other = Authority::new(folder.path(), "theirs.pem");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = ["listen_addresses=127.0.0.1", "shared_buffers=16MB"];
    let cluster = Cluster::start_as(&settings, port, |data| authority.furnish(data));
    let add = |host: &str, trusted: &Path| add(folder.path(), (host, port), trusted);

    assert_eq!(add(NAME, &authority.file), None);
    let unknown = add(NAME, &other.file).unwrap();
    assert!(unknown.contains("UnknownIssuer") && unknown.contains("SSL_CERT_FILE"), "{unknown}");
    let misnamed = add("other.example", &authority.file).unwrap();
    assert!(misnamed.contains("not valid for name"), "{misnamed}");

    // Nobody in between may say that there is no TLS, and be told the password in clear.
    for sql in ["ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()"] {
        cluster.ask("postgres", "postgres", sql).unwrap();
    }
    let is_off = || cluster.ask("postgres", "postgres", "SHOW ssl").unwrap() == [["off"]];
    while !is_off() {
        std::thread::yield_now();
    }
    let in_clear = add(NAME, &authority.file).unwrap();
    assert!(in_clear.contains("does not support TLS"), "{in_clear}");
    let sql = "SELECT count(*) FROM carepost.overview";
    assert_eq!(cluster.ask("hub", "carepost", sql).unwrap(), [["1"]]);
}
