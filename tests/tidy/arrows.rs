//! Which crate may know which: the table is the whole truth, and a new arrow is one new line in review.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::assert_none;
use super::source::files;

/// Each crate of the workspace, and what of ours it may depend on.
const ARROWS: [(&str, &[&str]); 10] = [
    ("prm", &[]),
    ("fhir", &["prm"]),
    ("reception", &["prm"]),
    ("channels", &["prm"]),
    ("carepost", &["prm", "fhir", "reception", "channels", "sync-agent"]),
    ("sync-protocol", &[]),
    // The hub is known to the tests of loans only, where both ends meet.
    ("sync-agent", &["prm", "fhir", "sync-protocol", "sync-hub"]),
    // The hub answers chats with the same reception, and speaks with the same providers.
    ("sync-hub", &["sync-protocol", "fhir", "prm", "reception", "channels"]),
    ("xtask", &[]),
    // The tests may know everything.
    (
        "tests",
        &[
            "fhir",
            "prm",
            "carepost",
            "channels",
            "reception",
            "sync-agent",
            "sync-hub",
            "sync-protocol",
        ],
    ),
];

/// The manifest of each crate, by the crate's folder.
fn manifests() -> BTreeMap<&'static str, Table> {
    let crates: BTreeMap<_, _> = files()
        .iter()
        .filter_map(|file| Some((file.path.strip_suffix("/Cargo.toml")?, &file.text)))
        .map(|(folder, text)| {
            (folder, text.parse().unwrap_or_else(|error| panic!("{folder}: {error}")))
        })
        .collect();
    assert!(!crates.is_empty(), "there are crates");
    crates
}

fn name(manifest: &Table) -> &str {
    manifest["package"]["name"].as_str().expect("a package has a name")
}

/// The names of all dependencies, of whatever kind and for whatever target.
fn dependencies(table: &Table) -> Vec<&str> {
    let mut found = Vec::new();
    for (key, value) in table {
        match (key.as_str(), value) {
            ("dependencies" | "dev-dependencies" | "build-dependencies", Value::Table(crates)) => {
                // A dependency may go by another name here than its package's.
                found.extend(crates.iter().map(|(alias, wanted)| {
                    wanted.get("package").and_then(Value::as_str).unwrap_or(alias)
                }));
            }
            ("target", Value::Table(targets)) => {
                found.extend(targets.values().filter_map(Value::as_table).flat_map(dependencies));
            }
            (_, _) => {}
        }
    }
    found
}

#[test]
fn a_crate_knows_only_the_crates_that_its_arrows_point_to() {
    let manifests = manifests();
    let ours: Vec<&str> = manifests.values().map(name).collect();
    let mut found = Vec::new();
    for manifest in manifests.values() {
        let of = name(manifest);
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == of) else {
            found.push(format!("{of} is not in the table"));
            continue;
        };
        for to in dependencies(manifest) {
            if ours.contains(&to) && !allowed.contains(&to) {
                found.push(format!("{of} -> {to} is not in the table"));
            }
        }
        for to in allowed.iter().filter(|to| !dependencies(manifest).contains(to)) {
            found.push(format!("{of} -> {to} is in the table, but not in its manifest"));
        }
    }
    for (of, _) in ARROWS.iter().filter(|(of, _)| !ours.contains(of)) {
        found.push(format!("{of} is in the table, but not in the repository"));
    }
    assert_none("the arrows between crates", found);
}

#[test]
fn a_crate_is_named_like_its_folder_and_keeps_the_rules_of_the_workspace() {
    let mut found = Vec::new();
    for (folder, manifest) in manifests() {
        let expected = match folder.rsplit_once('/') {
            Some(("sync", last)) => format!("sync-{last}"),
            Some((_, last)) => last.to_owned(),
            None => folder.to_owned(),
        };
        if name(&manifest) != expected {
            found.push(format!("{folder} holds {}, not {expected}", name(&manifest)));
        }
        let shared = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        if shared != Some(&Value::Boolean(true)) {
            found.push(format!("{folder} lacks `[lints] workspace = true`"));
        }
    }
    assert_none("crates", found);
}
