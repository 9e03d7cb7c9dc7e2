//! A Mosquitto of the test's own, on a port and in a folder of its own.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use channels::relay::{Broker, Login};
use tempfile::TempDir;

/// The name of the hub in the access list.
pub const HUB: &str = "hub";
const PASSWORD: &str = "for tests";
/// The access list that is shipped.
pub const ACCESS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sync/hub/broker/access.acl");

/// A broker; it ends with the test.
pub struct Mosquitto {
    pub port: u16,
    folder: TempDir,
    process: Child,
}

impl Mosquitto {
    /// With names and passwords, as a broker on one machine has them.
    pub fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let passwords = folder.path().join("passwords");
        std::fs::write(&passwords, "").expect("a file");
        for name in [HUB, &super::CLINIC.to_string(), &super::OTHER.to_string()] {
            let done = Command::new(program("mosquitto_passwd"))
                .args(["-b".as_ref(), passwords.as_os_str(), name.as_ref(), PASSWORD.as_ref()])
                .status();
            assert!(done.is_ok_and(|it| it.success()), "{MISSING}");
        }
        let who = format!("password_file {}", passwords.display());
        Self::with(folder, &who)
    }

    /// With these lines on how to be let in.
    pub fn with(folder: TempDir, who: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|it| it.local_addr())
            .expect("a free port")
            .port();
        let shipped = include_str!("../../../../sync/hub/broker/mosquitto.conf");
        // What is shipped, but for where it listens, who is let in and where it keeps what waits.
        let own = [
            "listener",
            "cafile",
            "certfile",
            "keyfile",
            "require_",
            "use_identity",
            "tls_",
            "acl_file",
            "persistence_location",
        ];
        let kept = shipped.lines().filter(|line| !own.iter().any(|it| line.starts_with(it)));
        let configuration = format!(
            // Started by root, it would become another user, who may not enter the folder.
            "user root\nlistener {port} 127.0.0.1\n{who}\nacl_file {ACCESS}\npersistence_location {}/\n{}\n",
            folder.path().display(),
            kept.collect::<Vec<_>>().join("\n"),
        );
        std::fs::write(folder.path().join("mosquitto.conf"), configuration).expect("a file");
        let process = run(folder.path(), port);
        Self { port, folder, process }
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// As a machine that goes down in good order: it writes what it knows.
    pub fn end(&mut self) {
        let done = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        assert!(done.is_ok_and(|it| it.success()), "the broker is there to be ended");
        let _ = self.process.wait();
    }

    /// On the same port, with what it wrote.
    pub fn start_again(&mut self) {
        self.process = run(self.folder.path(), self.port);
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How a clinic or the hub comes to a broker without TLS.
pub fn plain(port: u16, name: &str) -> Broker {
    let login = Login { name: name.to_owned(), password: PASSWORD.to_owned().into() };
    Broker { host: "127.0.0.1".to_owned(), port, login: Some(login), tls: None }
}

const MISSING: &str = "Mosquitto is needed for these tests: install the package mosquitto, or let `cargo xtask test` do it";

fn run(folder: &Path, port: u16) -> Child {
    let mut process = Command::new(program("mosquitto"))
        .arg("-c")
        .arg(folder.join("mosquitto.conf"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{MISSING} ({error})"));
    // It says nothing when it listens; it is asked until it answers, or ended.
    for _ in 0..1_000 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return process;
        }
        if let Ok(Some(status)) = process.try_wait() {
            panic!("Mosquitto ended by itself: {status}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("Mosquitto does not listen")
}

/// Debian keeps its programs where only root looks for them.
fn program(name: &str) -> PathBuf {
    let found =
        ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/sbin"]
            .into_iter()
            .map(|folder| Path::new(folder).join(name))
            .find(|it| it.exists());
    found.unwrap_or_else(|| PathBuf::from(name))
}
