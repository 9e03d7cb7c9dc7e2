//! What the hub is told, in figures: bytes on the line, changes in a second and where the time goes, what a desk notices
//! of it, and how a hub grows with its clinics.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use carepost::http::fhir::told;
use carepost::{app, place};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use prm::appointment;
use prm::change;
use prm::db::Db;
use prm::hub as notes;
use prm::stamp::Stamp;
use serde_json::{Value, json};
use sync_agent::keys::BoxKeys;
use sync_agent::{Agent, Deltas, Prepared, Turn, bundle};
use sync_hub::clock::Clock;
use sync_hub::enroll::{Asking, enroll};
use sync_hub::hub::Hub;
use sync_hub::receive::receive;
use sync_hub::store::{self, Clinic, IfMissing};
use sync_protocol::envelope::{
    Expected, Kind, OpeningKey, Place, Receiver, SealingKey, SigningKey, dictionary, seal,
};
use sync_protocol::ledger::{Body, Bundle, Content, ENTRIES_MAX, Entry, Key, Mark};
use sync_protocol::lineage::LogId;
use sync_protocol::loan::Generation;
use sync_protocol::restore::OnHeld;
use sync_protocol::uplink::{Own, Uplink};
use sync_protocol::wire::{self, Answer, Up};
use tokio::runtime::Builder;
use uuid::Uuid;

use crate::clinic;
use crate::laps::Laps;
use crate::load;
use crate::measure::Bench;
use crate::plan::Plan;
use crate::server::Server;
use crate::table::{Figure, say};

/// Bookings that are told.
const BOOKED: usize = 10_000;
/// Bookings written in one turn of the database.
const AT_ONCE: usize = 500;
/// What a booking says, in bytes: two random ids, and about 85 bits of choice among the clinic's own.
const BARE: usize = 41;
/// Threads that give bundles to a hub.
const THREADS: usize = 4;
/// Bundles that each of the hub's clinics sends, and entries in each.
const BUNDLES: u64 = 4;
const ENTRIES: u64 = 10;

fn figure(
    what: &str,
    value: String,
    goal: Option<(&'static str, bool)>,
    reference: String,
) -> Figure {
    Figure { group: "sync", what: what.into(), value, goal, reference }
}

/// Everything of this group. The clinic is used up.
pub fn measure(bench: &Bench<'_>, hub: &Path) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let here = bench.data.join("hub");
    let db = app::open_db(&bench.data)?;
    let mut plan = Plan::draw(&db, bench.effort.bookings.min(4 * BOOKED))?;
    let before = db.read_blocking(change::last)?.unsigned_abs();
    let booked = book(&db, &mut plan, BOOKED.min(bench.effort.bookings / 4))?;
    figures.extend(bytes(&told_since(&db, before, Deltas::NotTaken)?)?);
    figures.extend(in_process(&db, &bench.data, &here, booked)?);
    db.close();
    drop(db);
    figures.extend(programs(bench, hub, &here, &mut plan)?);
    figures.extend(growth(
        &here,
        if bench.effort.rounds > 1 { &[10, 1_000, 10_000] } else { &[10, 100] },
    )?);
    Ok(figures)
}

/// Books so many, as the desk does; says how many it was.
fn book(db: &Db, plan: &mut Plan, count: usize) -> Result<usize> {
    let mut booked = 0;
    while booked < count {
        let some: Vec<_> = (0..AT_ONCE).map_while(|_| plan.bookings.pop()).collect();
        ensure!(!some.is_empty(), "nothing is left to book");
        booked += db.write_blocking(move |tx| {
            let stamp = Stamp::of_box(Timestamp::now());
            let mut booked = 0;
            for (slot, patient) in some {
                let booking = clinic::booking(stamp.now, slot, patient);
                booked += usize::from(appointment::book(tx, &stamp, booking).is_ok());
            }
            Ok(booked)
        })?;
    }
    Ok(booked)
}

/// What is told of the log after a number.
fn told_since(db: &Db, mut after: u64, deltas: Deltas) -> Result<Vec<Entry>> {
    let how = (told::shown as sync_agent::Shown, deltas);
    let stamp = Stamp::of_box(Timestamp::now());
    let mut told = Vec::new();
    while let Some(stretch) =
        db.read_blocking(|read| bundle::stretch(read, &stamp, how, (after, Mark::START)))?
    {
        after = stretch.through;
        told.extend(stretch.entries);
    }
    Ok(told)
}

/// Bytes of bookings on the line, without what every envelope has.
fn bytes(told: &[Entry]) -> Result<Vec<Figure>> {
    let bookings: Vec<&Entry> =
        told.iter().filter(|it| it.key.0.starts_with(b"Appointment/")).collect();
    let keys = Keys::new()?;
    let frame = keys.sealed(&[])?;
    let per = |each: usize, of: &[&Entry]| -> Result<(usize, usize)> {
        let (mut sealed, mut zipped) = (0, 0);
        for some in of.chunks(each) {
            for envelope in some.chunks(ENTRIES_MAX) {
                sealed += keys.sealed(envelope)? - frame;
            }
            zipped += gzipped(some)?;
        }
        Ok((sealed / of.len(), zipped / of.len()))
    };
    let mut figures = Vec::new();
    for (what, each, count, goal, most) in [
        ("one booking on the line, alone", 1, 200, "<= 150 B", 150),
        ("one booking, in a bundle of 100", 100, 2_000, "<= 120 B", 120),
        ("one booking, of 10,000 that waited", 10_000, 10_000, "<= 120 B", 120),
    ] {
        let (sealed, zipped) = per(each, &bookings[..count.min(bookings.len())])?;
        let reference = format!("FHIR JSON + gzip {zipped} B; bare information {BARE} B");
        figures.push(figure(what, format!("{sealed} B"), Some((goal, sealed <= most)), reference));
    }
    figures.push(figure(
        "  what every envelope has besides",
        format!("{frame} B"),
        None,
        String::new(),
    ));
    Ok(figures)
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

/// Keys of a box, and of the hub that it seals for.
struct Keys {
    sign: SigningKey,
    open: OpeningKey,
}

impl Keys {
    fn new() -> Result<Self> {
        let sign = SigningKey::from_pkcs8(&SigningKey::generate()?)?;
        Ok(Self { sign, open: OpeningKey::generate()? })
    }

    /// The length of a bundle of these, in bytes.
    fn sealed(&self, entries: &[&Entry]) -> Result<usize> {
        let entries: Vec<Entry> = entries.iter().map(|it| (*it).clone()).collect();
        let through = entries.iter().map(|it| it.sequence).max().unwrap_or(1_000_001);
        let after = entries.iter().map(|it| it.sequence).min().unwrap_or(1_000_001) - 1;
        let (before, mark) = (Mark::START.then(b"before"), Mark::START.then(b"after"));
        let content = Content::Stretch { after, before, through, mark, entries };
        let bundle = Bundle { log: LogId([3; 16]), generation: Some(Generation(1)), content };
        let body = wire::write(&Up { bundle, capabilities: vec!["ledger/1".into()] })?;
        let place = Place {
            kind: Kind::Bundle,
            clinic: [1; 16],
            box_id: [2; 16],
            log: LogId([3; 16]),
            after,
            through,
        };
        Ok(seal(&place, &body, &self.sign, &self.open.sealing_key(), Some(&dictionary::first()))?
            .len())
    }
}

/// A clinic with a code of its own at a hub.
fn add(hub: &Hub, name: &str) -> Result<([u8; 16], String)> {
    let id = Uuid::new_v4().into_bytes();
    let wrapped_key = hub.keys.vault.make_clinic_key(id)?;
    let (name, added_at) = (name.to_owned(), hub.clock.now_ms());
    let clinic = Clinic { id, name, wrapped_key, added_at, life: 0 };
    hub.store.write(id, |tx| store::add_clinic(tx, &clinic))?;
    Ok((id, sync_hub::code::give(hub, id, 3_600_000)?.0))
}

/// Everything is told to a hub in this process, then what was booked after that; and where the time goes.
fn in_process(db: &Db, data: &Path, here: &Path, booked: usize) -> Result<Vec<Figure>> {
    let hub = Hub::open(&here.join("inside"), IfMissing::Make, Clock::System)?;
    let (_, code) = add(&hub, "Bench")?;
    let keys = BoxKeys::ensure(&place::keys(data))?;
    let asking = Asking {
        code,
        sign: keys.signing.verifying_key(),
        seal: keys.opening.sealing_key(),
        hardware: "bench".into(),
        name: "bench".into(),
        log: None,
        on_held: OnHeld::Refuse,
    };
    let joined = enroll(&hub, &asking)?;
    let now = Timestamp::now();
    let noted = notes::Hub {
        url: "http://127.0.0.1:9".into(),
        clinic: joined.clinic,
        box_id: joined.box_id,
        clinic_name: joined.clinic_name,
        verifying_key: hub.keys.sign.verifying_key().0,
        sealing_key: hub.keys.seal.sealing_key().bytes(),
        enrolled_at: now,
    };
    let generation = i64::try_from(joined.generation.0)?;
    db.write_blocking(move |tx| {
        notes::join(tx, &Stamp::of_box(now), &noted, (Some(generation), false))
    })?;
    let mut agent = Agent::new(db.clone(), place::keys(data), told::shown);
    let all = tell(&mut agent, &hub)?;
    let records = hub.store.read(joined.clinic, |tx| store::record_count(tx, joined.clinic))?;
    say(&format!("  a hub in this process was told {records} records"));
    let mut figures = vec![all.figure("all records, for the first time", records)];
    // What waits: one change for each of so many records.
    let waiting = edit_all(db, 10 * booked)?;
    figures.push(tell(&mut agent, &hub)?.figure("changes that waited", waiting));
    Ok(figures)
}

/// Changes so many patients, one after the other.
fn edit_all(db: &Db, count: usize) -> Result<u64> {
    let stamp = Stamp::of_box(Timestamp::now());
    let mut changed = 0;
    let mut after = None;
    let mut round = 0;
    while changed < count {
        let at = after;
        let ids = db.read_blocking(move |read| {
            prm::statement::ids(read, &stamp, prm::id::Noun::Patient, at, AT_ONCE)
        })?;
        let Some(last) = ids.last() else {
            (after, round) = (None, round + 1);
            continue;
        };
        after = Some(*last);
        changed += db.write_blocking(move |tx| {
            let mut changed = 0;
            for id in ids {
                let id = prm::id::PatientId::from_bytes(id.into_bytes());
                let email = Some(Some(format!("round{round}@example.org")));
                let edit = prm::patient::Edit { email, ..prm::patient::Edit::default() };
                changed += usize::from(prm::patient::edit(tx, &stamp, id, None, edit).is_ok());
            }
            Ok(changed)
        })?;
    }
    Ok(u64::try_from(changed)?)
}

/// How long telling took, and its parts.
#[derive(Default)]
struct Told {
    bundles: u32,
    bytes: usize,
    prepare: Duration,
    receive: Duration,
    hear: Duration,
}

impl Told {
    fn figure(&self, what: &str, count: u64) -> Figure {
        let all = (self.prepare + self.receive + self.hear).as_secs_f64();
        let share = |it: Duration| 100.0 * it.as_secs_f64() / all;
        let value = format!(
            "{:.0}/s: read, map and seal {:.0} %, open, check and store {:.0} %, note {:.0} %",
            count as f64 / all,
            share(self.prepare),
            share(self.receive),
            share(self.hear)
        );
        let reference = format!(
            "{count} in {} bundles, {} B each",
            self.bundles,
            self.bytes as u64 / count.max(1)
        );
        figure(&format!("{what}, told to a hub in the same process"), value, None, reference)
    }
}

/// Tells everything that is to be told.
fn tell(agent: &mut Agent, hub: &Hub) -> Result<Told> {
    let mut told = Told::default();
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        loop {
            let begun = Instant::now();
            let Prepared::Bundle(sealed) = agent.prepare(Timestamp::now()).await? else {
                return Ok(told);
            };
            told.prepare += begun.elapsed();
            let begun = Instant::now();
            let answer = receive(hub, &sealed.envelope)?;
            told.receive += begun.elapsed();
            told.bundles += 1;
            told.bytes += sealed.envelope.len();
            let begun = Instant::now();
            let turn = agent.hear(*sealed, &answer, Timestamp::now()).await?;
            told.hear += begun.elapsed();
            match turn {
                Turn::Told { more: true, pause_ms: _ } => {}
                Turn::Told { more: false, pause_ms: _ } | Turn::Idle => return Ok(told),
                Turn::Alone | Turn::Stopped(_) | Turn::Replacing => {
                    anyhow::bail!("the hub is not told: {turn:?}")
                }
            }
        }
    })
}

/// A hub that serves; stopped when it is dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The real programs over loopback: all records, and what a desk notices meanwhile.
fn programs(bench: &Bench<'_>, hub: &Path, here: &Path, plan: &mut Plan) -> Result<Vec<Figure>> {
    let folder = here.join("outside");
    let quiet = |command: &mut Command| -> Result<String> {
        let out = command.stderr(Stdio::null()).output()?;
        ensure!(out.status.success(), "{command:?} ended with {}", out.status);
        Ok(String::from_utf8(out.stdout)?.trim().to_owned())
    };
    let code = quiet(Command::new(hub).args(["clinic", "add", "Bench", "--data"]).arg(&folder))?;
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let child = Command::new(hub)
        .args(["serve", "--listen", &address.to_string(), "--data"])
        .arg(&folder)
        .stderr(Stdio::null())
        .spawn()?;
    let _serving = Serving(child);
    let server = Server::start(bench.program, &bench.data)?;
    server.wait_for_check()?;
    let times = 10 * bench.effort.times;
    let asks = |plan: &mut Plan| (0..times).map(|_| plan.ask_booking()).collect::<Result<Vec<_>>>();
    let (alone, _) = load::one_by_one(server.address, &plan.desk.clone(), asks(plan)?)?;
    let url = format!("http://{address}");
    let arguments = ["enroll", "--hub", &url, "--code", &code, "--data"];
    quiet(Command::new(bench.program).args(arguments).arg(&bench.data))?;
    let begun = Instant::now();
    let records = || -> Result<u64> {
        let status = quiet(
            Command::new(hub).args(["clinic", "status", "Bench", "--json", "--data"]).arg(&folder),
        )?;
        Ok(serde_json::from_str::<Value>(&status)?["records"].as_u64().unwrap_or(0))
    };
    while records()? == 0 {
        thread::sleep(Duration::from_millis(20));
        ensure!(begun.elapsed() < Duration::from_secs(60), "the box does not begin to tell");
    }
    let (during, _) = load::one_by_one(server.address, &plan.desk.clone(), asks(plan)?)?;
    let told_then = records()?;
    let mut figures = vec![figure(
        "a booking, one by one, while all records are told",
        during.text(),
        None,
        format!("while nothing is told {}", alone.text()),
    )];
    let whole = || -> Result<bool> {
        let arguments = ["sync", "status", "--json", "--data"];
        let status = quiet(Command::new(bench.program).args(arguments).arg(&bench.data))?;
        let status: Value = serde_json::from_str(&status)?;
        Ok(status["whole"] == true && status["waiting"] == 0)
    };
    let from = Instant::now();
    while !whole()? {
        thread::sleep(Duration::from_millis(200));
        ensure!(from.elapsed() < Duration::from_secs(1_800), "the box does not come to an end");
    }
    let rate = (records()? - told_then) as f64 / from.elapsed().as_secs_f64();
    figures.push(figure(
        "all records, told over loopback",
        format!("{rate:.0}/s"),
        None,
        format!("the box holds {:.0} MB then", server.resident_mb()?),
    ));
    Ok(figures)
}

/// A box of the protocol alone, with its keys.
struct Device {
    clinic: [u8; 16],
    box_id: [u8; 16],
    keys: Keys,
    uplink: Uplink,
    hub: SealingKey,
}

/// Hubs with more and more clinics: bundles in a second.
fn growth(here: &Path, sizes: &[usize]) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for clinics in sizes {
        say(&format!("  a hub with {clinics} clinics"));
        let folder = here.join(format!("of{clinics}"));
        let hub = Arc::new(Hub::open(&folder, IfMissing::Make, Clock::System)?);
        let devices =
            (0..*clinics).map(|nth| Device::join(&hub, nth)).collect::<Result<Vec<_>>>()?;
        let (next, begun) = (AtomicUsize::new(0), Instant::now());
        let laps = thread::scope(|scope| -> Result<Laps> {
            let work = || -> Result<Laps> {
                let mut laps = Laps::default();
                while let Some(device) = devices.get(next.fetch_add(1, Ordering::Relaxed)) {
                    device.tell(&hub, &mut laps)?;
                }
                Ok(laps)
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
            let mut all = Laps::default();
            for thread in threads {
                all.append(thread.join().map_err(|_| anyhow::anyhow!("a thread broke"))??);
            }
            Ok(all)
        })?;
        let bundles = devices.len() as u64 * (BUNDLES + 2);
        let rate = bundles as f64 / begun.elapsed().as_secs_f64();
        figures.push(figure(
            &format!("a hub with {clinics} clinics, bundles of {ENTRIES}"),
            format!("{rate:.0}/s, {}", laps.text()),
            None,
            "SQLite".into(),
        ));
        fs::remove_dir_all(folder)?;
    }
    Ok(figures)
}

impl Device {
    fn join(hub: &Hub, nth: usize) -> Result<Self> {
        let (_, code) = add(hub, &format!("Clinic {nth}"))?;
        let keys = Keys::new()?;
        let asking = Asking {
            code,
            sign: keys.sign.verifying_key(),
            seal: keys.open.sealing_key(),
            hardware: format!("hardware {nth}"),
            name: "box".into(),
            log: None,
            on_held: OnHeld::Refuse,
        };
        let joined = enroll(hub, &asking)?;
        let (clinic, box_id) = (joined.clinic, joined.box_id);
        let uplink = Uplink::new(LogId(Uuid::new_v4().into_bytes()));
        Ok(Self { clinic, box_id, keys, uplink, hub: hub.keys.seal.sealing_key() })
    }

    /// Asks, states that there is nothing, and tells a few stretches.
    fn tell(&self, hub: &Hub, laps: &mut Laps) -> Result<()> {
        let mut uplink = self.uplink.clone();
        let nothing = Content::Statement {
            as_of: 0,
            mark: Mark::START,
            from: None,
            last: true,
            entries: Vec::new(),
        };
        let mut contents = vec![(Content::Ask, Mark::START), (nothing, Mark::START)];
        let mut before = Mark::START;
        for nth in 0..BUNDLES {
            let (after, through) = (nth * ENTRIES, (nth + 1) * ENTRIES);
            let entries = (after + 1..=through).map(|sequence| {
                let id = Uuid::from_u128(u128::from(sequence));
                let patient = json!({ "resourceType": "Patient", "id": id, "name": [{ "text": "Asha Rao" }],
                    "birthDate": "1984-05-02", "telecom": [{ "system": "phone", "value": "+919844111173" }] });
                let key = Key(format!("Patient/{id}").into_bytes());
                Entry { sequence, key, body: Body::Given(patient.to_string().into_bytes()) }
            });
            let mark = before.then(&nth.to_be_bytes());
            contents.push((
                Content::Stretch { after, before, through, mark, entries: entries.collect() },
                mark,
            ));
            before = mark;
        }
        for (content, mark) in contents {
            let (after, through) = match &content {
                Content::Stretch { after, through, .. } => (*after, *through),
                Content::Ask | Content::Forked { .. } | Content::Statement { .. } => (0, 0),
            };
            let bundle = Bundle { log: uplink.log, generation: uplink.generation, content };
            let Self { clinic, box_id, .. } = *self;
            let place =
                Place { kind: Kind::Bundle, clinic, box_id, log: uplink.log, after, through };
            let body = wire::write(&Up { bundle, capabilities: Vec::new() })?;
            let envelope =
                seal(&place, &body, &self.keys.sign, &self.hub, Some(&dictionary::first()))?;
            let begun = Instant::now();
            let answer = receive(hub, &envelope)?;
            laps.add(begun.elapsed());
            let mut receiver = Receiver::default();
            receiver.open_with(OpeningKey::from_bytes(self.keys.open.bytes())?)?;
            receiver.believe(hub.keys.sign.verifying_key())?;
            let opened =
                receiver.open(&answer, &Expected { kind: Kind::Receipt, clinic, box_id })?;
            let receipt = wire::read::<Answer>(&opened.body)?.receipt;
            uplink = uplink.hear(&receipt, |_| Own::Mark(mark));
        }
        Ok(())
    }
}
