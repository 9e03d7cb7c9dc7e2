//! The second pass: everything in its turn, what refers to each other in a circle last.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::http::fhir::stamp::Stamp;
use anyhow::bail;
use fhir::{Issue, IssueCode};
use prm::clinic::Clinic;
use prm::db::Db;
use prm::error::Error;

use super::index::{Index, Item, State};
use super::links::Links;
use super::order::{RANKS, is_record};
use super::survey::fingerprint;
use super::take::{Became, Job, Sweep, take};
use super::tally::{Fate, Refusal, Tally};
use super::{BATCH, BATCH_BYTES, Listener, Sources, TRIES_MAX, Wanted};
use crate::clock::Clock;

/// How often what waits is looked at again before the rest is taken for a circle.
const ROUNDS_MAX: u32 = 20;
/// How long is waited before a transaction is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// An import while it writes.
struct Turns<'a> {
    db: &'a Db,
    clock: &'a Clock,
    clinic: Clinic,
    files: Sources,
    links: Arc<Mutex<Links>>,
    tally: &'a mut Tally,
    listener: &'a mut dyn Listener,
    done: u64,
    all: u64,
}

/// Writes all that the index holds.
pub fn take_all(
    db: &Db,
    clock: &Clock,
    clinic: Clinic,
    (files, wanted): (Sources, Wanted),
    index: Index,
    tally: &mut Tally,
    listener: &mut dyn Listener,
) -> anyhow::Result<()> {
    let all = index.waiting()?;
    let links = Arc::new(Mutex::new(Links::new(index, wanted)));
    let mut turns = Turns { db, clock, clinic, files, links, tally, listener, done: 0, all };
    for _ in 0..ROUNDS_MAX {
        if !turns.sweep(Sweep::Whole, State::Waits, &|_| true)? {
            break;
        }
    }
    // Records first, without what they refer to in the circle, because they get their ids only then.
    turns.sweep(Sweep::Circle, State::Waits, &|item| is_record(&item.kind))?;
    turns.sweep(Sweep::Circle, State::Waits, &|_| true)?;
    turns.sweep(Sweep::Again, State::Half, &|_| true)?;
    turns.listener.written(turns.all, turns.all);
    Ok(())
}

impl Turns<'_> {
    /// Looks at all of a state once; answers whether anything came of it.
    fn sweep(
        &mut self,
        sweep: Sweep,
        state: State,
        is_meant: &dyn Fn(&Item) -> bool,
    ) -> anyhow::Result<bool> {
        let mut moved = false;
        for rank in 0..RANKS {
            let mut after = 0;
            loop {
                let mut items = self.index(|index| index.next((state, rank, after), BATCH))?;
                let mut bytes = 0;
                let fits = |item: &Item| {
                    let before = bytes;
                    bytes += item.length.unsigned_abs();
                    before < BATCH_BYTES
                };
                let fitting = items.iter().map(fits).take_while(|fits| *fits).count();
                items.truncate(fitting);
                let Some(last) = items.last() else { break };
                after = last.nr;
                items.retain(is_meant);
                if !items.is_empty() {
                    moved |= self.batch(sweep, items)?;
                }
            }
        }
        Ok(moved)
    }

    fn index<T>(&self, ask: impl FnOnce(&Index) -> rusqlite::Result<T>) -> anyhow::Result<T> {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ask(&links.index)?)
    }

    fn batch(&mut self, sweep: Sweep, items: Vec<Item>) -> anyhow::Result<bool> {
        let jobs: Result<Vec<Job>, _> = items.into_iter().map(|item| self.job(item)).collect();
        let jobs = Arc::new(jobs?);
        let (became, lost) = self.write(sweep, &jobs)?;
        self.tally.lost_kept += lost;
        self.index(Index::begin)?;
        let mut moved = false;
        for (job, became) in jobs.iter().zip(became) {
            let item = &job.item;
            let state = match &became {
                Became::Settled(_) => State::Done,
                Became::Half(_) => State::Half,
                Became::Refused(_) => State::Refused,
                Became::Waits => continue,
            };
            moved = true;
            self.index(|index| index.set(item.nr, state))?;
            // What is written once more was counted the first time.
            match became {
                Became::Settled(_) if sweep == Sweep::Again => {}
                Became::Settled(fate) | Became::Half(fate) => {
                    self.done += 1;
                    self.tally.count(Some(&item.kind), fate);
                }
                Became::Refused(issues) => self.refused(sweep, item, &issues)?,
                Became::Waits => {}
            }
        }
        self.index(Index::end)?;
        self.listener.written(self.done, self.all);
        Ok(moved)
    }

    fn refused(&mut self, sweep: Sweep, item: &Item, issues: &[Issue]) -> anyhow::Result<()> {
        let mut issues = issues.to_vec();
        if sweep == Sweep::Again {
            let what = "it was taken, but without the references that lead in a circle";
            issues.insert(0, Issue::warning(IssueCode::Processing, what));
        } else {
            self.done += 1;
            self.tally.count(Some(&item.kind), Fate::Refused);
        }
        if let Some(issue) = issues.first() {
            self.tally.reason(issue);
        }
        let refusal = Refusal {
            file: self.files.name(item.file),
            line: item.line.unsigned_abs(),
            kind: Some(&item.kind),
            name: Some(&item.name),
            issues: &issues,
        };
        Ok(self.listener.refused(&refusal)?)
    }

    /// A resource as it says now, if that is what was noted.
    fn job(&mut self, item: Item) -> anyhow::Result<Job> {
        let (start, length) = (item.start.unsigned_abs(), item.length.unsigned_abs());
        let bytes = self.files.bytes(item.file, start, length).unwrap_or_default();
        let mut version = None;
        let resource = fhir::json::parse(&bytes).ok().and_then(|mut resource| {
            version = version_of(&resource);
            let said = fingerprint(&mut resource);
            (said == item.given && resource.resource_type() == item.kind).then_some(resource)
        });
        Ok(Job { item, resource, version })
    }

    /// One transaction; tried again while somebody else writes at length.
    fn write(&self, sweep: Sweep, jobs: &Arc<Vec<Job>>) -> anyhow::Result<(Vec<Became>, u64)> {
        for _ in 0..TRIES_MAX {
            let (links, jobs) = (Arc::clone(&self.links), Arc::clone(jobs));
            let (stamp, clinic) = (Stamp::of_box(self.clock.now()), self.clinic.clone());
            let done = self.db.write_blocking(move |tx| {
                let mut links = links.lock().unwrap_or_else(PoisonError::into_inner);
                take(tx, stamp, &clinic, &mut links, (sweep, &jobs))
            });
            match done {
                Err(Error::Busy) => std::thread::sleep(PAUSE),
                done => return Ok(done?),
            }
        }
        bail!(
            "the box is too busy to take more; run the same command again, it goes on where it ended"
        );
    }
}

/// The version that a resource says it is.
fn version_of(resource: &fhir::Resource) -> Option<i64> {
    resource.get("meta")?.get("versionId")?.as_str()?.parse().ok()
}
