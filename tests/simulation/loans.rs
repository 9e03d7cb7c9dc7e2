//! Loans: spoken of over a bad line, sold at the hub, asked back and taken back at the desk.

use prm::error::Error;
use prm::id::SlotId;
use serde_json::json;
use sync_agent::Fault;
use sync_agent::loans::{self, Turn, parse};
use sync_hub::loans::{Asking, NotSold};
use sync_hub::receive::Refused;
use sync_protocol::loan::BookingId;

use super::lending::{CUTOFF_HOURS, TERM_HOURS};
use super::line::{garble, status};
use super::sales::{self, Books, Sale};
use super::world::{Failure, World};

const HOUR_MS: i64 = 3_600_000;
/// Exchanges after which a box that speaks of loans is said never to end.
const EXCHANGES_MAX: usize = 40;
/// Turns after which loans are said never to settle.
const TURNS_MAX: usize = 12;
/// Longer than a box waits before it asks whether something was sold.
const QUIET_MS: i64 = 6 * 60_000;

fn broken(what: &'static str, detail: impl ToString) -> Failure {
    Failure { what, detail: detail.to_string() }
}

/// What the line does to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing comes back.
    Silence,
    /// It is altered or cut short.
    Garbled,
    /// It is one of long ago.
    Old,
}

impl World<'_> {
    /// A box begins a turn about loans: what it says is under way.
    pub(super) fn lend(&mut self, at: usize) -> Result<(), Failure> {
        if self.boxes[at].lending.is_going() {
            return Ok(());
        }
        let it = &mut self.boxes[at];
        let when = (it.agent.nonce(), it.now(), it.since_boot);
        let over = it.lending.begin(self.runtime, when);
        self.noted(at, over, false).map(drop)
    }

    /// What a box said reaches the hub; the answer is under way.
    pub(super) fn loans_arrive(&mut self, at: usize, twice: bool) -> Result<(), Failure> {
        let Some(said) = self.boxes[at].lending.said().map(<[u8]>::to_vec) else { return Ok(()) };
        self.line.said_of_loans.push(said.clone());
        let answer = self.exchanged(&said)?;
        if twice {
            drop(self.exchanged(&said)?);
        }
        self.boxes[at].lending.answer = Some(answer);
        Ok(())
    }

    /// What some box said long ago reaches the hub again.
    pub(super) fn loans_replay(&mut self, pick: usize) -> Result<(), Failure> {
        let Some(old) = pick.checked_rem(self.line.said_of_loans.len()) else { return Ok(()) };
        let said = self.line.said_of_loans[old].clone();
        self.exchanged(&said).map(drop)
    }

    fn exchanged(&mut self, said: &[u8]) -> Result<Result<Vec<u8>, u16>, Failure> {
        match self.hub.exchange_loans(said) {
            Ok(answer) => {
                self.line.heard_of_loans.push(answer.clone());
                Ok(Ok(answer))
            }
            // The log is told first.
            Err(refused @ Refused::NotLiving) => Ok(Err(status(&refused))),
            Err(refused @ Refused::Store(_)) if self.hub.is_full => Ok(Err(status(&refused))),
            Err(refused) => Err(broken("the hub hears of loans", refused)),
        }
    }

    /// The answer reaches its box.
    pub(super) fn loans_hear(&mut self, at: usize) -> Result<(), Failure> {
        let it = &mut self.boxes[at];
        let Some(answer) = it.lending.answer.take() else { return Ok(()) };
        let over = it.lending.hear(self.runtime, answer.map_err(Fault::Refused));
        self.noted(at, over, false).map(drop)
    }

    /// The line does something to what a box waits for.
    pub(super) fn loans_lose(&mut self, at: usize, loss: Loss, pick: usize) -> Result<(), Failure> {
        let it = &mut self.boxes[at];
        if it.lending.said().is_none() {
            return Ok(());
        }
        let answer = match (loss, it.lending.answer.take()) {
            (Loss::Garbled, Some(Ok(mut bytes))) => {
                garble(&mut bytes, pick);
                Ok(bytes)
            }
            (Loss::Old, _) if !self.line.heard_of_loans.is_empty() => {
                Ok(self.line.heard_of_loans[pick % self.line.heard_of_loans.len()].clone())
            }
            (Loss::Silence | Loss::Garbled | Loss::Old, _) => Err(Fault::Refused(504)),
        };
        let over = self.boxes[at].lending.hear(self.runtime, answer);
        self.noted(at, over, true).map(drop)
    }

    /// What came of a turn, if it is over; a failure if it failed of what may not be.
    fn noted(
        &mut self,
        at: usize,
        over: Option<Result<Turn, Fault>>,
        expected: bool,
    ) -> Result<Option<Turn>, Failure> {
        let it = &mut self.boxes[at];
        let fault = match over {
            None => return Ok(None),
            Some(Ok(turn)) => {
                self.seen.insert(format!("loans: {turn:?}"));
                if turn == Turn::Learning {
                    it.agent.ask_again();
                }
                return Ok(Some(turn));
            }
            Some(Err(fault)) => fault,
        };
        let is_fine = expected
            || match &fault {
                Fault::Records(_) if it.is_full => true,
                // Who bought was not there when it was asked for.
                Fault::Records(Error::Busy) => true,
                Fault::Refused(status) => *status == 409 || *status == 504 || self.hub.is_full,
                Fault::Records(_)
                | Fault::Keys(_)
                | Fault::Http(_)
                | Fault::Seal
                | Fault::Receipt
                | Fault::Stuck => false,
            };
        if is_fine { Ok(None) } else { Err(broken("loans can be spoken of", format!("{fault:?}"))) }
    }

    /// What was not answered will not be any more.
    pub(super) fn give_up_loans(&mut self, at: usize) -> Result<(), Failure> {
        self.loans_lose(at, Loss::Silence, 0)
    }

    /// A box tells its log and speaks of its loans until neither end has anything left to say.
    pub(super) fn loans_talk(&mut self, at: usize) -> Result<Option<Turn>, Failure> {
        if self.boxes[at].lending.is_going() {
            self.loans_lose(at, Loss::Silence, 0)?;
        }
        self.talk(at)?;
        self.lend(at)?;
        let mut turn = None;
        for _ in 0..EXCHANGES_MAX {
            let it = &mut self.boxes[at];
            let Some(said) = it.lending.said().map(<[u8]>::to_vec) else { return Ok(turn) };
            self.line.said_of_loans.push(said.clone());
            let answer = self.exchanged(&said)?;
            let it = &mut self.boxes[at];
            let over = it.lending.hear(self.runtime, answer.map_err(Fault::Refused));
            turn = self.noted(at, over, false)?;
        }
        Err(broken("box and hub come to an end about loans", format!("{EXCHANGES_MAX} exchanges")))
    }

    /// Somebody buys a slot that is on offer, or one that may not be any more.
    pub(super) fn sell(&mut self, pick: usize) -> Result<(), Failure> {
        let offer = self.hub.on_offer();
        for key in &offer {
            if !self.sales.offered.contains(key) {
                self.sales.offered.push(key.clone());
            }
        }
        let from = if pick.is_multiple_of(3) { &self.sales.offered } else { &offer };
        let Some(key) = pick.checked_rem(from.len()).map(|at| from[at].clone()) else {
            return Ok(());
        };
        let Some((slot, _)) = parse(&key) else {
            return Err(broken("a slot has a key", format!("{key:?}")));
        };
        self.sold += 1;
        let booking = BookingId((u128::MAX - self.sold).to_be_bytes());
        let bundle = buyer(self.sold);
        let not_after_ms = slot.start().as_millisecond() + HOUR_MS;
        let asking = Asking { slot: &key, booking, bundle: &bundle, not_after_ms };
        let bought = match self.hub.sell(&asking) {
            Ok(bought) => bought,
            Err(NotSold::Refused(refusal)) => {
                self.seen.insert(format!("not sold: {refusal:?}"));
                return Ok(());
            }
            Err(NotSold::NoBox) => return Ok(()),
            Err(NotSold::Fault(Refused::Store(_)) | NotSold::NotAsked(_)) if self.hub.is_full => {
                return Ok(());
            }
            Err(refused) => return Err(broken("a sale is answered", refused)),
        };
        self.seen.insert("sold".to_owned());
        let is_dark = self.boxes[0].is_dark();
        let sale = Sale {
            booking,
            key,
            slot,
            fence: bought.fence,
            confirmation: bought.confirmation,
            is_off: false,
            hub_forgot: false,
            box_forgot: is_dark,
            is_shown: false,
        };
        let books = if self.boxes.len() == 1 && !is_dark { Some(self.books(0)?) } else { None };
        let when = (self.now_ms, self.hub.wall());
        let most = (i64::from(TERM_HOURS) * HOUR_MS, i64::from(CUTOFF_HOURS) * HOUR_MS);
        match self.sales.add(sale, books.as_ref(), when, most) {
            Some(detail) => Err(broken("the hub sells what it holds, once", detail)),
            None => Ok(()),
        }
    }

    /// A patient calls off at the hub what was bought there.
    pub(super) fn call_off(&mut self, pick: usize) -> Result<(), Failure> {
        let Some(at) = pick.checked_rem(self.sales.all.len()) else { return Ok(()) };
        let sale = &mut self.sales.all[at];
        match self.hub.call_off(&sale.key, sale.booking) {
            Ok(()) => {
                self.seen.insert("called off".to_owned());
                sale.is_off = true;
                Ok(())
            }
            Err(NotSold::Refused(_) | NotSold::NoBox) => Ok(()),
            Err(NotSold::Fault(Refused::Store(_))) if self.hub.is_full => Ok(()),
            Err(refused) => Err(broken("a sale is answered", refused)),
        }
    }

    /// A patient shows the confirmation at a box.
    pub(super) fn scan(&mut self, at: usize, pick: usize) -> Result<(), Failure> {
        let Some(of) = pick.checked_rem(self.sales.all.len()) else { return Ok(()) };
        let it = &self.boxes[at];
        let text = self.sales.all[of].confirmation.clone();
        let scanned = it.db.read_blocking(|read| loans::scanned(read, &text));
        let scanned = scanned.map_err(|error| broken("the desk is answered", error))?;
        let Some(scanned) = scanned else {
            return Err(broken("the desk is answered", "a confirmation of the hub is not known"));
        };
        let stamp = it.stamp();
        self.sales.all[of].is_shown = true;
        match it.db.write_blocking(move |tx| loans::scan(tx, &stamp, &scanned)) {
            Ok(heard) => {
                self.seen.insert(format!("shown: {}", matches!(heard, loans::Heard::Booked(_))));
                Ok(())
            }
            Err(_) if it.is_full => Ok(()),
            Err(error) => Err(broken("the desk is answered", error)),
        }
    }

    /// The desk asks for a slot that is lent.
    pub(super) fn recall(&mut self, at: usize, pick: usize) -> Result<(), Failure> {
        let it = &self.boxes[at];
        let away = sales::away(it);
        let Some(id) = pick.checked_rem(away.len()).map(|of| away[of]) else { return Ok(()) };
        let stamp = it.stamp();
        match it.db.write_blocking(move |tx| loans::recall(tx, &stamp, id)) {
            Ok(_) => Ok(()),
            Err(_) if it.is_full => Ok(()),
            Err(error) => Err(broken("the desk is answered", error)),
        }
    }

    /// The desk takes a slot without the hub.
    pub(super) fn take_back(&mut self, at: usize, pick: usize) -> Result<(), Failure> {
        let it = &self.boxes[at];
        let away = sales::away(it);
        let Some(id) = pick.checked_rem(away.len()).map(|of| away[of]) else { return Ok(()) };
        let (stamp, since) = (it.stamp(), it.since_boot);
        let reason = Some("the line is cut".to_owned());
        let done =
            it.db.write_blocking(move |tx| loans::override_loan(tx, &stamp, id, reason, since));
        match done {
            Ok(_) => {
                self.seen.insert("taken back".to_owned());
                Ok(())
            }
            Err(Error::Refused(_)) => Ok(()),
            Err(_) if it.is_full => Ok(()),
            Err(error) => Err(broken("the desk is answered", error)),
        }
    }

    /// What a box knows of its loans.
    pub(super) fn books(&self, at: usize) -> Result<Books, Failure> {
        let it = &self.boxes[at];
        let stamp = it.stamp();
        let books = it.db.read_blocking(|read| Books::of(read, &stamp));
        books.map_err(|error| broken("the records can be read", error))
    }

    /// Speaks of loans until nothing is left to be said; then nothing that was sold is missing, and what is
    /// away is what the hub holds.
    pub(super) fn settle_loans(&mut self) -> Result<(), Failure> {
        self.speak_out()?;
        self.check()?;
        let books = self.books(0)?;
        if self.sales.is_forked {
            return Ok(());
        }
        if !self.boxes[0].is_dark() {
            let held = self.hub.held();
            let away: Vec<(SlotId, _)> = books.held().into_iter().collect();
            if let Some(alone) = away.iter().find(|it| !held.contains(it)) {
                return Err(broken(
                    "in the end what is away is what the hub holds",
                    format!("{alone:?} is away, held is {held:?}"),
                ));
            }
        }
        let visits = &self.boxes[0].acknowledged.visits;
        let stands = |id| visits.iter().find(|it| it.id == id).map(|it| it.status.stands());
        if let Some(lost) = self.sales.lost(&books, stands) {
            return Err(broken("what was sold is in the diary, or work for the desk", lost));
        }
        // All of it is asked back.
        for id in books.away() {
            let stamp = self.boxes[0].stamp();
            let recalled = self.boxes[0].db.write_blocking(move |tx| loans::recall(tx, &stamp, id));
            recalled.map_err(|error| broken("the desk is answered", error))?;
        }
        self.speak_out()?;
        // What is lent by now was lent anew.
        let after = self.books(0)?.held();
        match books.held().into_iter().find(|(slot, fence)| after.get(slot) == Some(fence)) {
            None => Ok(()),
            Some(left) => Err(broken("every loan settles", format!("{left:?}"))),
        }
    }

    fn speak_out(&mut self) -> Result<(), Failure> {
        for _ in 0..TURNS_MAX {
            self.pass(QUIET_MS);
            match self.loans_talk(0)? {
                Some(Turn::Idle | Turn::Done { more: false }) => return Ok(()),
                Some(Turn::Alone | Turn::Learning | Turn::Done { more: true }) | None => {}
            }
        }
        Err(broken("every loan settles", format!("{TURNS_MAX} turns and no end")))
    }
}

/// Who buys.
fn buyer(nth: u128) -> Vec<u8> {
    let name = ["Sunil Das", "Meena Iyer", "Farhan Ali"][usize::try_from(nth % 3).unwrap_or(0)];
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "resource": { "resourceType": "Patient", "name": [{ "text": name }] } },
        { "resource": { "resourceType": "Appointment", "status": "booked",
            "participant": [{ "status": "accepted" }] } }] });
    bundle.to_string().into_bytes()
}
