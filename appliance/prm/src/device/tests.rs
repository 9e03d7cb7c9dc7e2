//! Devices: how many may wait, and who may pair them.

use jiff::SignedDuration;

use super::*;
use crate::db::{Db, Keys};
use crate::stamp::{Actor, Channel, Role};

#[test]
fn strangers_cannot_fill_the_box_with_devices() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys")).unwrap();
    let db = Db::create(&folder.path().join("clinic.db"), keys).unwrap();
    let now: Timestamp = "2026-11-23T04:30:00Z".parse().unwrap();
    let stranger = Stamp { actor: Actor::Nobody, role: Role::Nobody, channel: Channel::Kiosk, now };
    let ask =
        |stamp: Stamp| db.write_blocking(move |tx| ask_to_pair(tx, &stamp, Kind::Kiosk, None));
    let first = ask(stranger).unwrap();
    for _ in 1..PENDING_MAX {
        ask(stranger).unwrap();
    }
    let refused = ask(stranger).unwrap_err();
    assert!(matches!(refused, Error::Refused(refusal) if refusal.code == Code::TooMany));

    let code = first.code.clone();
    let unasked = db.write_blocking(move |tx| pair(tx, &stranger, &code, None)).unwrap_err();
    assert!(matches!(unasked, Error::Unknown), "a stranger pairs nothing");

    let later = Stamp { now: now + SignedDuration::from_mins(PENDING_MINUTES), ..stranger };
    assert!(ask(later).is_ok(), "those who waited too long are gone");
    let gone = db.read_blocking(|read| authenticate(read, first.secret.text(), later.now)).unwrap();
    assert!(gone.is_none());
}
