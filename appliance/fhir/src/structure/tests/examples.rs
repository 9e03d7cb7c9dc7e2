//! HL7's own examples of R4, about 5,300 files: all are valid but those with a known fault.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use super::super::*;
use crate::json::parse;

pub(super) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fhir");

/// The folder of the examples; none, and a line that says so, before `npm ci` in `tests/fhir`.
#[allow(clippy::print_stderr, reason = "a test that does not run says so")]
pub(super) fn package() -> Option<PathBuf> {
    let package = Path::new(FOLDER).join("node_modules/hl7.fhir.r4.examples");
    if !package.is_dir() {
        eprintln!("skipped: HL7's examples are not installed; run `npm ci` in tests/fhir");
        return None;
    }
    Some(package)
}

/// The names of the examples, sorted.
pub(super) fn names(package: &Path) -> Vec<String> {
    let files = fs::read_dir(package).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".json") && name != "package.json" && name != ".index.json");
    names.sort();
    names
}

/// File, expression without the places in lists, code.
type Fault = (String, String, String);

/// The lines of `refused.txt`, and why each is refused.
pub(super) fn known() -> BTreeMap<Fault, String> {
    let text = fs::read_to_string(Path::new(FOLDER).join("refused.txt")).unwrap();
    let line = |line: &str| {
        let (fault, why) = line.split_once(": ").unwrap_or_else(|| panic!("no reason: {line}"));
        let words: Vec<&str> = fault.split(' ').collect();
        let [file, expression, code] = words.as_slice() else { panic!("{line}") };
        let fault = ((*file).to_owned(), (*expression).to_owned(), (*code).to_owned());
        (fault, why.to_owned())
    };
    text.lines().filter(|it| !it.starts_with('#')).map(line).collect()
}

fn without_places(expression: &str) -> String {
    let part = |part: &str| part.split('[').next().unwrap_or_default().to_owned();
    expression.split('.').map(part).collect::<Vec<_>>().join(".")
}

fn faults(package: &Path, name: &str) -> BTreeSet<Fault> {
    let bytes = fs::read(package.join(name)).unwrap();
    let issues = match parse(&bytes) {
        Ok(resource) => validate(&resource),
        Err(outcome) => outcome.issues,
    };
    let fault = |issue: Issue| {
        let expression = without_places(&issue.expression.unwrap_or_default());
        (name.to_owned(), expression, issue.code.as_str().to_owned())
    };
    issues.into_iter().map(fault).collect()
}

#[test]
fn every_example_is_valid_but_those_with_a_known_fault() {
    let Some(package) = package() else { return };
    let names = names(&package);
    assert!(names.len() > 5_000, "there are {} examples", names.len());
    // Two threads take one file after the other: a few files are as long as all the others.
    let next = AtomicUsize::new(0);
    let work = || -> BTreeSet<Fault> {
        let taken = std::iter::from_fn(|| names.get(next.fetch_add(1, Ordering::Relaxed)));
        taken.flat_map(|name| faults(&package, name)).collect()
    };
    let found: BTreeSet<Fault> = thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut found = work();
        found.extend(other.join().unwrap());
        found
    });
    let known: BTreeSet<Fault> = known().into_keys().collect();
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(new.is_empty(), "refused, but not in tests/fhir/refused.txt: {new:#?}");
    assert!(gone.is_empty(), "in tests/fhir/refused.txt, but not refused: {gone:#?}");
}
