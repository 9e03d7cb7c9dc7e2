//! People, a hub, a box, and the line between. What is in a database stays when an end falls; nothing else does.

use std::collections::{BTreeMap, BTreeSet};

use sync_protocol::relay::answerer::{Asked, How, Turn, ask, claim, goes_along};

const STEPS: u32 = 300;
/// More rounds than anything needs when the line is good; what needs more never ends.
const ROUNDS_MAX: u32 = 200;
const PEOPLE: u64 = 2;

/// A message; later ones are greater.
type Message = u32;
/// A dialogue is what it grew from: the messages that were answered in it, in order.
type Dialogue = Vec<Message>;

/// What must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A message was answered twice.
    Twice,
    /// An answer does not follow from those before it.
    Stale,
    /// It never comes to rest.
    Endless,
    /// The box does not know what the hub said.
    NotTold,
}

/// A rule that is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// The box answers without asking.
    NotAsked,
    /// The hub claims what it gave to the box.
    ClaimedTwice,
    /// The box is given what the hub claimed.
    GivenTwice,
    /// The hub answers while it is not known how far the box came.
    AnsweredUnseen,
    /// The box is given a message while one before it is open.
    OutOfOrder,
    /// The dialogue does not go along.
    Left,
    /// It always does.
    AlwaysAlong,
}

impl Mutation {
    pub const ALL: [(Self, Broken); 7] = [
        (Self::NotAsked, Broken::Twice),
        (Self::ClaimedTwice, Broken::Twice),
        (Self::GivenTwice, Broken::Twice),
        (Self::AnsweredUnseen, Broken::Stale),
        (Self::OutOfOrder, Broken::Stale),
        (Self::Left, Broken::Stale),
        (Self::AlwaysAlong, Broken::Stale),
    ];
}

/// What is on the line. Items go again until they are had; the rest until it is answered.
#[derive(Clone)]
enum Packet {
    Heard(Message),
    /// What the hub said, and whether it was a mere note.
    Said(Message),
    HaveSaid(Message),
    Whose(Vec<Message>),
    Yours(Message, Option<Dialogue>),
    /// The box is through with a message, and how its dialogue stands.
    Stood(Message, Dialogue),
    HaveStood(Message),
}

#[derive(Default)]
struct Hub {
    turns: BTreeMap<Message, Turn>,
    /// How the dialogue of each person stands, as far as is known.
    dialogues: BTreeMap<u64, Dialogue>,
    said_had: BTreeSet<Message>,
}

#[derive(Default)]
struct House {
    heard: BTreeSet<Message>,
    in_doubt: BTreeSet<Message>,
    given: BTreeMap<Message, Option<Dialogue>>,
    /// In which order the box was through with them.
    handled: Vec<Message>,
    /// What is remembered, and of after which message.
    dialogues: BTreeMap<u64, (Message, Dialogue)>,
    /// What is to be told to the hub.
    stood: BTreeMap<Message, Dialogue>,
    told: BTreeSet<Message>,
}

struct World {
    hub: Hub,
    house: House,
    up: Vec<Packet>,
    down: Vec<Packet>,
    written: Message,
    answered: BTreeMap<Message, u32>,
    by_hub: u32,
    random: u64,
    mutation: Option<Mutation>,
}

fn person(message: Message) -> u64 {
    u64::from(message) % PEOPLE
}

/// Plays one seed to its end; how many messages the hub answered.
pub fn play(seed: u64, mutation: Option<Mutation>) -> Result<u32, Broken> {
    let mut world = World {
        hub: Hub::default(),
        house: House::default(),
        up: Vec::new(),
        down: Vec::new(),
        written: 0,
        answered: BTreeMap::new(),
        by_hub: 0,
        random: seed,
        mutation,
    };
    for _ in 0..STEPS {
        world.step()?;
    }
    world.settle()?;
    Ok(world.by_hub)
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

    fn step(&mut self) -> Result<(), Broken> {
        match self.below(100) {
            0..8 => {
                self.written += 1;
                self.hub.turns.insert(self.written, Turn::Open);
            }
            8..22 => self.hub_sends(),
            22..34 => self.box_sends(),
            34..60 => {
                let to_box = self.below(2) == 0;
                let line = if to_box { &self.down } else { &self.up };
                if !line.is_empty() {
                    let at = self.below(line.len() as u64) as usize;
                    let line = if to_box { &mut self.down } else { &mut self.up };
                    // The line says some of it again.
                    let packet = line[at].clone();
                    if self.below(4) > 0 {
                        let line = if to_box { &mut self.down } else { &mut self.up };
                        line.swap_remove(at);
                    }
                    self.arrive(packet)?;
                }
            }
            // A cut: what was on the line is lost.
            60..63 => self.up.clear(),
            63..66 => self.down.clear(),
            66..84 => self.box_answers()?,
            // Whether the box is away is a guess.
            84..90 => self.hub_claims(),
            90..98 => self.hub_answers()?,
            // The box forgets what it remembers; it is no record.
            _ => self.house.dialogues.clear(),
        }
        Ok(())
    }

    /// The messages of a person before this one, as the hub has them.
    fn before(&self, message: Message) -> Vec<Turn> {
        let own = self.hub.turns.range(..message);
        own.filter(|(it, _)| person(**it) == person(message)).map(|(_, turn)| *turn).collect()
    }

    fn hub_sends(&mut self) {
        for (message, turn) in &self.hub.turns {
            if !self.house.heard.contains(message) {
                self.down.push(Packet::Heard(*message));
            }
            if matches!(turn, Turn::Answered | Turn::Noted) && !self.hub.said_had.contains(message)
            {
                self.down.push(Packet::Said(*message));
            }
        }
    }

    fn box_sends(&mut self) {
        if !self.house.in_doubt.is_empty() {
            self.up.push(Packet::Whose(self.house.in_doubt.iter().copied().collect()));
        }
        for (message, dialogue) in &self.house.stood {
            self.up.push(Packet::Stood(*message, dialogue.clone()));
        }
    }

    fn arrive(&mut self, packet: Packet) -> Result<(), Broken> {
        match packet {
            Packet::Heard(message) => self.hear(message),
            Packet::Said(message) => {
                self.hear(message);
                if self.house.told.insert(message) {
                    self.house.in_doubt.remove(&message);
                    if self.house.handled.contains(&message) {
                        return Err(Broken::Twice);
                    }
                    self.house.handled.push(message);
                }
                self.up.push(Packet::HaveSaid(message));
            }
            Packet::HaveSaid(message) => {
                self.hub.said_had.insert(message);
            }
            Packet::Whose(messages) => {
                for message in messages {
                    self.asked(message);
                }
            }
            Packet::Yours(message, dialogue) => {
                if self.house.in_doubt.remove(&message) {
                    self.house.given.insert(message, dialogue);
                }
            }
            Packet::Stood(message, dialogue) => {
                let newest = self.hub.dialogues.entry(person(message)).or_default();
                if newest.last() < dialogue.last() {
                    *newest = dialogue;
                }
                for (other, turn) in self.hub.turns.range_mut(..=message) {
                    if *turn == Turn::Box && person(*other) == person(message) {
                        *turn = Turn::Done;
                    }
                }
                self.down.push(Packet::HaveStood(message));
            }
            Packet::HaveStood(message) => {
                self.house.stood.remove(&message);
            }
        }
        Ok(())
    }

    fn hear(&mut self, message: Message) {
        if self.house.heard.insert(message) {
            if self.mutation == Some(Mutation::NotAsked) {
                self.house.given.insert(message, None);
            } else {
                self.house.in_doubt.insert(message);
            }
        }
    }

    /// The box asks whose a message is.
    fn asked(&mut self, message: Message) {
        let mut before = self.before(message);
        let mut own = self.hub.turns[&message];
        if self.mutation == Some(Mutation::GivenTwice) && own == Turn::Claimed {
            own = Turn::Open;
        }
        if self.mutation == Some(Mutation::OutOfOrder) {
            before.retain(|it| *it != Turn::Open);
        }
        match ask(&before, Some(own)) {
            Asked::Nothing => return,
            Asked::Yours => {}
            Asked::Given => {
                if self.hub.turns[&message] == Turn::Open {
                    self.hub.turns.insert(message, Turn::Box);
                }
            }
        }
        let along = match self.mutation {
            Some(Mutation::Left) => false,
            Some(Mutation::AlwaysAlong) => true,
            Some(_) | None => goes_along(&before),
        };
        let dialogue = self.hub.dialogues.get(&person(message)).filter(|_| along);
        self.down.push(Packet::Yours(message, dialogue.cloned()));
    }

    fn hub_claims(&mut self) {
        let open: Vec<Message> = self.hub.turns.keys().copied().collect();
        for message in open {
            let mut own = self.hub.turns[&message];
            if self.mutation == Some(Mutation::ClaimedTwice) && own == Turn::Box {
                own = Turn::Open;
            }
            if claim(&self.before(message), own).is_some() {
                self.hub.turns.insert(message, Turn::Claimed);
                return;
            }
        }
    }

    /// The hub goes on with what it claimed, perhaps as another process.
    fn hub_answers(&mut self) -> Result<(), Broken> {
        let claimed = self.hub.turns.iter().find(|(_, turn)| **turn == Turn::Claimed);
        let Some(message) = claimed.map(|(message, _)| *message) else { return Ok(()) };
        let before = self.before(message);
        let mut how = claim(&before, Turn::Open).expect("it was claimed");
        if self.mutation == Some(Mutation::AnsweredUnseen) {
            how = How::Answer;
        }
        match how {
            How::Note => {
                self.hub.turns.insert(message, Turn::Noted);
                self.count(message)?;
            }
            How::Answer => {
                let dialogue =
                    self.hub.dialogues.get(&person(message)).cloned().unwrap_or_default();
                let dialogue = self.follows(message, dialogue)?;
                self.hub.dialogues.insert(person(message), dialogue);
                self.hub.turns.insert(message, Turn::Answered);
                self.count(message)?;
            }
        }
        self.by_hub += 1;
        Ok(())
    }

    /// The box answers the first message that waits and is its own, of somebody.
    fn box_answers(&mut self) -> Result<(), Broken> {
        let waits = |message: &Message| {
            let is_before = |it: &Message| *it < *message && person(*it) == person(*message);
            !self.house.in_doubt.iter().any(is_before) && !self.house.given.keys().any(is_before)
        };
        let Some(message) = self.house.given.keys().copied().find(waits) else { return Ok(()) };
        let given = self.house.given.remove(&message).flatten();
        if self.house.handled.contains(&message) {
            return Ok(());
        }
        let last = self.house.handled.iter().rev().find(|it| person(**it) == person(message));
        let kept = self.house.dialogues.get(&person(message));
        let kept = kept.filter(|(after, _)| Some(after) == last).map(|it| it.1.clone());
        let dialogue = self.follows(message, given.or(kept).unwrap_or_default())?;
        self.house.dialogues.insert(person(message), (message, dialogue.clone()));
        self.house.handled.push(message);
        self.house.stood.insert(message, dialogue);
        self.count(message)
    }

    /// The dialogue after an answer. It is of all before it, or was lost and is begun anew.
    fn follows(&self, message: Message, before: Dialogue) -> Result<Dialogue, Broken> {
        let noted = |it: &Message| self.hub.turns[it] == Turn::Noted;
        let own = (1..message).filter(|it| person(*it) == person(message) && !noted(it));
        let own: Dialogue = own.collect();
        // Some may have been answered after a loss: what is remembered is the end of it.
        if !own.ends_with(&before) {
            return Err(Broken::Stale);
        }
        Ok([before, vec![message]].concat())
    }

    fn count(&mut self, message: Message) -> Result<(), Broken> {
        let times = self.answered.entry(message).or_default();
        *times += 1;
        if *times > 1 { Err(Broken::Twice) } else { Ok(()) }
    }

    /// The line is good, and the box is there: everything comes to its end.
    fn settle(&mut self) -> Result<(), Broken> {
        for _ in 0..ROUNDS_MAX {
            self.hub_sends();
            self.box_sends();
            while let Some(packet) = self.down.pop().or_else(|| self.up.pop()) {
                self.arrive(packet)?;
            }
            self.hub_answers()?;
            self.box_answers()?;
            let all = self
                .hub
                .turns
                .values()
                .all(|turn| matches!(turn, Turn::Done | Turn::Answered | Turn::Noted));
            let is_told = self.house.handled.len() == self.written as usize;
            if all && is_told {
                let once = (1..=self.written).all(|it| self.answered.get(&it) == Some(&1));
                return if once { Ok(()) } else { Err(Broken::NotTold) };
            }
        }
        Err(Broken::Endless)
    }
}
