//! What the search finds, and what it never leaves behind.

use super::*;
use proptest::prelude::*;

const SCHEMA: &str = include_str!("../../../../migrations/appliance/0001_clinic.sql");

fn clinic(patients: &[(i64, &[&str], &[&str])]) -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    for (number, names, digits) in patients {
        let owned = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        index(&conn, *number, &owned(names), &owned(digits)).unwrap();
    }
    conn
}

fn numbers(conn: &Connection, query: &str) -> Vec<i64> {
    find(conn, query, 10).unwrap().into_iter().map(|h| h.number).collect()
}

fn small() -> Connection {
    clinic(&[
        (101, &["Rajiv Sharma"], &["+919844111173"]),
        (102, &["लक्ष्मी राव", "Laxmi Rao"], &["+91 98860 22334"]),
        (103, &["Mohammed Khan"], &["+919900123456", "91-1234-5678-9012"]),
        (104, &["Venkata Ramana Reddy"], &["+919844555666"]),
        (105, &["K R Krishnan"], &["+919844111173"]),
        (106, &["Krishna Rao"], &["+918012345678", "MRN-0042"]),
        (107, &["Vijayalakshmi"], &[]),
        (108, &["Sunita Verma"], &[]),
    ])
}

#[test]
fn rajeev_finds_rajiv() {
    assert_eq!(numbers(&small(), "Rajeev Sharma")[0], 101);
    assert_eq!(numbers(&small(), "sarma rajeev")[0], 101);
    assert_eq!(numbers(&small(), "Dr. Rajeev")[0], 101);
}

#[test]
fn a_misspelt_name_is_found() {
    let conn = small();
    for (query, number) in [
        ("Rajvi Shrama", 101),
        ("Ssnita Verma", 108),
        ("Aunita Verma", 108),
        ("Mohmed Kan", 103),
        ("Krishnnan", 105),
        ("Venkta Rmana Reddy", 104),
    ] {
        assert_eq!(numbers(&conn, query).first(), Some(&number), "{query}");
    }
}

#[test]
fn a_name_is_found_in_another_script() {
    let conn = small();
    for (query, number) in [
        ("राजीव शर्मा", 101),
        ("ರಾಜೀವ್", 101),
        ("Lakshmi Rao", 102),
        ("லட்சுமி ராவ்", 102),
        ("محمد خان", 103),
        ("ಕೃಷ್ಣ ರಾವ್", 106),
    ] {
        assert_eq!(numbers(&conn, query).first(), Some(&number), "{query}");
    }
}

#[test]
fn the_last_word_may_be_unfinished() {
    let conn = small();
    for query in ["raj", "raji", "rajee", "rajiv sh", "sharma r", "rajeev s"] {
        assert_eq!(numbers(&conn, query).first(), Some(&101), "{query}");
    }
}

#[test]
fn words_said_as_one_are_found_apart_and_together() {
    let conn = small();
    assert_eq!(numbers(&conn, "Venkataramana Reddy")[0], 104);
    assert_eq!(numbers(&conn, "Vijaya Lakshmi")[0], 107);
}

#[test]
fn any_part_of_the_digits_finds_everybody_who_has_them() {
    let conn = small();
    assert_eq!(numbers(&conn, "4411117"), [101, 105]);
    assert_eq!(numbers(&conn, "+91 98441-11173"), [101, 105]);
    assert_eq!(numbers(&conn, "098441 11173"), [101, 105]);
    assert_eq!(numbers(&conn, "९८८६०"), [102]);
    assert_eq!(numbers(&conn, "1234 5678 9012"), [103]);
    assert_eq!(numbers(&conn, "mrn 0042"), [106]);
    assert_eq!(numbers(&conn, "9844 666"), [104]);
}

#[test]
fn fewer_than_three_digits_are_a_local_number() {
    let conn = clinic(&[(7, &["Asha"], &["+919800000012"]), (12, &["Usha"], &["+917777777777"])]);
    assert_eq!(numbers(&conn, "7"), [7]);
    assert_eq!(numbers(&conn, "0012"), [12, 7]);
    assert_eq!(numbers(&conn, "99"), Vec::<i64>::new());
}

#[test]
fn a_name_and_digits_together_narrow_the_search() {
    let conn = small();
    assert_eq!(numbers(&conn, "krishnan 9844"), [105]);
    assert_eq!(numbers(&conn, "9844 rajeev")[0], 101);
    assert_eq!(numbers(&conn, "rao 98860"), [102]);
}

#[test]
fn a_patient_indexed_again_is_no_longer_found_by_the_old_name() {
    let conn = small();
    index(&conn, 101, &["Girish Hegde".to_owned()], &["+918888877777".to_owned()]).unwrap();
    assert_eq!(numbers(&conn, "Girish"), [101]);
    assert!(!numbers(&conn, "Rajiv Sharma").contains(&101));
    assert_eq!(numbers(&conn, "4411117"), [105]);
}

#[test]
fn a_forgotten_patient_leaves_no_trace() {
    let conn = small();
    for number in 101..=108 {
        forget(&conn, number).unwrap();
    }
    let left: i64 = conn
        .query_row(
            "SELECT (SELECT count(*) FROM name_sound) + (SELECT count(*) FROM patient_search)",
            [],
            |r| r.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
    assert_eq!(numbers(&conn, "Rajiv"), Vec::<i64>::new());
    assert_eq!(numbers(&conn, "9844"), Vec::<i64>::new());
    forget(&conn, 999).unwrap();
}

#[test]
fn the_exact_name_comes_first_among_very_many_like_it() {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    conn.execute_batch("BEGIN").unwrap();
    for n in 1..=2_000 {
        let name = if n == 1_900 { "Rajeev Kumar" } else { "Rajiv Kumar Rao" };
        index(&conn, n, &[name.to_owned()], &[]).unwrap();
    }
    conn.execute_batch("COMMIT").unwrap();
    assert_eq!(numbers(&conn, "Rajeev Kumar")[0], 1_900);
    assert_eq!(numbers(&conn, "kumar rajiv")[0], 1_900);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_can_be_indexed_found_and_forgotten(name in ".{0,60}", digits in ".{0,30}", query in ".{0,80}") {
        let conn = small();
        index(&conn, 1, std::slice::from_ref(&name), std::slice::from_ref(&digits)).unwrap();
        find(&conn, &query, 10).unwrap();
        find(&conn, &format!("{name} {digits}"), 10).unwrap();
        if name::words(&name).iter().any(|w| w.len() > 1) && !name.chars().any(char::is_numeric)
        {
            prop_assert!(numbers(&conn, &name).contains(&1), "{name}");
        }
        forget(&conn, 1).unwrap();
        prop_assert!(!numbers(&conn, &name).contains(&1));
    }
}
