//! What may happen, how often, and as text.

use std::fmt;
use std::str::FromStr;

use fastrand::Rng;

use super::desk::Deed;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Desk(Deed),
    Pass,
    BoxClock,
    BoxRate,
    HubClock,
    Say,
    Arrive,
    Double,
    Lose,
    Garble,
    Hear,
    LoseAnswer,
    GarbleAnswer,
    Replay,
    HearOld,
    Talk,
    RestartBox,
    RestartHub,
    SaveBox,
    RestoreBox,
    PutBackBox,
    CopyBox,
    SaveHub,
    RestoreHub,
    FillBox,
    FillHub,
    MakeRoom,
    Decide,
    Ask,
    Poll,
    Fetch,
    FetchOld,
    Rule,
    Reply,
    AskTalk,
    Lend,
    LoansArrive,
    LoansHear,
    LoansLose,
    LoansGarble,
    LoansHearOld,
    LoansReplay,
    LoansTalk,
    Sell,
    CallOff,
    Scan,
    Recall,
    TakeBack,
}

impl Act {
    /// Whether the records of a box may be others afterwards.
    pub fn may_write_at_a_box(self) -> bool {
        match self {
            Self::Desk(_)
            | Self::Hear
            | Self::HearOld
            | Self::Talk
            | Self::RestartBox
            | Self::RestoreBox
            | Self::PutBackBox
            | Self::CopyBox
            | Self::RestoreHub
            | Self::Decide
            | Self::Fetch
            | Self::FetchOld
            | Self::Rule
            | Self::AskTalk
            | Self::Lend
            | Self::LoansHear
            | Self::LoansLose
            | Self::LoansGarble
            | Self::LoansHearOld
            | Self::LoansTalk
            | Self::CallOff
            | Self::Scan
            | Self::Recall
            | Self::TakeBack => true,
            Self::Pass
            | Self::BoxClock
            | Self::BoxRate
            | Self::HubClock
            | Self::Say
            | Self::Arrive
            | Self::Double
            | Self::Lose
            | Self::Garble
            | Self::LoseAnswer
            | Self::GarbleAnswer
            | Self::Replay
            | Self::RestartHub
            | Self::SaveBox
            | Self::SaveHub
            | Self::FillBox
            | Self::FillHub
            | Self::MakeRoom
            | Self::Ask
            | Self::Poll
            | Self::Reply
            | Self::LoansArrive
            | Self::LoansReplay
            | Self::Sell => false,
        }
    }
}

/// Each act, its word, and how often it is drawn.
const ACTS: [(Act, &str, u32); 57] = [
    (Act::Desk(Deed::Register), "register", 40),
    (Act::Desk(Deed::Edit), "edit", 40),
    (Act::Desk(Deed::Merge), "merge", 12),
    (Act::Desk(Deed::Book), "book", 110),
    (Act::Desk(Deed::Overbook), "overbook", 10),
    (Act::Desk(Deed::Move), "move", 40),
    (Act::Desk(Deed::Cancel), "cancel", 35),
    (Act::Desk(Deed::CheckIn), "check-in", 30),
    (Act::Desk(Deed::Call), "call", 15),
    (Act::Desk(Deed::Leave), "leave", 4),
    (Act::Pass, "pass", 50),
    (Act::BoxClock, "box-clock", 8),
    (Act::BoxRate, "box-rate", 5),
    (Act::HubClock, "hub-clock", 8),
    (Act::Say, "say", 90),
    (Act::Arrive, "arrive", 90),
    (Act::Double, "double", 20),
    (Act::Lose, "lose", 25),
    (Act::Garble, "garble", 15),
    (Act::Hear, "hear", 90),
    (Act::LoseAnswer, "lose-answer", 20),
    (Act::GarbleAnswer, "garble-answer", 10),
    (Act::Replay, "replay", 20),
    (Act::HearOld, "hear-old", 15),
    (Act::Talk, "talk", 60),
    (Act::RestartBox, "restart-box", 8),
    (Act::RestartHub, "restart-hub", 12),
    (Act::SaveBox, "save-box", 20),
    (Act::RestoreBox, "restore-box", 10),
    (Act::PutBackBox, "put-back-box", 4),
    (Act::CopyBox, "copy-box", 5),
    (Act::SaveHub, "save-hub", 16),
    (Act::RestoreHub, "restore-hub", 8),
    (Act::FillBox, "fill-box", 6),
    (Act::FillHub, "fill-hub", 6),
    (Act::MakeRoom, "make-room", 10),
    (Act::Decide, "decide", 10),
    (Act::Ask, "ask", 40),
    (Act::Poll, "poll", 40),
    (Act::Fetch, "fetch", 40),
    (Act::FetchOld, "fetch-old", 10),
    (Act::Rule, "rule", 30),
    (Act::Reply, "reply", 30),
    (Act::AskTalk, "ask-talk", 50),
    (Act::Lend, "lend", 50),
    (Act::LoansArrive, "loans-arrive", 60),
    (Act::LoansHear, "loans-hear", 60),
    (Act::LoansLose, "loans-lose", 15),
    (Act::LoansGarble, "loans-garble", 6),
    (Act::LoansHearOld, "loans-hear-old", 6),
    (Act::LoansReplay, "loans-replay", 12),
    (Act::LoansTalk, "loans-talk", 70),
    (Act::Sell, "sell", 110),
    (Act::CallOff, "call-off", 20),
    (Act::Scan, "scan", 25),
    (Act::Recall, "recall", 25),
    (Act::TakeBack, "take-back", 25),
];

/// As many steps has a story at least, and at most.
const STEPS: std::ops::RangeInclusive<usize> = 20..=60;

/// Something that happens to one of those to whom it can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub act: Act,
    /// To whom, by a number of which the world takes what it needs.
    pub pick: usize,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = ACTS.iter().find(|(act, _, _)| *act == self.act);
        let word = found.map_or("", |(_, word, _)| word);
        write!(f, "{word} {}", self.pick)
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, pick) = text.trim().split_once(' ').ok_or_else(|| format!("no step: {text}"))?;
        let found = ACTS.iter().find(|(_, it, _)| *it == word);
        let (act, _, _) = found.ok_or_else(|| format!("no such act: {word}"))?;
        let pick = pick.trim().parse().map_err(|_| format!("no number: {pick}"))?;
        Ok(Self { act: *act, pick })
    }
}

/// The story of a seed.
pub fn draw(seed: u64) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    let all: u32 = ACTS.iter().map(|(_, _, weight)| weight).sum();
    let steps = rng.usize(STEPS);
    let draw_one = |rng: &mut Rng| {
        let mut left = rng.u32(..all);
        let drawn = ACTS.iter().find(|(_, _, weight)| {
            let is_here = left < *weight;
            left = left.saturating_sub(*weight);
            is_here
        });
        let act = drawn.map_or(Act::Pass, |(act, _, _)| *act);
        Step { act, pick: rng.usize(..1000) }
    };
    (0..steps).map(|_| draw_one(&mut rng)).collect()
}

/// A story in one line.
pub fn line(steps: &[Step]) -> String {
    steps.iter().map(Step::to_string).collect::<Vec<_>>().join("; ")
}

/// The story in a line.
pub fn parse(line: &str) -> Result<Vec<Step>, String> {
    line.split(';').filter(|step| !step.trim().is_empty()).map(str::parse).collect()
}

#[test]
fn a_story_is_the_same_for_the_same_seed_and_can_be_written_down() {
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
    assert_eq!(parse(&line(&draw(7))).unwrap(), draw(7));
    for (act, word, _) in ACTS {
        assert_eq!(parse(&format!("{word} 1")).unwrap(), [Step { act, pick: 1 }]);
    }
}
