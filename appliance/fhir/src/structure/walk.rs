//! The walk over a resource, element by element, beside the table.

use serde_json::{Map, Value};

use super::codes::Codes;
use super::path::Path;
use super::table::{ELEMENTS_MAX, Key, Kind, Node, Table, table};
use super::target::{Contained, target};
use super::{ISSUES_MAX, narrative};
use crate::invariant::Focus;
use crate::json::{DEPTH_MAX, RESOURCE_TYPE, Resource};
use crate::outcome::{Issue, IssueCode};
use crate::primitive::{Fault, Primitive};

/// All that is wrong with a resource, at most [`ISSUES_MAX`].
pub(super) fn walk(resource: &Resource) -> Vec<Issue> {
    let mut walk = Walk { table: table(), issues: Vec::new() };
    let root = Path::Root(resource.resource_type());
    if let Some((_, node)) = walk.table.resource(resource.resource_type()) {
        let contained = Contained::of(resource.map());
        walk.object(node, resource.map(), &root, Place { contained: &contained, depth: 1 });
    }
    walk.issues
}

struct Walk {
    table: &'static Table,
    issues: Vec<Issue>,
}

/// Around which element the walk is.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// What the resource around contains, or the one that it is contained in.
    contained: &'a Contained<'a>,
    /// How many objects lie around.
    depth: usize,
}

/// A primitive value and what stands beside it under `_x`.
#[derive(Clone, Copy)]
struct Pair<'a> {
    value: Option<&'a Value>,
    beside: Option<&'a Value>,
}

impl Walk {
    fn add(&mut self, path: &Path<'_>, code: IssueCode, diagnostics: impl Into<String>) {
        if self.issues.len() < ISSUES_MAX {
            self.issues.push(Issue::at(path.to_string(), code, diagnostics));
        }
    }

    /// An object of a type of the table.
    fn object(&mut self, node: &Node, map: &Map<String, Value>, path: &Path<'_>, place: Place<'_>) {
        let has_more = |key: &String| node.is_resource || key != "id";
        if map.keys().any(has_more) {
            self.elements(node, map, path, place);
        } else {
            self.add(path, IssueCode::Structure, EMPTY);
        }
    }

    /// The elements of an object that is not empty, and the rules between them.
    fn elements(
        &mut self,
        node: &Node,
        map: &Map<String, Value>,
        path: &Path<'_>,
        place: Place<'_>,
    ) {
        if place.depth > DEPTH_MAX {
            return self.add(path, IssueCode::TooCostly, "elements lie too deep in each other");
        }
        if self.issues.len() == ISSUES_MAX {
            return;
        }
        let mut seen: [Option<&str>; ELEMENTS_MAX] = [None; ELEMENTS_MAX];
        for (name, value) in map {
            if name == RESOURCE_TYPE && node.is_resource {
                continue;
            }
            let (bare, is_beside) = match name.strip_prefix('_') {
                Some(bare) => (bare, true),
                None => (name.as_str(), false),
            };
            let Some(key) = found(node, bare, is_beside) else {
                self.unknown(node, name, path);
                continue;
            };
            let element = &node.elements[key.element];
            let before = seen[key.element].replace(bare);
            if before.is_some_and(|before| before != bare) {
                let what = "only one of the types of this element can be there";
                self.add(&path.element(element.name), IssueCode::Structure, what);
            }
            // A value and what stands beside it are looked at together, where the value is.
            let pair = match (is_beside, map.get(bare)) {
                (true, Some(_)) => continue,
                (true, None) => Pair { value: None, beside: Some(value) },
                (false, _) => Pair { value: Some(value), beside: beside(key, map) },
            };
            self.element(key, pair, element.many, &path.element(element.name), place);
        }
        for (element, seen) in node.elements.iter().zip(seen) {
            if element.required && seen.is_none() {
                let what = "this element is required";
                self.add(&path.element(element.name), IssueCode::Required, what);
            }
        }
        let focus = Focus { map, contained: place.contained };
        for rule in &node.rules {
            if !(rule.holds)(&focus) {
                self.add(path, IssueCode::Invariant, format!("{}: {}", rule.key, rule.says));
            }
        }
    }

    fn unknown(&mut self, node: &Node, name: &str, path: &Path<'_>) {
        // A key could be anything; one that looks like the name of an element is told.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let begins = name.starts_with(|it: char| it.is_ascii_lowercase() || it == '_');
        if begins && name.len() <= 64 && name.bytes().all(plain) {
            let what = format!("R4 has no such element in {}", node.path);
            self.add(&path.element(name), IssueCode::Structure, what);
        } else {
            let what = format!("there is an element here that R4 has not in {}", node.path);
            self.add(path, IssueCode::Structure, what);
        }
    }

    /// An element with its one value or its list.
    fn element(
        &mut self,
        key: &Key,
        pair: Pair<'_>,
        many: bool,
        path: &Path<'_>,
        place: Place<'_>,
    ) {
        if !many {
            return self.one(key, pair, path, place);
        }
        let values = self.list(pair.value, path);
        let besides = self.list(pair.beside, path);
        if let (Some(values), Some(besides)) = (values, besides)
            && values.len() != besides.len()
        {
            let what =
                "the list and the one beside it (with _) have the same length; fill up with null";
            self.add(path, IssueCode::Structure, what);
        }
        let count = values.map_or(0, Vec::len).max(besides.map_or(0, Vec::len));
        for index in 0..count {
            if self.issues.len() == ISSUES_MAX {
                return;
            }
            let value = values.and_then(|list| list.get(index));
            let beside = besides.and_then(|list| list.get(index));
            let path = path.entry(index);
            if matches!(key.kind, Kind::Primitive(_)) {
                // Null holds the place of a value that is only in the other list.
                let there = |it: &&Value| !it.is_null();
                let pair = Pair { value: value.filter(there), beside: beside.filter(there) };
                if pair.value.is_none() && pair.beside.is_none() {
                    self.add(&path, IssueCode::Structure, "null stands for nothing; leave it out");
                } else {
                    self.one(key, pair, &path, place);
                }
            } else {
                self.one(key, Pair { value, beside }, &path, place);
            }
        }
    }

    fn list<'a>(&mut self, value: Option<&'a Value>, path: &Path<'_>) -> Option<&'a Vec<Value>> {
        let value = value?;
        let Some(list) = value.as_array() else {
            self.add(path, IssueCode::Structure, "this element is a list; write it in [ ]");
            return None;
        };
        if list.is_empty() {
            self.add(path, IssueCode::Structure, "a list is never empty; leave it out instead");
        }
        Some(list)
    }

    fn one(&mut self, key: &Key, pair: Pair<'_>, path: &Path<'_>, place: Place<'_>) {
        let deeper = Place { depth: place.depth + 1, ..place };
        match key.kind {
            Kind::Primitive(primitive) => {
                if let Some(value) = pair.value {
                    self.primitive(primitive, key, value, path);
                }
                if let Some(beside) = pair.beside {
                    self.beside(beside, pair.value.is_some(), path, deeper);
                }
            }
            Kind::Node(at) => {
                let Some(map) = self.map(pair.value, path) else { return };
                let node = self.table.node(at);
                self.object(node, map, path, deeper);
                self.bound(key, node, map, path);
                if !key.targets.is_empty() {
                    self.target(key, map, path, place);
                }
            }
            Kind::Resource => {
                let Some(map) = self.map(pair.value, path) else { return };
                self.resource(map, path, deeper);
            }
        }
    }

    fn map<'a>(
        &mut self,
        value: Option<&'a Value>,
        path: &Path<'_>,
    ) -> Option<&'a Map<String, Value>> {
        let map = value.and_then(Value::as_object);
        if map.is_none() {
            self.add(path, IssueCode::Structure, "an object is wanted here, in { }");
        }
        map
    }

    fn primitive(&mut self, primitive: Primitive, key: &Key, value: &Value, path: &Path<'_>) {
        match primitive.check(value) {
            Err(Fault::Kind(wanted)) => {
                let what = match value {
                    Value::Null => "null stands for nothing; leave the element out".to_owned(),
                    Value::Array(_) => format!("this element is no list; {wanted} is wanted here"),
                    Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                        format!("{wanted} is wanted here")
                    }
                };
                return self.add(path, IssueCode::Structure, what);
            }
            Err(Fault::Form(says)) => return self.add(path, IssueCode::Value, says),
            Ok(()) => {}
        }
        let text = value.as_str().unwrap_or_default();
        if let Some(codes) = key.codes
            && !self.table.codes(codes).has(text)
        {
            self.add(path, IssueCode::CodeInvalid, NOT_BOUND);
        }
        if primitive == Primitive::Xhtml
            && let Some(fault) = narrative::fault(text)
        {
            self.add(path, IssueCode::Invariant, fault);
        }
    }

    /// What stands beside a primitive value: extensions, an id; where there is no value not only that.
    fn beside(&mut self, beside: &Value, has_value: bool, path: &Path<'_>, place: Place<'_>) {
        let Some(map) = self.map(Some(beside), path) else { return };
        if has_value && !map.is_empty() {
            self.elements(self.table.element(), map, path, place);
        } else {
            self.object(self.table.element(), map, path, place);
        }
    }

    /// A `Coding` or `CodeableConcept` that must be from a value set.
    fn bound(&mut self, key: &Key, node: &Node, map: &Map<String, Value>, path: &Path<'_>) {
        let Some(codes) = key.codes else { return };
        let codes: &Codes = self.table.codes(codes);
        let fits = match node.path.as_str() {
            "Coding" => codes.has_coding(map),
            _ => codes.has_concept(map),
        };
        if !fits {
            self.add(path, IssueCode::CodeInvalid, NOT_BOUND);
        }
    }

    fn target(&mut self, key: &Key, map: &Map<String, Value>, path: &Path<'_>, place: Place<'_>) {
        if let Some(target) = target(map, place.contained)
            && !key.targets.contains(&target)
        {
            let what = format!("this may refer to {} only", key.targets.join(", "));
            self.add(path, IssueCode::Structure, what);
        }
    }

    /// A resource within another: contained, an entry of a bundle, a parameter.
    fn resource(&mut self, map: &Map<String, Value>, path: &Path<'_>, place: Place<'_>) {
        let said = map.get(RESOURCE_TYPE).and_then(Value::as_str);
        let Some((_, node)) = said.and_then(|name| self.table.resource(name)) else {
            let what = "a resource says by resourceType which of R4's it is";
            return self.add(path, IssueCode::Structure, what);
        };
        let is_contained = matches!(path, Path::Entry(Path::Element(_, "contained"), _));
        if is_contained {
            return self.object(node, map, path, place);
        }
        let contained = Contained::of(map);
        self.object(node, map, path, Place { contained: &contained, ..place });
    }
}

const EMPTY: &str = "an element has a value or children besides its id (ele-1); else leave it out";
const NOT_BOUND: &str = "the code is not one of the value set that this element must take it from";

/// The element of this name; beside it something can only stand if it is primitive.
fn found<'a>(node: &'a Node, bare: &str, is_beside: bool) -> Option<&'a Key> {
    node.key(bare).filter(|key| !is_beside || matches!(key.kind, Kind::Primitive(_)))
}

fn beside<'a>(key: &Key, map: &'a Map<String, Value>) -> Option<&'a Value> {
    if matches!(key.kind, Kind::Primitive(_)) { map.get(&key.sibling) } else { None }
}
