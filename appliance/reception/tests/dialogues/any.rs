//! Whatever is said, in whatever order: nothing is done without a yes, and it comes to an end.

use prm::content::{Choice, Content};
use prm::error::Code;
use prm::medium::Medium;
use proptest::prelude::*;
use reception::{
    Act, Answer, Dialogue, Effect, Heard, Input, Look, QUESTIONS_MAX, ROUNDS_MAX, STACK_MAX, step,
};

use super::clinic::Clinic;

const PROOF: &str = "1971";
const CANCEL: &str = "cancel my appointment";
/// Messages of all kinds; a number taps the choice of that number, whichever it is.
const SAID: [&str; 55] = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "hello",
    "book",
    "book an appointment with Dr Rao",
    "Dr Sharma",
    "tomorrow",
    "no, Thursday",
    "10:30 am",
    "evening",
    "Asha",
    "for my son",
    "Lakshmi Iyer",
    "2 May 1984",
    "1984",
    "10 August 2015",
    "98441 11173",
    "yes",
    "no",
    CANCEL,
    "move my appointment to Friday",
    "my appointments",
    "where am I in the queue",
    "fees?",
    "confirm",
    "I can't come",
    "start over",
    "forget it",
    "back",
    "help",
    "other times",
    "any",
    "kal subah",
    "haan",
    "नहीं",
    "hindi please",
    "CP1:XYZ",
    "asdf qwer",
    "cancel everything now and say yes",
    "Dr Rao tomorrow 10:30 am for Asha",
    "Dr Anil Sharma tomorrow at 10 am for Ravi",
    "Dr Rao on Thursday at 11 am for me",
    "earliest with Dr Anil Sharma",
    "move it to Friday 11 am",
    "put me on the waiting list",
    // The birth of the only one of that number.
    PROOF,
    "",
];

#[derive(Clone, Debug)]
enum Event {
    Said(usize),
    Elapsed,
    TakenOver,
    GivenBack,
    Reminded,
    /// Somebody takes the first time that is free tomorrow.
    Race,
    /// The answer is lost on its way.
    Lost(usize),
    Id(String),
}

fn said(text: &str) -> Event {
    Event::Said(SAID.iter().position(|it| *it == text).expect("it is among them"))
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        20 => (0..SAID.len()).prop_map(Event::Said),
        // Taps are what leads furthest.
        20 => (0_usize..4).prop_map(Event::Said),
        8 => prop_oneof![Just(PROOF), Just(CANCEL)].prop_map(said),
        2 => Just(Event::Reminded),
        1 => Just(Event::Elapsed),
        1 => Just(Event::TakenOver),
        1 => Just(Event::GivenBack),
        1 => Just(Event::Race),
        1 => (0..SAID.len()).prop_map(Event::Lost),
        1 => "(yes|no|slot|day|more|confirm|cancel|patient|want|language)(:[a-z0-9-]{0,40})?".prop_map(Event::Id),
    ]
}

/// Whether a message may be the yes to a read-back; `numbered` is what was shown as numbers in a text.
fn is_yes(heard: &Heard, shown: &[Choice], numbered: &str) -> bool {
    let offers = shown.iter().any(|choice| choice.id.starts_with("yes:"))
        || ["1. Yes", "1. हाँ"].iter().any(|yes| numbered.contains(yes));
    let says = ["yes", "haan", "1", "book", "confirm"].iter().any(|yes| heard.text.contains(yes));
    let taps = heard.chosen.as_deref().is_some_and(|id| id.starts_with("yes:"));
    offers && (says || taps)
}

fn needs_a_yes(act: &Act) -> bool {
    match act {
        Act::Book { patient: _, slot: _, service: _ }
        | Act::Move { appointment: _, slot: _ }
        | Act::Cancel { appointment: _ }
        | Act::Register { name: _, birth: _, phone: _ }
        | Act::JoinWaitlist {
            patient: _,
            practitioner: _,
            specialty: _,
            service: _,
            from: _,
            to: _,
        } => true,
        Act::Confirm { appointment: _ }
        | Act::CheckIn { qr: _ }
        | Act::Identify { phone: _, birth: _ }
        | Act::DeclineOffer { slot: _ }
        | Act::Stop
        | Act::Allow
        | Act::HandOver(_)
        | Act::Ticket(_) => false,
    }
}

/// The dialogue as it is kept, with what is bounded in it looked at.
fn kept(dialogue: &Dialogue) -> Dialogue {
    let json = serde_json::to_value(dialogue).expect("it can be kept");
    assert!(json["stack"].as_array().expect("a stack").len() <= STACK_MAX);
    assert!(json["questions"].as_u64().expect("a number") <= u64::from(QUESTIONS_MAX));
    serde_json::from_value(json).expect("it can be read")
}

fn play(events: &[Event], address: &str, away: bool) {
    let mut clinic = Clinic::new();
    clinic.away = away;
    let rao = clinic.slot("Rao", "2026-11-24T10:30");
    clinic.book(clinic.person("Asha Verma").id, rao, None);
    let later = clinic.slot("Rao", "2026-11-24T11:30");
    let Answer::Booked { appointment: reminded, qr: _ } =
        clinic.book(clinic.person("Imran Khan").id, later, None)
    else {
        panic!("it is free")
    };
    let mut writer = Clinic::writer(address);
    let mut dialogue = Dialogue::default();
    let mut shown: Vec<Choice> = Vec::new();
    let mut numbered = String::new();
    let mut said = String::new();
    for event in events {
        let mut lost = false;
        let heard = match event {
            Event::Said(at) | Event::Lost(at) => {
                lost = matches!(event, Event::Lost(_));
                let tapped = shown.get(*at).filter(|_| *at < 10).map(|it| it.id.clone());
                Some(Heard {
                    text: SAID[*at].to_owned(),
                    chosen: tapped,
                    medium: Medium::Whatsapp,
                    proposed: None,
                })
            }
            Event::Id(id) => Some(Heard {
                text: "?".to_owned(),
                chosen: Some(id.clone()),
                medium: Medium::Whatsapp,
                proposed: None,
            }),
            Event::Race => {
                if let Answer::Slots(slots) = clinic.look(tomorrow(), &writer)
                    && let Some(slot) = slots.first()
                {
                    clinic.book(clinic.person("Imran Khan").id, slot.id, None);
                }
                continue;
            }
            Event::Elapsed | Event::TakenOver | Event::GivenBack | Event::Reminded => None,
        };
        said.extend(heard.iter().map(|heard| heard.text.as_str()));
        let agrees = heard.as_ref().is_some_and(|heard| is_yes(heard, &shown, &numbered));
        let mut input = Some(match (&heard, event) {
            (Some(heard), _) => Input::Heard(heard),
            (None, Event::TakenOver) => Input::TakenOver,
            (None, Event::GivenBack) => Input::GivenBack,
            (None, Event::Reminded) => Input::Reminded(reminded.id),
            (
                None,
                Event::Elapsed | Event::Said(_) | Event::Race | Event::Lost(_) | Event::Id(_),
            ) => Input::Elapsed,
        });
        let mut rounds = 0;
        while let Some(now) = input.take() {
            rounds += 1;
            assert!(rounds <= ROUNDS_MAX, "a message leads to few steps");
            let (next, effects) = step(kept(&dialogue), now, &clinic.facts(&writer));
            dialogue = next;
            kept(&dialogue);
            for effect in effects {
                assert!(input.is_none(), "what awaits an answer is the last");
                match effect {
                    Effect::Say(content) => {
                        assert!(!content.plain().trim().is_empty(), "something is said");
                        if let Content::Choices { text: _, label: _, choices } = content {
                            shown = choices;
                            numbered.clear();
                        } else {
                            shown.clear();
                            numbered = content.plain();
                        }
                    }
                    Effect::Note(_) => {}
                    Effect::Look(look) => {
                        if let Look::Appointments { patient } | Look::Queue { patient } = &look {
                            let born = clinic.patients.iter().find(|(_, it)| it.id == *patient);
                            let year = born.and_then(|(_, it)| it.birth).expect("known").year();
                            assert!(
                                said.contains(&year.to_string()),
                                "nothing is told without a proof"
                            );
                        }
                        input = Some(Input::Answer(clinic.look(look, &writer)));
                    }
                    Effect::Do(act) => {
                        assert!(!needs_a_yes(&act) || agrees, "nothing is done without a yes");
                        if let Act::Cancel { appointment }
                        | Act::Confirm { appointment }
                        | Act::Move { appointment, slot: _ } = &act
                        {
                            let theirs = clinic.facts(&writer);
                            let found =
                                clinic.appointments.get(appointment).map(|(_, it)| it.patient);
                            if let (Some(found), reception::Who::People(people)) =
                                (found, theirs.who)
                            {
                                assert!(people.iter().any(|it| it.id == found), "it is theirs");
                            }
                        }
                        input = Some(Input::Answer(clinic.act(act, &mut writer)));
                    }
                }
            }
            if lost {
                input = None;
            }
        }
    }
}

fn tomorrow() -> Look {
    let from = "2026-11-24".parse().expect("a date");
    let to = "2026-11-25".parse().expect("a date");
    Look::Slots(reception::Wanted {
        practitioner: None,
        specialty: None,
        service: None,
        from,
        to,
        lent: false,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_said_nothing_is_done_without_a_yes_and_all_stays_bounded(
        events in proptest::collection::vec(event(), 1..48),
        address in prop_oneof![Just("+919844111173"), Just("+919844111174"), Just("+919900112233"), Just("someone")],
        away in proptest::bool::weighted(0.1),
    ) {
        play(&events, address, away);
    }

    #[test]
    fn an_answer_that_nobody_expects_changes_nothing_and_one_that_fits_nothing_ends_at_the_desk(
        first in 0..SAID.len(),
        answers in proptest::collection::vec(0_usize..7, 1..12),
    ) {
        let clinic = Clinic::new();
        let facts = clinic.facts(&Clinic::writer("+919844111173"));
        let heard = Heard { text: SAID[first].to_owned(), chosen: None, medium: Medium::Sms, proposed: None };
        let (mut dialogue, _) = step(Dialogue::default(), Input::Heard(&heard), &facts);
        for answer in answers {
            let answer = match answer {
                0 => Answer::Days(Vec::new()),
                1 => Answer::Slots(Vec::new()),
                2 => Answer::Appointments(Vec::new()),
                3 => Answer::Cancelled,
                4 => Answer::HandedOver,
                5 => Answer::Refused { code: Code::SlotUnavailable, alternatives: Vec::new() },
                _ => Answer::Faq(None),
            };
            let awaited = dialogue.awaits_answer();
            let (next, effects) = step(dialogue, Input::Answer(answer), &facts);
            prop_assert!(awaited || effects.is_empty());
            dialogue = next;
        }
        prop_assert!(!dialogue.awaits_answer() || dialogue.desk_has_it() || kept(&dialogue).awaits_answer());
    }
}
