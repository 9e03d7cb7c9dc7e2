//! Raw input becomes a checked value or a clear refusal.

use proptest::prelude::*;

use super::*;

#[test]
fn an_indian_number_in_any_form_is_one_number() {
    for text in [
        "98441 11173",
        "9844111173",
        "098441-11173",
        "+91 98441 11173",
        "0091 98441 11173",
        "९८४४१ १११७३",
        "೯೮೪೪೧೧೧೧೭೩",
        " (98441) 11173 ",
    ] {
        assert_eq!(Phone::parse(text, "IN").unwrap().as_str(), "+919844111173", "{text}");
    }
    assert_eq!(Phone::parse("+1 212 555 0123", "IN").unwrap().as_str(), "+12125550123");
}

#[test]
fn what_is_no_number_is_refused() {
    for text in ["", "12", "98441", "abc", "98441 11173 ext 5", "9844111173; DROP TABLE", "+"] {
        assert!(Phone::parse(text, "IN").is_err(), "{text}");
    }
}

#[test]
fn births_agree_in_what_both_know() {
    let parse = |text| BirthDate::parse(text).unwrap();
    let day = parse("1984-05-02");
    for agreeing in ["1984", "1984-05", "1984-05-02", "१९८४"] {
        assert!(day.agrees_with(parse(agreeing)) && parse(agreeing).agrees_with(day));
    }
    for other in ["1985", "1984-06", "1984-05-03"] {
        assert!(!day.agrees_with(parse(other)));
    }
    for wrong in ["", "84", "1984-13", "1984-02-30", "1984-5-2", "1984-05-02-01", "1700", "19x4"] {
        assert!(BirthDate::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_birth_after_today_is_refused() {
    let today = "2026-11-23".parse().unwrap();
    for (text, fine) in
        [("2026-11-23", true), ("2026-11", true), ("2026-11-24", false), ("2027", false)]
    {
        assert_eq!(BirthDate::parse(text).unwrap().not_after(today).is_ok(), fine, "{text}");
    }
}

#[test]
fn a_number_with_its_country_code_is_the_same_everywhere() {
    let delhi = Phone::parse("011 2000 0000", "IN").unwrap();
    assert_eq!(delhi.as_str(), "+911120000000");
    for country in ["IN", "US", "GB"] {
        assert_eq!(Phone::parse("+91 11 2000 0000", country).unwrap(), delhi, "{country}");
    }
}

#[test]
fn a_name_shows_itself_and_nothing_else_backwards() {
    for wrong in ["", " \u{200b}\u{200d} ", "Asha \u{202e}oaR", "\u{2066}Asha", "As\u{0}ha"] {
        assert!(name("name", wrong).is_err(), "{wrong:?}");
    }
    // A joiner is a part of how the name is written.
    let lakshmi = "ಲಕ್ಷ್ಮೀ\u{200d} ರಾವ್";
    assert_eq!(name("name", &format!(" {lakshmi}\n")).unwrap(), lakshmi);
}

#[test]
fn nothing_personal_is_shown_where_a_log_would_print_it() {
    let phone = Phone::parse("98441 11173", "IN").unwrap();
    assert_eq!(format!("{phone:?} {:?}", BirthDate::Year(1984)), "Phone(…) BirthDate(…)");
    assert_eq!(phone.masked(), "••••••1173");
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC{0,80}", digits in "[+]?[0-9() ०-९-]{0,20}") {
        for text in [&text, &digits] {
            let phone = Phone::parse(text, "IN");
            let birth = BirthDate::parse(text);
            let _ = (name("name", text), email(Some(text.clone())), birth.is_ok());
            if let Ok(phone) = phone {
                prop_assert_eq!(Phone::parse(phone.as_str(), "US").unwrap(), phone);
            }
        }
    }

    #[test]
    fn a_birth_date_reads_back_as_it_was_written(year in 1880_i16..2100, month in 1_i8..=12, day in 1_i8..=28) {
        for text in [format!("{year}"), format!("{year}-{month:02}"), format!("{year}-{month:02}-{day:02}")] {
            prop_assert_eq!(BirthDate::parse(&text).unwrap().to_string(), text);
        }
    }
}
