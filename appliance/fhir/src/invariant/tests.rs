//! Each invariant broken and kept once; `cases.txt` is asked of HL7's own expressions as well.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::*;
use crate::structure::target::Contained;

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Whether the rule of this key holds for an element of the type at `path`.
fn holds(path: &str, key: &str, focus: &Focus<'_>) -> bool {
    let rule = rules(path).find(|rule| rule.key == key);
    (rule.unwrap_or_else(|| panic!("{path} has no {key}")).holds)(focus)
}

#[test]
fn each_rule_is_broken_by_what_breaks_it_and_kept_by_what_does_not() {
    let (mut path, mut key, mut root) = ("", "", None);
    let mut seen = BTreeSet::new();
    for line in include_str!("cases.txt").lines().filter(|line| !line.starts_with('#')) {
        match line.split_once(' ') {
            Some(("@", json)) => root = Some(object(json)),
            Some((sign @ ("+" | "-"), json)) => {
                let map = object(json);
                let contained = Contained::of(root.as_ref().unwrap_or(&map));
                let focus = Focus { map: &map, contained: &contained };
                assert_eq!(holds(path, key, &focus), sign == "+", "{path} {key} {json}");
                seen.insert((path, key, sign));
            }
            Some(of) => ((path, key), root) = (of, None),
            None => {}
        }
    }
    for (paths, rule) in PLACES.into_iter().flatten() {
        let is_shown = |sign| paths.iter().any(|path| seen.contains(&(*path, rule.key, sign)));
        assert!(is_shown("+") && is_shown("-"), "{} is in cases.txt", rule.key);
    }
}

#[test]
fn every_rule_is_about_a_type_that_r4_has() {
    let text = include_str!("../structure/r4.txt");
    let names = |paths: &'static [&'static str]| paths.iter().filter_map(|it| it.split('.').next());
    for (paths, rule) in PLACES.into_iter().flatten() {
        for name in names(paths).filter(|name| *name != "SimpleQuantity") {
            let is_there = |line: &str| line.split(' ').nth(1) == Some(name);
            assert!(text.lines().any(is_there), "{}: {name}", rule.key);
        }
    }
}
