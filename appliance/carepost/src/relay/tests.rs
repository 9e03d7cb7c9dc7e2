//! What comes by the relay is taken once, and what goes is there until the hub has it.

mod away;

use channels::account::Secret;
use channels::heard::{Delivery, DeliveryState, Down, Heard, Said, Sender, Webhook};
use channels::standard_webhooks::sign;
use jiff::SignedDuration;
use prm::content::Content;
use prm::conversation::Way;
use prm::id::{DeliveryId, MessageId};
use prm::medium::Medium;
use prm::message::{self, Purpose, Saying, State};
use prm::relay;
use prm::stamp::Stamp;
use prm::ticket;
use sync_agent::relay::{Batch, Had, Item, ItemId};

use super::hear::{self, take_in};
use crate::accounts::{Account, Carrier};
use crate::http::tests::Clinic;
use crate::outbox::{Rules, look_at};

/// A box with a relay.
struct Relayed(Clinic);

fn item(number: u8, down: &Down) -> Item {
    Item { id: ItemId([number; 16]), body: down.write() }
}

fn heard(id: &str, text: &str) -> Down {
    Down::Heard(Heard {
        id: id.into(),
        medium: Medium::Whatsapp,
        from: Sender {
            phone: prm::contact::Phone::parse("+919844111173", "IN").ok(),
            user: None,
            name: None,
        },
        to: "clinic".into(),
        said_at: "2026-11-23T10:00:00+05:30".parse().unwrap(),
        said: Said::Text(text.into()),
        answers: None,
        asks: false,
    })
}

impl Relayed {
    fn open() -> Self {
        Self(Clinic::with_settings("[relay]\nbroker = \"mqtt://127.0.0.1:1\""))
    }

    fn takes(&self, batch: Batch) -> hear::Heard {
        self.takes_with(batch, Vec::new())
    }

    fn takes_with(&self, batch: Batch, accounts: Vec<Account>) -> hear::Heard {
        let app = &self.0.app;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(take_in(&app.db, app.now(), batch, accounts)).unwrap()
    }

    fn items(&self, items: Vec<Item>) -> hear::Heard {
        self.takes(Batch { items, ..Batch::default() })
    }

    fn stamp(&self) -> Stamp {
        Stamp::of_box(self.0.app.now())
    }

    /// The rows that the hub does not have.
    fn rows(&self) -> Vec<DeliveryId> {
        let stamp = self.stamp();
        let rows = self.0.app.db.read_blocking(|read| relay::waiting(read, &stamp, 10)).unwrap();
        rows.into_iter().map(|row| row.id).collect()
    }

    /// An answer to somebody who wrote, on its way.
    fn says(&self) -> MessageId {
        let (stamp, rules) = (self.stamp(), Rules::of(&self.0.app));
        let said = self.0.app.db.write_blocking(move |tx| {
            let told = message::waiting(tx, &stamp, 1)?.remove(0);
            let saying = Saying {
                conversation: told.conversation,
                content: Content::text("welcome"),
                purpose: Purpose::Reply,
                route: vec![Way { medium: Medium::Whatsapp, address: told.address.clone() }],
                not_before: None,
                not_after: None,
                collapse_key: None,
                reply_to: Some(told.id),
            };
            let said = message::say(tx, &stamp, saying)?;
            look_at(tx, &stamp, &rules, said.id)?;
            Ok(said.id)
        });
        said.unwrap()
    }

    fn state(&self, id: MessageId) -> State {
        let stamp = self.stamp();
        let message = self.0.app.db.read_blocking(|read| message::get(read, &stamp, id)).unwrap();
        message.said().unwrap().state
    }
}

#[test]
fn what_comes_again_is_had_again_with_the_same_number_and_heard_once() {
    let relayed = Relayed::open();
    let first = relayed.items(vec![item(1, &heard("a", "one")), item(2, &heard("b", "two"))]);
    let numbers = |heard: &hear::Heard| heard.have.iter().map(|it| it.number).collect::<Vec<_>>();
    assert_eq!(numbers(&first), [1, 2]);
    let again = relayed.items(vec![item(2, &heard("b", "two")), item(3, &heard("c", "three"))]);
    assert_eq!(numbers(&again), [2, 3]);
    let waiting = relayed.0.app.db.read_blocking(message::waiting_count);
    assert_eq!(waiting.unwrap(), 3);
    let asked = relayed.takes(Batch { ask: true, ..Batch::default() });
    assert_eq!(asked.taken, Some(3));
}

#[test]
fn what_cannot_be_used_is_had_too_and_holds_up_nothing() {
    let relayed = Relayed::open();
    let unknown = Item { id: ItemId([7; 16]), body: b"{\"later\":{}}".to_vec() };
    let lost = Down::Delivery(Delivery {
        message: None,
        medium: Medium::Whatsapp,
        provider_id: "nobody knows it".into(),
        state: DeliveryState::Read,
        at: relayed.0.app.now(),
    });
    let told = heard("a", "one");
    let refused = heard(&"x".repeat(600), "its id is too long");
    let items = vec![unknown, item(8, &lost), item(9, &told), item(10, &refused)];
    let heard = relayed.items([items, vec![item(11, &heard("b", "two"))]].concat());
    assert_eq!(heard.have.len(), 5);
    let waiting = relayed.0.app.db.read_blocking(message::waiting_count);
    assert_eq!(waiting.unwrap(), 2);
}

#[test]
fn a_row_goes_until_the_hub_has_it_and_again_when_the_hub_was_put_back() {
    let relayed = Relayed::open();
    relayed.items(vec![item(1, &heard("a", "one"))]);
    let id = relayed.says();
    let rows = relayed.rows();
    assert_eq!(rows.len(), 1);
    let had = Had { id: ItemId(*rows[0].as_bytes()), number: 5 };
    relayed.takes(Batch { have: vec![had], taken: Some(5), ..Batch::default() });
    assert_eq!((relayed.rows().len(), relayed.state(id)), (0, State::Handed));
    // It says that it took fewer: it was put back.
    let heard = relayed.takes(Batch { taken: Some(4), ..Batch::default() });
    assert!(heard.lost);
    assert_eq!(relayed.rows(), rows);
    // By then it would be stale.
    let much_later = relayed.0.app.now() + SignedDuration::from_hours(48);
    relayed.0.app.clock.set(much_later);
    assert_eq!(relayed.rows(), []);
    assert_eq!(relayed.state(id), State::Handed);
}

#[test]
fn who_hears_of_a_delivery_before_the_hub_has_it_said_is_not_set_back() {
    let relayed = Relayed::open();
    relayed.items(vec![item(1, &heard("a", "one"))]);
    let id = relayed.says();
    let row = relayed.rows()[0];
    let delivered = Down::Delivery(Delivery {
        message: Some(id),
        medium: Medium::Whatsapp,
        provider_id: "wamid.9".into(),
        state: DeliveryState::Delivered,
        at: relayed.0.app.now(),
    });
    relayed.items(vec![item(2, &delivered)]);
    let had = Had { id: ItemId(*row.as_bytes()), number: 1 };
    relayed.takes(Batch { have: vec![had], ..Batch::default() });
    assert_eq!(relayed.state(id), State::Delivered);
}

#[test]
fn a_call_is_believed_by_its_signature_where_the_box_has_the_key_and_else_by_the_hubs_word() {
    let relayed = Relayed::open();
    let now = relayed.0.app.now();
    let body = br#"{"call_id":"c-1","patient_phone":"+919844111173","transcript":"hello"}"#;
    let webhook = |id: &str, secret: &[u8], hours_ago: i64| {
        let at = now - SignedDuration::from_hours(hours_ago);
        Down::Webhook(Webhook {
            id: id.into(),
            timestamp: at.as_second().to_string(),
            signature: sign(secret, id, at.as_second(), body),
            body: body.to_vec(),
            received_at_ms: at.as_millisecond(),
        })
    };
    let account = Account {
        id: uuid::Uuid::nil(),
        carrier: Carrier::VoiceAgent,
        called: String::new(),
        // As Standard Webhooks write it: 24 times a 9.
        secrets: vec![vec![Secret::new("whsec_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ")]],
        added_at: now,
    };
    let waiting = |down: Down, accounts: Vec<Account>| {
        let batch = Batch { items: vec![item(1, &down)], ..Batch::default() };
        let relayed = Relayed::open();
        let had = relayed.takes_with(batch, accounts).have.len();
        let read = relayed.0.app.db.read_blocking(|read| {
            let tickets = ticket::count_open(read, &Stamp::of_box(now))?;
            Ok((had, message::waiting_count(read)?, tickets))
        });
        read.unwrap()
    };
    let (right, wrong) = ([9; 24], [8; 24]);
    assert_eq!(
        waiting(webhook("msg_1", &wrong, 0), Vec::new()),
        (1, 1, 0),
        "the hub has proved it"
    );
    // The desk is told.
    assert_eq!(waiting(webhook("msg_1", &wrong, 0), vec![account.clone()]), (1, 0, 1));
    assert_eq!(waiting(webhook("msg_1", &right, 0), vec![account.clone()]), (1, 1, 0));
    // It lay at the hub while the box was away.
    assert_eq!(waiting(webhook("msg_1", &right, 10), vec![account]), (1, 1, 0));
}
