//! The order of the modules of `prm`: each knows only those before it, so that none can be part of a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::assert_none;
use super::source::{File, Token, code, files};

/// Foundations first, then the nouns of the clinic.
const ORDER: [&str; 54] = [
    "id",
    "time",
    "error",
    "medium",
    "stamp",
    "db",
    "audit",
    "change",
    "past",
    "provenance",
    "given",
    "imported",
    "hub",
    "statement",
    "secret",
    "idempotency",
    "contact",
    "content",
    "clinic",
    "name",
    "search",
    "query",
    "patient",
    "request",
    "conflict",
    "chart",
    "location",
    "practitioner",
    "healthcare_service",
    "template",
    "canned_answer",
    "patient_instruction",
    "faq",
    "reminder_rule",
    "schedule",
    "slot",
    "appointment",
    "loan",
    "waitlist",
    "qr",
    "queue",
    "check_in",
    "staff",
    "ticket",
    "token",
    "device",
    "conversation",
    "consent",
    "relay",
    "message",
    "media",
    "reminder",
    "call",
    "fixture",
];

const SOURCES: &str = "appliance/prm/src/";

/// The module a file belongs to and how deep the file's own module lies: `slot.rs` 1, `slot/find.rs` 2.
fn place(file: &File) -> Option<(&str, usize)> {
    let path = file.path.strip_prefix(SOURCES)?.strip_suffix(".rs")?;
    if path == "lib" || file.is_test() {
        return None;
    }
    let depth = path.split('/').filter(|part| *part != "mod").count();
    Some((path.split('/').next()?, depth))
}

/// The modules behind the names that `lib.rs` shows to the outside: `crate::Refusal` is `error`.
fn shown(lib: &[Token]) -> BTreeMap<&str, &str> {
    let mut shown = BTreeMap::new();
    let mut module = None;
    for (before, token) in lib.iter().zip(&lib[1..]) {
        match (before.word.as_str(), token.word.as_str()) {
            ("use", "crate" | "self") => module = Some(""),
            ("::", word) if module == Some("") => module = Some(word),
            ("use", word) => module = Some(word),
            (_, ";") => module = None,
            (_, word) => {
                if let Some(module) = module {
                    shown.insert(word, module);
                }
            }
        }
    }
    shown
}

/// What follows `crate::` (or as many `super::` as lead there), by line: the head of each path.
fn heads(code: &[Token], depth: usize) -> Vec<(usize, &str)> {
    let mut heads = Vec::new();
    let mut supers = 0;
    for (at, token) in code.iter().enumerate() {
        match token.word.as_str() {
            "super" => supers += 1,
            "::" => {}
            _ => supers = 0,
        }
        let is_top = token.word == "crate" || (token.word == "super" && supers == depth);
        let rest = &code[at + 1..];
        if !is_top || rest.first().is_none_or(|next| next.word != "::") {
            continue;
        }
        match rest.get(1) {
            Some(open) if open.word == "{" => heads.extend(heads_in_braces(&rest[1..])),
            Some(head) => heads.push((head.line, head.word.as_str())),
            None => {}
        }
    }
    heads
}

/// The first word of each path between braces, the first token being the opening one.
fn heads_in_braces(code: &[Token]) -> Vec<(usize, &str)> {
    let mut heads = Vec::new();
    let mut depth = 0;
    for (token, next) in code.iter().zip(&code[1..]) {
        match token.word.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && ["{", ","].contains(&token.word.as_str()) {
            heads.push((next.line, next.word.as_str()));
        }
    }
    heads
}

#[test]
fn a_noun_knows_only_the_nouns_before_it() {
    let lib = files().iter().find(|file| file.path == format!("{SOURCES}lib.rs"));
    let lib = code(lib.expect("prm is there"));
    let shown = shown(&lib);
    let rank = |module: &str| ORDER.iter().position(|it| *it == module);
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files() {
        let Some((module, depth)) = place(file) else { continue };
        let is_new = seen.insert(module);
        let Some(own) = rank(module) else {
            if is_new {
                found.push(format!("{module} has no place in the order"));
            }
            continue;
        };
        for (line, head) in heads(&code(file), depth) {
            let used = shown.get(head).copied().unwrap_or(head);
            if rank(used).is_some_and(|used| used > own) {
                found.push(format!("{}:{line}: {module} knows {used}", file.path));
            }
        }
    }
    for module in ORDER.iter().filter(|module| !seen.contains(*module)) {
        found.push(format!("{module} is in the order, but not in prm"));
    }
    assert_none("the order of the nouns", found);
}
