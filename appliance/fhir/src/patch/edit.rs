//! FHIRPath Patch: the operations and what they do to the elements.
//!
//! Source: <https://hl7.org/fhir/R4/fhirpatch.html>.

use serde_json::{Map, Value};

use super::fhirpath::{Path, Step};
use super::place::{At, Place, Unknown, key, object_mut, places};
use super::shape::{Child, Shape};
use super::{bounded, of_operation};
use crate::element;
use crate::json::Resource;
use crate::outcome::{IssueCode, Outcome};

/// One operation.
pub(super) struct Operation {
    path: Path,
    does: Does,
}

enum Does {
    Add { name: String, value: Given },
    Insert { index: usize, value: Given },
    Delete,
    Replace(Given),
    Move { source: usize, destination: usize },
}

/// A value that a patch brings.
enum Given {
    /// Of the type that stands behind `value` in its key, such as `Quantity`.
    Value { type_: String, value: Value },
    /// Of no data type: element by element.
    Parts(Vec<(String, Given)>),
}

impl std::fmt::Debug for Operation {
    /// Values are personal: logs show what is done, and nothing of it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.does {
            Does::Add { .. } => "add",
            Does::Insert { .. } => "insert",
            Does::Delete => "delete",
            Does::Replace(_) => "replace",
            Does::Move { .. } => "move",
        })
    }
}

/// Why an operation is not done.
type Fault = (IssueCode, &'static str);

/// Reads the operations of `Parameters`.
pub(super) fn read(parameters: &Resource) -> Result<Vec<Operation>, Outcome> {
    let list = element::list(parameters.map(), "parameter");
    bounded(list.len())?;
    let read = |(at, given): (usize, &Value)| {
        let refused = |(code, what): Fault| of_operation(at, code, what);
        given.as_object().ok_or(SHAPE).and_then(operation).map_err(refused)
    };
    list.iter().enumerate().map(read).collect()
}

const SHAPE: Fault = (
    IssueCode::Structure,
    "a parameter `operation` has the parts type (add, insert, delete, replace or move), path, and what \
     that needs of name, value, index, source and destination",
);

fn operation(given: &Map<String, Value>) -> Result<Operation, Fault> {
    if element::text(given, "name") != Some("operation") {
        return Err(SHAPE);
    }
    let part = |name: &str| {
        let mut parts = element::objects(element::list(given, "part")).map(|(_, part)| part);
        parts.find(|part| element::text(part, "name") == Some(name))
    };
    let text = |name: &str| part(name).and_then(|it| value(it)?.1.as_str()).ok_or(SHAPE);
    let whole = |name: &str| {
        let number = part(name).and_then(|it| value(it)?.1.as_u64()).ok_or(SHAPE)?;
        usize::try_from(number).map_err(|_| SHAPE)
    };
    let path = Path::parse(text("path")?).ok_or((
        IssueCode::NotSupported,
        "a path here has names, indexes, first(), last() and where(element = 'x'), nothing else",
    ))?;
    let brought = || part("value").ok_or(SHAPE).and_then(self::given);
    let does = match text("type")? {
        "add" => Does::Add { name: text("name")?.to_owned(), value: brought()? },
        "insert" => Does::Insert { index: whole("index")?, value: brought()? },
        "delete" => Does::Delete,
        "replace" => Does::Replace(brought()?),
        "move" => Does::Move { source: whole("source")?, destination: whole("destination")? },
        _ => return Err(SHAPE),
    };
    Ok(Operation { path, does })
}

/// The type and the value of `value[x]`.
fn value(part: &Map<String, Value>) -> Option<(&str, &Value)> {
    part.iter().find_map(|(key, value)| Some((key.strip_prefix("value")?, value)))
}

fn given(part: &Map<String, Value>) -> Result<Given, Fault> {
    if part.keys().any(|key| key.starts_with("_value")) {
        let what = "extensions of a primitive value are not taken in a patch; use a JSON Patch";
        return Err((IssueCode::NotSupported, what));
    }
    if let Some((type_, value)) = value(part) {
        return Ok(Given::Value { type_: type_.to_owned(), value: value.clone() });
    }
    if let Some(resource) = part.get("resource") {
        return Ok(Given::Value { type_: "Resource".into(), value: resource.clone() });
    }
    let parts = element::objects(element::list(part, "part"));
    let read = parts.map(|(_, part)| {
        let name = element::text(part, "name").ok_or(SHAPE)?;
        Ok((name.to_owned(), given(part)?))
    });
    let parts: Vec<(String, Given)> = read.collect::<Result<_, Fault>>()?;
    if parts.is_empty() { Err(SHAPE) } else { Ok(Given::Parts(parts)) }
}

/// The resource after all operations.
pub(super) fn apply(operations: &[Operation], resource: Resource) -> Result<Value, Outcome> {
    let type_ = resource.resource_type();
    let mut root = resource.into_map();
    for (at, operation) in operations.iter().enumerate() {
        let done = done(operation, type_, &mut root);
        done.map_err(|(code, what)| of_operation(at, code, what))?;
    }
    Ok(Value::Object(root))
}

const UNKNOWN: Fault = (IssueCode::Structure, "R4 has no element of this name there");
const NOTHING: Fault = (IssueCode::NotFound, "there is nothing where its path leads");
const SEVERAL: Fault = (IssueCode::MultipleMatches, "its path leads to more than one element");
const NO_LIST: Fault = (IssueCode::Structure, "its path does not lead to a list");
const OUTSIDE: Fault = (IssueCode::NotFound, "the list is not that long");
const THERE: Fault = (IssueCode::Conflict, "the element is there already; replace it");

impl From<Unknown> for Fault {
    fn from(Unknown: Unknown) -> Self {
        UNKNOWN
    }
}

fn done(operation: &Operation, type_: &str, root: &mut Map<String, Value>) -> Result<(), Fault> {
    let Operation { path, does } = operation;
    if path.type_ != type_ {
        return Err((IssueCode::Value, "its path begins with the type of another resource"));
    }
    match does {
        Does::Add { name, value } => {
            let place = one(&path.steps, type_, root)?.ok_or(NOTHING)?;
            let child = child_of(&place, name)?;
            let map = object_mut(&place.steps, root).ok_or(UNKNOWN)?;
            add(map, child, value)
        }
        Does::Insert { index, value } => {
            let (place, child) = list(&path.steps, type_, root)?;
            let map = object_mut(&place.steps, root).ok_or(NO_LIST)?;
            insert(map, child, *index, value)
        }
        Does::Delete => match one(&path.steps, type_, root)? {
            Some(place) => delete(&place, root),
            None => Ok(()),
        },
        Does::Replace(value) => {
            let place = one(&path.steps, type_, root)?.ok_or(NOTHING)?;
            replace(&place, root, value)
        }
        Does::Move { source, destination } => {
            let (place, child) = list(&path.steps, type_, root)?;
            let map = object_mut(&place.steps, root).ok_or(NO_LIST)?;
            move_(map, child, *source, *destination)
        }
    }
}

/// The one place that the path leads to, if it leads to any.
fn one(steps: &[Step], type_: &str, root: &Map<String, Value>) -> Result<Option<Place>, Fault> {
    let mut places = places(steps, type_, root)?.into_iter();
    match (places.next(), places.next()) {
        (place, None) => Ok(place),
        (_, Some(_)) => Err(SEVERAL),
    }
}

/// The object that holds the list that the path leads to, and the list.
fn list(steps: &[Step], type_: &str, root: &Map<String, Value>) -> Result<(Place, Child), Fault> {
    let Some((Step::Name(name), above)) = steps.split_last() else { return Err(NO_LIST) };
    let place = one(above, type_, root)?.ok_or(NOTHING)?;
    let child = child_of(&place, name)?;
    if child.many { Ok((place, child)) } else { Err(NO_LIST) }
}

fn child_of(place: &Place, name: &str) -> Result<Child, Fault> {
    place.shape.and_then(|shape| shape.child(name)).ok_or(UNKNOWN)
}

/// The key of a value, and the value.
fn made(child: Child, given: &Given) -> Result<(String, Value), Fault> {
    match given {
        Given::Value { type_, value } => {
            let key = child.key(type_).ok_or((
                IssueCode::Structure,
                "the element may not be of the type of this value",
            ))?;
            Ok((key, value.clone()))
        }
        Given::Parts(parts) => {
            let key = child.key("").ok_or(UNKNOWN)?;
            let shape = child.below(&key).ok_or(UNKNOWN)?;
            Ok((key, of_parts(shape, parts)?))
        }
    }
}

fn of_parts(shape: Shape, parts: &[(String, Given)]) -> Result<Value, Fault> {
    let mut map = Map::new();
    for (name, given) in parts {
        let child = shape.child(name).ok_or(UNKNOWN)?;
        add(&mut map, child, given)?;
    }
    Ok(Value::Object(map))
}

/// `_birthDate`
fn beside(key: &str) -> String {
    format!("_{key}")
}

/// Behind the last of a list; of an element that is no list only where there is none.
fn add(map: &mut Map<String, Value>, child: Child, given: &Given) -> Result<(), Fault> {
    if child.many {
        let (key, _) = made(child, given)?;
        let length = length(map, &key);
        return insert(map, child, length, given);
    }
    if key(child, map).is_some() {
        return Err(THERE);
    }
    let (key, value) = made(child, given)?;
    map.insert(key, value);
    Ok(())
}

/// How long a list is, with what stands beside it.
fn length(map: &Map<String, Value>, key: &str) -> usize {
    let of = |key: &str| map.get(key).and_then(Value::as_array).map_or(0, Vec::len);
    of(key).max(of(&beside(key)))
}

fn insert(
    map: &mut Map<String, Value>,
    child: Child,
    index: usize,
    given: &Given,
) -> Result<(), Fault> {
    let (key, value) = made(child, given)?;
    let length = length(map, &key);
    if index > length {
        return Err(OUTSIDE);
    }
    let mut values = taken(map, &key, length);
    values.insert(index, value);
    put(map, &key, values);
    let sibling = beside(&key);
    if map.contains_key(&sibling) {
        let mut values = taken(map, &sibling, length);
        values.insert(index, Value::Null);
        put(map, &sibling, values);
    }
    Ok(())
}

fn move_(
    map: &mut Map<String, Value>,
    child: Child,
    source: usize,
    destination: usize,
) -> Result<(), Fault> {
    let key = key(child, map).ok_or(NOTHING)?;
    let length = length(map, &key);
    if source >= length || destination >= length {
        return Err(OUTSIDE);
    }
    for key in
        [beside(&key), key].into_iter().filter(|key| map.contains_key(key)).collect::<Vec<_>>()
    {
        let mut values = taken(map, &key, length);
        let value = values.remove(source);
        values.insert(destination, value);
        put(map, &key, values);
    }
    Ok(())
}

/// The values of a list, filled up to its length.
fn taken(map: &mut Map<String, Value>, key: &str, length: usize) -> Vec<Value> {
    let mut values = match map.get_mut(key).map(Value::take) {
        Some(Value::Array(values)) => values,
        Some(_) | None => Vec::new(),
    };
    values.resize(length, Value::Null);
    values
}

/// A list of nothing is not there.
fn put(map: &mut Map<String, Value>, key: &str, values: Vec<Value>) {
    if values.iter().all(Value::is_null) {
        map.shift_remove(key);
    } else {
        map.insert(key.to_owned(), Value::Array(values));
    }
}

/// The object around a place, and the last step.
fn around<'a>(
    place: &'a Place,
    root: &'a mut Map<String, Value>,
) -> Result<(&'a At, &'a mut Map<String, Value>), Fault> {
    let whole =
        (IssueCode::NotSupported, "the resource itself is not deleted or replaced by a patch");
    let (last, above) = place.steps.split_last().ok_or(whole)?;
    Ok((last, object_mut(above, root).ok_or(NOTHING)?))
}

fn delete(place: &Place, root: &mut Map<String, Value>) -> Result<(), Fault> {
    let (At { key, index }, map) = around(place, root)?;
    let length = length(map, key);
    for key in [key.clone(), beside(key)] {
        match index {
            Some(index) if map.contains_key(&key) => {
                let mut values = taken(map, &key, length);
                values.remove(*index);
                put(map, &key, values);
            }
            Some(_) => {}
            None => {
                map.shift_remove(&key);
            }
        }
    }
    Ok(())
}

fn replace(place: &Place, root: &mut Map<String, Value>, given: &Given) -> Result<(), Fault> {
    let (new_key, new) = made(place.child.ok_or(UNKNOWN)?, given)?;
    let (At { key, index }, map) = around(place, root)?;
    let Some(index) = index else {
        // An element of another type stands under another key, in the same place.
        let entries = std::mem::take(map).into_iter();
        let mut new = Some(new);
        for (name, value) in entries {
            let is_old = name == *key || name == beside(key);
            match if is_old { new.take() } else { None } {
                Some(new) => map.insert(new_key.clone(), new),
                None if is_old => None,
                None => map.insert(name, value),
            };
        }
        return Ok(());
    };
    let length = length(map, key);
    let sibling = beside(key);
    let mut values = taken(map, key, length);
    values[*index] = new;
    put(map, key, values);
    if map.contains_key(&sibling) {
        let mut values = taken(map, &sibling, length);
        values[*index] = Value::Null;
        put(map, &sibling, values);
    }
    Ok(())
}
