//! The line: what was sent and not yet heard, and what it does to it.

use sync_agent::{Fault, Prepared, Sealed, Turn};
use sync_hub::receive::Refused;

use super::world::{Failure, World};

/// Exchanges after which a box that talks is said never to end.
const EXCHANGES_MAX: usize = 24;

/// An envelope on its way to the hub.
#[derive(Clone)]
struct Sent {
    from: u32,
    exchange: u32,
    bytes: Vec<u8>,
    is_garbled: bool,
}

/// An answer on its way to a box.
struct Answer {
    to: u32,
    exchange: u32,
    said: Result<Vec<u8>, u16>,
    is_garbled: bool,
    /// How often the hub had been put back when it said this.
    restores: u32,
}

/// What is under way, and what whoever listens has kept.
#[derive(Default)]
pub struct Line {
    up: Vec<Sent>,
    down: Vec<Answer>,
    overheard: Vec<Sent>,
    answers: Vec<Vec<u8>>,
    exchanges: u32,
    /// What boxes said of loans, and what they were answered.
    pub said_of_loans: Vec<Vec<u8>>,
    pub heard_of_loans: Vec<Vec<u8>>,
}

impl Line {
    /// An envelope is lost.
    pub fn lose(&mut self, pick: usize) {
        drop(taken(&mut self.up, pick));
    }

    /// An answer is lost.
    pub fn lose_answer(&mut self, pick: usize) {
        drop(taken(&mut self.down, pick));
    }

    /// An envelope is altered or cut short.
    pub fn garble(&mut self, pick: usize) {
        if let Some(mut sent) = taken(&mut self.up, pick) {
            garble(&mut sent.bytes, pick);
            self.up.push(Sent { is_garbled: true, ..sent });
        }
    }

    /// An answer is altered or cut short.
    pub fn garble_answer(&mut self, pick: usize) {
        if let Some(mut answer) = taken(&mut self.down, pick)
            && let Ok(bytes) = &mut answer.said
        {
            garble(bytes, pick);
            self.down.push(Answer { is_garbled: true, ..answer });
        }
    }

    /// All that is under way is lost.
    pub fn clear(&mut self) {
        self.up.clear();
        self.down.clear();
    }
}

fn taken<T>(from: &mut Vec<T>, pick: usize) -> Option<T> {
    let at = pick.checked_rem(from.len())?;
    Some(from.remove(at))
}

pub fn garble(bytes: &mut Vec<u8>, pick: usize) {
    let at = pick * 37 % bytes.len().max(1);
    match bytes.get_mut(at) {
        Some(byte) if pick.is_multiple_of(2) => *byte ^= 1 << (pick % 8),
        Some(_) | None => bytes.truncate(at),
    }
}

pub fn status(refused: &Refused) -> u16 {
    match refused {
        Refused::Envelope(_) | Refused::Unrecognised => 401,
        Refused::Malformed => 400,
        Refused::NotLiving => 409,
        Refused::Store(_)
        | Refused::Key(_)
        | Refused::Sales(_)
        | Refused::NotSealed
        | Refused::Stopping => 503,
    }
}

impl World<'_> {
    /// What was not answered will not be any more.
    pub(super) fn give_up(&mut self, at: usize) {
        let it = &mut self.boxes[at];
        if it.pending.take().is_some() {
            self.runtime.block_on(it.agent.note_fault(&Fault::Refused(504), it.now()));
        }
    }

    /// A box sends what is next.
    pub(super) fn say(&mut self, at: usize) -> Result<(), Failure> {
        let Ok(sealed) = self.prepared(at)? else { return Ok(()) };
        self.line.exchanges += 1;
        let (exchange, from) = (self.line.exchanges, self.boxes[at].name);
        let bytes = sealed.envelope.clone();
        let sent = Sent { from, exchange, bytes, is_garbled: false };
        self.line.overheard.push(sent.clone());
        self.line.up.push(sent);
        self.boxes[at].pending = Some((exchange, *sealed));
        Ok(())
    }

    fn prepared(&mut self, at: usize) -> Result<Result<Box<Sealed>, Option<Turn>>, Failure> {
        self.give_up(at);
        let it = &mut self.boxes[at];
        match self.runtime.block_on(it.agent.prepare(it.now())) {
            Ok(Prepared::Bundle(sealed)) => Ok(Ok(sealed)),
            Ok(Prepared::Nothing(turn)) => Ok(Err(Some(turn))),
            Err(fault) => self.failed(at, &fault, false).map(|()| Err(None)),
        }
    }

    /// The box notes a fault; a failure if none was to be expected.
    fn failed(&mut self, at: usize, fault: &Fault, expected: bool) -> Result<(), Failure> {
        let it = &mut self.boxes[at];
        self.runtime.block_on(it.agent.note_fault(fault, it.now()));
        self.seen.insert(fault.word().to_owned());
        let is_fine = expected
            || match fault {
                Fault::Records(_) => it.is_full,
                // The hub could not write it, or was put back meanwhile: it will be asked.
                Fault::Refused(status) => *status == 503 && self.hub.is_full,
                Fault::Stuck => true,
                Fault::Keys(_) | Fault::Http(_) | Fault::Seal | Fault::Receipt => false,
            };
        let detail = fault.to_string();
        if is_fine { Ok(()) } else { Err(Failure { what: "an exchange is possible", detail }) }
    }

    /// An envelope reaches the hub; if it `stays`, it will once more.
    pub(super) fn arrive(&mut self, pick: usize, stays: bool) -> Result<(), Failure> {
        let Some(sent) = taken(&mut self.line.up, pick) else { return Ok(()) };
        if stays {
            self.line.up.push(sent.clone());
        }
        self.taken_in(&sent)
    }

    /// An envelope of long ago reaches the hub.
    pub(super) fn replay(&mut self, pick: usize) -> Result<(), Failure> {
        let Some(at) = pick.checked_rem(self.line.overheard.len()) else { return Ok(()) };
        let sent = Sent { exchange: 0, ..self.line.overheard[at].clone() };
        self.taken_in(&sent)
    }

    fn taken_in(&mut self, sent: &Sent) -> Result<(), Failure> {
        let said = self.hub.receive(&sent.bytes);
        let is_taken = match &said {
            Ok(_) => !sent.is_garbled,
            Err(Refused::Store(_)) => self.hub.is_full,
            Err(_) => sent.is_garbled,
        };
        if !is_taken {
            let detail = match said {
                Ok(_) => "an envelope that was altered is answered".to_owned(),
                Err(refused) => format!("an envelope is refused: {refused}"),
            };
            return Err(Failure {
                what: "envelopes arrive as they were sent or not at all",
                detail,
            });
        }
        if let Ok(bytes) = &said {
            self.line.answers.push(bytes.clone());
        }
        self.line.down.push(Answer {
            to: sent.from,
            exchange: sent.exchange,
            said: said.map_err(|refused| status(&refused)),
            is_garbled: sent.is_garbled,
            restores: self.hub.restores,
        });
        Ok(())
    }

    /// An answer reaches its box, if that still waits for it.
    pub(super) fn hear(&mut self, pick: usize) -> Result<(), Failure> {
        let Some(answer) = taken(&mut self.line.down, pick) else { return Ok(()) };
        let Answer { to, exchange, said, is_garbled, restores } = answer;
        let waits = self.boxes.iter().position(|it| {
            it.name == to && it.pending.as_ref().is_some_and(|(own, _)| *own == exchange)
        });
        let Some(at) = waits else { return Ok(()) };
        let Some((_, sealed)) = self.boxes[at].pending.take() else { return Ok(()) };
        match said {
            Ok(bytes) => {
                let is_newest = restores == self.hub.restores;
                self.heard(at, sealed, &bytes, (is_newest, is_garbled))?;
                self.check_held(at)
            }
            Err(status) => self.failed(at, &Fault::Refused(status), true),
        }
    }

    /// Somebody on the line gives a box an answer of long ago in place of the one that it waits for.
    pub(super) fn hear_old(&mut self, at: usize, pick: usize) -> Result<(), Failure> {
        let Some(old) = pick.checked_rem(self.line.answers.len()) else { return Ok(()) };
        let Some((_, sealed)) = self.boxes[at].pending.take() else { return Ok(()) };
        let bytes = self.line.answers[old].clone();
        self.heard(at, sealed, &bytes, (false, true))?;
        self.check_held(at)
    }

    /// A box takes in an answer. One that may not be believed makes a fault and nothing else.
    fn heard(
        &mut self,
        at: usize,
        sealed: Sealed,
        bytes: &[u8],
        (is_newest, may_fail): (bool, bool),
    ) -> Result<Option<Turn>, Failure> {
        let it = &mut self.boxes[at];
        let turn = match self.runtime.block_on(it.agent.hear(sealed, bytes, it.now())) {
            Ok(turn) => {
                it.is_doubtful = !is_newest;
                if let Turn::Stopped(stop) = &turn {
                    let stop = format!("{stop:?}");
                    self.seen.insert(stop.split(' ').next().unwrap_or_default().to_owned());
                }
                Some(turn)
            }
            Err(fault) => {
                self.failed(at, &fault, may_fail)?;
                None
            }
        };
        Ok(turn)
    }

    /// A box and the hub speak until neither has anything left to say, over a line that does no harm.
    /// Answers how it ended, if it did.
    pub(super) fn talk(&mut self, at: usize) -> Result<Option<Turn>, Failure> {
        for _ in 0..EXCHANGES_MAX {
            let sealed = match self.prepared(at)? {
                Ok(sealed) => sealed,
                // What the last receipt said, because all is compared.
                Err(turn) => return self.check_held(at).map(|()| turn),
            };
            match self.hub.receive(&sealed.envelope) {
                Ok(bytes) => {
                    self.line.answers.push(bytes.clone());
                    self.heard(at, *sealed, &bytes, (true, false))?;
                }
                Err(refused) => {
                    self.failed(at, &Fault::Refused(status(&refused)), false)?;
                    return Ok(None);
                }
            }
            if self.boxes[at].is_full {
                // It would ask for ever, because it cannot note what it hears.
                return Ok(None);
            }
        }
        let detail = format!("{EXCHANGES_MAX} exchanges and no end");
        Err(Failure { what: "box and hub come to an end", detail })
    }
}
