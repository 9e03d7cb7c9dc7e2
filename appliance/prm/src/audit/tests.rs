//! The chain finds whatever was done to it.

use super::*;
use crate::error::Error;
use crate::fixture::World;
use crate::stamp::Role;

fn verdict_after(sql: &'static str) -> Verdict {
    let world = World::monday();
    let doctor = world.practitioner("Dr. Rajiv Sharma", "cardiology");
    world.session(doctor, ("09:00", "10:00"), 15);
    world.patient("Asha Rao", "98441 11173", "1984");
    world.write(move |tx, _| Ok(tx.sql().execute_batch(sql)?));
    world.db.read_at_length(|read| verify(read, world.db.keys())).unwrap()
}

#[test]
fn every_kind_of_forgery_is_found() {
    assert_eq!(verdict_after(""), Verdict::Whole { lines: 5 });
    for (forgery, sequence) in [
        ("UPDATE audit SET verb = 'read' WHERE sequence = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE sequence = 2", 2),
        ("UPDATE audit SET patient = NULL WHERE sequence = 5", 5),
        ("DELETE FROM audit WHERE sequence = 4", 4),
        ("DELETE FROM audit WHERE sequence = 1", 1),
        ("UPDATE audit SET sequence = 6 WHERE sequence = 4", 4),
        ("INSERT INTO audit SELECT 6, at, actor_kind, actor, channel, verb, noun, resource, patient, mac
          FROM audit WHERE sequence = 5", 6),
        ("DELETE FROM audit WHERE sequence = 5", 5),
        ("DELETE FROM audit", 1),
    ] {
        match verdict_after(forgery) {
            Verdict::Broken { sequence: found, .. } => assert_eq!(found, sequence, "{forgery}"),
            Verdict::Whole { .. } => panic!("not found: {forgery}"),
        }
    }
}

#[test]
fn only_who_may_read_the_audit_reads_it() {
    let world = World::monday();
    for role in Role::ALL.into_iter().chain([Role::Nobody]) {
        let stamp = world.role(role);
        let listed = world.db.read_blocking(|read| list(read, &stamp, &Filter::default(), 10));
        let may = matches!(role, Role::Admin | Role::Auditor);
        assert_eq!(listed.is_ok(), may, "{role:?}");
        if !may {
            assert!(matches!(listed, Err(Error::Forbidden | Error::Unknown)));
        }
    }
}
