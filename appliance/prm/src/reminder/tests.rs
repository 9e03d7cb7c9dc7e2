//! A clinic on a Monday, whose patients are reminded a day and two hours before.

use jiff::tz::TimeZone;

use super::*;
use crate::appointment::{self, Appointment};
use crate::content::Content;
use crate::conversation::{self, Address};
use crate::fixture::World;
use crate::id::{PatientId, PractitionerId};
use crate::medium::Medium;
use crate::message::{self, Hearing, Quiet, State};
use crate::patient;
use crate::reminder_rule::{self, Addition, ReminderRule};
use crate::ticket;

const DAY: i64 = 24 * 60;

fn quiet() -> Quiet {
    Quiet { zone: TimeZone::get("Asia/Kolkata").unwrap(), from: 21 * 60, to: 8 * 60 }
}

struct Clinic {
    world: World,
    doctor: PractitionerId,
    asha: PatientId,
}

impl Clinic {
    fn new() -> Self {
        let world = World::monday();
        let doctor = world.practitioner("Dr. Rajiv Sharma", "cardiology");
        world.session(doctor, ("07:00", "20:00"), 15);
        let asha = world.patient("Asha Rao", "9844111173", "1984-05-02");
        Self { world, doctor, asha }
    }

    fn rule(&self, before_minutes: i64, confirm: bool) -> ReminderRule {
        let media = vec![Medium::Whatsapp, Medium::Sms];
        let addition = Addition { healthcare_service: None, before_minutes, media, confirm };
        self.world.write(|tx, stamp| reminder_rule::add(tx, stamp, addition))
    }

    fn book(&self, date: &str, time: &str) -> Appointment {
        let start: Timestamp = format!("{date}T{time}:00+05:30").parse().unwrap();
        let slots = self.world.slots(self.doctor, date);
        let slot = slots.iter().find(|it| it.start == start).expect("it is free");
        self.world.book(self.asha, slot.id)
    }

    fn due(&self) -> Vec<Due> {
        self.world.read(|read, stamp| due(read, stamp, &quiet(), (stamp.now, DUE_MAX)))
    }

    fn remind(&self, due: &Due) -> Option<message::Message> {
        let due = due.clone();
        self.world.write(move |tx, stamp| remind(tx, stamp, &due, Content::text("Tomorrow.")))
    }
}

#[test]
fn each_rule_reminds_once_and_a_visit_that_is_moved_is_reminded_of_anew() {
    let mut clinic = Clinic::new();
    clinic.rule(DAY, false);
    clinic.rule(2 * 60, false);
    let visit = clinic.book("2026-11-25", "10:00");
    clinic.world.at_time("2026-11-24T09:59:00+05:30");
    assert!(clinic.due().is_empty(), "not before its time");
    clinic.world.at_time("2026-11-24T10:00:00+05:30");
    let now = clinic.due();
    assert_eq!(now.iter().map(|it| it.rule.before_minutes).collect::<Vec<_>>(), [DAY]);
    let said = clinic.remind(&now[0]).expect("somebody is reminded");
    assert!(clinic.due().is_empty() && clinic.remind(&now[0]).is_none(), "once");

    clinic.world.at_time("2026-11-25T08:30:00+05:30");
    let near = clinic.due();
    assert_eq!(near.iter().map(|it| it.rule.before_minutes).collect::<Vec<_>>(), [2 * 60]);
    let to = clinic.world.slots(clinic.doctor, "2026-11-27")[12].id;
    clinic
        .world
        .write(move |tx, stamp| appointment::move_to(tx, stamp, (visit.id, None), to, None));
    assert!(clinic.remind(&near[0]).is_none(), "it is on another day now");
    let is_true = clinic.world.read(|read, stamp| is_true(read, stamp, said.id));
    assert!(!is_true, "what was said before speaks of a start that is no more");
    clinic.world.at_time("2026-11-26T10:00:00+05:30");
    assert_eq!(clinic.due().len(), 1);
}

#[test]
fn nobody_is_reminded_at_night_or_of_what_they_just_said_or_if_they_do_not_want_it() {
    let mut clinic = Clinic::new();
    clinic.rule(2 * 60, false);
    clinic.book("2026-11-25", "07:00");
    clinic.world.at_time("2026-11-24T20:58:00+05:30");
    assert!(clinic.due().is_empty());
    clinic.world.at_time("2026-11-24T20:59:00+05:30");
    assert_eq!(clinic.due().len(), 1, "the evening before, instead of at five in the morning");
    // Booked an hour before: who booked knows.
    clinic.world.at_time("2026-11-25T11:00:00+05:30");
    clinic.book("2026-11-25", "12:00");
    assert!(clinic.due().is_empty());

    let asha = clinic.asha;
    clinic.world.write(move |tx, stamp| {
        let edit = patient::Edit { reminders: Some(false), ..patient::Edit::default() };
        patient::edit(tx, stamp, asha, None, edit)
    });
    clinic.book("2026-11-26", "10:00");
    clinic.world.at_time("2026-11-26T09:00:00+05:30");
    assert!(clinic.due().is_empty());
}

#[test]
fn after_a_week_without_power_only_what_is_still_to_come_is_said_and_once() {
    let mut clinic = Clinic::new();
    clinic.rule(DAY, false);
    clinic.rule(2 * 60, false);
    for date in ["2026-11-25", "2026-11-26", "2026-12-01"] {
        clinic.book(date, "10:00");
    }
    clinic.world.at_time("2026-12-01T09:00:00+05:30");
    let now = clinic.due();
    assert_eq!(now.len(), 1, "two are over, and of two rules the nearer one speaks");
    assert_eq!(now[0].rule.before_minutes, 2 * 60);
    clinic.world.at_time("2026-12-01T09:50:00+05:30");
    assert!(clinic.due().is_empty(), "too late: they are on their way");
}

#[test]
fn who_does_not_answer_is_asked_by_another_way_and_then_is_work_for_the_desk() {
    let mut clinic = Clinic::new();
    clinic.rule(DAY, true);
    let visit = clinic.book("2026-11-25", "10:00");
    clinic.world.at_time("2026-11-24T10:00:00+05:30");
    let first = clinic.remind(&clinic.due()[0]).unwrap();
    assert_eq!(first.medium, Medium::Whatsapp);
    let unanswered = |clinic: &Clinic| clinic.world.read(|read, stamp| unanswered(read, stamp, 10));
    let after = |clinic: &Clinic, reminder: Reminder| {
        let content = Content::text("Are you coming?");
        clinic.world.write(move |tx, stamp| after(tx, stamp, &reminder, content))
    };
    clinic.world.at_time("2026-11-24T17:00:00+05:30");
    assert!(unanswered(&clinic).is_empty());
    clinic.world.at_time("2026-11-24T18:00:00+05:30");
    let waits = unanswered(&clinic).remove(0);
    assert_eq!(after(&clinic, waits), Stage::Again);
    let said = clinic.world.read(|read, stamp| message::get(read, stamp, first.id));
    assert_eq!(said.said().unwrap().state, State::Dropped, "the first one is not sent any more");
    assert!(unanswered(&clinic).is_empty());
    clinic.world.at_time("2026-11-25T02:00:00+05:30");
    let waits = unanswered(&clinic).remove(0);
    assert_eq!(after(&clinic, waits), Stage::Desk);
    assert!(unanswered(&clinic).is_empty());
    let open =
        clinic.world.read(|read, stamp| ticket::list(read, stamp, (ticket::Status::Open, 0), 10));
    assert_eq!(open.iter().map(|it| it.reason).collect::<Vec<_>>(), [ticket::Reason::NotConfirmed]);

    // Who confirmed is left in peace.
    let other = clinic.book("2026-11-27", "10:00");
    clinic.world.at_time("2026-11-26T10:00:00+05:30");
    clinic.remind(&clinic.due()[0]).unwrap();
    clinic.world.write(move |tx, stamp| appointment::confirm(tx, stamp, other.id, None));
    clinic.world.at_time("2026-11-26T18:00:00+05:30");
    let waits = unanswered(&clinic).remove(0);
    assert_eq!(after(&clinic, waits), Stage::Reminded);
    assert!(unanswered(&clinic).is_empty());
    assert_ne!(visit.id, other.id);
}

#[test]
fn a_reminder_stands_where_its_answer_comes_in_though_the_patient_wrote_from_elsewhere_last() {
    let mut clinic = Clinic::new();
    clinic.rule(2 * 60, true);
    let asha = clinic.asha;
    let user = Address::whatsapp("IN.13491208655302741918").unwrap();
    let said_at = clinic.world.stamp.now;
    let hearing = move |id: &str, from: Address| Hearing {
        medium: Medium::Whatsapp,
        provider_id: Some(id.to_owned()),
        from: vec![from],
        name: None,
        content: Content::text("Hello"),
        said_at,
        answers: None,
    };
    let told = hearing("1", user);
    let elsewhere = clinic.world.write(move |tx, stamp| {
        let told = message::hear(tx, stamp, told)?;
        conversation::identify(tx, stamp, told.conversation, Some(asha))
    });
    clinic.book("2026-11-24", "10:00");
    clinic.world.at_time("2026-11-24T08:01:00+05:30");
    let reminder = clinic.remind(&clinic.due()[0]).expect("somebody is reminded");
    assert_ne!(reminder.conversation, elsewhere.id);
    let answer = hearing("2", reminder.address);
    let answered = clinic.world.write(move |tx, stamp| message::hear(tx, stamp, answer));
    assert_eq!(answered.conversation, reminder.conversation);
}
