//! What lies below an element: its name, whether it is a list, under which key it stands.
//!
//! Asked of `structure/r4.txt`, of which a patch needs no more than the lines of the elements that it
//! names.

use std::collections::HashMap;
use std::sync::LazyLock;

static LINES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../structure/r4.txt").lines().collect());
/// The line of each type.
static TYPES: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let named = |(at, line): (usize, &&'static str)| {
        let mut words = line.split(' ');
        matches!(words.next()?, "type" | "resource").then_some((words.next()?, at))
    };
    LINES.iter().enumerate().filter_map(named).collect()
});

/// A type, or an element with elements of its own, by its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape(usize);

/// An element below.
#[derive(Clone, Copy, Debug)]
pub(super) struct Child {
    /// Whether it is a list.
    pub(super) many: bool,
    name: &'static str,
    /// The types that it may be of, with `|` between.
    kinds: &'static str,
    line: usize,
}

impl Shape {
    /// A type of resource or a data type.
    pub(super) fn of(type_: &str) -> Option<Self> {
        let type_ = if type_ == "SimpleQuantity" { "Quantity" } else { type_ };
        TYPES.get(type_).copied().map(Self)
    }

    /// The element of this name, of a choice without its type.
    pub(super) fn child(self, name: &str) -> Option<Child> {
        let is_it = |child: &Child| child.name.trim_end_matches("[x]") == name;
        self.own().find(is_it).or_else(|| self.above()?.child(name))
    }

    /// What this type is made from.
    fn above(self) -> Option<Self> {
        let mut words = LINES.get(self.0)?.trim_start().split(' ');
        let last = words.nth(2)?;
        // The types of an element with elements stand where the parent of a type does.
        Self::of(last)
    }

    fn own(self) -> impl Iterator<Item = Child> {
        let depth = depth(LINES[self.0]);
        let below = LINES.iter().enumerate().skip(self.0 + 1);
        let within = below.take_while(move |(_, line)| self::depth(line) > depth);
        let own = within.filter(move |(_, line)| self::depth(line) == depth + 1);
        own.filter_map(|(line, text)| child(line, text))
    }
}

fn depth(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// `participant 1..* BackboneElement`
fn child(line: usize, text: &'static str) -> Option<Child> {
    let mut words = text.trim_start().split(' ');
    let (name, range, kinds) = (words.next()?, words.next()?, words.next()?);
    let open = || LINES.iter().find_map(|line| line.strip_prefix("* "));
    let kinds = if kinds == "*" { open()? } else { kinds };
    Some(Child { many: range.ends_with('*'), name, kinds, line })
}

impl Child {
    /// The key under which a value of the type stands; none if it may not be of that type. `type_` is
    /// what stands behind `value` in a choice, such as `Quantity`.
    pub(super) fn key(self, type_: &str) -> Option<String> {
        let Some(start) = self.name.strip_suffix("[x]") else { return Some(self.name.to_owned()) };
        self.kind(type_).map(|_| format!("{start}{type_}"))
    }

    /// The keys under which it may stand.
    pub(super) fn keys(self) -> Vec<String> {
        let Some(start) = self.name.strip_suffix("[x]") else { return vec![self.name.to_owned()] };
        self.each_kind().map(|kind| format!("{start}{}", capital(kind))).collect()
    }

    /// What lies below a value of the type; none if that is a primitive value or any resource.
    pub(super) fn below(self, key: &str) -> Option<Shape> {
        let type_ = match self.name.strip_suffix("[x]") {
            Some(start) => key.strip_prefix(start)?,
            None => return self.only(self.each_kind().next()?),
        };
        self.only(self.kind(type_)?)
    }

    fn only(self, kind: &'static str) -> Option<Shape> {
        if let Some(path) = kind.strip_prefix('#') {
            let mut names = path.split('.');
            let root = Shape::of(names.next()?)?;
            return names.try_fold(root, |shape, name| {
                let child = shape.child(name)?;
                child.below(name)
            });
        }
        match kind {
            "Element" | "BackboneElement" => Some(Shape(self.line)),
            "Resource" => None,
            _ => Shape::of(kind),
        }
    }

    fn each_kind(self) -> impl Iterator<Item = &'static str> {
        self.kinds.split('|').map(|kind| match kind.split('(').next() {
            Some("SimpleQuantity") => "Quantity",
            Some(name) => name,
            None => kind,
        })
    }

    fn kind(self, type_: &str) -> Option<&'static str> {
        self.each_kind().find(|kind| capital(kind) == type_)
    }
}

/// `dateTime` as `DateTime`
fn capital(name: &str) -> String {
    match name.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}", first.to_ascii_uppercase()),
        None => String::new(),
    }
}
