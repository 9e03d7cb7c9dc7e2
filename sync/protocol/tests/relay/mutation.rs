//! The rules, taken out one at a time, and what breaks then.
//!
//! Not among them: that `have` is said after the commit. What was said too early is corrected when the box asks next;
//! until then it is lost, and nobody knows.

use sync_protocol::relay::{Batch, Heard, Next, Row, Taken, next};

use super::world::Broken;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// What comes again is taken in again.
    TakenAgain,
    /// What comes again is not said to be had again.
    HadSaidOnce,
    /// What was sent is not sent again.
    SentOnce,
    /// A row that was sent in what is the future now waits for it.
    ClockBelieved,
    /// That fewer were taken than were said to be had means nothing.
    FewerIgnored,
    /// That a number is given to another means nothing.
    GivenAgainIgnored,
    /// What was sent on the last connection is believed to be on its way still.
    ConnectionIgnored,
}

impl Mutation {
    pub const ALL: [Self; 7] = [
        Self::TakenAgain,
        Self::HadSaidOnce,
        Self::SentOnce,
        Self::ClockBelieved,
        Self::FewerIgnored,
        Self::GivenAgainIgnored,
        Self::ConnectionIgnored,
    ];

    pub fn caught_by(self) -> Broken {
        match self {
            Self::FewerIgnored | Self::GivenAgainIgnored => Broken::Lost,
            Self::TakenAgain => Broken::Twice,
            Self::HadSaidOnce | Self::SentOnce | Self::ClockBelieved => Broken::Endless,
            Self::ConnectionIgnored => Broken::Late,
        }
    }
}

/// The rules as the world calls them: those of production, unless one is taken out.
pub fn send(mutation: Option<Mutation>, rows: &[Row], now_ms: i64) -> Next {
    let is_left = |row: &&Row| match (mutation, row.sent) {
        (Some(Mutation::SentOnce), Some(_)) => false,
        (Some(Mutation::ClockBelieved), Some(sent)) => sent.at_ms <= now_ms,
        (_, _) => true,
    };
    next(&rows.iter().filter(is_left).copied().collect::<Vec<_>>(), now_ms)
}

pub fn said_to_be_had(mutation: Option<Mutation>, taken: &mut Taken) {
    if mutation == Some(Mutation::HadSaidOnce) {
        let fresh: Vec<u64> = taken.fresh.iter().map(|(_, number)| *number).collect();
        taken.have.retain(|it| fresh.contains(&it.number));
    }
}

pub fn before_hearing(mutation: Option<Mutation>, batch: &Batch) -> Batch {
    let taken = batch.taken.filter(|_| mutation != Some(Mutation::FewerIgnored));
    Batch { taken, ..batch.clone() }
}

pub fn after_hearing(mutation: Option<Mutation>, batch: &Batch, heard: &mut Heard) {
    if mutation == Some(Mutation::GivenAgainIgnored) {
        heard.lost_from = batch.taken.map(|taken| taken + 1);
    }
}
