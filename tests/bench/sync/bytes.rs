//! Bytes on the line.

use std::collections::HashMap;
use std::io::Write as _;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use prm::db::Db;
use prm::stamp::Stamp;
use serde_json::{Value, json};
use sync_agent::bundle::{self, DELTAS_MAX, Deltas};
use sync_protocol::ledger::{Body, Delta, ENTRIES_MAX, Entry, Key, Mark};

use super::device::Keys;
use super::figure;
use crate::table::Figure;

/// What a booking says, in bytes: two random ids, and about 85 bits of choice among the clinic's own.
const BARE_BOOKING: usize = 41;
/// What a status change says: which record, which status, and when.
const BARE_STATUS: usize = 16 + 1 + 4;
/// Entries of which the average is taken, by how many go together.
const SIZES: [(usize, usize, &str); 3] = [
    (1, 200, "alone"),
    (100, 2_000, "in a bundle of 100"),
    (10_000, 10_000, "of 10,000 that waited"),
];

/// What is told of the log after a number.
pub fn told_since(db: &Db, shown: bundle::Shown, mut after: u64) -> Result<Vec<Entry>> {
    let stamp = Stamp::of_box(Timestamp::now());
    let (how, mut told) = ((shown, Deltas::NotTaken), Vec::new());
    while let Some(stretch) =
        db.read_blocking(|read| bundle::stretch(read, &stamp, how, (after, Mark::START)))?
    {
        after = stretch.through;
        told.extend(stretch.entries);
    }
    Ok(told)
}

/// What an appointment costs when it is booked, and when it is called off, without what every envelope has.
pub fn figures(booked: &[Entry], called_off: &[Entry]) -> Result<Vec<Figure>> {
    let keys = Keys::new()?;
    let frame = keys.sealed(&[])?;
    let mut figures = Vec::new();
    for (what, before, told, goals, bare) in [
        (
            "a booking",
            [].as_slice(),
            booked,
            [("<= 150 B", 150), ("<= 120 B", 120), ("<= 120 B", 120)],
            BARE_BOOKING,
        ),
        ("a status change", booked, called_off, [("<= 50 B", 50); 3], BARE_STATUS),
    ] {
        let (before, told) = (appointments(before), appointments(told));
        for ((each, count, how), (goal, most)) in SIZES.into_iter().zip(goals) {
            let (mut sealed, mut zipped) = (0, 0);
            let told = &told[..count.min(told.len())];
            let short = if each <= DELTAS_MAX { shortened(&before, told) } else { Vec::new() };
            let short: Vec<&Entry> = short.iter().collect();
            let on_the_line = if short.is_empty() { told } else { &short };
            for some in on_the_line.chunks(each) {
                for envelope in some.chunks(ENTRIES_MAX) {
                    sealed += keys.sealed(envelope)? - frame;
                }
            }
            for some in told.chunks(each) {
                zipped += gzipped(some)?;
            }
            let (sealed, zipped) = (sealed / told.len(), zipped / told.len());
            let reference = format!("FHIR JSON + gzip {zipped} B; bare information {bare} B");
            let goal = Some((goal, sealed <= most));
            figures.push(figure(&format!("{what}, {how}"), format!("{sealed} B"), goal, reference));
        }
    }
    figures.push(figure(
        "  what every envelope has besides",
        format!("{frame} B"),
        None,
        String::new(),
    ));
    Ok(figures)
}

fn appointments(told: &[Entry]) -> Vec<&Entry> {
    told.iter().filter(|it| it.key.0.starts_with(b"Appointment/")).collect()
}

/// The same as the box tells them while they are few: what differs from the version before, where that was told.
fn shortened(before: &[&Entry], after: &[&Entry]) -> Vec<Entry> {
    let before: HashMap<&Key, &Body> = before.iter().map(|it| (&it.key, &it.body)).collect();
    let shortened = |entry: &&Entry| {
        let Entry { sequence, key, body } = (*entry).clone();
        let body = match (before.get(&key), &body) {
            (Some(Body::Given(old)), Body::Given(new)) => {
                Delta::between(old, new).map_or(body, Body::Changed)
            }
            _ => body,
        };
        Entry { sequence, key, body }
    };
    after.iter().map(shortened).collect()
}

/// A transaction of FHIR as others send it, packed as HTTP packs.
fn gzipped(entries: &[&Entry]) -> Result<usize> {
    let mut all: Vec<Value> = Vec::new();
    for entry in entries {
        let Body::Given(bytes) = &entry.body else { continue };
        let resource: Value = serde_json::from_slice(bytes)?;
        let url = String::from_utf8_lossy(&entry.key.0).into_owned();
        all.push(
            json!({ "fullUrl": format!("https://clinic.example/fhir/{url}"), "resource": resource,
            "request": { "method": "PUT", "url": url } }),
        );
    }
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": all });
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bundle.to_string().as_bytes())?;
    Ok(gzip.finish()?.len())
}
