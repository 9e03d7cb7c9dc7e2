//! How long boxes take to answer somebody who waits, as a histogram for `/metrics`.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper ends of the classes, in milliseconds.
const CLASSES_MS: [u64; 10] = [25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000];

/// Answers by how long they took.
#[derive(Debug, Default)]
pub struct RoundTrips {
    classes: [AtomicU64; CLASSES_MS.len()],
    count: AtomicU64,
    sum_ms: AtomicU64,
}

impl RoundTrips {
    /// One answer.
    pub fn note(&self, long: Duration) {
        let ms = u64::try_from(long.as_millis()).unwrap_or(u64::MAX);
        for (class, most) in self.classes.iter().zip(CLASSES_MS) {
            if ms <= most {
                class.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// As Prometheus text (exposition format 0.0.4), in seconds.
    pub fn to_text(&self) -> String {
        let name = "carepost_hub_box_answer_seconds";
        let mut text = format!(
            "# HELP {name} How long boxes took to answer somebody who waits.\n# TYPE {name} histogram\n"
        );
        let count = self.count.load(Ordering::Relaxed);
        for (class, most) in self.classes.iter().zip(CLASSES_MS) {
            let (most, answers) = (seconds(most), class.load(Ordering::Relaxed));
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{name}_bucket{{le=\"{most}\"}} {answers}");
        }
        let sum = seconds(self.sum_ms.load(Ordering::Relaxed));
        let _ = write!(
            text,
            "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {sum}\n{name}_count {count}\n"
        );
        text
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_in_its_class_and_in_all_longer_ones() {
        let trips = RoundTrips::default();
        trips.note(Duration::from_millis(60));
        trips.note(Duration::from_secs(60));
        let text = trips.to_text();
        for line in [
            "_bucket{le=\"0.050\"} 0\n",
            "_bucket{le=\"0.100\"} 1\n",
            "_bucket{le=\"25.000\"} 1\n",
            "_bucket{le=\"+Inf\"} 2\n",
            "_sum 60.060\n",
            "_count 2\n",
        ] {
            assert!(text.contains(&format!("carepost_hub_box_answer_seconds{line}")), "{text}");
        }
    }
}
