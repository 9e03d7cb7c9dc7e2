//! What is remembered, for how long, and what is not believed.

use jiff::ToSpan as _;

use super::*;

impl Dialogues {
    /// Loses the dialogue of a conversation.
    pub(crate) fn forget(&self, conversation: ConversationId) {
        self.store.remove(conversation.as_bytes()).unwrap();
    }
}

fn now() -> Timestamp {
    "2026-11-23T10:00:00+05:30".parse().unwrap()
}

fn ids() -> (ConversationId, MessageId) {
    (ConversationId::new(now()), MessageId::new(now()))
}

/// A dialogue that can be told from a new one.
fn spoken() -> Dialogue {
    let mut written = serde_json::to_value(Dialogue::default()).unwrap();
    written["language"] = "hi".into();
    serde_json::from_value(written).unwrap()
}

#[test]
fn what_is_still_held_by_another_is_waited_for_and_not_thrown_away() {
    let data = tempfile::tempdir().unwrap();
    place::make_private(&place::keys(data.path())).unwrap();
    let (conversation, message) = ids();
    let held = Dialogues::open(data.path()).unwrap();
    held.keep(conversation, (message, spoken()), (None, now()));
    let folder = data.path().to_owned();
    let (begins, begun) = std::sync::mpsc::channel();
    let opening = thread::spawn(move || {
        begins.send(()).unwrap();
        Dialogues::open(&folder).unwrap()
    });
    begun.recv().unwrap();
    // It takes a while to close, and longer than to find that it is held.
    drop(held);
    let again = opening.join().unwrap();
    assert_eq!(again.load(conversation, Some(message), now()).language(), Some("hi"));
}

#[test]
fn a_dialogue_is_remembered_for_a_day_after_its_message_and_no_other() {
    let data = tempfile::tempdir().unwrap();
    place::make_private(&place::keys(data.path())).unwrap();
    let (conversation, message) = ids();
    let language = |dialogues: &Dialogues, after, at| {
        dialogues.load(conversation, Some(after), at).language().map(str::to_owned)
    };
    {
        let dialogues = Dialogues::open(data.path()).unwrap();
        dialogues.keep(conversation, (message, spoken()), (None, now()));
        assert_eq!(language(&dialogues, message, now()).as_deref(), Some("hi"));
    }
    let again = Dialogues::open(data.path()).unwrap();
    assert_eq!(language(&again, message, now()).as_deref(), Some("hi"));
    // After another message it is not how things stand.
    let next = ids().1;
    assert_eq!(language(&again, next, now()), None);
    // Until the records say which message was answered last, it stands both ways.
    again.keep(conversation, (next, spoken()), (Some(message), now()));
    assert_eq!(language(&again, message, now()).as_deref(), Some("hi"));
    assert_eq!(language(&again, next, now()).as_deref(), Some("hi"));
    again.keep(conversation, (ids().1, spoken()), (Some(next), now()));
    assert_eq!(language(&again, message, now()), None);
    let tomorrow = now().checked_add(24.hours()).unwrap();
    assert_eq!(language(&again, message, tomorrow), None);
    // A clock that was set back makes nothing fresh.
    let yesterday = now().checked_sub(24.hours()).unwrap();
    assert_eq!(language(&again, message, yesterday), None);
    again.sweep(tomorrow);
    assert_eq!(again.store.len(), 0);
}

#[test]
fn what_lies_on_the_disk_says_nothing_and_what_is_broken_is_begun_anew() {
    let data = tempfile::tempdir().unwrap();
    place::make_private(&place::keys(data.path())).unwrap();
    let (conversation, message) = ids();
    let dialogues = Dialogues::open(data.path()).unwrap();
    dialogues.keep(conversation, (message, spoken()), (None, now()));
    let bytes = dialogues.store.get(conversation.as_bytes()).unwrap().unwrap();
    assert!(!bytes.windows(8).any(|it| it == b"language"));
    // Of another conversation it cannot be read.
    let other = ids().0;
    dialogues.store.insert(other.as_bytes(), bytes).unwrap();
    assert!(dialogues.load(other, Some(message), now()).language().is_none());
    drop(dialogues);
    let folder = place::state(data.path()).unwrap().join(place::DIALOGUES);
    let store = folder.join("db");
    let size = usize::try_from(fs::metadata(&store).unwrap().len()).unwrap();
    fs::write(&store, vec![0xAB; size]).unwrap();
    let anew = Dialogues::open(data.path()).unwrap();
    assert!(anew.load(conversation, Some(message), now()).language().is_none());
    drop(anew);
    fs::remove_file(&store).unwrap();
    fs::create_dir(&store).unwrap();
    Dialogues::open(data.path()).unwrap();
}
