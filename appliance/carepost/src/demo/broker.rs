//! The broker of a demonstration: Mosquitto, if this machine has it, as a child of the program, on loopback.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Where Debian keeps it, which is not on everybody's PATH.
const ELSEWHERE: &str = "/usr/sbin/mosquitto";
/// Within this it must take connections.
const START_MAX: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A broker that runs.
pub struct Broker {
    child: Child,
    /// Where it takes connections.
    pub address: SocketAddr,
}

impl Broker {
    /// Starts a broker with its settings in a folder, at a port, or at one that is free. None if this machine has no
    /// Mosquitto.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(folder: &Path, port: Option<u16>) -> anyhow::Result<Option<Self>> {
        let Some(program) = program() else { return Ok(None) };
        fs::create_dir_all(folder)?;
        let settings = folder.join("mosquitto.conf");
        let address = match port {
            Some(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?,
        };
        // Nobody else reaches loopback, and what it carries is sealed.
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\npersistence false\nmax_queued_messages 0\n",
            address.port()
        );
        fs::write(&settings, text)?;
        let child = Command::new(&program)
            .arg("-c")
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        // From here on the child ends with this value, however this goes on.
        let broker = Self { child, address };
        let taking = timeout(START_MAX, async {
            while TcpStream::connect(address).await.is_err() {
                sleep(LOOK).await;
            }
        });
        if taking.await.is_err() {
            bail!(
                "the broker of the demonstration does not start; run {} by hand",
                program.display()
            );
        }
        Ok(Some(broker))
    }

    /// Its address as settings write it.
    pub fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It keeps nothing that is worth a slower end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("mosquitto"));
    on_path.chain([PathBuf::from(ELSEWHERE)]).find(|it| it.is_file())
}
