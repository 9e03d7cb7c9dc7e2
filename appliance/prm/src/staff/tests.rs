//! Staff: signing in, being kept out, and the last administrator.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::db::{Db, Keys};
use crate::error::Error;
use crate::stamp::{Actor, Channel};

struct House {
    db: Db,
    stamp: Stamp,
    _folder: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let db = Db::create(&folder.path().join("clinic.db"), keys).unwrap();
        let now: Timestamp = "2026-11-23T04:30:00Z".parse().unwrap();
        Self { db, stamp: Stamp::of_box(now), _folder: folder }
    }

    fn at(&self, seconds: i64) -> Stamp {
        Stamp { now: self.stamp.now + SignedDuration::from_secs(seconds), ..self.stamp }
    }

    fn hire(&self, username: &str, role: Role) -> Staff {
        let stamp = self.stamp;
        let addition = Addition {
            username: username.into(),
            name: username.into(),
            role,
            practitioner: None,
            password: hash_password("correct horse").unwrap(),
        };
        self.db.write_blocking(move |tx| add(tx, &stamp, addition)).unwrap()
    }

    fn edit(&self, id: StaffId, edit: Edit) -> Result<Staff> {
        let stamp = self.stamp;
        self.db.write_blocking(move |tx| super::edit(tx, &stamp, id, None, edit))
    }

    /// Tries to sign in so many seconds after the start.
    fn sign_in(
        &self,
        (username, password): (&'static str, &str),
        source: &'static str,
        seconds: i64,
    ) -> Result<crate::secret::Secret> {
        let stamp = Stamp {
            actor: Actor::Nobody,
            role: Role::Nobody,
            channel: Channel::Desk,
            ..self.at(seconds)
        };
        let attempt =
            self.db.write_blocking(move |tx| begin_sign_in(tx, &stamp, username, source))?;
        if !attempt.fits(password) {
            self.db.write_blocking(move |tx| sign_in_failed(tx, &stamp, &attempt))?;
            return Err(Error::refused(Code::WrongSignin, ""));
        }
        self.db.write_blocking(move |tx| sign_in(tx, &stamp, &attempt)).map(|(_, secret)| secret)
    }

    fn signed_in(&self, secret: &crate::secret::Secret, seconds: i64) -> Option<Staff> {
        let now = self.at(seconds).now;
        self.db.read_blocking(|read| session(read, secret.text(), now)).unwrap()
    }
}

fn code(error: Error) -> Code {
    let Error::Refused(refusal) = error else { panic!("{error}") };
    refusal.code
}

const RIGHT: (&str, &str) = ("asha", "correct horse");
const WRONG: (&str, &str) = ("asha", "wrong");

#[test]
fn nobody_can_lock_out_somebody_else() {
    let house = House::new();
    house.hire("asha", Role::Clerk);
    for _ in 0..5 {
        assert_eq!(code(house.sign_in(WRONG, "10.0.0.66", 0).unwrap_err()), Code::WrongSignin);
    }
    let waits = code(house.sign_in(RIGHT, "10.0.0.66", 0).unwrap_err());
    assert!(matches!(waits, Code::TooManyTries(_)), "{waits:?}");
    assert!(house.sign_in(RIGHT, "10.0.0.7", 0).is_ok(), "from her own place she can");
}

#[test]
fn the_wait_doubles_up_to_a_quarter_of_an_hour_and_ends_with_the_right_password() {
    let house = House::new();
    house.hire("asha", Role::Clerk);
    let mut at = 0;
    let mut waits = Vec::new();
    for _ in 0..5 {
        assert!(house.sign_in(WRONG, "here", at).is_err());
    }
    while waits.last() != Some(&900) {
        let Code::TooManyTries(seconds) = code(house.sign_in(WRONG, "here", at).unwrap_err())
        else {
            panic!("there is a wait");
        };
        // The answer rounds up to the next whole second.
        waits.push(seconds - 1);
        at += i64::from(seconds - 1);
        assert_eq!(code(house.sign_in(WRONG, "here", at).unwrap_err()), Code::WrongSignin);
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 900]);
    assert!(house.sign_in(RIGHT, "here", at + 900).is_ok());
    assert_eq!(code(house.sign_in(WRONG, "here", at + 900).unwrap_err()), Code::WrongSignin);
    assert!(house.sign_in(RIGHT, "here", at + 900).is_ok(), "the count began again");
}

#[test]
fn a_disabled_person_is_out_at_once_and_cannot_come_back() {
    let house = House::new();
    house.hire("admin", Role::Admin);
    let asha = house.hire("asha", Role::Clerk);
    let secret = house.sign_in(RIGHT, "here", 0).unwrap();
    assert_eq!(house.signed_in(&secret, 1).unwrap().id, asha.id);
    house.edit(asha.id, Edit { disabled: Some(true), ..Edit::default() }).unwrap();
    assert!(house.signed_in(&secret, 1).is_none());
    assert_eq!(code(house.sign_in(RIGHT, "here", 2).unwrap_err()), Code::WrongSignin);
}

#[test]
fn a_new_password_ends_sessions_and_the_old_one_is_no_good() {
    let house = House::new();
    let asha = house.hire("asha", Role::Clerk);
    let secret = house.sign_in(RIGHT, "here", 0).unwrap();
    let password = Some(hash_password("another horse").unwrap());
    house.edit(asha.id, Edit { password, ..Edit::default() }).unwrap();
    assert!(house.signed_in(&secret, 1).is_none());
    assert!(house.sign_in(RIGHT, "here", 1).is_err());
    assert!(house.sign_in(("ASHA", "another horse"), "here", 1).is_ok());
}

#[test]
fn staff_change_their_own_password_and_all_their_other_sessions_end() {
    let house = House::new();
    let asha = house.hire("asha", Role::Clerk);
    house.hire("ravi", Role::Clerk);
    let desk = house.sign_in(RIGHT, "here", 0).unwrap();
    let elsewhere = house.sign_in(RIGHT, "there", 0).unwrap();
    let colleague = house.sign_in(("ravi", "correct horse"), "here", 0).unwrap();
    let stamp = Stamp { actor: Actor::Staff(asha.id), role: Role::Clerk, ..house.at(1) };
    let begin = || house.db.write_blocking(move |tx| begin_password_change(tx, &stamp, "here"));
    assert!(!begin().unwrap().fits("wrong"));
    let attempt = begin().unwrap();
    assert!(attempt.fits("correct horse"));
    let (raced, new) = (begin().unwrap(), hash_password("another horse").unwrap());
    let after_race = new.clone();
    let own =
        house.db.write_blocking(move |tx| change_password(tx, &stamp, &attempt, &new)).unwrap();
    for ended in [&desk, &elsewhere] {
        assert!(house.signed_in(ended, 1).is_none());
    }
    assert_eq!(house.signed_in(&own, 1).unwrap().version, 2);
    assert!(house.signed_in(&colleague, 1).is_some(), "nobody else is signed out");
    let late = house.db.write_blocking(move |tx| change_password(tx, &stamp, &raced, &after_race));
    assert_eq!(code(late.map(drop).unwrap_err()), Code::WrongSignin);
    assert!(house.sign_in(RIGHT, "here", 2).is_err());
    assert!(house.sign_in(("asha", "another horse"), "here", 2).is_ok());
    let program = Stamp { actor: Actor::Box, ..stamp };
    let refused = house.db.write_blocking(move |tx| begin_password_change(tx, &program, "here"));
    assert!(matches!(refused, Err(Error::Forbidden)));
}

#[test]
fn tries_at_the_present_password_are_bounded_like_those_to_sign_in() {
    let house = House::new();
    let asha = house.hire("asha", Role::Clerk);
    let stamp = Stamp { actor: Actor::Staff(asha.id), role: Role::Clerk, ..house.at(0) };
    let begin = || house.db.write_blocking(move |tx| begin_password_change(tx, &stamp, "here"));
    for _ in 0..5 {
        begin().unwrap();
    }
    assert!(matches!(code(begin().map(drop).unwrap_err()), Code::TooManyTries(_)));
    assert!(matches!(code(house.sign_in(RIGHT, "here", 0).unwrap_err()), Code::TooManyTries(_)));
    assert!(house.sign_in(RIGHT, "elsewhere", 0).is_ok());
}

#[test]
fn the_last_administrator_stays() {
    let house = House::new();
    let admin = house.hire("admin", Role::Admin);
    for edit in [
        Edit { disabled: Some(true), ..Edit::default() },
        Edit { role: Some(Role::Clerk), ..Edit::default() },
    ] {
        assert_eq!(code(house.edit(admin.id, edit).unwrap_err()), Code::LastAdmin);
    }
    house.hire("second", Role::Admin);
    assert!(house.edit(admin.id, Edit { disabled: Some(true), ..Edit::default() }).is_ok());
}

#[test]
fn user_names_are_taken_whatever_their_case_and_short_passwords_refused() {
    let house = House::new();
    house.hire("asha", Role::Clerk);
    let stamp = house.stamp;
    let addition = Addition {
        username: " Asha ".into(),
        name: "Other".into(),
        role: Role::Clerk,
        practitioner: None,
        password: hash_password("correct horse").unwrap(),
    };
    let taken = house.db.write_blocking(move |tx| add(tx, &stamp, addition)).unwrap_err();
    assert_eq!(code(taken), Code::NameTaken);
    assert_eq!(code(hash_password("seven77").unwrap_err()), Code::Invalid);
}
