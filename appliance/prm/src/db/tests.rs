//! The store keeps what it acknowledged, and says plainly what is wrong with a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::change;
use crate::clinic::{Founding, found};
use crate::stamp::Stamp;

fn stamp() -> Stamp {
    Stamp::of_box("2026-11-23T02:30:00Z".parse().unwrap())
}

fn make(folder: &Path) -> Db {
    let keys = Keys::create(&folder.join("keys")).unwrap();
    let db = Db::create(&folder.join("carepost.db"), keys).unwrap();
    db.write_blocking(|tx| {
        let (name, timezone) = ("Test".into(), "Asia/Kolkata".into());
        found(tx, &stamp(), Founding { name, timezone, country: "IN".into(), demo: false })
    })
    .unwrap();
    db
}

fn open(folder: &Path) -> std::result::Result<Db, OpenError> {
    Db::open(&folder.join("carepost.db"), Keys::load(&folder.join("keys"))?)
}

#[test]
fn what_was_acknowledged_is_there_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path()).close();
    let db = open(folder.path()).unwrap();
    assert_eq!(db.read_blocking(change::last).unwrap(), 1);
    let bytes = fs::read(folder.path().join("carepost.db")).unwrap();
    assert!(!bytes.starts_with(b"SQLite format 3"), "the file is encrypted");
    assert!(!bytes.windows(12).any(|window| window == b"Asia/Kolkata"));
}

#[test]
fn a_wrong_key_a_damaged_file_and_a_newer_one_are_told_apart_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path()).close();
    let path = folder.path().join("carepost.db");
    let whole = fs::read(&path).unwrap();

    let other = tempfile::tempdir().unwrap();
    let wrong = Keys::create(&other.path().join("keys")).unwrap();
    assert!(matches!(Db::open(&path, wrong), Err(OpenError::WrongKey(_))));

    let mut damaged = whole.clone();
    for byte in &mut damaged[3 * 4096 + 100..3 * 4096 + 200] {
        *byte ^= 0x55;
    }
    fs::write(&path, &damaged).unwrap();
    let found = open(folder.path()).err();
    assert!(matches!(found, Some(OpenError::Damaged { .. })), "{found:?}");

    fs::write(&path, &whole).unwrap();
    let keys = Keys::load(&folder.path().join("keys")).unwrap();
    let conn = open_with_key(&path, &keys, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    conn.pragma_update(None, "user_version", LATEST + 1).unwrap();
    drop(conn);
    let newer = fs::read(&path).unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::Newer { .. })));
    assert_eq!(fs::read(&path).unwrap(), newer, "not a byte was touched");
}

#[test]
fn a_key_that_others_can_read_or_that_is_missing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path()).close();
    let key = folder.path().join("keys/database.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::Keys(KeysError::Exposed(_)))));
    fs::remove_file(&key).unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::Keys(KeysError::Missing(_)))));
}

#[test]
fn a_verb_that_fails_undoes_itself_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let db = make(folder.path());
    let before = db.read_blocking(change::last).unwrap();
    let refused: Result<()> = db.write_blocking(|tx| {
        change::begin_log(tx, &stamp())?;
        tx.record(&stamp(), "test", (crate::id::Noun::Clinic, &[1; 16], 2), None)?;
        Err(Error::Busy)
    });
    assert!(matches!(refused, Err(Error::Busy)));
    let panicked: Result<()> = db.write_blocking(|_| panic!("a mistake in a verb"));
    assert!(matches!(panicked, Err(Error::Storage(_))));
    db.write_blocking(|tx| {
        tx.record(&stamp(), "test", (crate::id::Noun::Clinic, &[1; 16], 2), None)
    })
    .unwrap();
    assert_eq!(db.read_blocking(change::last).unwrap(), before + 1);
    let verdict = db.read_at_length(|read| crate::audit::verify(read, db.keys())).unwrap();
    assert_eq!(verdict, crate::audit::Verdict::Whole { lines: before + 2 });
}

#[test]
fn a_full_queue_is_busy_and_loses_nothing_that_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    let db = make(folder.path());
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let (entered, inside) = std::sync::mpsc::channel();
    let first = db.clone();
    let blocked = std::thread::spawn(move || {
        first.write_blocking(move |_| {
            entered.send(()).unwrap();
            held.recv().unwrap();
            Ok(())
        })
    });
    inside.recv().unwrap();
    let (told, answers) = std::sync::mpsc::channel();
    for _ in 0..WRITES_WAITING_MAX {
        let told = told.clone();
        db.submit(Job::new(|_| Ok(()), move |result: Result<()>| told.send(result).unwrap()))
            .unwrap();
    }
    assert!(matches!(db.submit(Job::new(|_| Ok(()), |_: Result<()>| ())), Err(Error::Busy)));
    hold.send(()).unwrap();
    blocked.join().unwrap().unwrap();
    for _ in 0..WRITES_WAITING_MAX {
        answers.recv().unwrap().unwrap();
    }
}

#[test]
fn two_processes_write_one_log_and_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = make(folder.path());
    let command_line = open(folder.path()).unwrap();
    for nth in 0..20 {
        let db = if nth % 2 == 0 { &daemon } else { &command_line };
        db.write_blocking(move |tx| {
            tx.record(&stamp(), "test", (crate::id::Noun::Clinic, &[1; 16], nth), None)
        })
        .unwrap();
    }
    assert_eq!(daemon.read_blocking(change::last).unwrap(), 21);
    let verdict = daemon.read_at_length(|read| crate::audit::verify(read, daemon.keys()));
    assert_eq!(verdict.unwrap(), crate::audit::Verdict::Whole { lines: 22 });
}

#[test]
fn a_copy_is_made_while_writes_go_on_and_opens_with_the_same_key() {
    let folder = tempfile::tempdir().unwrap();
    let db = make(folder.path());
    let copy = folder.path().join("copy.db");
    db.copy_to(&copy).unwrap();
    let keys = Keys::load(&folder.path().join("keys")).unwrap();
    let copied = Db::open(&copy, keys).unwrap();
    assert_eq!(copied.read_blocking(change::last).unwrap(), 1);
    assert!(copied.integrity().unwrap().is_empty());
}

#[test]
fn the_log_stays_bounded_however_long_writes_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let db = make(folder.path());
    // Each write dirties some pages of its own, about forty times the bound in all.
    let filler = "x".repeat(40 * 4096);
    for nth in 0..8 * i64::from(LOG_PAGES_MAX) / 40 {
        let filler = filler.clone();
        db.write_blocking(move |tx| {
            tx.record(&stamp(), "test", (crate::id::Noun::Clinic, &[1; 16], nth), None)?;
            let noun = filler.as_str();
            tx.sql().execute("UPDATE change SET noun = ?1 WHERE sequence = 1", [noun])?;
            Ok(())
        })
        .unwrap();
    }
    let log = fs::metadata(folder.path().join("carepost.db-wal")).unwrap().len();
    assert!(log < 2 * u64::from(LOG_PAGES_MAX) * 4096, "the log has {log} bytes");
}

#[test]
fn what_concerns_signing_in_shows_at_once_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let db = make(folder.path());
    let write = |noun| {
        let before = db.identities();
        db.write_blocking(move |tx| tx.record(&stamp(), "test", (noun, &[1; 16], 1), None))
            .unwrap();
        db.identities() > before
    };
    assert!(!write(crate::id::Noun::Appointment));
    assert!(write(crate::id::Noun::Token));
    assert!(write(crate::id::Noun::Session));
}

#[test]
fn askers_who_go_away_leave_no_read_behind() {
    let folder = tempfile::tempdir().unwrap();
    let db = make(folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for _ in 0..2 * READS_WAITING_MAX {
            let mut read = Box::pin(db.read(change::last));
            // Asked once, then dropped, as when a browser closes in the middle.
            let asked = std::future::poll_fn(|context| {
                std::task::Poll::Ready(read.as_mut().poll(context).is_ready())
            });
            asked.await;
            drop(read);
            // What was begun may finish, as it would between two browsers.
            tokio::task::yield_now().await;
            while db.inner.waiting.available_permits() < READS_WAITING_MAX {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(db.read(change::last).await.unwrap(), 1);
    });
}
