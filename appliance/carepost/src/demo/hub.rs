//! The hub of a demonstration: the program `carepost-hub` that lies beside this one, as a child of it, with a
//! folder in the demonstration's.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use prm::db::Db;
use serde::Deserialize;
use serde_json::Value;
use sync_agent::OnHeld;
use sync_agent::enrol::{Joining, enrol};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::phones::{NUMBER_ID, Phones};
use super::{Broker, CLINIC, Line};
use crate::place;

/// The program.
const PROGRAM: &str = "carepost-hub";
/// Its folder, in the demonstration's.
const FOLDER: &str = "hub";
/// Within this the hub must say where it listens.
const START_MAX: Duration = Duration::from_secs(30);

/// A hub that runs, and the line to it.
pub struct Hub {
    child: Child,
    /// Where it serves.
    pub address: SocketAddr,
    /// Its data folder.
    pub data: PathBuf,
}

/// What `carepost-hub clinic code` says.
#[derive(Deserialize)]
struct Code {
    code: String,
    fingerprint: String,
}

impl Hub {
    /// Starts the hub beside the box in a data folder, with the broker and the telephones if there are any,
    /// and lets the box join it over a line that can be cut. None if the program is not there.
    ///
    /// # Errors
    /// If the hub does not start, or the box cannot join it.
    pub async fn start(
        (data, db): (&Path, &Db),
        line: &Line,
        messages: Option<(&Broker, &Phones)>,
        now: Timestamp,
    ) -> anyhow::Result<Option<Self>> {
        let program = std::env::current_exe()?.with_file_name(PROGRAM);
        if !program.exists() {
            return Ok(None);
        }
        let folder = data.join(FOLDER);
        let Code { code, fingerprint } = code(&program, &folder)?;
        let mut command = Command::new(&program);
        command
            .args(["serve", "--log-format", "json", "--listen", "127.0.0.1:0", "--end-with-stdin"])
            .arg("--data")
            .arg(&folder);
        if let Some((broker, phones)) = messages {
            add_channel(&program, &folder, phones)?;
            command.args(["--broker", &broker.url()]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let (tell, told) = oneshot::channel();
        let said = child.stderr.take();
        std::thread::spawn(move || listen(said, tell));
        // From here on the child ends with this value, however this goes on.
        let mut hub = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), data: folder };
        let Ok(Ok(address)) = timeout(START_MAX, told).await else {
            bail!("the hub of the demonstration does not start; run {} by hand", program.display());
        };
        hub.address = address;
        if let Some((_, phones)) = messages {
            phones.post_to(address);
        }
        let keys = place::keys(data);
        let url = format!("http://{}", line.lay(address).await?);
        let fingerprint = Some(fingerprint.as_str());
        // What an earlier demonstration told is made up, too.
        let on_held = OnHeld::Forget;
        let joining = Joining { url: &url, code: &code, fingerprint, data, keys: &keys, on_held };
        enrol(db, joining, now).await?;
        Ok(Some(hub))
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // When its standard input ends it finishes what is under way, and ends.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Gives the clinic an account at the provider behind the telephones.
fn add_channel(program: &Path, folder: &Path, phones: &Phones) -> anyhow::Result<()> {
    let mut adding = Command::new(program)
        .args(["channel", "add", "--clinic", CLINIC, "meta", "--phone-number-id", NUMBER_ID])
        .args(["--messaging-url", &phones.url(), "--data"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    let account = phones.account();
    let secrets = [&account.access_token, &account.app_secret, &account.verify_token]
        .map(|it| format!("{it}\n"));
    if let Some(mut stdin) = adding.stdin.take() {
        stdin.write_all(secrets.concat().as_bytes())?;
    }
    let said = adding.wait_with_output()?;
    if !said.status.success() {
        bail!("{}", String::from_utf8_lossy(&said.stderr).trim());
    }
    Ok(())
}

/// A code for the box of the demonstration, whose clinic is added if it is not there yet.
fn code(program: &Path, folder: &Path) -> anyhow::Result<Code> {
    let verb = if folder.exists() { "code" } else { "add" };
    let said = Command::new(program)
        .args(["clinic", verb, CLINIC, "--json", "--data"])
        .arg(folder)
        .output()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    if !said.status.success() {
        bail!("{}", String::from_utf8_lossy(&said.stderr).trim());
    }
    Ok(serde_json::from_slice(&said.stdout)?)
}

/// Hears where the hub listens, and then reads on, so that the hub never waits to be read.
fn listen(said: Option<ChildStderr>, tell: oneshot::Sender<SocketAddr>) {
    let mut tell = Some(tell);
    for line in said.into_iter().flat_map(|said| BufReader::new(said).lines()) {
        let Ok(line) = line else { return };
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        let address = line["fields"]["listen"].as_str().and_then(|text| text.parse().ok());
        if let (Some(address), Some(tell)) = (address, tell.take_if(|_| address.is_some())) {
            // Whoever asked may have lost patience.
            let _ = tell.send(address);
        }
    }
}
