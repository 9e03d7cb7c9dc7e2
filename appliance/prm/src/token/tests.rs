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

/// A box with one client; the stamp is that of the box.
fn with_client() -> (tempfile::TempDir, Db, Stamp, Token) {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys")).unwrap();
    let db = Db::create(&folder.path().join("clinic.db"), keys).unwrap();
    let stamp = Stamp::of_box("2026-11-23T04:30:00Z".parse().unwrap());
    let day = stamp.now + SignedDuration::from_hours(24);
    let request = Request { name: "HIS".into(), role: Role::Integrator, expires_at: Some(day) };
    let keys = Proof::Keys("{\"keys\":[]}".into());
    let client = db
        .write_blocking(move |tx| register(tx, &stamp, request, "system/*.rs".into(), keys))
        .unwrap();
    (folder, db, stamp, client)
}

fn granted(db: &Db, at: Timestamp, client: TokenId, jti: &str) -> Result<Option<Secret>> {
    let jti = jti.to_owned();
    let expires_at = at + SignedDuration::from_mins(5);
    let stamp = Stamp::of_box(at);
    db.write_blocking(move |tx| {
        let assertion = Assertion { client, jti, expires_at };
        grant(tx, &stamp, &assertion, Some("system/Patient.r"))
    })
}

#[test]
fn an_access_token_is_good_for_minutes_and_no_longer_than_its_client() {
    let (_folder, db, stamp, client) = with_client();
    let good = |text: &str, now| db.read_blocking(|read| authenticate(read, text, now)).unwrap();
    let secret = granted(&db, stamp.now, client.id, "a").unwrap().unwrap();
    let found = good(secret.text(), stamp.now).unwrap();
    assert_eq!((found.id, found.role), (client.id, Role::Integrator));
    assert_eq!(found.scopes.as_deref(), Some("system/Patient.r"), "not all of the client's");
    let later = |seconds| stamp.now + SignedDuration::from_secs(seconds);
    assert!(good(secret.text(), later(ACCESS_SECONDS - 1)).is_some());
    assert!(good(secret.text(), later(ACCESS_SECONDS)).is_none(), "it has ended");

    let almost = later(24 * 60 * 60 - 60);
    let last = granted(&db, almost, client.id, "b").unwrap().unwrap();
    assert!(good(last.text(), almost).is_some());
    assert!(good(last.text(), later(24 * 60 * 60)).is_none(), "its client has ended");
    assert!(granted(&db, later(24 * 60 * 60), client.id, "c").is_err());

    let id = client.id;
    let secret = granted(&db, stamp.now, id, "d").unwrap().unwrap();
    db.write_blocking(move |tx| revoke(tx, &stamp, id)).unwrap();
    assert!(good(secret.text(), stamp.now).is_none(), "its client is revoked");
    assert!(matches!(granted(&db, stamp.now, id, "e"), Err(Error::Unknown)));
}

#[test]
fn an_assertion_is_good_once_and_forgotten_when_it_is_over() {
    let (_folder, db, stamp, client) = with_client();
    assert!(granted(&db, stamp.now, client.id, "once").is_ok());
    assert!(matches!(granted(&db, stamp.now, client.id, "once"), Err(Error::Unknown)));
    // One that asks for nothing that it may have is used up, too.
    let (id, end) = (client.id, stamp.now + SignedDuration::from_mins(5));
    let nothing = db.write_blocking(move |tx| {
        let assertion = Assertion { client: id, jti: "nothing".into(), expires_at: end };
        grant(tx, &stamp, &assertion, None)
    });
    assert!(nothing.unwrap().is_none());
    assert!(matches!(granted(&db, stamp.now, client.id, "nothing"), Err(Error::Unknown)));

    granted(&db, end, client.id, "next").unwrap();
    let kept = |table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        db.read_blocking(|read| Ok(read.sql().query_row(&sql, [], |row| row.get(0))?)).unwrap()
    };
    assert_eq!((kept("assertion"), kept("access_token")), (1, 1), "what is over is removed");
}
