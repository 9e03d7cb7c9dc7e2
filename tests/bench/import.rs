//! Files taken and written by the program: how many resources a second, and the most memory it held.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::people::population;
use crate::table::{Figure, say};

/// Resources of a patient: the patient, visits, and what was found at each.
const OF_A_PATIENT: usize = 20;
/// What is found at a visit.
const OF_A_VISIT: usize = 4;
/// How often it is looked how much memory the program holds.
const LOOK: Duration = Duration::from_millis(50);

/// Imports so many resources into a new box, imports them again, and exports them.
pub fn figures(program: &Path, folder: &Path, count: usize) -> Result<Vec<Figure>> {
    let here = folder.join("import");
    let _ = fs::remove_dir_all(&here);
    fs::create_dir_all(&here)?;
    let file = here.join("all.ndjson");
    say(&format!("{count} resources: writing them to a file"));
    generate(&file, count)?;
    let reference = format!("{:.0} lines/s read as JSON", parsed(&file)?);
    let data = here.join("box");
    let arguments = ["init", "--name", "Bench", "--timezone", "Asia/Kolkata", "--data"];
    let made = Command::new(program).args(arguments).arg(&data).stdout(Stdio::null()).status()?;
    ensure!(made.success(), "the box could not be made");
    let mut all = Vec::new();
    let out = here.join("out");
    let import = ["import".as_ref(), file.as_os_str()];
    let export = ["export".as_ref(), "--out".as_ref(), out.as_os_str()];
    for (what, arguments) in
        [("imported", &import[..]), ("imported again", &import), ("exported", &export)]
    {
        say(&format!("{count} resources: {what}"));
        let mut command = Command::new(program);
        let (seconds, most) = run(command.args(arguments).arg("--data").arg(&data))?;
        let figure = |what: String, value: String, reference: &str| Figure {
            group: "import",
            what,
            value,
            goal: None,
            reference: reference.to_owned(),
        };
        let speed = format!("{:.0}/s", count as f64 / seconds);
        all.push(figure(format!("{count} resources {what}"), speed, &reference));
        all.push(figure("  the most memory".into(), format!("{most:.0} MB"), ""));
    }
    fs::remove_dir_all(here)?;
    Ok(all)
}

/// Runs a command to its end; how many seconds it took, and the most memory it held in MB.
fn run(command: &mut Command) -> Result<(f64, f64)> {
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut most = 0.0_f64;
    let status = loop {
        if let Ok(status) = fs::read_to_string(format!("/proc/{}/status", child.id()))
            && let Some(line) = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))
        {
            let kib = line.trim().trim_end_matches(" kB").parse::<f64>()?;
            most = most.max(kib * 1024.0 / 1e6);
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        sleep(LOOK);
    };
    ensure!(status.success(), "the program ended with {status}");
    Ok((begun.elapsed().as_secs_f64(), most))
}

/// Lines of a file that are read and understood as JSON in a second, and no more than that.
fn parsed(file: &Path) -> Result<f64> {
    let begun = Instant::now();
    let mut lines = 0_u32;
    for line in BufReader::new(File::open(file)?).lines() {
        let value: Value = serde_json::from_str(&line?)?;
        lines += u32::from(value.is_object());
    }
    Ok(f64::from(lines) / begun.elapsed().as_secs_f64())
}

/// Writes patients, their visits and what was found to a file.
fn generate(file: &Path, count: usize) -> Result<()> {
    let mut rng = Rng::with_seed(5);
    let mut out = BufWriter::new(File::create(file).context("the file cannot be made")?);
    let mut written = 0;
    let mut people = population(&mut rng, count.div_ceil(OF_A_PATIENT)).into_iter();
    while written < count {
        let person = people.next().context("there are as many people as are needed")?;
        let number = written / OF_A_PATIENT;
        for nth in 0..OF_A_PATIENT.min(count - written) {
            let visit = nth.saturating_sub(1) / (OF_A_VISIT + 1);
            let subject = json!({ "reference": format!("Patient/p{number}") });
            let resource = if nth == 0 {
                json!({ "resourceType": "Patient", "id": format!("p{number}"),
                    "identifier": [{ "system": "urn:mrn", "value": number.to_string() }],
                    "name": [{ "text": person.name }], "birthDate": person.birth_date,
                    "gender": person.sex,
                    "telecom": person.phones.iter()
                        .map(|phone| json!({ "system": "phone", "value": phone.number }))
                        .collect::<Vec<_>>() })
            } else if (nth - 1) % (OF_A_VISIT + 1) == 0 {
                json!({ "resourceType": "Encounter", "id": format!("e{number}-{visit}"),
                    "status": "finished", "class": { "code": "AMB" }, "subject": subject,
                    "period": { "start": "2026-03-02T10:00:00+05:30" } })
            } else {
                json!({ "resourceType": "Observation", "id": format!("o{number}-{nth}"),
                    "status": "final", "subject": subject,
                    "encounter": { "reference": format!("Encounter/e{number}-{visit}") },
                    "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4",
                                           "display": "Heart rate" }] },
                    "effectiveDateTime": "2026-03-02T10:05:00+05:30",
                    "valueQuantity": { "value": rng.u32(50..120), "unit": "beats/minute",
                        "system": "http://unitsofmeasure.org", "code": "/min" } })
            };
            writeln!(out, "{resource}")?;
            written += 1;
        }
    }
    out.flush()?;
    Ok(())
}
