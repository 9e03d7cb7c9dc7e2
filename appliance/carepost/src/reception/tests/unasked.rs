//! What is said unasked and answered then: reminders and offers, by buttons, numbers and words; who is silent, who was
//! given back, and a STOP that came late.

use channels::say::{Say, Up};
use prm::content::Choice;
use prm::message::Report;
use prm::waitlist::{self, Offer, Wish};

use super::*;
use crate::offers;

impl Talk {
    /// The next thing that somebody hears by SMS, whatever they heard before.
    fn texts(&self, from: &str, text: &str) -> Vec<Message> {
        self.heard.set(self.heard.get() + 1);
        let before = self.everything(from).len();
        let down = Down::Heard(ByWire {
            id: format!("SM{}", self.heard.get()),
            medium: Medium::Sms,
            from: Sender {
                phone: prm::contact::Phone::parse(from, "IN").ok(),
                user: None,
                name: None,
            },
            to: "clinic".into(),
            said_at: self.now(),
            said: Said::Text(text.into()),
            answers: None,
            asks: false,
        });
        let now = self.now();
        self.write(move |tx, _| inbox::take(tx, now, down));
        self.answers();
        let mut all = self.everything(from);
        all.truncate(all.len() - before);
        all.retain(|it| it.said().is_ok());
        all.reverse();
        self.later(1.second());
        all
    }

    /// What the hub was given to say last.
    fn last_given(&self) -> Say {
        let body = self.read(|read, stamp| {
            let rows = relay::waiting(read, stamp, 1_000)?;
            relay::body(read, stamp, rows.last().expect("something was given").number)
        });
        let Ok(Up::Say(say)) = Up::read(&body.unwrap()) else { panic!("something is said") };
        say
    }

    /// Looks at what is due in the outbox, as its loop does.
    fn send(&self) {
        let rules = Rules::of(&self.clinic.app);
        for message in self.read(|read, stamp| message::due(read, stamp, 100)) {
            let rules = rules.clone();
            self.write(move |tx, stamp| outbox::look_at(tx, stamp, &rules, message.id));
        }
    }

    /// Looks for those who were left alone, in this conversation.
    fn looks(&self, from: &str) -> usize {
        let before = self.everything(from).len();
        let id = self.conversation(from).unwrap().id;
        let (app, reception, now) =
            (self.clinic.app.clone(), Arc::clone(&self.reception), self.now());
        self.write(move |tx, _| left_alone::speak(tx, &app, &reception, id, now));
        self.everything(from).len() - before
    }

    /// A visit of Asha's, of which she is reminded now, a day before; 10 minutes after she wrote if `is_open`.
    async fn reminded(&self, is_open: bool) {
        self.patient("Asha Rao", ASHA);
        let yes = self.up_to_the_last_yes(ASHA);
        self.said(ASHA, yes);
        self.write(|tx, stamp| {
            let addition = reminder_rule::Addition {
                healthcare_service: None,
                before_minutes: 15 * 60,
                media: vec![Medium::Whatsapp, Medium::Sms],
                confirm: true,
            };
            reminder_rule::add(tx, stamp, addition).map(drop)
        });
        let start = self.diary()[0].start;
        if !is_open {
            // It is moved some days ahead, so that the window is closed when the reminder is due.
            let appointment = self.diary()[0].clone();
            let slot = prm::id::SlotId::new(
                appointment.schedule,
                start.checked_add((3 * 24).hours()).unwrap(),
            );
            self.write(move |tx, stamp| {
                appointment::move_to(tx, stamp, (appointment.id, None), slot, None).map(drop)
            });
        }
        let start = self.diary()[0].start;
        self.clinic.app.clock.set(start.checked_sub(14.hours()).unwrap());
        crate::reminders::remind_due(&self.clinic.app).await.unwrap();
        self.send();
    }

    /// Asha waits, and is offered the first time of tomorrow for an hour.
    fn offered(&self) -> prm::id::WaitlistId {
        let asha = self.patient("Asha Rao", ASHA);
        self.says(ASHA, "hello");
        self.offered_to(asha)
    }

    /// Somebody waits, and is offered the first time of tomorrow for an hour.
    fn offered_to(&self, patient: PatientId) -> prm::id::WaitlistId {
        let app = self.clinic.app.clone();
        let id = self.write(move |tx, stamp| {
            let rao = practitioner::list(tx, stamp)?.remove(0).id;
            let today = prm::time::local_date(&app.clinic.zone, stamp.now);
            let wish = Wish {
                practitioner: Some(rao),
                specialty: None,
                healthcare_service: None,
                first_day: today,
                last_day: today.saturating_add(3.days()),
                part_of_day: None,
            };
            let entry = waitlist::join(tx, stamp, patient, (wish, None))?;
            let search = prm::slot::Search {
                practitioner: Some(rao),
                specialty: None,
                service: None,
                from: prm::time::next_day(today),
                to: today.saturating_add(3.days()),
                all: false,
                limit: 10,
            };
            let slot = prm::slot::each(tx, stamp, &search)?.remove(0).id;
            let until = stamp.now.checked_add(1.hours()).unwrap();
            let entry = waitlist::offer(tx, stamp, (entry.id, None), Offer { slot, until })?;
            offers::say(tx, &app, &entry)?;
            Ok(entry.id)
        });
        self.send();
        id
    }

    fn entry(&self, id: prm::id::WaitlistId) -> waitlist::Entry {
        self.read(|read, stamp| waitlist::get(read, stamp, id))
    }
}

fn choices(content: &Content) -> Vec<Choice> {
    match content {
        Content::Choices { text: _, label: _, choices } => choices.clone(),
        Content::Text { .. }
        | Content::Chosen { .. }
        | Content::Template { .. }
        | Content::Media { .. }
        | Content::Unsupported { .. } => Vec::new(),
    }
}

#[tokio::test]
async fn a_reminder_has_buttons_where_anything_may_be_said_and_is_a_template_elsewhere() {
    let talk = Talk::open();
    talk.reminded(true).await;
    let shown = choices(&talk.last_given().content);
    assert_eq!(shown.len(), 3, "to come, to move, to call off");
    let first = shown[0].clone();
    talk.said(ASHA, Said::Chosen { id: first.id, title: first.title });
    assert!(talk.diary()[0].confirmed_at.is_some());

    let talk = Talk::open();
    talk.reminded(false).await;
    assert!(matches!(talk.last_given().content, Content::Template { .. }));
}

#[tokio::test]
async fn what_was_numbered_is_answered_by_its_number() {
    let talk = Talk::open();
    talk.reminded(true).await;
    talk.says(ASHA, "1");
    assert!(talk.diary()[0].confirmed_at.is_some());
}

#[tokio::test]
async fn without_a_template_or_an_account_the_next_way_is_tried_at_once_and_then_the_desk() {
    let talk = Talk::open();
    talk.reminded(false).await;
    let of_reminder = talk.last_given();
    assert_eq!(of_reminder.medium, Medium::Whatsapp);
    let fails = |medium, code: &str| {
        let report = Report {
            message: Some(of_reminder.message),
            medium,
            provider_id: None,
            progress: message::Progress::Failed,
            error: Some(code.to_owned()),
        };
        talk.write(move |tx, stamp| message::delivered(tx, stamp, &report));
        talk.send();
    };
    fails(Medium::Whatsapp, "132001");
    let by_sms = talk.last_given();
    assert_eq!((by_sms.message, by_sms.medium), (of_reminder.message, Medium::Sms));
    // The clinic has no account for it: the hub says so.
    fails(Medium::Sms, "no_channel");
    let open = talk.read(|read, stamp| ticket::list(read, stamp, (ticket::Status::Open, 0), 10));
    assert_eq!(open.iter().map(|it| it.reason).collect::<Vec<_>>(), [ticket::Reason::NotDelivered]);
}

#[test]
fn by_sms_a_visit_is_booked_by_numbers_alone_and_answered_by_sms() {
    let talk = Talk::open();
    let asha = talk.patient("Asha Rao", ASHA);
    let mut answers = talk.texts(ASHA, "I want to book an appointment with Dr Rao");
    for _ in 0..8 {
        if !talk.diary().is_empty() {
            break;
        }
        let numbered = answers.iter().any(|it| it.content.plain().contains("\n1. "));
        assert!(numbered, "{:?}", answers.iter().map(|it| it.content.plain()).collect::<Vec<_>>());
        assert!(answers.iter().all(|it| it.medium == Medium::Sms));
        answers = talk.texts(ASHA, "1");
    }
    assert_eq!(talk.diary().iter().map(|it| it.patient).collect::<Vec<_>>(), [asha]);
    assert_eq!(talk.last_given().medium, Medium::Sms);
}

#[test]
fn a_yes_to_an_offer_books_that_time_and_settles_the_wish() {
    for answer in ["yes", "1", "haan ji"] {
        let talk = Talk::open();
        let id = talk.offered();
        let offered = talk.entry(id).offer.unwrap().slot;
        assert_eq!(choices(&talk.last_given().content).len(), 2);
        talk.later(5.minutes());
        talk.says(ASHA, answer);
        let diary = talk.diary();
        assert_eq!(
            diary.iter().map(|it| it.start).collect::<Vec<_>>(),
            [offered.start()],
            "{answer}"
        );
        let entry = talk.entry(id);
        assert_eq!(
            (entry.status, entry.appointment),
            (waitlist::Status::Booked, Some(diary[0].id))
        );
        assert_eq!(talk.conversation(ASHA).unwrap().held_by, Holder::Reception);
    }
}

#[test]
fn a_yes_or_no_to_an_offer_is_one_although_a_list_is_open_but_not_where_a_yes_was_asked_for() {
    for (answer, booked) in [("yes", 1), ("no", 0)] {
        let talk = Talk::open();
        let asha = talk.patient("Asha Rao", ASHA);
        talk.says(ASHA, "I want to see Dr Rao");
        let id = talk.offered_to(asha);
        talk.says(ASHA, answer);
        assert_eq!((talk.diary().len(), talk.entry(id).offer), (booked, None), "{answer}");
    }
    let talk = Talk::open();
    let asha = talk.patient("Asha Rao", ASHA);
    talk.up_to_the_last_yes(ASHA);
    let id = talk.offered_to(asha);
    talk.says(ASHA, "no thanks");
    assert!(talk.entry(id).offer.is_some(), "it is a no to what was read back");
}

#[test]
fn a_no_to_an_offer_books_nothing_and_a_yes_that_comes_too_late_neither() {
    let talk = Talk::open();
    let id = talk.offered();
    let slot = talk.entry(id).offer.unwrap().slot;
    let suited = || talk.read(move |read, stamp| waitlist::fitting(read, stamp, slot)).len();
    talk.says(ASHA, "no");
    talk.says(ASHA, "yes");
    assert!(talk.diary().is_empty());
    let entry = talk.entry(id);
    let stands = (entry.status, entry.offer, entry.declined);
    assert_eq!(stands, (waitlist::Status::Waiting, None, Some(slot)));
    assert_eq!(suited(), 0, "it is not offered to them again");

    let talk = Talk::open();
    talk.offered();
    talk.later(2.hours());
    talk.says(ASHA, "yes");
    assert!(talk.diary().is_empty());
}

#[test]
fn an_offered_time_that_is_taken_meanwhile_is_not_booked_and_no_other_without_a_yes() {
    let talk = Talk::open();
    let id = talk.offered();
    let slot = talk.entry(id).offer.unwrap().slot;
    let arun = talk.patient("Arun Rao", ARUN);
    talk.write(move |tx, stamp| {
        let booking = appointment::Booking {
            id: prm::id::AppointmentId::new(stamp.now),
            patient: arun,
            slot,
            healthcare_service: None,
            reason: None,
            overbook: None,
            hold_minutes: None,
            series: None,
        };
        appointment::book(tx, stamp, booking).map(drop)
    });
    let answers = talk.says(ASHA, "yes");
    assert_eq!(talk.diary().len(), 1);
    let others = answers.iter().flat_map(|it| choices(&it.content)).collect::<Vec<_>>();
    assert!(!others.is_empty(), "other times are offered");
    let other = others[0].clone();
    talk.said(ASHA, Said::Chosen { id: other.id, title: other.title });
    assert_eq!(talk.diary().len(), 1, "it is read back first");
}

#[test]
fn an_offer_for_somebody_else_is_of_no_use() {
    let talk = Talk::open();
    let id = talk.offered();
    let shown = choices(&talk.last_given().content);
    talk.patient("Arun Rao", ARUN);
    for chosen in shown {
        talk.said(ARUN, Said::Chosen { id: chosen.id, title: chosen.title });
    }
    assert!(talk.diary().is_empty());
    assert!(talk.entry(id).offer.is_some(), "another's no is not theirs");
}

#[test]
fn who_is_silent_is_asked_once_more_and_then_let_go_without_a_word() {
    let talk = Talk::open();
    talk.says(ASHA, "I want to book an appointment");
    talk.later(29.minutes());
    assert_eq!(talk.looks(ASHA), 0);
    talk.later(2.minutes());
    assert_eq!(talk.looks(ASHA), 1);
    assert_eq!(talk.looks(ASHA), 0);
    talk.later(3.hours());
    assert_eq!(talk.looks(ASHA), 0);
    talk.later(4.hours());
    assert_eq!(talk.looks(ASHA), 0);
    let conversation = talk.conversation(ASHA).unwrap().id;
    let last = talk.read(|read, stamp| message::last_handled(read, stamp, conversation));
    let dialogues = talk.reception.dialogues.as_ref().unwrap();
    assert!(!dialogues.load(conversation, last, talk.now()).has_question());
}

#[test]
fn nobody_is_asked_twice_although_the_box_died_in_between_nor_about_something_of_this_morning() {
    let talk = Talk::open();
    talk.says(ASHA, "I want to book an appointment");
    let conversation = talk.conversation(ASHA).unwrap().id;
    let last = talk.read(|read, stamp| message::last_handled(read, stamp, conversation)).unwrap();
    let dialogues = talk.reception.dialogues.as_ref().unwrap();
    let (at, before) = dialogues.stands(conversation, last, talk.now()).unwrap();
    talk.later(31.minutes());
    assert_eq!(talk.looks(ASHA), 1);
    // What was remembered is from before.
    dialogues.keep(conversation, (last, before), (None, at));
    assert_eq!(talk.looks(ASHA), 0);

    let talk = Talk::open();
    talk.says(ASHA, "I want to book an appointment");
    talk.later(5.hours());
    assert_eq!(talk.looks(ASHA), 0);
}

#[test]
fn who_is_given_back_hears_it_once_and_goes_on_where_they_were() {
    let talk = Talk::open();
    talk.patient("Asha Rao", ASHA);
    let last_yes = talk.up_to_the_last_yes(ASHA);
    let id = talk.conversation(ASHA).unwrap().id;
    talk.write(move |tx, stamp| conversation::take_over(tx, stamp, id, None));
    talk.says(ASHA, "is parking free?");
    assert_eq!(talk.looks(ASHA), 0);
    talk.later(5.minutes());
    talk.write(move |tx, stamp| conversation::give_back(tx, stamp, id, None));
    assert!(talk.looks(ASHA) > 0);
    assert_eq!(talk.looks(ASHA), 0);
    // The yes of before is not one to what is asked now.
    talk.said(ASHA, last_yes);
    assert!(talk.diary().is_empty());
    talk.says(ASHA, "yes");
    assert_eq!(talk.diary().len(), 1);
}

#[test]
fn who_heard_the_desk_and_was_given_back_goes_on_although_they_said_nothing_meanwhile() {
    let talk = Talk::open();
    talk.says(ASHA, "I want to book an appointment");
    let id = talk.conversation(ASHA).unwrap().id;
    talk.clinic.hire("meera", Role::Clerk);
    let meera = talk.read(prm::staff::list).remove(0).id;
    talk.later(1.minutes());
    let saying = Saying {
        conversation: id,
        content: Content::text("We are open until six."),
        purpose: Purpose::Desk,
        route: route(&talk.everything(ASHA)[0]),
        not_before: None,
        not_after: None,
        collapse_key: None,
        reply_to: None,
    };
    let actor = prm::stamp::Actor::Staff(meera);
    let clerk = Stamp { role: Role::Clerk, actor, ..Stamp::of_box(talk.now()) };
    talk.write(move |tx, _| message::say(tx, &clerk, saying).map(drop));
    assert_eq!(talk.looks(ASHA), 0);
    talk.write(move |tx, stamp| conversation::give_back(tx, stamp, id, None));
    talk.later(1.minutes());
    assert_eq!(talk.looks(ASHA), 1);
    assert_eq!(talk.looks(ASHA), 0);
}

#[test]
fn a_stop_that_came_late_is_honoured_unless_it_was_taken_back_since() {
    let address = Address::Phone(prm::contact::Phone::parse(ASHA, "IN").unwrap());
    for (start, wanted) in [(false, false), (true, true)] {
        let talk = Talk::open();
        talk.hears("wamid.late", ASHA, Said::Text("STOP".into()));
        talk.later(20.hours());
        if start {
            let address = address.clone();
            talk.write(move |tx, stamp| consent::allow(tx, stamp, &address));
            talk.later(1.hours());
        }
        talk.answers();
        let word = talk.read(|read, stamp| consent::at(read, stamp, &address)).unwrap();
        assert_eq!(word.wanted, wanted);
        assert_eq!(talk.conversation(ASHA).unwrap().unread, 1);
    }
}
