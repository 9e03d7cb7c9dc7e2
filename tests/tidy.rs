//! The rules of the house that no compiler knows.
//!
//! Each test names the files that break its rule; the lists below and beside it are the rule.

mod arrows;
mod names;
mod nouns;
mod source;

use source::{File, clock_readings, code, files};

/// What may lie at the top of the repository, besides dot files.
const TOP_LEVEL: [&str; 12] = [
    "appliance",
    "cross",
    "firmware-config",
    "kiosk",
    "migrations",
    "sync",
    "tests",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "rust-toolchain.toml",
];

/// A longer file has more than one subject.
const LINES_MAX: usize = 600;

/// Files that a program wrote: nobody reads them from top to bottom.
const GENERATED: [&str; 3] =
    ["kiosk/src/lib/schema.ts", "migrations/appliance/schema.sql", "migrations/hub/schema.sql"];

/// The one file of each program that reads the clock; everywhere else time is an argument.
const CLOCKS: [&str; 2] = ["appliance/carepost/src/clock.rs", "sync/hub/src/clock.rs"];

/// Files that wait for a length of time, which no record and no answer ever shows.
const STOPWATCHES: [&str; 1] = ["appliance/prm/src/db/writer.rs"];

/// Words that have no place in the text of the repository: promises instead of deeds, tests that are
/// switched off, and paths of somebody's own machine. Written in halves, so that this file holds none.
const REFUSED_TEXT: [&str; 12] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("todo", "!("),
    concat!("unimple", "mented!("),
    concat!("#[ign", "ore"),
    concat!("test.sk", "ip("),
    concat!("it.sk", "ip("),
    concat!("describe.sk", "ip("),
    concat!("/wo", "rk/"),
    concat!("/fa", "rm/"),
    concat!("../sha", "red"),
];

/// Fails with the findings, one to a line.
fn assert_none(rule: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{rule}:\n  {}\n", found.join("\n  "));
}

#[test]
fn the_top_level_is_fixed() {
    let mut found: Vec<String> = files()
        .iter()
        .filter_map(|file| file.path.split('/').next())
        .filter(|top| !top.starts_with('.') && !TOP_LEVEL.contains(top))
        .map(str::to_owned)
        .collect();
    found.dedup();
    assert_none("the top level is fixed; put this elsewhere", found);
}

#[test]
fn every_file_is_short_enough_to_read() {
    let found = files()
        .iter()
        .filter(|file| !GENERATED.contains(&file.path.as_str()))
        .filter(|file| file.ends_with(&["rs", "ts", "mjs", "svelte", "css", "sql"]))
        .filter(|file| file.text.lines().count() > LINES_MAX)
        .map(|file| format!("{}: {} lines", file.path, file.text.lines().count()))
        .collect();
    assert_none("a file has at most 600 lines; split it by verb", found);
}

#[test]
fn every_rust_file_begins_by_saying_what_it_is() {
    let found = files()
        .iter()
        .filter(|file| file.ends_with(&["rs"]) && !file.text.starts_with("//! "))
        .map(|file| file.path.clone())
        .collect();
    assert_none("the first line is a `//!` sentence", found);
}

#[test]
fn every_table_says_what_it_holds() {
    let mut found = Vec::new();
    for file in files().iter().filter(|file| file.path.starts_with("migrations/")) {
        let mut before = "";
        for (number, line) in (1..).zip(file.text.lines()) {
            let is_table =
                ["CREATE TABLE", "CREATE VIRTUAL TABLE"].iter().any(|it| line.starts_with(it));
            if is_table && !before.starts_with("-- ") && !GENERATED.contains(&file.path.as_str()) {
                found.push(format!("{}:{number}: {line}", file.path));
            }
            before = line;
        }
    }
    assert_none("a comment stands on the line before each table", found);
}

#[test]
fn only_one_file_of_a_program_reads_the_clock() {
    let mut found = Vec::new();
    for file in files() {
        let is_ours = file.path.starts_with("appliance/") || file.path.starts_with("sync/");
        if is_ours
            && file.ends_with(&["rs"])
            && !CLOCKS.contains(&file.path.as_str())
            && !file.is_test()
        {
            for (line, reading) in clock_readings(&code(file)) {
                if reading != "Instant::now" || !STOPWATCHES.contains(&file.path.as_str()) {
                    found.push(format!("{}:{line}: {reading}", file.path));
                }
            }
        }
    }
    assert_none("time is an argument; only clock.rs reads the clock", found);
}

#[test]
fn the_database_does_not_read_the_clock() {
    let readings = ["CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "unixepoch(", "'now'"];
    let found = lines_with(&readings, |file| {
        file.path.starts_with("migrations/") || file.path.starts_with("appliance/prm/")
    });
    assert_none("time is an argument of every statement", found);
}

#[test]
fn no_code_is_unsafe() {
    let mut found = Vec::new();
    for file in files().iter().filter(|file| file.ends_with(&["rs"])) {
        for token in code(file).iter().filter(|token| token.word == "unsafe") {
            found.push(format!("{}:{}", file.path, token.line));
        }
    }
    assert_none("`unsafe` is not used", found);
}

#[test]
fn the_text_promises_nothing_and_names_no_machine() {
    assert_none("not in this repository", lines_with(&REFUSED_TEXT, |_| true));
}

fn lines_with(words: &[&str], looked_at: impl Fn(&File) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in files().iter().filter(|file| looked_at(file) && !file.path.ends_with("lock.json")) {
        for (number, line) in (1..).zip(file.text.lines()) {
            for word in words.iter().filter(|word| line.contains(*word)) {
                // This very file names the readings that it looks for.
                if file.path != "tests/tidy.rs" {
                    found.push(format!("{}:{number}: {word}", file.path));
                }
            }
        }
    }
    found
}
