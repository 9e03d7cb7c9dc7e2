//! What goes into one bundle: a stretch of the log, or a part of all records.
//!
//! Invariant: a bundle is read in one transaction, and is within the bounds of the protocol.

use std::collections::HashMap;

use fhir::Resource;
use prm::change;
use prm::db::Read;
use prm::error::{Error, Result};
use prm::stamp::Stamp;
use sync_protocol::ledger::{
    BUNDLE_BYTES_MAX, Body, Content, Delta, ENTRIES_MAX, ENTRY_BYTES_MAX, Entry, Key, Mark,
};
use uuid::Uuid;

use crate::{mark, record};

/// Changes that one stretch looks at, and records that one part looks at.
const LOOKED_AT_MAX: usize = 2_000;
/// Keys that are read at once.
const KEYS_AT_ONCE: usize = 100;

/// A record as a resource of this type, as it is now or as a version of it was told; none if there is no such
/// record or version, or it was deleted. The id is that of the change log.
pub type Shown = fn(&Read<'_>, &Stamp, &str, Uuid, Option<i64>) -> Result<Option<Resource>>;

/// What is told often and changes little, one record to a resource.
const MADE_OF_DELTAS: [&str; 4] = ["Appointment", "Encounter", "Patient", "Task"];
/// In a stretch with more records than this they have enough in common to be told in whole.
pub const DELTAS_MAX: usize = 100;

/// A stretch that was read, with the mark at its end.
pub struct Stretch {
    /// The last number.
    pub through: u64,
    /// The mark there.
    pub mark: Mark,
    /// Each record that changed, once.
    pub entries: Vec<Entry>,
}

/// A part of a statement.
pub struct Part {
    /// The records in the order of their keys.
    pub entries: Vec<Entry>,
    /// The last key that was looked at: where to go on, if nothing was found.
    pub reached: Option<Key>,
    /// No part follows.
    pub last: bool,
}

/// Entries that still fit.
#[derive(Default)]
struct Room {
    entries: Vec<Entry>,
    places: HashMap<Key, usize>,
    bytes: usize,
}

impl Room {
    /// Takes all of these or none.
    fn take(&mut self, entries: Vec<Entry>) -> bool {
        let bytes = entries.iter().map(|entry| entry.body.bytes()).sum::<usize>();
        let fits = self.entries.len() + entries.len() <= ENTRIES_MAX
            && self.bytes + bytes <= BUNDLE_BYTES_MAX;
        if fits {
            self.bytes += bytes;
            for entry in entries {
                self.places.insert(entry.key.clone(), self.entries.len());
                self.entries.push(entry);
            }
        }
        fits
    }
}

/// Whether the hub puts records together from what it holds and a [`Delta`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deltas {
    /// It said so.
    Taken,
    /// It did not, or it holds something else than was thought.
    NotTaken,
}

/// The stretch that begins after a number, which has this mark.
///
/// # Errors
/// Those of the database.
pub fn stretch(
    read: &Read<'_>,
    stamp: &Stamp,
    (show, deltas): (Shown, Deltas),
    (after, before): (u64, Mark),
) -> Result<Option<Stretch>> {
    let start = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = u32::try_from(LOOKED_AT_MAX).unwrap_or(u32::MAX);
    let mut room = Room::default();
    let (mut through, mut mark) = (after, before);
    for change in change::after(read, start, limit)? {
        let sequence = change.sequence.unsigned_abs();
        let mut fresh = Vec::new();
        for kind in record::kinds_of(read, stamp, &change)? {
            let key = record::key(&kind, change.resource);
            match room.places.get(&key) {
                Some(place) => room.entries[*place].sequence = sequence,
                None => {
                    let of = (kind.as_str(), change.resource);
                    let body = body(read, stamp, show, of)?.unwrap_or(Body::Gone);
                    let body = match deltas {
                        Deltas::Taken if room.entries.len() < DELTAS_MAX => {
                            shortened(body, read, stamp, show, (of, change.version))
                        }
                        Deltas::Taken | Deltas::NotTaken => body,
                    };
                    fresh.push(Entry { sequence, key, body });
                }
            }
        }
        if !room.take(fresh) {
            break;
        }
        (through, mark) = (sequence, mark::then(mark, &change));
    }
    let Room { entries, places: _, bytes: _ } = room;
    Ok((through > after).then_some(Stretch { through, mark, entries }))
}

/// The part of a statement after a key.
///
/// # Errors
/// Those of the database.
pub fn part(
    read: &Read<'_>,
    stamp: &Stamp,
    show: Shown,
    (as_of, from): (u64, Option<Key>),
) -> Result<Part> {
    let mut room = Room::default();
    let mut reached = from;
    let mut looked_at = 0;
    while looked_at < LOOKED_AT_MAX {
        let keys = record::keys_after(read, stamp, reached.as_ref(), KEYS_AT_ONCE)?;
        if keys.is_empty() {
            return Ok(Part { entries: room.entries, reached, last: true });
        }
        looked_at += keys.len();
        for (kind, id) in keys {
            let key = record::key(&kind, id);
            if let Some(body) = body(read, stamp, show, (&kind, id))?
                && !room.take(vec![Entry { sequence: as_of, key: key.clone(), body }])
            {
                return Ok(Part { entries: room.entries, reached, last: false });
            }
            reached = Some(key);
        }
    }
    Ok(Part { entries: room.entries, reached, last: false })
}

impl Part {
    /// The part as it is sent.
    pub fn content(self, (as_of, mark): (u64, Mark), from: Option<Key>) -> Content {
        let Self { entries, reached: _, last } = self;
        Content::Statement { as_of, mark, from, last, entries }
    }
}

/// The same as a [`Delta`] from the version before, if that is known here and leaves less to be told. It is what
/// the hub holds, unless two changes were told at once; then the hub says so.
fn shortened(
    body: Body,
    read: &Read<'_>,
    stamp: &Stamp,
    show: Shown,
    ((kind, id), version): ((&str, Uuid), i64),
) -> Body {
    let Body::Given(bytes) = &body else { return body };
    if version <= 1 || !MADE_OF_DELTAS.contains(&kind) {
        return body;
    }
    let Ok(Some(before)) = show(read, stamp, kind, id, Some(version - 1)) else { return body };
    match Delta::between(&before.to_vec(), bytes) {
        Some(delta) if delta.len() < bytes.len() / 2 => Body::Changed(delta),
        Some(_) | None => body,
    }
}

/// What is told of a record; nothing if it is not there. One that cannot be read is told without a
/// body, which the hub parks: it does not hold up the others.
fn body(
    read: &Read<'_>,
    stamp: &Stamp,
    show: Shown,
    (kind, id): (&str, Uuid),
) -> Result<Option<Body>> {
    let resource = match show(read, stamp, kind, id, None) {
        Ok(Some(resource)) => resource,
        Ok(None) => return Ok(None),
        Err(Error::Storage(_)) => {
            // If it is the database that fails, this fails, too.
            change::last(read)?;
            return Ok(Some(Body::Given(Vec::new())));
        }
        Err(error) => return Err(error),
    };
    let bytes = resource.to_vec();
    if bytes.len() > ENTRY_BYTES_MAX {
        return Ok(Some(Body::TooLong(bytes.len() as u64)));
    }
    Ok(Some(Body::Given(bytes)))
}
