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

/// What a person is to do about a box that takes another's place and has not got everything back.
pub const REPLACING_ADVICE: &str = "this box takes another's place and has not got everything back from the hub yet; run `carepost enroll --replace` again";

/// What a person is to do about a stop.
pub fn advice(stop: Stop) -> &'static str {
    match stop {
        Stop::Forked { .. } | Stop::Quarantined => {
            "two boxes speak as one; stop both, and join the hub again with `carepost enroll --replace` on the one that is to stay: it first takes back what the other one told"
        }
        Stop::Retired => {
            "the hub listens to a later life of this box; switch this one off, or stop it and join the hub again with `carepost enroll --replace`"
        }
        Stop::NotEnrolled => {
            "this box was restored, or is another than the one that the hub listens to; stop it, make a code there with `carepost-hub clinic code`, and join with `carepost enroll --replace`, which first takes back what the hub knows and this box does not"
        }
        Stop::Pruned => {
            "the hub lost what this box has no more; join the hub again with `carepost enroll --forget-held`, and it is told all records anew"
        }
    }
}

/// What a person is to do about a fault, by its word; none if waiting is enough.
pub fn fault_advice(fault: &str) -> Option<&'static str> {
    match fault {
        "unknown_box" => Some(
            "the hub does not know this box or its keys; make a code there with `carepost-hub clinic code`, and join again with `carepost enroll`",
        ),
        "revoked" => Some(
            "the hub has shut this box out; if that was not meant, make a code there with `carepost-hub clinic code`, and join again with `carepost enroll`",
        ),
        "receipt" => Some(
            "what answers is not the hub that this box joined; compare the fingerprints, or join again with `carepost enroll`",
        ),
        "keys" | "records" => Some("`carepost doctor` says what is wrong with this box"),
        "http" => Some(
            "what answers is no hub, or this system trusts no certificates; look at the address and at ca-certificates",
        ),
        "refused" | "seal" => {
            Some("the hub does not understand this box; update the older of the two programs")
        }
        _ => None,
    }
}
