//! Tokens: good until they end or are revoked, and never kept in clear.

use jiff::SignedDuration;

use super::*;
use crate::db::{Db, Keys};

#[test]
fn a_token_is_good_until_it_ends_or_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys")).unwrap();
    let db = Db::create(&folder.path().join("clinic.db"), keys).unwrap();
    let now: Timestamp = "2026-11-23T04:30:00Z".parse().unwrap();
    let stamp = Stamp::of_box(now);
    let make = |expires_at| {
        let request = Request { name: "HIS".into(), role: Role::Integrator, expires_at };
        db.write_blocking(move |tx| create(tx, &stamp, request)).unwrap()
    };
    let good = |text: &str, now| db.read_blocking(|read| authenticate(read, text, now)).unwrap();

    let day = SignedDuration::from_hours(24);
    let (token, secret) = make(Some(now + day));
    assert!(secret.text().starts_with(PREFIX));
    assert_eq!(good(secret.text(), now).unwrap(), token);
    assert!(good(secret.text(), now + day).is_none(), "it has ended");
    assert!(good(&secret.text()[PREFIX.len()..], now).is_none());

    let (token, secret) = make(None);
    let id = token.id;
    db.write_blocking(move |tx| revoke(tx, &stamp, id)).unwrap();
    assert!(good(secret.text(), now).is_none(), "it is revoked");
    let listed = db.read_blocking(|read| list(read, &stamp)).unwrap();
    assert!(listed[1].revoked_at.is_some());
}
