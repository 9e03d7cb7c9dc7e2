//! The hub answers while the box is away: what it might answer waits here, and what it answered is in the thread once.

use channels::away::{Answered, Deed, SaidAway, Stood};
use channels::say::Up;
use prm::error::Result;
use prm::id::ConversationId;
use prm::message::{Course, Message};
use prm::{consent, faq, ticket};
use sync_agent::relay::answerer::Yours;

use super::*;
use crate::away;
use crate::reception::{Reception, converse};

fn asked(id: &str, text: &str) -> Down {
    let Down::Heard(heard) = heard(id, text) else { panic!("it was heard") };
    Down::Heard(Heard { asks: true, ..heard })
}

fn answered(id: &str, text: &str, said: &str, deeds: Vec<Deed>) -> Down {
    let Down::Heard(heard) = asked(id, text) else { unreachable!("it was heard") };
    let at_ms = heard.said_at.as_millisecond() + 1_000;
    let message = MessageId::from_bytes([9; 16]);
    let said = vec![SaidAway { message, content: Content::text(said), drawn: false }];
    let (understood, language) = (None, Some("en".to_owned()));
    let for_a_person = !deeds.is_empty();
    Down::Answered(Box::new(Answered {
        heard,
        at_ms,
        said,
        understood,
        language,
        for_a_person,
        deeds,
    }))
}

impl Relayed {
    fn read<T>(&self, query: impl FnOnce(&prm::db::Read<'_>, &Stamp) -> Result<T>) -> T {
        let stamp = self.stamp();
        self.0.app.db.read_blocking(|read| query(read, &stamp)).unwrap()
    }

    fn waiting(&self) -> Vec<Message> {
        self.read(|read, stamp| message::waiting(read, stamp, 10))
    }

    fn gives(&self, number: u8, dialogue: Option<String>) {
        let yours = Yours { id: ItemId([number; 16]), dialogue: dialogue.map(String::into_bytes) };
        self.takes(Batch { yours: Some(vec![yours]), ..Batch::default() });
    }

    /// Answers what waits, and says what was said.
    fn answers(&self) -> Vec<String> {
        let reception = Reception::open(&self.0.app.data, Rules::of(&self.0.app));
        let reception = std::sync::Arc::new(reception);
        let mut said = Vec::new();
        while let Some(message) = self.waiting().into_iter().next() {
            let (app, reception, now) =
                (self.0.app.clone(), std::sync::Arc::clone(&reception), self.0.app.now());
            let id = message.id;
            self.0
                .app
                .db
                .write_blocking(move |tx| converse(tx, &app, &reception, id, now))
                .unwrap();
            said.extend(
                self.thread(message.conversation)
                    .into_iter()
                    .rev()
                    .filter_map(|it| (it.reply_to == Some(id)).then(|| it.content.plain())),
            );
        }
        said
    }

    fn thread(&self, id: ConversationId) -> Vec<Message> {
        self.read(|read, stamp| message::of_conversation(read, stamp, id, None, 50))
    }

    /// What is to be told to the hub.
    fn told(&self) -> Vec<Up> {
        let rows = self.read(|read, stamp| {
            let rows = relay::waiting(read, stamp, 50)?;
            rows.iter().map(|row| relay::body(read, stamp, row.number)).collect::<Result<Vec<_>>>()
        });
        rows.into_iter().flatten().map(|body| Up::read(&body).unwrap()).collect()
    }

    fn stood(&self) -> Option<Stood> {
        self.told().into_iter().rev().find_map(|up| match up {
            Up::Stood(stood) => Some(stood),
            Up::Say(_) | Up::Part(_) | Up::Facts(_) => None,
        })
    }
}

#[test]
fn what_the_hub_might_answer_waits_until_it_is_given_and_so_does_what_comes_after_it() {
    let relayed = Relayed::open();
    relayed.items(vec![item(1, &asked("a", "hello")), item(2, &heard("b", "and more"))]);
    assert_eq!(relayed.waiting().len(), 0);
    let in_doubt = || relayed.read(|read, stamp| message::in_doubt(read, stamp, 10));
    assert_eq!(in_doubt(), [[1; 16]]);
    relayed.gives(1, None);
    assert_eq!((relayed.waiting().len(), in_doubt().len()), (1, 0));
    relayed.answers();
    let stood = relayed.stood().expect("the hub hears that the box is through with it");
    assert_eq!((stood.id.as_str(), stood.desk, stood.dialogue.is_some()), ("a", false, true));
    // It comes again, and is neither asked nor answered again.
    relayed.items(vec![item(1, &asked("a", "hello"))]);
    assert_eq!((relayed.waiting().len(), in_doubt().len()), (0, 0));
}

#[test]
fn what_the_hub_answered_is_in_the_thread_once_and_what_it_left_is_done() {
    let relayed = Relayed::open();
    relayed.items(vec![item(1, &asked("a", "STOP"))]);
    let deeds = vec![Deed::Stop, Deed::Ticket { why: "asked".into() }, Deed::NotKnown];
    let told = answered("a", "STOP", "Stopped.", deeds);
    for number in [2, 2, 3] {
        relayed.items(vec![item(number, &told), item(1, &asked("a", "STOP"))]);
    }
    assert_eq!(relayed.waiting().len(), 0);
    relayed.gives(1, None);
    assert_eq!(relayed.answers(), Vec::<String>::new());
    let message = relayed.read(|read, stamp| message::called(read, stamp, (Medium::Whatsapp, "a")));
    let message = message.unwrap();
    let thread = relayed.thread(message.conversation);
    let [said, heard] = &thread[..] else { panic!("{thread:?}") };
    assert_eq!((said.content.plain(), said.reply_to), ("Stopped.".to_owned(), Some(heard.id)));
    assert!(matches!(&said.course, Course::Said(said) if said.state == State::Sent));
    assert!(matches!(&heard.course, Course::Heard { handled_at: Some(_), .. }));
    let wanted = relayed.read(|read, stamp| consent::at(read, stamp, &message.address));
    assert!(!wanted.unwrap().wanted);
    let open = relayed.read(ticket::count_open);
    assert_eq!(open, 1);
    // How it arrived is heard of like of any other.
    let delivery = Delivery {
        message: Some(said.id),
        medium: Medium::Whatsapp,
        provider_id: "SM".into(),
        state: DeliveryState::Delivered,
        at: relayed.0.app.now(),
    };
    relayed.items(vec![item(5, &Down::Delivery(delivery))]);
    assert_eq!(relayed.state(said.id), State::Delivered);
}

#[test]
fn a_code_that_the_hub_drew_is_a_picture_in_the_thread_and_goes_in_words_if_it_does_not_arrive() {
    let relayed = Relayed::open();
    let code = format!("{}{}", prm::qr::PREFIX, "1 A".repeat(45));
    let Down::Answered(mut told) = answered("a", "yes", &code, Vec::new()) else { unreachable!() };
    told.said[0].drawn = true;
    let (id, heard) = (told.said[0].message, told.heard.id.clone());
    for number in [1, 2] {
        relayed.items(vec![item(number, &Down::Answered(told.clone()))]);
    }
    let message =
        relayed.read(|read, stamp| message::called(read, stamp, (Medium::Whatsapp, &heard)));
    let said = relayed.thread(message.unwrap().conversation).remove(0);
    let Content::Media { media, media_type: _, caption } = &said.content else {
        panic!("{said:?}")
    };
    assert_eq!(caption.as_deref(), Some(code.as_str()));
    relayed.read(|read, stamp| prm::media::get(read, stamp, *media));
    let failed = Delivery {
        message: Some(id),
        medium: Medium::Whatsapp,
        provider_id: "SM".into(),
        state: DeliveryState::Failed { code: "63019".into(), permanent: true },
        at: relayed.0.app.now(),
    };
    relayed.items(vec![item(5, &Down::Delivery(failed))]);
    let rules = Rules::of(&relayed.0.app);
    let stamp = relayed.stamp();
    relayed.0.app.db.write_blocking(move |tx| look_at(tx, &stamp, &rules, id)).unwrap();
    let words = relayed.told().into_iter().find_map(|up| match up {
        Up::Say(say) => Some(say.content),
        Up::Facts(_) | Up::Stood(_) | Up::Part(_) => None,
    });
    assert_eq!(words, Some(Content::text(code)));
}

#[test]
fn the_box_goes_on_with_the_dialogue_as_the_hub_left_it() {
    let asked_menu = Relayed::open();
    asked_menu.items(vec![item(1, &asked("a", "hello"))]);
    asked_menu.gives(1, None);
    asked_menu.answers();
    let dialogue = asked_menu.stood().unwrap().dialogue.unwrap();
    // Another box knows nothing of it.
    let back = Relayed::open();
    back.items(vec![item(1, &asked("a", "6")), item(2, &asked("b", "6"))]);
    back.gives(1, None);
    let said = back.answers().concat();
    assert!(!said.contains("passed this to our desk"), "{said}");
    back.gives(2, Some(dialogue));
    let said = back.answers().concat();
    assert!(said.contains("passed this to our desk"), "{said}");
    assert!(back.stood().unwrap().desk);
}

#[tokio::test]
async fn the_hub_is_told_what_it_may_say_whenever_that_is_something_else() {
    let relayed = Relayed::open();
    let facts = || {
        let told = relayed.told().into_iter().filter_map(|up| match up {
            Up::Facts(facts) => Some(*facts),
            Up::Say(_) | Up::Part(_) | Up::Stood(_) => None,
        });
        told.collect::<Vec<_>>()
    };
    for _ in 0..2 {
        away::tell_once(&relayed.0.app, [1; 16]).await.unwrap();
    }
    assert_eq!(facts().len(), 1);
    let stamp = relayed.stamp();
    let addition = faq::Addition {
        language: "en".into(),
        questions: vec!["Is there parking?".into()],
        answer: "Yes, behind the house.".into(),
    };
    relayed.0.app.db.write(move |tx| faq::add(tx, &stamp, addition)).await.unwrap();
    away::tell_once(&relayed.0.app, [1; 16]).await.unwrap();
    let told = facts();
    assert_eq!((told.len(), told[1].faqs.len()), (2, 1));
    assert!(told[1].answers && told[1].emergency == ["112", "108"], "{:?}", told[1]);
    away::tell_once(&relayed.0.app, [2; 16]).await.unwrap();
    assert_eq!(facts().len(), 3, "another hub knows nothing");
}
