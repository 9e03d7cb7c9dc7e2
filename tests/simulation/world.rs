//! The world of a story: boxes, a hub, a line between them, and what happens to each.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::acknowledged::Acknowledged;
use super::asking::Asking;
use super::boxes::BoxEnd;
use super::content;
use super::desk;
use super::hub::HubEnd;
use super::line::Line;
use super::loans::Loss;
use super::sales::Sales;
use super::story::{Act, Step};
use super::template::{self, Template};

/// As many boxes of one disk as a story has at the most.
const BOXES_MAX: usize = 2;
/// What a step takes, in ms.
const STEP_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60_000;
/// If so many minutes pass, backups are made before.
const NIGHT_MINUTES: i64 = 360;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// 1970-01-01 and 2099-12-31, as clocks without a battery or with a wrong one say.
const WRONG_MS: [i64; 2] = [10_000, 4_102_358_400_000];

/// What is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which promise, so that a shorter story can be seen to break the same.
    pub what: &'static str,
    /// How.
    pub detail: String,
}

/// Where a story happens.
pub struct World<'r> {
    folder: TempDir,
    pub(super) runtime: &'r Runtime,
    pub(super) boxes: Vec<BoxEnd>,
    pub(super) hub: HubEnd,
    pub(super) line: Line,
    pub(super) asking: Asking,
    pub(super) sales: Sales,
    /// How often somebody tried to buy.
    pub(super) sold: u128,
    /// What has come about, by a word.
    pub(super) seen: BTreeSet<String>,
    pub(super) now_ms: i64,
    folders: u32,
}

impl<'r> World<'r> {
    /// As all stories begin.
    pub fn new(runtime: &'r Runtime) -> Self {
        let template = Template::get();
        let folder = template::in_memory();
        let (of_box, of_hub) = (folder.path().join("box"), folder.path().join("hub"));
        template::copy(&template.of_box(), &of_box);
        template::copy(&template.of_hub(), &of_hub);
        let people = template.people.clone();
        let acknowledged = Acknowledged { people, ..Acknowledged::default() };
        let saved = (template.of_box(), acknowledged);
        let boxes = vec![BoxEnd::open(0, of_box, template::BEGIN_MS, saved)];
        let hub = HubEnd::open(of_hub, template.of_hub());
        let (line, asking, seen) = (Line::default(), Asking::default(), BTreeSet::new());
        let now_ms = template::BEGIN_MS;
        let sales = Sales::default();
        Self { folder, runtime, boxes, hub, line, asking, sales, sold: 0, seen, now_ms, folders: 0 }
    }

    fn new_folder(&mut self) -> PathBuf {
        self.folders += 1;
        self.folder.path().join(self.folders.to_string())
    }

    /// Time goes on for everybody, as their clocks count it.
    pub(super) fn pass(&mut self, ms: i64) {
        self.now_ms += ms;
        self.hub.pass(ms);
        for it in &mut self.boxes {
            it.pass(ms);
        }
    }

    /// All clocks are right again.
    pub(super) fn set_clocks(&mut self) {
        self.hub.set_clock(self.now_ms);
        for it in &mut self.boxes {
            (it.clock_ms, it.rate) = (self.now_ms, 100);
        }
    }

    /// There is room on all disks.
    pub(super) fn make_room(&mut self) {
        if self.hub.is_full {
            self.hub.set_full(false);
        }
        for it in self.boxes.iter_mut().filter(|it| it.is_full) {
            it.set_full(false);
        }
    }

    /// A person lets a box in again, and joins the hub with it.
    pub(super) fn decide(&mut self, at: usize) {
        if self.hub.is_full || self.boxes[at].is_full {
            return;
        }
        let it = &mut self.boxes[at];
        let joined = self.hub.let_in(&it.keys(), it.now());
        it.join(joined);
    }

    fn save_box(&mut self, at: usize) {
        let folder = self.new_folder();
        self.boxes[at].save(folder);
    }

    fn save_hub(&mut self) {
        let folder = self.new_folder();
        self.hub.save(folder, self.sales.known());
    }

    /// What time a clock says that was set wrong, or right.
    fn some_time(&self, pick: usize) -> i64 {
        let times = [WRONG_MS[0], WRONG_MS[1], self.now_ms - 60 * MINUTE_MS, self.now_ms + DAY_MS];
        times.get(pick % 5).copied().unwrap_or(self.now_ms)
    }

    /// One step.
    pub fn step(&mut self, step: Step) -> Result<(), Failure> {
        self.pass(STEP_MS);
        let Step { act, pick } = step;
        let (at, pick) = (pick % self.boxes.len(), pick / self.boxes.len());
        match act {
            Act::Desk(deed) => {
                let done = desk::act(&mut self.boxes[at], deed, pick);
                done.map_err(|detail| Failure { what: "the desk is answered", detail })?;
            }
            Act::Pass => {
                let minutes = [1, 10, 60, 360, 1440, 3000];
                let minutes = minutes[pick % minutes.len()];
                if minutes >= NIGHT_MINUTES {
                    self.save_box(at);
                    self.save_hub();
                }
                self.pass(minutes * MINUTE_MS);
            }
            Act::BoxClock => self.boxes[at].clock_ms = self.some_time(pick),
            Act::BoxRate => self.boxes[at].rate = [50, 99, 100, 101, 200][pick % 5],
            Act::HubClock => self.hub.set_clock(self.some_time(pick)),
            Act::Say => self.say(at)?,
            Act::Arrive => self.arrive(pick, false)?,
            Act::Double => self.arrive(pick, true)?,
            Act::Lose => self.line.lose(pick),
            Act::Garble => self.line.garble(pick),
            Act::Hear => self.hear(pick)?,
            Act::LoseAnswer => self.line.lose_answer(pick),
            Act::GarbleAnswer => self.line.garble_answer(pick),
            Act::Replay => self.replay(pick)?,
            Act::HearOld => self.hear_old(at, pick)?,
            Act::Talk => drop(self.talk(at)?),
            Act::RestartBox => self.boxes[at].restart(),
            Act::RestartHub => self.hub.restart(),
            Act::SaveBox => self.save_box(at),
            Act::RestoreBox => {
                self.sales.all.iter_mut().for_each(|it| it.box_forgot = true);
                self.boxes[at].put_back(true);
            }
            Act::PutBackBox => {
                self.sales.all.iter_mut().for_each(|it| it.box_forgot = true);
                self.sales.is_forked = true;
                self.boxes[at].put_back(false);
            }
            Act::CopyBox if self.boxes.len() < BOXES_MAX => {
                let folder = self.new_folder();
                self.sales.is_forked = true;
                let copy = self.boxes[at].copy(self.folders, folder);
                self.boxes.push(copy);
            }
            Act::CopyBox => {}
            Act::SaveHub => self.save_hub(),
            Act::RestoreHub => {
                let sold = self.hub.restore();
                self.sales.hub_restored(&sold);
                self.boxes.iter_mut().for_each(|it| it.is_doubtful = true);
            }
            Act::FillBox => self.boxes[at].set_full(true),
            Act::FillHub => self.hub.set_full(true),
            Act::MakeRoom => self.make_room(),
            Act::Decide => self.decide(at),
            Act::Ask => self.ask(pick),
            Act::Poll => self.poll(at)?,
            Act::Fetch => self.fetch(at)?,
            Act::FetchOld => self.fetch_old(at, pick)?,
            Act::Rule => self.rule(at, pick)?,
            Act::Reply => self.reply(at, pick)?,
            Act::AskTalk => {
                self.poll(at)?;
                self.fetch(at)?;
                self.rule(at, pick)?;
                self.reply(at, 1)?;
            }
            Act::Lend => self.lend(at)?,
            Act::LoansArrive => self.loans_arrive(at, pick.is_multiple_of(4))?,
            Act::LoansHear => self.loans_hear(at)?,
            Act::LoansLose => self.loans_lose(at, Loss::Silence, pick)?,
            Act::LoansGarble => self.loans_lose(at, Loss::Garbled, pick)?,
            Act::LoansHearOld => self.loans_lose(at, Loss::Old, pick)?,
            Act::LoansReplay => self.loans_replay(pick)?,
            Act::LoansTalk => drop(self.loans_talk(at)?),
            Act::Sell => self.sell(pick)?,
            Act::CallOff => self.call_off(pick)?,
            Act::Scan => self.scan(at, pick)?,
            Act::Recall => self.recall(at, pick)?,
            Act::TakeBack => self.take_back(at, pick)?,
        }
        if act.may_write_at_a_box() { self.check() } else { Ok(()) }
    }

    /// Compares what is there with what was said.
    pub(super) fn check(&mut self) -> Result<(), Failure> {
        for it in &mut self.boxes {
            let stamp = it.stamp();
            if let Some(detail) = it.acknowledged.compared_with(&it.db, &stamp, &self.sales) {
                return Err(Failure { what: "what was acknowledged is there, once", detail });
            }
        }
        self.check_sales()
    }

    /// Compares what the box knows of its loans with what was sold, unless it cannot know.
    fn check_sales(&mut self) -> Result<(), Failure> {
        let is_dark = self.boxes[0].is_dark();
        if self.boxes.len() > 1 || self.sales.is_forked || is_dark {
            return Ok(());
        }
        let books = self.books(0)?;
        self.sales.see(&books, self.now_ms);
        let visits = &self.boxes[0].acknowledged.visits;
        match self.sales.given_away(&books, |id| visits.iter().any(|it| it.id == id)) {
            Some(detail) => {
                Err(Failure { what: "what was sold is kept for who bought it", detail })
            }
            None => Ok(()),
        }
    }

    /// Compares what the hub holds with what it said, unless nobody can know yet: there are two boxes of
    /// one disk, or somebody was put back.
    pub(super) fn check_held(&self, at: usize) -> Result<(), Failure> {
        if self.boxes.len() > 1 || self.boxes[at].is_doubtful || self.boxes[at].is_forked {
            return Ok(());
        }
        match content::held(&self.boxes[at], &self.hub) {
            Some(detail) => Err(Failure { what: "what a receipt says is held, is held", detail }),
            None => Ok(()),
        }
    }
}
