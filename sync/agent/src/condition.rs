//! How the sync is, in one word and in one sentence: the command line, the API and the doctor all say this,
//! so that nobody is told two things.
//!
//! Invariant: only what a receipt said is called held, and [`Urgency::Act`] is said only where a person has to
//! do something: a line that is down for an afternoon mends itself.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::status::Status;
use crate::word;

/// So long without a receipt a person should look: a line that is down for three days is not about to
/// come back by itself.
pub const SILENT_MAX: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How the sync is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The box has joined no hub.
    Alone,
    /// Nothing is told until a person decides.
    Stopped,
    /// The hub or the box refuses, and waiting does not help.
    Refused,
    /// The hub does not answer.
    LineDown,
    /// The hub answers, and takes nothing now.
    HubBusy,
    /// What is left waits for tomorrow's budget of the line; what people wait for goes.
    OverBudget,
    /// All records are being told for the first time.
    Beginning,
    /// Some changes are not told yet.
    Waiting,
    /// The hub holds everything.
    Told,
}

impl Condition {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Stopped => "stopped",
            Self::Refused => "refused",
            Self::LineDown => "line_down",
            Self::HubBusy => "hub_busy",
            Self::OverBudget => "over_budget",
            Self::Beginning => "beginning",
            Self::Waiting => "waiting",
            Self::Told => "told",
        }
    }
}

/// Whether somebody must do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Nobody.
    Calm,
    /// It mends itself, but is worth a look.
    Look,
    /// Somebody must.
    Act,
}

impl Urgency {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Look => "look",
            Self::Act => "act",
        }
    }
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    /// How the sync is.
    pub condition: Condition,
    /// Whether somebody must do something.
    pub urgency: Urgency,
    /// The sentence.
    pub says: String,
}

/// All of it. `show` writes a time as the reader's wall shows it.
pub fn said(status: &Status, now: Timestamp, show: impl Fn(Timestamp) -> String) -> Said {
    Said {
        condition: condition(status),
        urgency: urgency(status, now),
        says: sentence(status, now, show),
    }
}

/// How the sync is.
pub fn condition(status: &Status) -> Condition {
    if status.hub.is_none() {
        return Condition::Alone;
    }
    if status.stop.is_some() {
        return Condition::Stopped;
    }
    match status.fault.as_deref().map(|fault| (fault, word::fault_advice(fault))) {
        Some((_, Some(_))) => Condition::Refused,
        Some(("no_answer", None)) => Condition::LineDown,
        Some((_, None)) => Condition::HubBusy,
        None if status.over_budget => Condition::OverBudget,
        None if !status.whole => Condition::Beginning,
        None if status.waiting > 0 => Condition::Waiting,
        None => Condition::Told,
    }
}

/// Whether somebody must do something.
pub fn urgency(status: &Status, now: Timestamp) -> Urgency {
    match condition(status) {
        Condition::Stopped | Condition::Refused => Urgency::Act,
        Condition::LineDown | Condition::HubBusy if silent(status, now) >= SILENT_MAX => {
            Urgency::Act
        }
        Condition::LineDown | Condition::HubBusy => Urgency::Look,
        Condition::Alone => Urgency::Calm,
        // A budget that the clinic's days do not fit into.
        Condition::OverBudget if waited(status, now) >= SILENT_MAX => Urgency::Look,
        Condition::OverBudget | Condition::Beginning | Condition::Waiting | Condition::Told
            if status.parked > 0 =>
        {
            Urgency::Look
        }
        Condition::OverBudget | Condition::Beginning | Condition::Waiting | Condition::Told => {
            Urgency::Calm
        }
    }
}

/// How long there was no receipt. A clock that was set back makes it nothing.
fn silent(status: &Status, now: Timestamp) -> SignedDuration {
    let since = status.receipt_at.or(status.hub.as_ref().map(|hub| hub.enrolled_at));
    since.map_or(SignedDuration::ZERO, |since| now.duration_since(since))
}

/// How long the oldest change has waited.
fn waited(status: &Status, now: Timestamp) -> SignedDuration {
    status.waiting_since.map_or(SignedDuration::ZERO, |since| now.duration_since(since))
}

/// How the sync is, in one sentence.
fn sentence(status: &Status, now: Timestamp, show: impl Fn(Timestamp) -> String) -> String {
    let waits = match (status.waiting, status.waiting_since) {
        (0, _) | (_, None) => "no change waits".to_owned(),
        (1, Some(since)) => format!("1 change waits since {}", show(since)),
        (waiting, Some(since)) => format!("{waiting} changes wait since {}", show(since)),
    };
    let last = match status.receipt_at {
        Some(at) => format!("the last receipt came {}", ago(now.duration_since(at))),
        None => "no receipt has come yet".to_owned(),
    };
    match condition(status) {
        Condition::Alone => {
            "this box has joined no hub; join one with `carepost enroll`".to_owned()
        }
        Condition::Stopped => match &status.stop {
            Some(stop) => format!("nothing is told to the hub ({}): {}", stop.code, stop.advice),
            None => "nothing is told to the hub".to_owned(),
        },
        Condition::Refused => {
            let fault = status.fault.as_deref().unwrap_or_default();
            let advice = word::fault_advice(fault).unwrap_or_default();
            format!("nothing is told to the hub ({fault}): {advice}; {waits}")
        }
        Condition::LineDown => format!("the hub does not answer; {waits}; {last}"),
        Condition::HubBusy => format!("the hub takes nothing just now; {waits}; {last}"),
        Condition::OverBudget => {
            let budget = megabytes(status.budget_bytes.unwrap_or_default());
            format!(
                "today's {budget} MB for the line are used up: {waits}, and go on tomorrow; bookings and answers go on now; {last}"
            )
        }
        Condition::Beginning => format!("all records are being told for the first time; {last}"),
        Condition::Waiting => format!("{waits}; {last}"),
        Condition::Told => format!("the hub holds everything; {last}"),
    }
}

/// Bytes as megabytes, with one digit after the point below ten.
pub fn megabytes(bytes: i64) -> String {
    let tenths = bytes.max(0) / 100_000;
    if tenths < 100 {
        format!("{}.{}", tenths / 10, tenths % 10)
    } else {
        (tenths / 10).to_string()
    }
}

/// How long ago something was, as people say it.
fn ago(time: SignedDuration) -> String {
    match (time.as_hours() / 24, time.as_hours(), time.as_mins()) {
        (2.., _, _) => format!("{} days ago", time.as_hours() / 24),
        (_, 2.., _) => format!("{} h ago", time.as_hours()),
        (_, _, 1..) => format!("{} min ago", time.as_mins()),
        (_, _, _) => "just now".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{Advised, Joined};
    use uuid::Uuid;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn told() -> Status {
        Status {
            hub: Some(Joined {
                url: "https://hub.example".into(),
                clinic_name: "Shanti Clinic".into(),
                clinic: Uuid::nil(),
                box_id: Uuid::nil(),
                fingerprint: String::new(),
                enrolled_at: at("2026-11-20T10:00:00Z"),
                generation: Some(1),
            }),
            last: 40,
            through: 40,
            whole: true,
            waiting: 0,
            waiting_since: None,
            receipt_at: Some(at("2026-11-23T10:00:00Z")),
            stop: None,
            parked: 0,
            parked_entries: Vec::new(),
            spent_bytes: 0,
            budget_bytes: None,
            over_budget: false,
            failures: 0,
            fault: None,
            fault_at: None,
        }
    }

    fn told_of(status: &Status, now: &str) -> (Condition, Urgency, String) {
        let Said { condition, urgency, says } = said(status, at(now), |at| at.to_string());
        (condition, urgency, says)
    }

    #[test]
    fn a_line_that_is_down_is_nobodys_duty_before_three_days() {
        let down = Status {
            waiting: 37,
            waiting_since: Some(at("2026-11-23T10:14:00Z")),
            failures: 9,
            fault: Some("no_answer".into()),
            fault_at: Some(at("2026-11-23T11:00:00Z")),
            ..told()
        };
        let (condition, urgency, sentence) = told_of(&down, "2026-11-23T11:00:00Z");
        assert_eq!((condition, urgency), (Condition::LineDown, Urgency::Look));
        assert!(sentence.contains("37 changes wait since 2026-11-23T10:14:00Z"), "{sentence}");
        assert_eq!(told_of(&down, "2026-11-26T10:00:00Z").1, Urgency::Act);
        assert_eq!(told_of(&down, "1970-01-01T00:00:00Z").1, Urgency::Look, "a clock set back");
    }

    #[test]
    fn what_is_told_is_calm_and_what_is_parked_is_worth_a_look() {
        let (condition, urgency, sentence) = told_of(&told(), "2026-11-23T10:02:00Z");
        assert_eq!((condition, urgency), (Condition::Told, Urgency::Calm));
        assert!(sentence.ends_with("2 min ago"), "{sentence}");
        let parked = Status { parked: 2, ..told() };
        assert_eq!(told_of(&parked, "2026-11-23T10:02:00Z").1, Urgency::Look);
        assert_eq!(super::condition(&Status { whole: false, ..told() }), Condition::Beginning);
        assert_eq!(super::condition(&Status { hub: None, ..told() }), Condition::Alone);
    }

    #[test]
    fn a_budget_that_is_used_up_is_calm_and_says_what_goes_on() {
        let over = Status {
            waiting: 9_000,
            waiting_since: Some(at("2026-11-23T06:00:00Z")),
            spent_bytes: 20_400_000,
            budget_bytes: Some(20_000_000),
            over_budget: true,
            ..told()
        };
        let (condition, urgency, sentence) = told_of(&over, "2026-11-23T10:02:00Z");
        assert_eq!((condition, urgency), (Condition::OverBudget, Urgency::Calm));
        assert!(sentence.starts_with("today's 20 MB for the line are used up: 9000"), "{sentence}");
        let days_later = told_of(&over, "2026-11-26T10:00:00Z");
        assert_eq!(days_later.1, Urgency::Look, "a budget that is too small for long");
        assert_eq!((megabytes(3_260_000), megabytes(0)), ("3.2".into(), "0.0".into()));
    }

    #[test]
    fn what_a_person_must_decide_is_said_first_and_with_what_to_do() {
        let stop = Advised { code: "quarantined".into(), advice: "switch one off" };
        let stopped = Status { stop: Some(stop), fault: Some("no_answer".into()), ..told() };
        let (condition, urgency, sentence) = told_of(&stopped, "2026-11-23T10:02:00Z");
        assert_eq!((condition, urgency), (Condition::Stopped, Urgency::Act));
        assert!(sentence.contains("switch one off"), "{sentence}");
        for fault in ["unknown_box", "revoked", "receipt", "keys", "records", "http", "refused"] {
            let refused = Status { fault: Some(fault.into()), ..told() };
            let (condition, urgency, sentence) = told_of(&refused, "2026-11-23T10:02:00Z");
            assert_eq!((condition, urgency), (Condition::Refused, Urgency::Act), "{fault}");
            assert!(sentence.contains(fault), "{sentence}");
        }
        let busy = Status { fault: Some("hub_busy".into()), ..told() };
        assert_eq!(told_of(&busy, "2026-11-23T10:02:00Z").1, Urgency::Look);
    }
}
