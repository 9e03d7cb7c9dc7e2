//! What goes when, by which way, and what never goes.

use jiff::ToSpan as _;
use prm::consent;
use prm::contact::Phone;
use prm::conversation;
use prm::id::{ConversationId, DeliveryId, MediaId};
use prm::media;
use prm::message::{Hearing, Report, Saying, State};
use prm::ticket::{self, Reason, Status};

use super::*;
use crate::http::tests::Clinic;

/// A clinic and a conversation with Asha, who wrote by WhatsApp at ten in the morning.
struct Outbox {
    clinic: Clinic,
    rules: Rules,
    with: ConversationId,
}

fn asha() -> Address {
    Address::Phone(Phone::parse("+919844111173", "IN").unwrap())
}

impl Outbox {
    fn open() -> Self {
        // Short messages do not go in this clinic.
        Self::with("[relay]\nbroker = \"mqtt://127.0.0.1:1\"\n[messages]\nways = [\"whatsapp\"]")
    }

    fn with(settings: &str) -> Self {
        let clinic = Clinic::with_settings(settings);
        let rules = Rules::of(&clinic.app);
        let now = clinic.app.now();
        let hearing = Hearing {
            medium: Medium::Whatsapp,
            provider_id: Some("wamid.1".into()),
            from: vec![asha()],
            name: None,
            content: Content::text("hello"),
            said_at: now,
            answers: None,
        };
        let stamp = Stamp::of_box(now);
        let heard = clinic.app.db.write_blocking(move |tx| message::hear(tx, &stamp, hearing));
        Self { with: heard.unwrap().conversation, clinic, rules }
    }

    fn now(&self) -> Timestamp {
        self.clinic.app.now()
    }

    fn later(&self, span: jiff::Span) {
        self.clinic.app.clock.set(self.now().checked_add(span).unwrap());
    }

    #[track_caller]
    fn write<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Tx<'_>, &Stamp) -> Result<T> + Send + 'static,
    ) -> T {
        let stamp = Stamp::of_box(self.now());
        self.clinic.app.db.write_blocking(move |tx| verb(tx, &stamp)).unwrap()
    }

    #[track_caller]
    fn read<T>(&self, query: impl FnOnce(&Read<'_>, &Stamp) -> Result<T>) -> T {
        let stamp = Stamp::of_box(self.now());
        self.clinic.app.db.read_blocking(|read| query(read, &stamp)).unwrap()
    }

    fn saying(&self, purpose: Purpose) -> Saying {
        let route = [Medium::Whatsapp, Medium::Sms].map(|medium| Way { medium, address: asha() });
        Saying {
            conversation: self.with,
            content: Content::Template {
                name: "reminder".into(),
                language: "en".into(),
                arguments: Vec::new(),
                text: "Your visit is tomorrow.".into(),
            },
            purpose,
            route: route.into(),
            not_before: None,
            not_after: None,
            collapse_key: None,
            reply_to: None,
        }
    }

    fn says(&self, saying: Saying) -> MessageId {
        self.write(|tx, stamp| message::say(tx, stamp, saying)).id
    }

    /// Looks at everything that is due, as the loop does.
    fn look(&self) {
        for message in self.read(|read, stamp| message::due(read, stamp, DUE_AT_ONCE)) {
            let rules = self.rules.clone();
            self.write(move |tx, stamp| look_at(tx, stamp, &rules, message.id));
        }
    }

    fn message(&self, id: MessageId) -> Said {
        self.read(|read, stamp| message::get(read, stamp, id)).said().unwrap().clone()
    }

    fn tries(&self, id: MessageId) -> Vec<(Medium, Progress, Option<String>)> {
        let tries = self.read(|read, stamp| message::deliveries(read, stamp, id));
        tries.into_iter().map(|it| (it.medium, it.progress, it.error)).collect()
    }

    /// For what the desk has tickets, and by when each is due.
    fn tickets(&self) -> Vec<(Reason, Option<Timestamp>)> {
        let open = self.read(|read, stamp| ticket::list(read, stamp, (Status::Open, 0), 100));
        assert!(open.iter().all(|it| it.conversation == Some(self.with)));
        open.into_iter().map(|it| (it.reason, it.due)).collect()
    }

    fn rows(&self) -> Vec<DeliveryId> {
        let rows = self.read(|read, stamp| relay::waiting(read, stamp, 100));
        rows.into_iter().map(|row| row.id).collect()
    }

    fn reports(&self, id: MessageId, progress: Progress) {
        let report = Report {
            message: Some(id),
            medium: Medium::Whatsapp,
            provider_id: None,
            progress,
            error: (progress == Progress::Failed).then(|| "131026".to_owned()),
        };
        self.write(move |tx, stamp| message::delivered(tx, stamp, &report));
    }
}

#[test]
fn nothing_stale_leaves_after_a_week_without_power() {
    let outbox = Outbox::open();
    let mut reminder = outbox.saying(Purpose::Reminder);
    reminder.not_after = outbox.now().checked_add(24.hours()).ok();
    let waited = outbox.says(reminder.clone());
    let begun = outbox.says(reminder);
    // One of them had begun its way when the power went.
    let rules = outbox.rules.clone();
    outbox.write(move |tx, stamp| look_at(tx, stamp, &rules, begun));
    assert_eq!(outbox.rows().len(), 1);
    outbox.later(168.hours());
    assert_eq!(outbox.rows(), [], "what is too late does not go by the relay");
    outbox.look();
    for id in [waited, begun] {
        let said = outbox.message(id);
        assert_eq!((said.state, said.why.as_deref()), (State::Dropped, Some("stale")));
        assert_eq!(said.look_at, None);
    }
}

#[test]
fn what_nobody_asked_for_waits_for_the_morning_and_an_answer_does_not() {
    let outbox = Outbox::open();
    outbox.later(12.hours());
    let reminder = outbox.says(outbox.saying(Purpose::Reminder));
    let reply = outbox.says(outbox.saying(Purpose::Reply));
    outbox.look();
    let morning: Timestamp = "2026-11-24T08:00:00+05:30".parse().unwrap();
    assert_eq!(outbox.message(reminder).look_at, Some(morning));
    assert_eq!((outbox.tries(reminder).len(), outbox.tries(reply).len()), (0, 1));
    outbox.later(10.hours());
    outbox.look();
    assert_eq!(outbox.tries(reminder).len(), 1);
}

#[test]
fn when_a_way_fails_the_next_is_tried_and_then_a_person_is_asked() {
    let outbox = Outbox::open();
    let id = outbox.says(outbox.saying(Purpose::Reminder));
    outbox.look();
    outbox.reports(id, Progress::Failed);
    outbox.look();
    let tries = outbox.tries(id);
    assert_eq!(tries[0], (Medium::Whatsapp, Progress::Failed, Some("131026".into())));
    assert_eq!(tries[1], (Medium::Sms, Progress::Failed, Some("no-carrier".into())));
    assert_eq!(outbox.message(id).state, State::Failed);
    assert_eq!(outbox.read(conversation::unread), 1);
    outbox.later(1.hours());
    outbox.look();
    assert_eq!(outbox.tries(id).len(), 2, "nothing is tried twice");
}

#[test]
fn what_is_not_delivered_in_time_goes_the_next_way_unless_it_is_an_answer() {
    let outbox = Outbox::open();
    let (reminder, reply) =
        (outbox.says(outbox.saying(Purpose::Reminder)), outbox.says(outbox.saying(Purpose::Reply)));
    outbox.look();
    for delivery in outbox.rows() {
        outbox.write(move |tx, stamp| message::hand(tx, stamp, delivery));
    }
    outbox.later(16.minutes());
    outbox.look();
    assert_eq!(outbox.tries(reminder)[1].2.as_deref(), Some("no-carrier"));
    assert_eq!(outbox.tries(reply).len(), 1);
    // It may still arrive: so it has not failed.
    assert_eq!(outbox.message(reminder).state, State::Handed);
    outbox.reports(reminder, Progress::Delivered);
    assert_eq!(outbox.message(reminder).state, State::Delivered);
}

#[test]
fn what_may_still_arrive_by_one_way_has_not_failed_although_the_next_did() {
    let outbox = Outbox::with("[relay]\nbroker = \"mqtt://127.0.0.1:1\"");
    let id = outbox.says(outbox.saying(Purpose::Reminder));
    outbox.look();
    outbox.reports(id, Progress::Sent);
    outbox.later(16.minutes());
    outbox.look();
    assert_eq!(outbox.tries(id)[1], (Medium::Sms, Progress::Queued, None));
    let refused = Report {
        message: Some(id),
        medium: Medium::Sms,
        provider_id: None,
        progress: Progress::Failed,
        error: Some("no_channel".into()),
    };
    outbox.write(move |tx, stamp| message::delivered(tx, stamp, &refused));
    outbox.look();
    assert_eq!((outbox.message(id).state, outbox.tickets().len()), (State::Sent, 0));
}

#[test]
fn a_delivered_message_is_not_sent_again() {
    let outbox = Outbox::open();
    let id = outbox.says(outbox.saying(Purpose::Reminder));
    outbox.look();
    outbox.reports(id, Progress::Delivered);
    outbox.later(16.minutes());
    outbox.look();
    assert_eq!(outbox.tries(id).len(), 1);
}

#[test]
fn an_hour_has_room_for_so_many_that_nobody_asked_for() {
    let outbox = Outbox::with("[relay]\nbroker = \"mqtt://127.0.0.1:1\"\n[messages]\nper_hour = 2");
    let reminders: Vec<_> = (0..3).map(|_| outbox.says(outbox.saying(Purpose::Reminder))).collect();
    let reply = outbox.says(outbox.saying(Purpose::Reply));
    outbox.look();
    assert_eq!((outbox.tries(reminders[2]).len(), outbox.tries(reply).len()), (0, 1));
    for id in &reminders[..2] {
        outbox.reports(*id, Progress::Delivered);
    }
    outbox.later(61.minutes());
    outbox.look();
    assert_eq!(outbox.tries(reminders[2]).len(), 1);
}

#[test]
fn who_opted_out_gets_answers_only() {
    let outbox = Outbox::open();
    outbox.write(|tx, stamp| consent::stop(tx, stamp, &asha()));
    let reminder = outbox.says(outbox.saying(Purpose::Reminder));
    let reply = outbox.says(outbox.saying(Purpose::Reply));
    outbox.look();
    assert_eq!(outbox.message(reminder).why.as_deref(), Some("not-wanted"));
    assert_eq!(outbox.tries(reply).len(), 1);
}

#[test]
fn a_day_after_the_last_word_whatsapp_carries_templates_only() {
    let outbox = Outbox::open();
    outbox.later(24.hours());
    let free = Saying { content: Content::text("hello"), ..outbox.saying(Purpose::Reply) };
    let (free, template) = (outbox.says(free), outbox.says(outbox.saying(Purpose::Reply)));
    outbox.look();
    assert_eq!(outbox.tries(free)[0].2.as_deref(), Some("outside-window"));
    assert_eq!(outbox.tries(template)[0].1, Progress::Queued);
}

#[test]
fn without_a_carrier_a_message_says_so_and_waits_for_a_person() {
    let outbox = Outbox::with("");
    let id = outbox.says(outbox.saying(Purpose::Notice));
    outbox.look();
    let why: Vec<_> = outbox.tries(id).into_iter().map(|it| it.2.unwrap()).collect();
    assert_eq!(why, ["no-carrier", "no-carrier"]);
    assert_eq!(outbox.message(id).why.as_deref(), Some("no-way-left"));
}

#[test]
fn what_failed_by_every_way_is_one_ticket_for_the_desk() {
    let outbox = Outbox::with("");
    let visit = outbox.now().checked_add(6.hours()).unwrap();
    let mut reminder = outbox.saying(Purpose::Reminder);
    reminder.not_after = Some(visit);
    outbox.says(reminder);
    outbox.says(outbox.saying(Purpose::Desk));
    outbox.look();
    assert_eq!(outbox.tickets(), [(Reason::NotDelivered, Some(visit))]);
}

#[test]
fn what_ran_out_of_time_unseen_is_a_ticket_unless_nobody_has_to_be_told_any_more() {
    let outbox = Outbox::open();
    let mut reminder = outbox.saying(Purpose::Reminder);
    reminder.not_after = outbox.now().checked_add(1.hours()).ok();
    let (over, handed) = (outbox.says(reminder.clone()), outbox.says(reminder.clone()));
    outbox.look();
    let given = outbox.rows();
    outbox.write(move |tx, stamp| message::hand(tx, stamp, given[1]));
    // The visit is over: nobody needs a ticket to call somebody about it.
    outbox.later(168.hours());
    outbox.look();
    assert_eq!((outbox.message(over).state, outbox.tickets().len()), (State::Dropped, 0));
    // The hub had it, and says much later that it could not be sent.
    outbox.reports(handed, Progress::Failed);
    outbox.look();
    let said = outbox.message(handed);
    assert_eq!((said.state, said.why.as_deref()), (State::Failed, Some("stale")));
    let mut answer = outbox.saying(Purpose::Reply);
    answer.not_after = outbox.now().checked_add(1.hours()).ok();
    let answer = outbox.says(answer);
    outbox.later(168.hours());
    outbox.look();
    assert_eq!(outbox.message(answer).state, State::Dropped);
    assert_eq!(outbox.tickets(), [(Reason::NotDelivered, None)]);
}

#[test]
fn what_may_have_been_seen_and_what_nobody_wants_is_no_ticket() {
    let outbox = Outbox::open();
    let mut reminder = outbox.saying(Purpose::Reminder);
    reminder.not_after = outbox.now().checked_add(1.hours()).ok();
    let sent = outbox.says(reminder);
    outbox.look();
    outbox.reports(sent, Progress::Sent);
    outbox.write(|tx, stamp| consent::stop(tx, stamp, &asha()));
    outbox.says(outbox.saying(Purpose::Notice));
    outbox.later(62.minutes());
    outbox.look();
    assert_eq!(outbox.message(sent).state, State::Sent);
    assert_eq!(outbox.tickets(), []);
}

#[test]
fn a_picture_goes_in_parts_before_its_message_and_as_words_where_it_did_not_arrive() {
    let outbox = Outbox::open();
    let mut saying = outbox.saying(Purpose::Reply);
    let media = MediaId::new(outbox.now());
    saying.content =
        Content::Media { media, media_type: "image/png".into(), caption: Some("the code".into()) };
    let whatsapp = saying.route[0].clone();
    saying.route.insert(1, whatsapp);
    let picture = vec![7; 600 << 10];
    let given = picture.clone();
    let id = outbox.write(move |tx, stamp| {
        let said = message::say(tx, stamp, saying)?;
        media::provide(tx, stamp, (media, said.id), ("image/png", given))?;
        Ok(said.id)
    });
    outbox.look();
    let rows = outbox.rows();
    let said = |row: &relay::Row| {
        let body = outbox.read(|read, stamp| relay::body(read, stamp, row.number)).unwrap();
        Up::read(&body).unwrap()
    };
    let up: Vec<Up> =
        outbox.read(|read, stamp| relay::waiting(read, stamp, 9)).iter().map(said).collect();
    let [Up::Part(first), Up::Part(second), Up::Say(say)] = up.as_slice() else {
        panic!("two parts and the message")
    };
    assert_eq!((&first.reference, first.at), (&id.to_string(), 0));
    assert!([first.bytes.as_slice(), &second.bytes].concat() == picture);
    assert!(matches!(say.content, Content::Media { .. }));
    // The hub has all of it: only the message is a try.
    let had: Vec<bool> = (1..)
        .zip(rows)
        .map(|(number, row)| outbox.write(move |tx, stamp| relay::had(tx, stamp, (row, number))))
        .collect();
    assert_eq!(had, [false, false, true]);

    outbox.reports(id, Progress::Failed);
    outbox.look();
    let up: Vec<Up> =
        outbox.read(|read, stamp| relay::waiting(read, stamp, 9)).iter().map(said).collect();
    let [Up::Say(say)] = up.as_slice() else { panic!("words alone") };
    assert_eq!(say.content.plain(), "the code");
    assert!(matches!(say.content, Content::Text { .. }));
}

#[test]
fn parts_of_a_message_that_is_called_off_go_with_it() {
    let outbox = Outbox::open();
    let mut saying = outbox.saying(Purpose::Reply);
    let media = MediaId::new(outbox.now());
    saying.content = Content::Media { media, media_type: "image/png".into(), caption: None };
    saying.collapse_key = Some("visit".into());
    outbox.write(move |tx, stamp| {
        let said = message::say(tx, stamp, saying)?;
        media::provide(tx, stamp, (media, said.id), ("image/png", vec![7; 9]))
    });
    outbox.look();
    assert_eq!(outbox.rows().len(), 2);
    outbox.write(|tx, stamp| message::withdraw(tx, stamp, "visit"));
    assert_eq!(outbox.rows(), []);
}
