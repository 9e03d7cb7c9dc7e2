//! One story after the other, on all processors; the first that fails is told.

use std::collections::BTreeSet;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::healing::heal;
use super::shrinking::shrink;
use super::story::{self, Step};
use super::world::{Failure, World};

/// Seeds that are tried if nothing else is said.
const SEEDS: u64 = 1_000;
/// So many seeds show everything that is to be shown.
const ENOUGH: u64 = 1_000;

/// Runs a story to its end; answers what came about.
fn run(runtime: &Runtime, steps: &[Step]) -> Result<BTreeSet<String>, Failure> {
    let told = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(runtime);
        for step in steps {
            world.step(*step)?;
        }
        heal(&mut world)?;
        Ok(std::mem::take(&mut world.seen))
    }));
    told.unwrap_or_else(|_| {
        Err(Failure { what: "nothing panics", detail: "see what is said above".into() })
    })
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// The story, shrunk, and why it fails.
fn tell(seed: Option<u64>, steps: Vec<Step>, failure: &Failure) -> String {
    let runtime = runtime();
    let fails = |steps: &[Step]| run(&runtime, steps).is_err_and(|it| it.what == failure.what);
    let short = shrink(steps, fails);
    let last = run(&runtime, &short).err().unwrap_or_else(|| failure.clone());
    let seed = seed.map(|seed| format!("seed {seed}: ")).unwrap_or_default();
    format!(
        "{seed}not true: {}\n{}\nrun it again:\n  CAREPOST_STORY=\"{}\" cargo nextest run -p tests simulation\n",
        last.what,
        last.detail,
        story::line(&short)
    )
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn no_story_loses_or_doubles_what_was_acknowledged() {
    if let Ok(line) = env::var("CAREPOST_STORY") {
        let steps = story::parse(&line).unwrap();
        if let Err(failure) = run(&runtime(), &steps) {
            panic!("{}", tell(None, steps, &failure));
        }
        return;
    }
    let (first, seeds) = match number("CAREPOST_SEED") {
        Some(seed) => (seed, 1),
        None => (0, number("CAREPOST_SEEDS").unwrap_or(SEEDS)),
    };
    let next = AtomicU64::new(first);
    let failed: Mutex<Option<(u64, Failure)>> = Mutex::new(None);
    let seen: Mutex<BTreeSet<String>> = Mutex::default();
    let work = || {
        let runtime = runtime();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + seeds || failed.lock().unwrap().is_some() {
                return;
            }
            match run(&runtime, &story::draw(seed)) {
                Ok(told) => seen.lock().unwrap().extend(told),
                Err(failure) => {
                    let mut failed = failed.lock().unwrap();
                    if failed.as_ref().is_none_or(|(first, _)| seed < *first) {
                        *failed = Some((seed, failure));
                    }
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    if let Some((seed, failure)) = failed.into_inner().unwrap() {
        panic!("{}", tell(Some(seed), story::draw(seed), &failure));
    }
    let seen = seen.into_inner().unwrap();
    for word in ["Quarantined", "Retired", "NotEnrolled", "stuck", "receipt", "records"] {
        assert!(seeds < ENOUGH || seen.contains(word), "no story came to {word}: {seen:?}");
    }
}
