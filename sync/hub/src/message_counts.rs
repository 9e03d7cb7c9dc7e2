//! What happened to messages of patients since the hub was started, for `/metrics`. Numbers only.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a webhook was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody's signature, or that of no account here.
    Signature,
    /// What is in it cannot be read.
    Malformed,
    /// It is too long.
    TooLong,
    /// Too many of one account.
    TooOften,
    /// Too much waits for the box.
    Full,
    /// It could not be stored.
    Unavailable,
}

impl Refusal {
    const ALL: [Self; 6] = [
        Self::Signature,
        Self::Malformed,
        Self::TooLong,
        Self::TooOften,
        Self::Full,
        Self::Unavailable,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Malformed => "malformed",
            Self::TooLong => "too-long",
            Self::TooOften => "too-often",
            Self::Full => "full",
            Self::Unavailable => "unavailable",
        }
    }

    fn at(self) -> usize {
        match self {
            Self::Signature => 0,
            Self::Malformed => 1,
            Self::TooLong => 2,
            Self::TooOften => 3,
            Self::Full => 4,
            Self::Unavailable => 5,
        }
    }
}

/// The counters.
#[derive(Debug, Default)]
pub struct MessageCounts {
    /// Webhooks of which something was new.
    pub received: AtomicU64,
    /// Webhooks that were known.
    pub known: AtomicU64,
    refused: [AtomicU64; Refusal::ALL.len()],
    /// Envelopes of boxes with messages that were taken in.
    pub heard: AtomicU64,
    /// Envelopes of boxes that were of no use.
    pub unheard: AtomicU64,
    /// Messages that were published for boxes, each time.
    pub published: AtomicU64,
    /// Messages that a provider took.
    pub sent: AtomicU64,
    /// Messages that are tried again later, each time.
    pub put_off: AtomicU64,
    /// Messages that do not go.
    pub failed: AtomicU64,
    /// Pictures and sounds that were fetched.
    pub media_fetched: AtomicU64,
    /// Pictures and sounds that do not come.
    pub media_missing: AtomicU64,
    /// Pictures and sounds that are fetched again later, each time.
    pub media_put_off: AtomicU64,
}

impl MessageCounts {
    /// One more.
    pub fn count(counter: &AtomicU64) {
        Self::add(counter, 1);
    }

    /// So many more.
    pub fn add(counter: &AtomicU64, more: usize) {
        counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// A webhook was not taken.
    pub fn refuse(&self, why: Refusal) {
        self.refused[why.at()].fetch_add(1, Ordering::Relaxed);
    }

    /// As Prometheus text (exposition format 0.0.4). `is_connected` is none where there is no broker.
    pub fn to_text(&self, is_connected: Option<bool>) -> String {
        let Self {
            received,
            known,
            refused,
            heard,
            unheard,
            published,
            sent,
            put_off,
            failed,
            media_fetched,
            media_missing,
            media_put_off,
        } = self;
        let counters = [
            ("webhooks_received_total", "Webhooks of which something was new", received),
            ("webhooks_known_total", "Webhooks that were known", known),
            ("message_envelopes_heard_total", "Envelopes of boxes with messages", heard),
            ("message_envelopes_unheard_total", "Such envelopes of no use", unheard),
            ("messages_published_total", "Messages published for boxes, each time", published),
            ("messages_sent_total", "Messages that a provider took", sent),
            ("messages_put_off_total", "Tries after which a message waits on", put_off),
            ("messages_failed_total", "Messages that do not go", failed),
            ("media_fetched_total", "Pictures and sounds that were fetched", media_fetched),
            ("media_missing_total", "Pictures and sounds that do not come", media_missing),
            ("media_put_off_total", "Tries after which one is fetched later", media_put_off),
        ];
        let mut text = String::new();
        // Writing into a String cannot fail.
        for (name, what, counter) in counters {
            let value = counter.load(Ordering::Relaxed);
            let name = format!("carepost_hub_{name}");
            let _ = write!(text, "# HELP {name} {what}.\n# TYPE {name} counter\n{name} {value}\n");
        }
        let name = "carepost_hub_webhooks_refused_total";
        let _ =
            write!(text, "# HELP {name} Webhooks that were not taken.\n# TYPE {name} counter\n");
        for (why, counter) in Refusal::ALL.into_iter().zip(refused) {
            let (why, value) = (why.as_str(), counter.load(Ordering::Relaxed));
            let _ = writeln!(text, "{name}{{cause=\"{why}\"}} {value}");
        }
        if let Some(is_connected) = is_connected {
            let name = "carepost_hub_broker_connected";
            let value = u8::from(is_connected);
            let what = "Whether the broker carries messages";
            let _ = write!(text, "# HELP {name} {what}.\n# TYPE {name} gauge\n{name} {value}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_counted_under_its_cause() {
        let counts = MessageCounts::default();
        for (count, why) in (1..).zip(Refusal::ALL) {
            (0..count).for_each(|_| counts.refuse(why));
        }
        let text = counts.to_text(Some(true));
        for (count, why) in (1..).zip(Refusal::ALL) {
            let line = format!("refused_total{{cause=\"{}\"}} {count}\n", why.as_str());
            assert!(text.contains(&line), "{text}");
        }
        assert!(text.contains("broker_connected 1\n"));
        assert!(!counts.to_text(None).contains("broker_connected"));
    }
}
