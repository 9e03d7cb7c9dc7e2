//! Where in a resource the elements of a path stand.

use serde_json::{Map, Value};

use super::fhirpath::{Literal, Step};
use super::shape::{Child, Shape};

/// Where an element stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Each step from the resource.
    pub(super) steps: Vec<At>,
    /// What lies below; none if that is nothing.
    pub(super) shape: Option<Shape>,
    /// What R4 says of the element; none of the resource itself.
    pub(super) child: Option<Child>,
}

/// One step to a place.
#[derive(Clone, Debug)]
pub(super) struct At {
    /// The key.
    pub(super) key: String,
    /// Which of a list.
    pub(super) index: Option<usize>,
}

/// R4 has no element of a name that is in the path.
#[derive(Debug)]
pub(super) struct Unknown;

impl Place {
    fn root(type_: &str) -> Self {
        Self { steps: Vec::new(), shape: Shape::of(type_), child: None }
    }

    fn get<'a>(&self, root: &'a Map<String, Value>) -> Option<&'a Value> {
        let (last, above) = self.steps.split_last()?;
        let map = above.iter().try_fold(root, |map, at| at.get(map)?.as_object())?;
        last.get(map)
    }

    fn object<'a>(&self, root: &'a Map<String, Value>) -> Option<&'a Map<String, Value>> {
        if self.steps.is_empty() { Some(root) } else { self.get(root)?.as_object() }
    }
}

impl At {
    fn get<'a>(&self, map: &'a Map<String, Value>) -> Option<&'a Value> {
        let value = map.get(&self.key)?;
        match self.index {
            Some(index) => value.get(index),
            None => Some(value),
        }
    }
}

/// The object that these steps lead to.
pub(super) fn object_mut<'a>(
    steps: &[At],
    root: &'a mut Map<String, Value>,
) -> Option<&'a mut Map<String, Value>> {
    steps.iter().try_fold(root, |map, at| {
        let value = map.get_mut(&at.key)?;
        match at.index {
            Some(index) => value.get_mut(index)?.as_object_mut(),
            None => value.as_object_mut(),
        }
    })
}

/// The places that a path leads to; only the resource itself for no step.
pub(super) fn places(
    steps: &[Step],
    type_: &str,
    root: &Map<String, Value>,
) -> Result<Vec<Place>, Unknown> {
    let mut places = vec![Place::root(type_)];
    for step in steps {
        places = match step {
            Step::Name(name) => each_below(&places, name, root)?,
            Step::Index(index) => places.into_iter().skip(*index).take(1).collect(),
            Step::First => places.into_iter().take(1).collect(),
            Step::Last => places.pop().into_iter().collect(),
            Step::Where { names, equals } => {
                let mut fits = Vec::new();
                for place in places {
                    if is_so(&place, names, equals, root)? {
                        fits.push(place);
                    }
                }
                fits
            }
        };
    }
    Ok(places)
}

fn each_below(
    places: &[Place],
    name: &str,
    root: &Map<String, Value>,
) -> Result<Vec<Place>, Unknown> {
    let mut all = Vec::new();
    for place in places {
        let child = place.shape.and_then(|shape| shape.child(name)).ok_or(Unknown)?;
        all.extend(below(place, child, root));
    }
    Ok(all)
}

/// The elements below that are there, with a value or only with what stands beside one (`_birthDate`).
fn below(place: &Place, child: Child, root: &Map<String, Value>) -> Vec<Place> {
    let Some(map) = place.object(root) else { return Vec::new() };
    let Some(key) = key(child, map) else { return Vec::new() };
    let at = |index| {
        let mut steps = place.steps.clone();
        steps.push(At { key: key.clone(), index });
        let mut found = Place { steps, shape: child.below(&key), child: Some(child) };
        if found.shape.is_none() {
            // A resource within: what it is, it says itself.
            let type_ = found.get(root).and_then(|it| it.get("resourceType")?.as_str());
            found.shape = type_.and_then(Shape::of);
        }
        found
    };
    let sibling = format!("_{key}");
    let length = |key: &str| map.get(key).and_then(Value::as_array).map(Vec::len);
    match length(&key).max(length(&sibling)) {
        Some(length) => (0..length).map(|index| at(Some(index))).collect(),
        None => vec![at(None)],
    }
}

/// The key under which an element stands in an object, if it is there.
pub(super) fn key(child: Child, map: &Map<String, Value>) -> Option<String> {
    let is_there = |key: &String| map.contains_key(key) || map.contains_key(&format!("_{key}"));
    child.keys().into_iter().find(is_there)
}

/// Whether the one element of these names is so.
fn is_so(
    place: &Place,
    names: &[String],
    equals: &Literal,
    root: &Map<String, Value>,
) -> Result<bool, Unknown> {
    let mut found = vec![place.clone()];
    for name in names {
        found = each_below(&found, name, root)?;
    }
    let [one] = found.as_slice() else { return Ok(false) };
    Ok(match (one.get(root), equals) {
        (Some(Value::String(said)), Literal::Text(text)) => said == text,
        (Some(Value::Bool(said)), Literal::Flag(is)) => said == is,
        (_, _) => false,
    })
}
