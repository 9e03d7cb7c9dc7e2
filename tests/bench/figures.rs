//! The box in figures: what it does in a second, how long things take, what it holds, how all that grows.
//!
//! Called by `cargo xtask bench`, which builds the program and the screens before. Each figure stands beside its goal
//! and beside the same job done by next to nothing in the same run, because a busy machine slows both.

mod bare;
mod client;
mod clinic;
// Of the hub's tests: a server of PostgreSQL that ends with its value.
#[path = "../../sync/hub/tests/hub/cluster.rs"]
#[allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as it should be"
)]
#[expect(dead_code, reason = "tests need more of it")]
mod cluster;
mod fhir;
mod import;
mod laps;
mod load;
mod measure;
mod messages;
mod people;
mod plan;
mod screens;
mod server;
mod sync;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use clinic::Size;
use fhir::Beside;
use measure::{Bench, Effort};
use table::{Figure, say};

const GROUPS: [&str; 15] = [
    "bookings", "mixed", "slots", "search", "check-in", "fhir", "sync", "hub", "lending",
    "messages", "memory", "start", "size", "paint", "import",
];
/// Groups that are measured without a clinic of theirs.
const WITHOUT_CLINIC: [&str; 5] = ["hub", "lending", "paint", "size", "import"];
const USAGE: &str = "\
figures [--quick] [--fresh] [--only GROUP] [--appointments N] [--beside URL [--beside-process PID]]
  --quick           small clinics, short rounds: shows that measuring works, not how quick the box is
  --fresh           makes the kept clinics anew
  --only GROUP      bookings, mixed, slots, search, check-in, fhir, sync, hub, lending, messages, memory, start, size,
                    paint or import, at the largest clinic
  --appointments N  only the clinic of this size
  --beside URL      the base of another FHIR server, empty, to be given the same data and asked the same (group fhir)";

/// What is wanted.
#[derive(Default)]
struct Wanted {
    quick: bool,
    fresh: bool,
    only: Option<String>,
    appointments: Option<usize>,
    beside: Option<String>,
    process: Option<u32>,
}

fn main() -> Result<()> {
    let Some(wanted) = wanted(std::env::args().skip(1))? else {
        say(USAGE);
        return Ok(());
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = target()?;
    let program =
        std::env::var_os("CAREPOST").map_or_else(|| target.join("release/carepost"), PathBuf::from);
    let hub = std::env::var_os("HUB_PROGRAM")
        .map_or_else(|| target.join("release/carepost-hub"), PathBuf::from);
    let data = target.join("bench-data").join(if wanted.quick { "quick" } else { "full" });
    fs::create_dir_all(&data)?;
    let effort = effort(wanted.quick);
    let only = wanted.only.as_deref();
    let mut columns: Vec<(String, Vec<Figure>)> = Vec::new();
    if only.is_none_or(|only| !WITHOUT_CLINIC.contains(&only)) {
        for size in sizes(&wanted) {
            let kept = clinic::kept(&data, size, wanted.fresh)?;
            let copy = data.join("copy");
            clinic::copy(&kept, &copy)?;
            say(&format!(
                "{} appointments, {} patients: measuring",
                size.appointments, size.patients
            ));
            let process = wanted.process;
            let beside = wanted.beside.clone().map(|url| Beside { url, process });
            let bench = Bench { program: &program, data: copy.clone(), effort, only, beside };
            let mut figures = Vec::new();
            if only.is_none_or(|only| !["sync", "messages"].contains(&only)) {
                figures.extend(bench.run()?);
            }
            if only.is_none_or(|only| only == "sync") {
                clinic::copy(&kept, &copy)?;
                figures.extend(sync::measure(&bench, &hub)?);
            }
            if only.is_none_or(|only| only == "messages") {
                clinic::copy(&kept, &copy)?;
                figures.extend(messages::measure(&bench, &hub)?);
            }
            columns.push((grouped(size.appointments), figures));
            fs::remove_dir_all(copy)?;
        }
    }
    let (title, mut figures) = match columns.last() {
        Some((size, figures)) => (format!("The box with {size} appointments"), figures.clone()),
        None => ("The box".to_owned(), Vec::new()),
    };
    if only.is_none_or(|only| only == "hub") {
        figures.extend(sync::hubs(&data.join("hubs"), wanted.quick)?);
    }
    if only.is_none_or(|only| only == "lending") {
        figures.extend(sync::lending());
    }
    if only.is_none_or(|only| only == "size") {
        let bytes = fs::metadata(&program)?.len();
        figures.push(Figure {
            group: "size",
            what: "the program, screens included".into(),
            value: format!("{:.1} MB", bytes as f64 / 1e6),
            goal: None,
            reference: String::new(),
        });
    }
    if only.is_none_or(|only| only == "paint") {
        figures.extend(screens::paint(&program, &root, if wanted.quick { 1 } else { 5 })?);
    }
    if only.is_none_or(|only| only == "import") {
        figures.extend(import::figures(
            &program,
            &data,
            if wanted.quick { 2_000 } else { 100_000 },
        )?);
    }
    if let Some(only) = only {
        figures.retain(|figure| figure.group == only);
    }
    table::figures(&title, &figures);
    if columns.len() > 1 {
        table::growth(&columns);
    }
    Ok(())
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Result<Option<Wanted>> {
    let mut wanted = Wanted::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => wanted.quick = true,
            "--fresh" => wanted.fresh = true,
            "--only" => {
                let group = arguments.next().context(USAGE)?;
                if !GROUPS.contains(&group.as_str()) {
                    bail!("there is no group {group}; the groups are {}", GROUPS.join(", "));
                }
                wanted.only = Some(group);
            }
            "--appointments" => {
                wanted.appointments = Some(arguments.next().context(USAGE)?.parse()?);
            }
            "--beside" => wanted.beside = Some(arguments.next().context(USAGE)?),
            "--beside-process" => {
                wanted.process = Some(arguments.next().context(USAGE)?.parse()?);
            }
            // Cargo says so to every benchmark.
            "--bench" => {}
            "--help" | "-h" => return Ok(None),
            other => bail!("{other} is not known\n{USAGE}"),
        }
    }
    Ok(Some(wanted))
}

/// The clinics, the largest last.
fn sizes(wanted: &Wanted) -> Vec<Size> {
    let (all, practitioners): (&[usize], usize) =
        if wanted.quick { (&[2_000, 4_000], 4) } else { (&[10_000, 100_000, 1_000_000], 20) };
    let size =
        |appointments: usize| Size { appointments, patients: appointments / 5, practitioners };
    match (wanted.appointments, &wanted.only) {
        (Some(appointments), _) => vec![size(appointments)],
        (None, Some(_)) => all.last().map(|appointments| size(*appointments)).into_iter().collect(),
        (None, None) => all.iter().map(|appointments| size(*appointments)).collect(),
    }
}

fn effort(quick: bool) -> Effort {
    if quick {
        let round = Duration::from_millis(500);
        Effort { rounds: 1, round, mixed: 400, times: 20, bookings: 8_000 }
    } else {
        let round = Duration::from_secs(4);
        Effort { rounds: 3, round, mixed: 6_000, times: 100, bookings: 100_000 }
    }
}

/// Cargo's target folder: this program lies in `<target>/release/deps`.
fn target() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder =
        program.ancestors().nth(3).context("this is to be started by `cargo xtask bench`")?;
    Ok(folder.to_path_buf())
}

/// A number with its thousands apart.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
