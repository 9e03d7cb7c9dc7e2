//! JSON Pointer (RFC 6901).

use serde_json::Value;

use crate::json::DEPTH_MAX;

/// The way to a value, key by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer(Vec<String>);

/// There is nothing where a pointer leads, or nothing can be put there.
#[derive(Debug)]
pub(super) struct Nowhere;

impl Pointer {
    /// Reads `/name/0/given`; `~1` is a `/` and `~0` a `~`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        let unescaped = |part: &str| {
            let is_escaped = part.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
            is_escaped.then(|| part.replace("~1", "/").replace("~0", "~"))
        };
        let keys: Option<Vec<String>> = text.strip_prefix('/')?.split('/').map(unescaped).collect();
        // No resource is deeper, and none becomes so by one operation after the other.
        keys.filter(|keys| keys.len() <= DEPTH_MAX).map(Self)
    }

    /// Whether what `other` leads to lies within what this leads to.
    pub(super) fn is_around(&self, other: &Self) -> bool {
        other.0.len() > self.0.len() && other.0.starts_with(&self.0)
    }

    /// The value that is there.
    pub(super) fn get<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(root, |value, key| match value {
            Value::Object(map) => map.get(key),
            Value::Array(list) => list.get(index(key)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }

    fn get_mut<'a>(keys: &[String], root: &'a mut Value) -> Option<&'a mut Value> {
        keys.iter().try_fold(root, |value, key| match value {
            Value::Object(map) => map.get_mut(key),
            Value::Array(list) => list.get_mut(index(key)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }

    /// Puts a value there: into an object under its key, into a list before what is there.
    pub(super) fn add(&self, root: &mut Value, new: Value) -> Result<(), Nowhere> {
        let Some((last, above)) = self.0.split_last() else {
            *root = new;
            return Ok(());
        };
        match Self::get_mut(above, root).ok_or(Nowhere)? {
            Value::Object(map) => {
                map.insert(last.clone(), new);
            }
            Value::Array(list) => {
                let at = if last == "-" { Some(list.len()) } else { index(last) };
                let at = at.filter(|at| *at <= list.len()).ok_or(Nowhere)?;
                list.insert(at, new);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(Nowhere);
            }
        }
        Ok(())
    }

    /// Takes the value out; what lies behind it keeps its order.
    pub(super) fn remove(&self, root: &mut Value) -> Result<Value, Nowhere> {
        let (last, above) = self.0.split_last().ok_or(Nowhere)?;
        match Self::get_mut(above, root).ok_or(Nowhere)? {
            Value::Object(map) => map.shift_remove(last).ok_or(Nowhere),
            Value::Array(list) => {
                let at = index(last).filter(|at| *at < list.len()).ok_or(Nowhere)?;
                Ok(list.remove(at))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(Nowhere),
        }
    }

    /// Puts a value in the place of what is there.
    pub(super) fn replace(&self, root: &mut Value, new: Value) -> Result<(), Nowhere> {
        *Self::get_mut(&self.0, root).ok_or(Nowhere)? = new;
        Ok(())
    }
}

/// `0`, `12`, not `012`
fn index(key: &str) -> Option<usize> {
    let is_plain =
        key.bytes().all(|byte| byte.is_ascii_digit()) && (key == "0" || !key.starts_with('0'));
    if is_plain { key.parse().ok() } else { None }
}
