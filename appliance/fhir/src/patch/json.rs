//! JSON Patch (RFC 6902).

use serde_json::{Map, Value};

use super::pointer::{Nowhere, Pointer};
use super::{COPIED_MAX, bounded, of_operation};
use crate::element;
use crate::outcome::{IssueCode, Outcome};

/// One operation.
pub(super) struct Operation {
    path: Pointer,
    does: Does,
}

enum Does {
    Add(Value),
    Remove,
    Replace(Value),
    Move(Pointer),
    Copy(Pointer),
    Test(Value),
}

impl std::fmt::Debug for Operation {
    /// Values are personal: logs show what is done, and nothing of it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.does {
            Does::Add(_) => "add",
            Does::Remove => "remove",
            Does::Replace(_) => "replace",
            Does::Move(_) => "move",
            Does::Copy(_) => "copy",
            Does::Test(_) => "test",
        })
    }
}

/// Reads the list of operations.
pub(super) fn read(patch: &Value) -> Result<Vec<Operation>, Outcome> {
    let Value::Array(list) = patch else {
        let what = "a JSON Patch is a list of operations";
        return Err(Outcome::error(IssueCode::Structure, what));
    };
    bounded(list.len())?;
    let read = |(at, given): (usize, &Value)| {
        let operation = given.as_object().and_then(operation);
        let what = "an operation has an `op` (add, remove, replace, move, copy or test), a `path`, \
                    and what that needs of `from` and `value`";
        operation.ok_or_else(|| of_operation(at, IssueCode::Structure, what))
    };
    list.iter().enumerate().map(read).collect()
}

fn operation(given: &Map<String, Value>) -> Option<Operation> {
    let path = Pointer::parse(element::text(given, "path")?)?;
    let value = || given.get("value").cloned();
    let from = || Pointer::parse(element::text(given, "from")?);
    let does = match element::text(given, "op")? {
        "add" => Does::Add(value()?),
        "remove" => Does::Remove,
        "replace" => Does::Replace(value()?),
        "move" => Does::Move(from().filter(|from| !from.is_around(&path))?),
        "copy" => Does::Copy(from()?),
        "test" => Does::Test(value()?),
        _ => return None,
    };
    Some(Operation { path, does })
}

/// The value after all operations.
pub(super) fn apply(operations: &[Operation], mut root: Value) -> Result<Value, Outcome> {
    let mut copied = 0;
    for (at, operation) in operations.iter().enumerate() {
        let Operation { path, does } = operation;
        let done = match does {
            Does::Add(value) => path.add(&mut root, value.clone()),
            Does::Remove => path.remove(&mut root).map(|_| ()),
            Does::Replace(value) => path.replace(&mut root, value.clone()),
            Does::Move(from) => from.remove(&mut root).and_then(|value| path.add(&mut root, value)),
            Does::Copy(from) => {
                let value = from.get(&root).cloned();
                copied += value.as_ref().map_or(0, size);
                if copied > COPIED_MAX {
                    let what = "the copies of this patch are too large";
                    return Err(of_operation(at, IssueCode::TooCostly, what));
                }
                value.ok_or(Nowhere).and_then(|value| path.add(&mut root, value))
            }
            Does::Test(value) => match path.get(&root) {
                Some(there) if equal(there, value) => Ok(()),
                Some(_) | None => {
                    let what = "what is tested is not so; read the resource again";
                    return Err(of_operation(at, IssueCode::Conflict, what));
                }
            },
        };
        let what = "there is nothing where its path or `from` leads";
        done.map_err(|Nowhere| of_operation(at, IssueCode::NotFound, what))?;
    }
    Ok(root)
}

/// How many values there are.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
        Value::Array(list) => 1 + list.iter().map(size).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
    }
}

/// Equal as RFC 6902 (4.6) says it: members in any order. Numbers are equal if they are written alike:
/// FHIR tells `1.0` and `1.00` apart.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|it| equal(value, it)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (_, _) => one == other,
    }
}
