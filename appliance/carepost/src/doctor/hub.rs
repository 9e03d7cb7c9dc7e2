//! The doctor's look at the hub: whether the box has joined one, whether it answers and is the one that was
//! joined, what waits, what it could not take.

use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use prm::clinic;
use prm::db::Db;
use prm::stamp::Stamp;
use sync_agent::condition::{Said, Urgency, said};
use sync_agent::status::{Joined, Status, status};
use sync_agent::{Fault, HttpError, Turn};

use super::{Finding, bad, good, warning};
use crate::sync;

/// Looks at the hub, and asks it for a receipt. Nothing is told but that question.
pub fn look(data: &Path, db: &Db, now: Timestamp) -> Vec<Finding> {
    const WHAT: &str = "hub";
    let stamp = Stamp::of_box(now);
    let before = match db.read_blocking(|read| status(read, &stamp)) {
        Ok(status) => status,
        Err(error) => return vec![bad(WHAT, format!("cannot be looked at: {error}"))],
    };
    let Some(Joined { url, clinic_name, fingerprint, .. }) = &before.hub else {
        return vec![good(WHAT, "this box has joined none; to join one, `carepost enroll`")];
    };
    let joined = good(WHAT, format!("{url}, as {clinic_name}; its fingerprint: {fingerprint}"));
    let mut found = vec![joined, answer(data, db, now)];
    // After the question, so that what was learned just now is said.
    let told = db.read_blocking(|read| Ok((status(read, &stamp)?, clinic::get(read)?.zone)));
    match told {
        Ok((status, zone)) => {
            let said = said(&status, now, |at| sync::on_the_wall(&zone, at));
            found.push(standing(said));
            found.extend(parked(&status));
        }
        Err(error) => found.push(bad("hub, changes", format!("cannot be looked at: {error}"))),
    }
    found
}

/// Whether the hub answers, and is the one that was joined: its receipt opens with the box's key, and
/// is signed with the hub's.
fn answer(data: &Path, db: &Db, now: Timestamp) -> Finding {
    const WHAT: &str = "hub, line";
    let ask = || -> anyhow::Result<Result<Turn, Fault>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the system gives no threads")?;
        Ok(runtime.block_on(sync::agent(data, db.clone()).round(now)))
    };
    match ask() {
        Ok(Ok(Turn::Told { .. } | Turn::Idle | Turn::Held)) => {
            good(WHAT, "it answers, and it is the one that this box joined")
        }
        Ok(Ok(Turn::Stopped(_) | Turn::Alone | Turn::Replacing)) => {
            warning(WHAT, "it was not asked, because a person has to decide first")
        }
        Ok(Err(fault @ Fault::Http(HttpError::NoAnswer))) => warning(WHAT, fault.to_string()),
        Ok(Err(fault)) => bad(WHAT, fault.to_string()),
        Err(error) => bad(WHAT, format!("{error:#}")),
    }
}

/// What is said of the sync.
fn standing(Said { condition: _, urgency, says }: Said) -> Finding {
    const WHAT: &str = "hub, changes";
    match urgency {
        Urgency::Calm => good(WHAT, says),
        Urgency::Look => warning(WHAT, says),
        Urgency::Act => bad(WHAT, says),
    }
}

fn parked(status: &Status) -> Option<Finding> {
    const WHAT: &str = "hub, records it could not take";
    let first = status.parked_entries.first()?;
    Some(warning(
        WHAT,
        format!(
            "{}, among them {} ({}); edit each here, or update the hub; see `carepost sync status`",
            status.parked, first.key, first.reason
        ),
    ))
}
