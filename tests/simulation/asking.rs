//! What the hub asks of the box: put into its queue, fetched over a bad line, decided at the desk, answered.

use carepost::requests::proposal;
use prm::id::RequestId;
use prm::request::{self, Kind};
use serde_json::{Value, json};
use sync_agent::Fault;
use sync_hub::receive::Refused;
use sync_hub::requests::Told;
use sync_protocol::ask::{Ask, Edit, Id, Proposal};

use super::template::Template;
use super::world::{Failure, World};

/// Polls after which a box that fetches is said never to end.
const POLLS_MAX: usize = 10;
/// More than any story asks.
const REQUESTS_MAX: usize = 1000;

/// What whoever listens has kept of it.
#[derive(Default)]
pub struct Asking {
    batches: Vec<Vec<u8>>,
    asked: u128,
    /// The edits among it, which are answered at once.
    edits: Vec<RequestId>,
}

fn broken(what: &'static str, detail: impl ToString) -> Failure {
    Failure { what, detail: detail.to_string() }
}

impl World<'_> {
    /// Somebody wishes for an appointment at the hub, or edits a patient whom the hub holds.
    pub(super) fn ask(&mut self, pick: usize) {
        self.asking.asked += 1;
        let id = Id(self.asking.asked.to_be_bytes());
        let ask = match (pick % 3, self.edited(id, pick)) {
            (0, Some(edit)) => {
                self.asking.edits.push(RequestId::from_bytes(id.0));
                Ask::Edit(edit)
            }
            (_, _) => Ask::Proposal(wish(id, pick)),
        };
        self.hub.ask(&ask);
    }

    /// A patient whom the hub holds, of another sex.
    fn edited(&self, id: Id, pick: usize) -> Option<Edit> {
        let people = &self.boxes[0].acknowledged.people;
        let patient = people.get(pick.checked_rem(people.len())?)?.id;
        let base = self.hub.record(&format!("Patient/{patient}"))?;
        let mut after: Value = serde_json::from_slice(&base).ok()?;
        let version = after["meta"]["versionId"].as_str()?.parse().ok()?;
        after["gender"] = ["male", "female", "other"][pick / 3 % 3].into();
        let resource = after.to_string().into_bytes();
        let (by, at_ms, patient) = ("somebody".to_owned(), 0, *patient.as_bytes());
        Some(Edit { id, patient, base_version: version, base, resource, by, at_ms })
    }

    /// A box asks for requests; the answer is under way.
    pub(super) fn poll(&mut self, at: usize) -> Result<(), Failure> {
        let it = &mut self.boxes[at];
        let poll = match self.runtime.block_on(it.down.prepare()) {
            Ok(Some(poll)) => poll,
            Ok(None) => return Ok(()),
            Err(fault) => return Err(broken("requests can be asked for", fault)),
        };
        match self.hub.requests(&poll.proof) {
            Ok(batch) => {
                self.asking.batches.push(batch.clone());
                it.poll = Some((poll, batch));
                Ok(())
            }
            // The log is told first.
            Err(Refused::NotLiving) => Ok(()),
            Err(Refused::Store(_)) if self.hub.is_full => Ok(()),
            Err(refused) => Err(broken("requests can be asked for", refused)),
        }
    }

    /// The answer reaches the box, if that still waits for it.
    pub(super) fn fetch(&mut self, at: usize) -> Result<(), Failure> {
        let it = &mut self.boxes[at];
        let Some((poll, batch)) = it.poll.take() else { return Ok(()) };
        match self.runtime.block_on(it.down.hear(poll, &batch, it.now())) {
            Ok(_) => Ok(()),
            Err(Fault::Records(_)) if it.is_full => Ok(()),
            Err(fault) => Err(broken("requests can be fetched", fault)),
        }
    }

    /// Somebody on the line gives the box an answer of long ago.
    pub(super) fn fetch_old(&mut self, at: usize, pick: usize) -> Result<(), Failure> {
        let Some(old) = pick.checked_rem(self.asking.batches.len()) else { return Ok(()) };
        let batch = self.asking.batches[old].clone();
        let it = &mut self.boxes[at];
        let Some((poll, _)) = it.poll.take() else { return Ok(()) };
        // It may be another log's.
        drop(self.runtime.block_on(it.down.hear(poll, &batch, it.now())));
        Ok(())
    }

    /// The desk of a box declines one of the wishes that wait.
    pub(super) fn rule(&mut self, at: usize, pick: usize) -> Result<(), Failure> {
        let it = &mut self.boxes[at];
        let stamp = it.stamp();
        let read =
            |read: &prm::db::Read<'_>| request::waiting(read, &stamp, Kind::Proposal, REQUESTS_MAX);
        let waiting = it.db.read_blocking(read);
        let waiting = waiting.map_err(|error| broken("the desk is answered", error))?;
        let Some(of) = pick.checked_rem(waiting.len()) else { return Ok(()) };
        let id = waiting[of].id;
        let done =
            it.db.write_blocking(move |tx| proposal::decline(tx, &stamp, id, "no time is free"));
        match done {
            Ok(()) => {
                it.acknowledged.decided.insert(id);
                self.seen.insert("declined".to_owned());
                Ok(())
            }
            Err(_) if it.is_full => Ok(()),
            Err(error) => Err(broken("the desk is answered", error)),
        }
    }

    /// A box sends what it answers; sometimes that arrives and the box does not hear so.
    pub(super) fn reply(&mut self, at: usize, pick: usize) -> Result<(), Failure> {
        let it = &mut self.boxes[at];
        let unsent = self.runtime.block_on(it.down.unsent(it.now()));
        let Some((_, before, unsent)) =
            unsent.map_err(|fault| broken("answers can be sent", fault))?
        else {
            return Ok(());
        };
        for (id, envelope) in unsent {
            let status = match self.hub.answered(&envelope) {
                Ok(Told::Known) if pick.is_multiple_of(3) => continue,
                Ok(Told::Known) => 204,
                Ok(Told::NotAsked) => 410,
                Ok(Told::Missing) => 412,
                Err(Refused::NotLiving) => 409,
                Err(refused) => return Err(broken("answers can be sent", refused)),
            };
            self.seen.insert(format!("answer: {status}"));
            let heard = it.down.hear_status((id, before), status, it.now());
            match self.runtime.block_on(heard) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(fault) => return Err(broken("answers can be sent", fault)),
            }
        }
        Ok(())
    }

    /// All is fetched and answered; then nothing that the hub promised to ask is missing.
    pub(super) fn settle_requests(&mut self) -> Result<(), Failure> {
        let mut before = None;
        for _ in 0..POLLS_MAX {
            self.poll(0)?;
            self.fetch(0)?;
            self.reply(0, 1)?;
            // How far it is; a hub that was put back says so at the second time.
            let now = self.boxes[0].db.read_blocking(request::position);
            let now = now.map_err(|error| broken("the records can be read", error))?;
            if before.replace(now) == Some(now) {
                break;
            }
        }
        let it = &self.boxes[0];
        let found = it
            .db
            .read_blocking(|read| Ok((request::taken_ids(read)?, request::position(read)?.lost)));
        let (taken, lost) = found.map_err(|error| broken("the records can be read", error))?;
        let missing: Vec<&Id> = self.hub.asked.iter().filter(|id| !taken.contains(&id.0)).collect();
        if missing.len() as i64 > lost {
            return Err(broken(
                "every request reaches the box",
                format!("{missing:?} are missing, and the box was told of {lost}"),
            ));
        }
        let edits = self.asking.edits.iter().filter(|id| taken.contains(id.as_bytes()));
        let answered = it.acknowledged.decided.iter().chain(edits);
        let mut asked = answered.filter(|id| self.hub.still_asks(Id(*id.as_bytes())));
        match asked.find(|id| !self.knows(id)) {
            Some(id) => Err(broken("every answer reaches the hub", format!("{id} does not"))),
            None => Ok(()),
        }
    }

    fn knows(&self, id: &RequestId) -> bool {
        self.hub.knows_answer_to(Id(*id.as_bytes()))
    }
}

/// A wish for the first time of tomorrow.
fn wish(id: Id, pick: usize) -> Proposal {
    let practitioners = &Template::get().practitioners;
    let practitioner = practitioners[pick % practitioners.len()];
    let with = json!({ "reference": format!("Practitioner/{practitioner}") });
    let who = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a";
    let patient = json!({ "resourceType": "Patient", "name": [{ "text": "Sunil Das" }] });
    let appointment = json!({ "resourceType": "Appointment", "status": "proposed",
        "start": "2026-11-24T09:00:00+05:30", "end": "2026-11-24T09:20:00+05:30",
        "participant": [{ "actor": { "reference": who }, "status": "accepted" },
                        { "actor": with, "status": "needs-action" }] });
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "fullUrl": who, "resource": patient },
        { "fullUrl": "urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9", "resource": appointment }] });
    Proposal { id, bundle: bundle.to_string().into_bytes() }
}
