//! What a box in this process tells a hub in this process, and where the time goes.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use carepost::http::fhir::told;
use carepost::place;
use fhir::Resource;
use jiff::Timestamp;
use prm::change;
use prm::db::{Db, Read};
use prm::hub as notes;
use prm::stamp::Stamp;
use sync_agent::keys::BoxKeys;
use sync_agent::{Agent, Prepared, Turn};
use sync_hub::clock::Clock;
use sync_hub::enroll::{Asking, enroll};
use sync_hub::examine::examine;
use sync_hub::hub::Hub;
use sync_hub::receive::receive;
use sync_hub::store::{self, IfMissing};
use sync_protocol::envelope::{Expected, Kind, OpeningKey, Receiver, dictionary};
use sync_protocol::restore::OnHeld;
use sync_protocol::wire::{self, Up};
use tokio::runtime::Builder;
use uuid::Uuid;

use super::bytes::told_since;
use super::{add, edit_all, figure};
use crate::table::{Figure, say};

/// Nanoseconds for which records were read and made into resources.
static SHOWN_NS: AtomicU64 = AtomicU64::new(0);

/// As the box shows a record to its hub, and how long that takes.
fn shown(
    read: &Read<'_>,
    stamp: &Stamp,
    kind: &str,
    id: Uuid,
    version: Option<i64>,
) -> prm::error::Result<Option<Resource>> {
    let begun = Instant::now();
    let found = told::shown(read, stamp, kind, id, version);
    let took = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
    SHOWN_NS.fetch_add(took, Ordering::Relaxed);
    found
}

/// How long telling took, and its parts.
#[derive(Default)]
struct Told {
    envelopes: Vec<Vec<u8>>,
    prepare: Duration,
    receive: Duration,
    hear: Duration,
}

/// Parts of the whole, each with its name.
type Shares = Vec<(&'static str, Duration)>;

/// Everything is told, then so many changes that waited.
pub fn figures(db: &Db, data: &Path, here: &Path, waiting: usize) -> Result<Vec<Figure>> {
    let hub = Hub::open(&here.join("inside"), IfMissing::Make, Clock::System)?;
    let keys = BoxKeys::ensure(&place::keys(data))?;
    let clinic = join(db, &hub, &keys)?;
    let mut agent = Agent::new(db.clone(), place::keys(data), shown);
    let all = tell(&mut agent, &hub)?;
    let records = hub.store.read(clinic, |tx| store::record_count(tx, clinic))?;
    say(&format!("  a hub in this process was told {records} records"));
    let parts = all.parts(None);
    let mut figures = vec![all.figure("all records, for the first time", records, &parts)];
    let before = db.read_blocking(change::last)?.unsigned_abs();
    let changes = edit_all(db, waiting)?;
    SHOWN_NS.store(0, Ordering::Relaxed);
    let told = tell(&mut agent, &hub)?;
    let mapped = Duration::from_nanos(SHOWN_NS.load(Ordering::Relaxed));
    // The same again without the hub: what it takes to read the log and to make bundles of it.
    let begun = Instant::now();
    told_since(db, shown, before)?;
    let gathered = begun.elapsed();
    let opened = told.opened(&hub, clinic, &keys)?;
    let parts = told.parts(Some((mapped, gathered, opened)));
    figures.push(told.figure("changes that waited", changes, &parts));
    Ok(figures)
}

/// The box joins the hub, as by a code.
fn join(db: &Db, hub: &Hub, keys: &BoxKeys) -> Result<[u8; 16]> {
    let (clinic, code) = add(hub, "Bench")?;
    let asking = Asking {
        code,
        sign: keys.signing.verifying_key(),
        seal: keys.opening.sealing_key(),
        hardware: "bench".into(),
        name: "bench".into(),
        log: None,
        on_held: OnHeld::Refuse,
    };
    let joined = enroll(hub, &asking)?;
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
        let stamp = Stamp::of_box(now);
        let box_id = noted.box_id;
        notes::join(tx, &stamp, &noted, (Some(generation), false))?;
        // A new clinic has sold nothing.
        let log = change::log_id(tx)?;
        notes::has_learned(tx, &stamp, &notes::Learned { log, box_id, generation })
    })?;
    Ok(clinic)
}

impl Told {
    /// What opening the bundles and looking at their entries takes the hub.
    fn opened(&self, hub: &Hub, clinic: [u8; 16], keys: &BoxKeys) -> Result<(Duration, Duration)> {
        let (mut open, mut check) = (Duration::ZERO, Duration::ZERO);
        let enrolled = hub.store.read(clinic, |tx| store::enrolled(tx, clinic))?;
        let box_id = enrolled.context("the box has joined")?.id;
        for envelope in &self.envelopes {
            let begun = Instant::now();
            let mut receiver = Receiver::default();
            receiver.open_with(OpeningKey::from_bytes(hub.keys.seal.bytes())?)?;
            receiver.believe(keys.signing.verifying_key())?;
            receiver.unpack_with(dictionary::first())?;
            let opened =
                receiver.open(envelope, &Expected { kind: Kind::Bundle, clinic, box_id })?;
            let up: Up = wire::read(&opened.body)?;
            open += begun.elapsed();
            let begun = Instant::now();
            let wrong = up.bundle.entries().iter().filter(|it| examine(it).is_err()).count();
            check += begun.elapsed();
            anyhow::ensure!(wrong == 0, "the hub would not take {wrong} entries");
        }
        Ok((open, check))
    }

    fn parts(&self, finer: Option<(Duration, Duration, (Duration, Duration))>) -> Shares {
        let Self { prepare, receive, hear, .. } = *self;
        match finer {
            None => vec![
                ("read, map and seal", prepare),
                ("open, check and store", receive),
                ("note", hear),
            ],
            Some((mapped, gathered, (opened, checked))) => vec![
                ("read and map", mapped),
                ("log and JSON", gathered.saturating_sub(mapped)),
                ("pack and seal", prepare.saturating_sub(gathered)),
                ("open", opened),
                ("check", checked),
                ("encrypt and SQLite", receive.saturating_sub(opened + checked)),
                ("note", hear),
            ],
        }
    }

    fn figure(&self, what: &str, count: u64, parts: &Shares) -> Figure {
        let all = (self.prepare + self.receive + self.hear).as_secs_f64();
        let share = |(name, part): &(&str, Duration)| {
            format!("{name} {:.0} %", 100.0 * part.as_secs_f64() / all)
        };
        let shares: Vec<String> = parts.iter().map(share).collect();
        let value = format!("{:.0}/s: {}", count as f64 / all, shares.join(", "));
        let bytes: usize = self.envelopes.iter().map(Vec::len).sum();
        let each = bytes as u64 / count.max(1);
        let reference = format!("{count} in {} bundles, {each} B each", self.envelopes.len());
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
            told.envelopes.push(sealed.envelope.clone());
            let begun = Instant::now();
            let turn = agent.hear(*sealed, &answer, Timestamp::now()).await?;
            told.hear += begun.elapsed();
            match turn {
                Turn::Told { more: true, pause_ms: _ } => {}
                Turn::Told { more: false, pause_ms: _ } | Turn::Idle => return Ok(told),
                Turn::Held | Turn::Alone | Turn::Stopped(_) | Turn::Replacing => {
                    anyhow::bail!("the hub is not told: {turn:?}")
                }
            }
        }
    })
}
