//! Tests of frequent questions: what is found by which words.

use super::*;
use crate::fixture::World;

fn faq(language: &str, questions: &[&str], answer: &str) -> Addition {
    Addition {
        language: language.into(),
        questions: questions.iter().map(|&it| it.to_owned()).collect(),
        answer: answer.into(),
    }
}

fn clinic() -> World {
    let world = World::monday();
    for addition in [
        faq("en", &["Where can I park?", "Is there parking for cars?"], "Behind the house."),
        faq("en", &["When are you open?", "What are your timings?"], "9 to 5."),
        faq("en", &["Where are you?", "What is your address?"], "12 Temple Road."),
        faq("hi", &["क्लिनिक का समय क्या है?", "कब खुला है?"], "9 से 5."),
        faq("en", &["What does a first visit cost?", "Consultation fee"], "500 rupees."),
    ] {
        world.write(move |tx, stamp| add(tx, stamp, addition));
    }
    world
}

fn answers(world: &World, asked: &str, language: &str) -> Vec<String> {
    let found = world.read(|read, stamp| find(read, stamp, asked, (language, 3)));
    found.into_iter().map(|found| found.faq.answer).collect()
}

#[test]
fn a_question_is_found_by_its_words_in_any_form_and_script() {
    let world = clinic();
    for (asked, language, answer) in [
        ("do you have PARKING sir", "en", "Behind the house."),
        ("can we park there", "en", "Behind the house."),
        ("timing?", "en", "9 to 5."),
        ("consultation fees please", "en", "500 rupees."),
        ("clinic ka samay kya hai", "hi", "9 से 5."),
        ("समय", "hi", "9 से 5."),
        ("where are you?", "en", "12 Temple Road."),
    ] {
        assert_eq!(
            answers(&world, asked, language).first().map(String::as_str),
            Some(answer),
            "{asked}"
        );
    }
}

#[test]
fn what_has_little_to_do_with_any_question_finds_none() {
    let world = clinic();
    for asked in [
        "",
        "is it the",
        "how are you?",
        "my grandmother has a parking ticket from yesterday evening",
        "\" OR 1",
        "*",
    ] {
        assert!(answers(&world, asked, "en").is_empty(), "{asked}");
    }
}

#[test]
fn a_question_out_of_use_or_changed_is_found_no_more_by_its_old_words() {
    let world = clinic();
    let all = world.read(list);
    let (parking, fee) = (all[0].id, all[4].id);
    let off = Edit { active: Some(false), ..Edit::default() };
    world.write(move |tx, stamp| edit(tx, stamp, (parking, Some(1)), off));
    let words = Edit { questions: Some(vec!["Price list".into()]), ..Edit::default() };
    world.write(move |tx, stamp| edit(tx, stamp, (fee, None), words));
    assert!(answers(&world, "parking", "en").is_empty());
    assert!(answers(&world, "consultation fee", "en").is_empty());
    assert_eq!(answers(&world, "price list", "en"), ["500 rupees."]);
    world.write(move |tx, stamp| remove(tx, stamp, (fee, Some(2))));
    assert!(answers(&world, "price list", "en").is_empty());
    let late = world.try_write(move |tx, stamp| remove(tx, stamp, (parking, Some(1))));
    assert!(matches!(late, Err(Error::Stale { now: 2 })));
}
