//! Dialogues as text, played against a small clinic and compared line by line.
//!
//! `CAREPOST_WRITE_DIALOGUES=1` writes what is said now into the files, for a person to read.

mod any;
mod clinic;
mod transcript;

use std::path::{Path, PathBuf};

use prm::medium::Medium;

/// As many dialogues as there are at least.
const DIALOGUES_MIN: usize = 40;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_dialogue_goes_as_it_is_written() {
    let write = std::env::var_os("CAREPOST_WRITE_DIALOGUES").is_some();
    let mut count = 0;
    let mut wrong = Vec::new();
    for path in files() {
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        let text = std::fs::read_to_string(&path).expect("a dialogue is text");
        let mut played = Vec::new();
        for dialogue in text.split("\n\n").map(str::trim).filter(|it| !it.is_empty()) {
            count += 1;
            let now = transcript::play(dialogue);
            if now != dialogue && !write {
                wrong.push(format!("{name}:\n{}", difference(dialogue, &now)));
            }
            played.push(now);
        }
        if write {
            std::fs::write(&path, played.join("\n\n") + "\n").expect("written");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count >= DIALOGUES_MIN, "{count} dialogues");
}

#[test]
fn by_every_medium_the_same_dialogue_does_the_same() {
    let mut wrong = Vec::new();
    for path in files() {
        let text = std::fs::read_to_string(&path).expect("a dialogue is text");
        for dialogue in text.split("\n\n").map(str::trim).filter(|it| !it.is_empty()) {
            // Where the medium matters, it is written.
            if dialogue.contains("\n@ by ") {
                continue;
            }
            let wanted = transcript::done(dialogue);
            for medium in [Medium::Sms, Medium::Email] {
                let done = transcript::done_by(dialogue, medium);
                if done != wanted {
                    let title = dialogue.lines().next().unwrap_or_default();
                    wrong.push(format!("{title}, by {medium:?}:\n{wanted:#?}\n{done:#?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The first line in which two transcripts differ, with what led to it.
fn difference(wanted: &str, found: &str) -> String {
    let same = wanted.lines().zip(found.lines()).take_while(|(one, other)| one == other).count();
    let led: Vec<&str> = wanted.lines().take(same).collect();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
    let last = led[led.len().saturating_sub(6)..].join("\n");
    format!(
        "{}\n...\n{last}\nwritten: {}\nsaid:    {}",
        led.first().unwrap_or(&""),
        line(wanted),
        line(found)
    )
}
