//! The real program, serving a clinic: started, looked at from outside, stopped.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

/// How long starting may take before it is given up.
const START_MAX: Duration = Duration::from_secs(60);
/// How long checking the whole database may take.
const CHECK_MAX: Duration = Duration::from_secs(600);

/// A box that serves; stopped when it is dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From its start to the first answer that it is ready.
    pub start: Duration,
}

impl Server {
    /// Starts the program with a data folder; what it logs goes to a file in it.
    pub fn start(program: &Path, data: &Path) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let begun = Instant::now();
        let child = Command::new(program)
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(data.join("log"))?)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut server = Self { child, address, start: Duration::ZERO };
        while !ask_ready(address).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            if let Some(status) = server.child.try_wait()? {
                bail!("the box ended with {status}: {}", fs::read_to_string(data.join("log"))?);
            }
            ensure!(begun.elapsed() < START_MAX, "the box is not ready after {START_MAX:?}");
            sleep(Duration::from_millis(1));
        }
        server.start = begun.elapsed();
        Ok(server)
    }

    /// Waits until the check of the whole database that follows a start is through.
    pub fn wait_for_check(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let answer = ask_ready(self.address)?;
            if answer.contains("\"integrity\":\"ok\"") {
                return Ok(());
            }
            ensure!(
                !answer.contains("damaged") && begun.elapsed() < CHECK_MAX,
                "the check of the database did not pass: {answer}"
            );
            sleep(Duration::from_millis(100));
        }
    }

    /// Memory that it holds now, in MB.
    pub fn resident_mb(&self) -> Result<f64> {
        resident_mb(self.child.id())
    }
}

/// Memory that a process holds now, in MB.
pub fn resident_mb(process: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no VmRSS")?;
    Ok(kib.trim().parse::<f64>()? * 1024.0 / 1e6)
}

impl Drop for Server {
    fn drop(&mut self) {
        // As an operator would stop it; it was started here and is waited for here.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn ask_ready(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
