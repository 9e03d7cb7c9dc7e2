//! The mark of the box's own log at any number: kept every few thousand entries, computed in between.

use prm::change::{self, Change};
use prm::db::{Db, Read};
use prm::error::Result;
use prm::hub;
use prm::stamp::Stamp;
use sync_protocol::ledger::Mark;
use sync_protocol::uplink::Own;

/// Entries from one kept mark to the next, and entries that are read at once.
pub const STEP: u32 = 4_096;
/// Marks that are written at once.
const WRITTEN_AT_ONCE: usize = 64;

/// The mark with one entry more.
pub fn then(mark: Mark, change: &Change) -> Mark {
    let Change { sequence, noun, resource, version, verb, at } = change;
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(resource.as_bytes());
    bytes.extend_from_slice(&version.to_be_bytes());
    bytes.extend_from_slice(&at.as_millisecond().to_be_bytes());
    bytes.extend_from_slice(noun.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(verb.as_bytes());
    mark.then(&bytes)
}

/// What the log has at a number. What had to be computed on the way is kept.
///
/// # Errors
/// Those of the database.
pub async fn at(db: &Db, stamp: &Stamp, number: u64) -> Result<Own> {
    let Ok(number) = i64::try_from(number) else { return Ok(Own::Never) };
    if db.read(change::last).await? < number {
        return Ok(Own::Never);
    }
    let begin = db.read(move |read| hub::mark_before(read, number)).await?;
    let (mut reached, mut mark) =
        begin.map_or((0, Mark::START), |(reached, mark)| (reached, Mark(mark)));
    let mut found = Vec::new();
    while reached < number {
        let step = db.read(move |read| step(read, (reached, mark), number)).await?;
        let Some(next) = step else { return Ok(Own::Pruned) };
        (reached, mark) = next;
        if reached % i64::from(STEP) == 0 {
            found.push((reached, mark.0));
        }
        let is_over = reached >= number;
        if !found.is_empty() && (is_over || found.len() >= WRITTEN_AT_ONCE) {
            let (stamp, marks) = (*stamp, std::mem::take(&mut found));
            db.write(move |tx| hub::keep_marks(tx, &stamp, &marks)).await?;
        }
    }
    Ok(Own::Mark(mark))
}

/// Goes on to the next number at which a mark is kept, or to `number`. None if entries are missing.
fn step(read: &Read<'_>, (reached, mark): (i64, Mark), number: i64) -> Result<Option<(i64, Mark)>> {
    let step = i64::from(STEP);
    let to = number.min((reached / step + 1) * step);
    let limit = u32::try_from(to - reached).unwrap_or(STEP);
    let (mut reached, mut mark) = (reached, mark);
    for change in change::after(read, reached, limit)? {
        if change.sequence != reached + 1 {
            return Ok(None);
        }
        (reached, mark) = (change.sequence, then(mark, &change));
    }
    Ok((reached == to).then_some((reached, mark)))
}
