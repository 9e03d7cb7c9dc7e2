//! How much of a session is lent to the hub, for booking online while the line is cut.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::hub::LENT_AHEAD_DAYS_MAX;

/// How much of a session is lent to the hub; what is not said is as the settings say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lending {
    /// The share of a day's free slots, in hundredths.
    pub share_percent: Option<i64>,
    /// Nothing is lent, and nothing sold, that begins sooner than so many hours.
    pub cutoff_hours: Option<i64>,
    /// Nothing is lent that begins later than in so many days.
    pub horizon_days: Option<i64>,
}

/// What may change of it; what is left out stays, and `Some(None)` is as the settings say.
#[derive(Clone, Copy, Debug, Default)]
pub struct LendingEdit {
    /// The share.
    pub share_percent: Option<Option<i64>>,
    /// The cut-off.
    pub cutoff_hours: Option<Option<i64>>,
    /// The horizon.
    pub horizon_days: Option<Option<i64>>,
}

impl LendingEdit {
    /// What it makes of this.
    pub(super) fn of(self, before: Lending) -> Lending {
        let Self { share_percent, cutoff_hours, horizon_days } = self;
        Lending {
            share_percent: share_percent.unwrap_or(before.share_percent),
            cutoff_hours: cutoff_hours.unwrap_or(before.cutoff_hours),
            horizon_days: horizon_days.unwrap_or(before.horizon_days),
        }
    }
}

impl Lending {
    /// Refuses what cannot be meant.
    pub(super) fn check(&self) -> Result<()> {
        let Self { share_percent, cutoff_hours, horizon_days } = self;
        if share_percent.is_some_and(|it| !(0..=100).contains(&it)) {
            return Err(Error::invalid("loan_share_percent", "a share is 0 to 100 hundredths"));
        }
        if cutoff_hours.is_some_and(|it| !(1..=720).contains(&it)) {
            return Err(Error::invalid("loan_cutoff_hours", "the cut-off is 1 to 720 hours"));
        }
        if horizon_days.is_some_and(|it| !(1..=LENT_AHEAD_DAYS_MAX).contains(&it)) {
            let detail = format!("the horizon is 1 to {LENT_AHEAD_DAYS_MAX} days");
            return Err(Error::invalid("loan_horizon_days", detail));
        }
        Ok(())
    }
}
