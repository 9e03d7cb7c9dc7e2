//! How long something took, many times over.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// Times of one thing, in the order in which they were taken.
#[derive(Clone, Default)]
pub struct Laps(Vec<Duration>);

impl Laps {
    pub fn add(&mut self, lap: Duration) {
        self.0.push(lap);
    }

    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time within which so many of a hundred were done, in ms.
    pub fn ms(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(at).map_or(f64::NAN, |lap| lap.as_secs_f64() * 1e3)
    }

    /// The usual three, in ms.
    pub fn text(&self) -> String {
        format!("p50 {:.1}, p95 {:.1}, p99 {:.1} ms", self.ms(50), self.ms(95), self.ms(99))
    }
}

/// Does something so many times, one after the other.
pub fn laps(times: usize, mut work: impl FnMut(usize) -> Result<()>) -> Result<Laps> {
    ensure!(times > 0, "nothing to measure");
    let mut laps = Laps::default();
    for nth in 0..times {
        let begun = Instant::now();
        work(nth)?;
        laps.add(begun.elapsed());
    }
    Ok(laps)
}
