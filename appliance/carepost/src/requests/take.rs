//! Taking in what the hub asks, in the transaction that says that the box has it.

use fhir::{IssueCode, Outcome};
use jiff::Timestamp;
use prm::db::Tx;
use prm::error::Result;
use prm::id::RequestId;
use prm::request::{self, Kind};
use prm::stamp::Stamp;
use sync_agent::ask::Ask;

use super::{catalogue, edit, is_fatal, proposal, refusal};

/// Takes in one ask. What is refused is answered; only an error of the database is one.
pub fn take(tx: &mut Tx<'_>, stamp: &Stamp, ask: &Ask, deadline: Option<Timestamp>) -> Result<()> {
    let id = RequestId::from_bytes(ask.id().0);
    let Ok(body) = ask.to_bytes() else { return Ok(()) };
    let kind = match ask {
        Ask::Sale(_) => Kind::Sale,
        Ask::Operation(_) => Kind::Operation,
        Ask::Proposal(proposal) => {
            if let Err(outcome) = proposal::read(&proposal.bundle) {
                return request::answer_at_once(tx, stamp, id, &refusal(422, &outcome));
            }
            Kind::Proposal
        }
        Ask::Catalogue(catalogue) => {
            let reply = catalogue::merge(tx, stamp, catalogue)?;
            return request::answer_at_once(tx, stamp, id, &reply);
        }
        Ask::Edit(edit) => {
            let reply = edit::merge(tx, stamp, edit)?;
            return request::answer_at_once(tx, stamp, id, &reply);
        }
    };
    let at = tx.savepoint()?;
    match request::keep(tx, stamp, (id, kind), (&body, deadline)) {
        Ok(()) => tx.release(at),
        Err(error) if is_fatal(&error) => Err(error),
        Err(error) => {
            tx.undo(at)?;
            let outcome = Outcome::error(IssueCode::TooCostly, error.to_string());
            request::answer_at_once(tx, stamp, id, &refusal(503, &outcome))
        }
    }
}
