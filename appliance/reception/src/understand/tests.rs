//! A table of phrases with what they say, and what holds for any text.

mod render;

use jiff::Zoned;
use proptest::prelude::*;

use super::*;
use render::render;

/// Expecting, text, what is understood; tabs between. Wednesday 4 March 2026, ten in the morning.
const PHRASES: &str = concat!(
    include_str!("tests/requests.tsv"),
    include_str!("tests/moments.tsv"),
    include_str!("tests/people.tsv"),
    include_str!("tests/answers.tsv"),
);

fn now() -> Zoned {
    "2026-03-04T10:00[Asia/Kolkata]".parse().expect("a time")
}

fn expecting(word: &str) -> Expecting {
    let titles = |all: &str| all.split(',').map(|title| title.trim().to_owned()).collect();
    match word.split_once(':') {
        None => match word {
            "-" => Expecting::Nothing,
            "intent" => Expecting::Intent,
            "dr" => Expecting::Practitioner,
            "service" => Expecting::Service,
            "day" => Expecting::Day,
            "time" => Expecting::Time,
            "yes" => Expecting::YesNo,
            "name" => Expecting::Name,
            "born" => Expecting::BirthDate,
            "phone" => Expecting::Phone,
            "words" => Expecting::Words,
            other => panic!("{other} is expected by nobody"),
        },
        Some(("patient", names)) => Expecting::Patient(titles(names)),
        Some((_, names)) => Expecting::Choice(titles(&names.replace('.', ":"))),
    }
}

#[test]
fn each_phrase_of_the_table_says_what_stands_beside_it() {
    let lexicon = render::lexicon();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in PHRASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut parts = line.split('\t');
        let (Some(asked), Some(text)) = (parts.next(), parts.next()) else {
            panic!("a line is: expecting, text, understood: {line}");
        };
        let wanted = parts.next().unwrap_or_default();
        let said = render(&understand(text, &lexicon, &expecting(asked), &now()));
        count += 1;
        if said != wanted {
            wrong.push(format!("{asked} :: {text} => {said}\n  instead of: {wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 250, "{count}");
}

#[test]
fn what_decides_nothing_is_left_out_and_the_rest_still_counts() {
    let lexicon = render::lexicon();
    let long = format!("cancel my appointment {}", "book ".repeat(5_000));
    let understood = understand(&long, &lexicon, &Expecting::Nothing, &now());
    assert_eq!(understood.intent, Some(Intent::Cancel));
    assert!(understood.words.len() <= WORDS_MAX);
}

#[test]
fn a_time_without_am_or_pm_is_told_as_two() {
    let understood = understand("5 baje", &render::lexicon(), &Expecting::Time, &now());
    let times: Vec<_> = understood.slots.times.iter().filter_map(|it| it.time()).collect();
    assert_eq!(times, [jiff::civil::time(17, 0, 0, 0), jiff::civil::time(5, 0, 0, 0)]);
}

#[test]
fn what_was_understood_is_never_shown_to_logs() {
    let understood =
        understand("my name is Asha Rao, 9845012345", &render::lexicon(), &Expecting::Name, &now());
    let shown = format!("{:?}", understood.slots);
    assert!(understood.slots.name.is_some() && understood.slots.phone.is_some());
    assert!(!shown.contains("Asha") && !shown.contains("98450"), "{shown}");
}

/// Words that the grammar knows, signs and numbers: what is nearest to breaking it.
const PIECES: &[&str] = &[
    "kal",
    "next",
    "is",
    "this",
    "last",
    "sunday",
    "monday",
    "week",
    "weekend",
    "after",
    "before",
    "se",
    "tak",
    "ke baad",
    "baje",
    "saade",
    "half past",
    "quarter to",
    "12/3",
    "5-6",
    "99/99/9999",
    "31/2",
    "0:00",
    "24:60",
    "10.30",
    "am",
    "pm",
    "in",
    "days",
    "hours",
    "400",
    "4000000000",
    "99999999999999999999999",
    "tarikh",
    "end of",
    "month",
    "agle mahine",
    "december",
    "born",
    "double",
    "triple",
    "nine",
    "dr",
    "sharma",
    "not",
    "nahi",
    "cancel",
    "book",
    "my name is",
    "ka",
    "?",
    ",",
    ".",
    "-",
    "/",
    ":",
    "’",
    "👍",
    "शाम",
    "पौने",
    "छः",
    "\u{200d}",
    "\u{0}",
];

fn anything() -> impl Strategy<Value = String> {
    let pieces = proptest::collection::vec(proptest::sample::select(PIECES), 0..40);
    prop_oneof![
        ".{0,400}",
        pieces.clone().prop_map(|pieces| pieces.join(" ")),
        pieces.prop_map(|pieces| pieces.concat()),
        "[0-9/:.\\- ]{0,200}",
        "[क-ह\u{93c}-\u{94d} ]{0,200}",
    ]
}

fn any_expecting() -> impl Strategy<Value = Expecting> {
    let words =
        ["-", "intent", "dr", "service", "day", "time", "yes", "name", "born", "phone", "words"];
    let with_titles =
        ["choice:10.00,10.15", "choice:", "patient:Asha Rao,Ravi", "choice:31/2,25.61"];
    prop_oneof![
        proptest::sample::select(words.to_vec()),
        proptest::sample::select(with_titles.to_vec())
    ]
    .prop_map(expecting)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_understood_or_not_but_never_breaks_anything(
        text in anything(),
        expecting in any_expecting(),
        at in -3_000_000_000_i64..60_000_000_000,
    ) {
        let zone = jiff::tz::TimeZone::get("Asia/Kolkata").expect("a zone");
        let now = jiff::Timestamp::from_second(at).expect("a time").to_zoned(zone);
        let understood = understand(&text, &render::lexicon(), &expecting, &now);
        prop_assert_eq!(understood.intent, understood.intents.first().copied());
        prop_assert!(understood.denied.iter().all(|it| !understood.intents.contains(it)));
        let slots = &understood.slots;
        prop_assert!(slots.days.len() <= READINGS_MAX && slots.times.len() <= READINGS_MAX);
        for days in slots.days.iter().chain(&slots.not_days) {
            prop_assert!(days.from >= now.date() && days.to.is_none_or(|to| days.from <= to), "{:?}", days);
        }
        for times in &slots.times {
            prop_assert!(times.from <= times.to, "{times:?}");
        }
        let titles = match &expecting {
            Expecting::Choice(titles) | Expecting::Patient(titles) => titles.len(),
            Expecting::Nothing
            | Expecting::Intent
            | Expecting::Practitioner
            | Expecting::Service
            | Expecting::Day
            | Expecting::Time
            | Expecting::YesNo
            | Expecting::Name
            | Expecting::BirthDate
            | Expecting::Phone
            | Expecting::Words => 0,
        };
        prop_assert!(slots.chosen.iter().all(|place| *place < titles));
    }
}

#[test]
fn hostile_texts_take_no_longer_than_long_ones() {
    let lexicon = render::lexicon();
    let long = |piece: &str| piece.repeat(20_000 / piece.len());
    let hostile = [
        long("a"),
        long("9"),
        long("9 "),
        long("1/"),
        long("kal se "),
        long("saade "),
        long("nahi "),
        long("dr sharma "),
        long("appointmenz "),
        long("not cancel "),
        long("क्"),
        long("(((("),
        long("sharmb vermb "),
        long("after "),
        long("10 to "),
        long("my name is "),
        long("double "),
    ];
    // The tables are made by whoever comes first.
    let _ = understand("98450 12345", &lexicon, &Expecting::Nothing, &now());
    for text in &hostile {
        let start = std::time::Instant::now();
        let _ = understand(text, &lexicon, &Expecting::Nothing, &now());
        let took = start.elapsed();
        // For a plain build on a busy machine; a released one takes a hundredth of it.
        assert!(took.as_secs() < 2, "{:?}: {took:?}", text.get(..20));
    }
}
