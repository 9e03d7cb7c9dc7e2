//! A rush: what comes by hundreds after the box was away is taken in before the first of it is answered.
//!
//! Both use the one writer, and an answer takes it several times as long. What is taken in stands at the desk, and whoever
//! wrote three times is answered when all three are there.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::stopwatch;

/// A batch of so many is not what people write now: it waited.
const ITEMS_MIN: usize = 100;
/// A rush is over when no such batch came for this long.
const GAP: Duration = Duration::from_millis(300);
/// Nobody waits longer for an answer because of it.
const LONGEST: Duration = Duration::from_secs(5);

/// Whether there is a rush.
#[derive(Debug, Default)]
pub struct Rush(Mutex<Option<Span>>);

#[derive(Clone, Copy, Debug)]
struct Span {
    began: Instant,
    last: Instant,
}

impl Rush {
    /// A batch with so many messages is or was taken in.
    pub(super) fn note(&self, items: usize) {
        if items >= ITEMS_MIN {
            self.note_at(stopwatch());
        }
    }

    /// How long whoever answers leaves the writer to what comes; nothing if there is no rush.
    pub fn left(&self) -> Duration {
        self.left_at(stopwatch())
    }

    fn note_at(&self, now: Instant) {
        let mut span = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let began = span.filter(|it| now < it.last + GAP).map_or(now, |it| it.began);
        *span = Some(Span { began, last: now });
    }

    fn left_at(&self, now: Instant) -> Duration {
        let span = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        span.map_or(Duration::ZERO, |it| {
            (it.last + GAP).min(it.began + LONGEST).saturating_duration_since(now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rush_lasts_as_long_as_much_comes_and_holds_up_nobody_for_long() {
        let (rush, begun) = (Rush::default(), stopwatch());
        assert_eq!(rush.left_at(begun), Duration::ZERO);
        rush.note(ITEMS_MIN - 1);
        assert_eq!(rush.left(), Duration::ZERO);
        let step = GAP / 2;
        let mut now = begun;
        while now < begun + LONGEST {
            rush.note_at(now);
            assert_eq!(rush.left_at(now), GAP.min(begun + LONGEST - now));
            now += step;
        }
        rush.note_at(now);
        assert_eq!(rush.left_at(now), Duration::ZERO);
        // After a pause it is another one.
        rush.note_at(now + GAP);
        assert_eq!(rush.left_at(now + GAP), GAP);
        assert_eq!(rush.left_at(now + GAP + GAP), Duration::ZERO);
    }
}
