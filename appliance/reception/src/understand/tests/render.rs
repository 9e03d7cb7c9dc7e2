//! What was understood as one line, and the clinic that the phrases are said to.

use std::fmt::Write as _;

use prm::id::{HealthcareServiceId, PractitionerId};

use super::*;

/// Names, specialities.
const PRACTITIONERS: [(&str, &[&str]); 7] = [
    ("Dr Anita Sharma", &["general medicine"]),
    ("Dr Rajiv Sharma", &["cardiology"]),
    ("Dr Meera Rao", &["dermatology"]),
    ("Dr Imran Khan", &["orthopaedics"]),
    ("Dr Lakshmi Iyer", &["paediatrics"]),
    ("Dr Vikram Patel", &["dentistry"]),
    ("Dr Sunita Verma", &["gynaecology", "infertility"]),
];

/// Names, other names.
const SERVICES: [(&str, &[&str]); 6] = [
    ("Consultation", &[]),
    ("Follow-up visit", &["review"]),
    ("Blood test", &["CBC", "lab test"]),
    ("ECG", &[]),
    ("X-ray chest", &["xray"]),
    ("Vaccination", &["immunisation"]),
];

/// The names of the clinic.
pub fn lexicon() -> Lexicon {
    let mut lexicon = Lexicon::new("IN");
    for (i, (name, specialties)) in PRACTITIONERS.iter().enumerate() {
        let specialties: Vec<String> = specialties.iter().map(|it| (*it).to_owned()).collect();
        lexicon.add_practitioner(practitioner(i), name, &specialties);
    }
    for (i, (name, also)) in SERVICES.iter().enumerate() {
        let also: Vec<String> = also.iter().map(|it| (*it).to_owned()).collect();
        lexicon.add_service(healthcare_service(i), name, &also);
    }
    lexicon
}

fn practitioner(i: usize) -> PractitionerId {
    PractitionerId::from_bytes([u8::try_from(i).unwrap(); 16])
}

fn healthcare_service(i: usize) -> HealthcareServiceId {
    HealthcareServiceId::from_bytes([u8::try_from(i).unwrap(); 16])
}

/// All that was understood but the words themselves.
pub fn render(understood: &Understood) -> String {
    let Understood {
        language,
        intent,
        intents,
        denied,
        negated: _,
        several,
        correction,
        question: _,
        emergency,
        stop,
        abuse,
        also,
        waits,
        asked: _,
        words: _,
        slots,
    } = understood;
    assert_eq!(*intent, intents.first().copied());
    assert_eq!(*stop, intents.contains(&Intent::Stop));
    let mut out = match language {
        None => "--",
        Some(Language::English) => "en",
        Some(Language::Hindi) => "hi",
        Some(Language::Hinglish) => "hl",
    }
    .to_owned();
    for it in intents {
        let _ = write!(out, " {}", it.as_str());
    }
    for it in denied {
        let _ = write!(out, " !{}", it.as_str());
    }
    for (is, word) in [
        (*several, "several"),
        (*correction, "correction"),
        (*emergency, "emergency"),
        (*abuse, "abuse"),
        (*also, "also"),
        (*waits, "waits"),
    ] {
        if is {
            let _ = write!(out, " {word}");
        }
    }
    render_slots(slots, &mut out);
    out
}

fn render_slots(slots: &Slots, out: &mut String) {
    let Slots {
        days,
        weekday: _,
        not_days,
        parts,
        not_parts,
        times,
        soonest,
        shift,
        thing,
        any,
        any_practitioner,
        practitioners,
        not_practitioners,
        unknown_practitioner,
        specialties,
        missing_specialty,
        services,
        persons,
        name,
        for_name,
        phone,
        birth_dates,
        chosen,
        place,
        number,
        yes,
        language,
    } = slots;
    let mut say = |what: &str, all: Vec<String>| {
        if !all.is_empty() {
            let _ = write!(out, " {what}={}", all.join("|"));
        }
    };
    let day = |it: &Days| match (it.day(), it.to) {
        (Some(day), _) if day.year() != 2026 => day.to_string(),
        (Some(day), _) => day.strftime("%m-%d").to_string(),
        (None, Some(to)) => format!("{}..{}", it.from.strftime("%m-%d"), to.strftime("%m-%d")),
        (None, None) => format!("{}..", it.from.strftime("%m-%d")),
    };
    let time = |it: &Times| match it.time() {
        Some(time) => time.strftime("%H:%M").to_string(),
        None => format!("{}..{}", it.from.strftime("%H:%M"), it.to.strftime("%H:%M")),
    };
    let who = |id: &PractitionerId| {
        let name = PRACTITIONERS[usize::from(id.as_bytes()[0])].0;
        name.trim_start_matches("Dr ").replace(' ', "-")
    };
    say("day", days.iter().map(day).collect());
    say("notday", not_days.iter().map(day).collect());
    say("part", parts.iter().map(|it| format!("{it:?}")).collect());
    say("notpart", not_parts.iter().map(|it| format!("{it:?}")).collect());
    say("time", times.iter().map(time).collect());
    say("dr", practitioners.iter().map(|it| who(&it.of)).collect());
    say("notdr", not_practitioners.iter().map(who).collect());
    say("sp", specialties.iter().map(|it| it.of.clone()).collect());
    say("nosp", missing_specialty.iter().cloned().collect());
    let service = |id: &HealthcareServiceId| SERVICES[usize::from(id.as_bytes()[0])].0.to_owned();
    say("service", services.iter().map(|it| service(&it.of)).collect());
    say("for", persons.iter().map(|it| format!("{it:?}")).collect());
    say("name", name.iter().cloned().collect());
    say("forname", for_name.iter().cloned().collect());
    say("shift", shift.iter().map(|it| format!("{it:?}")).collect());
    say("thing", thing.iter().map(|it| format!("{it:?}")).collect());
    say("phone", phone.iter().map(|it| it.as_str().to_owned()).collect());
    say("born", birth_dates.iter().map(ToString::to_string).collect());
    say("pick", chosen.iter().map(|it| (it + 1).to_string()).collect());
    let place = place.map(|it| match it {
        Place::Nth(at) => (at + 1).to_string(),
        Place::Last => "last".to_owned(),
        Place::Middle => "middle".to_owned(),
    });
    say("place", place.into_iter().collect());
    say("n", number.iter().map(ToString::to_string).collect());
    say("lang", language.iter().map(|it| format!("{it:?}")).collect());
    for (is, word) in [
        (*soonest, "soonest"),
        (*any, "any"),
        (*any_practitioner, "anydr"),
        (*unknown_practitioner, "dr?"),
        (*yes == Some(true), "yes"),
        (*yes == Some(false), "no"),
    ] {
        if is {
            let _ = write!(out, " {word}");
        }
    }
}
