//! The OpenAPI document is the one in the repository, and it is made of distinct shapes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use carepost::http::openapi::document;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn the_document_in_the_repository_is_the_one_that_the_box_serves() {
    let kept = fs::read_to_string(root().join("kiosk/openapi.json"))
        .expect("the document is there; write it with `cargo xtask api`");
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    let served = serde_json::to_value(document()).unwrap();
    assert!(kept == served, "the API has changed; if that is meant, run `cargo xtask api`");
}

#[test]
fn every_operation_says_what_it_answers_and_has_a_name_of_its_own() {
    let served = serde_json::to_value(document()).unwrap();
    assert_eq!(served["openapi"], "3.1.0");
    let mut wrong = Vec::new();
    for (path, operations) in served["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if operation["responses"].as_object().is_none_or(serde_json::Map::is_empty)
                || operation["tags"].as_array().is_none_or(Vec::is_empty)
                || operation["operationId"].as_str().is_none()
            {
                wrong.push(format!("{method} {path}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Two shapes of one name silently become one in the document.
#[test]
fn no_two_shapes_share_a_name() {
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut folders = vec![root().join("appliance/carepost/src/http")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                for name in shapes(&text) {
                    named.entry(name).or_default().push(path.display().to_string());
                }
            }
        }
    }
    assert!(named.contains_key("Staff"), "the shapes are found");
    named.retain(|_, files| files.len() > 1);
    assert!(named.is_empty(), "give one another name with #[schema(as = ...)]: {named:#?}");
}

/// The names under which the shapes of a file stand in the document.
fn shapes(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut derived = false;
    let mut renamed = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[derive(") && line.contains("ToSchema") {
            (derived, renamed) = (true, None);
        } else if let Some((_, rest)) = line.split_once("#[schema(as = ") {
            renamed = rest.split([')', ',']).next().map(str::to_owned);
        } else if derived
            && let Some((_, rest)) = line.split_once("struct ").or(line.split_once("enum "))
        {
            let own = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned();
            found.push(renamed.take().unwrap_or(own));
            derived = false;
        }
    }
    found
}
