//! The words by which notes and status name what the protocol says.

use sync_protocol::ledger::Reason;
use sync_protocol::uplink::Stop;

/// The word of a stop, and its number where it has one.
pub fn of_stop(stop: Stop) -> (&'static str, Option<u64>) {
    match stop {
        Stop::Forked { at } => ("forked", Some(at)),
        Stop::Quarantined => ("quarantined", None),
        Stop::Retired => ("retired", None),
        Stop::NotEnrolled => ("not_enrolled", None),
        Stop::Pruned => ("pruned", None),
    }
}

/// The stop of a word.
pub fn to_stop(word: &str, at: Option<u64>) -> Option<Stop> {
    match word {
        "forked" => Some(Stop::Forked { at: at? }),
        "quarantined" => Some(Stop::Quarantined),
        "retired" => Some(Stop::Retired),
        "not_enrolled" => Some(Stop::NotEnrolled),
        "pruned" => Some(Stop::Pruned),
        _ => None,
    }
}

/// The word of a reason.
pub fn of_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Unreadable => "unreadable",
        Reason::Invalid => "invalid",
        Reason::Unknown => "unknown",
        Reason::TooLong => "too_long",
    }
}

/// What a person is to do about a stop.
pub fn advice(stop: Stop) -> &'static str {
    match stop {
        Stop::Forked { .. } | Stop::Quarantined => {
            "two boxes speak as one; switch one of them off, and join the hub again with `carepost enroll` on the other"
        }
        Stop::Retired => {
            "the hub listens to a later life of this box; switch this one off, or join the hub again with `carepost enroll`"
        }
        Stop::NotEnrolled => {
            "the hub has not been told to accept this restored box; accept it there, then run `carepost sync now`, or join the hub again with `carepost enroll`"
        }
        Stop::Pruned => {
            "the hub lost what this box has no more; join the hub again with `carepost enroll`"
        }
    }
}
