//! What an operator is to be told: a box that was not heard for long, and one that is in quarantine. One
//! line of the log each, with the id of the clinic, when it begins and again every day.

use std::collections::HashMap;

use uuid::Uuid;

use crate::situation::Situation;

/// How often is looked, in seconds.
pub const EVERY_SECONDS: u64 = 300;
/// What is still wrong is said again after this.
const AGAIN_MS: i64 = 24 * 3_600_000;
const HOUR_MS: i64 = 3_600_000;

/// What is wrong with a clinic's box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alert {
    /// It was not heard for long.
    Silent,
    /// Two boxes spoke as one.
    Quarantined,
}

impl Alert {
    /// The word for it in the log; it is stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "box_silent",
            Self::Quarantined => "box_quarantined",
        }
    }
}

/// What was said, and when, in ms since 1970 UTC.
#[derive(Debug, Default)]
pub struct Watch {
    said: HashMap<([u8; 16], Alert), i64>,
}

impl Watch {
    /// What is to be said now. A box that was shut out, or never joined, is missed by nobody.
    pub fn look(
        &mut self,
        all: &[Situation],
        silent_hours: i64,
        now_ms: i64,
    ) -> Vec<([u8; 16], Alert, i64)> {
        let mut alerts = Vec::new();
        for it in all.iter().filter(|it| !it.revoked) {
            let Some(silent_ms) = it.silent_ms(now_ms) else { continue };
            let is_silent = silent_ms >= silent_hours.saturating_mul(HOUR_MS);
            for (alert, is_so) in [(Alert::Silent, is_silent), (Alert::Quarantined, it.quarantined)]
            {
                let place = (it.clinic, alert);
                if !is_so {
                    self.said.remove(&place);
                    continue;
                }
                let is_new = self.said.get(&place).is_none_or(|at| now_ms - at >= AGAIN_MS);
                if is_new {
                    self.said.insert(place, now_ms);
                    alerts.push((it.clinic, alert, silent_ms / HOUR_MS));
                }
            }
        }
        alerts
    }
}

/// Writes them to the log.
pub fn say(alerts: &[([u8; 16], Alert, i64)]) {
    for (clinic, alert, hours) in alerts {
        let (clinic, alert) = (Uuid::from_bytes(*clinic), alert.as_str());
        tracing::warn!(alert, %clinic, silent_hours = hours, "a box needs somebody to look at it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::situation::Messages;
    use crate::store::Lent;

    fn heard(clinic: u8, heard_at: Option<i64>) -> Situation {
        Situation {
            clinic: [clinic; 16],
            heard_at,
            joined_at: Some(0),
            quarantined: false,
            revoked: false,
            parked: 0,
            requests_waiting: 0,
            messages: Messages::default(),
            lent: Lent::default(),
        }
    }

    #[test]
    fn a_silent_box_is_told_once_a_day_until_it_is_heard() {
        let mut watch = Watch::default();
        let mut look = |it: &Situation, hour: i64| {
            let told = watch.look(std::slice::from_ref(it), 12, hour * HOUR_MS);
            told.iter().map(|(_, alert, hours)| (*alert, *hours)).collect::<Vec<_>>()
        };
        let silent = heard(1, Some(HOUR_MS));
        assert_eq!(look(&silent, 12), []);
        assert_eq!(look(&silent, 13), [(Alert::Silent, 12)]);
        assert_eq!(look(&silent, 14), []);
        assert_eq!(look(&silent, 37), [(Alert::Silent, 36)]);
        assert_eq!(look(&heard(1, Some(37 * HOUR_MS)), 38), []);
        assert_eq!(look(&heard(1, Some(37 * HOUR_MS)), 49), [(Alert::Silent, 12)]);
        let doubled = Situation { quarantined: true, ..heard(2, Some(49 * HOUR_MS)) };
        assert_eq!(look(&doubled, 49), [(Alert::Quarantined, 0)]);
        assert_eq!(look(&Situation { revoked: true, ..heard(3, None) }, 49), []);
        assert_eq!(look(&Situation { joined_at: None, ..heard(4, None) }, 49), []);
    }
}
