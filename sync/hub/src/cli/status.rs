//! What the hub says of one clinic. Ids and numbers only; never what a record says.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};
use sync_protocol::envelope::fingerprint;
use sync_protocol::ledger::Extent;
use uuid::Uuid;

use crate::channel::{self, Channel};
use crate::hub::{Hub, ReadError};
use crate::situation::{Messages, Situation};
use crate::store::{self, Clinic, Enrolled, Lent, ParkedRow};

/// As many parked entries as are shown.
const PARKED_SHOWN_MAX: u32 = 100;

struct Status<'a> {
    clinic: &'a Clinic,
    enrolled: Option<Enrolled>,
    records: u64,
    parked: Vec<ParkedRow>,
    situation: Situation,
    channels: Vec<Channel>,
    now_ms: i64,
}

/// The status of a clinic, as text or as one line of JSON.
///
/// # Errors
/// If the database does not answer, or keys and database do not belong together.
pub fn text(hub: &Hub, clinic: &Clinic, as_json: bool) -> Result<String, ReadError> {
    let status = hub.store.read(clinic.id, |tx| -> Result<_, ReadError> {
        Ok(Status {
            clinic,
            enrolled: store::enrolled(tx, clinic.id)?,
            records: store::record_count(tx, clinic.id)?,
            parked: store::parked(tx, clinic.id, PARKED_SHOWN_MAX)?,
            situation: Situation::of(tx, clinic.id)?,
            channels: channel::all_of(hub, tx, clinic)?,
            now_ms: hub.clock.now_ms(),
        })
    })?;
    Ok(if as_json { format!("{}\n", status.to_json()) } else { status.to_text() })
}

impl Status<'_> {
    fn to_json(&self) -> Value {
        let parked: Vec<Value> = self
            .parked
            .iter()
            .map(
                |it| json!({ "sequence": it.sequence, "key": shown(&it.key), "reason": it.reason }),
            )
            .collect();
        json!({
            "clinic": Uuid::from_bytes(self.clinic.id),
            "name": self.clinic.name,
            "added_at": time(self.clinic.added_at),
            "box": self.enrolled.as_ref().map(|it| json!({
                "id": Uuid::from_bytes(it.id),
                "name": it.name,
                "hardware_id": it.hardware,
                "fingerprint": fingerprint(&it.sign, &it.seal),
                "enrolled_at": time(it.enrolled_at),
                "standing": standing(it),
                "generation": it.ledger.as_ref().map(|ledger| ledger.lineage.generation.0),
                "held": held(it),
                "last_receipt": it.heard_at.map(time),
                "lag_seconds": self.lag_seconds(it),
            })),
            "records": self.records,
            "requests_waiting": self.situation.requests_waiting,
            "messages": {
                "waiting_in": self.situation.messages.waiting_in,
                "oldest_in": self.situation.messages.oldest_in.map(time),
                "waiting_out": self.situation.messages.waiting_out,
            },
            "channels": self.channels.iter().map(|it| json!({
                "id": Uuid::from_bytes(it.id),
                "carrier": it.account.carrier(),
                "called": it.account.called(),
            })).collect::<Vec<_>>(),
            "loans": {
                "held": self.situation.lent.held,
                "sold_unsettled": self.situation.lent.unsettled,
                "oldest_unsettled": self.situation.lent.oldest.map(time),
            },
            "parked_count": self.enrolled.as_ref().map_or(0, parked_count),
            "parked": parked,
        })
    }

    fn to_text(&self) -> String {
        let mut text =
            format!("{}\n  clinic        {}\n", self.clinic.name, Uuid::from_bytes(self.clinic.id));
        let mut line = |what: &str, value: &str| {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "  {what:<13} {value}");
        };
        for it in &self.channels {
            line("channel", &format!("{} {}", it.account.carrier(), it.account.called()));
        }
        let Messages { waiting_in, oldest_in, waiting_out } = self.situation.messages;
        let since =
            oldest_in.map_or(String::new(), |at| format!(", the oldest since {}", time(at)));
        line(
            "messages",
            &format!("{waiting_in} wait for the box{since}; {waiting_out} wait to be said"),
        );
        let Some(it) = &self.enrolled else {
            line("box", "none has joined; for a code: carepost-hub clinic code NAME");
            return text;
        };
        line("box", &format!("{} ({})", it.name, Uuid::from_bytes(it.id)));
        line("fingerprint", &fingerprint(&it.sign, &it.seal));
        line("joined", &time(it.enrolled_at));
        line("standing", standing(it));
        if let Some(ledger) = &it.ledger {
            line("generation", &ledger.lineage.generation.0.to_string());
        }
        line("held", &held(it));
        match (it.heard_at, self.lag_seconds(it)) {
            (Some(at), Some(lag)) => line("last receipt", &format!("{} ({lag} s ago)", time(at))),
            (_, _) => line("last receipt", "none"),
        }
        line("records", &self.records.to_string());
        line("loans", &self.loans());
        line("requests", &format!("{} wait for the box", self.situation.requests_waiting));
        line("parked", &parked_count(it).to_string());
        for parked in &self.parked {
            let ParkedRow { key, sequence, reason } = parked;
            line("", &format!("entry {sequence}, {}: {reason}", shown(key)));
        }
        text
    }

    fn loans(&self) -> String {
        let Lent { held, unsettled, oldest } = self.situation.lent;
        let since = oldest.map_or(String::new(), |at| format!(", the oldest on {}", time(at)));
        format!("{held} slots held; {unsettled} sold that the box does not have yet{since}")
    }

    fn lag_seconds(&self, it: &Enrolled) -> Option<i64> {
        it.heard_at.map(|at| self.now_ms.saturating_sub(at).max(0) / 1000)
    }
}

fn standing(it: &Enrolled) -> &'static str {
    match &it.ledger {
        _ if it.revoked_at.is_some() => "revoked: it is shut out until it joins with a new code",
        Some(ledger) if ledger.quarantined && it.may_begin => {
            "quarantined: two boxes spoke as one; the box that has joined may begin a new log"
        }
        Some(ledger) if ledger.quarantined => {
            "quarantined: two boxes speak as one; give one a new log and enrol it with a new code"
        }
        Some(_) => "heard",
        None => "joined, not heard yet",
    }
}

fn held(it: &Enrolled) -> String {
    match it.ledger.as_ref().map(|ledger| &ledger.extent) {
        None | Some(Extent::Nothing) => "nothing".to_owned(),
        Some(Extent::Statement { as_of, mark: _, upto: _ }) => {
            format!("a part of the statement as of entry {as_of}")
        }
        Some(Extent::Log { through, mark: _ }) => format!("through entry {through}"),
    }
}

fn parked_count(it: &Enrolled) -> u64 {
    it.ledger.as_ref().map_or(0, |ledger| ledger.receipt().parked_count)
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| "unknown".to_owned(), |it| it.to_string())
}

/// A key as text where it is text, else in hexadecimal digits.
fn shown(key: &[u8]) -> String {
    match std::str::from_utf8(key) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        Ok(_) | Err(_) => key.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
