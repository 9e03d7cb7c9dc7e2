//! The real programs over loopback: all records, then changes that waited, and what a desk notices meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use carepost::app;
use serde_json::Value;

use super::{edit_all, figure};
use crate::client::Ask;
use crate::laps::Laps;
use crate::load;
use crate::measure::Bench;
use crate::plan::Plan;
use crate::server::{Server, resident_mb};
use crate::table::{Figure, say};

/// How much the hub stands back: in truth it is another machine.
const STANDS_BACK: &str = "5";
/// How long all records may take.
const TELLING_MAX: Duration = Duration::from_secs(1_800);
/// Between two looks at what is told.
const LOOK: Duration = Duration::from_millis(100);

/// A hub that serves; stopped when it is dropped.
struct Serving {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command says, which is to end well.
pub fn said_by(command: &mut Command) -> Result<String> {
    let out = command.stderr(Stdio::null()).output()?;
    ensure!(out.status.success(), "{command:?} ended with {}", out.status);
    Ok(String::from_utf8(out.stdout)?.trim().to_owned())
}

/// Joins a box to a hub.
pub fn enroll(bench: &Bench<'_>, url: &str, code: &str) -> Result<()> {
    let arguments = ["enroll", "--hub", url, "--code", code, "--data"];
    said_by(Command::new(bench.program).args(arguments).arg(&bench.data)).map(drop)
}

/// What the box says of its sync.
pub fn sync_of(server: &Server, desk: &str) -> Result<Value> {
    let ask = Ask::get("sync", "sync".to_owned());
    let (_, body) = load::once(server.address, desk, ask)?;
    Ok(serde_json::from_slice(&body)?)
}

/// Whether the hub holds everything.
pub fn is_told(server: &Server, desk: &str) -> Result<bool> {
    let sync = sync_of(server, desk)?;
    Ok(sync["whole"] == true && sync["waiting"] == 0)
}

fn serve(hub: &Path, here: &Path) -> Result<(Serving, String)> {
    let folder = here.join("outside");
    let add = ["clinic", "add", "Bench", "--data"];
    let code = said_by(Command::new(hub).args(add).arg(&folder))?;
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let child = Command::new("nice")
        .args(["-n", STANDS_BACK])
        .arg(hub)
        .args(["serve", "--listen", &address.to_string(), "--data"])
        .arg(&folder)
        .stderr(Stdio::null())
        .spawn()?;
    Ok((Serving { child, folder, url: format!("http://{address}") }, code))
}

impl Serving {
    fn records(&self, hub: &Path) -> Result<u64> {
        let arguments = ["clinic", "status", "Bench", "--json", "--data"];
        let status = said_by(Command::new(hub).args(arguments).arg(&self.folder))?;
        Ok(serde_json::from_str::<Value>(&status)?["records"].as_u64().unwrap_or(0))
    }
}

/// Books one by one as long as something is told; answers how long each took, how long telling took, and
/// the most memory that the box held, in MB.
fn book_until_told(server: &Server, plan: &mut Plan) -> Result<(Laps, Duration, f64)> {
    let (begun, desk, is_over) = (Instant::now(), plan.desk.clone(), AtomicBool::new(false));
    thread::scope(|scope| {
        let watching = scope.spawn(|| -> Result<(Duration, f64)> {
            let mut most: f64 = 0.0;
            let watched = loop {
                most = most.max(server.resident_mb()?);
                match is_told(server, &desk) {
                    Ok(false) if begun.elapsed() < TELLING_MAX => thread::sleep(LOOK),
                    Ok(false) => break Err(anyhow::anyhow!("the box does not come to an end")),
                    Ok(true) => break Ok((begun.elapsed(), most)),
                    Err(error) => break Err(error),
                }
            };
            is_over.store(true, Ordering::Relaxed);
            watched
        });
        // So many are left for what follows.
        let left = plan.bookings.len() / 2;
        let mut laps = Laps::default();
        while !is_over.load(Ordering::Relaxed) && plan.bookings.len() > left {
            let some = (0..50).map(|_| plan.ask_booking()).collect::<Result<Vec<_>>>()?;
            laps.append(load::one_by_one(server.address, &desk, some)?.0);
        }
        let watched = watching.join().map_err(|_| anyhow::anyhow!("a thread broke"))?;
        let (took, most) = watched?;
        Ok((laps, took, most))
    })
}

/// Everything of this kind.
pub fn figures(
    bench: &Bench<'_>,
    hub: &Path,
    here: &Path,
    plan: &mut Plan,
    waiting: usize,
) -> Result<Vec<Figure>> {
    say("  the programs over loopback");
    // What is lent would be refused to the desk, and be no booking.
    let settings = bench.data.join("carepost.toml");
    ensure!(!settings.exists(), "{} is in the way", settings.display());
    fs::write(&settings, "[loans]\nshare_percent = 0\n")?;
    let (serving, code) = serve(hub, here)?;
    let server = Server::start(bench.program, &bench.data)?;
    server.wait_for_check()?;
    let times = 10 * bench.effort.times;
    let asks = (0..times).map(|_| plan.ask_booking()).collect::<Result<Vec<_>>>()?;
    let (alone, _) = load::one_by_one(server.address, &plan.desk.clone(), asks)?;
    let at_rest = server.resident_mb()?;
    enroll(bench, &serving.url, &code)?;
    let desk = plan.desk.clone();
    let begun = Instant::now();
    while sync_of(&server, &desk)?["receipt_at"].is_null() {
        thread::sleep(LOOK);
        ensure!(begun.elapsed() < Duration::from_secs(60), "the box does not begin to tell");
    }
    let (during, took, most) = book_until_told(&server, plan)?;
    let records = serving.records(hub)?;
    let rate = records as f64 / took.as_secs_f64();
    let reference = format!("while nothing is told {}", alone.text());
    let mut figures = vec![
        figure(
            "all records, told over loopback while the desk books",
            format!("{rate:.0}/s: {:.0} s for {records}", took.as_secs_f64()),
            None,
            format!("the box held {at_rest:.0} MB before, {most:.0} MB at the most"),
        ),
        figure(
            &format!("  a booking meanwhile, one by one ({} of them)", during.count()),
            during.text(),
            Some(("p99 <= 2x", during.ms(99) <= 2.0 * alone.ms(99))),
            reference.clone(),
        ),
    ];
    drop(server);
    let db = app::open_db(&bench.data)?;
    let changes = edit_all(&db, waiting)?;
    db.close();
    drop(db);
    let server = Server::start(bench.program, &bench.data)?;
    let (during, took, most) = book_until_told(&server, plan)?;
    let rate = changes as f64 / took.as_secs_f64();
    figures.extend([
        figure(
            "changes that waited, told over loopback while the desk books",
            format!("{rate:.0}/s: {:.1} s for {changes}", took.as_secs_f64()),
            None,
            format!(
                "the box held {most:.0} MB at the most, the hub {:.0} MB",
                resident_mb(serving.child.id())?
            ),
        ),
        figure(
            &format!("  a booking meanwhile, one by one ({} of them)", during.count()),
            during.text(),
            Some(("p99 <= 2x", during.ms(99) <= 2.0 * alone.ms(99))),
            reference,
        ),
    ]);
    fs::remove_file(settings)?;
    Ok(figures)
}
