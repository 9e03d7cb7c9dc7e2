//! How it stands with each clinic, for operators: numbers and ids, never what a record says.

use std::fmt::Write as _;

use uuid::Uuid;

use crate::hub::Hub;
use crate::relay::OUT_WAITING_MAX;
use crate::store::{self, Lent, Overview, StoreError, Stored, Tx};

/// Clinics that `/metrics` shows one by one.
pub const SHOWN_MAX: usize = 20_000;

/// How it stands with one clinic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Situation {
    /// The clinic.
    pub clinic: [u8; 16],
    /// When its box was answered last, in ms since 1970 UTC; none before it was heard.
    pub heard_at: Option<i64>,
    /// When its box joined, in ms since 1970 UTC; none if it has none.
    pub joined_at: Option<i64>,
    /// Two boxes spoke as one, and neither is heard.
    pub quarantined: bool,
    /// The box was shut out.
    pub revoked: bool,
    /// Entries that could not be taken.
    pub parked: u64,
    /// Requests that the box has not fetched.
    pub requests_waiting: u64,
    /// What the hub has under loans.
    pub lent: Lent,
    /// Messages of patients on their way.
    pub messages: Messages,
}

/// Messages of patients of one clinic that are on their way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// As many wait for the box.
    pub waiting_in: u64,
    /// When the oldest of these came, in ms since 1970 UTC.
    pub oldest_in: Option<i64>,
    /// As many wait to be said.
    pub waiting_out: u64,
}

impl Messages {
    fn of(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Self> {
        Ok(Self {
            waiting_in: store::message_line(tx, clinic)?.waiting,
            oldest_in: store::oldest_message_in(tx, clinic)?,
            waiting_out: store::count_messages_out(tx, clinic, OUT_WAITING_MAX)?,
        })
    }
}

impl Situation {
    /// Of a clinic, as its transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn of(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Self> {
        let enrolled = store::enrolled(tx, clinic)?;
        let ledger = enrolled.as_ref().and_then(|it| it.ledger.as_ref());
        let line = store::downlink(tx, clinic)?;
        Ok(Self {
            clinic,
            heard_at: enrolled.as_ref().and_then(|it| it.heard_at),
            joined_at: enrolled.as_ref().map(|it| it.enrolled_at),
            quarantined: ledger.is_some_and(|it| it.quarantined),
            revoked: enrolled.as_ref().is_some_and(|it| it.revoked_at.is_some()),
            parked: ledger.map_or(0, |it| it.receipt().parked_count),
            requests_waiting: line.map_or(0, |it| it.last.saturating_sub(it.taken)),
            lent: store::lent(tx, clinic)?,
            messages: Messages::of(tx, clinic)?,
        })
    }

    /// For how long the box was not heard, in ms; since it joined if it never was.
    pub fn silent_ms(&self, now_ms: i64) -> Option<i64> {
        self.heard_at.or(self.joined_at).map(|at| now_ms.saturating_sub(at).max(0))
    }
}

/// Of all clinics, at most [`SHOWN_MAX`].
///
/// # Errors
/// [`StoreError`].
pub fn all(hub: &Hub) -> Result<Vec<Situation>, StoreError> {
    let clinics = hub.store.survey(store::clinics)?;
    let of = |it: Overview| hub.store.read(it.id, |tx| Situation::of(tx, it.id));
    clinics.into_iter().take(SHOWN_MAX).map(of).collect()
}

/// As Prometheus text (exposition format 0.0.4), each clinic by its id.
pub fn to_text(all: &[Situation], now_ms: i64) -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, what: &str, value: &dyn Fn(&Situation) -> Option<u64>| {
        // Writing into a String cannot fail.
        let _ = write!(text, "# HELP {name} {what}.\n# TYPE {name} gauge\n");
        for it in all {
            if let Some(value) = value(it) {
                let clinic = Uuid::from_bytes(it.clinic);
                let _ = writeln!(text, "{name}{{clinic=\"{clinic}\"}} {value}");
            }
        }
    };
    gauge("carepost_hub_clinic_silent_seconds", "Time since the box was heard", &|it| {
        u64::try_from(it.silent_ms(now_ms)? / 1000).ok()
    });
    gauge("carepost_hub_clinic_quarantined", "Whether two boxes spoke as one", &|it| {
        it.joined_at.map(|_| u64::from(it.quarantined))
    });
    gauge("carepost_hub_clinic_parked", "Entries that could not be taken", &|it| Some(it.parked));
    gauge("carepost_hub_clinic_requests_waiting", "Requests that the box has not fetched", &|it| {
        Some(it.requests_waiting)
    });
    gauge("carepost_hub_clinic_messages_waiting_in", "Messages that wait for the box", &|it| {
        Some(it.messages.waiting_in)
    });
    gauge("carepost_hub_clinic_message_oldest_seconds", "Age of the oldest of these", &|it| {
        u64::try_from(now_ms.saturating_sub(it.messages.oldest_in?) / 1000).ok()
    });
    gauge("carepost_hub_clinic_messages_waiting_out", "Messages that wait to be said", &|it| {
        Some(it.messages.waiting_out)
    });
    gauge("carepost_hub_clinic_loans_held", "Slots on loan", &|it| Some(it.lent.held));
    gauge("carepost_hub_clinic_sales_unsettled", "Bookings sold that the box has not", &|it| {
        Some(it.lent.unsettled)
    });
    gauge("carepost_hub_clinic_sale_oldest_seconds", "Age of the oldest of these", &|it| {
        u64::try_from(now_ms.saturating_sub(it.lent.oldest?) / 1000).ok()
    });
    text
}
