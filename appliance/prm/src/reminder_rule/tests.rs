//! Tests of the rules of reminders.

use super::*;
use crate::fixture::{World, refusal};

fn rule(service: Option<HealthcareServiceId>, before_minutes: i64, media: &[Medium]) -> Addition {
    Addition { healthcare_service: service, before_minutes, media: media.into(), confirm: false }
}

#[test]
fn a_service_with_rules_of_its_own_does_not_follow_those_for_all() {
    let world = World::monday();
    let service = healthcare_service::Addition {
        name: "Scan".into(),
        duration_minutes: 30,
        buffer_minutes: 0,
        practitioners: Vec::new(),
        locations: Vec::new(),
    };
    let scan = world.write(move |tx, stamp| healthcare_service::add(tx, stamp, service)).id;
    let media = [Medium::Whatsapp, Medium::Sms];
    let day = world.write(move |tx, stamp| add(tx, stamp, rule(None, 1_440, &media)));
    let own = world.write(move |tx, stamp| add(tx, stamp, rule(Some(scan), 120, &media)));
    let of = |service| {
        let rules = world.read(list);
        of_visit(&rules, service).into_iter().map(|rule| rule.id).collect::<Vec<_>>()
    };
    assert_eq!(of(None), [day.id]);
    assert_eq!(of(Some(scan)), [own.id]);
    let off = Edit { active: Some(false), ..Edit::default() };
    world.write(move |tx, stamp| edit(tx, stamp, (own.id, Some(1)), off));
    assert!(of(Some(scan)).is_empty());
    world.write(move |tx, stamp| remove(tx, stamp, (own.id, None)));
    assert_eq!(of(Some(scan)), [day.id]);
}

#[test]
fn a_rule_that_cannot_be_followed_is_refused() {
    let world = World::monday();
    let whatsapp = [Medium::Whatsapp];
    for (before, media) in [
        (14, whatsapp.as_slice()),
        (BEFORE_MINUTES_MAX + 1, whatsapp.as_slice()),
        (120, [].as_slice()),
        (120, [Medium::Sms, Medium::Sms].as_slice()),
        (120, [Medium::VoiceAgent].as_slice()),
    ] {
        let addition = rule(None, before, media);
        let refused = world.try_write(move |tx, stamp| add(tx, stamp, addition));
        assert_eq!(refusal(refused), Code::Invalid, "{before} {media:?}");
    }
    let again = || world.try_write(move |tx, stamp| add(tx, stamp, rule(None, 120, &whatsapp)));
    again().unwrap();
    assert_eq!(refusal(again()), Code::NameTaken);
}
