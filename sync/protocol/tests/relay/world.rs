//! A box, a hub, and what lies between them. Both send and take in; only the box asks.

use std::collections::BTreeMap;

use sync_protocol::relay::{
    Batch, HELLO_MS, Had, Item, ItemId, RESEND_MS_MAX, Row, Sent, WINDOW_MAX, hear, take,
};

use super::mutation::{self, Mutation};

/// As often as something goes wrong and everything settles again.
const PHASES: u32 = 4;
/// As much happens in each.
const STEPS: u32 = 120;
/// More rounds than anything needs when the line is good; what needs more never ends.
const ROUNDS_MAX: u32 = 40;
/// On a new connection, what was on its way goes again within this long, in milliseconds.
const SOON_MS: i64 = 1_000;
const BOX: usize = 0;

/// What must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A message was taken in twice.
    Twice,
    /// A message that its sender keeps and believes to be had is not there.
    Lost,
    /// It never comes to rest.
    Endless,
    /// A new connection does not bring at once what was on its way on the last one.
    Late,
}

/// A row of a sender, and as which number it is noted to be had.
#[derive(Clone)]
struct Kept {
    number: u64,
    id: ItemId,
    had_as: Option<u64>,
}

/// What is in an end's database.
#[derive(Clone, Default)]
struct Database {
    kept: Vec<Kept>,
    last: u64,
    /// What was taken in; the first is number 1.
    taken: Vec<ItemId>,
}

impl Database {
    /// What a sender that was put back does.
    fn begin_again(&mut self) {
        for row in &mut self.kept {
            row.had_as = None;
        }
    }
}

#[derive(Default)]
struct End {
    database: Database,
    copy: Option<Database>,
    sent: BTreeMap<u64, Sent>,
    asked_ms: Option<i64>,
}

struct World {
    ends: [End; 2],
    line: Vec<(usize, Batch)>,
    now_ms: i64,
    made: u64,
    random: u64,
    mutation: Option<Mutation>,
}

/// Plays one seed to its end.
pub fn play(seed: u64, mutation: Option<Mutation>) -> Result<(), Broken> {
    let mut world = World {
        ends: [End::default(), End::default()],
        line: Vec::new(),
        now_ms: 1_800_000_000_000,
        made: 0,
        random: seed,
        mutation,
    };
    for _ in 0..PHASES {
        // Two databases that are put back before the ends spoke in between are beyond the rules.
        let mut may_put_back = true;
        for _ in 0..STEPS {
            world.step(&mut may_put_back)?;
        }
        world.settle()?;
    }
    world.connect_anew()
}

impl World {
    /// SplitMix64 (Steele, Lea and Flood, 2014), below a bound.
    fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % bound
    }

    fn pick(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    fn step(&mut self, may_put_back: &mut bool) -> Result<(), Broken> {
        let end = self.pick(2);
        match self.below(100) {
            0..20 => self.write(end),
            20..40 => self.send(end),
            40..75 if !self.line.is_empty() => self.deliver()?,
            75..80 if !self.line.is_empty() => {
                let lost = self.pick(self.line.len());
                self.line.swap_remove(lost);
            }
            80..86 => {
                self.now_ms += self.below(20_000) as i64;
            }
            86..88 => self.now_ms -= 24 * 60 * 60 * 1000,
            88..92 => self.reconnect(end),
            92..94 => self.ends[end].copy = Some(self.ends[end].database.clone()),
            94..96 if *may_put_back => {
                if let Some(copy) = self.ends[end].copy.clone() {
                    self.ends[end].database = copy;
                    self.ends[end].database.begin_again();
                    self.reconnect(end);
                    *may_put_back = false;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self, end: usize) {
        self.made += 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.made.to_be_bytes());
        let database = &mut self.ends[end].database;
        database.last += 1;
        let number = database.last;
        database.kept.push(Kept { number, id: ItemId(id), had_as: None });
    }

    /// The line or the program was away. What was on its way may still arrive.
    fn reconnect(&mut self, end: usize) {
        if self.mutation != Some(Mutation::ConnectionIgnored) {
            self.ends[end].sent.clear();
        }
        self.ends[end].asked_ms = None;
    }

    fn rows(&self, end: usize) -> Vec<Row> {
        let end = &self.ends[end];
        let waiting = end.database.kept.iter().filter(|it| it.had_as.is_none()).take(WINDOW_MAX);
        waiting
            .map(|it| Row { number: it.number, bytes: 10, sent: end.sent.get(&it.number).copied() })
            .collect()
    }

    /// Says what is due. The box asks on a connection, and now and then.
    fn send(&mut self, end: usize) {
        let next = mutation::send(self.mutation, &self.rows(end), self.now_ms);
        let is_silent = |at: i64| at > self.now_ms || at + HELLO_MS <= self.now_ms;
        let ask = end == BOX && self.ends[end].asked_ms.is_none_or(is_silent);
        if next.send.is_empty() && !ask {
            return;
        }
        let this = &mut self.ends[end];
        let items = next.send.iter().filter_map(|number| {
            let sent = Sent::now(this.sent.get(number).copied(), self.now_ms);
            this.sent.insert(*number, sent);
            let row = this.database.kept.iter().find(|it| it.number == *number)?;
            Some(Item { id: row.id, body: Vec::new() })
        });
        let items = items.collect();
        if ask {
            this.asked_ms = Some(self.now_ms);
        }
        let taken = ask.then_some(this.database.taken.len() as u64);
        self.line.push((1 - end, Batch { items, taken, ask, ..Batch::default() }));
    }

    /// Delivers something, perhaps not for the last time, to an end that perhaps falls before or after its commit.
    fn deliver(&mut self) -> Result<(), Broken> {
        let place = self.pick(self.line.len());
        let (to, batch) = self.line[place].clone();
        if self.below(5) > 0 {
            self.line.swap_remove(place);
        }
        let falls = self.below(12);
        if falls == 0 {
            self.reconnect(to);
            return Ok(());
        }
        let answer = self.take_in(to, &batch)?;
        if falls == 1 {
            self.reconnect(to);
        } else if answer != Batch::default() {
            self.line.push((1 - to, answer));
        }
        Ok(())
    }

    /// What an end's database is after a batch, and what it answers.
    fn taken_in(&self, to: usize, batch: &Batch) -> (Database, Batch) {
        let mut database = self.ends[to].database.clone();
        let known: BTreeMap<ItemId, u64> = if self.mutation == Some(Mutation::TakenAgain) {
            BTreeMap::new()
        } else {
            (1..).zip(&database.taken).map(|(number, id)| (*id, number)).collect()
        };
        let number_of = |id| known.get(&id).copied();
        let mut taken = take(database.taken.len() as u64, &batch.items, number_of);
        for (place, _) in &taken.fresh {
            database.taken.push(batch.items[*place].id);
        }
        mutation::said_to_be_had(self.mutation, &mut taken);

        let said = mutation::before_hearing(self.mutation, batch);
        let noted_as =
            |number| database.kept.iter().find(|it| it.had_as == Some(number)).map(|it| it.id);
        let mut heard = hear(&said, noted_as);
        mutation::after_hearing(self.mutation, &said, &mut heard);
        for row in &mut database.kept {
            if heard.lost_from.is_some_and(|from| row.had_as.is_some_and(|it| it >= from)) {
                row.had_as = None;
            }
            if let Some(Had { id: _, number }) = heard.had.iter().find(|it| it.id == row.id) {
                row.had_as = Some(*number);
            }
        }
        let count = batch.ask.then_some(database.taken.len() as u64);
        let answer = Batch { have: taken.have, taken: count, ..Batch::default() };
        (database, answer)
    }

    fn take_in(&mut self, to: usize, batch: &Batch) -> Result<Batch, Broken> {
        let (database, answer) = self.taken_in(to, batch);
        let is_lost = |row: &Kept| {
            let before = self.ends[to].database.kept.iter().find(|it| it.id == row.id);
            row.had_as.is_none() && before.is_some_and(|it| it.had_as.is_some())
        };
        let again: Vec<u64> =
            database.kept.iter().filter(|it| is_lost(it)).map(|it| it.number).collect();
        let end = &mut self.ends[to];
        end.sent.retain(|number, _| !again.contains(number));
        end.database = database;
        let mut ids = end.database.taken.clone();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Broken::Twice);
        }
        Ok(answer)
    }

    /// The line is good and time passes: everything comes to rest, and nothing is missing.
    fn settle(&mut self) -> Result<(), Broken> {
        for _ in 0..ROUNDS_MAX {
            self.now_ms += RESEND_MS_MAX + 1;
            for end in 0..2 {
                self.send(end);
            }
            while !self.line.is_empty() {
                let (to, batch) = self.line.remove(0);
                let answer = self.take_in(to, &batch)?;
                if answer != Batch::default() {
                    self.line.push((1 - to, answer));
                }
            }
            let is_quiet = (0..2).all(|end| self.rows(end).is_empty());
            let is_silent = self.now_ms < self.ends[BOX].asked_ms.unwrap_or_default() + HELLO_MS;
            // The box has asked since the last thing went wrong.
            if is_quiet && is_silent && self.asked_in_vain() {
                return self.nothing_is_missing();
            }
        }
        Err(Broken::Endless)
    }

    /// Asks once more: it changes nothing where all is at rest.
    fn asked_in_vain(&mut self) -> bool {
        let taken = [0, 1].map(|end: usize| self.ends[end].database.taken.len() as u64);
        for (end, taken) in [(0, taken[1]), (1, taken[0])] {
            let batch = Batch { taken: Some(taken), ..Batch::default() };
            if self.take_in(end, &batch).is_err() {
                return false;
            }
        }
        (0..2).all(|end| self.rows(end).is_empty())
    }

    fn nothing_is_missing(&self) -> Result<(), Broken> {
        for (from, to) in [(0, 1), (1, 0)] {
            let there = &self.ends[to].database.taken;
            if self.ends[from].database.kept.iter().any(|row| !there.contains(&row.id)) {
                return Err(Broken::Lost);
            }
        }
        Ok(())
    }

    /// Something is sent and lost with its connection: the next one brings it without a pause.
    fn connect_anew(&mut self) -> Result<(), Broken> {
        for end in 0..2 {
            self.write(end);
            self.send(end);
            self.line.clear();
            self.reconnect(end);
            self.now_ms += SOON_MS;
            self.send(end);
            if !self.line.iter().any(|(_, batch)| !batch.items.is_empty()) {
                return Err(Broken::Late);
            }
        }
        self.settle()
    }
}
