//! Hubs with more and more clinics, on SQLite and on PostgreSQL: bundles in a second, and memory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};
use sync_hub::clock::Clock;
use sync_hub::hub::Hub;
use sync_hub::store::IfMissing;

use super::device::{BUNDLES, Device, ENTRIES};
use super::figure;
use crate::cluster::Cluster;
use crate::laps::Laps;
use crate::server::resident_mb;
use crate::table::{Figure, say};

/// Threads that give bundles to a hub.
const THREADS: usize = 4;
/// Clinics that speak while it is measured; all of them have joined.
const SPEAKING_MAX: usize = 1_000;
/// A server for many clinics, still a small one.
const SERVER: [&str; 3] = ["listen_addresses=", "shared_buffers=256MB", "max_connections=60"];
/// The port of a server that listens to nothing but a socket in its folder.
const PORT: u16 = 5432;

/// Hubs of so many clinics.
pub fn figures(here: &Path, sizes: &[usize]) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for clinics in sizes {
        for of in ["SQLite", "PostgreSQL"] {
            say(&format!("  a hub with {clinics} clinics on {of}"));
            let folder = here.join(format!("of{clinics}"));
            let cluster = (of == "PostgreSQL").then(|| Cluster::start_as(&SERVER, PORT, |_| {}));
            let hub = match &cluster {
                None => Hub::open(&folder, IfMissing::Make, Clock::System)?,
                Some(cluster) => {
                    let address = cluster.address("hub", "carepost").parse()?;
                    Hub::open_with(&folder, &address, IfMissing::Make, Clock::System)?
                }
            };
            figures.push(of_hub(&Arc::new(hub), *clinics, of)?);
            std::fs::remove_dir_all(folder)?;
        }
    }
    Ok(figures)
}

fn of_hub(hub: &Arc<Hub>, clinics: usize, of: &str) -> Result<Figure> {
    let begun = Instant::now();
    let devices = (0..clinics).map(|nth| Device::join(hub, nth)).collect::<Result<Vec<_>>>()?;
    let joined = clinics as f64 / begun.elapsed().as_secs_f64();
    let before = resident_mb(std::process::id())?;
    // Not the first that joined, but some of all.
    let speaking: Vec<&Device> = devices.iter().step_by(clinics.div_ceil(SPEAKING_MAX)).collect();
    let (next, begun) = (AtomicUsize::new(0), Instant::now());
    let laps = thread::scope(|scope| -> Result<Laps> {
        let work = || -> Result<Laps> {
            let mut laps = Laps::default();
            while let Some(device) = speaking.get(next.fetch_add(1, Ordering::Relaxed)) {
                device.tell(hub, &mut laps)?;
            }
            Ok(laps)
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let mut all = Laps::default();
        for thread in threads {
            all.append(thread.join().map_err(|_| anyhow!("a thread broke"))??);
        }
        Ok(all)
    })?;
    let bundles = speaking.len() as u64 * (BUNDLES + 2);
    let rate = bundles as f64 / begun.elapsed().as_secs_f64();
    let after = resident_mb(std::process::id())?;
    let figure = figure(
        &format!("a hub with {clinics} clinics on {of}, bundles of {ENTRIES}"),
        format!("{rate:.0}/s, {}", laps.text()),
        None,
        format!("{joined:.0} joined/s; the process held {before:.0} MB, then {after:.0} MB"),
    );
    Ok(Figure { group: "hub", ..figure })
}
