//! Whether a message may be sent now.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Purpose, Said};
use crate::time::{at_local_minute, local_date, next_day};

/// The hours in which nobody is disturbed, in the clinic's time.
#[derive(Clone, Debug)]
pub struct Quiet {
    /// The clinic's zone.
    pub zone: TimeZone,
    /// The minute after midnight at which they begin.
    pub from: u16,
    /// The minute at which they end, the next morning if it is not later; at the same minute there are none.
    pub to: u16,
}

/// What is to be done with a message now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is sent.
    Now,
    /// It waits for its time.
    NotBefore(Timestamp),
    /// It waits for the end of the quiet hours.
    Quiet(Timestamp),
    /// Its time is over.
    Stale,
    /// The person does not want it.
    NotWanted,
}

impl Judgement {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::NotBefore(_) => "not-before",
            Self::Quiet(_) => "quiet",
            Self::Stale => "stale",
            Self::NotWanted => "not-wanted",
        }
    }
}

impl Quiet {
    /// When the quiet hours end, if it is one now.
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        if self.from == self.to {
            return None;
        }
        let today = local_date(&self.zone, now);
        let at = |date, minute| at_local_minute(&self.zone, date, minute);
        let (begins, ends) = (at(today, self.from), at(today, self.to));
        if self.from < self.to {
            return (begins <= now && now < ends).then_some(ends);
        }
        if now < ends {
            Some(ends)
        } else if now >= begins {
            Some(at(next_day(today), self.to))
        } else {
            None
        }
    }

    /// What is to be done with a message now; `wanted` is whether the person wants what they did not ask for.
    pub fn judge(&self, said: &Said, wanted: bool, now: Timestamp) -> Judgement {
        let is_asked_for = match said.purpose {
            Purpose::Reply | Purpose::Desk => true,
            Purpose::Reminder | Purpose::Notice => false,
        };
        if said.not_after.is_some_and(|end| end < now) {
            return Judgement::Stale;
        }
        if !wanted && said.purpose != Purpose::Reply {
            return Judgement::NotWanted;
        }
        match said.not_before {
            Some(begin) if now < begin => return Judgement::NotBefore(begin),
            Some(_) | None => {}
        }
        match self.until(now) {
            Some(end) if !is_asked_for => Judgement::Quiet(end),
            Some(_) | None => Judgement::Now,
        }
    }
}
