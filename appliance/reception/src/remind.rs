//! What is said of itself, not in answer: a visit is near.

use fluent_bundle::FluentValue;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use prm::content::Content;

use crate::facts::Wording;
use crate::sentence::Sentence;
use crate::words::Words;

/// The name under which the words were approved where that is needed; what is put into them, in this order: the
/// patient's name, the practitioner's, the day, the time, the clinic's name.
pub const REMINDER: &str = "carepost_reminder";
/// The same, of those that ask for an answer.
pub const REMINDER_TO_CONFIRM: &str = "carepost_reminder_to_confirm";

/// A visit that is near, for whoever is to be reminded.
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    /// The clinic.
    pub clinic: &'a str,
    /// Its zone.
    pub zone: &'a TimeZone,
    /// Who comes.
    pub name: &'a str,
    /// To whom.
    pub practitioner: &'a str,
    /// When.
    pub start: Timestamp,
    /// Whether the person is asked to say that they come.
    pub confirm: bool,
}

/// Reminds of a visit in a language (BCP 47), or, where reception does not speak it, in the first of `languages` that it does.
pub fn remind(
    visit: &Visit<'_>,
    (language, languages): (Option<&str>, &[String]),
    wording: &Wording,
) -> Content {
    let Visit { clinic, zone, name, practitioner, start, confirm } = *visit;
    let words = Words::in_one_of((language, languages), wording);
    let at = zone.to_datetime(start);
    let (day, time) = (words.day(at.date()), words.clock(at.time()));
    let (sentence, approved) = if confirm {
        (Sentence::RemindToConfirm, REMINDER_TO_CONFIRM)
    } else {
        (Sentence::Remind, REMINDER)
    };
    let arguments = [name, practitioner, &day, &time, clinic].map(str::to_owned).to_vec();
    let text = put_in(&arguments).map(|put_in| words.say(sentence, &put_in)).unwrap_or_default();
    Content::Template { name: approved.into(), language: words.tag().into(), arguments, text }
}

/// What is put into a reminder, by name, if these are the arguments of one.
pub(crate) fn put_in(arguments: &[String]) -> Option<[(&'static str, FluentValue<'_>); 5]> {
    let [name, practitioner, day, time, clinic] = arguments else { return None };
    Some([
        ("clinic", clinic.as_str().into()),
        ("day", day.as_str().into()),
        ("doctor", practitioner.as_str().into()),
        ("name", name.as_str().into()),
        ("time", time.as_str().into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_says_who_when_and_to_whom_in_the_patients_language() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let visit = Visit {
            clinic: "Shanti Clinic",
            zone: &zone,
            name: "Asha Rao",
            practitioner: "Dr. Rajiv Sharma",
            start: "2026-11-24T10:15:00+05:30".parse().unwrap(),
            confirm: true,
        };
        let said = |language| remind(&visit, (language, &[]), &Wording::default()).plain();
        let english = said(Some("en-IN"));
        for part in ["Asha Rao", "Dr. Rajiv Sharma", "Tuesday", "24 November", "10:15", "YES"] {
            assert!(english.contains(part), "{part}: {english}");
        }
        let hindi = said(Some("hi"));
        assert!(hindi.contains("मंगलवार") && hindi.contains("Asha Rao"), "{hindi}");
        assert_eq!(said(Some("ta")), english, "what is not spoken is said in the first language");
    }
}
